"""Where a model runs and with which numbers: device, precision, several GPUs for one model, tokens in one forward pass."""

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, Self, TypeVar, cast

import torch
from accelerate import dispatch_model, infer_auto_device_map
from torch import nn

from overtime import InputError
from overtime.models.logit_transform import text_config

if TYPE_CHECKING:  # the suite's models do without
    from transformers import PreTrainedModel

    from overtime.models.neox import Neox


class Sliceable(Protocol):
    """What can be counted and sliced, as a list can."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice, /) -> Self: ...


Rows = TypeVar("Rows", bound=Sliceable)
Computed = TypeVar("Computed")
Layout = dict[str, str | int]  # name of a module, "" for the whole model -> "cpu" or the number of a GPU

FOR_WEIGHTS = 0.9  # share of a GPU's free memory that weights may take
CPU_TOKENS = 1024  # in one forward pass; more gain nothing
MOST_TOKENS = 1 << 16  # on a GPU, busy long before
ACTIVATIONS = 24  # vectors of the model's width that one layer holds at once for a token: residual, attention, MLP, their copies
LOGITS = 1 << 16  # bytes for a token's part of the vocabulary, in single precision


def choose(setting: str) -> str:
    """Resolve "auto" to cuda where there is a GPU, else cpu."""
    available = torch.cuda.is_available()
    if setting == "cuda" and not available:
        raise InputError("device cuda: torch finds no GPU; set device to auto or cpu, or install a build of torch for this GPU")
    return ("cuda" if available else "cpu") if setting == "auto" else setting


def free_memory() -> dict[int, int]:
    """Bytes that this process can still use on each GPU."""
    # What torch has reserved but not allocated is in use for the driver, and free for this process.
    return {
        gpu: torch.cuda.mem_get_info(gpu)[0] + torch.cuda.memory_reserved(gpu) - torch.cuda.memory_allocated(gpu)
        for gpu in range(torch.cuda.device_count())
    }


def plan(model: "PreTrainedModel", device: str) -> Layout:
    """Where the parts of a model, which may still be on `meta`, go: on the CPU, on the emptiest GPU, or over several GPUs.

    Layers stay whole, and tied weights together. A model that does not fit is an InputError.
    """
    if device == "cpu":
        return {"": "cpu"}
    room = {gpu: int(FOR_WEIGHTS * free) for gpu, free in free_memory().items()}
    emptiest = max(room, key=room.__getitem__)
    size = sum(parameter.nbytes for parameter in model.parameters())
    if size <= room[emptiest]:
        return {"": emptiest}
    with warnings.catch_warnings(action="ignore"):  # of what may not fit: that is an error here
        layout = dict(infer_auto_device_map(model, room, no_split_module_classes=list(model._no_split_modules or ())))
    if not set(layout.values()) <= set(room):
        held = ", ".join(f"{bytes_ / 1e9:.1f}" for bytes_ in room.values())
        raise InputError(f"the weights take {size / 1e9:.1f} GB, but the GPUs have room for {held} GB; ask for more GPUs")
    return layout


def allocate(model: "PreTrainedModel", layout: Layout) -> None:
    """Give every parameter that is on `meta` memory in its place; one that is tied to another shares it."""
    made: dict[int, nn.Parameter] = {}
    for path, module in model.named_modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                empty = torch.empty_like(parameter, device=device_of(f"{path}.{name}", layout))
                module._parameters[name] = made.setdefault(id(parameter), nn.Parameter(empty))


def device_of(name: str, layout: Layout) -> str | int:
    """The place of a tensor: that of the longest part of its name in the layout."""
    parts = name.split(".")
    return next(layout[start] for n in range(len(parts), -1, -1) if (start := ".".join(parts[:n])) in layout)


def connect(model: "PreTrainedModel", layout: Layout) -> "PreTrainedModel":
    """Bring buffers to their parameters, and inputs from GPU to GPU where the model lies on several."""
    if "" in layout:
        whole: nn.Module = model  # whose own `to` is wrapped by one that has lost its types
        return cast("PreTrainedModel", whole.to(layout[""]))
    return cast("PreTrainedModel", dispatch_model(model, layout, skip_keys=model._skip_keys_device_placement))


def tokens_at_once(model: "PreTrainedModel | Neox") -> int:
    """Tokens in one forward pass, padding included: on GPUs, as many as fit into half of the free memory.

    A token takes its part of the cache (2 vectors a layer), the activations of one layer, and its logits of a part of the
    vocabulary. The estimate may fail, by long prompts in eager attention or others on the same GPU: see `within_memory`.
    """
    if model.device.type == "cpu":
        return CPU_TOKENS
    config, free = text_config(model.config), free_memory()
    least = min(free[gpu] for gpu in {parameter.device.index for parameter in model.parameters()})
    vectors = 2 * config.num_hidden_layers + ACTIVATIONS
    token = model.dtype.itemsize * config.hidden_size * vectors + LOGITS
    return min(int(least / 2 / token), MOST_TOKENS)


def within_memory(compute: Callable[[Rows], Computed], rows: Rows) -> Iterator[Computed]:
    """Yield compute(rows); if the device runs out of memory, the results of halves."""
    try:
        yield compute(rows)
        return
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise InputError("one sequence alone does not fit into the memory of the device; use a larger GPU") from None
    torch.cuda.empty_cache()  # outside of the handler, whose traceback keeps the failed pass in memory
    middle = len(rows) // 2
    yield from within_memory(compute, rows[:middle])
    yield from within_memory(compute, rows[middle:])
