"""Checks of Assignment 1. The visible ones are the examples that the text does by hand."""

import re

import numpy as np

from course_lib.grading.checks import (
    CheckFailed,
    StudentError,
    array,
    check,
    close,
    is_true,
    raises,
)

GARDEN_PI = np.array([0.6, 0.4])
GARDEN_A = np.array([[0.8, 0.2], [0.4, 0.6]])
GARDEN_B = np.array([[0.5, 0.2, 0.3], [0.25, 0.6, 0.15]])
GARDEN_WEIGHTS = np.array([[0.5, 0.25], [0.2, 0.6], [1.0, 1.0]])  # hum, roar, flat battery
LISTS = ("list", "tuple")  # are as good as arrays and pairs


def parts(got, count):
    """Take apart what a function returned: a tuple or list of so many things."""
    right = type(got) in (tuple, list) and len(got) == count
    is_true(right, "should return as many things as the text asks for, as a tuple")
    return got


def like(got, wrong):
    """Tell whether a value is that of a known mistake."""
    try:
        close(got, np.array(wrong) if type(wrong) is list else wrong, rtol=1e-6, kinds=LISTS)
    except CheckFailed:
        return False
    return True


def share_right(got, want):
    """Share of the wanted entries that are right."""
    is_true(type(got) is dict, "should be a dictionary")
    right = 0
    for key, value in want.items():
        try:
            close(got.get(key), value, rtol=1e-7, kinds=LISTS)
            right += 1
        except CheckFailed:
            pass
    return right / len(want)


# ---- part 1: weigh ------------------------------------------------------------------------------


@check("weigh", points=1)
def four_days(student):
    """Hum; roar; flat battery; roar, and the open hive shows restless bees."""
    sounds, opened = np.array([0, 1, -1, 1]), np.array([-1, -1, -1, 1])
    got = student.weigh(sounds, opened, GARDEN_B)
    want = np.array([[0.5, 0.25], [0.2, 0.6], [1.0, 1.0], [0.0, 0.6]])
    array(got, (4, 2))
    is_true(
        not like(got[2], [0.3, 0.15]),
        "Day 2 is weighed as quiet: B[:, -1] is the last word, not none",
    )
    is_true(not like(got[2], [0.0, 0.0]), "Day 2 has no notes. No evidence is weight 1, not 0")
    is_true(
        not like(got[3], [0.0, 1.0]),
        "Day 3: the look came on top of the word, do not forget the roar",
    )
    is_true(
        not like(got[3], [0.2, 0.6]),
        "Day 3: the open hive showed restless bees, settled is impossible",
    )
    close(got, want)


@check("weigh", points=0.5, hidden=True)
def flat_batteries(student, solution, rng):
    """A random hive whose microphone fails on some days."""
    B = rng.dirichlet(np.full(5, 2.0), size=3)
    sounds = rng.integers(0, 5, size=23)
    sounds[[0, 4, 11, 12, 22]] = -1
    never = np.full(23, -1)
    close(student.weigh(sounds, never, B), solution.weigh(sounds, never, B))


@check("weigh", points=0.5, hidden=True)
def looks_inside(student, solution, rng):
    """Mood 0 is seen as well, with a word and without one."""
    B = rng.dirichlet(np.full(4, 2.0), size=3)
    sounds = rng.integers(0, 4, size=17)
    opened = np.full(17, -1)
    opened[[0, 3, 8, 9, 16]] = 0, 2, 1, 0, 2
    sounds[[8, 9]] = -1
    close(student.weigh(sounds, opened, B), solution.weigh(sounds, opened, B))


# ---- part 2: forward ----------------------------------------------------------------------------


def drawn(rng, T, K):
    """Weights, start and transition table of a random hive, the table not symmetric."""
    A = 0.3 * np.eye(K) + 0.7 * rng.dirichlet(np.full(K, 2.0), size=K)
    return rng.uniform(0.05, 1, size=(T, K)), rng.dirichlet(np.full(K, 2.0)), A


