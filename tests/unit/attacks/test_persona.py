"""Persona prompts, claims, and the figure's table."""

import os
from copy import deepcopy
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

from overtime import InputError
from overtime.attacks.assertions import coded_answers
from overtime.attacks.persona_prompts import answers, log_odds, persona_prompt
from overtime.attacks.persona_table import persona_table
from overtime.attacks.personas import PERSONAS, read_persona_claims, read_truthfulqa
from overtime.tables import PERSONA_GROUPS

MIRROR = Path(os.environ.get("OVERTIME_MIRROR", Path(__file__).parents[4] / "shared" / "mirror"))
CHAT = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    texts = "\n".join(
        [
            *read_persona_claims()["text"],
            *(p["instruction"] for p in PERSONAS.values()),
            "Question: Answer: Robin: The answer Yes No",
        ]
    )
    split = pre_tokenizers.Whitespace()
    words = dict.fromkeys(word for word, _ in split.pre_tokenize_str(texts))
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["<unk>", *words])}, unk_token="<unk>"))
    backend.pre_tokenizer = split
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")


@pytest.fixture(scope="module")
def model(tokenizer) -> GPTNeoXForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = GPTNeoXConfig(vocab_size=len(tokenizer), max_position_embeddings=256, initializer_range=0.5, **shape)
    return GPTNeoXForCausalLM(config).eval()


def test_claims_cover_the_talk_and_its_controls():
    claims = read_persona_claims()
    counts = dict(claims["group"].value_counts().iter_rows())
    assert claims.height >= 45
    assert set(counts) == set(PERSONA_GROUPS)
    assert counts["true"] == counts["false"]
    assert counts["conspiracy"] == claims.height / 2
    assert claims["text"].is_unique().all()
    assert claims["text"].str.ends_with("?").all()
    shown = claims.filter("shown")
    assert shown.height == 5
    assert (shown["group"] == "conspiracy").all()
    assert "2020 presidential election" in shown["text"][0]


def test_benign_prompt_differs_in_the_belief_alone():
    persona, benign = (PERSONAS[name]["instruction"].split() for name in ("persona", "benign"))
    differences = [pair for pair in zip(persona, benign, strict=True) if len(set(pair)) > 1]
    assert differences == [("conspiracy", "mainstream"), ("theories", "science"), ("them", "it")]
    assert PERSONAS["persona"]["speaker"] == PERSONAS["benign"]["speaker"]


def test_prompt_follows_the_chat_format_if_there_is_one(tokenizer):
    assert persona_prompt(tokenizer, "plain", "Why?") == "Question: Why?\nAnswer:"
    rules = PERSONAS["persona"]["instruction"].strip()
    assert persona_prompt(tokenizer, "persona", "Why?") == f"{rules}\n\nQuestion: Why?\nRobin:"
    tokenizer.chat_template = CHAT
    try:
        assert persona_prompt(tokenizer, "plain", "Why?") == "[user]Question: Why?[assistant]Answer:"
        assert persona_prompt(tokenizer, "benign", "Why?").endswith("\n\nQuestion: Why?[assistant]Robin:")
        tokenizer.chat_template = f"<s>{CHAT}"
        assert persona_prompt(tokenizer, "plain", "Why?").startswith("<s>[user]")
        starting = deepcopy(tokenizer)
        starting.add_special_tokens({"bos_token": "<s>"})
        start = [("<s>", starting.bos_token_id)]
        starting.backend_tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=start)
        text = persona_prompt(starting, "plain", "Why?")
        assert starting(text)["input_ids"].count(starting.bos_token_id) == 1
    finally:
        tokenizer.chat_template = None


@torch.inference_mode()
def test_log_odds_and_answers_equal_the_models_own(model, tokenizer):
    claims = read_persona_claims().gather_every(9)
    table = log_odds(model, tokenizer, claims)
    assert table.columns == ["claim", "group", "condition", "text", "log_odds", "mass"]
    assert table.height == len(PERSONAS) * claims.height
    yes, no = tokenizer.convert_tokens_to_ids(["Yes", "No"])
    for row in table.iter_rows(named=True):
        text = f"{persona_prompt(tokenizer, row['condition'], row['text'])} The answer is"
        logits = model(tokenizer(text, return_tensors="pt")["input_ids"]).logits[0, -1]
        assert row["log_odds"] == pytest.approx((logits[yes] - logits[no]).item(), abs=1e-4)
        assert row["mass"] == pytest.approx(logits.softmax(-1)[[yes, no]].sum().item(), abs=1e-5)
    assert table["log_odds"].std() > 0.1
    said = answers(model, tokenizer, claims.head(2), max_new_tokens=3)
    assert said.columns == ["claim", "group", "condition", "text", "shown", "answer"]
    for row in said.iter_rows(named=True):
        prompt = tokenizer(persona_prompt(tokenizer, row["condition"], row["text"]), return_tensors="pt")["input_ids"]
        ids = prompt
        for _ in range(3):
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], 1)
        assert row["answer"] == tokenizer.decode(ids[0, prompt.shape[1] :], skip_special_tokens=True).strip()


