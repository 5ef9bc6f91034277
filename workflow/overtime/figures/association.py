"""Gender bias by the size of the model: the share of stereotyped forms, and how log-odds follow the association in the corpus."""

from collections.abc import Mapping

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.tables import BY_OTHERS

SIZE_WIDTH, SIZE_HEIGHT = 410, 220
SIDE_COLOURS = {"masculine": theme.BLUE, "all": theme.INK, "feminine": theme.RED}
SENTENCE_SIDES = {
    "masculine": "masculine",
    "all": "both alike",
    "feminine": "feminine",
}
CORPUS_NAMES = {"standard": "the Pile", "deduplicated": "the Pile without duplicates", "suite": "the suite's corpus"}
CORPUS_COLOURS = {"standard": theme.BLUE, "deduplicated": theme.AMBER, "suite": theme.INK}
SENTENCE_SETS = {"winogender": "Winogender", "winobias": "WinoBias", "suite": "the suite's pairs"}
ASSOCIATION_METRICS = ("slope", "correlation")
AS_CORPUS = {BY_OTHERS: "; dashed: as in the corpus, by convention", "measured": "; dashed: as in the corpus"}
# 1,410,000,000 as 1.4B
SIZE = "replace(format(datum.value, '.2~s'), 'G', 'B')"


def fig2_association(table: pl.DataFrame) -> alt.VConcatChart:
    """A row for each set of sentences, slope beside correlation; the suite, whose world and measure are its own, has the last."""
    rows = []
    for sentences in SENTENCE_SETS:
        mine = table.filter(sentences=sentences)
        if not mine.is_empty():
            rows.append(
                theme.beside(*[association(mine.filter(metric=metric), metric) for metric in ASSOCIATION_METRICS], spacing=110)
            )
    lines = [
        size_ends(table.filter(sentences=sentences, corpus=corpus)) for sentences in SENTENCE_SETS for corpus in CORPUS_COLOURS
    ]
    missing = [] if "suite" in table["sentences"] else ["The suite is not shown: its pairs or scores do not allow it."]
    return theme.finish(rows, "How models follow the association in their corpus, by size", [*filter(None, lines), *missing])


def size_ends(rows: pl.DataFrame) -> str:
    """In words: slope and correlation of the smallest and the largest model."""
    if rows.is_empty():
        return ""
    source, sentences, corpus = rows.select("source", "sentences", "corpus").row(0)
    told = []
    for metric in ASSOCIATION_METRICS:
        models = rows.filter(metric=metric).sort("x")
        (first, low), (last, high) = models.select("model", "y").row(0), models.select("model", "y").row(-1)
        told.append(
            f"{metric} {low:.2f} ({first}) to {high:.2f} ({last})" if models.height > 1 else f"{metric} {low:.2f} ({first})"
        )
    return f"{theme.EVIDENCE_NAMES[source]}, {SENTENCE_SETS[sentences]}, {CORPUS_NAMES[corpus]}: {', '.join(told)}."


def association(rows: pl.DataFrame, metric: str) -> ChartType:
    """Slope or correlation by size, a curve for each corpus that a size was trained on."""
    source, sentences = rows.select("source", "sentences").row(0)
    colours = {name: CORPUS_COLOURS[corpus] for corpus, name in CORPUS_NAMES.items()}
    named = rows.with_columns(curve=pl.col("corpus").replace_strict(CORPUS_NAMES))
    low, high = theme.lowest(rows["lower"].fill_null(rows["y"])), theme.highest(rows["upper"].fill_null(rows["y"]))
    scale = alt.Scale(domain=[min(0.0, low), max(1.1, high) if metric == "slope" else 1.0])
    counts = f"{theme.counted(rows, 'sentences' if source == BY_OTHERS else 'pairs')}, {theme.extent(rows['units'])} occupations"
    seeds = "" if source == BY_OTHERS else f", {theme.extent(rows['seeds'])} seeds"
    over = "occupations" if source == BY_OTHERS else "templates, occupations, seeds"
    dashed = AS_CORPUS[source] if metric == "slope" else "; dashed: 0"
    detail = [f"{counts}{seeds}", f"band: 95% interval over {over}{dashed}"]
    title = theme.heading(source, f"{SENTENCE_SETS[sentences]}, {metric}", detail)
    y, level = alt.Y("y:Q", title=metric, scale=scale), {"": 1.0 if metric == "slope" else 0.0}
    return over_sizes(named, y, colours, "trained on", level).properties(title=title)


def preference_by_size(rows: pl.DataFrame) -> ChartType | None:
    """The share of WinoBias sentences whose stereotyped form is likelier, by direction, a panel for each corpus."""
    sides = {SENTENCE_SIDES[side]: colour for side, colour in SIDE_COLOURS.items()}
    panels = []
    for corpus in CORPUS_COLOURS:
        mine = rows.filter(corpus=corpus).with_columns(curve=pl.col("direction").replace_strict(SENTENCE_SIDES))
        if not mine.is_empty():
            counts = f"{theme.counted(mine, 'sentences')}, {theme.extent(mine['units'])} occupations"
            title = theme.heading(
                BY_OTHERS, f"WinoBias by size, {CORPUS_NAMES[corpus]}", f"{counts}; band: 95% interval over these"
            )
            y = theme.share("stereotyped form likelier")
            panels.append(
                over_sizes(mine, y, sides, "stereotype of the occupation", {"50%: no preference": 0.5}).properties(title=title)
            )
    return theme.beside(*panels, spacing=150)


def over_sizes(rows: pl.DataFrame, y: alt.Y, colours: Mapping[str, str], legend: str, levels: dict[str, float]) -> ChartType:
    """Curves over the logarithm of the parameters, with bands; `curve` names each, and `colours` says how it looks."""
    sizes = rows.with_columns(x=pl.col("x") * 1e9)
    ticks = sizes["x"].unique().sort().to_list()
    scale = alt.Scale(type="log", domain=[ticks[0] / 1.2, ticks[-1] * 1.2], nice=False)
    x = alt.X("x:Q", title="parameters", scale=scale, axis=alt.Axis(values=ticks, labelExpr=SIZE, labelOverlap=True))
    base = theme.drawing(sizes, "model", "curve", "x", "units").encode(
        x=x, y=y, color=theme.choice(alt.Color, "curve", legend, colours)
    )
    dots = theme.points(base, "model", "curve", units=True)
    return alt.layer(
        theme.band(base), base.mark_line(), dots, *theme.references(levels, below=True), width=SIZE_WIDTH, height=SIZE_HEIGHT
    )
