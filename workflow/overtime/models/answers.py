"""What a model answers to prompts: greedy continuations, and log-probabilities of candidate answers.

What several prompts begin with in common is computed once, and equal prompts are one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import cast

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.models.devices import within_memory
from overtime.models.finite import check_logits, check_scores
from overtime.models.label_tokens import first_tokens
from overtime.models.prefix_tree import Budget, Segment, portions, rows_at_once
from overtime.models.probe import logit_transform
from overtime.models.segment_cache import Inputs, Reader
from overtime.models.token_batches import after_separator, check_length, holds

LOGIT_ROWS = 1024  # of the whole vocabulary, held at once


@dataclass(frozen=True)
class Prompted:
    """A prompt that was read, as its last segment, and what was found after it, [tokens]."""

    last: Segment
    found: Tensor


def greedy(model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], max_new_tokens: int, stop: str = "\n") -> list[str]:
    """The most likely continuation of each prompt up to `stop`, end of text or `max_new_tokens`, outer white space removed.

    A prompt whose answer has ended takes no part in the steps that longer answers need.
    """
    logit_transform(model)  # before anything else: it may not be a model to read
    answers, end, budget = [""] * len(prompts), partial(_answer, tokenizer, stop), Budget.of(model)
    for reader, read in _read(model, encode_prompts(tokenizer, prompts), max_new_tokens, _likeliest, budget):
        finish = partial(_continue, reader, max_new_tokens, end)
        rows = rows_at_once(max(prompt.last.stop for prompt in read) + max_new_tokens, budget)
        read.sort(key=lambda prompt: prompt.last.stop)
        for first in range(0, len(read), rows):
            for prompt, text in chain.from_iterable(within_memory(finish, read[first : first + rows])):
                for index in prompt.last.ends:
                    answers[index] = text
    return answers


def leave_room(model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], max_new_tokens: int) -> list[bool]:
    """Whether the model's context holds each prompt with an answer of so many tokens, the last of which is never read."""
    return [holds(model, len(ids) + max_new_tokens - 1) for ids in encode_prompts(tokenizer, prompts)]


@torch.inference_mode()
def _continue(
    reader: Reader, new: int, end: Callable[[list[int]], tuple[str, bool]], batch: list[Prompted]
) -> list[tuple[Prompted, str]]:
    """Prompts with their answers; `end` gives the text of tokens and says whether it has ended."""
    tokens, places = torch.stack([prompt.found for prompt in batch]), list(range(len(batch)))
    rows, answers = reader.following([prompt.last for prompt in batch], tokens), [""] * len(batch)
    while True:
        said = [end(ids) for ids in tokens.tolist()]
        for place, (text, _) in zip(places, said):
            answers[place] = text
        unfinished = [row for row, (_, ended) in enumerate(said) if not ended]
        if not unfinished or tokens.shape[1] == new:
            return list(zip(batch, answers))
        if len(unfinished) < len(said):
            tokens, rows, places = tokens[unfinished], rows[unfinished], [places[row] for row in unfinished]
        found = _logits(reader, reader.read(rows)[:, -1], _likeliest)
        tokens, rows = torch.cat([tokens, found], 1), rows.then(found)


def token_log_probs(model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], candidates: list[str]) -> np.ndarray:
    """Natural-log P(first token of candidate | prompt), [prompt, candidate]; write candidates as they continue text: " Yes".

    Raises InputError for two candidates with one first token, for one without any or unknown to the tokenizer, for a prompt that
    ends with the space which belongs to the candidate, and where the model says NaN or infinity.
    """
    logit_transform(model)
    first = first_tokens(tokenizer, candidates)
    spaced = any(candidate[0].isspace() for candidate in candidates)
    for number, text in enumerate(prompts):
        if text[-1:].isspace() and (text[-1] != "\n" or spaced):
            raise InputError(f"prompt {number}: ends with {text[-1]!r}; put white space before the candidates instead")
    result = np.empty((len(prompts), len(candidates)))
    chosen, budget = (lambda logits: logits.log_softmax(-1)[:, first]), Budget.of(model)
    for _, read in _read(model, encode_prompts(tokenizer, prompts), 1, chosen, budget):
        for prompt in read:
            result[prompt.last.ends] = prompt.found.cpu().numpy()
    check_scores(result, lambda row: f"prompt {row}: log-probability of a candidate")
    return result


def encode_prompts(tokenizer: Tokenizer, prompts: list[str]) -> list[list[int]]:
    """Token ids of prompts, with the special tokens that the tokenizer adds by itself and those of `after_separator`."""
    return [after_separator(tokenizer, ids) for ids in tokenizer(prompts)["input_ids"]]


@torch.inference_mode()
def _read(
    model: PreTrainedModel, prompts: list[list[int]], new: int, find: Callable[[Tensor], Tensor], budget: Budget
) -> Iterator[tuple[Reader, list[Prompted]]]:
    """Yield readers of prompts, with what `find` makes of the logits after each; equal prompts are one.

    InputError for a prompt that leaves no room for `new` more tokens, the last of which is never read.
    """
    for number, ids in enumerate(prompts):
        check_length(model, f"prompt {number} with its answer", len(ids) + new - 1)
    for portion in portions(prompts, budget, new - 1):
        reader = Reader.of(model, portion, new - 1)
        read = partial(_read_batch, reader, find)
        yield reader, list(chain.from_iterable(chain.from_iterable(within_memory(read, batch) for batch in portion.passes)))
        reader.layers.clear()  # what it keeps makes room for the next, though the caller still holds it


def _read_batch(reader: Reader, find: Callable[[Tensor], Tensor], batch: list[Segment]) -> list[Prompted]:
    """Those prompts that end in a batch of segments."""
    state = reader.read(Inputs.of(batch, reader.device))
    ending = [(row, segment.stop - segment.start - 1) for row, segment in enumerate(batch) if segment.ends]
    row, column = torch.tensor(ending, dtype=torch.long).reshape(-1, 2).T
    return [Prompted(batch[place], found) for place, found in zip(row.tolist(), _logits(reader, state[row, column], find))]


def _logits(reader: Reader, state: Tensor, find: Callable[[Tensor], Tensor]) -> Tensor:
    """What `find` makes of the logits [rows, vocabulary] after states [rows, width]."""
    found = []
    for rows in state.split(LOGIT_ROWS):
        logits = reader.logits(rows)
        check_logits(logits)
        found.append(find(logits))
    return torch.cat(found)


def _likeliest(logits: Tensor) -> Tensor:
    return logits.argmax(-1, keepdim=True)


def _answer(tokenizer: Tokenizer, stop: str, ids: list[int]) -> tuple[str, bool]:
    """Text before `stop` or the end-of-text token, and whether either has come."""
    ended = tokenizer.eos_token_id in ids
    text = cast(str, tokenizer.decode(ids[: ids.index(tokenizer.eos_token_id)] if ended else ids))
    return text.split(stop)[0].strip(), ended or stop in text
