"""The frame of a step: its threads, and that no model is loaded where there is nothing to ask it."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from overtime.files import read_table, write_table

WORKFLOW = Path(__file__).parents[3] / "workflow"
HEAVY = {"torch", "transformers", "accelerate", "sklearn", "huggingface_hub", "datasets"}
# A job as Snakemake hands it to a script: its lists have names.
JOB = """
class Named(dict):
    __getattr__ = dict.__getitem__
class Output(list):
    scores = property(lambda self: self[0])
def job(**parts):
    named = dict(rule="rule", wildcards=Named(set="public", model="tiny"), threads=1, log=["job.log"], input=Named())
    named["output"] = Output(["scores"])
    return Named(named | parts)
"""


def python(code: str, folder: Path) -> str:
    """What some code prints in a process of its own."""
    command = [sys.executable, "-c", JOB + code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={"PYTHONPATH": str(WORKFLOW)})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("early", ["", "import torch"])
def test_torch_has_the_threads_of_its_step_whenever_it_is_imported(early, tmp_path):
    late = "\nfrom overtime.pipeline.step import step\nwith step(job()):\n    import torch\n    print(torch.get_num_threads())"
    assert python(early + late, tmp_path) == "1"


def test_nothing_to_ask_loads_no_model(tmp_path):
    """Public sets that could not be had: an empty table, an empty folder."""
    write_table(pl.DataFrame(schema={"question": pl.Int64}), tmp_path / "empty.parquet")
    (tmp_path / "public").mkdir()
    inputs = {
        "answer_set": {"model": "no model", "questions": "empty.parquet"},
        "reenact_pretrained": {"model": "no model", "crows_pairs": "public", "clean": "empty.parquet"},
    }
    for script, files in inputs.items():
        run = (
            f"import runpy, sys\nrunpy.run_path({str(WORKFLOW / f'scripts/{script}.py')!r}, "
            f"{{'snakemake': job(input=Named({files!r}))}})\nprint(*{HEAVY!r} & sys.modules.keys())"
        )
        assert python(run, tmp_path) == ""
        assert read_table(tmp_path / "scores").height == 0
        (tmp_path / "scores").unlink()
