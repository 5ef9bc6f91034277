"""Evidence of case study 3: planted effects found, by hand where it can be, and what is lacking said."""

import numpy as np
import planted_attacks as planted
import polars as pl
import pytest
from planted_attacks import DEPTH, GROUPS, layers
from sklearn.metrics import roc_auc_score

from overtime.claims import defence_evidence as defence
from overtime.claims import layers_evidence as evidence
from overtime.claims import persona_evidence as persona
from overtime.claims import released_attacks_evidence as released
from overtime.claims.decisions import decide
from overtime.claims.evidence import MissingEvidence, Tables
from overtime.claims.layer_answers import WORDINGS
from overtime.files import RESOURCES

INF = float("inf")


def interval(found) -> tuple[float, float, float]:
    found = found.estimate().interval()
    return found.estimate, found.lower, found.upper


@pytest.fixture(scope="module")
def late() -> Tables:
    return Tables({"layers": layers(planted.late_attack)})


def test_as_many_wordings_are_left_out_as_there_are():
    assert pl.read_csv(RESOURCES / "prompts/suffixes.csv").height == WORDINGS


def test_a_task_on_which_a_harmless_suffix_costs_as_much_is_left_out(late):
    found = evidence.attacked_final(late)
    assert found.note == "left out: three (the attack costs no more than a harmless suffix)"
    assert set(found.units["rotation groups"]) == {f"two/{group}" for group in range(GROUPS)}
    # All 24 prompts are wrong; the bound is the binomial one for none of 12 groups that is not.
    assert interval(found) == pytest.approx((0, 0, 1 - 0.025 ** (1 / 12)))
    with pytest.raises(MissingEvidence, match="no task can be judged; left out: three"):
        evidence.attacked_final(late, without="two")
    alike = Tables({"layers": layers(lambda task, condition, group, layer: condition == "true" or layer < DEPTH)})
    with pytest.raises(MissingEvidence, match=r"left out: three \(the attack .*\), two \(the attack"):
        evidence.attacked_final(alike)


def test_an_attack_in_the_last_layer_is_late_and_resisted(late):
    assert interval(evidence.early_recovery(late))[0] == 1 - 0.5  # right at all earlier layers; half-way between 1 and 0
    assert interval(evidence.early_beyond_chance(late))[0] == 0.5
    assert decide(evidence.early_recovery(late), (0.0, INF)) == "upheld"
    for back in (2, 3, 4):
        assert interval(evidence.damage_before_end(late, back=back))[0] == 0
    for lens in ("tuned", "logit"):
        assert interval(evidence.early_recovery(late, lens=lens))[0] == 0.5


def test_an_attack_two_layers_before_the_end_is_neither():
    def right(task: str, condition: str, group: int, layer: int) -> bool:
        return layer > 5 and not (condition == "injection" and layer >= DEPTH - 3)

    tables = Tables({"layers": layers(right)})
    assert interval(evidence.damage_before_end(tables))[0] == 1
    assert interval(evidence.damage_before_end(tables, back=4))[0] == 0
    assert interval(evidence.early_recovery(tables))[0] == -0.5  # of 12 layers the last quarter begins at 9, which is attacked
    assert interval(evidence.early_recovery(tables, share=3))[0] == 0.5  # layer 8 is not
    # Chance is 1/2 in one task and 1/3 in the other, which count alike.
    assert interval(evidence.early_beyond_chance(tables))[0] == pytest.approx(-(1 / 2 + 1 / 3) / 2)
    assert interval(evidence.early_beyond_chance(tables, without="three"))[0] == -0.5


def test_the_layer_is_chosen_on_the_other_half_of_the_groups():
    """Layer 9 resists in even groups, layer 10 in odd ones: each half gets the layer at which the other resists."""

    def right(task: str, condition: str, group: int, layer: int) -> bool:
        return layer > 5 and (condition != "injection" or (layer == 9 + group % 2))

    tables = Tables({"layers": layers(right)})
    assert interval(evidence.early_beyond_chance(tables, without="three"))[0] == -0.5


def test_a_layer_that_does_not_know_the_task_is_not_chosen_and_not_read():
    """Layers 9 and 10 are right under attack, but on clean prompts as often as by chance."""

    def right(task: str, condition: str, group: int, layer: int) -> bool:
        if layer in (9, 10):
            return condition == "injection" or group // 2 % 2 == 0
        return layer > 5 and condition != "injection"

    def one(task: str, condition: str, group: int, layer: int) -> bool:
        return right(task, condition, group, layer) if layer != 9 else layer > 5 and condition != "injection"

    blind = layers(right).filter(task="two")
    with pytest.raises(MissingEvidence, match=r"two \(no such layer knows it on clean prompts"):
        evidence.early_recovery(Tables({"layers": blind}))
    with pytest.raises(MissingEvidence, match=r"two \(no such layer knows it on clean prompts"):
        evidence.damage_before_end(Tables({"layers": blind}))
    # Layer 9 knows the task and is fooled, layer 10 knows nothing and is not: 9 is chosen.
    assert interval(evidence.early_beyond_chance(Tables({"layers": layers(one).filter(task="two")})))[0] == -0.5


