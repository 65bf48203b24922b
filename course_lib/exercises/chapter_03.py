"""Checks of chapter 03, Learning an HMM."""

import itertools

import numpy as np

from course_lib import hmm
from course_lib.exercises.kit import exercise, wrong_function

# A three-state, four-symbol model: no two sizes are equal and no table is symmetric.
PI = np.array([0.5, 0.3, 0.2])
A = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.25, 0.15, 0.6]])
B = np.array([[0.5, 0.3, 0.1, 0.1], [0.1, 0.2, 0.6, 0.1], [0.05, 0.15, 0.2, 0.6]])
Y = np.array([0, 0, 2, 1, 3, 3, 0])
TWO_PI = np.array([0.6, 0.4])
TWO_A = np.array([[0.8, 0.2], [0.3, 0.7]])
TWO_B = np.array([[0.9, 0.1], [0.4, 0.6]])
TWO_Y = np.array([0, 1, 1, 0, 1])


# ---- 3.1 ------------------------------------------------------------------------------------


def count_transitions(sequences, K):
    counts = np.zeros((K, K))
    for z in sequences:
        np.add.at(counts, (np.asarray(z)[:-1], np.asarray(z)[1:]), 1)
    return counts


def _glued(sequences, K):
    return count_transitions([np.concatenate(sequences)], K)


def _normalised(sequences, K):
    counts = count_transitions(sequences, K)
    return counts / counts.sum(axis=1, keepdims=True)


def _first_sequence(sequences, K):
    return count_transitions(sequences[:1], K)


@exercise("3.1 Count two evenings")
def check_count_transitions(function):
    """Transition counts of labelled sequences, none across a boundary."""
    evenings = [np.array([0, 0, 1, 1, 1, 0]), np.array([1, 1, 0, 1])]
    longer = [np.array([2, 0, 0, 1, 2, 2]), np.array([1, 0]), np.array([2, 2, 1])]
    return wrong_function(
        function,
        [(evenings, 2), (longer, 3)],
        want=count_transitions,
        axes=("from", "to"),
        likely=[
            (_glued, "did you glue the evenings? No die moves from one evening to the next"),
            (_normalised, "these are probabilities; the exercise asks for counts"),
            (_first_sequence, "only the first sequence is counted"),
            (lambda s, K: count_transitions(s, K).T, "transposed: counts[i, j] is from i to j"),
        ],
    )


# ---- 3.2 ------------------------------------------------------------------------------------


def expected_transitions(y, pi, A, B):
    return hmm.pairwise_posteriors(y, pi, A, B).sum(axis=0)


def _parts(y, pi, A, B):
    """Filter, scaled backward and normalisers; written out, so that mistakes can be made."""
    alpha, c = np.empty((len(y), len(pi))), np.empty(len(y))
    prior = pi
    for t, symbol in enumerate(y):
        joint = prior * B[:, symbol]
        c[t] = joint.sum()
        alpha[t] = joint / c[t]
        prior = alpha[t] @ A
    beta = np.ones_like(alpha)
    for t in range(len(y) - 2, -1, -1):
        beta[t] = A @ (B[:, y[t + 1]] * beta[t + 1]) / c[t + 1]
    return alpha, beta, c


def _xi_without_future(y, pi, A, B):
    alpha, _, _ = _parts(y, pi, A, B)
    xi = alpha[:-1, :, None] * A * B[:, y[1:]].T[:, None, :]
    return (xi / xi.sum(axis=(1, 2), keepdims=True)).sum(axis=0)


def _xi_not_normalised(y, pi, A, B):
    alpha, beta, _ = _parts(y, pi, A, B)
    return (alpha[:-1, :, None] * A * (B[:, y[1:]].T * beta[1:])[:, None, :]).sum(axis=0)


def _xi_independent(y, pi, A, B):
    gamma = hmm.smooth(y, pi, A, B)
    return gamma[:-1].T @ gamma[1:]


def _xi_same_emission(y, pi, A, B):
    alpha, beta, c = _parts(y, pi, A, B)
    ahead = B[:, y[:-1]].T * beta[1:] / c[1:, None]
    return (alpha[:-1, :, None] * A * ahead[:, None, :]).sum(axis=0)


