"""Tables on a Slurm cluster of three nodes, one of which dies in mid-job: those of a run on one machine.

Every job on a cluster starts Snakemake twice, so these are the fewest tables for which a step of every kind runs there, from the
text and the pretrained model on: small steps, training, arms, scores, and everything that asks for a GPU.
"""

import re
import subprocess
from pathlib import Path

import polars as pl
import pytest
from cluster import MORTAL, NODES, Cluster, obstacle, wait_until
from project import ALONE, SNAKEMAKE, TINY, create

TABLES = [f"results/tiny/figures/{name}.parquet" for name in ("fig2", "fig1_pretrained", "fig6", "fig7")]
TABLES += [f"results/tiny/scores/{name}/smollm2-135m.parquet" for name in ("answers/own", "shifted")]
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
def interrupted(cluster, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """Folder of a finished run, and what was known of a job in the middle of training when its node died."""
    folder = create(tmp_path_factory.mktemp("slurm"))
    command = [*MORTAL, *SNAKEMAKE, *TABLES, "--configfile", str(TINY), *PROFILE]
    with open(folder / "run.log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, env=cluster.environment | ALONE, stdout=log, stderr=log)
    try:
        victim = wait_until(lambda: training(cluster, folder) or process.poll() is not None, 900)
        assert victim is not True, (folder / "run.log").read_text()[-4000:]
        cluster.kill(victim["NodeList"])
        assert process.wait(3600) == 0, (folder / "run.log").read_text()[-4000:]
    finally:
        process.kill()
    return folder, victim


def training(cluster: Cluster, folder: Path) -> dict[str, str] | None:
    """A job that is in the middle of training."""
    for job in cluster.jobs():
        run = re.fullmatch(r"rule_train_baseline_wildcards_(\w+)_(\d+)", job["Comment"])
        partial = run and folder / f"results/tiny/checkpoints/{run[1]}/baseline/.seed{run[2]}.partial"
        if partial and job["JobState"] == "RUNNING" and partial.exists():
            return job
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
    assert {rule(job) for job in cluster.jobs()} >= GPU_RULES
    for job in cluster.jobs():
        wanted = rule(job) in GPU_RULES
        assert (job["NodeList"] == "gpu1") == wanted
        assert job.get("TresPerJob") == ("gres:gpu:1" if wanted else None)


def test_the_job_of_a_dead_node_moves_to_another(cluster, interrupted):
    (job,) = [job for job in cluster.jobs() if job["JobId"] == interrupted[1]["JobId"]]
    assert job["JobState"] == "COMPLETED"
    assert {job["NodeList"], interrupted[1]["NodeList"]} == {"cpu1", "cpu2"}
    assert int(job["Restarts"]) >= 1


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_are_those_of_a_local_run(interrupted, finished, table):
    assert pl.read_parquet(interrupted[0] / table).equals(pl.read_parquet(finished / table))