@check("forward", points=1)
def three_days(student):
    """Hum, roar, flat battery: the belief after each day, and the log evidence."""
    got = student.forward(GARDEN_WEIGHTS, GARDEN_PI, GARDEN_A)
    alpha, log_evidence = parts(got, 2)
    array(alpha, (3, 2))
    is_true(not like(alpha[0], [0.3, 0.1]), "Day 0 sums to 0.4: divide by the sum to get a belief")
    is_true(not like(alpha[0], [32 / 41, 9 / 41]), "Day 0: pi is the first day, do not move it")
    is_true(not like(alpha[1], [0.325, 0.675]), "Day 1: beliefs are rows, predict with alpha @ A")
    is_true(not like(alpha[1], [0.5, 0.5]), "Day 1: predict with A before you weigh")
    is_true(not like(alpha[2], [0.4375, 0.5625]), "Day 2: predict on days without notes too")
    close(alpha, np.array([[0.75, 0.25], [0.4375, 0.5625], [0.575, 0.425]]))
    is_true(not like(log_evidence, 0.128), "The evidence is right; return its logarithm")
    close(log_evidence, np.log(0.128))


@check("forward", points=1, hidden=True)
def random_beliefs(student, solution, rng):
    """Filter and log evidence of a random hive."""
    hive = drawn(rng, 19, 4)
    alpha, log_evidence = parts(student.forward(*hive), 2)
    right = solution.forward(*hive)
    close(alpha, right[0])
    close(log_evidence, right[1])


@check("forward", points=0.5, hidden=True)
def many_summers(student, solution, rng):
    """A thousand days: a product of that many weights is zero in floating point."""
    weights, pi, A = drawn(rng, 1000, 3)
    hive = 0.4 * weights, pi, A
    alpha, log_evidence = parts(student.forward(*hive), 2)
    right = solution.forward(*hive)
    close(alpha, right[0], rtol=1e-7)  # sums in another order are as good
    close(log_evidence, right[1])


@check("forward", points=0.5, hidden=True)
def contradiction(student, rng):
    """Settled on one evening, gone on the next: ValueError, for full points with the day."""
    day = int(rng.integers(11, 19))
    weights, pi, A = drawn(rng, 23, 3)
    A[0] = 0.4, 0.6, 0.0
    weights[day - 1], weights[day] = [1.0, 0.0, 0.0], [0.0, 0.0, 0.7]
    raises("ValueError", lambda: student.forward(weights, pi, A))
    try:
        student.forward(weights, pi, A)
    except StudentError as refusal:
        # One who names all days has named this one as well; the evening before may stand there.
        named = set(re.findall(r"\d+", refusal.message)) & {str(n) for n in range(10, 20)}
        return 1.0 if str(day) in named and len(named) <= 2 else 0.5
    return 0.0


# ---- part 3: best_two ---------------------------------------------------------------------------


@check("viterbi", points=1)
def four_stories(student):
    """Hum, roar: settled stays settled, and the runner-up has 0.036 against 0.048."""
    got = student.best_two(GARDEN_WEIGHTS[:2], GARDEN_PI, GARDEN_A)
    path, best, second = parts(got, 3)
    day_by_day = like(path, [0, 1])
    is_true(not day_by_day, "Settled, restless are the best moods day by day, not the best story")
    close(path, np.array([0, 0]), kinds=LISTS)
    is_true(not like(best, 0.048), "The probability is right; return its logarithm")
    close(best, np.log(0.048))
    close(second, np.log(0.036))


@check("viterbi", points=1, hidden=True)
def best_stories(student, solution, rng):
    """The best path of four random hives, and its log probability."""
    for K in (2, 3, 4, 5):
        hive = drawn(rng, 29, K)
        hive[0][[5, 17]] = 1.0  # not neighbours, which could tie
        path, best, _ = parts(student.best_two(*hive), 3)
        right = solution.best_two(*hive)
        close(path, right[0], kinds=LISTS)
        close(best, right[1])


@check("viterbi", points=1, hidden=True)
def runners_up(student, solution, rng):
    """The second-best of four random hives, and minus infinity where there is one story only."""
    for K in (2, 3, 4, 5):
        hive = drawn(rng, 31, K)
        close(parts(student.best_two(*hive), 3)[2], solution.best_two(*hive)[2])
    round_trip = np.array([[0.0, 1.0], [1.0, 0.0]])
    only = rng.uniform(0.2, 1, size=(6, 2)), np.array([1.0, 0.0]), round_trip
    close(parts(student.best_two(*only), 3)[2], -np.inf)


@check("viterbi", points=0.5, hidden=True)
def twins(student, solution, rng):
    """Two moods that agree in everything tie on every day; the smaller one is wanted."""
    a, b = (1, 3) if rng.random() < 0.5 else (1, 2)
    favour = np.full(4, 0.1)
    favour[[a, b]] = 0.4
    weights = rng.uniform(0.5, 1, size=(13, 1)) * favour
    hive = weights, favour, np.tile(favour, (4, 1))
    path, best, _ = parts(student.best_two(*hive), 3)
    close(path, np.full(13, a), kinds=LISTS)
    close(best, solution.best_two(*hive)[1])


