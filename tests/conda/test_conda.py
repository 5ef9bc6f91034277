"""`snakemake --sdm conda` makes every environment of envs/ as it stands there and runs steps inside it.

Snakemake deploys as it always does; in place of conda and conda-forge stand standin.py and a channel made by channel.py. So
this shows that Snakemake's part works, that the packages of each environment go together and that its steps need no others.
It does not show that conda-forge has these packages at these versions.
"""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conda_envs import ENVS, PYPI_NAMES, ROOT, pinned, steps
from figures_drawn import TABLES
from project import TINY, create

HERE = Path(__file__).parent
PYTHON = ROOT / ".venv-conda/bin/python"  # made by `make test-conda`
# What is run, with at least one step of every environment. Figures first: they are drawn from the tables of the unit tests,
# before anything newer is there that those would come from.
TARGETS = [["figures/fig1.png"], ["passages.parquet", "streams/swap14.npz", "scores/shifted/s.parquet"]]
RULES = {"draw_figures", "generate_world", "count_documents", "retrieve_passages", "rewrite_stream"}
RULES |= {"pack_baseline", "train_baseline", "reenact_suite"}
# For an environment's own Python and no other: prints what was loaded from neither the environment nor the library.
OUTSIDERS = """
import os, sys
sys.path.append(os.path.abspath("workflow"))
{imports}
homes = sys.prefix, sys.path[-1]
files = [module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)]
files = [file for file in files if os.path.isabs(file)]  # torch.ops and torch.classes name files that are not there
print(*[file for file in files if not file.startswith(homes)], sep="\\n", end="")
"""


def run(*command: str | Path, **options) -> str:
    """What a command that must succeed printed."""
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Wheels of all packages in envs/ and of what they need, and the channel `conda-forge` made of them."""
    with TemporaryDirectory(prefix="overtime-conda-") as name:
        folder = Path(name)
        packages = sorted({name for env in ENVS for name in pinned(env)})
        options = ["--quiet", "--only-binary", ":all:", "--constraint", ROOT / "requirements.txt", "--dest", folder / "wheels"]
        run(PYTHON, "-m", "pip", "download", *options, "pip", *packages)
        names = [f"{conda}={pypi}" for conda, pypi in PYPI_NAMES.items()]
        run(PYTHON, HERE / "channel.py", folder / "channels/conda-forge", folder / "wheels", *names)
        yield folder


@pytest.fixture(scope="module")
def environment(folder) -> dict[str, str]:
    """Environment variables under which the stand-in is conda, and pip has the wheels alone."""
    executables = folder / "conda/bin"
    executables.mkdir(parents=True)
    (executables / "conda").write_text(f'#!/bin/sh\nexec {PYTHON} {HERE}/standin.py "$@"\n')
    (executables / "conda").chmod(0o755)
    (executables / "activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    return {
        **os.environ,
        "PATH": f"{executables}:{os.environ['PATH']}",
        "CONDA_ROOT": str(folder / "conda"),
        "CONDA_PKGS_DIRS": str(folder / "packages"),
        "CONDA_CHANNEL_ALIAS": f"file://{folder}/channels",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder / "wheels"),
    }


@pytest.fixture(scope="module")
def project(folder) -> Path:
    """A copy of the project, with figure tables newer than all else."""
    project = create(folder / "project")
    (project / "results/tiny/figures").mkdir(parents=True)
    for name, table in TABLES.items():
        table.write_parquet(project / f"results/tiny/figures/{name}.parquet")
    return project


@pytest.fixture(scope="module")
def said(folder, environment, project) -> str:
    """What Snakemake said while it made the environments and ran the targets inside them."""
    options = ["--sdm", "conda", "--conda-prefix", folder / "envs", "--configfile", TINY, "--nocolor"]
    commands = ([PYTHON, "-m", "snakemake", *(f"results/tiny/{name}" for name in targets), *options] for targets in TARGETS)
    return "".join(run(*command, cwd=project, env=environment) for command in commands)


def test_snakemake_runs_steps_inside_the_environments_it_made(said, project):
    """Outside they would fail: the Python that runs Snakemake lacks a package that every step imports."""
    assert {steps()[rule][1] for rule in RULES} == set(ENVS)
    assert set(re.findall(r"Creating conda environment envs/(\w+)\.yaml", said)) == set(ENVS)
    assert set(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", said)) == RULES
    assert all((project / "results/tiny" / name).exists() for targets in TARGETS for name in targets)
    assert "polars" not in run(PYTHON, "-m", "pip", "list")


@pytest.mark.parametrize("env", ENVS)
def test_every_step_finds_its_imports_in_its_environment(env, said, folder, project):
    [copy] = (file for file in (folder / "envs").glob("*.yaml") if file.read_bytes() == (ROOT / f"envs/{env}.yaml").read_bytes())
    scripts = {script for script, name in steps().values() if name == env}
    lines = [line for script in sorted(scripts) for line in ast.parse(script.read_text()).body]
    imports = "\n".join(ast.unparse(line) for line in lines if isinstance(line, ast.Import | ast.ImportFrom))
    assert run(copy.with_suffix("") / "bin/python", "-I", "-c", OUTSIDERS.format(imports=imports), cwd=project) == ""


def test_a_container_would_hold_every_environment(environment, project):
    """`snakemake --containerize` writes a Dockerfile; whether its image can be built is not tested."""
    written = run(PYTHON, "-m", "snakemake", "--containerize", "--configfile", TINY, cwd=project, env=environment)
    copies = re.findall(r"^COPY (envs/\w+\.yaml) (\S+)$", written, re.MULTILINE)
    assert [source for source, _ in copies] == [f"envs/{env}.yaml" for env in ENVS]
    assert all(f"conda env create --prefix {Path(copy).parent} --file {copy}" in written for _, copy in copies)