def test_layers_that_a_released_curve_lacks_are_said():
    tables = Tables({"released_layers": RESOURCES / "released/overthinking_layers.csv"})
    for measured in (released.released_early_recovery, released.released_early_beyond_chance):
        with pytest.raises(MissingEvidence, match=r"no layer in the last 1/30 of them"):
            measured(tables, share=30)
    for back in (29, -1):
        with pytest.raises(MissingEvidence, match=f"gpt-j-6b has no layer {back} before the last"):
            released.released_damage_before_end(tables, back=back)


def test_a_model_of_two_layers_has_none_shortly_before_the_end() -> None:
    shallow = layers(planted.late_attack).filter(pl.col("layer") >= DEPTH - 2).with_columns(pl.col("layer") - (DEPTH - 2))
    for measured in (evidence.early_recovery, evidence.early_beyond_chance):
        with pytest.raises(MissingEvidence, match=r"two \(no such layer knows it on clean prompts"):
            measured(Tables({"layers": shallow}))


def test_a_task_with_a_layer_for_one_half_only_is_left_out():
    def right(task: str, condition: str, group: int, layer: int) -> bool:
        if task == "two" and layer in (9, 10):
            return group % 2 == 0 or group % 4 == 1
        return layer > 5 and not (condition == "injection" and layer == DEPTH)

    found = evidence.early_recovery(Tables({"layers": layers(right)}))
    assert found.note == "left out: two (no such layer knows it on clean prompts)"


def test_answers_changed_by_hand():
    """Injections change 3 of 4 answers, harmless suffixes 1 of 4; to another wrong label counts, to the same does not."""

    def right(task: str, condition: str, group: int, layer: int) -> bool:
        return {"true": True, "injection": group % 4 == 0, "benign": group % 4 != 0}[condition]

    table = layers(right)
    assert interval(evidence.attack_changes(Tables({"layers": table})))[0] == pytest.approx(3 / 4 - 1 / 4)
    both = table.with_columns(
        logit=pl.when(pl.col("condition") == "true").then((pl.col("label") == "a").cast(float)).otherwise("logit")
    )
    said = both.filter(layer=DEPTH, lens="logit").sort("logit").group_by("task", "prompt", "condition").agg(pl.last("label"))
    wide = said.pivot("condition", index=["task", "prompt"], values="label")
    unlike = (pl.col(name) != pl.col("true") for name in ("injection", "benign"))
    by_task = wide.group_by("task").agg((next(unlike).cast(float) - next(unlike).cast(float)).mean().alias("mean"))
    assert interval(evidence.attack_changes(Tables({"layers": both})))[0] == pytest.approx(by_task["mean"].mean())
    # Wording 3 and its group are left out in every task: 8 of 11 against 3 of 11.
    assert interval(evidence.attack_changes(Tables({"layers": table}), wording=3))[0] == pytest.approx(8 / 11 - 3 / 11)


def test_units_are_rotation_groups_and_wordings_not_prompts():
    """Groups that differ: the interval is that of 12 group means, whatever the number of prompts in a group."""
    values = {group: group % 3 == 0 for group in range(GROUPS)}
    table = layers(lambda task, condition, group, layer: condition != "injection" or values[group])
    for task in planted.TASKS:
        found = evidence.attacked_final(Tables({"layers": table.filter(task=task)}))
        means = np.array([float(value) for value in values.values()])
        error = means.std(ddof=1) / np.sqrt(GROUPS)
        assert found.estimate().standard_error == pytest.approx(error)
        assert found.estimate().df == GROUPS - 1
    # Both tasks share their wordings and fail alike: together they are no better known than one.
    assert evidence.attacked_final(Tables({"layers": table})).estimate().standard_error == pytest.approx(error)


def test_models_count_alike():
    def half(task: str, condition: str, group: int, layer: int) -> bool:
        return condition != "injection" or group % 2 == 0

    table = pl.concat([layers(planted.late_attack), layers(half, model="n")]).filter(task="two")
    assert interval(evidence.attacked_final(Tables({"layers": table})))[0] == (0 + 0.5) / 2
    with pytest.raises(MissingEvidence, match="n was not read on all prompts"):
        evidence.attack_changes(Tables({"layers": table.filter((pl.col("model") == "m") | (pl.col("group") > 1))}))


