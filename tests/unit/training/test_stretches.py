"""Stretches of a corpus: disjoint, cut by the documents of the original, alike for every text that is made of it."""

import pytest
from tiny_models import words

from overtime import InputError
from overtime.pipeline.settings_continued import Continued, Intervention, all_runs, check_continued
from overtime.pipeline.settings_corpora import Corpus
from overtime.training.stretches import cut_stretches

TEXTS = [f"he saw {'his ' * (n % 5)}dog" for n in range(60)]  # 3 to 7 words, and one end each: 6 tokens in the mean
SHARED = {"model": "m", "parameters": 0.07, "corpus": "c", "context": 8, "batch": 4, "learning_rate": 1e-4, "tokens": 64}
CORPUS = Corpus(
    shards="x.jsonl", rewrite={"two-way": {"mode": "swap", "probability": 0.5}}, insert={"born": {"facts": "f", "share": 1}}
)


@pytest.fixture(scope="module")
def tokenizer():
    found = words(TEXTS)
    found.eos_token = "dog"
    return found


def test_stretches_are_disjoint_and_hold_their_tokens_and_a_sixteenth(tokenizer):
    """Documents of 4, 5, 6, 7 and 8 tokens in turn, 30 in five; 32 tokens and 2 to spare end with the sixth document."""
    table = cut_stretches(iter(TEXTS), tokenizer, 32, 3, "x")
    assert table.rows() == [(0, 0, 6), (1, 6, 12), (2, 12, 18)]
    lengths = [1 + len(text.split()) for text in TEXTS]
    assert [sum(lengths[first:after]) for first, after in table.select("first", "after").rows()] == [34, 35, 36]
    with pytest.raises(InputError) as caught:
        cut_stretches(iter(TEXTS), tokenizer, 100, 4, "config: interventions.real.stretches")
    assert str(caught.value) == (
        "config: interventions.real.stretches: the corpus has 3 disjoint stretches of 100 tokens and a sixteenth to spare, "
        "not 4; ask for fewer or shorter ones, or add text"
    )


def test_an_intervention_stands_for_every_text_on_every_stretch():
    real = Intervention(**SHARED, texts=["original", "two-way"], stretches=2, bias=True, keep=False)
    single = {
        "a": Continued(**SHARED),
        "b": Continued(**SHARED, text="swap", stretch=1),
        "c": Continued(**SHARED | {"tokens": 96}),
    }
    runs, families = all_runs(single, {"real": real})
    assert families == {
        "real": ["real.original.0", "real.two-way.0", "real.original.1", "real.two-way.1"],
        "a": ["a", "b"],
        "c": ["c"],
    }
    assert (runs["real.two-way.1"].text, runs["real.two-way.1"].stretch) == ("two-way", 1)
    assert not runs["real.original.0"].keep
    assert runs["a"].keep
    check_continued({"c": CORPUS}, single, {"real": real})


@pytest.mark.parametrize(
    ("continued", "intervention", "message"),
    [
        ({"stretch": 1, "tokens": None}, {}, "stretch: needs tokens, the length of a stretch"),
        ({"stretch": -1}, {}, "greater than or equal to 0"),
        ({"keep": False}, {}, "keep: false deletes what nothing has scored; add bias: true"),
        ({"text": "born", "stretch": 0}, {}, "continued.r.text: born has documents that the original lacks"),
        ({}, {"texts": ["original", "born"]}, "interventions.real.texts: born has documents that the original lacks"),
        ({}, {"texts": ["swap"]}, "texts: must hold original, the control of the others"),
        ({}, {"texts": ["original", "late"]}, "interventions.real.texts: 'late' is none of original, feminize, .*two-way, born"),
        ({}, {"texts": ["original", "original"]}, "texts: 'original' is listed twice"),
        ({}, {"corpus": "other"}, "interventions.real.corpus: no other in corpora"),
        ({}, {"stretches": 0}, "stretches\n.*greater than 0"),
        ({}, {"tokens": 31}, "tokens: 31 do not fill one step of 4 x 8"),
    ],
)
def test_runs_that_cannot_be_are_refused(continued, intervention, message):
    texts = {"texts": ["original"], "stretches": 2}
    with pytest.raises(ValueError, match=message):
        check_continued(
            {"c": CORPUS},
            {"r": Continued(**SHARED | continued)},
            {"real": Intervention(**SHARED | texts | intervention)},
        )


def test_names_and_sizes_that_contradict_each_other_are_refused():
    from overtime.pipeline.settings_pretrained import Pretrained

    real = Intervention(**SHARED, texts=["original"], stretches=2)
    for name in ("real", "real.original.1"):
        with pytest.raises(ValueError, match=f"continued.{name}: interventions has this name too"):
            check_continued({"c": CORPUS}, {name: Continued(**SHARED)}, {"real": real})
    twice = {name: Continued(**SHARED, bias=True) for name in ("a", "b")}
    with pytest.raises(ValueError, match=r"continued.b: the same as a; a run is scored once"):
        check_continued({"c": CORPUS}, twice)
    known = {"m": Pretrained(hub="a/b", parameters=0.1, studies=[])}
    with pytest.raises(ValueError, match=r"interventions.real.parameters: 0.07, but 0.1 in pretrained; one model has one size"):
        check_continued({"c": CORPUS}, {}, {"real": real}, known)
    with pytest.raises(ValueError, match=r"continued.r.revision: m is one of pretrained, which says its revision"):
        check_continued({"c": CORPUS}, {"r": Continued(**SHARED, revision="step1")}, {}, known)
