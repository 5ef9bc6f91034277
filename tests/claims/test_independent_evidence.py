"""Evidence from the talk's models as others scored them: planted margins by hand, and the committed ones."""

import numpy as np
import polars as pl
import pytest

from overtime.claims import independent_evidence as others
from overtime.claims.evidence import MissingEvidence, Tables
from overtime.files import RESOURCES

SIZES = {"pythia-70m": 0.0, "pythia-410m": 1.0, "pythia-12b": 2.0}  # how far margins follow the stereotype, in nats
COMMITTED = {name: RESOURCES / f"released/{name}.csv" for name in ("independent_winobias", "independent_winogender")}


def planted(follow: dict[str, float], lean: float = -0.5) -> pl.DataFrame:
    """Two sentences for each of 20 occupations; margins are a lean, and what follows the association of the occupation."""
    pile = np.repeat(np.linspace(-1, 1, 20), 2)
    margins = {f"{model}{ending}": lean + by * pile for model, by in follow.items() for ending in ("", "-deduped")}
    keys = {
        "occupation": [f"o{i // 2}" for i in range(40)],
        "pile": pile,
        "direction": np.where(pile > 0, "feminine", "masculine"),
    }
    return pl.DataFrame(keys | margins)


def estimate(found) -> tuple[float, float, float]:
    found = found.estimate().interval()
    return found.estimate, found.lower, found.upper


def test_slope_and_correlation_are_those_of_the_planted_association():
    tables = Tables({"independent_winogender": planted(SIZES)})
    assert estimate(others.independent_slope(tables))[0] == pytest.approx((0 + 1 + 2) / 3)
    assert estimate(others.independent_correlation(tables))[0] == pytest.approx((0 + 1 + 1) / 3)  # 0 where nothing moves
    with pytest.raises(MissingEvidence, match="no independent winobias table"):
        others.independent_slope(tables, sentences="winobias")
    with pytest.raises(MissingEvidence, match="no scores of winogender by models of the french corpus"):
        others.independent_slope(tables, corpus="french")


def test_contrasts_are_of_a_line_over_the_logarithm_of_the_parameters():
    """A lean of -.5: masculine forms win at 70M; at 12B a follow of 2 turns feminine occupations with pile above .25."""
    table = planted(SIZES)
    share = {}
    for model, by in SIZES.items():
        feminine = (np.linspace(-1, 1, 20)[10:] * by > 0.5).mean()
        share[model] = (feminine + 1.0) / 2
    x = np.log([0.07, 0.41, 11.85])
    slope = np.polyfit(x, list(share.values()), 1)[0] * (x[-1] - x[0])
    tables = Tables({"independent_winobias": table})
    assert estimate(others.independent_size_contrast(tables))[0] == pytest.approx(slope)
    area = np.polyfit(x, [0.5, 1.0, 1.0], 1)[0] * (x[-1] - x[0])
    assert estimate(others.independent_size_ranking(tables))[0] == pytest.approx(area)


def test_each_corpus_has_models_of_its_own():
    table = planted(SIZES).with_columns(pl.col("pile").alias("pythia-70m-deduped"))
    tables = Tables({"independent_winogender": table})
    assert estimate(others.independent_slope(tables, corpus="deduplicated"))[0] == pytest.approx((1 + 1 + 2) / 3)
    assert estimate(others.independent_slope(tables))[0] == pytest.approx(1)


def test_occupations_not_sentences_are_the_units():
    random = np.random.default_rng(0)
    of_occupation = np.repeat(random.normal(0, 1, 20), 2)
    table = planted({"pythia-70m": 1.0}).with_columns(pl.col("pythia-70m") + of_occupation)
    _, lower, upper = estimate(others.independent_slope(Tables({"independent_winogender": table})))
    doubled = pl.concat([table, table])
    assert estimate(others.independent_slope(Tables({"independent_winogender": doubled})))[1:] == pytest.approx((lower, upper))


def test_the_committed_margins_say_what_an_independent_analysis_found():
    """Smallest against largest of seven: share .19 [.13, .25] standard, .135 [.08, .19] deduplicated; here, a line over all."""
    tables = Tables(COMMITTED)
    value, lower, upper = estimate(others.independent_size_contrast(tables))
    assert (value, lower, upper) == pytest.approx((0.19, 0.13, 0.25), abs=0.01)
    value, lower, upper = estimate(others.independent_size_contrast(tables, corpus="deduplicated"))
    assert (value, lower, upper) == pytest.approx((0.135, 0.08, 0.19), abs=0.015)
    slopes = [0.73, 1.07, 1.47, 1.52, 1.59, 1.78, 1.63]
    assert estimate(others.independent_slope(tables))[0] == pytest.approx(np.mean(slopes), abs=0.005)
