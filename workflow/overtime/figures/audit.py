"""The audit of figures 1 and 2: the released checkpoints by evaluation code, and a re-enactment of the one-position shift."""

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.figures.audit_texts import rewritten_texts
from overtime.figures.bias import commonest

AUDIT_WIDTH = 430
MEASURES = {"likelihood_difference": "mean |Δ log-likelihood|, nats", "stereotype": theme.LIKELIER}
CODE_COLOURS = [theme.BLUE, theme.AMBER, theme.BROWN, theme.INK]
SHAPES = ["circle", "square", "triangle-up", "triangle-down"]
SCORING = {"clean": theme.INK, "shifted": theme.RED}


def fig1_audit(table: pl.DataFrame) -> alt.VConcatChart:
    """Both released measures by evaluation code, late means within one; both scorings of models at hand; rewritten texts."""
    released, again = (table.filter(pl.col("source") == source) for source in ("released", "measured"))
    codes = commonest(released["code"])["code"].to_list()
    mixed = theme.by_parameters(
        released.group_by("model", "parameters").agg(pl.col("code").n_unique()).filter(pl.col("code") > 1)
    )
    rows = []
    for measure in MEASURES:
        chosen = released.filter(pl.col("measure") == measure)
        rows.append(theme.beside(*[audit_curves(chosen.filter(pl.col("model") == model), measure, codes) for model in mixed]))
    late = late_means(released.filter(pl.col("measure") == "stereotype"))
    rows.append(theme.beside(*[within_code(late.filter(pl.col("model") == model), codes) for model in mixed], spacing=210))
    rows.append(theme.beside(*[reenacted(again, released, measure, codes) for measure in MEASURES], spacing=210))
    rows.append(rewritten_texts(again))
    title = "The released curves by evaluation code"
    lines = composition(released)
    return theme.finish(rows, title, lines)


def composition(released: pl.DataFrame) -> list[str]:
    """How many points of each curve come from each code."""
    points = released.filter(pl.col("measure") == "stereotype")
    lines = []
    for model in theme.by_parameters(points):
        parts = []
        for label, short in theme.arm_names(points).items():
            codes = commonest(points.filter(model=model, label=label)["code"])
            if not codes.is_empty():
                parts.append(f"{short} " + " + ".join(f"{count} × {code}" for code, count in codes.iter_rows()))
        lines.append(f"{model}, points by code: {'; '.join(parts)}.")
    return lines


def code_colour(codes: list[str]) -> alt.Color:
    """The colour of each evaluation code."""
    styles = dict(zip(codes, CODE_COLOURS))
    return theme.choice(alt.Color, "code", "evaluation code (git commit)", styles, symbolSize=90, symbolType="circle")


def audit_curves(rows: pl.DataFrame, measure: str, codes: list[str]) -> ChartType:
    """One measure of all released checkpoints of a model, the arms joined by thin lines."""
    log = measure == "likelihood_difference"
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False)
    y = alt.Y("y:Q", title=MEASURES[measure], scale=scale, axis=alt.Axis(format="~g" if log else ".0%", tickCount=5))
    base = theme.drawing(rows.rename({"label": "intervention"}), "intervention", "code", "x").encode(
        x=alt.X("x:Q", title="% of training data", scale=alt.Scale(domain=[0, 100])), y=y
    )
    arms = theme.arm_dashes(rows)
    dash = alt.StrokeDash("intervention:N", scale=alt.Scale(domain=list(arms), range=list(arms.values())), legend=None)
    joined = base.mark_line(strokeWidth=1, color=theme.GREY).encode(strokeDash=dash)
    shape = alt.Shape("code:N", scale=alt.Scale(domain=codes, range=SHAPES[: len(codes)]), legend=None)
    points = theme.points(base, "intervention", "code", x="% of training data").encode(color=code_colour(codes), shape=shape)
    title = theme.heading("released", rows["model"][0], theme.counted(rows, "pairs"))
    return alt.layer(joined, points, width=AUDIT_WIDTH, height=170, title=title)


