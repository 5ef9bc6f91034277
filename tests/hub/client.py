"""What runs in a process that speaks to the stand-in: the Hub's address is read once, when huggingface_hub is imported."""

import contextlib
import io
import os
import runpy
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from overtime.sources import hub

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
PAUSES: list[float] = []


def hurry() -> None:
    """Note pauses instead of making them; shorter ones are waits for a lock."""
    sleep = time.sleep
    time.sleep = lambda seconds: PAUSES.append(seconds) if seconds >= 0.5 else sleep(seconds)


def pauses() -> list[float]:
    noted = PAUSES.copy()
    PAUSES.clear()
    return noted


def set_token(token: str | None) -> None:
    os.environ.pop("HF_TOKEN", None)
    if token:
        os.environ["HF_TOKEN"] = token


def sweep(source: str, revisions: list[str], folder: Path, uses: int) -> list[tuple[str, list[str]]]:
    """Use some checkpoints of a sweep: (revision, files in its folder), each once the next one has come."""
    seen = []
    checkpoints = hub.sweep(source, revisions, folder)
    for (revision, place), following in zip(checkpoints, [*revisions[1:], None][:uses]):
        while following and not (folder / following).is_dir():
            threading.Event().wait(0.01)
        assert len([path for path in folder.iterdir() if not path.name.startswith(".")]) <= 2
        seen.append((revision, sorted(path.name for path in place.iterdir())))
        if len(seen) == uses:
            checkpoints.close()
            break
    return seen


def fetch_questions(source: dict, folder: Path) -> tuple[int, list[str]]:
    """Run the step: its exit status, and what it says."""
    named = {"params": SimpleNamespace(source=source), "log": [str(folder / "log")], "threads": 1, "input": []}
    output = Output([str(folder / "table.parquet")])
    job = SimpleNamespace(rule="fetch_questions", wildcards=["nq"], output=output, **named)
    said, status = io.StringIO(), 0
    with contextlib.redirect_stderr(said):
        try:
            runpy.run_path(str(SCRIPTS / "fetch_questions.py"), {"snakemake": job})
        except SystemExit as stop:
            status = stop.code
    return status, said.getvalue().splitlines()


class Output(list):
    @property
    def table(self) -> str:
        return self[0]
