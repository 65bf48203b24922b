"""Checks of Assignment 3. The visible ones are the examples that the text does by hand."""

import numpy as np

from course_lib.grading.checks import (
    CheckFailed,
    array,
    check,
    close,
    is_true,
    raises,
)

LISTS = ("list", "tuple")  # a pair may come as a list

# The unit that parts 2 and 3 run by hand: blocks i, f, g, o.
UNIT = (
    np.array([[1.5, -0.5, 1.0, 0.5]]),
    np.array([[1.0, 1.0, -1.0, 1.0]]),
    np.array([-2.0, 2.0, 0.5, 0.0]),
)
UNIT_X = np.array([[[1.0], [0.0]]])
UNIT_H = np.array([[[0.5], [0.58134203624715], [0.48664326472951]]])
UNIT_C = np.array([[[0.8], [1.08543474036019], [0.99325916604011]]])

# The unit that part 4 runs by hand: blocks r, z, n.
OLD_BOX = (
    np.array([[1.0, -1.0, 0.5]]),
    np.array([[-2.0, 2.0, 1.0]]),
    np.array([0.5, 1.0, -0.2]),
    np.array([0.5, 1.0, 0.4]),
)


def parts(got, count):
    """Take apart what a function returned: a tuple or list of so many things."""
    right = type(got) in (tuple, list) and len(got) == count
    is_true(right, "should return as many things as the text asks for, as a tuple")
    return got


def like(got, wrong, rtol=1e-6):
    """Tell whether a value is that of a known mistake."""
    try:
        close(got, np.array(wrong) if type(wrong) is list else wrong, rtol=rtol, kinds=LISTS)
    except CheckFailed:
        return False
    return True


def share_right(got, want, rtol=1e-7):
    """Share of the wanted things that are right."""
    return sum(like(mine, right, rtol) for mine, right in zip(got, want, strict=True)) / len(want)


# ---- part 1: unpack -----------------------------------------------------------------------------


@check("unpack", points=0.5)
def thirty_numbers(student):
    """The tape of the text: 1 to 30, a GRU with one input and two units, label "zrn"."""
    got = parts(student.unpack(np.arange(1.0, 31.0), 1, 2, "zrn"), 4)
    W_xa, W_ha, b_x, b_h = got
    array(W_xa, (1, 6))
    is_true(
        not like(W_xa, [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]),
        "W_xa stands in the tape's order z, r, n; the book's is r, z, n",
    )
    close(W_xa, np.array([[3.0, 4.0, 1.0, 2.0, 5.0, 6.0]]))
    array(W_ha, (2, 6))
    is_true(
        not like(W_ha, [[11.0, 12.0, 7.0, 8.0, 15.0, 16.0], [13.0, 14.0, 9.0, 10.0, 17.0, 18.0]]),
        "The blocks of W_ha are right, but not transposed: rows of PyTorch become columns",
    )
    is_true(
        not like(W_ha[0], [9.0, 10.0, 7.0, 8.0, 11.0, 12.0]),
        "W_ha was cut out as (H, B * H); on the tape it is (B * H, H), transpose it",
    )
    close(W_ha, np.array([[11, 13, 7, 9, 15, 17], [12, 14, 8, 10, 16, 18]], dtype=float))
    is_true(
        not like(b_x, [48.0, 50.0, 44.0, 46.0, 52.0, 54.0]),
        "b_x is the sum of both biases; keep them apart, a GRU needs both",
    )
    close(b_x, np.array([21.0, 22.0, 19.0, 20.0, 23.0, 24.0]))
    close(b_h, np.array([27.0, 28.0, 25.0, 26.0, 29.0, 30.0]))


def drawn_tape(rng, D, H, B):
    """A tape of so many blocks."""
    return rng.normal(size=B * H * (D + H + 2))


@check("unpack", points=0.5, hidden=True)
def tapes_from_pytorch(student, solution, rng):
    """Half for an LSTM's tape, half for a GRU's, in PyTorch's own order."""
    good = 0
    for label in ("ifgo", "rzn"):
        case = drawn_tape(rng, 3, 5, len(label)), 3, 5, label
        good += share_right(parts(student.unpack(*case), 4), solution.unpack(*case)) == 1
    return good / 2


@check("unpack", points=0.5, hidden=True)
def tapes_from_elsewhere(student, solution, rng):
    """Labels that are no swap of two blocks: there, and back is another way."""
    good = 0
    for label in ("iofg", "gifo", "nrz", "znr"):
        case = drawn_tape(rng, 4, 3, len(label)), 4, 3, label
        good += share_right(parts(student.unpack(*case), 4), solution.unpack(*case)) == 1
    return good / 4


