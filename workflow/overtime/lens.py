"""What a model would answer at every layer: logit lens and tuned lens at the answer cues of prompts, and accuracy by layer.

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
from overtime.prompts import Prompt, check_labels
from overtime.residual import Readout, Site, anatomy, residual_stream
from overtime.stats import bootstrap
from overtime.translators import Translators
from overtime.weighted import mean_of

Lenses = dict[str, Callable[[Tensor], Tensor]]
VOCABULARY_ROWS = 256  # readouts of the whole vocabulary held at once
METRICS = ("plain", "calibrated", "top1")


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
    context = getattr(model.config, "max_position_embeddings", None)
    if context is not None and len(ids) > context:
        raise InputError(f"{name}: {len(ids)} tokens, but the model's context holds {context}; use fewer demonstrations")
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


def calibrated_accuracy(readout: pl.DataFrame, truth: list[str]) -> pl.DataFrame:
    """Calibrated accuracy of a `read_layers` table: `layer`, `accuracy`. `truth` holds the true label of every prompt number.

    Halawi et al. 2023 (arXiv 2307.09476): an answer counts if the label-normalised probability of its true label exceeds the
    (k-1)/k quantile of that label's probability over all inputs (k labels, linear interpolation); a tie counts 1/k.
    """
    truths = pl.DataFrame({"prompt": range(len(truth)), "truth": truth}, schema_overrides={"prompt": readout["prompt"].dtype})
    scores = score_answers(readout.join(truths, on="prompt", how="left"), ["layer"])
    return scores.group_by("layer").agg(accuracy=pl.col("calibrated").mean()).sort("layer")


def score_answers(layers: pl.DataFrame, cell: list[str]) -> pl.DataFrame:
    """Score the true label of every readout, 0 to 1: `prompt`, the `cell` columns, `plain`, `calibrated`, and `top1` given `top`.

    `plain`: it is the most likely of the labels (ties share). `calibrated`: see `calibrated_accuracy`, with the prompts of a cell
    as inputs. `top1`: it is the most likely token of the vocabulary.
    """
    labels, one = layers["label"].n_unique(), ["prompt", *cell]
    logit, probability = pl.col("logit").cast(pl.Float64), pl.col("probability")
    weight = (logit - logit.max().over(one)).exp()
    scored = layers.with_columns(probability=weight / weight.sum().over(one), best=weight == 1)
    threshold = probability.quantile((labels - 1) / labels, "linear").over([*cell, "label"])
    scored = scored.with_columns(
        plain=pl.col("best") / pl.col("best").sum().over(one),
        calibrated=(probability > threshold).cast(pl.Float64) + (probability == threshold) / labels,
    ).filter(pl.col("label") == pl.col("truth"))
    top1 = [pl.col("top").cast(pl.Float64).alias("top1")] if "top" in layers.columns else []
    return scored.select(*one, "plain", "calibrated", *top1)


def accuracy_by_layer(layers: pl.DataFrame, window: tuple[int, int], resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Accuracy of a `read_prompts` table by condition, lens, metric and layer, with intervals over prompts.

    A prompt counts with its mean over the cues that follow `window` = (fewest, most) demonstrations, a zero-shot prompt as it is.
    Returns `source`, `series`, `condition`, `lens`, `metric` ("plain", "calibrated", "top1"), `demonstrations` (the most seen),
    `x` (layer), `y`, `lower`, `upper`, `n` (prompts). Calibration is per condition and number of demonstrations.
    """
    inside = pl.col("demonstrations").is_between(*window) | (pl.col("condition") == "zero_shot")
    scores = score_answers(layers.filter(inside), ["condition", "lens", "demonstrations", "layer"])
    keys = ["condition", "lens", "metric", "layer"]
    by_prompt = (
        scores.unpivot(
            [metric for metric in METRICS if metric in scores.columns],
            index=["prompt", "condition", "lens", "demonstrations", "layer"],
            variable_name="metric",
        )
        .drop_nulls("value")
        .group_by(*keys, "prompt", maintain_order=True)
        .agg(pl.col("value").mean(), pl.col("demonstrations").max())
    )
    rows = []
    for cell, part in by_prompt.group_by(keys, maintain_order=True):
        interval = bootstrap(mean_of(part["value"]), part["prompt"], resamples, seed, limits=(0, 1)).interval()
        condition, lens, metric, layer = cell
        rows.append(
            {"source": "measured", "series": condition, "condition": condition, "lens": lens, "metric": metric}
            | {"demonstrations": part["demonstrations"].max(), "x": layer, "y": interval.estimate}
            | {"lower": interval.lower, "upper": interval.upper, "n": interval.n}
        )
    return pl.DataFrame(rows)
