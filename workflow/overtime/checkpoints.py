"""Scoring published models on the published tests of gender bias: one checkpoint, or a run of them with one model reused."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError, models
from overtime.hub import sweep
from overtime.manipulation import pronoun_contexts, pronoun_log_odds
from overtime.score import encode_pairs, score_encoded

Scores = dict[str, pl.DataFrame]
# What is kept of the pairs beside their likelihoods; the sentences stay in their files.
KEPT = {"crows_pairs": ["pair", "bias_type", "stereo_antistereo", "direction"], "winobias": ["pair", "type", "side", "item"]}


def prepare(model: PreTrainedModel, tokenizer: Tokenizer, suites: Scores) -> Callable[[], Scores]:
    """Tokenise the tests once; each call of what is returned scores all of them with the weights that `model` has then.

    `suites` is `suites.read_suites`. A call returns a table for each suite, its rows with `ll_more` and `ll_less` (natural log;
    of CrowS-Pairs for whole sentences, of WinoBias for the answer alone), empty where the suite is, and `pronouns_english`.
    """
    encoded = {
        name: encode_pairs(model, tokenizer, pairs, whole=name == "crows_pairs")
        for name, pairs in suites.items()
        if not pairs.is_empty()
    }

    def score() -> Scores:
        tables = dict.fromkeys(suites, pl.DataFrame())
        for name, batches in encoded.items():
            more, less = score_encoded(model, batches).reshape(-1, 2).T
            tables[name] = suites[name].select(KEPT[name]).with_columns(ll_more=more, ll_less=less)
        return tables | {"pronouns_english": pronoun_log_odds(model, tokenizer, pronoun_contexts())}

    return score


def score_checkpoints(source: str, steps: list[int], folder: Path, suites: Scores, dtype: str, device: str) -> Scores:
    """Score the checkpoints `step{n}` of a model on the Hub; the tables of `prepare` for all of them, after a column `step`.

    Weights lie in `folder` only while they are needed: the next ones are fetched while these are in use, and deleted after use.
    Only the first checkpoint builds a model; the others put their weights into it, and any that do not fit are an InputError.
    """
    if missing := [name for name, pairs in suites.items() if pairs.is_empty()]:
        raise InputError(
            f"{source}: no {' and no '.join(missing)} to score; see the logs of fetch_public, delete public and run again"
        )
    score, tables = None, []
    for revision, place in sweep(source, [f"step{step}" for step in steps], folder):
        if score is None:
            model, tokenizer = models.load(place, dtype=dtype, device=device)
            score = prepare(model, tokenizer, suites)
        else:
            models.reload(model, place)
        step = pl.lit(int(revision.removeprefix("step"))).alias("step")
        tables.append({name: table.select(step, pl.all()) for name, table in score().items()})
    return {name: pl.concat(part[name] for part in tables) for name in tables[0]}
