"""Checks of chapter 16, self-attention and the transformer block.

Letters: N batch, T time, M model width, E head width, F feed-forward width, K states, V symbols.
Sizes are pairwise distinct where a mixed-up axis must not pass.
"""

import numpy as np

from course_lib.attention import softmax
from course_lib.exercises.kit import exercise, wrong_claim, wrong_function
from course_lib.hmm_batch import smooth_batch
from course_lib.positions import rotate, sinusoidal_positions

# ---- 16.1 -----------------------------------------------------------------------------------


def _attend(q, k, v, may=None, scale=True, axis=-1):
    scores = q @ k.T / (np.sqrt(q.shape[1]) if scale else 1.0)
    if may is not None:
        scores = np.where(may, scores, -np.inf)
    return softmax(scores, axis=axis) @ v


def _past(T, ahead=0):
    return np.tri(T, k=ahead, dtype=bool)


def _head(x, W_q, W_k, W_v):
    return _attend(x @ W_q, x @ W_k, x @ W_v, _past(len(x)))


@exercise("16.1 One causal head")
def check_head(function):
    """Outputs of one head that looks at itself and the past."""
    rng = np.random.default_rng(161)
    cases = [(rng.normal(size=(T, M)), *rng.normal(size=(3, M, E)))
             for T, M, E in ((5, 3, 2), (4, 6, 3), (1, 2, 5))]  # fmt: skip

    def variant(**options):
        def wrong(x, W_q, W_k, W_v):
            chosen = {"may": _past(len(x)), **options}
            if callable(chosen["may"]):
                chosen["may"] = chosen["may"](len(x))
            return _attend(x @ W_q, x @ W_k, x @ W_v, **chosen)

        return wrong

    def zeroed(x, W_q, W_k, W_v):
        scores = (x @ W_q) @ (x @ W_k).T / np.sqrt(W_q.shape[1])
        return softmax(np.where(_past(len(x)), scores, 0.0)) @ (x @ W_v)

    def masked_late(x, W_q, W_k, W_v):
        weights = softmax((x @ W_q) @ (x @ W_k).T / np.sqrt(W_q.shape[1]))
        return np.where(_past(len(x)), weights, 0.0) @ (x @ W_v)

    def by_width(x, W_q, W_k, W_v):
        scores = (x @ W_q) @ (x @ W_k).T / np.sqrt(x.shape[1])
        return softmax(np.where(_past(len(x)), scores, -np.inf)) @ (x @ W_v)

    def by_length(x, W_q, W_k, W_v):
        scores = (x @ W_q) @ (x @ W_k).T / np.sqrt(len(x))
        return softmax(np.where(_past(len(x)), scores, -np.inf)) @ (x @ W_v)

    def by_E(x, W_q, W_k, W_v):
        scores = (x @ W_q) @ (x @ W_k).T / W_q.shape[1]
        return softmax(np.where(_past(len(x)), scores, -np.inf)) @ (x @ W_v)

    return wrong_function(
        function,
        cases,
        want=_head,
        axes=("time", "column"),
        likely=[
            (variant(may=None), "no mask: step 0 has seen what comes later"),
            (variant(may=lambda T: _past(T).T), "the mask is the wrong way round: it shows the "
             "future and hides the past"),
            (by_length, "divide by the root of the head's width E, not of the number of steps"),
            (variant(may=lambda T: _past(T, 1)), "the mask is one step too generous: row t may "
             "look up to t, not t + 1"),
            (zeroed, "a score of 0 is a score like any other; a hidden one is minus infinity"),
            (masked_late, "the mask came after the softmax, so the rows no longer sum to 1"),
            (variant(scale=False), "the scores are not divided by the root of E"),
            (by_width, "divide by the root of the head's width E, not of the model's"),
            (by_E, "divide by the root of E, not by E"),
            (
                lambda x, W_q, W_k, W_v: _attend(x @ W_k, x @ W_q, x @ W_v, _past(len(x))),
                "queries and keys are exchanged: the row is the one that asks",
            ),
            (
                variant(axis=0),
                "the softmax ran over the wrong axis: every row of weights must sum to 1",
            ),
        ],
    )  # fmt: skip


