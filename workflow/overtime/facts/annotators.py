"""People as one more line of figure 5: the annotators of Natural Questions' development set, each against the others.

The file is the released one (Kwiatkowski et al. 2019, doi:10.1162/tacl_a_00276): JSON Lines, gzipped or not, with
`question_text`, `document_tokens` and five `annotations`, whose spans count tokens. NQ-open's questions are a selection of these.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from overtime import InputError
from overtime.corpora.text_files import checked_text
from overtime.facts.answer_match import exact_match

LONGEST = 150  # tokens of a passage; three of them fit into every model's context
COLUMNS = {"text": pl.String, "human": pl.Float64, "passage": pl.String}


def read_annotators(path: str | Path) -> pl.DataFrame:
    """A row per question of the file: `text`, `human` and `passage`.

    `human`: leave-one-annotator-out accuracy, the share of annotators with a short answer one of whose answers is an exact match
    of another annotator's; null where fewer than two have any. `passage`: the text of the long answer that most annotators
    marked, of a longer one (a table, say) the `LONGEST` tokens around the first short answer; null where nobody marked one.
    """
    rows = []
    for number, item in _items(Path(path)):
        try:
            tokens = item["document_tokens"]
            marked = [[_text(tokens, span) for span in one["short_answers"]] for one in item["annotations"]]
            found = item["question_text"], leave_one_out(marked), _passage(tokens, item["annotations"])
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise InputError(f"{path}: line {number} lacks Natural Questions' document_tokens or annotations") from error
        place = f"{path}: line {number}"
        text, passage = checked_text(found[0], place, "question_text"), found[2]
        rows.append((text, found[1], checked_text(passage, place, "the long answer") if passage else None))
    return pl.DataFrame(rows, COLUMNS, orient="row")


def leave_one_out(marked: list[list[str]]) -> float | None:
    """Share of the annotators with answers who agree with another one; None if fewer than two have answers."""
    given = [answers for answers in marked if answers]
    if len(given) < 2:
        return None
    right = 0
    for place, answers in enumerate(given):
        others = [answer for other in given[:place] + given[place + 1 :] for answer in other]
        right += any(exact_match(answer, others) for answer in answers)
    return right / len(given)


def join_annotators(questions: pl.DataFrame, annotators: pl.DataFrame) -> pl.DataFrame:
    """Give a question set `human` and `passage` of the questions with the same text, white space and case apart."""
    key = pl.col("text").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    known = annotators.select(key.alias("key"), "human", "passage").unique("key", keep="first")
    rest = questions.with_columns(key=key).drop("human", "passage")
    return rest.join(known, on="key", how="left", maintain_order="left").select(questions.columns)


def _items(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else open(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _parse(line, f"{path}: line {number}")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch it again") from error


def _parse(line: bytes, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not readable as JSON Lines of Natural Questions ({error})") from error


def _passage(tokens: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> str | None:
    spans = Counter((one["long_answer"]["start_token"], one["long_answer"]["end_token"]) for one in annotations)
    del spans[-1, -1]  # how the release says that there is none
    if not spans:
        return None
    start, end = max(spans, key=spans.__getitem__)
    answers = [span["start_token"] for one in annotations for span in one["short_answers"]]
    first = min((place for place in answers if start <= place < end), default=start)
    begin = max(start, min(first - LONGEST // 2, end - LONGEST))
    return _text(tokens, {"start_token": begin, "end_token": min(begin + LONGEST, end)})


def _text(tokens: list[dict[str, Any]], span: dict[str, int]) -> str:
    inside = tokens[span["start_token"] : span["end_token"]]
    return " ".join(token["token"] for token in inside if not token["html_token"])
