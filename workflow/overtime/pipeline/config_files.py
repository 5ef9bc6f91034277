"""Configuration files as they are written: what YAML would misread in silence, and where a key stands."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from overtime import InputError

TEXT = "tag:yaml.org,2002:str"
# What YAML takes for something else than text.
TAGS = {"tag:yaml.org,2002:int": "a number", "tag:yaml.org,2002:float": "a number", "tag:yaml.org,2002:bool": "a boolean"}
TAGS |= {"tag:yaml.org,2002:null": "nothing", "tag:yaml.org,2002:timestamp": "a date"}
MISREAD = re.compile(r"[-+]?(\d[\d_]*(:[\d_.]+)+|0[0-7_]+)$")  # base 60 (1:30 is 90) and base 8 (010 is 8)


def check_files(files: Sequence[str | Path]) -> None:
    """Raise InputError, naming file, line and key, for what YAML reads otherwise than it looks.

    These are a key that stands twice, of which the last would win, a key that is no text, and numbers in base 60 or 8.
    """
    for file in files:
        for key, key_node, node in _entries(_root(file)):
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
        _check_twice(file, (), _root(file))


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
        return yaml.compose(Path(file).read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from error


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
