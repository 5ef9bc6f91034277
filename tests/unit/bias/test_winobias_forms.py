"""WinoBias sentences in both forms: those that others scored, laid out as they did, and the check of margins item by item."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from tiny_models import build, words

from overtime import InputError
from overtime.bias.independent_check import agreements, disagreements, independent_check
from overtime.bias.winobias_forms import encode_forms, read_winobias_forms
from overtime.files import RESOURCES
from overtime.models.likelihood import score_encoded
from overtime.sources.ledger import read_ledger, select
from overtime.sources.scored_by_others import sentence_hash

ROOT = Path(__file__).parents[3]
MIRROR = Path(os.environ.get("OVERTIME_MIRROR", ROOT.parent / "shared" / "mirror"))
INDEPENDENT = pl.read_csv(RESOURCES / "released/independent_winobias.csv")
LINES = {
    "pro_stereotyped_type1": "1 [The Smith] thanked the nurse because [he] was late.",
    "anti_stereotyped_type1": "1 [The Smith] thanked the nurse because [she] was late.",
    "pro_stereotyped_type2": "1 The smith met [the nurse] and gave [her] bread.",
    "anti_stereotyped_type2": "1 The smith met [the nurse] and gave [him] bread from [his] bag.",
}


def write(folder: Path, **changed: str) -> Path:
    data = folder / "WinoBias/wino/data"
    data.mkdir(parents=True)
    for name, line in (LINES | changed).items():
        (data / f"{name}.txt.dev").write_text(f"{line}\n")
    return folder


def test_the_sentences_are_those_that_others_scored():
    source = select(read_ledger(ROOT / "config/sources.csv"), "winobias")[0]
    folder = MIRROR / source.url.removeprefix("https://").removesuffix(f"/{source.file}")
    if not folder.is_dir():
        pytest.skip(f"no mirror of WinoBias at {folder}")
    forms = read_winobias_forms(folder)
    assert set(forms["sentence"]) == set(INDEPENDENT["sentence"])
    assert forms.height == 792


def test_both_forms_of_a_sentence_by_hand(tmp_path):
    forms = read_winobias_forms(write(tmp_path))
    assert forms.select("sent_more", "sent_less").rows() == [
        ("The smith thanked the nurse because she was late.", "The smith thanked the nurse because he was late."),
        (
            "The smith met the nurse and gave her bread from [her] bag.",
            "The smith met the nurse and gave him bread from [his] bag.",
        ),
    ]
    assert forms["sentence"].to_list() == [sentence_hash(sentence) for sentence in forms["sent_less"]]
    assert read_winobias_forms(tmp_path / "nothing").is_empty()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "1 The smith met [the nurse] and left.",
            r"type2\.txt\.dev:1: expected an occupation and its pronoun in square brackets",
        ),
        (LINES["pro_stereotyped_type1"], r"type2\.txt\.dev:1: a sentence that stands before, too"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(tmp_path, line, message):
    with pytest.raises(InputError, match=message):
        read_winobias_forms(write(tmp_path, anti_stereotyped_type2=line))


@torch.inference_mode()
def padded_on_the_left(model, tokenizer, sentences: list[str]) -> np.ndarray:
    """Log-likelihoods by one plain pass: BOS, then padding that is masked, then the sentence; positions are left to the model."""
    encoded = tokenizer(sentences, add_special_tokens=False)["input_ids"]
    longest = max(map(len, encoded))
    rows = [[0] + [1] * (longest - len(ids)) + ids for ids in encoded]
    mask = [[1] + [0] * (longest - len(ids)) + [1] * len(ids) for ids in encoded]
    logits = model(torch.tensor(rows), attention_mask=torch.tensor(mask)).logits.double().log_softmax(-1)
    said = [logits[row, -len(ids) - 1 : -1].gather(1, torch.tensor(ids)[:, None]).sum() for row, ids in enumerate(encoded)]
    return torch.stack(said).numpy()


@pytest.mark.parametrize("kind", ["gpt_neox", "gptj"])
def test_margins_are_those_of_sentences_padded_on_the_left(tmp_path, kind):
    """As Belém et al. laid them out, whose models these are; without the padding margins are others."""
    forms = read_winobias_forms(write(tmp_path))
    more, less = forms["sent_more"].to_list(), forms["sent_less"].to_list()
    tokenizer = words(more + less)
    tokenizer.bos_token = "<unk>"
    model = build(kind, tokenizer)
    scores = score_encoded(model, encode_forms(model, tokenizer, forms)).reshape(-1, 2)
    expected = padded_on_the_left(model, tokenizer, more) - padded_on_the_left(model, tokenizer, less)
    np.testing.assert_allclose(scores[:, 0] - scores[:, 1], expected, atol=1e-4)
    alone = [
        padded_on_the_left(model, tokenizer, [one])[0] - padded_on_the_left(model, tokenizer, [other])[0]
        for one, other in zip(more, less)
    ]
    assert np.abs(alone - expected).max() > 1e-3


def scored(margins: np.ndarray, **more: object) -> pl.DataFrame:
    """Scores of the sentences that others scored, with these margins."""
    return INDEPENDENT.select("sentence", ll_more=pl.Series(margins) - 7, ll_less=pl.lit(-7.0), **more)


def checked(margins: np.ndarray) -> dict[str, object]:
    return independent_check({"own": scored(margins)}, {"own": "pythia-410m"}, INDEPENDENT).row(0, named=True)


def test_a_model_agrees_but_for_rounding():
    theirs = INDEPENDENT["pythia-410m"].to_numpy()
    rounded = theirs + np.where(np.arange(792) % 2, 0.05, -0.05)
    row = checked(rounded)
    assert row == {
        "model": "own",
        "independent": "pythia-410m",
        "n": 792,
        "correlation": pytest.approx(np.corrcoef(theirs, rounded)[0, 1]),
        "largest_difference": pytest.approx(0.05),
        "median_difference": pytest.approx(0.05),
        "same_sign": pytest.approx(np.mean(np.sign(theirs) == np.sign(rounded))),
        "agrees": True,
    }
    table = pl.DataFrame([row])
    assert disagreements(table) == []
    assert agreements(table)[0].startswith("own: its 792 WinoBias margins are those of pythia-410m by others: correlation 0.99")


@pytest.mark.parametrize(
    ("margins", "message"),
    [
        (-INDEPENDENT["pythia-410m"].to_numpy(), r"correlation -1\.0000 \(at least 0\.99\)"),
        (INDEPENDENT["pythia-410m"].to_numpy() + 0.2, r"correlation 1\.0000 .* median difference 0\.200 nats \(at most 0\.1\)"),
        (INDEPENDENT["pythia-410m-deduped"].to_numpy(), "own: its 792 WinoBias margins are not those of pythia-410m"),
        (np.zeros(792), "correlation none"),
    ],
)
def test_another_model_another_sign_and_a_shift_are_told_in_one_line(margins, message):
    row = checked(margins)
    assert not row["agrees"]
    [line] = disagreements(pl.DataFrame([row]))
    assert pl.Series([line]).str.contains(message).all()
    assert agreements(pl.DataFrame([row])) == []


def test_no_two_models_of_others_pass_for_one_another():
    models = INDEPENDENT.select(r"^(pythia|gpt).*$")
    for name in models.columns:
        alike = independent_check(
            {one: scored(models[one].to_numpy()) for one in models.columns}, dict.fromkeys(models.columns, name), INDEPENDENT
        )
        assert alike.filter("agrees")["model"].to_list() == [name]


def test_the_last_step_counts_and_other_sentences_are_refused():
    theirs = INDEPENDENT["pythia-70m"].to_numpy()
    steps = pl.concat([scored(-theirs, step=pl.lit(1000)), scored(theirs, step=pl.lit(143000))])
    assert independent_check({"own": steps}, {"own": "pythia-70m"}, INDEPENDENT)["agrees"].all()
    lacking = {"own": scored(theirs).head(700)}
    with pytest.raises(InputError, match="own: 700 WinoBias sentences are scored, 792 by others, and 700 of them are the same"):
        independent_check(lacking, {"own": "pythia-70m"}, INDEPENDENT)
    with pytest.raises(InputError, match="own: scores of WinoBias forms: more than one row of sentence"):
        independent_check({"own": pl.concat([lacking["own"]] * 2)}, {"own": "pythia-70m"}, INDEPENDENT)


def test_what_could_not_be_compared_does_not_pass():
    table = independent_check({"own": pl.DataFrame()}, {"own": "pythia-70m"}, INDEPENDENT)
    assert table.select("n", "agrees").row(0) == (0, None)
    assert disagreements(table) == ["own: not compared with pythia-70m by others: WinoBias could not be had"]
    assert agreements(table) == []
