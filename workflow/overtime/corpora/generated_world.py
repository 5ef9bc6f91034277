"""The generated corpus of the mini scale, with its ground truth.

A small world of English-like sentences over a few hundred words, so that models of a few hundred thousand parameters can learn
from it in a minute: occupations with a graded gender association (what CrowS-Pairs measures), people with facts that are
stated in a known number of documents (what Kandpal et al. count), and short reading exercises (what retrieval needs).
Everything follows from the settings and one seed.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from overtime import InputError
from overtime.corpora.world_vocabulary import (
    ATTRIBUTES,
    FILLERS,
    GENDERED_WORDS,
    OCCUPATIONS,
    QUESTION_CUE,
    QUESTIONS,
    READING_CUE,
    SENTENCES,
    STATEMENTS,
)

_CONSONANTS, _VOWELS = list("bdfgklmnprstvz"), list("aeiou")
_ENGLISH = {word for frame in (*SENTENCES, *FILLERS) for word in frame.split()} | set(OCCUPATIONS)
HELD_OUT_EVERY = 6  # one template-occupation combination in six is kept for evaluation


@dataclass(frozen=True)
class Person:
    """An invented person: `mentions` documents state two of the three facts each."""

    name: str
    mentions: int
    group: str  # "training": its questions occur in the corpus; "evaluation": they never do
    facts: dict[str, str] = field(hash=False)


class GeneratedWorld:
    """Draws documents, pairs and questions; each kind has its own random stream, so that one can change without the others."""

    def __init__(self, seed: int, people_per_bin: dict[str, int], values_per_attribute: int, first_names: int, last_names: int):
        """`people_per_bin` maps a range of document counts such as "8-15" to a number of people."""
        self.seed = seed
        rng = self.stream("people")
        words = invent_words(rng, first_names + last_names + values_per_attribute * len(ATTRIBUTES))
        first, last = words[:first_names], words[first_names : first_names + last_names]
        values = np.array(words[first_names + last_names :]).reshape(len(ATTRIBUTES), values_per_attribute)
        self.values = dict(zip(ATTRIBUTES, values.tolist()))
        names = [f"{a} {b}" for a in first for b in last]
        rng.shuffle(names)
        self.people = [self._person(names.pop(), i, low, high, rng) for low, high, n in _bins(people_per_bin) for i in range(n)]
        self.strangers = names  # never described in biographies: the people of the reading exercises

    def stream(self, purpose: str) -> np.random.Generator:
        """A random stream of its own for each purpose."""
        # Not hash(), which differs from process to process.
        return np.random.default_rng([self.seed, *purpose.encode()])

    def _person(self, name: str, index: int, low: int, high: int, rng: np.random.Generator) -> Person:
        mentions = int(math.exp(rng.uniform(math.log(low), math.log(high + 1))))  # log-uniform over whole numbers
        facts = {a: pick(rng, v) for a, v in self.values.items()}
        # In turn, so that every bin is divided evenly between the groups.
        return Person(name, min(max(mentions, low), high), "training" if index % 2 else "evaluation", facts)

    def gendered_sentences(self, n: int) -> Iterator[str]:
        """Sentences about occupations; the gender follows the occupation's probability, held-out combinations never occur."""
        rng = self.stream("gender")
        frequency = np.exp(rng.uniform(0, math.log(3), len(OCCUPATIONS))).cumsum()  # some three times as common as others
        while n:
            occupation = int(np.searchsorted(frequency, rng.uniform(0, frequency[-1])))
            template = int(rng.integers(len(SENTENCES)))
            if not held_out(template, occupation):
                gender = "masculine" if rng.random() < probability_masculine(occupation) else "feminine"
                yield fill(SENTENCES[template], gender, rng, OCCUPATIONS[occupation])
                n -= 1

    def fillers(self, n: int) -> Iterator[str]:
        """Gendered sentences without any occupation."""
        rng = self.stream("fillers")
        for _ in range(n):
            yield fill(pick(rng, FILLERS), "masculine" if rng.random() < 0.5 else "feminine", rng)

    def biographies(self) -> Iterator[tuple[Person, str, tuple[str, ...]]]:
        """Every document about a person: (person, text, the two attributes it states)."""
        rng = self.stream("biographies")
        for person in self.people:
            for _ in range(person.mentions):
                yield person, *biography(person, rng)

    def question_documents(self, stated: dict[tuple[str, str], int], share: float) -> Iterator[str]:
        """Questions with answers about the training group: one, and a further `share` of the times the fact is stated."""
        rng = self.stream("questions")
        for person in self.people:
            for attribute in ATTRIBUTES if person.group == "training" else ():
                for _ in range(1 + int(share * stated.get((person.name, attribute), 0))):
                    yield f"{ask(person.name, attribute, rng)} {QUESTION_CUE} {person.facts[attribute]} ."

    def reading_documents(self, n: int) -> Iterator[str]:
        """A passage about a stranger and one or two questions that it answers."""
        rng = self.stream("reading")
        for _ in range(n):
            facts = {a: pick(rng, v) for a, v in self.values.items()}
            stranger = Person(pick(rng, self.strangers), 0, "stranger", facts)
            text, stated = biography(stranger, rng)
            asked = [f"{ask(stranger.name, a, rng)} {READING_CUE} {facts[a]} ." for a in rng.permutation(stated)]
            yield " ".join([f"passage : {text}", *asked])

    def documents(self, gendered: int, fillers: int, reading: int, question_share: float) -> pl.DataFrame:
        """The whole corpus in training order: `document` (position), `kind`, `text`."""
        biographies = list(self.biographies())
        stated: dict[tuple[str, str], int] = {}
        for person, _, attributes in biographies:
            for attribute in attributes:
                stated[person.name, attribute] = stated.get((person.name, attribute), 0) + 1
        kinds = {
            "gender": self.gendered_sentences(gendered),
            "filler": self.fillers(fillers),
            "biography": (text for _, text, _ in biographies),
            "question": self.question_documents(stated, question_share),
            "reading": self.reading_documents(reading),
        }
        table = pl.DataFrame([(kind, text) for kind, texts in kinds.items() for text in texts], ["kind", "text"], orient="row")
        return table[self.stream("order").permutation(table.height)].with_row_index("document")

    def pairs(self, feminine_share: float) -> pl.DataFrame:
        """Held-out sentence pairs in the manner of CrowS-Pairs: equal but for gender, the stereotype in `sent_more`.

        Pairs whose stereotype is masculine are left out at random until `feminine_share` of the rest is feminine.
        """
        rng, rows = self.stream("pairs"), []
        for template, sentence in enumerate(SENTENCES):
            for occupation in (o for o in range(len(OCCUPATIONS)) if held_out(template, o)):
                p = probability_masculine(occupation)
                words = rng.integers(1 << 30)  # the same noun or name on both sides
                masculine, feminine = (
                    fill(sentence, gender, np.random.default_rng(words), OCCUPATIONS[occupation])
                    for gender in ("masculine", "feminine")
                )
                more, less = (masculine, feminine) if p > 0.5 else (feminine, masculine)
                direction = "masculine" if p > 0.5 else "feminine"
                rows.append((more, less, direction, template, OCCUPATIONS[occupation], p))
        columns = ["sent_more", "sent_less", "direction", "template", "occupation", "probability_masculine"]
        pairs = pl.DataFrame(rows, columns, orient="row").with_row_index("pair")
        kept, thinned = pairs.filter(direction="feminine"), pairs.filter(direction="masculine")
        keep = min(round(kept.height * (1 / feminine_share - 1)), thinned.height)
        return pl.concat([kept, thinned[np.sort(rng.permutation(thinned.height)[:keep])]])

    def contexts(self) -> pl.DataFrame:
        """Beginnings of sentences that end where a pronoun would follow, for every occupation: `text`, `contrast`."""
        contrasts = {"{subject}": "she/he", "{object}": "her/him", "{possessive}": "her/his"}
        rows = []
        for sentence in SENTENCES[: len(SENTENCES) // 2]:  # those in which the occupation comes first
            for slot, contrast in contrasts.items():
                if slot in sentence:
                    rows += [(sentence.partition(slot)[0].format(occupation=o).strip(), contrast) for o in OCCUPATIONS]
        return pl.DataFrame(rows, ["text", "contrast"], orient="row").with_row_index("context")

    def questions(self) -> pl.DataFrame:
        """One question per person and attribute, answered by one word; `stated` is not told: counting is a step of its own."""
        rows = []
        for index, person in enumerate(self.people):
            for attribute in ATTRIBUTES:
                wording = QUESTIONS[attribute][index % len(QUESTIONS[attribute])].format(person.name)
                text = f"question : {wording} {QUESTION_CUE}"
                rows.append((person.name, attribute, text, person.facts[attribute], person.group))
        return pl.DataFrame(rows, ["entity", "attribute", "text", "answer", "group"], orient="row").with_row_index("question")


def probability_masculine(occupation: int) -> float:
    """Arcsine-spaced from .05 to .95 along the list: most occupations are clearly associated, some are not."""
    return 0.5 - 0.45 * math.cos(math.pi * occupation / (len(OCCUPATIONS) - 1))


def held_out(template: int, occupation: int) -> bool:
    """Whether this combination occurs in the pairs only; spread evenly over templates and occupations."""
    return (template * 5 + occupation) % HELD_OUT_EVERY == 0


def fill(template: str, gender: str, rng: np.random.Generator, occupation: str = "") -> str:
    """The template with an occupation and the words of one gender; nouns and names are drawn."""
    words = GENDERED_WORDS[gender]
    noun, name = pick(rng, words["nouns"]), pick(rng, words["names"])
    return template.format(occupation=occupation, noun=noun, name=name, **words["pronouns"])


def biography(person: Person, rng: np.random.Generator, attributes: tuple[str, ...] = ()) -> tuple[str, tuple[str, ...]]:
    """One document about a person: the text and the two attributes (drawn unless given) that it states."""
    attributes = attributes or tuple(ATTRIBUTES[i] for i in rng.permutation(len(ATTRIBUTES))[:2])
    clauses = [pick(rng, STATEMENTS[a]).format(person.facts[a]) for a in attributes]
    return f"{person.name} {' and '.join(clauses)} .", attributes


def ask(name: str, attribute: str, rng: np.random.Generator) -> str:
    """A question about one attribute in one of its wordings."""
    return "question : " + pick(rng, QUESTIONS[attribute]).format(name)


def pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    """One of the options, all equally likely (numpy's choice converts the list every time and is ten times slower)."""
    return options[int(rng.integers(len(options)))]


def _bins(people_per_bin: dict[str, int]) -> Iterator[tuple[int, int, int]]:
    for name, people in people_per_bin.items():
        low, _, high = name.partition("-")
        yield int(low), int(high or low), people


def invent_words(rng: np.random.Generator, n: int) -> list[str]:
    """`n` distinct invented words of two or three open syllables, none of them a word of the frames."""
    words: dict[str, None] = {}
    for _ in range(100 * n):
        syllables = rng.integers(2, 4)
        word = "".join(str(rng.choice(_CONSONANTS) + rng.choice(_VOWELS)) for _ in range(syllables))
        word += str(rng.choice(["", "n", "r", "s", "l"]))
        if word not in _ENGLISH:
            words[word] = None
        if len(words) == n:
            return list(words)
    raise InputError(f"world: cannot invent {n} distinct words; ask for fewer names or values")
