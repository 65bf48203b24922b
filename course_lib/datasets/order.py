r"""Tasks in which only the order tells the two classes apart.

Class 0 is a stationary Markov chain, class 1 the same chain run backwards in time. A sequence of
class 1 has the distribution of a sequence of class 0 read from its end, so every *bag* (how often
each symbol occurs, in any order) is equally probable in both classes. Whatever a classifier
computes from the bag, it is right half of the time: 0.5 is its exact ceiling, at any length and
with any amount of data.

What order is worth is known as well. The log-likelihood ratio of the classes is a sum over steps,

.. math:: \log \frac{p_0(y)}{p_1(y)} = \sum_t \log \frac{\pi_{y_t} A_{y_t y_{t+1}}}
                                                  {\pi_{y_{t+1}} A_{y_{t+1} y_t}},

so its exact distribution, and with it the Bayes accuracy, follows by a recursion over time.

Letters: n or N sequences, T time, V symbols.
"""

import numpy as np

from course_lib.markov import stationary_distribution, time_reversal

BAG_CEILING = 0.5  # exact, for every classifier that sees counts only

# Goes round 0, 1, 2 more often than back; class 1 goes round the other way.
ORDER_A = np.array([[0.2, 0.6, 0.2], [0.3, 0.2, 0.5], [0.5, 0.3, 0.2]])

# A click session. Class 0 moves towards the till, class 1 away from it.
CLICK_EVENTS = ("home", "search", "product", "cart")
CLICK_CLASSES = ("towards the till", "away from the till")
CLICK_A = np.array(
    [
        [0.10, 0.60, 0.25, 0.05],
        [0.15, 0.20, 0.55, 0.10],
        [0.10, 0.25, 0.25, 0.40],
        [0.45, 0.10, 0.15, 0.30],
    ]
)
for _array in (ORDER_A, CLICK_A):
    _array.setflags(write=False)  # everybody shares them


def order_classes(A=ORDER_A):
    """Return the two classes as chains: one stationary distribution, two directions of time.

    Parameters
    ----------
    A : ndarray of shape (V, V)
        Transition table of class 0, rows sum to 1.

    Returns
    -------
    pi : ndarray of shape (V,)
        Distribution of the first symbol, the same in both classes.
    A_forward : ndarray of shape (V, V)
        Transition table of class 0.
    A_backward : ndarray of shape (V, V)
        Transition table of class 1.
    """
    return stationary_distribution(A), np.array(A, dtype=float), time_reversal(A)


