"""The Hub's downloads against a server that fails in every way the Hub can: overcome, or said in one line with nothing left."""

import math
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import client
import polars as pl
import pytest
import torch
from repositories import build, write_dataset, write_models
from server import Hub, serve

from overtime import InputError
from overtime.models import load as models
from overtime.sources import hub
from overtime.sources.places import UnreachableError

PYTHIA = "EleutherAI/pythia-70m-deduped-v0"
STEPS = ["step0", "step1", "step1000"]
REPOSITORIES = {
    PYTHIA: {step: ("gpt_neox", layout) for step, layout in zip([*STEPS, "main"], ["bin", "sharded_bin", "safetensors", "bin"])},
    "bigscience/bloom-560m": {"main": ("bloom", "safetensors")},
    "EleutherAI/gpt-j-6b": {"main": ("gptj", "sharded_bin")},
    "EleutherAI/gpt-neo-125m": {"main": ("gpt_neo", "bin")},
    "HuggingFaceTB/SmolLM2-135M-Instruct": {"main": ("llama", "safetensors")},
}
NQ = "google-research-datasets/nq_open"
MAP = bytes(range(256)) * 99
QUESTIONS = pl.DataFrame({"question": ["who?", "where?"], "answer": [["she"], ["here", "there"]]})
FILES = ["config.json", "pytorch_model.bin", "tokenizer.json", "tokenizer_config.json"]
SECRET = "hf_secretsecretsecret"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Hub]:
    root = tmp_path_factory.mktemp("hub")
    write_models(root, REPOSITORIES, words=["nurse", "negative"])
    splits = {"train": QUESTIONS, "validation": QUESTIONS.reverse()}
    write_dataset(root, NQ, {"nq_open": splits}, files=[("deep/map.npz", MAP)])
    write_dataset(root, "mandarjoshi/trivia_qa", {"rc": splits, "unfiltered": splits}, form="jsonl")
    with serve(root) as running:
        yield running


