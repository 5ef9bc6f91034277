"""Figure 4: what inserting documents about rare facts does to accuracy on them, and on all others."""

from collections.abc import Mapping

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.figures.counts import CORRECT

PLACEMENTS = {"late": "inserted late in training", "spread": "spread over all of training"}


def fig4(table: pl.DataFrame) -> alt.VConcatChart:
    """Accuracy on inserted facts by number of inserted documents, late against spread, beside the cost to other facts."""
    return sheet(table, "Inserting documents about rare facts", PLACEMENTS)


def fig4_continued(table: pl.DataFrame) -> alt.VConcatChart:
    """The same for facts that a published model lacked, inserted into text that it was trained further on."""
    names = table["placement"].unique(maintain_order=True)
    placements = {name: f"{name}: inserted into real text" for name in names}
    return sheet(table, "Inserting facts that a published model lacks", placements)


def sheet(table: pl.DataFrame, title: str, placements: Mapping[str, str]) -> alt.VConcatChart:
    """A panel for each of the placements that the table has, by name and in words, and one for all other facts."""
    # With few entities a bootstrap interval can leave the range of a share; what is drawn stays inside the panel.
    table = table.with_columns(pl.col("lower", "upper").clip(0, 1))
    targets = table.filter(pl.col("group") == "target")
    width = 500 // len(placements)
    panels = [dose(targets.filter(placement=name), targets, words, width) for name, words in placements.items()]
    chart = theme.beside(*panels, others(table.filter(pl.col("group") == "other")), spacing=100)
    after = targets.filter(pl.col("when") == "after").partition_by("placement", "model", maintain_order=True)
    return theme.finish([chart], title, [effect(rows, placements[rows["placement"][0]]) for rows in after])


def effect(rows: pl.DataFrame, placement: str) -> str:
    """Accuracy at every dose, in words."""
    doses = ", ".join(f"+{x:.0f}: {y:.0%}" for x, y in rows.sort("x").select("x", "y").iter_rows())
    return f"{rows['model'][0]}, {placement}: {doses}."


def dose(rows: pl.DataFrame, everything: pl.DataFrame, placement: str, width: int) -> ChartType | None:
    """Dose and response of one placement, in words: before (hollow, dotted) and after the insertion."""
    if rows.is_empty():
        return None
    ticks = everything["x"].unique().sort().to_list()
    colour = theme.model_colour(everything, alt.Legend(orient="bottom"))
    base = theme.drawing(rows, "model", "when", "x").encode(
        x=alt.X(
            "x:Q",
            title="documents inserted about each fact",
            scale=alt.Scale(type="sqrt"),  # a logarithm has no place for the control group at 0
            axis=alt.Axis(values=ticks, labelExpr="'+' + datum.label"),
        ),
        y=theme.share(CORRECT),
        color=colour,
    )
    after, before = (base.transform_filter(f"datum.when == '{when}'") for when in ("after", "before"))
    layers = [theme.band(after), after.mark_line(), theme.points(after, "model", "when", x="documents", size=40)]
    layers += [before.mark_line(strokeDash=[2, 3]), theme.points(before, "model", "when", x="documents", size=34, hollow=True)]
    title = theme.heading("measured", placement, f"{theme.counted(rows, 'entities per point')}; dotted: before")
    return alt.layer(*layers, width=width, height=280, title=title)


def others(rows: pl.DataFrame) -> ChartType | None:
    """What the insertion does to all other facts: before (hollow) and after (filled), for each model and placement."""
    if rows.is_empty():
        return None
    labelled = rows.with_columns(row=pl.col("model") + ", " + pl.col("placement"))
    base = theme.drawing(labelled, "row", "model", "when").encode(
        x=alt.X("y:Q", title=CORRECT, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)),
        y=alt.Y("row:N", title=None, sort=None, axis=alt.Axis(labelExpr="split(datum.label, ', ')")),
        yOffset=alt.YOffset("when:N", sort=["before", "after"]),
        color=theme.model_colour(rows),
    )
    fill = theme.model_fill(rows, hollow="datum.when == 'before'")
    values = base.mark_text(align="left", dx=8, fontSize=11).encode(x="upper:Q", text=alt.Text("y:Q", format=".0%"))
    title = theme.heading("measured", "all other facts", f"{theme.counted(rows, 'entities')}; hollow: before, filled: after")
    points = theme.points(base, "row", "when", size=44, hollow=True).encode(fill=fill)
    return alt.layer(theme.bars(base), points, values, width=230, height=280, title=title)
