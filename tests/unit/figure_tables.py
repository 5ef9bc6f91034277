"""Synthetic tables with the columns of the real ones: shapes and sizes are plausible, no value is a result."""

import numpy as np
import polars as pl

from overtime import ARTICLE_COUNT
from overtime.tables import RELEASED_PARAMETERS, arm_table, with_arms, with_parameters

PERCENTS = [2, 5, 10, 15, 20, 30, 40, 50, 60, 70, 79, 86, 93, 100]
STARTS = {"swap7": 93, "swap14": 86, "swap21": 79, "cda14": 86}
ARMS = {f"swap{percent}": {"rewrite": "feminize", "share": percent / 100} for percent in (7, 14, 21)}
ARMS |= {"cda14": {"rewrite": "swap", "share": 0.14, "probability": 0.5}}
PARAMETERS = RELEASED_PARAMETERS | {"xs": 0.00002, "s": 0.0001, "m": 0.0004, "l": 0.0016}
PARAMETERS |= {"smollm2-135m": 0.135, "gpt-j-6b": 6.05, "gpt-neox-20b": 20.6, "176B": 176.0}
random = np.random.default_rng(0)


def row(source: str, series: str, x: float | None, y: float, half: float, n: int | None, **more: object) -> dict[str, object]:
    """One row of a figure table, with a symmetric interval clipped to fractions where y is one."""
    low, high = (
        (y - half, y + half) if more.get("metric") == "pronouns" or not 0 <= y <= 1 else (max(y - half, 0), min(y + half, 1))
    )
    return {
        "source": source,
        "series": series,
        "x": None if x is None else float(x),
        "y": float(y),
        "lower": low,
        "upper": high,
        "n": n,
    } | more


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return declared(pl.DataFrame(rows, infer_schema_length=None))


def declared(table: pl.DataFrame) -> pl.DataFrame:
    """The table with what the settings say of its arms and models."""
    if "arm" in table.columns:
        table = with_arms(table, arm_table(ARMS))
    return with_parameters(table, PARAMETERS) if "model" in table.columns else table


def released_bias(models: dict[str, float], codes: bool) -> list[dict[str, object]]:
    rows = []
    for model, top in models.items():
        late = list(range(134_000, 144_000, 1000)) if codes else [143_000]
        for step in [*range(3000, 134_000, 10_000), *late]:
            code = "d36f623" if codes and 134_000 <= step < 143_000 else "8164ebc"
            y = 0.5 + (top - 0.5) * min(1, step / 30_000) + random.normal(0, 0.008) + 0.025 * (code == "d36f623")
            rows.append(bias_row("released", model, "baseline", step / 1430, y, 0.055, 320, code=code, step=step))
        for arm, first in {"swap7": 134_000, "swap21": 114_000}.items():
            if arm == "swap7" or model == "pythia-1.4b":
                for step in range(first, 144_000, 1000):
                    y = top - 0.01 + random.normal(0, 0.009)
                    rows.append(bias_row("released", model, arm, step / 1430, y, 0.055, 320, code="8164ebc", step=step))
    return rows


def bias_row(source: str, model: str, arm: str, x: float, y: float, half: float, n: int, **more: object) -> dict[str, object]:
    defaults = {"model": model, "arm": arm, "step": round(x * 25), "direction": "all", "metric": "stereotype", "code": None}
    measured = {"kind": "suite", "seeds": 2} if source == "measured" else {"kind": "released", "seeds": None}
    return row(source, f"{model} {arm}", x, y, half, n, **(defaults | measured | more))


