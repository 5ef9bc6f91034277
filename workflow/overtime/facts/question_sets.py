"""Question sets for pretrained models: the project's own and public ones, from local files or the Hub, in one form.

A set is a table of `question` (position in the file), `text`, `answers` (any of which is right; without one no prediction is),
`passage` (holds the answer; null where the set has none) and what more a set brings, such as `count`.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from overtime import InputError
from overtime.files import RESOURCES, read_table

OWN = RESOURCES / "facts/questions.csv"
# What a set that brings its own `count` counts: never documents of a model's training data, which takes an entity map.
PROXIES = {
    "own": "occurrences of the rarer name in a billion words (wordfreq), a popularity proxy",
    "popqa": "monthly views of the subject's Wikipedia page, a popularity proxy",
}
Kinds = dict[str, pl.DataType | type[pl.DataType]]
ROWS: Kinds = {"question": pl.Int64, "text": pl.String, "answers": pl.List(pl.String), "passage": pl.String}
SET: Kinds = {"set": pl.String, **ROWS, "domain": pl.String, "count": pl.Int64, "proxy": pl.String, "asked": pl.Boolean} | {
    "human": pl.Float64,
    "q_entities": pl.List(pl.String),
    "a_entities": pl.List(pl.String),
}


def read(form: str, source: Path) -> pl.DataFrame:
    """Read a set from a file, the folder of a fetched data set or the Parquet table of a Hub split.

    No rows where folder or table are empty. Raises InputError for a file of another form and for one without a question.
    """
    if form == "own":
        return load_questions()
    if source.suffix == ".parquet":
        table = read_table(source)
        return from_hub(form, table) if table.height else pl.DataFrame(schema=ROWS)
    files = sorted(path for path in source.rglob("[!.]*") if path.is_file()) if source.is_dir() else [source]
    rows = READERS[form](files[0]) if files else pl.DataFrame(schema=ROWS)
    if files and rows.is_empty():
        raise InputError(f"{files[0]}: no questions; need at least one")
    return rows


def load_questions() -> pl.DataFrame:
    """The project's own questions: with `domain`, `subject`, `zipf_phrase`, `zipf` and `count`.

    `count` is how often the rarer of subject and answer occurs in a billion words of English (wordfreq 3.1.1, 0 if unlisted): the
    corpora of pretrained models cannot be counted here, so a word list stands in for them.
    """
    table = pl.read_csv(OWN)
    listed = pl.when(pl.col("zipf") > 0).then(10 ** pl.col("zipf")).otherwise(0).round().cast(pl.Int64)
    return table.with_columns(pl.col("answers").str.split("|"), count=listed)


def read_xquad(path: str | Path) -> pl.DataFrame:
    """Read a file of SQuAD 1.1's form, such as XQuAD's."""
    try:
        paragraphs = [paragraph for article in json.loads(Path(path).read_bytes())["data"] for paragraph in article["paragraphs"]]
        items = [
            {"question": item["question"], "context": paragraph["context"], "answers": [a["text"] for a in item["answers"]]}
            for paragraph in paragraphs
            for item in paragraph["qas"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a SQuAD file (data > paragraphs > context, qas)") from error
    return _rows(items, lambda item: item["answers"], "context")


def read_nq_open(path: str | Path) -> pl.DataFrame:
    """Read NQ-open's JSON Lines of {"question", "answer": [...]}."""
    items = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            try:
                item = json.loads(line)
                items.append({"question": item["question"], "answer": list(item["answer"])})
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f'{path}: line {number + 1} is not {{"question": ..., "answer": [...]}}') from error
    return _rows(items, lambda item: item["answer"])


def read_trivia_qa(path: str | Path) -> pl.DataFrame:
    """Read a file of TriviaQA's release: {"Data": [{"Question", "Answer": {"Aliases"}}]}."""
    try:
        items = [
            {"question": item["Question"], "answer": item["Answer"]["Aliases"]}
            for item in json.loads(Path(path).read_bytes())["Data"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a TriviaQA file (Data > Question, Answer > Aliases)") from error
    return _rows(items, lambda item: item["answer"])


def read_popqa(path: str | Path) -> pl.DataFrame:
    """Read PopQA's tab-separated table, with the subject's page views as `count`."""
    try:
        return from_hub("popqa", pl.read_csv(path, separator="\t"))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: not PopQA's table ({str(error).splitlines()[0]})") from error


READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "squad": read_xquad,
    "nq_open": read_nq_open,
    "trivia_qa": read_trivia_qa,
    "popqa": read_popqa,
}


def from_hub(form: str, table: pl.DataFrame) -> pl.DataFrame:
    """A split of a Hub data set, as `datasets` returns it, in the common form. Raises InputError if a column is missing."""
    answers: dict[str, Callable[[dict[str, Any]], list[str]]] = {
        "squad": lambda item: item["answers"]["text"],
        "nq_open": lambda item: item["answer"],
        "trivia_qa": lambda item: item["answer"]["aliases"],
        "popqa": lambda item: json.loads(item["possible_answers"]),  # a string on the Hub
    }
    try:
        rows = _rows(table.iter_rows(named=True), answers[form], "context" if form == "squad" else None)
        return rows.with_columns(count=table["s_pop"].cast(pl.Int64)) if form == "popqa" else rows
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{form} questions: unfit columns ({', '.join(table.columns)})") from error


def as_set(name: str, form: str, table: pl.DataFrame, sample: int | None, seed: int) -> pl.DataFrame:
    """The table of a named set, with every column of `SET`; `asked` marks a random sample, or all.

    Questions that are not asked stay, because their passages belong to the pool that retrieval searches.
    """
    asked = np.full(table.height, sample is None)
    if sample is not None:
        asked[np.random.default_rng(seed).permutation(table.height)[:sample]] = True
    proxy = pl.lit(PROXIES.get(form) if "count" in table.columns else None, pl.String)
    table = table.with_columns(set=pl.lit(name), proxy=proxy, asked=pl.Series(asked))
    missing = [pl.lit(None, kind).alias(column) for column, kind in SET.items() if column not in table.columns]
    return table.with_columns(missing).select(pl.col(column).cast(kind) for column, kind in SET.items())


def link(table: pl.DataFrame, linked: pl.DataFrame) -> pl.DataFrame:
    """Add the entities of linked questions, which are in the set's order (`corpora.counting.read_questions`).

    Raises InputError unless both have as many rows: entities of another split would give every question a wrong count.
    """
    if linked.height != table.height:
        raise InputError(f"linked questions: {linked.height} rows for {table.height} questions; need those of the same split")
    return table.with_columns(linked["q_entities"], linked["a_entities"])


def _rows(
    items: Iterable[dict[str, Any]], answers: Callable[[dict[str, Any]], list[str]], passage: str | None = None
) -> pl.DataFrame:
    rows = [(number, item["question"], answers(item), item[passage] if passage else None) for number, item in enumerate(items)]
    return pl.DataFrame(rows, ROWS, orient="row")
