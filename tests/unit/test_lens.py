"""Lens readouts against a naive computation on every architecture, the published accuracy by hand, translators, bad inputs."""

import hashlib
import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from overtime import InputError
from overtime.gap import gap_by_layer, gap_landmarks
from overtime.lens import calibrated_accuracy, read_layers, read_prompts
from overtime.prompts import Prompt, few_shot_prompts, load_task
from overtime.readout import accuracy_by_layer, chance, released_accuracy
from overtime.residual import SHORTEST_PREFIX, Site, anatomy, group_by_prefix, residual_stream
from overtime.translators import Translators, load_translators, unembedding_hash
from overtime.tuning import file_text, fit, offline_text

ARCHITECTURES = {
    "gpt_neox": {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64},
    "llama": {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 64,
    },
    "gpt_neo": {
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 16,
    },
    "gptj": {"n_embd": 32, "n_layer": 3, "n_head": 4, "rotary_dim": 4},
    "bloom": {"hidden_size": 32, "n_layer": 3, "n_head": 4},
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 4},
}
CONDITIONS = ["zero_shot", "true", "false", "injection", "benign"]
TASK = load_task("sentiment")
LABELS = list(TASK.labels)
PROMPTS = few_shot_prompts(TASK, CONDITIONS, prompts=2, demonstrations=4, seed=1)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """Words and marks, one token each."""
    split = pre_tokenizers.Whitespace()
    words = sorted(
        {word for prompt in PROMPTS for word, _ in split.pre_tokenize_str(prompt.text)} | set(LABELS) | {"plain", "words"}
    )
    core = Tokenizer(models.WordLevel({"<unk>": 0} | {word: number for number, word in enumerate(words, 1)}, unk_token="<unk>"))
    core.pre_tokenizer = split
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")


@pytest.fixture(scope="module")
def build(tokenizer: PreTrainedTokenizerFast) -> Callable[..., PreTrainedModel]:
    """A tiny model of an architecture; every parameter random, norms and biases too."""

    def build(kind: str, seed: int = 0) -> PreTrainedModel:
        torch.manual_seed(seed)
        special = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 0}
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **special, **ARCHITECTURES[kind])).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        return model

    return build


