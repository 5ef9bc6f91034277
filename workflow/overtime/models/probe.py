"""Does a model say what is read from it? A probe text through its own code and through the short cuts taken here.

Likelihoods, answers and lenses run a model without its head, and multiply states by the head where something is read. That is
right for a causal language model whose head ends it, up to a known transform: a few tokens show whether a model is one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from overtime import InputError
from overtime.models.logit_transform import LogitTransform, stated_transforms
from overtime.models.neox import Neox

if TYPE_CHECKING:  # the suite's models do without
    from transformers import PreTrainedModel

LENGTH, ALONE = 8, 6  # tokens of the text, and how many of them are read once more by themselves
LOUD = 100.0  # the largest logit after the louder state: any soft cap in use shows
EXACT = 1e-4  # nats
HEADS = (torch.float32, torch.bfloat16, torch.float16, torch.float64)

_known: "WeakKeyDictionary[PreTrainedModel, tuple[list[LogitTransform], LogitTransform]]" = WeakKeyDictionary()


def logit_transform(model: "PreTrainedModel | Neox") -> LogitTransform:
    """What follows the head of a model, which is put into evaluation mode; every reading of a model begins here.

    The first time, a probe text shows that the model is causal and that its own logits are those of the short cut: within 1e-4
    in float32, in half precision within 4 units in their last place. Else an InputError says what it is.
    """
    model.eval()
    if isinstance(model, Neox):
        return LogitTransform()
    stated = stated_transforms(model.config)
    if model not in _known or _known[model][0] != stated:
        _check_parts(model)
        _known[model] = stated, _probe(model, stated)
    return _known[model][1]


def probe_text(model: "PreTrainedModel") -> Tensor:
    """Token ids [2, LENGTH], spread over the vocabulary; the rows differ in the last one."""
    embeddings: Any = model.get_input_embeddings()
    number = len(embeddings.weight)
    ids = torch.tensor([[place * number // (LENGTH + 1) for place in range(1, LENGTH + 1)]] * 2)
    ids[1, -1] = (ids[1, -1] + 1) % number
    return ids.to(model.device)


def kind_of(model: "PreTrainedModel") -> str:
    """How errors call a model."""
    return f"model type {model.config.model_type}"


def apart(found: Tensor, expected: Tensor) -> float:
    """Mean distance of states [..., width] in units of their length; inf if one is not finite or of another shape."""
    found, expected = found.float().cpu(), expected.float().cpu()
    if found.shape != expected.shape:
        return float("inf")
    distance = ((found - expected).norm(dim=-1) / expected.norm(dim=-1)).mean().item()
    return distance if distance < float("inf") else float("inf")


def rounding(dtype: torch.dtype) -> float:
    """How far `apart` states may be that were computed in passes of other shapes; in half precision, experts may change, too."""
    return max(1e-3, 32 * torch.finfo(dtype).eps)


def _check_parts(model: "PreTrainedModel") -> None:
    """Raise an InputError for what can be seen without running a model."""
    name, head = kind_of(model), model.get_output_embeddings()
    if getattr(model.config, "is_encoder_decoder", False):
        raise InputError(f"{name}: an encoder and a decoder; a causal language model is needed")
    if head is None:
        raise InputError(f"{name}: {type(model).__name__} has no head for tokens; a causal language model is needed")
    weight = getattr(head, "weight", None)
    brought = any(hasattr(module, "_hf_hook") for module in model.modules())  # by accelerate, each when it is needed
    if getattr(weight, "is_meta", False) or (not brought and any(parameter.is_meta for parameter in model.parameters())):
        raise InputError(f"{name}: weights are not in memory (device meta); load the head at least without offloading it")
    if not isinstance(weight, Tensor) or weight.dtype not in HEADS:
        kind = f"{type(head).__name__} of {weight.dtype}" if isinstance(weight, Tensor) else type(head).__name__
        raise InputError(f"{name}: its head is {kind}; one of floating-point numbers is needed, not quantised")


@torch.inference_mode()
def _probe(model: "PreTrainedModel", transforms: list[LogitTransform]) -> LogitTransform:
    name = kind_of(model)
    with somebody_elses_code(f"{name}: cannot be read as a trunk and a head; a causal language model is needed"):
        text = probe_text(model)
        state, products, logits = _whole(model, text)
        alone = model.base_model(text[:1, :ALONE], use_cache=False).last_hidden_state[0]
    if not (state.isfinite().all() and logits.isfinite().all()):
        raise InputError(f"{name}: logits of a probe text are not finite; look at the weights")
    if apart(state[1, :-1], state[0, :-1]) > max(1e-3, 4 * torch.finfo(state.dtype).eps):
        raise InputError(f"{name}: a token changes what is read before it, as in a masked model; a causal one is needed")
    # Some multiply by a factor before the head.
    before = [factor for factor, _ in transforms if apart(state[0, :ALONE] / factor, alone) <= rounding(state.dtype)]
    if not before:
        raise InputError(f"{name}: its head does not read the last state of its trunk; such a model cannot be used here")
    for transform in transforms:
        after = LogitTransform(transform.factor / before[0], transform.cap)
        if torch.allclose(after(products), logits, rtol=4 * torch.finfo(products.dtype).eps, atol=EXACT):
            return transform
    distance = (transforms[0](products) - logits).abs().max()
    raise InputError(
        f"{name}: its logits of a probe text are up to {distance:.2g} away from states times head; "
        "what else it does to them is not known here"
    )


def _whole(model: "PreTrainedModel", text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the head of the whole model gets [2, LENGTH, width], its products with the head, and the model's logits after them.

    States of the second row are stretched on their way into the head until the largest of their products is `LOUD`.
    """
    seen: list[tuple[Tensor, Tensor]] = []
    head: Any = model.get_output_embeddings()

    def stretch(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        [state] = inputs
        largest = linear(state[1].to(head.weight), head.weight).abs().max().to(state)
        most = torch.finfo(state.dtype).max / 4 / state[1].abs().max()
        louder = torch.stack([state[0], state[1] * torch.minimum(LOUD / largest, most)])
        seen.append((state, linear(louder.to(head.weight), head.weight, head.bias)))
        return (louder,)

    hook = head.register_forward_pre_hook(stretch)
    try:
        logits = model(text, use_cache=False).logits
    finally:
        hook.remove()
    [(state, products)] = seen
    return state, products, logits.to(products.device).float()


@contextmanager
def somebody_elses_code(failing: str) -> Iterator[None]:
    """Turn any error inside, but the lack of memory, into an InputError that says what is `failing`."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{failing} ({reason})") from error
