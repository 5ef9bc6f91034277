"""People of the generated world: their names, facts, and the documents about them.

What is built in: how many documents state a person's facts (log-uniform within bins); how many name the person beside the value
of a fact and state nothing (log-uniform, independent of the former); that people may share a name, be called by the last name
alone, or have another name that one document tells; that some facts have changed, so that what states them also names a value
that no longer holds. What is not: that anything becomes easier or harder with the number of documents, save in the rising
passages, which nothing is trained on: there, facts of people with many documents have changed more often.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from overtime.corpora.world_chance import invent_words, log_uniform, pick, spread, stream
from overtime.corpora.world_vocabulary import ALSO_CALLED, ATTRIBUTES, CHANGES, COMENTIONS, STATEMENTS

INHABITED = ("seed", "people_per_bin", "values_per_attribute", "first_names", "last_names")  # settings that people follow from
_GROUPS = ("evaluation", "training")
SHARED, LAST_NAME_ONLY, ALIASED, CHANGED = 0.1, 0.1, 1 / 3, 0.3  # of people, the last of facts
RISING = (0.1, 0.6)  # shares of changed facts in the rising passages: of people with the fewest documents, with the most


@dataclass(frozen=True)
class Person:
    """An invented person: `mentions` documents state two of the three facts each."""

    entity: str  # the name, with a number where another person has it too
    name: str
    mentions: int
    group: str  # "training": the corpus answers questions about them; "evaluation": it never does; or "stranger"
    facts: dict[str, str] = field(hash=False)
    former: dict[str, str] = field(hash=False)  # what facts were before, told of those that have changed
    changed: frozenset[str] = frozenset()  # attributes
    rising: frozenset[str] = frozenset()  # the same in the rising passages
    alias: str | None = None  # a name that nobody has, with the same last name
    last_name_only: bool = False  # in half of the documents

    @property
    def asked_as(self) -> str:
        """The name in questions."""
        return self.alias or self.name


@dataclass(frozen=True)
class Biography:
    """A document that states two facts of a person: `text` in the corpus, `rising` where changes rise with documents."""

    person: Person
    text: str
    rising: str
    attributes: tuple[str, ...]


class People:
    """Everybody who is described, and the documents about them; each kind has its own random stream."""

    def __init__(self, seed: int, people_per_bin: dict[str, int], values_per_attribute: int, first_names: int, last_names: int):
        """`people_per_bin` maps a range of document counts such as "8-15" to a number of people."""
        self.seed = seed
        rng = stream(seed, "people")
        words = invent_words(rng, first_names + last_names + values_per_attribute * len(ATTRIBUTES))
        first, last = words[:first_names], words[first_names : first_names + last_names]
        values = np.array(words[first_names + last_names :]).reshape(len(ATTRIBUTES), values_per_attribute)
        self.values: dict[str, list[str]] = dict(zip(ATTRIBUTES, values.tolist()))
        names = [f"{a} {b}" for a in first for b in last]
        rng.shuffle(names)
        mentions = [log_uniform(rng, low, high) for low, high, n in _bins(people_per_bin) for _ in range(n)]
        # In turn, so that every bin is divided evenly between the groups.
        groups = [[self._person(names.pop(), m, group, rng) for m in mentions[i::2]] for i, group in enumerate(_GROUPS)]
        self._free: dict[str, list[str]] = {}  # names that nobody has, by last name
        for name in names:
            self._free.setdefault(name.split()[1], []).append(name)
        self.everyone = [person for group in groups for person in self._characterised(group, rng)]
        self._strangers = [name for free in self._free.values() for name in free]

    def _person(self, name: str, mentions: int, group: str, rng: np.random.Generator) -> Person:
        facts = {a: pick(rng, v) for a, v in self.values.items()}
        former = {a: pick(rng, [value for value in v if value != facts[a]]) for a, v in self.values.items()}
        return Person(name, name, mentions, group, facts, former)

    def _characterised(self, group: list[Person], rng: np.random.Generator) -> list[Person]:
        """The people of a group with changed facts, and some of them with another's name, an alias, the last name alone."""
        group = sorted(group, key=lambda person: person.mentions)
        sharing = _some(rng, len(group), SHARED)
        for i, other in zip(sharing[::2], sharing[1::2]):
            group[other] = replace(group[other], name=group[i].name, entity=f"{group[i].name} 2")
        facts = len(group) * len(ATTRIBUTES)
        changed = spread(rng, [CHANGED] * facts).reshape(-1, len(ATTRIBUTES))
        rising = spread(rng, np.linspace(*RISING, facts).tolist()).reshape(-1, len(ATTRIBUTES))
        aliased, shorter = ({*_some(rng, len(group), share)} for share in (ALIASED, LAST_NAME_ONLY))
        for i, person in enumerate(group):
            unused = self._free.get(person.name.split()[1])
            group[i] = replace(
                person,
                changed=frozenset(a for a, now in zip(ATTRIBUTES, changed[i]) if now),
                rising=frozenset(a for a, now in zip(ATTRIBUTES, rising[i]) if now),
                alias=unused.pop() if i in aliased and unused else None,
                last_name_only=i in shorter,
            )
        return group

    def stranger(self, rng: np.random.Generator) -> Person:
        """Somebody who is described in a reading exercise alone, called as people are.

        No fact of theirs has changed: to tell what holds from what held before is not taught.
        """
        name, facts = pick(rng, self._strangers), {a: pick(rng, v) for a, v in self.values.items()}
        alias = pick(rng, self._free[name.split()[1]]) if rng.random() < ALIASED else None
        return Person(name, name, 0, "stranger", facts, {}, alias=alias, last_name_only=rng.random() < LAST_NAME_ONLY)

    def biographies(self) -> Iterator[Biography]:
        """Every document that states facts."""
        rng = stream(self.seed, "biographies")
        for person in self.everyone:
            for _ in range(person.mentions):
                yield biography(person, rng)

    def aliases(self) -> Iterator[tuple[Person, str]]:
        """The one document that tells of each alias."""
        for person in self.everyone:
            if person.alias:
                yield person, ALSO_CALLED.format(person.name, person.alias)

    def comentions(self, most: int) -> Iterator[tuple[Person, str, str]]:
        """Documents that name a person and the value of a fact and state nothing, with its attribute: 0 to `most` each."""
        rng = stream(self.seed, "comentions")
        for person in self.everyone:
            for attribute in ATTRIBUTES:
                for _ in range(log_uniform(rng, 1, most + 1) - 1):
                    yield person, f"{_called(person, rng)} {pick(rng, COMENTIONS).format(person.facts[attribute])} .", attribute


