"""The released measurements: raw files, committed tables and the vectors of the released figures agree; bad files are refused."""

import io
import json
import os
import pickle
import re
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from overtime import InputError
from overtime.sources.ledger import read_ledger, select
from overtime.sources.released import read_crows_pairs, read_layers, read_winobias, write_tables

ROOT = Path(__file__).parents[3]
MIRROR = Path(os.environ.get("OVERTIME_MIRROR", ROOT.parent / "shared" / "mirror"))
PUBLISHED = MIRROR.parent / "published"
TABLES = ROOT / "workflow/overtime/resources" / "released"
LEDGER = read_ledger(ROOT / "config" / "sources.csv")

mirrored = pytest.mark.skipif(not MIRROR.is_dir(), reason=f"no mirror of the public files at {MIRROR}")
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"no second parse of the released files at {PUBLISHED}")


def folder(dataset: str, path: str) -> Path:
    """A folder of a dataset in the mirror."""
    source = select(LEDGER, dataset)[0]
    return MIRROR / source.url.removeprefix("https://").removesuffix(source.file) / path


@mirrored
def test_committed_tables_are_the_raw_files(tmp_path):
    commits = {"pythia": select(LEDGER, "pythia-crows-pairs")[0].version}
    commits["overthinking_the_truth"] = select(LEDGER, "overthinking-layers")[0].version
    write_tables(
        folder("pythia-crows-pairs", "evals/bias-evals"), folder("overthinking-layers", "results/logit_lens"), commits, tmp_path
    )
    for name in ("pythia_crows_gender", "pythia_winobias", "overthinking_layers"):
        assert (tmp_path / f"{name}.csv").read_bytes() == (TABLES / f"{name}.csv").read_bytes()


def test_crows_pairs_points():
    points = pl.read_csv(TABLES / "pythia_crows_gender.csv")
    count = {(m, a): n for m, a, n in points.group_by("model", "arm").len().rows()}
    assert count == {
        ("pythia-70m", "baseline"): 14,
        ("pythia-70m", "swap7"): 10,
        ("pythia-410m", "baseline"): 24,
        ("pythia-410m", "swap7"): 10,
        ("pythia-1.4b", "baseline"): 24,
        ("pythia-1.4b", "swap7"): 9,
        ("pythia-1.4b", "swap21"): 30,
        ("pythia-6.9b", "baseline"): 15,
        ("pythia-6.9b", "swap7"): 10,
    }
    assert dict(points["code"].value_counts().rows()) == {"8164ebc": 125, "d36f623": 21}
    spans = points.group_by("arm").agg(pl.min("step").alias("first"), pl.max("step").alias("last")).rows()
    assert sorted(spans) == [("baseline", 3000, 143000), ("swap21", 114000, 143000), ("swap7", 134000, 143000)]
    by_binomial = (points["pct_stereotype"] * (1 - points["pct_stereotype"]) / (points["n"] - 1)).sqrt()
    assert by_binomial.to_numpy() == pytest.approx(points["stderr"].to_numpy(), abs=1e-12), (
        "n is the number of pairs behind stderr"
    )


@published
def test_parse_agrees_with_a_second_parse():
    ours, theirs = pl.read_csv(TABLES / "pythia_crows_gender.csv"), pl.read_csv(PUBLISHED / "pythia_crows_gender.csv")
    names = {"stderr": "pct_stereotype_stderr", "step": "step_2M_equiv", "code": "git_hash"}
    same = ["pct_stereotype", "likelihood_difference", "likelihood_difference_stderr", "file"]
    expected = theirs.select(*same, **names)
    assert_frame_equal(ours.select(expected.columns).sort("file"), expected.sort("file"))

    ours, theirs = pl.read_csv(TABLES / "pythia_winobias.csv"), pl.read_csv(PUBLISHED / "pythia_winobias.csv")
    expected = theirs.select("type1_pro", "type1_anti", "type2_pro", "type2_anti", "net_bias", "step", "file", code="git_hash")
    assert_frame_equal(ours.select(expected.columns).sort("file"), expected.sort("file"), abs_tol=1e-12)

    ours, theirs = pl.read_csv(TABLES / "overthinking_layers.csv"), pl.read_csv(PUBLISHED / "overthinking_layers.csv")
    models = {"gpt_j": "gpt-j-6b", "gpt_neox_20B": "gpt-neox-20b", "pythia_6p9B": "pythia-6.9b", "pythia_12B": "pythia-12b"}
    metrics = {"cal_correct_over_incorrect": "calibrated", "top_1_acc": "top1"}
    key = ["model", "task", "metric", "prefix", "layer"]
    expected = (
        theirs.rename({"dataset": "task", "demos_in_context": "demonstrations"})
        .filter(
            pl.col("model").is_in(list(models)),
            pl.col("metric").is_in(list(metrics)),
            pl.col("task").is_in(ours["task"].unique().to_list()),
        )
        .with_columns(pl.col("model").replace_strict(models), pl.col("metric").replace_strict(metrics))
        .select(ours.drop("commit").columns)
    )
    assert_frame_equal(ours.drop("commit").sort(key), expected.sort(key), abs_tol=1e-5)  # that parse keeps five decimals


