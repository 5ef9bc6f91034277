"""A pickled dictionary of numpy arrays in an npy file, read without unpickling: nothing that it names is looked up or called.

A pickle is a program, and even with a list of allowed names it can hand numpy states that end the process. Here the few
operations that such files need build plain Python values, and an array is made of its bytes when all of its description is there.
"""

import math
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MAGIC, HEADER = b"\x93NUMPY\x01\x00", b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"  # one object
RECONSTRUCT, NDARRAY, DTYPE = "multiarray _reconstruct", "numpy ndarray", "numpy dtype"
NUMPY_NAMES = {f"numpy.{core}.{RECONSTRUCT}": RECONSTRUCT for core in ("core", "_core")} | {NDARRAY: NDARRAY, DTYPE: DTYPE}
NUMBERS = re.compile(r"[fiu][1248]")
DEEPEST = 8  # dimensions
VALUES = set("NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE".split())
VALUES |= set("BINBYTES SHORT_BINBYTES EMPTY_LIST EMPTY_DICT EMPTY_TUPLE GLOBAL MARK".split())
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class _Named(str):
    """Something outside the file that it refers to."""


class _Mark:
    """Where the operands of an operation begin."""


class _Made:
    """What numpy would make of `arguments`, and the `state` that it is given afterwards."""

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays by name, as float32; lists and tuples of equal arrays are more dimensions of one.

    Raises ValueError or what Python has for unfit values where the file is anything else, OSError where it cannot be read.
    """
    content = path.read_bytes()
    begin = len(MAGIC) + 2
    end = begin + int.from_bytes(content[begin - 2 : begin], "little")
    if not content.startswith(MAGIC) or content[begin:end].strip() != HEADER:
        raise ValueError("not an npy file of one object")
    made = _finished(_interpret(content[end:]))
    if not isinstance(made, dict):
        raise ValueError(f"it holds a {type(made).__name__}, not arrays by name")
    left = [len(content)]
    return {name: np.asarray(_nested(value, left), np.float32) for name, value in made.items()}


def _nested(value: Any, left: list[int], depth: int = 0) -> Any:
    """Lists of lists of arrays; ValueError once they hold more than the bytes `left`: a file can refer to a part many times."""
    value = _finished(value)
    left[0] -= value.nbytes if isinstance(value, np.ndarray) else 1
    if left[0] < 0 or depth > DEEPEST:
        raise ValueError("one part of it stands for many")
    if isinstance(value, list | tuple):
        return [_nested(inner, left, depth + 1) for inner in value]
    if not isinstance(value, np.ndarray):
        raise ValueError(f"a {type(value).__name__} stands where an array should")
    return value


def _interpret(pickled: bytes) -> Any:
    """The value that the operations of a pickle build."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for operation, argument, _ in pickletools.genops(pickled):
        name = operation.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            return stack.pop()
        if name in VALUES:
            stack.append(_value(name, argument))
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[argument if isinstance(argument, int) else len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[int(argument or 0)])
        else:
            _operate(name, stack)
    raise ValueError("it ends early")


def _value(name: str, argument: Any) -> Any:
    if name == "MARK":
        return _Mark()
    if name == "GLOBAL":
        return _named(str(argument))
    return EMPTY[name]() if name in EMPTY else CONSTANTS.get(name, argument)


def _named(name: str) -> _Named:
    known = NUMPY_NAMES.get(name)
    if known is None:
        raise ValueError(f"it asks for {name.replace(' ', '.')}, and only numpy arrays are read")
    return _Named(known)


def _operate(name: str, stack: list[Any]) -> None:
    """Do what an operation does with what it finds on the stack."""
    if name in ("TUPLE", "APPENDS", "SETITEMS"):
        start = max(place for place, value in enumerate(stack) if isinstance(value, _Mark))
        given = stack[start + 1 :]
        del stack[start:]
    else:
        count = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "SETITEM": 2, "STACK_GLOBAL": 2, "REDUCE": 2, "BUILD": 1}
        if name not in count or len(stack) < count[name]:
            raise ValueError(f"the operation {name} does not belong to arrays")
        given = stack[-count[name] :]
        del stack[-count[name] :]
    if name.startswith("TUPLE"):
        stack.append(tuple(given))
    elif name in ("APPEND", "APPENDS") and isinstance(stack[-1], list):
        stack[-1].extend(given)
    elif name in ("SETITEM", "SETITEMS") and isinstance(stack[-1], dict) and all(isinstance(key, str) for key in given[::2]):
        stack[-1].update(zip(given[::2], given[1::2], strict=True))
    elif name == "STACK_GLOBAL":
        stack.append(_named(" ".join(given)))
    elif name == "REDUCE" and isinstance(given[0], _Named) and isinstance(given[1], tuple):
        stack.append(_Made(given[0], given[1]))
    elif name == "BUILD" and isinstance(stack[-1], _Made):
        stack[-1].state = given[0]
    else:
        raise ValueError(f"the operation {name} does not belong to arrays")


def _finished(value: Any) -> Any:
    """The array of numbers that a description means, or the one object of an array of objects."""
    if not isinstance(value, _Made):
        return value
    if value.name != RECONSTRUCT:
        raise ValueError(f"{value.name} stands where an array should")
    _, shape, kind, columns, content = value.state
    if not isinstance(kind, _Made) or kind.name != DTYPE:
        raise ValueError("an array without a type")
    text, order = str(kind.arguments[0]), str(kind.state[1])
    if not isinstance(shape, tuple) or len(shape) > DEEPEST:
        raise ValueError("an array without a shape, or of too many dimensions")
    if text == "O8" and not shape and isinstance(content, list) and len(content) == 1:
        return content[0]
    if not NUMBERS.fullmatch(text) or order not in "<>|" or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"an array of {text}, shape {str(shape)[:60]}")
    if not isinstance(content, bytes) or math.prod(shape) * int(text[1]) != len(content):
        raise ValueError(f"an array of shape {str(shape)[:60]} does not have the bytes of one")
    return np.frombuffer(content, order.strip("|") + text).reshape(shape, order="F" if columns else "C")
