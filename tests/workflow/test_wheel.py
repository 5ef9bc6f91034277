"""The library outside its checkout: a wheel with all that it needs and no more, at work in an environment of its own."""

import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, because a build leaves its folders beside the source."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("workflow", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "dist", folder)
    (built,) = (folder / "dist").iterdir()
    return built


def pip(*arguments: str | Path) -> None:
    result = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_the_wheel_is_the_library_and_its_resources(wheel):
    library = ROOT / "workflow/overtime"
    files = [library / "py.typed", *library.rglob("*.py"), *library.glob("resources/**/*")]
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {path.relative_to(library.parent).as_posix() for path in files if path.is_file()}


def test_every_package_works_where_only_the_wheel_is(wheel, tmp_path):
    """Runs the functions below in an environment that has the wheel, and the third-party packages of this one."""
    environment, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    elsewhere.mkdir()
    venv.create(environment, symlinks=True)
    python = environment / "bin/python"
    pip("--python", python, "install", "--no-deps", wheel)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "third_party.pth").write_text("\n".join(site.getsitepackages()))
    # Nothing leads to the checkout: no PYTHONPATH (-I), no settings of the project, no conftest.
    settings = elsewhere / "pytest.ini"
    settings.write_text("[pytest]\naddopts = --noconftest --import-mode=importlib\npython_functions = use_*\n")
    command = [python, "-I", "-m", "pytest", "-c", settings, __file__]
    result = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def use_the_installed_one():
    import overtime

    assert Path(overtime.__file__).is_relative_to(sys.prefix)


def use_files(tmp_path):
    import polars as pl

    from overtime.files import read_table, write_table

    write_table(pl.DataFrame({"n": [1, 2]}), tmp_path / "folder/table.parquet")
    assert read_table(tmp_path / "folder/table.parquet", ["n"])["n"].to_list() == [1, 2]


def use_statistics_and_tables():
    from overtime.statistics import wilson
    from overtime.tables import interval_columns

    interval = interval_columns(wilson(5, 10))
    assert {name: round(value, 4) for name, value in interval.items()} == {"y": 0.5, "lower": 0.2366, "upper": 0.7634, "n": 10}


def use_sources(tmp_path):
    from overtime.sources.ledger import read_ledger, select

    rows = [f"{name},v1,https://example.org/v1/{name}.txt,{'0' * 64},1,CC0-1.0" for name in ("first", "second")]
    ledger = tmp_path / "ledger.csv"
    ledger.write_text("\n".join(["dataset,version,url,sha256,bytes,licence", *rows]))
    assert [source.file for source in select(read_ledger(ledger), "second")] == ["second.txt"]


def use_corpora():
    from overtime.corpora.rewrite import rewrite

    assert rewrite("He lost his keys.") == "She lost her keys."


def use_models():
    from overtime.models.neox import Neox, NeoxConfig

    model = Neox(NeoxConfig(11, 8, 1, 2, 16))
    assert (model.config.model_type, tuple(model.lm_head.weight.shape)) == ("gpt_neox", (11, 8))


def use_training():
    from overtime.training.recipe import schedule

    assert [round(schedule(progress, warmup=0.5, floor=0.1), 9) for progress in (0.25, 0.5, 0.75, 1)] == [0.5, 1, 0.55, 0.1]


def use_bias():
    from overtime.bias.pronoun_contexts import pronoun_contexts

    assert pronoun_contexts().row(0) == (0, "she/he", "The person said that")


def use_facts():
    from overtime.facts.answer_match import exact_match

    assert exact_match("The Nile.", ["nile"])
    assert not exact_match("The Rhine.", ["nile"])


def use_attacks():
    from overtime.attacks.few_shot_prompts import load_task

    assert set(load_task("sentiment").items["label"]) == {"negative", "positive"}


def use_claims():
    from overtime.claims.decisions import verdict
    from overtime.statistics import Interval

    assert verdict((0.1, float("inf")), Interval(0.5, 0.2, 0.8, n=40)) == "upheld"


def use_figures():
    import polars as pl

    from overtime.figures.captions import caption
    from overtime.figures.catalog import FIGURES

    assert "fig7_defend" in FIGURES
    text = caption("fig7_defend", pl.DataFrame({"policy": ["last", "early"], "task": ["topics", "topics"]}), {})
    assert text.startswith("# Answering early as a defence\n\nAccuracy of 2 ways of answering from the same readouts on topics")


def use_pipeline():
    from overtime.pipeline.costs import gpus

    assert [gpus(12, memory) for memory in (80, 24, 0)] == [1, 2, 0]
