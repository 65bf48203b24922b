"""A made-up class taken through a term by the real commands, and its marks beside the known ones.

Also for the benchmark, which does the same with a large class.
"""

import contextlib
import csv
import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from course_lib.grading import assignment as assignments
from course_lib.grading._made_up_notebooks import SAYS
from course_lib.grading.selftest import reference

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "course_lib.grading.cli")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def grade(*arguments, codes=(0,)):
    """Run a verb of the command; return what it prints."""
    command = [*COMMAND, *map(str, arguments)]
    ran = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    if ran.returncode not in codes:
        raise AssertionError(f"{arguments}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
    return ran.stdout


def rows(path):
    """The rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def known(folder):
    """(student, assignment) to the row of known.csv."""
    return {(row["student"], row["assignment"]): row for row in rows(folder / "known.csv")}


def term(folder, name, jobs=2):
    """Take one released assignment from the download to the grades; yield each step's name."""
    # A PDF is not taken, and said so.
    work = ("--work", folder)
    zip_file = folder / "downloads" / f"{name}.zip"
    grade("collect", name, zip_file, "--from", "moodle", *work, codes=(0, 1))
    yield "collect"
    grade("run", name, "--jobs", jobs, *work)
    yield "run"
    review(folder, name)
    yield "review"
    grade("feedback", name, *work)
    yield "feedback"
    for to in ("csv", "moodle"):
        grade("export", name, "--to", to, *work)
    yield "export"


def review(folder, name):
    """Read every written answer on the page of `review`, and press the lines that it deserves."""
    source = assignments.read(folder / "assignments" / name)
    right = reference(source)
    models = {
        question.name: "\n\n".join(
            right[cell.id].strip()
            for cell in source.cells
            if cell.question == question.name and cell.id in right
        )
        for question in source.questions
        if question.manual
    }
    with page(folder, name) as ask:
        desk = ask("desk")
        for n, number in enumerate(desk["items"]):
            question = desk["questions"][number]
            item = ask(f"item?n={n}")
            pressed = deserved(item["written"], question, models[question["name"]])
            given = sum(question["rubric"][i]["points"] for i in pressed)
            mark = {"n": n, "points": min(given, question["points"]), "rubric": pressed}
            ask("mark", mark | {"comment": "", "seen": item["seen"]})


def deserved(written, question, model):
    """Places of the rubric's lines that an answer deserves: all, those that it quotes, or none."""
    if written.strip() == model.strip():
        return [i for i, line in enumerate(question["rubric"]) if line["points"] > 0]
    quoted = written.split(SAYS)[-1] if SAYS in written else ""
    return [i for i, line in enumerate(question["rubric"]) if line["text"] in quoted]


@contextlib.contextmanager
def page(folder, name):
    """Start `review`; gives a function that asks the page (or posts to it) and returns JSON."""
    command = [*COMMAND, "review", name, "--no-browser", "--marker", "Script", "--work", folder]
    program = subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    try:
        url = re.search(r"http://\S+/", program.stdout.readline())[0]

        def ask(path, entry=None):
            data = None if entry is None else json.dumps(entry).encode()
            head = {"Content-Type": "application/json"} if data else {}
            request = urllib.request.Request(url + path, data, head)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)

        yield ask
    finally:
        program.terminate()
        program.wait(timeout=30)
        program.stdout.close()


def wrong_marks(folder, name):
    """Student to what is wrong with their line in grades.csv, where it is not the known one."""
    found = {row["student"]: row for row in rows(folder / name / "grades.csv")}
    wanted = {s: row for (s, assignment), row in known(folder).items() if assignment == name}
    problems = {student: "not known" for student in found.keys() - wanted.keys()}
    for student, want in wanted.items():
        got = found.get(student, {})
        marks = {column: got.get(column) for column in ("automatic", "total")}
        if marks["automatic"]:  # where nothing came, nobody has marked or is late
            marks |= {"manual": manual_points(got, folder, name)}
            marks |= {"late_percent": got["late_percent"]}
        wrong = [
            f"{column} {value or 'nothing'}, known is {want[column] or 'nothing'}"
            for column, value in marks.items()
            if not equal(value, want[column])
        ]
        if wrong or not got:
            problems[student] = f"{'; '.join(wrong) or 'no row'} ({want['why']})"
    return problems


def manual_points(row, folder, name):
    """Points that people gave, summed over their questions."""
    questions = [
        q.name for q in assignments.read(folder / "assignments" / name).questions if q.manual
    ]
    return sum(float(row[question] or 0) for question in questions)


def equal(one, other):
    """Whether two numbers of CSV files are equal; nothing equals nothing only."""
    if one in ("", None) or other in ("", None):
        return one in ("", None) and other in ("", None)
    return abs(float(one) - float(other)) < 1e-6
