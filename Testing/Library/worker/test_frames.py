import io
import json
import os
import struct
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from DiffusionSegLib.worker.frames import Frame, FrameError, FrameReader, FrameWriter

TYPES = ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
ARRAYS = st.sampled_from(TYPES).flatmap(
    lambda name: arrays_of.arrays(
        np.dtype(name),
        arrays_of.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
    )
)


class Stream(io.RawIOBase):
    """Gives bytes out in pieces, as a pipe does."""

    def __init__(self, content=b"", piece=7):
        self.content, self.piece = bytes(content), piece

    def readinto(self, view):
        part = self.content[: min(self.piece, len(view))]
        self.content = self.content[len(part) :]
        view[: len(part)] = part
        return len(part)

    def write(self, view):
        part = bytes(view[: self.piece])
        self.content += part
        return len(part)


def wire(*frames):
    stream = Stream(piece=1000)
    for frame in frames:
        FrameWriter(stream).write(frame)
    return stream.content


def raw(header, payload=b"", header_size=None, payload_size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    sizes = len(text) if header_size is None else header_size
    whole = len(payload) if payload_size is None else payload_size
    return struct.pack("<4sIQ", b"DSG1", sizes, whole) + text + payload


@settings(max_examples=60)
@given(st.lists(ARRAYS, max_size=3), st.dictionaries(st.text(min_size=1), JSON, max_size=3))
def test_whatever_is_written_is_read(arrays, fields):
    header = {**fields, "kind": "test"}
    header.pop("arrays", None)
    reader = FrameReader(Stream(wire(Frame(header, tuple(arrays)), Frame({"kind": "next"}))))
    found = reader.read()
    assert found.header == header
    assert len(found.arrays) == len(arrays)
    for one, other in zip(found.arrays, arrays, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()
    assert reader.read().header == {"kind": "next"}
    assert reader.read() is None


@pytest.mark.parametrize("change", ["big endian", "strided", "fortran", "reversed"])
def test_arrays_of_any_layout_arrive_in_order(change):
    array = np.arange(2 * 3 * 4, dtype="<i2").reshape(2, 3, 4)
    array = {
        "big endian": lambda: array.astype(">i2"),
        "strided": lambda: array[:, ::2, 1:],
        "fortran": lambda: np.asfortranarray(array),
        "reversed": lambda: array[::-1, :, ::-1],
    }[change]()
    (found,) = FrameReader(Stream(wire(Frame({"kind": "a"}, (array,))))).read().arrays
    assert np.array_equal(found, array)
    assert found.flags.c_contiguous
    assert found.dtype.isnative


def test_the_layout_on_the_wire_is_the_one_that_is_documented():
    content = wire(Frame({"kind": "a"}, (np.array([1, 2], "<i2"),)))
    assert content[:4] == b"DSG1"
    header_size, payload_size = struct.unpack("<IQ", content[4:16])
    header = json.loads(content[16 : 16 + header_size])
    assert header == {"kind": "a", "arrays": [{"shape": [2], "dtype": "<i2"}]}
    assert content[16 + header_size :] == b"\x01\x00\x02\x00"
    assert payload_size == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"HTTP/1.1 400 Bad Request", "Instead of a frame came 'HTTP/1.1 400 Bad"),
        (raw({"kind": "a"})[:9], "ended after 9 of 16 bytes"),
        (raw({"kind": "a"})[:20], "ended after 4 of 13 bytes"),
        (raw({"kind": "a", "arrays": [{"shape": [4], "dtype": "|u1"}]}, b"ab", None, 4), "2 of 4"),
        (raw(b"{]"), "not JSON"),
        (raw(b"\xff\xfe\x00"), "not JSON"),
        (raw(b"[" * 100_000), "not JSON"),
        (raw([1]), "no kind"),
        (raw({"kind": 3}), "no kind"),
        (raw({"kind": "a"}, header_size=2**32 - 1), "4294967295 .* more than any"),
        (raw({"kind": "a"}, payload_size=2**63), "more than any"),
        (raw({"kind": "a"}, b"abc"), "need 0 bytes, but it claims to hold 3"),
        (raw({"kind": "a", "arrays": 5}), "no proper arrays"),
        (raw({"kind": "a", "arrays": [{}] * 2000}), "no proper arrays"),
        (raw({"kind": "a", "arrays": [5]}), "described by 5"),
        (raw({"kind": "a", "arrays": [{"shape": [1], "dtype": "|O"}]}, bytes(8)), r"type '\|O'"),
        (raw({"kind": "a", "arrays": [{"shape": [1], "dtype": "<c8"}]}, bytes(8)), "plain number"),
        (raw({"kind": "a", "arrays": [{"shape": [1], "dtype": "<M8[s]"}]}, bytes(8)), "plain numb"),
        (raw({"kind": "a", "arrays": [{"shape": [1], "dtype": [["f", "<i2"]]}]}, bytes(2)), "type"),
        (raw({"kind": "a", "arrays": [{"shape": [-1], "dtype": "|u1"}]}), "impossible shape"),
        (raw({"kind": "a", "arrays": [{"shape": [1.5], "dtype": "|u1"}]}), "impossible shape"),
        (raw({"kind": "a", "arrays": [{"shape": [True], "dtype": "|u1"}]}), "impossible shape"),
        (raw({"kind": "a", "arrays": [{"shape": [1] * 40, "dtype": "|u1"}]}), "impossible shape"),
        (raw({"kind": "a", "arrays": [{"shape": [2**60], "dtype": "|u1"}]}), "impossible shape"),
        (raw({"kind": "a", "arrays": [{"shape": [2**36], "dtype": "<f8"}]}), "need 549755813888"),
    ],
)
def test_what_is_no_frame_is_told_before_memory_is_taken(content, words):
    tracemalloc.start()
    with pytest.raises(FrameError, match=words) as caught:
        FrameReader(Stream(content)).read()
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
    assert len(str(caught.value)) < 300


