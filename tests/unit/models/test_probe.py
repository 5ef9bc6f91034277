"""What a model is seen to be by a probe text: its logits taken as they are, or refused in one line, before anything is read."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import tiny_models
import torch
from accelerate import cpu_offload, init_empty_weights
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    LlamaForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from overtime import InputError
from overtime.models import load as models
from overtime.models.answers import greedy, token_log_probs
from overtime.models.lens import read_layers
from overtime.models.likelihood import score_pairs
from overtime.models.logit_transform import LogitTransform
from overtime.models.neox import Neox, NeoxConfig
from overtime.models.next_words import lay_out_prompts, next_logits
from overtime.models.probe import logit_transform
from overtime.models.token_batches import context
from overtime.models.tuned_lens_fit import fit

WORDS = [f"w{number}" for number in range(30)]
TOKENIZER = tiny_models.words(WORDS)
TOKENIZER.bos_token = "<unk>"
PAIRS = pl.DataFrame({"sent_more": ["w1 w2 w3"], "sent_less": ["w1 w2 w4 w5"]})
TINY = {"vocab_size": 31, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
READINGS: dict[str, Callable[[PreTrainedModel], object]] = {
    "likelihoods": lambda model: score_pairs(model, TOKENIZER, PAIRS)["ll_more"].to_list(),
    "probabilities": lambda model: token_log_probs(model, TOKENIZER, ["w1 w2"], ["w3", "w4"]).tolist(),
    "answers": lambda model: greedy(model, TOKENIZER, ["w1 w2"], 3),
    "layers": lambda model: read_layers(model, TOKENIZER, ["w1 w2"], ["w3", "w4"])["logit"].to_list(),
    "lens": lambda model: fit(model, TOKENIZER, [" ".join(WORDS)] * 20, tokens=512)[0].bias.tolist(),
}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("llama", LogitTransform()),
        ("gemma2", LogitTransform(1.0, 2.0)),
        ("cohere", LogitTransform(1 / 16)),
        ("granite", LogitTransform(1 / 3)),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_what_follows_the_head_is_found_in_every_precision(kind: str, expected: LogitTransform, dtype: torch.dtype) -> None:
    assert logit_transform(tiny_models.build(kind, TOKENIZER).to(dtype)) == expected


def test_a_factor_before_the_head_and_one_that_is_not_used() -> None:
    """MiniCPM3 divides states by width / dim_model_base, here 4; MPT has a `logit_scale` that transformers leaves out."""
    shape = {"num_key_value_heads": 4, "q_lora_rank": 8, "kv_lora_rank": 8, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8}
    config = AutoConfig.for_model("minicpm3", **TINY, **shape, v_head_dim=8, dim_model_base=8)
    assert logit_transform(AutoModelForCausalLM.from_config(config)) == LogitTransform(1 / 4)
    model = tiny_models.build("mpt", TOKENIZER)
    model.config.logit_scale = 0.5
    assert logit_transform(model) == LogitTransform()


def test_a_cap_that_no_logit_of_a_text_comes_near_is_seen() -> None:
    """Weights so small that 30 * tanh(x / 30) and x are the same to 1e-10, until a state is stretched."""
    model = tiny_models.build("gemma2", TOKENIZER)
    model.config.final_logit_softcapping = 30.0
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(1e-3)
    assert logit_transform(model) == LogitTransform(1.0, 30.0)
    model.config.final_logit_softcapping = None  # found again when the configuration says something else
    assert logit_transform(model) == LogitTransform()


@pytest.mark.parametrize("reading", READINGS)
def test_unknown_logits_are_refused_by_every_reading(reading: str) -> None:
    """As of an architecture that nobody knew: a shift after the head, a squashing of what comes before it."""
    after, before = llama(), tiny_models.build("mistral", TOKENIZER)
    after.register_forward_hook(lambda _, __, output: setattr(output, "logits", output.logits + torch.arange(31) / 100))
    before.lm_head.register_forward_pre_hook(lambda _, inputs: (inputs[0].tanh(),))
    for model, message in (
        (after, r"model type llama: its logits of a probe text are up to 0\.3 away from states times head"),
        (before, "model type mistral: its head does not read the last state of its trunk"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            READINGS[reading](model)
        assert "\n" not in str(caught.value)


def llama() -> PreTrainedModel:
    return tiny_models.build("llama", TOKENIZER)


def empty() -> PreTrainedModel:
    with init_empty_weights():
        return llama()


class QuantLinear(torch.nn.Linear):
    """As GPTQ does: packed numbers in place of weights."""

    def __init__(self) -> None:
        super().__init__(32, 31, bias=False)
        del self.weight
        self.register_buffer("qweight", torch.zeros(4, 31, dtype=torch.int32))


def quantised() -> PreTrainedModel:
    model = llama()
    model.lm_head = QuantLinear()
    return model


def eight_bits() -> PreTrainedModel:
    """As bitsandbytes does: a head that is a Linear, but whose numbers stand for others."""
    model = llama()
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().to(torch.int8), requires_grad=False)
    return model


def not_finite() -> PreTrainedModel:
    model = llama()
    with torch.no_grad():
        model.model.norm.weight[3] = torch.nan
    return model


MASKED = "a token changes what is read before it, as in a masked model"
TWO_PARTS = "an encoder and a decoder"
OTHERS: dict[str, tuple[Callable[[], PreTrainedModel], str]] = {
    "bert": (lambda: BertLMHeadModel(BertConfig(**TINY)), f"model type bert: {MASKED}"),
    "bert, masked": (lambda: BertForMaskedLM(BertConfig(**TINY)), f"model type bert: {MASKED}"),
    "bert, decoder": (
        lambda: BertLMHeadModel(BertConfig(is_decoder=True, **TINY)),
        "its head does not read the last state",
    ),
    "roberta": (lambda: RobertaForCausalLM(RobertaConfig(**TINY)), f"model type roberta: {MASKED}"),
    "t5": (lambda: T5ForConditionalGeneration(T5Config(d_model=32, d_ff=32, num_layers=1)), f"model type t5: {TWO_PARTS}"),
    "bart": (
        lambda: BartForConditionalGeneration(BartConfig(vocab_size=31, d_model=32, encoder_layers=1, decoder_layers=1)),
        f"model type bart: {TWO_PARTS}",
    ),
    "body": (lambda: AutoModel.from_config(llama().config), "LlamaModel has no head for tokens"),
    "classifier": (
        lambda: LlamaForSequenceClassification(llama().config),
        "Classification has no head for tokens",
    ),
    "empty": (empty, r"weights are not in memory \(device meta\)"),
    "offloaded": (lambda: cpu_offload(llama()), r"weights are not in memory \(device meta\)"),
    "quantised": (quantised, "its head is QuantLinear; one of floating-point numbers is needed, not quantised"),
    "eight bits": (eight_bits, r"its head is Linear of torch\.int8; one of floating-point numbers is needed, not quantised"),
    "not finite": (not_finite, "model type llama: logits of a probe text are not finite"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_causal_language_model_is_one_line(kind: str) -> None:
    make, message = OTHERS[kind]
    model = make()
    for read in (READINGS["likelihoods"], READINGS["answers"], READINGS["layers"]):
        with pytest.raises(InputError, match=message) as caught:
            read(model)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["mamba", "rwkv"])
def test_without_keys_and_values_there_are_likelihoods_alone(kind: str) -> None:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "vocab_size": 31, "num_hidden_layers": 2, "attention_hidden_size": 32, "intermediate_size": 64}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **shape)).eval()
    ids = torch.tensor([[0, *TOKENIZER.convert_tokens_to_ids(["w1", "w2", "w3"])]])
    with torch.no_grad():
        log_probs = model(ids[:, :-1]).logits.log_softmax(-1).gather(2, ids[:, 1:, None])
    assert READINGS["likelihoods"](model) == pytest.approx([log_probs.sum().item()], abs=1e-4)
    for name in ("probabilities", "answers", "layers"):
        with pytest.raises(InputError, match=rf"model type {kind}: (does not keep keys and values|reads a text otherwise)"):
            READINGS[name](model)


@pytest.mark.parametrize("reading", READINGS)
def test_dropout_does_not_act(reading: str) -> None:
    """Whatever a model was doing before, it is read in evaluation mode."""
    model = tiny_models.build("gpt2", TOKENIZER)
    expected = READINGS[reading](model)
    model.transformer.h.train()  # a part alone
    assert READINGS[reading](model) == expected
    model.train()
    assert READINGS[reading](model) == expected
    assert not any(module.training for module in model.modules())


def test_the_suite_is_read_in_evaluation_mode() -> None:
    model = Neox(NeoxConfig(vocab_size=31, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=8))
    assert logit_transform(model.train()) == LogitTransform()
    assert not model.training
    next_logits(model.train(), lay_out_prompts([[1, 2]]))
    assert not model.training


def test_longrope_ends_where_it_would_read_all_tokens_otherwise() -> None:
    rotary = {"short_factor": [1.0] * 4, "long_factor": [4.0] * 4, "rope_type": "longrope", "rope_theta": 1e4}
    shape = {"max_position_embeddings": 64, "original_max_position_embeddings": 16, "rope_parameters": rotary}
    shape |= tiny_models.ARCHITECTURES["phi3"] | {"vocab_size": 31, "eos_token_id": 0}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model("phi3", **shape)).eval()
    assert context(model) == 16
    with pytest.raises(InputError, match="prompt 0: 17 tokens, but the model's context holds 16"):
        read_layers(model, TOKENIZER, [" ".join(WORDS[1:18])], ["w3"])


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"architectures": ["LlamaForSequenceClassification"]}, "config.json says LlamaForSequenceClassification"),
        ({"architectures": ["LlamaRewardModel"]}, "config.json says LlamaRewardModel"),
        ({"is_encoder_decoder": True}, "config.json says is_encoder_decoder"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, r"config.json says that weights are quantised \(gptq\)"),
        ({"quantization_config": {"quant_method": "fp8"}}, r"config.json says that weights are quantised \(fp8\)"),
    ],
)
def test_a_folder_that_says_what_it_is_is_not_read(stated: dict[str, object], message: str, tmp_path: Path) -> None:
    config = llama().config
    for name, value in stated.items():
        setattr(config, name, value)
    (tmp_path / "config.json").write_text(config.to_json_string())
    TOKENIZER.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=f"^{re.escape(str(tmp_path))}: {message}") as caught:
        models.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_folders_of_other_models_are_named(tmp_path: Path) -> None:
    """A masked one that says that it is causal, and a body without its head."""
    BertLMHeadModel(BertConfig(**TINY)).save_pretrained(tmp_path / "masked")
    AutoModel.from_config(tiny_models.build("mistral", TOKENIZER).config).save_pretrained(tmp_path / "body")
    for name, message in (("masked", "model type bert: a token changes"), ("body", "no tensor lm_head.weight")):
        TOKENIZER.save_pretrained(tmp_path / name)
        with pytest.raises(InputError, match=rf"^{re.escape(str(tmp_path / name))}\S*: {message}"):
            models.load(tmp_path / name)
