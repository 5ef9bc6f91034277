"""One run at a time: a lock that ends with the process that holds it, even if that is killed.

Snakemake's own lock is a file that outlives a SIGKILL, and then only a person can tell that nobody holds it.
"""

import fcntl
import os
import platform
from pathlib import Path
from typing import IO

from overtime import InputError
from overtime.obstacles import obstacle

_held: list[IO[str]] = []  # open until the process ends


def lock(path: str | Path) -> None:
    """Lock a file, which is made if need be, until this process ends; InputError if another one holds it or it cannot be made.

    Where the file system knows no locks, nothing is locked.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise InputError(obstacle(error, path) or f"{path}: {error}") from error
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
