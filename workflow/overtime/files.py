"""Files that are either whole or absent: write to a temporary name, then rename."""

import errno
import glob
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import file_digest
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from overtime import InputError

RESOURCES = Path(str(resources.files("overtime"))) / "resources"  # word lists, prompts, released numbers, templates

POINTER = re.compile(rb"version https://(git-lfs\.github|hawser\.github)\.com/spec/|(\.\./|\.git/|/)*annex/objects/")
WEB_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|title|script|\?xml)\b", re.IGNORECASE | re.DOTALL
)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it on success, remove it on any failure. Files and folders alike.

    It is on the disk before it gets its name. What a process that was killed here left behind is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        _remove(abandoned)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        move(temporary, path)
    finally:
        _remove(temporary)


def move(temporary: Path, path: Path) -> None:
    """Give a file or folder, once all of it is on the disk, its name, in the place of what has it now."""
    _flush(temporary)
    # A folder can be renamed over an empty one only, and not over a link, whose target is left alone.
    if temporary.is_dir() and path.is_dir():
        _remove(path)
    temporary.replace(path)
    _flush_one(path.parent)


def _flush(path: Path) -> None:
    """Wait until a file, or a folder with all that is in it, is on the disk."""
    if path.is_dir():
        for inner in path.iterdir():
            _flush(inner)
    _flush_one(path)


def _flush_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # of file systems that cannot flush a folder
            raise
    finally:
        os.close(handle)


def scratch(temporary: Path) -> TemporaryDirectory[str]:
    """A folder for what leads to the `temporary` of `atomic`; if the process is killed, it is removed as that one is."""
    # Named so that the glob of `atomic` finds it.
    return TemporaryDirectory(dir=temporary.parent, prefix=f"{temporary.stem}.", suffix=".tmp")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def impostor(path: str | Path) -> str | None:
    """What a file is if it stands in another's place, as failed downloads and clones leave it; None for all others."""
    with open(path, "rb") as file:
        start = file.read(1024)
    if POINTER.match(start):
        return "a pointer of Git LFS or git-annex, not the file itself; fetch that (git lfs pull, git annex get)"
    if WEB_PAGE.match(start):
        return "a web page, as servers send in a file's place; fetch the file again, signed in if need be"
    return None


def refuse_impostor(path: str | Path) -> None:
    """Raise InputError, naming the file, if it is another in its place (see `impostor`); not for one that cannot be read."""
    try:
        found = impostor(path)
    except OSError:
        return  # whoever reads it says so
    if found:
        raise InputError(f"{path}: {found}")


def write_table(table: pl.DataFrame, path: str | Path) -> None:
    """Write a Parquet table atomically; InputError, and no file, for one with a number that is NaN or infinite."""
    require_finite(table, path)
    with atomic(path) as temporary:
        table.write_parquet(temporary)


def read_table(path: str | Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a Parquet table; a missing, broken or incomplete one, or NaN in it, is an InputError that names the file."""
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        refuse_impostor(path)
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a readable Parquet table ({reason}); delete it and run again") from error
    missing = [name for name in columns or [] if name not in table.columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    require_finite(table, path)
    return table


def require_finite(table: pl.DataFrame, where: str | Path) -> None:
    """Raise an InputError that begins with `where` and names column and row of a number that is NaN or infinite.

    Such a number would be sorted, compared and counted like any other: NaN is greater than all in polars. Null is no number.
    """
    for column in table.select(pl.selectors.float()):
        if not (finite := column.is_finite()).all():
            row = (~finite).arg_true()[0]
            raise InputError(f"{where}: column {column.name}, row {row + 1}: {column[row]}, which no measurement can be")


def require_unique(table: pl.DataFrame, key: Sequence[str], where: str | Path) -> None:
    """Raise an InputError that begins with `where` if two rows have the same `key`: one would count for the other, or twice."""
    keys = table.select(key)
    if keys.n_unique() < keys.height:
        row = keys.filter(keys.is_duplicated()).row(0, named=True)
        told = ", ".join(f"{name} {value}" for name, value in row.items())
        raise InputError(f"{where}: more than one row of {told}; need one of each (of several tables, numbers of their own)")


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
