"""Inputs of the claims with effects planted in them: score tables of the suite, of published checkpoints and of question sets."""

import numpy as np
import polars as pl

from overtime.claims.evidence import declarations

PARAMETERS = {"xs": 1e-5, "s": 1e-4, "m": 4e-4, "l": 2e-3, "neo-20b": 20.6, "neo-125m": 0.13, "smol-360m": 0.36}
PARAMETERS |= {"pythia-70m": 0.07, "pythia-1.4b": 1.41}
ARMS = {"swap14": {"rewrite": "feminize", "share": 0.14}, "cda14": {"rewrite": "swap", "share": 0.14, "probability": 0.5}}
SWAP7, SWAP21 = ({"rewrite": "released", "share": share} for share in (0.07, 0.21))
PUBLISHED = {"pythia-70m": {"swap7": SWAP7}, "pythia-1.4b": {"swap7": SWAP7, "swap21": SWAP21}}
DECLARED = declarations(PARAMETERS, {"neo-20b": "pile", "neo-125m": "pile"}, ARMS, PUBLISHED)


def runs(values: dict[tuple[str, str], np.ndarray], column: str, **keys: object) -> pl.DataFrame:
    """Score table from (model, arm) -> values per item, two seeds, two steps; the first step is misleading."""
    frames = []
    for (model, arm), final in values.items():
        for seed in (0, 1):
            for step, numbers in ((1, final[::-1]), (2, final)):
                labels = {"model": model, "arm": arm, "seed": seed, "step": step}
                frames.append(pl.DataFrame(keys | {column: numbers}).with_columns(pl.lit(v).alias(k) for k, v in labels.items()))
    return pl.concat(frames)


def some(share: float, size: int, random: np.random.Generator) -> np.ndarray:
    return random.permutation(np.arange(size) < round(share * size)).astype(float)