@check("unpack", points=0.5, hidden=True)
def torn_tapes(student, solution, rng):
    """One number too few, many too few, some too many; and a whole tape is still accepted."""
    tape = drawn_tape(rng, 2, 3, 4)
    for torn in (tape[:-1], tape[:-30], np.append(tape, [1.0, 2.0])):
        raises("ValueError", lambda torn=torn: student.unpack(torn, 2, 3, "ifgo"))
    whole = tape, 2, 3, "ifgo"
    parts(student.unpack(*whole), 4)


# ---- part 2: lstm_forward -----------------------------------------------------------------------


@check("lstm", points=1)
def two_steps(student):
    """The unit of the text: it holds 0.8, then 1.0854, then 0.9933."""
    start = UNIT_H[:, 0], UNIT_C[:, 0]
    h, c = parts(student.lstm_forward(UNIT_X, *start, *UNIT), 2)
    for state in (h, c):
        is_true(
            not (type(state) is np.ndarray and state.shape == (1, 2, 1)),
            "should have T + 1 slots: the start stands in slot 0",
        )
    array(h, (1, 3, 1))
    array(c, (1, 3, 1))
    swapped = like(h, UNIT_C.tolist()) and like(c, UNIT_H.tolist())
    is_true(not swapped, "The pair is h, c; here they changed places")
    first = c[0, 1]
    is_true(like(c[0, 0], [0.8]) and like(h[0, 0], [0.5]), "Slot 0 is the start, h0 and c0")
    is_true(not like(first, [0.38079707797]), "c_1: nothing of c0 was kept, f * c0 is missing")
    is_true(not like(first, [0.47615941560]), "c_1: at 1 the forget gate keeps; f * c, not (1 - f)")
    is_true(not like(first, [1.07016695170]), "c_1: g is no gate, it passes tanh and not a sigmoid")
    is_true(not like(first, [0.99578985800]), "c_1: h0 speaks to the gates as well, h @ W_ha")
    is_true(not like(first, [0.96564394088]), "c_1: the blocks stand in the order i, f, g, o")
    is_true(not like(first, [1.07080990717]), "c_1: f keeps, i writes; here they changed places")
    is_true(not like(h[0, 1], [0.79351637848]), "h_1: shown is o * tanh(c), not o * c")
    close(c, UNIT_C, rtol=1e-9)
    close(h, UNIT_H, rtol=1e-9)


def drawn_box(rng, D, H):
    """Weights of a random LSTM."""
    W_xa, W_ha = rng.normal(size=(D, 4 * H)), rng.normal(size=(H, 4 * H))
    return W_xa / np.sqrt(D), W_ha / np.sqrt(H), rng.normal(size=4 * H)


@check("lstm", points=0.5, hidden=True)
def random_boxes(student, solution, rng):
    """A batch of sequences in a random box that starts with something; half for h, half for c."""
    x, start = rng.normal(size=(3, 7, 2)), rng.normal(size=(2, 3, 5))
    case = x, 0.5 * start[0], start[1], *drawn_box(rng, 2, 5)
    return share_right(parts(student.lstm_forward(*case), 2), solution.lstm_forward(*case))


@check("lstm", points=0.5, hidden=True)
def two_shifts(student, solution, rng):
    """A box that is stopped twice and started with what it left behind."""
    x, weights = rng.normal(size=(2, 40, 3)), drawn_box(rng, 3, 4)
    h, c = rng.normal(size=(2, 2, 4))
    shown, held = [], []
    for piece in (slice(0, 17), slice(17, 18), slice(18, 40)):
        both = parts(student.lstm_forward(x[:, piece], h, c, *weights), 2)
        T = piece.stop - piece.start
        shown.append(array(both[0], (2, T + 1, 4)))
        held.append(array(both[1], (2, T + 1, 4)))
        if piece.start == 0:
            whole = solution.lstm_forward(x, h, c, *weights)
        h, c = shown[-1][:, -1], held[-1][:, -1]
    for pieces, right in zip((shown, held), whole, strict=True):
        joined = [piece[:, 1:] for piece in pieces]
        close(np.concatenate(joined, axis=1), right[:, 1:], rtol=1e-7)


# ---- part 3: lstm_backward ----------------------------------------------------------------------

