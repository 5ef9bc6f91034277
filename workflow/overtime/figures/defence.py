"""Companions of figure 7: telling attacks from normal prompts, and answering from earlier layers."""

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.figures.layers import ATTACK_LOOKS, UNIT, panels_of, short

DETECTORS = {
    "isolation_forest": "isolation forest",
    "local_outlier_factor": "local outlier factor",
    "probe": "probe, trained on attacks",
    "probe_benign": "probe, trained on suffixes",
    "margin": "final layer: margin",
    "entropy": "final layer: entropy",
}


WIDEST, ROOM = 280, 620  # pixels: of a panel, and of all panels of a row
AGAINST = {"auroc": "against normal", "auroc_benign": "against benign suffix", "auroc_named": "against the label named"}


def fig7_detect(table: pl.DataFrame) -> alt.VConcatChart:
    """AUROC of every attack detector by task and kind of attack; the shaded line is the entropy of the final layer alone.

    Uses the rows with `measure` "auroc" (prompts of the attack `kind` against normal ones), "auroc_benign" and "auroc_named"
    (against prompts with a harmless suffix).
    """
    scores = table.filter(pl.col("measure").is_in(list(AGAINST))).sort("measure", maintain_order=True)
    low = min(0.4, theme.lowest(scores["lower"]))
    kinds = scores.partition_by("measure", "kind", maintain_order=True)
    grid = [panels_of(kind) for kind in kinds]
    widest = max(map(len, grid))
    rest = [one for row in grid if len(row) < widest for one in row]  # attacks that not every task has
    grid = [row for row in grid if len(row) == widest] + [rest[start : start + widest] for start in range(0, len(rest), widest)]
    width = min(WIDEST, ROOM // widest)
    rows = [theme.beside(*[detectors(one, low, width) for one in row], spacing=200) for row in grid]
    lines = [
        "1: every attacked prompt scores higher than every normal one; 0.5: chance. Dashed: the final layer's entropy alone."
    ]
    return theme.finish(rows, "Detecting attacks from layer trajectories", lines)


def detectors(rows: pl.DataFrame, low: float, width: int) -> ChartType:
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
    source, model, task, kind, measure = rows.select("source", "model", "task", "kind", "measure").row(0)
    detail = f"{model}; {theme.counted(rows, UNIT)}; bars: 95% interval"
    title = theme.heading(source, f"{task}, {short(ATTACK_LOOKS[kind][0])} {AGAINST[measure]}", detail)
    layers = [half, shade, line, theme.bars(base), theme.points(base, "detector", size=60)]
    return alt.layer(*layers, width=width, height=alt.Step(26), title=title)


POLICIES = {
    "final": "last layer (no defence)",
    "early_exit": "early exit",
    "majority": "majority of late layers",
    "contrast": "contrast of layers",
}


def fig7_defend(table: pl.DataFrame) -> alt.VConcatChart:
    """Accuracy of every answering policy, under attack and on clean prompts: the rows with `measure` "accuracy"."""
    scores = table.filter(measure="accuracy")
    shown, tasks = [key for key in ATTACK_LOOKS if key in set(scores["condition"])], panels_of(scores)
    width = min(WIDEST, ROOM // len(tasks))
    panels = theme.beside(*[policies(rows, shown, width) for rows in tasks], spacing=200)
    rows = [panels.resolve_scale(yOffset="independent")] if panels else []  # no room for conditions that only other tasks have
    line = "Every choice, such as the layer to exit from, is made on other prompts, among layers that beat chance on clean ones."
    figure = theme.finish(rows, "Answering from an earlier layer as a defence", [line])
    resolved: alt.VConcatChart = figure.resolve_scale(yOffset="independent")
    return resolved


def policies(rows: pl.DataFrame, shown: list[str], width: int) -> ChartType:
    """One model and task; the legend has the conditions `shown` in any."""
    present = [key for key in ATTACK_LOOKS if key in set(rows["condition"])]
    named = rows.with_columns(
        condition=pl.col("condition").replace_strict({key: ATTACK_LOOKS[key][0] for key in present}),
        policy=pl.col("policy").replace(POLICIES),
    )
    colours = {ATTACK_LOOKS[key][0]: ATTACK_LOOKS[key][1] for key in shown}
    base = theme.drawing(named, "policy", "condition").encode(
        x=alt.X("y:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)),
        y=alt.Y("policy:N", title=None, sort=list(POLICIES.values())),
        yOffset=alt.YOffset("condition:N", sort=[ATTACK_LOOKS[key][0] for key in present]),
        color=theme.choice(alt.Color, "condition", "prompts", colours, symbolType="circle", symbolSize=90, columns=3),
    )
    source, model, task = rows.select("source", "model", "task").row(0)
    title = theme.heading(source, task, f"{model}; {theme.counted(rows, UNIT)}; bars: 95% interval")
    points = theme.points(base, "policy", "condition", size=60)
    return alt.layer(theme.bars(base), points, width=width, height=alt.Step(15), title=title)
