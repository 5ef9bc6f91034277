"""Case study 3, layer by layer: what an attack changes at the end, and what of it is there before."""

import polars as pl

from overtime.claims.evidence import SHARE, Sample, Tables
from overtime.claims.layer_answers import (
    AT_END,
    ATTACK,
    CONTROL,
    NORMAL,
    answers_by_layer,
    attacked_tasks,
    compared,
    prompt_sample,
    upper_layers,
)
from overtime.tables import ABOVE_CHANCE

LAST_COUPLE = 2  # "the last couple of layers"
QUARTER = 4


def attack_changes(tables: Tables, *, wording: int | None = None, without: str | None = None) -> Sample:
    """Measured: share of answers that differ from the clean one, under the injection minus under a harmless suffix; all tasks."""
    answers = answers_by_layer(tables, None, wording, without)
    wide = compared(answers, clean=(NORMAL, AT_END), attacked=(ATTACK, AT_END), harmless=(CONTROL, AT_END))
    unlike = [(pl.col(f"{name}_said") != pl.col("clean_said")).cast(pl.Float64) for name in ("attacked", "harmless")]
    return prompt_sample(
        "answers changed by the injection beyond a harmless suffix", wide.with_columns(value=unlike[0] - unlike[1])
    )


def attacked_final(tables: Tables, *, wording: int | None = None, without: str | None = None) -> Sample:
    """Measured: accuracy of the model's own output under the injection, on tasks where it works."""
    answers, note = attacked_tasks(answers_by_layer(tables, None, wording, without))
    wide = compared(answers, attacked=(ATTACK, AT_END)).with_columns(value="attacked")
    return prompt_sample("final accuracy under injection", wide, note, SHARE)


def damage_before_end(
    tables: Tables, *, back: int = LAST_COUPLE, lens: str | None = None, wording: int | None = None, without: str | None = None
) -> Sample:
    """Measured: accuracy lost to the injection, beyond a harmless suffix, so many layers before the last one."""
    layer = pl.col("layer") == pl.col("depth") - back
    answers, note = attacked_tasks(answers_by_layer(tables, lens, wording, without), layer)
    wide = compared(answers, harmless=(CONTROL, layer), attacked=(ATTACK, layer))
    quantity = f"accuracy lost {back} layers before the last, beyond a harmless suffix"
    return prompt_sample(quantity, wide.with_columns(value=pl.col("harmless") - pl.col("attacked")), note)


def early_recovery(
    tables: Tables, *, share: int = QUARTER, lens: str | None = None, wording: int | None = None, without: str | None = None
) -> Sample:
    """Measured: accuracy under attack at the best layer shortly before the end, above the midpoint of final clean and attacked.

    Positive if that layer keeps more than half of what the attack takes from the output; see `_at_best_layer`.
    """
    wide, note = _at_best_layer(tables, share, lens, wording, without)
    above = wide.with_columns(value=pl.col("early") - (pl.col("attacked") + pl.col("clean")) / 2)
    return prompt_sample("early-layer accuracy under injection above half-way", above, note)


def early_beyond_chance(
    tables: Tables, *, share: int = QUARTER, lens: str | None = None, wording: int | None = None, without: str | None = None
) -> Sample:
    """Measured: accuracy under attack at the layer of `early_recovery`, beyond chance."""
    wide, note = _at_best_layer(tables, share, lens, wording, without)
    above = wide.with_columns(value=pl.col("early") - 1 / pl.col("labels"))
    return prompt_sample("early-layer accuracy under injection beyond chance", above, note)


def _at_best_layer(
    tables: Tables, share: int, lens: str | None, wording: int | None, without: str | None
) -> tuple[pl.DataFrame, str]:
    """Accuracy at the end, and under attack at the best of the last part of the layers that knows the task on clean prompts.

    Layers are chosen on the rotation groups with even numbers for those with odd ones and the other way round, so a layer is
    never chosen on the prompts that it is scored on. A task with no layer to choose, or whose chosen layers do not know it on the
    prompts that they are scored on, is left out.
    """
    answers = answers_by_layer(tables, lens, wording, without).with_columns(half=pl.col("group") % 2)
    depths = dict(answers.select("model", "depth").unique().iter_rows())
    candidates = [(model, layer) for model, depth in depths.items() for layer in upper_layers(depth, share)]
    chosen_among = pl.DataFrame(candidates, {name: answers.schema[name] for name in ("model", "layer")}, orient="row")
    upper = answers.join(chosen_among, on=["model", "layer"])
    cell = ["model", "task", "half", "layer"]
    clean, attacked = (
        upper.filter(condition=condition).group_by(cell).agg(pl.mean("right").alias(condition), pl.first("labels"))
        for condition in (NORMAL, ATTACK)
    )
    known = clean.filter(pl.col(NORMAL) > 1 / pl.col("labels") + ABOVE_CHANCE).join(attacked, on=cell)
    best = known.sort(ATTACK, "layer").group_by("model", "task", "half").agg(pl.last("layer").alias("chosen"))
    exits = answers.join(best.with_columns(half=1 - pl.col("half")), on=["model", "task", "half"], how="left")
    lacking = pl.col("chosen").is_null().any().over("task")
    exits = exits.with_columns(chosen=pl.when(~lacking).then("chosen"))
    chosen, note = attacked_tasks(exits, pl.col("layer") == pl.col("chosen"))
    parts = {"early": (ATTACK, pl.col("layer") == pl.col("chosen")), "attacked": (ATTACK, AT_END), "clean": (NORMAL, AT_END)}
    return compared(chosen, **parts), note