def curves(pdf: Path) -> list[tuple[str, np.ndarray]]:
    """The data curves of a released matplotlib figure: style and (percent of training, pct_stereotype), from its path operators.

    The page is the first Flate stream. A tick is a short line with its label behind it, and gives the scale of its axis; a data
    curve is the one open path inside a clip ("re W n"), drawn in a colour ("RG") with an optional dash pattern.
    """
    page = zlib.decompress(re.search(rb"stream\r?\n(.*?)endstream", pdf.read_bytes(), re.S)[1]).decode("latin-1")
    number = r"(-?[\d.]+)"
    ticks = re.findall(rf"{number} {number} m\n{number} {number} l\n\nB\n.*?\[ \(([\d.]+)\) \] TJ", page, re.S)
    ticks = [[float(value) for value in tick] for tick in ticks]
    x_scale = np.polyfit(*zip(*[(x0, label) for x0, _, x1, _, label in ticks if x0 == x1]), 1)
    y_scale = np.polyfit(*zip(*[(y0, label) for _, y0, _, y1, label in ticks if y0 == y1]), 1)
    found = []
    for style, path in re.findall(r"re W n([^S]*?) RG /DeviceRGB\s+cs\n\n((?:[-\d.]+ [-\d.]+ [ml]\n)+)\nS", page):
        points = np.array([[float(value) for value in line.split()[:2]] for line in path.splitlines()])
        dash = re.search(r"\[ ([\d. ]+) \]", style)
        colour = "red" if style.endswith("1 0 0") else "blue"
        arm = {None: "baseline", 2: "swap7", 4: "swap21"}[dash and len(dash[1].split())]
        found.append((f"{colour} {arm}", np.column_stack([np.polyval(x_scale, points[:, 0]), np.polyval(y_scale, points[:, 1])])))
    return found


@mirrored
@pytest.mark.parametrize(
    ("name", "models", "expected"),
    [("lesser", {"red": "pythia-410m", "blue": "pythia-1.4b"}, 5), ("more", {"red": "pythia-70m", "blue": "pythia-6.9b"}, 4)],
)
def test_released_figures_draw_these_points(name, models, expected):
    points = pl.read_csv(TABLES / "pythia_crows_gender.csv").with_columns(percent=pl.col("step") / 1430)
    drawn = curves(folder("pythia-figures", f"case-studies/crowspair_plots/crows_pairs_english_gender_{name}_steps.pdf"))
    assert len(drawn) == expected
    for style, curve in drawn:
        colour, arm = style.split()
        run = points.filter(pl.col("model") == models[colour]).sort("step")
        of_arm = run.filter(pl.col("arm") == arm)
        if arm != "baseline":  # an intervention is drawn from the last baseline point at or before its first
            origin = run.filter(pl.col("arm") == "baseline", pl.col("step") <= of_arm["step"].min()).tail(1)
            of_arm = pl.concat([origin, of_arm])
        ours = of_arm.select("percent", "pct_stereotype").to_numpy()
        assert curve.shape == ours.shape, style
        assert np.abs(curve[:, 0] - ours[:, 0]).max() < 1e-3, style  # percent
        assert np.abs(curve[:, 1] - ours[:, 1]).max() < 1e-4, style


def test_final_numbers_of_the_layers_study():
    layers = pl.read_csv(TABLES / "overthinking_layers.csv").filter(model="gpt-j-6b", task="unnatural", metric="calibrated")
    assert layers["demonstrations"].unique().to_list() == [39]
    accuracy = {(prefix, layer): mean for prefix, layer, mean in layers.select("prefix", "layer", "mean").rows()}
    assert max(layer for _, layer in accuracy) == 28
    assert [round(accuracy["correct", layer], 3) for layer in (16, 28)] == [0.990, 0.990]
    assert [round(accuracy["incorrect", layer], 3) for layer in (16, 28)] == [0.912, 0.078]


def as_npy(value: object, path: Path) -> Path:
    """Save as numpy does for object arrays: a header, then a pickle."""
    array = np.empty((), dtype=object)
    array[()] = value
    np.save(path, array)
    return path


