"""Checks of Assignment 2. The visible ones are the examples that the text does by hand."""

import numpy as np

from course_lib.grading.checks import CheckFailed, array, check, close, is_true, number

LISTS = ("list", "tuple")  # are as good as arrays and tuples
# The pencil river: two records, one input, one unit; the second record has a single day.
PENCIL_X = np.array([[[0.2], [0.1]], [[0.15], [np.nan]]])
PENCIL_H0 = np.array([[0.4], [0.2]])
PENCIL_LENGTHS = np.array([2, 1])
PENCIL_W_XH, PENCIL_W_HH, PENCIL_B_H = np.array([[2.0]]), np.array([[0.5]]), np.array([0.1])
PENCIL_H = np.array(
    [
        [[0.4], [0.6043677771171634], [0.5386017505761949]],
        [[0.2], [0.46211715726000974], [0.46211715726000974]],
    ]
)


def parts(got, count):
    """Take apart what a function returned: a tuple or list of so many things."""
    right = type(got) in (tuple, list) and len(got) == count
    is_true(right, "should return as many things as the text asks for, as a tuple")
    return got


def table(got, names):
    """Require a dictionary with exactly these names."""
    is_true(type(got) is dict, "should be a dictionary")
    is_true(set(got) == set(names), "should have the names that the text asks for, and no other")
    return got


def like(got, wrong):
    """Tell whether a value is that of a known mistake, or another known one."""
    try:
        want = np.array(wrong) if type(wrong) is list else wrong
        close(got, want, rtol=1e-6, kinds=(*LISTS, "int"))
    except CheckFailed:
        return False
    return True


def share_right(got, want, weights):
    """Share of the wanted entries that are right, each with its weight."""
    right = 0.0
    for name, weight in weights.items():
        try:
            close(got[name], want[name], rtol=1e-7)  # sums in another order are as good
            right += weight
        except CheckFailed:
            pass
    return right


def drawn(rng, N, T, D, H):
    """Inputs, a start that is not zero, and weights, the recurrent ones not symmetric."""
    W_hh = rng.normal(size=(H, H)) * 0.8 / np.sqrt(H)
    x, h0 = rng.normal(size=(N, T, D)), rng.uniform(-0.9, 0.9, size=(N, H))
    return x, h0, 0.6 * rng.normal(size=(D, H)), W_hh, 0.3 * rng.normal(size=H)


def padded(array, lengths, filler=np.nan):
    """The same array with something else after the end of each record."""
    array = np.array(array)
    for row, days in zip(array, lengths, strict=True):
        row[days:] = filler
    return array


# ---- part 1: states -----------------------------------------------------------------------------


@check("states", points=0.5)
def two_records(student):
    """Two records of one unit, one of two days and one of a single day."""
    got = student.states(PENCIL_X, PENCIL_LENGTHS, PENCIL_H0, PENCIL_W_XH, PENCIL_W_HH, PENCIL_B_H)
    array(got, (2, 3, 1), finite=False)
    first, second = got[0, :, 0], got[1, :, 0]
    is_true(
        like(first[0], 0.4) or not first.any() or not like(first, [first[2]] * 3),
        "All slots are equal: the list holds one and the same array three times",
    )
    is_true(like(got[:, 0], PENCIL_H0), "Slot 0 should hold h0, which need not be zero")
    is_true(
        not like(first[1], 0.46211715726000974),
        "First record, day 1: its state before is h0, not zero",
    )
    is_true(
        not like(first[2], 0.46211715726000974),
        "First record, day 2: the state that goes in is the one that came out, not h0 again",
    )
    is_true(like(first[1:], PENCIL_H[0, 1:, 0]), "The first record has other states by hand")
    is_true(
        not np.isnan(second[2]),
        "Second record: it has one day; the padding was read, and it is nan",
    )
    is_true(not like(second[2], 0.0), "Second record: after its last day the state stays, not 0")
    is_true(
        not like(second[2], 0.3194716359589674),
        "Second record: a day was read after its end; the state stays as it is",
    )
    close(got, PENCIL_H)
    case = np.zeros((1, 1, 1)), np.array([1]), np.array([[0.7, 0.0]]), np.zeros((1, 2))
    told = student.states(*case, np.array([[0.0, 1.0], [0.0, 0.0]]), np.zeros(2))
    told = array(told, (1, 2, 2))[0, 1]
    is_true(
        not like(told, [0.0, 0.0]),
        "Two units, W_hh = [[0, 1], [0, 0]]: unit 0 tells unit 1 (from row to column), not the "
        "other way round",
    )
    close(told, np.array([0.0, 0.6043677771171634]))


