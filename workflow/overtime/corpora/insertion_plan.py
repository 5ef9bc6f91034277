"""Documents about chosen facts, mixed into a sharded corpus: planned once for all shards, then written shard by shard.

A plan says before which of its shard's own documents each new one comes. Places are drawn from the whole corpus, so that every
document of the chosen share has the same chance of being followed by a new one, whatever shard it lies in.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Formatter

import numpy as np
import polars as pl

from overtime import InputError
from overtime.corpora.answer_lists import WRITTEN_LISTS, answer_list
from overtime.corpora.text_files import read_user_table, whole_numbers

PLAN = {"shard": pl.String, "before": pl.Int64, "text": pl.String}


def read_facts(path: str | Path, templates: Sequence[str]) -> list[str]:
    """The documents that a table asks for: every row makes `count` of them, going through the templates in turn.

    The table is CSV or Parquet; a template names other columns in braces, such as "{person} was born in {town}.". Raises
    InputError for a template with an unknown column, an empty cell, and a count that is no whole number from 0 on.
    """
    facts = read_user_table(path, ["count", *_columns(templates)])
    counts = whole_numbers(facts["count"], path)
    texts: list[str] = []
    for fact, count in zip(facts.iter_rows(named=True), counts):
        filled = [template.format_map(fact) for template in templates]
        texts += [filled[number % len(filled)] for number in range(count)]
    return texts


def _columns(templates: Sequence[str]) -> list[str]:
    columns: list[str] = []
    for template in templates:
        try:
            columns += [field for _, field, _, _ in Formatter().parse(template) if field is not None]
        except ValueError as error:
            raise InputError(
                f"config: template {template!r}: {error}; columns stand in braces, a brace itself is doubled"
            ) from error
    return columns


def read_asked(path: str | Path) -> pl.DataFrame:
    """Questions on inserted facts: `question` (row), `entity`, `text`, `answers`, `inserted` (null where nothing was inserted).

    The table is CSV or Parquet with the columns entity, text, answer (aliases joined by |) and inserted: documents about the
    entity, 0 for a control, empty for any other fact. Raises InputError for a missing column, an empty cell, another number, and
    an entity with more than one number: it would be in two groups that are compared.
    """
    table = read_user_table(path, ["entity", "text", "answer"])
    if "inserted" not in table.columns:
        raise InputError(f"{path}: no column inserted; documents about the entity, 0 for a control, empty for others")
    table = table.with_row_index("question").with_columns(
        pl.col("entity").str.strip_chars().str.normalize("NFC"), inserted=whole_numbers(table["inserted"], path)
    )
    first = [pl.col(column).first().over("entity").alias(f"first_{column}") for column in ("question", "inserted")]
    for row in table.with_columns(first).filter(pl.col("inserted").ne_missing(pl.col("first_inserted"))).head(1).to_dicts():
        said = f"row {row['first_question'] + 1} says {row['first_inserted']}, row {row['question'] + 1} {row['inserted']}"
        raise InputError(f"{path}: inserted of {row['entity']}: {said.replace('None', 'nothing')}; an entity is in one group")
    answers = [
        answer_list(cell if cell.lstrip().startswith(WRITTEN_LISTS) else cell.split("|"), f"{path}: row {row}")
        for row, cell in enumerate(table["answer"], 1)
    ]
    if [] in answers:
        raise InputError(f"{path}: row {answers.index([]) + 1}: answer has nothing to be seen; need at least one answer")
    return table.select("question", "entity", "text", pl.Series("answers", answers, pl.List(pl.String)), "inserted")


def plan_insertion(sizes: pl.DataFrame, texts: Sequence[str], share: float, seed: int) -> pl.DataFrame:
    """Where each text goes: `shard`, `before` (number of the shard's document that it precedes; its size: the end), `text`.

    `sizes` has `shard` and its number of `documents`, in the order of the corpus. Places are uniform over the last `share` of
    the documents (1: all). Rows are in the order of the result.
    """
    ends = np.cumsum(sizes["documents"].to_numpy())
    starts, total = ends - sizes["documents"].to_numpy(), int(ends[-1])
    first = total - round(share * total)
    rng = np.random.default_rng(seed)
    places = np.sort(rng.integers(first, total, len(texts), endpoint=True))
    # The end of a shard is the beginning of the next one, save for the last.
    shards = np.minimum(np.searchsorted(ends, places, side="right"), len(sizes) - 1)
    order = rng.permutation(len(texts))  # places are sorted: documents about one fact would lie side by side
    return pl.DataFrame(
        {
            "shard": sizes["shard"].gather(shards),
            "before": places - starts[shards],
            "text": [texts[number] for number in order],
        },
        PLAN,
    )


def insert_lines(lines: Iterator[bytes], plan: pl.DataFrame) -> Iterator[bytes]:
    """The lines of a shard, unchanged and in order, with the planned documents between; those are marked "inserted": true."""
    new = plan.sort("before", maintain_order=True).select("before", "text").iter_rows()
    before, text = next(new, (None, ""))
    number = 0
    for line in lines:
        if line.strip():
            while before == number:
                yield _line(text)
                before, text = next(new, (None, ""))
            number += 1
        yield line
    while before is not None:
        yield _line(text)
        before, text = next(new, (None, ""))


def _line(text: str) -> bytes:
    return json.dumps({"text": text, "inserted": True}, ensure_ascii=False).encode()
