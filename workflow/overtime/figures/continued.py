"""Case study 1 on models that are trained further: the measures over the tokens read, and how the texts differ at the end."""

from itertools import cycle

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.tables import ALWAYS_FEMININE

THIRD = 268
COLOURS = [theme.INK, theme.RED, theme.BLUE, theme.GREEN, theme.AMBER, theme.BROWN]  # of the original text and the others
UNTOUCHED = "original, another stretch"  # nothing is rewritten
SIDE_NAMES = {"all": "all pairs", "feminine": "feminine-favouring pairs", "masculine": "masculine-favouring pairs"}
NATS = "log P(fem.) − log P(masc.), nats"


def fig1_continued(table: pl.DataFrame) -> alt.VConcatChart:
    """For each family of runs: stereotype shares over tokens, their differences at the end, and both of pronouns."""
    lines = table.filter(series=ALWAYS_FEMININE)
    rows: list[ChartType | None] = []
    for family in theme.by_parameters(table):
        mine = table.filter(model=family)
        curves, ends = (mine.filter(kind=kind) for kind in ("curve", "difference"))
        styles = dict(zip(theme.arm_names(curves), cycle(COLOURS)))
        rows.append(theme.beside(*[share_curves(curves, lines, styles, side) for side in SIDE_NAMES], spacing=70))
        rows.append(theme.beside(*[share_differences(ends, side) for side in SIDE_NAMES], spacing=70))
        rows.append(theme.beside(pronoun_curves(curves, styles), pronoun_differences(ends), spacing=70))
    return theme.finish(rows, "Gender stereotype of a real model that is trained further", ends_in_words(table))


def ends_in_words(table: pl.DataFrame) -> list[str]:
    """A line for each family: the share over all pairs before training and after every text."""
    told = []
    for family in theme.by_parameters(table):
        rows = table.filter(model=family, kind="curve", metric="stereotype", direction="all").sort("x")
        if rows.height:
            last = {row["label"]: row["y"] for row in rows.iter_rows(named=True)}
            listed = "; ".join(f"{label} {last[label]:.1%}" for label in theme.arm_names(rows))
            told.append(f"Measured, {family}: before {rows['y'][0]:.1%}; after {rows['x'][-1]:,.0f} tokens: {listed}.")
    return told


def share_curves(curves: pl.DataFrame, lines: pl.DataFrame, styles: dict[str, str], side: str) -> ChartType | None:
    """The share of stereotyped sentences preferred, over tokens, of all pairs or those of one direction."""
    rows = curves.filter(metric="stereotype", direction=side)
    if rows.is_empty():
        return None
    inside = lines.filter(pl.col("y").is_between(0.01, 0.99), direction=side)
    levels = {"": 0.5} | dict(inside.select("series", "y").iter_rows())
    bounds = curves.filter(metric="stereotype").select(low=pl.min_horizontal("lower", "y"), high=pl.max_horizontal("upper", "y"))
    low, high = theme.lowest(bounds["low"]), theme.highest(bounds["high"])
    y = theme.share(theme.LIKELIER, min(int(low * 10) / 10, 0.4), max(-int(-high * 10 // 1) / 10, 0.6))
    return over_tokens(rows, y, styles, levels, f"{rows['model'][0]}, {SIDE_NAMES[side]}")


def pronoun_curves(curves: pl.DataFrame, styles: dict[str, str]) -> ChartType:
    """The manipulation check over tokens."""
    rows = curves.filter(metric="pronouns")
    return over_tokens(rows, alt.Y("y:Q", title=NATS), styles, {"": 0.0}, f"{rows['model'][0]}, pronouns", "contexts")


def over_tokens(
    rows: pl.DataFrame, y: alt.Y, styles: dict[str, str], levels: dict[str, float], title: str, unit: str = "pairs"
) -> ChartType:
    """Curves that all begin at the model before training; bands over items and stretches."""
    colour = theme.choice(alt.Color, "label", "trained further on", styles, symbolType="stroke")
    x = alt.X("x:Q", title="tokens of further training", axis=alt.Axis(tickCount=5, format="~s"))
    base = theme.drawing(rows, "label", "x").encode(x=x, y=y, color=colour)
    return alt.layer(
        theme.band(base),
        base.mark_line(),
        theme.points(base, "label", x="tokens", size=24),
        *theme.references(levels),
        width=THIRD,
        height=230,
        title=theme.heading("measured", title, f"{theme.counted(rows, unit)}; {counted_stretches(rows)}; band: 95% interval"),
    )


def counted_stretches(rows: pl.DataFrame) -> str:
    """How many stretches of text stand behind the points."""
    return f"{theme.extent(rows['seeds'])} stretch{'es' * (theme.highest(rows['seeds']) > 1)}"


def share_differences(ends: pl.DataFrame, side: str) -> ChartType | None:
    """Differences of the share at the end in one panel, beside those between stretches of the original."""
    rows = ends.filter(metric="stereotype")
    reach = max(theme.highest(rows["upper"].fill_null(0)), -theme.lowest(rows["lower"].fill_null(0)), 0.1) if len(rows) else 1.0
    scale = alt.Scale(domain=[-reach, reach])
    x = alt.X("y:Q", title="share, text minus original", scale=scale, axis=alt.Axis(format="+.0%", tickCount=5))
    return end_dots(rows.filter(direction=side), x, f"{SIDE_NAMES[side]}, at the end", "pairs")


def pronoun_differences(ends: pl.DataFrame) -> ChartType | None:
    """The same of the log-odds of pronouns."""
    x = alt.X("y:Q", title="log-odds, text minus original, nats", axis=alt.Axis(tickCount=5))
    return end_dots(ends.filter(metric="pronouns"), x, "pronouns, at the end", "contexts")


def end_dots(rows: pl.DataFrame, x: alt.X, title: str, unit: str) -> ChartType | None:
    """A dot with its interval for every row, and a line at no difference; hollow (A/A) where no text was rewritten."""
    if rows.is_empty():
        return None
    base = theme.drawing(rows.with_columns(control=pl.col("label") == UNTOUCHED), "short_label", "control").encode(
        x=x, y=alt.Y("short_label:N", title=None, sort=None), color=alt.value(theme.BLUE)
    )
    zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=theme.GREY, strokeDash=[3, 3]).encode(x="x:Q")
    fill = alt.when("datum.control").then(alt.value("white")).otherwise(alt.value(theme.BLUE))
    points = theme.points(base, "short_label", size=60, hollow=True).encode(fill=fill)
    detail = f"{theme.counted(rows, unit)}; {counted_stretches(rows)}"
    heading = theme.heading("measured", title, detail)
    return alt.layer(zero, theme.bars(base), points, width=THIRD, height=alt.Step(24), title=heading)
