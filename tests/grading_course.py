"""A course folder with the small assignment "normalize" released and submissions in its inbox."""

import hashlib
import json
import re
from pathlib import Path

from course_lib.grading import assignment as assignments
from course_lib.grading import bundle as bundles
from course_lib.grading import files
from course_lib.grading.workspace import Workspace

NAME = "normalize"
SOURCE = Path(__file__).parent / "grading_assignments" / NAME
RIGHT = {
    "normalize": "def normalize(x):\n    return x / x.sum()",
    "running_mean": "def running_mean(x):\n    return np.cumsum(x) / np.arange(1, len(x) + 1)",
}
HALF = {"normalize": RIGHT["normalize"], "running_mean": "def running_mean(x):\n    return x"}
POINTS = {"right": 4.0, "half": 2.0}


def build(root, source=SOURCE):
    """Build an assignment into a course folder, without the self-test of a release."""
    assignment = assignments.read(source)
    bundles.build(assignment, Path(root, assignment.name))
    return Workspace(Path(root))


def answered(release, answers, more=()):
    """The released notebook with answers in it, and added cells of code at the end, as bytes."""
    notebook = json.loads(release)
    for cell in notebook["cells"]:
        if cell["id"] in answers:
            cell["source"] = answers[cell["id"]]
    for number, source in enumerate(more):
        cell = {"cell_type": "code", "id": f"more{number}", "source": source, "metadata": {}}
        notebook["cells"].append(cell | {"execution_count": None, "outputs": []})
    return json.dumps(notebook).encode()


def release(workspace, name=NAME):
    """The text of the released notebook."""
    return workspace.path(name, "release", f"{name}.ipynb").read_text(encoding="utf-8")


def hand_in(workspace, notebooks, name=NAME):
    """Put notebooks (student to bytes) into the inbox, and the students into the roster."""
    lines = ["student,name", *(f"{student},Student {student}" for student in notebooks)]
    files.write_file(Path(workspace.root, "roster.csv"), "\n".join(lines) + "\n")
    for student, data in notebooks.items():
        digest = hashlib.sha256(data).hexdigest()
        file = f"20300101T000000Z-{digest[:12]}.ipynb"
        files.write_file(workspace.path(name, "inbox", student, file), data)
        entry = {"file": file, "hash": digest, "submitted": "2030-01-01T00:00:00+00:00"}
        entry |= {"collected": entry["submitted"], "source": "folder", "flags": []}
        files.append_line(workspace.path(name, "inbox", student, "index.jsonl"), entry)


def snapshot(workspace, name=NAME):
    """All results: path to content, without the seconds that grading took."""
    folder = workspace.path(name, "results")
    files_ = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): re.sub(r'"seconds": [\d.]+', "", path.read_text())
        for path in files_
    }
