"""Scores of the talk's own models that others published, parsed into tables of numbers.

Belém et al. (2024, ucinlp/unstereo-eval) scored every sentence of WinoBias (development set) and Winogender in its masculine and
its feminine form with all final Pythia checkpoints and GPT-J, and published how words go with "she" and "he" in the Pile, the
corpus of these models. The tables hold no sentence: a `sentence` is named by a hash, so that a run of one's own can be compared
item by item.
"""

import re
from pathlib import Path

import polars as pl

from overtime import InputError
from overtime.files import atomic
from overtime.sources.scored_by_others import sentence_hash

SCORES = re.compile(r"__scores__EleutherAI__(?P<model>[\w.-]+)\.csv$")
MASCULINE = ("he", "him", "his", "himself")
_ROUNDING = 1e-4  # nats; log-probabilities are sums of float32 numbers
DECIMALS = 6


def write_independent_scores(folder: Path, destination: Path) -> None:
    """Write independent_winobias.csv and independent_winogender.csv to `destination`, from the data set's `folder`."""
    associations = read_associations(folder / "data/pmi_file_w_counts.csv")
    tables = {
        "winobias": read_winobias_margins(folder / "results/Winobias"),
        "winogender": read_winogender_margins(folder / "results/Winogender"),
    }
    for name, table in tables.items():
        with atomic(destination / f"independent_{name}.csv") as temporary:
            known = table.join(associations, on="occupation", how="left", maintain_order="left")
            known.select("sentence", "occupation", "pile", pl.exclude("sentence", "occupation", "pile")).write_csv(temporary)


def read_winobias_margins(folder: Path) -> pl.DataFrame:
    """A row for each sentence: `sentence`, `occupation` (what the pronoun stands for), `direction` (the gender that its
    stereotype favours), and a column for each model: log P(feminine form) - log P(masculine form), in nats."""
    sentences, margins = _read_models(folder, ["word", "target_word", "stereotype"])
    masculine = pl.col("target_word").str.to_lowercase().is_in(MASCULINE)
    favoured = pl.when(masculine == pl.col("stereotype")).then(pl.lit("masculine")).otherwise(pl.lit("feminine"))
    return pl.concat([sentences.select("sentence", occupation="word", direction=favoured), margins], how="horizontal")


def read_winogender_margins(folder: Path) -> pl.DataFrame:
    """A row for each sentence whose pronoun stands for the occupation, not for the other person (a customer, a patient).

    Columns are those of `read_winobias_margins` without `direction`.
    """
    sentences, margins = _read_models(folder, ["word", "sentid"])
    table = pl.concat([sentences.select("sentence", "sentid", occupation="word"), margins], how="horizontal")
    return table.filter(pl.col("sentid").str.split(".").list.first() == pl.col("occupation")).drop("sentid")


def read_associations(path: Path) -> pl.DataFrame:
    """Words' association with gender in the Pile: `occupation`, `pile`, PMI(word, she) - PMI(word, he) in nats, of windows."""
    table = _read_csv(path, {"word": pl.String, "pmi_diff": pl.Float64})
    if (twice := table.filter(pl.col("word").is_duplicated())).height:
        raise InputError(f"{path}: the word {twice['word'][0]!r} stands twice")
    return table.select(occupation="word", pile=pl.col("pmi_diff").round(DECIMALS))


def _read_models(folder: Path, columns: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What all models' files say alike of the sentences, with their `sentence` hashes, and a column of margins for each model."""
    files = {found["model"]: path for path in sorted(folder.glob("*.csv")) if (found := SCORES.search(path.name))}
    if not files:
        raise InputError(f"{folder}: no scores of a model of EleutherAI; expected files named ...__scores__EleutherAI__MODEL.csv")
    kinds = {"M_logprob": pl.Float64, "F_logprob": pl.Float64, "FM_logprob": pl.Float64, "M_template": pl.String}
    kinds |= {name: pl.Boolean if name == "stereotype" else pl.String for name in columns}
    first, margins = pl.DataFrame(), {}
    for model, path in files.items():
        table = _read_csv(path, kinds)
        said = table.select(*columns, sentence=pl.col("M_template").map_elements(sentence_hash, return_dtype=pl.String))
        first = said if first.is_empty() else first
        if not said.equals(first):
            raise InputError(f"{path}: other sentences than {next(iter(files.values())).name}, or another order")
        agree = (table["FM_logprob"] - (table["F_logprob"] - table["M_logprob"])).abs() <= _ROUNDING  # not for NaN
        if wrong := (~agree).arg_true().to_list():
            raise InputError(f"{path}: row {wrong[0] + 1}: FM_logprob is not F_logprob - M_logprob")
        margins[model] = table["FM_logprob"].round(DECIMALS)
    return first, pl.DataFrame(margins)


def _read_csv(path: Path, kinds: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The columns of `kinds`, filled in every row; InputError where they are not."""
    try:
        table = pl.read_csv(path, columns=list(kinds), schema_overrides=kinds)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: not a table with the columns {', '.join(kinds)} ({str(error).splitlines()[0]})") from error
    for name in kinds:
        if lacking := table[name].is_null().arg_true().to_list():
            raise InputError(f"{path}: row {lacking[0] + 1} has no {name}")
    return table
