"""What training costs on other text: the likelihood of documents that a model was not trained on."""

from collections.abc import Sequence

import polars as pl
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from overtime import InputError
from overtime.models.likelihood import lay_out_texts, score_encoded
from overtime.training.runs import Measure


def text_losses(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Measure:
    """A measure of held-out texts: `document` (place), its `length` in tokens, and `loss`, their negative natural-log likelihood.

    A text follows one BOS token (EOS where there is none), and ends where the model's context does. Raises InputError for a text
    without a token.
    """
    encoded = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    if [] in encoded:
        raise InputError(f"held-out text: document {encoded.index([])} has no token; leave it out")
    batches, tokens = lay_out_texts(model, tokenizer, encoded)

    def losses() -> pl.DataFrame:
        return pl.DataFrame({"document": range(len(tokens)), "length": tokens, "loss": -score_encoded(model, batches)})

    return losses
