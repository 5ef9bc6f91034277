"""What a model would answer at every layer: logit lens and tuned lens at the answer cues of prompts.

A lens applies the model's own final norm and unembedding to the residual stream after each layer (layer 0 = embeddings); the
tuned lens translates the stream first. Only cues and label columns are read: a readout costs little more than the forward pass.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.batches import check_length
from overtime.prompts import Prompt, check_labels
from overtime.readout import calibrated_accuracy
from overtime.residual import Readout, Site, anatomy, residual_stream
from overtime.translators import Translators

__all__ = ["calibrated_accuracy", "read_layers", "read_prompts"]

Lenses = dict[str, Callable[[Tensor], Tensor]]
VOCABULARY_ROWS = 256  # readouts of the whole vocabulary held at once


def read_layers(
    model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[str], labels: list[str], translators: Translators | None = None
) -> pl.DataFrame:
    """Logits of the labels (one token each, after a space) at the end of every prompt.

    Returns `prompt` (its number), `layer` (0 = embeddings; the last one holds the model's own logits), `label` and `logit`, by
    the logit lens or, given `translators`, by the tuned lens. Raises InputError for a label that is not one token, two labels
    with one token, an empty prompt, a prompt longer than the model's context, and translators of another model.
    """
    tokens = check_labels(tokenizer, labels)
    encoded = [_encode(model, tokenizer, f"prompt {number}", text, [len(text)]) for number, text in enumerate(prompts)]
    sites = [Site(number, positions[0]) for number, (_, positions) in enumerate(encoded)]
    name, lens = list(_lenses(model, translators).items())[-1]
    logits, _ = _read(model, [ids for ids, _ in encoded], sites, tokens, {name: lens})
    return _table(pl.DataFrame({"prompt": range(len(prompts))}), [name], labels, logits).drop("lens")


def read_prompts(
    model: PreTrainedModel, tokenizer: Tokenizer, prompts: list[Prompt], labels: list[str], translators: Translators | None = None
) -> pl.DataFrame:
    """Logits of the labels at every cue of every prompt, by the logit lens and, given `translators`, by the tuned lens as well.

    Returns `prompt`, `condition`, `demonstrations` (labels seen before the cue), `truth`, `lens`, `layer`, `label`, `logit` and
    `top`: whether the label is the most likely token of the whole vocabulary, read at the last cue of a prompt, null elsewhere.
    Raises the errors of `read_layers`, and InputError for a cue inside a token.
    """
    tokens = check_labels(tokenizer, labels)
    encoded = [_encode(model, tokenizer, f"prompt {p.prompt} ({p.condition})", p.text, list(p.cues)) for p in prompts]
    sites = [Site(number, position) for number, (_, positions) in enumerate(encoded) for position in positions]
    last = np.cumsum([len(prompt.cues) for prompt in prompts]) - 1
    lenses = _lenses(model, translators)
    logits, choices = _read(model, [ids for ids, _ in encoded], sites, tokens, lenses, frozenset(last.tolist()))
    rows = [
        {"prompt": prompt.prompt, "condition": prompt.condition, "demonstrations": seen, "truth": truth}
        for prompt in prompts
        for seen, truth in zip(prompt.demonstrations, prompt.truths, strict=True)
    ]
    chosen = pl.Series((choices[..., None] == np.array(tokens)).ravel())
    was_read = pl.Series(np.repeat(choices.ravel() >= 0, len(tokens)))
    return _table(pl.DataFrame(rows), list(lenses), labels, logits).with_columns(top=pl.when(was_read).then(chosen))


def _lenses(model: PreTrainedModel, translators: Translators | None) -> Lenses:
    lenses: Lenses = {"logit": lambda stream: stream}
    if translators is not None:
        translators.check(model)
        lenses["tuned"] = translators.to(model.device)
    return lenses


def _encode(model: PreTrainedModel, tokenizer: Tokenizer, name: str, text: str, cues: list[int]) -> tuple[list[int], list[int]]:
    """Token ids of a text and the positions of the tokens that end at its cues (character offsets)."""
    if not text.strip():
        raise InputError(f"{name}: empty; a prompt needs at least one word")
    encoding = tokenizer(text, return_offsets_mapping=True)
    ids, position = encoding["input_ids"], {end: index for index, (_, end) in enumerate(encoding["offset_mapping"])}
    check_length(model, name, len(ids))
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
    choosing: frozenset[int] = frozenset(),
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
                best = torch.cat([of_vocabulary(piece).argmax(-1) for piece in pieces])
                choices[[indices[row] for row in rows], number] = best.reshape(len(rows), -1).cpu().numpy()
    return logits, choices


def _table(sites: pl.DataFrame, lenses: list[str], labels: list[str], logits: np.ndarray) -> pl.DataFrame:
    """One row per site, lens, layer and label, in that order, which is the order of `logits`."""
    for name, values in {"lens": lenses, "layer": range(logits.shape[2]), "label": labels}.items():
        sites = sites.join(pl.DataFrame({name: values}), how="cross", maintain_order="left_right")
    return sites.with_columns(logit=pl.Series(logits.ravel()))
