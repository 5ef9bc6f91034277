"""Reading every layer at the answer: against the bare forward pass, the full readout, nnsight and TransformerLens; one thread.

    python benchmarks/lens.py [SIZE]     peers: pip install nnsight transformer_lens

Random weights in the shape of SmolLM2-135M (SIZE layers of 30, all by default), float32. CPU seconds, the best of three rounds;
every way must agree on the labels' logits at every layer of the last position. Then, where make figures left SmolLM2, a third of
the prompts of its default run: what sharing their starts saves.
"""

import copy
import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from answers import MODEL, apart, measured

from overtime.attacks.few_shot_prompts import few_shot_prompts, load_task
from overtime.attacks.read_prompts import read_prompts
from overtime.models.lens import read_layers
from overtime.models.load import load

ROUNDS, PROMPTS, DEMONSTRATIONS, ROWS = 3, 4, 8, 8
CONDITIONS, TASKS, SOME = ["zero_shot", "true", "false", "injection", "benign"], ("sentiment", "topics", "questions"), 12
TASK = load_task("sentiment")
LABELS = list(TASK.labels)


def build(layers: int, texts: list[str]) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """SmolLM2's shape; a word-level tokenizer over the prompts, inside a vocabulary of the same size."""
    split = pre_tokenizers.Whitespace()
    words = dict.fromkeys(word for text in texts for word, _ in split.pre_tokenize_str(text))
    core = Tokenizer(models.WordLevel({"<unk>": 0} | {word: number for number, word in enumerate(words, 1)}, unk_token="<unk>"))
    core.pre_tokenizer = split
    torch.manual_seed(0)
    size = {"hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3}
    config = LlamaConfig(vocab_size=49152, num_hidden_layers=layers, tie_word_embeddings=True, **size)
    return LlamaForCausalLM(config).eval(), PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")


def compare(ways: dict[str, Callable[[], np.ndarray | None]], base: str) -> None:
    """Time the ways in turn, round after round, and print each beside the base; logits must agree with the first way's."""
    best, logits = dict.fromkeys(ways, float("inf")), {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            logits[name] = way()
            best[name] = min(best[name], time.process_time() - start)
    ours = next(iter(ways))
    for name, seconds in best.items():
        agree = "" if logits[name] is None else f"; largest difference of a logit {np.abs(logits[name] - logits[ours]).max():.0e}"
        print(f"  {name}: {seconds:.2f} CPU-s, {seconds / best[base]:.2f} x the {base}{agree}")


def nnsight_way(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, batch: list[torch.Tensor]) -> np.ndarray:
    """The logit lens of its tutorial: every layer's output through norm and head."""
    import nnsight

    wrapped, rows = nnsight.TransformersModel(model, tokenizer=tokenizer, task="text-generation"), []
    for ids in batch:
        with wrapped.trace(ids):
            read = nnsight.save([wrapped.lm_head(wrapped.model.norm(wrapped.model.embed_tokens.output))])
            for layer in wrapped.model.layers:
                read.append(wrapped.lm_head(wrapped.model.norm(layer.output)))
        rows.append(torch.stack([logits[0, -1] for logits in read]))
    return torch.stack(rows).numpy()


def transformer_lens_way(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> Callable[[list[torch.Tensor]], np.ndarray]:
    """All activations in its cache, then the accumulated residual stream through norm and unembedding."""
    from transformer_lens import TransformerBridge

    bridge = TransformerBridge.boot_transformers("SmolLM2-135M", hf_model=copy.deepcopy(model), tokenizer=tokenizer)

    def way(batch: list[torch.Tensor]) -> np.ndarray:
        rows = []
        for ids in batch:
            _, cache = bridge.run_with_cache(ids)
            rows.append(bridge.unembed(bridge.ln_final(cache.accumulated_resid(incl_mid=False)[:, 0]))[:, -1])
        return torch.stack(rows).numpy()

    return way


@torch.no_grad()
def main(layers: int) -> None:
    torch.set_num_threads(1)
    conditions = ["true", "false", "injection", "benign"]
    clusters = few_shot_prompts(TASK, conditions, PROMPTS, DEMONSTRATIONS, seed=0)
    texts = [prompt.text for prompt in clusters if prompt.condition == "true"]
    model, tokenizer = build(layers, [prompt.text for prompt in clusters])
    columns = tokenizer.convert_tokens_to_ids(LABELS)
    batch = [torch.tensor([tokenizer(text)["input_ids"]]) for text in texts]
    everything = [torch.tensor([tokenizer(prompt.text)["input_ids"]]) for prompt in clusters]

    def ours() -> np.ndarray:
        return read_layers(model, tokenizer, texts, LABELS)["logit"].to_numpy().reshape(len(texts), layers + 1, -1)

    def clustered() -> None:
        read_prompts(model, tokenizer, clusters, LABELS)

    def bare(inputs: list[torch.Tensor]) -> None:
        rows = sorted((ids[0] for ids in inputs), key=len)
        for start in range(0, len(rows), ROWS):
            model.model(torch.nn.utils.rnn.pad_sequence(rows[start : start + ROWS], batch_first=True), use_cache=False)

    def full() -> np.ndarray:
        rows = []
        for ids in batch:
            hidden = model(ids, output_hidden_states=True).hidden_states
            read = [model.lm_head(model.model.norm(state))[0, -1] for state in hidden[:-1]] + [model.lm_head(hidden[-1])[0, -1]]
            rows.append(torch.stack(read)[:, columns])
        return torch.stack(rows).numpy()

    ways = {"read_layers": ours, "bare forward": lambda: bare(batch), "whole vocabulary, every layer and position": full}
    if find_spec("nnsight"):
        ways["nnsight"] = lambda: nnsight_way(model, tokenizer, batch)[..., columns]
    if find_spec("transformer_lens"):
        way = transformer_lens_way(model, tokenizer)
        ways["TransformerLens"] = lambda: way(batch)[..., columns]
    print(f"{len(batch)} prompts, {sum(ids.numel() for ids in batch)} tokens, {layers} layers; the last position")
    compare(ways, base="bare forward")
    print(f"{len(everything)} prompts in {PROMPTS} clusters, {sum(ids.numel() for ids in everything)} tokens; every cue")
    compare({"read_prompts": clustered, "bare forward": lambda: bare(everything)}, base="bare forward")


def shared() -> None:
    """Every task's prompts on the real model, with and without sharing: CPU seconds, tokens computed, logits."""
    model, tokenizer = load(MODEL, dtype="float32")
    for name in TASKS:
        task = load_task(name)
        conditions = CONDITIONS + ["half", "random"] * (name == "topics")
        prompts = few_shot_prompts(task, conditions, SOME, 2 * DEMONSTRATIONS, seed=0)

        def job() -> np.ndarray:
            return read_prompts(model, tokenizer, prompts, list(task.labels))["logit"].to_numpy()  # noqa: B023

        seconds, tokens, logits = measured(model, job)
        with apart():
            others, computed, same = measured(model, job)
        print(f"{name}, {len(prompts)} prompts of SmolLM2: {seconds:.1f} CPU-s, {tokens} tokens computed")
        print(f"  read apart: ratio {others / seconds:.2f}, {computed / tokens:.2f} of the tokens", end="")
        print(f"; largest difference of a logit {np.abs(same - logits).max():.0e}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
    if MODEL.exists():
        shared()
    for peer in ("nnsight", "transformer_lens"):
        if not find_spec(peer):
            print(f"{peer}: not installed (pip install {peer})")
