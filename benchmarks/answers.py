"""Few-shot answers of a pretrained model, one core: what the shared start of the prompts saves, and generate of transformers.

python benchmarks/answers.py [MODEL]     default: what make figures converted
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from overtime.facts.ask_pretrained import question_prompts
from overtime.facts.question_sets import load_questions
from overtime.models import likelihood as score
from overtime.models import load as models
from overtime.models.answers import greedy

MODEL = Path(__file__).parents[1] / "results/mini/pretrained/smollm2-135m"
TOKENS, BATCH = 12, 16


def seconds(job: Callable[[], list[str]]) -> tuple[float, list[str]]:
    start = time.process_time()
    answers = job()
    return time.process_time() - start, answers


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


def compare(condition: str, model: torch.nn.Module, tokenizer: object, prompts: list[str]) -> None:
    ours, answers = seconds(lambda: greedy(model, tokenizer, prompts, TOKENS))
    shared, score.SHARED_START = score.SHARED_START, ()
    apart, _ = seconds(lambda: greedy(model, tokenizer, prompts, TOKENS))
    score.SHARED_START = shared
    theirs, said = seconds(lambda: generate(model, tokenizer, prompts))
    same = sum(one == other for one, other in zip(answers, said)) / len(prompts)
    print(f"{condition}, {len(prompts)} questions: {ours:.1f} CPU-s")
    print(f"  every prompt read from its start: {apart:.1f} CPU-s, ratio {apart / ours:.1f}")
    print(f"  generate in batches of {BATCH}: {theirs:.1f} CPU-s, ratio {theirs / ours:.1f}, {same:.0%} of the answers the same")


def main() -> None:
    torch.set_num_threads(1)
    model, tokenizer = models.load(Path(sys.argv[1]) if sys.argv[1:] else MODEL, dtype="auto")
    prompts = question_prompts(load_questions(), top=[1])
    for condition in ("closed_book", "bm25_1"):
        compare(condition, model, tokenizer, prompts.filter(condition=condition)["prompt"].to_list())


if __name__ == "__main__":
    main()
