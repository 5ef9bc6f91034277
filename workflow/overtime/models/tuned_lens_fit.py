"""Fitting a tuned lens on plain text, and the text that is at hand on any machine.

Translators (see `models.tuned_lens`) are fitted in closed form, by ridge regression on the final residual stream, or from
there by minimising the KL divergence to the final output, as in Belrose et al. 2023 (arXiv 2303.08112).
"""

from email.message import Message
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.files import require_finite
from overtime.models.anatomy import Readout, anatomy
from overtime.models.lens_owner import fingerprint
from overtime.models.residual_stream import Site, residual_stream
from overtime.models.tuned_lens import Translators
from overtime.models.weights import is_finite

CHUNK_TOKENS = 128  # tokens of text read as one sequence
SKIPPED = 4  # first positions of a chunk: some carry activations hundreds of times larger than all others
HELD_OUT = 0.15  # share of the chunks that only the evaluation sees
EVALUATED = 128  # held-out positions, evenly spread, each unembedded at every layer
OTHER_TOKENS = 1024  # of a text that is only evaluated on
RIDGE = 0.01  # penalty, in units of the layer's mean variance
POSITIONS, RATE = 128, 1e-3  # of the training on KL divergence: positions in a step, learning rate
LINE_WORDS, LINE_LETTERS = 12, 0.9  # a line of prose has this many words or more, and this share of letters and spaces
# Long descriptions of what a step that reads a model depends on: English text that every installation has at hand.
DESCRIBED_PACKAGES = (
    "accelerate",
    "annotated-types",
    "gguf",
    "huggingface_hub",
    "joblib",
    "numpy",
    "polars",
    "pydantic",
    "regex",
    "rich",
    "scikit-learn",
    "scipy",
    "sympy",
    "threadpoolctl",
    "tokenizers",
    "torch",
    "tqdm",
    "transformers",
    "typer",
)


def fit(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    texts: list[str],
    tokens: int,
    steps: int = 0,
    seed: int = 0,
) -> tuple[Translators, pl.DataFrame]:
    """Fit translators on about `tokens` tokens of plain text: in closed form, then by so many `steps` of Adam on KL divergence.

    Returns them with the held-out evaluation: `layer`, `lens` ("logit", "tuned"), `kl` (mean divergence of the lens from the
    final output, nats per token), `n` (positions). InputError if the texts are too short to hold anything out, and where what is
    read or fitted is not finite.
    """
    chunks = _chunks(tokenizer, texts, tokens, seed)
    held_out = max(1, round(HELD_OUT * len(chunks)))
    stream = _stream(model, chunks)
    # Chunks come in random order, and whole ones are held out: neighbours are never on both sides.
    training, evaluation = stream[: -held_out * (CHUNK_TOKENS - SKIPPED)], stream[-held_out * (CHUNK_TOKENS - SKIPPED) :]
    weight, bias = _least_squares(training, model.device)
    if steps:
        weight, bias = _train(Readout.of(anatomy(model)), training, weight, bias, steps, seed)
    translators = Translators(weight, bias, fingerprint(model))
    translators.check_finite("tuned lens")
    held_out_kl = _divergence(Readout.of(anatomy(model)), evaluation, translators)
    require_finite(held_out_kl, "tuned lens: its divergence from the final output")
    return translators, held_out_kl


def divergence(model: PreTrainedModel, tokenizer: Tokenizer, texts: list[str], translators: Translators) -> pl.DataFrame:
    """The evaluation of `fit` on other text than the translators were fitted on."""
    stream = _stream(model, _chunks(tokenizer, texts, OTHER_TOKENS, seed=0))
    return _divergence(Readout.of(anatomy(model)), stream, translators)


def lens_texts(wikitext: str | Path, needed: str | None = None) -> dict[str, list[str]]:
    """The texts at hand: "packages" always, and "wikitext-2" (as released, marks such as @-@ included) if the folder holds it.

    InputError without the one that is `needed`.
    """
    files = sorted(Path(wikitext).rglob("*.txt"))
    found = {"wikitext-2": [line for file in files for line in file_text(file)]} if files else {}
    texts = {"packages": offline_text()} | found
    if needed not in (None, *texts):
        raise InputError(f"{wikitext}: {needed} could not be had, and no other text will do; connect, or set mirror")
    return texts


def offline_text(packages: tuple[str, ...] = DESCRIBED_PACKAGES) -> list[str]:
    """The prose of the long descriptions of installed packages, to fit on where no corpus can be had: one text per line.

    About 16,000 tokens with the default packages. InputError for a package that is not installed.
    """
    lines: list[str] = []
    for package in packages:
        try:
            description = cast(Message, metadata.metadata(package))  # whose stated protocol leaves the text out
        except metadata.PackageNotFoundError as error:
            raise InputError(f"text for the tuned lens: package {package} is not installed; install requirements.txt") from error
        lines += (cast(str, description.get_payload()) or description.get("Description", "")).splitlines()
    return _prose(lines)


