"""Figure 7: the answer of every layer under few-shot prompts and attacks, and where attacks take hold."""

from collections.abc import Iterable
from itertools import zip_longest

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme

DARK_RED, LIGHT_RED = "#7E1D16", "#E2857C"
ATTACK_LOOKS = {
    "true": ("few-shot, true demonstrations", theme.GREEN, [1, 0]),
    "false": ("few-shot, false demonstrations", theme.RED, [1, 0]),
    "half": ("few-shot, half of the labels false", LIGHT_RED, [8, 3]),
    "random": ("few-shot, random labels", theme.BROWN, [1, 2]),
    "injection": ("few-shot with injection", DARK_RED, [2, 3]),
    "benign": ("few-shot with benign suffix (control)", theme.AMBER, [6, 3]),
    "named": ("few-shot with label named (control)", theme.BLUE, [6, 3]),
    "zero_shot": ("zero-shot", theme.GREY, [1, 0]),
}
UNIT = "groups of prompts"
METRIC_NAMES = {"calibrated": "calibrated accuracy", "top1": "top-1 accuracy", "plain": "accuracy"}
LENSES = {"tuned": "tuned lens", "logit": "logit lens"}
LINES: theme.Symbols = {"symbolType": "stroke", "symbolSize": 900, "columns": 4}
MARKS = {"opens": "○ the gap to true demonstrations is open", "critical": "▲ half of its final size is reached (critical layer)"}
MARKED = ("false", "injection")  # attacks whose marks are drawn; the table has those of all
LOWEST, NEXT = 0.02, 0.036  # where the lowest mark stands on the axis of accuracy, and the next one above it


def fig7(table: pl.DataFrame) -> alt.VConcatChart:
    """Accuracy by layer: the released model's metrics, one below the other, beside every measured task under each lens.

    Each condition is drawn at its largest number of demonstrations (`kind` "layers"), with the landmarks of attacks (`kind`
    "landmark") at the foot; the last row has the model's own output by number of demonstrations.
    """
    shots = pl.col("demonstrations").fill_null(0)
    most = shots.max().over("source", "model", "task", "condition")
    curves = table.filter(pl.col("kind") == "layers").filter(shots == most)
    released, measured = (curves.filter(pl.col("source") == source) for source in ("released", "measured"))
    metric = next((name for name in ("plain", "calibrated") if name in set(measured["metric"])), "top1")
    columns = [by(released, "metric", METRIC_NAMES), by(measured.filter(pl.col("metric") == metric), "lens", LENSES)]
    grid = [[one for group in row if group is not None for one in panels_of(group)] for row in zip_longest(*columns)]
    width = 860 // max(len(row) for row in grid)
    rows = [theme.beside(*[panel(one, table, width) for one in row], spacing=64) for row in grid]
    counts = table.filter(pl.col("kind") == "demonstrations", pl.col("metric") == metric)
    rows.append(theme.beside(*[by_demonstrations(one, table, width) for one in panels_of(counts)], spacing=64))
    title = "Accuracy by layer under true demonstrations, false demonstrations and injection"
    marks = f"At the foot of a panel, the layer from which {', '.join(MARKS.values())}; bars: 95% interval."
    return theme.finish(rows, title, [*(ends(one) for one in grid[0]), marks])


def by(rows: pl.DataFrame, column: str, order: Iterable[str]) -> list[pl.DataFrame]:
    """The rows of every value of a column that occurs, in the given order."""
    return [rows.filter(pl.col(column) == value) for value in order if value in set(rows[column])]


