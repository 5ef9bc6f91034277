"""GPT-NeoX in plain torch against transformers' own: logits, gradients, files; and what is read with it for the suite."""

from functools import partial

import numpy as np
import polars as pl
import pytest
import torch
from transformers import AutoConfig, GPTNeoXForCausalLM

from overtime import InputError
from overtime.bias.pronoun_contexts import pronoun_log_odds
from overtime.bias.score_suite import pair_scores, pronoun_scores
from overtime.facts.ask_suite import one_word_answers
from overtime.models.answers import greedy, token_log_probs
from overtime.models.likelihood import score_pairs
from overtime.models.load import load
from overtime.models.neox import Neox, NeoxConfig
from overtime.models.vocabulary import copy_tokenizer, save_tokenizer, word_ids
from overtime.models.weights import save_weights

SIZES = {"xs": (32, 2, 2, 25_472), "s": (64, 2, 4, 100_096), "m": (128, 2, 4, 396_800), "l": (256, 2, 4, 1_580_032)}
WORDS = "the cook nurse said that she he lost her his him keys was late who where question : answer . met and talked to".split()


def peer(model: Neox, folder) -> GPTNeoXForCausalLM:
    """The same weights in transformers, by way of config.json."""
    model.config.save(folder)
    other = GPTNeoXForCausalLM(AutoConfig.from_pretrained(folder)).eval()
    other.load_state_dict(model.state_dict(), strict=True)
    return other


def random_weights(model: Neox, spread: float = 0.3) -> Neox:
    """Every parameter random, norms and biases too."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, spread)
    return model


@pytest.mark.parametrize("size", SIZES)
def test_sizes_follow_the_recipe(size):
    width, layers, heads, parameters = SIZES[size]
    model = Neox(NeoxConfig(443, width, layers, heads, 128), seed=1)
    assert parameters == layers * (12 * width**2 + 13 * width) + 2 * width
    assert sum(value.numel() for value in model.parameters()) == parameters + 2 * 443 * width
    spread = float(model.gpt_neox.layers[1].mlp["dense_h_to_4h"].weight.detach().std())
    assert spread == pytest.approx((2 / (5 * width)) ** 0.5, rel=0.05)
    assert {float(value.abs().max()) for name, value in model.state_dict().items() if name.endswith("bias")} == {0.0}


def test_a_seed_fixes_the_weights_and_leaves_the_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one, again, other = (Neox(NeoxConfig(20, 32, 2, 2, 64), seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["lm_head.weight"], other["lm_head.weight"])


@pytest.mark.parametrize(("width", "heads"), [(32, 2), (48, 4), (24, 3)])
def test_logits_and_gradients_are_those_of_transformers(tmp_path, width, heads):
    model = random_weights(Neox(NeoxConfig(60, width, 3, heads, 40)))
    other, ids = peer(model, tmp_path), torch.randint(60, (3, 33), generator=torch.Generator().manual_seed(1))
    assert [name for name, _ in other.named_parameters()] == [name for name, _ in model.named_parameters()]
    torch.testing.assert_close(model(ids).logits, other(input_ids=ids).logits, atol=2e-5, rtol=0)
    for one in (model, other):
        logits = one(input_ids=ids).logits[:, :-1]
        torch.nn.functional.cross_entropy(logits.reshape(-1, 60), ids[:, 1:].reshape(-1)).backward()
    for (name, mine), (_, theirs) in zip(model.named_parameters(), other.named_parameters()):
        # Beside the size of the gradient: rounding grows with it.
        assert (mine.grad - theirs.grad).abs().max() <= 1e-6 * max(1.0, float(theirs.grad.abs().max())), name


def test_a_branch_of_a_tree_is_read_as_if_it_stood_alone():
    """Two continuations of one start in one row, told apart by mask and positions."""
    model = random_weights(Neox(NeoxConfig(60, 32, 2, 2, 40)))
    start, left, right = [3, 5, 7], [11, 13], [17, 19, 23]
    ids = torch.tensor([start + left + right])
    positions = torch.tensor([[0, 1, 2, 3, 4, 3, 4, 5]])
    seen = torch.ones(8, 8).tril().bool()
    seen[5:, 3:5] = False
    mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[None, None]
    hidden = model.base_model(ids, attention_mask=mask, position_ids=positions).last_hidden_state[0]
    for places, rest in (([0, 1, 2, 3, 4], left), ([0, 1, 2, 5, 6, 7], right)):
        alone = model.base_model(torch.tensor([start + rest])).last_hidden_state[0]
        torch.testing.assert_close(hidden[places], alone, atol=1e-5, rtol=0)


@pytest.fixture
def suite(tmp_path):
    """A model of the suite with its tokenizer, and both as transformers loads them from a run's folder."""
    save_tokenizer([" ".join(WORDS)], tmp_path / "tokenizer")
    model = random_weights(Neox(NeoxConfig(2 + len(set(WORDS)), 32, 2, 2, 32)))
    run = tmp_path / "run"
    run.mkdir()
    model.config.save(run)
    copy_tokenizer(tmp_path / "tokenizer", run)
    save_weights(model, run / "step3.safetensors")
    return model, tmp_path / "tokenizer", *load(run)


