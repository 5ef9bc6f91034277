"""Counting relevant documents, one core: entity mentions, relevant documents and entity maps, each against the usual tool.

python benchmarks/counts.py     peer: pip install flashtext
"""

import random
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba
import numpy as np
import polars as pl

from overtime.corpora.counting import find_entities, relevant_documents
from overtime.corpora.entity_map import EntityMap

NAMES, DOCUMENTS, WORDS = 20_000, 20_000, 300
ENTITIES, CORPUS, QUESTIONS, KEYS = 2_000, 2_000_000, 10_000, 100_000  # an entity is in up to a tenth of the corpus
PILE = 800e9  # bytes


def seconds(job: Callable[[], Any], rounds: int = 1) -> tuple[float, Any]:
    """CPU-seconds of the quickest round, and the result."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        result = job()
        times.append(time.process_time() - start)
    return min(times), result


def report(what: str, ours: float, peer: str, theirs: float, goal: str) -> None:
    print(f"{what}: {ours:.2f} CPU-s; {peer}: {theirs:.2f} CPU-s; ratio {theirs / ours:.1f} (goal {goal})")


def mentions() -> None:
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(50_000)]
    names = [" ".join(w.capitalize() for w in draw.choices(words, k=draw.choice([1, 2, 2, 3]))) for _ in range(NAMES)]
    names = list(dict.fromkeys(names))
    texts = [
        " ".join(draw.choice(names) if draw.random() < 0.02 else draw.choice(words) for _ in range(WORDS))
        for _ in range(DOCUMENTS)
    ]
    size = sum(len(text.encode()) for text in texts)
    forms = {name: [name] for name in names}
    half, _ = seconds(lambda: find_entities(texts[: DOCUMENTS // 2], forms))
    ours, found = seconds(lambda: find_entities(texts, forms))
    rate = size / ours
    print(f"find_entities: {size / 1e6:.0f} MB, {rate / 1e6:.0f} MB/s; half of the text takes {half / ours:.2f} of it")
    print(f"  on paper, without reading: {rate * 3.6e-6:.0f} GB per core-hour, the Pile in {PILE / rate / 3600:.1f} core-hours")
    if not find_spec("flashtext"):
        return print("  flashtext: not installed (pip install flashtext)")
    from flashtext import KeywordProcessor

    def peer() -> list[set[str]]:
        processor = KeywordProcessor(case_sensitive=True)
        processor.add_keywords_from_list(names)
        return [set(processor.extract_keywords(text)) for text in texts]

    theirs, extracted = seconds(peer)
    report("find_entities", ours, "flashtext", theirs, "5")
    print(f"  mentions found: {found.height}; flashtext, which drops overlaps: {sum(map(len, extracted))}")


def relevant() -> None:
    rng = np.random.default_rng(0)
    sizes = (10 ** rng.uniform(1, np.log10(CORPUS / 10), ENTITIES)).astype(int)
    documents = {f"E{i}": np.unique(rng.integers(0, CORPUS, size)).astype(np.int32) for i, size in enumerate(sizes)}
    q, a = ([[f"E{i}" for i in rng.integers(0, ENTITIES, n)] for n in rng.integers(1, 4, QUESTIONS)] for _ in range(2))
    questions = pl.DataFrame({"q_entities": q, "a_entities": a})
    with tempfile.TemporaryDirectory() as folder:
        npz, parquet = Path(folder) / "map.npz", Path(folder) / "map.parquet"
        np.savez(npz, **documents)
        EntityMap.from_npz(npz).to_parquet(parquet)
        opening, entity_map = seconds(lambda: EntityMap.from_parquet(parquet))
    postings = sum(map(len, documents.values())) / 1e6
    print(f"relevant_documents: a map of {ENTITIES} entities and {postings:.0f} million postings opened in {opening:.2f} CPU-s")
    shared(documents["E0"], documents["E1"])  # compile
    ours, counts = seconds(lambda: relevant_documents(entity_map, questions), rounds=3)
    theirs, expected = seconds(lambda: [merged(documents, *sides) for sides in zip(q, a)], rounds=3)
    assert counts["count"].to_list() == expected
    report(f"relevant_documents, {QUESTIONS} questions, equal counts", ours, "numba merge", theirs, "5")


@numba.njit
def shared(left: np.ndarray, right: np.ndarray) -> int:
    i = j = n = 0
    while i < left.size and j < right.size:
        if left[i] == right[j]:
            n += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return n


def merged(documents: dict[str, np.ndarray], q: list[str], a: list[str]) -> int:
    answers = [entity for entity in a if entity not in q]
    most = max(map(answers.count, answers), default=0)
    kept = {entity for entity in answers if answers.count(entity) == most}
    return max((shared(documents[x], documents[y]) for x in set(q) for y in kept), default=0)


def loading() -> None:
    rng = np.random.default_rng(0)
    arrays = {
        f"http://dbpedia.org/resource/Entity_{i}": rng.integers(0, 10**8, 20 + i % 60).astype(np.int32) for i in range(KEYS)
    }
    with tempfile.TemporaryDirectory() as folder:
        npz, parquet = Path(folder) / "map.npz", Path(folder) / "map.parquet"
        np.savez(npz, **arrays)
        writing, _ = seconds(lambda: EntityMap.from_npz(npz).to_parquet(parquet))
        theirs, _ = seconds(lambda: dict(np.load(npz).items()))
        ours, entity_map = seconds(lambda: EntityMap.from_parquet(parquet))
        unpacking, bitmaps = seconds(lambda: entity_map.bitmaps(arrays))
        sizes = [path.stat().st_size / 1e6 for path in (npz, parquet)]
    assert all(len(bitmaps[key]) == len(np.unique(array)) for key, array in arrays.items())
    report(f"load {KEYS} keys", ours, "npz", theirs, "50")
    print(f"  unpacking every bitmap: {unpacking:.2f} CPU-s; making the Parquet file: {writing:.1f} CPU-s")
    print(f"  npz {sizes[0]:.0f} MB, Parquet {sizes[1]:.0f} MB")


if __name__ == "__main__":
    mentions()
    relevant()
    loading()