def _row_normalised(y, pi, A, B):
    counts = expected_transitions(y, pi, A, B)
    return counts / counts.sum(axis=1, keepdims=True)


@exercise("3.2 Expected transitions")
def check_expected_transitions(function):
    """Sum of the pairwise posteriors over time."""
    return wrong_function(
        function,
        [(Y, PI, A, B), (TWO_Y, TWO_PI, TWO_A, TWO_B)],
        want=expected_transitions,
        axes=("from", "to"),
        likely=[
            (
                _xi_without_future,
                "this is the filter's count: the future, beta, is missing from the E-step",
            ),
            (
                _xi_not_normalised,
                "each xi[t] must sum to 1, all counts to T - 1: divide by c[t + 1]",
            ),
            (
                _xi_independent,
                "gamma[t] times gamma[t + 1] treats neighbouring states as independent",
            ),
            (_xi_same_emission, "the emission in xi[t] belongs to the roll at t + 1, not at t"),
            (_row_normalised, "these are probabilities; the exercise asks for expected counts"),
        ],
    )


# ---- 3.3 ------------------------------------------------------------------------------------


def m_step(gamma, xi, y, V):
    moved = xi.sum(axis=0)
    shown = _shown(gamma, y, V)
    return (
        gamma[0],
        moved / moved.sum(axis=1, keepdims=True),
        shown / shown.sum(axis=1, keepdims=True),
    )


def _shown(gamma, y, V):
    return np.stack([gamma[y == v].sum(axis=0) for v in range(V)], axis=1)


def _divides_by_T(gamma, xi, y, V):
    pi, A_new, _ = m_step(gamma, xi, y, V)
    return pi, A_new, _shown(gamma, y, V) / len(y)


def _counts_last_step(gamma, xi, y, V):
    pi, _, B_new = m_step(gamma, xi, y, V)
    return pi, xi.sum(axis=0) / gamma.sum(axis=0)[:, None], B_new


def _columns(gamma, xi, y, V):
    pi, _, B_new = m_step(gamma, xi, y, V)
    moved = xi.sum(axis=0)
    return pi, moved / moved.sum(axis=0, keepdims=True), B_new


def _mean_start(gamma, xi, y, V):
    _, A_new, B_new = m_step(gamma, xi, y, V)
    return gamma.mean(axis=0), A_new, B_new


def _all_normalised(gamma, xi, y, V):
    pi, _, B_new = m_step(gamma, xi, y, V)
    return pi, xi.sum(axis=0) / xi.sum(), B_new


def posteriors(y, pi, A, B):
    return hmm.smooth(y, pi, A, B), hmm.pairwise_posteriors(y, pi, A, B)


@exercise("3.3 The M-step")
def check_m_step(function):
    """New tables from smoother and pairwise posteriors."""
    cases = [
        (*posteriors(Y, PI, A, B), Y, 4),
        (*posteriors(TWO_Y, TWO_PI, TWO_A, TWO_B), TWO_Y, 2),
    ]
    return wrong_function(
        function,
        cases,
        want=m_step,
        parts=("pi", "A", "B"),
        distribution=True,
        likely=[
            (
                _divides_by_T,
                "B is divided by T: divide by the expected visits of each state, "
                "gamma summed over t",
            ),
            (
                _counts_last_step,
                "the last step is in the denominator of A, but nothing follows it: "
                "sum gamma up to T - 1, or the row of expected transitions",
            ),
            (_columns, "A is divided by its column sums: a row holds what follows one state"),
            (_mean_start, "pi is the average of gamma over time: only the first step starts"),
            (_all_normalised, "all of A sums to 1 together: each row must by itself"),
        ],
    )


# ---- 3.4 ------------------------------------------------------------------------------------


def poisson_rates(y, gamma):
    return (gamma * y[:, None]).sum(axis=0) / gamma.sum(axis=0)


def _rates_over_T(y, gamma):
    return (gamma * y[:, None]).mean(axis=0)


def _rates_plain_mean(y, gamma):
    return np.full(gamma.shape[1], y.mean())


def _rates_hard(y, gamma):
    label = gamma.argmax(axis=1)
    return np.array([y[label == k].mean() for k in range(gamma.shape[1])])


