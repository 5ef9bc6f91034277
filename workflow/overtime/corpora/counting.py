"""Counting the documents of a corpus that bear on a question, after Kandpal et al. 2022 (arXiv 2211.08411).

A document is relevant to a question when it mentions both a question entity and the answer entity. Mentions come from a published
entity map or from the text itself.
"""

import json
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import polars as pl
from ahocorasick_rs import BytesAhoCorasick
from pyroaring import BitMap

from overtime import InputError
from overtime.corpora.entity_map import EntityMap
from overtime.corpora.name_spelling import JOINED_AFTER, JOINED_BEFORE, MAY_JOIN, SPACE_RUN, nearly_plain, plain
from overtime.corpora.text_files import checked_text, text_lines
from overtime.files import RESOURCES

DOCUMENTS_AT_ONCE = 20_000  # documents between which `count_texts` packs what it found
ZERO_WIDTH_SPACE = "\u200b"
COUNTS = {
    "question": pl.Int64,
    "count": pl.Int64,
    "question_entity": pl.String,
    "answer_entity": pl.String,
    "q_occurrence": pl.Int64,
    "a_occurrence": pl.Int64,
}


def find_entities(texts: Iterable[str], names: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Find every entity that a text mentions by one of its names: rows of `document` (position in `texts`) and `entity`.

    A mention is one or more whole words: no letter, digit, underscore or combining mark touches it, save in scripts without
    spaces between words (`name_spelling`). Case counts, names may overlap, one name may stand for several entities, and
    spellings that differ in white space, apostrophes, hyphens, invisible characters or the composition of accents are the
    same. Rows are unique and ordered by document. `texts` is read once, as a stream. Raises InputError for an empty name.
    """
    entities = list(names)
    owners: dict[str, list[int]] = {}
    for code, entity in enumerate(entities):
        for name in {plain(name).strip() for name in names[entity]}:
            if not name:
                raise InputError(f"names of {entity}: an empty name; need at least one character")
            owners.setdefault(name, []).append(code)
    # A name's beginning before two spaces: where it is found, spaces must be made one and the text searched again.
    widened = {f"{name[:gap]}  " for name in owners for gap, character in enumerate(name) if character == " "}
    automaton, codes = BytesAhoCorasick([name.encode() for name in (*owners, *widened)]), list(owners.values())
    documents, found = array("q"), array("q")
    for document, text in enumerate(texts):
        mentioned = sorted({code for pattern in _whole_words(automaton, text, len(codes)) for code in codes[pattern]})
        documents.extend([document] * len(mentioned))
        found.extend(mentioned)
    rows = pl.DataFrame({"document": pl.Series(documents, dtype=pl.Int64), "code": pl.Series(found, dtype=pl.Int64)})
    return rows.select("document", entity=pl.Series(entities, dtype=pl.String).gather(rows["code"]))


def _whole_words(automaton: BytesAhoCorasick, text: str, names: int) -> set[int]:
    """Which of the automaton's patterns, of which `names` are names, are whole words of the text."""
    if ZERO_WIDTH_SPACE in text:  # which parts words, or only says where a long one may be broken
        text = f"{text} {text.replace(ZERO_WIDTH_SPACE, ' ')}"
    text = f" {nearly_plain(text)} "  # spaces: every match has neighbours
    codes = text.encode()
    found = automaton.find_matches_as_indexes(codes, overlapping=True)
    if found and max(found)[0] >= names:
        codes = SPACE_RUN.sub(" ", text).encode()
        found = automaton.find_matches_as_indexes(codes, overlapping=True)
    return {
        pattern
        for pattern, start, end in found
        # Where both are ASCII, one that may go on with a word does.
        if not (MAY_JOIN[codes[start - 1]] and (codes[start - 1] | codes[start] < 0x80 or JOINED_BEFORE[_around(codes, start)]))
        and not (MAY_JOIN[codes[end]] and (codes[end - 1] | codes[end] < 0x80 or JOINED_AFTER[_around(codes, end)]))
    }


def _around(codes: bytes, place: int) -> str:
    """The characters on both sides of a place in UTF-8."""
    before, after = codes[max(place - 4, 0) : place], codes[place : place + 4]
    return before.decode(errors="ignore")[-1] + after.decode(errors="ignore")[0]


def count_texts(texts: Iterable[str], names: Mapping[str, Sequence[str]]) -> EntityMap:
    """Entity map of a stream of texts (one shard, say), in memory that grows with the map alone; see `find_entities`."""
    found: dict[str, BitMap] = {}
    size, stream = 0, iter(texts)
    while batch := list(islice(stream, DOCUMENTS_AT_ONCE)):
        for (entity,), rows in find_entities(batch, names).group_by("entity"):
            found.setdefault(entity, BitMap()).update(rows["document"].to_numpy() + size)
        size += len(batch)
    return EntityMap.of(found, size)


def read_questions(path: str | Path) -> pl.DataFrame:
    """Read linked questions: JSON Lines of {"q_entities": [{"URI"}, ...], "a_entities": [{"URI"}, ...]}.

    Returns `question` (number of the line from 0, blank ones apart), `q_entities`, `a_entities` (lists of URIs, one answer entity
    per alias).
    """
    rows = []
    for number, (place, line) in enumerate(text_lines(path)):
        try:
            item = json.loads(line)
            sides = [[entity["URI"] for entity in item[side]] for side in ("q_entities", "a_entities")]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f'{place} lacks "q_entities" or "a_entities", lists of {{"URI": ...}}') from error
        rows.append([number] + [[checked_text(uri, place, "URI") for uri in uris] for uris in sides])
    uris = pl.List(pl.String)
    return pl.DataFrame(rows, {"question": pl.Int64, "q_entities": uris, "a_entities": uris}, orient="row")