def bias_inputs(works: bool, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """240 pairs of 24 templates. The one-way swap leaves the aggregate and (if it `works`) lowers both directions."""
    pair = np.arange(240)
    direction = np.where(pair % 2, "masculine", "feminine")
    pairs = pl.DataFrame({"pair": pair, "template": pair // 10, "direction": direction})
    halves = {"baseline": (0.9, 0.9), "swap14": (0.55, 0.55) if works else (0.99, 0.75), "cda14": (0.55, 0.52)}
    shares = {arm: np.where(pair % 2, some(m, 240, random), some(f, 240, random)) for arm, (f, m) in halves.items()}
    models = {("l", arm): share for arm, share in shares.items()} | {
        ("xs", "baseline"): some(0.55 if works else 0.97, 240, random)
    }
    scores = runs(models, "ll_more", pair=pair).with_columns(pl.lit(0.5).alias("ll_less"))
    context = np.repeat(np.arange(20), 2)
    odds = {("l", "baseline"): random.normal(0, 0.3, 40), ("l", "swap14"): random.normal(3 if works else 0, 0.3, 40)}
    pronouns = runs(odds, "log_odds", context=context, contrast=["she/he", "her/him"] * 20)
    return {"pairs": pairs, "pair_scores": scores, "pronoun_scores": pronouns, **DECLARED}


def fact_inputs(holds: bool, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """300 entities with three questions each; entities 0 to 99 are insertion targets."""
    question = np.arange(900)
    entity = question // 3
    count = np.repeat(np.round(2 ** random.uniform(0, 10, 300)), 3).astype(int)
    inserted = np.where(np.arange(100) % 2, 100, 0)
    rank = np.argsort(np.argsort(count)) / 900
    closed = (random.uniform(size=900) < (rank if holds else 0.5)).astype(float)
    retrieved = (random.uniform(size=900) < (1 - 0.7 * rank if holds else 0.3 + 0.6 * rank)).astype(float)
    dose = np.where(entity < 100, np.where(entity % 2, 100, 0), -1)
    helped = np.where((dose == 100) & (random.uniform(size=900) < (0.8 if holds else 0.0)), 1.0, closed)
    weak = np.zeros(900)
    answers = {("s", "baseline"): weak, ("l", "baseline"): closed, ("l", "insert_late"): helped}
    passages = [
        runs({("s", "baseline"): weak, ("l", "baseline"): scores}, "correct", question=question)
        .filter(pl.col("step") == 2)
        .drop("step")
        for scores in (closed, retrieved)
    ]
    return {
        "questions": pl.DataFrame({"question": question, "entity": entity}).with_columns(pl.lit("evaluation").alias("group")),
        "counts": pl.DataFrame({"question": question, "count": count}),
        "targets": pl.DataFrame({"entity": np.arange(100), "inserted": inserted}),
        "closed_book": runs(answers, "correct", question=question),
        "passages": pl.concat(
            table.with_columns(pl.lit(name).alias("condition"))
            for table, name in zip(passages, ("closed_book", "bm25_1"), strict=True)
        ),
        **pretrained_inputs(question, count, retrieved),
        **DECLARED,
    }


def pretrained_inputs(question: np.ndarray, count: np.ndarray, human: np.ndarray) -> dict[str, pl.DataFrame]:
    """A question set with annotators and counts, asked of no model."""
    identity = {"set": pl.lit("nq"), "corpus": pl.lit("pile")}
    return {
        "sets": pl.DataFrame({"question": question, "human": human}).with_columns(set=pl.lit("nq")),
        "set_counts": pl.DataFrame({"question": question, "count": count}).with_columns(**identity),
    }


def layer_table(curves: dict[str, list[float]], prompts: int, random: np.random.Generator) -> pl.DataFrame:
    """Layers of one model and task with these accuracies per condition; decoys at another lens and fewer demonstrations."""
    rows = []
    for condition, accuracies in curves.items():
        for layer, accuracy in enumerate(accuracies):
            for prompt, right in enumerate(some(accuracy, prompts, random)):
                for lens, shown, good in (
                    ("logit", 8, right if layer == len(accuracies) - 1 else 0.5),
                    ("tuned", 8, right),
                    ("tuned", 1, 0.5),
                ):
                    identity = {"prompt": prompt, "condition": condition, "layer": layer, "lens": lens, "demonstrations": shown}
                    rows += [identity | {"label": label, "logit": logit} for label, logit in (("yes", good), ("no", 0.7))]
    return pl.DataFrame(rows).with_columns(model=pl.lit("smollm2-135m"), task=pl.lit("topics"), truth=pl.lit("yes"))


def prompt_inputs(holds: bool, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    normal = [0.5, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    attacked = [0.5, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9, 0.3, 0.0] if holds else [0.5, 0.5, 0.4, 0.4, 0.3, 0.3, 0.3, 0.3, 0.3]
    if holds:  # two layers before the end the same prompts are right, so that the paired difference is exactly zero
        layers = layer_table({"true": normal}, 200, random)
        same = layers.filter(pl.col("layer") <= 6).with_columns(condition=pl.lit("injection"))
        late = layer_table({"injection": attacked}, 200, random).filter(pl.col("layer") > 6)
        layers = pl.concat([layers, same, late.select(layers.columns)])
    else:
        layers = layer_table({"true": normal, "injection": attacked}, 200, random)
    groups = np.repeat(["conspiracy", "true", "false"], 20)
    shift = {"benign": np.zeros(60), "persona": np.where(groups == "conspiracy", 2.0, 0.0) if holds else np.full(60, 2.0)}
    persona = [
        pl.DataFrame({"claim": np.arange(60), "group": groups, "log_odds": values + random.normal(0, 0.5, 60)}).with_columns(
            condition=pl.lit(name)
        )
        for name, values in shift.items()
    ]
    edges = {"isolation_forest": 3.0, "local_outlier_factor": 3.0, "entropy": 0.5 if holds else 5.0}
    benign = 0.5 if holds else 1.5  # of what an injection adds to a score
    decoys = {("normal", 8): 9.0, ("false", 8): -9.0, ("benign", 8): -9.0}
    kinds = {("normal", 16): 0.0, ("injection", 16): 1.0, ("benign", 16): benign} | decoys
    detect = [
        pl.DataFrame({"prompt": np.arange(100), "score": edge * sign + random.normal(size=100)}).with_columns(
            detector=pl.lit(name), kind=pl.lit(kind), demonstrations=pl.lit(shown), attack=pl.lit(kind in ("injection", "false"))
        )
        for name, edge in edges.items()
        for (kind, shown), sign in kinds.items()
    ]
    policies = {"final": some(0.2, 200, random), "early_exit": some(0.8 if holds else 0.05, 200, random)}
    defend = [
        pl.DataFrame({"prompt": np.arange(200), "correct": right.astype(bool)}).with_columns(
            policy=pl.lit(name), condition=pl.lit(condition), demonstrations=pl.lit(16)
        )
        for name, right in policies.items()
        for condition in ("injection", "true")
    ]
    place = {"model": pl.lit("smollm2-135m"), "task": pl.lit("topics")}
    return {
        "layers": layers,
        "persona": pl.concat(persona),
        "detect": pl.concat(detect).with_columns(**place),
        "defend": pl.concat(defend).with_columns(**place),
    }


def all_inputs(holds: bool) -> dict[str, pl.DataFrame]:
    random = np.random.default_rng(4)
    return bias_inputs(holds, random) | fact_inputs(holds, random) | prompt_inputs(holds, random)


def published_inputs(arms: dict[str, list[str]], random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Checkpoints on 200 gender pairs (50 unclassified) and 50 others: the swap takes, and changes no preference for good."""
    direction = [(None, "feminine", "feminine", "masculine")[number % 4] for number in range(250)]
    items = {"pair": np.arange(250), "bias_type": ["gender"] * 200 + ["age"] * 50, "direction": direction, "ll_less": 0.5}
    names = [(model, arm) for model, swaps in arms.items() for arm in ("baseline", *swaps)]
    scores = runs({name: some(0.7, 250, random) for name in names}, "ll_more", **items)
    odds = {name: random.normal(2 * (name[1] != "baseline"), 0.3, 40) for name in names}
    pronouns = runs(odds, "log_odds", context=np.arange(40), contrast="she/he")
    tables = {"published_pairs": scores, "published_pronouns": pronouns}
    return {name: table.filter(seed=0).drop("seed") for name, table in tables.items()} | DECLARED


def asked(name: str, model: str, **correct: np.ndarray) -> pl.DataFrame:
    """Answers of a pretrained model to a question set, a column of correctness for every condition."""
    tables = [
        pl.DataFrame({"question": range(len(right)), "correct": right}).with_columns(condition=pl.lit(condition))
        for condition, right in correct.items()
    ]
    return pl.concat(tables).with_columns(set=pl.lit(name), model=pl.lit(model))
