"""Hostile submissions, end to end: pretending, searching, network, broken files."""

import json
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib.grading import grader, places
from course_lib.grading.checks import check, close
from tests import grading_submissions as sub
from tests.grading_submissions import (
    NORMALIZE,
    SMOOTH,
    hand_in,
    mark,
    of_students,
    points,
    reasons,
    statuses,
)

pytest_plugins = "tests.grading_support"
ROOT = Path(__file__).resolve().parents[1]


class TestPretending:
    """No point for objects and patches that make comparisons come out right."""

    @pytest.mark.parametrize(
        "normalize",
        [
            sub.ALWAYS_EQUAL.format(base="", arguments=""),
            sub.ALWAYS_EQUAL.format(base="list", arguments="[0.5, 0.5]"),
            sub.ALWAYS_EQUAL.format(base="float", arguments="0.5"),
            sub.ALWAYS_EQUAL.format(base="str", arguments=""),
            "class A(np.ndarray): pass\ndef normalize(x): return (x / x.sum()).view(A)",
            "def normalize(x): return np.ma.masked_all(x.shape)",
            "def normalize(x): return np.array([None] * len(x))",
        ],
        ids=["object", "list", "float", "str", "ndarray", "masked", "object array"],
    )
    def test_objects_that_equal_everything(self, sandbox_kind, normalize):
        result = mark(hand_in(normalize), sandbox_kind)
        assert points(result) == {"normalize": 0, "smooth": 4}
        assert reasons(result)[:2] == ["error", "error"]

    def test_patches_of_what_compares(self, sandbox_kind):
        patch = """
import builtins, math, numpy.testing, sys, unittest
for module in (np, np.testing, math, builtins):
    for name in ("allclose", "isclose", "array_equal", "assert_allclose", "all", "any", "abs",
                 "isfinite", "max", "sum", "len", "type", "isinstance"):
        if hasattr(module, name):
            setattr(module, name, lambda *a, **k: True)
def normalize(x): return x * 0
"""
        result = mark(hand_in(normalize=patch), sandbox_kind)
        assert points(result)["normalize"] == 0

    @pytest.mark.parametrize(
        "value, words",
        [
            ("0.5", "a single float"),
            ("[]", "a list"),
            ("np.array([])", "shape (0,)"),
            ("np.array(0.5)", "shape ()"),
            ("np.array([[0.5, 0.5]])", "shape (1, 2)"),
            ("x.tolist()", "a list"),
            ("np.array([True, True])", "of bool"),
            ("np.array(['0.5', '0.5'])", "cannot be sent"),
            ("np.array([np.nan, np.nan])", "NaN"),
            ("None", "None"),
        ],
    )
    def test_other_kinds_and_shapes_fail_with_a_message(self, sandbox_kind, value, words):
        result = mark(hand_in(f"def normalize(x): return {value}"), sandbox_kind)
        assert points(result) == {"normalize": 0, "smooth": 4}
        assert words in result["questions"][0]["checks"][0]["message"]

    def test_checks_and_their_names_are_out_of_reach(self, sandbox_kind):
        """Names that checks use, replaced or redefined: they are others than the grader's."""
        names = "student solution rng close check run_check halves secret_weights grader SECRET"
        patch = "\n".join(f"{name} = lambda *a, **k: True" for name in names.split())
        wrong = "def normalize(x): return x"
        result = mark(hand_in(wrong, first=[patch], last=[patch]), sandbox_kind)
        assert points(result) == {"normalize": 0, "smooth": 4}

    def test_edited_check_and_locked_cells_have_no_effect(self, sandbox_kind):
        cells = [
            sub.code("import sys; np = None", "setup"),
            sub.code(NORMALIZE, "normalize"),
            sub.code("raise SystemExit", "flat"),
            sub.code("close = lambda *a: None", "halves"),
            sub.code(SMOOTH, "smooth"),
        ]
        result = mark(sub.notebook(cells), sandbox_kind)
        assert points(result) == {"normalize": 3, "smooth": 4}
        assert any("setup" in flag for flag in result["flags"])
        result = mark(sub.notebook([cells[1], cells[4]]), sandbox_kind)  # the others deleted
        assert points(result) == {"normalize": 3, "smooth": 4}


