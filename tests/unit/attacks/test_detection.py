"""Detectors and defences on planted trajectories whose right answers are known."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from overtime import InputError
from overtime.attacks import detectors as detect
from overtime.attacks.defence_table import defence_table, detection_table
from overtime.attacks.detectors import score_prompts, score_with_noise
from overtime.attacks.early_exit import defend
from overtime.attacks.trajectories import Trajectories

DEPTH, PROMPTS = 12, 24  # layers with the embeddings; clusters
WINDOW = (4, 4)
Path = Callable[[str, int], list[float]]  # condition, prompt -> lead of the true label at every layer


def table(path: Path, conditions: tuple[str, ...] = ("true", "false", "injection", "benign"), labels: str = "ab") -> pl.DataFrame:
    """A layers table with one answer for every prompt and condition; the labels share what the true one leaves."""
    rows = []
    for prompt in range(PROMPTS):
        truth = labels[prompt % len(labels)]
        for condition in conditions:
            key = {"prompt": prompt, "group": prompt // 2, "condition": condition, "demonstrations": 4}
            key |= {"truth": truth, "lens": "tuned"}
            for layer, lead in enumerate(path(condition, prompt)):
                rows += [key | {"layer": layer, "label": label, "logit": lead * (label == truth)} for label in labels]
    return pl.DataFrame(rows)


def noisy(path: Path, seed: int, scale: float = 0.3) -> Path:
    random = np.random.default_rng(seed)
    return lambda condition, prompt: list(path(condition, prompt) + random.normal(0, scale, DEPTH))


def late_flip(condition: str, prompt: int) -> list[float]:
    """Attacks turn the answer round in the last three layers, with the same certainty at the end; others end as they were."""
    return [2.0] * (DEPTH - 3) + [-2.0 if condition in ("false", "injection") else 2.0] * 3


def test_trajectories_are_label_normalised_and_ranked() -> None:
    def path(condition: str, prompt: int) -> list[float]:
        return [np.log(3)] * (DEPTH - 1) + [-np.log(4)]

    read = Trajectories.of(table(path, ("true",)), "tuned", WINDOW)
    assert read.log_probabilities.shape == (PROMPTS, DEPTH, 2)
    best, second, winner, loser = np.moveaxis(np.exp(read.features()).reshape(PROMPTS, DEPTH - 1, 4), 2, 0)  # not the embeddings
    assert best[:, 0] == pytest.approx([0.75] * PROMPTS)
    assert winner[:, 0] == pytest.approx([0.25] * PROMPTS)  # the label that wins at the end, seen at the start
    assert (winner[:, -1], loser[:, -1]) == (pytest.approx(best[:, -1]), pytest.approx(second[:, -1]))
    assert best[:, -1] == pytest.approx([0.8] * PROMPTS)
    with pytest.raises(InputError, match="logit lens after 4 to 4"):
        Trajectories.of(table(path, ("true",)), "logit", WINDOW)


def test_detectors_see_the_flip_that_the_final_layer_hides() -> None:
    scores = score_prompts({"planted": table(noisy(late_flip, 0))}, WINDOW, seeds=2)
    assert scores.height == 2 * 6 * 4 * PROMPTS
    assert not scores.select("prompt", "detector", "seed", "kind").is_duplicated().any()
    assert scores.filter(pl.col("attack"))["kind"].unique().sort().to_list() == ["false", "injection"]
    measured = detection_table(scores, resamples=200)
    value = {tuple(row[:3]): row[3] for row in measured.select("detector", "kind", "measure", "y").iter_rows()}
    assert value["probe_benign", "injection", "auroc_benign"] > 0.95
    for detector in ("isolation_forest", "local_outlier_factor", "probe"):
        assert value[detector, "false", "auroc"] > 0.95
        assert value[detector, "injection", "auroc_benign"] > 0.95
        assert value[detector, "false", "alarms"] > 0.8
        assert value[detector, "benign", "alarms"] < 0.3
    for baseline in ("entropy", "margin"):
        assert 0.3 < value[baseline, "false", "auroc"] < 0.7
    gain = measured.filter(pl.col("measure") == "gain", pl.col("detector") == "probe", pl.col("kind") == "false").row(
        0, named=True
    )
    assert gain["y"] == pytest.approx(value["probe", "false", "auroc"] - value["entropy", "false", "auroc"])
    assert 0 < gain["lower"] < gain["y"] < gain["upper"]
    assert set(measured["n"]) == {PROMPTS // 2}  # groups


def test_baselines_are_entropy_and_margin_of_the_final_layer() -> None:
    def path(condition: str, prompt: int) -> list[float]:
        return [0.0] * (DEPTH - 1) + [np.log(prompt + 1) if condition == "true" else 0.0]

    scores = score_prompts({"planted": table(path)}, WINDOW, seeds=1)
    odds = np.arange(1, PROMPTS + 1)
    p, q = odds / (odds + 1), 1 / (odds + 1)
    found = scores.filter(pl.col("kind") == "normal").pivot("detector", index="prompt", values="score").sort("prompt")
    np.testing.assert_allclose(found["entropy"], -p * np.log(p) - q * np.log(q), atol=1e-9)
    np.testing.assert_allclose(found["margin"], -np.log(odds), atol=1e-9)


def test_no_prompt_is_scored_by_detectors_fitted_on_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[set[int], set[int]]] = []
    fit, score, groups_of = detect._fit, detect._score, {}

    def spy_fit(task: str, fitting: Trajectories, seed: int) -> object:
        fitted = fit(task, fitting, seed)
        groups_of[id(fitted.probes)] = set(fitting.answers["group"])
        return fitted

    def spy_score(fitted: object, scored: Trajectories, normal: str) -> pl.DataFrame:
        calls.append((groups_of[id(fitted.probes)], set(scored.answers["group"])))
        return score(fitted, scored, normal)

    monkeypatch.setattr(detect, "_fit", spy_fit)
    monkeypatch.setattr(detect, "_score", spy_score)
    score_prompts({"planted": table(noisy(late_flip, 0))}, WINDOW, seeds=1)
    assert all(not fitting & scored for fitting, scored in calls)
    assert sorted(group for _, scored in calls for group in scored) == list(range(PROMPTS // 2))


def test_another_task_raises_alarms_where_its_trajectories_differ() -> None:
    def shifted(condition: str, prompt: int) -> list[float]:
        return [-value for value in late_flip(condition, prompt)[:-1]] + [2.0]

    tasks = {"own": table(noisy(late_flip, 0)), "other": table(noisy(shifted, 1), labels="abc")}
    measured = detection_table(score_prompts(tasks, WINDOW, seeds=1), resamples=100)
    alarms = measured.filter(pl.col("kind") == "shift:other", pl.col("detector") == "local_outlier_factor")
    assert alarms.select("task", "measure", "y").rows() == [("own", "alarms", 1.0)]


@pytest.mark.parametrize("seed", range(3))
def test_rounding_noise_of_the_logits_moves_no_score(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first layers know nothing: their label probabilities are the same for all prompts, but for noise."""

    def late(condition: str, prompt: int) -> list[float]:
        first = 0.7 if prompt % 2 else -0.7  # for the same label, whichever is true
        return [first] * (DEPTH // 2) + late_flip(condition, prompt)[DEPTH // 2 :]

    monkeypatch.setattr(detect, "NEIGHBOURS", 5)  # among so few prompts 20 are all of them, and scores tie
    spread = np.r_[np.zeros(DEPTH // 2), np.full(DEPTH - DEPTH // 2, 0.8)]
    random = np.random.default_rng(seed)
    clean = table(lambda condition, prompt: list(late(condition, prompt) + spread * random.normal(0, 1, DEPTH)))
    noise = np.random.default_rng(100 + seed).normal(0, 1e-6, clean.height)
    share = (pl.col("score").rank() / pl.len()).over("detector", "seed")
    before, after = (
        score_prompts({"planted": one}, WINDOW, seeds=3).with_columns(rank=share)
        for one in (clean, clean.with_columns(pl.col("logit") + noise))
    )
    moved = before.with_columns(by=(before["rank"] - after["rank"]).abs()).group_by("detector").agg(pl.mean("by"))
    areas, noisier = (detection_table(scores, resamples=10).filter(pl.col("measure") != "alarms") for scores in (before, after))
    apart = areas.with_columns(by=(areas["y"] - noisier["y"]).abs()).group_by("detector").agg(pl.max("by"))
    assert moved["by"].max() <= 0.001
    assert apart["by"].max() <= 0.001


def test_scores_with_noise_are_drawn_several_times_and_hardly_differ() -> None:
    one = {"planted": table(late_flip)}
    clean, noisy = score_prompts(one, WINDOW, seeds=1), score_with_noise(one, WINDOW, seeds=1)
    assert noisy.group_by("draw").len().sort("draw").rows() == [(draw, clean.height) for draw in range(10)]
    key = ["prompt", "kind", "detector", "demonstrations"]
    margins = noisy.filter(detector="margin").join(clean.filter(detector="margin"), on=key, suffix="_clean")
    moved = (margins["score"] - margins["score_clean"]).abs()
    assert margins.height == 10 * clean.filter(detector="margin").height
    assert 0 < moved.max() < 1e-5
    assert margins.group_by(key).agg(pl.col("score").n_unique())["score"].min() == 10


def test_the_table_averages_areas_over_seeds_and_weighs_groups() -> None:
    """Two groups of two prompts, scores by hand: wins of attacked over normal prompts, counted."""
    normal, attacked = {0: [1.0, 3.0], 1: [2.0, 2.0]}, {0: [0.0, 2.0], 1: [4.0, 5.0]}
    rows = []
    for seed, sign in ((0, 1), (1, -1)):
        for kind, values in (("normal", normal), ("false", attacked)):
            for group, pair in values.items():
                for place, score in enumerate(pair):
                    keys = {"prompt": 2 * group + place, "group": group, "demonstrations": 4, "task": "t", "seed": seed}
                    keys |= {"attack": kind == "false", "kind": kind}
                    rows += [keys | {"detector": "entropy", "score": 0.0}, keys | {"detector": "x", "score": sign * score}]
    scores = pl.DataFrame(rows)
    found = detection_table(scores.filter(seed=0), resamples=50).filter(detector="x")
    # 0 beats none; 2 beats 1 and half of each 2; 4 and 5 beat all four.
    area = (0 + 2 + 4 + 4) / 16
    assert found.filter(measure="auroc")["y"].item() == area
    assert found.filter(measure="gain")["y"].item() == area - 0.5
    both = detection_table(scores, resamples=50).filter(detector="x", measure="auroc").row(0, named=True)
    assert (both["y"], both["n"]) == (pytest.approx(0.5), 2)  # the other seed has all signs turned round


def test_a_probe_of_suffixes_learns_no_wording() -> None:
    """Each group's suffixes form the answer in a way of its own, the same for both kinds: other groups' tell nothing."""
    random = np.random.default_rng(0)
    ways = random.normal(0, 1, (PROMPTS // 2, DEPTH))
    signs = random.permutation([1, -1] * (PROMPTS // 4))

    def path(condition: str, prompt: int) -> list[float]:
        group = prompt // 2
        side = signs[group] * {"injection": 1, "benign": -1}.get(condition, 0)
        return list(2.0 + side * ways[group] + random.normal(0, 0.05, DEPTH))

    scores = score_prompts({"planted": table(path, ("true", "injection", "benign"))}, WINDOW, seeds=3)
    area = detection_table(scores, resamples=10).filter(detector="probe_benign", measure="auroc_benign")["y"].item()
    assert 0.2 < area < 0.8


def test_where_all_prompts_are_alike_no_detector_knows_anything() -> None:
    constant = table(lambda condition, prompt: [1.0 if prompt % 2 else -1.0] * DEPTH)
    noise = np.random.default_rng(0).normal(0, 1e-6, constant.height)
    for one in (constant, constant.with_columns(pl.col("logit") + noise)):
        scores = score_prompts({"planted": one}, WINDOW, seeds=1)
        learned = scores.filter(~pl.col("detector").is_in(["entropy", "margin"]))
        assert (learned["score"].max() - learned["score"].min()) < 2
        areas = detection_table(learned.vstack(scores.filter(detector="entropy")), resamples=10)
        assert set(areas.filter(pl.col("measure").str.starts_with("auroc"), pl.col("detector") != "entropy")["y"]) == {0.5}


def test_detection_needs_normal_and_attacked_prompts() -> None:
    with pytest.raises(InputError, match="task 'planted': conditions benign, true"):
        score_prompts({"planted": table(late_flip, ("true", "benign"))}, WINDOW)


def test_early_exit_recovers_what_a_late_attack_takes() -> None:
    answers = defend(table(late_flip), "planted", WINDOW)
    assert answers.height == 4 * 4 * PROMPTS
    right = {
        (row[0], row[1]): row[2] for row in answers.group_by("policy", "condition").agg(pl.col("correct").mean()).iter_rows()
    }
    assert [right["final", condition] for condition in ("true", "false", "injection", "benign")] == [1, 0, 0, 1]
    assert [right["early_exit", condition] for condition in ("true", "false", "injection", "benign")] == [1, 1, 1, 1]
    # Three of the last four layers are turned round: the majority is with the attack.
    assert right["majority", "false"] == 0
    # The late mean of an attacked prompt is wrong, the middle right: only a weight of 1 or more is right everywhere.
    assert right["contrast", "false"] == right["contrast", "true"] == 1
    layers = dict(answers.group_by("policy").agg(pl.col("layer").unique()).iter_rows())
    assert layers == {"final": [DEPTH - 1], "early_exit": [DEPTH - 4], "majority": [None], "contrast": [None]}
    measured = defence_table(answers, resamples=200)
    change = measured.filter(pl.col("measure") == "change", pl.col("condition") == "false", pl.col("policy") == "early_exit")
    # All 12 groups gain: the binomial bound for none that does not, on the scale of -1 to 1.
    assert change.select("y", "lower", "upper", "n").row(0) == pytest.approx((1, 1 - 2 * (1 - 0.025 ** (1 / 12)), 1, 12))


def test_the_exit_layer_is_chosen_on_the_other_half() -> None:
    """Layer 5 is right for one half of the groups only: that half must not profit from it."""
    groups = np.random.default_rng(0).permutation(PROMPTS // 2)
    halves = [{2 * group + place for group in half for place in (0, 1)} for half in np.split(groups, 2)]

    def path(condition: str, prompt: int) -> list[float]:
        return [-1.0] * 5 + [1.0 if prompt in halves[0] else -1.0] + [-1.0] * (DEPTH - 6)

    answers = defend(table(path), "planted", WINDOW).filter(pl.col("policy") == "early_exit")
    own, other = (answers.filter(pl.col("prompt").is_in(half)) for half in halves)
    assert (set(own["layer"]), set(other["layer"])) == ({DEPTH - 1}, {5})
    assert not answers["correct"].any()


def test_nothing_is_chosen_that_knows_nothing_of_clean_prompts() -> None:
    """Layer 5 is right under attack, but clean prompts are right there as often as by chance, or hardly more often."""

    def path(clean: int) -> Path:
        def leads(condition: str, prompt: int) -> list[float]:
            right = condition != "true" or prompt % 8 < clean
            return [-1.0] * 5 + [1.0 if right else -1.0] + [-1.0] * (DEPTH - 6)

        return leads

    layer = {}
    for clean in (4, 6):  # of 8: 1/2, and 3/4
        answers = defend(table(path(clean)), "planted", WINDOW).filter(pl.col("policy") == "early_exit")
        layer[clean] = set(answers["layer"])
    assert layer == {4: {DEPTH - 1}, 6: {5}}
    constant = defend(table(lambda condition, prompt: [1.0 if prompt % 2 else -1.0] * DEPTH), "planted", WINDOW)
    assert set(constant.filter(policy="early_exit")["layer"]) == {DEPTH - 1}


def test_defence_needs_clean_and_attacked_prompts() -> None:
    with pytest.raises(InputError, match="task 'planted': defence needs"):
        defend(table(late_flip, ("true", "benign")), "planted", WINDOW)
