"""Checks of chapter 13, reading letter by letter.

Letters: T time, N streams, V symbols. Sizes are pairwise distinct where a mixed-up axis must not
pass.
"""

import numpy as np

from course_lib.exercises.kit import exercise, wrong_function
from course_lib.sampling import temperature_probs

# ---- 13.1 -----------------------------------------------------------------------------------


def _chosen(probs, y):
    return probs[np.arange(len(y)), y]


def _bits(probs, y):
    return -np.log2(_chosen(probs, y)).mean()


def _bits_cases():
    rng = np.random.default_rng(131)
    return [(rng.dirichlet(np.ones(V), size=T), rng.integers(0, V, size=T)) for T, V in
            ((5, 3), (4, 7), (11, 2))]  # fmt: skip


@exercise("13.1 Bits per character")
def check_bits(function):
    """Mean of -log2 of the probabilities of what came."""
    return wrong_function(
        function,
        _bits_cases(),
        want=_bits,
        likely=[
            (
                lambda probs, y: -np.log(_chosen(probs, y)).mean(),
                "these are nats: a bit is a logarithm to base 2",
            ),
            (
                lambda probs, y: np.log2(_chosen(probs, y)).mean(),
                "the sign: logarithms of probabilities are negative, costs are not",
            ),
            (
                lambda probs, y: -np.log2(_chosen(probs, y)).sum(),
                "this is what the whole text costs; divide by its length",
            ),
            (
                lambda probs, y: -np.log2(_chosen(probs, y).mean()),
                "the mean came before the logarithm; each character is paid for by itself",
            ),
            (
                lambda probs, y: -(probs * np.log2(probs)).sum(axis=1).mean(),
                "this is what the model expects to pay, its entropy; what came is in y",
            ),
            (
                lambda probs, y: -np.log2(probs[:, y]).mean(),
                "probs[:, y] pairs every row with every symbol; one entry a row is wanted",
            ),
            (
                lambda probs, y: -np.log2(probs.max(axis=1)).mean(),
                "this charges the most probable character; charge the one that came",
            ),
            (
                lambda probs, y: -np.log2(_chosen(probs[:-1], y[1:])).mean(),
                "row t was given before y[t]: probs and y are in step already",
            ),
            (
                lambda probs, y: 2 ** _bits(probs, y),
                "this is the perplexity; its logarithm is asked",
            ),
        ],
    )


# ---- 13.2 -----------------------------------------------------------------------------------


def _pairs(data, T, starts):
    return [(data[:, s : s + T], data[:, s + 1 : s + T + 1]) for s in starts]


def _side_by_side(y, N):
    L = len(y) // N
    return y[: N * L].reshape(N, L)


def _batches(y, N, T):
    data = _side_by_side(y, N)
    return _pairs(data, T, range(0, data.shape[1] - T, T))


def _as_array(function):
    """The pairs as one array (pairs, 2, N, T), which can be compared at once."""

    def stacked(y, N, T):
        pairs = function(y, N, T)
        if pairs is None or pairs is Ellipsis:
            return pairs
        return np.array([[np.asarray(x), np.asarray(target)] for x, target in pairs])

    return stacked


@exercise("13.2 Streams")
def check_batches(function):
    """Pairs of inputs and targets from streams that go on from pair to pair."""
    if not callable(function):
        return wrong_function(function, [], want=_batches)
    rng = np.random.default_rng(132)
    # The streams of the first leave a rest, those of the second end exactly with a target.
    cases = [(rng.integers(0, 50, size=s), N, T) for s, N, T in ((50, 3, 4), (26, 2, 4))]

    def every(step, offset=0):
        return lambda y, N, T: _pairs(
            _side_by_side(y, N), T, range(offset, _side_by_side(y, N).shape[1] - T, step(T))
        )

    def exchanged(y, N, T):
        return [(target, x) for x, target in _batches(y, N, T)]

    def copied(y, N, T):
        return [(x, x) for x, _ in _batches(y, N, T)]

    def interleaved(y, N, T):
        L = len(y) // N
        return _pairs(y[: N * L].reshape(L, N).T, T, range(0, L - T, T))

    def along_the_text(y, N, T):
        count = (len(y) - 1) // (N * T)
        x, target = y[: count * N * T], y[1 : count * N * T + 1]
        return list(zip(x.reshape(-1, N, T), target.reshape(-1, N, T), strict=True))

    def one_lost(y, N, T):
        return _batches(y, N, T)[:-1]

    def transposed(y, N, T):
        return [(x.T, target.T) for x, target in _batches(y, N, T)]

    def rolled(y, N, T):
        data = _side_by_side(y, N)
        ahead = np.roll(data, -1, axis=1)
        return [(data[:, s : s + T], ahead[:, s : s + T]) for s in
                range(0, data.shape[1] - T + 1, T)]  # fmt: skip

    likely = [
        (exchanged, "input and target are exchanged: the target is one character ahead"),
        (copied, "the target is the input itself; move it one character on"),
        (every(lambda T: T + 1), "a character is skipped between pairs: start T later, not T + 1"),
        (every(lambda T: 1), "the pairs overlap; each goes on where the last one stopped"),
        (interleaved, "neighbours went to different streams: reshape to (N, L), no transposing"),
        (along_the_text, "row i does not go on in row i of the next pair: cut N streams first"),
        (one_lost, "the last pair is missing; it fits if its last target exists"),
        (transposed, "time and streams are exchanged: the shape is (N, T)"),
        (rolled, "np.roll wraps round: the last target would be the stream's first character"),
    ]
    return wrong_function(
        _as_array(function),
        cases,
        want=_as_array(_batches),
        likely=[(_as_array(wrong), message) for wrong, message in likely],
        axes=("pair", "x or target", "stream", "time"),
    )


