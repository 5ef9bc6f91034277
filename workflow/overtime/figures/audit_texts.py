"""The last row of the audit figure: what ways of rewriting do to the gendered words of texts at hand, a panel for each text."""

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme

WIDTH, STEP = 262, 26
SHARES = ("touched", "masculine_words", "masculine_pronouns")
LEGEND = ["bar: documents touched", "masculine: ● words, ○ pronouns"]


def rewritten_texts(table: pl.DataFrame) -> ChartType | None:
    """The panels of all texts beside each other, in the order of the table; the ways are named at the first."""
    rows = table.filter(pl.col("measure").is_in(SHARES))
    texts = rows["text"].unique(maintain_order=True).to_list()
    return theme.beside(*[of_text(rows.filter(text=text), named=text == texts[0]) for text in texts], spacing=44)


def of_text(rows: pl.DataFrame, named: bool) -> ChartType:
    """One text: a bar for the documents that a way touches, dots for the words and pronouns that are masculine after it."""
    scale = alt.Scale(domain=[-0.02, 1.02], nice=False)
    axis = alt.Undefined if named else alt.Axis(labels=False, ticks=False)
    base = theme.drawing(rows, "way", "measure").encode(
        x=alt.X("y:Q", title=LEGEND, scale=scale, axis=alt.Axis(format=".0%", tickCount=5)),
        y=alt.Y("way:N", title=None, sort=rows["way"].unique(maintain_order=True).to_list(), axis=axis),
    )
    touched, words, pronouns = (base.transform_filter(alt.datum.measure == measure) for measure in SHARES)
    bars = touched.mark_bar(size=12, color="#D5D8DD").encode(x2=alt.value(0))
    filled = theme.points(words.encode(color=alt.value(theme.BLUE)), "way", size=60)
    rings = theme.points(pronouns.encode(color=alt.value(theme.RED)), "way", size=130, hollow=True)
    counts = dict(rows.group_by("measure").agg(pl.col("n").max()).iter_rows())
    documents, gendered, of_them = (counts.get(measure, 0) for measure in SHARES)
    detail = [
        f"n = {documents:,} {rows['unit'][0]}, {gendered:,} gendered words,",
        f"{of_them:,} pronouns; no interval: all counted",
    ]
    title = theme.heading("measured", rows["text"][0], detail)
    return alt.layer(bars, rings, filled, width=WIDTH, height=alt.Step(STEP), title=title)
