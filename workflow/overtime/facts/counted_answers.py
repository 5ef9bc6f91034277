"""Answers beside how often the training data state the fact: what the tables of figures 3 and 5 are made from.

A row per model, condition and question: `set`, `corpus`, `counted`, `model`, `condition`, `question`, `unit`, `correct`, `hit`
(a passage was shown that holds the answer), `own` (the question's own was; all three shares, the mean over seeds), `count`, and of
questions from an encyclopedia `family` and `frequency`, a second proxy. `counted` says what `count` counts; `corpus` names the corpus whose documents were
counted, null where a stated proxy stands in for them or nothing is known. `unit` is what is independent: the entity of the suite
that several questions ask about, the passage that several questions of a set were written on, else the question. The entities
that a published set links to its questions do not say which of them a question is about.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from overtime import InputError
from overtime.files import require_unique
from overtime.tables import FREQUENCY, last_step, mean_over_seeds

SUITE = "suite"  # the generated questions, as the name of a set and of the corpus that they were counted in
DOCUMENTS = "relevant documents in {}"
STATED = "documents of the training data that state the fact"
KEY = ["set", "corpus", "counted", "model"]
FIELDS = dict.fromkeys([*KEY, "condition"], pl.String) | {"question": pl.Int64, "unit": pl.String}
FIELDS |= {"correct": pl.Float64, "hit": pl.Float64, "own": pl.Float64, "count": pl.Int64}
FIELDS |= {"family": pl.String, "frequency": pl.Int64}
EVIDENCE = pl.when(pl.col("corpus").is_null() & pl.col("counted").is_not_null()).then(pl.lit("proxy")).otherwise(pl.lit("measured"))
ANSWERED = {"set": pl.String, "model": pl.String, "condition": pl.String, "question": pl.Int64} | {
    "correct": pl.Boolean,
    "hit": pl.Boolean,
    "own": pl.Boolean,
}
MAY_LACK = {"passage": pl.String, "family": pl.String, "frequency": pl.Int64}
ASKED = {"set": pl.String, "question": pl.Int64, "count": pl.Int64, "proxy": pl.String, "human": pl.Float64} | MAY_LACK
COUNTED = {"set": pl.String, "corpus": pl.String, "question": pl.Int64, "count": pl.Int64}


def suite_answers(scores: Iterable[pl.DataFrame], questions: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Answers of the suite after the last step of every run, averaged over seeds; none where no model of it was asked.

    scores: tables of one arm, with `condition`, `hit` and `own` or closed book; questions: `question`, `entity`; counts: `question`,
    `statements`. The count is that of the documents that state the fact, as they were generated: looking for names in the text
    also counts documents that state nothing, and a namesake's, and misses those by the last name alone. An own passage
    states the fact of this very person. Raises InputError for a question without a count.
    """
    tables = list(scores)
    if not tables:
        return pl.DataFrame(schema=FIELDS)
    table = last_step(pl.concat(tables, how="diagonal_relaxed"))
    if "condition" not in table.columns:
        table = table.with_columns(condition=pl.lit("closed_book"), hit=pl.lit(None, pl.Boolean), own=pl.lit(None, pl.Boolean))
    by = ["model", "condition"]
    require_unique(table, ["seed", *by, "question"], "answers of the suite")
    require_unique(counts, ["question"], "counts")
    require_unique(questions, ["question"], "questions of the suite")
    shown = mean_over_seeds(table, by, "hit").join(mean_over_seeds(table, by, "own"), on=[*by, "question"])
    table = mean_over_seeds(table, by, "correct").join(shown, on=[*by, "question"], maintain_order="left")
    table = table.join(counts.select("question", count="statements"), on="question", how="left", maintain_order="left")
    lost = table.filter(pl.col("count").is_null())["question"].unique().sort()
    if len(lost):
        raise InputError(f"counts: no count for {len(lost)} questions, the first being question {lost[0]}")
    table = table.join(questions.select("question", unit="entity"), on="question", how="left", maintain_order="left")
    if table["unit"].null_count():
        lost = table.filter(pl.col("unit").is_null())["question"]
        raise InputError(f"questions of the suite: no entity of question {lost[0]}, which was answered")
    identity = {"set": pl.lit(SUITE), "corpus": pl.lit(SUITE), "counted": pl.lit(STATED)}
    identity |= {"family": pl.lit(None, pl.String), "frequency": pl.lit(None, pl.Int64)}
    return table.with_columns(**identity).select(list(FIELDS))


