"""Training a published checkpoint further: the suite's own loop on the packed tokens of any corpus.

Published checkpoints come without their optimizer's state, so AdamW begins afresh; its first steps move every weight by about the
learning rate whatever the gradient, which is what `warmup` is for. After it the learning rate stays as it is: these runs are a
stretch in the middle of training, and their control is the same stretch on the original text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from overtime import InputError
from overtime.models import precision
from overtime.models.load import load
from overtime.training.loop import train
from overtime.training.packed_corpus import open_stream
from overtime.training.recipe import Recipe, save_steps
from overtime.training.token_streams import Stream


def continue_checkpoint(
    start: str | Path,
    revision: str | None,
    packed: str | Path,
    folder: str | Path,
    options: Mapping[str, Any],
    device: str = "auto",
) -> None:
    """Train the model in folder `start` on a stream file; `folder` gets the layout of a run of the suite, with steps from 0.

    `options` are those of a run in the settings `continued`, and `timings`, by which all processes resolve a `precision` of auto
    (`models.precision`; None: by measuring). Raises InputError where model, tokenizer and context do not fit.
    """
    model, tokenizer = load(start, revision, dtype="float32")
    config = model.config
    longest = getattr(config, "max_position_embeddings", None)
    if longest is not None and options["context"] > longest:
        raise InputError(f"{start}: a context of {options['context']} tokens, but the model takes {longest} at most")
    config.use_cache = False
    cpu = device == "cpu" or not torch.cuda.is_available()
    model.to(Accelerator(cpu=cpu).device)
    stream = open_stream(packed, len(tokenizer), options["context"], options["batch"])
    # A tokenizer may have added marks, such as one for padding, that the model lacks and a text need not hold.
    if (last := int(stream.tokens.max())) >= config.vocab_size:
        raise InputError(f"{start}: the text holds the token {last}, but the model knows {config.vocab_size}")
    chosen = precision.choose_precision(options["precision"], config.hidden_size, model.device.type, options["timings"])

    def describe(place: Path) -> None:
        config.save_pretrained(place)
        tokenizer.save_pretrained(place)

    train(model, describe, stream, recipe(stream, options, chosen), folder)


def recipe(stream: Stream, options: Mapping[str, Any], chosen: str) -> Recipe:
    """The recipe of a continued run in the chosen precision: a learning rate that rises during `warmup` and then stays."""
    return Recipe(
        learning_rate=options["learning_rate"],
        batch=options["batch"],
        precision=chosen,
        save_at=tuple(save_steps(stream, options["batch"], options["checkpoints"]).values()),
        warmup=options["warmup"],
        floor=1.0,
        micro_batch=options["micro_batch"],
        padding=-100,
    )
