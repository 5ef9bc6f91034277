"""What must hold before the first job of a run.

It is the only one, its steps can be started, its results can be written, no file is from the future.
"""

import errno
import fcntl
import os
import platform
import shlex
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from overtime import InputError
from overtime.pipeline.obstacles import obstacle

TOLERANCE = 60  # seconds that a file server's clock may be ahead
_held: list[IO[str]] = []  # open until the process ends


def lock(path: str | Path) -> None:
    """Lock a file, which is made if need be, until this process ends; InputError if another one holds it or it cannot be made.

    However the process ends, the lock ends with it; Snakemake's own lock is a file that outlives a SIGKILL, and then only a
    person can tell that nobody holds it. Where the file system knows no locks, nothing is locked.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # No link, or another's file would be emptied.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise InputError(obstacle(error, path) or f"{path}: {error.strerror}; remove what lies there") from error
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
        os.close(handle)
        raise InputError(f"{path}: a link, or no file; remove what lies there")
    file = open(handle, "r+", encoding="utf-8")  # noqa: SIM115
    _held.append(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise InputError(f"{path.parent}: {file.read()} is at work here; wait until it ends, or end it") from None
    except OSError:
        return
    file.truncate(0)
    file.write(f"process {os.getpid()} on {platform.node()}")
    file.flush()


def check_interpreter(path: str = sys.executable) -> None:
    """InputError for a Python whose path a shell would take apart: Snakemake starts steps with it, without quotation marks."""
    if shlex.quote(path) != path:
        raise InputError(
            f"{path}: Snakemake cannot start steps with a Python in a folder whose name holds spaces or signs of the shell; "
            "make the environment (.venv) in another folder"
        )


def check_writable(folders: Iterable[str | Path]) -> None:
    """InputError for a folder, or one within it, in which this user cannot write; if it is not there, for the one it would be in.

    A checkout may belong to somebody else, or an earlier run have been made by root.
    """
    for folder in map(Path, folders):
        place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        for path in (place, *_folders(folder)):
            if not os.access(path, os.W_OK | os.X_OK):
                read_only = os.statvfs(path).f_flag & os.ST_RDONLY
                code = errno.EROFS if read_only else errno.EACCES
                raise InputError(obstacle(OSError(code, os.strerror(code), str(path)), path) or f"{path}: {os.strerror(code)}")


def _folders(folder: Path) -> Iterator[Path]:
    for place, inner, _ in os.walk(folder):
        inner[:] = [name for name in inner if name != "conda"]  # Snakemake's environments, of ten thousand folders each
        yield Path(place)


def check_dates(folders: Iterable[str | Path]) -> None:
    """InputError for a file of the future: what is made from it would look older, and Snakemake discard it once it is made."""
    latest = time.time() + TOLERANCE
    for folder in folders:
        for path in Path(folder).rglob("*"):
            try:
                dated = path.lstat().st_mtime
            except FileNotFoundError:
                continue  # somebody's temporary file
            if dated > latest:
                date, remedy = datetime.fromtimestamp(dated), f"find {folder} -newermt now -exec touch {{}} +"
                raise InputError(
                    f"{path}: dated {date:%Y-%m-%d %H:%M}, after this machine's clock; set the clock right, or: {remedy}"
                )
