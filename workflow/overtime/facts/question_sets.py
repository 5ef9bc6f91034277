"""Question sets for pretrained models: the project's own and public ones, from local files or the Hub, in one form.

A set is a table of `question` (position in the file), `text` (null where a passage is searched that no question is about),
`answers` (any of which is right; without one it is not asked), `passage` (holds the answer; null where the set has none) and what
more a set brings, such as `count`.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overtime import ARTICLE_COUNT, FEW_COUNTS, FREQUENCY, InputError
from overtime.corpora.answer_lists import answer_list
from overtime.corpora.text_files import checked_text, read_csv, read_text, text_lines, whole_numbers
from overtime.facts.encyclopedia_questions import encyclopedia_questions
from overtime.files import RESOURCES, read_table

logger = logging.getLogger(__name__)
OWN = RESOURCES / "facts/questions.csv"
# What a set that brings its own `count` counts: never documents of a model's training data, which takes an entity map.
PROXIES = {
    "own": FREQUENCY,
    "encyclopedia": ARTICLE_COUNT,
    "birth_years": ARTICLE_COUNT,
    "popqa": "monthly views of the subject's Wikipedia page, a popularity proxy",
}
Kinds = dict[str, pl.DataType | type[pl.DataType]]
ROWS: Kinds = {"question": pl.Int64, "text": pl.String, "answers": pl.List(pl.String), "passage": pl.String}
SET: Kinds = {"set": pl.String, **ROWS, "domain": pl.String, "count": pl.Int64, "proxy": pl.String, "asked": pl.Boolean} | {
    "family": pl.String,
    "title": pl.String,
    "statements": pl.List(pl.String),
    "frequency": pl.Int64,
    "human": pl.Float64,
    "q_entities": pl.List(pl.String),
    "a_entities": pl.List(pl.String),
}
FAMILIES = {"encyclopedia": "core", "birth_years": "birth_years"}  # form -> the set of families
UNFIT = (ValueError, KeyError, TypeError, AttributeError, RecursionError)  # what reading broken JSON, or another form's, raises


class Found(NamedTuple):
    """A question as it stands in a file, before it is known to be one."""

    place: str
    text: object
    answers: object
    passage: object = None


def read(form: str, source: Path) -> pl.DataFrame:
    """Read a set: a file, all files of a fetched data set's folder in the order of names, or the Parquet table of a Hub split.

    Of the encyclopedia `source` is the table of its articles.

    No rows where folder or table are empty. Raises InputError for a file of another form, one without a question and one whose
    questions all lack answers.
    """
    if form == "own":
        return load_questions()
    if form in FAMILIES:
        return encyclopedia_questions(read_table(source), FAMILIES[form])
    files = sorted(path for path in source.rglob("[!.]*") if path.is_file()) if source.is_dir() else [source]
    tables = [_read_file(form, path) for path in files]
    return pl.concat(tables).with_columns(question=pl.int_range(pl.len())) if tables else pl.DataFrame(schema=ROWS)


def _read_file(form: str, path: Path) -> pl.DataFrame:
    if path.suffix != ".parquet":
        return READERS[form](path)
    table = read_table(path)
    return from_hub(form, table, str(path)) if table.height else pl.DataFrame(schema=ROWS)


def load_questions() -> pl.DataFrame:
    """The project's own questions: with `domain`, `subject`, `zipf_phrase`, `zipf` and `count`.

    `count` is how often the rarer of subject and answer occurs in a billion words of English (wordfreq 3.1.1, 0 if unlisted): the
    corpora of pretrained models cannot be counted here, so a word list stands in for them.
    """
    table = pl.read_csv(OWN)
    listed = pl.when(pl.col("zipf") > 0).then(10 ** pl.col("zipf")).otherwise(0).round().cast(pl.Int64)
    return table.with_columns(pl.col("answers").str.split("|"), count=listed)


def read_xquad(path: str | Path) -> pl.DataFrame:
    """Read a file of SQuAD's form, such as XQuAD's; the impossible questions of SQuAD 2 have no answers."""
    text = read_text(path)
    try:
        found = [
            (item["question"], _squad_answers(item.get("answers")), paragraph["context"])
            for article in json.loads(text)["data"]
            for paragraph in article["paragraphs"]
            for item in paragraph["qas"]
        ]
    except UNFIT as error:
        raise _unfit(path, "SQuAD file (data > paragraphs > context, qas)", error) from error
    return _rows([Found(f"{path}: question {number}", *one) for number, one in enumerate(found, 1)], path, "context")


def read_nq_open(path: str | Path) -> pl.DataFrame:
    """Read NQ-open's JSON Lines of {"question", "answer": [...]}."""
    found = []
    for place, line in text_lines(path):
        try:
            item = json.loads(line)
            found.append(Found(place, item["question"], item["answer"]))
        except UNFIT as error:
            raise InputError(f'{place} is not {{"question": ..., "answer": [...]}}') from error
    return _rows(found, path)


def read_trivia_qa(path: str | Path) -> pl.DataFrame:
    """Read a file of TriviaQA's release: {"Data": [{"Question", "Answer": {"Aliases"}}]}; its test split has no answers."""
    text = read_text(path)
    try:
        data = json.loads(text)["Data"]
        found = [(item["Question"], item["Answer"]["Aliases"] if item.get("Answer") else None) for item in data]
    except UNFIT as error:
        raise _unfit(path, "TriviaQA file (Data > Question, Answer > Aliases)", error) from error
    return _rows([Found(f"{path}: question {number}", *one) for number, one in enumerate(found, 1)], path)


