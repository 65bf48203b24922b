r"""Two models of the ladder that count instead of following a gradient: a Markov table, and an HMM.

Both learn from the same fixed set of sequences and read symbols; real numbers are put into bins.

Letters: N sequences, T time, K states, V input symbols, R answers (classes, or bins of numbers).

References
----------
Rabiner (1989), doi:10.1109/5.18626, whose observation is our pair of input symbol and answer.
"""

import numpy as np

from course_lib.hmm_batch import filter_batch
from course_lib.hmm_em import baum_welch
from course_lib.hmm_selection import n_parameters
from course_lib.ladder.fitted import Fitted

BINS = 8  # of the answers of a task that asks for numbers
LEAST_SHARE = 1e-3  # of an emission row, spread evenly: a sequence never seen stays possible


def fit_markov(spec, seed, *, n, smoothing):
    """Count the answers after each pair of inputs, the one before and the present one.

    Parameters
    ----------
    spec : TaskSpec
        The task.
    seed : int
        Seed of the sequences.
    n : int
        Sequences to learn from.
    smoothing : float
        Added to every count.

    Returns
    -------
    fitted : Fitted
        Scores of an answer are its counts; a number is answered by the mean of its context.
    """
    task = spec.sample(n, np.random.default_rng(seed))
    pair, asked = _last_two(spec, task.x), _asked(task)
    if task.measure == "mse":
        count = np.bincount(pair[asked], minlength=spec.V * (spec.V + 1)) + smoothing
        total = np.bincount(pair[asked], _answers(task), minlength=len(count))
        table = ((total + smoothing * _answers(task).mean()) / count)[:, None]
    else:
        table = np.full((spec.V * (spec.V + 1), task.n_out), smoothing)
        np.add.at(table, (pair[asked], _answers(task)), 1)
    free = len(table) * (1 if task.measure == "mse" else task.n_out - 1)
    return Fitted(lambda x: table[_last_two(spec, x)], parameters=free, updates=0)


def _last_two(spec, x):
    """Number of each pair of inputs (N, T); before the first one stands a symbol of its own."""
    now = spec.symbols(x)
    before = np.column_stack([np.full(len(now), spec.V), now[:, :-1]])
    return before * spec.V + now


def _asked(task):
    """Whether an answer is asked and counts, (N, T)."""
    asked = np.zeros(task.x.shape[:2], dtype=bool)
    if task.where == "last":
        asked[:, -1] = True
    else:
        asked[:] = True if task.weight is None else task.weight > 0
    return asked


def _answers(task):
    """Answers that count, in the order of ``_asked``."""
    return task.target if task.where == "last" else task.target[_asked(task)]


def fit_hmm(spec, seed, *, n, K, stay, starts, n_iter, tol):
    r"""Learn an HMM by Baum-Welch, then filter the inputs alone and answer what is most probable.

    What a state shows in training is the pair of an input symbol and the answer, or "nothing
    asked". With the belief before the step, the answers weigh

    .. math:: p(r, x_t \mid x_{1:t-1}) = \sum_k p(z_t = k \mid x_{1:t-1}) \, B_{k, (x_t, r)}

    Where the answers are the hidden states themselves, the HMM is shown inputs only, and has as
    many states as there are answers; afterwards the answers of the same sequences give its states
    their names (``state_names``).

    Parameters
    ----------
    spec : TaskSpec
        The task.
    seed : int
        Seed of the sequences and of the starts.
    n : int
        Sequences to learn from.
    K : int
        Number of states, where the answers are not the states themselves.
    stay : float
        Part of each row of the starting transition table that lies on its diagonal: what must be
        kept needs states that rather stay than move.
    starts : int
        Random starts; the one with the largest likelihood of the training sequences is kept.
    n_iter : int
        Largest number of steps of each start.
    tol : float
        A start ends when a step gains fewer nats than this.

    Returns
    -------
    fitted : Fitted
        Scores of an answer are its weights; a number is answered by its mean.
    """
    rng = np.random.default_rng(seed)
    task = spec.sample(n, rng)
    em = {"stay": stay, "starts": starts, "n_iter": n_iter, "tol": tol}
    if spec.answers_are_states:
        return _fit_to_inputs(spec, task, rng, em)
    return _fit_to_pairs(spec, task, rng, K, em)


