"""What the rules and the files in envs/ say: which environment a step runs in, what is in it, and what the step imports."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "workflow"
ENVS = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))
PYPI_NAMES = {"pytorch": "torch", "huggingface_hub": "huggingface-hub"}  # where conda-forge has other names


def steps() -> dict[str, tuple[Path, str]]:
    """Script and environment of every rule that runs a script."""
    found = {}
    for file in sorted(WORKFLOW.glob("rules/*.smk")):
        for rule in re.split(r"^rule ", file.read_text(), flags=re.MULTILINE)[1:]:
            if script := re.search(r'"\.\./(scripts/\w+\.py)"', rule):
                [env] = re.findall(r'"\.\./\.\./envs/(\w+)\.yaml"', rule)
                found[rule.partition(":")[0]] = WORKFLOW / script[1], env
    return found


def specifications(env: str) -> list[str]:
    """Every line of an environment's dependencies, those that pip installs included."""
    entries = yaml.safe_load((ROOT / f"envs/{env}.yaml").read_text())["dependencies"]
    return [line for entry in entries for line in (entry["pip"] if isinstance(entry, dict) else [entry])]


def pinned(env: str) -> dict[str, str]:
    """PyPI name -> version of the packages that an environment pins."""
    pins = (re.fullmatch(r"([\w-]+)==?([\w.]+)", line) for line in specifications(env))
    return {canonicalize_name(PYPI_NAMES.get(pin[1], pin[1])): pin[2] for pin in pins if pin}


def required() -> dict[str, str]:
    """PyPI name -> version in requirements.txt."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return {canonicalize_name(need.name): next(iter(need.specifier)).version for need in map(Requirement, filter(None, lines))}


def needs(path: Path, later: bool = False) -> set[str]:
    """PyPI names of what importing a file imports, through all modules of overtime; with `later`, also inside functions."""
    packages: set[str] = set()
    queue, seen = [path], {path}
    while queue:
        for name in imported(ast.parse(queue.pop().read_text()), later):
            top, *parts = name.split(".")
            if top == "overtime":
                module = WORKFLOW.joinpath(top, *parts)
                new = {file for file in (module.with_suffix(".py"), module / "__init__.py") if file.exists()} - seen
                seen |= new
                queue += new
            elif top not in sys.stdlib_module_names:
                packages |= {canonicalize_name(distribution) for distribution in DISTRIBUTIONS[top]}
    return packages


def imported(node: ast.AST, later: bool) -> Iterator[str]:
    """Dotted names that a syntax tree imports; what only type checkers read does not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (child.module, *(f"{child.module}.{alias.name}" for alias in child.names))
        elif isinstance(child, ast.FunctionDef) and not later:
            continue
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from imported(child, later)


DISTRIBUTIONS = packages_distributions()
