"""What is NaN or infinite in a model stops where it is read, with file and tensor, pair, prompt or layer."""

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tiny_models
import torch
from safetensors.torch import load_file, save_file

from overtime import InputError
from overtime.bias.score_suite import pair_scores, pronoun_scores
from overtime.bias.shifted_scoring import shifted_scores
from overtime.facts.ask_suite import one_word_answers
from overtime.models.answers import greedy, token_log_probs
from overtime.models.finite import check_logits, check_scores
from overtime.models.lens import CuedText, lenses_of, read_cues, read_layers
from overtime.models.likelihood import score_pairs
from overtime.models.load import load
from overtime.models.neox import Neox, NeoxConfig
from overtime.models.tuned_lens_fit import fit
from overtime.models.vocabulary import save_tokenizer
from overtime.models.weights import is_finite, reload_weights, save_weights

NAN, INFINITY = float("nan"), float("inf")
SENTENCES = ["the cook said that she was late", "the cook said that he was late", "who was late"]
PAIRS = pl.DataFrame({"pair": [0], "sent_more": SENTENCES[:1], "sent_less": SENTENCES[1:2]})
TOKENIZER = tiny_models.words([*SENTENCES, "yes no"])
TOKENIZER.add_special_tokens({"bos_token": "the", "eos_token": "<unk>"})


def probed(dtype: torch.dtype = torch.float32):
    """A model that was whole when it was read first, and then looked at."""
    model = tiny_models.build("gpt_neox", TOKENIZER).to(dtype)
    read_layers(model, TOKENIZER, SENTENCES, ["yes", "no"])
    return model


def spoilt(dtype: torch.dtype = torch.float32, value: float = NAN):
    """A model with one number in its last block that is not finite, or too large for what is computed with it."""
    model = probed(dtype)
    with torch.no_grad():
        model.gpt_neox.layers[-1].mlp.dense_4h_to_h.bias[3] = value
    return model


READERS = {
    "pairs": (lambda model: score_pairs(model, TOKENIZER, PAIRS), "pair 0: log-likelihood of sent_more is nan"),
    "candidates": (lambda model: token_log_probs(model, TOKENIZER, SENTENCES, ["she", "he"]), "logits after a prompt are NaN"),
    "answers": (lambda model: greedy(model, TOKENIZER, SENTENCES, 3), "logits after a prompt are NaN"),
    "layers": (
        lambda model: read_layers(model, TOKENIZER, SENTENCES, ["yes", "no"]),
        "prompt 0: a label's logit at layer 3 is nan",
    ),
    "lens": (lambda model: fit(model, TOKENIZER, SENTENCES * 40, 512), "tuned lens: the model's own numbers are not finite"),
}


@pytest.mark.parametrize("name", READERS)
def test_a_model_that_says_nan_is_refused(name):
    read, message = READERS[name]
    with pytest.raises(InputError, match=message) as caught:
        read(spoilt())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", READERS)
def test_numbers_too_large_for_float16_are_refused(name):
    """Each weight is finite in float16, and what the last block adds up to is not."""
    model = spoilt(torch.float16, 60_000.0)
    with torch.no_grad():
        model.gpt_neox.layers[-1].attention.dense.bias[3] = 60_000.0
    with pytest.raises(InputError, match=r"NaN or infinite|is -?inf|is nan|not finite in torch.float16"):
        READERS[name][0](model)


def test_a_nan_in_the_vocabulary_beside_the_labels_is_no_likeliest_token():
    model = probed()
    labels = TOKENIZER.convert_tokens_to_ids(["yes", "no"])
    other = TOKENIZER.convert_tokens_to_ids("late")
    with torch.no_grad():
        model.get_output_embeddings().weight[other] = NAN
    text = [CuedText("prompt 0", SENTENCES[0], [len(SENTENCES[0])])]
    assert np.isfinite(read_cues(model, TOKENIZER, text, labels, lenses_of(model, None), choose=False).logits).all()
    with pytest.raises(InputError, match="NaN"):
        read_cues(model, TOKENIZER, text, labels, lenses_of(model, None), choose=True)


