"""What a model of the suite says next: its logits after prompts, which are laid out once for all checkpoints."""

from typing import NamedTuple

import torch

from overtime.models.devices import CPU_TOKENS
from overtime.models.finite import check_logits
from overtime.models.neox import Neox
from overtime.models.token_batches import by_length
from overtime.models.vocabulary import PADDING_ID


class PromptBatch(NamedTuple):
    """Prompts number `numbers` [rows], right-padded: `ids` [rows, length], and the places `last` [rows] of their last tokens."""

    numbers: torch.Tensor
    ids: torch.Tensor
    last: torch.Tensor


def lay_out_prompts(prompts: list[list[int]]) -> list[PromptBatch]:
    """Batches of prompts given as token ids, the shortest first."""
    lengths = list(map(len, prompts))
    batches = []
    for numbers in by_length(lengths, CPU_TOKENS):
        rows = [torch.tensor(prompts[number]) for number in numbers]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PADDING_ID)
        batches.append(PromptBatch(torch.tensor(numbers), ids, torch.tensor([lengths[number] - 1 for number in numbers])))
    return batches


@torch.inference_mode()
def next_logits(model: Neox, batches: list[PromptBatch]) -> torch.Tensor:
    """Logits [prompts, vocabulary] after the last token of every prompt, in the order that they were laid out from."""
    model.eval()
    logits = torch.empty(sum(len(batch.ids) for batch in batches), model.config.vocab_size)
    for numbers, ids, last in batches:
        hidden = model.base_model(ids).last_hidden_state
        logits[numbers] = model.lm_head(hidden[torch.arange(len(ids)), last])
    check_logits(logits)
    return logits
