"""One submission's cells in a sandbox, which is started again when they have ended it.

What cells print and raise is recorded the first time they run, and all of them run before the
first check: whatever a check tells the student's code later, no output can carry it out.
"""

import time
from dataclasses import dataclass, field

from course_lib.grading import places, sandbox
from course_lib.grading.channel import Channel, ChannelError, ChannelProtocol, ChannelTimeout
from course_lib.grading.student import MARGIN_S

MAX_RESTARTS = 3
ENDING_S = 1  # from a closed pipe to the end of its process
MAX_OUTPUT = 8 * 2**20  # bytes that all cells together may show, texts of exceptions included
CUT = ["text", "[more output was left out: the notebook shows too much]\n"]
NO_ROOM = "The text of the error was left out: the notebook shows too much."
ENDS = {
    "timeout": "It took more time than there is.",
    "killed: memory": "It used more memory than there is.",
    "killed: processes": "It started more processes than it may.",
    "killed: files": "It wrote more to files than it may.",
    "killed: exit": "It ended the Python process that runs the notebook.",
    "killed: protocol": "It closed or garbled the pipe through which the notebook is read.",
}


@dataclass
class RanCell:
    """A cell and what came of it; ``status`` is "ok", "error", "skipped" or one of ``ENDS``.

    One that ``ended_it``, the sandbox, is left out when the others run again.
    """

    id: str
    role: str
    source: str
    status: str = "skipped"
    message: str = ""
    outputs: list = field(default_factory=list)
    ended_it: bool = False


class Session:
    """The sandbox of one submission; a context manager that leaves nothing behind.

    Parameters
    ----------
    kind : str
        One of ``sandbox.KINDS``.
    limits : Limits
    cells : sequence of notebook.CodeCell
        In the order in which they run.
    data_dir : path, optional
        Folder that cells find as ``data``.
    """

    def __init__(self, kind, limits, cells, data_dir=None):
        self.cells = [RanCell(cell.id, cell.role, cell.source) for cell in cells]
        self.lost = None  # why the present sandbox is of no use any more
        self._kind, self._limits, self._data_dir = kind, limits, data_dir
        self._end = time.monotonic() + limits.total_s
        self._starts, self._shown, self._box, self._channel = 0, 0, None, None

    def ready(self):
        """Bring the notebook to the state behind its last cell, in a new sandbox if need be.

        Returns
        -------
        ready : bool
            False if its time or its restarts are used up; ``lost`` says by what.

        Raises
        ------
        sandbox.SandboxFailed
            If a sandbox does not start: the machine's fault.
        """
        while self._channel is None and self._starts <= MAX_RESTARTS and self._left() > 0:
            self._start()
            for cell in self.cells:
                if not cell.ended_it and self._left() > 0:
                    self._run(cell)
                if self._channel is None:
                    break
        if self._left() <= 0:
            self.lost = "timeout"
        return self.lost is None

    def ask(self, request, seconds):
        """Ask the worker, as :meth:`channel.Channel.ask` does, within the submission's time.

        Parameters
        ----------
        request : dict
            With the ``seconds`` after which the worker should cut the student's code.
        seconds : float

        Returns
        -------
        reply : dict

        Raises
        ------
        ChannelError
            The sandbox is gone then, and ``lost`` says why.
        """
        if self._channel is None:
            raise ChannelError("the sandbox has ended")
        left = max(0.001, self._left())  # 0 would mean no bound
        request = request | {"seconds": min(request["seconds"], left)}
        try:
            reply = self._channel.ask(request, min(seconds, left + MARGIN_S))
            if self._box.look():  # now, or the next cell would be blamed
                raise ChannelError("the sandbox has ended")
        except ChannelError as error:
            self.lost = self._reason(error)
            self.close()
            raise
        return reply

    def close(self):
        """End the sandbox; ``ready`` starts another one."""
        box, self._box, self._channel = self._box, None, None
        if box:
            box.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _left(self):
        return self._end - time.monotonic()

    def _start(self):
        limits = self._limits
        command = places.worker_command(limits)
        self._box = sandbox.start(self._kind, limits, command, self._data_dir)
        bound = 1024 * limits.output_kb
        self._channel = Channel(self._box.to_worker, self._box.from_worker, bound)
        self._starts, self.lost = self._starts + 1, None
        self._hello()

    def _hello(self):
        """Wait for the worker; one that does not answer before student code ran is our fault."""
        try:
            self._channel.ask({"op": "hello"}, sandbox.START_S)
        except ChannelError as error:
            cause = self._box.cause() or "it runs"
            raise sandbox.SandboxFailed(f"the worker does not answer: {error} ({cause})") from error

    def _run(self, cell):
        first, seconds = cell.status == "skipped", self._limits.cell_s
        request = {"op": "cell", "source": cell.source, "seconds": seconds}
        try:
            reply = self.ask(request, seconds + MARGIN_S)
        except ChannelError:
            cell.status, cell.message, cell.ended_it = self.lost, ENDS[self.lost], True
            return
        if not first:
            return
        cell.status, cell.outputs = "ok", self._keep(reply["outputs"])
        if not reply["ok"]:
            error = reply["error"]
            cell.status = "timeout" if error["type"] == "Timeout" else "error"
            message = error["trace"] or f"{error['type']}: {error['message']}"
            self._shown += len(message.encode())
            cell.message = message if self._shown <= MAX_OUTPUT else NO_ROOM

    def _keep(self, outputs):
        kept = []
        for kind, data in outputs:
            self._shown += len(data) if kind == "png" else len(data.encode())
            if self._shown > MAX_OUTPUT:
                return [*kept, CUT]
            kept.append([kind, data])
        return kept

    def _reason(self, error):
        """Why there is no answer: what the sandbox says, else what the channel has seen."""
        if isinstance(error, ChannelProtocol):
            return "killed: protocol"
        timeout = isinstance(error, ChannelTimeout)
        if not timeout:
            self._box.wait(ENDING_S)  # the watch may be about to say why
        cause = self._box.cause()
        if cause:
            return f"killed: {cause}"
        return "timeout" if timeout else "killed: protocol"
