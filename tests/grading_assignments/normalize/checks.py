"""Checks of the fixture that the grader's tests share."""

import numpy as np

from course_lib.grading.checks import array, check, close, distribution


def positive_numbers(rng, size):
    """Helper of a visible check: goes into the released notebook with it."""
    return rng.uniform(0.1, 5, size=size)


@check("normalize", points=1)
def weights_sum_to_one(student, rng):
    """The weights are positive and sum to one."""
    distribution(student.normalize(positive_numbers(rng, 7)))


@check("normalize", points=1, hidden=True)
def proportions_stay(student, solution, rng):
    """Every entry is divided by the same sum."""
    hidden_weights = rng.uniform(0.1, 5, size=11)
    close(student.normalize(hidden_weights), solution.normalize(hidden_weights))


@check("running_mean", points=0.5)
def mean_of_three(student):
    """The running mean of 1, 2, 6 is 1, 1.5, 3."""
    close(student.running_mean(np.array([1.0, 2.0, 6.0])), np.array([1.0, 1.5, 3.0]))


@check("running_mean", points=1, hidden=True)
def long_series(student, solution, rng):
    """A thousand numbers with a trend."""
    hidden_series = rng.normal(size=1000) + np.linspace(0, 3, 1000)
    close(student.running_mean(hidden_series), solution.running_mean(hidden_series))


@check("running_mean", points=0.5, hidden=True)
def ends_right(student, solution, rng):
    """Half of the points for the first mean, half for the last."""
    hidden_drift = -rng.exponential(size=6)
    got = array(student.running_mean(hidden_drift), (6,))
    want = solution.running_mean(hidden_drift)
    return sum(abs(got[i] - want[i]) < 1e-9 for i in (0, -1)) / 2
