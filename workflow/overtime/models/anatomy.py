"""The parts of a language model that a lens needs, found by watching it read a probe text, and their readout into logits."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import torch
from accelerate.hooks import remove_hook_from_module
from torch import Tensor, nn
from transformers import PreTrainedModel

from overtime import InputError
from overtime.models.logit_transform import LogitTransform, text_config
from overtime.models.probe import kind_of, logit_transform, probe_text

# Names of the blocks and of the final norm in the trunk, and the width of the stream.
_known: "WeakKeyDictionary[PreTrainedModel, tuple[str, str | None, int]]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Anatomy:
    """logits = transform(unembedding(norm(last block's output))); the stream between blocks has `width` numbers a token."""

    blocks: nn.ModuleList
    norm: nn.Module
    unembedding: nn.Linear
    transform: LogitTransform
    width: int


@dataclass(frozen=True)
class Readout:
    """Final norm in float32, then unembedding: of the whole vocabulary in the model's type, or of some tokens in float32."""

    norm: nn.Module
    weight: Tensor
    bias: Tensor | None
    transform: LogitTransform

    @classmethod
    def of(cls, parts: Anatomy, tokens: list[int] | None = None) -> "Readout":
        weight, own = parts.unembedding.weight.detach(), parts.unembedding.bias
        # A copy, since the model's own keeps its type; without accelerate's hook, which serves the original's place.
        norm = remove_hook_from_module(copy.deepcopy(parts.norm)).to(weight.device, torch.float32).requires_grad_(False)
        bias = None if own is None else own.detach()
        if tokens is None:
            return cls(norm, weight, bias, parts.transform)
        return cls(norm, weight[tokens].float(), None if bias is None else bias[tokens].float(), parts.transform)

    def __call__(self, stream: Tensor) -> Tensor:
        """Logits [..., tokens] of a residual stream [..., width], both float32."""
        return self.transform(nn.functional.linear(self.norm(stream).to(self.weight.dtype), self.weight, self.bias))


def anatomy(model: PreTrainedModel) -> Anatomy:
    """Find the parts of a model, which is put into evaluation mode.

    They are those through which a probe text goes: the one list of as many blocks as the configuration says, each of which gets
    what the one before it returns, and the module that makes the trunk's last state of that. InputError if there are none.
    """
    transform = logit_transform(model)
    if model not in _known:
        _known[model] = _find(model)
    blocks, norm, width = _known[model]
    trunk = model.base_model
    found: Any = trunk.get_submodule(blocks)
    last = nn.Identity() if norm is None else trunk.get_submodule(norm)
    return Anatomy(found, last, model.get_output_embeddings(), transform, width)


def stream_in(inputs: tuple[Any, ...], named: dict[str, Any]) -> Tensor | None:
    """The residual stream that a block is called with: the first tensor."""
    return next((value for value in (*inputs, *named.values()) if isinstance(value, Tensor)), None)


def stream_out(output: Any) -> Tensor | None:
    """The residual stream that a block returns: its output, or the first one of several."""
    return output if isinstance(output, Tensor) else stream_in(tuple(output), {}) if isinstance(output, tuple) else None


def _find(model: PreTrainedModel) -> tuple[str, str | None, int]:
    """Names of blocks and norm, None where the last block's output is the trunk's, and the width of the stream."""
    number, trunk = text_config(model.config).num_hidden_layers, model.base_model
    lists = [name for name, part in trunk.named_modules() if isinstance(part, nn.ModuleList) and len(part) == number]
    inner = tuple(f"{name}.{place}." for name in lists for place in range(number))
    with _watching({name: part for name, part in trunk.named_modules() if name and not name.startswith(inner)}) as seen:
        state = trunk(probe_text(model)[:1], use_cache=False).last_hidden_state.cpu()
    chains = [name for name in lists if _is_chain([seen[f"{name}.{place}"] for place in range(number)], state)]
    if len(chains) != 1:
        raise InputError(
            f"{kind_of(model)}: no lens for this architecture, in which {len(chains)} lists of {number} blocks "
            "hand on a residual stream; there must be one"
        )
    [(_, last)] = seen[f"{chains[0]}.{number - 1}"]
    if torch.equal(last, state):
        return chains[0], None, last.shape[-1]
    for name, runs in seen.items():
        if any(torch.equal(got, last) and torch.equal(returned, state) for got, returned in runs):
            return chains[0], name, last.shape[-1]
    raise InputError(f"{kind_of(model)}: no lens for this architecture, in which more than a norm follows the blocks")


def _is_chain(runs: list[list[tuple[Tensor, Tensor]]], state: Tensor) -> bool:
    """Did each block run once, on what the one before it returned? `state` is the trunk's last one."""
    if any(len(run) != 1 or run[0][1].shape[:-1] != state.shape[:-1] for run in runs):
        return False
    return all(torch.equal(before[0][1], after[0][0]) for before, after in pairwise(runs))


@contextmanager
def _watching(modules: dict[str, nn.Module]) -> Iterator[dict[str, list[tuple[Tensor, Tensor]]]]:
    """Collect copies of what every module got and returned, each time that it runs while the context lasts."""
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in modules}

    def keep(name: str, _: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        got, returned = stream_in(inputs, named), stream_out(output)
        if got is not None and returned is not None:
            seen[name].append((got.cpu().clone(), returned.cpu().clone()))

    hooks = [module.register_forward_hook(partial(keep, name), with_kwargs=True) for name, module in modules.items()]
    try:
        with torch.inference_mode():
            yield seen
    finally:
        for hook in hooks:
            hook.remove()
