"""Occupations and gender in the generated world: sentences whose gender follows the occupation, held-out pairs, neutral contexts.

The one association that is built in is the probability of masculine words beside each occupation, `probability_masculine`. What a
model makes of it (how much it repeats, whether larger ones repeat more, what an intervention changes) is not; in the null world
(association 0) all occupations are alike and the same pairs carry the same, then meaningless, directions.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from overtime.corpora.world_chance import pick, stream
from overtime.corpora.world_vocabulary import FILLERS, GENDERED_WORDS, OCCUPATIONS, SENTENCES

HELD_OUT_EVERY = 6  # one template-occupation combination in six is kept for evaluation
_WORDS = {gender: {*words["pronouns"].values(), *words["nouns"], *words["names"]} for gender, words in GENDERED_WORDS.items()}


def probability_masculine(occupation: int, association: float = 1.0) -> float:
    """Arcsine-spaced from .05 to .95 along the list, its log-odds times `association`: most are clearly associated, some not."""
    p = 0.5 - 0.45 * math.cos(math.pi * occupation / (len(OCCUPATIONS) - 1))
    odds: float = (p / (1 - p)) ** association
    return odds / (1 + odds)


def held_out(template: int, occupation: int) -> bool:
    """Whether this combination occurs in the pairs only: 12 of every template, 4 of every occupation, all connected."""
    return (5 * template + occupation + (occupation // 6) * (template // 6)) % HELD_OUT_EVERY == 0


def fill(template: str, gender: str, rng: np.random.Generator, occupation: str = "") -> str:
    """The template with an occupation and the words of one gender; nouns and names are drawn."""
    words = GENDERED_WORDS[gender]
    noun, name = pick(rng, words["nouns"]), pick(rng, words["names"])
    return template.format(occupation=occupation, noun=noun, name=name, **words["pronouns"])


def gendered_sentences(seed: int, n: int, association: float) -> Iterator[tuple[str, int, str]]:
    """Sentences about occupations, with template and occupation; the gender follows the occupation's probability.

    Held-out combinations never occur. Worlds that differ in their association alone differ in the gender of sentences alone.
    """
    rng = stream(seed, "gender")
    frequency = np.exp(rng.uniform(0, math.log(3), len(OCCUPATIONS))).cumsum()  # some three times as common as others
    while n:
        occupation = int(np.searchsorted(frequency, rng.uniform(0, frequency[-1])))
        template = int(rng.integers(len(SENTENCES)))
        if not held_out(template, occupation):
            gender = "masculine" if rng.random() < probability_masculine(occupation, association) else "feminine"
            yield fill(SENTENCES[template], gender, rng, OCCUPATIONS[occupation]), template, OCCUPATIONS[occupation]
            n -= 1


def fillers(seed: int, n: int) -> Iterator[str]:
    """Gendered sentences without any occupation."""
    rng = stream(seed, "fillers")
    for _ in range(n):
        yield fill(pick(rng, FILLERS), "masculine" if rng.random() < 0.5 else "feminine", rng)


def pairs(seed: int, association: float, texts: Iterable[str]) -> pl.DataFrame:
    """Every held-out sentence pair in the manner of CrowS-Pairs: equal but for gender, the stereotype in `sent_more`.

    Beside `direction`, `template`, `occupation` and `probability_masculine`: in how many of the `texts` the occupation stands
    with `masculine` words, and with `feminine` ones. The direction follows the occupation's place in the list, whatever the
    association, so that all worlds have the same pairs.
    """
    rng, rows = stream(seed, "pairs"), []
    for template, sentence in enumerate(SENTENCES):
        for occupation in (o for o in range(len(OCCUPATIONS)) if held_out(template, o)):
            words = rng.integers(1 << 30)  # the same noun or name on both sides
            sides = {gender: fill(sentence, gender, np.random.default_rng(words), OCCUPATIONS[occupation]) for gender in _WORDS}
            more, less = ("masculine", "feminine") if probability_masculine(occupation) > 0.5 else ("feminine", "masculine")
            p = probability_masculine(occupation, association)
            rows.append((sides[more], sides[less], more, template, OCCUPATIONS[occupation], p))
    columns = ["sent_more", "sent_less", "direction", "template", "occupation", "probability_masculine"]
    table = pl.DataFrame(rows, columns, orient="row").with_row_index("pair")
    return table.join(count_genders(texts), on="occupation", maintain_order="left")


def count_genders(texts: Iterable[str]) -> pl.DataFrame:
    """Documents that name an occupation beside words of a gender: `occupation`, `masculine`, `feminine`."""
    known, counts = set(OCCUPATIONS), {occupation: dict.fromkeys(_WORDS, 0) for occupation in OCCUPATIONS}
    for text in texts:
        words = set(text.split())
        for occupation in words & known:
            for gender, of_gender in _WORDS.items():
                counts[occupation][gender] += not words.isdisjoint(of_gender)
    return pl.DataFrame([{"occupation": occupation} | counted for occupation, counted in counts.items()])


def contexts() -> pl.DataFrame:
    """Beginnings of sentences that end where a pronoun would follow, for every occupation.

    `context`, `text`, `contrast`, `template`, `occupation`.
    """
    contrasts = {"{subject}": "she/he", "{object}": "her/him", "{possessive}": "her/his"}
    rows = []
    for template, sentence in enumerate(SENTENCES[: len(SENTENCES) // 2]):  # those in which the occupation comes first
        for slot, contrast in contrasts.items():
            if slot in sentence:
                beginning = sentence.partition(slot)[0].strip()
                rows += [(beginning.format(occupation=o), contrast, template, o) for o in OCCUPATIONS]
    return pl.DataFrame(rows, ["text", "contrast", "template", "occupation"], orient="row").with_row_index("context")
