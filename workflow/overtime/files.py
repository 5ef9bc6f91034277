"""Files that are either whole or absent: write to a temporary name, then rename."""

import glob
import os
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


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it on success, remove it on any failure. Files and folders alike.

    What a process that was killed here left behind is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        _remove(abandoned)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        # A folder can be renamed over an empty one only.
        if temporary.is_dir() and path.is_dir():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        _remove(temporary)


def scratch(temporary: Path) -> TemporaryDirectory[str]:
    """A folder for what leads to the `temporary` of `atomic`; if the process is killed, it is removed as that one is."""
    # Named so that the glob of `atomic` finds it.
    return TemporaryDirectory(dir=temporary.parent, prefix=f"{temporary.stem}.", suffix=".tmp")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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


def read_user_table(path: str | Path, columns: list[str]) -> pl.DataFrame:
    """Read a table that a person made, CSV or Parquet by its ending; the named columns must be there and filled in every row.

    All columns of a CSV file are text. Raises InputError naming file and row.
    """
    if Path(path).suffix == ".parquet":
        table = read_table(path, columns)
    else:
        try:
            table = pl.read_csv(path, infer_schema=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"{path}: not a readable CSV table ({str(error).splitlines()[0]})") from error
        if missing := [name for name in columns if name not in table.columns]:
            raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    for name in columns:
        empty = (table[name].cast(pl.String).fill_null("").str.strip_chars() == "").arg_true()
        if empty.len():
            raise InputError(f"{path}: row {empty[0] + 1}: no {name}")
    return table


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
