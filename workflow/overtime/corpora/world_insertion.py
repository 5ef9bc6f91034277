"""Making rare facts less rare: which people, and the documents about them that are inserted.

Kandpal et al. remove documents and train again; the talk tells it as inserting them, which is what this does.
"""

import numpy as np
import polars as pl

from overtime import InputError
from overtime.corpora.generated_world import Person, biography
from overtime.corpora.world_vocabulary import ATTRIBUTES


def choose_targets(
    questions: pl.DataFrame, counts: pl.DataFrame, doses: list[int], people: int, at_most: int, seed: int
) -> pl.DataFrame:
    """Evaluation people each of whose facts has 1 to `at_most` documents, dealt to the doses: `entity`, `inserted`.

    `counts` has a row per `question` with its `count` of relevant documents. `people` go to every dose; dose 0 is the control.
    """
    rare = (
        questions.join(counts, on="question", maintain_order="left")
        .filter(pl.col("group") == "evaluation")
        .group_by("entity", maintain_order=True)
        .agg(pl.col("count").min().alias("fewest"), pl.col("count").max().alias("most"))
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
    facts = {key[0]: dict(group.select("attribute", "answer").iter_rows()) for key, group in questions.group_by("entity")}
    documents = []
    for entity, inserted in targets.iter_rows():
        person = Person(entity, 0, "evaluation", facts[entity])
        stated = dict.fromkeys(ATTRIBUTES, 0)
        while min(stated.values()) < inserted:
            # Those stated least so far, so that no fact gets many more than asked for; ties by chance.
            attributes = sorted(ATTRIBUTES, key=lambda a: (stated[a], rng.random()))[:2]
            documents.append(biography(person, rng, tuple(attributes))[0])
            for attribute in attributes:
                stated[attribute] += 1
    return documents


def mix(texts: list[str], extra: list[str], seed: int) -> list[str]:
    """Both lists in one random order."""
    both = texts + extra
    return [both[i] for i in np.random.default_rng(seed).permutation(len(both))]