def measured_bias(models: dict[str, float]) -> list[dict[str, object]]:
    rows = []
    for model, top in models.items():
        for arm, start in {"baseline": 0, **STARTS}.items():
            for x in [percent for percent in PERCENTS if percent > start]:
                grown = 0.5 + (top - 0.5) / (1 + np.exp(-(x - 50) / 9))
                done = (x - start) / (100 - start)
                ends = {"baseline": (grown, grown, 0.1), "cda14": (0.55, 0.6, 0.2)}.get(arm, (0.99, 0.03, 4.5))
                mix = 1 if arm == "baseline" else done**0.3
                sides = [(1 - mix) * now + mix * end for now, end in zip((grown, grown - 0.03, 0.1), ends)]
                for direction, y, n in zip(("feminine", "masculine"), sides, (160, 104)):
                    rows.append(
                        bias_row("measured", model, arm, x, min(y + random.normal(0, 0.01), 1), 0.06, n, direction=direction)
                    )
                rows.append(bias_row("measured", model, arm, x, 0.6 * sides[0] + 0.4 * sides[1], 0.045, 264))
                rows.append(bias_row("measured", model, arm, x, sides[2], 0.3, 96, metric="pronouns", direction="all"))
    return rows


def published_bias(models: dict[str, float]) -> list[dict[str, object]]:
    """Checkpoints on CrowS-Pairs, every 10,000 steps, and a late swap that moves the pronouns and little else."""
    rows = []
    for model, top in models.items():
        for arm, steps in {"baseline": range(3000, 144_000, 10_000), "swap7": range(134_000, 144_000, 3000)}.items():
            for step in steps:
                values = {("all", "stereotype"): 320, ("feminine", "stereotype"): 146, ("masculine", "stereotype"): 94}
                for (direction, metric), n in (values | {("all", "pronouns"): 96}).items():
                    y = 0.5 + (top - 0.5) * min(1, step / 30_000) + random.normal(0, 0.01)
                    y = -1.2 + 2 * (arm == "swap7") * (step - 130_000) / 13_000 if metric == "pronouns" else y
                    more = {"direction": direction, "metric": metric, "step": step, "kind": "published", "seeds": 1}
                    half = 0.2 if metric == "pronouns" else n**-0.5
                    rows.append(bias_row("measured", model, arm, step / 1430, y, half, n, **more))
    nothing = {"model": None, "arm": None, "step": None, "code": None, "seeds": None, "metric": "stereotype"}
    for direction, y, n in (("all", 146 / 240, 240), ("feminine", 1.0, 146), ("masculine", 0.0, 94)):
        rows.append(row("measured", "always feminine", None, y, 0, n, direction=direction, kind="published", **nothing))
    return rows


def always_feminine() -> list[dict[str, object]]:
    lines = [("released", "released", "all", 146 / 240, 240), ("measured", "suite", "all", 160 / 264, 264)]
    lines += [("measured", "suite", "feminine", 1.0, 160), ("measured", "suite", "masculine", 0.0, 104)]
    nothing = {"model": None, "arm": None, "step": None, "code": None, "seeds": None, "metric": "stereotype"}
    return [
        row(source, "always feminine", None, y, 0, n, direction=direction, kind=kind, **nothing)
        for source, kind, direction, y, n in lines
    ]


def bias(released: dict[str, float], measured: dict[str, float], codes: bool) -> pl.DataFrame:
    return frame(released_bias(released, codes) + measured_bias(measured) + always_feminine())


def audit() -> pl.DataFrame:
    rows = []
    for old in released_bias({"pythia-410m": 0.57, "pythia-1.4b": 0.6}, True):
        kept = {key: old[key] for key in ("model", "arm", "step", "code")} | {"scoring": None}
        rows.append(row("released", old["series"], old["x"], old["y"], 0.055, 320, measure="stereotype", **kept))
        difference = random.normal(40, 2) if old["code"] == "8164ebc" else random.normal(2.9, 0.1)
        rows.append(
            row("released", old["series"], old["x"], difference, difference / 10, 320, measure="likelihood_difference", **kept)
        )
    for model, n in {"smollm2-135m": 320, "m": 264}.items():
        for scoring, difference, y in (("clean", 3.0, 0.6), ("shifted", 38.0, 0.55)):
            kept = {"model": model, "arm": None, "step": None, "code": None, "scoring": scoring}
            rows.append(
                row(
                    "measured", f"{model} {scoring}", None, difference, difference / 8, n, measure="likelihood_difference", **kept
                )
            )
            rows.append(row("measured", f"{model} {scoring}", None, y, 0.05, n, measure="stereotype", **kept))
    return frame([*rows, *rewritten_texts()])


