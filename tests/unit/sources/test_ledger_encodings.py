"""A ledger that a spreadsheet wrote: its mark is read over, another encoding is one line."""

import codecs
from pathlib import Path

import pytest

from overtime import InputError
from overtime.sources.ledger import read_ledger

LEDGER = Path(__file__).parents[3] / "config/sources.csv"
TEXT = LEDGER.read_text(encoding="utf-8")
AFTER = len(TEXT.splitlines()) + 1


@pytest.mark.parametrize("content", [codecs.BOM_UTF8 + TEXT.encode(), TEXT.replace("\n", "\r\n").encode()])
def test_marks_and_line_ends_of_other_programs_change_nothing(tmp_path, content):
    (tmp_path / "sources.csv").write_bytes(content)
    assert read_ledger(tmp_path / "sources.csv") == read_ledger(LEDGER)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode("utf-16"), "sources.csv: not UTF-8 (invalid start byte at byte 0); save it in this encoding"),
        (TEXT.encode("utf-16-le"), "sources.csv: row 2, column dataset: "),
        (TEXT.replace("MIT", "café", 1).encode("latin-1"), "sources.csv: not UTF-8 (invalid continuation byte at byte "),
        (TEXT.replace(",", ";").encode(), "sources.csv: row 2, column dataset: "),
        (TEXT.encode() + b"a" * 200_000, f"sources.csv: row {AFTER}: not a row of a CSV table (field larger than field limit"),
    ],
)
def test_another_encoding_or_form_is_one_line(tmp_path, content, message):
    (tmp_path / "sources.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_ledger(tmp_path / "sources.csv")
    assert "\n" not in str(error.value)
    assert str(error.value).removeprefix(f"{tmp_path}/").startswith(message)
