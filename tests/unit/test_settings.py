"""Settings: mistakes stop with one line; the generated reference is current."""

import copy
import json
import shutil
from pathlib import Path

import pytest
import yaml

from overtime import InputError
from overtime.settings import load, write_reference

CONFIG = Path(__file__).parents[2] / "config"


def family(**steps: list[int]) -> dict:
    arms = {arm: {"hub": "EleutherAI/pythia-70m-deduped", "steps": values} for arm, values in steps.items()}
    return {"parameters": 0.07, "figure": "fig2", "arms": arms}


@pytest.fixture
def config() -> dict:
    return copy.deepcopy(yaml.safe_load((CONFIG / "config.yaml").read_text()))


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["suite", "contxt"], 64, "config: suite.contxt: unknown key"),
        (["suite", "batch"], "four", "config: suite.batch: Input should be a valid integer"),
        (["arms", "swap7", "share"], 1.5, "config: arms.swap7.share: Input should be less than 1, not 1.5"),
        (["arms", "swap7", "share"], 0.33, "config: arms.swap7.share: 0.33 needs a checkpoint at 0.67"),
        (["arms", "swap7", "rewrite"], "feminise", "config: arms.swap7.rewrite: Input should be 'feminize'"),
        (["figures", "fig1"], ["s", "xl"], "config: figures.fig1: no model xl in suite.sizes"),
        (["suite", "sizes", "m", "heads"], 3, "config: suite.sizes.m: width 128 must be a multiple"),
        (["suite", "checkpoints"], [0.5, 0.2, 1.0], "config: suite: checkpoints must increase"),
        (["insertion", "doses"], [30, 100], "config: insertion: doses must differ and hold 0"),
        (["world", "people_per_bin", "many"], 3, "config: world.people_per_bin.many"),
        (["questions", "sets", "xquad", "hub"], "google/xquad", "config: questions.sets.xquad: give either dataset or hub"),
        (
            ["questions", "sets", "new"],
            {"format": "popqa", "hub": "x/y"},
            "config: questions.sets.new: hub and split",
        ),
        (["questions", "sets", "suite"], {"format": "own"}, "config: questions: a set cannot be called suite"),
        (["pretrained", "smollm2-135m", "corpus"], "pile", "config: pretrained: no corpus pile in entity_maps"),
        (["checkpoints", "pythia"], {}, "config: checkpoints.pythia.[key]: String should match pattern"),
        (
            ["checkpoints", "pythia-70m"],
            family(baseline=[0, 9], swap7=[8]),
            "config: checkpoints.pythia-70m: the steps of all arms",
        ),
        (["checkpoints", "pythia-70m"], family(swap7=[8]), "config: checkpoints.pythia-70m: arms must hold a baseline"),
        (
            ["checkpoints", "pythia-70m"],
            family(baseline=[9, 8]),
            "config: checkpoints.pythia-70m.arms.baseline: steps must increase",
        ),
        (["world", "last_names"], 2, "config: world: 40 x 2 names do not suffice for 458 people"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(config, keys, value, message):
    place = config
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(InputError) as error:
        load(config)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_missing_section_is_named(config):
    del config["world"]
    with pytest.raises(InputError, match="config: world: Field required"):
        load(config)


def test_the_generated_schema_and_reference_are_current(tmp_path):
    for name in ("schema.json", "README.md"):
        shutil.copy(CONFIG / name, tmp_path / name)
    write_reference(tmp_path)
    for name in ("schema.json", "README.md"):
        assert (tmp_path / name).read_text() == (CONFIG / name).read_text(), "run: python -m overtime.settings"


def test_the_schema_is_json_with_every_section():
    schema = json.loads((CONFIG / "schema.json").read_text())
    assert {"world", "suite", "arms", "insertion", "prompts", "statistics"} <= set(schema["properties"])
