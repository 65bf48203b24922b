r"""Writing a sequence out, token by token: greedy, by beam search, and the beam on HMM states.

A *step* is all that a decoder is asked for: ``step(tokens, state) -> (log_probs, state)`` reads the
last token (n,) and the state (n, ...) of n unfinished sequences, and returns the log probabilities
(n, V) of each next token and the states after it. Which model stands behind it does not matter.

Greedy takes the most probable token of each step. Beam search keeps the ``width`` most probable
beginnings of each length; with ``width=1`` it is greedy, with room for all it is exhaustive.

In a hidden Markov model what comes next depends on the last state alone, so of all beginnings that
end in the same state only the best can win. A beam that recombines them so is :func:`viterbi_beam`;
with room for all K states it is the Viterbi algorithm. A recurrent decoder remembers all its
tokens, and no two beginnings ever meet: with a fixed width nothing is certain, as long as there are
more beginnings than that. (An exact search would drop what is less probable than a finished one.)

Letters: N sequences, n rows of a step, V symbols, T time, K states, D features.

References
----------
Sutskever, Vinyals and Le (2014), arXiv:1409.3215: their B is our ``width``; they take a finished
hypothesis out of the beam, here it keeps its place and competes. Wu et al. (2016),
arXiv:1609.08144: their alpha is our ``length_penalty``, their divisor ((5 + n) / 6) ** alpha here
plainly n ** alpha.
Lowerre (1976), *The HARPY speech recognition system*: Viterbi search with a beam.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_symbols, impossible_observation
from course_lib.hmm_forward import log_with_zeros, read_sequence
from course_lib.hmm_viterbi import ViterbiTrace


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way to go on: its tokens without START and STOP, and how probable they are together."""

    tokens: tuple  # of int
    log_prob: float  # nats, at most 0; with that of STOP if it is finished
    finished: bool  # ended by STOP; False: still open, or cut at max_length

    @property
    def n_tokens(self):
        """Number of tokens that ``log_prob`` is a sum over; STOP counts."""
        return len(self.tokens) + self.finished

    def score(self, length_penalty=0.0):
        """Return log_prob / n_tokens ** length_penalty, in nats; 0 leaves the log probability."""
        return self.log_prob / max(self.n_tokens, 1) ** length_penalty


def greedy_decode(step, state, start, stop, max_length):
    """Write N sequences at once, always with the most probable next token.

    Parameters
    ----------
    step : callable
        ``step(tokens, state) -> (log_probs, state)``; log probabilities (n, V) in nats.
    state : ndarray of shape (N, ...)
        State of each sequence before its first token.
    start, stop : int
        Symbols that open and end a sequence; START need not be one that can be written.
    max_length : int
        Most tokens of a sequence, STOP included, at least 1.

    Returns
    -------
    hypotheses : list of Hypothesis
        One a sequence. Of equally probable tokens the smaller number wins.

    Raises
    ------
    ValueError
        If a size or symbol does not fit, or ``step`` returns what no log probabilities are.
    """
    _read_sizes(1, max_length)
    N = len(state)
    tokens, log_prob = np.full(N, start), np.zeros(N)
    written, is_open = [[] for _ in range(N)], np.ones(N, dtype=bool)
    for _ in range(max_length):
        log_probs, state = _read_step(step(tokens, state), N, stop)
        tokens = log_probs.argmax(axis=1)
        log_prob += np.where(is_open, log_probs[np.arange(N), tokens], 0.0)
        is_open &= tokens != stop
        for n in np.flatnonzero(is_open):
            written[n].append(int(tokens[n]))
        if not is_open.any():
            break
    rows = zip(written, log_prob, is_open, strict=True)
    return [Hypothesis(tuple(row), float(p), not still) for row, p, still in rows]


def beam_search(step, state, start, stop, width, max_length, length_penalty=0.0):
    r"""Write one sequence, looking for the most probable one among the best beginnings.

    .. math:: score = \frac{\log p(y_1 \dots y_n)}{n^{penalty}}

    Parameters
    ----------
    step : callable
        ``step(tokens, state) -> (log_probs, state)``; log probabilities (n, V) in nats.
    state : ndarray of shape (1, ...)
        State before the first token.
    start, stop : int
        Symbols that open and end a sequence; START need not be one that can be written.
    width : int
        Number of hypotheses kept after each step, at least 1.
    max_length : int
        Most tokens of a hypothesis, STOP included, at least 1.
    length_penalty : float, default=0.0
        Power of the number of tokens that a log probability is divided by: 0 compares
        probabilities, which favours short outputs; 1 compares nats a token.

    Returns
    -------
    beam : list of Hypothesis
        At most ``width``, best score first; those not ``finished`` were cut at ``max_length``.

    Raises
    ------
    ValueError
        If a size or symbol does not fit, or ``step`` returns what no log probabilities are.

    References
    ----------
    Sutskever, Vinyals and Le (2014), arXiv:1409.3215; Wu et al. (2016), arXiv:1609.08144.
    """
    *_, beam = beam_steps(step, state, start, stop, width, max_length, length_penalty)
    return beam


