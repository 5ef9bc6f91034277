"""Figures 1 and 2: the stereotype measure over training, with and without swapped pronouns."""

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.figures.association import preference_by_size
from overtime.tables import ALWAYS_FEMININE

HALF, THIRD = 410, 268
ARM = ["arm", "rewrite", "share", "probability", "label", "short_label"]  # what an intervention is
PERCENT = "% of training data"
KINDS = {"released": "", "published": "published checkpoints, ", "suite": "the suite, "}
CODE_SHAPES = {"circle": "○", "square": "■", "triangle-up": "▲", "triangle-down": "▼"}


def fig1(table: pl.DataFrame) -> alt.VConcatChart:
    """Two middle sizes (released 410M and 1.4B)."""
    return over_training(table, "Gender stereotype over training: two middle sizes")


def fig2(table: pl.DataFrame) -> alt.VConcatChart:
    """The smallest and the largest size (released 70M and 6.9B)."""
    return over_training(table, "Gender stereotype over training: smallest and largest size")


def over_training(table: pl.DataFrame, title: str) -> alt.VConcatChart:
    """Released and measured curves, all of training beside its end, and the measured end by the direction of the stereotype.

    Published checkpoints, where a run has scored any, come before the suite, and what others scored, which has no steps, before
    both; no two kinds share a panel.
    An always-feminine model scores above one half on the aggregate, so only the two directions together tell whether bias fell.
    """
    lines = table.filter(pl.col("series") == ALWAYS_FEMININE)
    others = table.filter(kind="others")
    curves = with_starts(table.filter(pl.col("series") != ALWAYS_FEMININE, pl.col("kind") != "others"))
    styles = theme.arm_dashes(curves)
    rows = []
    for kind in KINDS:
        mine, references = (table.filter(pl.col("kind") == kind) for table in (curves, lines))
        whole = mine.filter((pl.col("metric") == "stereotype") & (pl.col("direction") == "all"))
        if not whole.is_empty():
            every = references.filter(pl.col("direction") == "all")
            rows.append(theme.beside(*[all_pairs(whole, every, styles, late) for late in (False, True)], spacing=150))
        rows.append(theme.beside(*[one_view(mine, references, styles, view) for view in VIEWS], spacing=76))
        if kind == "released" and not others.is_empty():
            rows.append(preference_by_size(others))
    figure: alt.VConcatChart = theme.finish(rows, title, final_values(curves)).resolve_scale(color="independent")
    return figure


def with_starts(curves: pl.DataFrame) -> pl.DataFrame:
    """Put the baseline point from which an intervention starts at the head of its curve (`start` marks these rows).

    As in the talk's figures this is the baseline's point of the intervention's first step, or the last one before it;
    measured interventions resume from a baseline checkpoint, which always precedes their first step.
    """
    keys = ["source", "model", "direction", "metric"]
    first = curves.filter(pl.col("arm") != "baseline").group_by(*keys, *ARM, maintain_order=True).agg(first=pl.col("step").min())
    before = (pl.col("step") < pl.col("first")) | ((pl.col("step") == pl.col("first")) & (pl.col("source") == "released"))
    baseline = curves.filter(pl.col("arm") == "baseline").drop(ARM).join(first, on=keys, nulls_equal=True).filter(before)
    starts = baseline.sort("step").group_by(*keys, *ARM, maintain_order=True).last()
    marked = pl.concat([starts.select(curves.columns).with_columns(start=True), curves.with_columns(start=False)])
    return marked.sort(*keys, "arm", "x", maintain_order=True)


def final_values(curves: pl.DataFrame) -> list[str]:
    """A line for each model: the value of every arm at its last step, with the code that measured it where one is named."""
    final = curves.filter((pl.col("metric") == "stereotype") & (pl.col("direction") == "all") & ~pl.col("start"))
    lines = []
    for source in ("released", "measured"):
        rows = final.filter(pl.col("source") == source)
        for model in theme.by_parameters(rows):
            arms = rows.filter(pl.col("model") == model).sort("step").group_by("label").last()
            ends = {
                label: f"{y:.1%}{f' (code {code})' if code else ''}"
                for label, y, code in arms.select("label", "y", "code").iter_rows()
            }
            listed = "; ".join(f"{short} {ends[label]}" for label, short in theme.arm_names(rows).items() if label in ends)
            lines.append(f"{theme.EVIDENCE_NAMES[source]}, {model}, last step: {listed}.")
    return lines


def all_pairs(rows: pl.DataFrame, references: pl.DataFrame, styles: dict[str, list[int]], late: bool) -> ChartType:
    """The share over all pairs: the whole of training, or its end from where the first intervention starts."""
    shown = rows.filter(pl.col("x") >= onset(rows)) if late else rows
    base = training_curves(shown, theme.share(theme.LIKELIER, *limits(rows)), late)
    banded = base if late else base.transform_filter("datum.arm == 'baseline'")
    layers = [theme.band(banded), dashed(base, styles), marks(base, shown)]
    layers += [end_names(shown), *theme.references({"50%: no preference": 0.5}, below=True), *always_feminine_lines(references)]
    title = KINDS[rows["kind"][0]] + ("all pairs, end of training" if late else "all pairs")
    return alt.layer(*layers, width=HALF, height=270, title=theme.heading(rows["source"][0], title, detail(shown)))


VIEWS = {
    "feminine": "feminine-favouring pairs",
    "masculine": "masculine-favouring pairs",
    "pronouns": "did the swap take? (0: no preference)",
}


