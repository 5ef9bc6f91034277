"""Language models from folders and from the Hub, ready to evaluate."""

from pathlib import Path

import torch
from accelerate import init_empty_weights
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.initialization import no_init_weights

from overtime import InputError
from overtime.checksums import check_seal
from overtime.models import devices, precision
from overtime.models.logit_transform import text_config
from overtime.models.pretrained_files import read_model_config, read_tokenizer, readable
from overtime.models.probe import logit_transform
from overtime.models.weights import reload_weights, weights_file
from overtime.sources.hub import download

# How the classes of causal language models end; a body alone will do where its embeddings are its head.
CAUSAL = ("ForCausalLM", "LMHead", "LMHeadModel", "DoubleHeadsModel", "ForConditionalGeneration", "Model")


def load(
    source: str | Path,
    revision: str | None = None,
    dtype: str = "float32",
    device: str = "cpu",
    timings: str | Path | None = None,
) -> tuple[PreTrainedModel, Tokenizer]:
    """A causal language model ready to evaluate, and its tokenizer.

    `source` is a folder (config.json, weights, tokenizer) or a name on the Hub. `revision` is a checkpoint: a branch on the Hub,
    or `step{n}` in the folder of a mini run (default: the last). `device` cuda is the emptiest GPU, or several of them for a
    model that does not fit on one; auto is cuda where there is a GPU, else cpu. `dtype` auto is the faster one of float32 and
    bfloat16, by the `timings` of the run, without which they are taken now. Each tensor goes straight from its memory-mapped
    file to its place. A missing or ill-fitting part is an InputError that names it, and so is a model whose logits are not known
    to be what is read here (`models.probe`): a masked model, an encoder with a decoder, a body without a head, quantised weights.
    """
    device = devices.choose(device)
    folder = Path(source)
    if not folder.is_dir():
        folder, revision = download(str(source), revision), None
    check_seal(folder)
    model, tokenizer = _build(folder, dtype, device, timings)
    layout = devices.plan(model, device)
    devices.allocate(model, layout)
    reload_weights(model, weights_file(folder) if revision is None else folder / f"{revision}.safetensors")
    model = devices.connect(model, layout)
    try:
        logit_transform(model)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    return model, tokenizer


def _build(folder: Path, dtype: str, device: str, timings: str | Path | None) -> tuple[PreTrainedModel, Tokenizer]:
    """The model of a folder, whose parameters have no memory yet, and the tokenizer."""
    config, tokenizer = read_model_config(folder), read_tokenizer(folder)
    _check_config(folder, config)
    # Without what is added to a vocabulary, such as a mark for padding that no model has seen.
    if tokenizer.vocab_size > (known := text_config(config).vocab_size):
        raise InputError(f"{folder}: a tokenizer of {tokenizer.vocab_size} tokens, but the model knows {known}")
    with readable(folder):
        dtype = precision.choose_precision(dtype, text_config(config).hidden_size, device, timings)
        # Only parameters wait for their file; buffers are computed here, not stored.
        with no_init_weights(), init_empty_weights(include_buffers=False):
            model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype), trust_remote_code=False)
        model.tie_weights()  # before memory is given, so that tied tensors share it
    return model, tokenizer


def _check_config(folder: Path, config: PreTrainedConfig) -> None:
    """Raise an InputError for a config.json that says by itself that the folder holds no causal language model to read."""
    classes = config.architectures or []
    if classes and not any(name.endswith(CAUSAL) and "Reward" not in name for name in classes):
        raise InputError(f"{folder}: config.json says {', '.join(classes)}; a causal language model is needed (...ForCausalLM)")
    if getattr(config, "is_encoder_decoder", False):
        raise InputError(f"{folder}: config.json says is_encoder_decoder; a causal language model is needed")
    quantised = getattr(config, "quantization_config", None)
    if quantised is not None:
        method = quantised.get("quant_method", "?") if isinstance(quantised, dict) else type(quantised).__name__
        raise InputError(f"{folder}: config.json says that weights are quantised ({method}); those that are not are needed")