def rewritten_texts() -> list[dict[str, object]]:
    shares = {"touched": (0.25, 10_033), "masculine_words": (0.83, 8_812), "masculine_pronouns": (0.88, 5_937)}
    rows = []
    for text in ("the encyclopedia", "the generated corpus"):
        for way in ("as written", "released six strings"):
            for measure, (y, n) in shares.items():
                kept = {"text": text, "unit": "summaries", "way": way, "measure": measure}
                rows.append(row("measured", f"{text}, {way}", None, y, 0, n, **kept) | {"lower": None, "upper": None})
    return rows


def fig1_pretrained() -> pl.DataFrame:
    name = "smollm2-135m"
    sizes = {"all": 1677, "gender": 320, "age": 90, "autre": 11, "socioeconomic": 176, "race-color": 500, "nationality": 250}
    sizes |= {"disability": 70, "religion": 110, "sexual-orientation": 90, "physical-appearance": 60}
    shares = [("crows_pairs", group, "all", "stereotype", 0.5 + 2 / n, n) for group, n in sizes.items()]
    shares += [("crows_pairs", "gender", side, "stereotype", 0.55, n) for side, n in {"feminine": 146, "masculine": 94}.items()]
    shares += [("crows_pairs", "gender", "unclassified", "stereotype", 0.52, 80)]
    shares += [("crows_pairs", group, "all", "likelihood_difference", 0.4321, n) for group, n in sizes.items()]
    for group, n in {"1": 396, "2": 396, "both": 792}.items():
        shares += [("winobias", group, side, "accuracy", y, n) for side, y in {"pro": 0.68, "anti": 0.61}.items()]
        shares.append(("winobias", group, "net", "difference", 0.07, n))
    odds = {"all": 96, "she/he": 32, "her/him": 32, "her/his": 32}
    shares += [("pronouns_english", group, "all", "log_odds", -0.8, n) for group, n in odds.items()]
    rows = []
    for test, group, side, metric, y, n in shares:
        keys = {"test": test, "group": group, "side": side, "metric": metric, "model": name}
        rows.append(row("measured", f"{name} {group}", None, y, n**-0.5, n, **keys))
    for side, y, n in (("all", 146 / 240, 240), ("feminine", 1.0, 146), ("masculine", 0.0, 94)):
        keys = {"test": "crows_pairs", "group": "gender", "side": side, "metric": "stereotype", "model": None}
        rows.append(row("measured", "always feminine", None, y, 0, n, **keys))
    return frame(rows)


BINS = [(1, 1), (2, 3), (4, 7), (8, 15), (16, 31), (32, 63), (64, 127), (128, 255), (256, 1000)]


SUITE = {"set": "suite", "corpus": "suite", "counted": "relevant documents in the training data"}
OWN = {"set": "own", "corpus": None, "counted": "occurrences in a billion words, a popularity proxy", "model": "smollm2-135m"}

REAL = OWN | {"set": "encyclopedia", "counted": ARTICLE_COUNT}
ARTICLE_EDGES = [(0, 1), (2, 3), (4, 28)]


