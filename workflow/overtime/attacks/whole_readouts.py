"""Whether a table of readouts is whole, before its rows are taken by their place and its labels by their order."""

import numpy as np
import polars as pl

from overtime import InputError
from overtime.files import require_finite, require_unique


def check_whole(layers: pl.DataFrame, answer: list[str]) -> None:
    """Raise InputError unless every answer has each label once at each layer, and one `truth`, a label that was read.

    `answer` names the columns that tell answers apart. Tables of several models put together have prompt numbers in common, and
    layers or labels that others lack.
    """
    require_finite(layers, "readouts")
    if layers["logit"].null_count():
        raise InputError(f"readouts: {layers['logit'].null_count()} labels without a logit; read these prompts again")
    key = [*answer, "truth", "layer"]
    answers = _answers(layers, key)
    if answers is None:  # or in another order
        answers = _answers(layers.sort(key), key)
    if answers is None or answers.select(answer).is_duplicated().any():
        require_unique(layers, [*answer, "layer", "label"], "readouts")
        raise InputError("readouts: answers differ in their layers, labels or truths; put together tables of one model and task")
    labels = layers["label"].unique().sort()
    strange = answers.filter(~pl.col("truth").is_in(labels.implode()) | pl.col("truth").is_null())
    if strange.height:
        place, known = strange.row(0, named=True), ", ".join(labels)
        raise InputError(f"readouts: the true label of prompt {place['prompt']} is {place['truth']!r}, but {known} were read")


def _answers(layers: pl.DataFrame, key: list[str]) -> pl.DataFrame | None:
    """A row for each answer of a table in which the rows of an answer, and in it those of a layer, stand together; else None."""
    at_layers = _heads(layers, key, "label")
    return None if at_layers is None else _heads(at_layers, key[:-1], "layer")


def _heads(table: pl.DataFrame, key: list[str], inner: str) -> pl.DataFrame | None:
    """The first row of each run of equal keys, if every run has each value of `inner` once."""
    values = table[inner].unique()
    runs = table.select(pl.struct(key).rle().struct.field("len")).to_series()
    if not (runs == len(values)).all():
        return None
    places = table[inner].replace_strict(values, range(len(values)), return_dtype=pl.Int64).to_numpy().reshape(-1, len(values))
    return table.gather_every(len(values)) if (np.sort(places, axis=1) == np.arange(len(values))).all() else None
