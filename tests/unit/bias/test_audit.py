"""The evaluation-code audit: what each code gives in the released files, and the one-position shift by hand on a tiny model."""

from pathlib import Path

import polars as pl
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

from overtime.bias.audit_table import audit_table
from overtime.bias.reference_counts import WAY_COLUMNS
from overtime.bias.shifted_scoring import shifted_scores
from overtime.figures.audit import late_means
from overtime.models.likelihood import score_pairs

RELEASED = pl.read_csv(Path(__file__).parents[3] / "workflow/overtime/resources" / "released" / "pythia_crows_gender.csv")


def test_each_code_gives_another_level():
    points = audit_table(RELEASED, {}, pl.DataFrame(schema=WAY_COLUMNS)).filter(measure="stereotype")
    levels = {
        (m, a, c): (n, mean) for m, a, c, mean, n in late_means(points).select("model", "arm", "code", "y", "n").iter_rows()
    }
    assert levels["pythia-1.4b", "baseline", "8164ebc"] == (4, pytest.approx(0.5953, abs=5e-5))
    assert levels["pythia-1.4b", "baseline", "d36f623"] == (9, pytest.approx(0.6288, abs=5e-5))
    assert levels["pythia-410m", "baseline", "8164ebc"] == (2, pytest.approx(0.5516, abs=5e-5))
    assert levels["pythia-410m", "baseline", "d36f623"] == (11, pytest.approx(0.5699, abs=5e-5))
    assert levels["pythia-1.4b", "swap7", "8164ebc"] == (9, pytest.approx(0.5934, abs=5e-5))
    assert levels["pythia-410m", "swap7", "8164ebc"] == (10, pytest.approx(0.5375, abs=5e-5))
    differences = RELEASED.group_by("code").agg(low=pl.min("likelihood_difference"), high=pl.max("likelihood_difference"))
    (_, low, _), (_, _, high) = differences.sort("code").rows()
    assert low > 20
    assert high < 3.2


PAIRS = pl.DataFrame(
    [
        ("more", "the nurse said he would help .", "the nurse said she would help ."),
        ("less", "a doctor lost her new keys .", "a doctor lost his new keys ."),
        ("both", "and his dog saw him there again", "and his dog saw him here again"),
        ("neither", "he came late .", "she came late ."),  # no space before it
        ("neither", "they gave it to him today", "they gave it to her today"),  # the row ends before "today": no space after it
    ],
    schema=["touched", "sent_more", "sent_less"],
    orient="row",
)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    words = sorted({word for column in ("sent_more", "sent_less") for text in PAIRS[column] for word in text.split()})
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["<|endoftext|>", *words])}, unk_token="<|endoftext|>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|endoftext|>", bos_token="<|endoftext|>")


@pytest.fixture(scope="module")
def model(tokenizer) -> GPTNeoXForCausalLM:
    torch.manual_seed(0)
    size = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    }
    return GPTNeoXForCausalLM(GPTNeoXConfig(**size, initializer_range=0.3, bos_token_id=0, eos_token_id=0)).eval()


def test_shifted_scores_by_hand(model, tokenizer):
    scores = shifted_scores(model, tokenizer, score_pairs(model, tokenizer, PAIRS.drop("touched")))
    assert scores["scoring"].to_list() == ["clean"] * 5 + ["shifted"] * 5
    assert scores["touched"].to_list() == PAIRS["touched"].to_list() * 2
    for row in scores.rows(named=True):
        for side in ("more", "less"):
            ids = [tokenizer.convert_tokens_to_ids(word) for word in row[f"sent_{side}"].split()]
            off = row["scoring"] == "shifted" and row["touched"] in (side, "both")
            seen = [*ids[:-1], 0] if off else [0, *ids[:-1]]
            with torch.no_grad():
                log_probs = model(torch.tensor([seen])).logits[0].log_softmax(-1)
            assert row[f"ll_{side}"] == pytest.approx(sum(log_probs[i, t].item() for i, t in enumerate(ids)), abs=1e-4)
        assert row["stereotype"] == (row["ll_more"] > row["ll_less"])
        assert row["difference"] == pytest.approx(abs(row["ll_more"] - row["ll_less"]))


def test_the_shifted_side_loses_under_a_model_that_never_repeats_a_word(model, tokenizer):
    never = GPTNeoXForCausalLM(model.config).eval()
    with torch.no_grad():
        for layer in never.gpt_neox.layers:  # an empty residual stack: each position predicts from its own word alone
            for part in (layer.attention.dense, layer.mlp.dense_4h_to_h):
                part.weight.zero_()
                part.bias.zero_()
        never.get_output_embeddings().weight.copy_(-4 * never.get_input_embeddings().weight)
    scores = shifted_scores(never, tokenizer, score_pairs(never, tokenizer, PAIRS.drop("touched")))
    mean = {
        (s, t): (st, d)
        for s, t, st, d in scores.group_by("scoring", "touched").agg(pl.mean("stereotype"), pl.mean("difference")).rows()
    }
    assert mean["shifted", "more"][0] == 0
    assert mean["shifted", "less"][0] == 1
    assert mean["shifted", "more"][1] > 5 * mean["clean", "more"][1]
    assert mean["shifted", "neither"] == mean["clean", "neither"]


def test_nothing_to_shift(model, tokenizer):
    scores = shifted_scores(model, tokenizer, score_pairs(model, tokenizer, PAIRS.filter(touched="neither").drop("touched")))
    assert scores.filter(scoring="clean").drop("scoring").equals(scores.filter(scoring="shifted").drop("scoring"))


def test_the_figures_table_holds_both_measures_of_every_point_and_of_every_scoring():
    released = pl.DataFrame(
        {"model": ["a"], "arm": ["baseline"], "step": [71_500], "code": ["x"], "n": [320]}
        | {"pct_stereotype": [0.6], "stderr": [0.02], "likelihood_difference": [30.0], "likelihood_difference_stderr": [2.0]}
    )
    scores = pl.DataFrame({"scoring": ["clean"] * 4, "stereotype": [True, True, True, False], "difference": [1.0, 2.0, 3.0, 6.0]})
    counts = [
        ("a text", "lines", "as written", 10, 0, 8, 0, 6, 2, 3, 0),
        ("empty", "lines", "as written", 4, 0, 0, 0, 0, 0, 0, 0),
    ]
    table = audit_table(released, {"m": scores}, pl.DataFrame(counts, WAY_COLUMNS, orient="row"), resamples=200)
    rows = {(row["source"], row["measure"]): row for row in table.iter_rows(named=True)}
    assert rows["released", "stereotype"]["x"] == 50
    assert rows["released", "likelihood_difference"]["upper"] == pytest.approx(33.92)
    assert rows["measured", "stereotype"]["y"] == 0.75
    assert (rows["measured", "likelihood_difference"]["y"], rows["measured", "likelihood_difference"]["n"]) == (3.0, 4)
    texts = table.filter(pl.col("text").is_not_null()).select("text", "measure", "y", "n", "lower")
    assert texts.rows() == [
        ("a text", "touched", 0, 10, None),
        ("empty", "touched", 0, 4, None),
        ("a text", "masculine_words", 0.75, 8, None),
        ("a text", "masculine_pronouns", 1, 3, None),
    ]
