r"""One associative scan: all running products of T elements in about log2 T rounds.

A recurrence can be run in rounds instead of steps as soon as "one step after another" is an
associative operation. The forward algorithm is a product of matrices, Viterbi is a product in
which sum becomes maximum and product becomes sum; a step of a recurrence that is linear in its
state is a pair (factor, summand), and two such steps are one again.

Letters: N batch, T time, K states, V symbols, D features, H hidden.

References
----------
Hassan, Sarkka and Garcia-Fernandez (2021), doi:10.1109/TSP.2021.3103338: our elements are their
a_{k-1:k}, our ``combine`` is their associative operator.
Hillis and Steele (1986), doi:10.1145/7902.7903: data parallel algorithms, the doubling scan.
Martin and Cundy (2018), doi:10.48550/arXiv.1709.04057: linear recurrences by a scan, and their
gradients by a scan from the end; our ``a`` and ``b`` are their Lambda and x.
"""

import numpy as np

from course_lib._checks import check_shape, impossible_observation
from course_lib.hmm_forward import log_with_zeros, read_sequence


def associative_scan(combine, elements, axis=0):
    r"""Return all running combinations of the elements, first to last.

    .. math:: s_t = e_1 \circ e_2 \circ \dots \circ e_t

    Parameters
    ----------
    combine : callable
        ``combine(left, right)`` on elements or tuples of them, for many pairs at once (the axis
        of time stands for the pairs). Must be associative; ``left`` is the earlier one.
    elements : ndarray of shape (T, ...) or tuple of such arrays
        The elements.
    axis : int
        Axis of time, the same in all arrays.

    Returns
    -------
    scanned : ndarray of shape (T, ...) or tuple of such arrays
        As ``elements``.

    Raises
    ------
    ValueError
        If there is no element, or the arrays differ in length.
    """
    is_tuple = isinstance(elements, tuple)
    parts = [
        np.moveaxis(np.asarray(part), axis, 0) for part in (elements if is_tuple else (elements,))
    ]
    lengths = {len(part) for part in parts}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"elements must agree in a length of at least 1, got {sorted(lengths)}")

    def together(left, right):
        out = combine(tuple(left), tuple(right)) if is_tuple else (combine(left[0], right[0]),)
        return [np.asarray(part) for part in out]

    reach = 1  # every entry holds the combination of the last `reach` elements up to its own
    while reach < len(parts[0]):
        joined = together([p[:-reach] for p in parts], [p[reach:] for p in parts])
        parts = [np.concatenate([p[:reach], new]) for p, new in zip(parts, joined, strict=True)]
        reach *= 2
    parts = [np.moveaxis(part, 0, axis) for part in parts]
    return tuple(parts) if is_tuple else parts[0]


def combine_linear(left, right):
    r"""Return two steps of a linear recurrence as one step of the same kind.

    .. math:: a_2 (a_1 h + b_1) + b_2 = (a_2 a_1)\, h + (a_2 b_1 + b_2)

    Parameters
    ----------
    left : tuple of ndarray
        Factor and summand (a_1, b_1) of the earlier step, of shapes that broadcast.
    right : tuple of ndarray
        Those of the later step.

    Returns
    -------
    both : tuple of ndarray
        Factor and summand of the two steps together.
    """
    return right[0] * left[0], right[0] * left[1] + right[1]


def linear_scan(a, b, h0=None, axis=1):
    r"""Run a recurrence that is linear in its state, in rounds.

    .. math:: h_t = a_t \odot h_{t-1} + b_t

    Parameters
    ----------
    a : ndarray that broadcasts to the shape of b
        Factors. Products of many of them are formed: for factors beyond 1 they overflow
        sooner than the loop does, below 1 they only fade to 0.
    b : ndarray of shape (N, T, H) or any other
        Summands.
    h0 : ndarray, optional
        State before the first step, of the shape of b without its axis of time; zeros if left out.
    axis : int, default=1
        Axis of time in b.

    Returns
    -------
    h : ndarray
        State after every step, of the shape of b.

    Raises
    ------
    ValueError
        If a shape does not fit, or there is no step.
    """
    b = np.array(np.moveaxis(np.asarray(b, dtype=float), axis, 0))
    a = _like(a, b, axis)
    if h0 is not None and len(b):
        b[0] += a[0] * check_shape("h0", h0, b.shape[1:])
    return np.moveaxis(associative_scan(combine_linear, (a, b))[1], 0, axis)


