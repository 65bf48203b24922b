"""The student's side: runs cells and calls functions, and sends plain data back.

Stands alone inside the sandbox with codec.py beside it. Nothing here protects the grader: whatever
runs in this process may replace all of it. It only serves the honest.

Started as ``worker.py OUTPUT_BYTES PACKAGES...``.
"""

import base64
import binascii
import contextlib
import gc
import os
import signal
import struct
import sys
import traceback
import warnings
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

gc.disable()  # while importing; most of a submission's time is that
sys.path += sys.argv[2:]
# traitlets wants it for programs with log files; whoever imports it later gets the real one.
sys.modules["logging.config"] = ModuleType("logging.config")
sys.modules["logging.config"].dictConfig = None

from IPython.core.compilerop import CachingCompiler  # noqa: E402
from IPython.core.displayhook import DisplayHook  # noqa: E402
from IPython.core.displaypub import DisplayPublisher  # noqa: E402
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402
from IPython.core.pylabtools import select_figure_formats  # noqa: E402
from traitlets import Type  # noqa: E402
from traitlets.config import Config  # noqa: E402

del sys.modules["logging.config"]
# Not through sys.path: under Landlock this folder cannot be listed.
place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "codec.py")
spec = spec_from_file_location("codec", place)
codec = module_from_spec(spec)
spec.loader.exec_module(codec)

READ, WRITE = 3, 4
NO_PIPES = 74  # exit status: somebody has closed them
MAX_MESSAGE, MAX_TRACE = 2_000, 8_000  # characters


class Timeout(BaseException):
    """The time of a cell or call is over; not an Exception, so that few handlers catch it."""