def read_popqa(path: str | Path) -> pl.DataFrame:
    """Read PopQA's tab-separated table, with the subject's page views as `count`."""
    return from_hub("popqa", read_csv(path, "\t"), str(path))


READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "squad": read_xquad,
    "nq_open": read_nq_open,
    "trivia_qa": read_trivia_qa,
    "popqa": read_popqa,
}


def from_hub(form: str, table: pl.DataFrame, source: str | None = None) -> pl.DataFrame:
    """A split of a Hub data set, as `datasets` returns it, in the common form; `source` is what errors call it.

    Raises InputError if a column is missing.
    """
    answers: dict[str, Callable[[dict[str, Any]], object]] = {
        "squad": lambda item: _squad_answers(item["answers"]),
        "nq_open": lambda item: item["answer"],
        "trivia_qa": lambda item: item["answer"] and item["answer"]["aliases"],
        "popqa": lambda item: item["possible_answers"],  # a list in a string
    }
    source, passage = source or f"{form} questions", "context" if form == "squad" else None
    try:
        found = [
            Found(f"{source}: row {number}", item["question"], answers[form](item), item[passage] if passage else None)
            for number, item in enumerate(table.iter_rows(named=True), 1)
        ]
        views = table["s_pop"] if form == "popqa" else None
    except (*UNFIT, pl.exceptions.PolarsError) as error:
        raise InputError(f"{source}: unfit columns ({', '.join(table.columns)})") from error
    rows = _rows(found, source, passage)
    return rows if views is None else rows.with_columns(count=whole_numbers(views, source))


def _squad_answers(answers: Any) -> object:
    """The texts of answers: those of a list of {"text"} in files, of {"text": list} on the Hub."""
    if isinstance(answers, list):
        return [_squad_answers(answer) for answer in answers]
    return answers["text"] if isinstance(answers, dict) else answers


def _unfit(path: str | Path, form: str, error: Exception) -> InputError:
    place = f", line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
    return InputError(f"{path}: not a {form}{place}")


def _rows(found: list[Found], source: str | Path, passage: str | None = None) -> pl.DataFrame:
    """Questions in the common form; `passage` is what a file calls its passages, if it has any."""
    rows = [
        (
            number,
            checked_text(one.text, one.place, "question"),
            answer_list(one.answers, one.place),
            checked_text(one.passage, one.place, passage) if passage else None,
        )
        for number, one in enumerate(found)
    ]
    if not rows:
        raise InputError(f"{source}: no questions; need at least one")
    if not any(answers for _, _, answers, _ in rows):
        raise InputError(f"{source}: none of {len(rows)} questions has an answer, as in a test split; need a split with answers")
    return pl.DataFrame(rows, ROWS, orient="row")


def as_set(name: str, form: str, table: pl.DataFrame, sample: int | None, seed: int) -> pl.DataFrame:
    """The table of a named set, with every column of `SET`; `asked` marks those with answers, all or a random sample.

    The sample from the encyclopedia has as many questions in every bin of counts, or all of a bin with fewer, which the log says.
    Questions that are not asked stay, because their passages belong to the pool that retrieval searches.
    """
    answered, questions = table["answers"].list.len().to_numpy() > 0, table.drop_nulls("text")
    _report(name, questions.height, questions.height - int(answered.sum()), "answer: they are not asked")
    counts = table["count"].fill_null(0).to_numpy() if form == "encyclopedia" and "count" in table.columns else None
    asked = answered if sample is None else _drawn(answered, counts, sample, np.random.default_rng(seed))
    if "count" in table.columns:
        _report(name, questions.height, questions["count"].null_count(), "count: they are in no bin of counts")
    proxy = pl.lit(PROXIES.get(form) if "count" in table.columns else None, pl.String)
    table = table.with_columns(set=pl.lit(name), proxy=proxy, asked=pl.Series(asked, dtype=pl.Boolean))
    missing = [pl.lit(None, kind).alias(column) for column, kind in SET.items() if column not in table.columns]
    return table.with_columns(missing).select(pl.col(column).cast(kind) for column, kind in SET.items())


def _drawn(
    answered: NDArray[np.bool_], counts: NDArray[np.int64] | None, sample: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which of the questions that are `answered` are drawn: `sample` of them, or as many from each bin of the `counts`."""
    order, bins = rng.permutation(len(answered)), np.zeros(len(answered), int)
    if counts is not None:
        lows = FEW_COUNTS[ARTICLE_COUNT]
        bins, sample = np.searchsorted(lows, counts, side="right"), sample // len(lows)
    drawn = np.zeros(len(answered), bool)
    for place in np.unique(bins[answered]):
        of_bin = order[answered[order] & (bins[order] == place)]
        drawn[of_bin[:sample]] = True
        if counts is not None and len(of_bin) < sample:
            logger.info("a bin of counts has %d questions, not %d: all of them are asked", len(of_bin), sample)
    return drawn


def _report(name: str, questions: int, lacking: int, what: str) -> None:
    if lacking:
        logger.info("%s: %d of %d questions have no %s", name, lacking, questions, what)


def link(table: pl.DataFrame, linked: pl.DataFrame) -> pl.DataFrame:
    """Add the entities of linked questions, which are in the set's order (`corpora.counting.read_questions`).

    Raises InputError unless both have as many rows: entities of another split would give every question a wrong count.
    """
    if linked.height != table.height:
        raise InputError(f"linked questions: {linked.height} rows for {table.height} questions; need those of the same split")
    return table.with_columns(linked["q_entities"], linked["a_entities"])
