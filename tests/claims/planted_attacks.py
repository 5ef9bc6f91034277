"""Planted scores of case study 3: what each label, detector, policy and persona says is decided by a function of the prompt."""

from collections.abc import Callable

import polars as pl

TASKS = {"two": ("a", "b"), "three": ("a", "b", "c")}
DEPTH, GROUPS, SHOWN = 12, 12, 4  # last layer, rotation groups of a task, demonstrations
CONDITIONS = ("true", "injection", "benign")
Right = Callable[[str, str, int, int], bool]  # task, condition, group, layer -> is the answer right?


def layers(right: Right, model: str = "m", tuned: bool = True) -> pl.DataFrame:
    """A readout of every prompt at every layer, under both lenses alike; a wrong answer is the label after the right one."""
    rows = []
    for task, labels in TASKS.items():
        for prompt in range(GROUPS * len(labels)):
            group, truth = prompt // len(labels), labels[prompt % len(labels)]
            wrong = labels[(prompt + 1) % len(labels)]
            for condition in CONDITIONS:
                for layer in range(DEPTH + 1):
                    said = truth if right(task, condition, group, layer) else wrong
                    key = {"model": model, "task": task, "prompt": prompt, "group": group, "condition": condition}
                    key |= {"demonstrations": SHOWN, "layer": layer, "truth": truth}
                    rows += [key | {"label": label, "logit": float(label == said)} for label in labels]
    table = pl.DataFrame(rows)
    return pl.concat(table.with_columns(lens=pl.lit(lens)) for lens in (["logit", "tuned"] if tuned else ["logit"]))


def late_attack(task: str, condition: str, group: int, layer: int) -> bool:
    """Nothing is known up to the middle; the injection turns the answers of the task "two" round in the last layer alone."""
    return layer > DEPTH // 2 and not (condition == "injection" and layer == DEPTH and task == "two")


def detected(score: Callable[[str, str, str, int, int], float], seeds: int = 2, model: str = "m") -> pl.DataFrame:
    """Scores of detectors; `score` is of task, detector, kind, prompt and seed."""
    rows = []
    for task, labels in TASKS.items():
        for prompt in range(GROUPS * len(labels)):
            for kind in ("normal", "injection", "benign", "named"):
                for detector in ("isolation_forest", "local_outlier_factor", "entropy", "margin"):
                    key = {"model": model, "task": task, "prompt": prompt, "group": prompt // len(labels)}
                    key |= {"demonstrations": SHOWN, "kind": kind, "detector": detector, "attack": kind == "injection"}
                    rows += [key | {"seed": seed, "score": score(task, detector, kind, prompt, seed)} for seed in range(seeds)]
    return pl.DataFrame(rows)


def defended(right: Callable[[str, str, str, int], bool], model: str = "m") -> pl.DataFrame:
    """Answers of policies; `right` is of task, policy, condition and prompt."""
    rows = []
    for task, labels in TASKS.items():
        for prompt in range(GROUPS * len(labels)):
            for condition in CONDITIONS:
                for policy in ("final", "early_exit", "majority"):
                    key = {"model": model, "task": task, "prompt": prompt, "group": prompt // len(labels), "policy": policy}
                    key |= {"demonstrations": SHOWN, "condition": condition}
                    rows.append(key | {"correct": right(task, policy, condition, prompt)})
    return pl.DataFrame(rows)


def personas(said: Callable[[str, str, int], str], kappa: float = 0.9) -> pl.DataFrame:
    """Coded answers to ten claims of each group; `said` is of group, condition and claim."""
    rows = []
    for place, group in enumerate(("conspiracy", "true", "false")):
        for claim in range(10 * place, 10 * place + 10):
            for condition in ("plain", "persona", "benign"):
                key = {"model": "m", "claim": claim, "group": group, "condition": condition}
                rows.append(key | {"said": said(group, condition, claim), "agreement": kappa, "labelled": 120})
    return pl.DataFrame(rows)