def test_read_layers_places_every_axis(tmp_path):
    values = np.arange(3 * 2 * 5 * 4, dtype=np.float32).reshape(1, 3, 2, 5, 4)
    table = read_layers(as_npy({"top_1_acc": values}, tmp_path / "a.npy"))
    row = table.filter(prefix="incorrect", layer=3, demonstrations=2).row(0, named=True)
    assert row["metric"] == "top_1_acc"
    assert [row["mean"], row["upper"], row["lower"]] == [values[0, kind, 1, 3, 2] for kind in range(3)]
    assert table.height == 2 * 5 * 4


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_malicious_file_is_refused_by_name_and_never_run(tmp_path, protocol):
    planted = io.BytesIO()
    np.lib.format.write_array_header_1_0(planted, {"descr": "|O", "fortran_order": False, "shape": ()})
    planted.write(pickle.dumps({"top_1_acc": Malicious(tmp_path / "executed")}, protocol))
    (tmp_path / "bad.npy").write_bytes(planted.getvalue())
    with pytest.raises(InputError, match=r"bad\.npy: refused .*posix\.mkdir"):
        read_layers(tmp_path / "bad.npy")
    assert not (tmp_path / "executed").exists()
    np.load(tmp_path / "bad.npy", allow_pickle=True)
    assert (tmp_path / "executed").exists(), "the planted file is live"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"top_1_acc": np.full((1, 3, 2, 5, 4), np.nan, np.float32)}, "top_1_acc holds NaN"),
        ({"top_1_acc": np.zeros((2, 3, 2, 5, 4), np.float32)}, r"shape \(2, 3, 2, 5, 4\), expected \(1, 3, 2, layers"),
        ({"top_1_acc": [[1, 2], [3]]}, "refused"),
        ([1, 2], "refused"),
    ],
)
def test_odd_layer_files_give_one_line(tmp_path, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read_layers(as_npy(content, tmp_path / "odd.npy"))
    assert "\n" not in str(caught.value)


def test_missing_layer_files(tmp_path):
    with pytest.raises(InputError, match=r"none\.npy: cannot be read"):
        read_layers(tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(InputError, match=r"text\.npy: refused"):
        read_layers(tmp_path / "text.npy")


CROWS = {
    "results": {
        "crows_pairs_english_gender": {
            "pct_stereotype": 0.5,
            "pct_stereotype_stderr": 0.028,
            "likelihood_difference": 3.0,
            "likelihood_difference_stderr": 0.2,
        }
    },
    "config": {"model_args": {"git_hash": "abc1234", "iteration": 71000, "train_iters": 71500}},
}
NAME = "long-intervention-1.3b-deduped-step71000_eval_results_01-01-2023-00-00-00.json"


def test_one_crows_pairs_file_by_hand(tmp_path):
    (tmp_path / NAME).write_text(json.dumps(CROWS))
    assert read_crows_pairs(tmp_path).row(0) == ("pythia-1.4b", "swap21", 142000, 0.5, 0.028, 3.0, 0.2, 320, "abc1234", NAME)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(CROWS)[:-5], "not JSON"),
        (json.dumps([CROWS]), "holds a JSON list"),
        (json.dumps(CROWS).replace("git_hash", "hash"), "git_hash is missing; an evaluation file has git_hash"),
        (
            json.dumps(CROWS).replace("english_gender", "english_age"),
            "crows_pairs_english_gender is missing; an evaluation file has results > crows",
        ),
        (json.dumps(CROWS).replace("0.5", "NaN"), "pct_stereotype is nan, expected a finite number"),
        (json.dumps(CROWS).replace("3.0", '"3"'), "likelihood_difference is 3, expected a finite number"),
    ],
)
def test_bad_crows_pairs_files_give_one_line(tmp_path, text, message):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(InputError, match=rf"{NAME}: {message}") as caught:
        read_crows_pairs(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [read_crows_pairs, read_winobias])
def test_folders_without_files_and_files_without_a_name(tmp_path, read):
    with pytest.raises(InputError, match=r"nowhere: no evaluation files"):
        read(tmp_path / "nowhere")
    (tmp_path / "strange.json").write_text("{}")
    with pytest.raises(InputError, match=r"strange\.json: the (name|folders) (does|do) not say arm"):
        read(tmp_path)


def test_one_winobias_file_by_hand(tmp_path):
    accuracies = {"type1_pro": (0.4, 0.6), "type1_anti": (0.2, 0.2), "type2_pro": (0.3, 0.1), "type2_anti": (0.1, 0.1)}
    results = {
        f"wino_bias_{condition}+{prompt}": {"em": em, "em_stderr": 0.02}
        for condition, pair in accuracies.items()
        for prompt, em in zip(("What does p stand for", "refers_to"), pair)
    }
    path = tmp_path / "intervene_7" / "6.9B" / "eval_results_6.9b.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"table_results": results, "model_args": {"iteration": 134000}}))
    row = read_winobias(tmp_path).row(0, named=True)
    assert (row["model"], row["arm"], row["step"], row["code"]) == ("pythia-6.9b", "swap7", 134000, None)
    assert row["net_bias"] == pytest.approx(((0.5 - 0.2) + (0.2 - 0.1)) / 2)
    assert row["stderr"] == pytest.approx(0.02)  # half of the root of four times 0.02 squared
