"""Questions of the generated world: those that are asked, those that the corpus answers, and reading exercises."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from overtime.corpora.world_chance import pick, stream
from overtime.corpora.world_people import People, biography
from overtime.corpora.world_vocabulary import ATTRIBUTES, QUESTION_CUE, QUESTIONS, READING_CUE


def ask(name: str, attribute: str, rng: np.random.Generator) -> str:
    """A question about one attribute in one of its wordings."""
    return "question : " + pick(rng, QUESTIONS[attribute]).format(name)


def questions(people: People) -> pl.DataFrame:
    """One question per person and attribute, answered by one word.

    `question`, `entity` (who is meant), `name` (in the documents), `asked_as` (in the question: the name, or the alias),
    `attribute`, `text`, `answer`, `former` (what a changed fact was before, else null), `group`. How often facts are stated is
    not told: counting is a step of its own.
    """
    rows = []
    for index, person in enumerate(people.everyone):
        for attribute in ATTRIBUTES:
            wording = QUESTIONS[attribute][index % len(QUESTIONS[attribute])].format(person.asked_as)
            text = f"question : {wording} {QUESTION_CUE}"
            former = person.former[attribute] if attribute in person.changed else None
            names = person.entity, person.name, person.asked_as
            rows.append((*names, attribute, text, person.facts[attribute], former, person.group))
    columns = ["entity", "name", "asked_as", "attribute", "text", "answer", "former", "group"]
    return pl.DataFrame(rows, dict.fromkeys(columns, pl.String), orient="row").with_row_index("question")


def question_documents(people: People, stated: Mapping[tuple[str, str], int], share: float) -> Iterator[str]:
    """Questions with answers about the training group: one, and a further `share` of the times the fact is stated."""
    rng = stream(people.seed, "questions")
    for person in people.everyone:
        for attribute in ATTRIBUTES if person.group == "training" else ():
            for _ in range(1 + int(share * stated.get((person.entity, attribute), 0))):
                yield f"{ask(person.asked_as, attribute, rng)} {QUESTION_CUE} {person.facts[attribute]} ."


def reading_documents(people: People, n: int) -> Iterator[str]:
    """A passage about a stranger and two questions that it answers."""
    rng = stream(people.seed, "reading")
    for _ in range(n):
        stranger = people.stranger(rng)
        passage = biography(stranger, rng)
        asked = [
            f"{ask(stranger.asked_as, a, rng)} {READING_CUE} {stranger.facts[a]} ." for a in rng.permutation(passage.attributes)
        ]
        yield " ".join([f"passage : {passage.text}", *asked])
