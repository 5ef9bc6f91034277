"""The evaluation-code audit of the released CrowS-Pairs curves.

Each released evaluation names the git hash of the code that ran it, and one curve can mix two of them: `8164ebc`, the tip of
the branch in which the intervention was being written, and `d36f623`, a clean main. On the same task the mean difference of
log-likelihoods is 23-44 nats under the first and about 3 under the second, so the two do not measure the same thing.
`late_levels` and `within_code` show what each code gives; we did not run the released models again.

`shifted_scores` re-enacts, on a model at hand, what the code at 8164ebc does to some sentences, as read in that commit. The
evaluation harness hands over the row <end of document> t1 .. t(n-1) and reads the log-probability of token t(i+1) at position
i. The branch's batch function, meant for training, gets that row too: it turns the row into text, which drops the leading
token, replaces six space-delimited words and, if that changed anything, returns the *original* text tokenised again and
padded at the end. The model then sees t1 .. t(n-1) <padding>, and the harness, reading as before, takes the log-probability
of each token right after that token itself: one position off. Rows without one of the words pass unchanged. We do not know
which padding token the run used; it stands behind the last of the n terms only, and the end-of-document token is taken here.
"""

from typing import TYPE_CHECKING

import polars as pl

from overtime.interventions import rewrite
from overtime.stats import bootstrap_mean

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers import PreTrainedTokenizerBase as Tokenizer

LATE = 113_000  # the last step before the first intervention starts (of 143,000)
MEASURES = {"pct_stereotype": "stderr", "likelihood_difference": "likelihood_difference_stderr"}
BATCH = 32  # sentences


def late_levels(released: pl.DataFrame, since: int = LATE) -> pl.DataFrame:
    """Mean level of each released run from step `since` on, by evaluation code, and under "any" mixed as the curves mix them.

    `released` is the table of `released.read_crows_pairs`. Columns: model, arm, code, measure (pct_stereotype,
    likelihood_difference), points (checkpoints), mean, se. The checkpoints of a run are scored on the same pairs, so
    averaging them does not make the sampling error of the pairs smaller: se is the mean of their standard errors.
    """
    late = released.filter(pl.col("step") >= since)
    late = pl.concat([late, late.with_columns(code=pl.lit("any"))])
    return pl.concat(
        late.group_by("model", "arm", "code").agg(
            measure=pl.lit(measure), points=pl.len(), mean=pl.mean(measure), se=pl.mean(stderr)
        )
        for measure, stderr in MEASURES.items()
    ).sort("measure", "model", "arm", "code")


def within_code(released: pl.DataFrame, since: int = LATE) -> pl.DataFrame:
    """Late interventions against the late baseline of the same model under one evaluation code ("any": as the curves invite).

    Columns: model, arm, code, measure, baseline and intervention (means), baseline_points and points, difference
    (intervention - baseline), se. A comparison appears only if its code scored both sides, though not always at the same
    steps. se is the sampling error of the pairs with the sides taken as independent; they share their pairs, so it is too
    wide rather than too narrow. Variation between training runs is not in it.

    Within 8164ebc the comparison is like with like but not clean: the shift decides the pairs that it touches on one side,
    whatever the model, so a real difference between the arms is diluted. The clean code scored few points of the interventions.
    """
    levels = late_levels(released, since)
    baseline = levels.filter(pl.col("arm") == "baseline")
    arms = levels.filter(pl.col("arm") != "baseline")
    return (
        arms.join(baseline, on=["model", "code", "measure"], suffix="_baseline", maintain_order="left")
        .select(
            "model",
            "arm",
            "code",
            "measure",
            baseline="mean_baseline",
            baseline_points="points_baseline",
            intervention="mean",
            points="points",
            difference=pl.col("mean") - pl.col("mean_baseline"),
            se=(pl.col("se") ** 2 + pl.col("se_baseline") ** 2).sqrt(),
        )
        .sort("measure", "model", "arm", "code")
    )


def audit_table(released: pl.DataFrame, reenacted: dict[str, pl.DataFrame], resamples: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Rows of the audit figure: every released point in both measures, and the re-enactment by model and scoring.

    `reenacted` holds `shifted_scores` by model. Adds `measure` (stereotype, likelihood_difference), `model`, `arm`, `step`,
    `code`, `scoring`; released intervals are 1.96 standard errors, measured ones a bootstrap over pairs.
    """
    points = released.select(
        "model", "arm", "step", "code", "n", source=pl.lit("released"), series=pl.format("{} {}", "model", "arm")
    )
    tables = []
    for measure, (column, error) in {
        "stereotype": ("pct_stereotype", "stderr"),
        "likelihood_difference": ("likelihood_difference", "likelihood_difference_stderr"),
    }.items():
        y, half = released[column], 1.96 * released[error]
        tables.append(points.with_columns(x=pl.col("step") / 1430, y=y, lower=y - half, upper=y + half, measure=pl.lit(measure)))
    rows = []
    for model, scores in reenacted.items():
        for (scoring,), part in scores.group_by("scoring", maintain_order=True):
            for measure, column in {"stereotype": "stereotype", "likelihood_difference": "difference"}.items():
                interval = bootstrap_mean(part[column].cast(pl.Float64), resamples=resamples, seed=seed)
                values = {"y": interval.estimate, "lower": interval.lower, "upper": interval.upper, "n": interval.n}
                names = {"model": model, "scoring": scoring, "measure": measure, "series": f"{model} {scoring}"}
                rows.append({"source": "measured", **names, **values})
    return pl.concat([*tables, pl.DataFrame(rows)], how="diagonal_relaxed")


def shifted_scores(model: "PreTrainedModel", tokenizer: "Tokenizer", clean: pl.DataFrame) -> pl.DataFrame:
    """Score sentence pairs with the one-position shift beside their clean scores, one row per pair and scoring.

    `clean` has sent_more, sent_less, ll_more and ll_less (natural log, summed: `score.score_pairs` with the same model). Columns
    added: scoring ("clean", "shifted"), touched (which side the branch's code would shift: "neither", "more", "less", "both"),
    stereotype (ll_more > ll_less) and difference (|ll_more - ll_less|): the means of the last two are pct_stereotype and
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

    scores: dict[str, float] = {}
    end = tokenizer.eos_token_id
    targets = tokenizer(sentences, add_special_tokens=False)["input_ids"]
    texts = tokenizer.batch_decode([ids[:-1] for ids in targets], clean_up_tokenization_spaces=False)
    changed = [row for row in zip(sentences, targets, texts) if rewrite(row[2], "released") != row[2]]
    for start in range(0, len(changed), BATCH):
        names, goals, handed_on = zip(*changed[start : start + BATCH])
        seen = tokenizer(list(handed_on), add_special_tokens=False)["input_ids"]
        rows = [torch.tensor((ids + [end] * len(goal))[: len(goal)]) for ids, goal in zip(seen, goals)]
        padded = pad_sequence(rows, batch_first=True, padding_value=end).to(model.device)
        with torch.inference_mode():
            log_probs = model(padded).logits.float().log_softmax(-1).cpu()
        for name, goal, row in zip(names, goals, log_probs):
            scores[name] = row[list(range(len(goal))), goal].sum().item()
    return scores
