"""Measurements that the authors released, parsed into tables.

They are the CrowS-Pairs and WinoBias scores of Pythia over training, and the accuracies by layer of the overthinking study.

The raw files come from the ledger of sources; `write_tables` turns them into the small tables of `resources/released`, which
the figures read. Malformed files are an InputError that names the file and what is wrong in it.
"""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from overtime import InputError
from overtime.files import atomic
from overtime.sources.pickled_arrays import read_arrays
from overtime.tables import RELEASED_STEPS

GENDER_PAIRS = 320  # English gender pairs of the revised CrowS-Pairs
WINOBIAS_SENTENCES = 396  # of each type and direction

ARM_OF_FILES = {"pythia": "baseline", "intervention": "swap7", "long-intervention": "swap21"}
# File names of January 2023 use sizes without embeddings; the models were renamed afterwards.
OLD_SIZES = {"19m": "pythia-70m", "350m": "pythia-410m", "1.3b": "pythia-1.4b", "6.9b": "pythia-6.9b"}
CROWS_FILE = re.compile(r"(?P<arm>pythia|intervention|long-intervention)-(?P<size>19m|350m|1\.3b|6\.9b)-deduped-step\d+_")
WINOBIAS_FILE = re.compile(r"(intervene_(?P<percent>7|21)/)?(?P<size>410M|1\.4B|6\.9B)/[^/]+\.json$")
WINOBIAS_PROMPTS = ("What does p stand for", "refers_to")

LAYER_MODELS = {"gpt_j": "gpt-j-6b", "gpt_neox_20B": "gpt-neox-20b", "pythia_6p9B": "pythia-6.9b", "pythia_12B": "pythia-12b"}
LAYER_METRICS = {"cal_correct_over_incorrect": "calibrated", "top_1_acc": "top1"}


def read_crows_pairs(folder: str | Path) -> pl.DataFrame:
    """CrowS-Pairs English gender scores of the Pythia checkpoints (EleutherAI/pythia, `evals/bias-evals`), one row per file.

    Columns: model, arm (baseline, swap7, swap21: percent of training with masculine words swapped), step (of 143,000),
    pct_stereotype (0..1) and its stderr, likelihood_difference (nats) and its stderr, n (pairs), code (git hash of the
    evaluation), file.
    """
    return _read_points(folder, "*.json", _crows_point).sort("model", "arm", "step")


def _crows_point(path: Path, name: str) -> dict[str, Any]:
    named = CROWS_FILE.match(name)
    if not named:
        raise InputError(
            f"{path}: the name does not say arm, size and step, as in pythia-350m-deduped-step1500_eval_results_DATE.json"
        )
    evaluation = _read_json(path)
    run = _at(path, evaluation, "config", "model_args")
    scores = _at(path, evaluation, "results", "crows_pairs_english_gender")
    return {
        "model": OLD_SIZES[named["size"]],
        "arm": ARM_OF_FILES[named["arm"]],
        # Some models count 143,000 steps of 2M tokens, others 71,500 of 4M.
        "step": int(_number(path, run, "iteration") * RELEASED_STEPS / _number(path, run, "train_iters")),
        "pct_stereotype": _number(path, scores, "pct_stereotype"),
        "stderr": _number(path, scores, "pct_stereotype_stderr"),
        "likelihood_difference": _number(path, scores, "likelihood_difference"),
        "likelihood_difference_stderr": _number(path, scores, "likelihood_difference_stderr"),
        "n": GENDER_PAIRS,
        "code": _at(path, run, "git_hash"),
        "file": name,
    }


def read_winobias(folder: str | Path) -> pl.DataFrame:
    """WinoBias accuracies of the Pythia v1 checkpoints (EleutherAI/pythia, `evals/bias-evals/winobias`), one row per file.

    Columns: model, arm, step (of 143,000), type1_pro, type1_anti, type2_pro, type2_anti (exact match, mean of two prompts),
    net_bias (mean over types of pro - anti), its stderr (the four accuracies taken as independent; the two prompts, which
    share their sentences, as one), n (sentences of each type and direction), code (git hash; null for the interventions,
    whose files have none), file.
    """
    return _read_points(folder, "**/*.json", _winobias_point).sort("model", "arm", "step")


def _winobias_point(path: Path, name: str) -> dict[str, Any]:
    named = WINOBIAS_FILE.match(name)
    if not named:
        raise InputError(f"{path}: the folders do not say arm and size, as in intervene_7/1.4B or 410M")
    evaluation = _read_json(path)
    run = _at(path, evaluation.get("config", evaluation), "model_args")  # files of the interventions have no config
    scores = _at(path, evaluation, "table_results")
    accuracy, variance = {}, 0.0
    for condition in ("type1_pro", "type1_anti", "type2_pro", "type2_anti"):
        prompts = [_at(path, scores, f"wino_bias_{condition}+{prompt}") for prompt in WINOBIAS_PROMPTS]
        accuracy[condition] = sum(_number(path, prompt, "em") for prompt in prompts) / 2
        variance += sum(_number(path, prompt, "em_stderr") ** 2 for prompt in prompts) / 2
    return {
        "model": f"pythia-{named['size'].lower()}",
        "arm": f"swap{named['percent']}" if named["percent"] else "baseline",
        "step": int(_number(path, run, "iteration")),
        **accuracy,
        "net_bias": (accuracy["type1_pro"] - accuracy["type1_anti"] + accuracy["type2_pro"] - accuracy["type2_anti"]) / 2,
        "stderr": math.sqrt(variance) / 2,
        "n": WINOBIAS_SENTENCES,
        "code": run.get("git_hash"),
        "file": name,
    }


