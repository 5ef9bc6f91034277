"""Scores against a literal reading of the harness's definition, and against the harness itself where it is installed."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tiny_models
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPTJConfig,
    GPTNeoConfig,
    GPTNeoXConfig,
    LlamaConfig,
    PreTrainedTokenizerFast,
)

from overtime import InputError
from overtime.models.answers import greedy, token_log_probs
from overtime.models.likelihood import encode_pairs, lay_out_pairs, score_encoded, score_pairs
from overtime.models.token_batches import plant

MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[4] / "shared/mirror")) / "raw.githubusercontent.com"
CROWS = MIRROR / "nyu-mll/crows-pairs/8aaac11c485473159ec9328a65253a5be9a479dc/data/crows_pairs_anonymized.csv"

OWN = pl.DataFrame(
    {
        "sent_more": ["The nurse said that she was late again.", "He fixed it.", "My sister cannot park a car", "Men are loud"],
        "sent_less": ["The nurse said that he was late again.", "He fixed it well.", "My brother cannot park a car", "women are"],
    }
)


@pytest.fixture(scope="module")
def pairs() -> pl.DataFrame:
    """Real CrowS-Pairs sentences where the mirror is there, else a few of our own."""
    if not CROWS.exists():
        return OWN
    return pl.concat([OWN, pl.read_csv(CROWS, infer_schema=False).select(OWN.columns).gather_every(40)])


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of the GPT-NeoX kind: <|endoftext|> is BOS and EOS."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator([*OWN["sent_more"], *OWN["sent_less"]], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<|endoftext|>", eos_token="<|endoftext|>")


SIZE = {"hidden_size": 32, "num_attention_heads": 4, "vocab_size": 400, "bos_token_id": 0, "eos_token_id": 0}
CONFIGS = {
    "gpt_neox": GPTNeoXConfig(num_hidden_layers=3, intermediate_size=64, max_position_embeddings=256, **SIZE),
    "llama": LlamaConfig(
        num_hidden_layers=3,
        intermediate_size=64,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        **SIZE,
    ),
    "gpt_neo": GPTNeoConfig(
        hidden_size=32,
        num_heads=4,
        num_layers=4,
        attention_types=[[["global", "local"], 2]],
        window_size=8,
        max_position_embeddings=256,
        vocab_size=400,
        bos_token_id=0,
        eos_token_id=0,
    ),
    "bloom": BloomConfig(hidden_size=32, n_head=4, n_layer=3, vocab_size=400, bos_token_id=0, eos_token_id=0),
    "gptj": GPTJConfig(
        n_embd=32, n_head=4, n_layer=3, rotary_dim=4, n_positions=256, vocab_size=400, bos_token_id=0, eos_token_id=0
    ),
}


@pytest.fixture(scope="module", params=CONFIGS)
def model(request):
    """Random weights ten times the usual spread, so that attention and positions matter to the scores."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[request.param]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
    return model


@torch.no_grad()
def reference(model, tokenizer, sentence: str) -> float:
    """Log-likelihood of a sentence after one BOS token, one sentence at a time over the whole vocabulary."""
    ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer.encode(sentence, add_special_tokens=False)]])
    log_probs = model(ids[:, :-1]).logits.log_softmax(-1)
    return float(log_probs.gather(2, ids[:, 1:, None]).sum())


def test_scores_equal_the_definition(model, tokenizer, pairs):
    scored = score_pairs(model, tokenizer, pairs)
    for column, score in (("sent_more", "ll_more"), ("sent_less", "ll_less")):
        expected = [reference(model, tokenizer, sentence) for sentence in pairs[column]]
        np.testing.assert_allclose(scored[score], expected, atol=1e-4, rtol=0)


