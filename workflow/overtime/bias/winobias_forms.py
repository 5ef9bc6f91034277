"""WinoBias development sentences in the feminine and the masculine form of their pronoun, scored as others scored them.

Belém et al. (2024, ucinlp/unstereo-eval) published log P(feminine form) - log P(masculine form) of these sentences for Pythia and
GPT-J. What decides a margin is done here as there, so that a run can be held against theirs item by item
(`independent_check`).
"""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import polars as pl
import torch
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from overtime import InputError
from overtime.bias.sentence_sets import winobias_lines
from overtime.models.likelihood import encode_sentences, lay_out_pairs, sentences_of
from overtime.models.token_batches import Batch
from overtime.sources.scored_by_others import sentence_hash

FEMININE_FORMS = {"he": "she", "him": "her", "his": "her", "himself": "herself"}


def read_winobias_forms(winobias: str | Path) -> pl.DataFrame:
    """The development sentences in the folder of the dataset; an empty table where its files could not be had.

    Columns sentence (`sentence_hash` of the masculine form), sent_more (the feminine form), sent_less (the masculine one). Every
    sentence is in one of the four files with a masculine pronoun. As Belém et al. wrote them, only the first letter is a capital,
    and the brackets of a second marked pronoun stay.
    """
    folder = Path(winobias, "WinoBias/wino/data")
    if not folder.exists():
        return pl.DataFrame()
    forms: dict[str, tuple[str, str]] = {}
    for kind, side in product((1, 2), ("pro", "anti")):
        path = folder / f"{side}_stereotyped_type{kind}.txt.dev"
        for number, line in enumerate(winobias_lines(path), 1):
            marked = re.findall(r"\[([^]]+)\]", line)
            if len(marked) < 2:
                raise InputError(f"{path}:{number}: expected an occupation and its pronoun in square brackets: {line!r}")
            if marked[1] not in FEMININE_FORMS:
                continue
            masculine = re.sub(r"\[([^]]+)\]", r"\1", re.sub(r"^\d+ ", "", line), count=2).strip().capitalize()
            name = sentence_hash(masculine)
            if name in forms:
                raise InputError(f"{path}:{number}: a sentence that stands before, too: {line!r}")
            forms[name] = _feminine(masculine), masculine
    rows = [(name, *both) for name, both in forms.items()]
    return pl.DataFrame(rows, ["sentence", "sent_more", "sent_less"], orient="row")


def encode_forms(model: PreTrainedModel, tokenizer: Tokenizer, pairs: pl.DataFrame) -> list[Batch]:
    """`likelihood.encode_pairs` of both forms, laid out as Belém et al. did: padded on the left, between BOS and the sentence.

    The padding is not attended to, but it is counted: the positions of a sentence begin so much later as it is shorter than the
    longest one. Where positions are not given to the model (`token_batches.TREES`, which theirs are among), it has none.
    """
    encoded = encode_sentences(tokenizer, sentences_of(pairs))
    longest = max(map(len, encoded))
    batches = []
    for length in sorted({len(ids) for ids in encoded[1::2]}):
        chosen = [number for number in range(len(encoded)) if len(encoded[number - number % 2 + 1]) == length]
        for batch in lay_out_pairs(model, [encoded[number] for number in chosen], whole=False):
            positions = batch.positions + (longest - length) * (batch.positions > 0)
            numbers = torch.tensor(chosen, device=batch.sentences.device)[batch.sentences]
            batches.append(replace(batch, positions=positions, sentences=numbers))
    return batches


def _feminine(masculine: str) -> str:
    return re.sub(rf"\b({'|'.join(FEMININE_FORMS)})\b", lambda found: FEMININE_FORMS[found[0]], masculine)
