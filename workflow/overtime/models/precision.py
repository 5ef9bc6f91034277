"""float32 or bfloat16: which one multiplies matrices faster, measured where the models run.

A processor may have instructions for bfloat16 and yet be slower in it, and the other way round; so the setting `auto` asks a
stopwatch, once a run for all widths, and every step of the run then uses the same table.
"""

import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import torch

from overtime import InputError

logger = logging.getLogger(__name__)
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
WIDTHS = (128, 256, 512, 1024, 2048)  # of models; the nearest one stands for a model's own
ROWS = 512  # tokens in the product, as in a step of the suite and in half a pass of inference
SECONDS = 0.03  # each precision is timed so long at each width, in turns
TURNS = 3


class Timing(TypedDict):
    """GFLOP/s of both precisions at one width, and the faster one."""

    width: int
    float32: float
    bfloat16: float
    chosen: str


def choose_precision(setting: str, width: int, device: str, timings: str | Path | None = None) -> str:
    """Resolve "auto" to the faster precision for a model of this width on this device: by a table of it, or by measuring now.

    Another `setting` is returned as it is. Below the narrowest width of the table it is float32: products are so small there that
    turning numbers into others costs more than it saves. InputError for a file that is not such a table.
    """
    if setting != "auto":
        return setting
    if width < WIDTHS[0]:
        return "float32"
    measured, table = read_timings(timings) if timings else (device, [])
    if not table or measured != device:  # on a machine with GPUs the suite trains on the processor all the same
        table = [time_products(_nearest(width, WIDTHS), device)]
    nearest = _nearest(width, [row["width"] for row in table])
    [row] = [row for row in table if row["width"] == nearest]
    logger.info("width %d: float32 %.0f, bfloat16 %.0f GFLOP/s; %s", width, row["float32"], row["bfloat16"], row["chosen"])
    return row["chosen"]


def time_products(width: int, device: str) -> Timing:
    """Time tokens [ROWS, width] times weights [width, 4 * width], the largest product of a model, in both precisions.

    The fastest of several turns counts, in case the machine does something else, too.
    """
    tokens, weights = torch.randn(ROWS, width, device=device), torch.randn(4 * width, width, device=device)
    operands = {name: (tokens.to(dtype), weights.to(dtype)) for name, dtype in PRECISIONS.items()}
    single, half = (max(_gflops(*operands[name]) for _ in range(TURNS)) for name in PRECISIONS)
    return Timing(width=width, float32=single, bfloat16=half, chosen="bfloat16" if half > single else "float32")


def read_timings(path: str | Path) -> tuple[str, list[Timing]]:
    """The device and the table that `measure_precision` wrote."""
    try:
        stored = json.loads(Path(path).read_text())
        device, rows = str(stored["device"]), stored["timings"]
        table = [Timing(**{name: row[name] for name in Timing.__annotations__}) for row in rows]  # type: ignore[typeddict-item]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a table of timings ({error}); delete it and run again") from error
    if not table:
        raise InputError(f"{path}: not a table of timings (it is empty); delete it and run again")
    return device, table


@torch.inference_mode()
def _gflops(tokens: torch.Tensor, weights: torch.Tensor) -> float:
    """Speed of one product, repeated for `SECONDS` after a first one that prepares the device."""

    def product() -> None:
        # A number of the result has come back: a GPU has finished.
        float(torch.nn.functional.linear(tokens, weights)[0, 0])

    product()
    begin, done, passed = time.perf_counter(), 0, 0.0
    while passed < SECONDS:
        product()
        done, passed = done + 1, time.perf_counter() - begin
    return 2e-9 * done * len(tokens) * weights.numel() / passed


def _nearest(width: int, widths: Iterable[int]) -> int:
    """The width with the smallest ratio to this one."""
    return min(widths, key=lambda known: max(known / width, width / known))
