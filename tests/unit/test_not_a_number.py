"""NaN never becomes a percentage: it is refused in tables that are written or read, in scores, statistics and evidence."""

from pathlib import Path

import polars as pl
import pytest

from overtime import InputError
from overtime.bias.audit_table import audit_table
from overtime.bias.bias_table import pronoun_curve, stereotype_curve
from overtime.bias.pretrained_table import crows_pairs_result, pretrained_table, winobias_result
from overtime.claims.evidence import Tables, by_run
from overtime.claims.verdicts import claims_markdown, judge
from overtime.corpora.text_files import read_user_table
from overtime.facts.counts_table import counts_table
from overtime.facts.insertion_table import insertion_table
from overtime.facts.retrieval_table import retrieval_table
from overtime.files import read_table, require_finite, require_unique, write_table
from overtime.statistics import Interval, auroc_of, bootstrap_mean, spearman_of, wilson
from overtime.tables import interval_columns, interval_rows, read_scores

NAN, INFINITY = float("nan"), float("inf")
CLAIM = """
- id: swap-takes
  at: "-"
  statement: Planted.
  short: Planted
  figure: fig1
  fixed: before
  kind: greater
  expected: greater
  margin: 0.2
  reason: A test.
  evidence: {measured: {by: swap_association}}
"""


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
def test_tables_are_neither_written_nor_read_with_numbers_that_are_none(tmp_path, value):
    spoilt, path = pl.DataFrame({"name": ["a", "b"], "whole": [1, 2], "score": [None, value]}), tmp_path / "m.parquet"
    with pytest.raises(InputError, match=rf"m\.parquet: column score, row 2: {value}, which no measurement can be"):
        write_table(spoilt, path)
    assert not list(tmp_path.iterdir())
    spoilt.write_parquet(path)  # as another program may
    for read in (read_table, lambda path: read_scores(path, ("model",)), lambda path: read_user_table(path, ["name"])):
        with pytest.raises(InputError, match=r"m\.parquet: column score, row 2"):
            read(path)
    write_table(spoilt.head(1), path)  # null is no number
    assert read_table(path)["score"].to_list() == [None]
    require_finite(spoilt.select("name", "whole"), "words and whole numbers")


def test_one_row_for_each_key():
    table = pl.DataFrame({"pair": [1, 2, 1], "seed": [0, 0, 1]})
    require_unique(table, ["pair", "seed"], "scores")
    with pytest.raises(InputError, match="scores: more than one row of pair 1; need one of each"):
        require_unique(table, ["pair"], "scores")


PAIRS = pl.DataFrame({"pair": [0, 1], "direction": ["feminine", "masculine"], "template": [0, 1]})
RUN = {"model": "m", "arm": "baseline", "seed": 0, "step": 1, "percent": 100.0}


def named(table: pl.DataFrame, **columns: object) -> pl.DataFrame:
    return table.with_columns(pl.lit(value).alias(name) for name, value in columns.items())


@pytest.mark.parametrize("more", [(NAN, -1.0), (-1.0, NAN)])
def test_a_pair_that_was_not_scored_prefers_no_sentence(more):
    """NaN is greater than all numbers in polars: it would be stereotyped as `ll_more` and not as `ll_less`."""
    scores = pl.DataFrame({"pair": [0, 1], "ll_more": [-2.0, more[0]], "ll_less": [-3.0, more[1]]})
    with pytest.raises(InputError, match=r"scores of pairs: column ll_\w+, row 2: nan"):
        stereotype_curve(named(scores, **RUN), PAIRS)
    kinds = named(scores, bias_type="gender", direction="feminine")
    with pytest.raises(InputError, match=r"CrowS-Pairs scores: column ll_\w+, row 2: nan"):
        crows_pairs_result(kinds)
    items = scores.with_columns(type=pl.lit(1), item=pl.lit(1), side=pl.Series(["pro", "anti"]))
    with pytest.raises(InputError, match=r"WinoBias scores: column ll_\w+, row 2: nan"):
        winobias_result(items)
    with pytest.raises(InputError, match="WinoBias scores: more than one row of type 1, item 1, side pro"):
        winobias_result(pl.concat([items.with_columns(pl.col("ll_more", "ll_less").fill_nan(-5.0))] * 2))


def test_pronouns_and_the_re_enactment_have_no_nan():
    odds = pl.DataFrame({"context": [0, 1], "contrast": ["she/he"] * 2, "log_odds": [0.5, NAN]})
    with pytest.raises(InputError, match="scores of pronouns: column log_odds, row 2: nan"):
        pronoun_curve(named(odds, **RUN))
    empty = {"crows_pairs": pl.DataFrame(), "winobias": pl.DataFrame(), "pronouns_english": odds}
    with pytest.raises(InputError, match="scores of pronouns: column log_odds, row 2: nan"):
        pretrained_table({"m": empty})
    released = pl.DataFrame(schema={"model": pl.String, "arm": pl.String, "code": pl.String, "step": pl.Int64, "n": pl.Int64})
    columns = ("pct_stereotype", "stderr", "likelihood_difference", "likelihood_difference_stderr")
    released = released.with_columns(pl.lit(None, pl.Float64).alias(name) for name in columns)
    scored = pl.DataFrame({"scoring": ["clean"], "stereotype": [True], "difference": [NAN]})
    with pytest.raises(InputError, match="re-enactment on m: column difference, row 1: nan"):
        audit_table(released, {"m": scored}, pl.DataFrame())