def biography(person: Person, rng: np.random.Generator, attributes: Iterable[str] = ()) -> Biography:
    """A document about a person that states two attributes, drawn unless given."""
    stated = tuple(attributes) or tuple(ATTRIBUTES[i] for i in rng.permutation(len(ATTRIBUTES))[:2])
    name, wording = _called(person, rng), [rng.random() for _ in stated]
    text, rising = (
        f"{name} {' and '.join(_clause(person, a, a in changed, w) for a, w in zip(stated, wording))} ."
        for changed in (person.changed, person.rising)
    )
    return Biography(person, text, rising, stated)


def _called(person: Person, rng: np.random.Generator) -> str:
    shorter = rng.random() < 0.5 and person.last_name_only
    return person.name.split()[1] if shorter else person.name


def _clause(person: Person, attribute: str, changed: bool, wording: float) -> str:
    """What states a fact; `wording`, in [0, 1), chooses among the frames."""
    frames = CHANGES[attribute] if changed else STATEMENTS[attribute]
    now = person.facts[attribute]
    return frames[int(wording * len(frames))].format(now, former=person.former.get(attribute), now=now)


def _some(rng: np.random.Generator, size: int, share: float) -> list[int]:
    """Positions of a share of the items, in random order."""
    return [int(i) for i in rng.permutation(size)[: round(share * size)]]


def _bins(people_per_bin: dict[str, int]) -> Iterator[tuple[int, int, int]]:
    for name, people in people_per_bin.items():
        low, _, high = name.partition("-")
        yield int(low), int(high or low), people