# ---- 13.3 -----------------------------------------------------------------------------------


def _log(probs):
    with np.errstate(divide="ignore"):  # log(0) = -inf is the right answer
        return np.log(probs)


def _heat(probs, temperature):
    return temperature_probs(_log(probs), temperature)


def _shares(weights):
    return weights / weights.sum()


@exercise("13.3 Temperature")
def check_heat(function):
    """Probabilities at another temperature, without overflow."""
    rng = np.random.default_rng(133)
    probs, with_zero = rng.dirichlet(np.ones(5)), np.array([0.0, 0.2, 0.5, 0.3])
    cold = (np.array([0.3, 0.3, 0.2, 0.2]), 0.001)
    cases = [(probs, 0.5), (probs, 1.7), (with_zero, 0.8), (with_zero, 3.0), (with_zero, 30.0)]
    likely = [
        (lambda p, tau: _shares(p**tau), "the exponent is 1 / temperature"),
        (lambda p, tau: p ** (1 / tau), "divide by the sum: probabilities add up to 1"),
        (
            lambda p, tau: _shares(np.exp(p / tau)),
            "the exponential takes logarithms of probabilities, not the probabilities",
        ),
        (
            lambda p, tau: _shares(np.exp(np.log(np.maximum(p, 1e-12)) / tau)),
            "a probability of 0 came out above 0; what cannot come stays impossible",
        ),
        (lambda p, tau: p, "these are the probabilities as they were; raise them to a power"),
    ]
    problem = wrong_function(function, cases, want=_heat, likely=likely, axes=("symbol",))
    if problem is None and wrong_function(function, [cold], want=_heat) is not None:
        return (
            "at temperature 0.001 the powers underflow to 0; divide by the largest probability "
            "before you raise to the power"
        )
    return problem


# ---- 13.4 -----------------------------------------------------------------------------------


def _nucleus(probs, mass):
    order = np.argsort(-probs, kind="stable")
    before = np.cumsum(probs[order]) - probs[order]
    return _kept(probs, order[before < mass])


def _kept(probs, places):
    kept = np.zeros(len(probs))
    kept[places] = probs[places]
    return kept / kept.sum()


@exercise("13.4 Nucleus")
def check_nucleus(function):
    """The smallest set of most probable symbols that holds the mass."""

    def without_crossing(probs, mass):
        order = np.argsort(-probs, kind="stable")
        return _kept(probs, order[np.cumsum(probs[order]) <= mass])

    def one_too_many(probs, mass):
        order = np.argsort(-probs, kind="stable")
        return _kept(probs, order[: (np.cumsum(probs[order]) <= mass).sum() + 1])

    def from_below(probs, mass):
        order = np.argsort(probs, kind="stable")
        before = np.cumsum(probs[order]) - probs[order]
        return _kept(probs, order[before < mass])

    def as_threshold(probs, mass):
        return _kept(probs, np.flatnonzero(probs >= 1 - mass))

    def unsorted(probs, mass):
        before = np.cumsum(probs) - probs
        return _kept(probs, np.flatnonzero(before < mass))

    def not_shared(probs, mass):
        right = _nucleus(probs, mass)
        return np.where(right > 0, probs, 0.0)

    def equal_shares(probs, mass):
        right = _nucleus(probs, mass) > 0
        return right / right.sum()

    def in_sorted_order(probs, mass):
        return np.sort(_nucleus(probs, mass))[::-1]

    cases = [
        (np.array([0.1, 0.4, 0.05, 0.3, 0.15]), 0.6),
        (np.array([0.1, 0.4, 0.05, 0.3, 0.15]), 0.8),
        (np.array([0.02, 0.9, 0.08]), 0.5),
        (np.array([0.3, 0.25, 0.45]), 1.0),
        (np.array([0.125, 0.5, 0.25, 0.125]), 0.75),  # exact in binary: the sum meets the mass
    ]
    return wrong_function(
        function,
        cases,
        want=_nucleus,
        axes=("symbol",),
        likely=[
            (without_crossing, "the symbol that crosses the mass belongs to the set as well"),
            (
                one_too_many,
                "where the sum has reached the mass already, one symbol too many is kept",
            ),
            (from_below, "the least probable were kept; sort downwards"),
            (as_threshold, "a threshold on single probabilities; their sum counts"),
            (unsorted, "the order of the alphabet decides here; sort by probability first"),
            (not_shared, "divide by the sum of what was kept: probabilities add up to 1"),
            (equal_shares, "the kept ones share in proportion to their probabilities"),
            (in_sorted_order, "the result is in sorted order; every symbol has its own place"),
        ],
    )


