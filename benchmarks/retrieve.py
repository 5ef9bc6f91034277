"""BM25 over short passages, one core: the index used here against rank_bm25.

python benchmarks/retrieve.py     peer: pip install rank_bm25
"""

import random
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from overtime.facts.bm25 import PassageIndex

PASSAGES, QUERIES, PEER_QUERIES, TOP = 28_000, 1_000, 20, 3


def seconds(job: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = job()
    return time.process_time() - start, result


def main() -> None:
    draw = random.Random(0)
    words = [f"word{i}" for i in range(5_000)]
    popularity = [1 / (rank + 10) for rank in range(len(words))]
    passages = [" ".join(draw.choices(words, popularity, k=14)) for _ in range(PASSAGES)]
    queries = [" ".join(draw.choices(words, popularity, k=5)) for _ in range(QUERIES)]
    building, index = seconds(lambda: PassageIndex.build(passages))
    first, found = seconds(lambda: index.search(queries, TOP))
    again, _ = seconds(lambda: index.search(queries, TOP))
    print(f"search: {QUERIES / again:.0f} queries/s; the first {QUERIES} take {first:.2f} CPU-s")
    print(f"index of {PASSAGES} passages: {building:.2f} CPU-s")
    if not find_spec("rank_bm25"):
        return print("rank_bm25: not installed (pip install rank_bm25)")
    import numpy as np
    from rank_bm25 import BM25Okapi

    peer = BM25Okapi([passage.split() for passage in passages])
    theirs, best = seconds(lambda: [int(np.argmax(peer.get_scores(query.split()))) for query in queries[:PEER_QUERIES]])
    same = sum(row["passage"] == best[row["query"]] for row in found.filter(rank=1).head(PEER_QUERIES).to_dicts())
    print(f"rank_bm25: {PEER_QUERIES / theirs:.0f} queries/s, the same best passage for {same} of {PEER_QUERIES}")
    print(f"ratio: {QUERIES / again * theirs / PEER_QUERIES:.0f}")


if __name__ == "__main__":
    main()
