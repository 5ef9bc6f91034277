"""Case study 1 on models that are trained further: the measures over the tokens read, and how the texts differ at the end."""

from itertools import cycle

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.tables import ALWAYS_FEMININE

THIRD = 268
COLOURS = [theme.INK, theme.RED, theme.BLUE, theme.GREEN, theme.AMBER, theme.BROWN]  # of the original text and the others
CONTROL = "original, another stretch"  # nothing is rewritten
DIRECTIONS = {"all": "all pairs", "feminine": "feminine-favouring pairs", "masculine": "masculine-favouring pairs"}
NATS = "log P(fem.) − log P(masc.), nats"


def fig1_continued(table: pl.DataFrame) -> alt.VConcatChart:
    """For each family of runs a row of stereotype shares, and one of pronouns and of differences at the end."""
    lines = table.filter(series=ALWAYS_FEMININE)
    rows: list[ChartType | None] = []
    for family in theme.by_parameters(table):
        mine = table.filter(model=family)
        curves, ends = (mine.filter(kind=kind) for kind in ("curve", "difference"))
        styles = dict(zip(theme.arm_names(curves), cycle(COLOURS)))
        rows.append(theme.beside(*[shares(curves, lines, styles, side) for side in DIRECTIONS], spacing=70))
        rows.append(theme.beside(pronouns(curves, styles), differences(ends), shift(ends), spacing=70))
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


def shares(curves: pl.DataFrame, lines: pl.DataFrame, styles: dict[str, str], side: str) -> ChartType | None:
    """The share of stereotyped sentences preferred, over tokens, of all pairs or those of one direction."""
    rows = curves.filter(metric="stereotype", direction=side)
    if rows.is_empty():
        return None
    inside = lines.filter(pl.col("y").is_between(0.01, 0.99), direction=side)
    levels = {"": 0.5} | dict(inside.select("series", "y").iter_rows())
    return over_tokens(rows, theme.share(theme.LIKELIER), styles, levels, f"{rows['model'][0]}, {DIRECTIONS[side]}")


def pronouns(curves: pl.DataFrame, styles: dict[str, str]) -> ChartType:
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
        *theme.references(levels, below=True),
        width=THIRD,
        height=230,
        title=theme.heading("measured", title, f"{theme.counted(rows, unit)}; {stretches(rows)}; band: 95% interval"),
    )


def stretches(rows: pl.DataFrame) -> str:
    """How many stretches of text stand behind the points."""
    return f"{theme.extent(rows['seeds'])} stretch{'es' * (theme.highest(rows['seeds']) > 1)}"


def differences(ends: pl.DataFrame) -> ChartType | None:
    """Differences of the share at the end, by direction, beside those between stretches of the original."""
    named = pl.format("{}: {}", pl.col("direction").replace(DIRECTIONS), "short_label")
    rows = ends.filter(metric="stereotype").with_columns(row=named)
    x = alt.X("y:Q", title="share, text minus original", axis=alt.Axis(format="+.0%", tickCount=5))
    return dots(rows, x, "at the end", "pairs")


def shift(ends: pl.DataFrame) -> ChartType | None:
    """The same of the log-odds of pronouns."""
    x = alt.X("y:Q", title="log-odds, text minus original, nats", axis=alt.Axis(tickCount=5))
    return dots(ends.filter(metric="pronouns").with_columns(row="short_label"), x, "pronouns at the end", "contexts")


def dots(rows: pl.DataFrame, x: alt.X, title: str, unit: str) -> ChartType | None:
    """A dot with its interval for every row, and a line at no difference; hollow where no text was rewritten."""
    if rows.is_empty():
        return None
    base = theme.drawing(rows.with_columns(control=pl.col("label") == CONTROL), "row", "control").encode(
        x=x, y=alt.Y("row:N", title=None, sort=None), color=alt.value(theme.BLUE)
    )
    zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=theme.GREY, strokeDash=[3, 3]).encode(x="x:Q")
    fill = alt.when("datum.control").then(alt.value("white")).otherwise(alt.value(theme.BLUE))
    points = theme.points(base, "row", size=60, hollow=True).encode(fill=fill)
    detail = f"{theme.counted(rows, unit)}; {stretches(rows)}; hollow: nothing rewritten"
    heading = theme.heading("measured", title, detail)
    return alt.layer(zero, theme.bars(base), points, width=THIRD, height=alt.Step(24), title=heading)
