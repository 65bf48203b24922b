r"""Click sessions from a stated process, so that the best possible score can be computed.

A visitor has a hidden intent. At every step the intent shows one event (a click), then moves: to an
intent for the next click, or out of the shop, with a purchase or without. This is an *absorbing*
hidden Markov model: two of its states, bought and left, are never left again.

Everything that one may want to know of a visitor follows from the belief about the intent,

.. math:: b_t = p(z_t \mid y_1, \ldots, y_t), \qquad
          b_{t+1} \propto (b_t Q) \odot B_{\cdot\, y_{t+1}} ,

where the rows of Q do not sum to 1: that a visitor is still there is evidence too. After click t

- :math:`b_t u` is the probability that the session will end with a purchase, with
  :math:`u = (I - Q)^{-1} r`, the chance of each intent; here nobody knows whether click t was the
  last one;
- :math:`b_t r / b_t (r + l)` is the probability of a purchase if click t *was* the last one;
- :math:`b_t Q u / b_t Q 1` is that probability if it was not.

There is no longest session and no shortest: a length is whatever the visitor makes of it, so these
numbers are exact. The numbers of ``SHOP`` are chosen, not fitted to any shop. About one session in
nine ends with a purchase. An item is put into the cart by those who want it and by those who only
dream of it; which of the two it was shows in what came before.

Absorbing chains and :math:`(I - Q)^{-1}` are from Kemeny and Snell (1960), *Finite Markov Chains*,
chapter 3; our Q is theirs, and our (r, l) are the columns of their R.

Letters: n sessions, T longest session, K intents, V events.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_distribution, check_shape, check_symbols
from course_lib.datasets.task import at_least

PADDING = -1  # marks the clicks after the end of a session; no event has this number


@dataclass(frozen=True, slots=True, eq=False)
class SessionProcess:
    """An absorbing hidden Markov model of sessions that end with a purchase or without.

    Parameters
    ----------
    pi : ndarray of shape (K,)
        Distribution of the first intent, sum 1.
    Q : ndarray of shape (K, K)
        Probability of going from intent i to intent j for another click.
    B : ndarray of shape (K, V)
        Probability that an intent shows an event; rows sum to 1.
    buy, leave : ndarray of shape (K,)
        Probability that a session ends after a click of this intent, with a purchase (r in the
        formulas) and without (l). Each row of Q, with its buy and leave, sums to 1.
    events : tuple of str
        Names of the V events.
    intents : tuple of str
        Names of the K intents.

    Raises
    ------
    ValueError
        If tables are no probabilities, do not fit together, or some intent can never end.
    """

    pi: np.ndarray  # (K,)
    Q: np.ndarray  # (K, K)
    B: np.ndarray  # (K, V)
    buy: np.ndarray  # (K,)
    leave: np.ndarray  # (K,)
    events: tuple[str, ...]
    intents: tuple[str, ...]

    def __post_init__(self):
        K, V = len(self.intents), len(self.events)
        shapes = {"pi": (K,), "Q": (K, K), "B": (K, V), "buy": (K,), "leave": (K,)}
        for name, shape in shapes.items():
            table = np.array(check_shape(name, getattr(self, name), shape), dtype=float)
            table.setflags(write=False)  # a process is shared
            object.__setattr__(self, name, table)
        for name in ("events", "intents"):
            names = tuple(getattr(self, name))
            if len(set(names)) != len(names):
                raise ValueError(f"{name} must be different names, got {names}")
            object.__setattr__(self, name, names)
        check_distribution("pi", self.pi)
        check_distribution("B", self.B)
        check_distribution("(Q, buy, leave)", self.moves)
        ending = (
            np.linalg.matrix_power(self.Q, K).sum(axis=1) < 1 - 1e-12
        )  # within K steps or never
        if not ending.all():
            stuck = self.intents[int(np.argmin(ending))]
            raise ValueError(f"every session must be able to end, but {stuck!r} never can")

    @property
    def K(self):
        """Number of intents."""
        return len(self.intents)

    @property
    def V(self):
        """Number of events."""
        return len(self.events)

    @property
    def moves(self):
        """Q, buy and leave side by side, (K, K + 2); rows sum to 1."""
        return np.column_stack([self.Q, self.buy, self.leave])

    @property
    def chance(self):
        """Probability (K,) that a session with this intent will end with a purchase."""
        return np.linalg.solve(np.eye(self.K) - self.Q, self.buy)


SHOP = SessionProcess(
    pi=np.array([0.8, 0.2, 0.0, 0.0]),
    Q=np.array(
        [
            [0.87, 0.02, 0.00, 0.03],
            [0.02, 0.88, 0.05, 0.01],
            [0.00, 0.00, 0.85, 0.03],
            [0.02, 0.00, 0.00, 0.88],
        ]
    ),
    B=np.array(
        [
            [0.28, 0.20, 0.34, 0.06, 0.04, 0.01, 0.06, 0.01],
            [0.05, 0.20, 0.34, 0.26, 0.06, 0.02, 0.05, 0.02],
            [0.02, 0.04, 0.18, 0.06, 0.28, 0.05, 0.33, 0.04],
            [0.06, 0.05, 0.22, 0.10, 0.22, 0.10, 0.20, 0.05],
        ]
    ),
    buy=np.array([0.00, 0.00, 0.12, 0.00]),
    leave=np.array([0.08, 0.04, 0.00, 0.10]),
    events=("home", "search", "product", "reviews", "add", "remove", "cart", "help"),
    intents=("browsing", "comparing", "wanting", "dreaming"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Sessions with how they ended.

    Parameters
    ----------
    events : ndarray of shape (n, T)
        Events from 0 to V - 1; ``PADDING`` after the end of a session.
    lengths : ndarray of shape (n,)
        Clicks of each session, from 1 to T.
    bought : ndarray of shape (n,)
        1 if it ended with a purchase, else 0.
    intents : ndarray of shape (n, T)
        Hidden intents from 0 to K - 1; ``PADDING`` after the end.
    """

    events: np.ndarray  # (n, T)
    lengths: np.ndarray  # (n,)
    bought: np.ndarray  # (n,)
    intents: np.ndarray  # (n, T)

    def __len__(self):
        return len(self.lengths)


