"""What a model makes of its head's products before they are its logits: nothing, a factor, a soft cap, or both.

Every element is changed by itself, and order is kept: parts of a vocabulary can be read apart.
"""

from itertools import product
from typing import Any, NamedTuple

import torch
from torch import Tensor

# Where configurations of transformers keep them. Some multiply by a factor of this name, others divide by it or ignore it.
FACTORS = ("logit_scale", "logits_scaling", "lm_head_multiplier")
CAPS = ("final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap")


class LogitTransform(NamedTuple):
    """logits = cap * tanh(factor * product / cap), or factor * product without a cap."""

    factor: float = 1.0
    cap: float | None = None

    def __call__(self, products: Tensor) -> Tensor:
        """Logits, in float32, of the products of states and rows of the head, in any shape."""
        logits = products.float()
        if self.factor != 1:
            logits = logits * self.factor
        return logits if self.cap is None else self.cap * torch.tanh(logits / self.cap)


def text_config(config: Any) -> Any:
    """The part of a configuration that is about the language model, where another model is around it."""
    return config.get_text_config() if hasattr(config, "get_text_config") else config


def stated_transforms(config: Any) -> list[LogitTransform]:
    """What the configuration may mean, each with all that it states before those that leave something out."""
    stated = text_config(config)
    factor, cap = _number(stated, FACTORS) or 1.0, _number(stated, CAPS)
    return list(dict.fromkeys(LogitTransform(*both) for both in product((factor, 1 / factor, 1.0), (cap, None))))


def _number(config: Any, names: tuple[str, ...]) -> float | None:
    """The first of these that is stated, and more than 0."""
    values = (getattr(config, name, None) for name in names)
    return next((float(value) for value in values if isinstance(value, int | float) and value > 0), None)
