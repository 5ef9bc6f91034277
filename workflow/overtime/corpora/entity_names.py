"""The names by which the entities of a question set are looked for in text."""

import re
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from overtime import InputError
from overtime.corpora.counting import read_questions
from overtime.corpora.text_files import read_user_table
from overtime.files import read_table


def read_names(path: str | Path) -> dict[str, list[str]]:
    """Entity -> its names, from a table of `entity` and `name` (CSV or Parquet); several rows give an entity several names."""
    names: dict[str, list[str]] = {}
    for entity, name in read_user_table(path, ["entity", "name"]).select("entity", "name").iter_rows():
        names.setdefault(entity, []).append(name)
    return names


def read_linked_questions(path: str | Path) -> pl.DataFrame:
    """Questions with `q_entities` and `a_entities`, lists of entities: the published JSON Lines, or a Parquet table."""
    if Path(path).suffix != ".parquet":
        return read_questions(path)
    table = read_table(path, ["q_entities", "a_entities"])
    for side in ("q_entities", "a_entities"):
        if table.schema[side] != pl.List(pl.String):
            raise InputError(f"{path}: column {side} holds {table.schema[side]}; need lists of text")
        without = table[side].list.eval(pl.element().is_null()).list.any().fill_null(False).arg_true()
        if without.len():
            raise InputError(f"{path}: row {without[0] + 1}: an entity of {side} is null; leave it out")
    return table


def names_of(questions: pl.DataFrame) -> dict[str, list[str]]:
    """Every entity of linked questions under the one name that it carries in itself, see `label`."""
    entities = pl.concat(questions[side].list.explode() for side in ("q_entities", "a_entities"))
    return {entity: [label(entity)] for entity in entities.drop_nulls().unique(maintain_order=True)}


def label(entity: str) -> str:
    """The name in a DBpedia address, without what only tells it from others of that name; other entities are their own names.

    http://dbpedia.org/resource/Paris_(mythology) is called Paris.
    """
    if "/resource/" not in entity:
        return entity
    name = unquote(entity.partition("/resource/")[2]).replace("_", " ")
    return re.sub(r" \([^)]*\)$", "", name) or name


def choose_names(names: str | Path | None, questions: str | Path | None) -> dict[str, list[str]]:
    """The names to look for: those of a table, and of a question set's other entities the one that they carry in themselves."""
    own = names_of(read_linked_questions(questions)) if questions else {}
    return own | (read_names(names) if names else {})
