"""One submission in, one result out: the trusted side of marking.

The student's notebook runs in a sandbox and answers questions; checks, reference solution and
points stay here. What a student does costs points, with a reason. What fails on this side becomes
``infrastructure``, one line for the instructor and no points at all, never a zero.
"""

import base64
import hashlib
import hmac
import math
import time
import traceback

import numpy as np

from course_lib.grading import checks, notebook, results
from course_lib.grading.channel import ChannelError
from course_lib.grading.session import ENDS, Session
from course_lib.grading.student import Student

MAX_MESSAGE, MAX_DETAIL = 1_000, 10_000  # characters
TELLING = ("error", "failed", "partial", "missing")  # what comes with a text of its own
WITHHELD = "It was tried after hidden checks, because another one ended or stalled the notebook."


class CheckBroken(RuntimeError):
    """A check raised what it should not: the bundle's fault, never a student's."""


def grade(data, bundle, kind, secret, student=""):
    """Mark one submission.

    Parameters
    ----------
    data : bytes
        The notebook as it was handed in.
    bundle : Bundle
    kind : str
        One of ``sandbox.KINDS``.
    secret : bytes
        The course's; with the submission it draws the inputs of hidden checks.
    student : str, default=""
        Goes into the result as it is.

    Returns
    -------
    result : dict
        Plain data for JSON. Whatever the student did, it has points and reasons. If the machine,
        the bundle or a check failed, ``infrastructure`` says how and ``points`` is None.
    """
    start = time.monotonic()
    manifest, digest = bundle.manifest, hashlib.sha256(data).hexdigest()
    result = results.empty(manifest, bundle.digest, digest, student, kind)
    try:
        seed = hmac.new(secret, digest.encode(), "sha256")
        entries = _entries(data, bundle, kind, seed, result)
        result["questions"] = [_question(q, bundle.checks, entries) for q in manifest.questions]
        result["points"] = _sum(q["points"] for q in result["questions"] if not q["manual"])
    except Exception as error:  # of ours: nothing that a student's code raises arrives as itself
        result["infrastructure"] = _one_line(error)
    result["seconds"] = round(time.monotonic() - start, 3)
    return result


def _entries(data, bundle, kind, seed, result):
    """Run the notebook and the checks; returns what came of each check, by its name."""
    manifest = bundle.manifest
    try:
        reading = notebook.read(data, manifest, manifest.limits.notebook_mb)
    except notebook.Unreadable as error:
        return {check.name: _entry(check, error.reason, error.message) for check in bundle.checks}
    result["flags"], result["written"] = list(reading.flags), dict(reading.written)
    entries = {}
    limits = manifest.limits
    with Session(kind, limits, reading.cells, bundle.data_dir) as session:
        session.ready()
        # Visible ones first: what they tell may be a text of the student's, who may have put an
        # input into it that a hidden one has shown.
        waiting = sorted(bundle.checks, key=lambda check: check.hidden)
        shown = False
        while waiting:
            check = waiting.pop(0)
            entry = entries[check.name] = _check(check, session, bundle.solution, limits, seed)
            if shown and not check.hidden and entry["reason"] in TELLING:
                entry["message"] = WITHHELD
            shown = shown or check.hidden
            if entry["reason"] in ENDS:
                # What costs time or restarts comes last, so that it costs the other questions none.
                waiting.sort(key=lambda later, bad=check.question: later.question == bad)
        result["cells"] = [_cell(cell) for cell in session.cells]
    return entries


def _check(check, session, solution, limits, seed):
    """Ask one check for its mark."""
    if not session.ready():
        left = "The notebook's time was over before this check."
        if session.lost != "timeout":
            left = f"Not tried any more, the notebook had failed too often: {ENDS[session.lost]}"
        return _entry(check, session.lost, left)
    student = Student(session, limits.call_s)
    with np.errstate(all="ignore"):  # a student's numbers may overflow in a comparison
        try:
            outcome = checks.run_check(check, student, solution, _rng(check, seed))
        except ChannelError:
            outcome = None
        except Exception as error:
            raise CheckBroken(_where(check, error)) from error
    # Whatever the check has made of it.
    if session.lost:
        return _entry(check, session.lost, ENDS[session.lost])
    return _entry(check, outcome.reason, outcome.message, outcome.detail, outcome.points)


def _where(check, error):
    """An exception of a check, with its line in the check."""
    code = check.run.__code__
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code is code]
    at = f" (line {lines[-1]} of {code.co_filename})" if lines else ""
    return f"check {check.name}{at}: {type(error).__name__}: {error}"


def _rng(check, seed):
    """The check's own generator: the same on each run; for hidden ones nobody else knows it."""
    if not check.hidden:
        return checks.visible_rng(check.name)
    own = seed.copy()
    own.update(b"\0" + check.name.encode())
    return np.random.Generator(np.random.PCG64(int.from_bytes(own.digest())))


def _entry(check, reason, message="", detail="", points=0.0):
    return {
        "name": check.name,
        "title": check.title,
        "points": round(float(points), 9),
        "max": check.points,
        "hidden": check.hidden,
        "reason": reason,
        "message": _cut(message, MAX_MESSAGE),
        "detail": _cut(detail, MAX_DETAIL),
    }


def _question(question, checks_, entries):
    own = [entries[check.name] for check in checks_ if check.question == question.name]
    return {
        "name": question.name,
        "points": None if question.manual else _sum(entry["points"] for entry in own),
        "max": question.points,
        "manual": question.manual,
        "checks": own,
    }


def _cell(cell):
    outputs = [
        [kind, base64.b64encode(data).decode() if kind == "png" else data]
        for kind, data in cell.outputs
    ]
    return {
        "id": cell.id,
        "role": cell.role,
        "source": cell.source,
        "status": cell.status,
        "message": _cut(cell.message, MAX_DETAIL),
        "outputs": outputs,
    }


def _sum(points):
    return round(math.fsum(points), 9)


def _cut(text, size):
    return text if len(text) <= size else text[:size] + " ..."


def _one_line(error):
    text = str(error) if isinstance(error, CheckBroken) else f"{type(error).__name__}: {error}"
    return _cut(" ".join(text.split()), MAX_MESSAGE)
