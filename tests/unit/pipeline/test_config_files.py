"""Configuration files from anywhere: nothing in them is run, and what cannot be read is one line."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from overtime import InputError
from overtime.pipeline.config_files import check_files, read_config
from overtime.pipeline.settings import load_settings

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config"


def said(content: bytes, tmp_path: Path) -> str:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError) as error:
        check_files([file])
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{tmp_path}/")


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(40))
MAPS = "a0: &a0 {k: 1}\n" + "".join(f"a{i + 1}: &a{i + 1} {{k: *a{i}, l: *a{i}}}\n" for i in range(60))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"__use_yte__: true\nscale: ?1 + 1", "mine.yaml, line 1: __use_yte__ would run the file as Python"),
        (b'"__use_yte__": true', "mine.yaml, line 1: __use_yte__ would run"),
        (b"scale: !!python/object/apply:os.system [ls]", "mine.yaml, line 1: the tag tag:yaml.org,2002:python/object/apply:os."),
        (b"scale:\n  !!python/name:os.system", "mine.yaml, line 2: the tag tag:yaml.org,2002:python/name:os.system is not read"),
        (b"!mine {scale: x}", "mine.yaml, line 1: the tag !mine is not read; write a plain value"),
        (b"scale: !!set {a, b}", "mine.yaml, line 1: the tag tag:yaml.org,2002:set is not read"),
        (LAUGHS.encode(), "mine.yaml, line 6: its aliases stand for more than 100,000 values"),
        (MAPS.encode(), "mine.yaml, line 16: its aliases stand for more than 100,000 values"),
        (b"a: &a\n  b: *a", "mine.yaml, line 1: its aliases stand for more than 100,000 values"),
        (b"a: &a [*a]", "mine.yaml, line 1: its aliases stand for more than 100,000 values"),
        (b"[" * 5000, "mine.yaml: not readable as YAML: nested too deeply"),
        ("scale: mini".encode("utf-16"), "mine.yaml: not UTF-8 (invalid start byte at byte 0); save it in this encoding"),
        ("scale: caf\xe9".encode("latin-1"), "mine.yaml: not UTF-8 (unexpected end of data at byte 10)"),
        (b"world:\n\tseed: 1", "mine.yaml: not readable as YAML: while scanning"),
        (b"scale: a\x00b", "mine.yaml: not readable as YAML: unacceptable character"),
    ],
)
def test_what_is_no_plain_configuration_is_one_line(tmp_path, content, message):
    assert said(content, tmp_path).startswith(message)


def test_marks_of_editors_and_sensible_aliases_are_read(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"\xef\xbb\xbfworld: &w {seed: 3}\nother: *w\nthird:\n  <<: *w\n")
    check_files([file])
    check_files([CONFIG / "config.yaml", CONFIG / "talk.yaml"])


def test_snakemakes_reader_is_replaced_by_one_that_runs_nothing(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("__use_yte__: true\nscale: ?open('ran', 'w')\n")
    with open(file) as stream, pytest.raises(SystemExit, match=r"mine\.yaml, line 1: __use_yte__ would run the file as Python"):
        read_config(stream, require_use_yte=True)
    file.write_text("world: {seed: 3}\n")
    with open(file) as stream:
        assert read_config(stream) == {"world": {"seed": 3}}


def test_the_profile_refuses_a_file_before_it_is_run(tmp_path):
    """Snakemake reads the files of its command line before it reads the workflow."""
    file = tmp_path / "mine.yaml"
    file.write_text(f"__use_yte__: true\nscale: ?open({str(tmp_path / 'ran')!r}, 'w') and 'tiny'\n")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--configfile", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"{file}, line 1: __use_yte__ would run the file as Python" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()


def test_the_profile_of_a_cluster_refuses_it_alike():
    """Its other settings need the plugin of Slurm, which is installed apart."""
    local, cluster = (yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text()) for name in ("default", "slurm"))
    for key in ("__use_yte__", "__definitions__"):
        assert cluster[key] == local[key]


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31mred", "a\x85b", "a\ufffeb", "\x07"])
def test_control_characters_in_settings_are_one_line(text):
    config = yaml.safe_load((CONFIG / "config.yaml").read_text()) | {"mirror": None}
    config["questions"]["sets"] = {"one": {"format": "own", "annotations": text}}
    with pytest.raises(InputError, match=r"config: questions\.sets\.one\.annotations: .+ holds the control character") as error:
        load_settings(config)
    assert not set(str(error.value)) & set("\x00\x1b\x85\n\x07")
    config["questions"]["sets"]["one"]["annotations"] = "é – 王 😀"
    load_settings(config)


def test_a_stream_without_a_document_is_nothing(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    check_files([tmp_path / "empty.yaml"])
    stream = io.StringIO("")
    stream.name = str(tmp_path / "empty.yaml")
    assert read_config(stream) is None
