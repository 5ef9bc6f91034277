"""The plan of a run: what steps ask for, by hand, and their sums."""

import polars as pl
import pytest

from overtime.pipeline import costs
from overtime.pipeline.plan import cost_table, cost_text


@pytest.mark.parametrize(
    ("parameters", "memory", "expected"),
    [(0.07, 80, 1), (6.9, 80, 1), (20, 80, 1), (34, 80, 2), (176, 80, 6), (6.9, 16, 2), (6.9, 0, 0)],
)
def test_gpus_hold_the_weights_in_16_bits_and_a_fifth_more(parameters, memory, expected):
    assert costs.gpus(parameters, memory) == expected


def test_memory_and_download_follow_the_parameters():
    assert costs.memory_mb(6.9, gpu=0) == 2500 + 6.9 * 4 * 1500
    assert costs.memory_mb(6.9, gpu=1) == 2500 + 13_800
    assert costs.download_mb(6.9) == 13_800


def test_minutes_by_hand():
    # one GPU: 2 * 6.9e9 * 1e8 operations at 30e12 a second are 46,000 s; 13.8 GB at 3 GB a minute are 4.6 minutes
    assert costs.minutes(6.9, gpu=1, tokens=1e8) == 5 + 3 * 46_000 / 60
    assert costs.minutes(6.9, gpu=2, tokens=1e8) == 5 + 3 * 23_000 / 60
    assert costs.minutes(6.9, gpu=1, downloads=1) == 19
    assert costs.minutes(0.135, gpu=0, tokens=0) == 5


def test_the_sums_of_a_plan():
    names = ["rule", "gpu", "runtime", "download_mb", "disk_mb", "mem_mb"]
    rows = [("fetch", 0, 30, 4000, 4000, 500), ("score", 1, 60, 0, 0, 8000), ("score", 2, 90, 0, 0, 9000)]
    table = cost_table(pl.DataFrame(rows, names, orient="row"))
    assert table.to_dicts() == [
        {"rule": "fetch", "jobs": 1, "gpus": 0, "gpu_hours": 0, "download_gb": 4, "temporary_gb": 4, "memory_gb": 0.5},
        {"rule": "score", "jobs": 2, "gpus": 2, "gpu_hours": 4, "download_gb": 0, "temporary_gb": 0, "memory_gb": 9},
        {"rule": "total", "jobs": 3, "gpus": 2, "gpu_hours": 4, "download_gb": 4, "temporary_gb": 4, "memory_gb": 9},
    ]
    lines = cost_text(table).splitlines()
    assert [line.split()[:2] for line in lines if line[0] != "-"] == [
        ["rule", "jobs"],
        ["fetch", "1"],
        ["score", "2"],
        ["total", "3"],
    ]
    assert len({len(line) for line in lines}) == 1


def test_the_largest_model_first_then_by_size_but_after_pretrained_ones():
    sizes = {"a": 0.5, "b": 0.1, "c": 2.0, "d": 0.1}
    assert {model: costs.urgency(model, sizes) for model in sizes} == {"b": 10, "d": 11, "a": 12, "c": 30}
    many = {str(number): number for number in range(40)}
    assert max(costs.urgency(model, many) for model in list(many)[:-1]) == 19
    assert costs.urgency("only", {"only": 0.1}) == 30
