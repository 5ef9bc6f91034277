"""Scoring published models on the published tests of gender bias: one checkpoint, or a run of them with one model reused."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.bias.pronoun_contexts import pronoun_contexts, pronoun_log_odds
from overtime.bias.winobias_forms import encode_forms
from overtime.models.answers import token_log_probs
from overtime.models.likelihood import encode_pairs, score_encoded
from overtime.models.load import load
from overtime.models.token_batches import Batch
from overtime.models.weights import reload_weights
from overtime.sources.hub import sweep
from overtime.training.runs import Measure

ScoreTables = dict[str, pl.DataFrame]
# What is kept of the pairs beside their likelihoods; the sentences stay in their files.
KEPT_COLUMNS = {
    "crows_pairs": ["pair", "bias_type", "stereo_antistereo", "direction"],
    "winobias": ["pair", "type", "side", "item", "masculine", "feminine"],
    "winobias_forms": ["sentence"],
}


def measures_of(model: PreTrainedModel, tokenizer: Tokenizer, suites: ScoreTables) -> dict[str, Measure]:
    """Tokenise the tests once; a call of one of these measures scores its test with the weights that `model` has then.

    `suites` has `crows_pairs`, `winobias` (`sentence_sets.read_suites`) and, where they are asked for, `winobias_forms`. A
    measure for each that is not empty, the rows of its table with `ll_more` and `ll_less` (natural log; of CrowS-Pairs for whole
    sentences, of WinoBias from where the two of a pair differ), and `pronouns_english`.
    """
    encode: dict[str, Callable[..., list[Batch]]] = {
        "crows_pairs": encode_pairs,
        "winobias": partial(encode_pairs, whole=False),
        "winobias_forms": encode_forms,
    }

    def pairs_measure(name: str, pairs: pl.DataFrame) -> Measure:
        batches = encode[name](model, tokenizer, pairs)

        def score() -> pl.DataFrame:
            more, less = score_encoded(model, batches).reshape(-1, 2).T
            return pairs.select(KEPT_COLUMNS[name]).with_columns(ll_more=more, ll_less=less)

        return score

    measures = {name: pairs_measure(name, pairs) for name, pairs in suites.items() if not pairs.is_empty()}
    pronouns = partial(pronoun_log_odds, pronoun_contexts(), partial(token_log_probs, model, tokenizer))
    return measures | {"pronouns_english": pronouns}


def prepare(model: PreTrainedModel, tokenizer: Tokenizer, suites: ScoreTables) -> Callable[[], ScoreTables]:
    """As `measures_of`; a call of what is returned gives all tables, empty where the suite is."""
    measures = measures_of(model, tokenizer, suites)
    return lambda: dict.fromkeys(suites, pl.DataFrame()) | {name: measure() for name, measure in measures.items()}


def score_checkpoints(
    source: str, steps: list[int], folder: Path, suites: ScoreTables, inference: Mapping[str, Any]
) -> ScoreTables:
    """Score the checkpoints `step{n}` of a model on the Hub; the tables of `prepare` for all of them, after a column `step`.

    `inference` is how `models.load.load` loads them: `dtype`, `device`, `timings`.
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
            model, tokenizer = load(place, **inference)
            score = prepare(model, tokenizer, suites)
        else:
            reload_weights(model, place)
        step = pl.lit(int(revision.removeprefix("step"))).alias("step")
        try:
            scored = score()
        except InputError as error:
            raise InputError(f"{source}, {revision}: {error}") from error
        tables.append({name: table.select(step, pl.all()) for name, table in scored.items()})
    return {name: pl.concat(part[name] for part in tables) for name in tables[0]}