def _rates_gamma_mean(y, gamma):
    return (gamma * y[:, None]).sum(axis=0) / y.sum()


@exercise("3.4 Rates of a Poisson HMM")
def check_poisson_rates(function):
    """Weighted means, the smoother as weights."""
    y = np.array([3, 0, 7, 9, 2, 4])
    gamma = np.array([[0.9, 0.1], [0.95, 0.05], [0.3, 0.7], [0.05, 0.95], [0.6, 0.4], [0.8, 0.2]])
    y3 = np.array([1, 12, 5, 6])
    gamma3 = np.array([[0.8, 0.1, 0.1], [0.05, 0.05, 0.9], [0.2, 0.5, 0.3], [0.1, 0.7, 0.2]])
    return wrong_function(
        function,
        [(y, gamma), (y3, gamma3)],
        want=poisson_rates,
        axes=("state",),
        likely=[
            (_rates_over_T, "divided by T: divide by the expected visits of each state"),
            (_rates_plain_mean, "this is the mean of all years: weight each year with gamma"),
            (_rates_hard, "each year is given to one state: share it, with gamma as weights"),
            (_rates_gamma_mean, "divided by the sum of the data: divide by the sum of the weights"),
        ],
    )


# ---- 3.5 ------------------------------------------------------------------------------------


def criteria(log_evidence, K, T):
    return _criteria(log_evidence, (K - 1) + K * (K - 1) + K, T)


def _criteria(log_evidence, P, T):
    return -2 * log_evidence + 2 * P, -2 * log_evidence + P * np.log(T)


@exercise("3.5 AIC and BIC of a Poisson HMM")
def check_criteria(function):
    """AIC and BIC with free parameters only."""
    return wrong_function(
        function,
        [(-341.9, 2, 107), (-1500.25, 5, 730)],
        want=criteria,
        parts=("AIC", "BIC"),
        likely=[
            (
                lambda L, K, T: _criteria(L, K + K * K + K, T),
                "count free parameters: a row that sums to 1 has one number less than entries",
            ),
            (
                lambda L, K, T: _criteria(L, K * (K - 1) + K, T),
                "the start distribution has K - 1 free numbers too",
            ),
            (
                lambda L, K, T: _criteria(-L, (K - 1) + K * (K - 1) + K, T),
                "the log evidence enters with -2: smaller must be better",
            ),
            (
                lambda L, K, T: _criteria(L / 2, (K - 1) + K * (K - 1) + K, T),
                "the log evidence enters with -2, not with -1",
            ),
            (
                lambda L, K, T: tuple(reversed(criteria(L, K, T))),
                "AIC and BIC are in the wrong order",
            ),
            (
                lambda L, K, T: (criteria(L, K, T)[0], -2 * L + (K * K + K - 1) * np.log10(T)),
                "BIC takes the natural logarithm of T",
            ),
        ],
    )


# ---- 3.6 ------------------------------------------------------------------------------------


def logit_gradient(counts, A):
    return counts - A * counts.sum(axis=1, keepdims=True)


@exercise("3.6 The gradient for free numbers")
def check_logit_gradient(function):
    """Gradient of the log evidence with respect to softmax logits."""
    two = expected_transitions(TWO_Y, TWO_PI, TWO_A, TWO_B)
    three = expected_transitions(Y, PI, A, B)
    return wrong_function(
        function,
        [(two, TWO_A), (three, A)],
        want=logit_gradient,
        axes=("from", "to"),
        likely=[
            (
                lambda n, A: n,
                "this is the gradient for log A; the softmax couples the entries of a row",
            ),
            (lambda n, A: n / A, "this is the gradient for A itself, without its rows' constraint"),
            (
                lambda n, A: n - A,
                "A is a share and n a count: multiply A by the count of its row first",
            ),
            (
                lambda n, A: n - A * n.sum(axis=0, keepdims=True),
                "the sum runs over what follows one state: axis 1, not axis 0",
            ),
            (
                lambda n, A: A * n.sum(axis=1, keepdims=True) - n,
                "the sign is the other way round: counted minus predicted",
            ),
            (
                lambda n, A: n - A * n.sum(),
                "each row has its own softmax: use the count of its row, not of the whole table",
            ),
        ],
    )


