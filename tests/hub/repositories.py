"""Tiny repositories under real names: models of the real architectures and layouts with random weights, and data sets.

write_models(root, {"EleutherAI/pythia-70m": {"step0": ("gpt_neox", "bin"), "main": ("gpt_neox", "safetensors")}}, words)
write_dataset(root, "nq_open/nq_open", {None: {"validation": table}})
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import polars as pl
import torch
import yaml
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPTJConfig,
    GPTNeoConfig,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

LAYOUTS = ("safetensors", "bin", "sharded_bin")
MARKS = ("<|endoftext|>", "<|padding|>", "<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>")
# What each architecture's published tokenizers call the start, the end and padding.
ENDS = {
    "gpt_neox": ("<|endoftext|>", "<|endoftext|>", "<|padding|>"),
    "gptj": ("<|endoftext|>", "<|endoftext|>", "<|endoftext|>"),
    "gpt_neo": ("<|endoftext|>", "<|endoftext|>", "<|endoftext|>"),
    "bloom": ("<s>", "</s>", "<pad>"),
    "llama": ("<|im_start|>", "<|im_end|>", "<|im_end|>"),
}
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT = """The people of the town said that she was a good nurse and that he was a good cook. Some of them had asked what the
answer was, and others did not know who would come to the house. When the work is done we can go there, they said. Which of
these is true? A question and an answer: where is the river, in which year did the first of them play, and what is its name?
This film is not as good as the first one. Her brother and his sister went with him to see it because they like old films."""


def write_models(root: Path, repositories: dict[str, dict[str, tuple[str, str]]], words: Sequence[str] = ()) -> None:
    """Write repositories: name -> {revision: (architecture, layout)}. `words` become one token each after a space.

    Weights are random, differ between revisions, and are the same every time. `architecture` is a key of `ENDS`; llama is an
    instruct model with a chat template. `layout` is one of `LAYOUTS`.
    """
    tokenizer = train_tokenizer(tuple(words))
    for name, revisions in repositories.items():
        for revision, (architecture, layout) in revisions.items():
            folder = root / "models" / name / revision
            save_tokenizer(tokenizer, architecture, folder)
            model = build(architecture, tokenizer.get_vocab_size(), f"{name}@{revision}")
            model.config.save_pretrained(folder)
            save_weights(published(model), folder, layout)


@cache
def train_tokenizer(words: tuple[str, ...]) -> Tokenizer:
    """A byte-level BPE tokenizer: any text can be encoded; `words`, and those of TEXT, are one token each after a space."""
    core = Tokenizer(BPE())
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=1 << 14,  # never reached: merging ends when every word is one token
        special_tokens=list(MARKS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator([" ".join(TEXT.split()), *(f" {word}" for word in words)], trainer)
    broken = [word for word in words if len(core.encode(f" {word}").ids) != 1]
    if broken:
        raise ValueError(f"not one token: {', '.join(broken)}")
    return core


def save_tokenizer(core: Tokenizer, architecture: str, folder: Path) -> None:
    start, end, padding = ENDS[architecture]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token=start, eos_token=end, pad_token=padding)
    tokenizer.chat_template = CHAT if architecture == "llama" else None
    tokenizer.save_pretrained(folder)


def configure(architecture: str, vocabulary: int) -> PretrainedConfig:
    """A configuration of width 32 with 4 heads, which reads up to 2,048 tokens."""
    start, end, padding = (MARKS.index(mark) for mark in ENDS[architecture])
    common = {"vocab_size": vocabulary, "bos_token_id": start, "eos_token_id": end, "pad_token_id": padding}
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "max_position_embeddings": 2048}
    match architecture:
        case "gpt_neox":
            return GPTNeoXConfig(intermediate_size=64, **sizes, **common)
        case "llama":
            return LlamaConfig(intermediate_size=64, num_key_value_heads=2, tie_word_embeddings=True, **sizes, **common)
        case "gpt_neo":
            kinds = [[["global", "local"], 2]]
            return GPTNeoConfig(
                hidden_size=32, num_heads=4, num_layers=4, attention_types=kinds, max_position_embeddings=2048, **common
            )
        case "bloom":
            return BloomConfig(hidden_size=32, n_head=4, n_layer=3, **common)
        case "gptj":
            return GPTJConfig(n_embd=32, n_head=4, n_layer=3, rotary_dim=4, n_positions=2048, **common)
    raise ValueError(f"no architecture {architecture}; choose from {', '.join(ENDS)}")


def build(architecture: str, vocabulary: int, seed: str) -> PreTrainedModel:
    """Random weights ten times the usual spread, so that answers and scores differ between prompts and revisions."""
    model = AutoModelForCausalLM.from_config(configure(architecture, vocabulary))
    generator = torch.Generator().manual_seed(int(sha256(seed.encode()).hexdigest()[:8], 16))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2, generator=generator)
    return model


def published(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The weights under the names, and with the computed tables, that published files of this architecture have."""
    tensors = {name: value.detach().clone() for name, value in model.named_parameters()}
    kind, mask = model.config.model_type, torch.ones(1, 1, 16, 16, dtype=torch.uint8)
    if kind == "bloom":
        return {name.removeprefix("transformer."): value for name, value in tensors.items()}
    if kind == "llama":
        return tensors
    attention = {"gpt_neox": "gpt_neox.layers.{}.attention", "gptj": "transformer.h.{}.attn"}
    for layer in range(model.config.num_hidden_layers):
        place = attention.get(kind, "transformer.h.{}.attn.attention").format(layer)
        tensors |= {f"{place}.bias": mask.clone(), f"{place}.masked_bias": torch.tensor(-1e9)}
        if kind == "gpt_neox":
            tensors[f"{place}.rotary_emb.inv_freq"] = torch.ones(1)
    return {re.sub("^lm_head", "embed_out", name) if kind == "gpt_neox" else name: value for name, value in tensors.items()}


def save_weights(tensors: dict[str, torch.Tensor], folder: Path, layout: str) -> None:
    if layout == "safetensors":
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    elif layout == "bin":
        torch.save(tensors, folder / "pytorch_model.bin")
    elif layout == "sharded_bin":
        names = sorted(tensors)
        parts = {f"pytorch_model-0000{n}-of-00002.bin": names[n - 1 :: 2] for n in (1, 2)}
        for file, part in parts.items():
            torch.save({name: tensors[name] for name in part}, folder / file)
        total = sum(value.nbytes for value in tensors.values())
        index = {"metadata": {"total_size": total}, "weight_map": {name: file for file in parts for name in parts[file]}}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1))
    else:
        raise ValueError(f"no layout {layout}; choose from {', '.join(LAYOUTS)}")


def write_dataset(
    root: Path,
    name: str,
    subsets: dict[str | None, dict[str, pl.DataFrame]],
    form: str = "parquet",
    revision: str = "main",
    files: Iterable[tuple[str, bytes]] = (),
) -> None:
    """Write a data set: subset (None: the only one) -> split -> table, as `form` parquet or jsonl, and `files` as they are."""
    folder = root / "datasets" / name / revision
    configurations = []
    for subset, splits in subsets.items():
        places = {split: f"{subset or 'data'}/{split}.{form}" for split in splits}
        listed = [{"split": split, "path": place} for split, place in places.items()]
        configurations.append({"config_name": subset or "default", "data_files": listed})
        for split, place in places.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            table = splits[split]
            (table.write_parquet if form == "parquet" else table.write_ndjson)(folder / place)
    for place, content in files:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
    card = {"configs": configurations} if configurations else {}
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(card)}---\n")
