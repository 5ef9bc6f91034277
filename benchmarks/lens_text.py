"""What the text of a tuned lens changes: divergence on either text, and what the lens says about an attack.

    python benchmarks/lens_text.py [FOLDER]     FOLDER: a finished run, results/mini by default

Fits SmolLM2's lens on each text by least squares, in the run's sizes, and reads the same prompts with both.
"""

import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import polars as pl
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from overtime.attacks.critical_layer import gap_landmarks
from overtime.attacks.few_shot_prompts import few_shot_prompts, load_task
from overtime.attacks.layer_accuracy import scored_answers
from overtime.attacks.layers_table import accuracy_by_layer
from overtime.attacks.read_prompts import read_prompts
from overtime.models import load as models
from overtime.models.tuned_lens_fit import divergence, fit, lens_texts

TOKENS, PROMPTS, DEMONSTRATIONS, WINDOW = 8000, 12, 16, (8, 16)
TASK = load_task("sentiment")


def curves(scores: pl.DataFrame) -> pl.DataFrame:
    """Accuracy by condition and layer under the tuned lens."""
    return accuracy_by_layer(scores, WINDOW, resamples=2).filter(lens="tuned", metric="plain").select("condition", "x", "y")


def main(run: Path) -> None:
    torch.set_num_threads(1)
    texts = lens_texts(run / "public/wikitext-2")
    if len(texts) < 2 or not (run / "pretrained/smollm2-135m").is_dir():
        print(f"{run}: no finished run with WikiText-2 to compare texts on")
        return
    model, tokenizer = models.load(run / "pretrained/smollm2-135m", dtype="auto")
    prompts = few_shot_prompts(TASK, ["true", "false", "injection"], PROMPTS, DEMONSTRATIONS, seed=0)
    read = {}
    for own, text in texts.items():
        translators, held_out = fit(model, tokenizer, text, TOKENS)
        for name in texts:
            table = held_out if name == own else divergence(model, tokenizer, texts[name], translators)
            kl = {lens: part["kl"][:-1].mean() for (lens,), part in table.group_by("lens")}
            print(
                f"fitted on {own}, held-out {name}: KL {kl['tuned']:.2f} nats, {kl['tuned'] / kl['logit']:.2f} of the logit lens"
            )
        scores = scored_answers(read_prompts(model, tokenizer, prompts, list(TASK.labels), translators))
        read[own] = curves(scores)
        for attack in ("false", "injection"):
            marks = gap_landmarks(scores, attack, WINDOW, resamples=200).filter(lens="tuned", metric="plain", landmark="critical")
            best = read[own].filter(condition=attack).sort("y", descending=True).row(0, named=True)
            print(f"  {attack}: critical layer {marks['layer'][0]}; best layer {best['x']} ({best['y']:.0%})")
    one, other = read.values()
    both = one.join(other, on=["condition", "x"]).with_columns(change=(pl.col("y") - pl.col("y_right")).abs())
    for (condition,), part in both.group_by("condition", maintain_order=True):
        mean, most = part["change"].mean(), part["change"].max()
        print(f"{condition}: accuracy of a layer differs by {mean:.0%} on average, {most:.0%} at most")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "results/mini")
