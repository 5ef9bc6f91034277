"""Facts that a pretrained model lacks: which of them get documents, what these say, and what is asked before and after."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from overtime import InputError
from overtime.facts.ask_pretrained import closed_book_prompts


def lacking_facts(
    questions: pl.DataFrame, answers: pl.DataFrame, doses: Sequence[int], facts: int, seed: int, name: str
) -> pl.DataFrame:
    """Draw `facts` questions for each dose among those answered wrongly closed book: their rows, and `inserted`, the dose.

    questions: a set of format encyclopedia, with `title` and `statements`; answers: `condition`, `question`, `correct`. An
    article gives one fact at most, so that documents about one do not speak of another. Raises InputError, beginning with `name`,
    where too few are lacking.
    """
    wrong = answers.filter(pl.col("condition") == "closed_book", ~pl.col("correct"))
    lacked = questions.filter(pl.col("statements").list.len() > 0).join(wrong, on="question", how="semi", maintain_order="left")
    drawn = lacked[np.random.default_rng(seed).permutation(lacked.height)].unique("title", keep="first", maintain_order=True)
    needed = facts * len(doses)
    if drawn.height < needed:
        had = f"{drawn.height} facts of different articles are lacking, not {needed} ({facts} for each of {len(doses)} doses)"
        raise InputError(f"{name}: {had}; ask for fewer, or ask more questions of the set")
    return drawn.head(needed).with_columns(inserted=pl.Series(np.repeat(doses, facts), dtype=pl.Int64))


def documents_about(chosen: pl.DataFrame) -> pl.DataFrame:
    """`text` and `count` of the documents about each fact of `lacking_facts`: its statements, in turn, as many as its dose."""
    rows = [
        (text, dose // len(statements) + (place < dose % len(statements)))
        for statements, dose in chosen.select("statements", "inserted").iter_rows()
        for place, text in enumerate(statements)
    ]
    return pl.DataFrame(rows, {"text": pl.String, "count": pl.Int64}, orient="row")


def questions_about(chosen: pl.DataFrame, elsewhere: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What is asked, in the form of `insertion_plan.read_asked`: the facts, and every question of the sets `elsewhere`.

    `text` is the closed-book prompt. Sets have `question`, `text`, `answers`, `asked`.
    """
    tables = [chosen.select("title", "text", "answers", "inserted").rename({"title": "entity"})]
    for name, questions in elsewhere.items():
        asked = questions.filter("asked").with_columns(entity=pl.format("{}: {}", pl.lit(name), "question"))
        tables.append(asked.select("entity", "text", "answers", inserted=pl.lit(None, pl.Int64)))
    table = pl.concat(tables)
    prompts = pl.Series(closed_book_prompts(table["text"].to_list()), dtype=pl.String)
    return table.select("entity", text=prompts, answer=pl.col("answers").list.join("|"), inserted="inserted")