def file_text(path: str | Path) -> list[str]:
    """The prose of a UTF-8 text file with one paragraph per line, such as those of WikiText-2."""
    try:
        return _prose(Path(path).read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable text file ({error})") from error


def _prose(lines: list[str]) -> list[str]:
    """Lines that are sentences rather than code, tables, links or headings."""
    words = [line.strip() for line in lines if len(line.split()) >= LINE_WORDS]
    return [line for line in words if sum(map(str.isalpha, line)) + line.count(" ") >= LINE_LETTERS * len(line)]


def _chunks(tokenizer: Tokenizer, texts: list[str], tokens: int, seed: int) -> list[list[int]]:
    """Pieces of `CHUNK_TOKENS` tokens of the joined texts, drawn without replacement, about `tokens` tokens in all."""
    stream = list(chain.from_iterable(tokenizer([f"{text}\n\n" for text in texts], add_special_tokens=False)["input_ids"]))
    count = len(stream) // CHUNK_TOKENS
    if count < 2:
        raise InputError(f"text for the tuned lens: {len(stream)} tokens; at least {2 * CHUNK_TOKENS} are needed")
    drawn = np.random.default_rng(seed).permutation(count)[: max(2, tokens // CHUNK_TOKENS)]
    return [stream[start * CHUNK_TOKENS : (start + 1) * CHUNK_TOKENS] for start in drawn]


def _stream(model: PreTrainedModel, chunks: list[list[int]]) -> Tensor:
    """Residual stream [positions, layers + 1, width], in the model's type, of every chunk but its first positions, in order.

    It is held in main memory: of a 20-billion model 50,000 positions are 27 GB, which a GPU has no room for beside the weights.
    """
    sites = [Site(chunk, position) for chunk in range(len(chunks)) for position in range(SKIPPED, CHUNK_TOKENS)]
    parts = anatomy(model)
    shape = (len(sites), len(parts.blocks) + 1, parts.width)
    stream = torch.empty(shape, dtype=model.dtype)
    for indices, part in residual_stream(model, chunks, sites):
        if not is_finite(part):
            raise InputError(f"tuned lens: the model's own numbers are not finite in {model.dtype}; load it in float32")
        stream[indices] = part.cpu()
    return stream


def _least_squares(stream: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Ridge regression of (final stream - layer's stream) on the layer's stream; solved in float64."""
    final, weights, biases = stream[:, -1].to(device).float(), [], []
    for layer in range(stream.shape[1] - 1):
        x = stream[:, layer].to(device).float()
        y = final - x
        mean_x, mean_y = x.mean(0).double(), y.mean(0).double()
        # Centred, so that the penalty does not touch the bias.
        x, y = x - mean_x.float(), y - mean_y.float()
        gram = (x.T @ x).double()
        penalty = RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        solution, singular = torch.linalg.solve_ex(gram + penalty, (x.T @ y).double())
        if singular:
            raise InputError(f"tuned lens: layer {layer} is the same at all {len(x)} positions; fit it on other text")
        weights.append(solution.T.float())
        biases.append((mean_y - mean_x @ solution).float())
    return torch.stack(weights), torch.stack(biases)


def _train(readout: Readout, stream: Tensor, weight: Tensor, bias: Tensor, steps: int, seed: int) -> tuple[Tensor, Tensor]:
    """Minimise KL(final output || translated output) by Adam, layer by layer, starting from the given translators."""
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same draws on every device
    weight, bias = weight.clone(), bias.clone()
    for layer in range(len(weight)):
        w, b = weight[layer].clone().requires_grad_(), bias[layer].clone().requires_grad_()
        optimizer = torch.optim.Adam([w, b], lr=RATE)
        for _ in range(steps):
            drawn = torch.randint(len(stream), (POSITIONS,), generator=generator)
            x, last = (stream[drawn, place].to(weight.device).float() for place in (layer, -1))
            loss = _kl(readout(last).log_softmax(-1), readout(x + x @ w.T + b))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        weight[layer], bias[layer] = w.detach(), b.detach()
    return weight, bias


@torch.no_grad()
def _divergence(readout: Readout, stream: Tensor, translators: Translators) -> pl.DataFrame:
    """Mean KL divergence of each layer's output from the final one, by both lenses; `stream` [positions, layers + 1, width]."""
    stream = stream[:: -(-len(stream) // EVALUATED)].to(readout.weight.device).float()
    final = readout(stream[:, -1]).log_softmax(-1)
    rows = [
        {"layer": layer, "lens": lens, "kl": _kl(final, readout(read[:, layer])).item(), "n": len(stream)}
        for lens, read in (("logit", stream), ("tuned", translators(stream)))
        for layer in range(stream.shape[1])
    ]
    return pl.DataFrame(rows)


def _kl(final: Tensor, logits: Tensor) -> Tensor:
    """Mean over positions of KL(final || output), in nats; `final` [positions, tokens] are log-probabilities."""
    return torch.nn.functional.kl_div(logits.log_softmax(-1), final, log_target=True, reduction="batchmean")
