"""Documents in JSON Lines: every compression, every way a file can be broken, and edits that keep all other bytes."""

import gzip
import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from overtime import InputError
from overtime.corpora.documents import parse_document, read_documents, read_lines, replace_text, write_lines

DOCUMENTS = [
    {"id": 1, "text": "naïve\n“quoted”", "meta": {"source": ["a", 1.50]}},
    {"text": "", "id": None},
    {"text": "z" * 600_000},
]


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_documents_survive_every_format(tmp_path, ending):
    path = tmp_path / f"corpus{ending}"
    lines = [json.dumps(document, ensure_ascii=False).encode() for document in DOCUMENTS]
    write_lines(lines, path)
    assert list(read_documents(path)) == DOCUMENTS
    again = tmp_path / f"again{ending}"
    write_lines(lines, again)
    assert path.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_concatenated_streams_are_one_file(tmp_path, ending, compress):
    path = tmp_path / f"c.jsonl{ending}"
    path.write_bytes(compress(b"one\ntw") + compress(b"o\n") + compress(b"three"))
    assert list(read_lines(path)) == [b"one", b"two", b"three"]


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_a_broken_stream_is_one_error(tmp_path, ending, compress):
    lines = b"".join(json.dumps({"text": f"document {number * 7919 % 10007}"}).encode() + b"\n" for number in range(50_000))
    path = tmp_path / f"c.jsonl{ending}"
    whole = compress(lines)
    for broken in (whole[:-5], whole[: len(whole) // 2], whole + b"garbage", whole[:100]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=rf"c\.jsonl{ending}, line \d+: truncated or corrupt {ending} stream"):
            list(read_lines(path))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "a"', "line 2: not valid JSON at column 13"),
        (b'{"text": "a\xff"}', "line 2: not valid UTF-8 at byte 12"),
        (b'{"text": "a\tb"}', "line 2: not valid JSON"),
        (b'{"text": 3}', 'line 2: expected an object with a string in "text", found int'),
        (b'{"body": "a"}', 'a string in "text", found none'),
        (b'["text"]', "expected an object"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, reason):
    path = tmp_path / "c.jsonl"
    path.write_bytes(b'{"text": "fine"}\n' + line + b"\n")
    with pytest.raises(InputError, match=reason) as caught:
        list(read_documents(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read"):
        list(read_lines(tmp_path / "none.jsonl"))


def test_other_bytes_stay():
    line = b' { "a" : [1.50, {"text": "he"}], "text":\t"he \\u00e9 \\/", "b\\"}":  1e5, "text" : "his" , "z": null }\r'
    assert replace_text(line, 'x"\né') == line.replace(b'"his"', b'"x\\"\\n\\u00e9"')
    assert replace_text('{"text":"’"}'.encode(), "é") == '{"text":"é"}'.encode()
    assert json.loads(replace_text('{"text":"’"}'.encode(), "\ud800")) == {"text": "\ud800"}


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=5)


@given(st.dictionaries(st.text(), VALUES), st.text(), st.text(), st.booleans(), st.sampled_from([None, 1]))
def test_a_replaced_text_changes_nothing_else(fields, old, new, escaped, indent):
    document = fields | {"text": old}
    line = json.dumps(document, ensure_ascii=escaped, separators=(",", ": ") if indent else None).encode("utf-8", "replace")
    before = parse_document(line, "line 1")
    after = parse_document(replace_text(line, new), "line 1")
    assert after == before | {"text": new}
    assert list(after) == list(before)
    if escaped:
        assert replace_text(line, before["text"]) == line
