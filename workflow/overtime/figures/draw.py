"""Drawing figures: from their tables to SVG, PNG and Vega-Lite, all in one process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from pkgutil import resolve_name
from unittest.mock import patch

import altair as alt
import polars as pl
import vl_convert
from altair.utils.schemapi import debug_mode

from overtime import InputError
from overtime.figures.catalog import FIGURES
from overtime.files import atomic, require_finite
from overtime.tables import FIGURE_COLUMNS

SCALE = 2
SHARED = (alt.FacetedEncoding, alt.MarkDef, alt.TitleParams)  # parts of a chart that do not change once it is in another
CONTROL_CHARACTERS = r"[^\t\n\r -~\x{A0}-\x{FFFD}\x{10000}-\x{10FFFF}]"  # what no XML can hold, of what a table can
VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def draw(tables: dict[str, pl.DataFrame], folder: str | Path) -> list[Path]:
    """Write NAME.svg, NAME.png (twice the logical size) and NAME.json (Vega-Lite) of every named table; returns the paths.

    Raises InputError for a name without a figure, an empty table, one that lacks columns, and one that holds NaN.
    """
    written = []
    for name, table in tables.items():
        # Each part would be checked against the schema as it is made; the tests check the whole.
        with debug_mode(False), _parts_shared():
            specification = build(name, table).to_json(indent=None, validate=False)
        svg = vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE)
        contents = {"svg": svg.encode(), "png": vl_convert.svg_to_png(svg, scale=SCALE), "json": specification.encode()}
        for suffix, content in contents.items():
            path = Path(folder) / f"{name}.{suffix}"
            with atomic(path) as temporary:
                temporary.write_bytes(content)
            written.append(path)
    return written


@contextmanager
def _parts_shared() -> Iterator[None]:
    """Let copies of a chart share its parts: altair makes some at every level of a figure, and again when it writes JSON."""
    with ExitStack() as stack:
        for part in SHARED:
            stack.enter_context(patch.object(part, "__deepcopy__", lambda self, _: self, create=True))
        yield


def build(name: str, table: pl.DataFrame) -> alt.VConcatChart:
    """The chart of one table; a control character in its texts, whose files may come from anywhere, is drawn as U+FFFD."""
    if name not in FIGURES:
        raise InputError(f"{name}: there is no such figure; there are {', '.join(FIGURES)}")
    missing = [column for column in FIGURE_COLUMNS if column not in table.columns]
    if missing or table.is_empty():
        raise InputError(f"{name}: its table " + (f"lacks the columns {', '.join(missing)}" if missing else "has no rows"))
    require_finite(table, f"{name}: its table")
    table = table.with_columns(pl.selectors.string().str.replace_all(CONTROL_CHARACTERS, "\ufffd"))
    try:
        chart: alt.VConcatChart = resolve_name(FIGURES[name].drawing)(table)
    except pl.exceptions.ColumnNotFoundError as error:
        raise InputError(f"{name}: its table: {str(error).splitlines()[0]}") from error
    return chart
