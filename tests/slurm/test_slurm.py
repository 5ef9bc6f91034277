"""All figures on a Slurm cluster of three nodes, one of which dies in mid-job: the same tables as on one machine."""

import re
import subprocess
from pathlib import Path

import polars as pl
import pytest
from cluster import MORTAL, NODES, Cluster, obstacle, wait_until
from conftest import SNAKEMAKE, TINY, copy_project

SMALL = Path(__file__).with_name("small.yaml")
# What this cluster needs besides the profile: it has neither accounts nor accounting, and its jobs are over in seconds.
ARGUMENTS = "--jobs 4 --slurm-no-account --slurm-status-command squeue --slurm-init-seconds-before-status-checks 3"
PROFILE = f"--workflow-profile profiles/slurm {ARGUMENTS} --config gpu_memory_gb=80".split()
GPU_RULES = {"fit_lens", "read_layers", "ask_persona", "answer_set", "score_pretrained", "reenact_pretrained"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    if reason := obstacle():
        pytest.skip(reason)
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def interrupted(cluster, tmp_path_factory) -> tuple[Path, str]:
    """Folder of a finished run, and the id of a job that was training on cpu1 when that node died."""
    folder = copy_project(tmp_path_factory.mktemp("slurm"))
    process = start(folder, *PROFILE, environment=cluster.environment)
    try:
        victim = wait_until(lambda: process.poll() is not None or training(cluster, folder, "cpu1"), 900)
        cluster.kill("cpu1")
        assert process.wait(3600) == 0, (folder / "run.log").read_text()[-4000:]
    finally:
        process.kill()
    return folder, victim


def start(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen:
    """Begin a run of all figures in a folder; its messages go to run.log there."""
    command = [*MORTAL, *SNAKEMAKE, "draw_figures", "--configfile", str(TINY), str(SMALL), "--nocolor", *arguments]
    with open(folder / "run.log", "w") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def training(cluster: Cluster, folder: Path, node: str) -> str | None:
    """Id of a job on a node that is in the middle of training."""
    for job in cluster.jobs():
        run = re.fullmatch(r"rule_train_baseline_wildcards_(\w+)_(\d+)", job["Comment"])
        if run and (job["JobState"], job["NodeList"]) == ("RUNNING", node):
            partial = folder / f"results/tiny/checkpoints/{run[1]}/baseline/.seed{run[2]}.partial"
            if partial.exists():
                return job["JobId"]
    return None


def rule(job: dict[str, str]) -> str:
    """The rule that a Slurm job ran."""
    return job["Comment"].removeprefix("rule_").partition("_wildcards_")[0]


def test_jobs_spread_over_all_nodes(cluster, interrupted):
    jobs = cluster.jobs()
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert {job["NodeList"] for job in jobs} == set(NODES)
    assert not {rule(job) for job in jobs} & {"fetch_wheel", "fetch_public"}, "compute nodes often have no network"


def test_gpu_jobs_get_a_gpu_on_the_gpu_node_and_no_others_do(cluster, interrupted):
    for job in cluster.jobs():
        wanted = rule(job) in GPU_RULES
        assert (job["NodeList"] == "gpu1") == wanted
        assert job.get("TresPerJob") == ("gres:gpu:1" if wanted else None)


def test_the_job_of_a_dead_node_moves_to_another(cluster, interrupted):
    (job,) = [job for job in cluster.jobs() if job["JobId"] == interrupted[1]]
    assert (job["JobState"], job["NodeList"]) == ("COMPLETED", "cpu2")
    assert int(job["Restarts"]) >= 1


def test_the_tables_are_those_of_a_local_run(interrupted, tmp_path):
    local = copy_project(tmp_path)
    assert start(local).wait() == 0, (local / "run.log").read_text()[-4000:]
    tables = sorted(path.relative_to(local) for path in (local / "results/tiny/figures").glob("*.parquet"))
    assert len(tables) == 11
    for table in tables:
        assert pl.read_parquet(interrupted[0] / table).equals(pl.read_parquet(local / table)), table
