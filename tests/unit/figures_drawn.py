"""The synthetic tables, and what the figures of them, or of other tables, hold."""

import json

import polars as pl
from figure_tables import tables

from overtime.figures.draw import build

TABLES = tables()
SETTINGS = {"crows_pairs": "revised", "retrieval": {"top": [1, 3]}}


def data(name: str, table: pl.DataFrame | None = None) -> list[dict]:
    """Every row that a figure's specification draws."""
    specification = build(name, TABLES[name] if table is None else table).to_dict()
    return [row for rows in specification["datasets"].values() for row in rows]


def written(name: str, table: pl.DataFrame | None = None) -> str:
    """A figure's specification as text, valid against the Vega-Lite schema."""
    return json.dumps(build(name, TABLES[name] if table is None else table).to_dict(), ensure_ascii=False)
