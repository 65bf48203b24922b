"""Hostile submissions, end to end: what they get, what is left of them, what they learn."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib.grading import box, grader, places
from course_lib.grading.checks import check, close
from tests import grading_submissions as sub
from tests.grading_submissions import NORMALIZE, SMOOTH, hand_in

pytest_plugins = "tests.grading_support"
ROOT = Path(__file__).resolve().parents[1]
MARK = "a-pickle-was-loaded"


def mark(data, kind, **options):
    """Grade; whatever the student does, the result is whole and the machine not to blame."""
    result = grader.grade(data, sub.bundle(**options), kind, sub.SECRET)
    assert result["infrastructure"] is None
    assert result["points"] is not None
    json.dumps(result, allow_nan=False).encode()
    return result


def reasons(result):
    return [c["reason"] for q in result["questions"] for c in q["checks"]]


def points(result):
    return {q["name"]: q["points"] for q in result["questions"] if not q["manual"]}


def statuses(result):
    return [cell["status"] for cell in result["cells"] if cell["role"] != "locked"]


def of_students(result):
    """All that a student gets to see of a result, as text."""
    shown = [result["cells"], result["flags"], result["written"], result["points"]]
    for question in result["questions"]:
        for entry in question["checks"]:
            hidden = {"name", "title", "detail"} if entry["hidden"] else set()
            shown.append({k: v for k, v in entry.items() if k not in hidden})
    return json.dumps(shown)


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


class TestLeaks:
    """The input of a hidden check goes into the student's function, and stays there."""

    def leak(self, kind, normalize, **options):
        drawn = []

        @check("normalize", points=1)
        def first(student):
            """Visible."""
            student.normalize(np.ones(2))

        @check("normalize", points=2, hidden=True)
        def hidden(student, solution, rng):
            """Random weights."""
            x = np.round(rng.uniform(0.1, 5, size=3), 4)
            drawn.extend(x.tolist())
            close(student.normalize(x), solution.normalize(x))

        options = {"checks": [first, hidden, *sub.CHECKS[2:]], **options}
        result = mark(hand_in(normalize, last=["print('behind')"]), kind, **options)
        seen = of_students(result)
        for number in drawn:
            assert str(number)[:5] not in seen
        assert drawn
        return result

    @pytest.mark.parametrize(
        "body",
        [
            "raise ValueError(f'input {x.tolist()}')",
            "assert False, f'input {x.tolist()}'",
            "raise type('X' + '_'.join(map(str, x.tolist())), (Exception,), {})()",
            "raise type('X' + '_'.join(map(str, x.tolist())), (ValueError,), {})(x.tolist())",
            "raise KeyError(x.tolist())",
            "raise ExceptionGroup(str(x.tolist()), [ValueError(str(x.tolist()))])",
            "return str(x.tolist())",
            "return {str(x.tolist()): 1}",
            "return type('X' + str(x.tolist()), (), {})()",
            "return np.zeros((0, *[int(1e4 * v) for v in x]))",
            "return np.zeros([0] + [int(str(v)[:5].replace('.', '')) for v in x])",
            "print(x.tolist()); return x",
            "import sys; sys.stderr.write(str(x.tolist())); return x",
            "import os; os.write(4, str(x.tolist()).encode()); return x",
            "import os; print(x.tolist(), flush=True); os._exit(0)",
            "import warnings; warnings.warn(str(x.tolist())); return x",
            "raise SystemExit(str(x.tolist()))",
            "raise NameError('name ' + repr(str(x.tolist())) + ' is not defined')",
        ],
    )
    def test_hidden_input_is_withheld(self, sandbox_kind, body):
        guard = "if len(x) == 2: return x / x.sum()"
        result = self.leak(sandbox_kind, f"def normalize(x):\n    {guard}\n    {body}")
        assert result["questions"][0]["checks"][1]["points"] == 0

    @pytest.mark.parametrize(
        "end, words", [("pass", "your code raised"), ("os._exit(0)", "tried after hidden checks")]
    )
    def test_a_visible_check_cannot_tell_of_a_hidden_one(self, sandbox_kind, end, words):
        """Neither by its place among the checks, nor put behind them by ending the notebook."""

        @check("normalize", points=0.5)
        def plain(student):
            """Visible."""
            student.normalize(np.ones(2))

        @check("normalize", points=0.5)
        def after(student):
            """Visible, and the student's to answer."""
            student.tell()

        keep = f"""
import os
seen = []
def normalize(x):
    if len(x) == 2: {end}
    seen.append(x.tolist())
    return x / x.sum()
def smooth(x, k):
    seen.append(x.tolist())
    return x
def tell(): raise ValueError(f"seen {{[x for x in seen if len(x) > 2]}}")
"""
        checks = [sub.CHECKS[1], sub.CHECKS[3], plain, after]
        result = mark(hand_in(keep, smooth=keep), sandbox_kind, checks=checks)
        (told,) = [c for c in result["questions"][0]["checks"] if c["name"] == "after"]
        assert told["reason"] == "error" and words in told["message"]
        assert "[]" in told["message"] or "[" not in told["message"]

    def test_cells_that_run_again_cannot_tell(self, sandbox_kind):
        """What a call has kept, in files, processes or names, is gone when the cells run again."""
        keep = """
import os, glob
for f in glob.glob("/tmp/**/kept*", recursive=True) + glob.glob("/dev/shm/*"):
    print(open(f).read())
print(globals().get("kept"))
def normalize(x):
    global kept
    kept = x.tolist()
    if len(x) == 3:
        for folder in ("/tmp", os.getcwd(), "/dev/shm"):
            try: open(f"{folder}/kept", "w").write(str(kept))
            except OSError: pass
        if os.fork() == 0:
            os.setsid()
            import time; time.sleep(3)
        os._exit(0)
    return x / x.sum()
"""
        result = self.leak(sandbox_kind, keep)
        assert reasons(result)[1] == "killed: exit" and points(result)["smooth"] == 4

    def test_thread_that_waits_for_the_checks(self, sandbox_kind):
        wait = """
import threading, time, sys
got = []
def normalize(x):
    got.append(x.tolist())
    return x / x.sum()
def wait():
    while True:
        if got: print(got, flush=True); sys.stdout.flush()
        time.sleep(0.001)
threading.Thread(target=wait, daemon=True).start()
"""
        result = self.leak(sandbox_kind, wait)
        assert result["points"] == 7

    def test_a_cell_cannot_wait_for_the_checks(self, sandbox_kind):
        """Checks come when the last cell has ended: one that waits for them is cut."""
        wait = "got = []\ndef normalize(x):\n    got.append(x.tolist())\n    return x / x.sum()"
        wait += "\nwhile not got: pass\nprint(got)"
        result = self.leak(sandbox_kind, wait)
        assert statuses(result)[0] == "timeout"
        assert result["points"] == 7


