"""Settings: mistakes stop with one line; the generated reference is current."""

import copy
import json
import shutil
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from overtime import InputError
from overtime.pipeline.settings import load_settings
from overtime.pipeline.settings_reference import write_reference

CONFIG = Path(__file__).parents[3] / "config"
FURTHER = "{model: start, parameters: 1, corpus: other, texts: [original], stretches: 1, tokens: 64, context: 16, batch: 4"
SHARED = "<<: {{set: encyclopedia, model: smollm2-135m, doses: [0, 1], facts: 3}}"
LACKING = "corpora: {{own: {{shards: a, insert: {{new: {{share: 1, lacking: {{" + SHARED + ", {}}}}}}}}}}}"
CONTINUED = "{model: start, parameters: 0.001, corpus: other, context: 16, batch: 4, learning_rate: 0.001}"


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
        (
            ["questions", "sets", "encyclopedia", "sample"],
            100,
            "config: questions.sets.encyclopedia.sample: 100 is not the same number from each of 3 bins of counts",
        ),
        (["questions", "sets", "encyclopedia", "dataset"], "encyclopedia", "config: questions.sets.encyclopedia: give either"),
        (
            ["questions", "sets", "years"],
            {"format": "birth_years", "annotations": "people.jsonl"},
            "config: questions.sets.years: entities and annotations are of published sets",
        ),
        (["questions", "sets", "suite"], {"format": "own"}, "config: questions: a set cannot be called suite"),
        (["pretrained", "smollm2-135m", "corpus"], "pile", "config: pretrained: no corpus pile in entity_maps"),
        (["checkpoints", "Pythia"], family(baseline=[9]), "config: checkpoints.Pythia: a name is made of lower-case letters"),
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
        (["world", "last_names"], 2, "config: world: 40 x 2 names do not suffice for 441 people, aliases"),
        (["world", "association"], 1.5, "config: world.association: Input should be less than or equal to 1"),
        (["world", "values_per_attribute"], 1, "config: world.values_per_attribute: Input should be greater than or equal to 2"),
        (["insertion", "seeds"], 4, "config: insertion.seeds: 4 runs of m, which has 3 in suite.sizes"),
        (["variants", "null", "association"], None, "config: variants.null: gives neither seed nor association"),
        (["variants", "null", "arms"], ["swap15"], "config: variants.null.arms: no arm swap15 in arms, which has swap7"),
        (["variants", "null", "sizes"], {"l": 2}, "config: variants.null.sizes: no model l in suite.sizes"),
        (["variants", "null", "sizes"], {"s": 0}, "config: variants.null.sizes.s: "),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(config, keys, value, message):
    place = config
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(InputError) as error:
        load_settings(config)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def layered(config: dict, tmp_path: Path, text: str) -> str:
    """What is said of a file with this text on top of the default one."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    update_config(config, yaml.safe_load(text) or {})
    with pytest.raises(InputError) as error:
        load_settings(config, [CONFIG / "config.yaml", file])
    assert "\n" not in str(error.value)
    return str(error.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("suite: {batch: 4}\nworld: {seed: 1}\nsuite: {context: 64}", "mine.yaml, line 3: suite stands in line 1 already"),
        ("world:\n  seed: 1\n  seed: 2", "mine.yaml, line 3: world.seed stands in line 2 already"),
        ('{"world": {"seed": 1, "seed": 2}}', "mine.yaml, line 1: world.seed stands in line 1 already"),
        ("world: {gendered: 1:30}", "mine.yaml, line 1: world.gendered: YAML reads 1:30 as 90; write 90"),
        ("suite:\n  checkpoints: [0.5, 1:00.0]", "mine.yaml, line 2: suite.checkpoints.1: YAML reads 1:00.0 as 60.0"),
        ("world: {gendered: 010}", "mine.yaml, line 1: world.gendered: YAML reads 010 as 8"),
        ("arms: {on: {rewrite: swap, share: 0.14}}", "mine.yaml, line 1: arms.on: YAML reads the key on as a boolean"),
        ("world: {people_per_bin: {7: 3}}", "mine.yaml, line 1: world.people_per_bin.7: YAML reads the key 7 as a number"),
        ("world:\n  seed: yes", "config: world.seed: Input should be a valid integer, not True (YAML reads an unquoted yes"),
        ("suite: {context: true}", "config: suite.context: Input should be a valid integer, not True"),
        ("prompts: {conditions: [true, injection]}", "config: prompts.conditions.0: Input should be 'zero_shot', 'true'"),
        ("suite: {context: '64'}", "config: suite.context: Input should be a valid integer, not '64'"),
        ("suite: {sizes: {s: {learning_rate: .inf}}}", "config: suite.sizes.s.learning_rate: Input should be a finite number"),
        ("world: {question_share: .nan}", "config: world.question_share: Input should be a finite number"),
        ("world: {people_per_bin: {15-8: 3}}", "config: world.people_per_bin: 15-8 is reversed; write 8-15"),
        ('world: {people_per_bin: {"3-5": 3}}', "config: world.people_per_bin: 2-3 and 3-5 overlap"),
        ("prompts: {window: [16, 8]}", "config: prompts.window: [16, 8] is no range within 0 to 16"),
        ("prompts: {window: [8, 17]}", "config: prompts.window: [8, 17] is no range within 0 to 16"),
        ("prompts: {conditions: [injection]}", 'config: prompts.conditions: sentiment needs "true" and an attack'),
        ('prompts: {extra: {topics: ["true"]}}', "config: prompts.extra.topics: 'true' is among the conditions of all tasks"),
        ("insertion: {late: [s, s]}", "config: insertion.late: 's' is listed twice"),
        ("retrieval: {top: [1, 3, 1]}", "config: retrieval.top: 1 is listed twice"),
        ("pretrained: {smollm2-135m: {studies: [bias, bias]}}", "config: pretrained.smollm2-135m.studies: 'bias' is listed"),
        ("insertion: {doses: [0, 30, 30]}", "config: insertion.doses: 30 is listed twice"),
        ("scale: reference", "config: scale: results/reference may hold a committed run"),
        ("scale: reference-evening", "config: scale: results/reference-evening may hold a committed run"),
        ("mirror: ~/copies", f"config: mirror: ~/copies is no folder; write the path of one that exists ({Path.home()}/copies"),
        ("mirror: config.yaml", "config: mirror: config.yaml is no folder"),
        ("arms: {baseline: {rewrite: swap, share: 0.14}}", "config: arms.baseline: this name is taken"),
        ("arms: {insert_late: {rewrite: swap, share: 0.14}}", "config: arms.insert_late: this name is taken"),
        ("arms: {Swap7: {rewrite: swap, share: 0.14}}", "config: arms.Swap7: a name is made of lower-case letters"),
        ("arms: {xs: {rewrite: swap, share: 0.14}}", "config: arms.xs: suite.sizes has this name too"),
        ("pretrained: {swap7: {hub: a/b, parameters: 1, studies: []}}", "config: pretrained.swap7: arms has this name too"),
        ("entity_maps: {s: {hub: a/b, file: c, bytes: 1}}", "config: entity_maps.s: suite.sizes has this name too"),
        ("corpora: {smollm2-135m: {shards: a}}", "config: corpora.smollm2-135m: pretrained has this name too"),
        ("arms: {swap7: null, swap14: null, swap21: null, cda14: null}", "config: arms: Dictionary should have at least 1 item"),
        ("world: null", "config: world: keys with their values belong here, not nothing"),
        ("suite: 3", "config: suite: keys with their values belong here, not 3"),
        (f"continued: {{late: {CONTINUED}}}", "config: continued.late.corpus: no other in corpora"),
        (f"interventions: {{it: {FURTHER}}}}}", "config: interventions.it.learning_rate: Field required"),
        (f"interventions: {{it: {FURTHER}, learning_rate: 1}}}}", "config: interventions.it.corpus: no other in corpora"),
        (f"interventions: {{s: {FURTHER}, learning_rate: 1}}}}", "config: interventions.s: suite.sizes has this name too"),
        (f"interventions: {{it: {FURTHER}, learning_rate: 1, keep: false}}}}", "config: interventions.it.keep: false deletes"),
        ("corpora: {own: {shards: a, rewrite: [swap, swap]}}", "config: corpora.own.rewrite: 'swap' is listed twice"),
        ("corpora: {own: {rewrite: [swap]}}", "config: corpora.own: give either shards or dataset"),
        ("corpora: {own: {dataset: xquad}}", "config: corpora.own.dataset: Input should be 'encyclopedia'"),
        (LACKING.format("set: nosuch"), "config: corpora.own.insert.new.lacking: no nosuch in questions.sets"),
        (LACKING.format("elsewhere: [nosuch]"), "config: corpora.own.insert.new.lacking: no nosuch in questions.sets"),
        (LACKING.format("set: own"), "config: corpora.own.insert.new.lacking.set: own is of format own; need encyclopedia"),
        (LACKING.format("model: xs"), "config: corpora.own.insert.new.lacking.model: no xs in pretrained that takes part"),
        (LACKING.format("doses: [1, 2]"), "config: corpora.own.insert.new.lacking: doses must hold 0"),
        (
            LACKING.replace("lacking:", "facts: a.csv, lacking:").format("seed: 1"),
            "config: corpora.own.insert.new: give either facts",
        ),
        (
            LACKING.replace("lacking:", "asked: a.csv, lacking:").format("seed: 1"),
            "config: corpora.own.insert.new: templates and asked",
        ),
        (
            "corpora: {a: {shards: a, insert: {n: {facts: a, share: 1}}}, b: {shards: b, insert: {n: {facts: b, share: 1}}}}",
            "config: corpora.b.insert.n: other facts than in corpora.a; give it another name",
        ),
        ("figures: {fig1: []}", "config: figures.fig1: List should have at least 1 item"),
    ],
)
def test_what_could_be_misread_is_one_line_that_names_the_key(config, tmp_path, text, message):
    assert layered(config, tmp_path, text).startswith(message)


def test_a_mistake_is_found_in_the_file_whose_value_counts(config, tmp_path):
    default = copy.deepcopy(config) | {"scale": 3}
    text = "world:\n  seed: 3\nsuite:\n  sizes:\n    s:\n      heads: 5\n"
    assert layered(config, tmp_path, text).endswith(" [mine.yaml, line 5]")
    with pytest.raises(InputError, match=r"config: scale: .* \[.*config.yaml, line 2\]"):
        load_settings(default, [CONFIG / "config.yaml"])
    with pytest.raises(InputError, match=r"not 3$"):
        load_settings(default)  # set on the command line


def test_one_model_has_one_size(config):
    config["checkpoints"]["pythia-70m"] = family(baseline=[9])
    config["pretrained"]["pythia-70m"] = {"hub": "EleutherAI/pythia-70m", "parameters": 0.07, "studies": ["layers"]}
    load_settings(config)
    config["pretrained"]["pythia-70m"]["parameters"] = 0.08
    with pytest.raises(InputError, match=r"config: checkpoints.pythia-70m.parameters: 0.07, but 0.08 in pretrained"):
        load_settings(config)


def test_an_arm_of_a_published_run_says_what_it_is_or_nothing(config):
    config["checkpoints"]["any-name"] = family(baseline=[3, 9], other=[9]) | {"total": 18}
    assert load_settings(config).checkpoints["any-name"].last == 18
    config["checkpoints"]["any-name"]["total"] = None
    assert load_settings(config).checkpoints["any-name"].last == 9
    for wrong, message in (
        ({"total": 8}, "total: 8 steps in all, but step 9 is scored"),
        ({"arms": {"baseline": {"hub": "a/b", "steps": [9], "rewrite": "swap", "share": 0.1}}}, "arms.baseline has no rewrite"),
        ({"arms": {"baseline": {"hub": "a/b", "steps": [9], "share": 0.1}}}, "rewrite and share go together"),
    ):
        with pytest.raises(InputError, match=message):
            load_settings(config | {"checkpoints": {"any-name": config["checkpoints"]["any-name"] | wrong}})


def test_what_a_file_on_top_can_leave_out(config):
    update_config(config, {"arms": {"swap7": None}, "insertion": None, "pretrained": {"smollm2-135m": None}})
    settings = load_settings(config)
    assert "swap7" not in settings.arms
    assert settings.insertion is None
    assert settings.taking_part("bias") == []
    assert settings.branches() == [0.79, 0.86]


def test_a_missing_section_is_named(config):
    del config["world"]
    with pytest.raises(InputError, match="config: world: Field required"):
        load_settings(config)


def test_the_generated_schema_and_reference_are_current(tmp_path):
    for name in ("schema.json", "README.md"):
        shutil.copy(CONFIG / name, tmp_path / name)
    write_reference(tmp_path)
    for name in ("schema.json", "README.md"):
        assert (tmp_path / name).read_text() == (CONFIG / name).read_text(), (
            "run: python -m overtime.pipeline.settings_reference config"
        )


def test_the_schema_is_json_with_every_section():
    schema = json.loads((CONFIG / "schema.json").read_text())
    assert {"world", "suite", "arms", "insertion", "prompts", "statistics"} <= set(schema["properties"])
