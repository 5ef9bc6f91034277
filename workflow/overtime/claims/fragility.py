"""How fragile is a verdict? The share of perturbed runs, family by family, that come to the same one.

Two families vary every claim: its margin, halved and doubled, and its seeds, every choice of one run of each size. The others are
options of the evidence that claims.yaml lists; those under `robustness` need tables that the default run does not make.
"""

from collections.abc import Iterator
from itertools import product

import polars as pl

from overtime.claims.claim_file import Claim, accepted
from overtime.claims.decisions import UNTESTED
from overtime.claims.evidence import Sample
from overtime.claims.judge import Court, Judged, Perturbation

MARGINS = (0.5, 2.0)
FAMILY_COLUMNS: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("id", "source", "family"), pl.String),
    **dict.fromkeys(("runs", "same", "other", "untested"), pl.Int64),
}


def fragility_table(court: Court, judged: list[Judged], robustness: bool = False) -> pl.DataFrame:
    """For every tested row and family: `runs`, and how many gave the `same` verdict, an `other` one, or were `untested`."""
    rows = []
    for row in judged:
        if row.p is None:
            continue
        for family, perturbations in _families(row, robustness):
            found = [court.judge(row.claim, row.source, perturbation).verdict for perturbation in perturbations]
            same, untested = found.count(row.verdict), found.count(UNTESTED)
            counts = {"runs": len(found), "same": same, "other": len(found) - same - untested, "untested": untested}
            rows.append({"id": row.claim.id, "source": row.source, "family": family} | counts)
    return pl.DataFrame(rows, FAMILY_COLUMNS)


def worst_family(families: pl.DataFrame) -> tuple[str, float | None]:
    """The family with the smallest share of same verdicts among its judged runs, "seeds 9/18", and this share, if any."""
    tested = families.with_columns(judged=pl.col("runs") - pl.col("untested")).filter(pl.col("judged") > 0)
    if tested.is_empty():
        return "", None
    worst = tested.sort(pl.col("same") / pl.col("judged"), -pl.col("judged"), "family").row(0, named=True)
    return f"{worst['family']} {worst['same']}/{worst['judged']}", worst["same"] / worst["judged"]


def _families(row: Judged, robustness: bool) -> Iterator[tuple[str, list[Perturbation]]]:
    claim = row.claim
    if any(test.margin for test in claim.tests):
        yield "margin", [Perturbation(margin=factor) for factor in MARGINS]
    if len(choices := _single_runs(row)) > 1:
        yield "seeds", [Perturbation(one=choice) for choice in choices]
    listed = claim.families | (claim.robustness if robustness else {})
    for family, variations in listed.items():
        if fitting := [options for options in variations if _takes(claim, row.source, options)]:
            yield family, [Perturbation(options=options) for options in fitting]


def _takes(claim: Claim, source: str, options: dict[str, str | int | float | bool]) -> bool:
    return any(set(options) <= accepted(test.evidence[source].by) for test in claim.tests)


def _single_runs(row: Judged) -> list[dict[str, int]]:
    """Every choice of one run of each size."""
    samples = [tested.evidence for tested in row.tests if isinstance(tested.evidence, Sample)]
    if not samples:
        return []
    runs = {size: max(len(sample.runs.get(size, ())) for sample in samples) for sample in samples for size in sample.runs}
    return [dict(zip(runs, choice, strict=True)) for choice in product(*(range(number) for number in runs.values()))]
