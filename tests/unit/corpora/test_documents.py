"""Documents in JSON Lines: every compression, every way a file can be broken, and edits that keep all other bytes."""

import bz2
import gzip
import json
import shutil
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from overtime import InputError
from overtime.corpora import documents
from overtime.corpora.documents import parse_document, read_documents, read_lines, replace_text, write_lines

CASES = Path(__file__).parents[2] / "cases/documents"
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


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nested", "line 2: arrays or objects within each other, too many to be read"),
        ("digits", "line 2: a whole number of more than 4300 digits"),
        ("nul", "line 2: not valid JSON at column 15"),
        ("half", "line 2: not valid JSON at column 10"),
        ("two", "line 2: not valid JSON at column 17 \\(Extra data"),
        ("number", 'line 2: expected an object with a string in "text", found int'),
        ("list", "line 2: expected an object"),
        ("latin1", "line 2: not valid UTF-8 at byte 13"),
        ("utf16", "line 1: not valid UTF-8 at byte 1"),
    ],
)
def test_an_unfit_file_is_one_line_with_its_place(name, reason):
    path = CASES / f"{name}.jsonl"
    with pytest.raises(InputError, match=f"^{path}, {reason}") as caught:
        list(read_documents(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_marks_of_byte_order_line_ends_and_half_pairs_are_no_faults():
    lines = list(read_lines(CASES / "bom.jsonl"))
    assert [document["text"] for document in read_documents(CASES / "bom.jsonl")] == ["the first line", "the \ud800 second"]
    assert replace_text(lines[0], "é") == '\ufeff{"text": "\\u00e9"}\r'.encode()


@pytest.mark.parametrize(
    ("stand_in", "message"),
    [
        ("pointer", "a pointer of Git LFS"),
        ("annexed", "a pointer of Git LFS or git-annex"),
        ("page.html", "a web page"),
        ("denied.xml", "a web page"),
    ],
)
@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".json.zst"])
def test_what_stands_in_the_place_of_a_shard_is_named(tmp_path, stand_in, message, ending):
    shard = shutil.copy(CASES / stand_in, tmp_path / f"shard{ending}")
    with pytest.raises(InputError, match=rf"^{shard}: {message}"):
        list(read_documents(shard))


@pytest.mark.parametrize("window", [27, 28, 31])
def test_zstd_looks_back_as_far_as_it_can(tmp_path, window):
    """As `zstd --long=WINDOW` writes from a pipe: the frame states its window and no size."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=window, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(b'{"text": "a"}\n' * 5) + packer.flush()
    assert zstandard.get_frame_parameters(packed).window_size == 1 << window
    path = tmp_path / "c.jsonl.zst"
    path.write_bytes(packed + zstandard.compress(b'{"text": "b"}'))
    assert [document["text"] for document in read_documents(path)] == [*"aaaaa", "b"]


def test_a_zstd_window_beyond_the_library_is_named(tmp_path):
    path = tmp_path / "c.jsonl.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00" + bytes([(33 - 10) << 3]) + bytes(20))  # RFC 8878: magic, descriptor, window
    with pytest.raises(InputError, match=r"line 1: its zstd window is above 2 GiB; compress it again, with --long=31 at most"):
        list(read_lines(path))


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_an_empty_file_is_no_compressed_one(tmp_path, ending):
    empty = tmp_path / f"c.jsonl{ending}"
    empty.touch()
    with pytest.raises(InputError, match=f"line 1: truncated or corrupt {ending} stream"):
        list(read_lines(empty))
    write_lines([], empty)
    assert list(read_lines(empty)) == []
    empty.write_bytes(bz2.compress(b"{}"))
    with pytest.raises(InputError, match=f"line 1: truncated or corrupt {ending} stream"):
        list(read_lines(empty))


def test_a_line_of_many_blocks_is_put_together_once(tmp_path, monkeypatch):
    """Were it copied with every block, this would be 250 GB."""
    monkeypatch.setattr(documents, "_BLOCK", 64)
    line = b"x" * (1 << 22)
    (tmp_path / "c.jsonl").write_bytes(b"one\n" + line + b"\n" + line)
    assert list(read_lines(tmp_path / "c.jsonl")) == [b"one", line, line]


@given(st.lists(st.binary(max_size=9)), st.integers(1, 5))
def test_lines_are_those_of_the_bytes(tmp_path_factory, pieces, block):
    content = b"\n".join(pieces)
    path = tmp_path_factory.mktemp("lines") / "c.jsonl"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "_BLOCK", block)
        assert list(read_lines(path)) == content.removesuffix(b"\n").split(b"\n") * bool(content)


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