SPY = """
import gc, glob, inspect, os, sys, threading
from IPython import get_ipython
seen = []
def keep(*a, **k): seen.append(repr(a)[:2000])
for event in ("pre_run_cell", "post_run_cell", "pre_execute", "post_execute"):
    get_ipython().events.register(event, keep)
get_ipython().input_transformers_post.append(lambda lines: (keep(lines), lines)[1])
def hook(frame, event, arg):
    if len(seen) < 2000: seen.append(f"{frame.f_code.co_name} {list(frame.f_locals)[:9]}")
sys.setprofile(hook)
def look():
    sys.setprofile(None)
    found = list(seen)
    found += [repr(sys.argv), repr(dict(os.environ))]
    try: pids = [p for p in os.listdir("/proc") if p.isdigit()]
    except OSError: pids = ["self", str(os.getppid()), "1"]
    for pid in pids:
        for name in ("cmdline", "environ", "maps"):
            try: found.append(open(f"/proc/{pid}/{name}").read())
            except OSError: pass
    gc.unfreeze()
    for o in [*gc.get_objects(), *map(vars, list(sys.modules.values()))]:
        if isinstance(o, dict):
            found += [v[:5000] for v in list(o.values()) if type(v) is str]
        elif inspect.isframe(o) or inspect.iscode(o): found.append(repr(o))
    frame = sys._getframe()
    while frame:
        found.append(repr({k: str(v)[:500] for k, v in frame.f_locals.items() if k != "found"}))
        frame = frame.f_back
    for top, folders, files in [step for start in STARTS for step in os.walk(start)]:
        if top.startswith(("/proc", "/sys", "/usr", "/lib")) or "/python" in top:
            folders[:] = []
            continue
        for name in files:
            if name.endswith((".py", ".ipynb", ".json", ".md", ".toml", "secret")):
                try: found.append(open(os.path.join(top, name), errors="replace").read())
                except OSError: pass
    return "\\n".join(found)
def report():
    text, backwards = look(), NEEDLES
    return [str(len(text)), *[n[::-1] for n in backwards if n[::-1] in text]]
"""


PLACES = [str(places.HERE / "grader.py"), str(ROOT / "course_lib"), str(ROOT / "tests")]


