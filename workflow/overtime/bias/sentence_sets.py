"""Published tests of gender bias as tables of sentence pairs, and what their scores say.

CrowS-Pairs (Nangia et al. 2020; revised by Névéol et al. 2022), whose own authors report problems with some of its items (see
also Blodgett et al. 2021), and WinoBias (Zhao et al. 2018, arXiv 1804.06876).
"""

import re
from functools import cache
from itertools import product
from pathlib import Path

import polars as pl

from overtime import InputError
from overtime.corpora.gender_words import TABLE


def read_suites(crows_pairs: str | Path, winobias: str | Path) -> dict[str, pl.DataFrame]:
    """`crows_pairs` and `winobias` from the folders of these datasets; an empty table for one whose files could not be had."""
    files, folder = list(Path(crows_pairs, "data").glob("crows_pairs_*.csv")), Path(winobias, "WinoBias/wino/data")
    return {
        "crows_pairs": read_crows_pairs_sentences(files[0]) if files else pl.DataFrame(),
        "winobias": read_winobias_sentences(folder) if folder.exists() else pl.DataFrame(),
    }


def read_crows_pairs_sentences(path: str | Path) -> pl.DataFrame:
    """CrowS-Pairs, the original (commas) or the revised set (tabs).

    Columns pair, sent_more, sent_less, stereo_antistereo, bias_type, direction: for gender pairs the gender of the stereotyped
    sentence, null where the word table does not tell.
    """
    wanted = ["sent_more", "sent_less", "stereo_antistereo", "bias_type"]
    try:
        with open(path, encoding="utf-8") as file:
            separator = "\t" if "\t" in file.readline() else ","
        table = pl.read_csv(path, separator=separator, infer_schema=False).select(wanted)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a CrowS-Pairs file with columns {', '.join(wanted)} ({reason})") from error
    for row, cells in enumerate(table.iter_rows(named=True), 1):
        if not all(cells.values()):
            raise InputError(f"{path}: row {row} has no {next(name for name, cell in cells.items() if not cell)}")
    gender = pl.col("bias_type") == "gender"
    sides = [favoured_gender(more, less) for more, less in table.select("sent_more", "sent_less").iter_rows()]
    return table.with_row_index("pair").with_columns(direction=pl.when(gender).then(pl.Series(sides, dtype=pl.String)))


def count_directions(folder: str | Path) -> pl.DataFrame:
    """Gender pairs of both published sets by the gender of the stereotype: `set`, `direction` (or "unclassified"), `pairs`."""
    tables = []
    for name, path in {"original": "crows_pairs_anonymized.csv", "revised": "crows_pairs_revised.csv"}.items():
        pairs = read_crows_pairs_sentences(Path(folder) / "data" / path).filter(bias_type="gender")
        counts = pairs.group_by(pl.col("direction").fill_null("unclassified")).agg(pairs=pl.len()).sort("direction")
        tables.append(counts.select(pl.lit(name).alias("set"), "direction", "pairs"))
    return pl.concat(tables)


def favoured_gender(more: str, less: str) -> str | None:
    """The gender of `more` as against `less`, by which has more feminine than masculine words; None if they are alike."""
    balance = _balance(more) - _balance(less)
    return None if balance == 0 else "feminine" if balance > 0 else "masculine"


def read_winobias_sentences(folder: str | Path) -> pl.DataFrame:
    """WinoBias test sentences as pairs for the probability form: does the model take the pronoun for the right person?

    `folder` is the set's WinoBias/wino/data. Columns pair, type (1, 2), side ("pro", "anti"), item, masculine and feminine (the
    occupations, by who mostly has them), sent_more (the sentence and the right reading of its pronoun), sent_less (and the wrong
    one). Both readings end one text, so their likelihoods differ by those of the answers alone. The pro and the anti sentence of
    an `item` have the same two people and the other pronoun.
    """
    folder, rows = Path(folder), []
    masculine, feminine = (winobias_lines(folder / f"{gender}_occupations.txt") for gender in ("male", "female"))
    for kind, side in product((1, 2), ("pro", "anti")):
        path = folder / f"{side}_stereotyped_type{kind}.txt.test"
        for item, line in enumerate(winobias_lines(path), 1):
            marked = re.findall(r"\[([^]]+)\]", line)
            sentence = re.sub(r"^\d+ |[\[\]]", "", line).strip()
            people = [name for name in masculine + feminine if re.search(rf"\b{name}\b", sentence, re.IGNORECASE)]
            right = [name for name in people if marked and marked[0].lower().endswith(name.lower())]
            if len(people) != 2 or len(right) != 1 or len(marked) < 2:
                raise InputError(f"{path}:{item}: expected two occupations, one in square brackets as the pronoun is: {line!r}")
            wrong = next(name for name in people if name != right[0])
            question = f'{sentence} Here the word "{marked[1]}" means the'
            rows.append((kind, side, item, *people, f"{question} {right[0]}.", f"{question} {wrong}."))
    columns = ["type", "side", "item", "masculine", "feminine", "sent_more", "sent_less"]
    return pl.DataFrame(rows, columns, orient="row").with_row_index("pair")


def winobias_lines(path: Path) -> list[str]:
    """The lines of a file of WinoBias."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); the folder WinoBias/wino/data is needed") from error


def _balance(sentence: str) -> int:
    """How many more feminine than masculine words a sentence has."""
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", sentence.lower())
    return sum(_genders().get(word, 0) for word in words)


@cache
def _genders() -> dict[str, int]:
    # The masculine word of kind `feminine` is everybody's: host, poet.
    table = pl.read_csv(TABLE, infer_schema=False).filter(~pl.col("kind").is_in(["left out", "feminine"]))
    return dict.fromkeys(table["masculine"], -1) | dict.fromkeys(table["feminine"], 1)
