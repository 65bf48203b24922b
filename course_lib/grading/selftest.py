"""What a release must pass: the checks are tried on right, empty, wrong and odd answers.

A check that nothing fails, that breaks on a strange answer, or whose text students could read is
found here, before the first student is marked by it.
"""

import ast
import contextlib
import hmac
import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from course_lib.grading import grader
from course_lib.grading.checks import run_check, visible_rng
from course_lib.grading.handout import needed
from course_lib.grading.leaks import leaks
from course_lib.grading.odd import Odd, odd_students
from course_lib.grading.regions import solved

SECRETS = 3  # different hidden inputs for each answer
REFERENCE, BLANK = "the reference", "the blank notebook"
POINTS = 1e-6  # nearer than that, points are equal


def run(assignment, bundle, release, kind, secret, progress=None):
    """Try an assignment before it is released.

    Parameters
    ----------
    assignment : Assignment
    bundle : Bundle
    release : path
        The notebook for students.
    kind : str
        One of ``sandbox.KINDS``.
    secret : bytes
        The course's.
    progress : callable, optional
        Called with the number of steps done and of all.

    Returns
    -------
    problems : list of str
        Each says what is wrong and what to do; empty if the assignment can be released.
    """
    text = Path(release).read_text(encoding="utf-8")
    problems = (
        leaks(assignment, text) + fixed_texts(assignment) + chances(assignment) + fragile(bundle)
    )
    right = reference(assignment)
    secrets = [hmac.new(secret, b"self-test %d" % i, "sha256").digest() for i in range(SECRETS)]
    trials = [(REFERENCE, right, secrets), (BLANK, {}, secrets[:1])]
    trials += [(f"right/{r.name}.py", right | r.answers, secrets) for r in assignment.right]
    trials += [(f"wrong/{w.name}.py", right | w.answers, secrets) for w in assignment.wrong]
    jobs = [(name, answered(text, answers), key) for name, answers, keys in trials for key in keys]
    results = {name: [] for name, _, _ in trials}
    for done, (name, result) in enumerate(_graded(jobs, bundle, kind), 1):
        results[name].append(result)
        if progress is not None:
            progress(done, len(jobs))
    floor, wrong = assignment.config.floor, {f"wrong/{w.name}.py": w for w in assignment.wrong}
    failed = set()
    for name, several in results.items():
        found = []
        for result in several:
            if result["infrastructure"]:
                found.append(f"{name} could not be marked: {result['infrastructure']}")
            elif name in wrong:
                found += _of_wrong(name, wrong[name], result)
                failed |= _not_passed(result)
            else:
                found += _of_blank(result, floor) if name == BLANK else _of_right(name, result)
        problems += dict.fromkeys(found)
    for check in bundle.checks:
        if check.name not in failed:
            problems.append(
                f"check {check.name}: no file in wrong/ fails it, so nobody knows whether it "
                "checks anything; add a wrong answer, or take the check out"
            )
    return problems


def reference(assignment):
    """Return the answers of the reference solution.

    Parameters
    ----------
    assignment : Assignment

    Returns
    -------
    answers : dict
        Id of the cell to its source.
    """
    cells = [cell for cell in assignment.cells if cell.role in ("answer", "written")]
    return {cell.id: solved(cell.source, cell.id) for cell in cells}


