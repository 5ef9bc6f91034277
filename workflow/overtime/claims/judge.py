"""Judge the claims of the talk: a test each, with a margin that was written down before, and a verdict that follows from a rule.

A claim says where the effect lies: above a margin, below one, or within one. **Upheld**: the whole confidence interval lies
there. **Contradicted**: the whole interval lies elsewhere. **Undecided**: the interval has part in both; how many units would
decide it is estimated. **Untested at this scale**: there are no data. With 95 % intervals, either wrong verdict has a nominal
probability of at most 2.5 % for an effect on the margin, and less further away; equivalence is thus two one-sided tests at 2.5 %
each. Fewer than ten resampled units decide nothing: there the intervals do not keep that promise.
"""

import math
from collections.abc import Callable, Mapping
from inspect import isfunction
from pathlib import Path
from typing import Literal, cast

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from overtime import InputError
from overtime.claims import attacks_evidence, bias_evidence, facts_evidence, released_bias_evidence
from overtime.claims.decisions import holm, needed_n, p_outside, p_within
from overtime.claims.evidence import Aggregate, Evidence, MissingEvidence, Record, Sample, TableInput, Tables
from overtime.statistics import Estimate, Interval, Normal, bootstrap

# Every public function of an evidence module is a comparison, called by its name in claims.yaml.
COMPARISONS: dict[str, Callable[[Tables], Evidence]] = {
    name: function
    for module in (bias_evidence, released_bias_evidence, facts_evidence, attacks_evidence)
    for name, function in vars(module).items()
    if isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
EXPECTED = {
    "greater": ("greater",),
    "less": ("less",),
    "equivalence": ("equal",),
    "value": ("equal",),
    "trend": ("increase", "decrease"),
    "document": ("documented",),
}
FEWEST_UNITS = 10
UNTESTED = "untested at this scale"
CLAIM_COLUMNS = {
    **dict.fromkeys(("id", "figure", "at", "statement", "source"), pl.String),
    **dict.fromkeys(("effect", "lower", "upper"), pl.Float64),
    **{"n": pl.Int64, "margin": pl.Float64, "expected": pl.String, "verdict": pl.String, "kind": pl.String, "unit": pl.String},
    **{"p": pl.Float64, "p_holm": pl.Float64, "needed_n": pl.Int64, "sentence": pl.String},
}


class Claim(BaseModel):
    """One entry of claims.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    at: str = Field(pattern=r"^(\d\d:\d\d|-)$")
    statement: str
    figure: str
    kind: Literal["greater", "less", "equivalence", "trend", "value", "document"]
    expected: str
    margin: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    reason: str | None = None
    value: float | None = Field(default=None, allow_inf_nan=False)
    evidence: dict[Literal["released", "measured"], str] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> "Claim":
        if self.expected not in EXPECTED[self.kind]:
            raise ValueError(f"expected {self.expected!r} does not fit kind {self.kind}; use {' or '.join(EXPECTED[self.kind])}")
        if self.kind != "document" and (self.margin is None or not self.reason):
            raise ValueError("margin or its reason is missing; give the smallest effect of interest and why")
        if (self.kind == "value") != (self.value is not None):
            raise ValueError("value is for kind value, and that kind needs it")
        if unknown := sorted(set(self.evidence.values()) - set(COMPARISONS)):
            raise ValueError(f"unknown evidence {', '.join(unknown)}; known are {', '.join(COMPARISONS)}")
        return self

    @property
    def region(self) -> tuple[float, float]:
        """Where the effect lies if the claim holds."""
        margin = cast(float, self.margin)  # None for documents alone, which have no region
        if self.kind in ("equivalence", "value"):
            centre = self.value or 0.0
            return centre - margin, centre + margin
        return (-math.inf, -margin) if self.expected in ("less", "decrease") else (margin, math.inf)


def read_claims(path: str | Path) -> list[Claim]:
    """Read and check claims.yaml; the first problem is one line that names the file and the claim."""
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        claims = TypeAdapter(list[Claim]).validate_python(entries)
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = problem["loc"][0] if problem["loc"] else None
        entry = entries[place] if isinstance(place, int) else None
        name = entry.get("id", f"number {place + 1}") if isinstance(place, int) and isinstance(entry, dict) else "list"
        field = ".".join(str(part) for part in problem["loc"][1:])
        raise InputError(
            f"{path}: claim {name}: {field and field + ': '}{problem['msg'].removeprefix('Value error, ')}"
        ) from error
    names = [claim.id for claim in claims]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path}: claim {', '.join(twice)}: this id occurs more than once; ids must differ")
    return claims


def verdict(region: tuple[float, float], interval: Interval) -> str:
    """Compare a confidence interval with the region where the claim holds; NaN bounds decide nothing."""
    low, high = region
    if low < interval.lower and interval.upper < high:
        return "upheld"
    return "contradicted" if interval.upper < low or high < interval.lower else "undecided"


def judge(
    claims_path: str | Path,
    inputs: Mapping[str, TableInput | None],
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """Judge every claim on every kind of evidence it names: one row each, released and measured never pooled.

    `inputs` names tables or paths (`overtime.claims.evidence.INPUTS`); an absent input leaves its claims untested. `p` is twice
    the one-sided p of the verdict that the estimate speaks for; `p_holm` adjusts it within released and within measured evidence.
    """
    tables, rows = Tables(inputs), []
    for claim in read_claims(claims_path):
        for source, name in sorted(claim.evidence.items(), reverse=True):
            row = claim.model_dump(include={"id", "figure", "at", "statement", "margin", "expected", "kind"}) | {"source": source}
            try:
                evidence = COMPARISONS[name](tables)
            except MissingEvidence as missing:
                rows.append(row | {"verdict": UNTESTED, "sentence": f"Untested at this scale: {missing}."})
                continue
            if isinstance(evidence, Record):
                decision = "upheld" if evidence.holds else "contradicted"
                text = f"{evidence.facts[0].upper()}{evidence.facts[1:]}: {decision}."
                rows.append(row | {"n": evidence.n, "unit": evidence.unit, "verdict": decision, "sentence": text})
            else:
                rows.append(row | _test(claim, evidence, resamples, confidence, seed))
    table = pl.DataFrame(rows, schema=CLAIM_COLUMNS)
    return table.with_columns(_holm(table))


def _test(claim: Claim, evidence: Sample | Aggregate, resamples: int, confidence: float, seed: int) -> dict[str, object]:
    """Estimate, interval, verdict and sentence of one row."""
    estimate: Estimate
    if isinstance(evidence, Aggregate):
        estimate = Normal(evidence.estimate, evidence.standard_error, evidence.n)
    else:
        estimate = bootstrap(evidence.statistic, evidence.units, resamples, seed, evidence.limits)
    interval, region = estimate.interval(confidence), claim.region
    decision = verdict(region, interval) if interval.n >= FEWEST_UNITS else "undecided"
    needed = None
    if decision == "undecided":
        nearest = min((bound for bound in region if math.isfinite(bound)), key=lambda bound: abs(bound - estimate.estimate))
        needed = needed_n(estimate, nearest, confidence)
        needed = needed and max(needed, FEWEST_UNITS)
    bounds = {"lower": interval.lower, "upper": interval.upper} if interval.n > 1 else {"lower": None, "upper": None}
    shown = f"{confidence:.0%} interval {interval.lower:.3f} to {interval.upper:.3f}" if interval.n > 1 else "no interval"
    sentence = (
        f"{evidence.quantity[0].upper()}{evidence.quantity[1:]}: {interval.estimate:.3f} ({shown}, {interval.n:,} "
        f"{evidence.unit}); claimed {_words(region)}: {decision}."
    )
    if decision == "undecided":
        enough = f"about {needed:,} {evidence.unit} would decide it" if needed else "no number of them would decide it"
        sentence += f" If the effect is as estimated, {enough}."
    return {
        **{"effect": interval.estimate, **bounds, "n": interval.n, "unit": evidence.unit},
        **{"p": min(1.0, 2 * min(p_within(estimate, *region), p_outside(estimate, *region))), "needed_n": needed},
        **{"verdict": decision, "sentence": sentence},
    }


def _words(region: tuple[float, float]) -> str:
    low, high = region
    if math.isinf(high):
        return f"above {low:g}"
    return f"below {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"


def _holm(table: pl.DataFrame) -> pl.Series:
    adjusted: dict[int, float] = {}
    for source in ("released", "measured"):
        rows = table.with_row_index().filter(pl.col("source") == source, pl.col("p").is_not_null())
        adjusted |= dict(zip(rows["index"], holm(rows["p"]).tolist(), strict=True))
    return pl.Series("p_holm", [adjusted.get(row) for row in range(len(table))], dtype=pl.Float64)


def _cells(row: dict[str, object]) -> list[str]:
    """One readable row: time, claim, evidence, verdict, effect with interval, margin, n, sentence."""
    effect = "" if row["effect"] is None else f"{row['effect']:.3f}"
    effect += "" if row["lower"] is None else f" [{row['lower']:.3f}, {row['upper']:.3f}]"
    margin = "" if row["margin"] is None else f"{row['margin']:g}"
    count = "" if row["n"] is None else f"{row['n']:,} {row['unit']}"
    return [*(str(row[key]) for key in ("at", "statement", "source", "verdict")), effect, margin, count, str(row["sentence"])]


HEADINGS = ("at", "claim", "evidence", "verdict", "effect [interval]", "margin", "n", "in words")


def claims_markdown(table: pl.DataFrame) -> str:
    """The verdicts as a Markdown table."""
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(_cells(row) for row in table.to_dicts())]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
