"""What all figures share: fonts, the colour of every model and condition, the line style of every arm, and small chart parts."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Literal, TypedDict, TypeVar, Unpack, cast

import altair as alt
import polars as pl
from altair.typing import ChartType

from overtime.tables import REWRITINGS

RED, GREEN, GREY, AMBER, BLUE, BROWN, INK = "#C8372D", "#2A8C4A", "#8A8F98", "#C98A12", "#3B73B9", "#8C6D4F", "#22262B"
RAMP = ["#E8A33D", "#DA7F6A", "#C25B97", "#8C5ABB", "#4F63CF", "#2F3F9A", "#141B52"]
FIXED = {"xs": 0, "s": 2, "m": 4, "l": 6, "pythia-70m": 0, "pythia-410m": 2, "pythia-1.4b": 4, "pythia-6.9b": 6}

DASHES = [[1, 0], [2, 3], [5, 3], [9, 3, 2, 3], [18, 4], [1, 2, 6, 2], [12, 3, 5, 3]]  # of the baseline and of the arms after it
EVIDENCE_NAMES = {"released": "Released", "spoken": "Spoken", "measured": "Measured", "proxy": "Proxy"}

LIKELIER = "stereotyped sentence likelier"  # what the stereotype measure is the share of

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
CONFIG = {
    "font": FONT,
    "background": "white",
    "padding": 12,
    "view": {"stroke": "#C9CDD3"},
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK}
    | {"gridColor": "#ECEEF1", "domainColor": "#8A8F98", "tickColor": "#8A8F98", "titlePadding": 8, "labelLimit": 320},
    "axisX": {"labelFlush": False},
    "legend": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "bold",
        "labelLimit": 320,
        "symbolStrokeWidth": 2,
        "symbolOpacity": 1,
    }
    | {"titleColor": INK, "labelColor": INK, "titleLimit": 320},
    "title": {"fontSize": 13, "subtitleFontSize": 11.5, "anchor": "start", "frame": "group", "color": INK}
    | {"subtitleColor": "#555B63", "subtitlePadding": 4, "offset": 8},
    "header": {"labelFontSize": 12, "labelFontWeight": "bold", "titleFontSize": 12, "labelColor": INK},
    "concat": {"spacing": 26},
    "facet": {"spacing": 18},
    "line": {"strokeWidth": 2},
    "rule": {"color": GREY},
}

Channel = TypeVar("Channel", alt.Color, alt.StrokeDash)


class Symbols(TypedDict, total=False):
    """What a legend's row of symbols looks like."""

    symbolType: str
    symbolSize: float
    columns: int


class Words(TypedDict, total=False):
    """Where and how text is written."""

    align: Literal["left", "center", "right"]
    baseline: Literal["top", "middle", "bottom"]
    dx: float
    dy: float
    fontSize: float
    color: str


def lowest(values: pl.Series) -> float:
    """The least of some numbers."""
    return cast(float, values.min())


def highest(values: pl.Series) -> float:
    """The greatest of some numbers."""
    return cast(float, values.max())


def by_parameters(rows: pl.DataFrame) -> list[str]:
    """The distinct models, smallest first by their `parameters`, equal ones by name."""
    known = rows.select("model", "parameters").drop_nulls("model").unique()
    return known.sort("parameters", "model")["model"].to_list()


def arm_names(rows: pl.DataFrame) -> dict[str, str]:
    """Label -> short label of the distinct arms: the baseline first, then by way of rewriting and share."""
    ways = {way: place for place, way in enumerate(REWRITINGS)}
    order = [pl.col("arm") != "baseline", pl.col("rewrite").replace_strict(ways, default=len(ways)), "share", "label"]
    arms = rows.drop_nulls("label").sort(order, nulls_last=True, maintain_order=True)
    return dict(arms.select("label", "short_label").unique(maintain_order=True).iter_rows())


def arm_dashes(rows: pl.DataFrame) -> dict[str, list[int]]:
    """Label -> line style of the distinct arms."""
    return dict(zip(arm_names(rows), cycle(DASHES)))


def model_scale(ordered: list[str]) -> alt.Scale:
    """One scale for sizes: light is small, dark is large; suite and Pythia models keep their colour in every figure."""
    last = max(len(ordered) - 1, 1)
    free = set(range(len(RAMP))) - {FIXED[model] for model in ordered if model in FIXED} or set(range(len(RAMP)))
    wanted = (rank * (len(RAMP) - 1) / last for rank in range(len(ordered)))
    places = [FIXED.get(model, min(free, key=lambda place: abs(place - want))) for model, want in zip(ordered, wanted)]
    return alt.Scale(domain=ordered, range=[RAMP[place] for place in places])


def model_colour(rows: pl.DataFrame, legend: alt.Legend | None = None) -> alt.Color:
    """The colour of each model, in the order of their sizes."""
    ordered = by_parameters(rows)
    return alt.Color("model:N", title="model", scale=model_scale(ordered), legend=legend, sort=ordered)


def model_fill(rows: pl.DataFrame, hollow: str) -> alt.Fill:
    """The colour of each model as the inside of its points, white where the test `hollow` holds."""
    ordered = by_parameters(rows)
    filled = alt.Fill("model:N", title="model", scale=model_scale(ordered), legend=None, sort=ordered)
    return alt.when(hollow).then(alt.value("white")).otherwise(filled)


