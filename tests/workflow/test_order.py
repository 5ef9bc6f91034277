"""What a scheduler starts first, from a dry run of the default settings."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from project import ROOT, SNAKEMAKE

LOGGER = """
import json
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    writes_to_stream, writes_to_file, has_filter, has_formatter, needs_rulegraph = True, False, True, True, False

    def emit(self, record):
        if getattr(record, "event", None) == LogEvent.JOB_INFO:
            print("job", json.dumps([record.rule_name, record.wildcards.get("model"), record.priority]))
"""


@pytest.fixture(scope="module")
def priorities(tmp_path_factory) -> dict[tuple[str, str | None], int]:
    """(rule, model) -> priority of its jobs."""
    folder: Path = tmp_path_factory.mktemp("order")
    plugin = folder / "snakemake_logger_plugin_order"
    plugin.mkdir()
    (plugin / "__init__.py").write_text(LOGGER)
    command = [*SNAKEMAKE, "--snakefile", ROOT / "Snakefile", "--directory", folder, "--dry-run", "--logger", "order"]
    command += ["--workflow-profile", "none", "--cores", "2"]
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(folder)})
    assert result.returncode == 0, result.stderr[-4000:]
    jobs = [json.loads(line.removeprefix("job ")) for line in result.stdout.splitlines() if line.startswith("job ")]
    return {(rule, model): priority for rule, model, priority in jobs}


def test_training_follows_the_size_and_the_largest_model_comes_before_all_else_that_is_ready(priorities):
    for rule in ("train_baseline", "train_arms", "score_bias", "answer_questions"):
        order = [priorities[rule, model] for model in ("xs", "s", "m")]
        assert order == sorted(set(order)), rule
    largest = priorities["train_baseline", "m"]
    before = {rule for (rule, _), priority in priorities.items() if priority >= largest}
    text = {"generate_world", "pack_baseline"}
    arms = {"rewrite_stream", "draw_stream", "count_documents", "choose_targets", "insert_documents"}
    assert before == {"train_baseline", "train_arms", "train_inserted_late"} | text | arms
    assert {model for (rule, model), priority in priorities.items() if rule not in text | arms and priority >= largest} == {"m"}
    assert min(priorities[rule, None] for rule in text) > max(priorities[rule, None] for rule in arms)


def test_pretrained_models_go_beside_the_suite_and_scores_after_training(priorities):
    pretrained = priorities["answer_set", "smollm2-135m"]
    assert priorities["train_baseline", "s"] < pretrained < priorities["train_baseline", "m"]
    waited_for = {"fetch_public", "fetch_wheel", "convert_pretrained", "measure_precision", "gather_questions"}
    assert all(priority > pretrained for (rule, _), priority in priorities.items() if rule in waited_for)
    assert waited_for <= {rule for rule, _ in priorities}
    for model in ("xs", "s", "m"):
        assert priorities["score_bias", model] < priorities["train_arms", model] == priorities["train_baseline", model]
