r"""Hidden Markov models, one sequence at a time: the text-book loops.

Letters: T time, K states, V symbols. ``A[i, j]`` is from i to j, rows sum to 1, beliefs are rows.
``B`` is an array (K, V) for symbols, or a Gaussian or Poisson of :mod:`course_lib.emissions`.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_distribution, check_hmm, check_symbols
from course_lib.emissions import Categorical, as_emission, log_likelihood, sample_emission


@dataclass(frozen=True, slots=True)
class FilterTrace:
    """What the forward pass leaves behind."""

    alpha: np.ndarray  # (T, K) p(z_t | y_{1:t})
    log_c: np.ndarray  # (T,) log p(y_t | y_{<t}), nats
    predicted: np.ndarray  # (T, K) p(z_t | y_{<t})

    @property
    def log_evidence(self):
        """Log p(y_{1:T}) in nats."""
        return float(self.log_c.sum())


@dataclass(frozen=True, slots=True)
class ViterbiTrace:
    """What the Viterbi algorithm leaves behind."""

    path: np.ndarray  # (T,)
    log_delta: np.ndarray  # (T, K) nats
    back: np.ndarray  # (T, K) best predecessor; row 0 is unused and holds -1
    log_joint: float  # nats


def _log(p):
    with np.errstate(divide="ignore"):  # log 0 = -inf: an impossible step
        return np.log(p)


def _checked(y, pi, A, B):
    pi, A, emission = check_hmm(pi, A, B)
    return pi, A, log_likelihood(y, emission)


def _impossible(y, t):
    return ValueError(
        f"observation {np.asarray(y)[t]} at t={t} has probability zero in every state that can be "
        "reached; check the symbol numbers, or give no emission and transition probability 0"
    )


def sample_hmm(T, pi, A, B, rng):
    """Draw states and observations: (z (T,), y (T,) or (T, D))."""
    pi, A, emission = check_hmm(pi, A, B)
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    z, row = np.empty(T, dtype=int), pi
    for t in range(T):
        z[t] = rng.choice(len(pi), p=row / row.sum())
        row = A[z[t]]
    return z, np.array([sample_emission(k, emission, rng) for k in z])


def log_joint(z, y, pi, A, B):
    """Return log p(z, y) in nats."""
    pi, A, log_b = _checked(y, pi, A, B)
    z = check_symbols("z", z, len(pi))
    if len(z) != len(log_b):
        raise ValueError(f"z and y must have the same length, got {len(z)} and {len(log_b)}")
    steps = _log(A)[z[:-1], z[1:]].sum() + log_b[np.arange(len(z)), z].sum()
    return float(_log(pi)[z[0]] + steps)


def forward_filter(y, pi, A, B):
    """Return the scaled forward pass: weight, normalise, predict."""
    pi, A, log_b = _checked(y, pi, A, B)
    alpha, predicted, log_c = np.empty_like(log_b), np.empty_like(log_b), np.empty(len(log_b))
    prior = pi
    for t, log_b_t in enumerate(log_b):
        top = log_b_t.max()
        joint = prior * np.exp(log_b_t - top) if np.isfinite(top) else np.zeros_like(prior)
        c = joint.sum()
        if c == 0.0:
            raise _impossible(y, t)
        predicted[t], alpha[t] = prior, joint / c
        log_c[t] = np.log(c) + top
        prior = alpha[t] @ A
    return FilterTrace(alpha=alpha, log_c=log_c, predicted=predicted)


def forward_log(y, pi, A, B):
    """Return log p(z_t, y_{1:t}) (T, K) in nats."""
    pi, A, log_b = _checked(y, pi, A, B)
    log_A, log_alpha = _log(A), np.empty_like(log_b)
    log_alpha[0] = _log(pi) + log_b[0]
    for t in range(1, len(log_b)):
        log_alpha[t] = np.logaddexp.reduce(log_alpha[t - 1][:, None] + log_A, axis=0) + log_b[t]
    return log_alpha


def backward_log(y, pi, A, B):
    """Return log p(y_{t+1:T} | z_t) (T, K) in nats."""
    pi, A, log_b = _checked(y, pi, A, B)
    log_A, log_beta = _log(A), np.zeros_like(log_b)
    for t in reversed(range(len(log_b) - 1)):
        log_beta[t] = np.logaddexp.reduce(log_A + log_b[t + 1] + log_beta[t + 1], axis=1)
    return log_beta


def backward(y, pi, A, B):
    """Return the scaled backward pass (T, K): rows of alpha * beta sum to 1."""
    log_c = forward_filter(y, pi, A, B).log_c
    pi, A, log_b = _checked(y, pi, A, B)
    beta = np.ones_like(log_b)
    for t in reversed(range(len(log_b) - 1)):
        beta[t] = A @ (np.exp(log_b[t + 1] - log_c[t + 1]) * beta[t + 1])
    return beta


def smooth(y, pi, A, B):
    """Return p(z_t | y_{1:T}) (T, K)."""
    return forward_filter(y, pi, A, B).alpha * backward(y, pi, A, B)


def pairwise_posteriors(y, pi, A, B):
    """Return p(z_t, z_{t+1} | y_{1:T}) (T - 1, K, K)."""
    trace, beta = forward_filter(y, pi, A, B), backward(y, pi, A, B)
    pi, A, log_b = _checked(y, pi, A, B)
    ahead = np.exp(log_b - trace.log_c[:, None]) * beta
    return trace.alpha[:-1, :, None] * A * ahead[1:, None, :]


def posterior_decode(y, pi, A, B):
    """Return the most probable state of each step by itself (T,)."""
    return smooth(y, pi, A, B).argmax(axis=1)


def viterbi(y, pi, A, B):
    """Return the single most probable path."""
    pi, A, log_b = _checked(y, pi, A, B)
    log_A, log_delta = _log(A), np.empty_like(log_b)
    back = np.full(log_b.shape, -1)
    log_delta[0] = _log(pi) + log_b[0]
    for t in range(1, len(log_b)):
        scores = log_delta[t - 1][:, None] + log_A  # (from, to)
        back[t] = scores.argmax(axis=0)
        log_delta[t] = scores.max(axis=0) + log_b[t]
    dead = np.flatnonzero(np.isneginf(log_delta.max(axis=1)))
    if len(dead):
        raise _impossible(y, int(dead[0]))
    path = np.empty(len(log_b), dtype=int)
    path[-1] = log_delta[-1].argmax()
    for t in reversed(range(1, len(log_b))):
        path[t - 1] = back[t, path[t]]
    return ViterbiTrace(path, log_delta, back, float(log_delta[-1].max()))


def predict_states(belief, A, n):
    """Return the beliefs 1 to n steps ahead (n, K)."""
    belief, A = check_distribution("belief", belief), check_distribution("A", A)
    rows = []
    for _ in range(n):
        belief = belief @ A
        rows.append(belief)
    return np.array(rows)


def predict_symbols(belief, A, B, n):
    """Return the symbol probabilities 1 to n steps ahead (n, V)."""
    emission = as_emission(B)
    if not isinstance(emission, Categorical):
        raise ValueError(f"B must be categorical, got {type(emission).__name__}")
    return predict_states(belief, A, n) @ emission.B
