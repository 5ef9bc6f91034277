"""Scoring the suite on its own tests of gender bias: laid out once, scored with the weights of every checkpoint."""

import numpy as np
import polars as pl

from overtime.bias.pronoun_contexts import pronoun_log_odds
from overtime.models.likelihood import lay_out_pairs, score_encoded, sentences_of
from overtime.models.neox import Neox
from overtime.models.next_words import lay_out_prompts, next_logits
from overtime.models.vocabulary import encode, word_ids
from overtime.training.runs import Measure


def pair_scores(model: Neox, tokenizer: str, pairs: pl.DataFrame) -> Measure:
    """A measure of sentence pairs: `pair`, `ll_more` and `ll_less` (natural log, of whole sentences)."""
    batches = lay_out_pairs(model, encode(sentences_of(pairs), tokenizer, model.config.max_position_embeddings))

    def score() -> pl.DataFrame:
        more, less = score_encoded(model, batches).reshape(-1, 2).T
        return pairs.select("pair", ll_more=more, ll_less=less)

    return score


def pronoun_scores(model: Neox, tokenizer: str, contexts: pl.DataFrame) -> Measure:
    """A measure of neutral contexts, `pronoun_log_odds`."""
    texts, words = contexts["text"].to_list(), word_ids(tokenizer)
    batches = lay_out_prompts(encode(texts, tokenizer, model.config.max_position_embeddings))
    numbers = {text: number for number, text in enumerate(texts)}

    def score() -> pl.DataFrame:
        log_probs = next_logits(model, batches).log_softmax(-1).numpy()

        def of(asked: list[str], candidates: list[str]) -> np.ndarray:
            return log_probs[np.ix_([numbers[text] for text in asked], [words[word.strip()] for word in candidates])]

        return pronoun_log_odds(contexts, of)

    return score
