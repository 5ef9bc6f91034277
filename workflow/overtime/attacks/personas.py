"""The personas of the persona study and the claims that are put to them, as yes/no questions."""

import tomllib
from pathlib import Path

import polars as pl

from overtime import InputError
from overtime.attacks.few_shot_prompts import FOLDER

PERSONAS: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "persona.toml").read_text(encoding="utf-8"))
TRUTHFULQA = {"truthfulqa_conspiracy": "Incorrect Answers", "truthfulqa_true": "Best Answer"}  # group -> where its answers stand


def read_persona_claims(truthfulqa: str | Path | None = None) -> pl.DataFrame:
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