def countries() -> frozenset[str]:
    """DBpedia's names of the members and observers of the United Nations and of Kosovo and Taiwan, older names included.

    A list of our own; the one in the published rule's release has a few entries more and less.
    """
    names = (RESOURCES / "facts/countries.txt").read_text(encoding="utf-8").split()
    return frozenset(f"http://dbpedia.org/resource/{name}" for name in names)


def relevant_documents(entity_map: EntityMap, questions: pl.DataFrame, exclude: Collection[str] = frozenset()) -> pl.DataFrame:
    """Count the relevant documents of every question by the published rule (count_relevant_docs.py of its release).

    Question entities less `exclude` (countries, say); answer entities less those; of these the most frequent (one entry per
    alias, all of them on a tie); the largest number of documents that any pair of a question and an answer entity shares.

    questions: `q_entities`, `a_entities` (lists) and `question` (row number if absent).
    Returns a row per question: `question`, `count`, `question_entity`, `answer_entity` (the pair that reaches it; null at 0),
    `q_occurrence`, `a_occurrence` (documents of the most mentioned question entity, and of the most mentioned answer entity).
    """
    missing = {"q_entities", "a_entities"} - set(questions.columns)
    if missing:
        raise InputError(f"questions: no column {', '.join(sorted(missing))}; it has {', '.join(questions.columns)}")
    if "question" not in questions.columns:
        questions = questions.with_row_index("question")
    sides = [[entities or [] for entities in questions[side].to_list()] for side in ("q_entities", "a_entities")]
    bitmaps = entity_map.bitmaps({entity for side in sides for entities in side for entity in entities})
    sizes = {entity: len(bitmap) for entity, bitmap in bitmaps.items()}
    rows = []
    for question, q_entities, a_entities in zip(questions["question"].to_list(), *sides):
        asked = [q for q in dict.fromkeys(q_entities) if q not in exclude]
        answers = [a for a in a_entities if a not in asked]
        occurrence = [max((sizes[entity] for entity in side if entity in sizes), default=0) for side in (asked, answers)]
        rows.append((question, *_most_shared(bitmaps, sizes, asked, answers), *occurrence))
    return pl.DataFrame(rows, COUNTS, orient="row")


def _most_shared(
    bitmaps: dict[str, BitMap], sizes: dict[str, int], asked: list[str], answers: list[str]
) -> tuple[int, str | None, str | None]:
    """Largest number of documents that a question entity shares with one of the most frequent answers, and the pair."""
    most = max(map(answers.count, answers), default=0)
    best: tuple[int, str | None, str | None] = (0, None, None)
    for a in dict.fromkeys(answers):
        if a in bitmaps and answers.count(a) == most:
            for q in asked:
                # Two entities share at most the documents of the rarer one: most pairs are never intersected.
                if q in bitmaps and min(sizes[q], sizes[a]) > best[0]:
                    shared = bitmaps[q].intersection_cardinality(bitmaps[a])
                    best = (shared, q, a) if shared > best[0] else best
    return best
