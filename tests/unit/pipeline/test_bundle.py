"""The gallery page, the manifest and the zip."""

import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from overtime import InputError
from overtime.pipeline import bundle
from overtime.pipeline.manifest import manifest as make_manifest

CLAIM = {"id": "a", "figure": "fig1 fig2", "at": "04:29", "statement": "x < y & so on", "source": "released", "effect": -0.0312}
CLAIM |= {
    "lower": -0.06,
    "upper": 0.01,
    "n": 1320,
    "margin": 0.05,
    "expected": "equivalence",
    "verdict": "undecided",
    "sentence": "See.",
    "scope": "Tiny models.",
    "fixed": "after",
    "fragile": "seeds 9/18",
}
NOTHING = {"effect": None, "lower": None, "upper": None, "n": None, "margin": None}
CLAIMS = pl.DataFrame([CLAIM, CLAIM | {"id": "b", "at": None, "verdict": "untested", "source": None} | NOTHING])
CAPTIONS = {"fig1": "# First & best\n\nOne paragraph.\n\nAnother.", "fig1_audit": "# Second\n\nText."}


class Page(HTMLParser):
    """Collects tags with their attributes, checks nesting and keeps the text."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, words: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(words)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "mini"
    (folder / "figures").mkdir(parents=True)
    for name in CAPTIONS:
        specification = {"description": f'{name}: a "quoted" </script> description', "mark": "point"}
        (folder / "figures" / f"{name}.json").write_text(json.dumps(specification))
        (folder / "figures" / f"{name}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return folder


@pytest.fixture(scope="module")
def manifest(run: Path) -> dict:
    settings = {"scale": "mini", "world": {"seed": 7}, "suite": {"s": {"seeds": 2, "width": 64}}}
    return make_manifest(settings, [run / "figures/fig1.json"], run.glob("figures/*.svg"), run.parent)


@pytest.fixture(scope="module")
def page(run: Path, manifest: dict) -> str:
    return bundle.gallery(run, CAPTIONS, CLAIMS, CAPTIONS, manifest, {"fig9": "nobody <asked>"}).read_text()


def test_page_is_whole_and_fetches_nothing(page: str, run: Path) -> None:
    parsed = Page(page)
    links = [attributes.get(key) for _, attributes in parsed.tags for key in ("href", "src") if attributes.get(key)]
    assert all(link.startswith(("#", "data:")) or not re.match(r"[a-z]+:|/", link) for link in links)
    anchors = {attributes["id"] for _, attributes in parsed.tags if "id" in attributes}
    assert {"fig1", "fig1_audit", "claims", "provenance"} <= anchors
    assert {"figures/fig1.parquet", "figures/fig1_audit.png", "claims.parquet", "manifest.json", "bundle.zip"} <= set(links)
    assert page.count("window.vegaEmbed=") == 1
    assert "<li>fig9: nobody &lt;asked&gt;.</li>" in page
    assert not list(run.glob(".*"))


def test_page_has_text_alternatives_and_a_static_fallback(page: str) -> None:
    images = [attributes for tag, attributes in Page(page).tags if tag == "img"]
    assert [image["alt"] for image in images] == [f'{name}: a "quoted" </script> description' for name in CAPTIONS]
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in images)


def test_specifications_survive_embedding(page: str) -> None:
    embedded = re.search(r'id="spec-fig1">(.*?)</script>', page).group(1)
    assert json.loads(embedded)["description"] == 'fig1: a "quoted" </script> description'


def test_claims_are_printed_with_interval_and_verdict(page: str) -> None:
    words = " ".join(" ".join(Page(page).words).split())
    assert "x < y & so on" in words
    assert "-0.0312 [-0.06, 0.01] 1,320 0.05 undecided" in words
    assert "1 undecided" in words
    assert '<span class="verdict untested">untested</span>' in page
    assert "First &amp; best" in page


def test_missing_pieces_are_named(run: Path, manifest: dict) -> None:
    with pytest.raises(InputError, match=r"fig3\.svg: the figure is missing"):
        bundle.gallery(run, ["fig3"], CLAIMS, CAPTIONS, manifest, {})
    with pytest.raises(InputError, match="fig1: the figure has no caption"):
        bundle.gallery(run, ["fig1"], CLAIMS, {}, manifest, {})
    with pytest.raises(InputError, match="absent: not a file"):
        make_manifest({}, [run / "absent"], [], run)


def test_zip_is_the_same_for_the_same_files(run: Path, tmp_path: Path) -> None:
    files = sorted(run.glob("figures/*"))
    bundle.zip_files(files, run, tmp_path / "one.zip")
    files[0].touch()
    bundle.zip_files(reversed(files), run, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == sorted(f"figures/{path.name}" for path in files)
        assert archive.testzip() is None
        assert archive.read("figures/fig1.svg") == (run / "figures/fig1.svg").read_bytes()
