"""Plain data as bytes and back: all that ever passes between a student's process and the grader.

Never pickle: bytes from the other side can only become the kinds listed here, each checked for
size before memory is taken for it, or a :class:`CodecError`. Values are matched by their exact
type, so an object that pretends to be a number does not get through.

Every value is one tag byte and its content; numbers are big-endian, array data little-endian.
"""

import struct
from importlib import import_module

import numpy as np

MAX_BYTES = 16 * 2**20  # one message
MAX_TEXT = 4 * 2**20  # bytes of all texts of one message: in memory they may be four times as many
MAX_DEPTH = 64  # lists in lists
MAX_ITEMS = 200_000  # all entries of all containers of one message
ARRAY_ITEMS = 10  # an array takes as much memory as so many other entries, even if it is empty
# Sets and dicts alone can be made slow to build by entries with the same hash, and the slower the
# more is in each entry.
MAX_HASHED = 5_000  # of all of them in one message, with all that is in entries and keys
MAX_INT_BYTES = 1_700  # 4 000 digits: what Python itself turns into text by default
DTYPES = {
    np.dtype(name).str.lstrip("<|="): np.dtype(name)
    for name in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
    + "float16 float32 float64 complex64 complex128".split()
}
MAX_AXES = 32
HASHED = (b"S", b"F", b"D")


class CodecError(ValueError):
    """A value that cannot be sent, or bytes that are no value."""


class Tensor:
    """A PyTorch tensor that arrived where PyTorch is not needed: its numbers, and its kind."""

    __slots__ = ("array",)

    def __init__(self, array):
        self.array = array

    def __repr__(self):
        return f"Tensor({self.array!r})"


def tensors(value):
    """Return the value with PyTorch's own tensors in it: what a function is called with.

    Parameters
    ----------
    value : object
        As :func:`decode` returns it.

    Returns
    -------
    value : object
    """
    if type(value) is Tensor:
        return import_module("torch").from_numpy(value.array)  # only where a course uses it
    if type(value) is dict:
        return {key: tensors(entry) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(tensors, value))
    return value


def encode(value):
    """Return the bytes of a plain value.

    Parameters
    ----------
    value : object
        None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, NumPy array
        or number, PyTorch tensor; containers hold the same.

    Returns
    -------
    data : bytes
        At most ``MAX_BYTES``.

    Raises
    ------
    CodecError
        If the value, or something in it, is of another kind, too large, too deep, or holds itself.
    """
    writer = _Writer()
    writer.write(value, 0)
    return bytes(writer.out)


