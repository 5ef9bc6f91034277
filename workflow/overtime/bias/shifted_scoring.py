"""Re-enacting, on a model at hand, what the evaluation code at 8164ebc does to some sentences, as read in that commit.

The evaluation harness hands over the row <end of document> t1 .. t(n-1) and reads the log-probability of token t(i+1) at position
i. The branch's batch function, meant for training, gets that row too: it turns the row into text, which drops the leading
token, replaces six space-delimited words and, if that changed anything, returns the *original* text tokenised again and
padded at the end. The model then sees t1 .. t(n-1) <padding>, and the harness, reading as before, takes the log-probability
of each token right after that token itself: one position off. Rows without one of the words pass unchanged. We do not know
which padding token the run used; it stands behind the last of the n terms only, and the end-of-document token is taken here.
"""

import math
from typing import TYPE_CHECKING

import polars as pl

from overtime import InputError
from overtime.corpora.rewrite import rewrite
from overtime.files import require_finite

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers import PreTrainedTokenizerBase as Tokenizer

SENTENCES_AT_ONCE = 32  # sentences


def shifted_scores(model: "PreTrainedModel", tokenizer: "Tokenizer", clean: pl.DataFrame) -> pl.DataFrame:
    """Score sentence pairs with the one-position shift beside their clean scores, one row per pair and scoring.

    `clean` has sent_more, sent_less, ll_more and ll_less (natural log, summed: `likelihood.score_pairs` with the same model).
    Columns added: scoring ("clean", "shifted"), touched (which side the branch's code would shift: "neither", "more", "less",
    "both"), stereotype (ll_more > ll_less) and difference (|ll_more - ll_less|): the means of the last two are pct_stereotype and
    likelihood_difference.
    """
    sentences = pl.concat([clean["sent_more"], clean["sent_less"]]).unique(maintain_order=True)
    shifted = _shifted_log_likelihoods(model, tokenizer, sentences.to_list())
    more, less = (pl.col(column).is_in(list(shifted)) for column in ("sent_more", "sent_less"))
    sides = pl.when(more & less).then(pl.lit("both")).when(more).then(pl.lit("more")).when(less).then(pl.lit("less"))
    off = {
        f"ll_{side}": pl.coalesce(
            pl.col(f"sent_{side}").replace_strict(shifted, default=None, return_dtype=pl.Float64), f"ll_{side}"
        )
        for side in ("more", "less")
    }
    require_finite(clean, "scores of pairs")
    scored = [clean.with_columns(scoring=pl.lit("clean")), clean.with_columns(**off, scoring=pl.lit("shifted"))]
    return pl.concat(scored).with_columns(
        touched=sides.otherwise(pl.lit("neither")),
        stereotype=pl.col("ll_more") > pl.col("ll_less"),
        difference=(pl.col("ll_more") - pl.col("ll_less")).abs(),
    )


def _shifted_log_likelihoods(model: "PreTrainedModel", tokenizer: "Tokenizer", sentences: list[str]) -> dict[str, float]:
    """Log-likelihoods read one position off, of those sentences that the branch's code would hand on changed."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    model.eval()
    scores: dict[str, float] = {}
    end = tokenizer.eos_token_id
    targets = tokenizer(sentences, add_special_tokens=False)["input_ids"]
    # Cleaning up would remove spaces, by which the replacements go.
    texts = tokenizer.batch_decode([ids[:-1] for ids in targets], clean_up_tokenization_spaces=False)
    changed = [row for row in zip(sentences, targets, texts) if rewrite(row[2], "released") != row[2]]
    for start in range(0, len(changed), SENTENCES_AT_ONCE):
        names, goals, handed_on = zip(*changed[start : start + SENTENCES_AT_ONCE])
        seen = tokenizer(list(handed_on), add_special_tokens=False)["input_ids"]
        rows = [torch.tensor((ids + [end] * len(goal))[: len(goal)]) for ids, goal in zip(seen, goals)]
        padded = pad_sequence(rows, batch_first=True, padding_value=end).to(model.device)
        with torch.inference_mode():
            log_probs = model(padded).logits.float().log_softmax(-1).cpu()
        for name, goal, row in zip(names, goals, log_probs):
            scores[name] = row[list(range(len(goal))), goal].sum().item()
            if not math.isfinite(scores[name]):
                raise InputError(f"{name!r}: its log-likelihood, read one position off, is {scores[name]}")
    return scores
