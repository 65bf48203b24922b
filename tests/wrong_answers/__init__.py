"""Wrong answers that every check must reject, and right ones that it must accept.

One module a chapter, with the chapter's name in ``course_lib/exercises``::

    from tests.wrong_answers import Args

    WRONG = {
        "check_one_step": [
            (np.array([0.11, 0.17]), "did you divide"),     # (answer, fragment of the message)
            (np.array([2 / 3, 1 / 3]), "this is the prior"),
            (np.array([0.6, 0.3]), "sum to 0.9"),
        ],
        "check_forward": [(lambda y, pi, A, B: ..., "predict before"), ...],  # a reader's function
        "check_two_things": [(Args(first, second), "fragment"), ...],         # two arguments
    }
    RIGHT = {"check_one_step": [np.array([0.4, 0.6])], ...}

tests/test_exercises.py runs them. Every check needs three wrong answers and one right one.
"""


class Args(tuple):
    """Several arguments of one check: ``Args(pi, A)`` calls ``check(pi, A)``."""

    __slots__ = ()

    def __new__(cls, *arguments):
        return super().__new__(cls, arguments)