def choice(
    channel: type[Channel], field: str, title: str, styles: Mapping[str, str | Sequence[float]], **legend: Unpack[Symbols]
) -> Channel:
    """An encoding whose values have fixed looks (`styles`: value to colour or dash), with a legend row below."""
    scale = alt.Scale(domain=list(styles), range=list(styles.values()))
    row = alt.Legend(orient="bottom", direction="horizontal", columnPadding=18, **legend)
    return channel(f"{field}:N", title=title, scale=scale, legend=row, sort=list(styles))


def share(title: str, low: float = 0, high: float = 1) -> alt.Y:
    """A y axis of fractions, printed as percentages."""
    return alt.Y("y:Q", title=title, axis=alt.Axis(format=".0%", tickCount=6), scale=alt.Scale(domain=[low, high]))


def drawing(rows: pl.DataFrame, *columns: str) -> alt.Chart:
    """A chart on the rows: the columns it draws, floats to five decimals, so that specifications stay small."""
    return alt.Chart(rows.select(*columns, "y", "lower", "upper", "n").with_columns(pl.selectors.float().round(5)))


def points(base: alt.Chart, *fields: str, x: str = "", size: float = 30, hollow: bool = False, units: bool = False) -> alt.Chart:
    """The values as dots that tell, on hovering, the given fields, the place on the x axis, the value, its interval and n.

    With `units`, the number of independent units (a column) as well.
    """
    told = [alt.Tooltip(f"{field}:N") for field in fields] + [alt.Tooltip("x:Q", title=x, format="~r")] * bool(x)
    values = [
        alt.Tooltip(f"{field}:Q", title=title, format=".3f")
        for field, title in (("y", "value"), ("lower", "from"), ("upper", "to"))
    ]
    fill, edge = ("white", 1.6) if hollow else (alt.Undefined, alt.Undefined)
    dots: alt.Chart = base.mark_point(size=size, opacity=1, aria=False, filled=not hollow, fill=fill, strokeWidth=edge)
    independent = [alt.Tooltip("units:Q", title="independent units", format=",")] * units
    return dots.encode(tooltip=[*told, *values, alt.Tooltip("n:Q", format=","), *independent])


def band(base: alt.Chart, opacity: float = 0.12) -> alt.Chart:
    """The interval around a curve: a shaded area from `lower` to `upper`."""
    y = base.encoding.y
    area: alt.Chart = base.mark_area(opacity=1, fillOpacity=opacity)
    return area.encode(y=alt.Y("lower:Q", title=y["title"], scale=y["scale"]), y2=alt.Y2("upper:Q"))


def bars(base: alt.Chart) -> alt.Chart:
    """The intervals of values along a horizontal axis."""
    x = base.encoding.x
    rule: alt.Chart = base.mark_rule(strokeWidth=2)
    return rule.encode(x=alt.X("lower:Q", title=x["title"], scale=x["scale"]), x2=alt.X2("upper:Q"))


def written(base: alt.Chart, **mark: Unpack[Words]) -> list[alt.Chart]:
    """Text with a white halo, readable on top of curves."""
    return [base.mark_text(**mark, stroke="white", strokeWidth=4, strokeJoin="round"), base.mark_text(**mark)]


def references(levels: dict[str, float], colour: str = GREY, below: bool = False) -> list[alt.Chart]:
    """Thin horizontal lines, each with its name written above or below it from the left."""
    if not levels:
        return []
    base = alt.Chart(pl.DataFrame({"label": list(levels), "y": list(levels.values())})).encode(y=alt.Y("y:Q"))
    named = base.encode(x=alt.value(4), text=alt.Text("label:N"))
    side: Literal["top", "bottom"] = "top" if below else "bottom"
    text = written(named, align="left", baseline=side, dy=4 if below else -2, fontSize=11, color=colour)
    return [base.mark_rule(color=colour, strokeDash=[3, 3]), *(text if any(levels) else [])]


def heading(source: str, text: str, detail: str | list[str] = "") -> alt.TitleParams:
    """A panel title that begins with the kind of evidence."""
    return alt.TitleParams(f"{EVIDENCE_NAMES[source]}: {text}", subtitle=detail)


def counted(rows: pl.DataFrame, unit: str) -> str:
    """How many independent units stand behind the points: "n = 320 pairs", or a range where it varies."""
    known = rows["n"].drop_nulls()
    return "n not stated" if known.is_empty() else f"n = {extent(known)} {unit}"


def extent(numbers: pl.Series) -> str:
    """The least and the greatest of some whole numbers: "12 to 1,340", or the one that all are."""
    least, most = int(lowest(numbers)), int(highest(numbers))
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def beside(*panels: ChartType | None, spacing: int = 80) -> ChartType | None:
    """The panels that exist, side by side, their plots aligned over the rows of a figure."""
    present = [panel for panel in panels if panel is not None]
    if len(present) == 1:
        return present[0]
    return alt.hconcat(*present, spacing=spacing, bounds="flush") if present else None


def finish(rows: Sequence[ChartType | None], title: str, subtitle: list[str]) -> alt.VConcatChart:
    """The rows that exist below each other, with the figure's title, its text alternative and the shared look."""
    heading = alt.TitleParams(title, subtitle=subtitle, fontSize=18, subtitleFontSize=12.5, offset=16, frame="bounds")
    present = [row for row in rows if row is not None]
    return alt.vconcat(*present, title=heading, description=" ".join([f"{title}.", *subtitle]), config=CONFIG)