def _read_points(folder: str | Path, pattern: str, point: Callable[[Path, str], dict[str, Any]]) -> pl.DataFrame:
    paths = sorted(Path(folder).glob(pattern))
    if not paths:
        raise InputError(f"{folder}: no evaluation files ({pattern}) in this folder; fetch them with the ledger of sources")
    return pl.DataFrame([point(path, path.relative_to(folder).as_posix()) for path in paths], infer_schema_length=None)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); fetch it again") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds a JSON {type(value).__name__}, expected the object of an evaluation")
    return value


def _at(path: Path, value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict) or value.get(key) is None:
            raise InputError(f"{path}: {key} is missing; an evaluation file has {' > '.join(keys)}")
        value = value[key]
    return value


def _number(path: Path, values: dict[str, Any], key: str) -> float:
    value = _at(path, values, key)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{path}: {key} is {value}, expected a finite number")
    return value


def read_layers(path: str | Path) -> pl.DataFrame:
    """Accuracy by layer, from a file of dannyallover/overthinking_the_truth (`results/logit_lens/MODEL/SETTING/TASK.npy`).

    The file is a pickled dict: metric -> array [prompt format = 1][mean, upper, lower][correct, incorrect prefix][layer]
    [demonstrations]. It is read without running anything that a pickle could hold. Columns: metric (the authors' names),
    prefix (correct, incorrect), layer (0 = embeddings), demonstrations (before the scored label), mean, lower, upper.
    """
    tables = []
    for metric, array in _arrays(Path(path)).items():
        if array.ndim != 5 or array.shape[:3] != (1, 3, 2):
            raise InputError(f"{path}: {metric} has shape {array.shape}, expected (1, 3, 2, layers, demonstrations)")
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {metric} holds NaN or infinity, expected accuracies")
        prefix, layer, demonstrations = (index.ravel() for index in np.indices(array.shape[2:]))
        mean, upper, lower = array[0].reshape(3, -1)
        table = pl.DataFrame({"layer": layer, "demonstrations": demonstrations, "mean": mean, "lower": lower, "upper": upper})
        prefixes = pl.Series("prefix", np.array(["correct", "incorrect"])[prefix])
        tables.append(table.select(pl.lit(metric).alias("metric"), prefixes, pl.all()))
    return pl.concat(tables)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_arrays(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); fetch it with the ledger of sources") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: refused as a table of accuracies ({error})") from error


def read_last_layers(folder: str | Path) -> pl.DataFrame:
    """Calibrated and top-1 accuracy by layer after the most demonstrations, of each model and task under `results/logit_lens`.

    Columns: model, task, metric (calibrated, top1), prefix, layer, demonstrations, mean, lower, upper.
    """
    tables = []
    for name, model in LAYER_MODELS.items():
        paths = sorted(Path(folder, name, "permuted_incorrect_labels").glob("*.npy"))
        if not paths:
            raise InputError(f"{folder}: no {name}/permuted_incorrect_labels/TASK.npy; fetch it with the ledger of sources")
        for path in paths:
            layers = read_layers(path).filter(pl.col("metric").is_in(list(LAYER_METRICS)))
            last = layers.filter(pl.col("demonstrations") == pl.col("demonstrations").max())
            named = [
                pl.lit(model).alias("model"),
                pl.lit(path.stem).alias("task"),
                pl.col("metric").replace_strict(LAYER_METRICS),
            ]
            tables.append(last.select(*named, pl.exclude("metric")))
    return pl.concat(tables)


def write_tables(bias_evals: Path, logit_lens: Path, commits: dict[str, str], destination: Path) -> None:
    """Write pythia_crows_gender.csv, pythia_winobias.csv and overthinking_layers.csv to the folder `destination`.

    `bias_evals` and `logit_lens` are the folders of the raw files; `commits` names the versions they were taken from, by
    repository ("pythia" and "overthinking_the_truth"). Each row carries its commit in the last column.
    """
    tables = {
        "pythia_crows_gender": (read_crows_pairs(bias_evals), "pythia"),
        "pythia_winobias": (read_winobias(bias_evals / "winobias"), "pythia"),
        "overthinking_layers": (read_last_layers(logit_lens), "overthinking_the_truth"),
    }
    for name, (table, repository) in tables.items():
        with atomic(destination / f"{name}.csv") as temporary:
            table.with_columns(commit=pl.lit(commits[repository])).write_csv(temporary)