def panels_of(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of every model and task."""
    return rows.partition_by("model", "task", maintain_order=True)


def panel(rows: pl.DataFrame, table: pl.DataFrame, width: int) -> ChartType:
    """One model, task, lens and metric; the landmarks and the level of chance are looked up in the figure's table."""
    one = rows.select("source", "model", "task", "lens", "metric").row(0, named=True)
    source, model, task, lens, metric = one.values()
    base = theme.drawing(named(rows), "condition", "x", "demonstrations").encode(
        x=layer_axis("x"), y=theme.share(METRIC_NAMES[metric]), color=colours()
    )
    found = table.filter(pl.col("condition").is_in(MARKED), kind="landmark", **one).drop_nulls("y")
    shots = f"up to {theme.highest(rows['demonstrations'])} demonstrations; band: 95% interval"
    title = theme.heading(source, f"{model}, {task}", [f"{LENSES[lens]}; {theme.counted(rows, UNIT)}", shots])
    curves = [*drawn(base, x="layer"), *landmarks(found, METRIC_NAMES[metric])]
    return alt.layer(*curves, *level(table, source, task), width=width, height=240, title=title)


def by_demonstrations(rows: pl.DataFrame, table: pl.DataFrame, width: int) -> ChartType:
    """The last layer of one model and task by number of demonstrations."""
    source, model, task, metric = rows.select("source", "model", "task", "metric").row(0)
    x = alt.X("x:Q", title="demonstrations", scale=alt.Scale(nice=False), axis=alt.Axis(tickMinStep=1, tickCount=8))
    base = theme.drawing(named(rows), "condition", "x").encode(x=x, y=theme.share(METRIC_NAMES[metric]), color=colours())
    title = theme.heading(source, f"{model}, {task}", ["last layer", f"{theme.counted(rows, UNIT)}; band: 95% interval"])
    curves = [*drawn(base, x="demonstrations"), *level(table, source, task)]
    return alt.layer(*curves, width=width, height=180, title=title)


def named(rows: pl.DataFrame) -> pl.DataFrame:
    """Conditions under the names that the legend shows."""
    names = {key: name for key, (name, _, _) in ATTACK_LOOKS.items()}
    return rows.with_columns(condition=pl.col("condition").replace_strict(names))


def colours() -> alt.Color:
    """The colour of every condition."""
    return theme.choice(alt.Color, "condition", "prompt", {name: colour for name, colour, _ in ATTACK_LOOKS.values()}, **LINES)


def dashes() -> alt.StrokeDash:
    """The dash of every condition."""
    return theme.choice(alt.StrokeDash, "condition", "prompt", {name: dash for name, _, dash in ATTACK_LOOKS.values()}, **LINES)


def layer_axis(field: str) -> alt.X:
    """The axis of layers, for whichever column holds one."""
    axis = alt.Axis(tickMinStep=1, tickCount=8)
    return alt.X(f"{field}:Q", title="layer (0: embeddings)", scale=alt.Scale(nice=False), axis=axis)


def drawn(base: alt.Chart, x: str) -> list[alt.Chart]:
    """Bands, lines and points of curves."""
    lines = base.mark_line().encode(strokeDash=dashes())
    return [theme.band(base), lines, theme.points(base, "condition", x=x, size=12)]


def landmarks(rows: pl.DataFrame, metric: str) -> list[alt.Chart]:
    """Where the gap to the clean prompts opens and where it is critical, with intervals, a line for each attack."""
    if rows.is_empty():
        return []
    order = {name: place for place, name in enumerate(reversed(ATTACK_LOOKS))}
    lines = rows.sort(pl.col("condition").replace_strict(order), "landmark").with_row_index("place")
    lines = named(lines).with_columns(place=LOWEST + NEXT * pl.col("place"))

    def chart(part: pl.DataFrame) -> alt.Chart:
        y = alt.Y("place:Q", title=metric)
        return theme.drawing(part, "condition", "place", "landmark").encode(x=layer_axis("y"), y=y, color=colours())

    bars = chart(lines).mark_rule(strokeWidth=1.5).encode(x=layer_axis("lower"), x2=alt.X2("upper:Q"))
    opens, critical = (chart(lines.filter(landmark=landmark)) for landmark in MARKS)
    triangles = theme.points(critical, "condition", "landmark", size=28)
    triangles.mark.shape = "triangle-up"
    return [bars, theme.points(opens, "condition", "landmark", size=28, hollow=True), triangles]


def level(table: pl.DataFrame, source: str, task: str) -> list[alt.Chart]:
    """The line of chance of a task."""
    found = table.filter(kind="chance", source=source, task=task)["y"].unique()
    return theme.references(dict(zip(["chance"], found)))


def ends(rows: pl.DataFrame) -> str:
    """The last layer's accuracy in the conditions of all tasks, and the best layer under false demonstrations and injection."""
    parts = []
    for condition in ("true", *MARKED, "benign", "zero_shot"):
        name = ATTACK_LOOKS[condition][0]
        curve = rows.filter(pl.col("condition") == condition).sort("x")
        if not curve.is_empty():
            best = curve.sort("y", descending=True, maintain_order=True).row(0, named=True)
            peak = f" (layer {best['x']:.0f}: {best['y']:.0%})" if condition in MARKED else ""
            parts.append(f"{short(name)} {curve['y'][-1]:.0%}{peak}")
    source, model, task = rows.select("source", "model", "task").row(0)
    return f"{theme.EVIDENCE_NAMES[source]}, {model}, {task}, last layer: {'; '.join(parts)}."


def short(name: str) -> str:
    """A condition's name without "few-shot"."""
    return name.removeprefix("few-shot, ").removeprefix("few-shot with ")
