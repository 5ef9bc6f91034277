"""BM25 retrieval of passages: Lucene's variant, k1 1.5, b 0.75, English stop words removed.

The index is that of bm25s (Lù 2024, arXiv 2407.03618). Passages are chosen here: bm25s cuts equal scores as its sorting
happens to leave them.
"""

import bm25s
import numpy as np
import polars as pl
from bm25s.stopwords import STOPWORDS_EN
from numpy.typing import NDArray

from overtime import InputError
from overtime.facts.words import split_words

HITS = {"query": pl.Int64, "rank": pl.Int64, "passage": pl.Int64, "score": pl.Float64}
STOP_WORDS = frozenset(STOPWORDS_EN)
DIGITS = 10  # of a score: what rounding in sums can change lies beyond them
Postings = tuple[NDArray[np.int64], NDArray[np.float64]]


class PassageIndex:
    """An index of passages, known by their position; texts are not kept."""

    def __init__(self, postings: dict[str, Postings], size: int) -> None:
        """postings: the passages that hold a word, and what it adds to the score of each."""
        self._postings = postings
        self.size = size

    @classmethod
    def build(cls, passages: list[str]) -> "PassageIndex":
        """Index `passages`. Raises InputError if there is nothing to index."""
        terms = _terms(passages)
        if not any(terms):
            raise InputError(f"passage index: {len(passages)} passages, none with a word to index; need at least one")
        bm25 = bm25s.BM25(dtype="float64")
        bm25.index(terms, create_empty_token=False, show_progress=False)
        places, scores, bounds = (bm25.scores[name] for name in ("indices", "data", "indptr"))
        places, bounds = places.astype(np.int64), bounds.tolist()
        parts = {term: slice(bounds[number], bounds[number + 1]) for term, number in bm25.vocab_dict.items()}
        return cls({term: (places[part], scores[part]) for term, part in parts.items()}, len(passages))

    def search(self, queries: list[str], k: int) -> pl.DataFrame:
        """The `k` best passages of every query.

        Returns `query` and `passage` (positions), `rank` (from 1) and `score`, best first, equal scores by position. A passage
        that shares no word with the query is never returned, so a query may have fewer than `k` rows. Raises InputError unless
        1 <= k <= number of passages.
        """
        if not 1 <= k <= self.size:
            raise InputError(f"passage search: k is {k}, the index has {self.size} passages; need 1 <= k <= {self.size}")
        best = [self._best([self._postings[term] for term in query if term in self._postings], k) for query in _terms(queries)]
        found = pl.DataFrame(
            {
                "query": np.repeat(np.arange(len(best)), [len(passages) for passages, _ in best]),
                "passage": np.concatenate([np.empty(0, int), *(passages for passages, _ in best)]),
                "score": np.concatenate([np.empty(0), *(scores for _, scores in best)]),
            }
        )
        found = found.with_columns(rank=pl.int_range(1, pl.len() + 1).over("query"))
        return found.select(pl.col(column).cast(kind) for column, kind in HITS.items())

    def _best(self, known: list[Postings], k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Positions and scores of the `k` best passages of a query with these words.

        Sums are in float64 and in the order of the query, then rounded: neither the processor nor the order of words decides
        between passages that are equally good.
        """
        if not known:
            return np.empty(0, np.int64), np.empty(0)
        places, parts = map(np.concatenate, zip(*known))
        scores = np.bincount(places, parts, self.size)
        # At least as good as the k-th best is the k-th best of those with one word, the rarest that so many have.
        rarest = min((holding for holding, _ in known if len(holding) >= k), key=len, default=None)
        least = 0.0 if rarest is None else np.partition(scores[rarest], -k)[-k] * (1 - 10 ** (1 - DIGITS))
        near = np.flatnonzero(scores > least)
        mantissas, exponents = np.frexp(scores[near])
        rounded = np.ldexp(mantissas.round(DIGITS), exponents)
        order = np.lexsort((near, -rounded))[:k]
        return near[order], rounded[order]


def _terms(texts: list[str]) -> list[list[str]]:
    """What a text is found by: its words without stop words, and the pairs of unspaced scripts."""
    return [[word for word in text if word not in STOP_WORDS] for text in split_words(texts, pairs=True)]