@check("states", points=0.75, hidden=True)
def random_states(student, solution, rng):
    """Random weights, more inputs and units, all records of the same length."""
    x, *rest = drawn(rng, 3, 7, 2, 5)
    case = x, np.full(3, 7), *rest
    close(student.states(*case), solution.states(*case))


@check("states", points=0.75, hidden=True)
def ragged_states(student, solution, rng):
    """Records of different lengths; half for nan in the padding, half for numbers there."""
    lengths = rng.permutation([1, 4, 9, 11])
    x, *rest = drawn(rng, 4, 11, 3, 6)
    right = 0.0
    for filler in (np.nan, 7.0):
        case = padded(x, lengths, filler), lengths, *rest
        right += share_right([student.states(*case)], [solution.states(*case)], {0: 0.5})
    return right


# ---- part 2: score ------------------------------------------------------------------------------


@check("score", points=1)
def three_days(student):
    """The states of part 1 and the rises 0.9, 1.2 and 0.8."""
    rises = np.array([[0.9, 1.2], [0.8, np.nan]])
    got = student.score(PENCIL_H, rises, PENCIL_LENGTHS, np.array([2.0]))
    loss, dh, dw_hy = parts(got, 3)
    loss = number(loss, finite=False)
    right = 0.020971797913644525
    is_true(not np.isnan(loss), "The loss is nan: the padding was counted in the sum")
    is_true(not like(loss, 3 * right), "The loss is a sum: divide by the number of days read")
    is_true(not like(loss, 2 * right), "The loss is half of this")
    is_true(not like(loss, 0.75 * right), "Divide by the days that were read, three of the four")
    is_true(
        not like(loss, 0.017658119048265784),
        "Here each record has the same weight; the mean goes over all days together",
    )
    close(loss, right, rtol=1e-6)
    array(dh, (2, 2, 1), finite=False)
    is_true(not np.isnan(dh[1, 1, 0]), "dh of the padding is nan; it should be 0")
    want = np.array([[[0.2058237028], [-0.0818643326]], [[0.0828228763], [0.0]]])
    is_true(not like(dh, (-want).tolist()), "dh has the wrong sign: forecast minus what came")
    is_true(
        not like(dh, (want / 2).tolist()),
        "dh is half of what it should be: it goes through the readout, times w_hy, and the half "
        "of the loss cancels the 2 of the square",
    )
    is_true(not like(dh, (3 * want).tolist()), "dh belongs to the mean: divide by the days read")
    is_true(
        not like(dh, (2 * want).tolist()),
        "dh is twice what it should be: times w_hy once, and the half of the loss cancels the 2 "
        "of the square",
    )
    close(dh, want, rtol=1e-6)
    array(dw_hy, (1,), finite=False)
    close(dw_hy, np.array([0.059287406549]), rtol=1e-6)


@check("score", points=0.5, hidden=True)
def random_score(student, solution, rng):
    """Records of the same length; 0.4 for loss and dh each, 0.2 for dw_hy."""
    h = rng.uniform(-1, 1, size=(3, 8, 5))
    case = h, rng.normal(size=(3, 7)), np.full(3, 7), rng.normal(size=5)
    return score_parts(student.score(*case), solution.score(*case))


@check("score", points=0.5, hidden=True)
def ragged_score(student, solution, rng):
    """Records of different lengths; half for nan in the padding, half for numbers there."""
    lengths = rng.permutation([1, 3, 8, 10])
    h, rises = rng.uniform(-1, 1, size=(4, 11, 6)), rng.normal(size=(4, 10))
    w_hy, right = rng.normal(size=6), 0.0
    for filler in (np.nan, 7.0):
        case = h, padded(rises, lengths, filler), lengths, w_hy
        right += score_parts(student.score(*case), solution.score(*case)) / 2
    return right


