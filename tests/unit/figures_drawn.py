"""The synthetic tables, and what the figures of them, or of other tables, hold."""

import json
from functools import cache

import polars as pl
from figure_tables import tables

from overtime.figures.draw import build

TABLES = tables()
SETTINGS = {"crows_pairs": "revised", "retrieval": {"top": [1, 3]}}


def data(name: str, table: pl.DataFrame | None = None) -> list[dict]:
    """Every row that a figure's specification draws."""
    drawn = json.loads(written(name, table))
    return [row for rows in drawn["datasets"].values() for row in rows]


def written(name: str, table: pl.DataFrame | None = None) -> str:
    """A figure's specification as text, valid against the Vega-Lite schema."""
    return _of_its_table(name) if table is None else drawn_anew(name, table)


@cache
def _of_its_table(name: str) -> str:
    return drawn_anew(name, TABLES[name])


def drawn_anew(name: str, table: pl.DataFrame) -> str:
    """The specification, drawn anew."""
    return json.dumps(build(name, table).to_dict(), ensure_ascii=False)
