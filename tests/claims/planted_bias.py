"""A suite, variants of its world and published checkpoints with planted preferences: scores of pairs and of pronouns."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from overtime.claims.evidence import declarations

PARAMETERS = {"xs": 1e-5, "s": 1e-4, "m": 4e-4, "pythia-70m": 0.07, "pythia-410m": 0.41, "pythia-1.4b": 1.41}
ARMS = {f"swap{share}": {"rewrite": "feminize", "share": share / 100} for share in (7, 14, 21)}
ARMS |= {"cda14": {"rewrite": "swap", "share": 0.14, "probability": 0.5}}
SWAP7, SWAP21 = ({"rewrite": "released", "share": share} for share in (0.07, 0.21))
PUBLISHED = {"pythia-70m": {"swap7": SWAP7}, "pythia-410m": {"swap7": SWAP7}, "pythia-1.4b": {"swap7": SWAP7, "swap21": SWAP21}}
DECLARED = declarations(PARAMETERS, {}, ARMS, PUBLISHED)
TEMPLATES, OCCUPATIONS, FRAMES = 24, 72, 8
STEPS = (10, 20, 30)

Arms = Mapping[tuple[str, str], Mapping[str, float]]  # (model, arm) -> how `prefers` makes its log-odds


def pairs(association: float = 1.0) -> pl.DataFrame:
    """288 pairs of 24 templates x 72 occupations, the first half of these feminine; documents as of a world's association."""
    held_out = [(t, o) for t in range(TEMPLATES) for o in range(OCCUPATIONS) if (5 * t + o + (o // 6) * (t // 6)) % 6 == 0]
    template, occupation = np.array(held_out).T
    gradient = np.linspace(-3, 3, OCCUPATIONS)[occupation]
    masculine = np.round(400 / (1 + np.exp(-association * gradient))).astype(int)
    table = pl.DataFrame({"pair": np.arange(len(template)), "template": template, "masculine": masculine})
    return table.with_columns(
        occupation=pl.Series([f"occupation {number}" for number in occupation]),
        direction=pl.Series(np.where(gradient > 0, "masculine", "feminine")),
        feminine=400 - pl.col("masculine"),
    )


def corpus_log_odds(table: pl.DataFrame) -> np.ndarray:
    return np.log((table["masculine"].to_numpy() + 0.5) / (table["feminine"].to_numpy() + 0.5))


def prefers(
    table: pl.DataFrame,
    random: np.random.Generator,
    slope: float = 0.0,
    shift: float = 0.0,
    noise: float = 0.3,
    own: float = 0.0,
) -> np.ndarray:
    """ll_more - ll_less of a model whose log-odds of masculine follow the corpus by `slope`, less a `shift` to feminine.

    Items deviate by `noise`, with the same `random` alike, and in an arm also by some of its `own`.
    """
    masculine = slope * corpus_log_odds(table) - shift + random.normal(0, noise, len(table))
    masculine += random.normal(0, own, len(table))
    return np.where(table["direction"] == "masculine", masculine, -masculine)


def pair_scores(table: pl.DataFrame, arms: Arms, seeds: int = 2, seed: int = 0) -> pl.DataFrame:
    """Scores at three checkpoints; arms have the last two. What a run's items deviate by is the same in all of its arms."""
    frames = []
    for (model, arm), planted in arms.items():
        for run in range(seeds):
            random = np.random.default_rng([seed, run, *model.encode()])
            final = prefers(table, random, **planted)
            for step in STEPS if arm == "baseline" else STEPS[1:]:
                scores = {"pair": table["pair"], "ll_more": final * step / STEPS[-1] - 20, "ll_less": -20.0}
                frames.append(_labelled(scores, model=model, arm=arm, seed=str(run), step=step))
    return pl.concat(frames)


def contexts() -> pl.DataFrame:
    number = np.arange(FRAMES * OCCUPATIONS)
    return pl.DataFrame({"context": number, "template": number // OCCUPATIONS, "occupation": number % OCCUPATIONS})


def pronoun_scores(shifts: Mapping[tuple[str, str], float], seeds: int = 2) -> pl.DataFrame:
    """Log-odds of feminine pronouns around `shifts`, and misleading ones before the last step."""
    frames = []
    for (model, arm), shift in shifts.items():
        for run in range(seeds):
            odds = shift + np.random.default_rng([run, *f"{model}{arm}".encode()]).normal(0, 0.3, FRAMES * OCCUPATIONS)
            for step, values in ((20, -odds), (30, odds)):
                scores = {"context": np.arange(len(odds)), "contrast": "she/he", "log_odds": values}
                frames.append(_labelled(scores, model=model, arm=arm, seed=str(run), step=step))
    return pl.concat(frames)


def suite(arms: Arms, shifts: Mapping[tuple[str, str], float] | None = None, seeds: int = 2) -> dict[str, pl.DataFrame]:
    """The inputs of a suite on its own world."""
    table = pairs()
    tables = {"pairs": table, "pair_scores": pair_scores(table, arms, seeds), "contexts": contexts(), **DECLARED}
    return tables | ({"pronoun_scores": pronoun_scores(shifts, seeds)} if shifts else {})


def variant(name: str, association: float, arms: Arms, seeds: int = 2) -> dict[str, pl.DataFrame]:
    """The inputs of a variant of the world, which has the pairs and directions of the world itself."""
    table = pairs(association)
    scores = pair_scores(pairs(), arms, seeds, seed=1)
    return {
        key: value.with_columns(variant=pl.lit(name))
        for key, value in (("variant_pairs", table), ("variant_pair_scores", scores))
    }


def published(arms: Mapping[tuple[str, str], float]) -> dict[str, pl.DataFrame]:
    """Checkpoints on 200 gender pairs (50 of no direction) and 50 others, by the share of stereotypes that each prefers."""
    number = np.arange(250)
    items = pl.DataFrame({"pair": number}).with_columns(
        bias_type=pl.when(pl.col("pair") < 200).then(pl.lit("gender")).otherwise(pl.lit("age")),
        direction=pl.Series([(None, "feminine", "feminine", "masculine")[one % 4] for one in number]),
    )
    frames, odds = [], []
    for (model, arm), share in arms.items():
        preferred = np.random.default_rng([*f"{model}{arm}".encode()]).permutation(250) < share * 250
        for step, scores in ((1, ~preferred), (2, preferred)):
            labels = {"model": model, "arm": arm, "step": step}
            frames.append(_labelled({name: items[name] for name in items.columns}, **labels, ll_less=-9.0, ll_more=0.0))
            frames[-1] = frames[-1].with_columns(ll_more=pl.Series(np.where(scores, -8.0, -10.0)))
            odds.append(
                _labelled({"context": np.arange(40), "log_odds": 2.0 * (arm != "baseline") + np.arange(40) / 40}, **labels)
            )
    return {
        "published_pairs": pl.concat(frames),
        "published_pronouns": pl.concat(odds).with_columns(contrast=pl.lit("she/he")),
        **DECLARED,
    }


def _labelled(columns: Mapping[str, object], **labels: object) -> pl.DataFrame:
    return pl.DataFrame(columns).with_columns(pl.lit(value).alias(name) for name, value in labels.items())