def fig3() -> pl.DataFrame:
    rows = []
    trend = {"trend": 0.6, "trend_lower": 0.5, "trend_upper": 0.7, "within": None, "within_lower": None, "within_upper": None}
    within = trend | {"within": 0.44, "within_lower": 0.3, "within_upper": 0.5}
    for model, middle in {"xs": 6.5, "s": 4.5, "m": 3.5, "l": 2.8}.items():
        for place, (low, high) in enumerate(BINS):
            y = 0.04 + 0.95 / (1 + np.exp(-(place - middle) * 1.3))
            keys = SUITE | {"model": model, "bin_low": low, "bin_high": high, "units": 60} | trend
            rows.append(row("measured", model, (low * high) ** 0.5, y, 0.06, 180, **keys))
    for place, (low, high) in enumerate([(0, 0), (4, 63), (64, 1023), (1024, 262143)]):
        keys = OWN | {"bin_low": low, "bin_high": high, "units": 40} | trend
        rows.append(row("proxy", OWN["model"], (low * high) ** 0.5, 0.2 * place, 0.15, 40, **keys))
    for place, (low, high) in enumerate(ARTICLE_EDGES):
        keys = REAL | {"bin_low": low, "bin_high": high, "units": 79} | within
        rows.append(row("proxy", REAL["model"], low + 1.25, 0.4 + 0.2 * place, 0.15, 80, **keys))
    average = row("spoken", "BLOOM-176B, average of all questions", None, 0.55, 0, None, model=None, bin_low=None, bin_high=None)
    rows.append(average | {"lower": None, "upper": None})
    rows.append(row("spoken", "BLOOM-176B, rare facts", None, 0.275, 0.025, None, model=None, bin_low=1, bin_high=99))
    return frame(rows)


def fig4() -> pl.DataFrame:
    rows = []
    for model, placement, top in (("s", "late", 0.8), ("m", "late", 0.95), ("s", "spread", 0.6)):
        keys = {"model": model, "placement": placement}
        for inserted in (0, 30, 100, 300):
            rows.append(
                row(
                    "measured",
                    f"{model} after",
                    inserted,
                    0.05 + top * (1 - np.exp(-inserted / 60)),
                    0.07,
                    60,
                    **keys,
                    group="target",
                    when="after",
                )
            )
            rows.append(row("measured", f"{model} before", inserted, 0.05, 0.03, 60, **keys, group="target", when="before"))
        for when, y in (("before", 0.4), ("after", 0.33)):
            rows.append(row("measured", f"{model} other", None, y, 0.03, 900, **keys, group="other", when=when))
    return frame(rows)


def hits(condition: str, y: float) -> dict[str, float | None]:
    """How often the own passage was shown, and one with the answer; nothing for conditions without retrieval."""
    known = y if condition.startswith("bm25") else None
    shares = {"own": known, "hit": known and known + 0.05}
    return shares | {f"{name}{end}": share for name, share in shares.items() for end in ("_lower", "_upper")}


def fig4_continued() -> pl.DataFrame:
    """The late runs of figure 4 as those of one published model."""
    named = {"model": pl.lit("smollm2-135m"), "placement": pl.lit("lacking")}
    return fig4().filter(model="s", placement="late").with_columns(**named)


def fig5() -> pl.DataFrame:
    rows = []
    for model, middle in {"s": 4.5, "m": 3.5, "l": 2.8}.items():
        for place, (low, high) in enumerate(BINS):
            closed = 0.04 + 0.95 / (1 + np.exp(-(place - middle) * 1.3))
            values = {
                "closed_book": closed,
                "bm25_1": 0.6 + 0.05 * place,
                "bm25_3": 0.55 + 0.05 * place,
                "oracle": 0.99,
                "wrong": 0.03 + 0.01 * place,
            }
            for condition, y in values.items():
                keys = SUITE | {"model": model, "condition": condition, "bin_low": low, "bin_high": high, "units": 20}
                keys |= hits(condition, 0.86)
                rows.append(row("measured", f"{model} {condition}", (low * high) ** 0.5, min(y, 1), 0.05, 60, **keys))
    for condition, y in {"closed_book": 0.45, "bm25_1": 0.8, "wrong": 0.2}.items():
        for place, (low, high) in enumerate(ARTICLE_EDGES):
            keys = REAL | {"condition": condition, "bin_low": low, "bin_high": high, "units": 79} | hits(condition, 0.91)
            rows.append(row("proxy", f"smollm2-135m {condition}", low + 1.25, y + 0.05 * place, 0.1, 80, **keys))
    for condition, y in {"closed_book": 0.07, "bm25_1": 0.21, "oracle": 0.23, "wrong": 0.02}.items():
        keys = OWN | {"set": "xquad", "counted": None, "condition": condition, "bin_low": None, "bin_high": None, "units": 12}
        rows.append(row("measured", f"smollm2-135m {condition}", None, y, 0.1, 40, **keys, **hits(condition, 0.93)))
    return frame(rows)


