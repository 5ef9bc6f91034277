"""Files that people make, as text and as tables, however they were saved; what cannot be read is named by file and row."""

import codecs
import csv
import io
import json
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import zstandard

from overtime import InputError
from overtime.corpora.documents import unpacked_blocks
from overtime.files import read_table, refuse_impostor

# Longer marks first: that of UTF-32 begins with that of UTF-16.
ENCODINGS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16"} | {
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
PACKED = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}  # by the first bytes
UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # categories of control and format characters and of white space


def read_text(path: str | Path) -> str:
    """The text of a file, unpacked if its first bytes are those of gzip or zstd; UTF-8, or what its byte order mark says.

    Raises InputError, naming the line, for bytes that are no such text.
    """
    refuse_impostor(path)
    try:
        data = _unpacked(Path(path).read_bytes())
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch or save it again") from error
    encoding = next((name for mark, name in ENCODINGS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: not valid {encoding.upper()}; save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{path}, line {line}: holds zero bytes, so it is no text, or UTF-16 without a mark; save it as UTF-8")
    return text


def _unpacked(data: bytes) -> bytes:
    suffix = next((suffix for mark, suffix in PACKED.items() if data.startswith(mark)), "")
    return b"".join(unpacked_blocks(io.BytesIO(data), suffix))


def text_lines(path: str | Path) -> Iterator[tuple[str, str]]:
    """The lines of a text file that are not blank, each after its place, "FILE: line 3"; see `read_text`."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line := line.strip("\ufeff \t\r"):
            yield f"{path}: line {number}", line


def checked_text(value: object, place: str, name: str) -> str:
    """The text that a file gives for `name`. Raises InputError, beginning with `place`, unless it can be seen and written."""
    if not isinstance(value, str) or not visible(value):
        shown = json.dumps(value) if value is None or isinstance(value, str | int | float) else f"a {type(value).__name__}"
        raise InputError(f"{place}: {name} is {shown}; need a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = value[error.start].encode("ascii", "backslashreplace").decode()
        raise InputError(f"{place}: {name} holds {half}, half of a character; write the whole one") from error
    return value


def visible(text: str) -> bool:
    """Whether a text has a character to be seen: neither white space nor a control or format character."""
    return any(unicodedata.category(character) not in UNSEEN for character in text)


def read_csv(path: str | Path, separator: str = ",") -> pl.DataFrame:
    """A CSV table of text alone, without its empty rows; InputError for a broken one and for two columns of one name."""
    text = read_text(path).lstrip("\r\n")
    try:
        header = next(csv.reader(io.StringIO(text), delimiter=separator), [])
        table = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    except (csv.Error, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: not a readable CSV table ({str(error).splitlines()[0]})") from error
    if twice := [name for name in header if header.count(name) > 1]:
        raise InputError(f"{path}: two columns are called {twice[0] or 'nothing'}; each needs a name of its own")
    return table.filter(~pl.all_horizontal(pl.all().is_null()))


def read_user_table(path: str | Path, columns: list[str]) -> pl.DataFrame:
    """Read a table that a person made, CSV or Parquet by its ending; the named columns must be there and filled in every row.

    The named columns are returned as text, and so are all of a CSV file. Raises InputError naming file and row.
    """
    table = read_table(path) if Path(path).suffix == ".parquet" else read_csv(path)
    if missing := [name for name in columns if name not in table.columns]:
        raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    if table.is_empty():
        raise InputError(f"{path}: no rows; need at least one")
    for name in columns:
        if table.schema[name].is_nested():
            raise InputError(f"{path}: column {name} holds {table.schema[name]}; need text or numbers")
        table = table.with_columns(pl.col(name).cast(pl.String, strict=False))
        empty = (table[name].fill_null("").str.strip_chars() == "").arg_true()
        if empty.len():
            raise InputError(f"{path}: row {empty[0] + 1}: no {name}")
    return table


def whole_numbers(column: pl.Series, place: str | Path) -> pl.Series:
    """A column of a person's table as whole numbers from 0 on, null where it is empty; 30.0 is 30.

    Raises InputError naming `place`, the table, and row for anything else: a fraction, a negative number, not a number.
    """
    text = column.cast(pl.String).str.strip_chars()
    numbers = text.str.extract(r"^\+?([0-9]+)(?:\.0*)?$").cast(pl.Int64, strict=False)
    wrong = (numbers.is_null() & (text.fill_null("") != "")).arg_true()
    if wrong.len():
        raise InputError(f"{place}: row {wrong[0] + 1}: {column.name} {text[wrong[0]]}; a whole number from 0 on is needed")
    return numbers
