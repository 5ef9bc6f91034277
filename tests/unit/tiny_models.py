"""Tiny models of every supported architecture with random weights, and a tokenizer of whole words."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

# Sliding windows are shorter than the texts of tests, soft caps lower than their logits.
SHAPE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
INNER = SHAPE | {"intermediate_size": 64}
GROUPED = INNER | {"num_key_value_heads": 2, "pad_token_id": 0}
WINDOW = {"sliding_window": 8}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "gpt_neox": INNER,
    "llama": INNER | {"num_key_value_heads": 2},
    "gpt_neo": {
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 16,
    },
    "gptj": {"n_embd": 32, "n_layer": 3, "n_head": 4, "rotary_dim": 4},
    "bloom": {"hidden_size": 32, "n_layer": 3, "n_head": 4},
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 4},
    "mistral": GROUPED | WINDOW,
    "mixtral": GROUPED | WINDOW | {"num_local_experts": 4},
    "qwen2": GROUPED | WINDOW | {"use_sliding_window": True, "max_window_layers": 1},
    "qwen3": GROUPED | {"head_dim": 8},
    "gemma": GROUPED | {"head_dim": 8},
    "gemma2": GROUPED | WINDOW | {"head_dim": 8, "query_pre_attn_scalar": 8, "final_logit_softcapping": 2.0},
    "gemma3_text": GROUPED
    | WINDOW
    | {
        "head_dim": 8,
        "query_pre_attn_scalar": 8,
        "final_logit_softcapping": 3.0,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    },
    "olmo": INNER,
    "olmo2": GROUPED,
    "phi": INNER,
    "phi3": GROUPED | WINDOW,
    "falcon": SHAPE,
    "falcon with ALiBi": SHAPE | {"model_type": "falcon", "alibi": True},
    "mpt": {"d_model": 32, "n_layers": 3, "n_heads": 4},
    "opt": SHAPE | {"ffn_dim": 64, "word_embed_proj_dim": 32},
    "opt of 350 million": SHAPE | {"model_type": "opt", "ffn_dim": 64, "word_embed_proj_dim": 16, "do_layer_norm_before": False},
    "stablelm": GROUPED,
    "cohere": GROUPED,
    "granite": GROUPED | {"logits_scaling": 3.0, "embedding_multiplier": 12.0, "residual_multiplier": 0.3},
    "smollm3": GROUPED,
    "starcoder2": GROUPED | WINDOW,
}
# What stands between the last block and the head, in the trunk; "norm" if not here.
LAST = {"gpt_neox": "final_layer_norm", "phi": "final_layernorm", "mpt": "norm_f"}
LAST |= dict.fromkeys(("gpt_neo", "gptj", "bloom", "gpt2", "falcon", "falcon with ALiBi"), "ln_f")
LAST |= {"opt": "decoder.final_layer_norm", "opt of 350 million": "decoder.project_out"}
AFTER_HEAD: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gemma2": lambda products: 2 * torch.tanh(products / 2),
    "gemma3_text": lambda products: 3 * torch.tanh(products / 3),
    "cohere": lambda products: products / 16,
    "granite": lambda products: products / 3,
}


def words(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Words and marks of the texts, one token each."""
    split = pre_tokenizers.Whitespace()
    found = sorted({word for text in texts for word, _ in split.pre_tokenize_str(text)})
    core = Tokenizer(models.WordLevel({"<unk>": 0} | {word: number for number, word in enumerate(found, 1)}, unk_token="<unk>"))
    core.pre_tokenizer = split
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")


def build_neox(width: int, layers: int, heads: int, vocabulary: int, context: int, seed: int) -> GPTNeoXForCausalLM:
    """A GPT-NeoX model of transformers in the shape of the suite's."""
    torch.manual_seed(seed)
    config = GPTNeoXConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=context,
        rotary_pct=0.5,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
    )
    return GPTNeoXForCausalLM(config)


def build(kind: str, tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> PreTrainedModel:
    """A tiny model of an architecture; every parameter random, norms and biases too."""
    torch.manual_seed(seed)
    shape = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 0, "model_type": kind} | ARCHITECTURES[kind]
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**shape)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@torch.no_grad()
def read_out(kind: str, model: PreTrainedModel, stream: torch.Tensor) -> torch.Tensor:
    """Logits [..., vocabulary] of a residual stream [..., width], by the model's parts under their names."""
    last = model.base_model.get_submodule(LAST.get(kind, "norm"))
    return AFTER_HEAD.get(kind, lambda products: products)(model.get_output_embeddings()(last(stream)))