def set_answers(
    answers: Iterable[pl.DataFrame],
    questions: Iterable[pl.DataFrame],
    counts: Iterable[pl.DataFrame],
    corpora: Mapping[str, str | None],
) -> pl.DataFrame:
    """Answers of pretrained models to question sets, and of people where a set has annotators (`model` null).

    Tables have the columns of `ANSWERED`, `ASKED` (those of `MAY_LACK` may be left out) and `COUNTED`, one or more for a set; corpora: the
    corpus of each model. The count is that of the model's corpus; where there is none, the set's own proxy; else null.
    """
    questions = (table.with_columns(pl.lit(None).alias(name) for name in MAY_LACK if name not in table.columns) for table in questions)
    shown, asked, known = (_all(*tables) for tables in ((answers, ANSWERED), (questions, ASKED), (counts, COUNTED)))
    require_unique(shown, ["set", "model", "condition", "question"], "answers")
    require_unique(asked, ["set", "question"], "questions")
    require_unique(known, ["set", "corpus", "question"], "counts")
    corpus = pl.DataFrame(list(corpora.items()), {"model": pl.String, "corpus": pl.String}, orient="row")
    shown = shown.join(corpus, on="model", how="left", maintain_order="left")
    people = asked.drop_nulls("human").select("set", "question", condition=pl.lit("human"), correct="human")
    panels = shown.select("set", "corpus").unique(maintain_order=True)  # people are drawn in every panel of their set
    rows = pl.concat([shown, people.join(panels, on="set", maintain_order="left")], how="diagonal_relaxed")
    rows = rows.join(known.rename({"count": "documents"}), on=["set", "corpus", "question"], how="left", maintain_order="left")
    rows = rows.join(asked.drop("human"), on=["set", "question"], how="left", maintain_order="left")
    mapped = pl.col("documents").is_not_null()
    return rows.with_columns(
        corpus=pl.when(mapped).then("corpus"),
        counted=pl.when(mapped).then(pl.format(DOCUMENTS, "corpus")).otherwise("proxy"),
        count=pl.coalesce("documents", "count"),
        unit=pl.coalesce("passage", pl.col("question").cast(pl.String)),
        correct=pl.col("correct").cast(pl.Float64),
        hit=pl.col("hit").cast(pl.Float64),
        own=pl.col("own").cast(pl.Float64),
    ).select(list(FIELDS))


def by_frequency(answers: pl.DataFrame) -> pl.DataFrame:
    """The answers to questions with a `frequency` beside their count, above that."""
    known = answers.drop_nulls("frequency")
    return known.with_columns(corpus=pl.lit(None, pl.String), counted=pl.lit(FREQUENCY), count="frequency")


def on_same_questions(answers: pl.DataFrame, panel: list[str], curve: str) -> pl.DataFrame:
    """Answers to the questions that every `curve` of their `panel` (columns) has, so that curves do not differ by what was asked.

    A question is lacking in a curve if its prompt did not fit or it has no passage. People, who answered fewer, stay as they are.
    Raises InputError for a panel whose curves have no question in common.
    """
    asked = answers.drop_nulls("model").select(*panel, curve, "question").unique()
    curves = pl.col(curve).n_unique()
    shared = asked.filter(curves.over(*panel, "question") == curves.over(panel))
    if lost := asked.join(shared, on=panel, how="anti", nulls_equal=True).rows(named=True):
        names = ", ".join(sorted({row[curve] for row in lost}))
        raise InputError(f"answers to {lost[0]['set']}: no question was answered in all of {names}; ask them the same questions")
    kept = shared.select(*panel, "question").unique()
    same = answers.join(kept, on=[*panel, "question"], how="semi", nulls_equal=True, maintain_order="left")
    return pl.concat([same, answers.filter(pl.col("model").is_null())])


def _all(tables: Iterable[pl.DataFrame], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=schema), *(table.select(list(schema)) for table in tables)], how="vertical_relaxed")
