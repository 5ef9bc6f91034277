"""Scoring a continued run on the published tests of gender bias, and the model that it begins with as its step 0."""

from pathlib import Path

import polars as pl

from overtime.bias.score_published import ScoreTables, measures_of, prepare
from overtime.bias.sentence_sets import read_suites
from overtime.models.load import load
from overtime.training.runs import evaluate

LAST_ONLY = "winobias"  # takes four times as long as the others together
BEFORE = {"step": 0, "percent": 0.0, "tokens": 0}  # as in the log of a run


def score_start(
    start: str | Path, revision: str | None, crows_pairs: str | Path, winobias: str | Path, device: str
) -> ScoreTables:
    """The tables of `score_run` for the model in a folder, or a checkpoint `revision` of it, as step 0."""
    model, tokenizer = load(start, revision, device=device)
    tables = prepare(model, tokenizer, gender_suites(crows_pairs, winobias))()
    place = [pl.lit(value).alias(name) for name, value in BEFORE.items()]
    return {name: table.select(*place, pl.all()) if table.height else table for name, table in tables.items()}


def score_run(run: str | Path, crows_pairs: str | Path, winobias: str | Path, device: str) -> ScoreTables:
    """The tables of `prepare` at every checkpoint of a run, of WinoBias at the last, after `step`, `percent` and `tokens`.

    `crows_pairs`, of which the gender pairs are asked, and `winobias` are the folders of these tests; a table is empty where its
    test could not be had.
    """
    model, tokenizer = load(run, device=device)
    suites = gender_suites(crows_pairs, winobias)
    measures = measures_of(model, tokenizer, suites)
    tables = dict.fromkeys(suites, pl.DataFrame())
    for last in (False, True):
        names = [name for name in measures if (name == LAST_ONLY) == last]
        tables |= zip(names, evaluate(model, {str(run): {}}, *(measures[name] for name in names), last_only=last))
    return tables


def gender_suites(crows_pairs: str | Path, winobias: str | Path) -> ScoreTables:
    """The tests from their folders, of CrowS-Pairs the gender pairs."""
    suites = read_suites(crows_pairs, winobias)
    return {name: pairs.filter(bias_type="gender") if "bias_type" in pairs.columns else pairs for name, pairs in suites.items()}
