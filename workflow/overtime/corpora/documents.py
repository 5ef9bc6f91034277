"""Documents in and out: JSON Lines with a "text" field, plain, gzip or zstd by the name's ending, streamed."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from json.encoder import encode_basestring, encode_basestring_ascii
from pathlib import Path
from typing import IO, Any

import zstandard

from overtime import InputError
from overtime.files import atomic, refuse_impostor

_BLOCK = 1 << 18
# Bytes of compressed input at a time: zstd makes up to 32,000 times as many of them.
_ZSTD_BLOCK = 1 << 14
_ZSTD_WINDOW = 1 << 31  # bytes of text that zstd may look back at, and so of memory: `zstd --long=31`, the library's most
_BYTE_ORDER_MARK = "\ufeff"
_WHITESPACE = " \t\r\n"
_decode = json.JSONDecoder().decode
_parse = json.JSONDecoder().raw_decode


def read_lines(path: str | Path) -> Iterator[bytes]:
    """The lines of a file without their line feeds, decompressed by its ending: .gz, .zst, else plain.

    Raises InputError, naming the line, where the stream is truncated or corrupt.
    """
    refuse_impostor(path)
    number, parts = 0, [b""]  # parts of a line that began in an earlier block
    try:
        with open(path, "rb") as file:
            for block in unpacked_blocks(file, Path(path).suffix):
                # Not splitlines(): a carriage return is a byte of its line.
                first, *others = block.split(b"\n")
                parts.append(first)
                if others:
                    number += len(others)
                    yield b"".join(parts)
                    yield from others[:-1]
                    parts = others[-1:]
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        problem = f"truncated or corrupt {Path(path).suffix} stream; fetch the file again"
        if "too much memory" in str(error):
            problem = "its zstd window is above 2 GiB; compress it again, with --long=31 at most"
        raise InputError(f"{path}, line {number + 1}: {problem}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if any(parts):
        yield b"".join(parts)


def unpacked_blocks(file: IO[bytes], suffix: str) -> Iterator[bytes]:
    """Pieces of a file, decompressed if `suffix` is .gz or .zst; EOFError where such a file ends too soon, also at its start."""
    blocks = {".gz": _gzip_blocks, ".zst": _zstd_blocks}.get(suffix, _plain_blocks)(file)
    yield from blocks
    if suffix in (".gz", ".zst") and not file.tell():
        raise EOFError("an empty file is no compressed one")


def _plain_blocks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def _gzip_blocks(file: IO[bytes]) -> Iterator[bytes]:
    yield from _plain_blocks(gzip.GzipFile(fileobj=file))


def _zstd_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Every frame in turn. (The library's stream reader takes a truncated frame for the end of the file.)"""
    frame = None
    while block := file.read(_ZSTD_BLOCK):
        while block:
            frame = frame or zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
            yield frame.decompress(block)
            block = frame.unused_data
            if frame.eof:
                frame = None
    if frame is not None:
        raise EOFError("the last zstd frame has no end")


@contextmanager
def open_lines(path: str | Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """A file to write lines to, compressed by its ending; it appears whole on success and not at all on failure."""
    suffix = Path(path).suffix
    with atomic(path) as temporary, open(temporary, "wb") as file:
        if suffix == ".gz":
            # No name and no time in the header: the same lines give the same bytes.
            with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as stream:
                yield stream
        elif suffix == ".zst":
            with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as stream:
                yield stream
        else:
            yield file


def read_documents(path: str | Path) -> Iterator[dict[str, Any]]:
    """Every line as an object with a "text" string; blank lines are passed over. Raises InputError naming file and line."""
    return parse_documents(read_lines(path), path)


def parse_documents(lines: Iterable[bytes], path: str | Path) -> Iterator[dict[str, Any]]:
    """As `read_documents`, of lines that were read from `path`."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield parse_document(line, f"{path}, line {number}")


def write_lines(lines: Iterable[bytes], path: str | Path) -> None:
    """Write lines without their line feeds, atomically."""
    with open_lines(path) as file:
        for line in lines:
            file.write(line + b"\n")


def parse_document(line: bytes, place: str) -> dict[str, Any]:
    """The object on a line. Raises InputError, beginning with `place`, unless it is valid JSON with a "text" string."""
    try:
        document = _decode(line.decode().removeprefix(_BYTE_ORDER_MARK))
    except UnicodeDecodeError as error:
        raise InputError(f"{place}: not valid UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: not valid JSON at column {error.colno} ({error.msg})") from error
    except RecursionError as error:
        raise InputError(f"{place}: arrays or objects within each other, too many to be read") from error
    except ValueError as error:  # the limit of Python against numbers that take hours
        raise InputError(f"{place}: a whole number of more than {sys.get_int_max_str_digits()} digits") from error
    if not isinstance(document, dict) or not isinstance(document.get("text"), str):
        found = type(document.get("text")).__name__ if isinstance(document, dict) and "text" in document else "none"
        raise InputError(f'{place}: expected an object with a string in "text", found {found}')
    return document


def replace_text(line: bytes, text: str) -> bytes:
    """The line of a valid document with another text; every other byte stays. Escapes non-ASCII characters if the line did."""
    source = line.decode()
    start, end = _text_span(source)
    try:
        value = encode_basestring_ascii(text) if source.removeprefix(_BYTE_ORDER_MARK).isascii() else encode_basestring(text)
        return f"{source[:start]}{value}{source[end:]}".encode()
    except UnicodeEncodeError:  # a lone surrogate can only be escaped
        return f"{source[:start]}{encode_basestring_ascii(text)}{source[end:]}".encode()


def _text_span(line: str) -> tuple[int, int]:
    """Where the value of the top-level key "text" starts and ends (of its last occurrence, as JSON readers take it)."""
    span, position = (0, 0), line.index("{")
    while (position := line.find('"', position)) >= 0:
        key, position = _parse(line, position)
        position = line.index(":", position) + 1
        while line[position] in _WHITESPACE:
            position += 1
        _, end = _parse(line, position)
        if key == "text":
            span = position, end
        position = end
    return span
