"""One undisturbed run, made without a network and with secrets in the environment; every test begins with a copy of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import smaller

NOWHERE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Path:
    """The finished project, to compare with and not to be changed."""
    folder = smaller.create(tmp_path_factory.mktemp("smaller") / "project")
    alone = ("unshare", "--net") if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0 else ()
    said = smaller.finish(folder, before=alone, **smaller.SECRETS, **({} if alone else NOWHERE))
    (folder / "said.txt").write_text(said)
    kept = folder.with_name("undisturbed")
    shutil.copytree(folder, kept, symlinks=True)
    return kept


@pytest.fixture
def project(undisturbed) -> Path:
    """The finished project as the run left it, where it was made: Snakemake remembers absolute paths."""
    folder = undisturbed.with_name("project")
    shutil.rmtree(folder)
    shutil.copytree(undisturbed, folder, symlinks=True)
    return folder