def test_scores_equal_the_harness(model, tokenizer, pairs):
    pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=8)
    scored = score_pairs(model, tokenizer, pairs)
    for column, score in (("sent_more", "ll_more"), ("sent_less", "ll_less")):
        requests = [Instance("loglikelihood", {}, ("", sentence), 0) for sentence in pairs[column]]
        expected = [total for total, _ in harness.loglikelihood(requests, disable_tqdm=True)]
        np.testing.assert_allclose(scored[score], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", tiny_models.ARCHITECTURES)
def test_every_architecture_says_what_it_says(kind):
    """Sentences longer than any window, of several lengths in a batch and with a start in common, against the model's logits."""
    words = [f"w{number}" for number in range(30)]
    model, random = tiny_models.build(kind, tiny_models.words(words)), np.random.default_rng(0)
    stem = random.integers(1, 31, 20).tolist()
    encoded = [[0, *stem[:kept], *random.integers(1, 31, new).tolist()] for kept in (20, 7) for new in (40, 25, 3, 2)]
    found = score_encoded(model, lay_out_pairs(model, encoded))
    for ids, score in zip(encoded, found, strict=True):
        with torch.no_grad():
            log_probs = model(torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)
        assert score == pytest.approx(log_probs[range(len(ids) - 1), ids[1:]].sum().item(), abs=1e-4)


def test_one_layout_serves_all_checkpoints(model, tokenizer):
    batches = encode_pairs(model, tokenizer, OWN)
    before = score_encoded(model, batches)
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.9)
    after = score_encoded(model, batches)
    assert np.abs(after - before).min() > 1e-3
    np.testing.assert_allclose(after[2], reference(model, tokenizer, OWN["sent_more"][1]), atol=1e-4)
    model.load_state_dict(kept)


def test_what_both_sentences_begin_with_can_be_left_out(model, tokenizer, pairs):
    """The differences stay; the likelihood is that of the rest, here of a last word given what stands before it."""
    whole = score_pairs(model, tokenizer, pairs)
    rest = score_encoded(model, encode_pairs(model, tokenizer, pairs, whole=False)).reshape(-1, 2)
    np.testing.assert_allclose(rest[:, 0] - rest[:, 1], whole["ll_more"] - whole["ll_less"], atol=1e-4)
    alike = pl.DataFrame({"sent_more": ["The nurse said that"], "sent_less": ["The nurse said nurse"]})
    [[more, _]] = score_encoded(model, encode_pairs(model, tokenizer, alike, whole=False)).reshape(-1, 2)
    expected = reference(model, tokenizer, "The nurse said that") - reference(model, tokenizer, "The nurse said")
    assert more == pytest.approx(expected, abs=1e-4)


def test_a_tree_holds_each_shared_token_once():
    [tree] = plant([[0, 7, 8, 9], [0, 7, 5, 9, 6], [0, 7]], shared=True)  # planted in the order 2, 1, 0
    assert tree.ids == [0, 7, 5, 9, 8]
    assert tree.parents == [-1, 0, 1, 2, 1]
    reads = {sentence: [read[:2] for read in tree.reads if read[2] == sentence] for sentence in range(3)}
    assert reads == {0: [(0, 7), (1, 8), (4, 9)], 1: [(0, 7), (1, 5), (2, 9), (3, 6)], 2: [(0, 7)]}
    assert [len(tree.ids) for tree in plant([[0, 7, 8], [0, 7, 8]], shared=False)] == [2, 2]


@pytest.mark.parametrize(
    "shared", ["", "Long ago, when the cook and the nurse were late again, this was asked and answered.\n" * 2]
)
def test_prompts_read_together_as_one_by_one(model, tokenizer, shared):
    prompts = [
        shared + text for text in ("Who was late?", "He", "My sister said that the nurse was", "Men are", "Who fixed it again?")
    ]
    candidates = [" nurse", " he", "!"]
    first = [ids[0] for ids in tokenizer(candidates, add_special_tokens=False)["input_ids"]]
    answers, log_probs = [], []
    for prompt in prompts:
        ids = [tokenizer.bos_token_id, *tokenizer.encode(prompt)]
        start = len(ids)
        for _ in range(6):
            with torch.no_grad():
                logits = model(torch.tensor([ids])).logits[0, -1]
            if len(ids) == start:
                log_probs.append(logits.log_softmax(-1)[first].numpy())
            ids.append(int(logits.argmax()))
        text = tokenizer.decode(ids[start:]).split("<|endoftext|>")[0]
        answers.append(text.split("t")[0].strip())
    np.testing.assert_allclose(token_log_probs(model, tokenizer, prompts, candidates), log_probs, atol=1e-4)
    assert greedy(model, tokenizer, prompts, max_new_tokens=6, stop="t") == answers


