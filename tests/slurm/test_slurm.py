"""The tiny DAG on a Slurm cluster of three nodes, one of which dies in mid-job: the same tables as on one machine."""

import re
import subprocess
from pathlib import Path

import polars as pl
import pytest
from cluster import NODES, Cluster, obstacle, wait_until
from conftest import SNAKEMAKE, TINY, copy_project, snakemake

# What this cluster needs besides the profile: it has neither accounts nor accounting, and its jobs are over in seconds.
ARGUMENTS = "--jobs 4 --slurm-no-account --slurm-status-command squeue --slurm-init-seconds-before-status-checks 3"
GPU_RULES = {"fit_lens", "read_layers", "ask_persona", "reenact_pretrained"}


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
    profile = ["--workflow-profile", "profiles/slurm", *ARGUMENTS.split(), "--config", "gpu_memory_gb=80"]
    command = [*SNAKEMAKE, "--configfile", str(TINY), "--nocolor", *profile]
    with open(folder / "run.log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=cluster.environment, stdout=log, stderr=log)
    try:
        victim = wait_until(lambda: process.poll() or training(cluster, folder, "cpu1"), 300)
        cluster.kill("cpu1")
        assert process.wait(1200) == 0, (folder / "run.log").read_text()[-4000:]
    finally:
        process.kill()
    return folder, victim


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
        expected = ("gpu1", "gres:gpu:1") if rule(job) in GPU_RULES else ("cpu", None)
        assert (job["NodeList"].rstrip("12") if expected[1] is None else job["NodeList"], job.get("TresPerJob")) == expected


def test_the_job_of_a_dead_node_moves_to_another(cluster, interrupted):
    (job,) = [job for job in cluster.jobs() if job["JobId"] == interrupted[1]]
    assert (job["JobState"], job["NodeList"]) == ("COMPLETED", "cpu2")
    assert int(job["Restarts"]) >= 1


def test_the_tables_are_those_of_a_local_run(interrupted, tmp_path):
    local = copy_project(tmp_path)
    result = snakemake(local)
    assert result.returncode == 0, result.stderr[-4000:]
    tables = sorted(path.relative_to(local) for path in (local / "results/tiny/figures").glob("*.parquet"))
    assert len(tables) == 10
    for table in tables:
        assert pl.read_parquet(interrupted[0] / table).equals(pl.read_parquet(local / table)), table
