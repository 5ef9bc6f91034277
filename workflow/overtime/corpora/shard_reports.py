"""What every job on a shard of a corpus tells about it: documents, bytes, time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from overtime.corpora.documents import parse_documents, read_lines
from overtime.files import write_table


@contextmanager
def report_shard(task: str, shard: str, path: str | Path) -> Iterator[dict[str, Any]]:
    """Write what a job did to a shard as a table of one row: `task`, `shard`, what the job adds, `cpu_seconds`, `seconds`.

    A job adds at least `documents` and `bytes`, of uncompressed JSON Lines. Nothing is written when it fails.
    """
    row: dict[str, Any] = {"task": task, "shard": shard, "documents": 0, "bytes": 0}
    processor, clock = time.process_time(), time.perf_counter()
    yield row
    spent = {"cpu_seconds": time.process_time() - processor, "seconds": time.perf_counter() - clock}
    write_table(pl.DataFrame([row | spent]), path)


def tally_lines(shard: str | Path, row: dict[str, Any]) -> Iterator[bytes]:
    """The lines of a shard, adding to `documents` and `bytes` of `row` as they are read."""
    for line in read_lines(shard):
        row["documents"] += bool(line.strip())
        row["bytes"] += len(line) + 1
        yield line


def tally_texts(shard: str | Path, row: dict[str, Any]) -> Iterator[str]:
    """The texts of a shard, adding to `documents` and `bytes` of `row` as they are read. Raises InputError naming the line."""
    return (document["text"] for document in parse_documents(tally_lines(shard, row), shard))
