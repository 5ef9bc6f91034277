"""Retrieval: BM25 against its formula, compiled against interpreted search, saved against built index."""

import math

import numpy as np
import pytest

from overtime import InputError
from overtime.facts.bm25 import PassageIndex

PASSAGES = ["cats chase mice", "dogs chase cats and dogs", "", "the birds fly"]


def bm25(query, passages, k1=1.5, b=0.75):
    """Lucene's BM25 by its definition: scores [passages]."""
    words = [[w for w in p.split() if w not in {"and", "the"}] for p in passages]
    mean = sum(map(len, words)) / len(words)
    scores = np.zeros(len(words))
    for term in query.split():
        n = sum(term in w for w in words)
        idf = math.log(1 + (len(words) - n + 0.5) / (n + 0.5))
        frequency = np.array([w.count(term) for w in words])
        scores += idf * frequency / (frequency + k1 * (1 - b + b * np.array(list(map(len, words))) / mean))
    return scores


def test_scores_follow_the_formula_and_unrelated_passages_stay_away():
    found = PassageIndex.build(PASSAGES).search(["Dogs, cats?", "zebra", "", "the FLY"], 4)
    expected = bm25("dogs cats", PASSAGES)
    assert found.select("query", "rank", "passage").rows() == [(0, 1, 1), (0, 2, 0), (3, 1, 3)]
    assert found["score"][:2].to_list() == pytest.approx([expected[1], expected[0]], rel=1e-5)


def test_compiled_search_agrees(monkeypatch):
    random = np.random.default_rng(0)
    words = [f"w{i}" for i in range(300)]
    passages = [" ".join(random.choice(words, random.integers(5, 40))) for _ in range(500)]
    queries = [" ".join(random.choice(words, 4)) for _ in range(40)]
    index = PassageIndex.build(passages)
    interpreted = index.search(queries, 3)
    monkeypatch.setattr("overtime.facts.bm25.COMPILED_FROM", 0)
    compiled = index.search(queries, 3)
    assert compiled["passage"].to_list() == interpreted["passage"].to_list()
    assert compiled["score"].to_numpy() == pytest.approx(interpreted["score"].to_numpy(), rel=1e-5)


@pytest.mark.parametrize("k", [0, 5])
def test_k_outside_the_index(k):
    with pytest.raises(InputError, match=f"k is {k}, the index has 4 passages; need 1 <= k <= 4"):
        PassageIndex.build(PASSAGES).search(["cats"], k)


@pytest.mark.parametrize("passages", [[], ["", "the"]])
def test_an_empty_index(passages):
    with pytest.raises(InputError, match=f"{len(passages)} passages, none with a word"):
        PassageIndex.build(passages)
