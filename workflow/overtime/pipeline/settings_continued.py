"""The settings of models that are trained further on a corpus: single runs, and interventions, which stand for many."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from overtime.pipeline.settings_corpora import Corpus
from overtime.pipeline.settings_pretrained import Pretrained
from overtime.pipeline.settings_types import Count, Name, Section


class Continuing(Section):
    """What a run and an intervention have in common."""

    model: str = Field(description="name in pretrained, folder of a model, or its name on the Hugging Face Hub")
    parameters: Annotated[float, Field(gt=0)] = Field(description="billions of parameters; memory and time follow from it")
    revision: str | None = Field(default=None, description="checkpoint to continue, such as step120000; null: the last")
    corpus: Name = Field(description="name in corpora")
    context: Count = Field(description="tokens in a sequence; longer documents are split")
    batch: Count = Field(description="sequences in a step")
    micro_batch: Count | None = Field(default=None, description="sequences that a process computes at once; null: all of its own")
    learning_rate: Annotated[float, Field(gt=0)] = Field(description="learning rate, constant after the warm-up")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.0, description="share of training with a rising learning rate")
    precision: Literal["auto", "float32", "bfloat16"] = Field(default="auto", description="of matrix products; auto as above")
    checkpoints: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        default=[1.0], description="saved after these shares of training, and at the end"
    )
    processes: Count = Field(default=1, description="processes that share a batch, each with a GPU where there are GPUs")
    tokens: Count | None = Field(default=None, description="tokens to train on; null: all of the corpus")
    bias: bool = Field(default=False, description="score gender bias at every checkpoint, for fig1_continued and the claims")
    keep: bool = Field(default=True, description="keep the checkpoints; false: delete them once they are scored")
    held_out: Name | None = Field(default=None, description="name in corpora: text whose likelihood is measured at the end")

    @model_validator(mode="after")
    def divisible(self) -> "Continuing":
        if self.tokens is not None and self.tokens < self.batch * self.context:
            raise ValueError(f"tokens: {self.tokens} do not fill one step of {self.batch} x {self.context}")
        if self.batch % self.processes:
            raise ValueError(f"batch: {self.batch} sequences cannot be shared evenly by {self.processes} processes")
        return self


class Continued(Continuing):
    text: str = Field(
        default="original", description="original (the control), a way of rewriting, or a text in rewrite or insert"
    )
    stretch: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="which disjoint piece of `tokens` tokens of the original, from 0, whose documents are taken"
    )
    control: Name | None = Field(
        default=None, description="run without the insertion, to be compared with in answers to the questions on the facts"
    )

    @model_validator(mode="after")
    def cut(self) -> "Continued":
        if self.stretch is not None and self.tokens is None:
            raise ValueError("stretch: needs tokens, the length of a stretch")
        return self


class Intervention(Continuing):
    tokens: Count = Field(description="tokens of a stretch")
    texts: list[str] = Field(description="texts of the corpus, the original among them; each is a run on every stretch")
    stretches: Count = Field(description="disjoint stretches of the corpus; the claims count them as runs and need 4")

    @model_validator(mode="after")
    def controlled(self) -> "Intervention":
        if "original" not in self.texts:
            raise ValueError("texts: must hold original, the control of the others")
        return self

    def runs(self) -> dict[str, Continued]:
        """The runs that it stands for: their number of stretch by text and stretch."""
        shared = self.model_dump(exclude={"texts", "stretches"})
        places = [(text, stretch) for stretch in range(self.stretches) for text in self.texts]
        return {f"{text}.{stretch}": Continued(**shared, text=text, stretch=stretch) for text, stretch in places}


ContinuedRuns = dict[str, Continued]


def all_runs(continued: ContinuedRuns, interventions: Mapping[str, Intervention]) -> tuple[ContinuedRuns, dict[str, list[str]]]:
    """Every continued run by name, those of an intervention as INTERVENTION.TEXT.STRETCH, and the names of each family's runs.

    A family are the runs of an intervention, or those of `continued` that differ in text and stretch alone; it goes by the name
    of the intervention or of its first run.
    """
    runs = dict(continued)
    families = {name: [f"{name}.{place}" for place in family.runs()] for name, family in interventions.items()}
    for name, family in interventions.items():
        runs |= {f"{name}.{place}": run for place, run in family.runs().items()}
    alike: dict[str, str] = {}
    for name, run in continued.items():
        first = alike.setdefault(json.dumps(run.model_dump(exclude={"text", "stretch", "control", "keep"})), name)
        families.setdefault(first, []).append(name)
    return runs, families


def check_continued(
    corpora: Mapping[str, Corpus],
    continued: ContinuedRuns,
    interventions: Mapping[str, Intervention] | None = None,
    pretrained: Mapping[str, Pretrained] | None = None,
) -> None:
    """Raise ValueError unless every run has a corpus, one of its texts, and a model of the declared size and source."""
    interventions, pretrained = interventions or {}, pretrained or {}
    runs, families = all_runs(continued, interventions)
    expanded = {place for name, family in interventions.items() for place in (name, *families[name])}
    if both := sorted(set(continued) & expanded):
        raise ValueError(f"continued.{both[0]}: interventions has this name too; choose another one")
    entries: list[tuple[str, Continuing, str, list[str], bool]] = [
        *((f"continued.{name}", run, "text", [run.text], run.stretch is not None) for name, run in continued.items()),
        *((f"interventions.{name}", family, "texts", family.texts, True) for name, family in interventions.items()),
    ]
    compared = {name for name, run in continued.items() if run.control} | {run.control for run in continued.values()}
    for key, entry, field, texts, stretched in entries:
        _check_model(key, entry, pretrained)
        if not (entry.keep or entry.bias or entry.held_out or key.removeprefix("continued.") in compared):
            raise ValueError(f"{key}.keep: false deletes what nothing has scored; add bias: true")
        if entry.corpus not in corpora:
            raise ValueError(f"{key}.corpus: no {entry.corpus} in corpora")
        for text in texts:
            if text not in (known := corpora[entry.corpus].texts):
                raise ValueError(f"{key}.{field}: {text!r} is none of {', '.join(known)}")
            if stretched and text in corpora[entry.corpus].insert:
                raise ValueError(f"{key}.{field}: {text} has documents that the original lacks, and so no stretches")
    for key, entry, *_ in entries:
        if entry.held_out is not None and entry.held_out not in corpora:
            raise ValueError(f"{key}.held_out: no {entry.held_out} in corpora")
    for name, run in continued.items():
        _check_control(name, run, corpora, continued)
    for names in families.values():
        places = [(runs[name].text, runs[name].stretch) for name in names if runs[name].bias]
        if twice := [name for name in names if runs[name].bias and places.count((runs[name].text, runs[name].stretch)) > 1]:
            raise ValueError(f"continued.{twice[-1]}: the same as {twice[0]}; a run is scored once")


def _check_model(key: str, run: Continuing, pretrained: Mapping[str, Pretrained]) -> None:
    """A model of `pretrained` is continued as it is there."""
    if run.model in pretrained:
        if run.revision is not None:
            raise ValueError(f"{key}.revision: {run.model} is one of pretrained, which says its revision")
        if run.parameters != (own := pretrained[run.model].parameters):
            raise ValueError(f"{key}.parameters: {run.parameters}, but {own} in pretrained; one model has one size")


def _check_control(name: str, run: Continued, corpora: Mapping[str, Corpus], continued: ContinuedRuns) -> None:
    """A run is compared with one that is there, on questions on what its text has inserted."""
    if run.control is not None and run.control not in continued:
        raise ValueError(f"continued.{name}.control: no {run.control} in continued")
    inserted = corpora[run.corpus].insert.get(run.text)
    if run.control is not None and (inserted is None or not (inserted.asked or inserted.lacking)):
        raise ValueError(f"continued.{name}.control: its text {run.text} must be an insertion with questions (asked)")