# ---- 3.7 ------------------------------------------------------------------------------------


def distance_up_to_labels(B_true, B_learned):
    orders = itertools.permutations(range(len(B_true)))
    return float(min(np.abs(B_true - B_learned[list(order)]).max() for order in orders))


def _distance_sorted(B_true, B_learned):
    return float(np.abs(np.sort(B_true, axis=0) - np.sort(B_learned, axis=0)).max())


def _distance_columns(B_true, B_learned):
    orders = itertools.permutations(range(B_true.shape[1]))
    return float(min(np.abs(B_true - B_learned[:, list(order)]).max() for order in orders))


def _distance_greedy(B_true, B_learned):
    nearest = [np.abs(B_learned - row).max(axis=1).min() for row in B_true]
    return float(max(nearest))


@exercise("3.7 Compare dice that have no names")
def check_distance_up_to_labels(function):
    """Smallest worst error over all numberings of the states."""
    swapped = B[[2, 0, 1]] * 0.9 + 0.025
    double = np.array([[0.52, 0.28, 0.1, 0.1], [0.48, 0.3, 0.12, 0.1], [0.1, 0.2, 0.55, 0.15]])
    crossed = np.array([[0.6, 0.2, 0.2], [0.3, 0.5, 0.2]])
    return wrong_function(
        function,
        [(B, swapped), (B, double), (crossed, np.array([[0.28, 0.2, 0.52], [0.61, 0.3, 0.09]]))],
        want=distance_up_to_labels,
        likely=[
            (
                lambda P, Q: float(np.abs(P - Q).max()),
                "the states are compared as numbered: try every order of the learned rows",
            ),
            (
                _distance_columns,
                "the symbols are permuted; only the states, the rows, have no names",
            ),
            (
                _distance_sorted,
                "sorting each column by itself tears the dice apart: move whole rows",
            ),
            (
                _distance_greedy,
                "one learned die may not stand for two true ones: use each row once",
            ),
        ],
    )


# ---- 3.8 ------------------------------------------------------------------------------------


def hard_em_step(y, pi, A, B):
    return _tables(hmm.viterbi(y, pi, A, B).path, y, B)


def _tables(z, y, B, pseudocount=1.0):
    K, V = B.shape
    start, moved, shown = (np.full(shape, pseudocount) for shape in (K, (K, K), (K, V)))
    start[z[0]] += 1
    np.add.at(moved, (z[:-1], z[1:]), 1)
    np.add.at(shown, (z, y), 1)
    return (
        start / start.sum(),
        moved / moved.sum(axis=1, keepdims=True),
        shown / shown.sum(axis=1, keepdims=True),
    )


def _hard_posterior(y, pi, A, B):
    return _tables(hmm.posterior_decode(y, pi, A, B), y, B)


def _hard_filter(y, pi, A, B):
    return _tables(_parts(y, pi, A, B)[0].argmax(axis=1), y, B)


def _soft(y, pi, A, B):
    return m_step(*posteriors(y, pi, A, B), y, B.shape[1])


@exercise("3.8 Hard counts")
def check_hard_em_step(function):
    """Counts along the Viterbi path, plus one to every count."""
    y = np.array([2, 3, 0, 1, 1, 2, 0, 0, 1, 3, 3, 0, 1, 2, 2, 1, 3, 0, 0, 2])
    y2 = np.array([0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1])
    return wrong_function(
        function,
        [(y, PI, A, B), (y2, TWO_PI, TWO_A, TWO_B)],
        want=hard_em_step,
        parts=("pi", "A", "B"),
        distribution=True,
        likely=[
            (_soft, "these are soft counts, Baum-Welch itself: count along the one best path"),
            (
                _hard_posterior,
                "the best state of each step is not the best path: use the Viterbi path",
            ),
            (_hard_filter, "this path is guessed with the past only: use the Viterbi path"),
            (
                lambda y, pi, A, B: _tables(hmm.viterbi(y, pi, A, B).path, y, B, 1e-12),
                "add 1 to every count before you divide, or a state that is never visited is 0 / 0",
            ),
        ],
    )