def score_parts(got, want):
    """Share of loss, dh and dw_hy that are right."""
    return share_right(parts(got, 3), want, {0: 0.4, 1: 0.4, 2: 0.2})


# ---- part 3: backward ---------------------------------------------------------------------------

GRADIENTS = ("W_xh", "W_hh", "b_h", "h0")
WEIGHTS = {"W_xh": 0.2, "W_hh": 0.4, "b_h": 0.2, "h0": 0.2}


@check("backward", points=1)
def way_back(student):
    """The two records of the text, with an error that was left in the padding."""
    dh = np.array([[[0.2], [0.1]], [[0.3], [0.1]]])
    got = student.backward(dh, PENCIL_X, PENCIL_H, PENCIL_LENGTHS, PENCIL_W_XH, PENCIL_W_HH)
    got = table(got, GRADIENTS)
    b_h, h0, W_hh = array(got["b_h"], (1,), finite=False), got["h0"], got["W_hh"]
    array(h0, (2, 1), finite=False)
    array(W_hh, (1, 1), finite=False)
    for name in GRADIENTS:
        is_true(
            not np.isnan(array(got[name], (None,) * (1 + (name != "b_h")), finite=False)).any(),
            "A gradient is nan: the padding must not reach the weights, and 0 * nan is nan",
        )
    is_true(
        not like(h0[1], [0.1179671599448891]),
        "Second record: the error in its padding belongs to the carried state; hand it on",
    )
    is_true(
        not like(h0[0], [0.06347395899824587]),
        "First record, day 1: two things arrive, its own dh and the message of day 2",
    )
    is_true(
        not like(h0[0], [0.011265170269262909]),
        "First record, day 1: its own dh is missing; the loss speaks on every day",
    )
    is_true(
        not like(b_h, [0.5697072372704901]),
        "The slope is 1 - h**2: h has been through tanh already",
    )
    is_true(
        not like(b_h, [0.26752408357450724]),
        "The loss was a mean already: add up over the records, do not divide again",
    )
    close(h0, np.array([[0.0747391293], [0.1572895466]]), rtol=1e-6)
    close(b_h, np.array([0.5350481671]), rtol=1e-6)
    is_true(
        not like(W_hh, [[0.2739480165790215]]),
        "W_hh was multiplied with the state before the day, one slot earlier",
    )
    close(W_hh, np.array([[0.1656116834]]), rtol=1e-6)
    close(got["W_xh"], np.array([[0.0841815972]]), rtol=1e-6)


@check("backward", points=1.5, hidden=True)
def random_way_back(student, solution, rng):
    """An error on every day of records of the same length; a share for each gradient."""
    case = way(solution, rng, np.full(3, 9), 9)
    return share_right(table(student.backward(*case), GRADIENTS), solution.backward(*case), WEIGHTS)


@check("backward", points=1, hidden=True)
def ragged_way_back(student, solution, rng):
    """Records of different lengths, nan in the padding, no error there."""
    lengths = rng.permutation([1, 4, 8, 10])
    dh, x, *rest = way(solution, rng, lengths, 10)
    case = np.nan_to_num(padded(dh, lengths)), padded(x, lengths), *rest
    return share_right(table(student.backward(*case), GRADIENTS), solution.backward(*case), WEIGHTS)


@check("backward", points=0.5, hidden=True)
def asked_at_the_end(student, solution, rng):
    """All errors stand in the last slot, where short records only carry their state."""
    dh, *rest = way(solution, rng, rng.permutation([2, 5, 7]), 7)
    dh[:, :-1] = 0
    case = dh, *rest
    return share_right(table(student.backward(*case), GRADIENTS), solution.backward(*case), WEIGHTS)


def way(solution, rng, lengths, T, D=2, H=5):
    """Arguments of backward for random weights and errors."""
    x, h0, W_xh, W_hh, b_h = drawn(rng, len(lengths), T, D, H)
    h = solution.states(x, lengths, h0, W_xh, W_hh, b_h)
    return rng.normal(size=(len(lengths), T, H)), x, h, lengths, W_xh, W_hh


