"""Weights of mixtures of experts: files hold a tensor for each expert, models one for all experts of a layer."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

# The names of Mixtral, and those of Qwen, OLMoE and their kin.
EXPERT = re.compile(r"(.+)\.(?:block_sparse_moe|mlp)\.experts\.(\d+)\.(w[123]|(?:gate|up|down)_proj)\.weight")
# Where a model keeps them: gates before what they are multiplied with, one below the other.
PLACES = {"w1": ("gate_up_proj", 0), "w3": ("gate_up_proj", 1), "w2": ("down_proj", 0)}
PLACES |= {"gate_proj": PLACES["w1"], "up_proj": PLACES["w3"], "down_proj": PLACES["w2"]}


def merge_experts(tensors: Iterable[tuple[str, Tensor]], places: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Tensors of a file with those of experts merged, if `places`, the model's own, have them so; all others as they are.

    `gate_up_proj` is [experts, 2 * inner, width] and `down_proj` [experts, width, inner]. A set that is not complete is left out.
    """
    collected: dict[str, dict[tuple[int, int], Tensor]] = defaultdict(dict)
    for name, tensor in tensors:
        match = None if name in places else EXPERT.fullmatch(name)
        merged, half = PLACES[match[3]] if match else ("", 0)
        place = f"{match[1]}.mlp.experts.{merged}" if match else name.replace(".block_sparse_moe.", ".mlp.")
        if not match or place not in places:
            yield place if place in places else name, tensor
            continue
        number, rows, width = places[place].shape
        halves = 1 + (merged == "gate_up_proj")
        if int(match[2]) >= number or tensor.shape != (rows // halves, width):
            yield name, tensor  # which has no place
            continue
        parts = collected[place]
        parts[int(match[2]), half] = tensor
        if len(parts) == number * halves:
            yield place, torch.stack([torch.cat([parts[expert, one] for one in range(halves)]) for expert in range(number)])
            parts.clear()