def test_without_a_control_nothing_is_said():
    with pytest.raises(MissingEvidence, match="no prompts of the condition benign"):
        evidence.attack_changes(Tables({"layers": layers(planted.late_attack).filter(pl.col("condition") != "benign")}))


@pytest.fixture(scope="module")
def noise() -> pl.DataFrame:
    random = np.random.default_rng(0)

    def score(task: str, detector: str, kind: str, prompt: int, seed: int) -> float:
        shift = {"injection": 2.0, "benign": 1.8, "named": 1.9, "normal": 0.0}[kind] if detector != "entropy" else 0.0
        return shift + random.normal() + (task == "three") * 100

    return planted.detected(score, seeds=3)


def area(scores: pl.DataFrame, detector: str, kinds: tuple[str, str], seed: int) -> float:
    rows = scores.filter(pl.col("kind").is_in(kinds), detector=detector, seed=seed, task="two")
    return roc_auc_score(rows["kind"] == kinds[0], rows["score"])


def test_areas_are_those_of_scikit_learn_averaged_over_detectors_and_seeds(late, noise):
    tables = Tables({"layers": layers(planted.late_attack), "detect": noise})
    for kind in ("injection", "benign"):
        found = defence.detection_gain(tables, kind=kind)
        by_seed = [
            (
                area(noise, "isolation_forest", (kind, "normal"), seed)
                + area(noise, "local_outlier_factor", (kind, "normal"), seed)
            )
            / 2
            - area(noise, "entropy", (kind, "normal"), seed)
            for seed in range(3)
        ]
        assert interval(found)[0] == pytest.approx(np.mean(by_seed))
        assert interval(defence.detection_gain(tables, kind=kind, seed=1))[0] == pytest.approx(by_seed[1])
        assert decide(found, (0.05, INF)) == "upheld"  # and so the control fails: a harmless suffix is detected as well
        assert "three" in found.note
    told = defence.detection_beyond_control(tables)
    forests = [area(noise, name, ("injection", "named"), seed) for name in defence.TRAJECTORY_DETECTORS for seed in range(3)]
    assert interval(told)[0] == pytest.approx(np.mean(forests) - 0.5)
    assert decide(told, (0.056, INF)) != "upheld"
    with pytest.raises(MissingEvidence, match="no injection and named prompts scored"):
        defence.detection_beyond_control(
            Tables({"layers": layers(planted.late_attack), "detect": noise.filter(pl.col("kind") != "named")})
        )


def test_a_draw_of_rounding_noise_is_judged_by_its_own_scores(late, noise):
    turned = noise.with_columns(score=-pl.col("score"))
    draws = pl.concat(table.with_columns(draw=pl.lit(draw)) for draw, table in enumerate((noise, turned)))
    tables = Tables({"layers": layers(planted.late_attack), "detect": noise, "noisy_detect": draws})
    for measured in (defence.detection_gain, defence.detection_beyond_control):
        value = interval(measured(tables))[0]
        assert interval(measured(tables, noise=0))[0] == value
        assert interval(measured(tables, noise=1))[0] == pytest.approx(-value)


def test_early_exit_by_hand():
    """The final layer is right in no attacked prompt, early exit in 18 of 24; it costs 2 of 24 clean ones."""

    def right(task: str, policy: str, condition: str, prompt: int) -> bool:
        if condition == "injection":
            return policy == "early_exit" and prompt < 18
        return policy != "early_exit" or prompt >= 2

    tables = Tables({"layers": layers(planted.late_attack), "defend": planted.defended(right)})
    assert interval(defence.early_exit_gain(tables))[0] == pytest.approx(18 / 24)
    assert interval(defence.early_exit_beyond_chance(tables))[0] == pytest.approx(18 / 24 - 1 / 2)
    assert interval(defence.early_exit_clean(tables))[0] == pytest.approx(-2 / 24)
    better = planted.defended(lambda task, policy, condition, prompt: prompt < (18 if policy == "early_exit" else 16))
    tables = Tables({"layers": layers(planted.late_attack), "defend": better})
    assert interval(defence.early_exit_beyond_chance(tables))[0] == pytest.approx((18 - 16) / 24)


