"""Answers that the checks of chapter 03 must reject, a piece of each message, and right ones."""

import itertools

import numpy as np

from course_lib import hmm, hmm_learning
from course_lib.exercises import chapter_03 as checks

# ---- 3.1 ------------------------------------------------------------------------------------


def count_in_a_loop(sequences, K):
    counts = np.zeros((K, K))
    for z in sequences:
        for a, b in itertools.pairwise(z.tolist()):
            counts[a, b] += 1
    return counts


def count_glued(sequences, K):
    return count_in_a_loop([np.concatenate(sequences)], K)


def count_transposed(sequences, K):
    return count_in_a_loop(sequences, K).T


def count_as_shares(sequences, K):
    counts = count_in_a_loop(sequences, K)
    return counts / counts.sum(axis=1, keepdims=True)


def count_without_repeats(sequences, K):
    counts = np.zeros((K, K))
    for z in sequences:
        counts[z[:-1], z[1:]] += 1
    return counts


# ---- 3.2 ------------------------------------------------------------------------------------


def transitions_by_paths(y, pi, A, B):
    """Every path, weighted: slow and obvious."""
    total, evidence = np.zeros_like(A), 0.0
    for z in itertools.product(range(len(pi)), repeat=len(y)):
        z = np.array(z)
        joint = np.exp(hmm.log_joint(z, y, pi, A, B))
        evidence += joint
        np.add.at(total, (z[:-1], z[1:]), joint)
    return total / evidence


def pieces(y, pi, A, B):
    trace = hmm.forward_filter(y, pi, A, B)
    return trace.alpha, np.exp(trace.log_c), hmm.backward(y, pi, A, B)


def transitions_from_the_filter(y, pi, A, B):
    alpha, c, _ = pieces(y, pi, A, B)
    return sum(
        alpha[t][:, None] * A * B[:, y[t + 1]] / c[t + 1] for t in range(len(y) - 1)
    )  # the filter's own pairs sum to 1 with c alone


def transitions_unscaled(y, pi, A, B):
    alpha, _, beta = pieces(y, pi, A, B)
    return sum(alpha[t][:, None] * A * B[:, y[t + 1]] * beta[t + 1] for t in range(len(y) - 1))


def transitions_independent(y, pi, A, B):
    gamma = hmm.smooth(y, pi, A, B)
    return sum(np.outer(gamma[t], gamma[t + 1]) for t in range(len(y) - 1))


def transitions_wrong_roll(y, pi, A, B):
    alpha, c, beta = pieces(y, pi, A, B)
    return sum(
        alpha[t][:, None] * A * B[:, y[t]] * beta[t + 1] / c[t + 1] for t in range(len(y) - 1)
    )


def transitions_one_too_few(y, pi, A, B):
    return hmm.pairwise_posteriors(y, pi, A, B)[:-1].sum(axis=0)


# ---- 3.3 ------------------------------------------------------------------------------------


def m_step_in_loops(gamma, xi, y, V):
    T, K = gamma.shape
    A, B = np.zeros((K, K)), np.zeros((K, V))
    for k in range(K):
        for j in range(K):
            A[k, j] = xi[:, k, j].sum() / gamma[: T - 1, k].sum()
        for v in range(V):
            B[k, v] = gamma[y == v, k].sum() / gamma[:, k].sum()
    return gamma[0], A, B


def m_step_emission_by_T(gamma, xi, y, V):
    pi, A, _ = m_step_in_loops(gamma, xi, y, V)
    return pi, A, np.array([gamma[y == v].sum(axis=0) for v in range(V)]).T / len(y)


def m_step_last_step_departs(gamma, xi, y, V):
    pi, _, B = m_step_in_loops(gamma, xi, y, V)
    return pi, xi.sum(axis=0) / gamma.sum(axis=0)[:, None], B


def m_step_average_start(gamma, xi, y, V):
    return (gamma.mean(axis=0), *m_step_in_loops(gamma, xi, y, V)[1:])


def m_step_columns(gamma, xi, y, V):
    pi, _, B = m_step_in_loops(gamma, xi, y, V)
    return pi, xi.sum(axis=0) / xi.sum(axis=(0, 1)), B


def m_step_one_sum(gamma, xi, y, V):
    pi, _, B = m_step_in_loops(gamma, xi, y, V)
    return pi, xi.sum(axis=0) / xi.sum(), B


def m_step_counts(gamma, xi, y, V):
    return gamma[0], xi.sum(axis=0), np.array([gamma[y == v].sum(axis=0) for v in range(V)]).T


# ---- 3.4 ------------------------------------------------------------------------------------


def rates_in_a_loop(y, gamma):
    return np.array([np.average(y, weights=gamma[:, k]) for k in range(gamma.shape[1])])


def rates_by_T(y, gamma):
    return gamma.T @ y / len(y)


def rates_hard(y, gamma):
    best = gamma.argmax(axis=1)
    return [y[best == k].mean() for k in range(gamma.shape[1])]


def rates_same(y, gamma):
    return np.ones(gamma.shape[1]) * np.mean(y)


def rates_over_data(y, gamma):
    return gamma.T @ y / y.sum()


# ---- 3.5 ------------------------------------------------------------------------------------


def criteria_with(parameters, sign=-2, log=np.log):
    def criteria(log_evidence, K, T):
        P = parameters(K)
        return sign * log_evidence + 2 * P, sign * log_evidence + P * log(T)

    return criteria


