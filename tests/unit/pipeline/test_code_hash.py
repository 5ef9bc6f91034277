"""The code parameter of a rule changes with the modules that its script uses, and with no others."""

from pathlib import Path

import pytest

from overtime.pipeline import code_hash as provenance


@pytest.fixture
def package(tmp_path, monkeypatch):
    files = {
        "scripts/light.py": "from overtime import leaf\n",
        "scripts/deep.py": "from overtime.stem import thing\n",
        "overtime/__init__.py": "",
        "overtime/stem.py": "from overtime.leaf import x\n\ndef f():\n    from overtime.late import y\n",
        "overtime/leaf.py": "x = 1\n",
        "overtime/late.py": "import overtime.part.inner\nTABLE = {'a': 'overtime.named:function'}\n",
        "overtime/part/__init__.py": "",
        "overtime/part/inner.py": "",
        "overtime/named.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from overtime.other import z\n",
        "overtime/other.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "overtime")
    provenance.code.cache_clear()
    yield tmp_path
    provenance.code.cache_clear()


def codes() -> tuple[str, str]:
    provenance.code.cache_clear()
    return provenance.code("light"), provenance.code("deep")


def test_modules_are_followed_through_imports(package):
    found = {path.relative_to(package).as_posix() for path in provenance.modules(package / "scripts/deep.py")}
    assert found == {
        "overtime/stem.py",
        "overtime/leaf.py",
        "overtime/late.py",
        "overtime/part/__init__.py",
        "overtime/part/inner.py",
        "overtime/named.py",
    }


@pytest.mark.parametrize(
    ("edited", "light", "deep"),
    [
        ("leaf.py", True, True),
        ("late.py", False, True),
        ("part/inner.py", False, True),
        ("named.py", False, True),
        ("other.py", False, False),
        ("__init__.py", False, False),
    ],
)
def test_an_edit_changes_the_code_of_its_dependents_only(package, edited, light, deep):
    before = codes()
    path = Path(package, "overtime", edited)
    path.write_text(path.read_text() + "\nz = 2\n")
    after = codes()
    assert (before[0] != after[0], before[1] != after[1]) == (light, deep)
