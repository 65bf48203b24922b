"""A made-up class: the reference, other right answers, the blank notebook, every wrong answer.

With it an instructor walks the whole way once, before real students do.
"""

from pathlib import Path

from course_lib.grading import files
from course_lib.grading.selftest import answered, reference


def write(assignment, release, folder):
    """Write notebooks as if students had handed them in, and a roster of these students.

    Parameters
    ----------
    assignment : Assignment
    release : path
        The notebook for students.
    folder : path
        Gets ``roster.csv`` and ``inbox/STUDENT/NAME.ipynb``; must not exist yet.

    Returns
    -------
    students : list of str
        ``reference``, ``blank`` and the names of the files in right/ and wrong/.

    Raises
    ------
    ValueError
        If the folder exists.
    """
    folder, text = Path(folder), Path(release).read_text(encoding="utf-8")
    if folder.exists():
        raise ValueError(f"{folder} exists; name a new folder for the practice class")
    right = reference(assignment)
    notebooks = {"reference": right, "blank": {}}
    for other in assignment.right + assignment.wrong:
        notebooks[other.name] = right | other.answers
    for student, answers in notebooks.items():
        files.write_file(
            folder / "inbox" / student / f"{assignment.name}.ipynb", answered(text, answers)
        )
    rows = [{"student": name, "name": name.replace("_", " ").capitalize()} for name in notebooks]
    files.write_csv(folder / "roster.csv", rows, ("student", "name"))
    return list(notebooks)