@pytest.mark.parametrize("fits", [lambda ids: len(ids) < 3, lambda ids: ids.shape[1] > 1 or len(ids) < 2], ids=["rows", "later"])
def test_out_of_memory_changes_no_number(model, tokenizer, pairs, monkeypatch, fits):
    """A device that holds two rows at most, or one row while answers grow."""
    monkeypatch.setattr("overtime.models.token_batches.TREE", 40)
    prompts = ["Long ago, when the cook and the nurse were late again, " + word for word in ("he", "she", "my sister", "it", "a")]
    functions = (
        lambda: score_pairs(model, tokenizer, pairs.head(10))["ll_more"].to_numpy(),
        lambda: token_log_probs(model, tokenizer, prompts, [" he", " she"]),
        lambda: greedy(model, tokenizer, prompts, 5),
    )
    expected, failed = [function() for function in functions], []

    def check(_, inputs: tuple[torch.Tensor]) -> None:
        if not fits(inputs[0]):
            failed.append(inputs[0].shape)
            raise torch.OutOfMemoryError("CUDA out of memory")

    hook = model.base_model.register_forward_pre_hook(check)
    found = [function() for function in functions]
    hook.remove()
    assert failed
    np.testing.assert_allclose(found[0], expected[0], atol=1e-4)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-4)
    assert found[2] == expected[2]


def test_sentences_that_cannot_be_scored_are_named(tokenizer):
    model = AutoModelForCausalLM.from_config(CONFIGS["gpt_neox"])
    for bad in ("", "he " * 300):
        pairs = OWN.with_columns(sent_less=pl.Series([*OWN["sent_less"][:3], bad]))
        with pytest.raises(InputError, match="pair 3: a sentence has"):
            score_pairs(model, tokenizer, pairs)


@pytest.mark.parametrize(
    ("prompts", "candidates", "message"),
    [
        (
            ["Who was late?", "He said "],
            [" he", " she"],
            "prompt 1: ends with ' '; put white space before the candidates instead",
        ),
        (["He said\u00a0"], ["he", "she"], r"prompt 0: ends with '\\xa0'"),
        (["He said\n"], [" he", " she"], "prompt 0: ends with"),
        (["He said"], [" he", " head"], "candidate ' head': same first token as ' he'"),
        (["He said"], [" he", " he"], "candidate ' he': same first token as ' he'"),
        (["He said"], [" he", ""], "candidate '': begins with no token"),
    ],
)
def test_answers_that_would_be_read_from_another_token_are_refused(tokenizer, prompts, candidates, message):
    """A space that ends a prompt is a token of its own, and after it " he" would have another one before it."""
    model = AutoModelForCausalLM.from_config(CONFIGS["gpt_neox"])
    first = tokenizer([" he", " head"])["input_ids"]
    assert first[0][0] == first[1][0]
    with pytest.raises(InputError, match=message):
        token_log_probs(model, tokenizer, prompts, candidates)
    assert np.isfinite(token_log_probs(model, tokenizer, ["He said\n"], ["he", "she"])).all()  # as some chat formats end


def test_a_tokenizer_without_a_start_is_refused():
    tokenizer = tiny_models.words(["he she"])
    model = tiny_models.build("gpt2", tokenizer)
    with pytest.raises(InputError, match="the tokenizer has neither a BOS nor an EOS token"):
        score_pairs(model, tokenizer, pl.DataFrame({"sent_more": ["he"], "sent_less": ["she"]}))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_half_precision_stays_close(tokenizer, pairs, device, dtype):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS["gpt_neox"]).eval()
    exact = score_pairs(model, tokenizer, pairs)["ll_more"]
    rounded = score_pairs(model.to(device, getattr(torch, dtype)), tokenizer, pairs)["ll_more"]
    np.testing.assert_allclose(rounded, exact, rtol={"bfloat16": 1e-3, "float16": 1e-4}[dtype])
