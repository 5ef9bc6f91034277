"""The settings of a user's own corpora, and of published checkpoints that are trained further on them."""

import os
import re
from collections.abc import Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from overtime import InputError, Rewriting
from overtime.pipeline.settings_questions import Questions
from overtime.pipeline.settings_types import Count, Name, Named, Section

MODES = get_args(Rewriting)
ENDINGS = tuple(f"{form}{packed}" for form in (".jsonl", ".json") for packed in ("", ".gz", ".zst"))
SHARD = r".+\.jsonl?(\.gz|\.zst)?"  # the name of one


class Inserted(Section):
    facts: str = Field(description="table of the documents to insert, CSV or Parquet: `count`, and the columns of the templates")
    templates: list[str] = Field(
        default=["{text}"], min_length=1, description="documents about a row, taken in turn; column names in braces"
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(description="insert into this last share of the documents; 1: all over")
    seed: int = Field(default=0, description="seed of the places")
    asked: str | None = Field(
        default=None,
        description="questions on the facts: `entity`, `text`, `answer` (aliases joined by |), `inserted` (0: control)",
    )


class ClusterEstimate(Section):
    gigabytes: Annotated[float, Field(gt=0)] = Field(default=800.0, description="size of a corpus to estimate for; 800: the Pile")
    nodes: Count = Field(default=1, description="nodes of the cluster to estimate for")
    cores: Count = Field(default=32, description="cores of such a node")


class Corpus(Section):
    shards: list[str] = Field(
        min_length=1, description="files of JSON Lines, .jsonl or .json, plain, .gz or .zst, or globs of them, in order"
    )
    rewrite: list[Rewriting] = Field(default=[], description="ways to rewrite it")
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
        if taken := set(self.insert) & {"original", *MODES}:
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
        return ["original", *MODES, *self.insert]


class Continued(Section):
    model: str = Field(description="folder of a model, or its name on the Hugging Face Hub")
    parameters: Annotated[float, Field(gt=0)] = Field(description="billions of parameters; memory and time follow from it")
    revision: str | None = Field(default=None, description="checkpoint to continue, such as step120000; null: the last")
    corpus: Name = Field(description="name in corpora")
    text: str = Field(default="original", description="original (the control), a way of rewriting, or the name of an insertion")
    tokens: Count | None = Field(default=None, description="tokens to train on, from the beginning of the corpus; null: all")
    context: Count = Field(description="tokens in a sequence; longer documents are split")
    batch: Count = Field(description="sequences in a step")
    micro_batch: Count | None = Field(default=None, description="sequences that a process computes at once; null: all of its own")
    learning_rate: Annotated[float, Field(gt=0)] = Field(description="learning rate, constant after the warm-up")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.0, description="share of training with a rising learning rate")
    precision: Literal["auto", "float32", "bfloat16"] = Field(default="auto", description="of matrix products; auto as above")
    checkpoints: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        default=[1.0], description="saved after these shares of training, and at the end"
    )
    control: Name | None = Field(
        default=None, description="run without the insertion, to be compared with in answers to the questions on the facts"
    )
    processes: Count = Field(default=1, description="processes that share a batch, each with a GPU where there are GPUs")

    @model_validator(mode="after")
    def divisible(self) -> "Continued":
        if self.tokens is not None and self.tokens < self.batch * self.context:
            raise ValueError(f"tokens: {self.tokens} do not fill one step of {self.batch} x {self.context}")
        if self.batch % self.processes:
            raise ValueError(f"batch: {self.batch} sequences cannot be shared evenly by {self.processes} processes")
        return self


def check_continued(corpora: dict[str, Corpus], continued: dict[str, Continued]) -> None:
    """Raise ValueError unless every continued run has a corpus and one of its texts, and every compared one questions."""
    for name, run in continued.items():
        if run.corpus not in corpora:
            raise ValueError(f"continued.{name}.corpus: no {run.corpus} in corpora")
        if run.text not in (texts := corpora[run.corpus].texts):
            raise ValueError(f"continued.{name}.text: {run.text!r} is none of {', '.join(texts)}")
        if run.control is not None and run.control not in continued:
            raise ValueError(f"continued.{name}.control: no {run.control} in continued")
        inserted = corpora[run.corpus].insert.get(run.text)
        if run.control is not None and (inserted is None or inserted.asked is None):
            raise ValueError(f"continued.{name}.control: its text {run.text} must be an insertion with questions (asked)")


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
