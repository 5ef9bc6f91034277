"""A stand-in for the Hugging Face Hub: serves folders by the Hub's API to huggingface_hub and datasets, with faults on demand.

    with serve(root) as hub:
        subprocess.run(..., env=os.environ | hub.environment(home))

Files lie at root/{models,datasets}/ORGANISATION/NAME/REVISION/...; `repositories.py` writes such folders.
"""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = {".safetensors", ".bin", ".parquet", ".npz", ".gz", ".zst"}  # kept in Git LFS, so known by SHA-256
API = re.compile(r"/api/(models|datasets)/([^/]+/[^/]+?)(?:/(revision|tree|paths-info|refs|auth-check)(?:/([^/]+)(?:/(.*))?)?)?")
FILE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Fault:
    """What goes wrong with GET requests whose path contains `where`, and how many times.

    `kind` is a status code; "echo" (status 500 that quotes the request's Authorization); "cut" (half the bytes, then the
    connection ends); "truncated" (half the file, declared as if it were all); "corrupt" (other bytes); "pointer" (of Git LFS);
    "slow" (`pause` seconds).
    """

    kind: int | str
    where: str
    times: float


@dataclass
class Hub:
    """A running server: what it serves, to whom, what is to go wrong, and what was asked of it."""

    root: Path
    endpoint: str = ""
    gated: set[str] = field(default_factory=set)  # repositories that need a licence
    tokens: dict[str, set[str]] = field(default_factory=dict)  # token -> repositories whose licence its account accepted
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    retry_after: int = 1  # seconds, said with status 429
    pause: float = 1.5
    lock: threading.Lock = field(default_factory=threading.Lock)

    def environment(self, home: Path) -> dict[str, str]:
        """Variables of a client process, which must be set before it imports huggingface_hub; `home` becomes its cache."""
        return {"HF_ENDPOINT": self.endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "no_proxy": "127.0.0.1"}

    def inject(self, kind: int | str, where: str = "/resolve/", times: float = 1) -> None:
        self.faults.append(Fault(kind, where, times))

    def due(self, path: str) -> int | str | None:
        """The fault that this request meets, if any."""
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.where in path:
                    fault.times -= 1
                    return fault.kind
        return None

    def find(self, kind: str, name: str, revision: str) -> tuple[Path | None, str]:
        """Folder and commit of a revision, or (None, the Hub's code of the error)."""
        repository = self.root / kind / name
        if not repository.is_dir():
            return None, "RepoNotFound"
        for folder in repository.iterdir():
            commit = sha1(f"{kind}/{name}@{folder.name}".encode()).hexdigest()
            if revision in (folder.name, commit):
                return folder, commit
        return None, "RevisionNotFound"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body: dict

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        fault = self.hub.due(path) if self.command == "GET" else None
        if isinstance(fault, int):
            return self.fail(fault, "injected", **({"Retry-After": str(self.hub.retry_after)} if fault == 429 else {}))
        if fault == "echo":
            return self.fail(500, f"bad header {self.headers.get('Authorization')}")
        if match := API.fullmatch(path):
            return self.answer_api(*match.groups())
        if match := FILE.fullmatch(path):
            return self.answer_file("datasets" if match[1] else "models", match[2], match[3], match[4], fault)
        self.fail(404, "no such page")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        is_json = "json" in self.headers.get("Content-Type", "")
        self.body = json.loads(content) if is_json else parse_qs(content)
        self.do_GET()

    @property
    def hub(self) -> Hub:
        return self.server.hub

    def answer_api(self, kind: str, name: str, what: str | None, revision: str | None, below: str | None) -> None:
        folder, commit = self.hub.find(kind, name, revision or "main")
        if what == "auth-check":
            return self.reply({}) if self.may_read(name) else None
        if what == "refs" and (self.hub.root / kind / name).is_dir():
            branches = [path.name for path in sorted((self.hub.root / kind / name).iterdir())]
            refs = [{"name": b, "ref": f"refs/heads/{b}", "targetCommit": self.hub.find(kind, name, b)[1]} for b in branches]
            return self.reply({"branches": refs, "converts": [], "tags": []})
        if folder is None:
            return self.fail(404, "not found", **{"X-Error-Code": commit})
        if what == "tree":
            recursive = parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower() in ("true", "1")
            start = folder / (below or "")
            if not start.is_dir():
                return self.fail(404, "no such entry", **{"X-Error-Code": "EntryNotFound"})
            return self.reply([entry(path, folder) for path in sorted(start.rglob("*") if recursive else start.iterdir())])
        if what == "paths-info":
            return self.reply([entry(folder / path, folder) for path in self.body["paths"] if (folder / path).exists()])
        self.reply(describe(name, folder, commit, name in self.hub.gated))

    def answer_file(self, kind: str, name: str, revision: str, path: str, fault: str | None) -> None:
        folder, commit = self.hub.find(kind, name, revision)
        if folder is None:
            return self.fail(404, "not found", **{"X-Error-Code": commit})
        if not (folder / path).is_file():
            return self.fail(404, "no such entry", **{"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        if not self.may_read(name):
            return
        about = entry(folder / path, folder)
        content = (folder / path).read_bytes()
        headers = {"ETag": f'"{about.get("lfs", about)["oid"]}"', "X-Repo-Commit": commit, "X-Linked-Size": str(len(content))}
        if fault == "slow":
            time.sleep(self.hub.pause)
        elif fault == "truncated":
            content = content[: len(content) // 2]
        elif fault == "corrupt":
            content = content[::-1]
        elif fault == "pointer":
            content = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\n" % about["lfs"]["oid"].encode()
        self.send_part(content, headers, cut=fault == "cut")

    def send_part(self, content: bytes, headers: dict[str, str], cut: bool) -> None:
        """The range that the request asks for, or everything."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end = (int(asked[1]), int(asked[2] or len(content) - 1) + 1) if asked else (0, len(content))
        part = content[start:end]
        self.send_response(206 if asked else 200)
        if asked:
            headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
        for name, value in {**headers, "Accept-Ranges": "bytes", "Content-Length": str(len(part))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part[: len(part) // 2] if cut else part)
            self.close_connection = cut

    def may_read(self, name: str) -> bool:
        """Whether the request may read a repository; if not, says so as the Hub does: 401 without a valid token, 403 with one."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if name not in self.hub.gated or name in self.hub.tokens.get(token, ()):
            return True
        self.fail(403 if token in self.hub.tokens else 401, "gated", **{"X-Error-Code": "GatedRepo"})
        return False

    def fail(self, status: int, message: str, **headers: str) -> None:
        self.reply({"error": message}, status, {"X-Error-Message": message, **headers})

    def reply(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def entry(path: Path, folder: Path) -> dict:
    """One file or folder, as the Hub lists it."""
    name = path.relative_to(folder).as_posix()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": "0" * 40, "size": 0}
    size = path.stat().st_size
    blob, content = digests(path, path.stat().st_mtime_ns)
    lfs = {"lfs": {"oid": content, "sha256": content, "size": size, "pointerSize": 134}} if path.suffix in LARGE else {}
    return {"type": "file", "path": name, "oid": blob, "size": size, **lfs}


@cache
def digests(path: Path, _changed: int) -> tuple[str, str]:
    """Git's name of a file's content, and its SHA-256."""
    content = path.read_bytes()
    return sha1(b"blob %d\0" % len(content) + content).hexdigest(), sha256(content).hexdigest()


def describe(name: str, folder: Path, commit: str, gated: bool) -> dict:
    """A repository at one commit, with its files."""
    files = [entry(path, folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    siblings = [{"rfilename": f["path"], "blobId": f["oid"], **{k: f[k] for k in ("size", "lfs") if k in f}} for f in files]
    about = {"_id": commit[:24], "id": name, "sha": commit, "private": False, "disabled": False, "downloads": 0, "likes": 0}
    return {**about, "gated": "auto" if gated else False, "tags": [], "siblings": siblings}


class Server(ThreadingHTTPServer):
    hub: Hub

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, as after a fault it does, is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(root: Path) -> Iterator[Hub]:
    """A server on a free port of this machine, in a thread."""
    server = Server(("127.0.0.1", 0), Handler)
    server.hub = Hub(Path(root), f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
