"""Language models from folders and from the Hub, ready to evaluate."""

from pathlib import Path

import torch
from accelerate import init_empty_weights
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.initialization import no_init_weights

from overtime import InputError
from overtime.checksums import check_seal
from overtime.files import refuse_impostor
from overtime.models import devices, precision
from overtime.models.pretrained_files import read_model_config, read_tokenizer, readable
from overtime.models.weights import reload_weights, weights_file
from overtime.sources.hub import download


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
    file to its place. A missing or ill-fitting part is an InputError that names it.
    """
    device = devices.choose(device)
    folder = Path(source)
    if not folder.is_dir():
        folder, revision = download(str(source), revision), None
    check_seal(folder)
    for part in sorted(folder.iterdir()):
        refuse_impostor(part)
    config, tokenizer = read_model_config(folder), read_tokenizer(folder)
    # Without what is added to a vocabulary, such as a mark for padding that no model has seen.
    if tokenizer.vocab_size > (known := config.get_text_config().vocab_size):
        raise InputError(f"{folder}: a tokenizer of {tokenizer.vocab_size} tokens, but the model knows {known}")
    with readable(folder):
        dtype = precision.choose_precision(dtype, config.hidden_size, device, timings)
        # Only parameters wait for their file; buffers are computed here, not stored.
        with no_init_weights(), init_empty_weights(include_buffers=False):
            model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype), trust_remote_code=False)
        model.tie_weights()  # before memory is given, so that tied tensors share it
    layout = devices.plan(model, device)
    devices.allocate(model, layout)
    reload_weights(model, weights_file(folder) if revision is None else folder / f"{revision}.safetensors")
    return devices.connect(model, layout).eval(), tokenizer
