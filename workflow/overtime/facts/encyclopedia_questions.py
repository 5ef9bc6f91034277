"""Questions that an encyclopedia's articles answer, as a question set, with counts that stand in for training documents.

A question's `count` is the number of articles that name what it is about and the answer, by the published rule; `frequency` is
how often the rarer of the two occurs in a billion words of English. Both stand in for the documents of a model's training data.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import polars as pl

from overtime import InputError
from overtime.corpora.counting import count_texts, relevant_documents
from overtime.facts.answer_match import normalize
from overtime.facts.families import CORE, Article, Asked, families
from overtime.facts.leads import first_sentence, lead

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "text": pl.String,
    "answers": pl.List(pl.String),
    "passage": pl.String,
    "family": pl.String,
    "title": pl.String,
    "subject_names": pl.List(pl.String),
    "answer_names": pl.List(pl.String),
    "statements": pl.List(pl.String),
}
BILLION = 10**9
TITLE_WORD = re.compile(r"\w[\w'’-]*")


def encyclopedia_questions(articles: pl.DataFrame, chosen: str = CORE) -> pl.DataFrame:
    """The questions of a set of families, in the order of articles: `question`, the columns of `COLUMNS`, `count`, `frequency`.

    articles: `title`, `topic`, `description` (may be null), `text`. `passage` is the article's lead. For the core, articles
    without a question follow as rows of a passage alone, since they are searched too; questions of other sets have none, and are
    asked closed book only. Raises InputError for articles none of which answers a question.
    """
    found = articles_asked(articles, chosen)
    if articles.height and found.is_empty():
        raise InputError(f"encyclopedia: none of {articles.height} articles answers a question of resources/facts/families.toml")
    whole = articles.select(pl.concat_str("title", "description", "text", separator="\n", ignore_nulls=True)).to_series()
    common = common_words(articles["title"], whole)
    subjects, answers = (clear_names(found[side], common) for side in ("subject_names", "answer_names"))
    counts = count_articles(whole.to_list(), subjects, answers)
    found = found.with_columns(count=counts, frequency=pl.Series(_frequencies(subjects, answers), dtype=pl.Int64))
    if chosen != CORE:
        return found.with_columns(passage=pl.lit(None, pl.String), question=pl.int_range(pl.len()))
    leads = pl.Series("passage", [lead(*row) for row in articles.select("title", "description", "text").iter_rows()], pl.String)
    others = pl.DataFrame([leads.filter(~leads.is_in(found["passage"].implode()))])
    others = others.with_columns(answers=pl.lit([], pl.List(pl.String)))
    return pl.concat([found, others], how="diagonal").with_columns(question=pl.int_range(pl.len()))


def articles_asked(articles: pl.DataFrame, chosen: str = CORE) -> pl.DataFrame:
    """The questions of a set of families with the columns of `COLUMNS`.

    A question is left out where its words hold an answer, and where two articles answer the same question differently.
    """
    rows: list[tuple[object, ...]] = []
    for title, topic, description, text in articles.select("title", "topic", "description", "text").iter_rows():
        article = Article(title, topic, description or "", first_sentence(text), text)
        of_families = ((family.name, family.ask(article)) for family in families() if family.set == chosen)
        passage = lead(title, description, text)
        clear = ((name, one) for name, one in of_families if one and not _told(one))
        rows += [(one.text, one.answers, passage, name, title, one.subject, one.names, one.statements) for name, one in clear]
    table = pl.DataFrame(rows, COLUMNS, orient="row")
    alike = pl.col("answers").list.first().n_unique().over("text") == 1
    return table.filter(alike).unique("text", keep="first", maintain_order=True)


def common_words(titles: Iterable[str], texts: Iterable[str]) -> set[str]:
    """Words of several titles, and those that texts have in lower case: as a last name they are not clear."""
    of_titles = Counter(word for title in titles for word in set(TITLE_WORD.findall(title)))
    several = {word for word, number in of_titles.items() if number > 1}
    return several | {word for text in texts for word in TITLE_WORD.findall(text) if word.islower()}


def clear_names(called: Iterable[Sequence[str]], common: set[str]) -> list[list[str]]:
    """The names by which each is counted: without a last name that is another's, too, or a word (Mae West, Stephen King)."""

    def clear(name: str, usual: str) -> bool:
        return not (usual.endswith(f" {name}") and {name, name.lower()} & common)

    return [[name for name in names if clear(name, names[0])] for names in called]


def count_articles(texts: Sequence[str], subjects: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]) -> pl.Series:
    """For each question the number of texts that name subject and answer, each by any of its names, by the published rule."""
    names: dict[str, list[str]] = {}
    sides: dict[str, list[list[str]]] = {"q_entities": [], "a_entities": []}
    for entities, called in zip(sides.values(), (subjects, answers), strict=True):
        for own in called:
            names["|".join(own)] = list(own)
            entities.append(["|".join(own)])
    return relevant_documents(count_texts(texts, names), pl.DataFrame(sides))["count"]


def _told(asked: Asked) -> bool:
    """Whether the words of the question hold one of the answers."""
    words = f" {normalize(asked.text)} "
    return any(f" {normalize(answer)} " in words for answer in asked.answers)


def _frequencies(subjects: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]) -> list[int]:
    """Occurrences in a billion words of the rarer of subject and answer, each by its most frequent name (0: unlisted)."""
    from wordfreq import word_frequency

    both = zip(subjects, answers, strict=True)
    return [round(BILLION * min(max(word_frequency(name, "en") for name in names) for names in sides)) for sides in both]