ONE_STEP = np.array([0.05117379768, 0.022575469437, 0.056438673591, 0.15634695353])
TWO_STEPS = np.array([0.051750048031, 0.04367671318, 0.113578599249, 0.196049646548])


@check("backward", points=0.5)
def one_step(student):
    """The first step of the unit alone, if the loss is h_1: what its weights had to do with it."""
    case = np.ones((1, 1, 1)), UNIT_X[:, :1], UNIT_H[:, :2], UNIT_C[:, :2], *UNIT
    dW_xa, dW_ha, db_a, _, _ = parts(student.lstm_backward(*case), 5)
    array(db_a, (4,))
    is_true(
        not like(db_a[0], 0.0699995858), "From h to c the gradient passes the output gate as well"
    )
    is_true(
        not like(db_a[0], 0.1391924853), "From h to c the gradient passes 1 - tanh(c) ** 2 as well"
    )
    is_true(
        not like(db_a, [0.2046951907, 0.2150176065, 0.1343860041, 0.7952058197]),
        "db_a: the slopes are missing, s * (1 - s) for the gates and 1 - g * g",
    )
    is_true(
        not like(db_a[1], 0.0306302485), "db_a: the forget gate multiplies the cell state before it"
    )
    close(db_a, ONE_STEP, rtol=1e-8)
    close(dW_xa, ONE_STEP[None], rtol=1e-8)
    close(dW_ha, ONE_STEP[None] / 2, rtol=1e-8)


@check("backward", points=0.5)
def two_steps_back(student):
    """Both steps of the unit, if the loss is h_2."""
    case = np.array([[[0.0], [1.0]]]), UNIT_X, UNIT_H, UNIT_C, *UNIT
    dW_xa, dW_ha, db_a, dh0, dc0 = parts(student.lstm_backward(*case), 5)
    array(db_a, (4,))
    is_true(
        not like(db_a[0], 0.003580786683), "Step 2 sends nothing back along the highway: dc_2 * f_2"
    )
    lost = like(db_a[:3], [0.044703812119, 0.040568245748, 0.105807430668])
    through = like(db_a[3], TWO_STEPS[3])
    is_true(through or not lost, "Step 2 sends nothing back through W_ha to h_1")
    is_true(not lost, "What comes back through W_ha to h_1 goes on to c_1 as well")
    is_true(
        not like(db_a[0], 0.055395130717) and not like(db_a[0], 0.049218709506),
        "From c_2 to c_1 the gradient passes one gate, f_2, that of the later step",
    )
    is_true(
        not like(db_a, (TWO_STEPS / 2).tolist()),
        "The loss is a sum, and so are the gradients: no mean",
    )
    close(db_a, TWO_STEPS, rtol=1e-8)
    wanted = np.array([[0.05521549726, 0.024358476942, 0.060896192355, 0.02152776555]])
    close(dW_xa, wanted, rtol=1e-8)
    wanted = np.array([[0.025593137319, 0.023409741262, 0.061074593876, 0.112220788444]])
    close(dW_ha, wanted, rtol=1e-8)
    is_true(not like(dc0, [[0.0]]), "dc0: the highway goes on to the start")
    close(dh0, np.array([[0.040205547396921476]]), rtol=1e-8)
    close(dc0, np.array([[0.2554307869374176]]), rtol=1e-8)


def drawn_blame(rng, solution, N, T, D, H):
    """Arguments of lstm_backward for a random box."""
    x, start, box = rng.normal(size=(N, T, D)), rng.normal(size=(2, N, H)), drawn_box(rng, D, H)
    h, c = solution.lstm_forward(x, start[0], start[1], *box)
    return rng.normal(size=(N, T, H)), x, h, c, *box


@check("backward", points=0.5, hidden=True)
def single_steps(student, solution, rng):
    """One step of a batch; a fifth for each gradient."""
    case = drawn_blame(rng, solution, 3, 1, 2, 5)
    return share_right(parts(student.lstm_backward(*case), 5), solution.lstm_backward(*case))


@check("backward", points=2, hidden=True)
def blame_of_the_weights(student, solution, rng):
    """Forty steps of a box with ten thousand weights; a third for each of the three arrays."""
    case = drawn_blame(rng, solution, 2, 40, 24, 40)
    got = parts(student.lstm_backward(*case), 5)
    return share_right(got[:3], solution.lstm_backward(*case)[:3])


@check("backward", points=0.5, hidden=True)
def blame_of_the_start(student, solution, rng):
    """The start of eight steps; half for dh0 and half for dc0."""
    case = drawn_blame(rng, solution, 4, 8, 2, 3)
    got = parts(student.lstm_backward(*case), 5)
    return share_right(got[3:], solution.lstm_backward(*case)[3:])