def test_the_suites_scores_are_those_of_the_general_path(suite):
    model, folder, other, tokenizer = suite
    pairs = pl.DataFrame(
        {
            "pair": [4, 7],
            "sent_more": ["the nurse said that she was late .", "the cook lost his keys"],
            "sent_less": ["the nurse said that he was late .", "the cook lost her keys"],
        }
    )
    expected = score_pairs(other, tokenizer, pairs)
    found = pair_scores(model, folder, pairs)()
    assert found.columns == ["pair", "ll_more", "ll_less"]
    for column in ("ll_more", "ll_less"):
        np.testing.assert_allclose(found[column], expected[column], atol=5e-5, rtol=0)
    texts = ["the cook said that", "the nurse met and talked to", "the nurse lost"]
    contexts = pl.DataFrame({"context": [0, 1, 2], "contrast": ["she/he", "her/him", "her/his"], "text": texts})
    odds = pronoun_log_odds(contexts, partial(token_log_probs, other, tokenizer))
    measured = pronoun_scores(model, folder, contexts)()
    assert measured.drop("log_odds").equals(odds.drop("log_odds"))
    np.testing.assert_allclose(measured["log_odds"], odds["log_odds"], atol=5e-5, rtol=0)


def test_the_suites_answers_are_those_of_the_general_path(suite):
    model, folder, other, tokenizer = suite
    prompts = ["question : who lost keys answer", "who was late", "question : where was the cook who met him answer", "the"]
    expected = greedy(other, tokenizer, prompts, max_new_tokens=1)
    asked = pl.DataFrame({"question": range(4), "prompt": prompts, "answer": [expected[0], "no", expected[2], "no"]})
    table = one_word_answers(model, folder, asked)()
    assert table["prediction"].to_list() == expected
    assert table["correct"].to_list() == [True, False, True, False]
    assert table.columns == ["question", "prediction", "correct"]
    with torch.no_grad():  # a model that would end the text
        model.gpt_neox.final_layer_norm.weight.zero_()
        model.gpt_neox.final_layer_norm.bias.copy_(model.lm_head.weight[0] * 9)
    assert one_word_answers(model, folder, asked)()["prediction"].to_list() == [""] * 4


def test_words_that_no_model_knows_are_named(suite):
    model, folder, *_ = suite
    with pytest.raises(InputError, match="no word 'pilot', which stands in the document 'the pilot'"):
        pronoun_scores(model, folder, pl.DataFrame({"context": [0], "contrast": ["she/he"], "text": ["the pilot"]}))
    with pytest.raises(InputError, match="a document of 34 tokens does not fit into a context of 32"):
        one_word_answers(model, folder, pl.DataFrame({"question": [0], "prompt": [" ".join(["the"] * 33)], "answer": ["x"]}))


@pytest.mark.parametrize("content", [None, "", "[]", '{"vocab_size": 3}'])
def test_a_run_without_its_description_is_named(tmp_path, content):
    for name in ("config.json", "tokenizer.json"):
        if content is not None:
            (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=r"config\.json: not that of a run of the suite .*; delete .* and run again"):
        NeoxConfig.read(tmp_path)
    with pytest.raises(InputError, match=r"tokenizer\.json: not the suite's tokenizer .*; delete .* and run again"):
        word_ids(tmp_path)
