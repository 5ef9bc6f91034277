"""Making rare facts less rare: which people, and the documents about them that are inserted.

Kandpal et al. remove documents and train again; the talk tells it as inserting them, which is what this does.
"""

import numpy as np
import polars as pl

from overtime import InputError
from overtime.corpora.world_people import Person, biography
from overtime.corpora.world_vocabulary import ATTRIBUTES


def choose_targets(
    questions: pl.DataFrame, counts: pl.DataFrame, doses: list[int], people: int, at_most: int, seed: int
) -> pl.DataFrame:
    """Evaluation people each of whose facts 1 to `at_most` documents state, dealt to the doses: `entity`, `inserted`.

    `counts` has a row per `question` with the `statements` of its fact. `people` go to every dose; dose 0 is the control.
    """
    rare = (
        questions.join(counts, on="question", maintain_order="left")
        .filter(pl.col("group") == "evaluation")
        .group_by("entity", maintain_order=True)
        .agg(pl.col("statements").min().alias("fewest"), pl.col("statements").max().alias("most"))
        .filter(pl.col("fewest") >= 1, pl.col("most") <= at_most)["entity"]
        .to_list()
    )
    if len(rare) < people * len(doses):
        raise InputError(
            f"config: insertion.people: {people} for each of {len(doses)} doses, but only {len(rare)} people qualify"
        )
    drawn = [rare[i] for i in np.random.default_rng(seed).permutation(len(rare))[: people * len(doses)]]
    return pl.DataFrame({"entity": drawn, "inserted": [dose for dose in doses for _ in range(people)]})


def inserted_documents(questions: pl.DataFrame, targets: pl.DataFrame, seed: int) -> list[str]:
    """Documents about each target until every one of its facts is stated in `inserted` new ones; each states two facts."""
    rng = np.random.default_rng(seed)
    described = {key[0]: _person(group) for key, group in questions.group_by("entity")}
    documents = []
    for entity, inserted in targets.iter_rows():
        stated = dict.fromkeys(ATTRIBUTES, 0)
        while min(stated.values()) < inserted:
            # Those stated least so far, so that no fact gets many more than asked for; ties by chance.
            attributes = sorted(ATTRIBUTES, key=lambda a: (stated[a], rng.random()))[:2]
            documents.append(biography(described[entity], rng, attributes).text)
            for attribute in attributes:
                stated[attribute] += 1
    return documents


def _person(questions: pl.DataFrame) -> Person:
    """The person whom these questions are about."""
    facts, former = (dict(questions.select("attribute", column).drop_nulls().iter_rows()) for column in ("answer", "former"))
    entity, name, group = questions.select("entity", "name", "group").row(0)
    return Person(entity, name, 0, group, facts, former, frozenset(former))


def mix(texts: list[str], extra: list[str], seed: int) -> list[str]:
    """Both lists in one random order."""
    both = texts + extra
    return [both[i] for i in np.random.default_rng(seed).permutation(len(both))]