class _Writer:
    def __init__(self):
        self.out, self.items, self.hashed, self.text = bytearray(), 0, 0, 0

    def write(self, value, depth, hashed=False):
        if depth > MAX_DEPTH:
            raise CodecError(f"value is nested deeper than {MAX_DEPTH} levels, or holds itself")
        kind = type(value)
        if kind in _PLAIN:
            _PLAIN[kind](self, value)
        elif kind in _CONTAINERS:
            self.write_container(_CONTAINERS[kind], value, depth, hashed)
        elif kind is np.ndarray or isinstance(value, np.generic):
            self.write_array(b"a" if kind is np.ndarray else b"n", np.asarray(value))
        elif kind is Tensor:
            self.write_array(b"x", value.array)
        elif kind.__module__ == "torch" and kind.__name__ == "Tensor":
            self.write_array(b"x", value.detach().cpu().numpy())
        else:
            raise CodecError(f"values of type {kind.__module__}.{kind.__qualname__} cannot be sent")

    def put(self, tag, data=b""):
        if len(self.out) + len(data) + 9 > MAX_BYTES:
            raise CodecError(f"value is larger than {MAX_BYTES // 2**20} MB")
        self.out += tag
        self.out += data

    def put_sized(self, tag, data):
        self.put(tag, struct.pack(">I", len(data)) if len(data) < MAX_BYTES else bytes(4))
        self.put(b"", data)

    def write_int(self, value):
        size = value.bit_length() // 8 + 1
        if size > MAX_INT_BYTES:
            raise CodecError(f"integer has {value.bit_length()} bits, more than can be sent")
        self.put_sized(b"i", value.to_bytes(size, "big", signed=True))

    def write_text(self, value):
        try:
            data = value.encode() if len(value) <= MAX_TEXT else bytes(MAX_TEXT + 1)
        except UnicodeEncodeError as error:
            raise CodecError("text holds half a character (a lone surrogate)") from error
        self.text += len(data)
        if self.text > MAX_TEXT:
            raise CodecError(f"text is larger than {MAX_TEXT // 2**20} MB")
        self.put_sized(b"s", data)

    def write_container(self, tag, value, depth, hashed):
        pairs = tag == b"D"
        self.items += len(value)
        self.hashed += len(value) if hashed or tag in HASHED else 0
        if self.items > MAX_ITEMS or self.hashed > MAX_HASHED:
            raise CodecError(f"value has more than {MAX_ITEMS} entries, or a set or dict too many")
        self.put(tag, struct.pack(">I", len(value)))
        for entry in value.items() if pairs else value:
            for i, part in enumerate(entry if pairs else (entry,)):
                self.write(part, depth + 1, hashed or (tag in HASHED and i == 0))

    def write_array(self, tag, array):
        name = array.dtype.str.lstrip("<|=>")
        if name not in DTYPES or type(array) is not np.ndarray:
            raise CodecError(f"arrays of type {array.dtype} cannot be sent")
        self.items += ARRAY_ITEMS
        if array.nbytes > MAX_BYTES or self.items > MAX_ITEMS:
            raise CodecError(
                f"value is larger than {MAX_BYTES // 2**20} MB, or has too many arrays"
            )
        if array.ndim > MAX_AXES or max(array.shape, default=0) > MAX_BYTES:
            raise CodecError(f"arrays of shape {array.shape} cannot be sent")
        shape = struct.pack(f">B{array.ndim}I", array.ndim, *array.shape)
        self.put(tag, name.encode().ljust(4) + shape)
        self.put_sized(b"", array.astype(DTYPES[name].newbyteorder("<"), order="C").tobytes())


_PLAIN = {
    type(None): lambda w, v: w.put(b"N"),
    bool: lambda w, v: w.put(b"T" if v else b"f"),
    int: _Writer.write_int,
    float: lambda w, v: w.put(b"d", struct.pack(">d", v)),
    complex: lambda w, v: w.put(b"c", struct.pack(">dd", v.real, v.imag)),
    str: _Writer.write_text,
    bytes: lambda w, v: w.put_sized(b"b", v),
}
_CONTAINERS = {list: b"L", tuple: b"U", set: b"S", frozenset: b"F", dict: b"D"}


def decode(data):
    """Return the value that the bytes stand for.

    Parameters
    ----------
    data : bytes
        From anywhere; nothing in them is trusted.

    Returns
    -------
    value : object
        Of the kinds that :func:`encode` takes; a PyTorch tensor arrives as a :class:`Tensor`.

    Raises
    ------
    CodecError
        If the bytes are not exactly one value, or one of the limits is passed.
    """
    if len(data) > MAX_BYTES:
        raise CodecError(f"message of {len(data)} bytes is larger than {MAX_BYTES // 2**20} MB")
    reader = _Reader(memoryview(data))
    value = reader.read(0)
    if reader.at != len(reader.data):
        raise CodecError(f"{len(reader.data) - reader.at} bytes are left over behind the value")
    return value


