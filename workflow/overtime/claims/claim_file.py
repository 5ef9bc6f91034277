"""claims.yaml: what each claim says, the tests that judge it, what they need, and the controls that they must pass."""

import math
from collections.abc import Callable, Iterator, Mapping
from inspect import isfunction, signature
from pathlib import Path
from typing import Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from overtime import InputError
from overtime.claims import (
    baseline_evidence,
    bias_evidence,
    continued_evidence,
    continued_facts_evidence,
    defence_evidence,
    encyclopedia_evidence,
    facts_evidence,
    independent_evidence,
    insertion_evidence,
    layers_evidence,
    persona_evidence,
    released_attacks_evidence,
    released_bias_evidence,
)
from overtime.claims.decisions import Region
from overtime.claims.evidence import Evidence

EVIDENCE = (
    *(bias_evidence, baseline_evidence, released_bias_evidence, independent_evidence, continued_evidence),
    *(facts_evidence, encyclopedia_evidence, insertion_evidence, continued_facts_evidence),
    *(layers_evidence, defence_evidence, persona_evidence, released_attacks_evidence),
)
# Every public function of an evidence module is a comparison, called by its name in claims.yaml.
COMPARISONS: dict[str, Callable[..., Evidence]] = {
    name: function
    for module in EVIDENCE
    for name, function in vars(module).items()
    if isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
EXPECTED = {
    "greater": ("greater",),
    "less": ("less",),
    "equivalence": ("equal",),
    "value": ("equal",),
    "noninferiority": ("not less", "not greater"),
    "trend": ("increase", "decrease"),
    "document": ("documented",),
}
# Kinds of evidence, never pooled: the authors' files; the same models measured by others; this pipeline's models of a generated
# world; a published one that it trains further on real text; models or counts that stand in for those of the claim, and the same
# with questions on real text.
SOURCES = ("released", "released by others", "measured", "continued", "proxy", "proxy on real text")
Options = dict[str, str | int | float | bool]
LONGEST_SHORT = 46


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Call(_Section):
    """An evidence function with its options, and in a sentence what it was measured on; `fixed` where not as the claim says."""

    by: str
    options: Options = {}
    scope: str = ""
    fixed: Literal["before", "after"] | None = None

    @model_validator(mode="after")
    def _known(self) -> "Call":
        if self.by not in COMPARISONS:
            raise ValueError(f"unknown evidence {self.by}; known are {', '.join(COMPARISONS)}")
        if unknown := sorted(set(self.options) - accepted(self.by)):
            raise ValueError(f"evidence {self.by} has no option {', '.join(unknown)}; it has {', '.join(accepted(self.by))}")
        return self


class Test(_Section):
    """A quantity and where it lies if the claim holds; `words` name it where there are several."""

    words: str = ""
    kind: Literal["greater", "less", "equivalence", "trend", "value", "noninferiority", "document"]
    expected: str
    margin: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    value: float | None = Field(default=None, allow_inf_nan=False)
    reason: str | None = None
    evidence: dict[str, Call] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> "Test":
        if unknown := sorted(set(self.evidence) - set(SOURCES)):
            raise ValueError(f"evidence: {', '.join(unknown)}: no such kind; use {', '.join(SOURCES)}")
        if self.expected not in EXPECTED[self.kind]:
            raise ValueError(f"expected {self.expected!r} does not fit kind {self.kind}; use {' or '.join(EXPECTED[self.kind])}")
        if self.kind != "document" and (self.margin is None or not self.reason):
            raise ValueError("margin or its reason is missing; give the smallest effect of interest and why")
        if (self.kind == "value") != (self.value is not None):
            raise ValueError("value is for kind value, and that kind needs it")
        return self

    def region(self, scale: float = 1.0) -> Region:
        """Where the effect lies if the claim holds, with the margin times `scale`."""
        margin = scale * cast(float, self.margin)  # None for documents alone, which have no region
        if self.kind in ("equivalence", "value"):
            centre = self.value or 0.0
            return centre - margin, centre + margin
        if self.kind == "noninferiority":
            margin = -margin
        return (-math.inf, -margin) if self.expected in ("less", "decrease", "not greater") else (margin, math.inf)


class Control(_Section):
    """What must come out if the claim holds for the reason that it gives: a test of its own, or the claim's with other options.

    `gives` is the verdict that passes ("same": that of the claim). `guards`: whether an upheld claim alone needs it, or both.
    """

    words: str
    guards: Literal["upheld", "both"] = "upheld"
    gives: Literal["upheld", "contradicted", "same"] = "upheld"
    test: Test | None = None
    options: list[Options] = []

    @model_validator(mode="after")
    def _one_form(self) -> "Control":
        if (self.test is None) == (not self.options):
            raise ValueError("a control is a test, or options for the claim's own")
        return self

    def speaks_of(self, tests: list[Test], source: str) -> bool:
        """Whether it can be asked on this kind of evidence: kinds are never pooled."""
        if self.test is not None:
            return source in self.test.evidence
        options = {name for options in self.options for name in options}
        return any(options <= accepted(test.evidence[source].by) for test in tests)


class Claim(_Section):
    """One entry of claims.yaml; `tests` are one test, or the parts of the claim, all of which must hold."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    at: str = Field(pattern=r"^(\d\d:\d\d|-)$")
    statement: str
    short: str = Field(max_length=LONGEST_SHORT)
    figure: str
    fixed: Literal["before", "after"]
    tests: list[Test] = Field(min_length=1)
    needs: list[str] = []
    control: list[Control] = []
    families: dict[str, list[Options]] = {}
    robustness: dict[str, list[Options]] = {}

    @model_validator(mode="before")
    @classmethod
    def _parts(cls, entry: object) -> object:
        """A claim with one test says its fields directly, one with several lists them as `parts`."""
        if not isinstance(entry, Mapping):
            return entry
        own = {key: value for key, value in entry.items() if key not in Test.model_fields and key != "parts"}
        test = {key: value for key, value in entry.items() if key in Test.model_fields}
        if "parts" in entry and test:
            raise ValueError(f"{', '.join(sorted(test))}: each part has its own")
        return own | {"tests": entry.get("parts", [test])}

    @model_validator(mode="after")
    def _consistent(self) -> "Claim":
        if len(self.tests) > 1 and not all(test.words for test in self.tests):
            raise ValueError("words: every part needs some")
        functions = [call.by for test in self.tests for call in test.evidence.values()]
        for family, variations in (self.families | self.robustness).items():
            for option in {name for variation in variations for name in variation}:
                if not any(option in accepted(function) for function in functions):
                    raise ValueError(f"family {family}: no evidence of this claim has the option {option}")
        return self

    @property
    def sources(self) -> list[str]:
        """The kinds of evidence that every part has."""
        return [source for source in SOURCES if all(source in test.evidence for test in self.tests)]


def accepted(function: str) -> set[str]:
    """The options of an evidence function."""
    return set(list(signature(COMPARISONS[function]).parameters)[1:])


def read_claims(path: str | Path) -> list[Claim]:
    """Read and check claims.yaml; the first problem is one line that names the file and the claim."""
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        claims = TypeAdapter(list[Claim]).validate_python(entries)
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        place, inside = (problem["loc"][0] if problem["loc"] else None), list(problem["loc"][1:])
        entry = entries[place] if isinstance(place, int) else None
        name = entry.get("id", f"number {place + 1}") if isinstance(place, int) and isinstance(entry, dict) else "list"
        if inside[:1] == ["tests"] and isinstance(entry, dict):  # as the file calls them
            inside = ["parts", *inside[1:]] if "parts" in entry else inside[2:]
        field = ".".join(map(str, inside))
        raise InputError(
            f"{path}: claim {name}: {field and field + ': '}{problem['msg'].removeprefix('Value error, ')}"
        ) from error
    for problem_of in _problems(claims):
        raise InputError(f"{path}: claim {problem_of}")
    return claims


def _problems(claims: list[Claim]) -> Iterator[str]:
    """What is wrong between claims: ids that occur twice, needs that are not there or go round in a circle."""
    known: dict[str, Claim] = {}
    for claim in claims:
        if claim.id in known:
            yield f"{claim.id}: this id occurs more than once; ids must differ"
        # Needs stand before what needs them, so that there is no circle, and a reader meets them first.
        if unknown := [need for need in claim.needs if need not in known]:
            yield f"{claim.id}: needs: {', '.join(unknown)}: no claim of this id stands before it"
        known[claim.id] = claim