def sample_sessions(process, n, rng):
    """Draw sessions.

    Parameters
    ----------
    process : SessionProcess
        Where they come from.
    n : int
        Number of sessions, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    sessions : Sessions
        Padded to the longest one that was drawn.

    Raises
    ------
    ValueError
        If ``n`` is too small.
    """
    n = at_least("n", n, 1)
    show, move = process.B.cumsum(axis=1), process.moves.cumsum(axis=1)
    z = _draw(np.tile(process.pi.cumsum(), (n, 1)), rng)
    there, bought, lengths = np.full(n, True), np.zeros(n, int), np.zeros(n, int)
    events, intents = [], []
    while there.any():
        y = _draw(show[z], rng)
        events.append(np.where(there, y, PADDING))
        intents.append(np.where(there, z, PADDING))
        lengths += there
        after = _draw(move[z], rng)  # an intent, K for a purchase, K + 1 for leaving
        bought[there & (after == process.K)] = 1
        there = there & (after < process.K)
        z = np.where(there, after, 0)  # any intent will do for those who are gone
    return Sessions(np.stack(events, axis=1), lengths, bought, np.stack(intents, axis=1))


def _draw(cumulative, rng):
    """One index a row of cumulative probabilities (n, M); the last column is taken as 1."""
    return (rng.random(len(cumulative))[:, None] >= cumulative[:, :-1]).sum(axis=1)


