"""Figure 7 and its companions: the answer of every layer under true and false demonstrations and injection; detection; defence."""

from collections.abc import Iterator

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
    "clean": ("clean prompts", theme.GREEN, [1, 0]),
    "attack": ("attacked prompts", theme.RED, [1, 0]),
}
METRICS = {"calibrated": "calibrated accuracy", "top1": "top-1 accuracy", "plain": "accuracy"}
LENSES = {"tuned": "tuned lens", "logit": "logit lens"}
CHANCE = pl.col("series") == "chance"


def fig7(table: pl.DataFrame) -> alt.VConcatChart:
    """Accuracy by layer: the released model's metrics, one below the other, beside every measured task under each lens.

    Each condition is drawn at its largest number of demonstrations; rows with `series` "chance" give a chance level.
    """
    most = pl.col("demonstrations").max().over("source", "model", "task", "condition")
    curves = table.filter(~CHANCE & (pl.col("demonstrations") == most))
    released = list(split(curves.filter(pl.col("source") == "released"), "metric", METRICS))
    ours = curves.filter(pl.col("source") == "measured")
    ours = ours.filter(
        pl.col("metric") == next((name for name in ("plain", "calibrated") if name in set(ours["metric"])), "top1")
    )
    lenses = list(split(ours, "lens", LENSES))
    width = 860 // (1 + ours["task"].n_unique())
    rows, lines = [], []
    for place in range(max(len(released), len(lenses))):
        groups = [*released[place : place + 1], *(list(split(lenses[place], "task")) if place < len(lenses) else [])]
        rows.append(theme.beside(*[panel(group, table.filter(CHANCE), width) for group in groups], spacing=64))
        lines += [ends(group) for group in groups]
    return theme.finish(rows, "Accuracy by layer under true demonstrations, false demonstrations and injection", lines)


def split(rows: pl.DataFrame, column: str, order: dict[str, str] | None = None) -> Iterator[pl.DataFrame]:
    """The rows of every value of a column, in the given order or in the table's."""
    present = rows[column].drop_nulls().unique(maintain_order=True)
    for value in [name for name in order if name in present] if order else present:
        yield rows.filter(pl.col(column) == value)


def described(rows: pl.DataFrame) -> str:
    """Model, task and lens of a panel."""
    model, task, lens = rows.row(0, named=True)["model"], rows["task"][0], rows["lens"][0]
    return f"{model}, {task}, {LENSES[lens] if lens else 'logit lens'}"


def panel(rows: pl.DataFrame, chance: pl.DataFrame, width: int) -> alt.LayerChart:
    """One model, task, lens and metric."""
    axis = METRICS[rows["metric"][0]]
    styles = {name: (colour, dash) for name, colour, dash in (CONDITIONS[key] for key in list(CONDITIONS)[:5])}
    names = {key: name for key, (name, _, _) in CONDITIONS.items()}
    look = {"symbolType": "stroke", "symbolSize": 900, "columns": 3}
    base = theme.drawing(
        rows.with_columns(condition=pl.col("condition").replace_strict(names)), "condition", "x", "demonstrations"
    ).encode(
        x=alt.X("x:Q", title="layer (0: embeddings)", scale=alt.Scale(nice=False), axis=alt.Axis(tickMinStep=1, tickCount=8)),
        y=theme.share(axis),
        color=theme.choice(alt.Color, "condition", "prompt", {name: colour for name, (colour, _) in styles.items()}, **look),
    )
    dash = theme.choice(alt.StrokeDash, "condition", "prompt", {name: dash for name, (_, dash) in styles.items()}, **look)
    level = chance.filter((pl.col("source") == rows["source"][0]) & (pl.col("task") == rows["task"][0]))["y"].unique()
    lines = theme.references(dict(zip(["chance"], level)))
    detail = [
        f"{METRICS[rows['metric'][0]]}; {theme.counted(rows, 'prompts')}; up to {rows['demonstrations'].max()} demonstrations"
    ]
    title = theme.heading(rows["source"][0], described(rows), detail)
    layers = [
        theme.band(base, axis),
        base.mark_line().encode(strokeDash=dash),
        theme.points(base, "condition", "demonstrations", x="layer", size=12),
        *lines,
    ]
    return alt.layer(*layers, width=width, height=240, title=title)


