"""What a result depends on besides its inputs: the code that computed it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
ENTRY_POINT = re.compile(r"(overtime(?:\.\w+)+):\w+")  # a function named in a table, imported when it is called


@cache
def code(script: str) -> str:
    """Hash of a workflow script's overtime modules, followed through all their imports.

    Given as a parameter of the script's rule it makes an edit of the library rerun that rule, and no other. Formatting and
    comments count too; `overtime/__init__.py` does not, since everything imports it.
    """
    digest = sha256()
    for path in sorted(modules(PACKAGE.parent / "scripts" / f"{script}.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def workflow_hash() -> str:
    """SHA-256 of all that the workflow is made of: paths and contents of its files, resources included."""
    digest = sha256()
    for path in sorted(PACKAGE.parent.rglob("*")):
        if path.is_file() and path.parent.name != "__pycache__" and path.parent.suffix != ".egg-info":
            content = path.read_bytes()
            digest.update(f"{path.relative_to(PACKAGE.parent).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def modules(path: Path) -> set[Path]:
    """The overtime modules that a file imports, directly or through others; packages are imported with what lies in them."""
    found: set[Path] = set()
    queue = [path]
    while queue:
        new = imported(queue.pop()) - found
        found |= new
        queue += new
    return found


@cache
def imported(path: Path) -> frozenset[Path]:
    """The overtime modules that a file itself imports when it runs, anywhere in it, or names as an entry point."""
    names: set[str] = set()
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (entry := ENTRY_POINT.fullmatch(node.value)):
            names.add(entry[1])
    parts = [name.split(".")[1:] for name in names if name.split(".")[0] == PACKAGE.name]
    files = [PACKAGE.joinpath(*part[:end]) for part in parts for end in range(1, len(part) + 1)]
    found = {file / "__init__.py" if file.is_dir() else file.with_suffix(".py") for file in files}
    return frozenset(file for file in found if file.exists())


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            yield node
            yield from _running(node)
