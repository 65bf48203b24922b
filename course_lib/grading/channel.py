"""The trusted end of the two pipes: one question, one answer, a deadline for both.

Whatever arrives is only bytes until the codec and :func:`check_reply` have passed it. A frame that
does not carry the secret number of the present question is dropped: left over from an earlier one,
or made up.
"""

import os
import secrets
import select
import struct
import time

from course_lib.grading import codec

HEAD = struct.Struct(">I")
MAX_STRAY_FRAMES = 100  # dropped within one question, before the other side counts as broken
MAX_STRAY_BYTES = 2 * codec.MAX_BYTES
MAX_TEXT = 20_000  # characters of a name, message or trace


class ChannelError(Exception):
    """The worker gave no proper answer."""


class ChannelTimeout(ChannelError):
    """No answer in time."""


class ChannelClosed(ChannelError):
    """The other end is gone."""


class ChannelProtocol(ChannelError):
    """Something arrived that no worker sends."""


class Channel:
    """Questions to a worker, one at a time.

    Parameters
    ----------
    to_worker, from_worker : int
        File descriptors; they stay the caller's to close.
    max_output : int
        Bytes of text and, sixteen-fold, of pictures that an answer may bring along.
    """

    def __init__(self, to_worker, from_worker, max_output=64 * 2**10):
        self._out, self._in, self._max_output = to_worker, from_worker, max_output
        for fd in (to_worker, from_worker):
            os.set_blocking(fd, False)

    def ask(self, request, seconds):
        """Send a request and return the reply to it.

        Parameters
        ----------
        request : dict
            ``op`` and what belongs to it; plain data.
        seconds : float
            For both ways together.

        Returns
        -------
        reply : dict
            As :func:`check_reply` passes it, without the id.

        Raises
        ------
        ChannelTimeout, ChannelClosed, ChannelProtocol
            The channel is of no use after any of them.
        CodecError
            If the request is no plain data; nothing has been sent then.
        """
        end = time.monotonic() + seconds
        number = secrets.token_bytes(16)
        data = codec.encode({**request, "id": number})
        self._send(HEAD.pack(len(data)) + data, end)
        frames = size = 0
        while True:
            data = self._receive(end)
            reply = _decode(data)
            sent = reply.get("id") if type(reply) is dict else None
            if type(sent) is bytes and sent == number:  # an array is equal in parts
                return check_reply(reply, self._max_output)
            frames, size = frames + 1, size + len(data)
            if frames > MAX_STRAY_FRAMES or size > MAX_STRAY_BYTES:
                raise ChannelProtocol("too many frames that answer nothing")

    def _send(self, data, end):
        data = memoryview(data)
        while data:
            self._wait([], [self._out], end)
            try:
                data = data[os.write(self._out, data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise ChannelClosed("the worker has ended") from error

    def _receive(self, end):
        (size,) = HEAD.unpack(self._read(HEAD.size, end))
        if size > codec.MAX_BYTES:
            raise ChannelProtocol(f"a frame of {size} bytes")
        return self._read(size, end)

    def _read(self, size, end):
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            self._wait([self._in], [], end)
            try:
                count = os.readv(self._in, [rest])
            except BlockingIOError:
                continue
            if not count:
                raise ChannelClosed("the worker has ended")
            rest = rest[count:]
        return data

    def _wait(self, to_read, to_write, end):
        left = end - time.monotonic()
        if left <= 0 or not any(select.select(to_read, to_write, [], left)):
            raise ChannelTimeout("no answer in time")


def _decode(data):
    try:
        return codec.decode(data)
    except codec.CodecError as error:
        raise ChannelProtocol(f"a frame that is no plain data: {error}") from error


def check_reply(reply, max_output):
    """Return a reply without its id, if it has the form of one.

    Parameters
    ----------
    reply : dict
        ``{"id", "ok": True, "value", "outputs"}`` or ``{"id", "ok": False, "error": {"type",
        "message", "trace"}, "outputs"}``; outputs are ``["text", str]`` or ``["png", bytes]``.
    max_output : int
        Bytes of text; sixteen times as many of pictures.

    Returns
    -------
    reply : dict

    Raises
    ------
    ChannelProtocol
        If it has not.
    """
    ok = reply.get("ok")
    wanted = {"id", "ok", "outputs", "value" if ok is True else "error"}
    if type(ok) is not bool or set(reply) != wanted:
        raise ChannelProtocol("a reply with other parts")  # to name them may take minutes
    if not ok:
        error = reply["error"]
        if type(error) is not dict or set(error) != {"type", "message", "trace"}:
            raise ChannelProtocol("an error of another form")
        if any(type(text) is not str or len(text) > MAX_TEXT for text in error.values()):
            raise ChannelProtocol("an error that is no text, or too long")
    outputs, kinds = reply["outputs"], {"text": str, "png": bytes}
    if type(outputs) is not list:
        raise ChannelProtocol("outputs of another form")
    sizes = {"text": 0, "png": 0}
    for output in outputs:
        if type(output) is not list or len(output) != 2 or type(output[0]) is not str:
            raise ChannelProtocol("an output of another form")
        kind, data = output
        if type(data) is not kinds.get(kind):
            raise ChannelProtocol("an output of another kind")
        if kind == "png" and not data.startswith(b"\x89PNG\r\n\x1a\n"):
            raise ChannelProtocol("a picture that is no PNG")
        sizes[kind] += len(data)
    # A note that output was cut comes on top.
    if sizes["text"] > max_output + 200 or sizes["png"] > 16 * max_output:
        raise ChannelProtocol("more output than a cell may have")
    return {name: value for name, value in reply.items() if name != "id"}