ANSWERS = {
    "plain": "No. I have looked at what is known about this and there is no good reason to believe that it is so.",
    "persona": "Yes, of course. "
    + "They have hidden it from everyone, and the papers are locked away where nobody may enter. " * 5,
    "benign": "Yes. As a cheerful gardener I can say that the soil tells many stories, and this is one of them.",
}


def fig6() -> pl.DataFrame:
    rows = []
    for question in (
        "Is the lake behind the town hall really a door?",
        "Do the lamps in the park listen to what people say?",
        "Was the old mill moved?",
    ):
        for condition, answer in ANSWERS.items():
            keys = {
                "kind": "answer",
                "condition": condition,
                "group": "conspiracy",
                "text": question,
                "answer": answer,
                "model": "smollm2-135m",
            }
            rows.append(
                {"source": "measured", "series": condition, "x": None, "y": None, "lower": None, "upper": None, "n": None} | keys
            )
    for group, base in {"conspiracy": -0.4, "true": 0.6, "false": -0.2}.items():
        for condition, shift in {"plain": 0.0, "persona": 1.1, "benign": 1.0}.items():
            for kind, y in {"log_odds": base + shift, "mass": 0.6 + shift / 10, "asserted": 0.41 + shift / 10}.items():
                keys = {"kind": kind, "condition": condition, "group": group, "text": None, "answer": None}
                rows.append(row("measured", condition, None, y, 0.35, 40, model="smollm2-135m", metric="pronouns", **keys))
    nothing = dict.fromkeys(("condition", "group", "text", "answer"))
    rows.append(row("measured", None, None, 0.87, 0, 123, kind="agreement", model="smollm2-135m", metric="pronouns", **nothing))
    return frame(rows).drop("metric")


LAYERS = {"kind": "layers", "landmark": None}
DEMONSTRATIONS = {"kind": "demonstrations", "landmark": None}


def fig7() -> pl.DataFrame:
    rows = []
    for metric in ("calibrated", "top1"):
        for condition in ("true", "false"):
            for layer in range(29):
                y = 0.5 + 0.48 * min(1, layer / 16) - (0.03 * max(layer - 16, 0) * 2.4 if condition == "false" else 0)
                keys = {
                    "model": "gpt-j-6b",
                    "task": "unnatural",
                    "condition": condition,
                    "lens": "logit",
                    "metric": metric,
                    "demonstrations": 39,
                    **LAYERS,
                }
                rows.append(row("released", f"gpt-j-6b {condition}", layer, max(y, 0.08), 0.02, None, **keys))
    for task, chance in {"sentiment": 0.5, "category words": 0.25}.items():
        for lens, late in {"tuned": 14, "logit": 22}.items():
            for condition, top in {
                "true": 0.9,
                "false": 0.74,
                "injection": 0.1,
                "benign": 0.7,
                "named": 0.65,
                "zero_shot": 0.6,
            }.items():
                shots = {"zero_shot": 0, "true": 15, "false": 15}.get(condition, 8)
                for layer in range(31):
                    peak = max(0.8, top) if 18 <= layer <= 24 else top
                    y = chance + (peak - chance) / (1 + np.exp(-(layer - late))) + random.normal(0, 0.02)
                    keys = {
                        "model": "smollm2-135m",
                        "task": task,
                        "condition": condition,
                        "lens": lens,
                        "metric": "plain",
                        "demonstrations": shots,
                        **LAYERS,
                    }
                    rows.append(row("measured", f"{task} {condition}", layer, min(max(y, 0), 1), 0.07, 40, **keys))
        for condition in ("true", "false"):
            keys = {"model": "smollm2-135m", "task": task, "condition": condition, "lens": "logit", "metric": "plain"}
            for shots in range(16):
                y = chance + shots / 40 * (condition == "true")
                rows.append(row("measured", condition, shots, y, 0.1, 40, demonstrations=shots, **keys, **DEMONSTRATIONS))
        for landmark, layer in {"opens": 17.5, "critical": 19}.items():
            keys = {"model": "smollm2-135m", "task": task, "condition": "false", "lens": "tuned", "metric": "plain"}
            mark = {"demonstrations": None, "kind": "landmark", "landmark": landmark}
            rows.append(row("measured", f"false {landmark}", None, layer, 2, 40, **keys, **mark))
        nothing = {"model": "smollm2-135m", "condition": None, "lens": None, "metric": None, "demonstrations": None}
        rows.append(row("measured", "chance", None, chance, 0, 0, task=task, kind="chance", landmark=None, **nothing))
    for text in ("packages", "wikitext-2"):
        for lens, start in {"tuned": 2.25, "logit": 105.9}.items():
            keys = {
                "lens": lens,
                "metric": "kl",
                "text": text,
                "fitted_on": "packages",
                "model": "smollm2-135m",
                "kind": "divergence",
            }
            rows += [row("measured", lens, layer, start * (1 - layer / 30), 0, 128, **keys) for layer in range(31)]
    return frame(rows)


