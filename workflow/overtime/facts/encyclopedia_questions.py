"""Questions that an encyclopedia's articles answer, in the form of question sets, with counts that stand in for training documents.

A question's `count` is the number of articles that name what it is about and the answer, by the published rule; `frequency` is how
often the rarer of the two occurs in a billion words of English. Both stand in for the documents of a model's training data.
"""

from collections import defaultdict
from collections.abc import Sequence

import polars as pl

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
    "names": pl.List(pl.String),
    "statements": pl.List(pl.String),
}
BILLION = 10**9


def encyclopedia_questions(articles: pl.DataFrame, chosen: str = CORE) -> pl.DataFrame:
    """The questions of a set of families, in the order of articles: `question`, the columns of `COLUMNS`, `count`, `frequency`.

    articles: `title`, `topic`, `description` (may be null), `text`. `passage` is the article's lead and `names` what the question
    is about is called. For the core, articles without a question follow as rows of a passage alone, since they are searched too;
    questions of other sets have none, and are asked closed book only.
    """
    found = articles_asked(articles, chosen)
    whole = articles.select(pl.concat_str("title", "description", "text", separator="\n", ignore_nulls=True)).to_series()
    counts = count_articles(whole.to_list(), found["names"].to_list(), found["answers"].to_list())
    found = found.with_columns(count=counts, frequency=pl.Series(_frequencies(found), dtype=pl.Int64))
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
    rows: list[tuple[str, Article, Asked, str]] = []
    for title, topic, description, text in articles.select("title", "topic", "description", "text").iter_rows():
        article = Article(title, topic, description or "", first_sentence(text), text)
        asked = ((family.name, family.ask(article)) for family in families() if family.set == chosen)
        rows += [(name, article, one, lead(title, description, text)) for name, one in asked if one and not _told(one)]
    answers = defaultdict(set)
    for _, _, asked, _ in rows:
        answers[asked.text].add(asked.answers[0])
    kept = {asked.text: (family, article, asked, passage) for family, article, asked, passage in reversed(rows)}
    clear = [row for row in reversed(kept.values()) if len(answers[row[2].text]) == 1]
    found = [(asked.text, asked.answers, passage, family, one.title, asked.subject, asked.statements) for family, one, asked, passage in clear]
    return pl.DataFrame(found, COLUMNS, orient="row")


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


def _frequencies(questions: pl.DataFrame) -> list[int]:
    """Occurrences in a billion words of the rarer of subject and answer, each in its most frequent name (wordfreq; 0: unlisted)."""
    from wordfreq import word_frequency

    sides = questions.select("names", "answers").iter_rows()
    return [round(BILLION * min(max(word_frequency(name, "en") for name in side) for side in both)) for both in sides]