def order_pairs(n, T, rng, A=ORDER_A, paired=True):
    """Draw a balanced set of labelled sequences in which only the order tells the class.

    Parameters
    ----------
    n : int
        Number of sequences, even.
    T : int
        Symbols in each sequence, at least 2.
    rng : numpy.random.Generator
        Source of randomness.
    A : ndarray of shape (V, V), default=ORDER_A
        Transition table of class 0.
    paired : bool, default=True
        True: every sequence also occurs backwards with the other label, so both classes hold
        exactly the same bags and a rule that sees only the bag scores exactly 0.5 on the set. The
        two of a pair are right or wrong together: an interval for a model that sees the order must
        count n / 2 independent trials. False: n independent sequences.

    Returns
    -------
    y : ndarray of shape (n, T)
        Symbols from 0 to V - 1, in random order of the sequences.
    label : ndarray of shape (n,)
        0 for the chain, 1 for the chain run backwards; half of each.

    Raises
    ------
    ValueError
        If n is odd or T is below 2.
    """
    if n < 2 or n % 2:
        raise ValueError(f"n must be even and at least 2, to hold as many of each class, got {n}")
    if T < 2:
        raise ValueError(f"T must be at least 2, because one symbol has no order, got {T}")
    pi, A_forward, _ = order_classes(A)
    drawn = _sample_chains(n // 2 if paired else n, T, pi, A_forward, rng)
    if paired:
        y = np.concatenate([drawn, drawn[:, ::-1]])
    else:
        y = np.concatenate([drawn[: n // 2], drawn[n // 2 :, ::-1]])
    label = np.repeat([0, 1], n // 2)
    shuffled = rng.permutation(n)
    return y[shuffled], label[shuffled]


def order_ceiling(T, A=ORDER_A):
    """Return the exact Bayes accuracy at length T: the best that any classifier can do.

    Carries the distribution of the log-likelihood ratio under class 0 from step to step, adding up
    sequences that have the same last symbol and the same ratio. Ties count one half.

    Parameters
    ----------
    T : int
        Length of the sequences, at least 1.
    A : ndarray of shape (V, V), default=ORDER_A
        Transition table of class 0.

    Returns
    -------
    accuracy : float
        From 0.5 (T = 1, or a reversible chain) to 1.

    Raises
    ------
    ValueError
        If T is below 1.
    """
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    pi, A_forward, A_backward = order_classes(A)
    possible = A_forward > 0
    step = np.zeros_like(A_forward)
    with np.errstate(divide="ignore"):  # a step that only class 0 can make decides: ratio +inf
        step[possible] = np.log(A_forward[possible]) - np.log(A_backward[possible])
    reached = {(v, 0.0): pi[v] for v in range(len(pi))}
    for _ in range(T - 1):
        following = {}
        for (i, ratio), p in reached.items():
            for j in np.flatnonzero(A_forward[i]):
                key = (int(j), round(ratio + step[i, j], 9))
                following[key] = following.get(key, 0.0) + p * A_forward[i, j]
        reached = following
    right = sum(p for (_, ratio), p in reached.items() if ratio > 1e-8)
    tied = sum(p for (_, ratio), p in reached.items() if abs(ratio) <= 1e-8)
    return float(right + 0.5 * tied)


def click_sessions(n, T, rng):
    """Draw click sessions towards the till (label 0) or away from it (label 1).

    The same task as `order_pairs`, with events that have names: see ``CLICK_EVENTS`` and
    ``CLICK_CLASSES``. Every session occurs forwards and backwards.

    Parameters
    ----------
    n : int
        Number of sessions, even.
    T : int
        Clicks in each session, at least 2.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    y : ndarray of shape (n, T)
        Numbers of events, from 0 to 3.
    label : ndarray of shape (n,)
        0 towards the till, 1 away from it.
    """
    return order_pairs(n, T, rng, A=CLICK_A)


def sentence_pairs(names=("Ada", "Ben", "Cleo", "Dan"), verbs=("thanks", "pays", "visits")):
    """Return every sentence "X verb Y" with the question: does the name earlier in the list act?

    Each sentence has a twin of exactly the same words with the opposite answer.

    Parameters
    ----------
    names : tuple of str
        Names that may act or be acted on.
    verbs : tuple of str
        Verbs between them.

    Returns
    -------
    sentences : list of tuple of str
        Three words each.
    label : ndarray of shape (N,)
        1 if the first word is the earlier name, else 0; half of each.
    """
    pairs = [(a, b) for a in range(len(names)) for b in range(len(names)) if a != b]
    sentences = [(names[a], verb, names[b]) for verb in verbs for a, b in pairs]
    return sentences, np.array([int(a < b) for _ in verbs for a, b in pairs])


def bag_of(y, V):
    """Count the symbols of each sequence; whatever depended on their order is gone.

    Parameters
    ----------
    y : ndarray of shape (N, T)
        Symbols from 0 to V - 1.
    V : int
        Number of symbols.

    Returns
    -------
    bag : ndarray of shape (N, V)
        ``bag[i, v]`` is how often symbol v occurs in sequence i; rows sum to T.
    """
    return (np.asarray(y)[:, :, None] == np.arange(V)).sum(axis=1)


def _sample_chains(n, T, pi, A, rng):
    """Draw n sequences at once, shape (n, T): what ``sample_chain`` would draw one by one."""
    u = rng.random((n, T))
    start, steps = np.cumsum(pi)[:-1], np.cumsum(A, axis=1)[:, :-1]  # the last one is 1
    y = np.empty((n, T), dtype=int)
    y[:, 0] = (u[:, :1] >= start).sum(axis=1)
    for t in range(1, T):
        y[:, t] = (u[:, t, None] >= steps[y[:, t - 1]]).sum(axis=1)
    return y