# ---- part 4: check_gradient ---------------------------------------------------------------------


def on_hill(who, *case):
    """What check_gradient says on the hill, and W afterwards."""
    said, left = parts(who.try_on_hill(*case), 2)
    return parts(said, 2), left


@check("nudge", points=0.5)
def two_entries(student):
    """The cube of the first entry plus the square of the sum, at 2, 1, with a nudge of 0.1."""
    c, W, dW = np.array([1.0, 0.0]), np.array([2.0, 1.0]), np.array([18.0, 6.0])
    (measured, error), left = on_hill(student, c, W, dW, 0.1)
    array(measured, (2,))
    is_true(not like(measured, [18.71, 6.1]), "Nudge both ways: up and down, not up and here")
    is_true(not like(measured, [18.71, 6.3]), "Nudge both ways, and put each entry back")
    is_true(not like(measured, [18.01, 5.8]), "Put the first entry back before the second")
    is_true(not like(measured, [36.02, 12.0]), "Up and down are two nudges apart")
    is_true(not like(measured, [24.01, 24.01]), "Move one entry at a time: these moved together")
    is_true(abs(measured[0] - 18) > 1e-3, "Use the nudge that is given, 0.1")
    close(measured, np.array([18.01, 6.0]), rtol=1e-7)
    error = number(error, finite=False)
    is_true(not like(error, 0.0001 / 360.3601), "The norm is the root of the sum of squares")
    is_true(not like(error, 0.01), "The error is relative: divide by the measured norm")
    is_true(
        not like(error, 0.01 / np.sqrt(360.0)),
        "Divide by the norm of the measured gradient, not of the claim",
    )
    close(error, 0.01 / np.sqrt(360.3601), rtol=1e-6)
    is_true(like(left, [2.0, 1.0]), "W belongs to somebody else: leave it as you found it")


@check("nudge", points=0.75, hidden=True)
def matrix_on_a_hill(student, solution, rng):
    """A claim about a matrix, large nudge: the gradient, the error, and W as it was."""
    c, W = rng.normal(size=(2, 3, 4))
    case = c, W, 20 * rng.normal(size=(3, 4)), float(rng.uniform(0.1, 0.3))
    (got, left), (want, _) = on_hill(student, *case), on_hill(solution, *case)
    return share_right((*got, left), (*want, W), {0: 0.4, 1: 0.4, 2: 0.2})


@check("nudge", points=0.75, hidden=True)
def own_nudge(student, rng):
    """Half for a good default nudge; a quarter each for a flat place, with and without a claim."""
    c, W = rng.uniform(0.5, 1.5, size=5), rng.uniform(0.5, 1.5, size=5)
    right = 3 * c * W**2 + 2 * W.sum()
    wrong = right * np.array([1, 1, 1.5, 1, 1])
    of_right, of_wrong = (on_hill(student, c, W, claim)[0][1] for claim in (right, wrong))
    want = np.linalg.norm(wrong - right) / np.linalg.norm(right)
    part = 0.5 * (0 <= number(of_right, finite=False) < 1e-6)
    part *= abs(number(of_wrong, finite=False) - want) < 1e-3 * want
    flat = np.zeros(2), np.array([1.0, -1.0])
    for claim, error in ((np.zeros(2), 0.0), (np.array([3.0, 4.0]), np.inf)):
        part += 0.25 * like(on_hill(student, *flat, claim, 0.25)[0][1], error)
    return part


# ---- part 5: update -----------------------------------------------------------------------------


