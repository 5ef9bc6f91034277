"""What a result depends on besides its inputs: the code that computed it."""

import ast
from functools import cache
from hashlib import sha256
from pathlib import Path

PACKAGE = Path(__file__).parent


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


def modules(path: Path) -> set[Path]:
    """The overtime modules that a file imports, directly or through others."""
    found: set[Path] = set()
    queue = [path]
    while queue:
        new = _imported(queue.pop()) - found
        found |= new
        queue += new
    return found


def _imported(path: Path) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE.name}
    parts = [PACKAGE.joinpath(*name.split(".")[1:]) for name in names if name != PACKAGE.name]
    files = [part / "__init__.py" if part.is_dir() else part.with_suffix(".py") for part in parts]
    return {file for file in files if file.exists()}
