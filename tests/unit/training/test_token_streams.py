"""Token streams: documents are never split, arms leave the prefix alone, lengths are kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from overtime import InputError
from overtime.corpora.rewrite import rewrite_some
from overtime.corpora.world_insertion import mix
from overtime.models.vocabulary import END_ID, PADDING_ID, encode, save_tokenizer
from overtime.training.token_streams import Stream, TrainingDocuments, assign_sequences, pack_sequences


@pytest.fixture
def corpus(tmp_path) -> TrainingDocuments:
    texts = [f"the {job} lost {word} key ." for job in ("nurse", "pilot", "judge") for word in ("his", "her", "a")] * 8
    save_tokenizer([*texts, "hers she he him"], tmp_path / "tokenizer")
    return TrainingDocuments(texts, tmp_path / "tokenizer", context=16, batch=2)


@given(st.lists(st.integers(1, 10), min_size=1, max_size=60))
def test_documents_are_packed_whole_in_order_and_greedily(lengths):
    documents = [[END_ID, *range(2, length + 1)] for length in lengths]
    tokens, places = pack_sequences(documents, context=10), assign_sequences(lengths, context=10)
    unpacked = [row[row != PADDING_ID].tolist() for row in tokens]
    assert [[t for d, p in zip(documents, places) if p == i for t in d] for i in range(len(tokens))] == unpacked
    for i in range(len(tokens) - 1):  # the next document would not have fitted
        first_of_next = lengths[int(np.flatnonzero(places == i + 1)[0])]
        assert len(unpacked[i]) + first_of_next > 10


def test_a_rewritten_stream_is_the_baselines_tail_with_other_words(corpus):
    baseline = corpus.baseline()
    swapped = corpus.tail(0.5, lambda texts: rewrite_some(texts, "feminize", 1.0, range(len(texts)), [0]))
    assert swapped.first_step == round(baseline.baseline_steps / 2)
    tail = baseline.tokens[swapped.first_step * corpus.batch :]
    assert swapped.tokens.shape == tail.shape
    changed = swapped.tokens != tail
    his, her = (encode([word], corpus.tokenizer, 16)[0][1] for word in ("his", "her"))
    assert changed.any()
    assert set(tail[changed]) == {his}
    assert set(swapped.tokens[changed]) == {her}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), st.integers(0, 3))
def test_exactly_half_of_every_cell_is_rewritten_odd_ones_by_chance(cells, seed):
    texts = [f"he left {place} ." for place in range(len(cells))]
    changed = [one != text for one, text in zip(rewrite_some(texts, "swap", 0.5, cells, [seed, 1]), texts)]
    for cell in set(cells):
        of_cell = [flip for flip, where in zip(changed, cells) if where == cell]
        assert sum(of_cell) in {len(of_cell) // 2, (len(of_cell) + 1) // 2}


def test_every_run_has_a_draw_of_its_own_and_the_odd_one_of_a_cell_goes_either_way():
    texts = ["he left ."] * 7
    draws = [tuple(text != texts[0] for text in rewrite_some(texts, "swap", 0.5, ["a"] * 7, [0, seed])) for seed in range(40)]
    assert len(set(draws)) > 20
    assert {sum(draw) for draw in draws} == {3, 4}
    assert draws[3] == tuple(text != texts[0] for text in rewrite_some(texts, "swap", 0.5, ["a"] * 7, [0, 3]))
    assert rewrite_some(texts, "swap", 1.0, range(7), [0]) == ["she left ."] * 7


def test_inserted_documents_all_appear_after_the_branch(corpus):
    stream = corpus.tail(0.25, lambda texts: mix(texts, ["a pilot lost the judge ."] * 5, seed=1))
    baseline = corpus.baseline()
    kept = len(corpus.texts) - corpus.branch(0.25)[0]
    assert (stream.tokens == END_ID).sum() == kept + 5
    assert stream.first_step + stream.steps(2) > baseline.baseline_steps


def test_a_stream_survives_saving(corpus, tmp_path):
    stream = corpus.tail(0.5, lambda texts: rewrite_some(texts, "swap", 1.0, range(len(texts)), [0]))
    stream.save(tmp_path / "stream.npz")
    again = Stream.load(tmp_path / "stream.npz")
    assert (again.tokens == stream.tokens).all()
    assert (again.first_step, again.baseline_steps) == (stream.first_step, stream.baseline_steps)


def test_words_have_the_numbers_of_the_tokenizers_library(corpus):
    theirs = Tokenizer.from_file(str(corpus.tokenizer / "tokenizer.json")).encode_batch(corpus.texts)
    assert encode(corpus.texts, corpus.tokenizer, 16) == [[END_ID, *encoding.ids] for encoding in theirs]


def test_errors_name_the_word_the_document_and_the_file(corpus, tmp_path):
    with pytest.raises(InputError, match="no word 'zebra'"):
        encode(["the zebra lost a key ."], corpus.tokenizer, 16)
    with pytest.raises(InputError, match="17 tokens does not fit into a context of 16"):
        encode(["the " * 16], corpus.tokenizer, 16)
    (tmp_path / "broken.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"broken\.npz: damaged"):
        Stream.load(tmp_path / "broken.npz")