@check("viterbi", points=0.5, hidden=True)
def long_story(student, solution, rng):
    """A thousand days: the probability itself is zero in floating point."""
    weights, pi, A = drawn(rng, 1000, 3)
    hive = 0.4 * weights, pi, A
    path, best, _ = parts(student.best_two(*hive), 3)
    right = solution.best_two(*hive)
    close(path, right[0], kinds=LISTS)
    close(best, right[1])


# ---- part 4: smooth -----------------------------------------------------------------------------


@check("smooth", points=1)
def two_days(student):
    """Hum, roar: the four stories, divided by the evidence."""
    gamma, xi = parts(student.smooth(GARDEN_WEIGHTS[:2], GARDEN_PI, GARDEN_A), 2)
    array(gamma, (2, 2))
    is_true(
        not like(gamma[0], [0.75, 0.25]), "Day 0: this is the filter; day 1 also speaks about day 0"
    )
    is_true(
        not like(gamma[0], [27 / 34, 7 / 34]),
        "Day 0: what comes back is the weight of day 1, not 0",
    )
    close(gamma, np.array([[0.65625, 0.34375], [0.4375, 0.5625]]))
    array(xi, (1, 2, 2))
    stories = np.array([[[0.375, 0.28125], [0.0625, 0.28125]]])
    is_true(not like(xi, 0.128 * stories), "xi[0] sums to 0.128: divide by the evidence")
    is_true(
        not like(xi, 0.32 * stories),
        "xi[0] sums to 0.32: divide by the probability of day 1's notes",
    )
    is_true(not like(xi, stories.transpose(0, 2, 1)), "xi[t, i, j] is from i to j: rows are day t")
    close(xi, stories)


@check("smooth", points=0.5, hidden=True)
def random_smoother(student, solution, rng):
    """The smoother of a random hive with a look inside."""
    hive = drawn(rng, 21, 4)
    hive[0][9] = [0.0, 0.0, 0.3, 0.0]
    gamma, _ = parts(student.smooth(*hive), 2)
    close(gamma, solution.smooth(*hive)[0])


@check("smooth", points=0.5, hidden=True)
def random_pairs(student, solution, rng):
    """The pairwise posteriors of a random hive over a long summer."""
    hive = drawn(rng, 400, 3)
    _, xi = parts(student.smooth(*hive), 2)
    close(xi, solution.smooth(*hive)[1], rtol=1e-7)  # sums in another order are as good


# ---- part 5: em_step ----------------------------------------------------------------------------


def drawn_tables(rng, K, V):
    """The three tables of a random hive."""
    _, pi, A = drawn(rng, 1, K)
    return pi, A, rng.dirichlet(np.full(V, 2.0), size=K)


@check("learn", points=1)
def two_logs(student):
    """Hum, roar and a log of one day, hum; pseudocount 1."""
    logs = [np.array([0, 1]), np.array([0])]
    got = student.em_step(logs, GARDEN_PI, GARDEN_A, GARDEN_B, 1)
    pi, A, B = parts(got, 3)
    array(pi, (2,))
    is_true(not like(pi, np.array([1.65625, 1.34375]) / 3), "pi: add up the starts of both logs")
    is_true(
        not like(pi, [0.5595238095, 0.4404761905]), "The logs were glued together; each is its own"
    )
    is_true(not like(pi, [0.703125, 0.296875]), "The pseudocount is missing in pi")
    close(pi, np.array([2.40625, 1.59375]) / 4)
    array(A, (2, 2))
    moved = np.array([[1.375, 1.28125], [1.0625, 1.28125]])
    bare = (moved - 1) / (moved - 1).sum(axis=1, keepdims=True)
    is_true(not like(A, bare), "The pseudocount is missing in A")
    is_true(not like(A, bare + 1), "Add the pseudocount to the counts, before dividing")
    visits = np.array([[3.84375], [3.15625]])
    is_true(
        not like(A, moved / visits), "Rows of A sum to less than 1: a last day has no departure"
    )
    close(A, moved / moved.sum(axis=1, keepdims=True))
    array(B, (2, 3))
    heard = np.array([[2.40625, 1.4375, 1], [1.59375, 1.5625, 1]])
    is_true(not like(B, heard / 3), "B: divide by the expected days in each mood, not by all days")
    close(B, heard / heard.sum(axis=1, keepdims=True))


