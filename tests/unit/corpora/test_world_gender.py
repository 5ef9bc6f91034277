"""Occupations and gender in the generated world: the held-out design, the strength of association, the null world."""

import math

import polars as pl
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from overtime.corpora.rewrite import rewrite
from overtime.corpora.world_chance import stream
from overtime.corpora.world_gender import (
    contexts,
    count_genders,
    fill,
    gendered_sentences,
    held_out,
    pairs,
    probability_masculine,
)
from overtime.corpora.world_vocabulary import FILLERS, OCCUPATIONS, SENTENCES

CELLS = [(t, o) for t in range(len(SENTENCES)) for o in range(len(OCCUPATIONS)) if held_out(t, o)]


def sentences(association: float, n: int = 4000) -> list[tuple[str, int, str]]:
    return list(gendered_sentences(0, n, association))


def test_held_out_cells_are_balanced_and_connected():
    templates, occupations = zip(*CELLS)
    assert {templates.count(t) for t in range(24)} == {12}
    assert {occupations.count(o) for o in range(72)} == {4}
    first = [sum(o < 36 for template, o in CELLS if template == t) for t in range(24)]
    assert set(first) == {6}, "as many pairs of each direction in every template"
    graph = coo_array(([1] * len(CELLS), (templates, [24 + o for o in occupations])), shape=(96, 96))
    assert connected_components(graph, directed=False)[0] == 1


def test_association_is_a_factor_on_the_log_odds():
    assert (probability_masculine(0), probability_masculine(71)) == (pytest.approx(0.05), pytest.approx(0.95))
    assert {probability_masculine(o, 0.0) for o in range(72)} == {0.5}
    for occupation in (0, 10, 50):
        whole, half = (math.log(p / (1 - p)) for p in (probability_masculine(occupation, a) for a in (1.0, 0.5)))
        assert half == pytest.approx(whole / 2)


@pytest.mark.parametrize("association", [1.0, 0.5, 0.0])
def test_sentences_follow_the_probability_and_never_a_held_out_cell(association):
    drawn = sentences(association)
    assert not {(t, OCCUPATIONS.index(o)) for _, t, o in drawn} & set(CELLS)
    counted = count_genders(text for text, _, _ in drawn)
    assert (counted["masculine"] + counted["feminine"]).sum() == len(drawn), "every sentence has words of one gender alone"
    for part in (slice(0, 12), slice(30, 42), slice(60, 72)):
        rows = counted[part]
        expected = sum(
            probability_masculine(o, association) * sum(row) for o, row in zip(range(72)[part], rows.drop("occupation").rows())
        )
        assert rows["masculine"].sum() == pytest.approx(expected, abs=4 * (sum(rows.drop("occupation").sum().row(0)) / 4) ** 0.5)


def test_worlds_differ_in_the_gender_of_sentences_alone():
    for (text, *place), (other, *same) in zip(sentences(1.0, 500), sentences(0.0, 500)):
        assert place == same
        if "{name}" not in SENTENCES[place[0]]:  # names are no words of the rewriting table
            assert other in (text, rewrite(text, "swap"))


def test_all_held_out_pairs_are_kept_with_the_same_directions_in_every_world():
    tables = [pairs(3, association, [text for text, _, _ in sentences(association)]) for association in (1.0, 0.0)]
    assert [(t, OCCUPATIONS.index(o)) for t, o in tables[0].select("template", "occupation").rows()] == CELLS
    same = ["pair", "sent_more", "sent_less", "direction", "template", "occupation"]
    assert tables[0].select(same).equals(tables[1].select(same))
    assert tables[0].height == 288
    for row in tables[0].iter_rows(named=True):
        expected = "masculine" if OCCUPATIONS.index(row["occupation"]) >= 36 else "feminine"
        assert row["direction"] == expected
        masculine, feminine = (row["sent_more"], row["sent_less"])[:: 1 if expected == "masculine" else -1]
        if "{name}" not in SENTENCES[row["template"]]:
            assert rewrite(masculine, "feminize") == feminine
    assert set(tables[1]["probability_masculine"]) == {0.5}


def test_genders_are_counted_in_the_documents_by_hand():
    texts = ["the nurse lost her key .", "oliver is a nurse .", "the nurse is my aunt .", "a pilot and a nurse .", "he left ."]
    counted = pairs(0, 1.0, texts).unique("occupation").filter(pl.col("occupation").is_in(["nurse", "pilot"])).sort("occupation")
    assert counted.select("occupation", "masculine", "feminine").rows() == [("nurse", 1, 2), ("pilot", 0, 0)]


# Names are no words of the rewriting table.
@pytest.mark.parametrize("template", [frame for frame in (*SENTENCES, *FILLERS) if "{name}" not in frame])
def test_rewriting_a_sentence_gives_the_worlds_own_sentence_of_the_other_gender(template):
    masculine, feminine = (fill(template, gender, stream(0, "test"), "pilot") for gender in ("masculine", "feminine"))
    assert rewrite(masculine, "swap") == feminine
    assert rewrite(feminine, "swap") == masculine


def test_occupations_are_no_gendered_words():
    assert [o for o in OCCUPATIONS if rewrite(o, "swap") != o] == []
    assert len(set(OCCUPATIONS)) == len(OCCUPATIONS)


def test_contexts_end_before_the_pronoun():
    table = contexts()
    assert set(table["contrast"]) == {"she/he", "her/him", "her/his"}
    row = table.filter(text=f"the {OCCUPATIONS[0]} promised that")
    assert row.select("contrast", "template", "occupation").rows() == [("she/he", 0, OCCUPATIONS[0])]
    assert not table.select("text", "contrast").is_duplicated().any()