@pytest.fixture(scope="module")
def process(server, tmp_path_factory) -> Iterator[ProcessPoolExecutor]:
    """A client process of the stand-in, in which no pause takes time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment(tmp_path_factory.mktemp("home")).items():
            patch.setenv(name, value)
        patch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), client.hurry) as pool:
            yield pool


@pytest.fixture
def run(server, process):
    """Call a function in the client process, with no fault left from before."""
    server.faults, server.gated, server.tokens, server.requests = [], set(), {}, []
    process.submit(client.set_token, None).result()
    process.submit(client.pauses).result()
    return lambda function, *arguments: process.submit(function, *arguments).result()


def one_line(run, *call, reached: bool = True) -> str:
    """What a call says that fails; unless it reached what it was to fetch, its error is one that a run may go on without."""
    with pytest.raises(InputError) as caught:
        run(*call)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, UnreachableError) != reached
    return str(caught.value)


@pytest.mark.parametrize(("name", "revision"), [(name, r) for name, revisions in REPOSITORIES.items() for r in revisions])
def test_every_architecture_and_layout_loads(run, tmp_path, name, revision):
    place = run(hub.download, name, revision, tmp_path / "model")
    loaded, tokenizer = models.load(place)
    expected = build(REPOSITORIES[name][revision][0], len(tokenizer), f"{name}@{revision}")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), expected.parameters(), strict=True))
    ids = torch.arange(20, 50)[None]
    assert torch.equal(loaded(ids).logits, expected.eval()(ids).logits)
    assert tokenizer.decode(tokenizer.encode(" nurse, Zoë ☂")) == " nurse, Zoë ☂"


@pytest.mark.parametrize(
    ("kind", "where", "times"),
    [
        (429, "/resolve/", 2),
        (500, "/resolve/", 2),
        (503, "/api/models/", 3),
        (504, "/tree/", 1),
        ("cut", "pytorch_model.bin", 2),
        ("truncated", "pytorch_model.bin", 1),
        ("corrupt", "pytorch_model.bin", 2),
        ("slow", "pytorch_model.bin", 1),
    ],
)
def test_faults_that_pass_are_waited_out(run, server, tmp_path, kind, where, times):
    server.inject(kind, where, times)
    place = run(hub.download, PYTHIA, "step0", tmp_path / "new" / "step0")
    original = server.root / "models" / PYTHIA / "step0"
    assert sorted(path.name for path in place.iterdir()) == FILES
    assert all((place / name).read_bytes() == (original / name).read_bytes() for name in FILES)
    assert os.listdir(tmp_path / "new") == ["step0"]
    assert run(client.pauses)


def test_pauses_grow_or_follow_the_server(run, server, tmp_path):
    server.inject(500, "/api/models/", 4)
    run(hub.download, PYTHIA, "step0", tmp_path / "a")
    assert run(client.pauses) == [1, 2, 4, 8]
    server.retry_after = 40
    server.inject(429, "/api/models/", 1)
    run(hub.download, PYTHIA, "step0", tmp_path / "b")
    assert run(client.pauses) == [40]


@pytest.mark.parametrize(
    ("kind", "message", "reached"),
    [
        (500, r"cannot be fetched after 6 attempts \(.*500.*\); try again later", False),
        (429, r"cannot be fetched after 6 attempts \(.*429.*\); try again later", False),
        (404, r"cannot be fetched from the Hub \(.*404", True),
        (403, r"the Hub refuses access \(403\); set HF_TOKEN", True),
        ("cut", r"cannot be fetched after 6 attempts \(.*\); try again later", False),
        ("truncated", r"cannot be fetched after 6 attempts \(.*size.*pytorch_model.bin", True),
        ("corrupt", r"cannot be fetched after 6 attempts \(pytorch_model.bin arrived with bytes of another SHA-256", True),
        ("pointer", r"cannot be fetched after 6 attempts \(.*size.*pytorch_model.bin", True),
    ],
)
def test_lasting_faults_give_one_line_and_leave_nothing(run, server, tmp_path, kind, message, reached):
    server.inject(kind, "pytorch_model.bin", math.inf)
    (tmp_path / "new").mkdir()
    said = one_line(run, hub.download, PYTHIA, "step0", tmp_path / "new" / "step0", reached=reached)
    assert re.search(f"^{PYTHIA}@step0: {message}", said)
    assert os.listdir(tmp_path / "new") == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ((hub.download, PYTHIA, "step7"), f"{PYTHIA}@step7: no such revision; https://huggingface.co/{PYTHIA}/tree/main"),
        ((hub.download, "nobody/nothing"), "nobody/nothing@main: no such repository on the Hub, or a private one"),
        ((hub.download, "/no/such/folder"), "/no/such/folder@main: neither a folder nor a name on the Hub"),
        ((hub.download, NQ.replace("nq", "flax")), "no such repository"),
        ((hub.fetch_file, NQ, "map.npz", "out"), f"{NQ}@main: no file map.npz at https://huggingface.co/datasets/{NQ}"),
        ((hub.read_dataset, NQ, "nq_open", "test"), f"{NQ}@main: no split test; it has train, validation"),
        ((hub.read_dataset, NQ, "other", "train"), "'other' not found. Available: ['nq_open']"),
        ((hub.read_dataset, NQ, None, "train", "v2"), f"{NQ}@v2: no such revision"),
        ((hub.read_dataset, "nobody/nothing", None, "train"), "nobody/nothing@main: no such repository"),
    ],
)
def test_what_does_not_exist_is_named(run, call, message):
    assert message in one_line(run, *call)
    assert run(client.pauses) == []


def test_files_and_tables(run, server, tmp_path):
    run(hub.fetch_file, NQ, "deep/map.npz", tmp_path / "new" / "map.npz")
    assert (tmp_path / "new" / "map.npz").read_bytes() == MAP
    assert os.listdir(tmp_path / "new") == ["map.npz"]
    server.inject("cut", "validation", 1)
    server.inject(500, "/api/", 1)
    assert run(hub.read_dataset, NQ, None, "validation").equals(QUESTIONS.reverse())
    assert run(hub.read_dataset, "mandarjoshi/trivia_qa", "unfiltered", "train").equals(QUESTIONS)
    fetched = {request.rpartition("/resolve/")[2][41:] for request in server.requests if request.startswith("GET")}
    assert {name for name in fetched if "train" in name or "valid" in name} == {
        "nq_open/validation.parquet",
        "unfiltered/train.jsonl",
    }


@pytest.mark.parametrize(
    ("source", "fault", "said"),
    [
        ((NQ, "nq_open", "validation"), None, None),
        ((NQ, "nq_open", "validation"), 503, "going on without it: .*503"),
        ((NQ, "nq_open", "validation"), "cut", "going on without it: "),
        ((NQ, "nq_open", "validation"), "corrupt", "error: .*another SHA-256"),
        ((NQ, "nq_open", "validation"), 401, "error: .*refuses access"),
        ((NQ, "nq_open", "test"), None, "error: .*no split test"),
        ((NQ, "other", "validation"), None, "error: .*'other' not found"),
        (("nobody/nothing", None, "validation"), None, "error: .*no such repository"),
    ],
)
def test_a_question_set_is_left_out_only_where_it_cannot_be_reached(run, server, tmp_path, source, fault, said):
    if fault:
        server.inject(fault, "validation.parquet", math.inf)
    status, lines = run(client.fetch_questions, dict(zip(("source", "subset", "split"), source)), tmp_path)
    tables = [pl.read_parquet(path) for path in tmp_path.glob("*.parquet")]
    shown = [line.partition("] ")[2] for line in lines if line.startswith("[fetch_questions nq]")]
    if said is None:
        assert (status, shown, tables[0].height) == (0, [], 2)
    else:
        assert len(shown) == 1
        assert re.match(said, shown[0])
        assert (status, [table.height for table in tables]) == ((1, []) if said.startswith("error") else (0, [0]))


@pytest.mark.parametrize(
    ("name", "page", "call"),
    [
        (PYTHIA, PYTHIA, (hub.download, PYTHIA, "step0", None)),
        (NQ, f"datasets/{NQ}", (hub.read_dataset, NQ, None, "train")),
    ],
)
def test_gated_repositories(run, server, name, page, call):
    server.gated, server.tokens = {name}, {SECRET: set()}
    for token in (None, "hf_expired", SECRET):
        run(client.set_token, token)
        said = one_line(run, *call)
        assert f"gated; accept the licence at https://huggingface.co/{page} and set HF_TOKEN" in said
    server.tokens[SECRET].add(name)
    run(*call)


def python(code: str, server: Hub, home: Path, *start: str, **variables: str) -> subprocess.CompletedProcess:
    """Run code in a fresh client process, after the words of `start`."""
    env = os.environ | server.environment(home) | {"PYTHONPATH": os.pathsep.join(sys.path), **variables}
    return subprocess.run([*start, sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=home)


@pytest.mark.parametrize("kind", ["echo", 500, 401, "cut"])
def test_no_token_is_ever_written(server, tmp_path, kind):
    """Not even when a server quotes it; every line that a failing client writes is looked at."""
    server.faults = []
    server.inject(kind, "", math.inf)
    calls = f"""
