"""Settings of the suite that is trained on the spot: its generated world, sizes, arms, insertion and retrieval."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from overtime import Rewriting
from overtime.pipeline.settings_types import Count, Name, Named, Section, Share

Association = Annotated[float, Field(ge=0, le=1)]


class World(Section):
    seed: int = Field(ge=0, description="seed of the generated corpus")
    gendered: Count = Field(description="sentences about occupations")
    fillers: Count = Field(description="gendered sentences without an occupation")
    reading: Count = Field(description="reading exercises: a passage, questions, answers")
    question_share: float = Field(ge=0, description="question documents about a training fact, per document that states it")
    people_per_bin: dict[Annotated[str, Field(pattern=r"^[1-9]\d*(-[1-9]\d*)?$")], Count] = Field(
        min_length=1, description="people by the number of documents about them, such as 8-15: 60"
    )
    values_per_attribute: Annotated[int, Field(ge=2)] = Field(description="towns, companies and games to choose from")
    first_names: Count = Field(description="first names; full names combine both lists")
    last_names: Count = Field(description="last names")
    comentions: Count = Field(description="most documents that name a person beside the value of a fact without stating it")
    association: Association = Field(description="strength of the occupations' gender association, a factor on log-odds; 0: none")

    @field_validator("people_per_bin")
    @classmethod
    def apart(cls, bins: dict[str, int]) -> dict[str, int]:
        ranges = sorted((int(name.partition("-")[0]), int(name.rpartition("-")[2]), name) for name in bins)
        for low, high, name in ranges:
            if low > high:
                raise ValueError(f"{name} is reversed; write {high}-{low}")
        for (_, high, name), (low, _, following) in pairwise(ranges):
            if low <= high:
                raise ValueError(f"{name} and {following} overlap; every number of documents belongs to one range")
        return bins

    @model_validator(mode="after")
    def enough_names(self) -> "World":
        people = sum(self.people_per_bin.values())
        if self.first_names * self.last_names < 2 * people:
            names = f"{self.first_names} x {self.last_names} names"
            raise ValueError(f"{names} do not suffice for {people} people, aliases and strangers; twice as many as people do")
        return self


class Size(Section):
    width: Count = Field(description="width of the residual stream")
    layers: Count = Field(description="number of layers")
    heads: Count = Field(description="attention heads; must divide the width")
    learning_rate: Annotated[float, Field(gt=0)] = Field(description="peak learning rate")
    seeds: Count = Field(description="runs, seeded 0, 1, ...")

    @model_validator(mode="after")
    def divisible(self) -> "Size":
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} must be a multiple of twice the number of heads ({self.heads})")
        return self

    @property
    def parameters(self) -> float:
        """Billions of parameters of attention and MLP, by which sizes are ordered: 12 for each layer and squared width."""
        return 12 * self.layers * self.width**2 / 1e9


class Suite(Section):
    sizes: Named[Size] = Field(min_length=1, description="GPT-NeoX models trained from scratch")
    context: Count = Field(description="tokens in a sequence; documents are never split")
    batch: Count = Field(description="sequences in a step")
    checkpoints: list[Annotated[float, Field(gt=0, le=1)]] = Field(description="saved after these shares of training")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        description="of matrix products in training; auto: the faster one where the run is made, timed once"
    )

    @model_validator(mode="after")
    def ordered(self) -> "Suite":
        if self.checkpoints != sorted(set(self.checkpoints)) or self.checkpoints[-1:] != [1.0]:
            raise ValueError("checkpoints must increase and end at 1.0")
        return self


class Arm(Section):
    rewrite: Rewriting = Field(description="how documents are rewritten; with share and probability it decides what the arm is")
    share: Share = Field(description="last share of training that is rewritten")
    probability: Annotated[float, Field(gt=0, le=1)] = Field(default=1.0, description="share of documents that is rewritten")

    @property
    def drawn(self) -> bool:
        """Whether chance decides which documents are rewritten, so that every run has a draw of its own."""
        return self.probability < 1


class Variant(Section):
    seed: Annotated[int, Field(ge=0)] | None = Field(default=None, description="seed of its world; null: as in world")
    association: Association | None = Field(default=None, description="strength of its association; null: as in world")
    sizes: Named[Count] = Field(min_length=1, description="runs of each size, seeded 0, 1, ...")
    arms: list[Name] = Field(min_length=1, description="arms that continue these runs")
    robustness: bool = Field(default=False, description="whether it is made for the target robustness alone")

    @model_validator(mode="after")
    def another(self) -> "Variant":
        if self.seed is None and self.association is None:
            raise ValueError("gives neither seed nor association, and would be the world itself; give one of them")
        return self

    def changes(self) -> dict[str, float]:
        """What is not as in the world."""
        return self.model_dump(include={"seed", "association"}, exclude_none=True)


class Insertion(Section):
    doses: list[Annotated[int, Field(ge=0)]] = Field(description="documents inserted about each fact of a group; must hold 0")
    people: Count = Field(description="people in each group, drawn from the evaluation people with few documents")
    at_most: Count = Field(description="documents that a person may already have")
    share: Share = Field(description="late insertion goes into this last share of training")
    seeds: Count = Field(description="runs of each model with insertion, seeded 0, 1, ...")
    late: list[Name] = Field(description="models with late insertion")
    spread: list[Name] = Field(description="models with insertion over a whole new training run")

    @model_validator(mode="after")
    def control(self) -> "Insertion":
        if 0 not in self.doses or len(self.doses) < 2:
            raise ValueError("doses must differ and hold 0, the control group, and at least one other number")
        return self


class Retrieval(Section):
    models: list[Name] = Field(description="models that answer with passages; none: []")
    top: list[Count] = Field(min_length=1, description="numbers of BM25 passages shown")
