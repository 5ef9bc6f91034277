"""Readouts that are not whole, or belong to other prompts, are refused; whole ones count the same in any order."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from overtime import InputError
from overtime.attacks.critical_layer import gap_landmarks, released_landmarks
from overtime.attacks.defence_table import defence_table, detection_table
from overtime.attacks.detectors import score_prompts
from overtime.attacks.early_exit import defend
from overtime.attacks.layer_accuracy import calibrated_accuracy, scored_answers
from overtime.attacks.layers_table import accuracy_by_layer
from overtime.attacks.persona_table import persona_table
from overtime.attacks.trajectories import Trajectories

NAN = float("nan")
LABELS, LAYERS, PROMPTS = ("a", "b", "c"), 4, 6
TRUTHS = [LABELS[prompt % 3] for prompt in range(PROMPTS)]


def layers() -> pl.DataFrame:
    """A `read_prompts` table: two conditions, three numbers of demonstrations, two lenses."""
    random, rows = np.random.default_rng(0), []
    for prompt, truth in enumerate(TRUTHS):
        for condition in ("true", "injection"):
            for seen in (2, 3, 4):
                key = {"prompt": prompt, "group": prompt // 3, "condition": condition, "demonstrations": seen, "truth": truth}
                for lens in ("logit", "tuned"):
                    rows += [
                        key | {"lens": lens, "layer": layer, "label": label, "logit": random.normal()}
                        for layer in range(LAYERS)
                        for label in LABELS
                    ]
    return pl.DataFrame(rows)


def readout() -> pl.DataFrame:
    """A `read_layers` table."""
    chosen = layers().filter(condition="true", demonstrations=4, lens="tuned")
    return chosen.select("prompt", "layer", "label", "logit")


FIRST = (pl.col("prompt") == 0) & (pl.col("layer") == 0)
BROKEN: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "nan": (
        lambda table: table.with_columns(logit=pl.when(pl.col("layer") == 2).then(NAN).otherwise("logit")),
        "column logit, row",
    ),
    "infinite": (lambda table: table.with_columns(logit=pl.lit(float("inf"))), "column logit, row 1: inf"),
    "null": (lambda table: table.with_columns(logit=pl.when(pl.col("layer") > 0).then("logit")), "labels without a logit"),
    "twice": (lambda table: pl.concat([table, table]), "more than one row of prompt 0"),
    "one row twice": (lambda table: pl.concat([table, table.tail(1)]), "more than one row of prompt 5"),
    "label for another": (
        lambda table: table.with_columns(label=pl.when(FIRST & (pl.col("label") == "b")).then(pl.lit("c")).otherwise("label")),
        "more than one row of prompt 0",
    ),
    "layer lacking": (
        lambda table: table.filter((pl.col("prompt") != 3) | (pl.col("layer") != 1)),
        "answers differ in their layers",
    ),
    "label lacking": (lambda table: table.filter(~(FIRST & (pl.col("label") == "b"))), "answers differ in their layers, labels"),
    "two depths": (
        lambda table: pl.concat([table, table.filter(pl.col("layer") < 2).with_columns(pl.col("prompt") + PROMPTS)]),
        "answers differ in their layers",
    ),
    "two tasks": (
        lambda table: pl.concat([table, table.with_columns(pl.col("prompt") + PROMPTS, pl.col("label").str.to_uppercase())]),
        "answers differ in their layers, labels",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_tables_that_are_not_whole_are_refused_in_one_line(name):
    spoil, message = BROKEN[name]
    table, plain = spoil(layers()), spoil(readout())
    truths = [*TRUTHS, *TRUTHS][: plain["prompt"].n_unique()]
    uses = [
        lambda: scored_answers(table),
        lambda: calibrated_accuracy(plain, truths),
        lambda: Trajectories.of(table, "tuned", (2, 4)),
        lambda: score_prompts({"t": table}, (2, 4)),
        lambda: defend(table, "t", (2, 4)),
    ]
    for use in uses:
        with pytest.raises(InputError, match=message) as caught:
            use()
        assert "\n" not in str(caught.value)


def test_truths_belong_to_the_prompts():
    for truths, message in (
        (TRUTHS[:5], "5 true labels, but 6 prompts were read, numbered 0 to 5"),
        ([*TRUTHS, "a"], "7 true labels, but 6 prompts"),
        ([], "0 true labels, but 6 prompts"),
        ([*TRUTHS[:5], "d"], "the true label of prompt 5 is 'd', but a, b, c were read"),
        ([*TRUTHS[:5], " a"], "the true label of prompt 5 is ' a'"),
    ):
        with pytest.raises(InputError, match=message):
            calibrated_accuracy(readout(), truths)
    with pytest.raises(InputError, match="numbered 10 to 15"):
        calibrated_accuracy(readout().with_columns(pl.col("prompt") + 10), TRUTHS)
    with pytest.raises(InputError, match="1 true labels, but no prompt was read"):
        calibrated_accuracy(readout().clear(), ["a"])
    unknown = layers().with_columns(truth=pl.when(pl.col("prompt") == 2).then(pl.lit("z")).otherwise("truth"))
    two = layers().with_columns(truth=pl.when(pl.col("layer") == 2).then(pl.lit("a")).otherwise("truth"))
    for table, message in ((unknown, "prompt 2 is 'z'"), (two, "layers, labels or truths")):
        for use in (
            scored_answers,
            lambda table: Trajectories.of(table, "tuned", (2, 4)),
            lambda table: defend(table, "t", (2, 4)),
        ):
            with pytest.raises(InputError, match=message):
                use(table)


def test_whole_tables_count_the_same_in_any_order():
    shuffled, key = layers().sample(fraction=1, shuffle=True, seed=1), ["prompt", "condition", "demonstrations", "lens", "layer"]
    assert scored_answers(shuffled).sort(key).equals(scored_answers(layers()).sort(key))
    mixed = calibrated_accuracy(readout().sample(fraction=1, shuffle=True, seed=1), TRUTHS)
    assert mixed["accuracy"].to_list() == pytest.approx(calibrated_accuracy(readout(), TRUTHS)["accuracy"].to_list())
    other = pl.concat(
        [layers(), layers().with_columns(pl.col("prompt") + PROMPTS)]
    )  # prompts of another run, with their own numbers
    assert scored_answers(other).height == 2 * scored_answers(layers()).height


def test_an_all_nan_model_has_no_accuracy():
    """It would have exactly chance: every probability ties with every threshold."""
    with pytest.raises(InputError, match="column logit, row 1: nan"):
        calibrated_accuracy(readout().with_columns(logit=pl.lit(NAN)), TRUTHS)


def test_scores_made_elsewhere_are_checked_where_they_are_judged():
    scores = scored_answers(layers())
    spoilt = scores.with_columns(plain=pl.when(pl.col("prompt") == 1).then(NAN).otherwise("plain"))
    for use in (lambda: gap_landmarks(spoilt, "injection", (2, 4)), lambda: accuracy_by_layer(spoilt, (2, 4))):
        with pytest.raises(InputError, match=r"scored answers: column plain, row \d+: nan"):
            use()
    with pytest.raises(InputError, match="prompts differ in the layers"):
        gap_landmarks(scores.filter((pl.col("prompt") != 2) | (pl.col("layer") != 1)), "injection", (2, 4))
    curves = pl.DataFrame({"model": "m", "task": "t", "metric": "top1", "condition": ["true", "false"], "x": 0, "y": [0.5, NAN]})
    with pytest.raises(InputError, match="released curves: column y, row 2: nan"):
        released_landmarks(curves)
    detected = score_prompts({"t": layers()}, (2, 4))
    with pytest.raises(InputError, match="scores of detectors: column score, row 1: nan"):
        detection_table(detected.with_columns(score=pl.lit(NAN)))
    with pytest.raises(InputError, match="scores of detectors: more than one row of task t, detector isolation_forest"):
        detection_table(pl.concat([detected, detected]))
    answers = defend(layers(), "t", (2, 4))
    with pytest.raises(InputError, match="answers of policies: more than one row of task t"):
        defence_table(pl.concat([answers, answers]))
    odds = pl.DataFrame({"claim": [0], "group": ["true"], "condition": ["plain"], "text": ["?"], "log_odds": [NAN]})
    with pytest.raises(InputError, match="log-odds of personas: column log_odds, row 1: nan"):
        persona_table(odds, pl.DataFrame())
