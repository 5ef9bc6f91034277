"""The weights of one checkpoint: written, and put in the place of another's.

Loading is strict both ways: a loader that skips tensors which it does not know leaves random weights, and scores mean nothing.
"""

import json
import pickle
import re
import zipfile
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from overtime import InputError
from overtime.files import atomic, refuse_impostor
from overtime.models.expert_weights import merge_experts
from overtime.models.logit_transform import text_config

WEIGHT_FILES = ("model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin")
STORED = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
# Causal masks and rotary tables that old files store beside the weights; the architecture computes them itself.
COMPUTED = re.compile(r"\.(self_attn|attention|attn)\.((attention\.)?(masked_)?bias|rotary_emb\.inv_freq|embed_positions)$")

# Keys under which trainers keep a model's tensors, in the order in which one lies in the other.
WRAPPERS = ("checkpoint", "state_dict", "model_state_dict", "model", "module")
WRAPPED = re.compile(r"^((module|_orig_mod|_forward_module|_fsdp_wrapped_module)\.)+")  # before the names of a wrapped model
# What damaged files make torch, safetensors and json raise.
DAMAGES = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    EOFError,
    TypeError,
    AttributeError,
    IndexError,
    SafetensorError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


class Model(Protocol):
    """What is needed of a model here: its parameters by name, and what config.json says of it."""

    config: Any
    base_model_prefix: str

    def parameters(self) -> Iterator[nn.Parameter]: ...
    def named_parameters(self, *, remove_duplicate: bool = ...) -> Iterator[tuple[str, nn.Parameter]]: ...


def save_weights(model: Model, path: str | Path) -> None:
    """Write the weights of one checkpoint as safetensors; a tensor that serves in two places is written once.

    InputError, and no file, if a tensor is not finite.
    """
    for name, parameter in model.named_parameters():
        if not is_finite(parameter.detach()):
            raise InputError(f"{path}: tensor {name} has become NaN or infinite")
    with atomic(path) as temporary:
        save_file({name: value.detach().contiguous() for name, value in model.named_parameters()}, temporary, {"format": "pt"})


def reload_weights(model: Model, path: str | Path) -> None:
    """Copy the weights of a checkpoint into `model`, which keeps its own dtype and device.

    `path` is a safetensors or `pytorch_model.bin` file, the index of a sharded one, or the folder of either. Every tensor of the
    model must be there in its shape, finite in the model's type, and no other; else an InputError names the tensor and the model
    stays as it was.
    """
    path = weights_file(Path(path)) if Path(path).is_dir() else Path(path)
    places = dict(model.named_parameters(remove_duplicate=False))  # a tied tensor under each of its names
    found: dict[int, torch.Tensor] = {}
    for stored, tensor in merge_experts(_tensors(path), places):
        name = _name_in_model(model, stored, places)
        if name not in places:
            if COMPUTED.search(stored):
                continue
            raise InputError(f"{path}: tensor {stored} {list(tensor.shape)} has no place in this {_describe(model)}")
        if tensor.dtype not in STORED:
            raise InputError(f"{path}: tensor {stored} is {tensor.dtype}; weights that are not quantised are needed")
        wanted = places[name]
        if tensor.shape != wanted.shape:
            raise InputError(
                f"{path}: tensor {stored} is {list(tensor.shape)}, but {list(wanted.shape)} in this {_describe(model)}"
            )
        if not is_finite(tensor, wanted.dtype):
            raise InputError(f"{path}: tensor {stored} is not finite in {wanted.dtype}; the file is spoilt, or needs float32")
        if id(wanted) in found and not torch.equal(found[id(wanted)], tensor):
            raise InputError(f"{path}: tensor {stored} differs from the one that it is tied to in config.json")
        found[id(wanted)] = tensor
    for name, parameter in model.named_parameters():
        if id(parameter) not in found:
            raise InputError(f"{path}: no tensor {name} {list(parameter.shape)}, which this {_describe(model)} needs")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(found[id(parameter)])


def is_finite(tensor: torch.Tensor, dtype: torch.dtype | None = None) -> bool:
    """Whether all numbers of a tensor are finite, in its own type or in another; takes as long as a copy."""
    if not tensor.numel():
        return True
    least, most = (tensor if tensor.element_size() > 1 else tensor.float()).aminmax()
    greatest = torch.finfo(dtype or tensor.dtype).max
    return -greatest <= least.item() and most.item() <= greatest


def checkpoints(folder: str | Path) -> list[tuple[int, Path]]:
    """The checkpoints `step{n}.safetensors` of a run as (n, path), in the order of training."""
    steps = ((re.fullmatch(r"step(\d+)\.safetensors", path.name), path) for path in Path(folder).iterdir())
    return sorted((int(match[1]), path) for match, path in steps if match)


def weights_file(folder: Path) -> Path:
    """The weights in a folder, whole or the index of a sharded file, or the last checkpoint of a run; InputError if none."""
    for name in WEIGHT_FILES:
        if (folder / name).exists():
            return folder / name
    if steps := checkpoints(folder):
        return steps[-1][1]
    raise InputError(f"{folder}: no weights; one of {', '.join(WEIGHT_FILES)} or step*.safetensors is needed")


def _tensors(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and memory-mapped tensors of a weights file, of all shards of an index, or of what a folder holds."""
    if path.is_dir():
        path = weights_file(path)
    refuse_impostor(path)
    try:
        if path.name.endswith(".index.json"):
            for shard in sorted(set(json.loads(path.read_text())["weight_map"].values())):
                yield from _tensors(path.with_name(shard))
        elif path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                for name in file.keys():  # noqa: SIM118 (safe_open is no mapping)
                    yield name, file.get_tensor(name)
        else:
            # Only the zip files of torch since 1.6 can be mapped.
            stored = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
            yield from _state_dict(stored, path).items()
    except InputError:
        raise
    except DAMAGES as error:
        raise InputError(f"{path}: not a readable weights file ({(str(error) or 'it ends too soon').splitlines()[0]})") from error


def _state_dict(stored: object, path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of a pickled file, which may lie in it under a key beside an optimizer's state, an epoch and the like."""
    for name in WRAPPERS:
        if isinstance(stored, Mapping) and isinstance(stored.get(name), Mapping):
            stored = stored[name]
    if not isinstance(stored, Mapping) or not stored:
        raise InputError(f"{path}: holds a {type(stored).__name__}, expected names and tensors")
    for name, value in stored.items():
        if not isinstance(value, torch.Tensor):
            kind = type(value).__name__
            raise InputError(f"{path}: {name} is a {kind}, expected a tensor; save the state_dict of the model alone")
    return stored


def _name_in_model(model: Model, stored: str, places: Container[str]) -> str:
    """Published names that differ from the library's: the head of GPT-NeoX, files saved from the body alone (BLOOM), and from a
    model that a trainer or a compiler had wrapped."""
    unwrapped = WRAPPED.sub("", stored)
    for name in (stored, unwrapped, unwrapped.removeprefix("model.")):
        if model.config.model_type == "gpt_neox" and name == "embed_out.weight":
            return "lm_head.weight"
        for place in (name, f"{model.base_model_prefix}.{name}"):
            if place in places:
                return place
    return stored


def _describe(model: Model) -> str:
    config = text_config(model.config)
    return f"{model.config.model_type} of {config.num_hidden_layers} layers of width {config.hidden_size}"
