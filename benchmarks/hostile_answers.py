"""Hostile submissions of the small assignment, each with the points that it must get.

What ends a cell or a call costs that cell or call; the rest still earns its points.
"""

from tests import grading_course as course

FULL, HALF = course.POINTS["right"], 2.0  # all, and the two points of the other question
CELLS = {
    "a loop without end": "while True:\n    pass",
    "exit": "import os\nos._exit(0)",
    "much memory": "hoard = [bytearray(2**26) for _ in range(40)]",
    "forks": "import os\nfor _ in range(10**6):\n    os.fork()",
    "much output": "for _ in range(10**5):\n    print('spam ' * 200)",
    "killing everybody": "import os\nos.kill(-1, 9)",
    "broken pipes": "import os\nos.write(4, b'x' * 1000)\nos.close(3)",
}
ANSWERS = {
    "equal to anything": "class Any(float):\n    def __eq__(self, other):\n        return True\n"
    "    __ne__ = None\n\ndef normalize(x):\n    return Any(1)",
    "patched comparisons": "import numpy.testing, builtins\n"
    "np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n"
    "builtins.abs = lambda x: 0\n\ndef normalize(x):\n    return x",
    "a call without end": "def normalize(x):\n    while True:\n        pass",
    "exit in a call": "import os\n\ndef normalize(x):\n    os._exit(0)",
    "a value of 240 MB": "def normalize(x):\n    return np.zeros(30_000_000)",
    "pickle": "class Evil:\n    def __reduce__(self):\n        return (exec, ('1/0',))\n\n"
    "def normalize(x):\n    return Evil()",
}
BYTES = {
    "half a notebook": lambda data: data[: len(data) // 2],
    "many brackets": lambda data: b"[" * 200_000,
    "no notebook at all": lambda data: b"\x89PNG\r\n" + data,
}


def notebooks(release):
    """Return title to a function that makes (bytes, points) for a student.

    Parameters
    ----------
    release : str
        The released notebook.

    Returns
    -------
    makers : dict
    """
    makers = {}
    for title, source in CELLS.items():
        makers[title] = lambda student, source=source: (
            course.answered(release, course.RIGHT, [f"# {student}\n{source}"]),
            FULL,
        )
    for title, source in ANSWERS.items():
        makers[title] = lambda student, source=source: (
            course.answered(release, course.RIGHT | {"normalize": source}, [f"# {student}"]),
            HALF,
        )
    for title, change in BYTES.items():
        makers[title] = lambda student, change=change: (
            change(course.answered(release, course.RIGHT, [f"# {student}"])) + student.encode(),
            0.0,
        )
    return makers
