"""The translators of a tuned lens: one affine map per layer, from its residual stream to the stream before the final norm.

Belrose et al. 2023 (arXiv 2303.08112): the translated stream is h + W h + b; the model's own final norm and unembedding follow.
`overtime.models.tuned_lens_fit` fits them.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

from overtime import InputError
from overtime.files import atomic
from overtime.models.anatomy import anatomy

UNREADABLE = (OSError, EOFError, KeyError, TypeError, RuntimeError, json.JSONDecodeError, UnpicklingError, SafetensorError)


@dataclass(frozen=True)
class Translators:
    """Translators of every layer but the last, which needs none.

    `weight` [layers, width, width] and `bias` [layers, width], float32; entry i belongs to layer i of `residual_stream`.
    `unembedding` is the hash of the unembedding matrix of the model that they belong to.
    """

    weight: Tensor
    bias: Tensor
    unembedding: str

    def __call__(self, stream: Tensor) -> Tensor:
        """Translate a residual stream [sites, layers + 1, width] (float32); the last layer stays as it is."""
        inner = stream[:, :-1].transpose(0, 1)
        moved = inner + torch.baddbmm(self.bias[:, None], inner, self.weight.transpose(1, 2))
        return torch.cat([moved.transpose(0, 1), stream[:, -1:]], dim=1)

    def to(self, device: torch.device) -> "Translators":
        return Translators(self.weight.to(device), self.bias.to(device), self.unembedding)

    def check(self, model: PreTrainedModel, name: str = "translators") -> None:
        """Raise an InputError, which begins with `name`, if they belong to another model."""
        parts = anatomy(model)
        needed = (len(parts.blocks), parts.width, parts.width)
        if self.weight.shape != needed:
            raise InputError(f"{name}: weights are {list(self.weight.shape)}, but this model needs {list(needed)}")
        if self.unembedding != unembedding_hash(model):
            raise InputError(f"{name}: fitted to another model (its unembedding differs); fit translators to this one")

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, atomically."""
        with atomic(path) as temporary:
            save_file({"weight": self.weight, "bias": self.bias}, temporary, metadata={"unembedding": self.unembedding})


def load_translators(path: str | Path, model: PreTrainedModel) -> Translators:
    """Read the file of `Translators.save`, or a folder in the published layout; InputError if broken or of another model.

    The published layout (github AlignmentResearch/tuned-lens) is params.pt, with "0.weight" and "0.bias" for what enters the
    first block and so on, beside config.json with a hash of the unembedding.
    """
    path = Path(path)
    try:
        translators = _read_published(path, model) if path.is_dir() else _read_own(path)
    except UNREADABLE as error:
        raise InputError(f"{path}: not readable as translators ({str(error).splitlines()[0]})") from error
    translators.check(model, str(path))
    return translators


def unembedding_hash(model: PreTrainedModel) -> str:
    """SHA-256 of the unembedding matrix rounded to bfloat16, so that it does not depend on the type a model was loaded in."""
    weight = model.get_output_embeddings().weight.detach().to("cpu", torch.bfloat16).contiguous()
    return hashlib.sha256(weight.view(torch.int16).numpy()).hexdigest()


def _read_own(path: Path) -> Translators:
    with safe_open(path, "pt") as file:
        return Translators(file.get_tensor("weight"), file.get_tensor("bias"), file.metadata()["unembedding"])


def _read_published(folder: Path, model: PreTrainedModel) -> Translators:
    """Its hash is of the unembedding as numpy prints it with one decimal; compared in that form, then replaced by ours."""
    config = json.loads((folder / "config.json").read_text())
    stored = torch.load(folder / "params.pt", map_location="cpu", weights_only=True)
    printed = np.array_str(model.get_output_embeddings().weight.detach().float().cpu().numpy(), precision=1)
    if config.get("unembed_hash") not in (None, hashlib.sha256(printed.encode()).hexdigest()):
        raise InputError(f"{folder}: translators of another model (the unembedding hash in config.json differs)")
    layers = range(len(stored) // 2)
    weight = torch.stack([stored[f"{layer}.weight"].float() for layer in layers])
    bias = torch.stack([stored[f"{layer}.bias"].float() for layer in layers])
    return Translators(weight, bias, unembedding_hash(model))