def linear_scan_backward(dh, a, h, h0=None, axis=1):
    r"""Send gradients back through a linear recurrence: the same scan, from the end.

    .. math:: \delta b_t = \delta h_t + a_{t+1} \odot \delta b_{t+1}, \qquad
        \delta a_t = \delta b_t \odot h_{t-1}

    Parameters
    ----------
    dh : ndarray of the shape of h
        Gradient of the loss with respect to the state after each step.
    a : ndarray that broadcasts to the shape of h
        Factors of the forward pass.
    h : ndarray of shape (N, T, H) or any other
        What :func:`linear_scan` returned.
    h0 : ndarray, optional
        State before the first step.
    axis : int, default=1
        Axis of time in h.

    Returns
    -------
    da, db : ndarray
        Gradients at factors and summands, both of the shape of h: sum da over what was broadcast.
    dh0 : ndarray
        Gradient at the state before the first step.

    Raises
    ------
    ValueError
        If a shape does not fit, or there is no step.
    """
    h = np.moveaxis(np.asarray(h, dtype=float), axis, 0)
    dh = np.moveaxis(np.asarray(dh, dtype=float), axis, 0)
    check_shape("dh", dh, h.shape)
    a = _like(a, h, axis)
    h_before = np.concatenate([np.zeros_like(h[:1]), h[:-1]])
    if h0 is not None:
        h_before[0] = check_shape("h0", h0, h.shape[1:])
    later = np.concatenate([a[1:], np.zeros_like(a[:1])])  # nothing comes back from after T
    db = linear_scan(later[::-1], dh[::-1], axis=0)[::-1]
    return np.moveaxis(db * h_before, 0, axis), np.moveaxis(db, 0, axis), a[0] * db[0]


def _like(a, b, axis):
    """Return a, time first, in the shape of b, whose time is first already."""
    shape = np.moveaxis(np.empty(b.shape, dtype=bool), 0, axis).shape
    try:
        return np.moveaxis(np.broadcast_to(np.asarray(a, dtype=float), shape), axis, 0)
    except ValueError as error:
        raise ValueError(f"a must broadcast to shape {shape}, got {np.shape(a)}") from error


def _steps(y, pi, A, B):
    """Return log of pi_j b_j(y_1) in every row, then of A_ij b_j(y_t): (T, K, K)."""
    pi, A, log_b = read_sequence(y, pi, A, B)
    steps = log_with_zeros(A) + log_b[:, None, :]
    steps[0] = log_with_zeros(pi) + log_b[0]  # whatever the row: nothing comes before
    return steps


def _refuse_impossible(y, log_alpha):
    dead = np.isneginf(log_alpha).all(axis=1)
    if dead.any():
        raise impossible_observation(y, int(dead.argmax()))


def forward_scan(y, pi, A, B):
    """Run the forward algorithm as a scan of matrix products.

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

    Returns
    -------
    alpha : ndarray of shape (T, K)
        p(z_t | y_{1:t}), rows sum to 1.
    log_evidence : float
        Nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible.
    """
    steps = _steps(y, pi, A, B)
    size = steps.max(axis=(1, 2), keepdims=True)
    size = np.where(np.isfinite(size), size, 0.0)

    def combine(left, right):
        product = left[0] @ right[0]
        top = product.max(axis=(1, 2), keepdims=True)
        top = np.where(top > 0, top, 1.0)  # an impossible stretch stays zero
        return product / top, left[1] + right[1] + np.log(top)

    product, log_size = associative_scan(combine, (np.exp(steps - size), size))
    rows = product[:, 0]
    total = rows.sum(axis=1, keepdims=True)
    log_total = log_with_zeros(total)
    _refuse_impossible(y, log_total)
    return rows / total, float(log_total[-1, 0] + log_size[-1, 0, 0])


def viterbi_scan(y, pi, A, B):
    """Run the Viterbi algorithm as a scan, with maxima for sums and sums for products.

    Needs memory for T K^3 numbers: meant for few states.

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

    Returns
    -------
    path : ndarray of shape (T,)
        The most probable path.
    log_joint : float
        log p(path, y), nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible.
    """
    steps = _steps(y, pi, A, B)

    def best(left, right):
        return (left[..., :, :, None] + right[..., None, :, :]).max(axis=-2)

    log_delta = associative_scan(best, steps)[:, 0]
    _refuse_impossible(y, log_delta)
    path = np.empty(len(steps), dtype=int)
    path[-1] = log_delta[-1].argmax()
    for t in range(len(steps) - 2, -1, -1):
        path[t] = (log_delta[t] + steps[t + 1][:, path[t + 1]]).argmax()
    return path, float(log_delta[-1].max())
