"""Numbers that a model says: refused where they are not finite, before they are compared, sorted or averaged."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from overtime import InputError

REMEDY = "the model's numbers overflow (load it in float32) or its weights are spoilt"


def check_logits(logits: Tensor) -> None:
    """Raise InputError if a row of logits [rows, vocabulary] has no finite greatest one: NaN would be the likeliest token of all.

    Single tokens may be ruled out by -inf.
    """
    if not logits.amax(-1).isfinite().all():
        raise InputError(f"logits after a prompt are NaN or infinite; {REMEDY}")


def check_scores(scores: np.ndarray, name: Callable[[int], str]) -> None:
    """Raise InputError, which begins with the `name` of the first such row, if a score [rows, ...] is not finite.

    A log-probability of -inf is refused as well. Probabilities are taken in float32 or finer from the logits, so no finite logits
    make one, and its difference to another would be infinite or NaN.
    """
    bad = ~np.isfinite(scores.reshape(len(scores), -1)).all(1)
    if bad.any():
        row = int(bad.argmax())
        values = scores[row].ravel()
        raise InputError(f"{name(row)} is {values[~np.isfinite(values)][0]}; {REMEDY}")