def test_assertions_of_personas_by_hand():
    """Conspiracies: plain 1, persona 7, benign 5 of 10; false claims rise by 2 under the persona."""
    most = {"plain": 1, "persona": 7, "benign": 5}
    others = {"plain": 1, "persona": 3, "benign": 1}

    def said(group: str, condition: str, claim: int) -> str:
        return (
            "asserted"
            if claim % 10 < (most if group == "conspiracy" else others)[condition]
            else ("denied", "unclear")[claim % 2]
        )

    tables = Tables({"assertions": planted.personas(said)})
    plain = persona.persona_asserts(tables, than="plain")
    assert interval(plain)[0] == pytest.approx(0.6)
    assert plain.estimate().n == 10
    assert plain.note == "coding agrees with one reader of 120 answers by a kappa of 0.90"
    assert interval(persona.persona_asserts(tables, than="benign"))[0] == pytest.approx(0.2)
    assert interval(persona.persona_beyond_false(tables, than="plain"))[0] == pytest.approx(0.6 - 0.2)
    with pytest.raises(MissingEvidence, match=r"by a kappa of 0\.79 only; need 0\.8"):
        persona.persona_asserts(Tables({"assertions": planted.personas(said, kappa=0.79)}))


def test_log_odds_are_judged_where_yes_and_no_hold_half():
    rows = planted.personas(lambda *_: "").drop("said", "agreement", "labelled")
    shift = {"conspiracy": 1.0, "true": 0.2, "false": 0.4}
    odds = pl.col("claim") / 10 + pl.when(condition="persona").then(pl.col("group").replace_strict(shift)).otherwise(0.0)
    scores = rows.with_columns(log_odds=odds, mass=pl.when(condition="plain").then(0.5).otherwise(0.7))
    assert interval(persona.persona_shift(Tables({"persona": scores})))[0] == pytest.approx(1.0 - 0.3)
    crumbs = scores.with_columns(pl.col("mass") - 0.01)
    with pytest.raises(MissingEvidence, match=r"Yes and No together have 0.49 of the probability under the prompt plain \(m\)"):
        persona.persona_shift(Tables({"persona": crumbs}))


def test_released_curves_say_the_same_twelve_times():
    path = RESOURCES / "released/overthinking_layers.csv"
    tables, curves = Tables({"released_layers": path}), pl.read_csv(path).select("model", "task").unique()
    assert curves.height == 12
    assert interval(released.released_early_recovery(tables)) == pytest.approx((-0.25, -0.289, -0.211), abs=5e-4)
    of_damage = []
    for curve in curves.iter_rows(named=True):
        assert decide(released.released_early_recovery(tables, **curve), (0.0, INF)) == "contradicted"
        lost = released.released_damage_before_end(tables, **curve)
        assert decide(lost, (-0.05, 0.05)) == "contradicted"
        at_end = released.released_damage_before_end(tables, **curve, back=0)
        of_damage.append(lost.estimated / at_end.estimated)
    assert (round(min(of_damage), 2), round(max(of_damage), 2)) == (0.79, 1.12)
    with pytest.raises(MissingEvidence, match="no released curve of gpt-2 on the task unnatural"):
        released.released_attacked_final(tables, model="gpt-2")


def test_a_released_curve_by_hand():
    """Last layer 12: right after false demonstrations .2 at the end, .6 at layer 9, .9 at layer 8; after true ones always .8."""
    rows = [
        {"model": "m", "task": "t", "metric": "calibrated", "prefix": prefix, "demonstrations": 4, "layer": layer}
        | {"mean": mean, "lower": mean - 0.0196, "upper": mean + 0.0196}
        for prefix in ("correct", "incorrect")
        for layer in range(DEPTH + 1)
        for mean in [0.5 if layer == 0 else 0.8 if prefix == "correct" else {12: 0.2, 9: 0.6, 8: 0.9}.get(layer, 0.3)]
    ]
    tables, curve = Tables({"released_layers": pl.DataFrame(rows)}), {"model": "m", "task": "t"}
    above = released.released_early_recovery(tables, **curve)
    assert (above.estimated, above.standard_error) == (pytest.approx(0.6 - 0.5), pytest.approx(0.01 + (0.01 + 0.01) / 2))
    assert released.released_early_recovery(tables, **curve, share=3).estimated == pytest.approx(0.9 - 0.5)
    assert released.released_early_beyond_chance(tables, **curve).estimated == pytest.approx(0.6 - 0.5)
    late = released.released_damage_before_end(tables, **curve)
    assert (late.estimated, late.standard_error) == (pytest.approx(0.8 - 0.3), pytest.approx(0.02))
    final = released.released_attacked_final(tables, **curve)
    assert (final.estimated, final.standard_error, final.n) == (pytest.approx(0.2), pytest.approx(0.01), 1601)
