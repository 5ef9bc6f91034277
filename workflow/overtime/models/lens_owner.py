"""Which model a lens belongs to: by a sample of its weights, or by the hash that the published layout has."""

import hashlib
from collections.abc import Iterator
from itertools import islice, product

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

SAMPLED = 64  # values of each parameter
GOLDEN = (5**0.5 - 1) / 2  # its multiples, whole parts left out, are spread evenly over [0, 1)
# What loading in float32, float16 or bfloat16 may change: twice bfloat16's rounding, and the half of float16's smallest step.
RELATIVE, ABSOLUTE = 2**-7, 2**-25
SHOWN, PRINTED_WHOLE = 3, 1000  # numpy prints so many rows and columns at each end of a matrix with more numbers than this
MOST_VARIANTS = 4096


def fingerprint(model: PreTrainedModel) -> Tensor:
    """Values of every parameter at fixed places [values], float32."""
    spread = torch.arange(1, SAMPLED + 1, dtype=torch.float64) * GOLDEN % 1
    parameters = [parameter.detach().reshape(-1) for parameter in model.parameters()]
    return torch.cat([flat[(spread * len(flat)).long().to(flat.device)].float().cpu() for flat in parameters])


def same_weights(one: Tensor, other: Tensor) -> bool:
    """Whether two fingerprints are of the same weights, in whatever types they were loaded.

    Each value must agree to less than a hundredth of itself: another checkpoint of the same training moves many values further.
    """
    if one.shape != other.shape:
        return False
    return bool(((one - other).abs() <= RELATIVE * torch.maximum(one.abs(), other.abs()) + ABSOLUTE).all())


def published_hashes(unembedding: Tensor) -> Iterator[str]:
    """Hashes that github AlignmentResearch/tuned-lens gives a model: SHA-256 of its matrix as numpy prints it with one decimal.

    One for each way in which it may print in another type than the one it was loaded in, at most `MOST_VARIANTS`.
    """
    whole, printed = unembedding.numel() <= PRINTED_WHOLE, unembedding.detach()
    for axis, size in enumerate(printed.shape):
        if not whole and size > 2 * SHOWN:  # only the ends are printed, and dots, for which one row or column stands here
            ends = torch.tensor([*range(SHOWN + 1), *range(size - SHOWN, size)])
            printed = printed.index_select(axis, ends.to(printed.device))
    printed = printed.cpu()
    for loaded in (torch.float32, torch.float16, torch.bfloat16):
        yield _hash(printed.to(loaded).float().numpy(), whole)
    if printed.dtype == torch.float32 or whole:
        return
    for variant in islice(_unrounded(printed), MOST_VARIANTS):
        yield _hash(variant, whole)


def _unrounded(matrix: Tensor) -> Iterator[np.ndarray]:
    """Matrices that `matrix` may have been rounded from, one for each way in which they print."""
    values = matrix.float().numpy()
    # Half a step of the type at each value: that far away a number may have been.
    reach = np.ldexp(torch.finfo(matrix.dtype).eps / 4, np.frexp(values)[1])
    open_places = []
    for place in np.ndindex(values.shape):
        ends = [_moved(values, place, values[place] + side * reach[place]) for side in (-1, 1)]
        if len({_hash(end, False) for end in ends}) > 1:
            open_places.append([(place, end[place]) for end in ends])
    for choice in product(*open_places):
        variant = values.copy()
        for place, value in choice:
            variant[place] = value
        yield variant


def _moved(values: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    moved = values.copy()
    moved[place] = value
    return moved


def _hash(matrix: np.ndarray, whole: bool) -> str:
    printed = np.array2string(matrix, precision=1, threshold=matrix.size if whole else 0, edgeitems=SHOWN)
    return hashlib.sha256(printed.encode()).hexdigest()
