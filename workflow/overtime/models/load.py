"""Language models: build the mini sizes, load folders and Hub names, put one checkpoint's weights in the place of another's.

Loading is strict both ways: a loader that skips tensors which it does not know leaves random weights, and scores mean nothing.
"""

import json
import math
import pickle
import re
from collections.abc import Container, Iterator
from pathlib import Path

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.initialization import no_init_weights

from overtime import InputError
from overtime.files import atomic
from overtime.models import devices
from overtime.sources.hub import download

WEIGHT_FILES = ("model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin")
TOKENIZERS = ("tokenizer.json", "vocab.json", "tokenizer.model")
# Causal masks and rotary tables that old files store beside the weights; the architecture computes them itself.
COMPUTED = re.compile(r"\.(self_attn|attention|attn)\.((attention\.)?(masked_)?bias|rotary_emb\.inv_freq|embed_positions)$")


def build_neox(width: int, layers: int, heads: int, vocabulary: int, context: int, seed: int) -> GPTNeoXForCausalLM:
    """A GPT-NeoX model (the architecture of Pythia) with fresh weights, the same for the same seed.

    Untied embeddings, no dropout, rotary positions on half of each head, weights of standard deviation sqrt(2 / (5 width)),
    eager attention (the fastest at these sizes). `context` is the longest sequence in tokens; token 0 ends a document, 1 pads.
    """
    config = GPTNeoXConfig(  # type: ignore[call-arg]  # it takes settings that are not fields of the class
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=context,
        rotary_pct=0.5,
        initializer_range=math.sqrt(2 / (5 * width)),
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
        use_cache=False,
        attn_implementation="eager",
    )
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers go on undisturbed
        torch.manual_seed(seed)
        return GPTNeoXForCausalLM(config)


def save_weights(model: PreTrainedModel, path: str | Path) -> None:
    """Write the weights of one checkpoint as safetensors; a tensor that serves in two places is written once."""
    with atomic(path) as temporary:
        save_file({name: value.detach().contiguous() for name, value in model.named_parameters()}, temporary, {"format": "pt"})


def reload_weights(model: PreTrainedModel, path: str | Path) -> None:
    """Copy the weights of a checkpoint into `model`, which keeps its own dtype and device.

    `path` is a safetensors or `pytorch_model.bin` file, the index of a sharded one, or the folder of either. Every tensor of the
    model must be there in its shape, and no other; else an InputError names the tensor and the model stays as it was.
    """
    places = dict(model.named_parameters(remove_duplicate=False))  # a tied tensor under each of its names
    found: dict[int, torch.Tensor] = {}
    for stored, tensor in _tensors(Path(path)):
        name = _name_in_model(model, stored, places)
        if name not in places:
            if COMPUTED.search(stored):
                continue
            raise InputError(f"{path}: tensor {stored} {list(tensor.shape)} has no place in this {_describe(model)}")
        wanted = places[name]
        if tensor.shape != wanted.shape:
            raise InputError(
                f"{path}: tensor {stored} is {list(tensor.shape)}, but {list(wanted.shape)} in this {_describe(model)}"
            )
        if id(wanted) in found and not torch.equal(found[id(wanted)], tensor):
            raise InputError(f"{path}: tensor {stored} differs from the one that it is tied to in config.json")
        found[id(wanted)] = tensor
    for name, parameter in model.named_parameters():
        if id(parameter) not in found:
            raise InputError(f"{path}: no tensor {name} {list(parameter.shape)}, which this {_describe(model)} needs")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(found[id(parameter)])


def checkpoints(folder: str | Path) -> list[tuple[int, Path]]:
    """The checkpoints `step{n}.safetensors` of a run as (n, path), in the order of training."""
    steps = ((re.fullmatch(r"step(\d+)\.safetensors", path.name), path) for path in Path(folder).iterdir())
    return sorted((int(match[1]), path) for match, path in steps if match)


def load(
    source: str | Path, revision: str | None = None, dtype: str = "float32", device: str = "cpu", attention: str | None = None
) -> tuple[PreTrainedModel, Tokenizer]:
    """A causal language model ready to evaluate, and its tokenizer.

    `source` is a folder (config.json, weights, tokenizer) or a name on the Hub. `revision` is a checkpoint: a branch on the Hub,
    or `step{n}` in the folder of a mini run (default: the last). `attention` is sdpa where the architecture has it, else eager,
    unless given. `device` cuda is the emptiest GPU, or several of them for a model that does not fit on one; auto is cuda where
    there is a GPU, else cpu. `dtype` auto is bfloat16 where the device computes in it, else float32. Each tensor goes straight
    from its memory-mapped file to its place. A missing or ill-fitting part is an InputError that names it.
    """
    device = devices.choose(device)
    dtype = devices.inference_dtype(dtype, device)
    folder = Path(source)
    if not folder.is_dir():
        folder, revision = download(str(source), revision), None
    if not any((folder / name).exists() for name in TOKENIZERS):
        raise InputError(f"{folder}: no tokenizer; one of {', '.join(TOKENIZERS)} must lie beside config.json")
    try:
        config = AutoConfig.from_pretrained(folder)
        # Only parameters wait for their file; buffers are computed here, not stored.
        with no_init_weights(), init_empty_weights(include_buffers=False):
            model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype), attn_implementation=attention)
        model.tie_weights()  # before memory is given, so that tied tensors share it
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: not the folder of a causal language model ({str(error).splitlines()[0]})") from error
    layout = devices.plan(model, device)
    devices.allocate(model, layout)
    reload_weights(model, _weights(folder) if revision is None else folder / f"{revision}.safetensors")
    return devices.connect(model, layout).eval(), tokenizer


def _weights(folder: Path) -> Path:
    for name in WEIGHT_FILES:
        if (folder / name).exists():
            return folder / name
    if steps := checkpoints(folder):
        return steps[-1][1]
    raise InputError(f"{folder}: no weights; one of {', '.join(WEIGHT_FILES)} or step*.safetensors is needed")


def _tensors(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and memory-mapped tensors of a weights file, of all shards of an index, or of what a folder holds."""
    if path.is_dir():
        path = _weights(path)
    try:
        if path.name.endswith(".index.json"):
            for shard in sorted(set(json.loads(path.read_text())["weight_map"].values())):
                yield from _tensors(path.with_name(shard))
        elif path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118 (safe_open is no mapping)
                    yield name, file.get_tensor(name)
        else:
            yield from torch.load(path, map_location="cpu", weights_only=True, mmap=True).items()
    except (OSError, RuntimeError, KeyError, ValueError, SafetensorError, pickle.UnpicklingError) as error:
        raise InputError(f"{path}: not a readable weights file ({str(error).splitlines()[0]})") from error


def _name_in_model(model: PreTrainedModel, stored: str, places: Container[str]) -> str:
    """Published names that differ from the library's: the head of GPT-NeoX, and files saved from the body alone (BLOOM)."""
    if model.config.model_type == "gpt_neox" and stored == "embed_out.weight":
        return "lm_head.weight"
    with_body = f"{model.base_model_prefix}.{stored}"
    return with_body if with_body in places else stored


def _describe(model: PreTrainedModel) -> str:
    config = model.config
    return f"{config.model_type} of {config.num_hidden_layers} layers of width {config.hidden_size}"
