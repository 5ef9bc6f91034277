"""Figure 7 and its companions: the answer of every layer under few-shot prompts and attacks; detection; defence."""

from collections.abc import Iterable
from itertools import zip_longest

import altair as alt
import polars as pl

from overtime.figures import theme

DARK_RED = "#7E1D16"
CONDITIONS = {
    "true": ("few-shot, true demonstrations", theme.GREEN, [1, 0]),
    "false": ("few-shot, false demonstrations", theme.RED, [1, 0]),
    "injection": ("few-shot with injection", DARK_RED, [2, 3]),
    "benign": ("few-shot with benign suffix (control)", theme.AMBER, [6, 3]),
    "zero_shot": ("zero-shot", theme.GREY, [1, 0]),
}
METRICS = {"calibrated": "calibrated accuracy", "top1": "top-1 accuracy", "plain": "accuracy"}
LENSES = {"tuned": "tuned lens", "logit": "logit lens"}
LINES = {"symbolType": "stroke", "symbolSize": 900, "columns": 3}
CHANCE = pl.col("series") == "chance"


def fig7(table: pl.DataFrame) -> alt.VConcatChart:
    """Accuracy by layer: the released model's metrics, one below the other, beside every measured task under each lens.

    Each condition is drawn at its largest number of demonstrations; rows with `series` "chance" give a chance level.
    """
    shots = pl.col("demonstrations").fill_null(0)
    most = shots.max().over("source", "model", "task", "condition")
    curves = table.filter(~CHANCE & (shots == most))
    released, measured = (curves.filter(pl.col("source") == source) for source in ("released", "measured"))
    metric = next((name for name in ("plain", "calibrated") if name in set(measured["metric"])), "top1")
    columns = [by(released, "metric", METRICS), by(measured.filter(pl.col("metric") == metric), "lens", LENSES)]
    grid = [[one for group in row if group is not None for one in panels_of(group)] for row in zip_longest(*columns)]
    width = 860 // max(len(row) for row in grid)
    rows = [theme.beside(*[panel(one, table.filter(CHANCE), width) for one in row], spacing=64) for row in grid]
    title = "Accuracy by layer under true demonstrations, false demonstrations and injection"
    return theme.finish(rows, title, [ends(one) for one in grid[0]])


def by(rows: pl.DataFrame, column: str, order: Iterable[str]) -> list[pl.DataFrame]:
    """The rows of every value of a column that occurs, in the given order."""
    return [rows.filter(pl.col(column) == value) for value in order if value in set(rows[column])]


