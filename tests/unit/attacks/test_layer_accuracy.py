"""The published accuracy by hand, accuracy by layer and by demonstrations, where attacks take hold."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from overtime import InputError
from overtime.attacks.critical_layer import gap_landmarks, landmark_rows, released_landmarks
from overtime.attacks.layer_accuracy import calibrated_accuracy, scored_answers
from overtime.attacks.layers_table import (
    accuracy_by_demonstrations,
    accuracy_by_layer,
    chance,
    divergence_rows,
    released_accuracy,
)


def readout(probabilities: dict[str, list[float]]) -> pl.DataFrame:
    """One layer: label -> probability for every prompt, as a `read_layers` table with an arbitrary offset per prompt."""
    rows = [
        {"prompt": prompt, "layer": 0, "label": label, "logit": np.log(value) + 3 * prompt}
        for label, values in probabilities.items()
        for prompt, value in enumerate(values)
    ]
    return pl.DataFrame(rows)


def test_calibrated_accuracy_by_hand() -> None:
    # Label a is always the more likely one: plain accuracy 2/5. Medians: a .70 and b .30, both held by prompt 2, a tie: 1/2.
    # Prompts 0 and 1 (a) exceed .70; prompt 3 (b, .45) exceeds .30; prompt 4 (b, .20) does not: (1 + 1 + .5 + 1 + 0) / 5.
    table = readout({"a": [0.9, 0.75, 0.7, 0.55, 0.8], "b": [0.1, 0.25, 0.3, 0.45, 0.2]})
    assert calibrated_accuracy(table, ["a", "a", "b", "b", "b"])["accuracy"].to_list() == pytest.approx(
        [(1 + 1 + 0.5 + 1 + 0) / 5]
    )
    # An even number of prompts: the median lies between two, a: .55 and b: .45; prompts 0 (a .9) and 3 (b .8) exceed theirs.
    even = readout({"a": [0.9, 0.7, 0.4, 0.2], "b": [0.1, 0.3, 0.6, 0.8]})
    assert calibrated_accuracy(even, ["a", "b", "a", "b"])["accuracy"].to_list() == [0.5]
    # Three labels, four prompts: the 2/3 quantile is the third of four values. a: .5 of {.2, .3, .5, .6}; b: .4; c: .4.
    three = readout({"a": [0.6, 0.5, 0.2, 0.3], "b": [0.1, 0.4, 0.3, 0.5], "c": [0.3, 0.1, 0.5, 0.2]})
    expected = [1, 1 / 3, 1, 1]  # a .6 > .5; b .4 = .4, a tie; c .5 > .3; b .5 > .4
    assert calibrated_accuracy(three, ["a", "b", "c", "b"])["accuracy"].to_list() == pytest.approx([np.mean(expected)])


def planted(right: Callable[[str, int, int], bool], prompts: int = 8, depth: int = 6, demonstrations: int = 3) -> pl.DataFrame:
    """A layers table in which `right(condition, prompt, layer)` says whether the true label leads; balanced truths."""
    rows = []
    for prompt in range(prompts):
        truth, other = ("a", "b") if prompt % 2 else ("b", "a")
        for condition, seen in [("zero_shot", [0]), ("true", range(demonstrations)), ("false", range(demonstrations))]:
            for count in seen:
                for layer in range(depth):
                    lead = 1.0 if right(condition, prompt, layer) else -1.0
                    for label, logit in ((truth, lead), (other, -lead)):
                        key = {"prompt": prompt, "group": prompt // 2, "condition": condition, "demonstrations": count}
                        key |= {"truth": truth, "lens": "logit"}
                        rows.append(key | {"layer": layer, "label": label, "logit": logit, "top": logit > 0})
    return pl.DataFrame(rows)


def test_accuracy_by_layer_counts_prompts_in_the_window() -> None:
    table = planted(lambda condition, prompt, layer: condition != "false" or prompt < 6 or layer < 3)
    curves = accuracy_by_layer(scored_answers(table), window=(0, 1), resamples=200)
    plain = curves.filter(pl.col("metric") == "plain")
    assert plain.filter(pl.col("condition") == "false").sort("x")["y"].to_list() == [1, 1, 1, 0.75, 0.75, 0.75]
    assert set(plain["n"]) == {4}  # groups of two prompts
    assert dict(plain.select("condition", "demonstrations").unique().iter_rows()) == {"zero_shot": 0, "true": 1, "false": 1}
    end = plain.filter(pl.col("condition") == "false", pl.col("x") == 5).row(0, named=True)
    assert 0.25 <= end["lower"] < 0.75 < end["upper"] <= 1
    # With 4 groups "always right" bounds the rate from below at .025 ** (1/4), whatever the number of prompts and cues.
    sure = plain.filter(pl.col("condition") == "true", pl.col("x") == 5).row(0, named=True)
    assert (sure["lower"], sure["upper"]) == pytest.approx((0.025 ** (1 / 4), 1))


def test_accuracy_by_demonstrations_is_of_the_last_layer() -> None:
    flipped = (pl.col("condition") == "false") & (pl.col("demonstrations") == 2) & (pl.col("prompt") < 2)
    table = planted(lambda condition, prompt, layer: layer == 5)
    table = table.with_columns(logit=pl.when(flipped).then(-pl.col("logit")).otherwise("logit"))
    rows = accuracy_by_demonstrations(scored_answers(table), resamples=100).filter(metric="plain", condition="false")
    assert rows.select("x", "demonstrations", "y", "n").rows() == [(0, 0, 1.0, 4), (1, 1, 1.0, 4), (2, 2, 0.75, 4)]
    assert set(rows["kind"]) == {"demonstrations"}


def test_gap_opens_where_it_was_planted() -> None:
    # Half of the false prompts fail from layer 3 on, all of them from layer 4 on, so half of the final gap is reached at layer 3.
    table = planted(lambda condition, prompt, layer: condition != "false" or layer < 3 or (layer == 3 and prompt < 4))
    found = gap_landmarks(scored_answers(table), "false", window=(0, 2), resamples=200).filter(pl.col("metric") == "plain")
    assert dict(found.select("landmark", "y").iter_rows()) == {"opens": 3, "critical": 3}
    rows = landmark_rows(scored_answers(table), window=(0, 2), resamples=200).filter(metric="plain")
    assert rows.select("series", "kind", "y").rows() == [("false opens", "landmark", 3.0), ("false critical", "landmark", 3.0)]
    none = gap_landmarks(scored_answers(planted(lambda *_: True)), "false", window=(0, 2), resamples=50)
    assert none["y"].null_count() == none.height
    with pytest.raises(InputError, match="condition 'injection'"):
        gap_landmarks(scored_answers(table), "injection", window=(0, 2))


def test_released_curves_and_chance_stand_beside_the_measured_ones():
    released = pl.DataFrame(
        {"model": ["gpt-j-6b", "gpt-j-6b", "pythia-12b"], "task": ["unnatural", "unnatural", "unnatural"], "metric": "top1"}
        | {"prefix": ["correct", "incorrect", "correct"], "layer": [28, 28, 36], "demonstrations": 39}
        | {"mean": [0.99, 0.08, 0.5], "lower": [0.98, 0.06, 0.4], "upper": [1.0, 0.1, 0.6]}
    )
    rows = released_accuracy(released)
    assert rows.select("series", "x", "y").rows() == [("gpt-j-6b true", 28.0, 0.99), ("gpt-j-6b false", 28.0, 0.08)]
    means = {"true": [0.9] * 6, "false": [0.9, 0.9, 0.85, 0.75, 0.1, 0.1]}
    curves = pl.concat(
        pl.DataFrame({"condition": condition, "x": range(6), "y": values}) for condition, values in means.items()
    ).with_columns(model=pl.lit("m"), task=pl.lit("t"), metric=pl.lit("top1"))
    assert released_landmarks(curves).select("landmark", "y", "lower").rows() == [("opens", 3.0, None), ("critical", 4.0, None)]
    assert chance(pl.DataFrame({"label": ["a", "b", "c", "a"]}))["y"].to_list() == pytest.approx([1 / 3])
    held_out = pl.DataFrame({"layer": [0], "lens": ["tuned"], "kl": [2.5], "n": [128], "text": ["packages"]})
    assert divergence_rows(held_out).select("kind", "series", "x", "y", "n").rows() == [("divergence", "tuned", 0, 2.5, 128)]
