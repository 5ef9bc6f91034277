"""Few-shot answers of a pretrained model, one core, float32: what sharing their starts saves, and generate of transformers.

python benchmarks/answers.py [MODEL]     default: what make figures converted
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import polars as pl
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from overtime.facts.ask_pretrained import question_prompts
from overtime.facts.question_sets import load_questions
from overtime.models import load as models
from overtime.models import prefix_tree
from overtime.models.answers import greedy

MODEL = Path(__file__).parents[1] / "results/mini/pretrained/smollm2-135m"
TOKENS, BATCH = 12, 16
Result = TypeVar("Result")


@contextmanager
def apart() -> Iterator[None]:
    """No two sequences share anything."""
    shared, prefix_tree.SAVINGS = prefix_tree.SAVINGS, (None,)
    yield
    prefix_tree.SAVINGS = shared


def measured(model: torch.nn.Module, job: Callable[[], Result]) -> tuple[float, int, Result]:
    """CPU seconds, tokens that went through the trunk (padding included), and the result."""
    tokens: list[int] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda _, inputs, __: tokens.append(inputs[0].numel()))
    start = time.process_time()
    result = job()
    seconds = time.process_time() - start
    hook.remove()
    return seconds, sum(tokens), result


@torch.inference_mode()
def generate(model: torch.nn.Module, tokenizer: object, prompts: list[str]) -> list[str]:
    """What a first script does: batches of prompts, padded on the left, every answer as long as the longest allowed."""
    tokenizer.padding_side, tokenizer.pad_token = "left", tokenizer.eos_token
    answers = []
    for start in range(0, len(prompts), BATCH):
        batch = tokenizer(prompts[start : start + BATCH], return_tensors="pt", padding=True)
        said = model.generate(**batch, max_new_tokens=TOKENS, do_sample=False, pad_token_id=tokenizer.eos_token_id)
        texts = tokenizer.batch_decode(said[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        answers += [text.split("\n")[0].strip() for text in texts]
    return answers


def compare(name: str, model: torch.nn.Module, tokenizer: object, prompts: list[str]) -> None:
    def ours() -> list[str]:
        return greedy(model, tokenizer, prompts, TOKENS)

    seconds, tokens, answers = measured(model, ours)
    print(f"{name}, {len(prompts)} prompts: {seconds:.1f} CPU-s, {tokens} tokens computed")
    with apart():
        ways = {"every prompt read from its start": measured(model, ours)}
    ways[f"generate in batches of {BATCH}"] = measured(model, lambda: generate(model, tokenizer, prompts))
    for way, (other, computed, said) in ways.items():
        same = sum(one == another for one, another in zip(answers, said)) / len(prompts)
        print(f"  {way}: ratio {other / seconds:.1f}, {computed / tokens:.1f} of the tokens, {same:.0%} of the answers the same")


def main() -> None:
    torch.set_num_threads(1)
    model, tokenizer = models.load(Path(sys.argv[1]) if sys.argv[1:] else MODEL, dtype="float32")
    prompts = question_prompts(load_questions(), top=[1, 3])
    for name, closed in {"closed book": True, "with passages": False}.items():
        part = prompts.filter((pl.col("condition") == "closed_book") == closed)
        compare(name, model, tokenizer, part["prompt"].unique(maintain_order=True).to_list())


if __name__ == "__main__":
    main()
