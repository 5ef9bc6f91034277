"""Language models from folders and from the Hub, ready to evaluate."""

from pathlib import Path

import torch
from accelerate import init_empty_weights
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.initialization import no_init_weights

from overtime import InputError
from overtime.files import refuse_impostor
from overtime.models import devices, precision
from overtime.models.weights import reload_weights, weights_file
from overtime.sources.hub import download

TOKENIZERS = ("tokenizer.json", "vocab.json", "tokenizer.model")


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
    if not any((folder / name).exists() for name in TOKENIZERS):
        raise InputError(f"{folder}: no tokenizer; one of {', '.join(TOKENIZERS)} must lie beside config.json")
    for part in sorted(folder.iterdir()):
        refuse_impostor(part)
    try:
        config = AutoConfig.from_pretrained(folder)
        dtype = precision.choose_precision(dtype, config.hidden_size, device, timings)
        # Only parameters wait for their file; buffers are computed here, not stored.
        with no_init_weights(), init_empty_weights(include_buffers=False):
            model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
        model.tie_weights()  # before memory is given, so that tied tensors share it
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: not the folder of a causal language model ({str(error).splitlines()[0]})") from error
    layout = devices.plan(model, device)
    devices.allocate(model, layout)
    reload_weights(model, weights_file(folder) if revision is None else folder / f"{revision}.safetensors")
    return devices.connect(model, layout).eval(), tokenizer