def _fit_to_pairs(spec, task, rng, K, em):
    """HMM of pairs (input, answer or nothing asked), which then sees inputs alone."""
    answers, means = _answers(task), None
    if task.measure == "mse":
        answers, means = _binned(answers)
    R = BINS if task.measure == "mse" else task.n_out
    pairs = spec.symbols(task.x) * (R + 1)  # + 0, nothing asked
    pairs[_asked(task)] += answers + 1
    fit, updates = _best_fit(pairs, K, spec.V * (R + 1), rng, **em)
    B = _never_zero(fit.B).reshape(K, spec.V, R + 1)

    def outputs(x):
        weights = answer_weights(spec.symbols(x), fit.pi, fit.A, B)
        if means is None:
            return weights
        return (weights @ means / weights.sum(axis=2))[:, :, None]

    return Fitted(outputs, n_parameters(K, fit.B), updates)


def _fit_to_inputs(spec, task, rng, em):
    """HMM of the inputs alone, whose states get their names afterwards."""
    inputs, K = spec.symbols(task.x), task.n_out
    fit, updates = _best_fit(inputs, K, spec.V, rng, **em)
    model = fit.pi, fit.A, _never_zero(fit.B)
    names = state_names(filter_batch(inputs, *model)[0], task.target, task.n_out)
    free = n_parameters(K, fit.B) + K * (task.n_out - 1)
    return Fitted(lambda x: filter_batch(spec.symbols(x), *model)[0] @ names, free, updates)


def _best_fit(ys, K, V, rng, stay, starts, n_iter, tol):
    """Likeliest Fit of several random starts, and the steps of EM that all of them took."""
    best, updates = None, 0
    for _ in range(starts):
        A = stay * np.eye(K) + (1 - stay) * rng.dirichlet(np.ones(K), K)
        start = rng.dirichlet(np.ones(K)), A, rng.dirichlet(np.ones(V), K)
        fit = baum_welch(ys, *start, n_iter=n_iter, tol=tol)
        updates += len(fit.history) - 1
        if best is None or fit.history[-1] > best.history[-1]:
            best = fit
    return best, updates


def _never_zero(B):
    """Emission table (K, V) in which every symbol is possible."""
    return (1 - LEAST_SHARE) * B + LEAST_SHARE / B.shape[1]


def answer_weights(inputs, pi, A, B):
    """Return p(answer r and input x_t, given the inputs before t) at every step.

    Parameters
    ----------
    inputs : ndarray of shape (N, T)
        Input symbols, from 0 to V - 1.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V, R + 1)
        p(input, answer | state); entry 0 of the last axis means that nothing is asked.

    Returns
    -------
    weights : ndarray of shape (N, T, R)
        The largest one is the most probable answer, if one is asked.
    """
    alpha = filter_batch(inputs, pi, A, B.sum(axis=2))[0]
    before = np.empty_like(alpha)  # (N, T, K), belief before the input of the step
    before[:, 0], before[:, 1:] = pi, alpha[:, :-1] @ A
    return np.einsum("ntk,ntkr->ntr", before, B.transpose(1, 0, 2)[inputs][..., 1:])


def state_names(belief, target, n_out):
    r"""Return how much each state stands for each answer, by least squares.

    With the returned C, ``belief @ C`` is as near as can be to the answers that came. Counting the
    answers by how much each state was believed in would not do: where the belief is unsure, every
    state would get a share of every answer, and the doubt would enter twice.

    Parameters
    ----------
    belief : ndarray of shape (N, T, K)
        p(state) at every step.
    target : ndarray of shape (N, T)
        Answers, from 0 to n_out - 1.
    n_out : int
        Number of answers.

    Returns
    -------
    names : ndarray of shape (K, n_out)
        The identity, in some order, where the states are the answers.
    """
    flat = belief.reshape(-1, belief.shape[-1])
    return np.linalg.lstsq(flat, np.eye(n_out)[target].reshape(len(flat), n_out))[0]


def _binned(numbers):
    """Bin of each number, equally many in each, and the mean of every bin."""
    edges = np.quantile(numbers, np.arange(1, BINS) / BINS)
    bins = np.searchsorted(edges, numbers)
    return bins, np.bincount(bins, numbers) / np.bincount(bins)
