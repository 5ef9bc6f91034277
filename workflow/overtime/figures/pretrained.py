"""The companion of figures 1 and 2: a real pretrained model on the published tests, at the end of its training."""

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.figures import theme
from overtime.tables import ALWAYS_FEMININE

WIDTH, STEP = 310, 22
TESTS = {"crows_pairs": "CrowS-Pairs", "winobias": "WinoBias"}
DIRECTION_NAMES = {
    "all": "all gender pairs",
    "feminine": "feminine-favouring",
    "masculine": "masculine-favouring",
    "unclassified": "unclassified",
}
SIDES = {"pro": "pro-stereotypical", "anti": "anti-stereotypical", "net": "net bias"}


def fig1_pretrained(table: pl.DataFrame) -> alt.VConcatChart:
    """CrowS-Pairs by category and direction, WinoBias by type and side, pronouns in neutral contexts; two rows for each model."""
    references = table.filter(pl.col("series") == ALWAYS_FEMININE)
    models = theme.by_parameters(table)
    rows = []
    for model in models:
        mine = table.filter(pl.col("model") == model)
        panels = [by_category(mine), by_side(mine)], [by_direction(mine, references), by_contrast(mine)]
        rows += [theme.beside(*row, spacing=260) for row in panels]
    missing = [name for test, name in TESTS.items() if table.filter(pl.col("test") == test).is_empty()]
    lines = [f"{name} is not shown: its files could not be had in this run." for name in missing]
    title = "CrowS-Pairs by category and direction, WinoBias by type and side, of a real model"
    return theme.finish(rows, title, [*final_shares(table, models), *lines])


def final_shares(table: pl.DataFrame, models: list[str]) -> list[str]:
    """A line for each model: its share over all pairs, over the gender pairs, and its net bias."""
    wanted = {("all", "all"): "{:.1%} of all pairs", ("gender", "all"): "{:.1%} of the gender pairs", ("both", "net"): "{:+.1%}"}
    lines = []
    for model in models:
        values = {
            (group, side): y
            for group, side, y in table.filter(pl.col("model") == model, pl.col("metric").is_in(["stereotype", "difference"]))
            .select("group", "side", "y")
            .iter_rows()
        }
        told = [text.format(values[place]) for place, text in wanted.items() if place in values]
        if ("all", "all") in values:
            told[0] = f"stereotyped sentence likelier in {told[0]}"
        if ("both", "net") in values:
            told[-1] = f"net bias on WinoBias {told[-1].removesuffix('%')} points"
        if told:
            lines.append(f"Measured, {model}: {'; '.join(told)}.")
    return lines


def by_category(rows: pl.DataFrame) -> ChartType | None:
    """The stereotype share of the whole set and of each category: gender first, the few other pairs last."""
    chosen = rows.filter(pl.col("test") == "crows_pairs", pl.col("metric") == "stereotype", pl.col("side") == "all")
    places = {"all": 0, "gender": 1, "autre": 3}
    chosen = chosen.sort(pl.col("group").replace_strict(places, default=2), "y", descending=[False, True])
    names = pl.col("group").replace({"all": "all categories", "autre": "other (autre)"})
    return shares(chosen.with_columns(row=names), "CrowS-Pairs by category", "pairs")


def by_direction(rows: pl.DataFrame, references: pl.DataFrame) -> ChartType | None:
    """The gender pairs by the direction of their stereotype, beside a model that always prefers the feminine sentence."""
    chosen = (pl.col("test") == "crows_pairs") & (pl.col("metric") == "stereotype") & (pl.col("group") == "gender")
    order = pl.col("side").replace_strict({side: place for place, side in enumerate(DIRECTION_NAMES)})
    mine = rows.filter(chosen).sort(order).with_columns(row=pl.col("side").replace_strict(DIRECTION_NAMES))
    panel = shares(mine, "gender by direction", "pairs", "diamond: always feminine", [-0.04, 1.04])
    if panel is None:
        return None
    labels = dict(mine.select("side", labelled(mine)).iter_rows())
    places = references.filter(pl.col("side").is_in(list(labels))).with_columns(row=pl.col("side").replace_strict(labels))
    told = [alt.Tooltip("row:N"), alt.Tooltip("y:Q", title=ALWAYS_FEMININE, format=".3f"), alt.Tooltip("n:Q", format=",")]
    base = theme.drawing(places, "row").encode(x="y:Q", y=alt.Y("row:N", sort=None), tooltip=told)
    marks: alt.Chart = base.mark_point(shape="diamond", size=80, color=theme.INK, strokeWidth=1.6, opacity=1)
    return panel + marks


def by_side(rows: pl.DataFrame) -> ChartType | None:
    """WinoBias: how often the pronoun goes to the right person, with and against the stereotype, and the difference."""
    chosen = rows.filter(pl.col("test") == "winobias")
    kinds = pl.when(pl.col("group") == "both").then(pl.lit("both types")).otherwise(pl.format("type {}", "group"))
    named = chosen.with_columns(row=pl.concat_str(kinds, pl.col("side").replace_strict(SIDES), separator=", "))
    low = min(-0.1, *named["lower"].drop_nulls()) if len(named) else 0
    return shares(named, "WinoBias by type and side", "items", "lines: chance, no net bias", [low, 1], 0.0)


def by_contrast(rows: pl.DataFrame) -> ChartType | None:
    """The log-odds of feminine against masculine pronouns where the context leaves the gender open."""
    chosen = rows.filter(pl.col("test") == "pronouns_english")
    named = chosen.with_columns(row=pl.col("group").replace({"all": "all contrasts"}))
    x = alt.X("y:Q", title="log P(feminine) − log P(masculine), nats", scale=alt.Scale(zero=True))
    return dots(named, x, "pronouns in neutral contexts", "contexts", "0: no preference", [0.0])


def shares(
    rows: pl.DataFrame, title: str, unit: str, note: str = "", domain: list[float] | None = None, *levels: float
) -> ChartType | None:
    """A panel of shares around one half."""
    scale = alt.Scale(domain=domain, nice=False) if domain else alt.Scale(zero=False)
    name = "accuracy (net: pro − anti)" if unit == "items" else theme.LIKELIER
    x = alt.X("y:Q", title=name, scale=scale, axis=alt.Axis(format=".0%", tickCount=6))
    return dots(rows, x, title, unit, note or "50%: no preference", [0.5, *levels])


def dots(rows: pl.DataFrame, x: alt.X, title: str, unit: str, note: str, levels: list[float]) -> ChartType | None:
    """A dot with its interval for every row of `rows` (in their order), its n beside the name, and lines at `levels`."""
    if rows.is_empty():
        return None
    base = theme.drawing(rows.with_columns(row=labelled(rows)), "row").encode(
        x=x, y=alt.Y("row:N", title=None, sort=None), color=alt.value(theme.BLUE)
    )
    lines = alt.Chart(pl.DataFrame({"x": levels})).mark_rule(color=theme.GREY, strokeDash=[3, 3]).encode(x="x:Q")
    detail = f"{theme.counted(rows, unit)}; {note}; bar: 95% interval"
    heading = theme.heading("measured", f"{rows['model'][0]}, {title}", detail)
    return alt.layer(
        lines, theme.bars(base), theme.points(base, "row", size=60), width=WIDTH, height=alt.Step(STEP), title=heading
    )


def labelled(rows: pl.DataFrame) -> pl.Expr:
    """The name of each row with its number of units, where that varies between rows."""
    counts = pl.col("n").map_elements("{:,}".format, return_dtype=pl.String)
    return pl.col("row") if rows["n"].n_unique() == 1 else pl.format("{} ({})", "row", counts)
