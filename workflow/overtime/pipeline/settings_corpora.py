"""The settings of corpora: a user's own shards, or a data set of the ledger, and what is made of them."""

import os
import re
from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from overtime import InputError, Rewriting
from overtime.pipeline.settings_pretrained import Pretrained
from overtime.pipeline.settings_questions import Questions, QuestionSet
from overtime.pipeline.settings_types import Count, Name, Named, Section

MODES = get_args(Rewriting)
ENDINGS = tuple(f"{form}{packed}" for form in (".jsonl", ".json") for packed in ("", ".gz", ".zst"))
ARMS = ("original", "baseline", "start", "stretch")  # what tables call a control, the model before training, another stretch
SHARD = r".+\.jsonl?(\.gz|\.zst)?"  # the name of one


class Lacking(Section):
    set: Name = Field(description="name in questions.sets, of format encyclopedia, whose facts are taken")
    model: Name = Field(description="name in pretrained, of the study questions: facts that it has wrong, closed book")
    doses: list[Annotated[int, Field(ge=0)]] = Field(description="documents about each fact of a group; must hold 0")
    facts: Count = Field(description="facts in each group")
    elsewhere: list[Name] = Field(default=[], description="question sets that are asked too, for what it costs")
    seed: int = Field(default=0, ge=0, description="seed of the draw of facts")

    @model_validator(mode="after")
    def controlled(self) -> "Lacking":
        if 0 not in self.doses or len(self.doses) < 2:
            raise ValueError("doses must hold 0, the control group, and at least one other number")
        return self


class Inserted(Section):
    facts: str | None = Field(
        default=None, description="table of the documents to insert, CSV or Parquet: `count`, and the columns of the templates"
    )
    lacking: Lacking | None = Field(default=None, description="instead of facts: facts that a pretrained model does not know")
    templates: list[str] = Field(
        default=["{text}"], min_length=1, description="documents about a row, taken in turn; column names in braces"
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(description="insert into this last share of the documents; 1: all over")
    seed: int = Field(default=0, description="seed of the places")
    asked: str | None = Field(
        default=None,
        description="questions on the facts: `entity`, `text`, `answer` (aliases joined by |), `inserted` (0: control)",
    )

    @model_validator(mode="after")
    def one_source(self) -> "Inserted":
        if (self.facts is None) == (self.lacking is None):
            raise ValueError("give either facts or lacking")
        if self.lacking and {"templates", "asked"} & self.model_fields_set:
            raise ValueError("templates and asked go with facts; lacking brings its own")
        return self


class ClusterEstimate(Section):
    gigabytes: Annotated[float, Field(gt=0)] = Field(default=800.0, description="size of a corpus to estimate for; 800: the Pile")
    nodes: Count = Field(default=1, description="nodes of the cluster to estimate for")
    cores: Count = Field(default=32, description="cores of such a node")


class Rewritten(Section):
    mode: Rewriting = Field(description="feminize, masculinize, swap or released")
    probability: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="share of documents that is rewritten: of every two neighbours exactly one at 0.5"
    )
    seed: int = Field(default=0, ge=0, description="seed of the draw of these documents")


def named_rewritings(entries: object) -> object:
    """A list of ways of rewriting as a mapping, in which each is its own name; anything else as it is."""
    if not isinstance(entries, list):
        return entries
    for entry in entries:
        if not isinstance(entry, str):
            raise ValueError(
                "a list holds ways of rewriting; other texts have a name, as in two-way: {mode: swap, probability: 0.5}"
            )
        if entries.count(entry) > 1:
            raise ValueError(f"{entry!r} is listed twice; once is enough")
    return {entry: {"mode": entry} for entry in entries}


Rewritings = Annotated[
    Named[Rewritten], BeforeValidator(named_rewritings, json_schema_input_type=list[Rewriting] | dict[Name, Rewritten])
]


