"""Checks of Assignment 5. The visible ones are the examples that the text does by hand."""

import re

import numpy as np

from course_lib.grading.checks import (
    CheckFailed,
    StudentError,
    array,
    check,
    close,
    equal,
    fraction,
    is_true,
    raises,
)

LN2, LN3 = np.log(2), np.log(3)
SLIPS = LN2 * np.array([[2.0, 4.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
ENTRIES = np.array([[1.0, 0, 3, 0], [0, 1, 0, 0], [0, 0, 1, 1], [1, 1, 0, 1]])
SAID = np.array([[4.0, 0], [2, 6], [8, 2], [11, 4]])  # children, goats
SEEN = np.array([[True, True, True, False], [False, True, True, True]])
ORDER = {"rtol": 1e-7, "atol": 1e-10}  # sums in another order are as good


def parts(got, count):
    """Take apart what a function returned: a tuple or list of so many things."""
    right = type(got) in (tuple, list) and len(got) == count
    is_true(right, "should return as many things as the text asks for, as a tuple")
    return got


def like(got, wrong):
    """Tell whether a value is that of a known mistake."""
    try:
        close(got, np.array(wrong, float) if type(wrong) is list else wrong, rtol=1e-6)
    except CheckFailed:
        return False
    return True


# ---- part 1: may_look ---------------------------------------------------------------------------


@check("masks", points=0.5)
def three_lines(student):
    """Two true entries and an empty line, with the causal rule and without it."""
    causal = np.array([[[1, 0, 0], [1, 1, 0], [1, 1, 0]]], dtype=bool)
    anywhere = np.array([[[1, 1, 0], [1, 1, 0], [1, 1, 0]]], dtype=bool)
    got = student.may_look(np.array([2]), 3, True)
    array(got, (1, 3, 3), of="bool")
    is_true(not (got == ~causal).all(), "True means that one may look; here it means the opposite")
    is_true(
        not got[0, 0, 1],
        "Causal: line 0 looks at line 1 below it; the row asks and the column is asked",
    )
    is_true(bool(got[0, 0, 0]), "Causal: a line may look at itself too")
    is_true(not got[0, 2, 2], "Line 2 is empty, and somebody may look at it")
    is_true(bool(got[0, 2].any()), "The empty line may look nowhere; it asks by the same rules")
    equal(got, causal)
    got = student.may_look(np.array([2]), 3, False)
    array(got, (1, 3, 3), of="bool")
    is_true(not (got == causal).all(), "Not causal: lines below may be looked at too")
    is_true(not got[0, :, 2].any(), "Line 2 is empty, and somebody may look at it")
    equal(got, anywhere)


@check("masks", points=0.75, hidden=True)
def several_pages(student, solution, rng):
    """Pages of many lengths, a full one and one of a single entry among them, not causal."""
    lengths = rng.permutation(np.append(rng.integers(2, 9, size=4), [1, 9]))
    equal(student.may_look(lengths, 9, False), solution.may_look(lengths, 9, False))


@check("masks", points=0.75, hidden=True)
def several_clerks(student, solution, rng):
    """Pages of many lengths with the causal rule."""
    lengths = rng.permutation(np.append(rng.integers(2, 11, size=5), [1, 11]))
    equal(student.may_look(lengths, 11, True), solution.may_look(lengths, 11, True))


# ---- part 2: look_up ----------------------------------------------------------------------------


def page(rng, T=5, S=7, E=3, D=4):
    """Queries, keys, values and a mask that lets every query look somewhere and hides some."""
    may = rng.random((T, S)) < 0.6
    seen = rng.integers(S, size=T)
    may[np.arange(T), seen], may[np.arange(T), (seen + 1) % S] = True, False
    return rng.normal(size=(T, E)), rng.normal(size=(S, E)), rng.normal(size=(S, D)), may


@check("look", points=1)
def two_slips(student):
    """The slips of the text at temperature 1, and slip 0 at 1/2."""
    context, weights = parts(student.look_up(SLIPS, ENTRIES, SAID, SEEN, 1.0), 2)
    array(context, (2, 2))
    array(weights, (2, 4))
    first, sums = weights[0], weights.sum(axis=1)
    is_true(not like(first, [2 / 24, 4 / 24, 2 / 24, 0.0]), "Hide before the softmax, not after it")
    is_true(not like(first, [2 / 9, 4 / 9, 2 / 9, 1 / 9]), "A score of 0 is no hiding: exp(0) is 1")
    is_true(not like(first, [1 / 6, 2 / 3, 1 / 6, 0.0]), "Divide the scores by the root of E = 4")
    is_true(
        not like(first, [0.0, 0.0, 0.0, 1.0]), "True means that one may look; here it hides instead"
    )
    is_true(
        not like(weights.sum(axis=0), [1.0, 1.0, 1.0, 1.0]),
        "Columns sum to 1: the softmax runs along the wrong axis, each query's row must sum to 1",
    )
    is_true(bool(np.abs(sums - 1).max() < 1e-9), "Every row of weights must sum to 1")
    close(weights, np.array([[0.25, 0.5, 0.25, 0], [0, 1 / 3, 1 / 3, 1 / 3]]))
    close(context, np.array([[4, 3.5], [7, 4]]))
    _, weights = parts(student.look_up(SLIPS[:1], ENTRIES, SAID, SEEN[:1], 0.5), 2)
    root = np.sqrt(2)
    warm = [1 / (2 + root), root / (2 + root), 1 / (2 + root), 0.0]
    is_true(
        not like(weights, [warm]), "Temperature 1/2 makes it firmer: divide by it, do not multiply"
    )
    is_true(not like(weights, [[0.25, 0.5, 0.25, 0.0]]), "The temperature changes nothing")
    close(weights, np.array([[1 / 6, 2 / 3, 1 / 6, 0.0]]))


@check("look", points=0.5, hidden=True)
def other_pages(student, solution, rng):
    """Random slips and entries, a random mask and temperature."""
    for T, S in ((5, 7), (6, 4)):
        case = (*page(rng, T, S), float(rng.uniform(0.4, 2)))
        got = parts(student.look_up(*case), 2)
        for mine, right in zip(got, solution.look_up(*case), strict=True):
            close(mine, right)


@check("look", points=0.5, hidden=True)
def large_scores(student, solution, rng):
    """Scores in the thousands, and a hidden one that is larger still."""
    q, k, v, may = page(rng)
    q[:, 0], k[:, 0] = 60, 60  # on all scores alike, so the weights stay unlike
    q[3, 0] = -60
    k[4, 0], may[:, 4], may[:, 2] = 120, False, True
    case = q, k, v, may, float(rng.uniform(0.4, 0.8))
    got = parts(student.look_up(*case), 2)
    for mine, right in zip(got, solution.look_up(*case), strict=True):
        close(mine, right, rtol=1e-7, atol=1e-9)  # rounding of large scores


@check("look", points=0.5, hidden=True)
def best_entries(student, solution, rng):
    """Temperature 0, with ties; an equally good entry is hidden."""
    T, S = 6, 11
    q, k = (rng.integers(-1, 2, size=(n, 3)).astype(float) for n in (T, S))
    may = rng.random((T, S)) < 0.8
    q[2] = k[1] = k[5] = k[8] = 1.0  # nothing fits better
    may[2], may[:, 3] = True, True
    may[2, rng.choice([1, 5, 8])] = False
    q[4], may[4] = -1.0, np.isin(np.arange(S), [1, 5, 8])  # sees nothing that fits
    case = q, k, rng.normal(size=(S, 2)), may, 0.0
    got = parts(student.look_up(*case), 2)
    for mine, right in zip(got, solution.look_up(*case), strict=True):
        close(mine, right)


@check("look", points=0.5, hidden=True)
def blind_query(student, rng):
    """A query that may look nowhere: ValueError, for full points with its row."""
    row = int(rng.integers(11, 19))
    q, k, v, may = page(rng, T=23, S=7)
    may[row] = False
    raises("ValueError", lambda: student.look_up(q, k, v, may, 1.0))
    try:
        student.look_up(q, k, v, may, 1.0)
    except StudentError as refusal:
        # One who names all rows has named this one as well.
        named = set(re.findall(r"\d+", refusal.message)) & {str(n) for n in range(10, 20)}
        # NumPy's and Python's own words for the largest of nothing: not a refusal, an accident.
        own = "zero-size array", "empty sequence", "argument is empty"
        by_accident = any(words in refusal.message for words in own)
        return 1.0 if named == {str(row)} else 0.0 if by_accident else 0.5
    return 0.0


# ---- part 3: look_up_backward -------------------------------------------------------------------


@check("back", points=1)
def more_children(student):
    """Slip 0 should have spoken of more children."""
    weights = np.array([[0.25, 0.5, 0.25, 0], [0, 1 / 3, 1 / 3, 1 / 3]])
    case = np.array([[1.0, 0.0], [0.0, 0.0]]), weights, SLIPS, ENTRIES, SAID, 1.0
    dq, dk, dv, dt = parts(student.look_up_backward(*case), 4)
    array(dq, (2, 4))
    is_true(
        not like(dq[0], [0.5, 0.5, 2.5, 1.0]),
        "q: weights sum to 1; take the mix, 4 children, off each entry first",
    )
    is_true(not like(dq[0], [0.0, -1.0, 1.0, 1.0]), "q: twice too large; the root of E is missing")
    is_true(not like(dq[0], [0.0, 0.5, -0.5, -0.5]), "q: the sign; entry 2 is better than the mix")
    close(dq, np.array([[0, -0.5, 0.5, 0.5], [0, 0, 0, 0]]))
    array(dk, (4, 4))
    half = LN2 * np.array([1.0, 2.0, 0.0, 1.0])
    close(dk, np.array([0 * half, -half, half, 0 * half]))
    array(dv, (4, 2))
    close(dv, np.array([[0.25, 0], [0.5, 0], [0.25, 0], [0, 0]]))
    is_true(
        not (type(dt) in (float, np.float64) and np.isnan(dt)),
        "temperature: the logarithm of a weight of 0 is infinite, and 0 times that is no number",
    )
    is_true(not like(dt, -LN2), "temperature: the sign; dividing by more makes the scores smaller")
    close(dt, LN2)


def looks(rng, T, S):
    """A gradient, weights with zeros, and what they came from, in the order of the arguments."""
    q, k, v, may = page(rng, T, S)
    temperature = float(rng.uniform(0.3, 0.7))
    scores = np.where(may, q @ k.T / np.sqrt(q.shape[1]), -np.inf) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = powers / powers.sum(axis=1, keepdims=True)
    return rng.normal(size=(T, v.shape[1])), weights, q, k, v, temperature


@check("back", points=0.5, hidden=True)
def to_the_values(student, solution, rng):
    """What each value contributes."""
    case = looks(rng, 5, 7)
    close(parts(student.look_up_backward(*case), 4)[2], solution.look_up_backward(*case)[2])


@check("back", points=1, hidden=True)
def to_queries_and_keys(student, solution, rng):
    """Random pages, masks and temperatures; half for the queries, half for the keys."""
    case = looks(rng, 6, 8)
    got, right = parts(student.look_up_backward(*case), 4), solution.look_up_backward(*case)
    earned = 0.0
    for mine, wanted in zip(got[:2], right[:2], strict=True):
        try:
            close(mine, wanted, **ORDER)
            earned += 0.5
        except CheckFailed:
            pass
    return earned


@check("back", points=0.5, hidden=True)
def to_the_temperature(student, solution, rng):
    """One number, also where much is hidden."""
    case = looks(rng, 5, 6)
    close(
        parts(student.look_up_backward(*case), 4)[3], solution.look_up_backward(*case)[3], **ORDER
    )


# ---- part 4: heads ------------------------------------------------------------------------------


@check("heads", points=0.5)
def two_lines(student):
    """One page of two lines; two heads share a key and a value."""
    x = np.array([[[1.0, 0.0], [1.0, 1.0]]])
    W_q, W_k = LN3 * np.array([[1.0, 2.0], [-1.0, -1.0]]), np.array([[0.0], [1.0]])
    W_v, W_o = np.array([[3.0], [6.0]]), np.array([[1.0, 0.0], [2.0, 1.0]])
    may = np.array([[[True, False], [True, True]]])
    y, weights = parts(student.heads(x, W_q, W_k, W_v, W_o, may, 2), 2)
    array(y, (1, 2, 2))
    array(weights, (1, 2, 2, 2))
    is_true(not like(y[0], [[3.0, 3.0], [6.0, 7.5]]), "The heads are right; W_o is missing")
    by_width = 3 ** np.sqrt(0.5)
    is_true(
        not like(weights[0, 1, 1], [1 / (1 + by_width), by_width / (1 + by_width)]),
        "Divide by the root of E, the width of one head (here 1), not of M",
    )
    one_reshape = "Cut into heads first, then exchange heads and lines: one reshape mixes them"
    is_true(not like(weights[0, 0, 1], [0.1, 0.9]), one_reshape)
    close(weights, np.array([[[[1, 0], [0.5, 0.5]], [[1, 0], [0.25, 0.75]]]]))
    is_true(not like(y[0], [[15.0, 6.0], [18.0, 7.5]]), one_reshape)
    close(y, np.array([[[9.0, 3.0], [21.0, 7.5]]]))


def batch(rng, N, T, n_heads, E, G):
    """Pages, four matrices, and a mask of pages of several lengths."""
    M = n_heads * E
    shapes = (M, M), (M, G * E), (M, G * E), (M, M)
    matrices = [rng.normal(size=shape) / np.sqrt(M) for shape in shapes]
    lengths = 1 + rng.permutation(T)[:N]
    may = np.tri(T, dtype=bool) & (np.arange(T) < lengths[:, None, None])
    return rng.normal(size=(N, T, M)), *matrices, may, n_heads


@check("heads", points=0.75, hidden=True)
def own_keys(student, solution, rng):
    """Every head has keys and values of its own."""
    case = batch(rng, N=2, T=5, n_heads=3, E=4, G=3)
    got = parts(student.heads(*case), 2)
    for mine, right in zip(got, solution.heads(*case), strict=True):
        close(mine, right, **ORDER)


@check("heads", points=0.75, hidden=True)
def shared_keys(student, solution, rng):
    """Two, and three, neighbouring heads share keys and values."""
    for sizes in ({"n_heads": 4, "E": 5, "G": 2}, {"n_heads": 6, "E": 2, "G": 2}):
        case = batch(rng, N=3, T=7, **sizes)
        got = parts(student.heads(*case), 2)
        for mine, right in zip(got, solution.heads(*case), strict=True):
            close(mine, right, **ORDER)


# ---- part 5: cache_step and tally_step ----------------------------------------------------------


def numbers_in(memory, names):
    """How many numbers are kept; texts and long integers hold some too. Names go into a set."""
    if type(memory) is dict:
        names |= {key for key in memory if type(key) is str}
        keys = [key for key in memory if type(key) is not str]
        memory = [*keys, *memory.values()]
    if type(memory) in (list, tuple, set, frozenset):
        # An empty one counts too: a row of empty things of two kinds is a row of bits.
        return max(1, sum(numbers_in(part, names) for part in memory))
    if type(memory) in (str, bytes):
        return len(memory) / 4
    if type(memory) is int:
        return max(1, memory.bit_length() / 64)
    plain = memory is None or isinstance(memory, bool | float | complex | np.ndarray | np.generic)
    is_true(
        plain, "the memory should be arrays and numbers, or tuples, lists, dictionaries of them"
    )
    return max(1, np.size(memory)) * (2 if np.iscomplexobj(memory) else 1)


def run(step, entries, option, room, astray=False):
    """Contexts (T, D) of a register, step by step; the memory may hold so many numbers.

    ``astray``: after each step another entry is read with the memory from before it, and dropped.
    """
    memory, contexts = None, []
    for q, k, v in zip(*entries, strict=True):
        before = memory
        context, memory = parts(step(q, k, v, before, option), 2)
        if astray:
            step(q, 1 - 2 * k, 3 - v, before, option)
        contexts.append(array(context, v.shape))
        names = set()
        kept = numbers_in(memory, names) + max(0, sum(map(len, names)) - 40) / 4
        is_true(kept <= room + 10, "the memory holds more numbers than the text says")
    return np.array(contexts)


def remembers(step, entries, option, room):
    """The contexts of ``run``, if nothing is remembered but in the memory that is handed on."""
    contexts = run(step, entries, option, room)
    again = run(step, entries, option, room, astray=True)
    is_true(
        bool(np.allclose(again, contexts, rtol=1e-9, atol=1e-12)),
        "an older memory was used once more, and later answers changed: what is known of earlier "
        "entries must stand in the memory that is returned, not in a global or default list",
    )
    return contexts


@check("carry", points=0.5)
def three_entries(student):
    """The cache: three entries, all kept, and with a window of 2."""
    queries = np.tile(LN2 * np.array([2.0, 0, 0, 0]), (3, 1))
    keys = np.array([[1.0, 5, 0, 0], [0, 1, 0, 3], [2, 0, 1, 0]])
    entries = queries, keys, np.array([[4.0], [8.0], [2.0]])
    got = remembers(student.cache_step, entries, None, 15)[:, 0]
    is_true(not like(got[1], 4.0), "Entry 1 was told 4: the newest entry must see itself too")
    is_true(not like(got[1], 24 / 5), "Divide the scores by the root of E = 4")
    is_true(not like(got[1], 8.0), "Entry 1 sees only itself; what was kept before must be used")
    close(got, np.array([4, 16 / 3, 24 / 7]))
    got = remembers(student.cache_step, entries, 2, 15)[:, 0]
    is_true(
        not like(got[2], 24 / 7),
        "Window 2: entry 0 is still seen; only two are, and the newest entry is one of the two",
    )
    is_true(
        not like(got[2], 2.0), "Window 2: the newest and the one before it, not the newest alone"
    )
    close(got, np.array([4, 16 / 3, 3.2]))


@check("carry", points=0.5)
def two_entries(student):
    """The tally: two entries with fade 1 and fade 0.5."""
    entries = np.array([[1.0, 0], [1, 0]]), np.array([[1.0, 0], [0, 7]]), np.array([[5.0], [8.0]])
    got = remembers(student.tally_step, entries, 1.0, 4)[:, 0]
    is_true(not like(got, [25.0, 105.0]), "Divide by the sum of the weights: it is a mean")
    is_true(not like(got[1], 6.0), "The query goes through phi as well")
    is_true(not like(got[1], 22 / 3), "The keys go through phi as well")
    is_true(not like(got[1], 6.5), "All entries weigh the same; entry s weighs phi(q) @ phi(k_s)")
    is_true(not like(got[1], 8.0), "Entry 1 sees only itself; what was carried must be added")
    close(got, np.array([5.0, 7.0]))
    got = remembers(student.tally_step, entries, 0.5, 4)[:, 0]
    is_true(not like(got[1], 7.0), "fade = 0.5 changes nothing: older entries count less")
    is_true(not like(got[1], 37 / 6), "The vector fades as the table does, or it is no mean")
    close(got, np.array([5.0, 7.4]))


def entries_of(rng, T, E, D):
    """A register: queries, keys and values of T entries."""
    return tuple(rng.normal(size=(T, n)) for n in (E, E, D))


@check("carry", points=0.5, hidden=True)
def whole_register(student, solution, rng):
    """A cache of everything."""
    entries = entries_of(rng, 29, 5, 3)
    got = remembers(student.cache_step, entries, None, 29 * 8)
    close(got, run(solution.cache_step, entries, None, 29 * 8), **ORDER)


@check("carry", points=0.5, hidden=True)
def last_pages(student, solution, rng):
    """A window of 1 and one of several entries; what has left it is not kept."""
    for window in (1, int(rng.integers(4, 8))):
        entries = entries_of(rng, 19, 3, 4)
        got = remembers(student.cache_step, entries, window, 7 * window)
        close(got, run(solution.cache_step, entries, window, 7 * window), **ORDER)


@check("carry", points=0.5, hidden=True)
def long_tally(student, solution, rng):
    """A tally of all entries alike; it does not grow."""
    entries = entries_of(rng, 31, 3, 4)
    close(
        remembers(student.tally_step, entries, 1.0, 15),
        run(solution.tally_step, entries, 1.0, 15),
        **ORDER,
    )


@check("carry", points=0.5, hidden=True)
def fading_tally(student, solution, rng):
    """A tally whose entries fade; it does not grow."""
    entries, fade = entries_of(rng, 27, 4, 2), float(rng.uniform(0.5, 0.9))
    close(
        remembers(student.tally_step, entries, fade, 12),
        run(solution.tally_step, entries, fade, 12),
        **ORDER,
    )


# ---- part 6: find_again -------------------------------------------------------------------------


def matrices_of(got, V):
    """The six matrices, if they are six and fit each other."""
    wanted = {"q1", "k1", "v1", "q2", "k2", "v2"}
    six = type(got) is dict and {name for name in got if type(name) is str} == wanted
    is_true(six and len(got) == 6, "should return a dictionary of q1, k1, v1, q2, k2 and v2")
    for look, rows in (("1", V + 3), ("2", 2 * V + 3)):
        width = array(got["q" + look], (rows, None)).shape[1]
        array(got["k" + look], (rows, width))
        array(got["v" + look], (rows, V))
    return got


def causal_look(q, k, v):
    """One look of every place at itself and those before; the mixed values and the weights."""
    scores = np.where(np.tri(len(q), dtype=bool), q @ k.T, -np.inf)
    sharp = np.exp(scores - scores.max(axis=1, keepdims=True))
    looks = sharp / sharp.sum(axis=1, keepdims=True)
    return looks @ v, looks


def read(words, matrices, V):
    """Answer of the two looks, and the weights of the first; the network of the text."""
    place = np.arange(len(words), dtype=float)
    x = np.column_stack([np.eye(V)[words], np.ones(len(words)), place, place**2])
    with np.errstate(all="ignore"):  # matrices of huge numbers: the answer is not a number
        before, first = causal_look(*(x @ matrices[name] for name in ("q1", "k1", "v1")))
        x = np.column_stack([x, before])
        output, _ = causal_look(*(x @ matrices[name] for name in ("q2", "k2", "v2")))
    return output[-1], first


SMALL = [0, 1, 2, 3, 4, 1]  # pilcrow Huber smith Graf baker Huber


@check("again", points=0.25)
def one_place_back(student):
    """The first look of every word goes to the word before it."""
    matrices = matrices_of(student.find_again(5), 5)
    _, first = read(SMALL, matrices, 5)
    is_true(bool(np.isfinite(first).all()), "The first look is not a number: scores too large")
    at = first.argmax(axis=1)[1:]
    is_true(
        not np.allclose(first[-1], 1 / 6, atol=1e-6),
        "The first look spreads its weight evenly: all scores of a word are the same",
    )
    is_true(
        not (at[1:] == np.arange(2, 6)).all(),
        "The words look at themselves: ask for t - 1, not t; take half of the square off, "
        "do not forget it",
    )
    is_true(not (at[1:] == 0).all(), "All words look at the pilcrow: a sign is wrong, near is far")
    is_true(
        bool((at == np.arange(5)).all()), "Some word's first look does not go to the word before it"
    )
    is_true(
        bool((first[np.arange(1, 6), np.arange(5)] > 0.9).all()),
        "The first look goes to the right place, but too softly: make the matrices larger",
    )


@check("again", points=0.25)
def two_entries_of_huber(student):
    """Huber smith Graf baker Huber: smith; and after a second Huber baker, baker."""
    matrices = matrices_of(student.find_again(5), 5)
    output, _ = read(SMALL, matrices, 5)
    is_true(bool(np.isfinite(output).all()), "The output is not a number")
    is_true(int((output == output.max()).sum()) == 1, "Several words come out equally large")
    best = int(output.argmax())
    is_true(
        best != 1,
        "The answer is Huber: the second look found the word, not what came after it, or blurred",
    )
    is_true(best == 2, "Huber smith Graf baker Huber: the answer should be smith")
    output, _ = read([0, 1, 2, 3, 4, 1, 4, 3, 2, 1], matrices, 5)
    is_true(int(output.argmax()) == 4, "Huber was a smith, later a baker: the latest time counts")
    output, _ = read([0, 1, 2, 1, 2, 3, 4, 1, 4, 1], matrices, 5)
    is_true(
        int(output.argmax()) == 4,
        "Huber was a smith twice, then a baker: the latest time counts, "
        "not the most frequent trade",
    )


def register_of(rng, V, T, times):
    """A register whose last word was there some times before, and what came after the latest."""
    name, *rest = rng.permutation(np.arange(1, V))
    words = rng.choice(rest, size=T)
    at = np.sort(rng.choice(np.arange(1, T // 4), size=times, replace=False)) * 3
    words[0], words[at], words[-1] = 0, name, name
    words[at + 1] = rest[0]  # always the same, but for the latest time
    words[at[-1] + 1] = rest[1]
    return words, rest[1]


def share_found(student, rng, times):
    """Share of registers whose last word is answered rightly."""
    right = []
    for V, T, count in ((9, 40, 16), (14, 110, 12), (23, 400, 4)):
        matrices = matrices_of(student.find_again(V), V)
        for _ in range(count):
            words, wanted = register_of(rng, V, T, times)
            output, _ = read(words, matrices, V)
            right.append(bool(np.isfinite(output).all()) and int(output.argmax()) == wanted)
    return float(np.mean(right))


@check("again", points=1.25, hidden=True)
def seen_once(student, rng):
    """Registers of up to 400 words whose last word was there once before; half right earn 0."""
    return fraction(share_found(student, rng, 1), 0.5, 1)


@check("again", points=1.25, hidden=True)
def seen_often(student, rng):
    """The last word was there four times before, and the latest counts; half right earn 0."""
    return fraction(share_found(student, rng, 4), 0.5, 1)