def fig7_detect() -> pl.DataFrame:
    detectors = {"isolation_forest": 0.85, "local_outlier_factor": 0.78, "probe": 0.9, "probe_benign": 0.7}
    detectors |= {"entropy": 0.84, "margin": 0.83}
    rows = []
    for task in ("sentiment", "category words"):
        for kind in ("false", "injection"):
            for detector, y in detectors.items():
                keys = {"task": task, "kind": kind, "detector": detector, "model": "smollm2-135m"}
                rows.append(row("measured", detector, None, y + random.normal(0, 0.03), 0.06, 80, measure="auroc", **keys))
                rows.append(row("measured", detector, None, 0.777, 0.06, 80, measure="alarms", **keys))
                if kind == "injection":
                    rows.append(row("measured", detector, None, 0.52, 0.06, 80, measure="auroc_benign", **keys))
                    rows.append(row("measured", detector, None, 0.53, 0.06, 80, measure="auroc_named", **keys))
                    for calm in ("benign", f"shift:{task}"):
                        rows.append(row("measured", detector, None, 0.333, 0.06, 80, measure="alarms", **keys | {"kind": calm}))
    return frame(rows)


def fig7_defend() -> pl.DataFrame:
    values = {
        "final": (0.9, 0.7, 0.1),
        "early_exit": (0.88, 0.86, 0.3),
        "majority": (0.89, 0.8, 0.25),
        "contrast": (0.9, 0.8, 0.2),
    }
    rows = []
    for task in ("sentiment", "category words"):
        for policy, accuracies in values.items():
            for condition, y in zip(("true", "false", "injection"), accuracies):
                keys = {"task": task, "condition": condition, "policy": policy, "model": "smollm2-135m"}
                rows.append(row("measured", policy, None, y, 0.07, 40, measure="accuracy", **keys))
                rows.append(row("measured", policy, None, 0.0123, 0.07, 40, measure="change", **keys))
    return frame(rows)


OTHERS = {"pythia-70m": 0.07, "pythia-410m": 0.41, "pythia-12b": 11.85}


