"""The suite's own vocabulary: one token per white-space separated word, in the files that transformers loads a tokenizer from."""

import json
import shutil
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers

from overtime import InputError
from overtime.files import atomic

END_OF_TEXT, PADDING = "<|endoftext|>", "<|padding|>"
END_ID, PADDING_ID = 0, 1
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def save_tokenizer(texts: list[str], folder: str | Path) -> None:
    """A tokenizer with one token per white-space separated word of the texts, in the layout that transformers loads."""
    words = sorted({word for text in texts for word in text.split()})
    vocabulary = {word: i for i, word in enumerate([END_OF_TEXT, PADDING, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=PADDING))  # which `encode` refuses
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT, "pad_token": PADDING}
    with atomic(folder) as temporary:
        temporary.mkdir()
        words_file, config_file = (temporary / name for name in TOKENIZER_FILES)
        tokenizer.save(str(words_file))
        config_file.write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **special}, indent=2))


def copy_tokenizer(source: str | Path, folder: str | Path) -> None:
    """Put the tokenizer of a folder beside the weights of a run."""
    for name in TOKENIZER_FILES:
        shutil.copyfile(Path(source) / name, Path(folder) / name)


def word_ids(folder: str | Path) -> dict[str, int]:
    """The token id of every word of a tokenizer of `save_tokenizer`; InputError if it is none."""
    path = Path(folder) / "tokenizer.json"
    try:
        vocabulary: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the suite's tokenizer ({error}); delete {folder} and run again") from error
    return vocabulary


def encode(texts: list[str], tokenizer: str | Path, context: int) -> list[list[int]]:
    """Token ids of each document after one end-of-text token; unknown words and documents over the context are errors.

    The tokenizer is a folder of `save_tokenizer`, whose words are looked up here at a tenth of the cost of its library.
    """
    number = word_ids(tokenizer).__getitem__
    documents = []
    for text in texts:
        try:
            ids = [END_ID, *map(number, text.split())]
        except KeyError as error:
            raise InputError(f"{tokenizer}: no word {error.args[0]!r}, which stands in the document {text!r}") from error
        if len(ids) > context:
            raise InputError(f"a document of {len(ids)} tokens does not fit into a context of {context}: {text[:60]!r}")
        documents.append(ids)
    return documents
