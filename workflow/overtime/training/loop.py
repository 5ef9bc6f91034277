"""The training loop: same data in the same order, checkpoints with optimizer state, resumable after any interruption.

Interrupted at any moment and started again, a run continues from its last checkpoint and, on one CPU thread, ends with the
same bits. AdamW (0.9, 0.95), weight decay 0.01, gradients clipped at 1. Several processes (see `training.processes`)
share every batch.
"""

import hashlib
import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch.optim import Optimizer

from overtime import InputError
from overtime.files import atomic, move, sha256
from overtime.models.weights import Model, reload_weights, save_weights
from overtime.training.recipe import Recipe, schedule
from overtime.training.runs import weights
from overtime.training.states import RESUME, load_state, read_interrupted, save_state
from overtime.training.token_streams import Stream

logger = logging.getLogger(__name__)


class Trainee(Model, Protocol):
    """What the loop trains: a model of the suite or of transformers, called on `input_ids`, whose result has `logits`."""

    @property
    def device(self) -> torch.device: ...


@dataclass(frozen=True)
class _Run:
    """A model with what trains it, the folder that checkpoints go to, and the hash of everything that determines the run.

    `log` are the lines of log.jsonl up to the last checkpoint.
    """

    model: Trainee
    optimizer: Optimizer
    stream: Stream
    recipe: Recipe
    partial: Path
    identity: str
    log: list[str]


def train(
    model: Trainee,
    describe: Callable[[Path], object],
    stream: Stream,
    recipe: Recipe,
    folder: str | Path,
    start: str | Path | None = None,
) -> None:
    """Train over the whole stream; `folder` appears when it is done.

    The folder holds what `describe` writes into it (config.json and the tokenizer), step{n}.safetensors, step{n}.optimizer.pt
    (signed) at the branching steps, and log.jsonl: step, percent of training, tokens, since the last entry mean loss in nats per
    token and tokens per second, and the SHA-256 of the weights.
    `start` is the run to branch from, at the first step of the stream; without it the model's own weights are the beginning.
    While it runs, everything is in `.{folder name}.partial` beside the folder, from where the next call with the same arguments
    continues; where anything there is damaged, or other arguments made it, a line says so and the run begins again. Of several
    processes, each of which calls this, the first one writes. Raises InputError, and leaves the last checkpoint as it is, when a
    loss or a weight is no longer finite.
    """
    accelerator = Accelerator(cpu=model.device.type == "cpu")
    folder = Path(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    if start is not None:
        branch(model, optimizer, Path(start), stream.first_step)
    # After branching: the hash is of the weights that training begins with.
    run = _Run(model, optimizer, stream, recipe, partial, _identity(model, stream, recipe), [])
    step = _resume(run)
    # All have read the last checkpoint before the first one changes the folder.
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        if step is None:
            shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, exist_ok=True)
        describe(partial)
    _loop(run, stream.first_step if step is None else step, accelerator)
    if accelerator.is_main_process:
        move(partial, folder)
        (folder / RESUME).unlink()


def branch(model: Trainee, optimizer: Optimizer, folder: Path, step: int) -> None:
    """Continue from another run's weights and optimizer state after `step`."""
    state = folder / f"step{step}.optimizer.pt"
    if not state.exists():
        raise InputError(f"{folder}: no optimizer state at step {step}; it must be saved there for an arm to branch")
    stored = load_state(state, folder)
    reload_weights(model, weights(folder, step))
    optimizer.load_state_dict(stored)


def _loop(run: _Run, step: int, accelerator: Accelerator) -> None:
    stream, recipe = run.stream, run.recipe
    last = stream.first_step + stream.steps(recipe.batch)
    runner = accelerator.prepare_model(run.model)
    losses, since = [], time.perf_counter()
    runner.train()
    while step < last:
        index = step - stream.first_step
        batch = torch.from_numpy(stream.tokens[index * recipe.batch : (index + 1) * recipe.batch].astype("int64"))
        losses.append(train_step(runner, run.optimizer, batch, recipe, _progress(stream, recipe.batch, step + 1), accelerator))
        step += 1
        if step in recipe.save_at or step == last:
            loss = _mean(accelerator.reduce(torch.stack(losses), "mean").tolist(), step, run.partial)
            entry = {
                "step": step,
                "percent": 100 * _progress(stream, recipe.batch, step),
                "tokens": step * batch.numel(),
                "loss": loss,
                "tokens_per_second": round(len(losses) * batch.numel() / (time.perf_counter() - since)),
            }
            if accelerator.is_main_process:
                logger.info("step %d of %d: loss %.3f, %d tokens/s", step, last, loss, entry["tokens_per_second"])
                _checkpoint(run, entry)
            losses, since = [], time.perf_counter()