# ---- 16.2 -----------------------------------------------------------------------------------


def _count(M, F):
    return 4 * (M * M + M) + (M * F + F) + (F * M + M) + 4 * M


@exercise("16.2 Weights of a block")
def check_count(function):
    """Number of weights of a block."""
    return wrong_function(
        function,
        [(16, 32), (12, 20), (768, 3072)],
        want=_count,
        likely=[
            (lambda M, F: _count(M, F) - 4 * M, "the two layer norms have a gain and a bias each"),
            (lambda M, F: _count(M, F) - 2 * M, "a layer norm has a gain *and* a bias"),
            (
                lambda M, F: _count(M, F) - 4 * M - F - M - 4 * M,
                "only matrices were counted; biases, gains are weights, too",
            ),
            (
                lambda M, F: _count(M, F) - 4 * M - F - M,
                "the matrices have biases: four of M, one of F, one of M",
            ),
            (
                lambda M, F: _count(M, F) - (M * M + M),
                "the matrix after the heads, W_o with its bias, is missing",
            ),
            (
                lambda M, F: _count(M, F) - (F * M + M),
                "the feed-forward part has two matrices, there and back",
            ),
            (
                lambda M, F: 12 * M * M,
                "12 M^2 is a rule of thumb for F = 4 M; count with F, biases and norms",
            ),
            (
                lambda M, F: 2 * _count(M, F),
                "this is two blocks; heads need no weights of their own",
            ),
        ],
    )


# ---- 16.3 -----------------------------------------------------------------------------------