class TestSearching:
    """Nothing of the checks, the solution or the secret is inside, at any time."""

    NEEDLES = ("needle_solution", "needle_check", "needle of a docstring", "needle_secret")

    def search(self, kind, folder, more=""):
        """What the student's code finds of them: before, in and after a hidden check."""
        found = []

        def needle_solution(x):
            return x / x.sum()

        @check("normalize", points=1, hidden=True)
        def needle_check(student, solution, rng):
            """A needle of a docstring."""
            found.append(student.report())
            x = rng.uniform(0.1, 5, size=7)
            close(student.normalize(x), solution.needle_solution(x))
            found.append(student.report())

        (folder / "checks.py").write_text("needle_check")
        spy = SPY.replace("NEEDLES", repr([n[::-1] for n in self.NEEDLES]))
        spy = spy.replace("STARTS", repr(["/", str(folder)]))
        result = grader.grade(
            hand_in(first=[spy + more], last=["before = report()"]),
            sub.bundle(
                checks=[needle_check],
                solution=SimpleNamespace(needle_solution=needle_solution),
                limits=sub.Limits(cell_s=60, call_s=60),
                folder=folder,
            ),
            kind,
            b"needle_secret",
        )
        assert (reasons(result), set(statuses(result))) == (["passed"], {"ok"})
        assert len(found) == 2 and all(int(length) > 10_000 for length, *_ in found)
        return {needle for _, *needles in found for needle in needles}, of_students(result)

    def test_files_processes_memory_environment_hooks(self, each_kind, tmp_path):
        found, shown = self.search(each_kind, tmp_path)
        assert found == set()
        assert not any(needle in shown for needle in self.NEEDLES)

    def test_the_search_would_find_them(self, sandbox_kind, tmp_path):
        plant = "\nplanted = 'needle_secret'\nopen('a.py', 'w').write('needle_check')"
        plant = plant.replace("'a.py'", "os.environ['TMPDIR'] + '/a.py'")
        found, _ = self.search(sandbox_kind, tmp_path, plant)
        assert found == {"needle_secret", "needle_check"}

    def test_library_and_grader_are_not_there(self, each_kind):
        source = f"""
import os, sys
for name in ("course_lib", "course_lib.grading.checks", "checks", "solution"):
    try: print(__import__(name))
    except ModuleNotFoundError: pass
for path in {PLACES!r}:
    try: print(os.listdir(path) if os.path.isdir(path) else open(path).read())
    except OSError: pass
"""
        result = mark(hand_in(first=[source]), each_kind)
        assert result["cells"][0]["status"] == "ok" and result["cells"][0]["outputs"] == []


class TestOutside:
    def test_network_and_forbidden_calls(self, each_kind):
        source = """
import ctypes, os, socket
for kind, address in ((socket.AF_INET, ("127.0.0.1", PORT)), (socket.AF_INET, ("192.0.2.1", 80))):
    try:
        with socket.socket(kind) as s:
            s.settimeout(1)
            s.connect(address)
            print("connected", address)
    except OSError: pass
libc = ctypes.CDLL(None, use_errno=True)
calls = dict(unshare=(272, 0x10000000), mount=(165, 0), ptrace=(101, 16), bpf=(321, 0),
             io_uring_setup=(425, 1), keyctl=(250, 0))
for name, (number, first) in calls.items():
    if os.uname().machine == "x86_64" and libc.syscall(number, first, 0, 0, 0, 0) >= 0:
        print(name, "worked")
"""

        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            source = source.replace("PORT", str(listener.getsockname()[1]))
            result = mark(hand_in(first=[source]), each_kind)
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
        assert result["cells"][0]["status"] == "ok" and result["cells"][0]["outputs"] == []


class TestBrokenFiles:
    @pytest.mark.parametrize(
        "data, reason",
        [
            (hand_in()[: len(hand_in()) // 2], "unreadable"),
            (b"[" * 200_000, "unreadable"),
            (b'{"nbformat": 4, "cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "unreadable"),
            (b"[]", "unreadable"),
            (b'{"nbformat": "4", "cells": {}}', "unreadable"),
            (b"\0" * 1000, "unreadable"),
            (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "unreadable"),
            (b"x" * (25 * 2**20), "too large"),
            (b'{"nbformat": 4, "cells": [' + b"[]," * 6_000_000 + b"[]]}", "too large"),
        ],
        ids=lambda v: repr(v[:12]) if isinstance(v, bytes) else v,
    )
    def test_is_a_score_with_a_reason(self, sandbox_kind, data, reason):
        result = mark(data, sandbox_kind)
        assert set(reasons(result)) == {reason} and result["points"] == 0

    def test_odd_cells_do_not_cost_the_others(self, sandbox_kind):
        table = json.loads(hand_in(first=["print('a\ud800b\\0')", "\0", "\ud800 = 1"]))
        table["cells"] += [3, None, {}, {"cell_type": "code", "source": 3}, {"cell_type": []}]
        table["cells"].append({"cell_type": "code", "source": ["x", 1], "metadata": []})
        result = mark(json.dumps(table).encode(), sandbox_kind)
        assert result["points"] == 7 and result["flags"]
