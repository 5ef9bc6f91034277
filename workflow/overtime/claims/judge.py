"""Judge the claims of the talk: tests with margins that were written down before, and a verdict that follows from a rule.

A test says where an effect lies: above a margin, below one, or within one. **Upheld**: the whole confidence interval lies there.
**Contradicted**: the whole interval lies elsewhere. **Undecided**: it has part in both. With 95 % intervals, either wrong verdict
has a nominal probability of at most 2.5 % for an effect on the margin. A claim of several parts is upheld if all of them are and
contradicted if one is. **Untested**: a claim that it needs is not upheld, or data lack. **Not specific**: the tests decide, but
the control shows the same without the cause claimed; an undecided control leaves the claim undecided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from overtime.claims.claim_file import COMPARISONS, Call, Claim, Control, Options, Test, accepted, read_claims
from overtime.claims.decisions import (
    CONTRADICTED,
    NOT_SPECIFIC,
    UNDECIDED,
    UNTESTED,
    UPHELD,
    Estimate,
    Region,
    p_outside,
    p_within,
    verdict,
)
from overtime.claims.evidence import Aggregate, Evidence, MissingEvidence, Record, Sample, TableInput, Tables
from overtime.jackknife import FEWEST_LEVELS

OF_CONTROLS = {"failed": NOT_SPECIFIC, UNTESTED: UNTESTED, UNDECIDED: UNDECIDED}  # the first that any control has
ORDER_OF_PARTS = (CONTRADICTED, UNTESTED, UNDECIDED, UPHELD)  # the first that a part has is the claim's


@dataclass(frozen=True)
class Perturbation:
    """What a referee would vary: options of the evidence, margins times `margin`, `one` run of a size."""

    options: Options = field(default_factory=dict)
    margin: float = 1.0
    one: Mapping[str, int] | None = None


AS_IS = Perturbation()


@dataclass(frozen=True, eq=False)  # arrays have no equality
class Tested:
    """One test on one kind of evidence; `missing` says what lacks if it is untested."""

    words: str
    verdict: str
    evidence: Sample | Aggregate | Record | None = None
    estimate: Estimate | None = None
    region: Region | None = None
    missing: str = ""

    @property
    def p(self) -> tuple[float, float]:
        """Two-sided p values for "upheld" and for "contradicted"."""
        if self.estimate is None or self.region is None:
            return 1.0, 1.0
        return 2 * p_within(self.estimate, *self.region), 2 * p_outside(self.estimate, *self.region)


@dataclass(frozen=True, eq=False)
class Judged:
    """A claim on one kind of evidence: its parts, what they say together, and after needs and controls the verdict."""

    claim: Claim
    source: str
    tests: list[Tested]
    of_tests: str
    verdict: str
    controls: list[tuple[str, str]] = field(default_factory=list)  # words, "passed", "failed", UNDECIDED or UNTESTED
    missing: str = ""

    @property
    def p(self) -> float | None:
        """That the estimates speak for: the largest p of all parts, or the smallest against one (times their number)."""
        if self.verdict == UNTESTED or any(tested.estimate is None for tested in self.tests):
            return None
        holds, fails = zip(*(tested.p for tested in self.tests), strict=True)
        return float(min(1.0, max(holds), min(fails) * len(fails)))

    @property
    def decisive(self) -> Tested:
        """The part that decides: the clearest one against a contradicted claim, else the one that holds least clearly."""
        if self.of_tests == CONTRADICTED:
            against = [tested for tested in self.tests if tested.verdict == CONTRADICTED]
            return min(against, key=lambda tested: tested.p[1])
        return max(self.tests, key=lambda tested: tested.p[0])


class Court:
    """Judges the claims of a file on given tables; evidence is computed once for each choice of options."""

    def __init__(self, claims_path: str | Path, inputs: Mapping[str, TableInput | None]) -> None:
        self.claims = read_claims(claims_path)
        self._by_id = {claim.id: claim for claim in self.claims}
        self._tables = Tables(inputs)
        self._evidence: dict[tuple[str, tuple[tuple[str, object], ...]], Evidence | MissingEvidence] = {}

    def judge(self, claim: Claim, source: str, varied: Perturbation = AS_IS) -> Judged:
        """The claim on one kind of evidence; `varied` also varies what it needs, and controls by options."""
        tests = [self._test(test, test.evidence[source], varied) for test in claim.tests]
        of_tests = next(one for one in ORDER_OF_PARTS if any(tested.verdict == one for tested in tests))
        missing = next((tested.missing for tested in tests if tested.missing), "") if of_tests == UNTESTED else ""
        judged = Judged(claim, source, tests, of_tests, of_tests, missing=missing)
        if of_tests != UNTESTED and (lacking := self._lacking(claim, source, varied)):
            return replace(judged, verdict=UNTESTED, missing=lacking)
        if of_tests not in (UPHELD, CONTRADICTED):
            return judged
        asked = [one for one in claim.control if one.guards in ("both", of_tests) and one.speaks_of(claim.tests, source)]
        results = [(control.words, self._control(control, claim, source, of_tests, varied)) for control in asked]
        outcomes = {outcome for _, outcome in results}
        found = next((v for o, v in OF_CONTROLS.items() if o in outcomes), of_tests)
        missing = "; ".join(f"control ({words})" for words, outcome in results if outcome == UNTESTED and found == UNTESTED)
        return replace(judged, verdict=found, controls=results, missing=missing)

    def _lacking(self, claim: Claim, source: str, varied: Perturbation) -> str:
        """The first claim that this one needs and that is not upheld on the same kind of evidence, where it can be had."""
        varied = replace(varied, margin=1.0)  # the margin of this claim is varied, not that of what it needs
        for need in claim.needs:
            needed = self._by_id[need]
            if source in needed.sources:
                found = self.judge(needed, source, varied)
                if found.verdict != UPHELD:
                    return f"{need} is {found.verdict}"
        return ""

    def _control(self, control: Control, claim: Claim, source: str, of_tests: str, varied: Perturbation) -> str:
        """Did the control pass? The worst outcome of its variations."""
        if control.test is not None:
            found = [self._test(control.test, control.test.evidence[source], AS_IS).verdict]
        else:
            found = []
            for options in control.options:
                own = replace(varied, options=varied.options | options)
                tests = [self._test(test, test.evidence[source], own) for test in claim.tests]
                found.append(next(one for one in ORDER_OF_PARTS if any(tested.verdict == one for tested in tests)))
        wanted = of_tests if control.gives == "same" else control.gives
        outcomes = {"passed" if one == wanted else one if one in (UNDECIDED, UNTESTED) else "failed" for one in found}
        return next(one for one in ("failed", UNTESTED, UNDECIDED, "passed") if one in outcomes)

    def _test(self, test: Test, call: Call, varied: Perturbation) -> Tested:
        evidence = self._compute(call, varied.options)
        if isinstance(evidence, MissingEvidence):
            return Tested(test.words, UNTESTED, missing=str(evidence))
        if isinstance(evidence, Record):
            return Tested(test.words, UPHELD if evidence.holds else CONTRADICTED, evidence)
        estimate, region = evidence.estimate(varied.one), test.region(varied.margin)
        if estimate.n < FEWEST_LEVELS:
            few = f"{estimate.n} {unit_of(evidence)} are too few; need {FEWEST_LEVELS}"
            return Tested(test.words, UNTESTED, evidence, estimate, region, few)
        return Tested(test.words, verdict(region, estimate.interval()), evidence, estimate, region)

    def _compute(self, call: Call, varied: Options) -> Evidence | MissingEvidence:
        known = accepted(call.by)
        options = {**call.options, **{name: value for name, value in varied.items() if name in known}}
        key = call.by, tuple(sorted(options.items()))
        if key not in self._evidence:
            try:
                self._evidence[key] = COMPARISONS[call.by](self._tables, **options)
            except MissingEvidence as missing:
                self._evidence[key] = missing
        return self._evidence[key]


def unit_of(evidence: Sample | Aggregate | Record) -> str:
    """What the independent units of the evidence are called, in the plural."""
    return " x ".join(evidence.units) if isinstance(evidence, Sample) else evidence.unit


def levels_of(evidence: Sample | Aggregate | Record) -> Sequence[int]:
    """How many levels each of the units has."""
    return [len(np.unique(names)) for names in evidence.units.values()] if isinstance(evidence, Sample) else [evidence.n]