def test_the_same_run_twice_is_refused():
    scores = named(pl.DataFrame({"pair": [0, 1], "ll_more": [-2.0, -1.0], "ll_less": [-3.0, -3.0]}), **RUN)
    with pytest.raises(InputError, match="scores: more than one row of model m, arm baseline, seed 0, step 1, pair 0"):
        stereotype_curve(pl.concat([scores, scores]), PAIRS)
    with pytest.raises(InputError, match="pairs: more than one row of pair 0"):
        stereotype_curve(scores, pl.concat([PAIRS, PAIRS]))
    with pytest.raises(InputError, match="scores at the end of training: more than one row of pair 0, model m"):
        by_run(pl.concat([scores, scores]), ["pair"], "ll_more")


def test_answers_have_no_nan():
    answer = {"set": "s", "corpus": "c", "counted": "d", "model": "m", "condition": "closed_book", "question": 0, "unit": "e"}
    answers = pl.DataFrame(
        [answer | {"correct": NAN, "hit": None, "own": None, "count": 3}], schema_overrides={"hit": pl.Float64}
    )
    for table in (counts_table, retrieval_table):
        with pytest.raises(InputError, match="answers: column correct, row 1: nan"):
            table(answers)
    run = pl.DataFrame({"question": [0], "correct": [NAN], "step": [1], "model": ["m"], "arm": ["insert_late"], "seed": ["0"]})
    questions, targets = pl.DataFrame({"question": [0], "entity": ["e"]}), pl.DataFrame({"entity": ["e"], "inserted": [100]})
    with pytest.raises(InputError, match="answers: column correct, row 1: nan"):
        insertion_table([run.with_columns(arm=pl.lit("baseline"))], [run], questions, targets)


def test_statistics_rank_no_nan():
    for broken in (
        lambda: spearman_of([1, 2, NAN], [1, 2, 3]),
        lambda: spearman_of([1, 2, 3], [1, NAN, 3]),
        lambda: auroc_of([0.1, NAN], [True, False]),
        lambda: wilson(NAN, 3),
    ):
        with pytest.raises(InputError, match=r"NaN|nan"):
            broken()


def test_a_single_unit_has_bounds_of_null():
    alone = interval_columns(bootstrap_mean([0.25]))
    assert alone == {"y": 0.25, "lower": None, "upper": None, "n": 1}
    assert interval_columns(bootstrap_mean([0.25]), "gain") == {"gain": 0.25, "gain_lower": None, "gain_upper": None}
    known = interval_columns(Interval(0.5, 0.4, 0.6, 9))
    table = interval_rows([alone] * 200 + [known])
    assert table.schema["lower"] == pl.Float64
    assert interval_rows([alone]).schema == table.schema


def test_evidence_has_no_nan_and_one_unit_no_interval(tmp_path):
    with pytest.raises(InputError, match="pair_scores: column ll_more, row 1: nan"):
        Tables({"pair_scores": pl.DataFrame({"ll_more": [NAN]})}).read("pair_scores", "ll_more")
    (tmp_path / "layers.csv").write_text("model,mean\nm,NaN\n")
    with pytest.raises(InputError, match="released_layers: column mean, row 1: nan"):
        Tables({"released_layers": tmp_path / "layers.csv"}).read("released_layers", "mean")
    (tmp_path / "claims.yaml").write_text(CLAIM)
    pairs = pl.DataFrame(
        {"pair": [0, 1], "template": 0, "occupation": ["nurse", "smith"], "direction": ["feminine", "masculine"]}
    )
    pairs = pairs.with_columns(masculine=pl.Series([1, 9]), feminine=pl.Series([9, 1]))
    scores = pl.DataFrame({"pair": [0, 1], "ll_more": [-1.0, -3.0], "ll_less": -2.0})
    arms = pl.DataFrame({"arm": ["swap14"], "rewrite": ["feminize"], "share": [0.14], "probability": [1.0]})
    arms = named(arms, label="swap", short_label="swap", model=None)
    both = pl.concat(named(scores, model="m", seed="0", step=1, arm=arm) for arm in ("baseline", "swap14"))
    table, _ = judge(tmp_path / "claims.yaml", {"pair_scores": both, "pairs": pairs, "arms": arms})
    assert table.select("effect", "lower", "upper", "n", "verdict").row(0) == (0.0, None, None, 1, "untested")
    assert "(no interval, 1 templates x 2 occupations)" in table["sentence"][0]
    write_table(table, tmp_path / "claims.parquet")
    assert "| 0.000 |" in claims_markdown(table)


def test_no_released_number_is_nan():
    for path in (Path(__file__).parents[2] / "workflow/overtime/resources/released").glob("*.csv"):
        require_finite(pl.read_csv(path), path.name)
