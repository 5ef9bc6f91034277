"""Published training runs whose checkpoints are scored: their settings, and how a run is cut into jobs."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from overtime.section import Count, Precision, Section

Sized = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*\d[mb](-[a-z0-9.-]+)?$")]  # claims order models by their names


class Checkpoints(Section):
    hub: str = Field(description="repository on the Hugging Face Hub whose revisions step0, step1000, ... are the checkpoints")
    steps: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, description="steps to score, of 143,000 in all")

    @model_validator(mode="after")
    def ordered(self) -> "Checkpoints":
        if self.steps != sorted(set(self.steps)):
            raise ValueError("steps must increase")
        return self


class Family(Section):
    parameters: Annotated[float, Field(gt=0)] = Field(description="billions of parameters; memory, GPUs and time follow from it")
    figure: Literal["fig1", "fig2"] = Field(description="figure that shows the family's curves")
    per_job: Count = Field(default=1, description="checkpoints in a job, which loads the libraries once for all of them")
    dtype: Precision = Field(default="auto", description="precision of inference; auto: bfloat16 where the device has it")
    arms: dict[Literal["baseline", "swap7", "swap14", "swap21"], Checkpoints] = Field(
        description="training runs: the baseline, and those with swapped pronouns in the last 7, 14 or 21 % of training"
    )

    @model_validator(mode="after")
    def comparable(self) -> "Family":
        if "baseline" not in self.arms:
            raise ValueError("arms must hold a baseline")
        if len({arm.steps[-1] for arm in self.arms.values()}) > 1:
            raise ValueError("the steps of all arms must end alike, since the arms are compared there")
        return self

    def jobs(self, arm: str) -> dict[str, list[int]]:
        """The jobs of an arm: their steps by what names them, the first and the last: 3000, or 3000-43000."""
        steps = self.arms[arm].steps
        parts = [steps[start : start + self.per_job] for start in range(0, len(steps), self.per_job)]
        return {"-".join(str(step) for step in sorted({part[0], part[-1]})): part for part in parts}
