"""The sizes in a config.json, checked before memory is asked for: whole numbers that a language model can have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtime import InputError

# What architectures call a size, and the most that one can have; the largest published are a tenth of it or less.
LIMITS = (
    (2_000, "num_hidden_layers n_layer n_layers num_layers"),
    (100_000, "num_attention_heads n_head n_heads num_heads num_key_value_heads head_dim"),
    (1_000_000, "hidden_size n_embd d_model"),
    (10_000_000, "intermediate_size n_inner ffn_dim vocab_size"),
    (1_000_000_000, "max_position_embeddings n_positions n_ctx max_seq_len"),
)
LARGEST = {name: limit for limit, names in LIMITS for name in names.split()}
WIDTHS, HEADS = ("hidden_size", "n_embd", "d_model"), ("num_attention_heads", "n_head", "n_heads")


def check_sizes(path: str | Path, config: Mapping[str, Any]) -> None:
    """InputError that names file and key for a size that is no whole number above 0, far too large, or does not fit another.

    A size that is null is the architecture's to choose; a list has one of each layer.
    """
    sizes = {name: config[name] for name in LARGEST if config.get(name) is not None}
    for name, given in sizes.items():
        for size in given if isinstance(given, list) else [given]:
            if type(size) is not int or not 0 < size <= LARGEST[name]:
                raise InputError(f"{path}: {name} is {str(size)[:60]!r}, expected a whole number from 1 to {LARGEST[name]:,}")
    width, heads = (next((sizes[name] for name in names if name in sizes), None) for names in (WIDTHS, HEADS))
    if isinstance(width, int) and isinstance(heads, int) and "head_dim" not in sizes and width % heads:
        raise InputError(f"{path}: a width of {width} cannot be shared by {heads} attention heads")
    groups = sizes.get("num_key_value_heads")
    if isinstance(heads, int) and isinstance(groups, int) and heads % groups:
        raise InputError(f"{path}: {heads} attention heads cannot share {groups} keys and values (num_key_value_heads)")
    for name, inner in config.items():
        if name.endswith("text_config") and isinstance(inner, Mapping):
            check_sizes(path, inner)
