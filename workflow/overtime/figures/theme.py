"""What all figures share: fonts, the colour of every model and condition, the line style of every arm, and small chart parts."""

import re
from collections.abc import Iterable

import altair as alt
import polars as pl

RED, GREEN, GREY, AMBER, BLUE, BROWN, INK = "#C8372D", "#2A8C4A", "#8A8F98", "#C98A12", "#3B73B9", "#8C6D4F", "#22262B"
RAMP = ["#E8A33D", "#DA7F6A", "#C25B97", "#8C5ABB", "#4F63CF", "#2F3F9A", "#141B52"]
FIXED = {"xs": 0, "s": 2, "m": 4, "l": 6, "pythia-70m": 0, "pythia-410m": 2, "pythia-1.4b": 4, "pythia-6.9b": 6}

ARMS = {
    "baseline": "baseline",
    "swap7": "masculine→feminine, last 7%",
    "swap14": "masculine→feminine, last 14%",
    "swap21": "masculine→feminine, last 21%",
    "cda14": "two-way swap, last 14%",
}
ARMS_SHORT = {"baseline": "baseline", "swap7": "swap 7%", "swap14": "swap 14%", "swap21": "swap 21%", "cda14": "two-way 14%"}
DASHES = {"baseline": [1, 0], "swap7": [2, 3], "swap14": [5, 3], "swap21": [9, 3, 2, 3], "cda14": [18, 4]}
EVIDENCE = {"released": "Released", "spoken": "Spoken", "measured": "Measured"}

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


def parameters(model: str) -> float:
    """Parameter count read from a model name (`pythia-1.4b`, `bloom-7b1`, `gpt-neo-125m`); the mini sizes sort as 1 to 4."""
    sizes = ["xs", "s", "m", "l"]
    if model in sizes:
        return 1.0 + sizes.index(model)
    found = re.search(r"(\d+)(?:\.(\d+))?([mb])(\d*)(?![a-z\d])", model.lower())
    if not found:
        return 0.0
    whole, point, unit, after = found.groups()
    return float(f"{whole}.{point or after or 0}") * (1e6 if unit == "m" else 1e9)


def by_size(models: Iterable[str | None]) -> list[str]:
    """The distinct models, smallest first."""
    return sorted({model for model in models if model}, key=lambda model: (parameters(model), model))


def model_colour(models: Iterable[str], legend: alt.Legend | None = None, title: str = "model") -> alt.Color:
    """One ordered scale for sizes: light is small, dark is large; suite and Pythia models keep their colour in every figure."""
    ordered = by_size(models)
    last = max(len(ordered) - 1, 1)
    free = set(range(len(RAMP))) - {FIXED[model] for model in ordered if model in FIXED} or set(range(len(RAMP)))
    wanted = (rank * (len(RAMP) - 1) / last for rank in range(len(ordered)))
    places = [FIXED.get(model, min(free, key=lambda place: abs(place - want))) for model, want in zip(ordered, wanted)]
    colours = [RAMP[place] for place in places]
    return alt.Color("model:N", title=title, scale=alt.Scale(domain=ordered, range=colours), legend=legend, sort=ordered)


def choice(channel: type, field: str, title: str, styles: dict[str, object], **legend: object) -> alt.SchemaBase:
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


def points(base: alt.Chart, *fields: str, x: str = "", size: float = 30, hollow: bool = False) -> alt.Chart:
    """The values as dots that tell, on hovering, the given fields, the place on the x axis, the value, its interval and n."""
    told = [alt.Tooltip(f"{field}:N") for field in fields] + [alt.Tooltip("x:Q", title=x, format="~r")] * bool(x)
    values = [
        alt.Tooltip(f"{field}:Q", title=title, format=".3f")
        for field, title in (("y", "value"), ("lower", "from"), ("upper", "to"))
    ]
    look = {"filled": False, "fill": "white", "strokeWidth": 1.6} if hollow else {"filled": True}
    return base.mark_point(size=size, opacity=1, aria=False, **look).encode(
        tooltip=[*told, *values, alt.Tooltip("n:Q", format=",")]
    )


def band(base: alt.Chart, opacity: float = 0.12) -> alt.Chart:
    """The interval around a curve: a shaded area from `lower` to `upper`."""
    y = base.encoding.y
    return base.mark_area(opacity=1, fillOpacity=opacity).encode(
        y=alt.Y("lower:Q", title=y["title"], scale=y["scale"]), y2="upper:Q"
    )


def bars(base: alt.Chart) -> alt.Chart:
    """The intervals of values along a horizontal axis."""
    x = base.encoding.x
    return base.mark_rule(strokeWidth=2).encode(x=alt.X("lower:Q", title=x["title"], scale=x["scale"]), x2="upper:Q")


def written(base: alt.Chart, **mark: object) -> list[alt.Chart]:
    """Text with a white halo, readable on top of curves."""
    return [base.mark_text(**mark, stroke="white", strokeWidth=4, strokeJoin="round"), base.mark_text(**mark)]


def references(levels: dict[str, float], colour: str = GREY, below: bool = False) -> list[alt.Chart]:
    """Thin horizontal lines, each with its name written above or below it from the left."""
    if not levels:
        return []
    base = alt.Chart(pl.DataFrame({"label": list(levels), "y": list(levels.values())})).encode(y="y:Q")
    named = base.encode(x=alt.value(4), text="label:N")
    side = {"baseline": "top", "dy": 4} if below else {"baseline": "bottom", "dy": -2}
    text = written(named, align="left", fontSize=11, color=colour, **side)
    return [base.mark_rule(color=colour, strokeDash=[3, 3]), *(text if any(levels) else [])]


def heading(source: str, text: str, detail: str | list[str] = "") -> alt.TitleParams:
    """A panel title that begins with the kind of evidence."""
    return alt.TitleParams(f"{EVIDENCE[source]}: {text}", subtitle=detail)


def counted(rows: pl.DataFrame, unit: str) -> str:
    """How many independent units stand behind the points: "n = 320 pairs", or a range where it varies."""
    known = rows["n"].drop_nulls()
    if known.is_empty():
        return "n not stated"
    least, most = int(known.min()), int(known.max())
    return f"n = {least:,} {unit}" if least == most else f"n = {least:,} to {most:,} {unit}"


def beside(*panels: alt.SchemaBase | None, spacing: int = 80) -> alt.LayerChart | alt.HConcatChart | None:
    """The panels that exist, side by side, their plots aligned over the rows of a figure."""
    present = [panel for panel in panels if panel is not None]
    if len(present) == 1:
        return present[0]
    return alt.hconcat(*present, spacing=spacing, bounds="flush") if present else None


def finish(rows: list[alt.SchemaBase | None], title: str, subtitle: list[str]) -> alt.VConcatChart:
    """The rows that exist below each other, with the figure's title, its text alternative and the shared look."""
    heading = alt.TitleParams(title, subtitle=subtitle, fontSize=18, subtitleFontSize=12.5, offset=16, frame="bounds")
    present = [row for row in rows if row is not None]
    return alt.vconcat(*present, title=heading, description=" ".join([f"{title}.", *subtitle]), config=alt.Config(**CONFIG))
