"""The third case study from a model's folder to verdict-ready scores, on architectures that settings can name."""

from pathlib import Path

import pytest
import tiny_models
from tiny_models import ARCHITECTURES
from transformers import PreTrainedTokenizerFast

from overtime import InputError
from overtime.attacks.detectors import score_prompts
from overtime.attacks.early_exit import defend
from overtime.attacks.few_shot_prompts import CONDITIONS, few_shot_prompts, load_task
from overtime.attacks.persona_prompts import answers, log_odds
from overtime.attacks.personas import PERSONAS, read_persona_claims
from overtime.attacks.read_prompts import read_prompts
from overtime.models import load as models
from overtime.models.tuned_lens import load_translators
from overtime.models.tuned_lens_fit import fit

CHAT = "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"
TASKS = {name: load_task(name) for name in ("sentiment", "topics")}
PROMPTS = {name: few_shot_prompts(task, CONDITIONS, prompts=6, demonstrations=4, seed=0) for name, task in TASKS.items()}
CLAIMS = read_persona_claims().gather_every(13)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    texts = [prompt.text for prompts in PROMPTS.values() for prompt in prompts]
    asked = [*CLAIMS["text"], *(persona["instruction"] for persona in PERSONAS.values()), "Question: Answer: Robin: Yes No"]
    return tiny_models.words([*texts, *asked, *(label for task in TASKS.values() for label in task.labels), "[user] [assistant]"])


# Those of the settings, base and instruct; of the others one of every kind of head, attention and file.
RUNS = [(kind, chat) for kind in ("gpt_neox", "llama", "gpt_neo", "gptj", "bloom", "gpt2") for chat in (False, True)]
RUNS += [(kind, False) for kind in ("mixtral", "gemma2", "cohere", "mpt")]


@pytest.mark.parametrize(("kind", "chat"), RUNS)
def test_every_step_runs_on_every_architecture(kind: str, chat: bool, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    tokenizer.chat_template = CHAT if chat else None
    tiny_models.build(kind, tokenizer).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    model, read = models.load(tmp_path / "model", dtype="bfloat16", device="auto")
    translators, held_out = fit(model, read, [prompt.text for prompt in PROMPTS["sentiment"]], tokens=600)
    assert held_out["kl"].is_finite().all()
    translators.save(tmp_path / "lens.safetensors")
    translators = load_translators(tmp_path / "lens.safetensors", model)
    tables = {name: read_prompts(model, read, PROMPTS[name], list(task.labels), translators) for name, task in TASKS.items()}
    assert all(table["logit"].is_finite().all() for table in tables.values())
    scores = score_prompts(tables, (2, 4))
    assert set(scores["kind"]) >= {"normal", "false", "half", "random", "injection", "benign", "shift:topics"}
    assert scores["score"].is_finite().all()
    assert set(defend(tables["topics"], "topics", (2, 4))["policy"]) == {"final", "early_exit", "majority", "contrast"}
    odds = log_odds(model, read, CLAIMS)
    assert odds["log_odds"].is_finite().all()
    assert odds.height == len(PERSONAS) * CLAIMS.height
    assert answers(model, read, CLAIMS.head(1), max_new_tokens=2).height == len(PERSONAS)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_prompt_longer_than_the_context_is_one_clear_line(kind: str, tokenizer: PreTrainedTokenizerFast) -> None:
    model = tiny_models.build(kind, tokenizer)
    sentiment, labels = PROMPTS["sentiment"], list(TASKS["sentiment"].labels)
    if kind == "bloom":  # relative positions: its context has no end
        assert log_odds(model, tokenizer, CLAIMS.head(1)).height == len(PERSONAS)
        return
    setattr(model.config, "max_seq_len" if kind == "mpt" else "max_position_embeddings", 12)
    for attempt, message in (
        (lambda: read_prompts(model, tokenizer, sentiment, labels), r"prompt 0 \(zero_shot\): \d+ tokens"),
        (lambda: log_odds(model, tokenizer, CLAIMS), r"prompt 0 with its answer: \d+ tokens"),
        (lambda: answers(model, tokenizer, CLAIMS, 5), r"prompt 0 with its answer: \d+ tokens"),
    ):
        with pytest.raises(InputError, match=f"{message}, but the model's context holds 12") as caught:
            attempt()
        assert "\n" not in str(caught.value)