def test_ruled_out_tokens_are_no_error_and_impossible_answers_are():
    check_logits(torch.tensor([[-INFINITY, 0.5]]))
    for row in ([NAN, 0.5], [INFINITY, 0.5], [-INFINITY, -INFINITY]):
        with pytest.raises(InputError, match="NaN or infinite"):
            check_logits(torch.tensor([[0.0, 1.0], row]))
    check_scores(np.array([[0.0, -1e30]]), str)
    with pytest.raises(InputError, match="row 1 is -inf"):
        check_scores(np.array([[0.0, 1.0], [2.0, -INFINITY]]), lambda row: f"row {row}")


def test_scores_one_position_off_are_finite():
    clean = PAIRS.with_columns(ll_more=pl.lit(-3.0), ll_less=pl.lit(NAN))
    with pytest.raises(InputError, match="scores of pairs: column ll_less, row 1: nan"):
        shifted_scores(tiny_models.build("gpt_neox", TOKENIZER), TOKENIZER, clean)
    with pytest.raises(InputError, match="'the cook said that he was late': its log-likelihood, read one position off, is nan"):
        shifted_scores(spoilt(), TOKENIZER, clean.with_columns(ll_less=pl.lit(-2.0)))


def test_models_of_the_suite_that_say_nan_are_refused(tmp_path):
    words = [*SENTENCES, "yes no she he her him his"]
    save_tokenizer(words, tmp_path / "tokenizer")
    model, tokenizer = Neox(NeoxConfig(30, 16, 1, 2, 16)), str(tmp_path / "tokenizer")
    contexts = pl.DataFrame({"context": [0], "contrast": ["she/he"], "text": SENTENCES[2:]})
    asked = pl.DataFrame({"question": [0], "prompt": SENTENCES[2:], "answer": ["yes"]})
    measures = [
        pair_scores(model, tokenizer, PAIRS),
        pronoun_scores(model, tokenizer, contexts),
        one_word_answers(model, tokenizer, asked),
    ]
    assert [measure().height for measure in measures] == [1, 1, 1]
    with torch.no_grad():
        model.gpt_neox.final_layer_norm.bias[0] = NAN
    for measure in measures:
        with pytest.raises(InputError, match=r"NaN or infinite|is nan"):
            measure()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A model with its tokenizer; the file of its weights can be changed."""
    model = tiny_models.build("gpt_neox", TOKENIZER)
    model.config.save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    save_weights(model, tmp_path / "model.safetensors")
    return tmp_path


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
@pytest.mark.parametrize("name", ["gpt_neox.layers.1.mlp.dense_h_to_4h.weight", "lm_head.weight"])
def test_weights_that_are_not_finite_are_refused_by_name(folder, name, value):
    model, _ = load(folder)
    before = {place: parameter.clone() for place, parameter in model.named_parameters()}
    tensors = load_file(folder / "model.safetensors")
    tensors[name][2, 5] = value
    save_file(tensors, folder / "model.safetensors")
    for attempt in (partial(load, folder), partial(reload_weights, model, folder)):
        with pytest.raises(InputError, match=rf"model.safetensors: tensor {name} is not finite in torch.float32"):
            attempt()
    assert all(torch.equal(before[place], parameter) for place, parameter in model.named_parameters())


def test_weights_too_large_for_their_type_are_refused_and_masks_are_no_weights(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"][0, 0] = 1e5
    tensors["gpt_neox.layers.0.attention.bias"] = torch.full((4, 4), -INFINITY)
    save_file(tensors, folder / "model.safetensors")
    assert load(folder)[0].lm_head.weight[0, 0] == 1e5
    with pytest.raises(InputError, match=r"tensor lm_head.weight is not finite in torch.float16"):
        load(folder, dtype="float16")


def test_no_file_is_written_of_weights_that_are_not_finite(tmp_path):
    with pytest.raises(InputError, match=r"step9.safetensors: tensor gpt_neox.layers.2.mlp.dense_4h_to_h.bias has become NaN"):
        save_weights(spoilt(), tmp_path / "step9.safetensors")
    assert not list(tmp_path.iterdir())
    assert is_finite(torch.empty(0))
    assert is_finite(torch.full((2000,), 6e4, dtype=torch.float16))  # whose sum is not
    assert not is_finite(torch.tensor([1.0, NAN], dtype=torch.bfloat16))
