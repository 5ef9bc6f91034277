"""Case study 2 on a real model that is trained further here: documents inserted about facts that it lacks, and what they cost.

A run with inserted documents is compared with its control, which read the same text without them: question by question, and on
text that neither was trained on, document by document. Runs on other stretches of text count as seeds. One model is judged: the
one with the most runs, then the first by name.
"""

import polars as pl

from overtime.claims.evidence import MissingEvidence, Sample, Tables, by_run
from overtime.claims.facts_answers import CHANGE, Scores
from overtime.claims.facts_quantities import gap_between, mean_score
from overtime.files import require_unique
from overtime.statistics import mean_of

FACT = ["question", "entity", "inserted"]


def continued_insertion_gain(tables: Tables) -> Sample:
    """Continued: change of accuracy on facts with the most documents inserted, minus that on facts with none."""
    scores = _answers(tables)
    dose = scores.items["inserted"]
    most = max(dose.drop_nulls())
    treated, control = ((dose == documents).fill_null(False).to_numpy() for documents in (most, 0))
    quantity = f"accuracy gain with {most} documents inserted, minus that with none"
    return gap_between(scores, CHANGE, treated, control, quantity, limits=(-2.0, 2.0))


def continued_insertion_others(tables: Tables) -> Sample:
    """Continued: change of accuracy on facts of which no document was inserted, and which were not drawn for it."""
    scores = _answers(tables)
    others = scores.only(scores.items["inserted"].is_null().to_numpy())
    return mean_score(others, "change of accuracy on other facts", lambda of: of[CHANGE])


def continued_insertion_loss(tables: Tables) -> Sample:
    """Continued: change of the negative log-likelihood of held-out text, in nats per token, the mean over its documents."""
    read = tables.read("continued_text", "run", "document", "length", "loss")
    per_token = read.select("run", "document", value=pl.col("loss") / pl.col("length"))
    runs = by_run(_changes(tables, per_token, ["document"]), ["document"], CHANGE)
    statistics = {model: list(map(mean_of, values)) for model, values in runs.of.items()}
    quantity = "change of loss on held-out text in nats per token"
    return Sample(quantity, {"documents": runs.items["document"].to_numpy()}, statistics, note=f"over {', '.join(runs.of)}")


def _answers(tables: Tables) -> Scores:
    """What every run with inserted documents changes; items have `inserted`, null for facts that were not drawn."""
    read = tables.read("continued_answers", "run", "asked", *FACT, "correct")
    changes = _changes(tables, read.select("run", "asked", *FACT, value=pl.col("correct").cast(pl.Float64)), FACT)
    runs = by_run(changes, ["question"], CHANGE)
    about = changes.select(FACT).unique("question", maintain_order=True)
    items = runs.items.join(about, on="question", how="left", maintain_order="left").rename({"entity": "unit"})
    return Scores(items, {CHANGE: runs.of}, "facts", note=f"over {', '.join(runs.of)}")


def _changes(tables: Tables, values: pl.DataFrame, item: list[str]) -> pl.DataFrame:
    """`model`, `seed`, `item` and `change`: the value of each run with inserted documents minus that of its control.

    values: `run`, `item`, `value`; with `asked`, the run whose facts were asked about, of which each pair has its own.
    """
    compared = tables.read("compared_runs", "run", "control", "model", "text", "seed")
    most = compared.group_by("model", "text").len().sort(-pl.col("len").cast(pl.Int64), "model", "text")
    own = compared.join(most.head(1), on=["model", "text"], how="semi")
    by, key, sides = ["model", "seed"], [name for name in ("run", "asked") if name in values.columns], []
    for side in ("run", "control"):
        of = own.select(*by, run=side, asked="run")
        sides.append(of.join(values, on=key).select(*by, *item, pl.col("value").alias(side)))
        require_unique(sides[-1], [*by, *item], f"scores of each {side}")
    both = sides[0].join(sides[1], on=[*by, *item], nulls_equal=True, maintain_order="left")
    if both.height < sides[0].height or both.is_empty():
        raise MissingEvidence("the control of a run with inserted documents was not asked all that it was asked")
    return both.select(*by, *item, (pl.col("run") - pl.col("control")).alias(CHANGE))
