"""The table of verdicts: one row for each claim and kind of evidence, with effect, interval, control and fragility."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from overtime.claims.claim_file import SOURCES
from overtime.claims.decisions import UNDECIDED, UNTESTED, holm, needed_n
from overtime.claims.evidence import Record, Sample, TableInput
from overtime.claims.fragility import fragility_table, worst_family
from overtime.claims.judge import Court, Judged, Tested, levels_of, unit_of

PART = pl.Struct(
    {"words": pl.String, "verdict": pl.String, "quantity": pl.String}
    | dict.fromkeys(("effect", "lower", "upper", "claimed_low", "claimed_high"), pl.Float64)
)
CLAIM_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("id", "figure", "at", "statement", "source"), pl.String),
    **dict.fromkeys(("effect", "lower", "upper"), pl.Float64),
    **{"n": pl.Int64, "margin": pl.Float64, "expected": pl.String, "verdict": pl.String, "kind": pl.String, "unit": pl.String},
    **{"p": pl.Float64, "p_holm": pl.Float64, "survives_holm": pl.Boolean, "needed_n": pl.Int64, "sentence": pl.String},
    **dict.fromkeys(("short", "fixed", "scope", "control", "fragile"), pl.String),
    **{"same_share": pl.Float64, "seeds_covered": pl.Boolean, "parts": pl.List(PART)},
}
ALPHA = 0.05


def judge(
    claims_path: str | Path, inputs: Mapping[str, TableInput | None], robustness: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Judge every claim on every kind of evidence that it names, never pooled: the verdicts, and `fragility_table`.

    `inputs` names tables or paths (`overtime.claims.evidence.INPUTS`); an absent input leaves its claims untested. `p_holm`
    adjusts p over the tested rows of one kind of evidence; `survives_holm` says whether it stays below .05. `fragile` names the
    family of perturbations that changes the verdict most often, `same_share` the share that does not in this family. With
    `robustness` the families are included that need tables of the target of this name.
    """
    court = Court(claims_path, inputs)
    judged = [court.judge(claim, source) for claim in court.claims for source in claim.sources]
    families = fragility_table(court, judged, robustness)
    table = pl.DataFrame([_row(one, families) for one in judged], CLAIM_COLUMNS)
    adjusted = pl.col("p").map_batches(lambda p: pl.Series(holm(p.to_numpy())), pl.Float64).over("source")
    tested = table.with_row_index().filter(pl.col("p").is_not_null()).with_columns(p_holm=adjusted)
    table = table.with_row_index().drop("p_holm", "survives_holm").join(tested.select("index", "p_holm"), on="index", how="left")
    return table.with_columns(survives_holm=pl.col("p_holm") < ALPHA).select(list(CLAIM_COLUMNS)), families


def stated(table: pl.DataFrame) -> pl.DataFrame:
    """The rows that a summary may state: decided, beyond Holm, unchanged in nine of ten runs of every family; and documents."""
    decided = pl.col("verdict").is_in(["upheld", "contradicted"])
    sure = pl.col("survives_holm").fill_null(False) & (pl.col("same_share").fill_null(1.0) >= 0.9)
    return table.filter(decided & (sure | (pl.col("kind") == "document")))


def _row(judged: Judged, families: pl.DataFrame) -> dict[str, object]:
    claim, decisive = judged.claim, judged.decisive
    test = claim.tests[judged.tests.index(decisive)]
    fragile, same_share = worst_family(families.filter(id=claim.id, source=judged.source))
    samples = [one.evidence for one in judged.tests if isinstance(one.evidence, Sample)]
    return {
        **claim.model_dump(include={"id", "figure", "at", "statement", "short"}),
        "fixed": test.evidence[judged.source].fixed or claim.fixed,
        **{"source": judged.source, "verdict": judged.verdict, "p": judged.p, "sentence": sentence(judged)},
        **{"kind": test.kind, "margin": test.margin, "expected": test.expected},
        **_numbers(decisive),
        **{"needed_n": _needed(judged), "scope": test.evidence[judged.source].scope},
        **{"control": "; ".join(f"{words}: {outcome}" for words, outcome in judged.controls), "fragile": fragile},
        "same_share": same_share,
        "seeds_covered": all(sample.estimate().repeated for sample in samples) if samples else None,
        "parts": [_part(one) for one in judged.tests],
    }


def _numbers(tested: Tested) -> dict[str, object]:
    if tested.evidence is None:
        return {}
    found: dict[str, object] = {"n": min(levels_of(tested.evidence)), "unit": unit_of(tested.evidence)}
    if tested.estimate is not None:
        interval = tested.estimate.interval()
        bounds = (None if math.isnan(bound) else bound for bound in (interval.lower, interval.upper))
        found |= {"effect": interval.estimate, **dict(zip(("lower", "upper"), bounds, strict=True))}
    return found