def answered(text, answers):
    """Return the released notebook with other sources in its answer cells.

    Parameters
    ----------
    text : str
        JSON of the released notebook.
    answers : dict
        Id of the cell to its source.

    Returns
    -------
    data : bytes
    """
    table = json.loads(text)
    for cell in table["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return json.dumps(table).encode()


def fragile(bundle):
    """Try every check on students whose functions return odd things.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    problems : list of str
    """
    problems = []
    for check in bundle.checks:
        counted = Odd(bundle.solution, 0, lambda right: right())
        with contextlib.suppress(Exception), np.errstate(all="ignore"):  # told by the sandbox's run
            run_check(check, counted, bundle.solution, visible_rng(check.name))
        for name, student, nonsense in odd_students(bundle.solution, -counted._right):
            try:
                with np.errstate(all="ignore"):
                    rng = visible_rng(check.name)
                    outcome = run_check(check, student, bundle.solution, rng)
            except Exception as error:
                problems.append(
                    f"check {check.name}: raises {type(error).__name__} ({error}) if the "
                    f"student's code gives {name}; require the kind and shape first "
                    "(array, number, close)"
                )
                break
            if nonsense and outcome.points:
                problems.append(
                    f"check {check.name}: gives {outcome.points:g} points if the student's code "
                    f"gives {name}"
                )
                break
    return problems


def fixed_texts(assignment):
    """Find messages of hidden checks that are put together: they may tell what nobody should read.

    Parameters
    ----------
    assignment : Assignment

    Returns
    -------
    problems : list of str
    """
    hidden = [check.name for check in assignment.checks if check.hidden]
    problems = []
    for statement in needed(assignment.checks_source, hidden):
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            at = {"is_true": 1, "CheckFailed": 0}.get(node.func.id)
            if at is None:
                continue
            named = [keyword.value for keyword in node.keywords if keyword.arg == "message"]
            message = (node.args[at : at + 1] or named or [None])[0]
            if not (isinstance(message, ast.Constant) and isinstance(message.value, str)):
                problems.append(
                    f"checks.py line {node.lineno}: students see this message even of a hidden "
                    "check, so it must be a fixed text; put values into detail="
                )
    return problems


def chances(assignment):
    """Find what would give other marks on another day: random numbers without the check's ``rng``.

    Parameters
    ----------
    assignment : Assignment

    Returns
    -------
    problems : list of str
    """
    problems = []
    for node in ast.walk(ast.parse(assignment.checks_source)):
        found = ""
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", "")] if hasattr(node, "module") else []
            modules += [alias.name for alias in node.names]
            found = ", ".join(sorted({*modules} & {"random", "secrets", "numpy.random"}))
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np.random":
            found = "" if node.attr in ("Generator", "PCG64") else f"np.random.{node.attr}"
        if found:
            problems.append(
                f"checks.py line {node.lineno}: {found} gives other numbers on every run; "
                "use the parameter rng"
            )
    return problems


def _of_right(name, result):
    problems = [
        f"check {check['name']}: {name} does not pass it ({check['reason']}: "
        f"{check['message']} {_line(check['detail'])})"
        for check in _checks(result)
        if check["points"] < check["max"] - POINTS
    ]
    problems += [f"{name}: {flag}" for flag in result["flags"]]
    return problems + _of_cells(name, result)


def _of_blank(result, floor):
    problems = _of_cells(BLANK, result)
    if abs(result["points"] - floor) > POINTS:
        earned = ", ".join(c["name"] for c in _checks(result) if c["points"])
        problems.append(
            f"{BLANK} gets {result['points']:g} points ({earned or 'no check'}), "
            f"declared are {floor:g}; mend the checks, or set floor in config.toml"
        )
    return problems


def _of_cells(name, result):
    return [
        f"{name}: cell {cell['id']} ends with {cell['status']} ({_line(cell['message'])}); "
        "students who run all cells would stop there"
        for cell in result["cells"]
        if cell["status"] != "ok"
    ]


def _of_wrong(name, wrong, result):
    problems = []
    for question in result["questions"]:
        if question["manual"]:
            continue
        lost, stated = question["max"] - question["points"], wrong.loses.get(question["name"], 0)
        if abs(lost - stated) > POINTS:
            reasons = ", ".join(f"{c['name']} {c['reason']}" for c in question["checks"])
            problems.append(
                f"{name} loses {lost:g} points of {question['name']}, its first line says "
                f"{stated:g} ({reasons})"
            )
    return problems


def _line(text):
    """The last line of a message or trace."""
    return (text.strip().splitlines() or [""])[-1][:300]


def _not_passed(result):
    return {c["name"] for c in _checks(result) if c["points"] < c["max"] - POINTS}


def _checks(result):
    return list(itertools.chain.from_iterable(q["checks"] for q in result["questions"]))


def _graded(jobs, bundle, kind):
    """Mark notebooks, several at a time: the work is done by other processes, the sandboxes."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        waiting = [
            (name, pool.submit(grader.grade, data, bundle, kind, key)) for name, data, key in jobs
        ]
        try:
            for name, future in waiting:
                yield name, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