def _mean(losses: list[float], step: int, folder: Path) -> float:
    """The mean of the losses of the steps that end with `step`; InputError, which names the first step, if one is not finite."""
    for before, loss in enumerate(losses):
        if not math.isfinite(loss):
            when = step - len(losses) + before + 1
            raise InputError(f"{folder}: the loss of step {when} is {loss}; use a smaller learning rate, or float32")
    return sum(losses) / len(losses)


def train_step(
    model: torch.nn.Module, optimizer: Optimizer, batch: torch.Tensor, recipe: Recipe, progress: float, accelerator: Accelerator
) -> torch.Tensor:
    """One optimizer step on token ids [sequences, context], of which this process computes its share.

    Returns the mean loss in nats per predicted token; with several processes, the mean of what they return is that.
    """
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * schedule(progress, recipe.warmup, recipe.floor)
    losses = []
    for part, weight in _parts(batch, recipe, accelerator):
        loss = weight * _mean_loss(model, part.to(accelerator.device), recipe)
        loss.backward()
        losses.append(loss.detach())
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return cast(torch.Tensor, sum(losses))  # of one part at least


def _parts(batch: torch.Tensor, recipe: Recipe, accelerator: Accelerator) -> Iterator[tuple[torch.Tensor, float]]:
    """What this process computes of a batch, and its weight, such that the mean over processes is the mean over all targets."""
    if accelerator.num_processes == 1 and recipe.micro_batch is None:
        yield batch, 1.0
        return
    own = batch.chunk(accelerator.num_processes)[accelerator.process_index]
    total = int((batch[:, 1:] != recipe.padding).sum())
    for part in own.split(recipe.micro_batch or len(own)):
        yield part, accelerator.num_processes * int((part[:, 1:] != recipe.padding).sum()) / total


def _mean_loss(model: torch.nn.Module, batch: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        logits = model(input_ids=batch).logits
    # Nothing follows the last token of a sequence. To leave it out of the targets copies less than to cut it off the logits.
    targets = F.pad(batch[:, 1:], (0, 1), value=recipe.padding).view(-1)
    # Outside of autocast: the loss is computed in float32, whatever the products are.
    return F.cross_entropy(logits.float().view(len(targets), -1), targets, ignore_index=recipe.padding)


def _progress(stream: Stream, batch: int, step: int) -> float:
    """Share of training after `step`; a longer stream (insertion) is stretched over the rest of the schedule."""
    begin = stream.first_step / stream.baseline_steps
    return begin + (1 - begin) * (step - stream.first_step) / stream.steps(batch)


def _checkpoint(run: _Run, entry: dict[str, Any]) -> None:
    """Write weights, the optimizer to branch from, and the log; the state to resume from last, when all of them are there."""
    step = entry["step"]
    path = run.partial / f"step{step}.safetensors"
    save_weights(run.model, path)
    optimizer = run.optimizer.state_dict()
    if step in run.recipe.branch_at:
        save_state(optimizer, run.partial / f"step{step}.optimizer.pt")
    run.log.append(json.dumps(entry | {"sha256": sha256(path)}))
    with atomic(run.partial / "log.jsonl") as temporary:
        temporary.write_text("".join(f"{line}\n" for line in run.log))
    save_state({"identity": run.identity, "log": run.log, "optimizer": optimizer}, run.partial / RESUME)


def _resume(run: _Run) -> int | None:
    """Load the last checkpoint of an interrupted run, and say its step; None where there is none that can be continued."""
    if not run.partial.exists():
        return None
    try:
        state = read_interrupted(run.partial, run.identity)
        step: int = json.loads(state["log"][-1])["step"]
        reload_weights(run.model, run.partial / f"step{step}.safetensors")
    except InputError as error:
        logger.info("%s: training begins again", error)
        return None
    run.optimizer.load_state_dict(state["optimizer"])
    run.log.extend(state["log"])
    logger.info("continuing after step %d", step)
    return step


def _identity(model: Trainee, stream: Stream, recipe: Recipe) -> str:
    """Hash of everything that determines the run: initial weights, tokens, recipe."""
    shape = [*stream.tokens.shape, stream.first_step, stream.baseline_steps]
    digest = hashlib.sha256(json.dumps([asdict(recipe), shape]).encode())
    digest.update(stream.tokens.data.cast("B"))  # a mapped file is not copied
    for parameter in model.parameters():
        digest.update(parameter.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
