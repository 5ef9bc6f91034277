"""Case study 3 in the authors' released curves: accuracy by layer after true and after false demonstrations.

The released curves have false demonstrations in place of an injection; the row rests on GPT-J and the task `unnatural`, all
demonstrations, calibrated accuracy: the closest published match to what the talk shows. The other curves are its perturbations.
Errors of accuracies that are compared are added, the worst case of their dependence.
"""

import math

import polars as pl

from overtime.claims.evidence import Aggregate, MissingEvidence, Tables
from overtime.claims.layer_answers import upper_layers
from overtime.claims.layers_evidence import LAST_COUPLE, QUARTER

GPT_J, UNNATURAL = "gpt-j-6b", "unnatural"


def released_attacked_final(tables: Tables, *, model: str = GPT_J, task: str = UNNATURAL) -> Aggregate:
    """Released: calibrated accuracy at the last layer after false demonstrations."""
    curve, n = _released(tables, model, task)
    last = curve.row(-1, named=True)
    return Aggregate(f"final accuracy after false demonstrations ({model}, {task})", "inputs", last["mean"], last["error"], n)


def released_early_recovery(tables: Tables, *, model: str = GPT_J, task: str = UNNATURAL, share: int = QUARTER) -> Aggregate:
    """Released: as `early_recovery`, at the best layer; aggregates cannot be split, so it is the reader's best."""
    curve, n = _released(tables, model, task)
    last, early = curve.row(-1, named=True), _best(curve, share)
    above = early["mean"] - (last["mean"] + last["mean_normal"]) / 2
    error = early["error"] + (last["error"] + last["error_normal"]) / 2
    quantity = f"layer-{early['layer']} accuracy after false demonstrations above half-way ({model}, {task})"
    return Aggregate(quantity, "inputs", above, error, n)


def released_early_beyond_chance(tables: Tables, *, model: str = GPT_J, task: str = UNNATURAL, share: int = QUARTER) -> Aggregate:
    """Released: accuracy at the layer of `released_early_recovery`, beyond chance, which is that of the embeddings."""
    curve, n = _released(tables, model, task)
    early, chance = _best(curve, share), curve.row(0, named=True)
    quantity = f"layer-{early['layer']} accuracy after false demonstrations beyond chance ({model}, {task})"
    return Aggregate(quantity, "inputs", early["mean"] - chance["mean"], early["error"], n)


def released_damage_before_end(
    tables: Tables, *, model: str = GPT_J, task: str = UNNATURAL, back: int = LAST_COUPLE
) -> Aggregate:
    """Released: accuracy lost to false demonstrations so many layers before the last."""
    curve, n = _released(tables, model, task)
    if not 0 <= back < len(curve):
        raise MissingEvidence(f"{model} has no layer {back} before the last")
    before = curve.row(-1 - back, named=True)
    lost, error = before["mean_normal"] - before["mean"], before["error"] + before["error_normal"]
    return Aggregate(f"accuracy lost {back} layers before the last ({model}, {task})", "inputs", lost, error, n)


def _best(curve: pl.DataFrame, share: int) -> dict[str, float]:
    """The layer with the highest accuracy after false demonstrations, of the last part of the layers but the last two."""
    candidates = curve.filter(pl.col("layer").is_in(list(upper_layers(curve.row(-1, named=True)["layer"], share))))
    if candidates.is_empty():
        raise MissingEvidence(f"there is no layer in the last 1/{share} of them, but for the last two")
    return candidates.sort("mean", "layer").row(-1, named=True)


def _released(tables: Tables, model: str, task: str) -> tuple[pl.DataFrame, int]:
    """Per layer the share right after false and after true demonstrations, with standard errors, and the number of inputs.

    The published bounds are 1.96 sample standard errors on each side, from which the number of inputs follows.
    """
    columns = ("model", "task", "metric", "prefix", "demonstrations", "layer", "mean", "lower", "upper")
    table = tables.read("released_layers", *columns).filter(model=model, task=task, metric="calibrated")
    if table.is_empty():
        raise MissingEvidence(f"there is no released curve of {model} on the task {task}")
    table = table.filter(pl.col("demonstrations") == pl.col("demonstrations").max())
    table = table.with_columns(((pl.col("upper") - pl.col("lower")) / (2 * 1.96)).alias("error"))
    sides = [table.filter(prefix=name).select("layer", "mean", "error") for name in ("incorrect", "correct")]
    curve = sides[0].join(sides[1], on="layer", suffix="_normal").sort("layer")
    mean, error = curve.row(-1, named=True)["mean"], curve.row(-1, named=True)["error"]
    return curve, math.floor(mean * (1 - mean) / error**2 + 1.5)
