"""For all tests: one thread each, property tests without time limits and with the same examples, and the finished tiny run."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # there are as many processes as cores; tiny models need no more
settings.register_profile("overtime", deadline=None, derandomize=True)  # a busy machine fails none
settings.load_profile("overtime")


@pytest.fixture(scope="session")
def finished() -> Path:
    """The project with a finished tiny run, shared by all tests and suites: to look at, not to change."""
    from finished import finished

    return finished()


@pytest.fixture
def project(finished, tmp_path) -> Path:
    """A copy of the finished project for one test."""
    from finished import copy_finished

    return copy_finished(finished, tmp_path / "project")
