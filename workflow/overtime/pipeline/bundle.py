"""What a run leaves behind: a gallery page that works offline, and a zip of it, the figures, the claims and the manifest."""

import json
import zipfile
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from overtime import InputError
from overtime.figures.captions import TEMPLATES
from overtime.files import atomic

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold; the files' own would make equal bundles differ


def gallery(
    folder: str | Path,
    figures: Iterable[str],
    claims: pl.DataFrame,
    captions: dict[str, str],
    manifest: dict[str, object],
    left_out: dict[str, str],
) -> Path:
    """Write `index.html` into a folder that holds `figures/NAME.svg` and `.json` of every figure; returns its path.

    `captions` maps a figure to Markdown (a `# title` line, then paragraphs), `manifest` is what `pipeline.manifest` makes,
    `left_out` maps a figure that the run goes without to the reason.
    Charts are interactive where scripts run and static SVG elsewhere; nothing is fetched from anywhere.
    """
    folder = Path(folder)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page = environment.get_template("gallery.html.j2").render(
        scale=folder.name,
        figures=[section(folder / "figures", name, captions) for name in figures],
        claims=[judged(claim) for claim in claims.sort("at", "id", "source", nulls_last=True).iter_rows(named=True)],
        tally=dict(claims["verdict"].value_counts().sort("count", "verdict", descending=[True, False]).iter_rows()),
        manifest=manifest,
        left_out=left_out,
        javascript=Markup(vl_convert.javascript_bundle()),  # type: ignore[call-arg] # the stub lacks the default
    )
    path = folder / "index.html"
    with atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def section(folder: Path, name: str, captions: dict[str, str]) -> dict[str, object]:
    """What the page needs of one figure."""
    try:
        svg, specification = (folder / f"{name}.svg").read_bytes(), (folder / f"{name}.json").read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{error.filename}: the figure is missing; draw it first") from error
    if name not in captions:
        raise InputError(f"{name}: the figure has no caption")
    title, *paragraphs = captions[name].strip().split("\n\n")
    return {
        "name": name,
        "label": f"Figure {name.removeprefix('fig').replace('_', ', ')}",
        "title": title.removeprefix("# "),
        "paragraphs": paragraphs,
        "alt": json.loads(specification).get("description", title),
        "svg": b64encode(svg).decode(),
        # It stands in a script element, which "</script>" in a text would end.
        "specification": Markup(specification.replace("<", "\\u003c")),
    }


def judged(claim: dict[str, object]) -> dict[str, object]:
    """A row of the claims table, ready to print."""
    effect, lower, upper, n, margin = (claim[column] for column in ("effect", "lower", "upper", "n", "margin"))
    interval = f" [{lower:.3g}, {upper:.3g}]" if lower is not None and upper is not None else ""
    return {
        "at": claim["at"] or "ours",
        "statement": claim["statement"],
        "sentence": claim["sentence"] or "",
        "source": claim["source"] or "none",
        "figures": str(claim["figure"] or "").replace(",", " ").split(),
        "effect": "" if effect is None else f"{effect:.3g}{interval}",
        "n": "" if n is None else f"{n:,}",
        "margin": "" if margin is None else f"{margin:g}",
        **{name: claim[name] or "" for name in ("verdict", "scope", "fixed", "fragile")},
    }


def zip_files(paths: Iterable[str | Path], root: str | Path, destination: str | Path) -> None:
    """Zip files under their paths relative to `root`; the same files always give the same bytes."""
    named = {Path(path).resolve().relative_to(Path(root).resolve()).as_posix(): Path(path) for path in paths}
    with atomic(destination) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(named):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16  # else nobody may read it once unpacked
            archive.writestr(entry, named[name].read_bytes())
