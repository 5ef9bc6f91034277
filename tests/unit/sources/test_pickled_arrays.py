"""Pickled arrays are read without unpickling: what numpy writes comes out, and whatever a file may order instead is refused."""

import io
import os
import pickle
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from overtime import InputError
from overtime.sources.pickled_arrays import HEADER, MAGIC, read_arrays
from overtime.sources.released import read_layers


def npy(pickled: bytes, path: Path, header: bytes = HEADER + b" " * 20 + b"\n") -> Path:
    path.write_bytes(MAGIC + struct.pack("<H", len(header)) + header + pickled)
    return path


def one(value: object) -> np.ndarray:
    array = np.empty((), dtype=object)
    array[()] = value
    return array


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("kind", ["<f2", "<f4", ">f4", "<f8", "|u1", "<i8", ">i2"])
def test_what_numpy_writes_comes_out(tmp_path, protocol, kind):
    values = np.arange(24).reshape(2, 3, 4).astype(kind)
    forms = {"c": values, "fortran": np.asfortranarray(values), "list": [values, values + 1], "deep": [(values[0], values[1])]}
    read = read_arrays(npy(pickle.dumps(one(forms), protocol), tmp_path / "a.npy"))
    assert list(read) == list(forms)
    for name, value in forms.items():
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], np.asarray(value, np.float32))


def test_what_np_save_writes_is_read(tmp_path):
    np.save(tmp_path / "a.npy", one({"top_1_acc": np.ones((1, 3, 2, 5, 4), np.float32)}))
    assert read_layers(tmp_path / "a.npy").height == 40


class Ordered:
    """Pickled as a call of whatever it is given, with a state."""

    def __init__(self, *parts: object) -> None:
        self.parts = parts

    def __reduce__(self):
        return self.parts


FORGED_TYPE = (3, "|", None, ("a", "b"), {"a": (np.dtype("f4"), 10**9)}, 4, 1, 63)
WIDE = {"a": np.zeros(0, np.float32)}
ORDERS = {
    "a call of the system": Ordered(os.system, ("true",)),
    "a state of a type": Ordered(np.dtype, ("V8", False, True), FORGED_TYPE),
    "a state of a type of objects": Ordered(np.dtype, ("f4", False, True), (3, "<", None, None, None, 8, 8, 63)),
    "an array of too few bytes": Ordered(
        np._core.multiarray._reconstruct,
        (np.ndarray, (0,), b"b"),
        (1, (10**12,), np.dtype("<f4"), False, b"1234"),
    ),
    "a negative shape": Ordered(
        np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, (-1, -1), np.dtype("<f4"), False, b"1234")
    ),
    "objects for numbers": Ordered(
        np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, (2,), np.dtype("O"), False, [1, 2])
    ),
    "bytes for objects": Ordered(
        np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, (1,), np.dtype("O"), False, b"\x41" * 8)
    ),
    "many dimensions": Ordered(
        np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, (2**60,) * 1000, np.dtype("<f4"), False, b"")
    ),
    "text": np.array(["a", "b"]),
    "records": np.zeros(2, [("a", "f4"), ("b", "i4")]),
    "complex numbers": np.zeros(2, complex),
    "dates": np.zeros(2, "M8[s]"),
}


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_no_array_of_numbers_is_refused(tmp_path, order):
    for value in ({"top_1_acc": ORDERS[order]}, ORDERS[order]):
        path = npy(pickle.dumps(one(value), 4), tmp_path / "bad.npy")
        with pytest.raises(InputError, match=r"bad\.npy: refused as a table of accuracies") as error:
            read_layers(path)
        assert "\n" not in str(error.value)


NESTED_KEY = b"\x80\x03}" + b")" + b"\x85" * 100_000 + b"Ns."
BOMB = b"\x80\x04]\x94" + b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"e\x94" for n in range(60)) + b"."
STREAMS = {
    "nothing": b"",
    "a stop": b".",
    "an end too early": b"\x80\x04}",
    "nothing on the stack": b"\x80\x040R.",
    "a mark that is not there": b"\x80\x04t.",
    "a memo that is not there": b"\x80\x04h\x07.",
    "a persistent name": b"\x80\x04Pname\n.",
    "an extension": b"\x80\x04\x82\x01.",
    "a new object": b"\x80\x04cnumpy\nndarray\n)\x81.",
    "a state of a name": b"\x80\x04cnumpy\nndarray\n}b.",
    "a call of the array itself": b"\x80\x04cnumpy\nndarray\n(K\x01t\x85R.",
    "an array without a state": b"\x80\x04cnumpy._core.multiarray\n_reconstruct\n)R.",
    "a key that is no text, deep as the stack of C": NESTED_KEY,
    "lists that hold each other": b"\x80\x04]\x94h\x00a.",
    "a number of 200 digits for a length": b"\x80\x04B\xff\xff\xff\x7fabc.",
    "a length beyond memory": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
    "lists of lists of the same list": BOMB,
    "an instance": b"(inumpy\nndarray\n.",
    "a line that never ends": b"I" + b"9" * 100_000,
}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_forged_stream_is_refused(tmp_path, stream):
    path = npy(STREAMS[stream], tmp_path / "bad.npy")
    with pytest.raises(InputError, match=r"bad\.npy: refused as a table of accuracies") as error:
        read_layers(path)
    assert "\n" not in str(error.value)


def test_a_bomb_inside_an_honest_array_is_refused(tmp_path):
    """Ten bytes of references stand for gigabytes."""
    array = np.zeros((1, 3, 2, 1000, 40), np.float32)
    with pytest.raises(ValueError, match="one part of it stands for many"):
        read_arrays(npy(pickle.dumps(one({str(n): array for n in range(100)}), 4), tmp_path / "bad.npy"))
    nested = WIDE["a"]
    for _ in range(20):
        nested = [nested, nested]
    with pytest.raises(ValueError, match="one part of it stands for many"):
        read_arrays(npy(pickle.dumps(one({"a": nested}), 4), tmp_path / "bad.npy"))


HEADERS = [
    b"",
    b"{}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
    b"{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (), }",
    b"{'descr': '|O', 'fortran_order': False, 'shape': (1000000000000,), }",
    b"(" * 9000,
    b"-" * 60000 + b"1",
]


@pytest.mark.parametrize("header", HEADERS)
def test_any_other_header_is_refused(tmp_path, header):
    pickled = pickle.dumps(one({"a": np.zeros(1, np.float32)}), 4)
    with pytest.raises(ValueError, match="not an npy file of one object"):
        read_arrays(npy(pickled, tmp_path / "bad.npy", header))


def test_no_byte_of_a_file_can_do_more_than_be_refused(tmp_path):
    file = io.BytesIO()
    np.save(file, one({"top_1_acc": [(np.ones((3, 2), np.float32), np.zeros((3, 2), np.float16))], "b": np.ones(2, ">f8")}))
    content = file.getvalue()
    for place in range(len(content)):
        for bit in (1, 0x20, 0x80):
            (tmp_path / "a.npy").write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            with suppress(InputError):
                read_layers(tmp_path / "a.npy")
