"""Lens readouts against a naive computation on every architecture; bad inputs."""

import copy
from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl
import pytest
import tiny_models
import torch
from accelerate import dispatch_model
from tiny_models import ARCHITECTURES
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from overtime import InputError
from overtime.attacks.few_shot_prompts import Prompt, few_shot_prompts, load_task
from overtime.attacks.read_prompts import read_prompts
from overtime.models.anatomy import Readout
from overtime.models.answers import token_log_probs
from overtime.models.lens import read_layers

CONDITIONS = ["zero_shot", "true", "false", "injection", "benign"]
TASK = load_task("sentiment")
LABELS = list(TASK.labels)
PROMPTS = few_shot_prompts(TASK, CONDITIONS, prompts=2, demonstrations=4, seed=1)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny_models.words([*(prompt.text for prompt in PROMPTS), *LABELS, "plain words"])


@pytest.fixture(scope="module")
def build(tokenizer: PreTrainedTokenizerFast) -> Callable[..., PreTrainedModel]:
    return partial(tiny_models.build, tokenizer=tokenizer)


@torch.no_grad()
def naive_logits(kind: str, model: PreTrainedModel, ids: list[int], position: int) -> torch.Tensor:
    """[layers + 1, vocabulary] from a plain forward pass over one whole prompt; the last row is the model's own output."""
    output = model(torch.tensor([ids]), output_hidden_states=True)
    inner = torch.stack([hidden[0, position] for hidden in output.hidden_states[:-1]])
    return torch.cat([tiny_models.read_out(kind, model, inner), output.logits[0, position][None]])


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
            naive = naive_logits(kind, model, whole, len(tokenizer(prompt.text[:cue])["input_ids"]) - 1)
            np.testing.assert_allclose(cell["logit"].to_numpy().reshape(-1, 2), naive[:, ids], atol=1e-4)
            top = (naive.argmax(1)[:, None] == torch.tensor(ids)).flatten().tolist()
            assert cell["top"].to_list() == (top if cue == len(prompt.text) else [None] * len(top))
            assert set(cell["truth"]) == {truth}
    last = read_layers(model, tokenizer, [prompt.text for prompt in PROMPTS], LABELS)
    assert last.columns == ["prompt", "layer", "label", "logit"]
    ends = [cells[prompt.prompt, prompt.condition, prompt.demonstrations[-1]]["logit"] for prompt in PROMPTS]
    np.testing.assert_allclose(last["logit"], pl.concat(ends), atol=1e-5)


def test_layers_are_read_without_the_vocabulary(
    build: Callable, tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, unembedded, read = build("llama"), [], Readout.__call__
    monkeypatch.setattr(Readout, "__call__", lambda self, stream: unembedded.append(len(self.weight)) or read(self, stream))
    read_layers(model, tokenizer, ["plain words"], LABELS)
    assert unembedded == [len(LABELS)]


def test_a_shared_prefix_is_computed_once(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    model, computed = build("llama"), []
    read_layers(model, tokenizer, ["plain words"], LABELS)  # the first time, after probes
    model.get_input_embeddings().register_forward_hook(lambda _, inputs, __: computed.append(inputs[0].numel()))
    stem = " ".join(["plain words"] * 30)
    read_layers(model, tokenizer, [f"{stem} plain", f"{stem} words", f"{stem} plain words"], LABELS)
    assert computed == [60, 3 * 2]


def test_out_of_memory_changes_no_number(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    model, failed = build("llama"), []
    expected = read_prompts(model, tokenizer, PROMPTS, LABELS)

    def check(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if len(inputs[0]) > 1:
            failed.append(inputs[0].shape)
            raise torch.OutOfMemoryError("CUDA out of memory")

    model.base_model.register_forward_pre_hook(check)
    found = read_prompts(model, tokenizer, PROMPTS, LABELS)
    assert failed
    np.testing.assert_allclose(found["logit"], expected["logit"], atol=1e-5)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_layers_in_several_places_are_read_as_in_one(kind: str, build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    """As over several GPUs, but every place is the CPU: each module has a hook that brings its inputs there."""
    model = build(kind)
    expected = read_prompts(model, tokenizer, PROMPTS, LABELS)
    parts = [model.get_output_embeddings(), *model.base_model.children()]
    layout = {name: "cpu" for name, module in model.named_modules() if any(module is part for part in parts)}
    found = read_prompts(dispatch_model(model, layout, force_hooks=True), tokenizer, PROMPTS, LABELS)
    np.testing.assert_array_equal(found["logit"], expected["logit"])


def test_bfloat16_reads_as_float32_does(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    model = build("llama")
    exact = read_prompts(model, tokenizer, PROMPTS, LABELS)
    rounded = read_prompts(model.to(torch.bfloat16), tokenizer, PROMPTS, LABELS)
    assert np.corrcoef(exact["logit"], rounded["logit"])[0, 1] > 0.99


@pytest.mark.parametrize(
    ("prompts", "labels", "message"),
    [
        (["plain words"], ["positive", "not positive"], "label 'not positive'"),
        (["plain words"], ["positive", "unheard"], "label 'unheard'"),
        (["plain words"], ["positive", "positive"], "same token"),
        (["plain words", " "], LABELS, "prompt 1: empty"),
        (["plain words " * 1200], LABELS, "prompt 0: 2400 tokens, but the model's context holds 2048"),
        (["plain words "], LABELS, "no token ends at character 12"),
        (["plain words"], [" positive", "negative"], "label ' positive': white space around it"),
        (["plain words"], ["positive", "negative\n"], r"label 'negative\\n': white space around it"),
    ],
)
def test_bad_input_is_one_clear_line(
    prompts: list[str], labels: list[str], message: str, build: Callable, tokenizer: PreTrainedTokenizerFast
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_layers(build("gpt_neox"), tokenizer, prompts, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", [" ", "\n", "\t", "  "])
def test_a_cue_after_white_space_is_refused_where_that_is_a_token(end: str) -> None:
    """Byte-level tokenizers give the space a token; the label, which has its own, would follow a second one."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        ["plain words positive negative"] * 9, trainers.BpeTrainer(initial_alphabet=alphabet, vocab_size=600)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core)
    model = tiny_models.build("llama", tokenizer)
    assert read_layers(model, tokenizer, ["plain words"], LABELS).height == 2 * 4
    with pytest.raises(InputError, match=r"prompt 1: white space before character \d+; a cue ends with a word or a mark"):
        read_layers(model, tokenizer, ["plain words", f"plain words{end}"], LABELS)


def test_prompts_begin_as_those_to_answer(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    """With a token that is BOS and EOS: the last layer gives the probabilities of the answers' first tokens."""
    marked = copy.deepcopy(tokenizer)
    marked.bos_token = marked.eos_token = "<unk>"
    for one in (marked, tokenizer):
        model, prompts = build("gpt2"), ["plain words", "words plain words"]
        last = read_layers(model, one, prompts, LABELS).filter(layer=3)["logit"].to_numpy().reshape(2, 2)
        both = token_log_probs(model, one, prompts, [f" {label}" for label in LABELS])
        np.testing.assert_allclose(last[:, 0] - last[:, 1], both[:, 0] - both[:, 1], atol=1e-5)


def test_a_cue_inside_a_word_is_refused(build: Callable, tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = Prompt(7, 3, "true", "plain words", cues=(3,), truths=("positive",))
    with pytest.raises(InputError, match=r"prompt 7 \(true\): no token ends at character 3"):
        read_prompts(build("gpt2"), tokenizer, [prompt], LABELS)
