"""Scoring CrowS-Pairs gender pairs per checkpoint: against lm-evaluation-harness (pip install lm-eval) and sentence by sentence.

    python benchmarks/score.py [PAIRS.csv] [--shape 70m|410m|1.4b|6.9b] [--device cpu|cuda] [--dtype float32]

Random weights in the shape of a Pythia model; PAIRS.csv is a CrowS-Pairs file, original or revised. CPU seconds on a CPU (one
thread), wall seconds on a GPU. Every way reads each checkpoint from disk, and all must agree on the scores.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from overtime.bias.sentence_sets import read_crows_pairs_sentences
from overtime.models.likelihood import encode_pairs, score_encoded
from overtime.models.load import load, reload_weights

FETCHED = Path(__file__).parents[1] / "results/mini/public/crows-pairs-revised/data/crows_pairs_revised.csv"
SHAPES = {"70m": (512, 6, 8), "410m": (1024, 24, 16), "1.4b": (2048, 24, 16), "6.9b": (4096, 32, 32)}
CHECKPOINTS = 8
ROUNDS = 3
ARCHITECTURE = "from transformers import GPTNeoXForCausalLM"
OWN_START = f"import overtime.models.load, overtime.models.likelihood; {ARCHITECTURE}"
HARNESS_START = f"from lm_eval import evaluator, tasks; tasks.TaskManager(); import lm_eval.models.huggingface; {ARCHITECTURE}"


def write_checkpoint(folder: Path, shape: str, dtype: str, sentences: list[str]) -> None:
    """A Pythia-shaped model with random weights and a BPE tokenizer learnt from the sentences, padded to Pythia's vocabulary."""
    width, layers, heads = SHAPES[shape]
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=5000, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(sentences, trainer)
    mark = "<|endoftext|>"
    PreTrainedTokenizerFast(tokenizer_object=core, bos_token=mark, eos_token=mark).save_pretrained(folder)
    torch.manual_seed(0)
    size = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 4 * width}
    config = GPTNeoXConfig(vocab_size=50304, eos_token_id=0, dtype=dtype, **size)
    GPTNeoXForCausalLM(config).to(getattr(torch, dtype)).save_pretrained(folder)


class Clock:
    """CPU seconds of this process, or wall seconds of finished GPU work."""

    def __init__(self, device: str):
        self.now = time.process_time if device == "cpu" else self._wall
        self.start = self.now()

    def _wall(self) -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    def seconds(self) -> float:
        return self.now() - self.start


@torch.inference_mode()
def one_by_one(folder: Path, sentences: list[str], device: str, dtype: str) -> np.ndarray:
    """What a first script does: load the checkpoint, then one sentence at a time over the whole vocabulary."""
    model, tokenizer = load(folder, device=device, dtype=dtype)
    scores = []
    for sentence in sentences:
        ids = torch.tensor([[0, *tokenizer.encode(sentence)]], device=device)
        log_probs = model(ids[:, :-1]).logits.float().log_softmax(-1)
        scores.append(float(log_probs.gather(2, ids[:, 1:, None]).sum()))
    return np.array(scores)


def harness(folder: Path, sentences: list[str], device: str, dtype: str, batch_size: int) -> np.ndarray:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=str(folder), device=device, dtype=dtype, batch_size=batch_size)
    requests = [Instance("loglikelihood", {}, ("", sentence), 0) for sentence in sentences]
    return np.array([score for score, _ in model.loglikelihood(requests, disable_tqdm=True)])


def startup(code: str) -> float:
    """CPU seconds of a fresh process that runs `code`."""
    command = [sys.executable, "-c", f"{code}; import time; print(time.process_time())"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1] / "workflow")
    return float(result.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, nargs="?", default=FETCHED, help="default: what make figures fetched")
    parser.add_argument("--shape", choices=SHAPES, default="70m")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    args = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    pairs = read_crows_pairs_sentences(args.pairs).filter(bias_type="gender")
    sentences = [sentence for pair in pairs.select("sent_more", "sent_less").iter_rows() for sentence in pair]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_checkpoint(folder, args.shape, args.dtype, sentences)
        place = {"device": args.device, "dtype": args.dtype}
        model, tokenizer = load(folder, **place)
        batches = encode_pairs(model, tokenizer, pairs)

        def ours() -> np.ndarray:
            reload_weights(model, folder)
            return score_encoded(model, batches)

        ways = {"overtime": ours, "one by one": lambda: one_by_one(folder, sentences, **place)}
        if find_spec("lm_eval"):
            ways |= {f"lm-eval, batch {n}": lambda n=n: harness(folder, sentences, batch_size=n, **place) for n in (8, 32, 64)}
        else:
            print("lm-eval is not installed: no comparison with it")
        report(ways, args.device, pairs.height)


def report(ways: dict[str, Callable[[], np.ndarray]], device: str, pairs: int) -> None:
    """Run all ways in turn, `ROUNDS` times; the best time of each counts."""
    seconds, scores = dict.fromkeys(ways, float("inf")), {}
    for name in [*ways] * ROUNDS:
        clock = Clock(device)
        scores[name] = ways[name]()
        seconds[name] = min(seconds[name], clock.seconds())
    ours = seconds["overtime"]
    print(f"{pairs} pairs, load and score one checkpoint ({'CPU' if device == 'cpu' else 'wall'} seconds, best of {ROUNDS})")
    for name in ways:
        apart = np.abs(scores[name] - scores["overtime"]).max()
        print(f"{name:20s} {seconds[name]:8.2f} s   {seconds[name] / ours:5.2f} x   largest difference {apart:.1e}")
    print(f"{3600 / ours:.0f} checkpoints an hour")
    peers = [seconds[name] for name in ways if name.startswith("lm-eval")]
    if peers and device == "cpu":
        own, peer = startup(OWN_START) + CHECKPOINTS * ours, startup(HARNESS_START)
        each, one = CHECKPOINTS * (peer + min(peers)), peer + CHECKPOINTS * min(peers)
        print(f"sweep of {CHECKPOINTS} checkpoints with start-up: overtime {own:.0f} s")
        print(f"  harness, a process for each as its command line has it: {each:.0f} s, {each / own:.2f} x")
        print(f"  harness, a loop in one process: {one:.0f} s, {one / own:.2f} x")


if __name__ == "__main__":
    main()
