"""What training costs on other text: the likelihood of documents that a model was not trained on."""

from collections.abc import Sequence

import polars as pl
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from overtime import InputError
from overtime.models.likelihood import encode_sentences, lay_out_texts, score_encoded
from overtime.models.token_batches import context
from overtime.training.runs import Measure


def text_losses(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Measure:
    """A measure of held-out texts: `document` (place), its `length` in tokens, and `loss`, their negative natural-log likelihood.

    A text follows one BOS token (EOS where there is none), and ends where the model's context does. Raises InputError for a text
    without a token.
    """
    longest = context(model)
    encoded = [ids[: longest and longest + 1] for ids in encode_sentences(tokenizer, list(texts))]
    lengths = [len(ids) - 1 for ids in encoded]
    if 0 in lengths:
        raise InputError(f"held-out text: document {lengths.index(0)} has no token; leave it out")
    batches = lay_out_texts(model, encoded)

    def losses() -> pl.DataFrame:
        return pl.DataFrame({"document": range(len(texts)), "length": lengths, "loss": -score_encoded(model, batches)})

    return losses
