"""The generated corpus of the mini scale, with its ground truth.

A small world of English-like sentences over a few hundred words, so that models of a few hundred thousand parameters can learn
from it in a minute: occupations with a graded gender association (`world_gender`: what CrowS-Pairs measures), people with facts
that are stated in a known number of documents (`world_people`: what Kandpal et al. count), and questions with short reading
exercises (`world_questions`: what retrieval needs). What is built in and what is not is said there. Everything follows from the
settings and one seed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from overtime.corpora import world_gender, world_questions
from overtime.corpora.world_chance import stream
from overtime.corpora.world_people import INHABITED, Biography, People

_STRING, _STRINGS = pl.String(), pl.List(pl.String)
_DOCUMENT: dict[str, pl.DataType] = {"kind": _STRING, "text": _STRING, "template": pl.Int64(), "occupation": _STRING}
_DOCUMENT |= {"entity": _STRING, "attributes": _STRINGS}
_PASSAGE: dict[str, pl.DataType] = {"entity": _STRING, "attributes": _STRINGS, "text": _STRING, "rising": _STRING}


@dataclass(frozen=True)
class GeneratedWorld:
    """Everything that is generated.

    documents: the corpus in training order: `document` (position), `kind`, `text`, and of sentences about occupations `template`
    and `occupation`.
    record: what documents say of whom: `document`, `kind` ("biography": it states the fact; "comention": it names person and
    value and states nothing), `entity`, `attribute`.
    passages: the distinct biographies: `entity`, `attributes` (the two that are stated), `text`, and `rising`, the same where
    changed facts become commoner with the number of documents.
    """

    documents: pl.DataFrame
    record: pl.DataFrame
    passages: pl.DataFrame
    pairs: pl.DataFrame
    contexts: pl.DataFrame
    questions: pl.DataFrame

    def texts(self) -> list[str]:
        """Everything that a model reads, for its vocabulary."""
        columns = [self.pairs["sent_more"], self.pairs["sent_less"], self.contexts["text"], self.questions["text"]]
        return [text for column in (self.documents["text"], self.passages["rising"], *columns) for text in column]


def generate(settings: Mapping[str, Any]) -> GeneratedWorld:
    """The world of these settings (section `world`)."""
    people, seed, association = People(**{key: settings[key] for key in INHABITED}), settings["seed"], settings["association"]
    biographies = list(people.biographies())
    rows = _documents(settings, people, biographies)
    written = pl.DataFrame(rows, _DOCUMENT, orient="row")
    written = written[stream(seed, "order").permutation(written.height)].with_row_index("document")
    record = written.select("document", "kind", "entity", attribute="attributes").explode("attribute").drop_nulls("attribute")
    return GeneratedWorld(
        written.drop("entity", "attributes"),
        record,
        _passages(biographies),
        world_gender.pairs(seed, association, written["text"]),
        world_gender.contexts(),
        world_questions.questions(people),
    )


def recorded_counts(record: pl.DataFrame, questions: pl.DataFrame) -> pl.DataFrame:
    """By the generator's own record, in the order of `questions`: `question`, `statements` of its fact, and `comentions`."""
    kinds = {"statements": "biography", "comentions": "comention"}
    counts = record.group_by("entity", "attribute").agg(**{name: (pl.col("kind") == kind).sum() for name, kind in kinds.items()})
    joined = questions.join(counts, on=["entity", "attribute"], how="left", maintain_order="left")
    return joined.select("question", *(pl.col(name).fill_null(0).cast(pl.Int64) for name in kinds))


def _documents(settings: Mapping[str, Any], people: People, biographies: list[Biography]) -> list[tuple[object, ...]]:
    """All documents, kind by kind; rows of `_DOCUMENT`."""
    seed = settings["seed"]
    stated = Counter((one.person.entity, attribute) for one in biographies for attribute in one.attributes)
    sentences = world_gender.gendered_sentences(seed, settings["gendered"], settings["association"])
    fillers = world_gender.fillers(seed, settings["fillers"])
    asked = world_questions.question_documents(people, stated, settings["question_share"])
    reading = world_questions.reading_documents(people, settings["reading"])
    comentions = people.comentions(settings["comentions"])
    return [
        *(("gender", text, template, occupation, None, None) for text, template, occupation in sentences),
        *(("filler", text, None, None, None, None) for text in fillers),
        *(("biography", one.text, None, None, one.person.entity, one.attributes) for one in biographies),
        *(("comention", text, None, None, person.entity, [attribute]) for person, text, attribute in comentions),
        *(("alias", text, None, None, person.entity, None) for person, text in people.aliases()),
        *(("question", text, None, None, None, None) for text in asked),
        *(("reading", text, None, None, None, None) for text in reading),
    ]


def _passages(biographies: list[Biography]) -> pl.DataFrame:
    rows = [(one.person.entity, list(one.attributes), one.text, one.rising) for one in biographies]
    return pl.DataFrame(rows, _PASSAGE, orient="row").unique(["entity", "text", "rising"], maintain_order=True)