def free(K):
    return K * K - 1 + K


# ---- 3.7 ------------------------------------------------------------------------------------


def distance_by_order(P, Q):
    return min(abs(P - Q[list(o)]).max() for o in itertools.permutations(range(len(P))))


def distance_as_numbered(P, Q):
    return abs(P - Q).max()


def distance_of_symbols(P, Q):
    return min(abs(P - Q[:, list(o)]).max() for o in itertools.permutations(range(P.shape[1])))


def distance_nearest(P, Q):
    return max(min(abs(p - q).max() for q in Q) for p in P)


def distance_sorted(P, Q):
    return abs(np.sort(P, axis=0) - np.sort(Q, axis=0)).max()


# ---- 3.8 ------------------------------------------------------------------------------------


def hard_by_library(y, pi, A, B):
    path = hmm.viterbi(y, pi, A, B).path
    return hmm_learning.count_supervised(path, y, *B.shape, pseudocount=1.0)


def hard_by_smoother(y, pi, A, B):
    z = hmm.posterior_decode(y, pi, A, B)
    return hmm_learning.count_supervised(z, y, *B.shape, pseudocount=1.0)


def hard_by_filter(y, pi, A, B):
    z = hmm.forward_filter(y, pi, A, B).alpha.argmax(axis=1)
    return hmm_learning.count_supervised(z, y, *B.shape, pseudocount=1.0)


def soft(y, pi, A, B):
    step = hmm_learning.em_step(y, pi, A, B)
    return step.pi, step.A, step.B


def hard_without_pseudocount(y, pi, A, B):
    z = hmm.viterbi(y, pi, A, B).path
    K, V = B.shape
    start, moved, shown = np.eye(K)[z[0]], np.zeros((K, K)), np.zeros((K, V))
    np.add.at(moved, (z[:-1], z[1:]), 1)
    np.add.at(shown, (z, y), 1)
    return start, moved / moved.sum(1, keepdims=True), shown / shown.sum(1, keepdims=True)


WRONG = {
    "check_count_transitions": [
        (count_glued, "glue"),
        (count_transposed, "transposed"),
        (count_as_shares, "probabilities"),
        (lambda sequences, K: count_in_a_loop(sequences[:1], K), "only the first sequence"),
        (count_without_repeats, "too small"),
        (np.eye(2), "expected a function"),
    ],
    "check_expected_transitions": [
        (transitions_from_the_filter, "the future, beta, is missing"),
        (transitions_unscaled, "must sum to 1"),
        (transitions_independent, "independent"),
        (transitions_wrong_roll, "roll at t + 1"),
        (transitions_one_too_few, "too small"),
        (lambda *model: transitions_by_paths(*model).T, "transposed"),
        (lambda *model: hmm.pairwise_posteriors(*model), "an axis too many"),
        (lambda y, pi, A, B: hmm_learning.em_step(y, pi, A, B).A, "expected counts"),
    ],
    "check_m_step": [
        (m_step_emission_by_T, "divided by T"),
        (m_step_last_step_departs, "last step"),
        (m_step_average_start, "average of gamma"),
        (m_step_columns, "column sums"),
        (m_step_counts, "did you normalise"),
        (m_step_one_sum, "each row must by itself"),
    ],
    "check_poisson_rates": [
        (rates_by_T, "divided by T"),
        (rates_hard, "share it"),
        (rates_same, "weight each year"),
        (rates_over_data, "sum of the weights"),
        (lambda y, gamma: gamma.T @ y, "too large"),
    ],
    "check_criteria": [
        (criteria_with(lambda K: K + K * K + K), "one number less"),
        (criteria_with(lambda K: K * K), "start distribution"),
        (criteria_with(free, sign=2), "smaller must be better"),
        (criteria_with(free, sign=-1), "not with -1"),
        (lambda *case: criteria_with(free)(*case)[::-1], "wrong order"),
        (criteria_with(free, log=np.log10), "natural logarithm"),
    ],
    "check_logit_gradient": [
        (lambda n, A: n.copy(), "gradient for log A"),
        (lambda n, A: n / A, "gradient for A itself"),
        (lambda n, A: n - A, "multiply A by the count of its row"),
        (lambda n, A: n - A * n.sum(axis=0), "axis 1"),
        (lambda n, A: n - A * n.sum(), "count of its row"),
        (lambda n, A: A * n.sum(axis=1, keepdims=True) - n, "sign"),
    ],
    "check_distance_up_to_labels": [
        (distance_as_numbered, "as numbered"),
        (distance_of_symbols, "have no names"),
        (distance_nearest, "each row once"),
        (distance_sorted, "whole rows"),
    ],
    "check_hard_em_step": [
        (soft, "soft counts"),
        (hard_by_smoother, "not the best path"),
        (hard_by_filter, "past only"),
        (hard_without_pseudocount, "add 1"),
    ],
}

RIGHT = {
    "check_count_transitions": [count_in_a_loop, checks.count_transitions],
    "check_expected_transitions": [transitions_by_paths, checks.expected_transitions],
    "check_m_step": [m_step_in_loops],
    "check_poisson_rates": [rates_in_a_loop],
    "check_criteria": [criteria_with(free)],
    "check_logit_gradient": [lambda n, A: n - n.sum(1)[:, None] * A],
    "check_distance_up_to_labels": [distance_by_order],
    "check_hard_em_step": [hard_by_library],
}
