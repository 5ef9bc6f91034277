"""Entity maps: which documents of a corpus mention which entity.

The published maps (Kandpal et al. 2022) are npz files with one int32 array of document indices per DBpedia URI; reading one
member costs 80 microseconds and the largest map has 23.6 GB. Here a map is a Parquet file of ready-made compressed bitmaps,
sorted by entity, in small row groups: the entities of a question set are read without the rest, so a map may be larger than
memory.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source
from pyroaring import BitMap

from overtime import InputError
from overtime.files import atomic, refuse_impostor

MAP_COLUMNS = {"entity": pl.String, "documents": pl.Binary}
GROUP = 1000  # entities in one Parquet row group: a few MB of the Pile's map
IN_MEMORY = 1 << 30  # bytes; a larger file is streamed for every look-up


class BitmapSource(Protocol):
    """Where serialised bitmaps come from: memory, an npz file or a Parquet file."""

    def names(self) -> list[str]: ...
    def fetch(self, entities: Collection[str]) -> dict[str, bytes]: ...


class EntityMap:
    """Entity -> the set of documents that mention it. Files are read when asked for, and only the entities asked for."""

    def __init__(self, source: BitmapSource, size: int | None) -> None:
        """`size`: number of documents in the corpus, mentioned or not; None where the file does not tell (npz)."""
        self._source = source
        self.size = size

    @classmethod
    def from_npz(cls, path: str | Path) -> "EntityMap":
        """Open a published map: one array of document indices per entity, in any order, repeats allowed.

        Raises InputError for a file that is no npz and for an entity whose array is not a list of integers.
        """
        refuse_impostor(path)
        return cls(_Npz(Path(path)), None)

    @classmethod
    def from_parquet(cls, path: str | Path, in_memory: int = IN_MEMORY) -> "EntityMap":
        """Open a map written by `to_parquet`, InputError for any other file; one of up to `in_memory` bytes is read at once."""
        try:
            metadata = pl.read_parquet_metadata(path)
            known = pl.read_parquet_schema(path) == MAP_COLUMNS and "size" in metadata
        except (OSError, pl.exceptions.PolarsError) as error:
            refuse_impostor(path)
            raise InputError(f"{path}: not a readable Parquet file; write it with EntityMap.to_parquet") from error
        if not known:
            raise InputError(f"{path}: not an entity map; write it with EntityMap.to_parquet")
        size = int(metadata["size"]) if metadata["size"] else None
        if Path(path).stat().st_size > in_memory:
            return cls(_Parquet(Path(path)), size)
        return cls(_Memory(pl.read_parquet(path)), size)

    @classmethod
    def from_pairs(cls, pairs: pl.DataFrame, size: int) -> "EntityMap":
        """Map of a counted text: rows of `document` (0 to size - 1) and `entity`, as `counting.find_entities` returns them."""
        low, high = cast(int, pairs["document"].min()), cast(int, pairs["document"].max())  # None without rows
        if pairs.height and not 0 <= low <= high < size:
            raise InputError(f"entity map: documents {low} to {high} are not within 0 to {size - 1}")
        groups = pairs.select("entity", "document").group_by("entity")
        return cls.of({entity: BitMap(rows["document"].to_numpy()) for (entity,), rows in groups}, size)

    @classmethod
    def of(cls, bitmaps: Mapping[str, BitMap], size: int) -> "EntityMap":
        """Map of ready-made sets of documents."""
        rows = [(entity, bitmap.serialize()) for entity, bitmap in bitmaps.items()]
        return cls(_Memory(pl.DataFrame(rows, MAP_COLUMNS, orient="row")), size)

    @classmethod
    def merge(cls, parts: Iterable["EntityMap"]) -> "EntityMap":
        """One map of consecutive shards: documents are numbered through in the order of the parts.

        The parts are read when the map is: writing it to a file takes a row group of every part at a time.
        """
        merged = _Merged(list(parts))
        return cls(merged, merged.size)

    def to_parquet(self, path: str | Path) -> None:
        """Write the map atomically, a row group at a time: memory does not grow with the map."""
        entities = self.entities()  # sorted, so that look-ups can skip row groups

        def groups(_columns: object, _predicate: object, _rows: object, _size: object) -> Iterator[pl.DataFrame]:
            for start in range(0, len(entities), GROUP):
                group = entities[start : start + GROUP]
                packed = self._source.fetch(group)
                yield pl.DataFrame({"entity": group, "documents": [packed[entity] for entity in group]}, MAP_COLUMNS)

        metadata = {"size": "" if self.size is None else str(self.size)}
        with atomic(path) as temporary:
            # Bitmaps are compressed already.
            register_io_source(groups, schema=MAP_COLUMNS).sink_parquet(
                temporary, compression="uncompressed", row_group_size=GROUP, metadata=metadata, maintain_order=True
            )

    def entities(self) -> list[str]:
        """All entities, sorted."""
        return sorted(self._source.names())

    def bitmaps(self, entities: Collection[str]) -> dict[str, BitMap]:
        """The documents of several entities at once; entities that the corpus never mentions are left out."""
        return {entity: BitMap.deserialize(packed) for entity, packed in self._source.fetch(entities).items()}

    def documents(self, entity: str) -> NDArray[np.int64]:
        """Sorted unique document indices of one entity; empty for an entity that the corpus never mentions."""
        return np.array(self.bitmaps([entity]).get(entity, BitMap()).to_array(), np.int64)


class _Memory:
    def __init__(self, rows: pl.DataFrame) -> None:
        self._documents = rows["documents"]
        self._places = {entity: place for place, entity in enumerate(rows["entity"].to_list())}

    def names(self) -> list[str]:
        return list(self._places)

    def fetch(self, entities: Collection[str]) -> dict[str, bytes]:
        found = [entity for entity in entities if entity in self._places]
        return dict(zip(found, self._documents.gather([self._places[entity] for entity in found]).to_list()))


class _Npz:
    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
            members = self._archive.namelist()
            self._members = {member.removesuffix(".npy"): member for member in members}
            twice = [name for name, number in Counter(member.removesuffix(".npy") for member in members).items() if number > 1]
            headers = {entity: _npy_header(self._archive, member) for entity, member in self._members.items()}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: not a readable npz file of entity -> document indices") from error
        if twice:
            raise InputError(f"{path}: two arrays are called {twice[0]}; each entity needs one")
        for entity, (shape, kind) in headers.items():  # a wrong array shows before hours of conversion
            if len(shape) != 1 or kind not in "iu":
                raise InputError(f"{path}: {entity} is no list of document indices: shape {shape}, dtype kind {kind!r}")

    def names(self) -> list[str]:
        return list(self._members)

    def fetch(self, entities: Collection[str]) -> dict[str, bytes]:
        return {entity: self._pack(entity) for entity in entities if entity in self._members}

    def _pack(self, entity: str) -> bytes:
        try:
            with self._archive.open(self._members[entity]) as file:
                return BitMap(np.lib.format.read_array(file)).serialize()
        except OverflowError as error:
            raise InputError(f"{self._path}: {entity} has a document index outside 0 to 2**32 - 1") from error
        except (ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise InputError(f"{self._path}: the array of {entity} is damaged; fetch the file again") from error


def _npy_header(archive: zipfile.ZipFile, member: str) -> tuple[tuple[int, ...], str]:
    """Shape and dtype kind of an array in an npz file, without reading the array."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    return shape, dtype.kind


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        return pl.read_parquet(self._path, columns=["entity"])["entity"].to_list()

    def fetch(self, entities: Collection[str]) -> dict[str, bytes]:
        if not entities:
            return {}
        within = pl.col("entity").is_between(pl.lit(min(entities)), pl.lit(max(entities)))  # skips row groups
        rows = pl.scan_parquet(self._path).filter(within, pl.col("entity").is_in(list(entities)))
        return dict(rows.collect(engine="streaming").iter_rows())


class _Merged:
    def __init__(self, parts: list[EntityMap]) -> None:
        self._parts: list[tuple[int, EntityMap]] = []
        self.size = 0
        for number, part in enumerate(parts):
            if part.size is None:
                raise InputError(f"entity map: part {number} does not tell its number of documents; merge maps counted from text")
            self._parts.append((self.size, part))
            self.size += part.size

    def names(self) -> list[str]:
        return list({entity for _, part in self._parts for entity in part.entities()})

    def fetch(self, entities: Collection[str]) -> dict[str, bytes]:
        merged: dict[str, BitMap] = {}
        for offset, part in self._parts:
            for entity, bitmap in part.bitmaps(entities).items():
                merged.setdefault(entity, BitMap()).update(bitmap.shift(offset))
        return {entity: bitmap.serialize() for entity, bitmap in merged.items()}
