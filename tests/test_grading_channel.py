"""Questions and answers through two pipes: honest workers, and everything else on the other end."""

import contextlib
import os
import struct
import threading
import time

import numpy as np
import pytest

from course_lib.grading import channel, codec
from course_lib.grading.channel import (
    Channel,
    ChannelClosed,
    ChannelProtocol,
    ChannelTimeout,
    check_reply,
)

PNG = b"\x89PNG\r\n\x1a\n"


def frame(value):
    data = value if isinstance(value, bytes) else codec.encode(value)
    return struct.pack(">I", len(data)) + data


def reply(request, **parts):
    return {"id": request["id"], "ok": True, "value": None, "outputs": [], **parts}


@pytest.fixture
def talk():
    """Asks a worker that answers each request by a function: request -> bytes to write."""
    open_fds, threads = [], []

    def talk(answer, seconds=5, op="hello", **fields):
        inside_read, to_worker = os.pipe()
        from_worker, inside_write = os.pipe()
        open_fds.extend([to_worker, from_worker])

        def work():
            source = os.fdopen(inside_read, "rb")
            with source, contextlib.suppress(BrokenPipeError):
                with os.fdopen(inside_write, "wb", buffering=0) as sink:
                    while head := source.read(4):
                        data = answer(codec.decode(source.read(*struct.unpack(">I", head))))
                        if data is None:
                            return
                        while data:
                            data = data[sink.write(data) :]

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        talk.channel = Channel(to_worker, from_worker, max_output=1000)
        return talk.channel.ask({"op": op, **fields}, seconds)

    yield talk
    for fd in open_fds:
        os.close(fd)
    for thread in threads:
        thread.join()


class TestAsk:
    def test_reply_comes_without_its_id(self, talk):
        got = talk(lambda request: frame(reply(request, value=request["x"])), x=[1, 2.5])
        assert got == {"ok": True, "value": [1, 2.5], "outputs": []}

    def test_large_requests_and_replies_pass_the_pipe(self, talk):
        x = np.arange(700_000.0)
        got = talk(lambda request: frame(reply(request, value=request["x"])), x=x)
        assert np.array_equal(got["value"], x)

    def test_forged_and_early_frames_are_dropped(self, talk):
        def answer(request):
            forged = [{"id": bytes(16), "ok": True, "value": 1, "outputs": []}, 7, [], {}]
            late = frame({**reply(request), "value": "late"})
            return b"".join(map(frame, forged)) + frame(reply(request, value="true")) + late

        assert talk(answer)["value"] == "true"
        # What was left over does not answer the next question.
        assert talk.channel.ask({"op": "again"}, 5)["value"] == "true"

    def test_flood_of_stray_frames_ends_it(self, talk):
        with pytest.raises(ChannelProtocol, match="too many frames"):
            talk(lambda request: frame(3) * 5000)

    @pytest.mark.parametrize(
        "data",
        [frame(b"garbage"), struct.pack(">I", 2**32 - 1), frame(b""), frame(b"i\0\xff\xff\xff1")],
    )
    def test_garbage_ends_it(self, talk, data):
        with pytest.raises(ChannelProtocol):
            talk(lambda request: data)

    def test_silence_is_a_timeout(self, talk):
        start = time.monotonic()
        with pytest.raises(ChannelTimeout):
            talk(lambda request: b"", seconds=0.2)
        assert 0.2 <= time.monotonic() - start < 20

    def test_half_a_frame_is_a_timeout(self, talk):
        with pytest.raises(ChannelTimeout):
            talk(lambda request: frame(reply(request))[:-1], seconds=0.2)

    def test_drops_do_not_prolong_the_time(self, talk):
        def answer(request):
            time.sleep(0.5)
            return frame(reply(request))

        with pytest.raises(ChannelTimeout):
            talk(answer, seconds=0.1)

    def test_end_of_the_worker(self, talk):
        with pytest.raises(ChannelClosed):
            talk(lambda request: None)
        with pytest.raises(ChannelClosed):
            for _ in range(3):
                talk.channel.ask({"op": "again"}, 5)

    def test_worker_that_does_not_read_is_a_timeout(self):
        inside_read, to_worker = os.pipe()
        from_worker, inside_write = os.pipe()
        with pytest.raises(ChannelTimeout):
            Channel(to_worker, from_worker).ask({"op": "x", "data": bytes(2**20)}, 0.2)
        for fd in (inside_read, inside_write, to_worker, from_worker):
            os.close(fd)

    def test_request_that_cannot_be_sent_is_our_own_error(self, talk):
        with pytest.raises(codec.CodecError):
            talk(lambda request: b"", x=object)


GOOD = {"id": b"", "ok": True, "value": 1, "outputs": []}
BAD = {"id": b"", "ok": False, "error": {"type": "", "message": "", "trace": ""}, "outputs": []}


class TestCheckReply:
    def test_passes_what_workers_send(self):
        check_reply(GOOD | {"outputs": [["text", "a"], ["png", PNG]]}, 10)
        check_reply(BAD, 10)

    @pytest.mark.parametrize(
        "change",
        [
            {"ok": 1},
            {"ok": False},
            {"error": 1},
            {"outputs": None},
            {"outputs": [["html", "<script>"]]},
            {"outputs": [["text"]]},
            {"outputs": [["text", b"a"]]},
            {"outputs": [("text", "a")]},
            {"outputs": [["text", "a" * 1300]]},
            {"outputs": [["text", "a" * 700], ["text", "a" * 600]]},
            {"outputs": [["png", b"GIF89a"]]},
            {"outputs": [[np.zeros(3), "a"]]},
            {codec.Tensor(np.zeros((6,) * 9, np.int8)): 1},  # its text would take minutes
            {"outputs": [["png", PNG + bytes(17_000)]]},
        ],
    )
    def test_refuses_another_form(self, change):
        with pytest.raises(ChannelProtocol):
            check_reply(GOOD | change, 1000)

    @pytest.mark.parametrize(
        "error",
        [
            None,
            {"type": "", "message": ""},
            {"type": "", "message": "", "trace": 3},
            {"type": "", "message": "a" * (channel.MAX_TEXT + 1), "trace": ""},
        ],
    )
    def test_refuses_errors_of_another_form(self, error):
        with pytest.raises(ChannelProtocol):
            check_reply(BAD | {"error": error}, 1000)
