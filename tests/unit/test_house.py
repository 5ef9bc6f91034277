"""The house: which room imports which, what a step that loads a model reaches, how long and how wide things are."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from overtime.figures.catalog import FIGURES
from overtime.pipeline.code_hash import PACKAGE, imported, modules

WORKFLOW = PACKAGE.parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((WORKFLOW / "scripts").glob("*.py"))
HALL = {"checksums", "files", "jackknife", "statistics", "tables"}
STUDIES = {"training", "models", "corpora", "sources"}
# Room -> the rooms that it may import; all may import the hall.
ARROWS: dict[str, set[str]] = {
    "sources": set(),
    "corpora": set(),
    "models": {"sources"},
    "training": {"models", "corpora"},
    "bias": STUDIES,
    "facts": STUDIES,
    "attacks": STUDIES,
    "claims": set(),
    "figures": set(),
    "pipeline": {"figures", "claims"},
}
# One name for two things, because other tools call both: a parse of the released arrays, and a reading of a model.
SHARED = {"read_layers", "logger"}


def room(path: Path) -> str:
    """The package of a module, or the module itself in the hall."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_the_rooms_are_those_of_the_plan():
    top = {path.stem if path.suffix else path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert top - {"__init__", "__pycache__", "resources"} == HALL | set(ARROWS)


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_arrows_point_where_the_plan_says(path):
    own = room(path)
    allowed = HALL | ARROWS.get(own, set()) | {own}
    reached = {room(found) for found in imported(path)} - {"__init__"}
    assert reached <= allowed, f"{named(path)} may not import {', '.join(sorted(reached - allowed))}"


def test_no_module_imports_itself_through_others():
    for path in SOURCES:
        if path.name != "__init__.py":
            assert path not in modules(path), f"{named(path)} imports itself"


def test_the_library_knows_no_snakemake():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "snakemake" for name in names), named(path)
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{named(path)}: relative imports hide the room"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_step_that_loads_a_model_reaches_no_statistics(script):
    reached = {named(path).removesuffix(".py").removesuffix("/__init__") for path in modules(script)}
    if reached & {"models/load", "models/residual_stream", "models/likelihood", "models/answers"}:
        late = {name for name in reached if name.split("/")[0] in ("statistics", "tables", "claims", "figures")}
        assert not late, f"an edit of {', '.join(sorted(late))} would load the model again"


def test_reading_the_workflow_takes_pydantic_and_yaml_alone():
    """Who runs every step in an environment of its own has nothing else beside Snakemake."""
    text = "\n".join(path.read_text() for path in [WORKFLOW / "Snakefile", *(WORKFLOW / "rules").glob("*.smk")])
    imports = "\n".join(re.findall(r"^from overtime\S* import .+$", text, re.MULTILINE))
    missing = "import sys\nfor name in ('numpy', 'polars', 'requests', 'tqdm', 'altair', 'torch'): sys.modules[name] = None\n"
    environment = {"PYTHONPATH": str(WORKFLOW), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", missing + imports], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert imports.count("\n") > 8


def test_every_figure_can_be_drawn_by_what_its_entry_names():
    for name, figure in FIGURES.items():
        module, _, function = figure.drawing.partition(":")
        source = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
        assert function in {node.name for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)}, name
        assert source in modules(WORKFLOW / "scripts/draw_figures.py")


def test_one_name_is_one_thing():
    owner: dict[str, Path] = {}
    for path in SOURCES:
        for node in ast.parse(path.read_text()).body:
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
            if isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            for name in names:
                if not name.startswith("_") and name not in SHARED:
                    assert owner.setdefault(name, path) == path, f"{name}: {named(owner[name])} and {named(path)}"


@pytest.mark.parametrize("path", [*SOURCES, *SCRIPTS], ids=lambda path: path.relative_to(WORKFLOW).as_posix())
def test_everything_is_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= (25 if path in SCRIPTS else 250)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 40, node.name
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert len([one for one in given if one.arg not in ("self", "cls")]) <= 6, node.name


def test_rule_files_carry_the_names_of_rooms():
    for path in (WORKFLOW / "rules").glob("*.smk"):
        assert path.stem in ("common", "resources", "variants") or path.stem.split("_")[0] in ARROWS, path.name
        text = path.read_text()
        assert "threads: 1\n" not in text
        assert len(text.splitlines()) <= 250
        assert '="|".join(' not in text, "one_of() keeps an empty list from matching everything"


def test_rule_files_share_one_namespace_and_take_no_name_of_each_other():
    owner: dict[str, Path] = {}
    for path in [WORKFLOW / "Snakefile", *sorted((WORKFLOW / "rules").glob("*.smk"))]:
        for name in re.findall(r"^(?:def )?([A-Za-z]\w*)(?: =|\()", path.read_text(), re.MULTILINE):
            assert owner.setdefault(name, path) == path, f"{name}: {owner[name].name} and {path.name}"