class Corpus(Section):
    shards: list[str] = Field(
        default=[], description="files of JSON Lines, .jsonl or .json, plain, .gz or .zst, or globs of them, in order"
    )
    dataset: Literal["encyclopedia"] | None = Field(
        default=None, description="data set of config/sources.csv that is the text, instead of shards: encyclopedia"
    )
    pronouns: Annotated[float, Field(ge=0, le=100)] = Field(
        default=0.0, description="of the data set, documents with at least so many gendered pronouns in 100 words"
    )
    seed: int = Field(default=0, ge=0, description="seed of the order of the data set's documents")
    documents: list[Annotated[int, Field(ge=0)]] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="of these documents in this order: the first, and the first after them",
    )
    rewrite: Rewritings = Field(default={}, description="texts made by rewriting it: a list of ways, or names that have a mode")
    names: str | None = Field(default=None, description="table of `entity` and `name` to count, CSV or Parquet")
    questions: str | None = Field(default=None, description="linked questions whose relevant documents are counted")
    insert: Named[Inserted] = Field(default={}, description="documents mixed into it")
    estimate: ClusterEstimate = Field(default=ClusterEstimate(), description="what the report of throughput extrapolates to")

    @field_validator("shards", mode="before")
    @classmethod
    def one_glob(cls, shards: object) -> object:
        return [shards] if isinstance(shards, str) else shards

    @model_validator(mode="after")
    def unambiguous(self) -> "Corpus":
        if bool(self.shards) == bool(self.dataset):
            raise ValueError("give either shards or dataset")
        if self.shards and (chosen := {"pronouns", "seed", "documents"} & self.model_fields_set):
            raise ValueError(f"{min(chosen)}: chooses among the documents of a dataset; shards are taken as they are")
        if self.documents and self.documents[0] >= self.documents[1]:
            raise ValueError(f"documents: {self.documents} holds none; the second number must be larger")
        for name, rewritten in self.rewrite.items():
            if name in ARMS or (name in MODES and (rewritten.mode != name or rewritten.probability < 1)):
                raise ValueError(f"rewrite.{name}: already names another text; choose another name")
        if taken := set(self.insert) & {*ARMS, *MODES, *self.rewrite}:
            raise ValueError(f"insert: {', '.join(sorted(taken))} already names another text; choose another name")
        return self

    @property
    def tables(self) -> dict[str, str | None]:
        """The tables that the settings name, by key."""
        inserted = {f"insert.{name}.{key}": getattr(one, key) for name, one in self.insert.items() for key in ("facts", "asked")}
        return {"names": self.names, "questions": self.questions, **inserted}

    @property
    def texts(self) -> list[str]:
        """The texts that a model can be trained on."""
        return list(dict.fromkeys(["original", *MODES, *self.rewrite, *self.insert]))

    def rewriting(self, text: str) -> Rewritten | None:
        """How a text is rewritten; None for the original and for one with an insertion."""
        return self.rewrite.get(text) or (Rewritten(mode=cast(Rewriting, text)) if text in MODES else None)


def check_lacking(corpora: Mapping[str, Corpus], sets: Mapping[str, QuestionSet], pretrained: Mapping[str, Pretrained]) -> None:
    """Raise ValueError, beginning with the key, unless facts that a model lacks are of a set that it is asked.

    Insertions of one name insert the same facts, whatever the corpus: runs on them are compared as seeds.
    """
    first: dict[str, tuple[str, Inserted]] = {}
    for name, insertion, one in ((name, key, one) for name, corpus in corpora.items() for key, one in corpus.insert.items()):
        corpus, same = first.setdefault(insertion, (name, one))
        if (one.facts, one.lacking, one.asked) != (same.facts, same.lacking, same.asked):
            raise ValueError(f"corpora.{name}.insert.{insertion}: other facts than in corpora.{corpus}; give it another name")
        if (lacking := one.lacking) is None:
            continue
        key = f"corpora.{name}.insert.{insertion}.lacking"
        if unknown := {lacking.set, *lacking.elsewhere} - set(sets):
            raise ValueError(f"{key}: no {min(unknown)} in questions.sets")
        if sets[lacking.set].format != "encyclopedia":
            raise ValueError(
                f"{key}.set: {lacking.set} is of format {sets[lacking.set].format}; need encyclopedia, which states facts"
            )
        if "questions" not in (pretrained[lacking.model].studies if lacking.model in pretrained else []):
            raise ValueError(f"{key}.model: no {lacking.model} in pretrained that takes part in the study questions")


def check_paths(corpora: Mapping[str, Corpus], questions: Questions) -> None:
    """Raise InputError, beginning with the key, for a table of the user's own that is not there."""
    given = {
        f"corpora.{name}.{key}": path
        for name, corpus in corpora.items()
        for key, path in corpus.tables.items()
        if path is not None
    }
    given |= {f"questions.sets.{name}.annotations": one.annotations for name, one in questions.sets.items() if one.annotations}
    for key, path in given.items():
        if not Path(path).is_file():
            raise InputError(f"{key}: no file {path}; write its path as seen from {Path.cwd()}, or the whole path")


def find_shards(patterns: Sequence[str]) -> dict[str, Path]:
    """Name -> path of the shards of a corpus: paths or globs, in this order; the matches of a glob sorted by path.

    A name is that of the file, or, where two files share one, the path from the folder that holds all shards of the corpus.
    Raises InputError for a pattern that matches no file, another ending, a file that is listed twice, and braces, which are
    Snakemake's.
    """
    paths: dict[str, Path] = {}
    for pattern in patterns:
        matches = sorted(glob(pattern, recursive=True))
        if not matches:
            raise InputError(f"no file matches {pattern}")
        for path in map(Path, matches):
            if path.is_dir() or not path.name.endswith(ENDINGS):
                raise InputError(f"{path} is no shard; it must be a file whose name ends in {', '.join(ENDINGS)}")
            if re.search(r"[{}\n]", str(path)):
                raise InputError(f"{str(path)!r}: braces and line breaks cannot stand in the path of a shard; rename it")
            if paths.setdefault(os.path.abspath(path), path) is not path:
                raise InputError(f"{path} is listed twice; list every shard once")
    names = [path.name for path in paths.values()]
    if len(set(names)) < len(names):
        common = os.path.commonpath(paths)
        names = [os.path.relpath(path, common) for path in paths]
    return dict(zip(names, paths.values()))