class _Reader:
    def __init__(self, data):
        self.data, self.at, self.items, self.hashed, self.text = data, 0, 0, 0, 0

    def take(self, size):
        if size > len(self.data) - self.at:
            raise CodecError(f"message ends early: {size} bytes wanted at byte {self.at}")
        self.at += size
        return self.data[self.at - size : self.at]

    def unpack(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def take_sized(self):
        return self.take(*self.unpack(">I"))

    def read(self, depth, hashed=False):
        if depth > MAX_DEPTH:
            raise CodecError(f"value is nested deeper than {MAX_DEPTH} levels")
        tag = bytes(self.take(1))
        if tag in _READ_PLAIN:
            return _READ_PLAIN[tag](self)
        if tag in _READ_CONTAINERS:
            return self.read_container(tag, depth, hashed)
        if tag in (b"a", b"n", b"x"):
            return self.read_array(tag)
        raise CodecError(f"unknown tag {tag!r} at byte {self.at - 1}")

    def read_int(self):
        raw = self.take_sized()
        if not 0 < len(raw) <= MAX_INT_BYTES:
            raise CodecError(f"integer of {len(raw)} bytes")
        return int.from_bytes(raw, "big", signed=True)

    def read_text(self):
        raw = self.take_sized()
        self.text += len(raw)
        if self.text > MAX_TEXT:
            raise CodecError(f"text is larger than {MAX_TEXT // 2**20} MB")
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError as error:
            raise CodecError(f"text is not UTF-8: {error.reason}") from error

    def read_container(self, tag, depth, hashed):
        (count,) = self.unpack(">I")
        self.items += count
        self.hashed += count if hashed or tag in HASHED else 0
        if self.items > MAX_ITEMS or self.hashed > MAX_HASHED:
            raise CodecError(f"container of {count} entries is too large")
        size = count * (2 if tag == b"D" else 1)
        inside = tag in HASHED
        entries = [
            self.read(depth + 1, hashed or (inside and (tag != b"D" or i % 2 == 0)))
            for i in range(size)
        ]
        try:
            if tag == b"D":
                value = dict(zip(entries[::2], entries[1::2], strict=True))
            else:
                value = _READ_CONTAINERS[tag](entries)
        except TypeError as error:  # something that cannot be hashed
            raise CodecError("a set or the keys of a dict hold something changeable") from error
        if len(value) != count:
            raise CodecError("a set or the keys of a dict hold the same entry twice")
        return value

    def read_array(self, tag):
        self.items += ARRAY_ITEMS
        if self.items > MAX_ITEMS:
            raise CodecError("too many arrays")
        name = str(self.take(4), "latin-1").rstrip()
        if name not in DTYPES:
            raise CodecError(f"array of unknown type {name!r}")
        (ndim,) = self.unpack(">B")
        if ndim > MAX_AXES:
            raise CodecError(f"array with {ndim} axes")
        shape, raw = self.unpack(f">{ndim}I"), self.take_sized()
        dtype = DTYPES[name].newbyteorder("<")
        size = dtype.itemsize
        for length in shape:  # Python's integers: no overflow
            size *= length
        if size != len(raw) or (size == 0 and max(shape) > MAX_BYTES):
            raise CodecError(f"array of shape {shape} does not have {len(raw)} bytes")
        if name == "b1" and np.frombuffer(raw, np.uint8).max(initial=0) > 1:
            raise CodecError("array of booleans holds something else")
        array = np.frombuffer(raw, dtype).reshape(shape).astype(DTYPES[name])
        if tag == b"n":
            if ndim:
                raise CodecError("a single number has no axes")
            return array[()]
        return Tensor(array) if tag == b"x" else array


_READ_PLAIN = {
    b"N": lambda r: None,
    b"T": lambda r: True,
    b"f": lambda r: False,
    b"i": _Reader.read_int,
    b"d": lambda r: r.unpack(">d")[0],
    b"c": lambda r: complex(*r.unpack(">dd")),
    b"s": _Reader.read_text,
    b"b": lambda r: bytes(r.take_sized()),
}
_READ_CONTAINERS = {b"L": list, b"U": tuple, b"S": set, b"F": frozenset, b"D": dict}