@check("learn", points=1, hidden=True)
def several_lengths(student, solution, rng):
    """Four logs without gaps, one of a single day; half for A, a quarter each for pi and B."""
    logs = [rng.integers(0, 5, size=T) for T in (7, 1, 13, 5)]
    case = logs, *drawn_tables(rng, 3, 5), float(rng.uniform(0.5, 2))
    got = parts(student.em_step(*case), 3)
    want = solution.em_step(*case)
    return sum(
        weight * share_right({"": mine}, {"": right})
        for weight, mine, right in zip((0.25, 0.5, 0.25), got, want, strict=True)
    )


@check("learn", points=0.5, hidden=True)
def logs_with_gaps(student, solution, rng):
    """Flat batteries, on first and last days as well."""
    logs = [rng.integers(0, 4, size=T) for T in (9, 6, 17)]
    for log in logs:
        log[[0, 3, -1]] = -1
    case = logs, *drawn_tables(rng, 3, 4), float(rng.uniform(0.5, 2))
    close(parts(student.em_step(*case), 3), solution.em_step(*case), kinds=LISTS)


@check("learn", points=0.5, hidden=True)
def long_logs(student, solution, rng):
    """A log of two years and one of a month, no pseudocount."""
    logs = [rng.integers(0, 4, size=T) for T in (700, 31)]
    case = logs, *drawn_tables(rng, 3, 4), 0
    got = parts(student.em_step(*case), 3)
    close(got, solution.em_step(*case), rtol=1e-7, kinds=LISTS)  # sums in another order


# ---- part 6: report -----------------------------------------------------------------------------


@check("report", points=1)
def six_days(student):
    """The table of the text: two swarms, alarm on day 3, one disagreement."""
    path = np.array([1, 2, 2, 0, 1, 2])
    alpha = np.array([0.6, 0.3, 0.1, 0.5, 0.3, 0.2, 0.7, 0.1, 0.2, 0.4, 0.4, 0.2])
    alpha = np.concatenate([alpha, [0.3, 0.6, 0.1, 0.2, 0.3, 0.5]]).reshape(6, 3)
    gamma = np.array([0.3, 0.6, 0.1, 0.1, 0.3, 0.6, 0.5, 0.1, 0.4, 0.8, 0.1, 0.1])
    gamma = np.concatenate([gamma, [0.2, 0.6, 0.2, 0.2, 0.3, 0.5]]).reshape(6, 3)
    got = student.report(path, alpha, gamma)
    is_true(type(got) is dict, "should return a dictionary")
    close(got.get("swarms"), 2)
    close(got.get("first_alarm"), 3)
    close(got.get("disagreements"), 1)
    close(got.get("expected_days"), np.array([2.1, 2.0, 1.9]), kinds=LISTS)
    is_true(len(got) == 4, "should have these four entries and no other")


@check("report", points=0.5, hidden=True)
def random_reports(student, solution, rng):
    """A random summer; a quarter of the points for each entry."""
    path = np.repeat(rng.permutation(12) % 3, rng.integers(2, 5, size=12))
    path[:2], path[-2:] = 0, 1
    alpha = rng.dirichlet(np.ones(3), size=len(path))
    alpha[:7] = [0.6, 0.2, 0.2]
    gamma = rng.dirichlet(np.ones(3), size=len(path))
    gamma[3:5] = [[0.2, 0.5, 0.3], [0.1, 0.3, 0.6]]  # an alarm by the smoother comes earlier
    case = path, alpha, gamma
    return share_right(student.report(*case), solution.report(*case))


@check("report", points=0.5, hidden=True)
def edges(student, rng):
    """Half for a calm summer, half for swarms on the first and the last day."""
    calm = rng.dirichlet([8.0, 1.0, 1.0], size=9)
    calm[:, 0] += 1
    calm = calm / calm.sum(axis=1, keepdims=True)
    quiet = {"swarms": 0, "first_alarm": -1, "disagreements": 0}
    part = share_right(student.report(np.zeros(9, dtype=int), calm, calm), quiet) == 1
    wild = calm[:, [2, 1, 0]]
    path = np.array([2, 0, 0, 1, 2, 2, 0, 1, 2])
    both_ends = {"swarms": 3, "first_alarm": 0, "disagreements": 5}
    return (part + (share_right(student.report(path, wild, wild), both_ends) == 1)) / 2


@check("report", points=1, hidden=True)
def summer_of_the_school_hive(student, solution):
    """All functions together on Marit's log; a quarter of the point for each entry."""
    return share_right(student.season.value, solution.season.value)