@check("update", points=1)
def three_and_four(student):
    """Gradients 3 and 4, so norm 5, shortened to 1; rate 0.5."""
    weights = {"W_hh": np.array([[1.0]]), "b_h": np.array([2.0])}
    grads = {"W_hh": np.array([[3.0]]), "b_h": np.array([4.0])}
    moved, norm = parts(student.update(weights, grads, 1.0, 0.5), 2)
    W_hh, b_h = (array(table(moved, weights)[name], weights[name].shape) for name in weights)
    pair = np.array([W_hh[0, 0], b_h[0]])
    is_true(not like(pair, [1.3, 2.4]), "The loss falls against the gradient: minus, not plus")
    is_true(not like(pair, [-0.5, 0.0]), "The gradient is longer than 1: clip before the step")
    is_true(
        not like(pair, [0.5, 1.5]),
        "3 and 4 both became 1, which turns the gradient: one norm and one factor for all",
    )
    is_true(not like(pair, [0.94, 1.92]), "The joint norm is 5, the root of 25")
    is_true(
        not like(pair, [0.4, 1.2]),
        "Clip the gradient to 1, then go rate times that far",
    )
    is_true(
        not 1e-8 < abs(pair - np.array([0.7, 1.6])).max() < 1e-6,
        "The joint norm becomes max_norm exactly: add nothing to it before you divide",
    )
    close(pair, np.array([0.7, 1.6]))
    is_true(not like(norm, 1.0), "Return the norm before clipping, 5: it is the warning")
    close(norm, 5.0)


@check("update", points=0.5, hidden=True)
def long_and_short(student, solution, rng):
    """Half for a gradient that is too long, half for one that is short enough."""
    shapes = {"W_xh": (2, 3), "W_hh": (3, 3), "w_hy": (3,)}
    weights, grads = ({n: rng.normal(size=s) for n, s in shapes.items()} for _ in range(2))
    right = 0.0
    for max_norm in (0.3, 30.0):
        case = weights, grads, max_norm, float(rng.uniform(0.1, 2))
        (moved, norm), want = parts(student.update(*case), 2), solution.update(*case)
        names = dict.fromkeys(shapes, 1.0)
        all_right = share_right(table(moved, shapes), want[0], names) == 3 and like(norm, want[1])
        right += all_right / 2
    return right


@check("update", points=0.5, hidden=True)
def still_river(student, rng):
    """All gradients are zero: nothing moves, and the norm is 0."""
    weights = {"W_hh": rng.normal(size=(4, 4)), "b_h": rng.normal(size=4)}
    still = {name: np.zeros(array.shape) for name, array in weights.items()}
    close(parts(student.update(weights, still, 0.5, 1.0), 2), (weights, 0.0), kinds=(*LISTS, "int"))


def descent(who, x, rises, lengths, weights):
    """Losses of thirty steps with the four functions of somebody."""
    losses = []
    for _ in range(30):
        h0, tables = np.zeros((len(x), 8)), (weights["W_xh"], weights["W_hh"])
        h = who.states(x, lengths, h0, *tables, weights["b_h"])
        loss, dh, dw_hy = parts(who.score(h, rises, lengths, weights["w_hy"]), 3)
        back = table(who.backward(dh, x, h, lengths, *tables), GRADIENTS)
        grads = {name: back[name] for name in ("W_xh", "W_hh", "b_h")} | {"w_hy": dw_hy}
        weights = table(parts(who.update(weights, grads, 0.1, 1.2), 2)[0], weights)
        losses.append(loss)
    return losses


@check("update", points=1, hidden=True)
def first_thirty_steps(student, solution, rng):
    """The losses of thirty steps on another river, where all four functions work together."""
    river = solution.keep_records(int(rng.integers(10**6)), 12, 8, 16)
    start = {"W_xh": 0.5 * rng.normal(size=(2, 8)), "W_hh": 0.25 * rng.normal(size=(8, 8))}
    start |= {"b_h": np.zeros(8), "w_hy": 0.3 * rng.normal(size=8)}
    # sums in another order drift apart step by step
    close(descent(student, *river, start), descent(solution, *river, start), rtol=1e-6)


# ---- part 6: in_pieces --------------------------------------------------------------------------