def ends(rows: pl.DataFrame) -> str:
    """The last layer's accuracy in every condition, and the best layer under false demonstrations and injection."""
    parts = []
    for condition, (name, _, _) in CONDITIONS.items():
        curve = rows.filter(pl.col("condition") == condition).sort("x")
        if not curve.is_empty():
            best = curve.sort("y", descending=True, maintain_order=True).row(0, named=True)
            peak = f" (best {best['y']:.0%}, layer {best['x']:.0f})" if condition in ("false", "injection") else ""
            parts.append(f"{name.removeprefix('few-shot, ').removeprefix('few-shot with ')} {curve['y'][-1]:.0%}{peak}")
    panel_name = f"{theme.EVIDENCE[rows['source'][0]]}, {described(rows)}, {METRICS[rows['metric'][0]]}"
    return f"{panel_name} at the last layer: {'; '.join(parts)}."


def fig7_detect(table: pl.DataFrame) -> alt.VConcatChart:
    """AUROC of every attack detector by task and attack; the shaded line is the entropy of the final layer alone."""
    rows = []
    for attacked in split(table, "condition"):
        rows.append(theme.beside(*[detectors(one) for one in split(attacked, "task")], spacing=190))
    lines = ["1: attacked prompts always score higher than normal ones; 0.5: chance. Dashed: the final layer's entropy alone."]
    return theme.finish(rows, "Detecting attacks from layer trajectories", lines)


def detectors(rows: pl.DataFrame) -> alt.LayerChart:
    """One task and attack."""
    base = theme.drawing(rows, "detector").encode(
        x=alt.X("y:Q", title="AUROC", scale=alt.Scale(domain=[min(0.4, rows["lower"].min()), 1], nice=False)),
        y=alt.Y("detector:N", title=None, sort=None),
        color=alt.when("test(/entropy/, datum.detector)").then(alt.value(theme.GREY)).otherwise(alt.value(theme.BLUE)),
    )
    column = alt.Chart(rows.filter(pl.col("detector").str.contains("entropy")).select("y", "lower", "upper"))
    shade = column.mark_rect(opacity=0.15, color=theme.GREY).encode(x=alt.X("lower:Q", title="AUROC"), x2="upper:Q")
    line = column.mark_rule(color=theme.GREY, strokeDash=[5, 3]).encode(x="y:Q")
    half = alt.Chart(pl.DataFrame({"x": [0.5]})).mark_rule(color=theme.GREY, strokeWidth=1).encode(x="x:Q")
    name = CONDITIONS[rows["condition"][0]][0].removeprefix("few-shot, ").removeprefix("few-shot with ")
    title = theme.heading(
        rows["source"][0], f"{rows['task'][0]}, {name}", f"{theme.counted(rows, 'prompts')}; bars: 95% interval"
    )
    return alt.layer(
        half, shade, line, theme.bars(base), theme.points(base, "detector", size=60), width=280, height=alt.Step(26), title=title
    )


def fig7_defend(table: pl.DataFrame) -> alt.VConcatChart:
    """Accuracy of every answering policy, under attack and on clean prompts."""
    panels = theme.beside(*[policies(rows, table) for rows in split(table, "task")], spacing=190)
    return theme.finish(
        [panels],
        "Answering from an earlier layer as a defence",
        ["The earlier layer is chosen on other prompts than those scored here."],
    )


def policies(rows: pl.DataFrame, table: pl.DataFrame) -> alt.LayerChart:
    """One task."""
    present = [key for key in CONDITIONS if key in set(table["condition"])]
    names = {key: CONDITIONS[key][0] for key in present}
    colours = {CONDITIONS[key][0]: CONDITIONS[key][1] for key in present}
    base = theme.drawing(rows.with_columns(condition=pl.col("condition").replace_strict(names)), "policy", "condition").encode(
        x=alt.X("y:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)),
        y=alt.Y("policy:N", title=None, sort=None),
        yOffset=alt.YOffset("condition:N", sort=list(colours)),
        color=theme.choice(alt.Color, "condition", "prompts", colours, symbolType="circle", symbolSize=90),
    )
    title = theme.heading(rows["source"][0], rows["task"][0], f"{theme.counted(rows, 'prompts')}; bars: 95% interval")
    return alt.layer(
        theme.bars(base), theme.points(base, "policy", "condition", size=60), width=280, height=alt.Step(15), title=title
    )