def _part(tested: Tested) -> dict[str, object]:
    numbers = {name: value for name, value in _numbers(tested).items() if name in ("effect", "lower", "upper")}
    low, high = (None if math.isinf(bound) else bound for bound in tested.region or (math.inf, math.inf))
    quantity = "" if tested.evidence is None or isinstance(tested.evidence, Record) else tested.evidence.quantity
    found = {"words": tested.words, "verdict": tested.verdict, "quantity": quantity, "claimed_low": low, "claimed_high": high}
    return dict.fromkeys(("effect", "lower", "upper")) | found | numbers


def _needed(judged: Judged) -> int | None:
    tested = judged.decisive
    if judged.of_tests != UNDECIDED or tested.estimate is None or tested.region is None:
        return None
    return needed_n(tested.estimate, tested.region)


def sentence(judged: Judged) -> str:
    """The verdict in words: every estimate with interval, units and claimed region; what is lacking, left out or controlled."""
    if judged.verdict == UNTESTED and not any(tested.evidence for tested in judged.tests):
        return f"Untested: {judged.missing}."
    said = [_tested_words(tested) for tested in judged.tests]
    if judged.verdict == UNTESTED:
        said.append(f"Untested: {judged.missing}.")
    elif len(judged.tests) > 1 or judged.verdict != judged.of_tests:
        said.append(f"Together: {judged.of_tests}.")
    said += [f"Control, {words}: {outcome}." for words, outcome in judged.controls]
    if judged.verdict not in (judged.of_tests, UNTESTED):
        said.append(f"So the claim is {judged.verdict}.")
    notes = dict.fromkeys(tested.evidence.note for tested in judged.tests if not isinstance(tested.evidence, Record | None))
    said += [f"{note[0].upper()}{note[1:]}." for note in notes if note]
    if (needed := _needed(judged)) and judged.decisive.evidence is not None:
        unit = unit_of(judged.decisive.evidence)
        said.append(f"If the effect is as estimated, about {needed:,} {unit} would decide it.")
    if any(isinstance(tested.evidence, Sample) and not tested.evidence.estimate().repeated for tested in judged.tests):
        said.append("Seeds not covered.")
    return " ".join(said)


def _tested_words(tested: Tested) -> str:
    if isinstance(tested.evidence, Record):
        return f"{tested.evidence.facts[0].upper()}{tested.evidence.facts[1:]}: {tested.verdict}."
    if tested.evidence is None or tested.estimate is None or tested.region is None:
        return f"Part {tested.words}: untested, {tested.missing}."
    interval, quantity = tested.estimate.interval(), tested.evidence.quantity
    shown = f"95% interval {interval.lower:.3f} to {interval.upper:.3f}" if not math.isnan(interval.lower) else "no interval"
    names = tested.evidence.units if isinstance(tested.evidence, Sample) else [tested.evidence.unit]
    units = " x ".join(f"{n:,} {name}" for n, name in zip(levels_of(tested.evidence), names, strict=True))
    claimed = _words(*tested.region)
    return (
        f"{quantity[0].upper()}{quantity[1:]}: {interval.estimate:.3f} ({shown}, {units}); claimed {claimed}: {tested.verdict}."
    )


def _words(low: float, high: float) -> str:
    if math.isinf(high):
        return f"above {low:g}"
    return f"below {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"


HEADINGS = {
    "at": "at",
    "statement": "claim",
    "source": "evidence",
    "verdict": "verdict",
    "effect": "effect [interval]",
    "margin": "margin",
    "n": "n",
    "survives_holm": "survives Holm",
    "fragile": "how fragile",
    "control": "control",
    "fixed": "fixed",
    "sentence": "in words",
}


def cell(row: Mapping[str, object], column: str) -> str:
    """What a table in Markdown shows of a row of verdicts."""
    value = row[column]
    if column == "effect" and value is not None:
        return f"{value:.3f}" + ("" if row["lower"] is None else f" [{row['lower']:.3f}, {row['upper']:.3f}]")
    if column == "n" and value is not None:
        return f"{value:,} {row['unit']}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def markdown(rows: Iterable[Mapping[str, object]], headings: Mapping[str, str]) -> str:
    """A Markdown table of some columns under these headings."""
    lines = [list(headings.values()), ["---"] * len(headings), *([cell(row, column) for column in headings] for row in rows)]
    return "".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |\n" for line in lines)


def claims_markdown(table: pl.DataFrame) -> str:
    """The verdicts as a Markdown table, kinds of evidence apart."""
    ordered = sorted(table.iter_rows(named=True), key=lambda row: SOURCES.index(row["source"]))
    return markdown(ordered, HEADINGS)