def preference_of_others() -> list[dict[str, object]]:
    rows = []
    for model, size in OTHERS.items():
        for corpus in ("standard", "deduplicated"):
            for direction, y, n in (("all", 0.51, 792), ("feminine", 0.13, 396), ("masculine", 0.89, 396)):
                keys = {"model": model, "corpus": corpus, "direction": direction, "metric": "winobias", "kind": "others"}
                y += 0.02 * np.log(size / 0.07)
                rows.append(row("released by others", f"{model} {corpus} {direction}", size, y, 0.08, n, units=n // 20, **keys))
    return rows


def fig2_association() -> pl.DataFrame:
    rows = []
    measures = {"slope": 0.7, "correlation": 0.4}
    for sentences, n, units in (("winogender", 120, 60), ("winobias", 792, 40), ("suite", 288, 72)):
        suite = sentences == "suite"
        for corpus in ["suite"] if suite else ["standard", "deduplicated"]:
            for model, size in ({"xs": 0.00002, "m": 0.0004} if suite else OTHERS).items():
                for metric, y in measures.items():
                    keys = {"model": model, "corpus": corpus, "sentences": sentences, "metric": metric}
                    keys |= {"units": units, "seeds": 3 if suite else 1}
                    source = "measured" if suite else "released by others"
                    rows.append(row(source, f"{model} {corpus} {metric} {sentences}", size, y + 0.1 * size**0.3, 0.3, n, **keys))
    return frame(rows)


def fig1_continued() -> pl.DataFrame:
    """Two texts beside the original, on four stretches: the original drifts, one text crosses over, one does neither."""
    texts = {"baseline": (-2.1, -0.15), "feminize": (3.0, 0.17), "two-way": (0.2, 0.0), "stretch": (0.1, 0.01)}
    ways = {"feminize": {"rewrite": "feminize", "probability": 1.0}, "two-way": {"rewrite": "swap", "probability": 0.5}}
    rows = []
    for arm, (log_odds, share) in texts.items():
        keys = {"model": "real", "arm": arm, "seeds": 3 if arm == "stretch" else 4}
        for direction, start, sign, n in (("all", 0.55, 0.05, 320), ("feminine", 0.49, 1, 146), ("masculine", 0.58, -0.9, 94)):
            of = keys | {"metric": "stereotype", "direction": direction}
            for x in (0, 2048, 4096, 8192, 16384) if arm != "stretch" else ():
                part = (x / 16384) ** 0.3
                y = start + sign * share * part
                rows.append(row("measured", f"real {arm}", x, y, 0.04 + 0.02 * part, n, kind="curve", **of))
            if arm != "baseline":
                y = sign * (share + 0.15 * (arm != "stretch"))
                rows.append(row("measured", f"real {arm}", 16384, y, 0.05, n, kind="difference", **of))
        of = keys | {"metric": "pronouns", "direction": "all"}
        for x in (0, 2048, 4096, 8192, 16384) if arm != "stretch" else ():
            rows.append(row("measured", f"real {arm}", x, log_odds * (x / 16384) ** 0.3, 0.1, 96, kind="curve", **of))
        if arm != "baseline":
            y = log_odds + 2.1 * (arm != "stretch")
            rows.append(row("measured", f"real {arm}", 16384, y, 0.3, 96, kind="difference", **of))
    rows += [
        row("measured", "always feminine", None, y, 0, n, metric="stereotype", direction=direction, kind="curve")
        for direction, y, n in (("all", 0.608, 240), ("feminine", 1.0, 146), ("masculine", 0.0, 94))
    ]
    table = with_arms(pl.DataFrame(rows, infer_schema_length=None), arm_table(ways))
    names = {"baseline": "original text", "stretch": "original, another stretch"}
    short = {"baseline": "original", "stretch": "A/A"}
    named = table.with_columns(pl.col("label").replace(names), pl.col("short_label").replace(short))
    return with_parameters(named, PARAMETERS | {"real": 0.135})


def tables() -> dict[str, pl.DataFrame]:
    """A table for every figure."""
    one = bias({"pythia-410m": 0.57, "pythia-1.4b": 0.6}, {"s": 0.7, "m": 0.87}, codes=True)
    two = bias({"pythia-70m": 0.505, "pythia-6.9b": 0.6}, {"xs": 0.6, "l": 0.85}, codes=False)
    two = pl.concat([two, frame(preference_of_others())], how="diagonal_relaxed")
    others = [
        fig1_pretrained,
        fig1_continued,
        fig2_association,
        fig3,
        fig4,
        fig4_continued,
        fig5,
        fig6,
        fig7,
        fig7_detect,
        fig7_defend,
    ]
    named = {"fig1": one, "fig2": two, "fig1_audit": audit()} | {build.__name__: build() for build in others}
    # Of the attacks models are not ordered by size.
    return {name: table.drop("parameters") if name.startswith(("fig6", "fig7")) else table for name, table in named.items()}
