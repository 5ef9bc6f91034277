"""Prompts of the attack study: few-shot classification, false demonstrations, explicit injections, and their controls.

False demonstrations follow Halawi et al. 2023 (arXiv 2307.09476): the label shown after a demonstration is (true + shift) mod
labels, with one shift per prompt. An injection asks for a wrong answer just before the last answer cue, as in Belrose et al.
2023 (arXiv 2303.08112). Two controls have as many words in the same place and ask for nothing: "benign" names no label, "named"
the one that the injection demands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from overtime import InputError
from overtime.attacks.task_limits import check_size, described
from overtime.files import RESOURCES

FOLDER = RESOURCES / "prompts"
CONDITIONS = ("zero_shot", "true", "false", "half", "random", "injection", "benign", "named")
ATTACKS = ("false", "half", "random", "injection")
SUFFIXED = "injection"  # the attack that the controls are the counterpart of
CONTROLS = ("benign", "named")
EVERY_CUE = ("true", "false", "half", "random")


@dataclass(frozen=True)
class Task:
    """A balanced classification set: `items` has `text` and `label`; `body` (with {text}) and `cue` are the lines of one item."""

    name: str
    labels: tuple[str, ...]
    items: pl.DataFrame
    instruction: str
    body: str
    cue: str


@dataclass(frozen=True)
class Prompt:
    """One text to read at its cues.

    `prompt` numbers the cluster that all conditions share, `group` the rotation group of clusters that share their layout and the
    wording of their suffix: the independent unit. `cues` are character offsets just after an answer cue, where a label
    with a leading space would follow; the last one is the end of the text. `truths` holds the true label at each cue, whatever
    label is shown. `shown` counts the labels before the first cue.
    """

    prompt: int
    group: int
    condition: str
    text: str
    cues: tuple[int, ...]
    truths: tuple[str, ...]
    shown: int = 0

    @property
    def demonstrations(self) -> tuple[int, ...]:
        """Labels seen before each cue."""
        return tuple(range(self.shown, self.shown + len(self.cues)))


@dataclass(frozen=True)
class _Draw:
    """What chance decides in one cluster; class indices, the query last. Drawn for all conditions, whichever are asked for."""

    texts: list[str]
    classes: np.ndarray
    shift: int
    spoilt: np.ndarray
    random: np.ndarray
    suffixes: dict[str, str]


def load_task(name: str, folder: Path = FOLDER) -> Task:
    """Read one classification set: its section of tasks.toml and NAME.csv (`text`, `label`).

    Raises InputError for an unknown set, wrong columns, a label outside the section, an empty or repeated item, unequal classes.
    """
    section, path = described(name, folder), folder / f"{name}.csv"
    items = pl.read_csv(path, infer_schema=False)
    labels = tuple(section.pop("labels"))
    _check_items(items, labels, path)
    return Task(name, labels, items, **section)


def few_shot_prompts(task: Task, conditions: Sequence[str], prompts: int, demonstrations: int, seed: int) -> list[Prompt]:
    """Build `prompts` clusters in every condition, with `demonstrations` labelled items before the query.

    Clusters come in groups as large as the label set, whose label sequences are rotations of each other: at every position each
    label is true equally often, so a constant answer scores exactly 1 / labels. Classes are balanced among the demonstrations of
    a prompt, and its query label is independent of them. The same seed gives the same clusters whatever the conditions are.
    "true" and the conditions with a suffix share their text up to the query item; of the latter, and of "zero_shot", only the
    last cue is read. Each group has a wording of its own, as long as there are as many.

    Raises InputError for an unknown condition, a number of prompts that is no multiple of the labels, or too few items.
    """
    _check_request(task, conditions, prompts, demonstrations)
    draws = _draw(task, prompts, demonstrations, np.random.default_rng(seed))
    return [_render(task, condition, number, draw) for number, draw in enumerate(draws) for condition in conditions]


def _check_request(task: Task, conditions: Sequence[str], prompts: int, demonstrations: int) -> None:
    """Raise InputError unless such prompts can be built: see `few_shot_prompts`."""
    unknown = sorted(set(conditions) - set(CONDITIONS))
    if unknown:
        raise InputError(f"condition {', '.join(unknown)}: unknown; choose from {', '.join(CONDITIONS)}")
    check_size(task.name, len(task.labels), task.items.height, prompts, demonstrations)


def _draw(task: Task, prompts: int, demonstrations: int, rng: np.random.Generator) -> list[_Draw]:
    size = len(task.labels)
    pools = [rng.permutation(task.items.filter(pl.col("label") == label)["text"].to_numpy()) for label in task.labels]
    suffixes, draws = _suffixes(), []
    for group in range(prompts // size):
        layout = np.append(rng.permutation(np.arange(demonstrations) % size), rng.integers(size))
        shift = int(rng.integers(1, size))
        for rotation in range(size):
            classes = (layout + rotation) % size
            texts = np.empty(demonstrations + 1, dtype=object)
            for label, pool in enumerate(pools):
                places = np.flatnonzero(classes[:-1] == label)
                # No query of this group of prompts is among its demonstrations.
                texts[places] = rng.choice(np.delete(pool, group % len(pool)), len(places), replace=False)
            texts[-1] = pools[classes[-1]][group % len(pool)]
            spoilt = rng.permutation(demonstrations) < demonstrations // 2
            noise = rng.integers(size, size=demonstrations)
            draws.append(_Draw(texts.tolist(), classes, shift, spoilt, noise, suffixes[group % len(suffixes)]))
    return draws


def _render(task: Task, condition: str, number: int, draw: _Draw) -> Prompt:
    size, truth = len(task.labels), draw.classes
    wrong = (truth[:-1] + draw.shift) % size
    shown: dict[str, Iterable[int]] = {
        "false": wrong,
        "half": np.where(draw.spoilt, wrong, truth[:-1]),
        "random": draw.random,
        "zero_shot": [],
    }
    text, cues = task.instruction, []
    for item, label in zip(draw.texts[:-1], shown.get(condition, truth[:-1])):
        text += f"\n\n{task.body.format(text=item)}\n{task.cue}"
        cues.append(len(text))
        text += f" {task.labels[label]}"
    suffix = draw.suffixes.get(condition, "").format(label=task.labels[(truth[-1] + draw.shift) % size])
    text += f"\n\n{task.body.format(text=draw.texts[-1])}\n{suffix}{task.cue}"
    cues.append(len(text))
    read = cues if condition in EVERY_CUE else cues[-1:]
    truths = [task.labels[label] for label in truth[-len(read) :]]
    return Prompt(number, number // size, condition, text, tuple(read), tuple(truths), shown=len(cues) - len(read))


def _suffixes() -> list[dict[str, str]]:
    """Wordings of the injection (with {label}) and its controls, as whole lines."""
    return [{name: f"{text}\n" for name, text in row.items()} for row in pl.read_csv(FOLDER / "suffixes.csv").to_dicts()]


def _check_items(items: pl.DataFrame, labels: tuple[str, ...], path: Path) -> None:
    if items.columns != ["text", "label"]:
        raise InputError(f"{path}: columns are {', '.join(items.columns)}; they must be text, label")
    numbered = items.with_row_index("row", offset=2)
    problems = {
        "empty item": pl.col("text").fill_null("").str.strip_chars() == "",
        "repeated item": ~pl.col("text").str.to_lowercase().is_first_distinct(),
        f"label is not one of {', '.join(labels)}": ~pl.col("label").fill_null("").is_in(labels),
    }
    for problem, found in problems.items():
        rows = numbered.filter(found)
        if rows.height:
            raise InputError(f"{path}: row {rows['row'][0]}: {problem}")
    counts = {label: int((items["label"] == label).sum()) for label in labels}
    if len(set(counts.values())) > 1:
        listing = ", ".join(f"{label} {count}" for label, count in counts.items())
        raise InputError(f"{path}: unbalanced classes ({listing}); every label needs the same number of items")
