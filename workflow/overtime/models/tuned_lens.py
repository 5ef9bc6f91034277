"""The translators of a tuned lens: one affine map per layer, from its residual stream to the stream before the final norm.

Belrose et al. 2023 (arXiv 2303.08112): the translated stream is h + W h + b; the model's own final norm and unembedding follow.
`overtime.models.tuned_lens_fit` fits them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

from overtime import InputError
from overtime.files import atomic
from overtime.models.anatomy import anatomy
from overtime.models.lens_owner import fingerprint, published_hashes, same_weights
from overtime.models.weights import is_finite

UNREADABLE = (OSError, EOFError, KeyError, TypeError, RuntimeError, json.JSONDecodeError, UnpicklingError, SafetensorError)


@dataclass(frozen=True)
class Translators:
    """Translators of every layer but the last, which needs none.

    `weight` [layers, width, width] and `bias` [layers, width], float32; entry i belongs to layer i of `residual_stream`.
    `owner` is the `fingerprint` of the model that they belong to.
    """

    weight: Tensor
    bias: Tensor
    owner: Tensor

    def __call__(self, stream: Tensor) -> Tensor:
        """Translate a residual stream [sites, layers + 1, width] (float32); the last layer stays as it is."""
        inner = stream[:, :-1].transpose(0, 1)
        moved = inner + torch.baddbmm(self.bias[:, None], inner, self.weight.transpose(1, 2))
        return torch.cat([moved.transpose(0, 1), stream[:, -1:]], dim=1)

    def to(self, device: torch.device) -> "Translators":
        return Translators(self.weight.to(device), self.bias.to(device), self.owner)

    def check(self, model: PreTrainedModel, name: str = "translators") -> None:
        """Raise an InputError, which begins with `name`, if they belong to another model or are not finite."""
        parts = anatomy(model)
        needed = (len(parts.blocks), parts.width, parts.width)
        if self.weight.shape != needed:
            raise InputError(f"{name}: weights are {list(self.weight.shape)}, but this model needs {list(needed)}")
        if not same_weights(self.owner, fingerprint(model)):
            raise InputError(f"{name}: fitted to another model (its weights differ); fit translators to this one")
        self.check_finite(name)

    def check_finite(self, name: str) -> None:
        """Raise an InputError, which begins with `name`, for the first layer whose translator is not finite."""
        for layer, tensors in enumerate(zip(self.weight, self.bias)):
            if not all(map(is_finite, tensors)):
                raise InputError(f"{name}: the translator of layer {layer} holds NaN or infinity; fit translators again")

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, atomically; InputError for translators that are not finite."""
        self.check_finite(str(path))
        with atomic(path) as temporary:
            save_file({"weight": self.weight, "bias": self.bias, "owner": self.owner}, temporary)


def load_translators(path: str | Path, model: PreTrainedModel) -> Translators:
    """Read the file of `Translators.save`, or a folder in the published layout; InputError if broken or of another model.

    The published layout (github AlignmentResearch/tuned-lens) is params.pt, with "0.weight" and "0.bias" for what enters the
    first block and so on, beside config.json with a hash of the unembedding, without which it could be any model's.
    """
    path = Path(path)
    try:
        translators = _read_published(path, model) if path.is_dir() else _read_own(path)
    except UNREADABLE as error:
        raise InputError(f"{path}: not readable as translators ({str(error).splitlines()[0]})") from error
    translators.check(model, str(path))
    return translators


def _read_own(path: Path) -> Translators:
    with safe_open(path, "pt") as file:
        if "owner" not in file.keys():  # noqa: SIM118 (safe_open is no mapping)
            raise InputError(f"{path}: does not say whose translators they are (an older version's file?); fit them again")
        return Translators(file.get_tensor("weight"), file.get_tensor("bias"), file.get_tensor("owner"))


def _read_published(folder: Path, model: PreTrainedModel) -> Translators:
    """Its hash is compared with those of this model's unembedding, then replaced by our own fingerprint."""
    config = json.loads((folder / "config.json").read_text())
    stored = torch.load(folder / "params.pt", map_location="cpu", weights_only=True)
    if not (known := config.get("unembed_hash")):
        raise InputError(f"{folder}: no unembed_hash in config.json; these may be any model's translators, fit some to this one")
    if known not in published_hashes(model.get_output_embeddings().weight):
        raise InputError(f"{folder}: translators of another model (the unembedding hash in config.json differs)")
    layers = range(len(stored) // 2)
    weight = torch.stack([stored[f"{layer}.weight"].float() for layer in layers])
    bias = torch.stack([stored[f"{layer}.bias"].float() for layer in layers])
    return Translators(weight, bias, fingerprint(model))