@torch.no_grad()
def naive_logits(model: PreTrainedModel, ids: list[int], position: int) -> torch.Tensor:
    """[layers + 1, vocabulary] from a plain forward pass over one whole prompt; the last row is the model's own output."""
    output = model(torch.tensor([ids]), output_hidden_states=True)
    inner = torch.stack([hidden[0, position] for hidden in output.hidden_states[:-1]])
    return torch.cat([model.get_output_embeddings()(anatomy(model).norm(inner)), output.logits[0, position][None]])


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_readout_equals_a_naive_one(kind: str, build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    model, ids = build(kind), tokenizer.convert_tokens_to_ids(LABELS)
    table = read_prompts(model, tokenizer, PROMPTS, LABELS)
    cells = table.partition_by("prompt", "condition", "demonstrations", as_dict=True)
    assert len(cells) == sum(len(prompt.cues) for prompt in PROMPTS) == 2 * (1 + 5 + 5 + 1 + 1)
    for prompt in PROMPTS:
        whole = tokenizer(prompt.text)["input_ids"]
        for cue, seen, truth in zip(prompt.cues, prompt.demonstrations, prompt.truths):
            cell = cells[prompt.prompt, prompt.condition, seen]
            naive = naive_logits(model, whole, len(tokenizer(prompt.text[:cue])["input_ids"]) - 1)
            np.testing.assert_allclose(cell["logit"].to_numpy().reshape(-1, 2), naive[:, ids], atol=1e-4)
            top = (naive.argmax(1)[:, None] == torch.tensor(ids)).flatten().tolist()
            assert cell["top"].to_list() == (top if cue == len(prompt.text) else [None] * len(top))
            assert set(cell["truth"]) == {truth}
    last = read_layers(model, tokenizer, [prompt.text for prompt in PROMPTS], LABELS)
    assert last.columns == ["prompt", "layer", "label", "logit"]
    ends = [cells[prompt.prompt, prompt.condition, prompt.demonstrations[-1]]["logit"] for prompt in PROMPTS]
    np.testing.assert_allclose(last["logit"], pl.concat(ends), atol=1e-5)


def test_a_shared_prefix_is_computed_once(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    model, computed = build("llama"), []
    model.get_input_embeddings().register_forward_hook(lambda _, inputs, __: computed.append(inputs[0].numel()))
    stem = " ".join(["plain words"] * 30)
    read_layers(model, tokenizer, [f"{stem} plain", f"{stem} words", f"{stem} plain words"], LABELS)
    assert computed == [60, 3 * 2]


def test_bfloat16_reads_as_float32_does(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    model = build("llama")
    exact = read_prompts(model, tokenizer, PROMPTS, LABELS)
    rounded = read_prompts(model.to(torch.bfloat16), tokenizer, PROMPTS, LABELS)
    assert np.corrcoef(exact["logit"], rounded["logit"])[0, 1] > 0.99


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=90, max_size=90),
    st.lists(st.tuples(st.integers(1, 89), st.lists(st.integers(0, 2), max_size=9)), min_size=1, max_size=8),
)
def test_groups_share_their_prefix_and_hold_every_sequence_once(stem: list[int], cuts: list[tuple[int, list[int]]]) -> None:
    sequences = [stem[:cut] + tail for cut, tail in cuts]
    groups = group_by_prefix(sequences)
    assert sorted(member for _, members in groups for member in members) == list(range(len(sequences)))
    for length, members in groups:
        assert len({tuple(sequences[member][:length]) for member in members}) == 1
        assert all(len(sequences[member]) > length for member in members)
        assert length == 0 or (len(members) > 1 and length >= SHORTEST_PREFIX)


@pytest.mark.parametrize(
    ("prompts", "labels", "message"),
    [
        (["plain words"], ["positive", "not positive"], "label 'not positive'"),
        (["plain words"], ["positive", "unheard"], "label 'unheard'"),
        (["plain words"], ["positive", "positive"], "same token"),
        (["plain words", " "], LABELS, "prompt 1: empty"),
        (["plain words " * 1200], LABELS, "prompt 0: 2400 tokens, but the model's context holds 2048"),
        (["plain words "], LABELS, "no token ends at character 12"),
    ],
)
def test_bad_input_is_one_clear_line(
    prompts: list[str], labels: list[str], message: str, build: Callable, tokenizer: PreTrainedTokenizerFast
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_layers(build("gpt_neox"), tokenizer, prompts, labels)
    assert "\n" not in str(caught.value)


def test_unknown_architecture_is_refused(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    model = build("gpt2")
    model.config.model_type = "mamba"
    with pytest.raises(InputError, match="model type mamba"):
        read_layers(model, tokenizer, ["plain words"], LABELS)


def readout(probabilities: dict[str, list[float]]) -> pl.DataFrame:
    """One layer: label -> probability for every prompt, as a `read_layers` table with an arbitrary offset per prompt."""
    rows = [
        {"prompt": prompt, "layer": 0, "label": label, "logit": np.log(value) + 3 * prompt}
        for label, values in probabilities.items()
        for prompt, value in enumerate(values)
    ]
    return pl.DataFrame(rows)


def test_calibrated_accuracy_by_hand() -> None:
    # Label a is always the more likely one: plain accuracy 2/5. Medians: a .70 and b .30, both held by prompt 2, a tie: 1/2.
    # Prompts 0 and 1 (a) exceed .70; prompt 3 (b, .45) exceeds .30; prompt 4 (b, .20) does not: (1 + 1 + .5 + 1 + 0) / 5.
    table = readout({"a": [0.9, 0.75, 0.7, 0.55, 0.8], "b": [0.1, 0.25, 0.3, 0.45, 0.2]})
    assert calibrated_accuracy(table, ["a", "a", "b", "b", "b"])["accuracy"].to_list() == pytest.approx(
        [(1 + 1 + 0.5 + 1 + 0) / 5]
    )
    # An even number of prompts: the median lies between two, a: .55 and b: .45; prompts 0 (a .9) and 3 (b .8) exceed theirs.
    even = readout({"a": [0.9, 0.7, 0.4, 0.2], "b": [0.1, 0.3, 0.6, 0.8]})
    assert calibrated_accuracy(even, ["a", "b", "a", "b"])["accuracy"].to_list() == [0.5]
    # Three labels, four prompts: the 2/3 quantile is the third of four values. a: .5 of {.2, .3, .5, .6}; b: .4; c: .4.
    three = readout({"a": [0.6, 0.5, 0.2, 0.3], "b": [0.1, 0.4, 0.3, 0.5], "c": [0.3, 0.1, 0.5, 0.2]})
    expected = [1, 1 / 3, 1, 1]  # a .6 > .5; b .4 = .4, a tie; c .5 > .3; b .5 > .4
    assert calibrated_accuracy(three, ["a", "b", "c", "b"])["accuracy"].to_list() == pytest.approx([np.mean(expected)])


def planted(right: Callable[[str, int, int], bool], prompts: int = 8, depth: int = 6, demonstrations: int = 3) -> pl.DataFrame:
    """A layers table in which `right(condition, prompt, layer)` says whether the true label leads; balanced truths."""
    rows = []
    for prompt in range(prompts):
        truth, other = ("a", "b") if prompt % 2 else ("b", "a")
        for condition, seen in [("zero_shot", [0]), ("true", range(demonstrations)), ("false", range(demonstrations))]:
            for count in seen:
                for layer in range(depth):
                    lead = 1.0 if right(condition, prompt, layer) else -1.0
                    for label, logit in ((truth, lead), (other, -lead)):
                        key = {"prompt": prompt, "condition": condition, "demonstrations": count, "truth": truth, "lens": "logit"}
                        rows.append(key | {"layer": layer, "label": label, "logit": logit, "top": logit > 0})
    return pl.DataFrame(rows)


def test_accuracy_by_layer_counts_prompts_in_the_window() -> None:
    table = planted(lambda condition, prompt, layer: condition != "false" or prompt < 6 or layer < 3)
    curves = accuracy_by_layer(table, window=(0, 1), resamples=200)
    plain = curves.filter(pl.col("metric") == "plain")
    assert plain.filter(pl.col("condition") == "false").sort("x")["y"].to_list() == [1, 1, 1, 0.75, 0.75, 0.75]
    assert set(plain["n"]) == {8}
    assert dict(plain.select("condition", "demonstrations").unique().iter_rows()) == {"zero_shot": 0, "true": 1, "false": 1}
    end = plain.filter(pl.col("condition") == "false", pl.col("x") == 5).row(0, named=True)
    assert 0.25 <= end["lower"] < 0.75 < end["upper"] <= 1
    # With 8 prompts "always right" bounds the rate from below at .025 ** (1/8), whatever the number of cues.
    sure = plain.filter(pl.col("condition") == "true", pl.col("x") == 5).row(0, named=True)
    assert (sure["lower"], sure["upper"]) == pytest.approx((0.025 ** (1 / 8), 1))


def test_gap_opens_where_it_was_planted() -> None:
    # Half of the false prompts fail from layer 3 on, all of them from layer 4 on, so half of the final gap is reached at layer 3.
    table = planted(lambda condition, prompt, layer: condition != "false" or layer < 3 or (layer == 3 and prompt < 4))
    gaps = gap_by_layer(table, "false", window=(0, 2), resamples=200).filter(pl.col("metric") == "plain")
    assert gaps["y"].to_list() == [0, 0, 0, 0.5, 1, 1]
    found = gap_landmarks(table, "false", window=(0, 2), resamples=200).filter(pl.col("metric") == "plain")
    assert dict(found.select("landmark", "layer").iter_rows()) == {"opens": 3, "critical": 3}
    none = gap_landmarks(planted(lambda *_: True), "false", window=(0, 2), resamples=50)
    assert none["layer"].null_count() == none.height
    with pytest.raises(InputError, match="condition 'injection'"):
        gap_by_layer(table, "injection", window=(0, 2))


@pytest.fixture(scope="module")
def plain_text(tokenizer: PreTrainedTokenizerFast) -> list[str]:
    words = sorted(tokenizer.get_vocab())
    random = np.random.default_rng(0)
    return [" ".join(random.choice(words, 40)) for _ in range(120)]


def test_translators_come_closer_to_the_final_output(
    build: Callable, tokenizer: PreTrainedTokenizerFast, plain_text: list[str]
) -> None:
    model = build("gpt_neox")
    squares, evaluation = fit(model, tokenizer, plain_text, tokens=4000)
    kl = evaluation.pivot("lens", index="layer", values="kl")
    assert (kl["tuned"][:-1] < 0.5 * kl["logit"][:-1]).all()
    assert kl["tuned"][-1] == pytest.approx(0, abs=1e-6)
    ids = tokenizer(plain_text[0])["input_ids"]
    (_, stream), *_ = residual_stream(model, [ids], [Site(0, position) for position in range(4, len(ids))])
    missed, variation = ((read - stream[:, -1:]).var(dim=0).mean(-1) for read in (squares(stream), stream))
    assert (missed[:-1] < 0.7 * variation[:-1]).all()
    _, trained = fit(model, tokenizer, plain_text, tokens=4000, method="kl")
    better = trained.filter(pl.col("lens") == "tuned")["kl"][:-1] < kl["tuned"][:-1]
    assert better.all()
    assert all(parameter.grad is None for parameter in model.parameters())
    tuned = read_prompts(model, tokenizer, PROMPTS, LABELS, squares)
    assert set(tuned["lens"]) == {"logit", "tuned"}
    final = tuned.filter(pl.col("layer") == 3).partition_by("lens")
    np.testing.assert_array_equal(final[0]["logit"], final[1]["logit"])
    with pytest.raises(InputError, match="at least 256 are needed"):
        fit(model, tokenizer, plain_text[:2], tokens=4000)


def test_translators_travel_and_know_their_model(build: Callable, tokenizer: PreTrainedTokenizerFast, tmp_path) -> None:
    model, other = build("llama"), build("llama", seed=1)
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(3, 32, 32, generator=generator), torch.randn(3, 32, generator=generator)
    Translators(weight, bias, unembedding_hash(model)).save(tmp_path / "lens.safetensors")
    loaded = load_translators(tmp_path / "lens.safetensors", model.to(torch.bfloat16))
    assert torch.equal(loaded.weight, weight)
    model = build("llama")
    for refused in (other, build("gpt2"), build("gpt_neo")):
        with pytest.raises(InputError, match=r"lens.safetensors: (fitted to another model|weights are)"):
            load_translators(tmp_path / "lens.safetensors", refused)
    with pytest.raises(InputError, match="translators: fitted to another model"):
        read_layers(other, tokenizer, ["plain words"], LABELS, loaded)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"broken.safetensors: not readable"):
        load_translators(tmp_path / "broken.safetensors", model)

    logits = read_layers(model, tokenizer, ["plain words"], LABELS, loaded)["logit"].to_numpy().reshape(-1, 2)
    with torch.no_grad():
        hidden = model(torch.tensor([tokenizer("plain words")["input_ids"]]), output_hidden_states=True).hidden_states
        moved = [hidden[layer][0, -1] + weight[layer] @ hidden[layer][0, -1] + bias[layer] for layer in range(3)]
        expected = model.lm_head(model.model.norm(torch.stack(moved)))[:, tokenizer.convert_tokens_to_ids(LABELS)]
    np.testing.assert_allclose(logits[:-1], expected, atol=1e-3)


def test_published_layout_is_read(build: Callable, tmp_path) -> None:
    model, other = build("gpt_neox"), build("gpt_neox", seed=1)
    state = {
        f"{layer}.{name}": torch.full((32, 32)[: 2 - (name == "bias")], layer + 0.5)
        for layer in range(3)
        for name in ("weight", "bias")
    }
    torch.save(state, tmp_path / "params.pt")
    printed = np.array_str(model.get_output_embeddings().weight.detach().numpy(), precision=1)
    config = {"d_model": 32, "num_hidden_layers": 3, "unembed_hash": hashlib.sha256(printed.encode()).hexdigest()}
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = load_translators(tmp_path, model)
    assert loaded.weight[:, 0, 0].tolist() == loaded.bias[:, 0].tolist() == [0.5, 1.5, 2.5]
    with pytest.raises(InputError, match="another model"):
        load_translators(tmp_path, other)


def test_text_is_at_hand_offline(tmp_path) -> None:
    texts = offline_text()
    assert sum(len(text.split()) for text in texts) > 5000
    assert all(len(text.split()) >= 12 for text in texts)
    with pytest.raises(InputError, match="package no-such-package"):
        offline_text(("no-such-package",))
    sentence = "The quick brown fox jumps over the lazy dog and runs far away from here ."
    (tmp_path / "text.txt").write_text(f" = A heading = \n{sentence}\nx = 1\n")
    assert file_text(tmp_path / "text.txt") == [sentence]
    with pytest.raises(InputError, match=r"absent.txt: not a readable text file"):
        file_text(tmp_path / "absent.txt")


def test_a_cue_inside_a_word_is_refused(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = Prompt(7, "true", "plain words", cues=(3,), truths=("positive",))
    with pytest.raises(InputError, match=r"prompt 7 \(true\): no token ends at character 3"):
        read_prompts(build("gpt2"), tokenizer, [prompt], LABELS)


def test_released_curves_and_chance_stand_beside_the_measured_ones():
    released = pl.DataFrame(
        {"model": ["gpt-j-6b", "gpt-j-6b", "pythia-12b"], "task": ["unnatural", "unnatural", "unnatural"], "metric": "top1"}
        | {"prefix": ["correct", "incorrect", "correct"], "layer": [28, 28, 36], "demonstrations": 39}
        | {"mean": [0.99, 0.08, 0.5], "lower": [0.98, 0.06, 0.4], "upper": [1.0, 0.1, 0.6]}
    )
    rows = released_accuracy(released)
    assert rows.select("series", "x", "y").rows() == [("gpt-j-6b true", 28.0, 0.99), ("gpt-j-6b false", 28.0, 0.08)]
    assert chance(pl.DataFrame({"label": ["a", "b", "c", "a"]}))["y"].to_list() == pytest.approx([1 / 3])
