"""Precision by measurement: the faster one is chosen, a setting is honoured, one table serves a run."""

import json

import pytest
import torch

from overtime import InputError
from overtime.models import precision
from overtime.models.precision import choose_precision, time_products


@pytest.fixture
def table(tmp_path):
    rows = [
        {"width": 128, "float32": 50.0, "bfloat16": 150.0, "chosen": "bfloat16"},
        {"width": 512, "float32": 159.0, "bfloat16": 86.0, "chosen": "float32"},
    ]
    path = tmp_path / "timings.json"
    path.write_text(json.dumps({"device": "cpu", "timings": rows}))
    return path


def test_the_nearest_width_of_the_table_decides(table):
    found = {width: choose_precision("auto", width, "cpu", table) for width in (32, 127, 128, 255, 257, 4096)}
    assert found == {32: "float32", 127: "float32", 128: "bfloat16", 255: "bfloat16", 257: "float32", 4096: "float32"}


def test_a_setting_is_honoured_whatever_is_faster(table, monkeypatch):
    monkeypatch.setattr(precision, "time_products", None)
    assert choose_precision("float32", 128, "cpu", table) == "float32"
    assert choose_precision("bfloat16", 32, "cpu") == "bfloat16"


@pytest.mark.parametrize("slow", precision.PRECISIONS)
def test_the_slower_precision_is_not_chosen(monkeypatch, slow):
    """A processor that has bfloat16, and is slow at it; and one that is slow at float32."""
    product = torch.nn.functional.linear

    def delayed(tokens, weights):
        for _ in range(20 if tokens.dtype == precision.PRECISIONS[slow] else 1):
            result = product(tokens, weights)
        return result

    monkeypatch.setattr(torch.nn.functional, "linear", delayed)
    monkeypatch.setattr(precision, "SECONDS", 0.01)
    timing = time_products(128, "cpu")
    fast = next(name for name in precision.PRECISIONS if name != slow)
    assert timing["chosen"] == fast
    assert timing[fast] > timing[slow] > 0
    assert choose_precision("auto", 140, "cpu") == fast


@pytest.mark.parametrize("text", ["", "{}", '{"timings": []}', '{"timings": [{"width": 128}]}', '{"timings": 3}'])
def test_what_is_no_table_is_one_line(tmp_path, text):
    (tmp_path / "timings.json").write_text(text)
    with pytest.raises(InputError, match=r"timings\.json: not a table of .*; delete it and run again"):
        choose_precision("auto", 256, "cpu", tmp_path / "timings.json")


def test_a_table_of_another_device_decides_nothing_here(tmp_path, monkeypatch):
    """The suite trains on the processor of a machine whose GPU the table is of."""
    row = {"width": 256, "float32": 1.0, "bfloat16": 9.0, "chosen": "bfloat16"}
    (tmp_path / "timings.json").write_text(json.dumps({"device": "cuda", "timings": [row]}))
    monkeypatch.setattr(precision, "time_products", lambda width, device: row | {"width": width, "chosen": f"of {device}"})
    assert choose_precision("auto", 256, "cpu", tmp_path / "timings.json") == "of cpu"
    assert choose_precision("auto", 256, "cuda", tmp_path / "timings.json") == "bfloat16"
