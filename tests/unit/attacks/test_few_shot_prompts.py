"""Classification sets and prompts: what every reader of layers takes for granted about them."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from overtime import InputError
from overtime.attacks.few_shot_prompts import CONDITIONS, FOLDER, Prompt, Task, few_shot_prompts, load_task
from overtime.attacks.task_limits import check_task
from overtime.models.label_tokens import label_tokens

TASKS = {name: load_task(name) for name in ("sentiment", "topics", "questions")}
TINY = Task(
    "tiny", ("up", "down"), pl.DataFrame({"text": ["sky", "pit"], "label": ["up", "down"]}), "Sort.", "It: {text}", "Way:"
)


def parse(task: Task, prompt: Prompt) -> tuple[list[str], list[str]]:
    """Items in order and the labels shown, read back from the text alone."""
    blocks = [block.splitlines() for block in prompt.text.split("\n\n")[1:]]
    prefix = task.body.format(text="")
    assert all(block[0].startswith(prefix) and block[-1].startswith(task.cue) for block in blocks)
    return [block[0].removeprefix(prefix) for block in blocks], [
        block[-1].removeprefix(task.cue).strip() for block in blocks[:-1]
    ]


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_sets_are_large_balanced_and_without_labels_in_items(task):
    counts = task.items["label"].value_counts()["count"]
    assert task.items.height >= 150
    assert counts.n_unique() == 1
    words = " ".join(task.items["text"]).lower().split()
    assert not set(task.labels) - {"number", "time", "place", "person"} & set(words)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(TASKS)), st.integers(1, 5), st.integers(0, 20), st.integers(0, 99))
def test_every_label_is_shown_and_asked_as_designed(name, groups, demonstrations, seed):
    task = TASKS[name]
    size, truth_of = len(task.labels), dict(task.items.select("text", "label").iter_rows())
    prompts = few_shot_prompts(task, CONDITIONS, groups * size, demonstrations, seed)
    assert [(p.prompt, p.condition) for p in prompts] == [(n, c) for n in range(groups * size) for c in CONDITIONS]
    by = {(p.prompt, p.condition): p for p in prompts}
    for number in range(groups * size):
        items, right = parse(task, by[number, "true"])
        truths = [truth_of[item] for item in items]
        assert right == truths[:-1]
        assert len(set(items)) == demonstrations + 1
        assert (
            max(Counter(right).values(), default=0) - min(Counter({**dict.fromkeys(task.labels, 0), **Counter(right)}).values())
            <= 1
        )
        shifts = {}
        for condition in CONDITIONS:
            prompt = by[number, condition]
            seen, shown = parse(task, prompt)
            assert seen == (items[-1:] if condition == "zero_shot" else items)
            assert prompt.truths == tuple(truths[-len(prompt.cues) :])
            assert prompt.cues[-1] == len(prompt.text)
            assert all(prompt.text[:cue].endswith(task.cue) for cue in prompt.cues)
            assert prompt.demonstrations[-1] == len(shown)
            assert prompt.group == number // size
            multiple = condition in ("true", "false", "half", "random")
            assert prompt.demonstrations == (tuple(range(demonstrations + 1)) if multiple else (len(shown),))
            shifts[condition] = [(task.labels.index(s) - task.labels.index(t)) % size for s, t in zip(shown, truths)]
        assert shifts["injection"] == shifts["benign"] == shifts["named"] == shifts["true"] == [0] * demonstrations
        assert len(set(shifts["false"])) <= 1
        assert 0 not in shifts["false"]
        assert Counter(shifts["half"]) == Counter([0] * (-(-demonstrations // 2)) + shifts["false"][: demonstrations // 2])
    for position in range(demonstrations + 1):
        labels = Counter(by[number, "true"].truths[position] for number in range(groups * size))
        assert set(labels.values()) == {groups}


@pytest.mark.parametrize("name", TASKS)
def test_suffixes_differ_from_true_by_one_line_of_equal_length_and_wordings_by_group(name):
    task, wordings = TASKS[name], {}
    prompts = few_shot_prompts(task, ["true", "injection", "benign", "named"], 18 * len(task.labels), 6, seed=3)
    for true, injection, benign, named in zip(*[iter(prompts)] * 4):
        head, tail = true.text[: -len(task.cue)], task.cue
        attack, control, mention = (p.text.removeprefix(head).removesuffix(tail) for p in (injection, benign, named))
        assert all(line.endswith(".\n") for line in (attack, control, mention))
        assert len(attack.split()) == len(control.split()) == len(mention.split())
        asked = [label for label in task.labels if label in attack]
        assert len(asked) == 1
        assert asked[0] != true.truths[-1]
        assert [label for label in task.labels if label in mention] == asked
        assert not any(label in control for label in task.labels)
        wordings.setdefault(true.group, set()).add((attack.replace(asked[0], ""), control, mention.replace(asked[0], "")))
    assert [len(one) for one in wordings.values()] == [1] * 18
    assert len(set.union(*wordings.values())) == 18


def test_clusters_depend_on_the_seed_only():
    task = TASKS["sentiment"]
    every = few_shot_prompts(task, CONDITIONS, 8, 6, seed=1)
    assert [p for p in every if p.condition == "half"] == few_shot_prompts(task, ["half"], 8, 6, seed=1)
    assert few_shot_prompts(task, ["half"], 8, 6, seed=2) != few_shot_prompts(task, ["half"], 8, 6, seed=1)


def test_random_labels_and_queries_tell_nothing():
    task = TASKS["questions"]
    prompts = few_shot_prompts(task, ["random"], 160, 15, seed=0)
    agree = [shown == true for p in prompts for shown, true in zip(parse(task, p)[1], p.truths)]
    assert abs(np.mean(agree) - 1 / 4) < 4 * np.sqrt(3 / 16 / len(agree))
    # 15 demonstrations of 4 labels leave one label short: guessing that one must not find the query.
    rarest = [min(task.labels, key=p.truths[:-1].count) == p.truths[-1] for p in prompts]
    assert abs(np.mean(rarest) - 1 / 4) < 4 * np.sqrt(3 / 16 / 40)
    assert len({parse(task, p)[0][-1] for p in prompts}) == 160


def test_text_of_a_small_prompt():
    task = Task(
        "tiny",
        TINY.labels,
        pl.concat([TINY.items, pl.DataFrame({"text": ["top", "pit 2"], "label": ["up", "down"]})]),
        *("S.", "I: {text}", "W:"),
    )
    false = few_shot_prompts(task, ["false"], 2, 2, seed=0)[0]
    (one, two, three), labels = parse(task, false)
    assert false.text == f"S.\n\nI: {one}\nW: {labels[0]}\n\nI: {two}\nW: {labels[1]}\n\nI: {three}\nW:"
    zero = few_shot_prompts(task, ["zero_shot"], 2, 2, seed=0)[0]
    assert zero == Prompt(0, 0, "zero_shot", f"S.\n\nI: {three}\nW:", (len(f"S.\n\nI: {three}\nW:"),), false.truths[-1:])


@pytest.mark.parametrize(
    ("conditions", "prompts", "demonstrations", "message"),
    [
        (["true", "evil"], 2, 0, "condition evil: unknown; choose from zero_shot"),
        (["true"], 3, 0, "3 prompts cannot be balanced; use a multiple of its 2 labels"),
        (["true"], 0, 0, "0 prompts cannot be balanced"),
        (["true"], 2, 1, "1 demonstrations; its 2 items allow 0 to 0"),
        (["true"], 2, -1, "-1 demonstrations"),
    ],
)
def test_impossible_requests(conditions, prompts, demonstrations, message):
    with pytest.raises(InputError, match=message):
        few_shot_prompts(TINY, conditions, prompts, demonstrations, seed=0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("sun,up\n,down\n", "row 3: empty item"),
        ("sun,up\n   ,down\n", "row 3: empty item"),
        ("sun,up\nSun,down\n", "row 3: repeated item"),
        ("sun,up\npit,sideways\n", "row 3: label is not one of up, down"),
        ("sun,up\nsky,up\npit,down\n", r"unbalanced classes \(up 2, down 1\)"),
    ],
)
def test_bad_sets(tmp_path, rows, message):
    (tmp_path / "tasks.toml").write_text('[tiny]\ninstruction = "S."\nbody = "{text}"\ncue = "W:"\nlabels = ["up", "down"]\n')
    with pytest.raises(InputError, match="no task 'huge'; it has tiny"):
        load_task("huge", tmp_path)
    with pytest.raises(InputError, match=r"tiny\.csv: missing"):
        load_task("tiny", tmp_path)
    (tmp_path / "tiny.csv").write_text(f"text,label\n{rows}")
    with pytest.raises(InputError, match=message):
        load_task("tiny", tmp_path)
    (tmp_path / "tiny.csv").write_text("item,label\n")
    with pytest.raises(InputError, match="columns are item, label; they must be text, label"):
        load_task("tiny", tmp_path)


def test_labels_must_be_single_distinct_tokens():
    backend = Tokenizer(models.WordLevel({"?": 0, "up": 1, "down": 2}, unk_token="?"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="?")
    assert label_tokens(tokenizer, ["down", "up"]) == [2, 1]
    for labels, message in (
        (["up", "Up"], "'Up': same token as 'up'"),
        (["up down"], "not one token"),
        (["left"], "not one token"),
    ):
        with pytest.raises(InputError, match=message):
            label_tokens(tokenizer, labels)


def test_wordings_name_the_label_where_they_should_and_no_other():
    wordings = pl.read_csv(FOLDER / "suffixes.csv")
    assert wordings.columns == ["injection", "benign", "named"]
    labels = {label for task in TASKS.values() for label in task.labels}
    for row in wordings.to_dicts():
        assert [row[name].count("{label}") for name in wordings.columns] == [1, 0, 1]
        assert len({len(text.split()) for text in row.values()}) == 1
        assert not any(label in text.lower() for text in row.values() for label in labels)
    assert all(wordings[name].n_unique() == 18 for name in wordings.columns)


def test_one_group_is_not_enough_to_learn_from_and_try_on_another():
    check_task("questions", FOLDER, 8, 16)
    with pytest.raises(InputError, match="task questions: 4 prompts share one layout; use 8 or more"):
        check_task("questions", FOLDER, 4, 16)
