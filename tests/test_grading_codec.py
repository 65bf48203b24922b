"""What passes between a student's process and the grader: round trips, limits, arbitrary bytes."""

import struct
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from course_lib.grading import codec
from course_lib.grading.codec import CodecError, Tensor, decode, encode

ARRAYS = npst.arrays(
    st.sampled_from(sorted(codec.DTYPES.values(), key=str)),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
HASHABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHABLE | st.complex_numbers() | ARRAYS | ARRAYS.map(Tensor) | st.sets(HASHABLE, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
    ),
    max_leaves=12,
)


def same(a, b):
    """Equal in kind, shape and every bit; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return same(a.array, b.array)
    if isinstance(a, np.ndarray | np.generic):
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.keys()), list(b.keys())) and same(list(a.values()), list(b.values()))
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return a == b or in_order(a) == in_order(b)  # a set with NaN in it equals no other


def in_order(value):
    """Text of a value in which sets have an order, that of the texts of their members."""
    if isinstance(value, set | frozenset | tuple):
        texts = map(in_order, value)
        kept = texts if isinstance(value, tuple) else sorted(texts)
        return f"{type(value).__name__}({', '.join(kept)})"
    return repr(value)


class TestRoundTrip:
    @given(VALUES)
    def test_property_comes_back_the_same(self, value):
        assert same(decode(encode(value)), value)

    @pytest.mark.parametrize(
        "value",
        [
            np.float32(1.5), np.int8(-3), np.bool_(True), 2**9000, -(2**9000), -1, 0, 255, 256,
            float("nan"), float("-inf"), -0.0, "", "ä\0€", b"", [], (), {}, set(), frozenset(),
            np.zeros((0, 3)), np.array(2.0), np.arange(6.0).reshape(2, 3).T,
            np.arange(4, dtype=">i4"), {(1, "a"): [None, True]},
        ],
        ids=repr,
    )  # fmt: skip
    def test_corner_cases(self, value):
        found = decode(encode(value))
        if isinstance(value, np.ndarray):
            value = value.astype(value.dtype.newbyteorder("="))
        assert same(found, value)

    def test_tensor_arrives_as_numbers_with_its_kind(self):
        found = decode(encode([torch.arange(6.0).reshape(2, 3).requires_grad_()]))
        assert type(found[0]) is Tensor
        np.testing.assert_array_equal(found[0].array, [[0, 1, 2], [3, 4, 5]])
        assert found[0].array.dtype == np.float32


class Pretends(float):
    def __eq__(self, other):
        return True


class Rows(list):
    pass


class Odd(np.ndarray):
    pass


class TestWhatCannotBeSent:
    @pytest.mark.parametrize(
        "value, message",
        [
            (Pretends(1), "Pretends cannot be sent"),
            ([1, Rows()], "Rows cannot be sent"),
            (np.zeros(2).view(Odd), "Odd cannot be sent"),
            (print, "cannot be sent"),
            (np.array([object()]), "arrays of type object"),
            (np.array(["text"]), "arrays of type"),
            (np.array([(1, 2.0)], dtype="i4,f4"), "arrays of type"),
            (10**5000, "integer has"),
            ("\ud800", "half a character"),
            ([0] * 200_001, "more than 200000 entries"),
            (set(range(5_001)), "too many"),
            ([set(range(3_000)), {i: 0 for i in range(3_000)}], "too many"),
            ("é" * 2**21 + "a", "text is larger than 4 MB"),
            (["a" * 2**21, "b" * 2**21, "c"], "text is larger than 4 MB"),
            ([np.zeros(0)] * 20_000, "too many arrays"),
            (np.zeros((0,) * 33), "of shape"),
            (np.zeros((0, 2**24 + 1)), "of shape"),
            (np.zeros((0, 2**40)), "of shape"),
            (np.zeros(2**24 // 8 + 1), "larger than 16 MB"),
            (b"x" * 2**24, "larger than 16 MB"),
            ([bytes(2**23)] * 2, "larger than 16 MB"),
        ],
        ids=lambda v: type(v).__name__,
    )
    def test_is_refused(self, value, message):
        with pytest.raises(CodecError, match=message):
            encode(value)

    def test_value_that_holds_itself(self):
        loop = {}
        loop["me"] = [loop]
        with pytest.raises(CodecError, match="holds itself"):
            encode(loop)

    def test_ten_thousand_lists_in_each_other(self):
        deep = []
        for _ in range(10_000):
            deep = [deep]
        with pytest.raises(CodecError, match="nested deeper than 64"):
            encode(deep)


class TestHostileBytes:
    @given(st.binary(max_size=200))
    @settings(max_examples=1000)
    def test_property_arbitrary_bytes_raise_nothing_else(self, data):
        try:
            decode(data)
        except CodecError:
            pass

    @given(VALUES, st.data())
    @settings(max_examples=500)
    def test_property_damaged_messages_raise_nothing_else(self, value, data):
        message = bytearray(encode(value))
        at = data.draw(st.integers(0, len(message) - 1))
        message[at] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(message)))
        for hostile in (message, message[:cut], message + b"N"):
            try:
                decode(bytes(hostile))
            except CodecError:
                pass

    @pytest.mark.parametrize(
        "data, message",
        [
            (b"", "ends early"),
            (b"NN", "1 bytes are left over"),
            (b"Z", "unknown tag b'Z'"),
            (b"\x80\x04K\x01.", "unknown tag"),  # a pickle
            (b"s\xff\xff\xff\xffa", "ends early"),
            (b"s\0\0\0\1\xff", "not UTF-8"),
            (b"i\0\0\0\0", "integer of 0 bytes"),
            (b"i" + struct.pack(">I", 1701) + bytes(1701), "integer of 1701 bytes"),
            (b"L\xff\xff\xff\xff", "too large"),
            (b"S" + struct.pack(">I", 5001), "too large"),
            (b"L\0\0\0\2" + encode(set(range(4_000))) * 2, "too large"),
            (b"s" + struct.pack(">I", 2**22 + 1) + bytes(2**22 + 1), "text is larger"),
            (b"L" + struct.pack(">I", 3) + encode("a" * 2**21) * 3, "text is larger"),
            (b"L" + struct.pack(">I", 20_000) + encode(np.zeros(0)) * 20_000, "too many arrays"),
            (b"S\0\0\0\2NN", "same entry twice"),
            (b"S\0\0\0\1L\0\0\0\0", "something changeable"),
            (b"D\0\0\0\1L\0\0\0\0N", "something changeable"),
            (b"L\0\0\0\1" * 70 + b"N", "nested deeper"),
            (b"aO8  \0\0\0\0\x08" + bytes(8), "unknown type 'O8'"),
            (b"af8  \xff", "array with 255 axes"),
            (b"af8  \2" + struct.pack(">III", 2**31, 2**31, 0), "does not have 0 bytes"),
            (b"af8  \2" + struct.pack(">III", 0, 2**31, 0), "does not have 0 bytes"),
            (b"ab1  \1" + struct.pack(">II", 1, 1) + b"\x07", "holds something else"),
            (b"nf8  \1" + struct.pack(">II", 1, 8) + bytes(8), "has no axes"),
        ],
    )
    def test_is_refused(self, data, message):
        with pytest.raises(CodecError, match=message):
            decode(data)

    def test_message_beyond_the_limit(self):
        with pytest.raises(CodecError, match="larger than 16 MB"):
            decode(bytes(codec.MAX_BYTES + 1))


class TestHashed:
    """Entries with one hash are compared in pairs, with all that is in them."""

    @staticmethod
    def same_hash(number, length):
        entries = b"".join(
            b"U"
            + struct.pack(">I", length)
            + codec.encode(1.5) * (length - 1)
            # Python's hash of a whole number is its rest by this prime.
            + codec.encode(5 + i * (2**61 - 1))
            for i in range(number)
        )
        return struct.pack(">I", number) + entries

    def test_slow_ones_are_refused(self):
        for frame in (
            b"S" + self.same_hash(4_900, 38),
            b"U" + struct.pack(">I", 1) + b"F" + self.same_hash(300, 17),
        ):
            with pytest.raises(codec.CodecError, match="too large"):
                codec.decode(frame)

    def test_those_that_are_taken_are_quick(self):
        start = time.process_time()
        assert len(codec.decode(b"S" + self.same_hash(1_600, 2))) == 1_600
        assert len(codec.decode(b"S" + self.same_hash(70, 70))) == 70
        assert time.process_time() - start < 2

    def test_values_of_a_dict_and_lists_are_not_hashed(self):
        value = {"a": [[1.5] * 9_000], (1, 2): ((1,) * 9_000,)}
        assert codec.decode(codec.encode(value)) == value

    def test_both_ways_have_one_limit(self):
        for value in ({((1,) * 5_000,)}, {((1,) * 5_000,): 1}, [{(1,) * 4_999, 2}]):
            with pytest.raises(codec.CodecError, match="too many"):
                codec.encode(value)
        value = {(1,) * 4_999}
        assert codec.decode(codec.encode(value)) == value