class _Outputs:
    """What a cell prints and shows, up to a bound; takes the place of sys.stdout and stderr."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, bound):
        self.bound = bound
        self.clear()

    def clear(self):
        self.entries, self.text, self.pictures, self.cut = [], self.bound, 16 * self.bound, False

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.text > 0:
            # Lone surrogates cannot be sent.
            data = text[: self.text + 1].encode(errors="replace")
            self.cut = len(data) > self.text
            kept = data[: self.text].decode(errors="ignore")
            self.text -= len(data)
            if self.entries and self.entries[-1][0] == "text":
                self.entries[-1][1].append(kept)
            else:
                self.entries.append(("text", [kept]))
        elif text:
            self.cut = True
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def publish(self, data):
        """Take the picture of something shown, or else its text; nothing that a browser runs."""
        picture = data.get("image/png")
        if isinstance(picture, str):
            picture = base64.b64decode(picture)
        if picture:
            if len(picture) <= self.pictures:
                self.pictures -= len(picture)
                self.entries.append(("png", picture))
            else:
                self.write("[a picture was left out: too large]\n")
        elif "text/plain" in data:
            self.write(str(data["text/plain"]) + "\n")

    def take(self):
        """Return what has come since, as plain data, and start afresh."""
        taken = [[k, "".join(d) if k == "text" else d] for k, d in self.entries]
        if self.cut:
            taken.append(["text", "\n[more output was cut off]\n"])
        self.clear()
        return taken


def _make_shell(outputs):
    """Return an IPython shell whose displays end in ``outputs``, without files of its own."""

    class Hook(DisplayHook):
        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            outputs.publish(format_dict)

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, **more):
            outputs.publish(data)

    class Compiler(CachingCompiler):
        def get_code_name(self, raw_code, code, number):  # without OpenSSL, which its hash loads
            digest = binascii.crc32(code.encode(errors="replace"))
            return f"<ipython-input-{number}-{digest:08x}>"

    class Shell(InteractiveShell):
        compiler_class = Type(Compiler)
        displayhook_class = Type(Hook)
        display_pub_class = Type(Publisher)

        def enable_gui(self, gui=None):  # %matplotlib asks for one
            pass

        def init_completer(self):  # nobody presses Tab
            pass

        def ask_exit(self):  # exit() in a cell: the next cell still runs
            pass

        def _showtraceback(self, *error):  # the reply carries it
            pass

        def _format_exception_for_storage(self, *error, **more):  # it may run student code
            return {}

        def _tee(self, channel):  # a second copy of all that is printed, without a bound
            return contextlib.nullcontext()

    warnings.filterwarnings("ignore", "To exit: use")  # IPython's hint after sys.exit()
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    # With the folder given it need not import what finds one.
    return Shell.instance(config=config, ipython_dir=os.environ["IPYTHONDIR"])


class _Worker:
    """Answers requests from one pipe on the other."""

    def __init__(self, bound):
        self.outputs, self.pid = _Outputs(bound), os.getpid()
        self.shell = _make_shell(self.outputs)
        self.own_names = set(self.shell.user_ns)
        sys.stdout = sys.stderr = self.outputs
        signal.signal(signal.SIGALRM, self.over)
        gc.freeze()  # nor look through what we imported again and again
        gc.enable()

    def over(self, number, frame):
        raise Timeout("time is over")

    def serve(self):
        while True:
            (size,) = struct.unpack(">I", _take(4))
            request = codec.decode(_take(size))
            reply = self.answer(request)
            if os.getpid() != self.pid:  # a fork that a cell made: the question was its parent's
                os._exit(0)
            reply |= {"id": request["id"], "outputs": self.outputs.take()}
            try:
                data = codec.encode(reply)
            except Exception as error:  # the value is nothing that can be sent, or too much
                del reply["value"]
                data = codec.encode(reply | _failure(error))
            _put(struct.pack(">I", len(data)) + data)

    def answer(self, request):
        do = {"hello": self.hello, "cell": self.cell, "call": self.call}
        do |= {"names": self.names, "value": self.value}
        try:
            # The grader's own clock comes after this one, and harder.
            signal.setitimer(signal.ITIMER_REAL, request.get("seconds", 0))
            try:
                return {"ok": True, "value": do[request["op"]](request)}
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except BaseException as error:
            return _failure(error)

    def hello(self, request):
        return {"python": sys.version.split()[0], "codec": codec.MAX_BYTES}

    def cell(self, request):
        result = self.shell.run_cell(request["source"], store_history=True)
        self.show_figures()
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            raise error
        return None

    def show_figures(self):
        """Figures that were drawn and not shown."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            select_figure_formats(self.shell, {"png"})
            for number in pyplot.get_fignums():
                figure = pyplot.figure(number)
                self.outputs.publish(self.shell.display_formatter.format(figure)[0])
            pyplot.close("all")

    def call(self, request):
        args, kwargs = codec.tensors(request["args"]), codec.tensors(request["kwargs"])
        return self.find(request["name"])(*args, **kwargs)

    def value(self, request):
        return self.find(request["name"])

    def find(self, name):
        first, *more = name.split(".")
        if first not in self.shell.user_ns:
            raise NameError(f"name {first!r} is not defined")
        found = self.shell.user_ns[first]
        for part in more:
            found = getattr(found, part)
        return found

    def names(self, request):
        """Names that the notebook has defined, and whether they can be called."""
        names = {n: v for n, v in self.shell.user_ns.items() if n not in self.own_names}
        return {n: callable(v) for n, v in names.items() if not n.startswith("_")}


def _failure(error):
    """The part of a reply that tells of an exception; its text may itself fail to be made."""
    try:
        message = str(error)[:MAX_MESSAGE]
    except BaseException as second:
        message = f"(its message failed with {type(second).__name__})"
    try:
        trace = error.__traceback__  # from the student's own lines on, not ours nor IPython's
        while trace and not trace.tb_frame.f_code.co_filename.startswith("<ipython-input"):
            trace = trace.tb_next
        lines = traceback.format_exception(type(error), error, trace, limit=12)
        trace = "".join(lines)[-MAX_TRACE:]
    except BaseException:
        trace = ""
    texts = {"type": type(error).__name__[:200], "message": message, "trace": trace}
    clean = {name: text.encode(errors="replace").decode() for name, text in texts.items()}
    return {"ok": False, "error": clean}


def _take(size):
    parts = []
    while size:
        try:
            part = os.read(READ, min(size, 2**20))
        except OSError:
            os._exit(NO_PIPES)
        if not part:
            os._exit(0)  # the grader is gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _put(data):
    data = memoryview(data)
    while data:
        try:
            data = data[os.write(WRITE, data) :]
        except OSError:
            os._exit(NO_PIPES)


if __name__ == "__main__":
    _Worker(int(sys.argv[1])).serve()
