"""BM25 retrieval of passages (bm25s, Lù 2024, arXiv 2407.03618; Lucene's variant, k1 1.5, b 0.75, English stop words removed)."""

import bm25s
import numpy as np
import polars as pl

from overtime import InputError

HITS = {"query": pl.Int64, "rank": pl.Int64, "passage": pl.Int64, "score": pl.Float64}
COMPILED_FROM = 60_000_000  # query-passage pairs: below, compiling with numba (6 CPU-s) costs more than it saves


class PassageIndex:
    """An index of passages, known by their position; texts are not kept."""

    def __init__(self, bm25: bm25s.BM25, size: int) -> None:
        self._bm25 = bm25
        self.size = size

    @classmethod
    def build(cls, passages: list[str]) -> "PassageIndex":
        """Index `passages`. Raises InputError if there is nothing to index."""
        words = _words(passages)
        if not any(words):
            raise InputError(f"passage index: {len(passages)} passages, none with a word to index; need at least one")
        bm25 = bm25s.BM25()
        bm25.index(words, show_progress=False)
        return cls(bm25, len(passages))

    def search(self, queries: list[str], k: int) -> pl.DataFrame:
        """The `k` best passages of every query.

        Returns `query` and `passage` (positions), `rank` (from 1) and `score`, best first, equal scores by position. A passage
        that shares no word with the query is never returned, so a query may have fewer than `k` rows. Raises InputError unless
        1 <= k <= number of passages.
        """
        if not 1 <= k <= self.size:
            raise InputError(f"passage search: k is {k}, the index has {self.size} passages; need 1 <= k <= {self.size}")
        words = [[word for word in query if word in self._bm25.vocab_dict] for query in _words(queries)]
        asked = [query for query, known in enumerate(words) if known]
        if not asked:
            return pl.DataFrame(schema=HITS)
        self._bm25.backend = "numba" if len(asked) * self.size >= COMPILED_FROM else "numpy"
        passages, scores = self._bm25.retrieve([words[query] for query in asked], k=k, show_progress=False)
        rows = {"query": np.repeat(asked, k), "passage": passages.ravel(), "score": scores.ravel()}
        found = pl.DataFrame(rows).filter(pl.col("score") > 0)
        found = found.sort(["query", "score", "passage"], descending=[False, True, False])
        found = found.with_columns(rank=pl.int_range(1, pl.len() + 1).over("query"))
        return found.select(pl.col(column).cast(kind) for column, kind in HITS.items())


def _words(texts: list[str]) -> list[list[str]]:
    words: list[list[str]] = bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)
    return words
