"""The ledger and its downloads, against a server on this machine that fails in every way a server can."""

import csv
import gzip
import os
import runpy
import shutil
import threading
import zipfile
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from overtime import InputError
from overtime.sources import download
from overtime.sources.download import fetch, fetch_dataset
from overtime.sources.ledger import PinnedFile, read_ledger, select
from overtime.sources.places import UnreachableError

ROOT = Path(__file__).parents[3]
LEDGER = ROOT / "config" / "sources.csv"
MIRROR = Path(os.environ.get("OVERTIME_MIRROR", ROOT.parent / "shared" / "mirror"))
BODY = bytes(range(256)) * 1000
HALF = len(BODY) // 2


class Faulty(BaseHTTPRequestHandler):
    """Answers each request with the next behaviour of the server's script; the last one stays."""

    def do_GET(self) -> None:
        script, ranges, released = self.server.script, self.server.ranges, self.server.released
        behaviour = script.pop(0) if len(script) > 1 else script[0]
        ranges.append(self.headers.get("Range"))
        start = 0 if behaviour == "no range" else int((ranges[-1] or "bytes=0-")[6:-1])
        body = {"wrong": BODY[::-1], "short": BODY[:HALF], "empty": b"", "page": b"<!doctype html><p>Sign in"}.get(
            behaviour, BODY
        )
        if isinstance(behaviour, int):
            return self.answer(behaviour, b"", **({"Retry-After": "7"} if behaviour == 429 else {}))
        if isinstance(behaviour, str) and "redirect" in behaviour:
            return self.answer(302, b"", Location=behaviour.partition(" ")[2] or "/elsewhere/1.0/file.bin")
        if behaviour in ("compressed", "bomb"):
            body = gzip.compress(BODY if behaviour == "compressed" else bytes(1 << 28))
            return self.answer(200, body, **{"Content-Encoding": "gzip", "Content-Length": str(len(body))})
        if behaviour == "endless":
            self.answer(200, b"")
            for _ in range(1000):
                self.wfile.write(BODY)
        if start and start >= len(body):
            return self.answer(416, b"")
        if behaviour == "more":
            body += b"!"
        sent = body[start : (start + len(body)) // 2] if behaviour in ("cut", "quietly cut", "stall") else body[start:]
        length = {} if behaviour == "quietly cut" else {"Content-Length": str(len(body) - start)}
        self.answer(206 if start else 200, sent, **length)
        if behaviour == "stall":
            released.wait(5)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    server.script, server.ranges, server.released = ["whole"], [], threading.Event()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def source(server) -> PinnedFile:
    url = f"http://127.0.0.1:{server.server_port}/data/1.0/file.bin"
    return PinnedFile("data", "1.0", url, sha256(BODY).hexdigest(), len(BODY), "CC0-1.0")


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


@pytest.mark.parametrize(
    ("script", "resumed"),
    [
        (["whole"], [False]),
        (["redirect", "whole"], [False, False]),
        ([500, 503, "whole"], [False, False, False]),
        (["cut", "cut", "whole"], [False, True, True]),
        (["quietly cut", "whole"], [False, True]),
        (["cut", "no range"], [False, True]),
        (["cut", 500, "whole"], [False, True, True]),
        (["compressed"], [False]),
    ],
)
def test_faults_are_overcome(server, source, pauses, tmp_path, script, resumed):
    server.script = list(script)
    fetch(source, tmp_path / "new" / "file.bin")
    assert (tmp_path / "new" / "file.bin").read_bytes() == BODY
    assert os.listdir(tmp_path / "new") == ["file.bin"]
    assert [header is not None for header in server.ranges] == resumed


def test_pauses_follow_the_server_or_double(server, source, pauses, tmp_path):
    server.script = [429, "whole"]
    fetch(source, tmp_path / "a")
    assert pauses == [7]
    server.script, pauses[:] = ["quietly cut", "quietly cut", "quietly cut", "whole"], []
    fetch(source, tmp_path / "b")
    assert pauses == [0.5, 1, 2]


def test_a_stalled_transfer_is_taken_up_again(server, source, pauses, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server.script = ["stall", "whole"]
    fetch(source, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert len(server.ranges) == 2


@pytest.mark.parametrize(
    ("script", "message", "reached"),
    [
        (["wrong"], rf"file\.bin: expected sha256 {sha256(BODY).hexdigest()} .*, found {sha256(BODY[::-1]).hexdigest()} ", True),
        (["short"], rf"expected sha256 .* \(256000 bytes\), found {sha256(BODY[:HALF]).hexdigest()} \(128000 bytes\)", True),
        (["empty"], r"expected sha256 .*, found e3b0.* \(0 bytes\)", True),
        (["page"], r"expected sha256 .*; it is a web page", True),
        (["more"], "the server sends more than the ledger's 256000 bytes", True),
        (["endless"], "the server sends more than the ledger's 256000 bytes", True),
        (["bomb"], "the server sends more than the ledger's 256000 bytes", True),
        (["redirect file:///etc/passwd"], "cannot be downloaded .*No connection adapters.*; correct its row", True),
        (["redirect ftp://127.0.0.1/1.0/file.bin"], "cannot be downloaded .*No connection adapters", True),
        (["redirect"], "cannot be downloaded .*redirects", True),
        ([400], "cannot be downloaded .*400.*; correct its row in the ledger", True),
        ([401], "cannot be downloaded .*401.*; correct its row in the ledger", True),
        ([403], "cannot be downloaded .*403.*; correct its row in the ledger", True),
        ([404], "cannot be downloaded .*404.*; correct its row in the ledger", True),
        ([410], "cannot be downloaded .*410.*; correct its row in the ledger", True),
        (["quietly cut"], r"cut off 6 times, at last with \d+ of 256000 bytes", False),
        (["cut"], r"cut off 6 times, at last with \d+ of 256000 bytes", False),
        ([429], "cannot be downloaded .*429.*; try again later", False),
        ([500], "cannot be downloaded .*500.*; try again later", False),
        ([503], "cannot be downloaded .*503.*; try again later", False),
    ],
)
def test_lasting_faults_give_one_line_and_leave_nothing(server, source, pauses, tmp_path, script, message, reached):
    """Only where the server, or what it has, could not be reached is it an UnreachableError, without which a run may go on."""
    server.script = script
    with pytest.raises(InputError, match=message) as caught:
        fetch(source, tmp_path / "file")
    assert isinstance(caught.value, UnreachableError) != reached
    assert "\n" not in str(caught.value)
    assert str(source.url) in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_no_secret_of_an_address_or_proxy_is_shown(server, source, pauses, tmp_path, monkeypatch, caplog):
    signed = f"http://127.0.0.1:{server.server_port}/x?X-Amz-Signature=secretvalue&token=secretvalue"
    server.script = [f"redirect {signed}", 404]
    with pytest.raises(InputError, match=r"404.*/x\?\*\*\*") as caught:
        fetch(source, tmp_path / "file")
    said = [str(caught.value)]
    for proxy in (
        "http://somebody:secretvalue@127.0.0.1:9",
        "http://somebody:secret/value@127.0.0.1:9",
        "socks9://u:secretvalue@h",
    ):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(InputError, match="cannot be downloaded") as caught:
            fetch(source, tmp_path / "file")
        said.append(str(caught.value))
    assert [line for line in [*said, caplog.text] if "secret" in line] == []


def test_an_unreachable_server_is_named(source, pauses, tmp_path):
    closed = replace(source, url="http://127.0.0.1:9/data/1.0/file.bin")
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9/data.*cannot be downloaded .*refused"):
        fetch(closed, tmp_path / "file")


def test_mirror_first_and_verified(server, source, pauses, tmp_path):
    copy = tmp_path / "mirror" / f"127.0.0.1:{server.server_port}" / "data" / "1.0" / "file.bin"
    fetch(source, tmp_path / "file", mirror=tmp_path / "mirror")
    assert len(server.ranges) == 1, "not in the mirror: from the url"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(BODY)
    fetch(source, tmp_path / "file", mirror=tmp_path / "mirror")
    assert len(server.ranges) == 1, "in the mirror: no request"
    copy.write_bytes(BODY + b"!")
    with pytest.raises(InputError, match=rf"^{copy}: expected sha256"):
        fetch(source, tmp_path / "other", mirror=tmp_path / "mirror")
    shutil.copy(ROOT / "tests/cases/documents/pointer", copy)
    with pytest.raises(InputError, match=rf"^{copy}: expected sha256 .*; it is a pointer of Git LFS"):
        fetch(source, tmp_path / "other", mirror=tmp_path / "mirror")
    copy.unlink()
    copy.mkdir()
    with pytest.raises(InputError, match=rf"^{copy}: cannot be copied \(Is a directory\)"):
        fetch(source, tmp_path / "other", mirror=tmp_path / "mirror")


def test_dataset_folder_is_complete_or_absent(server, source, pauses, tmp_path):
    many = [replace(source, url=source.url.replace("file", f"deep/{i}")) for i in range(5)]
    fetch_dataset(many, tmp_path / "all")
    assert sorted(p.relative_to(tmp_path / "all").as_posix() for p in tmp_path.rglob("*.bin")) == [
        f"deep/{i}.bin" for i in range(5)
    ]
    with pytest.raises(InputError, match="expected sha256"):
        fetch_dataset([*many[1:], replace(many[0], sha256="0" * 64)], tmp_path / "some")
    assert os.listdir(tmp_path) == ["all"]


def test_what_is_wrong_counts_more_than_what_is_out_of_reach(server, source, pauses, tmp_path):
    """A damaged copy in the mirror is found although the first files of the data set cannot be reached."""
    away = [replace(source, url=f"http://127.0.0.1:9/data/1.0/{number}.bin") for number in range(20)]
    copy = tmp_path / "mirror" / f"127.0.0.1:{server.server_port}" / "data/1.0/file.bin"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(BODY)
    with pytest.raises(UnreachableError, match="refused"):
        fetch_dataset([*away, source], tmp_path / "some", tmp_path / "mirror")
    copy.write_bytes(BODY[:-1])
    with pytest.raises(InputError, match=rf"^{copy}: expected sha256"):
        fetch_dataset([*away, source], tmp_path / "some", tmp_path / "mirror")
    with pytest.raises(InputError, match=r"the folder already has a file file\.bin"):
        fetch_dataset([source, replace(source, dataset="other")], tmp_path / "some")
    assert os.listdir(tmp_path) == ["mirror"]


def test_a_link_in_the_place_of_a_dataset_is_replaced_and_its_target_left_alone(server, source, pauses, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/letters").touch()
    (tmp_path / "all").symlink_to(tmp_path / "precious")
    (tmp_path / ".all.1.tmp").symlink_to(tmp_path / "precious")
    fetch_dataset([source], tmp_path / "all")
    assert os.listdir(tmp_path / "precious") == ["letters"]
    assert sorted(os.listdir(tmp_path)) == ["all", "precious"]
    assert not (tmp_path / "all").is_symlink()


@pytest.mark.parametrize(("script", "left_out"), [([503], True), ([404], False), (["wrong"], False)])
def test_a_step_leaves_out_only_what_is_out_of_reach(server, source, pauses, tmp_path, monkeypatch, script, left_out, capsys):
    monkeypatch.chdir(tmp_path)
    row = {name: getattr(source, name) for name in ("dataset", "version", "url", "sha256", "bytes", "licence")}
    with open("ledger.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    named = {"input": Named(ledger="ledger.csv"), "output": Named(files="out"), "params": Named(mirror=None)}
    job = SimpleNamespace(rule="fetch_public", wildcards=Named(dataset="data"), threads=1, log=["log"], **named)
    server.script = script
    status = 0
    try:
        runpy.run_path(str(ROOT / "workflow/scripts/fetch_public.py"), {"snakemake": job})
    except SystemExit as stop:
        status = stop.code
    assert (status == 0) == left_out
    assert (Path("out").is_dir() and not os.listdir("out")) == left_out
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("[fetch_public data]")]
    assert len(said) == 1
    assert ("going on without it: " if left_out else "error: ") + source.url in said[0]


class Named(list):
    """As Snakemake gives inputs and the like: a list whose items have names."""

    def __init__(self, **items: object) -> None:
        super().__init__(items.values())
        self.__dict__.update(items)


def test_wheels_come_through_pip(tmp_path, monkeypatch):
    pytest.importorskip("pip")
    wheel = tmp_path / "links" / "tiny_wheel-0.1-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "tiny_wheel-0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-wheel\nVersion: 0.1\nRequires-Dist: absent\n"
        )
        archive.writestr(
            "tiny_wheel-0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_wheel-0.1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    digest = sha256(wheel.read_bytes()).hexdigest()
    source = PinnedFile("tiny", "0.1", f"pypi:tiny-wheel==0.1/{wheel.name}", digest, wheel.stat().st_size, "CC0-1.0")
    fetch(source, tmp_path / "got.whl")
    assert (tmp_path / "got.whl").read_bytes() == wheel.read_bytes()
    with pytest.raises(InputError, match=r"^pypi:tiny-wheel==0\.2/.*No matching distribution found"):
        fetch(replace(source, version="0.2", url=source.url.replace("0.1", "0.2")), tmp_path / "other")
    assert sorted(os.listdir(tmp_path)) == ["got.whl", "links"]


GOOD = {"dataset": "d", "version": "abc", "url": "https://x.org/abc/f.csv", "sha256": "0" * 64, "bytes": "12", "licence": "MIT"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sha256": "0" * 63}, "row 3, column sha256: String should match"),
        ({"bytes": "many"}, "row 3, column bytes: Input should be a valid integer"),
        ({"bytes": "0"}, "row 3, column bytes: Input should be greater than 0"),
        ({"url": "ftp://x.org/abc/f.csv"}, "row 3, column url: String should match"),
        ({"url": "https://x.org/main/f.csv"}, "row 3, column url: .*not pinned.* abc"),
        ({"licence": ""}, "row 3, column licence: String should have at least 1"),
        ({"url": GOOD["url"]}, r"row 3, column url: d already has a file f\.csv"),
        ({"url": "https://x.org/abc/../abc/g.csv"}, "row 3, column url: .*every part of the path must be a name"),
        ({"url": "https://x.org/abc/../../g.csv"}, "row 3, column url: .*every part of the path must be a name"),
        ({"url": "https://x.org/abc/%2e%2e/g.csv"}, "row 3, column url: .*every part"),
        ({"url": "https://x.org/abc/%2e%2e%2fg.csv"}, "row 3, column url: .*every part"),
        ({"url": "https://x.org/abc//etc/passwd"}, "row 3, column url: .*every part"),
        ({"url": "https://x.org/abc/a/"}, "row 3, column url: .*every part"),
        ({"url": "https://x.org/abc/~/g.csv"}, "row 3, column url: .*every part"),
        ({"url": r"https://x.org/abc/..\g.csv"}, "row 3, column url: .*backslash"),
        ({"url": "https://x.org/abc/C:/g.csv"}, "row 3, column url: .*drive letter"),
        ({"url": "https://x.org/abc/a%00b"}, "row 3, column url: .*control character"),
        ({"url": f"https://x.org/abc/{'g' * 256}"}, "row 3, column url: .*longer than 255"),
        ({"url": "https://x.org/xabc/g.csv"}, "row 3, column url: .*not pinned"),
        ({"url": "https://x.org/g.csv?ref=abc/g.csv"}, "row 3, column url: .*not pinned"),
        ({"url": "https://me:secret@x.org/abc/g.csv"}, "row 3, column url: String should match"),
        ({"url": "https://../abc/g.csv"}, "row 3, column url: String should match"),
        ({"url": "file:///abc/g.csv"}, "row 3, column url: String should match"),
        ({"url": "pypi:--index-url=http:x==abc/g.whl"}, "row 3, column url: String should match"),
        ({"url": "pypi:g==1/abc/g.whl"}, "row 3, column url: String should match"),
        ({"dataset": "../d"}, "row 3, column dataset: String should match"),
        ({"url": "https://x.org/abc/f.csv/g.csv"}, r"row 3, column url: d already has a file f\.csv, beside which it cannot lie"),
        ({"url": "https://y.org/abc/F.CSV"}, r"row 3, column url: d already has a file f\.csv, beside which it cannot lie"),
        ({"url": f"https://y.org/abc/{GOOD['url'][18:]}?token=1"}, r"row 3, column url: d already has a file f\.csv"),
        ({"licence": "M" * 200_000}, "row 3: not a row of a CSV table"),
        ({"more": "x"}, "row 2, column more: Unexpected"),
        ({"licence": None}, "row 2, column licence: Field required"),
    ],
)
def test_bad_ledger_rows_name_row_and_column(tmp_path, changed, message):
    second = {name: value for name, value in (GOOD | {"url": "https://x.org/abc/g.csv"} | changed).items() if value is not None}
    with open(tmp_path / "ledger.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(second), extrasaction="ignore")
        writer.writeheader()
        writer.writerows([GOOD, second])
    with pytest.raises(InputError, match=rf"^{tmp_path}/ledger\.csv: {message}"):
        read_ledger(tmp_path / "ledger.csv")


def test_a_folder_beside_a_file_of_its_name_is_refused_in_either_order(tmp_path):
    def write(*files: str) -> Path:
        rows = [GOOD | {"url": f"https://x.org/abc/{file}"} for file in files]
        lines = [",".join(row.values()) for row in rows]
        (tmp_path / "ledger.csv").write_text("\n".join([",".join(GOOD), *lines]) + "\n", encoding="utf-8-sig")
        return tmp_path / "ledger.csv"

    assert [source.file for source in read_ledger(write("a/b", "a/c", "A/d", "ab", "g?download=1"))] == [
        "a/b",
        "a/c",
        "A/d",
        "ab",
        "g",
    ]
    with pytest.raises(InputError, match="row 3, column url: d already has a file a/b/c, beside which it cannot lie"):
        read_ledger(write("a/b/c", "A"))


def test_missing_ledger_and_unknown_dataset(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: cannot read the ledger"):
        read_ledger(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match=r"no dataset nope .* it has pythia-crows-pairs, pythia-winobias, "):
        select(read_ledger(LEDGER), "nope")


def test_the_ledger_names_every_released_evaluation():
    ledger = read_ledger(LEDGER)
    assert len(select(ledger, "pythia-crows-pairs")) == 146
    assert len(select(ledger, "pythia-winobias")) == 150
    assert {s.version for s in ledger if "EleutherAI/pythia" in s.url} == {"a19eecb807ec2c79a39ebf18108816e6ffffc1d5"}


@pytest.mark.skipif(not MIRROR.is_dir(), reason=f"no mirror of the public files at {MIRROR}")
def test_the_ledger_agrees_with_the_mirror(tmp_path, monkeypatch):
    monkeypatch.setattr("requests.Session.get", lambda *_, **__: pytest.fail("the network was asked for a mirrored file"))
    ledger = [source for source in read_ledger(LEDGER) if not source.url.startswith("pypi:")]
    for dataset in {source.dataset for source in ledger}:
        fetch_dataset(select(ledger, dataset), tmp_path / dataset, MIRROR)
    assert {(s.dataset, s.bytes, s.file) for s in ledger} == {
        (path.relative_to(tmp_path).parts[0], path.stat().st_size, "/".join(path.relative_to(tmp_path).parts[1:]))
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
