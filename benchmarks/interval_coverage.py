"""How often do the intervals of the verdicts cover the truth? `python benchmarks/interval_coverage.py [SIMULATIONS]`

Log-odds of masculine against feminine variants are simulated on the design of the mini world's pairs (24 templates, 72
occupations, 288 held-out pairs; runs of three sizes), for a baseline and an arm, with known truth. `Spread` has the standard
deviations of a mixed model fitted to the scores of a finished run. Prints, for three scenarios and three statistics, the coverage
of the 95 % interval of the change.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from overtime.jackknife import jackknife
from overtime.statistics import Statistic, among, mean_of

TEMPLATES, OCCUPATIONS = 24, 72
MIX = 0.608
RUNS = {"xs": 4, "s": 4, "m": 3}
ARMS = {"baseline": (0.1, 0.36), "swap": (-0.3, 0.175)}  # intercept, slope on the log-odds of the corpus
PAIRS = np.array([(t, o) for t in range(TEMPLATES) for o in range(OCCUPATIONS) if (5 * t + o + (o // 6) * (t // 6)) % 6 == 0]).T
PROBABILITY = 0.5 - 0.45 * np.cos(np.pi * np.arange(OCCUPATIONS) / (OCCUPATIONS - 1))
GRADIENT = np.log(PROBABILITY / (1 - PROBABILITY))[PAIRS[1]]
MASCULINE = GRADIENT > 0


@dataclass(frozen=True)
class Spread:
    """Standard deviations of what is drawn: for all runs, and for each run of each arm."""

    template: float = 0.24
    occupation: float = 0.03
    pair: float = 0.40
    run: float = 0.08
    template_run: float = 0.20
    occupation_run: float = 0.10
    rest: float = 0.45

    @property
    def total(self) -> float:
        return float(np.sqrt(sum(value**2 for value in vars(self).values())))

    @property
    def within_template(self) -> float:
        """Of the difference of two pairs of one template in one run."""
        parts = (self.occupation, self.pair, self.occupation_run, self.rest)
        return float(np.sqrt(2 * sum(value**2 for value in parts)))


SCENARIOS = {
    "as fitted": Spread(),
    "occupations .40": replace(Spread(), occupation=0.40),
    "runs .30": replace(Spread(), run=0.30),
}


def share(preference: NDArray[np.float64]) -> Statistic:
    """Share of stereotyped preferences at the mix of directions."""
    sides = [np.flatnonzero(~MASCULINE), np.flatnonzero(MASCULINE)]
    feminine, masculine = (among(mean_of(hit[side]), side) for hit, side in zip((preference < 0, preference > 0), sides))
    return lambda weights: MIX * feminine(weights) + (1 - MIX) * masculine(weights)


def feminine_only(preference: NDArray[np.float64]) -> Statistic:
    side = np.flatnonzero(~MASCULINE)
    return among(mean_of(preference[side] < 0), side)


SAME_TEMPLATE = (PAIRS[0][:, None] == PAIRS[0]) & MASCULINE[:, None] & ~MASCULINE


def ranking(preference: NDArray[np.float64]) -> Statistic:
    """Chance that a masculine occupation is ranked above a feminine one of the same template."""
    above, every = SAME_TEMPLATE * (preference[:, None] > preference), SAME_TEMPLATE.astype(float)
    return lambda weights: ((weights @ above) * weights).sum(axis=1) / ((weights @ every) * weights).sum(axis=1)


STATISTICS = {"share": share, "feminine only": feminine_only, "AUC": ranking}


def truth(name: str, spread: Spread) -> float:
    """The expected change, in closed form, over all that is drawn."""
    return _expected(name, *ARMS["baseline"], spread) - _expected(name, *ARMS["swap"], spread)


def _expected(name: str, intercept: float, slope: float, spread: Spread) -> float:
    mean = intercept + slope * GRADIENT
    feminine, masculine = (
        float(norm.cdf(sign * mean[side] / spread.total).mean()) for sign, side in ((-1, ~MASCULINE), (1, MASCULINE))
    )
    if name == "AUC":
        return float(norm.cdf((mean[:, None] - mean) / spread.within_template)[SAME_TEMPLATE].mean())
    return feminine if name == "feminine only" else MIX * feminine + (1 - MIX) * masculine


def simulate(spread: Spread, random: np.random.Generator) -> dict[str, dict[str, list[NDArray[np.float64]]]]:
    """Preferences for the masculine variant [pairs] by arm, size and run."""
    items = random.normal(0, spread.template, TEMPLATES)[PAIRS[0]] + random.normal(0, spread.occupation, OCCUPATIONS)[PAIRS[1]]
    items += random.normal(0, spread.pair, len(GRADIENT))

    def run(intercept: float, slope: float) -> NDArray[np.float64]:
        own = random.normal(0, spread.run) + random.normal(0, spread.template_run, TEMPLATES)[PAIRS[0]]
        own += random.normal(0, spread.occupation_run, OCCUPATIONS)[PAIRS[1]] + random.normal(0, spread.rest, len(GRADIENT))
        return intercept + slope * GRADIENT + items + own

    return {arm: {size: [run(*line) for _ in range(n)] for size, n in RUNS.items()} for arm, line in ARMS.items()}


def coverage(name: str, spread: Spread, simulations: int, seed: int = 0) -> tuple[float, float]:
    """Share of intervals that hold the truth, and their mean width."""
    random, right, statistic, covered, width = np.random.default_rng(seed), truth(name, spread), STATISTICS[name], 0, 0.0
    for _ in range(simulations):
        drawn = simulate(spread, random)
        runs = {
            size: [
                _minus(statistic(before), statistic(after)) for before, after in zip(drawn["baseline"][size], drawn["swap"][size])
            ]
            for size in RUNS
        }
        interval = jackknife(runs, PAIRS).interval()
        covered += interval.lower <= right <= interval.upper
        width += (interval.upper - interval.lower) / simulations
    return covered / simulations, width


def _minus(before: Statistic, after: Statistic) -> Statistic:
    return lambda weights: before(weights) - after(weights)


if __name__ == "__main__":
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"coverage of 95 % intervals in % (mean width), {simulations} simulations, {RUNS} runs")
    for scenario, spread in SCENARIOS.items():
        found = [coverage(name, spread, simulations) for name in STATISTICS]
        cells = "; ".join(f"{name} {100 * share:.1f} ({width:.3f})" for name, (share, width) in zip(STATISTICS, found))
        print(f"{scenario}: {cells}")