@settings(max_examples=150)
@given(st.binary(max_size=60), st.integers(0, 80), st.binary(max_size=12))
def test_damaged_frames_are_errors_and_never_anything_else(noise, place, patch):
    good = wire(Frame({"kind": "a"}, (np.arange(5, dtype="<i2"),)))
    damaged = good[:place] + patch + good[place + len(patch) :]
    for content in (noise, damaged, damaged + noise, noise + good):
        reader = FrameReader(Stream(content))
        try:
            while reader.read() is not None:
                pass
        except FrameError as error:
            assert str(error)


def test_text_before_the_first_frame_is_passed_over():
    good = wire(Frame({"kind": "greeting"}))
    for text in (b"", b"Welcome!\n", b"DSG" * 7, b"D" * 60_000):
        assert FrameReader(Stream(text + good)).read_first().header == {"kind": "greeting"}
    assert FrameReader(Stream(b"")).read_first() is None
    with pytest.raises(FrameError, match="greeting came 'no such"):
        FrameReader(Stream(b"no such command\n")).read_first()
    with pytest.raises(FrameError, match="greeting came 'xxx"):
        FrameReader(Stream(b"x" * 200_000 + good, piece=200_000)).read_first()


def test_large_arrays_are_not_copied_on_the_way_out():
    array = np.ones(8_000_000, np.int16)
    incoming, outgoing = os.pipe()
    reader, writer = io.FileIO(incoming, "rb"), io.FileIO(outgoing, "wb")
    found = []
    thread = threading.Thread(target=lambda: found.append(FrameReader(reader).read()))
    shares = []
    tracemalloc.start()
    thread.start()
    FrameWriter(writer).write(Frame({"kind": "a"}, (array,)), lambda *told: shares.append(told))
    thread.join()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(found[0].arrays[0], array)
    assert peak < array.nbytes * 1.2  # what is received, and nothing else
    assert shares[-1] == (array.nbytes, array.nbytes)
    assert len(shares) > 2
    reader.close()
    writer.close()