class TestProtocol:
    FORGED = """
import os, struct, sys, threading
import gc
gc.unfreeze()
for o in gc.get_objects():
    if isinstance(o, dict) and "MAX_DEPTH" in o: codec = o
    if type(o).__name__ == "_Worker": worker = o
def forge(id=b"0" * 16, **more):
    reply = {"id": id, "ok": True, "value": np.array([0.5, 0.5]), "outputs": []}
    data = codec["encode"](reply | more)
    os.write(4, struct.pack(">I", len(data)) + data)
"""

    def test_early_and_forged_frames_are_dropped(self, each_kind):
        cell = self.FORGED + "\nfor _ in range(50): forge()\nfor i in range(20): forge(bytes([i]))"
        wrong = "def normalize(x):\n    forge()\n    return x"
        result = mark(hand_in(wrong, first=["import numpy as np", cell]), each_kind)
        assert points(result) == {"normalize": 0, "smooth": 4}
        assert set(statuses(result)) == {"ok"}

    @pytest.mark.parametrize(
        "attack",
        [
            "os.write(4, b'\\xff' * 99)",
            "os.write(4, struct.pack('>I', 5) + b'\\x80\\x04K\\x01.')",
            "os.close(4)",
            "os.close(3); os.close(4)",
            "[forge() for _ in range(200)]",
            "forge(outputs=[['html', '<script>']])\nfor o in []: pass",
            "os.dup2(os.open('/dev/null', os.O_RDWR), 4)",
        ],
    )
    def test_garbage_and_closed_pipes_cost_their_cell(self, sandbox_kind, attack):
        cell = f"import numpy as np\n{self.FORGED}\n{attack}"
        result = mark(hand_in(between=[cell]), sandbox_kind)
        assert result["points"] == 7
        dropped = "html" in attack
        assert statuses(result)[1] == ("ok" if dropped else "killed: protocol")

    def test_outputs_are_text_and_pictures_or_nothing(self, sandbox_kind):
        show = "from IPython.display import HTML, SVG, display\n"
        show += "display(HTML('<script>alert(1)</script>')); SVG('<svg></svg>')"
        take = "worker.outputs.take = lambda: [['html', '<script>alert(2)</script>']]"
        cells = ["import numpy as np\n" + self.FORGED, show, take]
        result = mark(hand_in(first=cells), sandbox_kind)
        assert statuses(result)[:3] == ["ok", "ok", "killed: protocol"]
        outputs = [output for cell in result["cells"] for output in cell["outputs"]]
        assert {kind for kind, _ in outputs} == {"text"}
        assert "<script>" not in json.dumps(outputs) and result["points"] == 7

    @pytest.mark.parametrize("reply", ["id=np.zeros(3)", "outputs=[[np.zeros(3), 'x']]"])
    def test_arrays_in_place_of_words_are_no_fault_of_the_machine(self, sandbox_kind, reply):
        own = "worker.outputs.take = lambda: [[np.zeros(3), 'x']]" if "outputs" in reply else ""
        cell = f"import numpy as np\n{self.FORGED}\n{own or f'forge({reply})'}"
        result = mark(hand_in(between=[cell]), sandbox_kind)
        assert result["points"] == 7
        assert statuses(result)[1] == ("killed: protocol" if own else "ok")

    def test_garbage_in_a_call_costs_the_check(self, sandbox_kind):
        wrong = "import os\ndef normalize(x):\n    os.write(4, b'\\xff' * 99)\n    return x"
        result = mark(hand_in(wrong), sandbox_kind)
        assert reasons(result)[:2] == ["killed: protocol"] * 2 and points(result)["smooth"] == 4

    def test_worker_taken_over_still_has_to_know_the_answer(self, sandbox_kind):
        """The student's process may do what it likes with the pipes: it can only answer."""
        cell = (
            self.FORGED
            + """
worker.answer = lambda request: {"ok": True, "value": np.array([0.5, 0.5])}
"""
        )
        result = mark(hand_in("def normalize(x): return x", last=[cell]), sandbox_kind)
        # The visible check wants just this, as it would from an honest function.
        assert reasons(result) == ["passed", "failed", "failed", "failed"]

    @pytest.mark.parametrize(
        "value, reason",
        [
            ("np.zeros(30_000_000)", "error"),
            ("np.broadcast_to(0.0, (10**6, 10**6))", "error"),
            ("10 ** 100_000", "error"),
            ("deep()", "error"),
            ("selfish()", "error"),
            ("'a' * 10**8", "error"),
            ("[[0.0]] * 10**7", "error"),
            ("np.zeros((0,) * 60)", "error"),
            ("evil()", "error"),
            ("type('Tensor', (), {'__module__': 'torch'})()", "error"),
            ("Ellipsis", "error"),
        ],
    )
    def test_value_that_is_too_much_costs_its_check(self, sandbox_kind, value, reason):
        source = f"""
def deep():
    x = []
    for _ in range(10_000): x = [x]
    return x
def selfish():
    d = {{}}
    d["d"] = d
    return d
class Evil:
    def __reduce__(self): return (__import__("os").system, ("touch /tmp/{MARK}",))
def evil(): return Evil()
def normalize(x): return {value}
"""
        result = mark(hand_in(source), sandbox_kind)
        assert points(result) == {"normalize": 0, "smooth": 4}
        assert reasons(result)[:2] == [reason] * 2
        assert not os.path.exists(f"/tmp/{MARK}")


