"""Trees of segments against reading every sequence alone, on every architecture; what is planned and what is really computed."""

import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import ARCHITECTURES
from transformers import PreTrainedModel

from overtime.attacks.few_shot_prompts import few_shot_prompts, load_task
from overtime.models.anatomy import anatomy
from overtime.models.answers import greedy, token_log_probs
from overtime.models.prefix_tree import Budget, Segment, portions
from overtime.models.residual_stream import Site, residual_stream

WORDS = [f"w{number}" for number in range(30)]
TOKENIZER = tiny_models.words(WORDS)
ON_CPU = Budget(together=1024, kept=4096, overhead=32, context=float("inf"))
CONTEXT = {"gpt2": {"n_positions": 64}, "gptj": {"n_positions": 64}, "bloom": {}, "mpt": {"max_seq_len": 64}}


def sequences() -> list[list[int]]:
    """Parents of several depths with children of several lengths, so that rows are padded on both sides; one ends within another.

    The longest ones fill a context of 64 tokens.
    """
    random = np.random.default_rng(0)

    def words(count: int) -> list[int]:
        return random.integers(1, len(WORDS) + 1, count).tolist()

    stem = words(20)
    inner = [stem + words(count) for count in (8, 25, 17)]
    grown = [one + words(count) for one in inner for count in (1, 6, 12, 19)]
    return [*grown, inner[1], words(9), words(64), [*stem, *words(44)], grown[2]]


@pytest.fixture(params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> PreTrainedModel:
    """Every architecture with a context of 64 tokens; everything that can be shared is."""
    monkeypatch.setattr("overtime.models.prefix_tree.CPU_OVERHEAD", 0)
    extra = CONTEXT.get(request.param, {"max_position_embeddings": 64})
    monkeypatch.setitem(ARCHITECTURES, request.param, ARCHITECTURES[request.param] | extra)
    built = tiny_models.build(request.param, TOKENIZER)
    for name, parameter in built.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.zeros_(parameter)  # of the last norm: they alone would choose the answer
    return built


@torch.no_grad()
def alone(model: PreTrainedModel, ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Residual stream before the final norm [tokens, layers, width], and logits [tokens, vocabulary], of one sequence."""
    output = model(torch.tensor([ids]), output_hidden_states=True, use_cache=False)
    return torch.stack(output.hidden_states[:-1], dim=2)[0], output.logits[0]


@pytest.mark.parametrize("kept", [1024, 30])
def test_the_stream_is_that_of_every_sequence_alone(model: PreTrainedModel, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where portions hold a few sequences and passes a few rows."""
    monkeypatch.setattr("overtime.models.devices.CPU_TOKENS", kept)
    everything, seen = sequences(), []
    anatomy(model)
    model.get_input_embeddings().register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].numel()))
    sites = [Site(number, position) for number, ids in enumerate(everything) for position in range(len(ids))]
    found = torch.full((len(sites), model.config.num_hidden_layers + 1, model.config.hidden_size), torch.nan)
    for indices, stream in residual_stream(model, everything, sites):
        found[indices] = stream
    if kept > 30:
        assert sum(seen) < 0.8 * len(sites)
    expected = torch.cat([alone(model, ids)[0] for ids in everything])
    apart = (found[:, :-1] - expected).norm(dim=-1) / expected.norm(dim=-1)
    assert apart.max() < 2e-5


def test_answers_are_those_to_every_prompt_alone(model: PreTrainedModel) -> None:
    everything = [ids for ids in sequences() if len(ids) <= 60]
    prompts = TOKENIZER.batch_decode(everything)
    answers, log_probs = [], []
    for ids in everything:
        said: list[int] = []
        for _ in range(5):
            logits = alone(model, ids + said)[1][-1]
            log_probs += [] if said else [logits.log_softmax(-1)[1:4].numpy()]
            said.append(int(logits.argmax()))
        answers.append(TOKENIZER.decode(said).split("w1")[0].strip())
    assert len({len(answer.split()) for answer in answers}) > 1  # some end before others: w1 and w10 to w19 end them
    assert greedy(model, TOKENIZER, prompts, max_new_tokens=5, stop="w1") == answers
    candidates = TOKENIZER.convert_ids_to_tokens([1, 2, 3])
    np.testing.assert_allclose(token_log_probs(model, TOKENIZER, prompts, candidates), log_probs, atol=5e-5)


