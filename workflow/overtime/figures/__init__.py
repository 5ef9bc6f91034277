"""The figures: one pure function from a table to a chart for each, and drawing them all in one process."""

from collections.abc import Callable
from pathlib import Path

import altair as alt
import polars as pl
import vl_convert
from altair.utils.schemapi import debug_mode

from overtime import InputError
from overtime.figures.audit import fig1_audit
from overtime.figures.bias import fig1, fig2
from overtime.figures.counts import fig3
from overtime.figures.defence import fig7_defend, fig7_detect
from overtime.figures.insertion import fig4
from overtime.figures.layers import fig7
from overtime.figures.prompts import fig6
from overtime.figures.retrieval import fig5
from overtime.files import atomic

FIGURES: dict[str, Callable[[pl.DataFrame], alt.VConcatChart]] = {
    figure.__name__: figure for figure in (fig1, fig1_audit, fig2, fig3, fig4, fig5, fig6, fig7, fig7_detect, fig7_defend)
}
COLUMNS = ["source", "series", "x", "y", "lower", "upper", "n"]
SCALE = 2
VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def draw(tables: dict[str, pl.DataFrame], folder: str | Path) -> list[Path]:
    """Write NAME.svg, NAME.png (twice the logical size) and NAME.json (Vega-Lite) of every named table; returns the paths.

    Raises InputError for a name without a figure, an empty table, or one that lacks columns.
    """
    written = []
    for name, table in tables.items():
        with debug_mode(False):  # each part would be checked against the schema as it is made; the tests check the whole
            specification = build(name, table).to_json(indent=None, validate=False)
        svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE)
        contents = {"svg": svg.encode(), "png": vl_convert.svg_to_png(svg, scale=SCALE), "json": specification.encode()}
        for suffix, content in contents.items():
            path = Path(folder) / f"{name}.{suffix}"
            with atomic(path) as temporary:
                temporary.write_bytes(content)
            written.append(path)
    return written


def build(name: str, table: pl.DataFrame) -> alt.VConcatChart:
    """The chart of one table."""
    if name not in FIGURES:
        raise InputError(f"{name}: there is no such figure; there are {', '.join(FIGURES)}")
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing or table.is_empty():
        raise InputError(f"{name}: its table " + (f"lacks the columns {', '.join(missing)}" if missing else "has no rows"))
    try:
        return FIGURES[name](table)
    except pl.exceptions.ColumnNotFoundError as error:
        raise InputError(f"{name}: its table lacks the column {str(error).splitlines()[0]}") from error
