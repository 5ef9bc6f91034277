"""Likelihood of held-out text: that of a plain forward pass, document by document, as far as the context holds."""

import pytest
import torch
from tiny_models import build, words
from torch.nn.functional import cross_entropy

from overtime import InputError
from overtime.training.held_out import text_losses

TEXTS = ["a town in the north", "she wrote", "one two three four five six seven eight nine ten eleven twelve"]


@pytest.fixture
def tokenizer():
    made = words(TEXTS)
    made.eos_token = "<unk>"
    return made


@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "bloom"])
def test_losses_are_those_of_a_plain_forward_pass(tokenizer, kind):
    model = build(kind, tokenizer)
    if kind != "bloom":  # which has no limit
        model.config.max_position_embeddings = 8
    found = text_losses(model, tokenizer, TEXTS)()
    assert found["document"].to_list() == [0, 1, 2]
    assert found["length"].to_list() == [5, 2, 12 if kind == "bloom" else 8]
    for text, tokens, loss in zip(TEXTS, found["length"], found["loss"]):
        ids = torch.tensor([[0, *tokenizer(text, add_special_tokens=False)["input_ids"]][: tokens + 1]])
        with torch.no_grad():
            logits = model(ids[:, :-1]).logits[0]
        assert loss == pytest.approx(cross_entropy(logits, ids[0, 1:], reduction="sum").item(), abs=1e-3)


def test_a_text_without_a_token_is_named(tokenizer):
    with pytest.raises(InputError, match="document 1 has no token"):
        text_losses(build("llama", tokenizer), tokenizer, ["she wrote", ""])