@check("pieces", points=0.5)
def two_pieces(student):
    """The first record of the text in pieces of one day."""
    case = PENCIL_X[:1], PENCIL_H[:1], PENCIL_W_XH, PENCIL_W_HH
    got = table(student.in_pieces(np.array([[[0.2], [0.1]]]), *case, 1), GRADIENTS)
    h0, W_hh = array(got["h0"], (1, 1)), array(got["W_hh"], (1, 1))
    is_true(
        not like(W_hh, [[0.04290456131572906]]),
        "Only the last piece is there: add up all of them",
    )
    is_true(not like(h0, [[0.0747391292675]]), "Day 2 handed its message on: cut it there")
    is_true(
        not like(h0, [[0.03549540771381291]]),
        "h0 stands at the start of the first piece, not of the last",
    )
    is_true(
        not like(W_hh, [[0.04684186425716289]]),
        "The pieces are added up; a mean makes them half as large",
    )
    close(h0, np.array([[0.063473959]]), rtol=1e-6)
    close(W_hh, np.array([[0.0936837285]]), rtol=1e-6)
    close(got["W_xh"], np.array([[0.0324886651]]), rtol=1e-6)
    close(got["b_h"], np.array([0.1979387335]), rtol=1e-6)


def of_pieces(student, solution, rng, T, sizes):
    """Share of the gradients that are right, over pieces of several sizes."""
    dh, x, h, _, W_xh, W_hh = way(solution, rng, np.full(3, T), T)
    right = 0.0
    for k in sizes:
        case = dh, x, h, W_xh, W_hh, k
        got, want = table(student.in_pieces(*case), GRADIENTS), solution.in_pieces(*case)
        right += share_right(got, want, WEIGHTS)
    return right / len(sizes)


@check("pieces", points=0.75, hidden=True)
def equal_pieces(student, solution, rng):
    """Twelve days in pieces of three and of four."""
    return of_pieces(student, solution, rng, 12, (3, 4))


@check("pieces", points=0.75, hidden=True)
def odd_pieces(student, solution, rng):
    """Half for a last piece that is shorter, half for pieces as long as the record or longer."""
    return of_pieces(student, solution, rng, 11, (4, 6, 11, 14))


# ---- part 7: reach ------------------------------------------------------------------------------


@check("reach", points=0.5)
def two_units(student):
    """Two days of two units, one of which nobody listens to."""
    h = np.array([[0.3, -0.2], [0.6, 0.8], [0.8, 0.6]])
    got = student.reach(h, np.array([[1.0, 0.75], [0.0, 0.0]]))
    array(got, (3,))
    is_true(
        not like(got[2], np.sqrt(2.0)),
        "The identity has norm 1: np.linalg.norm adds up all squares unless you ask for ord 2",
    )
    is_true(not like(got, [1.0, 0.6, 0.384]), "Slot 0 is the oldest: the last entry is 1")
    is_true(
        not like(got[1], 0.45),
        "Day 2: the later state is in the rows of a Jacobian, so W_hh (from row to column) is "
        "transposed, and the slope is that of the row's unit",
    )
    is_true(
        not like(got[1], 0.64 * np.hypot(1.0, 0.75 * 0.36 / 0.64)),
        "Day 2: the slopes are those of the state after the step",
    )
    is_true(
        not like(got[0], 0.36 * np.hypot(0.64, 0.27)),
        "From the start: the Jacobian of day 1 stands to the right of that of day 2",
    )
    is_true(
        not like(got[0], 0.2304),
        "The largest eigenvalue is the radius; the norm asks how far a change can be stretched",
    )
    is_true(
        not like(got[0], 0.6 * np.hypot(0.64, 0.27)),
        "From the start: the norm of the product, not the product of the norms",
    )
    close(got, np.array([0.384, 0.6, 1.0]))


@check("reach", points=0.75, hidden=True)
def random_reach(student, solution, rng):
    """Random states and weights of five units."""
    h, W_hh = rng.uniform(-0.9, 0.9, size=(10, 5)), rng.normal(size=(5, 5)) * 0.8
    close(student.reach(h, W_hh), solution.reach(h, W_hh), rtol=1e-7)


@check("reach", points=0.75, hidden=True)
def long_reach(student, solution, rng):
    """A year, weights that turn and hardly shrink."""
    W_hh = np.linalg.qr(rng.normal(size=(6, 6)))[0] + 0.01 * rng.normal(size=(6, 6))
    h = rng.uniform(-0.1, 0.1, size=(366, 6))
    close(student.reach(h, W_hh), solution.reach(h, W_hh), rtol=1e-7)