# ---- part 4: gru_step and which_box -------------------------------------------------------------

CONVENTIONS = {
    ("after", "keep"): 0.5290094951439168,
    ("after", "write"): 0.7143527870200572,
    ("before", "keep"): 0.5343031347456864,
    ("before", "write"): 0.7534677870050532,
}
OLD_X, OLD_H = np.array([[1.0]]), np.array([[0.5]])


@check("gru", points=0.75)
def four_conventions(student):
    """One step of the unit of the text in each convention."""
    got = {
        names: array(student.gru_step(OLD_X, OLD_H, *OLD_BOX, *names), (1, 1))[0, 0]
        for names in CONVENTIONS
    }
    kept, before = got["after", "keep"], got["before", "keep"]
    is_true(
        not (like(kept, 0.5343031347) and like(before, 0.5290094951)),
        "after and before changed places: after is after the product with W_hn",
    )
    is_true(not like(kept, 0.7143527870), "keep and write changed places: with keep, z holds h")
    is_true(not like(kept, 0.5801089892), "The blocks stand in the order r, z, n")
    is_true(
        not like(kept, 0.5343031347),
        "After: the bias b_hn stands in the bracket, r multiplies the bias as well",
    )
    is_true(
        not like(before, kept),
        "Before: r dims the state, (r * h) @ W_hn, and leaves the bias b_hn alone",
    )
    for names, right in CONVENTIONS.items():
        close(got[names], np.float64(right), kinds=("float",), rtol=1e-9)


@check("gru", points=0.25)
def short_strip(student):
    """The strip of the text: 0.5, then 0.7535; and the three other ones."""
    for names, state in CONVENTIONS.items():
        h = np.array([[[0.5], [round(state, 4)]]])
        close(student.which_box(OLD_X[None], h, *OLD_BOX), names, kinds=LISTS)


def drawn_old_box(rng, D, H):
    """Weights of a random GRU."""
    W_xa, W_ha = rng.normal(size=(D, 3 * H)), rng.normal(size=(H, 3 * H))
    return W_xa, W_ha, rng.normal(size=3 * H), rng.normal(size=3 * H)


def conventions_right(student, solution, rng, conventions):
    """Share of the conventions in which a step of a batch is right."""
    good = 0
    for names in conventions:
        case = rng.normal(size=(4, 2)), rng.uniform(-1, 1, size=(4, 5)), *drawn_old_box(rng, 2, 5)
        good += like(student.gru_step(*case, *names), solution.gru_step(*case, *names), 1e-7)
    return good / len(conventions)


@check("gru", points=0.5, hidden=True)
def as_in_pytorch(student, solution, rng):
    """Reset after the product, z keeps; two random boxes."""
    return conventions_right(student, solution, rng, [("after", "keep")] * 2)


@check("gru", points=0.5, hidden=True)
def gates_that_write(student, solution, rng):
    """The gate writes, with the reset after the product."""
    return conventions_right(student, solution, rng, [("after", "write")] * 2)


@check("gru", points=0.5, hidden=True)
def reset_before(student, solution, rng):
    """Reset before the product, half for each meaning of z."""
    return conventions_right(student, solution, rng, [("before", "keep"), ("before", "write")])


@check("gru", points=0.5, hidden=True)
def long_strips(student, solution, rng):
    """Strips of a pen, one for each convention; a quarter for each that is recognised."""
    good = 0
    for names in CONVENTIONS:
        box, x = drawn_old_box(rng, 3, 4), rng.normal(size=(2, 15, 3))
        h = [rng.uniform(-1, 1, size=(2, 4))]
        for t in range(15):
            h.append(solution.gru_step(x[:, t], h[-1], *box, *names))
        got = student.which_box(x, np.stack(h, axis=1).round(4), *box)
        is_true(type(got) in (tuple, list) and len(got) == 2, "should return a pair of texts")
        good += all(type(word) is str for word in got) and tuple(got) == names
    return good / 4


# ---- part 5: half_life, bias_for, set_forget_bias -----------------------------------------------


@check("patience", points=0.25)
def three_quarters(student):
    """A gate of 0.75 has a half-life of 2.4094 steps."""
    got = student.half_life(float(np.log(3)))
    is_true(not like(got, 3.4760594967822072), "1 / ln f is the time after which 1 / e is left")
    is_true(not like(got, -2.4094208396532095), "A half-life is positive: ln 0.5 / ln f")
    is_true(not like(got, 0.5), "What is asked for is not the share that is left, but the steps")
    close(got, 2.4094208396532095, rtol=1e-8)