# ---- 13.5 -----------------------------------------------------------------------------------


def _back_off(counts, shorter):
    N, U = counts.sum(), (counts > 0).sum()
    return (counts + U * shorter) / (N + U) if N else shorter.copy()


@exercise("13.5 Backing off")
def check_back_off(function):
    """One step of Witten and Bell's interpolation."""
    rng = np.random.default_rng(135)
    seen = [
        (np.array([4.0, 0.0, 1.0, 0.0, 2.0]), rng.dirichlet(np.ones(5))),
        (np.array([0.0, 3.0, 0.0]), rng.dirichlet(np.ones(3))),
    ]
    never = (np.zeros(4), rng.dirichlet(np.ones(4)))

    def only_unseen(counts, shorter):
        N, U = counts.sum(), (counts > 0).sum()
        rest = np.where(counts > 0, 0.0, shorter)
        return counts / (N + U) + U / (N + U) * rest / rest.sum()

    likely = [
        (lambda c, s: c / c.sum(), "nothing is left over for what was never seen"),
        (lambda c, s: (c + s) / (c.sum() + 1), "U is the number of different followers, not 1"),
        (
            lambda c, s: (c + len(c) * s) / (c.sum() + len(c)),
            "U counts the symbols that did follow, not the whole alphabet",
        ),
        (
            lambda c, s: (c + c.sum() * s) / (2 * c.sum()),
            "U is how many different symbols followed, not how many in all",
        ),
        (lambda c, s: (c + (c > 0).sum() * s) / c.sum(), "these do not sum to 1: divide by N + U"),
        (
            lambda c, s: (c + (c == 0).sum() * s) / (c.sum() + (c == 0).sum()),
            "U counts the followers that were seen, not those that were not",
        ),
        (lambda c, s: (c + 1) / (c.sum() + len(c)), "this adds one to each; borrow from `shorter`"),
        (
            lambda c, s: np.where(c > 0, c / (c.sum() + (c > 0).sum()), s),
            "seen and unseen symbols are mixed without a common share; follow the formula",
        ),
        (only_unseen, "the shorter context has a say in the symbols that were seen, too"),
        (lambda c, s: s.copy(), "the counts are not used"),
    ]
    problem = wrong_function(
        function, seen, want=_back_off, likely=likely, axes=("symbol",), distribution=True
    )
    if problem is None and wrong_function(function, [never], want=_back_off) is not None:
        return "a context that was never seen: 0 / 0; everything is left to `shorter`"
    return problem


# ---- 13.6 -----------------------------------------------------------------------------------


def _best_weight(p, q):
    """By bisection on the slope, which falls with the weight."""
    low, high = 0.0, 1.0
    for _ in range(60):
        w = (low + high) / 2
        slope = ((p - q) / (w * p + (1 - w) * q)).mean()
        low, high = (w, high) if slope > 0 else (low, w)
    return (low + high) / 2


def _grid_best(loss):
    """The best weight on a grid under another loss; only for wrong answers."""
    grid = np.linspace(0, 1, 501)
    return lambda p, q: grid[int(np.argmin([loss(w, p, q) for w in grid]))]


@exercise("13.6 The best mixture")
def check_best_weight(function):
    """Weight of the mixture of two models that pays the fewest bits."""
    rng = np.random.default_rng(136)
    cases = [(rng.beta(1, 2, size=T), rng.beta(a, 3, size=T)) for T, a in ((200, 1.2), (150, 1.5))]
    cases.append((np.array([0.9, 0.8, 0.7, 0.9]), np.array([0.1, 0.2, 0.1, 0.3])))  # all to p

    def of_logs(w, p, q):
        return -(w * np.log(p) + (1 - w) * np.log(q)).mean()

    def arithmetic(w, p, q):
        return -(w * p + (1 - w) * q).mean()

    def share_of_wins(p, q):
        return float((p > q).mean())

    def other_way(p, q):
        return 1 - _best_weight(p, q)

    def by_means(p, q):
        return p.mean() / (p.mean() + q.mean())

    return wrong_function(
        function,
        cases,
        want=_best_weight,
        atol=2e-3,
        rtol=0.0,
        likely=[
            (other_way, "this is the weight of q; w is the weight of p"),
            (
                _grid_best(of_logs),
                "the logarithms were mixed; mix the probabilities, then take the logarithm",
            ),
            (
                _grid_best(arithmetic),
                "the mean probability is at its largest; it is the bits that should be fewest",
            ),
            (share_of_wins, "how often p is larger does not count by how much"),
            (by_means, "this compares the mean probabilities; look for the fewest bits"),
            (lambda p, q: 0.5, "half and half is a guess; look for the minimum"),
        ],
    )