def panels_of(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of every model and task."""
    return rows.partition_by("model", "task", maintain_order=True)


def panel(rows: pl.DataFrame, chance: pl.DataFrame, width: int) -> alt.LayerChart:
    """One model, task, lens and metric."""
    source, model, task, lens, metric = rows.select("source", "model", "task", "lens", "metric").row(0)
    named = rows.with_columns(
        condition=pl.col("condition").replace_strict({key: name for key, (name, _, _) in CONDITIONS.items()})
    )
    base = theme.drawing(named, "condition", "x", "demonstrations").encode(
        x=alt.X("x:Q", title="layer (0: embeddings)", scale=alt.Scale(nice=False), axis=alt.Axis(tickMinStep=1, tickCount=8)),
        y=theme.share(METRICS[metric]),
        color=theme.choice(alt.Color, "condition", "prompt", {name: colour for name, colour, _ in CONDITIONS.values()}, **LINES),
    )
    dash = theme.choice(alt.StrokeDash, "condition", "prompt", {name: dash for name, _, dash in CONDITIONS.values()}, **LINES)
    level = chance.filter((pl.col("source") == source) & (pl.col("task") == task))["y"].unique()
    points = theme.points(base, "condition", "demonstrations", x="layer", size=12)
    layers = [theme.band(base), base.mark_line().encode(strokeDash=dash), points]
    shots = f"up to {rows['demonstrations'].max()} demonstrations; band: 95% interval"
    detail = [f"{LENSES.get(lens, 'logit lens')}; {theme.counted(rows, 'prompts')}", shots]
    title = theme.heading(source, f"{model}, {task}", detail)
    return alt.layer(*layers, *theme.references(dict(zip(["chance"], level))), width=width, height=240, title=title)


def ends(rows: pl.DataFrame) -> str:
    """The last layer's accuracy in every condition, and the best layer under false demonstrations and injection."""
    parts = []
    for condition, (name, _, _) in CONDITIONS.items():
        curve = rows.filter(pl.col("condition") == condition).sort("x")
        if not curve.is_empty():
            best = curve.sort("y", descending=True, maintain_order=True).row(0, named=True)
            peak = f" (layer {best['x']:.0f}: {best['y']:.0%})" if condition in ("false", "injection") else ""
            parts.append(f"{short(name)} {curve['y'][-1]:.0%}{peak}")
    source, model, task = rows.select("source", "model", "task").row(0)
    return f"{theme.EVIDENCE[source]}, {model}, {task}, last layer: {'; '.join(parts)}."


def short(name: str) -> str:
    """A condition's name without "few-shot"."""
    return name.removeprefix("few-shot, ").removeprefix("few-shot with ")


DETECTORS = {
    "isolation_forest": "isolation forest",
    "local_outlier_factor": "local outlier factor",
    "probe": "probe, trained on attacks",
    "margin": "final layer: margin",
    "entropy": "final layer: entropy",
}


def fig7_detect(table: pl.DataFrame) -> alt.VConcatChart:
    """AUROC of every attack detector by task and kind of attack; the shaded line is the entropy of the final layer alone.

    Uses the rows with `measure` "auroc": prompts of the attack `kind` against normal ones.
    """
    scores = table.filter(measure="auroc")
    low = min(0.4, scores["lower"].min())
    kinds = scores.partition_by("kind", maintain_order=True)
    rows = [theme.beside(*[detectors(one, low) for one in panels_of(kind)], spacing=200) for kind in kinds]
    lines = [
        "1: every attacked prompt scores higher than every normal one; 0.5: chance. Dashed: the final layer's entropy alone."
    ]
    return theme.finish(rows, "Detecting attacks from layer trajectories", lines)


def detectors(rows: pl.DataFrame, low: float) -> alt.LayerChart:
    """One model, task and attack, on an axis that starts at `low`."""
    x = alt.X("y:Q", title="AUROC", scale=alt.Scale(domain=[low, 1], nice=False))
    own_colour = alt.when("test(/entropy/, datum.detector)").then(alt.value(theme.GREY)).otherwise(alt.value(theme.BLUE))
    named = rows.with_columns(pl.col("detector").replace(DETECTORS))
    base = theme.drawing(named, "detector").encode(
        x=x, y=alt.Y("detector:N", title=None, sort=list(DETECTORS.values())), color=own_colour
    )
    baseline = theme.drawing(rows.filter(detector="entropy")).encode(x=x)
    shade = theme.bars(baseline).mark_rect(opacity=1, fillOpacity=0.15, color=theme.GREY)
    half = alt.Chart(pl.DataFrame({"y": [0.5]})).mark_rule(color=theme.GREY, strokeWidth=1).encode(x=x)
    line = baseline.mark_rule(color=theme.GREY, strokeDash=[5, 3])
    source, model, task, kind = rows.select("source", "model", "task", "kind").row(0)
    detail = f"{model}; {theme.counted(rows, 'prompts')}; bars: 95% interval"
    title = theme.heading(source, f"{task}, {short(CONDITIONS[kind][0])}", detail)
    layers = [half, shade, line, theme.bars(base), theme.points(base, "detector", size=60)]
    return alt.layer(*layers, width=280, height=alt.Step(26), title=title)


POLICIES = {
    "final": "last layer (no defence)",
    "early_exit": "early exit",
    "majority": "majority of late layers",
    "contrast": "contrast of layers",
}


def fig7_defend(table: pl.DataFrame) -> alt.VConcatChart:
    """Accuracy of every answering policy, under attack and on clean prompts: the rows with `measure` "accuracy"."""
    scores = table.filter(measure="accuracy")
    present = [key for key in CONDITIONS if key in set(scores["condition"])]
    panels = theme.beside(*[policies(rows, present) for rows in panels_of(scores)], spacing=200)
    line = "Every choice, such as the layer to exit from, is made on other prompts than those scored here."
    return theme.finish([panels], "Answering from an earlier layer as a defence", [line])


def policies(rows: pl.DataFrame, present: list[str]) -> alt.LayerChart:
    """One model and task."""
    named = rows.with_columns(
        condition=pl.col("condition").replace_strict({key: CONDITIONS[key][0] for key in present}),
        policy=pl.col("policy").replace(POLICIES),
    )
    colours = {CONDITIONS[key][0]: CONDITIONS[key][1] for key in present}
    base = theme.drawing(named, "policy", "condition").encode(
        x=alt.X("y:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)),
        y=alt.Y("policy:N", title=None, sort=list(POLICIES.values())),
        yOffset=alt.YOffset("condition:N", sort=list(colours)),
        color=theme.choice(alt.Color, "condition", "prompts", colours, symbolType="circle", symbolSize=90, columns=3),
    )
    source, model, task = rows.select("source", "model", "task").row(0)
    title = theme.heading(source, task, f"{model}; {theme.counted(rows, 'prompts')}; bars: 95% interval")
    points = theme.points(base, "policy", "condition", size=60)
    return alt.layer(theme.bars(base), points, width=280, height=alt.Step(15), title=title)