@check("patience", points=0.25)
def twice_three_quarters(student):
    """A share of 0.5625 is left after two steps if the gate is 0.75."""
    got = student.bias_for(0.5625, 2)
    is_true(not like(got, 0.75), "This is the gate; return the bias, whose sigmoid it is")
    is_true(not like(got, 0.2513144282809062), "0.5625 is left after two steps, not after one")
    is_true(not like(got, 0.8813735870195430), "0.5625 is to be left after two steps, not one half")
    close(got, float(np.log(3)), rtol=1e-8)


@check("patience", points=0.25)
def sixteen_numbers(student):
    """The tape of the text gets a forget bias of 3."""
    tape = array(student.set_forget_bias(np.arange(1.0, 17.0), 1, 1, 3.0), (16,))
    others = np.delete(np.arange(16), [9, 13])
    is_true(like(tape[others], (others + 1.0).tolist()), "Leave all other numbers as they are")
    is_true(not like(tape[9] + tape[13], 6.0), "Both biases are 3; PyTorch adds them up to 6")
    is_true(like(tape[9] + tape[13], 3.0), "The two biases of the forget gate must add up to 3")


@check("patience", points=0.5, hidden=True)
def everyday_gates(student, solution, rng):
    """Biases and half-lives of usual size; half for each function."""
    part = 0
    biases = rng.uniform(-3, 7, size=4).tolist()
    part += all([like(student.half_life(b), solution.half_life(b)) for b in biases])
    cases = [(float(rng.uniform(0.05, 0.95)), int(n)) for n in rng.integers(3, 400, size=4)]
    part += all([like(student.bias_for(*case), solution.bias_for(*case)) for case in cases])
    return part / 2


@check("patience", points=0.25, hidden=True)
def patient_half_lives(student, solution, rng):
    """Gates that floating point cannot tell from 1, and from 0."""
    u = float(rng.uniform(1, 2))
    biases = [25 * u, 30.0 + u, 49.5, -24 * u]
    return float(all([like(student.half_life(b), solution.half_life(b), 1e-8) for b in biases]))


@check("patience", points=0.25, hidden=True)
def patient_biases(student, solution, rng):
    """Shares close to 0 and 1, and steps beyond counting."""
    u = float(rng.uniform(1, 2))
    cases = [(0.5, 10**15), (1 - 4e-13, 10**15), (1 - 4e-13, 5), (1e-14, 1)]
    cases.append((0.3 * u, int(7e12 * u)))
    return float(all([like(student.bias_for(*c), solution.bias_for(*c), 1e-8) for c in cases]))


@check("patience", points=0.25, hidden=True)
def tapes_with_patience(student, rng):
    """A larger tape; only the sum of the two forget biases counts, and only theirs changed."""
    D, H, bias = 3, 5, float(rng.uniform(2, 9))
    tape = drawn_tape(rng, D, H, 4)
    new = array(student.set_forget_bias(tape, D, H, bias), tape.shape)
    first = 4 * H * (D + H) + H
    second = first + 4 * H
    forget = np.concatenate([np.arange(first, first + H), np.arange(second, second + H)])
    close(np.delete(new, forget), np.delete(tape, forget))
    close(new[forget[:H]] + new[forget[H:]], np.full(H, bias), rtol=1e-8)


# ---- part 6: signal_box -------------------------------------------------------------------------

LIMIT, DOWN = 50.0, 0.25


def weights_of(box):
    """The three arrays of a box, if they may be built in."""
    box = parts(box, 3)
    is_true(all(type(w) is np.ndarray for w in box), "should return three arrays")
    is_true(box[1].ndim == 2 and 1 <= len(box[1]) <= 8, "W_ha: from 1 to 8 units, shape (H, 4 * H)")
    H = len(box[1])
    for w, shape in zip(box, ((3, 4 * H), (H, 4 * H), (4 * H,)), strict=True):
        array(w, shape, "int" if w.dtype.kind in "iu" else "float")
        is_true(bool(np.abs(w).max() <= LIMIT), "Valves: every number lies between -50 and 50")
    return [w.astype(float) for w in box]