# Stands on the command line of the worker, and so of all that it forks.
OWN_KB = 4 + os.getpid() % 60
OWN = replace(sub.LIMITS, output_kb=OWN_KB)


def alive():
    """Processes of our sandboxes, with their states."""
    found, mark = [], f"\0{1024 * OWN_KB}\0".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"worker.py" + mark in path.read_bytes():
                found.append(path.parent.joinpath("stat").read_text())
        except OSError:
            continue
    return found


def nothing_is_left(seconds=20):
    """Usually within some hundredths; a busy machine may take its time, sleepers last longer."""
    end = time.monotonic() + seconds
    while alive() and time.monotonic() < end:
        time.sleep(0.02)
    return not alive()


class TestResources:
    """Cut or limited, the rest is graded, and nothing is left of it after a second."""

    @pytest.mark.parametrize(
        "name, attack, expected",
        [
            ("loop", "while True: pass", {"timeout"}),
            ("loop in C", "sum(range(10**13))", {"timeout"}),
            ("sleep", "import time; time.sleep(1000)", {"timeout"}),
            (
                "alarm disarmed",
                "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
                {"timeout"},
            ),
            (
                "catches all",
                "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
                {"timeout"},
            ),
            ("exit", "import os; os._exit(0)", {"killed: exit"}),
            ("abort", "import os; os.abort()", {"killed: exit"}),
            ("sys.exit", "import sys; sys.exit(0)", {"error"}),
            ("kill(1)", "import os; os.kill(1, 9)", {"ok", "error"}),
            ("kill(-1)", "import os; os.kill(-1, 9)", {"ok", "error", "killed: exit"}),
            ("kill parent", "import os; os.kill(os.getppid(), 9)", {"ok", "error", "killed: exit"}),
            (
                "200 forks",
                "import os, time\nfor _ in range(200):\n    if os.fork() == 0:\n"
                "        os.setsid(); time.sleep(300)",
                {"error", "killed: processes"},
            ),
            (
                "busy forks",
                "import os\nif os.fork() == 0:\n    while True:\n        try:\n"
                "            if os.fork(): os._exit(0)\n        except OSError: pass",
                {"ok", "timeout", "killed: processes", "killed: memory", "killed: exit"},
            ),
            (
                "6 GB",
                "x = [bytearray(b'x' * 10**8) for _ in range(60)]",
                {"killed: memory"},
            ),
            (
                "medium processes",
                "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
                "        x = bytearray(b'x' * 10**8); time.sleep(60)\ntime.sleep(0.9)",
                {"killed: memory"},
            ),
            (
                "threads",
                "import threading, time\nfor _ in range(500):\n"
                "    threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
                {"error", "killed: processes"},
            ),
            (
                "5 GB to files",
                "import os\nfor i in range(500):\n"
                "    with open(os.path.join(os.environ['TMPDIR'], str(i)), 'wb') as f:\n"
                "        f.write(bytes(10 * 2**20)); f.flush()",
                {"error", "killed: files", "killed: memory"},
            ),
            ("lines", "for i in range(10**9): print(i)", {"timeout"}),
            ("400 MB print", "print('a' * (4 * 10**8))", {"ok", "killed: memory", "error"}),
            ("stack", "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", None),
            ("closed stdout", "import sys; sys.stdout.close = 1; sys.stdout = None", {"ok"}),
        ],
    )
    def test_in_a_cell(self, sandbox_kind, name, attack, expected):
        # What must be cut is cut soon; for the others the machine may be busy.
        limits = replace(OWN, cell_s=2 if expected and "timeout" in expected else 20)
        result = mark(hand_in(between=[attack]), sandbox_kind, limits=limits)
        assert result["points"] == 7, (name, statuses(result), reasons(result))
        assert expected is None or statuses(result)[1] in expected
        assert nothing_is_left()
        assert len(json.dumps(result)) < 200_000

    @pytest.mark.parametrize(
        "attack, expected",
        [
            ("while True: pass", "timeout"),
            ("sum(range(10**13))", "timeout"),
            ("import signal; signal.setitimer(0, 0)\n    while True: pass", "timeout"),
            ("import os; os._exit(0)", "killed: exit"),
            ("import os; os.kill(os.getpid(), 11)", "killed: exit"),
            ("return [bytearray(b'x' * 10**8) for _ in range(60)]", "killed: memory"),
        ],
    )
    def test_in_a_call(self, sandbox_kind, attack, expected):
        call_s = 20 if expected == "killed: memory" else 1
        limits = replace(sub.LIMITS, call_s=call_s)
        result = mark(hand_in(f"def normalize(x):\n    {attack}"), sandbox_kind, limits=limits)
        assert reasons(result)[:2] == [expected] * 2
        assert points(result) == {"normalize": 0, "smooth": 4}

    def test_cell_that_fills_the_memory_is_the_one_to_blame(self, sandbox_kind, monkeypatch):
        """Not the one behind it, in which the watch would find it."""
        monkeypatch.setattr(box, "POLL_S", 0.7)
        full = "x = [bytearray(b'x' * 10**7) for _ in range(30)]"
        result = mark(hand_in(between=[full]), sandbox_kind, limits=replace(OWN, cell_s=20))
        assert statuses(result) == ["ok", "killed: memory", "ok"] and result["points"] == 7

    def test_nothing_of_ours_is_left_either(self, each_kind, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = len(os.listdir("/proc/self/fd")), threading.active_count()
        exits = "import os\ndef normalize(x): os._exit(0)"
        result = mark(hand_in(exits, between=["import os; os._exit(0)"]), each_kind, limits=OWN)
        assert result["points"] == 4
        assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
        assert os.listdir(tmp_path) == [] and nothing_is_left()

    def test_grader_killed_takes_the_sandbox_along(self, each_kind):
        program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from dataclasses import replace
from course_lib.grading import grader
from tests import grading_submissions as sub
bundle = sub.bundle(limits=replace(sub.LIMITS, cell_s=60, output_kb={OWN_KB}))
grader.grade(sub.hand_in(first=["import time; time.sleep(50)"]), bundle, {each_kind!r}, b"s")
"""
        process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
        end = time.monotonic() + 30
        while not alive() and time.monotonic() < end:
            time.sleep(0.02)
        assert alive()
        process.kill()
        process.wait()
        assert nothing_is_left()

    def test_threads_left_behind_do_not_end_the_grading(self, sandbox_kind):
        late = "import threading, os\nthreading.Timer(0.3, os._exit, [0]).start()"
        wait = "import time; time.sleep(0.8)"
        result = mark(hand_in(last=[late, wait]), sandbox_kind)
        # The cell that was running is left out, and the bomb goes off again: up to three times.
        assert result["points"] in (0, 3, 4, 7)


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
        import socket

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


# Values as large as they may be, again and again; each is dropped or costs its check.
GREEDY = """
import gc
def lift(value):
    \"\"\"Frees the codec on this side of its bounds.\"\"\"
    gc.unfreeze()
    for o in gc.get_objects():
        if isinstance(o, dict) and "MAX_AXES" in o:
            o.update({name: 10**9 for name in list(o) if name.startswith("MAX_")})
            o.update(MAX_BYTES=2**24 - 1000, ARRAY_ITEMS=0)
    return value
def normalize(x):
    return ANSWER
def smooth(x, k):
    return np.zeros(1_900_000)
"""
ANSWERS = [
    "np.zeros(2_000_000)",
    "['\\U0001f600' + 'a' * 1_000_000] * 4",
    "'\\U0001f600' + 'a' * 4_000_000",
    "[np.zeros((0,) * 32) for _ in range(19_000)]",
    "[set() for _ in range(199_000)]",
    "[1j * i for i in range(199_000)]",
    "b'x' * 16_000_000",
    "lift(['\\U0001f600' + 'a' * 5_000_000] * 3)",
    "lift([np.zeros((0,) * 32) for _ in range(110_000)])",
    "lift([set() for _ in range(400_000)])",
    "lift([{} for _ in range(199_000)] + [set(range(4_000)) for _ in range(100)])",
]


def test_memory_of_the_grader_stays_below_100_mb(sandbox_kind):
    """In a process of its own, whose highest mark is read before and after each submission."""
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from course_lib.grading import grader
from course_lib.grading.checks import check, close
from tests import grading_submissions as sub
from tests import test_grading_attacks as attacks

@check("normalize", points=1, hidden=True)
def keeps(student, solution, rng):
    "Keeps all answers."
    x = rng.uniform(size=3)
    got = [student.normalize(x) for _ in range(5)]
    for each in got:
        close(each, solution.normalize(x))

def memory(name):
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1]) / 1024

bundle = sub.bundle(checks=[keeps, *sub.CHECKS], limits=sub.Limits(cell_s=20, call_s=20))
grader.grade(sub.hand_in(), bundle, {sandbox_kind!r}, b"s")
for name in [*attacks.ANSWERS, "frames", "prints", "notebook"]:
    data = attacks.greedy(name)
    open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
    before = memory("VmRSS")
    result = grader.grade(data, bundle, {sandbox_kind!r}, b"s")
    print(f"{{memory('VmHWM') - before:.0f}} MB, {{result['points']}} points,", name)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    lines = done.stdout.splitlines()
    assert len(lines) == len(ANSWERS) + 3, done.stderr
    print(done.stdout)
    assert [line for line in lines if float(line.split()[0]) >= 100] == []
    assert [line for line in lines if line.split()[2] != "0.0"] == []


def greedy(answer):
    """A submission that fills the grader's memory if it can."""
    if answer in ANSWERS:
        return hand_in(GREEDY.replace("ANSWER", answer), smooth="")
    if answer == "frames":
        flood = "import os, struct\nframe = struct.pack('>I', 2**24) + b'x' * 2**24\n"
        flood += "while True: os.write(4, frame)"
        return hand_in("", smooth="", first=[flood] * 3)
    if answer == "prints":
        picture = "from IPython.display import Image, display\n"
        picture += "p = b'\\x89PNG\\r\\n\\x1a\\n' + bytes(10**6)\n"
        picture += "display(Image(p, format='png'))\nprint('a' * 10**6)"
        return hand_in("", smooth="", first=[picture] * 60)
    return b'{"nbformat": 4, "cells": [' + b'"", ' * 4_900_000 + b'""]}'