def session_lengths(events):
    """Return the clicks of each session.

    Parameters
    ----------
    events : ndarray of shape (n, T)
        Events; ``PADDING`` after the end of a session and nowhere else.

    Returns
    -------
    lengths : ndarray of shape (n,)
        From 1 to T.

    Raises
    ------
    ValueError
        If a session is empty, or has padding before an event.
    """
    there = check_shape("events", events, (None, None)) != PADDING
    lengths = there.sum(axis=1)
    if not (there[:, :1].all() and (there == (np.arange(there.shape[1]) < lengths[:, None])).all()):
        raise ValueError(
            f"a session must have at least one event, and {PADDING} only after its last one"
        )
    return lengths


def session_beliefs(process, events):
    """Return the belief about the intent after every click, by the exact filter.

    Parameters
    ----------
    process : SessionProcess
        Where the sessions come from.
    events : ndarray of shape (n, T)
        Events, with ``PADDING`` after the end of a session.

    Returns
    -------
    beliefs : ndarray of shape (n, T, K)
        p(z_t | y_1, ..., y_t), rows sum to 1; NaN after the end of a session.

    Raises
    ------
    ValueError
        If there is an unknown event, or one that no intent can show there.
    """
    lengths = session_lengths(events)
    events = np.asarray(events)
    check_symbols("events", np.where(events == PADDING, 0, events), process.V)
    n, T = events.shape
    beliefs, prior = np.full((n, T, process.K), np.nan), np.tile(process.pi, (n, 1))
    for t in range(T):
        there = lengths > t
        joint = prior[there] * process.B.T[events[there, t]]  # (still there, K)
        total = joint.sum(axis=1, keepdims=True)
        if not (total > 0).all():
            raise ValueError(f"an event at t={t} has probability zero in every possible intent")
        beliefs[there, t] = joint / total
        prior[there] = beliefs[there, t] @ process.Q  # not normalised: the next joint is
    return beliefs


def exact_buy_probability(process, events):
    """Return the probability of a purchase after every click, of one who knows the process.

    It is not known whether a click is the last one of its session.

    Parameters
    ----------
    process : SessionProcess
        Where the sessions come from.
    events : ndarray of shape (n, T)
        Events, with ``PADDING`` after the end of a session.

    Returns
    -------
    p : ndarray of shape (n, T)
        P(purchase | first t clicks), from 0 to 1; NaN after the end of a session.

    Raises
    ------
    ValueError
        If there is an unknown event, or one that no intent can show there.
    """
    return session_beliefs(process, events) @ process.chance


def exact_buy_probability_at_end(process, events):
    """Return the probability of a purchase if every click is the last one of its session.

    Parameters
    ----------
    process : SessionProcess
        Where the sessions come from.
    events : ndarray of shape (n, T)
        Events, with ``PADDING`` after the end of a session.

    Returns
    -------
    p : ndarray of shape (n, T)
        P(purchase | first t clicks, no other follows), from 0 to 1; NaN after the end, and where
        no session can end. ``p[np.arange(n), lengths - 1]`` is for the whole sessions.

    Raises
    ------
    ValueError
        If there is an unknown event, or one that no intent can show there.
    """
    beliefs = session_beliefs(process, events)
    with np.errstate(invalid="ignore"):  # 0 / 0 where no session can end: not a number
        return beliefs @ process.buy / (beliefs @ (process.buy + process.leave))


def last_click(values, lengths):
    """Return the entry at the last click of every session.

    Parameters
    ----------
    values : ndarray of shape (n, T, ...)
        One entry a click.
    lengths : ndarray of shape (n,)
        Clicks of each session, from 1 to T.

    Returns
    -------
    last : ndarray of shape (n, ...)
        ``values[i, lengths[i] - 1]`` for every i.
    """
    return np.asarray(values)[np.arange(len(lengths)), np.asarray(lengths) - 1]


def count_events(events, V):
    """Return the bag of each session: how often it holds each event.

    Parameters
    ----------
    events : ndarray of shape (n, T)
        Events, with ``PADDING`` after the end of a session.
    V : int
        Number of events.

    Returns
    -------
    counts : ndarray of shape (n, V)
        Whole numbers from 0; rows sum to the lengths.
    """
    return np.stack([(np.asarray(events) == v).sum(axis=1) for v in range(V)], axis=1)
