"""The skeleton of a new assignment: small, complete, and released as it stands."""

import re
import shutil
import tempfile
from pathlib import Path

from course_lib.grading.assignment import NAME

ASSIGNMENT = '''\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# TITLE

**Time:** 60 to 120 minutes · **Points:** 3 · **You need:** the chapters that come before

Say here what the assignment is about, what to read first, and what counts as an answer.

```{code-cell} ipython3
:grade_id: setup
:role: locked

import numpy as np
```

+++

## 1. The spread of some numbers (2 points)

Write `spread(x)`: the difference between the largest and the smallest entry of an array.

**By hand.**
Of 3, 1 and 4 the largest is 4 and the smallest is 1, so the spread is 3.

```{code-cell} ipython3
:grade_id: spread
:role: answer

def spread(x):
    """Return the largest entry minus the smallest one."""
    ### BEGIN SOLUTION
    return np.max(x) - np.min(x)
    ### END SOLUTION
```

```{code-cell} ipython3
:role: check
:question: spread
```

+++

## 2. In words (1 point)

When does one more number leave the spread as it is?

+++ {"grade_id": "words", "role": "written", "question": "words"}

### BEGIN SOLUTION
When it lies between the smallest and the largest number so far.
### END SOLUTION
'''

CHECKS = '''\
"""Checks of NAME.

A visible check also runs in the student's notebook. A hidden one may ask for `solution`, the
reference, and for `rng`, random numbers that differ from submission to submission.
"""

import numpy as np

from course_lib.grading.checks import check, close


@check("spread", points=1)
def three_numbers(student):
    """The spread of 3, 1, 4 is 3."""
    close(student.spread(np.array([3.0, 1.0, 4.0])), 3.0)


@check("spread", points=1, hidden=True)
def random_numbers(student, solution, rng):
    """Random numbers, negative ones among them."""
    sample = rng.normal(size=11)
    close(student.spread(sample), solution.spread(sample))
'''

CONFIG = """\
title = "TITLE"
# due = 2030-03-01T23:59:00+01:00
# late_percent_per_day = 10
# late_max_percent = 50

# [limits]
# call_s = 5     # seconds for one call of a student's function
# torch = true   # twice the memory, for PyTorch

# People mark this question; each line of the rubric is a button on their page.
[[manual]]
question = "words"
points = 1

[[manual.rubric]]
points = 1
text = "Between the smallest and the largest number so far (or equal to one of them)."
"""

# Each file is a mistake that students make. A check that none of them fails is not released.
WRONG = {
    "largest_entry": '''\
# loses: spread=2
"""Returns the largest entry: takes the smallest one for 0."""

# grade_id: spread
def spread(x):
    return np.max(x)
''',
    "without_signs": '''\
# loses: spread=1
"""Loses the signs; positive numbers do not show it."""

# grade_id: spread
def spread(x):
    return np.max(np.abs(x)) - np.min(np.abs(x))
''',
}


def new(name, folder="assignments"):
    """Write the skeleton of an assignment.

    Parameters
    ----------
    name : str
        Letters, digits, - and _; becomes the folder's name.
    folder : path, default="assignments"
        Where the assignments are.

    Returns
    -------
    made : Path
        The new folder.

    Raises
    ------
    ValueError
        If the name cannot be used or the folder is there already.
    """
    title = re.sub(r"[_-]+", " ", re.sub(r"^\d+[_-]", "", name)).strip().capitalize() or name
    files = {"assignment.md": ASSIGNMENT, "checks.py": CHECKS, "config.toml": CONFIG}
    files |= {f"wrong/{wrong}.py": text for wrong, text in WRONG.items()}
    return write(
        name,
        folder,
        {f: t.replace("TITLE", title).replace("NAME", name) for f, t in files.items()},
    )


def write(name, folder, files):
    """Write a folder of text files, all or none of it.

    Parameters
    ----------
    name : str
    folder : path
        Made if it is missing.
    files : dict
        Path below the new folder to text.

    Returns
    -------
    made : Path

    Raises
    ------
    ValueError
        If the name cannot be used or the folder is there already.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be the name of an assignment: up to 60 letters, digits, - and _, "
            "such as 02_recurrent_cell"
        )
    made = Path(folder) / name
    if made.exists():
        raise ValueError(f"{made} is there already; choose another name, or remove it first")
    made.parent.mkdir(parents=True, exist_ok=True)
    space = Path(tempfile.mkdtemp(dir=made.parent, prefix=".new-"))
    try:
        space.chmod(0o755)  # mkdtemp closes it to others
        for path, text in files.items():
            (space / path).parent.mkdir(parents=True, exist_ok=True)
            (space / path).write_text(text, encoding="utf-8")
        space.rename(made)
    except BaseException:
        shutil.rmtree(space, ignore_errors=True)
        raise
    return made
