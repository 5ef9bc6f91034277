"""What a model would answer at every layer: logit lens and tuned lens at the answer cues of prompts.

A lens applies the model's own final norm and unembedding to the residual stream after each layer (layer 0 = embeddings); the
tuned lens translates the stream first. Only cues and label columns are read: a readout costs little more than the forward pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.models.anatomy import Readout, anatomy
from overtime.models.finite import check_logits, check_scores
from overtime.models.label_tokens import label_tokens
from overtime.models.residual_stream import Site, residual_stream
from overtime.models.token_batches import after_separator, check_length
from overtime.models.tuned_lens import Translators

Lenses = dict[str, Callable[[Tensor], Tensor]]
VOCABULARY_ROWS = 256  # readouts of the whole vocabulary held at once


class CuedText(NamedTuple):
    """A text to read at its cues, which are character offsets just after a token; `name` is how errors call it."""

    name: str
    text: str
    cues: Sequence[int]


@dataclass(frozen=True)
class CueReadout:
    """What was read at the cues of texts, one site per cue, in order.

    `logits` [sites, lenses, layers + 1, tokens]; `choices` [sites, lenses, layers + 1] is the most likely token of the whole
    vocabulary at the last cue of a text, -1 at the others and where none was to be chosen.
    """

    lenses: list[str]
    logits: np.ndarray
    choices: np.ndarray

    def table(self, sites: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
        """`sites` (a row per cue) crossed with `lens`, `layer`, `label`, and `logit`, in this order; `labels` name the tokens."""
        for name, values in {"lens": self.lenses, "layer": range(self.logits.shape[2]), "label": labels}.items():
            sites = sites.join(pl.DataFrame({name: values}), how="cross", maintain_order="left_right")
        return sites.with_columns(logit=pl.Series(self.logits.ravel()))


def read_layers(
    model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], labels: list[str], translators: Translators | None = None
) -> pl.DataFrame:
    """Logits of the labels (one token each, after a space) at the end of every prompt.

    Returns `prompt` (its number), `layer` (0 = embeddings; the last one holds the model's own logits), `label` and `logit`, by
    the logit lens or, given `translators`, by the tuned lens. Raises InputError for a label that is not one token, two labels
    with one token, an empty prompt, a prompt longer than the model's context, and translators of another model.
    """
    tokens = label_tokens(tokenizer, labels)
    texts = [CuedText(f"prompt {number}", text, [len(text)]) for number, text in enumerate(prompts)]
    name, lens = list(lenses_of(model, translators).items())[-1]
    readout = read_cues(model, tokenizer, texts, tokens, {name: lens}, choose=False)
    return readout.table(pl.DataFrame({"prompt": range(len(prompts))}), labels).drop("lens")


def read_cues(
    model: PreTrainedModel, tokenizer: Tokenizer, texts: list[CuedText], tokens: list[int], lenses: Lenses, choose: bool
) -> CueReadout:
    """Logits of some tokens at every cue of every text, by every lens.

    `choose` also finds the most likely token of the vocabulary at last cues, which costs an unembedding per layer and text.
    Raises InputError for an empty text, one longer than the model's context, a cue inside a token or after a space, and where a
    logit is NaN or infinite.
    """
    encoded = [_encode(model, tokenizer, text) for text in texts]
    sites = [Site(number, position) for number, (_, positions) in enumerate(encoded) for position in positions]
    last = np.cumsum([len(text.cues) for text in texts]) - 1
    choosing = frozenset(last.tolist()) if choose else frozenset()
    logits, choices = _read(model, [ids for ids, _ in encoded], sites, tokens, lenses, choosing)
    depth = logits.shape[2]
    by_layer = logits.transpose(0, 2, 1, 3).reshape(len(sites) * depth, -1)
    check_scores(by_layer, lambda row: f"{texts[sites[row // depth].sequence].name}: a label's logit at layer {row % depth}")
    return CueReadout(list(lenses), logits, choices)


def _likeliest(logits: Tensor) -> Tensor:
    check_logits(logits)
    return logits.argmax(-1)


def lenses_of(model: PreTrainedModel, translators: Translators | None) -> Lenses:
    """The logit lens and, given `translators`, the tuned lens, last. Raises InputError for translators of another model."""
    lenses: Lenses = {"logit": lambda stream: stream}
    if translators is not None:
        translators.check(model)
        lenses["tuned"] = translators.to(model.device)
    return lenses


def _encode(model: PreTrainedModel, tokenizer: Tokenizer, cued: CuedText) -> tuple[list[int], list[int]]:
    """Token ids of a text, those that answers to it would follow, and the positions of the tokens that end at its cues."""
    name, text, cues = cued
    if not text.strip():
        raise InputError(f"{name}: empty; a prompt needs at least one word")
    encoding = tokenizer(text, return_offsets_mapping=True)
    ids = after_separator(tokenizer, encoding["input_ids"])
    put_first = len(ids) - len(encoding["input_ids"])
    position = {end: index for index, (_, end) in enumerate(encoding["offset_mapping"], put_first)}
    check_length(model, name, len(ids))
    for cue in cues:
        if cue in position and text[cue - 1].isspace():
            raise InputError(f"{name}: white space before character {cue}; a cue ends with a word or a mark, without a space")
    inside = [cue for cue in cues if cue not in position]
    if inside:
        raise InputError(f"{name}: no token ends at character {inside[0]}; a cue ends with a word or a mark, without a space")
    return ids, [position[cue] for cue in cues]


@torch.no_grad()
def _read(
    model: PreTrainedModel,
    sequences: list[list[int]],
    sites: list[Site],
    tokens: list[int],
    lenses: Lenses,
    choosing: frozenset[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Logits [sites, lenses, layers + 1, tokens] and most likely tokens [sites, lenses, layers + 1], -1 outside `choosing`."""
    parts = anatomy(model)
    of_labels, of_vocabulary = Readout.of(parts, tokens), Readout.of(parts)
    shape = (len(sites), len(lenses), len(parts.blocks) + 1)
    logits, choices = np.empty((*shape, len(tokens)), np.float32), np.full(shape, -1)
    for indices, stream in residual_stream(model, sequences, sites):
        rows = [row for row, index in enumerate(indices) if index in choosing]
        for number, lens in enumerate(lenses.values()):
            read = lens(stream.float())
            logits[indices, number] = of_labels(read).cpu().numpy()
            if rows:
                pieces = read[rows].flatten(0, 1).split(VOCABULARY_ROWS)
                best = torch.cat([_likeliest(of_vocabulary(piece)) for piece in pieces])
                choices[[indices[row] for row in rows], number] = best.reshape(len(rows), -1).cpu().numpy()
    return logits, choices