def computed(texts: list[list[int]]) -> list[int]:
    """Tokens, padding included, in each forward pass of the trunk that reads the ends of sequences."""
    model, counted = tiny_models.build("llama", TOKENIZER), []
    list(residual_stream(model, [[1]], [Site(0, 0)]))  # the first time, after probes
    model.get_input_embeddings().register_forward_hook(lambda _, inputs, __: counted.append(inputs[0].numel()))
    for _ in residual_stream(model, texts, [Site(number, len(ids) - 1) for number, ids in enumerate(texts)]):
        pass
    return counted


def test_a_token_of_a_tree_is_computed_once() -> None:
    """A stem of 40 tokens, two branches of 20 on it, and on each of them two ends of 10."""
    stem, branches = [1] * 40, [[2] * 20, [3] * 20]
    assert computed([[*stem, *branch, *[end] * 10] for branch in branches for end in (4, 5)]) == [40, 2 * 20, 4 * 10]
    # One token saved is not worth a pass.
    assert computed([[1, 2, 3], [1, 4, 5]]) == [2 * 3]


def test_few_shot_prompts_cost_little_more_than_their_tree() -> None:
    task = load_task("sentiment")
    prompts = few_shot_prompts(task, ["zero_shot", "true", "false", "injection", "benign"], prompts=4, demonstrations=8, seed=1)
    numbers: dict[str, int] = {}
    texts = [[numbers.setdefault(word, len(numbers) % 30) for word in prompt.text.split()] for prompt in prompts]
    tree = len({tuple(ids[:length]) for ids in texts for length in range(1, len(ids) + 1)})
    apart = sum(map(len, texts))
    assert tree <= sum(computed(texts)) < 1.1 * tree < 0.65 * apart


def test_few_large_passes_where_each_costs_much() -> None:
    """As on a GPU, where four short sequences are one pass; with many more of them, sharing pays."""
    on_gpu = Budget(together=1 << 16, kept=1 << 16, overhead=8000, context=float("inf"))
    stem = [1] * 40
    few, many = ([[*stem, number, *[2] * 9] for number in range(count)] for count in (4, 400))
    assert [len(batch) for portion in portions(few, on_gpu) for batch in portion.passes] == [4]
    assert [len(batch) for portion in portions(many, on_gpu) for batch in portion.passes] == [1, 400]


@given(
    st.lists(st.integers(0, 2), min_size=90, max_size=90),
    st.lists(st.tuples(st.integers(1, 89), st.lists(st.integers(0, 2), max_size=9)), min_size=1, max_size=8),
    st.sampled_from([1, 60, 4096]),
    st.sampled_from([0, 32, 8000]),
)
def test_plans_read_every_sequence_once(stem: list[int], cuts: list[tuple[int, list[int]]], kept: int, overhead: int) -> None:
    everything, budget = [stem[:cut] + tail for cut, tail in cuts], Budget(50, kept, overhead, 100)
    numbers = []
    for portion in portions(everything, budget):
        done: set[Segment | None] = {None}
        for batch in portion.passes:
            assert len(batch) == 1 or len(batch) * max(segment.stop - segment.start for segment in batch) <= 50
            assert all(segment.parent in done for segment in batch)
            done.update(batch)
        slots = [slot for batch in portion.passes for segment in batch for slot in segment.slots[segment.start :].tolist()]
        assert sorted(slots) == list(range(1, portion.slots))
        for number, last in portion.lasts():
            numbers.append(number)
            read = [last.place(position) for position in range(last.stop)]
            assert [segment.tokens[column] for segment, column in read] == everything[number]
    assert sorted(numbers) == list(range(len(everything)))
