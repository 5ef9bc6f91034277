"""The ledger and its downloads, against a server on this machine that fails in every way a server can."""

import csv
import os
import threading
import zipfile
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from overtime import InputError
from overtime.sources import download
from overtime.sources.download import fetch, fetch_dataset
from overtime.sources.ledger import PinnedFile, read_ledger, select

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
        body = {"wrong": BODY[::-1], "short": BODY[:HALF]}.get(behaviour, BODY)
        if isinstance(behaviour, int):
            return self.answer(behaviour, b"", **({"Retry-After": "7"} if behaviour == 429 else {}))
        if behaviour == "redirect":
            return self.answer(302, b"", Location="/elsewhere/1.0/file.bin")
        if start >= len(body):
            return self.answer(416, b"")
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
    ("script", "message"),
    [
        (["wrong"], rf"file\.bin: expected sha256 {sha256(BODY).hexdigest()} .*, found {sha256(BODY[::-1]).hexdigest()} "),
        (["short"], rf"expected sha256 .* \(256000 bytes\), found {sha256(BODY[:HALF]).hexdigest()} \(128000 bytes\)"),
        (["quietly cut"], r"cut off 6 times, at last with \d+ of 256000 bytes"),
        ([500], "cannot be downloaded .*500"),
        ([404], "cannot be downloaded .*404"),
    ],
)
def test_lasting_faults_give_one_line_and_leave_nothing(server, source, pauses, tmp_path, script, message):
    server.script = script
    with pytest.raises(InputError, match=message) as caught:
        fetch(source, tmp_path / "file")
    assert "\n" not in str(caught.value)
    assert str(source.url) in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_an_unreachable_server_is_named(source, pauses, tmp_path):
    closed = replace(source, url="http://127.0.0.1:9/data/1.0/file.bin")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/data.*cannot be downloaded .*refused"):
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


def test_dataset_folder_is_complete_or_absent(server, source, pauses, tmp_path):
    many = [replace(source, url=source.url.replace("file", f"deep/{i}")) for i in range(5)]
    fetch_dataset(many, tmp_path / "all")
    assert sorted(p.relative_to(tmp_path / "all").as_posix() for p in tmp_path.rglob("*.bin")) == [
        f"deep/{i}.bin" for i in range(5)
    ]
    with pytest.raises(InputError, match="expected sha256"):
        fetch_dataset([*many[1:], replace(many[0], sha256="0" * 64)], tmp_path / "some")
    assert os.listdir(tmp_path) == ["all"]


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
