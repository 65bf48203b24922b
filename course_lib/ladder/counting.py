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


def fit_hmm(spec, seed, *, n, K, starts, n_iter, tol):
    r"""Learn an HMM by Baum-Welch, then filter the inputs alone and answer what is most probable.

    What a state shows in training is the pair of an input symbol and the answer, or "nothing
    asked". With the belief before the step, the answers weigh

    .. math:: p(r, x_t \mid x_{1:t-1}) = \sum_k p(z_t = k \mid x_{1:t-1}) \, B_{k, (x_t, r)}

    Where the answers are the hidden states themselves, the HMM is shown inputs only; afterwards
    the answers give its states their names, by p(answer | state) on the same sequences.

    Parameters
    ----------
    spec : TaskSpec
        The task.
    seed : int
        Seed of the sequences and of the starts.
    n : int
        Sequences to learn from.
    K : int
        Number of states.
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
    inputs, means = spec.symbols(task.x), None
    R = 0 if spec.answers_are_states else BINS if task.measure == "mse" else task.n_out
    pairs = inputs * (R + 1)  # input, nothing asked
    if R:
        answer = _answers(task)
        if task.measure == "mse":
            answer, means = _binned(answer)
        pairs[_asked(task)] += answer + 1
    best, updates = None, 0
    for _ in range(starts):
        fit = baum_welch(pairs, *_start(K, spec.V * (R + 1), rng), n_iter=n_iter, tol=tol)
        updates += len(fit.history) - 1
        if best is None or fit.history[-1] > best.history[-1]:
            best = fit
    V = spec.V * (R + 1)
    B = ((1 - LEAST_SHARE) * best.B + LEAST_SHARE / V).reshape(K, spec.V, R + 1)
    names = None
    if not R:
        belief = filter_batch(inputs, best.pi, best.A, B[:, :, 0])[0]
        names = np.eye(task.n_out)[task.target].reshape(-1, task.n_out)
        names = belief.reshape(-1, K).T @ names + 1e-9  # (K, n_out); a state may never be visited
        names /= names.sum(axis=1, keepdims=True)

    def outputs(x):
        symbols = spec.symbols(x)
        alpha = filter_batch(symbols, best.pi, best.A, B.sum(axis=2))[0]
        if names is not None:
            return alpha @ names
        before = np.empty_like(alpha)
        before[:, 0], before[:, 1:] = best.pi, alpha[:, :-1] @ best.A
        weights = np.einsum("ntk,ntkr->ntr", before, B[:, :, 1:].transpose(1, 0, 2)[symbols])
        if means is None:
            return weights
        return (weights @ means / weights.sum(axis=2))[:, :, None]

    free = K - 1 + K * (K - 1) + K * (V - 1) + (0 if R else K * (task.n_out - 1))
    return Fitted(outputs, parameters=free, updates=updates)


def _start(K, V, rng):
    """Random parameters; states rather stay than move, as what must be kept needs time."""
    A = 0.5 * np.eye(K) + 0.5 * rng.dirichlet(np.ones(K), K)
    return rng.dirichlet(np.ones(K)), A, rng.dirichlet(np.ones(V), K)


def _binned(numbers):
    """Bin of each number, equally many in each, and the mean of every bin."""
    edges = np.quantile(numbers, np.arange(1, BINS) / BINS)
    bins = np.searchsorted(edges, numbers)
    return bins, np.bincount(bins, numbers) / np.bincount(bins)