@check("box", points=0.5)
def first_step(student):
    """The first step of an empty box: nothing, an axle, or the key."""
    W_xa, W_ha, b_a = weights_of(student.signal_box())
    events = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    a = (events @ W_xa + b_a)[:, :: len(W_ha)]  # unit 0 in each block; nothing was shown before
    written = np.tanh(a[:, 2]) / (1 + np.exp(-a[:, 0]))
    shown = np.tanh(written) / (1 + np.exp(-a[:, 3]))
    is_true(bool(shown[0] <= DOWN), "The barrier goes down although nothing has come")
    is_true(bool(written[1] > 0), "For an axle that comes in nothing above 0 is written")
    is_true(bool(shown[1] > DOWN), "One axle is inside, and unit 0 does not show more than 0.25")
    is_true(bool(shown[2] <= DOWN), "The key alone brings the barrier down")


def passing(axles, wait, stretch=None):
    """Inputs (T, 3) of a train; it begins to leave after so many steps, or when it has waited."""
    first_out = (axles if stretch is None else stretch) + wait
    moves = np.zeros((first_out + axles, 3))
    moves[:axles, 0] = 1
    moves[first_out:, 1] = 1
    return moves


def share_of_days(student, solution, days):
    """Share of the days that the box survives without a single wrong step."""
    box = weights_of(student.signal_box())
    x = np.zeros((len(days), max(map(len, days)) + 5, 3))  # they end with an empty line
    inside = np.zeros(x.shape[:2])
    for k, day in enumerate(days):
        x[k, : len(day)] = day
        count = 0
        for t, (coming, leaving, key) in enumerate(day):
            count = 0 if key else count + coming - leaving
            inside[k, t] = count
    start = np.zeros((len(days), len(box[1])))
    h, _ = solution.lstm_forward(x, start, start, *box)
    return ((h[:, 1:, 0] > DOWN) == (inside > 0)).all(axis=1).mean()


@check("box", points=0.75, hidden=True)
def long_waits(student, solution, rng):
    """Railbuses that wait for a moment, for minutes, and for a quarter of an hour."""
    days = []
    for low, high in ((1, 4), (150, 300), (450, 700), (900, 1000)):
        for axles in rng.integers(2, 4, size=2, endpoint=True):
            train = passing(int(axles), int(rng.integers(low, high, endpoint=True)))
            days.append(np.concatenate([np.zeros((int(rng.integers(3, 9)), 3)), train]))
    return share_of_days(student, solution, days)


@check("box", points=0.75, hidden=True)
def long_trains(student, solution, rng):
    """Ore trains of 150 to 200 axles with waits of all lengths."""
    days = [passing(200, 1000)]
    for low, high in ((0, 20), (300, 500), (700, 900)):
        days.append(
            passing(int(rng.integers(150, 200)), int(rng.integers(low, high, endpoint=True)))
        )
    return share_of_days(student, solution, days)


@check("box", points=0.75, hidden=True)
def longer_than_the_stretch(student, solution, rng):
    """Axles come in and go out in the same step; the head is out before the tail is in."""
    days = [passing(1300, 0, 200)]  # 1500 steps, and in 1100 of them both contacts report
    for _ in range(4):
        axles, stretch = int(rng.integers(40, 90)), int(rng.integers(10, 20))
        days.append(passing(axles, 0, stretch))
    return share_of_days(student, solution, days)


KEY = np.array([[0.0, 0.0, 1.0]])


@check("box", points=0.75, hidden=True)
def deer(student, solution, rng):
    """Two to five deer, then the key, then a train; one that is there twice on one day."""
    days = []
    for deer in (2, 3, 4, 5):
        steps = rng.integers(1, 30, size=3)
        family = np.zeros((deer + int(steps[0]), 3))
        family[:deer, 0] = 1
        key = np.concatenate([KEY, np.zeros((int(steps[1]), 3))])
        train = passing(int(rng.integers(12, 20)), int(steps[2]))
        days.append(np.concatenate([family, key, train, family, key, train]))
    return share_of_days(student, solution, days)


@check("box", points=0.5, hidden=True)
def key_after_a_train(student, solution, rng):
    """The key when the second contact missed a whole train: nothing of 150 to 200 axles stays."""
    days = []
    for axles in (200, int(rng.integers(150, 200))):
        missed = np.zeros((axles + int(rng.integers(1, 30)), 3))
        missed[:axles, 0] = 1
        empty = np.zeros((int(rng.integers(1, 30)), 3))
        train = passing(int(rng.integers(2, 6)), int(rng.integers(1, 20)))
        days.append(np.concatenate([missed, KEY, empty, train]))
    return share_of_days(student, solution, days)