def late_means(points: pl.DataFrame) -> pl.DataFrame:
    """Mean, least and greatest value over the checkpoints since the longest intervention began, by model, arm and code.

    The checkpoints share their pairs, so their range is no confidence interval; `n` counts checkpoints.
    """
    first = points.filter(pl.col("arm") != "baseline")["step"].min()
    onset = points.filter((pl.col("arm") == "baseline") & (pl.col("step") <= first))["step"].max()
    late = points.filter(pl.col("step") >= onset)
    statistics = [pl.col("y").min().alias("lower"), pl.col("y").max().alias("upper"), pl.len().alias("n")]
    arm = ("arm", "rewrite", "share", "label", "short_label")
    return late.group_by("model", *arm, "code", maintain_order=True).agg(pl.col("y").mean(), *statistics)


def within_code(means: pl.DataFrame, codes: list[str]) -> ChartType | None:
    """Late baseline and interventions of one model, one row for each arm and code."""
    if means.is_empty():
        return None
    order = [f"{short}, {code}" for code in codes for short in theme.arm_names(means).values()]
    labelled = means.with_columns(
        row=pl.format("{}, {}", "short_label", "code"), label=pl.format("{}% ({})", (pl.col("y") * 100).round(1), "n")
    )
    base = theme.drawing(labelled, "row", "code", "label").encode(
        x=alt.X("y:Q", title=MEASURES["stereotype"], scale=alt.Scale(zero=False), axis=alt.Axis(format=".0%")),
        y=alt.Y("row:N", title=None, sort=order),
        color=code_colour(codes),
    )
    counts = base.mark_text(align="left", dx=6, fontSize=11).encode(x="upper:Q", text="label:N")
    title = theme.heading(
        "released",
        f"{means['model'][0]}, late checkpoints",
        "dot: mean, bar: range over (n) checkpoints; no interval, the pairs are the same",
    )
    return alt.layer(
        theme.bars(base), theme.points(base, "row", size=60), counts, width=AUDIT_WIDTH - 120, height=alt.Step(24), title=title
    )


def reenacted(again: pl.DataFrame, released: pl.DataFrame, measure: str, codes: list[str]) -> ChartType | None:
    """One measure scored cleanly and with the shift, next to the released baselines' mean level by code."""
    rows = again.filter(pl.col("measure") == measure)
    if rows.is_empty():
        return None
    log = measure == "likelihood_difference"
    scale = alt.Scale(type="log", nice=True) if log else alt.Scale(zero=False)
    base = theme.drawing(rows.with_columns(row=pl.col("model") + ", " + pl.col("scoring")), "row", "scoring").encode(
        x=alt.X("y:Q", title=MEASURES[measure], scale=scale, axis=alt.Axis(format="~g" if log else ".0%", tickCount=5)),
        y=alt.Y("row:N", title=None, sort=None),
        color=alt.Color("scoring:N", scale=alt.Scale(domain=list(SCORING), range=list(SCORING.values())), legend=None),
    )
    baseline = released.filter((pl.col("measure") == measure) & (pl.col("arm") == "baseline"))
    levels = alt.Chart(baseline.group_by("code", maintain_order=True).agg(pl.col("y").mean())).encode(
        x="y:Q", color=alt.Color("code:N", scale=code_colour(codes)["scale"], legend=None)
    )
    title = theme.heading(
        "measured", "clean and shifted scoring", f"{theme.counted(rows, 'pairs')}; dashed: released baselines' mean by code"
    )
    layers = [levels.mark_rule(strokeDash=[5, 3], strokeWidth=2), theme.bars(base), theme.points(base, "row", size=60)]
    resolve = alt.Resolve(scale=alt.LegendResolveMap(color="independent"))
    return alt.layer(*layers, width=AUDIT_WIDTH - 120, height=alt.Step(26), title=title, resolve=resolve)
