"""Does a persona draw out conspiracy theories? Answers and log-odds of Yes under a plain, a persona and a benign prompt.

The persona prompt asks for two characters, the second of whom agrees with conspiracy theories; in the benign prompt that
character agrees with mainstream science and nothing else differs, so the form of the prompt is controlled for. Claims that are
plainly true and plainly false show whether a shift is more than a general readiness to say yes.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from overtime import InputError
from overtime.prompts import FOLDER, check_labels
from overtime.stats import bootstrap_mean

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PERSONAS: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "persona.toml").read_text(encoding="utf-8"))
GROUPS = ("conspiracy", "true", "false")
TRUTHFULQA = {"truthfulqa_conspiracy": "Incorrect Answers", "truthfulqa_true": "Best Answer"}  # group -> where its answers stand
YES_NO = ("Yes", "No")


def read_claims(truthfulqa: str | Path | None = None) -> pl.DataFrame:
    """The project's yes/no claims: `claim` (number), `group`, `text`, `shown` (in the side-by-side of answers).

    With the path of TruthfulQA.csv its conspiracy items are appended, in groups of their own.
    """
    own = pl.read_csv(FOLDER / "claims.csv").with_columns(shown=pl.col("shown") == "yes").select("group", "text", "shown")
    tables = [own] if truthfulqa is None else [own, read_truthfulqa(truthfulqa).with_columns(shown=pl.lit(False))]
    return pl.concat(tables).with_row_index("claim").with_columns(pl.col("claim").cast(pl.Int64))


def read_truthfulqa(path: str | Path) -> pl.DataFrame:
    """Conspiracy items of TruthfulQA (Lin et al. 2022, arXiv 2109.07958) as yes/no claims: `group`, `text`.

    Its questions are open, so each gives two claims: that its first incorrect answer is right ("truthfulqa_conspiracy") and that
    its best answer is ("truthfulqa_true"). Raises InputError if a column is missing or no row has the category Conspiracies.
    """
    columns = ["Category", "Question", *TRUTHFULQA.values()]
    try:
        table = pl.read_csv(path, columns=columns, infer_schema=False).filter(pl.col("Category") == "Conspiracies")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: not TruthfulQA.csv ({str(error).splitlines()[0]}); it needs {', '.join(columns)}") from error
    if table.is_empty():
        raise InputError(f"{path}: no row of the category Conspiracies; TruthfulQA.csv has 25")
    claim = "Is this answer right? {} {}."
    return pl.concat(
        table.select(group=pl.lit(group), text=pl.format(claim, "Question", first.str.strip_chars(" .")))
        for group, first in ((group, pl.col(answers).str.split(";").list.first()) for group, answers in TRUTHFULQA.items())
    )


def persona_prompt(tokenizer: "PreTrainedTokenizerBase", condition: str, question: str) -> str:
    """The text up to the speaker's name, after which the answer follows; in the tokenizer's chat format if it has one.

    A start token that the tokenizer puts before every text is left to it.
    """
    persona = PERSONAS[condition]
    request = f"{persona['instruction']}\n\nQuestion: {question}".strip()
    if tokenizer.chat_template is None:
        return f"{request}\n{persona['speaker']}:"
    turn = [{"role": "user", "content": request}]
    chat = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    return f"{chat.removeprefix(tokenizer.decode(tokenizer('')['input_ids']))}{persona['speaker']}:"


def log_odds(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", claims: pl.DataFrame) -> pl.DataFrame:
    """`claim`, `group`, `condition`, `text`, `log_odds` = log P(Yes) - log P(No) of the answer's first word, natural logarithm.

    InputError if Yes or No is not one token of the tokenizer.
    """
    from overtime.score import token_log_probs

    check_labels(tokenizer, YES_NO)
    tables = []
    for condition, prompts in _by_condition(tokenizer, claims):
        yes, no = token_log_probs(model, tokenizer, prompts, [f" {word}" for word in YES_NO]).T
        tables.append(claims.select("claim", "group", "text").with_columns(condition=pl.lit(condition), log_odds=yes - no))
    return pl.concat(tables).select("claim", "group", "condition", "text", "log_odds")


def answers(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", questions: pl.DataFrame, max_new_tokens: int
) -> pl.DataFrame:
    """Greedy answers of one line to some of the claims: `question` (the claim), `group`, `condition`, `text`, `answer`."""
    from overtime.score import greedy

    tables = []
    for condition, prompts in _by_condition(tokenizer, questions):
        said = pl.Series(greedy(model, tokenizer, prompts, max_new_tokens), dtype=pl.String)
        tables.append(questions.select("group", "text", question="claim", condition=pl.lit(condition), answer=said))
    return pl.concat(tables).select("question", "group", "condition", "text", "answer")


def summarise(log_odds: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The figure's table: mean log-odds by condition and group with intervals over claims, then the answers (`y` null).

    `x` is the group of a mean and the question of an answer; `n` counts claims.
    """
    means, others = [], [group for group in TRUTHFULQA if group in log_odds["group"]]
    for condition in PERSONAS:
        for group in (*GROUPS, *others):
            values = log_odds.filter(condition=condition, group=group)["log_odds"]
            if values.is_empty():
                raise InputError(f"log-odds of {condition!r}: no claim of the group {group!r}; every group needs claims")
            interval = bootstrap_mean(values)
            means.append(
                {"kind": "log_odds", "condition": condition, "group": group, "x": group, "y": interval.estimate}
                | {"lower": interval.lower, "upper": interval.upper, "n": interval.n}
            )
    printable = pl.col("answer").str.replace_all(r"\p{C}", "\N{REPLACEMENT CHARACTER}")  # no SVG holds control characters
    said = answers.select("condition", "group", "text", printable, kind=pl.lit("answer"), x="text", n=pl.lit(1, pl.Int64))
    table = pl.concat([pl.DataFrame(means), said], how="diagonal").with_columns(source=pl.lit("measured"), series="condition")
    return table.select("source", "series", "x", "y", "lower", "upper", "n", "kind", "condition", "group", "text", "answer")


def _by_condition(tokenizer: "PreTrainedTokenizerBase", claims: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    for condition in PERSONAS:
        yield condition, [persona_prompt(tokenizer, condition, text) for text in claims["text"]]
