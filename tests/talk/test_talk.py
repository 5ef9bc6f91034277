"""The talk's configuration against a Hub of tiny random models under the real names: everything runs, every figure appears."""

import os
from pathlib import Path

import polars as pl
import pytest
import yaml
from project import ROOT, TINY, create, snakemake
from published import write_hub
from server import serve
from tiny_wheel import ANSWERS

from overtime.checksums import SEALS
from overtime.pipeline.settings import Settings, load_settings

SMALL = Path(__file__).with_name("small.yaml")
MIRROR = Path(os.environ.get("OVERTIME_MIRROR", ROOT.parent / "shared/mirror"))
FIGURES = [f"fig{number}" for number in range(1, 8)]
CONFIGURATIONS = [ROOT / "config/config.yaml", ROOT / "config/talk.yaml", TINY, SMALL]


def merged(paths: list[Path]) -> dict:
    """Configurations on top of each other as Snakemake merges them: dictionaries key by key, all else replaced."""

    def update(old: dict, new: dict) -> dict:
        return old | {
            key: update(old[key], value) if isinstance(value, dict) and isinstance(old.get(key), dict) else value
            for key, value in new.items()
        }

    result: dict = {}
    for path in paths:
        result = update(result, yaml.safe_load(path.read_text()))
    return result


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings(merged(CONFIGURATIONS) | {"mirror": None})


@pytest.fixture(scope="session")
def finished(tmp_path_factory, settings) -> Path:
    """A copy of the project with a finished run."""
    if not MIRROR.is_dir():
        pytest.skip(f"no copies of the public data files at {MIRROR}")
    folder, root = create(tmp_path_factory.mktemp("talk")), tmp_path_factory.mktemp("hub")
    write_hub(root, settings, sorted(ANSWERS))
    for host in MIRROR.iterdir():
        (folder / "mirror" / host.name).symlink_to(host)
    files = [folder / "config/talk.yaml", TINY, SMALL]
    with serve(root) as hub, pytest.MonkeyPatch.context() as patch:
        for name, value in hub.environment(folder / "home").items():
            patch.setenv(name, value)
        # The large models are tiny here: their memory need not keep jobs apart.
        result = snakemake(folder, "--resources", "mem_mb=10000000", settings=files)
    assert result.returncode == 0, result.stderr[-6000:]
    return folder / "results" / settings.scale


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_drawn(finished, figure):
    assert (finished / f"figures/{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert pl.read_parquet(finished / f"figures/{figure}.parquet").height


def test_every_published_run_is_in_its_figure(finished, settings):
    for name, family in settings.checkpoints.items():
        table = pl.read_parquet(finished / f"figures/{family.figure}.parquet").filter(
            model=name, source="measured", direction="all"
        )
        steps = {arm: set(part["step"]) for (arm,), part in table.filter(metric="stereotype").group_by("arm")}
        assert steps == {arm: set(run.steps) for arm, run in family.arms.items()}


def test_every_model_is_in_the_figures_of_its_studies(finished, settings):
    shown = {"questions": "fig3", "persona": "fig6", "layers": "fig7"}
    for study, figure in shown.items():
        models = {name for name, model in settings.pretrained.items() if study in model.studies}
        assert models <= set(pl.read_parquet(finished / f"figures/{figure}.parquet")["model"]), study


def test_models_that_others_scored_are_compared_and_one_that_disagrees_fails_the_check(finished):
    """Random weights under the name of GPT-J."""
    table = pl.read_parquet(finished / "independent_check.parquet")
    assert table.select("model", "independent", "n", "agrees").rows() == [("gpt-j-6b", "gpt-j-6b", 792, False)]
    folder = finished.parents[1]
    result = snakemake(folder, "independent_check", settings=[folder / "config/talk.yaml", TINY, SMALL])
    assert result.returncode != 0
    line = "[independent_check] error: gpt-j-6b: its 792 WinoBias margins are not those of gpt-j-6b by others"
    assert line in result.stdout + result.stderr
    assert not (finished / "independent_check.txt").exists()


def test_weights_are_gone_after_their_use(finished, settings):
    assert {path.name for path in (finished / "pretrained").iterdir()} - {SEALS} == {
        name for name, model in settings.pretrained.items() if model.hub is None
    }
    assert not list(finished.rglob("*.npz.tmp"))


@pytest.mark.parametrize("scale", ["laptop", "talk"])
def test_a_scale_can_be_planned(tmp_path, scale, monkeypatch):
    create(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "workflow")
    result = snakemake(tmp_path, "--dry-run", "--logger", "plan", settings=[tmp_path / f"config/{scale}.yaml"])
    assert result.returncode == 0, result.stderr
    total = next(line.split() for line in (result.stdout + result.stderr).splitlines() if line.startswith("total"))
    assert int(total[1].replace(",", "")) > 100
    assert float(total[3].replace(",", "")) > 1  # GPU-hours
    assert float(total[4].replace(",", "")) > 1  # downloads, GB
