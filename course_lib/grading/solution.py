"""The reference solution as checks see it: a student who is always right."""

import contextlib
import io
import threading
from pathlib import Path

from course_lib.grading import codec

FILE = "solution.py"  # in a bundle


class Solution:
    """The reference: ``solution.NAME(...)`` and ``solution.NAME.value``, as plain copies.

    Its cells are run when the first name is asked for, once.

    Parameters
    ----------
    folder : path
        The bundle; its data is found as ``data`` by the cells, as in the sandbox.
    """

    _lock = threading.RLock()  # the working directory is the whole process'

    def __init__(self, folder):
        self._folder, self._space = Path(folder), None

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return _Reference(self, name)

    def _ask(self, name, args, kwargs, call):
        with self._lock, contextlib.chdir(self._folder):
            with contextlib.redirect_stdout(io.StringIO()):
                if self._space is None:
                    path, space = self._folder / FILE, {"__name__": "__main__"}
                    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)
                    self._space = space
                if name not in self._space:
                    raise LookupError(f"the solution defines no {name}")
                value = self._space[name]
                if call:
                    args, kwargs = codec.tensors(codec.decode(codec.encode((args, kwargs))))
                    value = value(*args, **kwargs)
        return codec.decode(codec.encode(value))


class _Reference:
    def __init__(self, solution, name):
        self._solution, self._name = solution, name

    def __call__(self, *args, **kwargs):
        return self._solution._ask(self._name, args, kwargs, call=True)

    @property
    def value(self):
        return self._solution._ask(self._name, (), {}, call=False)