import client
client.hurry()
from overtime import InputError
from overtime.sources import hub
for call in (hub.download, {PYTHIA!r}), (hub.fetch_file, {NQ!r}, "a", "b"), (hub.read_dataset, {NQ!r}, None, "train"):
    try:
        call[0](*call[1:])
    except InputError as error:
        print(error)
"""
    env = (
        os.environ | server.environment(tmp_path) | {"HF_TOKEN": SECRET, "PYTHONPATH": os.pathsep.join(sys.path), "HF_DEBUG": "1"}
    )
    done = subprocess.run([sys.executable, "-c", calls], env=env, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3
    assert SECRET not in done.stdout + done.stderr


def test_a_full_disk_is_named(server, tmp_path):
    """On a file system of 64 kB, which needs the right to mount one."""
    server.faults = []
    place = tmp_path / "small"
    place.mkdir()
    inside = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs -o size=64k tmpfs {place} && "$@"',
        "-",
    ]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("no right to mount a small file system")
    calls = f"""
from pathlib import Path
from overtime import InputError
from overtime.sources import hub
place = Path({str(place)!r})
try:
    hub.download({PYTHIA!r}, "step0", place / "step0")
except InputError as error:
    print(error, list(place.iterdir()))
"""
    done = python(calls, server, tmp_path, *inside)
    assert done.stdout.strip() == f"{PYTHIA}@step0: the disk is full at {place}/step0; make room and run again []"


@pytest.mark.parametrize("uses", [3, 1])
def test_a_sweep_fetches_ahead_and_deletes_behind(run, server, tmp_path, uses):
    seen = run(client.sweep, PYTHIA, STEPS, tmp_path, uses)
    assert [revision for revision, _ in seen] == STEPS[:uses]
    assert seen[0][1] == FILES
    assert os.listdir(tmp_path) == []
    assert ("step1000" in " ".join(server.requests)) == (uses == 3)


def test_a_sweep_names_the_checkpoint_that_is_missing(run, tmp_path):
    assert f"{PYTHIA}@step5: no such revision" in one_line(run, client.sweep, PYTHIA, ["step5", "step0"], tmp_path, 2)
    assert os.listdir(tmp_path) == []


def test_what_was_fetched_needs_no_network(server, tmp_path):
    server.faults = []
    call = f"from overtime.sources import hub; print(hub.download({PYTHIA!r}, 'step0'))"
    first = python(call, server, tmp_path)
    again = python(call, server, tmp_path, HF_HUB_OFFLINE="1")
    other = python(call.replace("step0", "step1"), server, tmp_path, HF_HUB_OFFLINE="1")
    assert first.stdout == again.stdout != ""
    assert "@step1: not in the Hub's cache, and HF_HUB_OFFLINE forbids to fetch it" in other.stderr
