"""Gender bias by the size of the model: the share of stereotyped forms, and how log-odds follow the association in the corpus."""

from collections.abc import Mapping

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme

WIDTH, HEIGHT = 410, 220
OTHERS = "released by others"
SIDES = {"masculine": theme.BLUE, "all": theme.INK, "feminine": theme.RED}
SIDE_NAMES = {
    "masculine": "masculine",
    "all": "both alike",
    "feminine": "feminine",
}
CORPUS_NAMES = {"standard": "the Pile", "deduplicated": "the Pile without duplicates", "suite": "the suite's corpus"}
CORPORA = {"standard": theme.BLUE, "deduplicated": theme.AMBER, "suite": theme.INK}
SENTENCES = {"winogender": "Winogender", "winobias": "WinoBias", "suite": "the suite's pairs"}
METRICS = ("slope", "correlation")
AS_CORPUS = {OTHERS: "; dashed: as in the corpus, by convention", "measured": "; dashed: as in the corpus"}
# 1,410,000,000 as 1.4B
SIZE = "replace(format(datum.value, '.2~s'), 'G', 'B')"


def fig2_association(table: pl.DataFrame) -> alt.VConcatChart:
    """A row for each set of sentences, slope beside correlation; the suite, whose world and measure are its own, has the last."""
    rows = []
    for sentences in SENTENCES:
        mine = table.filter(sentences=sentences)
        if not mine.is_empty():
            rows.append(theme.beside(*[association(mine.filter(metric=metric), metric) for metric in METRICS], spacing=110))
    lines = [ends(table.filter(sentences=sentences, corpus=corpus)) for sentences in SENTENCES for corpus in CORPORA]
    missing = [] if "suite" in table["sentences"] else ["The suite is not shown: its pairs or scores do not allow it."]
    return theme.finish(rows, "How models follow the association in their corpus, by size", [*filter(None, lines), *missing])


def ends(rows: pl.DataFrame) -> str:
    """In words: slope and correlation of the smallest and the largest model."""
    if rows.is_empty():
        return ""
    source, sentences, corpus = rows.select("source", "sentences", "corpus").row(0)
    told = []
    for metric in METRICS:
        models = rows.filter(metric=metric).sort("x")
        (first, low), (last, high) = models.select("model", "y").row(0), models.select("model", "y").row(-1)
        told.append(
            f"{metric} {low:.2f} ({first}) to {high:.2f} ({last})" if models.height > 1 else f"{metric} {low:.2f} ({first})"
        )
    return f"{theme.EVIDENCE_NAMES[source]}, {SENTENCES[sentences]}, {CORPUS_NAMES[corpus]}: {', '.join(told)}."


def association(rows: pl.DataFrame, metric: str) -> ChartType:
    """Slope or correlation by size, a curve for each corpus that a size was trained on."""
    source, sentences = rows.select("source", "sentences").row(0)
    colours = {name: CORPORA[corpus] for corpus, name in CORPUS_NAMES.items()}
    named = rows.with_columns(curve=pl.col("corpus").replace_strict(CORPUS_NAMES))
    low, high = min(0.0, theme.lowest(rows["lower"])), max(1.1, theme.highest(rows["upper"]))
    scale = alt.Scale(domain=[low, high if metric == "slope" else 1.0])
    counts = f"{theme.counted(rows, 'sentences' if source == OTHERS else 'pairs')}, {theme.extent(rows['units'])} occupations"
    seeds = "" if source == OTHERS else f", {theme.extent(rows['seeds'])} seeds"
    over = "occupations" if source == OTHERS else "templates, occupations, seeds"
    dashed = AS_CORPUS[source] if metric == "slope" else "; dashed: none"
    detail = [f"{counts}{seeds}", f"band: 95% interval over {over}{dashed}"]
    title = theme.heading(source, f"{SENTENCES[sentences]}, {metric}", detail)
    y, level = alt.Y("y:Q", title=metric, scale=scale), {"": 1.0 if metric == "slope" else 0.0}
    return by_size(named, y, colours, "trained on", level).properties(title=title)


def preference_by_size(rows: pl.DataFrame) -> ChartType | None:
    """The share of WinoBias sentences whose stereotyped form is likelier, by direction, a panel for each corpus."""
    sides = {SIDE_NAMES[side]: colour for side, colour in SIDES.items()}
    panels = []
    for corpus in CORPORA:
        mine = rows.filter(corpus=corpus).with_columns(curve=pl.col("direction").replace_strict(SIDE_NAMES))
        if not mine.is_empty():
            counts = f"{theme.counted(mine, 'sentences')}, {theme.extent(mine['units'])} occupations"
            title = theme.heading(OTHERS, f"WinoBias by size, {CORPUS_NAMES[corpus]}", f"{counts}; band: 95% interval over these")
            y = theme.share("stereotyped form likelier")
            panels.append(
                by_size(mine, y, sides, "stereotype of the occupation", {"50%: no preference": 0.5}).properties(title=title)
            )
    return theme.beside(*panels, spacing=150)


def by_size(rows: pl.DataFrame, y: alt.Y, colours: Mapping[str, str], legend: str, levels: dict[str, float]) -> ChartType:
    """Curves over the logarithm of the parameters, with bands; `curve` names each, and `colours` says how it looks."""
    sizes = rows.with_columns(x=pl.col("x") * 1e9)
    ticks = sizes["x"].unique().sort().to_list()
    scale = alt.Scale(type="log", domain=[ticks[0] / 1.2, ticks[-1] * 1.2], nice=False)
    x = alt.X("x:Q", title="parameters", scale=scale, axis=alt.Axis(values=ticks, labelExpr=SIZE, labelOverlap=True))
    base = theme.drawing(sizes, "model", "curve", "x", "units").encode(
        x=x, y=y, color=theme.choice(alt.Color, "curve", legend, colours)
    )
    dots = theme.points(base, "model", "curve", units=True)
    return alt.layer(theme.band(base), base.mark_line(), dots, *theme.references(levels, below=True), width=WIDTH, height=HEIGHT)