def beam_steps(step, state, start, stop, width, max_length, length_penalty=0.0):
    """Do as :func:`beam_search` does, and show the beam after every step.

    Parameters
    ----------
    step : callable
        ``step(tokens, state) -> (log_probs, state)``; log probabilities (n, V) in nats.
    state : ndarray of shape (1, ...)
        State before the first token.
    start, stop : int
        Symbols that open and end a sequence; START need not be one that can be written.
    width : int
        Number of hypotheses kept after each step, at least 1.
    max_length : int
        Most tokens of a hypothesis, STOP included, at least 1.
    length_penalty : float, default=0.0
        Power of the number of tokens that a log probability is divided by.

    Yields
    ------
    beam : list of Hypothesis
        After 1, 2, ... tokens, best score first; of equal ones what was finished earlier, then
        what continues the better beginning, then the smaller token. The last has nothing open, or
        is that of ``max_length``.

    Raises
    ------
    ValueError
        If a size or symbol does not fit, or ``step`` returns what no log probabilities are.
    """
    _read_sizes(width, max_length)
    if len(state) != 1:
        raise ValueError(f"state must be of one sequence, shape (1, ...), got {np.shape(state)}")
    beam = [Hypothesis((), 0.0, False)]
    for _ in range(max_length):
        live = [one for one in beam if not one.finished]
        if not live:
            return
        tokens = np.array([one.tokens[-1] if one.tokens else start for one in live])
        log_probs, state = _read_step(step(tokens, state), len(live), stop)
        totals = np.array([[one.log_prob] for one in live]) + log_probs  # (n, V)
        # All totals belong to the same number of tokens: no penalty changes their order.
        best = np.argsort(-totals, axis=None, kind="stable")[:width]
        rows, symbols = np.unravel_index(best, totals.shape)
        pool = [(one, None) for one in beam if one.finished]
        for row, symbol in zip(rows.tolist(), symbols.tolist(), strict=True):
            if totals[row, symbol] > -np.inf:
                more = () if symbol == stop else (symbol,)
                total = float(totals[row, symbol])
                pool.append((Hypothesis(live[row].tokens + more, total, symbol == stop), row))
        pool = sorted(pool, key=lambda pair: -pair[0].score(length_penalty))[:width]
        beam = [one for one, _ in pool]
        state = np.asarray(state)[[row for one, row in pool if not one.finished]]
        yield beam


def viterbi_beam(y, pi, A, B, width):
    """Find a probable path of states, keeping only the best ``width`` states of each time step.

    Of all paths into a state the best one is kept, as in the Viterbi algorithm; of the states,
    the ``width`` with the best such paths. What is dropped is never looked at again, so the best
    path of all may be lost.

    Parameters
    ----------
    y : ndarray of shape (T,) or (T, D)
        One sequence.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    width : int
        States kept at each time step, at least 1; K or more is :func:`~course_lib.hmm.viterbi`.

    Returns
    -------
    trace : ViterbiTrace
        As that of :func:`~course_lib.hmm.viterbi`; ``log_delta`` is ``-inf`` where a state was
        dropped. Of equally good states the one with the smaller number is kept.

    Raises
    ------
    ValueError
        If an argument does not fit, or no kept state can go on (the time step is named).

    References
    ----------
    Lowerre (1976); Rabiner (1989), doi:10.1109/5.18626, for the names.
    """
    _read_sizes(width, 1)
    pi, A, log_b = read_sequence(y, pi, A, B)
    log_A, log_delta = log_with_zeros(A), np.empty_like(log_b)
    back = np.full(log_b.shape, -1)
    log_delta[0] = _prune(log_with_zeros(pi) + log_b[0], width)
    for t in range(1, len(log_b)):
        kept = np.flatnonzero(log_delta[t - 1] > -np.inf)
        if not len(kept):
            raise _dead_end(y, t - 1, width, len(pi))
        scores = log_delta[t - 1][kept, None] + log_A[kept]  # (kept, to)
        back[t] = kept[scores.argmax(axis=0)]
        log_delta[t] = _prune(scores.max(axis=0) + log_b[t], width)
    if np.isneginf(log_delta[-1]).all():
        raise _dead_end(y, len(log_b) - 1, width, len(pi))
    path = np.empty(len(log_b), dtype=int)
    path[-1] = log_delta[-1].argmax()
    for t in reversed(range(1, len(log_b))):
        path[t - 1] = back[t, path[t]]
    return ViterbiTrace(path, log_delta, back, float(log_delta[-1].max()))


def _prune(log_delta, width):
    """Return log_delta with -inf in all but its ``width`` largest entries."""
    dropped = np.argsort(-log_delta, kind="stable")[width:]
    pruned = log_delta.copy()
    pruned[dropped] = -np.inf
    return pruned


def _dead_end(y, t, width, K):
    if width >= K:
        return impossible_observation(y, t)
    return ValueError(
        f"observation {np.asarray(y)[t]} at t={t} has probability zero after every state that was "
        f"kept (width {width} of {K}); a wider beam may get through"
    )


def _read_sizes(width, max_length):
    if width < 1 or max_length < 1:
        raise ValueError(f"width and max_length must be at least 1, got {width} and {max_length}")


def _read_step(result, n, stop):
    """Return (log_probs (n, V), state) of one step; refuse what cannot be log probabilities."""
    log_probs, state = result
    log_probs = np.asarray(log_probs, dtype=float)
    if log_probs.ndim != 2 or len(log_probs) != n:
        raise ValueError(f"step must return log_probs of shape ({n}, V), got {log_probs.shape}")
    check_symbols("stop", [stop], log_probs.shape[1])
    mass = np.exp(log_probs).sum(axis=1)
    if not np.allclose(mass, 1.0, rtol=0.0, atol=1e-4):  # float32 models pass, scores do not
        raise ValueError(
            "step must return log probabilities, rows of which sum to 1 after exp, got a sum of "
            f"{mass[np.abs(mass - 1.0).argmax()]:.4g}; take log_softmax of scores"
        )
    return log_probs, state
