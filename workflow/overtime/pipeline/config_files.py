"""Configuration files as they are written: what YAML would misread in silence or run, and where a key stands."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import yaml

from overtime import InputError

TEXT = "tag:yaml.org,2002:str"
# What YAML takes for something else than text.
TAGS = {"tag:yaml.org,2002:int": "a number", "tag:yaml.org,2002:float": "a number", "tag:yaml.org,2002:bool": "a boolean"}
TAGS |= {"tag:yaml.org,2002:null": "nothing", "tag:yaml.org,2002:timestamp": "a date"}
MISREAD = re.compile(r"[-+]?(\d[\d_]*(:[\d_.]+)+|0[0-7_]+)$")  # base 60 (1:30 is 90) and base 8 (010 is 8)
TAGS_OF_VALUES = {TEXT, *TAGS, *(f"tag:yaml.org,2002:{kind}" for kind in ("seq", "map", "merge"))}
MOST_VALUES = 100_000  # with all aliases written out; a configuration of a hundred models has a few thousand
TEMPLATE = "__use_yte__"  # the key at which Snakemake takes values for Python


def read_config(file: IO[str], **_: object) -> Any:
    """The content of a configuration, of which nothing is run; one that is refused ends the process with a line.

    Stands in for `yte.process_yaml`: Snakemake reads the files of its command line before the workflow, so profiles put it there.
    """
    try:
        check_files([file.name])
    except InputError as error:
        sys.exit(str(error))
    return yaml.safe_load(file)


def check_files(files: Sequence[str | Path]) -> None:
    """Raise InputError, naming file, line and key, for what is run when it is read, and what YAML reads otherwise than it looks.

    The latter are a key that stands twice, of which the last would win, a key that is no text, and numbers in base 60 or 8.
    """
    for file in files:
        root = _root(file)
        for key, key_node, node in _entries(root):
            line = f"{file}, line {key_node.start_mark.line + 1}: {'.'.join(key)}"
            if key_node.tag in TAGS:
                raise InputError(
                    f"{line}: YAML reads the key {key_node.value} as {TAGS[key_node.tag]}; put it in quotation marks"
                )
            if isinstance(node, yaml.ScalarNode) and node.tag in TAGS and MISREAD.match(node.value):
                value = yaml.safe_load(node.value)
                raise InputError(f"{line}: YAML reads {node.value} as {value}; write {value}, or put it in quotation marks")
            if isinstance(node, yaml.MappingNode):
                _check_twice(file, key, node)
        _check_twice(file, (), root)


def where(key: str, files: Sequence[str | Path]) -> str:
    """File and line of a key such as suite.sizes.xs, or of the longest part of it that stands in a file; "" if none does.

    Of several files the last one that has the key counts, as its value does.
    """
    wanted, best, place = tuple(key.split(".")), 0, ""
    for file in files:
        for found, node, _ in _entries(_root(file)):
            shared = len(found) if found == wanted[: len(found)] else 0
            if shared and shared >= best:
                best, place = shared, f"{file}, line {node.start_mark.line + 1}"
    return place


def _root(file: str | Path) -> yaml.Node | None:
    """The document of a file, before any value of it is interpreted; JSON is YAML."""
    try:
        # Some editors begin a file with a mark of its encoding.
        root = yaml.compose(Path(file).read_text(encoding="utf-8-sig"), yaml.SafeLoader)
        if root is not None:
            _check_values(file, root, {})
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 ({error.reason} at byte {error.start}); save it in this encoding") from error
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise InputError(f"{file}: not readable as YAML: nested too deeply") from error
    return root


def _check_values(file: str | Path, node: yaml.Node, sizes: dict[int, int]) -> int:
    """The number of values below a node, aliases written out; InputError for too many and for what is no plain value."""
    line = f"{file}, line {node.start_mark.line + 1}"
    if node.tag not in TAGS_OF_VALUES:
        raise InputError(f"{line}: the tag {node.tag} is not read; write a plain value")
    if id(node) not in sizes:
        sizes[id(node)] = MOST_VALUES  # where the node holds itself
        inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        sizes[id(node)] = 1 if isinstance(node, yaml.ScalarNode) else sum((_check_values(file, each, sizes) for each in inner), 1)
        if any(getattr(each, "value", None) == TEMPLATE for each in inner):
            raise InputError(f"{line}: {TEMPLATE} would run the file as Python; write its values out")
    if sizes[id(node)] > MOST_VALUES:
        raise InputError(f"{line}: its aliases stand for more than {MOST_VALUES:,} values; write out what is meant")
    return sizes[id(node)]


def _entries(node: yaml.Node | None, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], yaml.Node, yaml.Node]]:
    """All entries of all mappings and lists: the whole key (names may hold dots), its node, the node of its value."""
    pairs: list[tuple[str, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), key, value) for key, value in node.value if key.value != "<<"]
    elif isinstance(node, yaml.SequenceNode):
        numbers = (yaml.ScalarNode(TEXT, str(number), value.start_mark) for number, value in enumerate(node.value))
        pairs = [(number.value, number, value) for number, value in zip(numbers, node.value)]
    for name, key, value in pairs:
        whole = (*above, *name.split("."))
        yield whole, key, value
        yield from _entries(value, whole)


def _check_twice(file: str | Path, above: tuple[str, ...], node: yaml.Node | None) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line, name = key.start_mark.line + 1, str(key.value)
        if name in lines:
            whole = ".".join((*above, name))
            raise InputError(f"{file}, line {line}: {whole} stands in line {lines[name]} already; keep one of the two")
        lines[name] = line
