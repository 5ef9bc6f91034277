"""GGUF files from anywhere: empty, cut, forged or of another kind, each is one line, and a whole one is what it was before."""

import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gguf
import numpy as np
import pytest

from overtime import InputError
from overtime.sources.gguf import convert_gguf

SIZES = {"block_count": 1, "context_length": 64, "embedding_length": 32, "feed_forward_length": 48}
SIZES |= {"head_count": 2, "head_count_kv": 2}
SHAPES = {"token_embd.weight": (8, 32), "output_norm.weight": (32,)}
SHAPES |= {f"blk.0.{name}_norm.weight": (32,) for name in ("attn", "ffn")}
SHAPES |= {f"blk.0.attn_{name}.weight": (32, 32) for name in ("q", "k", "v", "output")}
SHAPES |= {"blk.0.ffn_gate.weight": (48, 32), "blk.0.ffn_up.weight": (48, 32), "blk.0.ffn_down.weight": (32, 48)}


def written(path: Path, architecture: str = "llama", without: str = "", **sizes: int) -> bytes:
    """A tiny Llama; `sizes` are stated in the place of the right ones."""
    writer = gguf.GGUFWriter(path, architecture)
    for name, value in (SIZES | sizes).items():
        getattr(writer, f"add_{name}")(value)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "Ġ", "ab", "Ġa"])
    writer.add_token_merges(["a b", "Ġ a"])
    writer.add_token_types([3, 3, 3, 1, 1, 1, 1, 1])
    for name, shape in SHAPES.items():
        if name != without:
            writer.add_tensor(name, np.ones(shape, np.float32))
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        write()
    return path.read_bytes()


@pytest.fixture
def whole(tmp_path) -> bytes:
    return written(tmp_path / "tiny.gguf")


def refusal(content: bytes, folder: Path) -> str:
    with zipfile.ZipFile(folder / "tiny.whl", "w") as archive:
        archive.writestr("tiny.gguf", content)
    with pytest.raises(InputError) as error:
        convert_gguf(folder / "tiny.whl", "tiny.gguf", folder / "made")
    said = str(error.value)
    assert "\n" not in said
    assert said.startswith(f"{folder}/tiny.whl: tiny.gguf is no GGUF file of a language model (")
    assert not (folder / "made").exists()
    assert not list(folder.glob(".*"))
    return said


def forged(content: bytes, before: bytes, new: bytes, skip: int = 0) -> bytes:
    """Bytes put in the place of those that come `skip` bytes after the first `before`."""
    place = content.index(before) + len(before) + skip
    return content[:place] + new + content[place + len(new) :]


U32, U64 = (lambda number: struct.pack("<I", number)), (lambda number: struct.pack("<Q", number))
FORGERIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", ""),
    "text": (lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a pointer of Git LFS"),
    "zeros": (lambda _: bytes(1000), "magic"),
    "magic alone": (lambda _: b"GGUF", "cut or forged"),
    "version": (lambda c: forged(c, b"GGUF", U32(99)), "version 99"),
    "tensors": (lambda c: forged(c, b"GGUF", U64(2**63), 4), "cut or forged"),
    "keys": (lambda c: forged(c, b"GGUF", U64(2**64 - 1), 12), "cut or forged"),
    "length of a key": (lambda c: forged(c, b"GGUF", U64(2**62), 20), "cut or forged"),
    "length of a list": (lambda c: forged(c, b"tokenizer.ggml.tokens", U64(2**60), 8), "cut or forged"),
    "kind of a value": (lambda c: forged(c, b"llama.block_count", U32(77)), "77"),
    "dimensions": (lambda c: forged(c, b"token_embd.weight", U32(2**31)), "cut or forged"),
    "size": (lambda c: forged(c, b"token_embd.weight", U64(2**62), 4), "beyond the end"),
    "sizes that overflow": (lambda c: forged(c, b"token_embd.weight", U64(2**32) + U64(2**32), 4), "beyond the end"),
    "size zero": (lambda c: forged(c, b"token_embd.weight", U64(0), 4), ""),
    "offset": (lambda c: forged(c, b"token_embd.weight", U64(2**40), 24), "beyond the end"),
    "offset that overflows": (lambda c: forged(c, b"token_embd.weight", U64(2**64 - 64), 24), "beyond the end"),
    "unknown quantisation": (lambda c: forged(c, b"token_embd.weight", U32(200), 20), "200"),
    "name that is no text": (lambda c: c.replace(b"token_embd.weight", b"\xff" * 17), ""),
    "same name twice": (lambda c: c.replace(b"blk.0.attn_k.weight", b"blk.0.attn_q.weight"), "duplicated"),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_file_is_one_line(whole, tmp_path, kind):
    change, message = FORGERIES[kind]
    assert message in refusal(change(whole), tmp_path)


def test_a_cut_file_is_one_line(whole, tmp_path):
    for share in (0.01, 0.1, 0.5, 0.9, 0.999):
        assert "cut or forged" in refusal(whole[: int(len(whole) * share)], tmp_path)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"block_count": 10**9}, "block_count is 1000000000, but its tensors have 1"),
        ({"block_count": 2}, "block_count is 2, but its tensors have 1"),
        ({"block_count": 0}, "block_count is 0"),
        ({"embedding_length": 10**9}, "embedding_length is 1000000000, but its tensors have 32"),
        ({"head_count": 0}, "head_count is 0"),
        ({"head_count": 3}, "a width of 32 cannot be shared by 3 attention heads"),
        ({"head_count_kv": 0}, ""),
        ({"feed_forward_length": 10**9}, ""),
        ({"without": "blk.0.attn_k.weight"}, "no tensor for model.layers.0.self_attn.k_proj.weight"),
        ({"without": "token_embd.weight"}, "token_embd.weight"),
        ({"architecture": "clip"}, ""),
    ],
)
def test_sizes_that_the_tensors_do_not_have_are_one_line(tmp_path, sizes, message):
    assert message in refusal(written(tmp_path / "forged.gguf", **sizes), tmp_path)


def test_no_byte_of_the_header_can_do_more_than_be_refused(whole, tmp_path):
    """Every 41st byte: an InputError or a folder, never another error."""
    for place in range(0, whole.index(b"blk.0.ffn_down.weight"), 41):
        content = whole[:place] + bytes([whole[place] ^ 0x80]) + whole[place + 1 :]
        with zipfile.ZipFile(tmp_path / "tiny.whl", "w") as archive:
            archive.writestr("tiny.gguf", content)
        with suppress(InputError):
            convert_gguf(tmp_path / "tiny.whl", "tiny.gguf", tmp_path / "made")
