"""Hashes that stay with files, so that a bit that flips on a disk is noticed when the file is read again.

A step seals what it makes: `.sha256/NAME` beside the file or folder NAME holds SHA-256 and path of each of its files, as
`sha256sum --check .sha256/NAME` reads them. A file that must be whole by itself is signed: it ends in the SHA-256 of all that
comes before.
"""

import hashlib
import os
from functools import cache
from pathlib import Path

from overtime import InputError
from overtime.files import atomic, sha256

SEALS = ".sha256"
SIGNATURE = 32  # bytes


def seal(path: str | Path) -> None:
    """Write the hashes of a file, or of all files in a folder, beside it."""
    path = Path(path)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    lines = [f"{sha256(file)}  {file.relative_to(path.parent).as_posix()}\n" for file in files]
    with atomic(path.parent / SEALS / path.name) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def check_seal(path: str | Path) -> None:
    """InputError unless a file or folder is what was sealed; one without a seal, such as a person's own, is not looked at."""
    path = Path(path)
    sealed = path.parent / SEALS / path.name
    if not sealed.is_file():
        return
    for line in sealed.read_text(encoding="utf-8", errors="replace").splitlines():
        written, _, name = line.partition("  ")
        file = path.parent / name
        if not file.is_file():
            raise InputError(f"{file}: missing; delete {path} and run again")
        status = file.stat()
        if _hash(file, status.st_mtime_ns, status.st_size) != written:
            raise InputError(f"{file}: damaged, its SHA-256 is not the one that it was written with; delete {path} and run again")


@cache
def _hash(file: Path, changed: int, size: int) -> str:
    """SHA-256 of a file, once in a process for each state of it: steps check their inputs, and so does who loads them."""
    return sha256(file)


def sign(path: str | Path) -> None:
    """Append to a file the SHA-256 of what it holds."""
    with open(path, "r+b") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0, os.SEEK_END)
        file.write(digest)


def check_signature(path: str | Path, remake: str | Path | None = None) -> int:
    """The bytes that a signed file holds before its signature; InputError if it is missing or damaged.

    `remake` is what must be deleted for the file to be made again, if that is not the file itself.
    """
    remedy = f"delete {remake or path} and run again"
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            size = left = file.seek(0, os.SEEK_END) - SIGNATURE
            file.seek(0)
            while left > 0 and (part := file.read(min(left, 1 << 20))):
                digest.update(part)
                left -= len(part)
            signature = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    if signature != digest.digest():
        raise InputError(f"{path}: damaged, it does not end in the SHA-256 of what it holds; {remedy}")
    return size