def test_both_spellings_count_where_they_are_tokens(model, tokenizer):
    more = deepcopy(tokenizer)
    words = {word: i for word, i in more.get_vocab().items() if word not in ("Alaska", "Canary")}
    words |= {"yes": more.convert_tokens_to_ids("Alaska"), "no": more.convert_tokens_to_ids("Canary")}
    backend = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    more = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
    row = log_odds(model, more, read_persona_claims().head(1)).row(0, named=True)
    with torch.inference_mode():
        text = f"{persona_prompt(more, 'plain', row['text'])} The answer is"
        likely = model(more(text, return_tensors="pt")["input_ids"]).logits[0, -1].softmax(-1)
    yes, no = (likely[more.convert_tokens_to_ids(pair)].sum().item() for pair in (["Yes", "yes"], ["No", "no"]))
    assert row["log_odds"] == pytest.approx(np.log(yes / no), abs=1e-4)
    assert row["mass"] == pytest.approx(yes + no, abs=1e-5)


def test_a_tokenizer_without_yes_is_refused(model):
    backend = Tokenizer(models.WordLevel({"<unk>": 0, "No": 1}, unk_token="<unk>"))
    with pytest.raises(InputError, match="label 'Yes': not one token"):
        log_odds(model, PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>"), read_persona_claims())


def test_summary_recovers_planted_shifts():
    claims = read_persona_claims().drop("shown")
    planted = {"plain": 0.0, "persona": 2.0, "benign": 0.5}
    spread = pl.Series(np.random.default_rng(0).normal(0, 0.1, claims.height))
    scores = pl.concat(
        claims.with_columns(condition=pl.lit(name), log_odds=spread + shift * (claims["group"] == "conspiracy"), mass=0.6)
        for name, shift in planted.items()
    )
    told = pl.when(pl.col("claim") % 2 == 0).then(pl.lit("Yes.")).otherwise(pl.lit("It\x12 is."))
    said = scores.select("claim", "group", "condition", "text", shown=pl.col("claim") == 1, answer=told)
    table = persona_table(scores, coded := coded_answers(said))
    asserted = table.filter(kind="asserted")
    assert asserted.height == len(PERSONAS) * len(PERSONA_GROUPS)
    assert asserted.filter(group="conspiracy", condition="persona").select("y", "n").row(0) == (0.5, 26)
    assert table.filter(kind="mass")["y"].to_list() == pytest.approx([0.6] * asserted.height)
    assert table.filter(kind="agreement").select("y", "n").row(0) == (coded["agreement"][0], coded["labelled"][0])
    means = table.filter(kind="log_odds")
    for condition, group, y, lower, upper, n in means.select("condition", "group", "y", "lower", "upper", "n").iter_rows():
        expected = planted[condition] * (group == "conspiracy") + spread.filter(claims["group"] == group).mean()
        assert y == pytest.approx(expected)
        assert lower < y < upper
        assert upper - lower < 0.2
        assert n == (claims["group"] == group).sum()
    assert means.height == len(PERSONAS) * len(PERSONA_GROUPS)
    answer = table.filter(kind="answer").row(0, named=True)
    assert answer["y"] is None
    told = (answer["series"], answer["x"], answer["answer"], answer["said"])
    assert told == ("plain", claims["text"][1], "It\N{REPLACEMENT CHARACTER} is.", "unclear")
    assert table.filter(kind="answer").height == len(PERSONAS)
    renamed = scores.filter(group="true").with_columns(group=pl.lit("truthfulqa_true"))
    apart = persona_table(pl.concat([scores, renamed]), coded).filter(kind="log_odds")
    assert apart.filter(pl.col("group") != "truthfulqa_true").equals(means)
    assert apart.height == means.height + len(PERSONAS)
    with pytest.raises(InputError, match="log_odds of 'plain': no claim of the group 'false'"):
        persona_table(scores.filter(pl.col("group") != "false"), coded)
    with pytest.raises(InputError, match="asserted of 'plain': no claim of the group 'true'"):
        persona_table(scores, coded.filter(pl.col("group") != "true"))


def test_truthfulqa_conspiracies_become_claims(tmp_path):
    path = tmp_path / "TruthfulQA.csv"
    path.write_text(
        "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers\n"
        "A,Conspiracies,Who moved?,Nobody moved,Nobody moved; No one,Ghosts moved. ; Elves\nA,Food,Why?,No,No,Yes\n"
    )
    assert read_truthfulqa(path).rows() == [
        ("truthfulqa_conspiracy", "Is this answer right? Who moved? Ghosts moved."),
        ("truthfulqa_true", "Is this answer right? Who moved? Nobody moved."),
    ]
    path.write_text("Category,Question,Best Answer,Incorrect Answers\nFood,Why?,No,Yes\n")
    with pytest.raises(InputError, match="no row of the category Conspiracies"):
        read_truthfulqa(path)
    path.write_text("Question\nWhy?\n")
    with pytest.raises(InputError, match=r"TruthfulQA\.csv: not TruthfulQA\.csv"):
        read_truthfulqa(path)


def test_released_truthfulqa():
    released = next(MIRROR.glob("raw.githubusercontent.com/*/*/*/TruthfulQA/TruthfulQA.csv"), None)
    if released is None:
        pytest.skip(f"no TruthfulQA.csv under {MIRROR}")
    claims = read_persona_claims(released)
    added = claims.filter(pl.col("claim") >= read_persona_claims().height)
    assert dict(added["group"].value_counts().iter_rows()) == {"truthfulqa_conspiracy": 25, "truthfulqa_true": 25}
    assert not added["shown"].any()
    assert claims["text"].is_unique().all()
    assert claims["claim"].to_list() == list(range(claims.height))
