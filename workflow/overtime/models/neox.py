"""GPT-NeoX, the architecture of Pythia, in plain torch: the suite's models, trained and asked without transformers.

Tensors have the names that transformers gives them, and compute what its GPTNeoXForCausalLM does: two branches side by side
(attention and MLP) on one residual stream, rotary positions on half of each head, untied embeddings, no dropout. Dimensions:
B sequences, T tokens each, H heads of D = width / H.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from overtime import InputError
from overtime.models.config_sizes import check_sizes
from overtime.models.vocabulary import END_ID, PADDING_ID

ROTARY_SHARE, ROTARY_BASE = 0.5, 10_000  # of a head's dimensions that are rotated; wavelengths grow up to 2 pi times the base


@dataclass(frozen=True)
class NeoxConfig:
    """The shape of a model, in the words of config.json; `max_position_embeddings` is its context in tokens."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    model_type: str = "gpt_neox"

    @classmethod
    def read(cls, folder: str | Path) -> "NeoxConfig":
        """From the config.json of a run of the suite; InputError if it is none."""
        path = Path(folder) / "config.json"
        try:
            stored = json.loads(path.read_text())
            config = cls(**{name: stored[name] for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not that of a run of the suite ({error}); delete {folder} and run again") from error
        check_sizes(path, stored)
        return config

    def save(self, folder: str | Path) -> None:
        """Write config.json such that transformers loads the folder."""
        fixed = {
            "architectures": ["GPTNeoXForCausalLM"],
            "intermediate_size": 4 * self.hidden_size,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": ROTARY_BASE,
                "partial_rotary_factor": ROTARY_SHARE,
            },
            "tie_word_embeddings": False,
            "bos_token_id": END_ID,
            "eos_token_id": END_ID,
            "pad_token_id": PADDING_ID,
        }
        (Path(folder) / "config.json").write_text(json.dumps(vars(self) | fixed, indent=2) + "\n")


class Output(NamedTuple):
    """What a whole model returns, under the name that transformers' models use."""

    logits: Tensor  # [B, T, vocabulary]


class TrunkOutput(NamedTuple):
    """What a model without its head returns."""

    last_hidden_state: Tensor  # [B, T, width], after the final norm


class Neox(nn.Module):
    """A GPT-NeoX model with fresh weights, the same for the same seed: standard deviation sqrt(2 / (5 width)), biases 0."""

    base_model_prefix = "gpt_neox"

    def __init__(self, config: NeoxConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers go on undisturbed
            torch.manual_seed(seed)
            self.gpt_neox = Trunk(config)
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
            for name, parameter in self.named_parameters():
                if parameter.ndim == 2:
                    nn.init.normal_(parameter, std=math.sqrt(2 / (5 * config.hidden_size)))
                elif name.endswith("bias"):
                    nn.init.zeros_(parameter)

    def forward(self, input_ids: Tensor) -> Output:
        """Logits after every token of `input_ids` [B, T]; padding goes to the right, where it changes nothing before it."""
        return Output(self.lm_head(self.gpt_neox(input_ids).last_hidden_state))

    # What the likelihoods of `overtime.models.likelihood` use of any model.
    @property
    def base_model(self) -> "Trunk":
        return self.gpt_neox

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.weight.dtype

    def get_output_embeddings(self) -> nn.Linear:
        return self.lm_head


class Trunk(nn.Module):
    """Embeddings, layers and final norm."""

    cosines: Tensor
    sines: Tensor
    swap: Tensor
    future: Tensor

    def __init__(self, config: NeoxConfig) -> None:
        super().__init__()
        width, context = config.hidden_size, config.max_position_embeddings
        self.embed_in = nn.Embedding(config.vocab_size, width)
        self.layers = nn.ModuleList(Block(width, config.num_attention_heads) for _ in range(config.num_hidden_layers))
        self.final_layer_norm = nn.LayerNorm(width)
        tables = rotary_tables(context, width // config.num_attention_heads)
        for name, table in {**tables, "future": torch.full((context, context), -math.inf).triu(1)}.items():
            self.register_buffer(name, table, persistent=False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None, use_cache: bool = False
    ) -> TrunkOutput:
        """Read `input_ids` [B, T], where each token follows the one before it and hears all before it; there is no cache.

        Else `position_ids` [B, T] say which place a token has, and `attention_mask` [B, 1, T, T] is added to its scores.
        """
        rows, length = input_ids.shape
        if position_ids is None:
            turn = self.cosines[:, :, :, :length], self.sines[:, :, :, :length], self.swap
        else:
            turn = (
                self.cosines[:, 0, 0][:, position_ids].unsqueeze(2),
                self.sines[:, 0, 0][:, position_ids].unsqueeze(2),
                self.swap,
            )
        mask = self.future[:length, :length] if attention_mask is None else attention_mask
        stream = self.embed_in(input_ids.reshape(-1))
        for block in self.layers:
            stream = block(stream, rows, turn, mask)
        return TrunkOutput(self.final_layer_norm(stream).view(rows, length, -1))


class Block(nn.Module):
    """One layer: stream + attention(norm(stream)) + MLP(other norm(stream)), all of them [B * T, width]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.input_layernorm, self.post_attention_layernorm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.ModuleDict({"query_key_value": nn.Linear(width, 3 * width), "dense": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"dense_h_to_4h": nn.Linear(width, 4 * width), "dense_4h_to_h": nn.Linear(4 * width, width)})

    def forward(self, stream: Tensor, rows: int, turn: tuple[Tensor, Tensor, Tensor], mask: Tensor) -> Tensor:
        heard = self.attention["dense"](self.attend(self.input_layernorm(stream), rows, turn, mask))
        inner = F.gelu(self.mlp["dense_h_to_4h"](self.post_attention_layernorm(stream)))
        after: Tensor = stream + heard + self.mlp["dense_4h_to_h"](inner)
        return after

    def attend(self, normed: Tensor, rows: int, turn: tuple[Tensor, Tensor, Tensor], mask: Tensor) -> Tensor:
        """What every head hears in `normed` [B * T, width], side by side."""
        heads, length, size = self.heads, len(normed) // rows, normed.shape[1] // self.heads
        cosines, sines, swap = turn
        projected = self.attention["query_key_value"](normed).view(rows, length, heads, 3, size)
        both, values = projected.permute(3, 0, 2, 1, 4).contiguous().split([2, 1])  # both: queries and keys, [2, B, H, T, D]
        queries, keys = torch.addcmul(both * cosines, both @ swap, sines).view(2, rows * heads, length, size)
        if mask.ndim > 2:
            mask = mask.expand(rows, heads, length, length).reshape(-1, length, length)
        scores = torch.baddbmm(mask, queries, keys.transpose(1, 2))  # [B * H, T, T]; queries come divided by sqrt(D)
        heard = torch.bmm(scores.softmax(-1), values.view(rows * heads, length, size))
        return heard.view(rows, heads, length, size).transpose(1, 2).reshape(rows * length, -1)


def rotary_tables(context: int, size: int) -> dict[str, Tensor]:
    """Rotary positions (Su et al. 2021, arXiv 2104.09864) of a head of `size` as x * cosines + (x @ swap) * sines.

    `cosines` and `sines` [2, 1, 1, context, size] are those of queries, which they also divide by sqrt(size), and of keys; `swap`
    [size, size] brings each half of the rotated dimensions to the other's place, the second one negated.
    """
    rotated = int(size * ROTARY_SHARE)
    speeds = ROTARY_BASE ** -(torch.arange(0, rotated, 2) / rotated)  # radians per position
    angles = torch.outer(torch.arange(context), speeds)
    angles = torch.cat([angles, angles, torch.zeros(context, size - rotated)], 1)
    scale = torch.tensor([size**-0.5, 1.0]).view(2, 1, 1, 1, 1)
    swap, first = torch.zeros(size, size), torch.arange(rotated // 2)
    second = first + rotated // 2
    swap[second, first], swap[first, second] = -1.0, 1.0
    return {"cosines": scale * angles.cos(), "sines": scale * angles.sin(), "swap": swap}