def _split(x, n_heads):
    N, T, M = x.shape
    return x.reshape(N, T, n_heads, M // n_heads).transpose(0, 2, 1, 3)


@exercise("16.3 Cut into heads")
def check_split(function):
    """(N, T, M) into (N, n_heads, T, E)."""
    rng = np.random.default_rng(163)
    cases = [(rng.normal(size=shape), heads) for shape, heads in
             (((2, 5, 12), 3), ((3, 7, 8), 4), ((2, 6, 6), 2), ((1, 4, 6), 1))]  # fmt: skip

    def sizes(x, n):
        return x.shape[0], x.shape[1], n, x.shape[2] // n

    def straight(x, n):
        N, T, n, E = sizes(x, n)
        return x.reshape(N, n, T, E)

    def uncut(x, n):
        return x.reshape(*sizes(x, n))

    def interleaved(x, n):
        N, T, n, E = sizes(x, n)
        return x.reshape(N, T, E, n).transpose(0, 3, 1, 2)

    def exchanged(x, n):
        return _split(x, n).swapaxes(2, 3)

    def flat(x, n):
        N, T, n, E = sizes(x, n)
        return _split(x, n).reshape(N * n, T, E)

    def heads_first(x, n):
        return _split(x, n).transpose(1, 0, 2, 3)

    return wrong_function(
        function,
        cases,
        want=_split,
        axes=("sequence", "head", "time", "column"),
        likely=[
            (straight, "one reshape to the final shape mixes times with heads: cut the last axis "
             "first, then move the axes"),
            (uncut, "the heads are cut, but still behind the time axis; move it"),
            (interleaved, "head 0 takes the first E columns, not every n-th one"),
            (exchanged, "the last two axes are exchanged: (N, n_heads, T, E)"),
            (flat, "sequences and heads are one axis here; four axes are asked"),
            (heads_first, "the batch comes first: (N, n_heads, T, E)"),
        ],
    )  # fmt: skip


# ---- 16.4 -----------------------------------------------------------------------------------


def _turn(x, t):
    return rotate(x[None], offset=t)[0]


@exercise("16.4 Turn by the place")
def check_turn(function):
    """Rotary turn of one vector at place t."""
    rng = np.random.default_rng(164)
    cases = [(rng.normal(size=E), t) for E, t in ((4, 3), (8, 11), (2, 1), (6, 0))]

    def turned(x, angles):
        y, even, odd = np.empty(len(x)), x[0::2], x[1::2]
        y[0::2] = even * np.cos(angles) - odd * np.sin(angles)
        y[1::2] = even * np.sin(angles) + odd * np.cos(angles)
        return y

    def speeds(x):
        return 10000.0 ** (-np.arange(0, len(x), 2) / len(x))

    def halves(x, t):
        half = len(x) // 2
        a, b, angles = x[:half], x[half:], t * speeds(x)
        return np.concatenate([a * np.cos(angles) - b * np.sin(angles),
                               a * np.sin(angles) + b * np.cos(angles)])  # fmt: skip

    def left_complex(x, t):
        return (x[0::2] + 1j * x[1::2]) * np.exp(1j * t * speeds(x))

    def added(x, t):
        return x + sinusoidal_positions(1, len(x), offset=t)[0]

    return wrong_function(
        function,
        cases,
        want=_turn,
        axes=("column",),
        likely=[
            (lambda x, t: turned(x, -t * speeds(x)), "turned the other way; look at the signs of "
             "the sines"),
            (left_complex, "these are pairs as complex numbers: put real and imaginary parts back "
             "side by side, `.view(float)`"),
            (halves, "this pairs entry i with i + E / 2; here neighbours are pairs"),
            (lambda x, t: turned(x, t * np.ones(len(x) // 2)), "every pair has its own speed"),
            (
                lambda x, t: turned(x, t * 10000.0 ** (-np.arange(len(x) // 2) / len(x))),
                "the exponent is 2 i / E for pair i; a factor 2 is missing",
            ),
            (lambda x, t: turned(x, (t + 1) * speeds(x)), "places count from 0"),
            (added, "waves were added; a turn keeps the length of the vector"),
            (lambda x, t: turned(x, np.deg2rad(t * speeds(x))), "angles are in radians"),
        ],
    )  # fmt: skip


# ---- 16.5 -----------------------------------------------------------------------------------


def _step(q, k, v, K, V):
    K, V = np.vstack([K, k]), np.vstack([V, v])
    return softmax(K @ q / np.sqrt(len(q))) @ V, K, V


def _without_new(q, k, v, K, V):
    """Looks at the old steps only, and then files the new one."""
    context = softmax(K @ q / np.sqrt(len(q))) @ V if len(K) else np.zeros(len(v))
    return context, np.vstack([K, k]), np.vstack([V, v])


@exercise("16.5 One step with a cache")
def check_step(function):
    """Context of the newest step, and the cache one step longer."""
    rng = np.random.default_rng(165)
    cases = [
        tuple(rng.normal(size=size) for size in (E, E, D, (S, E), (S, D)))
        for S, E, D in ((4, 3, 5), (6, 2, 4), (0, 3, 2))
    ]

    def not_filed(q, k, v, K, V):
        return _step(q, k, v, K, V)[0], K, V

    def unscaled(q, k, v, K, V):
        _, K, V = _step(q, k, v, K, V)
        return softmax(K @ q) @ V, K, V

    def in_front(q, k, v, K, V):
        context = _step(q, k, v, K, V)[0]
        return context, np.vstack([k, K]), np.vstack([v, V])

    def by_key(q, k, v, K, V):
        _, K, V = _step(q, k, v, K, V)
        return softmax(K @ k / np.sqrt(len(q))) @ V, K, V

    def exchanged(q, k, v, K, V):
        context, K, V = _step(q, k, v, K, V)
        return context, V, K

    def replaced(q, k, v, K, V):
        context, K, V = _step(q, k, v, K, V)
        return context, K[1:], V[1:]

    return wrong_function(
        function,
        cases,
        want=_step,
        parts=("the context", "K", "V"),
        likely=[
            (_without_new, "the newest step may look at itself: file k and v first"),
            (not_filed, "the cache is as long as before: the new key and value are not in it"),
            (unscaled, "the scores are not divided by the root of E"),
            (in_front, "the newest step stands last in the cache, not first"),
            (by_key, "the query asks, not the newest key"),
            (exchanged, "keys and values are exchanged in what is returned"),
            (replaced, "the oldest step was thrown away; a cache keeps all of them"),
        ],
    )


# ---- 16.6 -----------------------------------------------------------------------------------

_A = np.array([[0.9, 0.1], [0.3, 0.7]])
_B = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])


def _gap(gamma, B, y):
    without = gamma / B[:, y].T
    without = without / without.sum(axis=1, keepdims=True)
    return without @ B


@exercise("16.6 Fill in the gap, exactly")
def check_gap(function):
    """p(y_t | all other symbols) from the smoother."""
    rng = np.random.default_rng(166)
    cases = []
    for T in (4, 7):
        y = rng.integers(0, 3, size=T)
        cases.append((smooth_batch(y[None], np.array([0.75, 0.25]), _A, _B)[0], _B, y))

    def normalised(weights):
        return weights / weights.sum(axis=1, keepdims=True)

    return wrong_function(
        function,
        cases,
        want=_gap,
        axes=("time", "symbol"),
        distribution=True,
        likely=[
            (
                lambda gamma, B, y: gamma @ B,
                "the symbol itself is still in the smoother: the gap has been peeped at",
            ),
            (
                lambda gamma, B, y: (gamma / B[:, y].T) @ B,
                "divide by the sum: what is left over of the smoother is no distribution yet",
            ),
            (
                lambda gamma, B, y: normalised(gamma * B[:, y].T) @ B,
                "the symbol was counted twice; it has to be taken out",
            ),
            (
                lambda gamma, B, y: normalised(gamma / B[:, y].T),
                "this is over states; the question is which symbol they show",
            ),
            (
                lambda gamma, B, y: normalised((gamma / B[:, y].T) @ B**2),
                "the emissions came in twice at the end",
            ),
            (
                lambda gamma, B, y: gamma @ _A @ B,
                "this predicts the symbol one step later; the gap is at t itself",
            ),
        ],
    )


# ---- 16.7 -----------------------------------------------------------------------------------


def _places(W, T=60):
    waves = sinusoidal_positions(T, len(W))
    return waves @ (waves @ np.asarray(W, dtype=float)).T  # (T, T): who asks, who is asked


def _looks(W, back):
    """Whether every place that can looks exactly so many places back."""
    scores = _places(W)
    asking = [t for t in range(len(scores)) if 0 <= t - back < len(scores)]
    return all(scores[t].argmax() == t - back for t in asking)


def _first_answer(back):
    """What the function says to one question; text instead of None if it cannot be compared."""
    try:
        answer = back(8, 1)
    except Exception:
        return "raises"
    return answer if answer is None or answer is Ellipsis else "answers"


@exercise("16.7 So many steps back")
def check_back(function):
    """A matrix that makes the waves of place s look like those of place s + d."""
    if not callable(function):
        return wrong_function(function, [], want=lambda M, d: np.eye(M))
    if _first_answer(function) in (None, Ellipsis):
        raise NotImplementedError  # printed as not answered yet
    sizes = ((8, 1), (8, 3), (6, 2), (16, 5))
    return wrong_claim(
        function,
        [
            (
                lambda back: all(np.shape(back(M, d)) == (M, M) for M, d in sizes),
                "the matrix must have shape (M, M)",
            ),
            (
                lambda back: all(np.isfinite(np.asarray(back(M, d))).all() for M, d in sizes),
                "the matrix must hold finite numbers",
            ),
            (
                lambda back: not all(_looks(back(M, d), 0) for M, d in sizes),
                "every place looks at itself; turn the keys by d steps",
            ),
            (
                lambda back: not all(_looks(back(M, d), -d) for M, d in sizes),
                "it looks d steps ahead instead of back; turn the other way",
            ),
            (
                lambda back: not all(_looks(back(M, d), 1) for M, d in sizes),
                "it looks one step back, whatever d is",
            ),
            (
                lambda back: all(_looks(back(M, d), d) for M, d in sizes),
                "some place does not look exactly d places back; every pair of columns has its "
                "own speed, and row vectors are multiplied from the left",
            ),
        ],
    )
