"""Training the suite in plain torch against transformers' GPT-NeoX in the same loop: CPU time, and what is learned.

`python benchmarks/training.py [RESULTS [SIZES [SEEDS]]]`, of results/mini, `xs,s,m,l` and the seeds 10,11,12: each time, both
models begin with the same weights and see the same stream. They part in the last bits and then more and more, as two runs on
different processors do; so losses and measures are compared over seeds.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import torch
import yaml
from transformers import AutoConfig, GPTNeoXForCausalLM

from overtime.bias.score_suite import pair_scores
from overtime.facts.ask_suite import one_word_answers
from overtime.models.neox import Neox, NeoxConfig
from overtime.models.vocabulary import copy_tokenizer, word_ids
from overtime.training.loop import train
from overtime.training.recipe import Recipe
from overtime.training.runs import evaluate, read_log
from overtime.training.token_streams import Stream

MEASURES = ("loss", "stereotype", "closed book", "with passage")


def peer(model: Neox) -> GPTNeoXForCausalLM:
    """The same weights in transformers' model."""
    with TemporaryDirectory() as folder:
        model.config.save(folder)
        other = GPTNeoXForCausalLM(AutoConfig.from_pretrained(folder, use_cache=False, attn_implementation="eager"))
    other.load_state_dict(model.state_dict())
    return other


def measures(run: Path, results: Path) -> list[float]:
    """Mean of the last three losses, share of stereotyped pairs, accuracy closed book and with the oracle's passage."""
    model, tokenizer = Neox(NeoxConfig.read(run)), str(results / "corpus/tokenizer")
    questions = pl.read_parquet(results / "corpus/questions.parquet").filter(group="evaluation")
    asked = questions.select("question", "answer", prompt=pl.col("text"))
    passages = pl.read_parquet(results / "passages.parquet").filter(condition="oracle")
    pairs, alone, helped = evaluate(
        model,
        {str(run): {}},
        pair_scores(model, tokenizer, pl.read_parquet(results / "corpus/pairs.parquet")),
        one_word_answers(model, tokenizer, asked),
        one_word_answers(model, tokenizer, passages),
        last_only=True,
    )
    preferred = (pairs["ll_more"] > pairs["ll_less"]).mean()
    return [read_log(run)["loss"].tail(3).mean(), preferred, alone["correct"].mean(), helped["correct"].mean()]


def run_both(size: str, seed: int, results: Path, options: dict) -> dict[str, tuple[float, list[float]]]:
    """CPU-seconds and measures of both, trained alike."""
    stream = Stream.load(results / "streams/baseline.npz")
    shape = options["width"], options["layers"], options["heads"], options["context"]
    config = NeoxConfig(len(word_ids(results / "corpus/tokenizer")), *shape)
    found = {}
    for name in ("plain", "transformers"):
        model = Neox(config, seed)

        def describe(folder: Path, model: Neox = model) -> None:
            model.config.save(folder)
            copy_tokenizer(results / "corpus/tokenizer", folder)

        with TemporaryDirectory() as folder:
            run, begin = Path(folder) / "run", time.process_time()
            trained = model if name == "plain" else peer(model)
            train(trained, describe, stream, Recipe.of(stream, options, "float32"), run)
            found[name] = time.process_time() - begin, measures(run, results)
    return found


def main(results: str = "results/mini", sizes: str = "xs,s,m,l", seeds: str = "10,11,12") -> None:
    torch.set_num_threads(1)
    suite = yaml.safe_load(Path(__file__).parents[1].joinpath("config/config.yaml").read_text())["suite"]
    for size in sizes.split(","):
        options = {"context": suite["context"], "batch": suite["batch"], "checkpoints": suite["checkpoints"], "branch": []}
        rows = [run_both(size, int(seed), Path(results), options | suite["sizes"][size]) for seed in seeds.split(",")]
        for name in rows[0]:
            values = np.array([row[name][1] for row in rows])
            said = ", ".join(f"{measure} {' '.join(f'{v:.3f}' for v in column)}" for measure, column in zip(MEASURES, values.T))
            print(f"{size} {name}: {sum(row[name][0] for row in rows):.0f} CPU-s; {said}", flush=True)
        print(f"{size}: {sum(row['transformers'][0] for row in rows) / sum(row['plain'][0] for row in rows):.2f}x", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
