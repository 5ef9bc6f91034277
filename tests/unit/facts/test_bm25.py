"""Retrieval: BM25 against its formula, equal scores, and words in many scripts."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overtime import InputError
from overtime.facts.bm25 import PassageIndex
from overtime.facts.words import split_words

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


def exact(query, passages, k1=Fraction(3, 2), b=Fraction(3, 4)):
    """Lucene's BM25 in fractions, but for the logarithms: scores [passages]."""
    mean, frequencies = Fraction(sum(map(len, passages)), len(passages)), [Counter(passage) for passage in passages]
    scores = [Fraction(0)] * len(passages)
    for term in query:
        n = sum(term in frequency for frequency in frequencies)
        idf = Fraction(math.log(1 + (len(passages) - n + 0.5) / (n + 0.5)))
        for place, frequency in enumerate(frequencies):
            saturation = k1 * (1 - b + b * len(passages[place]) / mean)
            scores[place] += idf * frequency[term] / (frequency[term] + saturation) if frequency[term] else 0
    return scores


few_words = st.sampled_from(["ash", "birch", "cedar", "elm", "5", "x"])  # so few that most scores have an equal


@given(
    st.lists(st.lists(few_words, max_size=5), min_size=1, max_size=12).filter(any),
    st.lists(st.lists(few_words | st.just("oak"), max_size=5), min_size=1, max_size=3),
)
def test_equal_scores_are_in_the_order_of_passages_for_every_k(passages, queries):
    index = PassageIndex.build([" ".join(passage) for passage in passages])
    found = [index.search([" ".join(query) for query in queries], k) for k in range(1, len(passages) + 1)]
    for number, query in enumerate(queries):
        scores = exact(query, passages)
        ranking = [place for place in sorted(range(len(passages)), key=lambda place: -scores[place]) if scores[place]]
        for k, hits in enumerate((table.filter(query=number) for table in found), 1):
            assert hits["passage"].to_list() == ranking[:k]
            assert hits["rank"].to_list() == list(range(1, len(hits) + 1))
            assert hits["score"].to_list() == pytest.approx([float(scores[place]) for place in ranking[:k]])


def test_large_indexes_keep_the_same_promise():
    """Lists so long that sorting networks and partitions of every kind come into play; each passage stands there nine times."""
    random = np.random.default_rng(0)
    words = [f"w{i}" for i in range(40)]
    passages = [" ".join(random.choice(words, 6)) for _ in range(700)] * 9
    queries = [" ".join(random.choice(words, 4)) for _ in range(40)]
    index = PassageIndex.build(passages)
    ten, one, many = (index.search(queries, k) for k in (10, 1, len(passages)))
    assert one.equals(ten.filter(pl.col("rank") == 1))
    assert ten.equals(many.filter(pl.col("rank") <= 10))
    assert many.equals(many.sort("query", -pl.col("score"), "passage"))
    assert index.search([" ".join(reversed(query.split())) for query in queries], 10).equals(ten)
    by_hand = bm25(queries[0], passages)
    assert ten["score"][:10].to_numpy() == pytest.approx(np.sort(by_hand)[::-1][:10], rel=1e-9)


@pytest.mark.parametrize("k", [0, 5])
def test_k_outside_the_index(k):
    with pytest.raises(InputError, match=f"k is {k}, the index has 4 passages; need 1 <= k <= 4"):
        PassageIndex.build(PASSAGES).search(["cats"], k)


@pytest.mark.parametrize("passages", [[], ["", "the"]])
def test_an_empty_index(passages):
    with pytest.raises(InputError, match=f"{len(passages)} passages, none with a word"):
        PassageIndex.build(passages)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ada's C++ and vitamin C, in 5 U.S. cities", ["ada", "c", "and", "vitamin", "c", "in", "5", "u", "s", "cities"]),
        ("they don’t rock'n'roll; a twenty-first O'Neil", ["they", "don", "rock", "roll", "a", "twenty", "first", "o", "neil"]),
        ("भारत की राजधानी क्या है?", ["भारत", "की", "राजधानी", "क्या", "है"]),
        ("北京是首都,ＵＳＢ手机", ["北", "京", "是", "首", "都", "usb", "手", "机"]),
        ("é e\u0301 \u200b", ["é", "é"]),
        ("--- 😀 $", []),
    ],
)
def test_words_of_many_scripts(text, words):
    assert split_words([text]) == [words]


def test_characters_of_unspaced_scripts_are_paired_within_a_run():
    found = split_words(["北京市 has 地铁。站", "none"], pairs=True)
    assert found == [["北", "京", "市", "has", "地", "铁", "站", "北京", "京市", "地铁"], ["none"]]


SCRIPTS = [
    "北京是中国的首都。",
    "东京是日本的首都。",
    "กรุงเทพเป็นเมืองหลวงของประเทศไทย",
    "เชียงใหม่อยู่ทางเหนือของประเทศไทย",
    "दिल्ली भारत की राजधानी है।",
    "मुंबई महाराष्ट्र में है।",
    "Vitamin C is in lemons.",
    "Vitamin K is in kale.",
    "서울은 한국의 수도이다.",
]


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("日本的首都是哪里?", 1),
        ("京北", 0),
        ("เมืองหลวงของไทย", 2),
        ("भारत की राजधानी क्या है?", 4),
        ("What is C?", 6),
        ("K", 7),
        ("서울", 8),
    ],
)
def test_questions_in_many_scripts_find_their_passage(query, best):
    assert PassageIndex.build(SCRIPTS).search([query], 1)["passage"].to_list() == [best]
