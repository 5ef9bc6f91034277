"""Configuration and tokenizer in a model's folder, read by the library's own classes: code that lies in a folder is never run."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerBase

from overtime import InputError
from overtime.files import refuse_impostor
from overtime.models.config_sizes import check_sizes

logger = logging.getLogger(__name__)
TOKENIZERS = ("tokenizer.json", "vocab.json", "tokenizer.model")


def read_model_config(folder: Path) -> PretrainedConfig:
    """config.json as transformers understands it; InputError if it is missing or broken, or its sizes cannot be, and for a
    pointer or a web page in the place of any file of the folder."""
    for part in sorted(folder.iterdir()):
        refuse_impostor(part)
    path = folder / "config.json"
    with readable(folder):
        stored = _stored(path)
        check_sizes(path, stored)
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if "auto_map" in stored:
        logger.info("%s: its own code (auto_map) is not run; the library's own %s is", folder, config.model_type)
    return config


def read_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model's folder; InputError if there is none that can be read."""
    folder = Path(folder)
    if not any((folder / name).exists() for name in TOKENIZERS):
        raise InputError(f"{folder}: no tokenizer; one of {', '.join(TOKENIZERS)} must lie beside config.json")
    with readable(folder):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    return tokenizer


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """What goes wrong with a model's folder becomes one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of whatever kind the library has for a file that says what cannot be
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        if "trust_remote_code" in reason or "custom code" in reason:
            reason = "its auto_map asks for code of its own, which is never run; transformers must know the architecture"
        if "allocate memory" in reason:
            reason = "its sizes ask for more memory than there is"
        raise InputError(f"{folder}: not the folder of a causal language model ({reason})") from error


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_bytes())
        if isinstance(stored, dict):
            return stored
        reason = f"a JSON {type(stored).__name__}, expected an object"
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise InputError(f"{path.parent}: not the folder of a causal language model ({path.name}: {reason})")