def one_view(rows: pl.DataFrame, lines: pl.DataFrame, styles: dict[str, list[int]], view: str) -> ChartType | None:
    """The end of training of the measured models: pairs of one direction, or the manipulation check on neutral contexts."""
    if view == "pronouns":
        mine, unit, level, axis = rows.filter(pl.col("metric") == "pronouns"), "contexts", 0.0, "log P(fem.) − log P(masc.), nats"
        y, extra = alt.Y("y:Q", title=axis), []
    else:
        chosen = (pl.col("metric") == "stereotype") & (pl.col("direction") == view)
        mine, unit, level, axis = rows.filter(chosen), "pairs", 0.5, theme.LIKELIER
        y = theme.share(axis)
        extra = always_feminine_lines(lines.filter(pl.col("direction") == view), short=True)
    if mine.is_empty():
        return None
    shown = mine.filter(pl.col("x") >= onset(mine))
    base = training_curves(shown, y, late=True)
    parts = [theme.band(base), dashed(base, styles), marks(base, shown), *theme.references({"": level}), *extra]
    title = theme.heading("measured", VIEWS[view], detail(shown, unit))
    return alt.layer(*parts, width=THIRD, height=220, title=title)


def limits(rows: pl.DataFrame) -> tuple[float, float]:
    """The multiples of 5 % around all intervals and one half."""
    return min(int(theme.lowest(rows["lower"]) * 20) / 20, 0.45), -int(-theme.highest(rows["upper"]) * 20 // 1) / 20


def onset(rows: pl.DataFrame) -> float:
    """Percent of training from which the end is drawn: where the earliest intervention starts."""
    starts = rows.filter(pl.col("start"))["x"]
    return 0.0 if starts.is_empty() else theme.lowest(starts)


def training_curves(rows: pl.DataFrame, y: alt.Y, late: bool) -> alt.Chart:
    """The encodings of curves over training: one curve for each model and arm, coloured by model."""
    labelled = rows.rename({"label": "intervention"})
    scale = alt.Scale(domain=[onset(rows) if late else 0, 100], nice=False)
    return theme.drawing(labelled, "model", "arm", "intervention", "x", "code", "start").encode(
        x=alt.X("x:Q", title=PERCENT, scale=scale, axis=alt.Axis(tickCount=6, labelFlush=False)),
        y=y,
        color=theme.model_colour(rows),
        detail="intervention:N",
    )


def dashed(base: alt.Chart, styles: dict[str, list[int]]) -> alt.Chart:
    """The curves themselves, their line style by arm as in the talk."""
    dash = theme.choice(alt.StrokeDash, "intervention", "training data", styles, symbolType="stroke", symbolSize=1200)
    line: alt.Chart = base.mark_line()
    return line.encode(strokeDash=dash)


def marks(base: alt.Chart, rows: pl.DataFrame) -> alt.Chart:
    """The checkpoints; released ones are marked by the evaluation code that measured them."""
    points = theme.points(
        base.transform_filter("!datum.start"), "model", "intervention", "code", x=PERCENT, size=24, hollow=bool(code_shapes(rows))
    )
    shapes = code_shapes(rows)
    if not shapes:
        return points
    shape = alt.Shape("code:N", scale=alt.Scale(domain=list(shapes), range=list(shapes.values())), legend=None)
    return points.encode(shape=shape, fill=theme.model_fill(rows, f"datum.code == '{next(iter(shapes))}'"))


def code_shapes(rows: pl.DataFrame) -> dict[str, str]:
    """The mark of each evaluation code among the rows, the commonest first."""
    if rows["code"].dtype != pl.String:
        return {}
    return dict(zip(commonest(rows["code"])["code"], CODE_SHAPES))


def commonest(codes: pl.Series) -> pl.DataFrame:
    """Every evaluation code and its `count`, the commonest first, equal ones by name."""
    return codes.drop_nulls().value_counts().sort("count", "code", descending=[True, False])


def always_feminine_lines(rows: pl.DataFrame, short: bool = False) -> list[alt.Chart]:
    """The score of a model that always prefers the feminine sentence, with the number of pairs it was computed from."""
    parts = []
    for value, n in rows.select("y", "n").unique(maintain_order=True).iter_rows():
        label = "always feminine" if short else f"always feminine: {value:.1%} ({n:,} pairs)"
        parts += theme.references({label: value}, theme.INK, below=value > 0.9)
    return parts


def end_names(rows: pl.DataFrame) -> alt.Chart:
    """Each model's name at the end of its baseline curve, moved apart where two ends meet."""
    ends = rows.filter(pl.col("arm") == "baseline").sort("x").group_by("model").last().sort("y", "model")
    gap = (theme.highest(rows["upper"]) - theme.lowest(rows["lower"])) / 16
    places: list[float] = []
    for y in ends["y"]:
        places.append(max(y, places[-1] + gap) if places else y)
    named = alt.Chart(ends.select("x", "model").with_columns(y=pl.Series(places))).encode(x="x:Q", y="y:Q", text="model:N")
    text: alt.Chart = named.mark_text(align="left", dx=7, fontSize=12, fontWeight="bold")
    return text.encode(color=theme.model_colour(rows))


def detail(rows: pl.DataFrame, unit: str = "pairs") -> str:
    """What a panel's points are: n, seeds, evaluation codes and the meaning of the band."""
    seeds = rows["seeds"].drop_nulls()
    runs = ""
    if not seeds.is_empty():
        fewest, most = theme.lowest(seeds), theme.highest(seeds)
        runs = f", {most if fewest == most else f'{fewest} to {most}'} seed{'s' if most > 1 else ''}"
    codes = ", ".join(f"{CODE_SHAPES[shape]} {code}" for code, shape in code_shapes(rows).items())
    return f"{theme.counted(rows, unit)}{runs}{'; evaluation code ' if codes else ''}{codes}; band: 95% interval"
