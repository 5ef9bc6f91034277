"""What a step on a large model needs, from its number of parameters: GPUs, memory, disk and time, by arithmetic stated here.

Schedulers take these numbers as limits, so each errs on the large side. Parameters are in billions throughout: one of them takes
1 GB per byte of a weight.
"""

import math
from collections.abc import Mapping

HALF, SINGLE = 2, 4  # bytes of a weight
TRAINED = 4 * SINGLE  # bytes of a weight in training: itself, its gradient and two moments
BESIDE_WEIGHTS = 1.2  # activations, cache and fragmentation of a GPU, as a factor on the weights
LIBRARIES_MB = 2500  # torch and transformers, loaded
START_MINUTES = 5
NETWORK_GB_PER_MINUTE = 3.0  # 50 MB/s
TERAFLOPS = {"gpu": 30.0, "cpu": 0.05}  # sustained on short texts, a tenth of what an A100 can do; one CPU core in float32
MARGIN = 3  # times the estimate, for slower machines than these
FIRST, SUITE = 30, 10  # priorities: of the largest model's training, and of the smallest's; jobs on pretrained models have 20


def gpus(parameters: float, gpu_memory_gb: float) -> int:
    """GPUs of `gpu_memory_gb` that hold the weights in 16 bits; 0 where there are none (`gpu_memory_gb` 0)."""
    return math.ceil(HALF * BESIDE_WEIGHTS * parameters / gpu_memory_gb) if gpu_memory_gb else 0


def memory_mb(parameters: float, gpu: int) -> int:
    """Main memory: on a CPU the weights in 32 bits and half as much again; on GPUs they only pass through, shard by shard."""
    return round(LIBRARIES_MB + (1000 * HALF * parameters if gpu else 1500 * SINGLE * parameters))


def training_mb(parameters: float, processes: int) -> int:
    """Main memory of training: every process has a whole model, and half as much again for what is computed."""
    return round(processes * (LIBRARIES_MB + 1500 * TRAINED * parameters))


def download_mb(parameters: float) -> int:
    """Published weights: 16 bits each, as in all model families of the talk."""
    return math.ceil(1000 * HALF * parameters)


def minutes(parameters: float, gpu: int, tokens: float = 0, downloads: int = 0) -> int:
    """Run time of a forward pass over `tokens` (2 operations per parameter and token) and of `downloads` of the weights."""
    speed = gpu * TERAFLOPS["gpu"] if gpu else TERAFLOPS["cpu"]
    compute = 2e9 * parameters * tokens / (speed * 1e12) / 60
    transfer = downloads * download_mb(parameters) / 1000 / NETWORK_GB_PER_MINUTE
    return math.ceil(START_MINUTES + MARGIN * (compute + transfer))


def urgency(model: str, parameters: Mapping[str, float]) -> int:
    """Priority of training one of these models, name -> parameters: the larger, the earlier.

    The largest comes before all else that is ready: what follows from it, step by step, is the longest way through the workflow.
    Pretrained models come next, because memory holds them one at a time, beside a model of the suite.
    """
    rank = sorted(parameters, key=lambda name: (parameters[name], name)).index(model)
    return FIRST if rank == len(parameters) - 1 else min(SUITE + rank, FIRST - SUITE - 1)
