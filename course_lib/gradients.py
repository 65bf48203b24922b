r"""How a gradient travels back through time: exact Jacobians of each cell, and slow ways to check.

A state that changes by :math:`s_t = F_t(s_{t-1})` passes small changes on by its Jacobian
:math:`J_t = \partial s_t / \partial s_{t-1}`, and over many steps by the product

.. math:: \frac{\partial s_T}{\partial s_t} = J_T J_{T-1} \cdots J_{t+1}.

If the product shrinks, the loss at T says nothing about what happened at t: the gradient vanishes.
``J[j, k]`` is the change of unit j after the step for a change of unit k before it, so column
vectors travel forward as ``J @ v`` and gradients, which are rows, travel back as ``d @ J``.

Letters: N batch, T time, D input, H hidden, S numbers in the state: H, or 2H for an LSTM (h, c);
n_in and n_out numbers that go into a function and come out.

References
----------
Hochreiter (1991), diploma thesis, and Bengio, Simard and Frasconi (1994), doi:10.1109/72.279181;
their products of Jacobians are ours. Clipping: Pascanu, Mikolov and Bengio (2013),
arXiv:1211.5063.
"""

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.gru import GRUTrace
from course_lib.lstm import LSTMTrace
from course_lib.rnn import ACTIVATIONS, RNNTrace


def finite_difference(f, x, step=1e-6):
    r"""Measure the gradient of a number by moving each input a little, both ways.

    .. math:: \frac{\partial f}{\partial x_k} \approx \frac{f(x + \epsilon e_k)
              - f(x - \epsilon e_k)}{2 \epsilon}

    Parameters
    ----------
    f : callable
        ``f(x)`` returns one number.
    x : ndarray
        Where to measure; any shape, not changed.
    step : float, default=1e-6
        The move epsilon. The error falls with its square until rounding takes over.

    Returns
    -------
    gradient : ndarray
        Of the shape of x.

    Raises
    ------
    ValueError
        If ``f`` returns more than one number, or something that is not finite.
    """
    x = check_finite("x", x)
    rows = numerical_jacobian(f, x, step)
    if len(rows) != 1:
        raise ValueError(f"f must return one number, got {len(rows)}")
    return rows[0].reshape(x.shape)


def numerical_jacobian(f, x, step=1e-6):
    """Measure how every output moves when each input is moved a little, both ways.

    Parameters
    ----------
    f : callable
        ``f(x)`` returns a number or an array of any shape.
    x : ndarray
        Where to measure; any shape, not changed.
    step : float, default=1e-6
        The move.

    Returns
    -------
    J : ndarray of shape (n_out, n_in)
        Outputs and inputs in the order of ``ravel()``.

    Raises
    ------
    ValueError
        If ``step`` is not positive, or ``f`` returns something that is not finite.
    """
    if not step > 0:
        raise ValueError(f"step must be positive, got {step}")
    x, columns = check_finite("x", x), []
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        difference = check_finite("f(x)", f(up)) - check_finite("f(x)", f(down))
        columns.append(difference.ravel() / (2 * step))
    return np.array(columns).T


def step_jacobian(trace, params, t, n=0):
    """Return how the state after one step depends on the state before it, exactly.

    Parameters
    ----------
    trace : RNNTrace, LSTMTrace or GRUTrace
        Of a forward pass.
    params : RNNParams, LSTMParams or GRUParams
        The weights it ran with.
    t : int
        The step, from 0 to T - 1.
    n : int, default=0
        Which sequence of the batch.

    Returns
    -------
    J : ndarray of shape (S, S)
        d state[t + 1] / d state[t]; for an LSTM the state is h, then c. The identity in a masked
        step, which carries the state over.

    Raises
    ------
    ValueError
        If the trace is of another kind, or t or n is out of range.
    """
    if not isinstance(trace, tuple(_JACOBIANS)):
        raise ValueError(
            f"trace must be an RNNTrace, LSTMTrace or GRUTrace, got {type(trace).__name__}"
        )
    N, slots, H = trace.h.shape
    _check_index("n", n, N)
    _check_index("t", t, slots - 1)
    if trace.mask is not None and not trace.mask[n, t]:
        return np.eye(2 * H if isinstance(trace, LSTMTrace) else H)
    return _JACOBIANS[type(trace)](trace, params, n, t)


def _rnn_jacobian(trace, params, n, t):
    slope = ACTIVATIONS[trace.activation][1](trace.h[n, t + 1])
    return slope[:, None] * params.W_hh.T


def _lstm_jacobian(trace, params, n, t):
    H, c_prev = trace.h.shape[2], trace.c[n, t]
    i, f, g, o = (getattr(trace, gate)[n, t] for gate in "ifgo")
    tanh_c = np.tanh(trace.c[n, t + 1])
    # Slope of each gate in its pre-activation; a gate that is held has none.
    slopes = {"i": i * (1 - i), "f": f * (1 - f), "g": 1 - g**2, "o": o * (1 - o)}
    slopes |= dict.fromkeys(trace.clamp, np.zeros(H))
    peep = np.zeros((3, H)) if params.w_ca is None else params.w_ca
    # How much c moves when a gate's pre-activation does.
    into_c = {"i": g * slopes["i"], "f": c_prev * slopes["f"], "g": i * slopes["g"]}
    dc_dh = sum(into_c[gate][:, None] * params.gate(gate)[1].T for gate in "ifg")
    dc_dc = np.diag(f + into_c["i"] * peep[0] + into_c["f"] * peep[1])
    show = o * (1 - tanh_c**2) + tanh_c * slopes["o"] * peep[2]  # of c_t, in h_t
    dh_dh = show[:, None] * dc_dh + (tanh_c * slopes["o"])[:, None] * params.gate("o")[1].T
    return np.block([[dh_dh, show[:, None] * dc_dc], [dc_dh, dc_dc]])


def _gru_jacobian(trace, params, n, t):
    H, h = trace.h.shape[2], trace.h[n, t]
    r, z, new = trace.r[n, t], trace.z[n, t], trace.n[n, t]
    W_hr, W_hz, W_hn = np.split(params.W_ha, 3, axis=1)
    dr, dz = ((gate * (1 - gate))[:, None] * W.T for gate, W in ((r, W_hr), (z, W_hz)))
    if params.reset == "after":
        inside = r[:, None] * W_hn.T + (h @ W_hn + params.b_h[2 * H :])[:, None] * dr
    else:
        inside = W_hn.T @ (np.diag(r) + h[:, None] * dr)
    dnew = (1 - new**2)[:, None] * inside
    if params.update == "keep":
        return np.diag(z) + (h - new)[:, None] * dz + (1 - z)[:, None] * dnew
    return np.diag(1 - z) + (new - h)[:, None] * dz + z[:, None] * dnew


_JACOBIANS = {RNNTrace: _rnn_jacobian, LSTMTrace: _lstm_jacobian, GRUTrace: _gru_jacobian}


def state_jacobian(trace, params, t_from, t_to, n=0):
    """Return how the state in slot ``t_to`` depends on the state in slot ``t_from``.

    Parameters
    ----------
    trace : RNNTrace, LSTMTrace or GRUTrace
        Of a forward pass.
    params : RNNParams, LSTMParams or GRUParams
        The weights it ran with.
    t_from, t_to : int
        Slots of ``trace.h``: 0 is the start, T the last state; ``t_from`` is not the later one.
    n : int, default=0
        Which sequence of the batch.

    Returns
    -------
    J : ndarray of shape (S, S)
        The product of the Jacobians of the steps between; the identity for equal slots.

    Raises
    ------
    ValueError
        If a slot or n is out of range, or the slots are in the wrong order.
    """
    slots = trace.h.shape[1]
    _check_index("t_from", t_from, slots)
    _check_index("t_to", t_to, slots)
    if t_from > t_to:
        raise ValueError(f"t_from must not be later than t_to, got {t_from} and {t_to}")
    J = np.eye(2 * trace.h.shape[2] if isinstance(trace, LSTMTrace) else trace.h.shape[2])
    for t in range(t_from, t_to):
        J = step_jacobian(trace, params, t, n) @ J
    return J


def flow_norms(trace, params, n=0):
    r"""Return how strongly the last state depends on every earlier one.

    .. math:: \left\| \frac{\partial s_T}{\partial s_t} \right\|_2, \quad t = 0, \dots, T

    Parameters
    ----------
    trace : RNNTrace, LSTMTrace or GRUTrace
        Of a forward pass.
    params : RNNParams, LSTMParams or GRUParams
        The weights it ran with.
    n : int, default=0
        Which sequence of the batch.

    Returns
    -------
    norms : ndarray of shape (T + 1,)
        Spectral norms, the largest stretch of any direction; the last entry is 1.
    """
    return _norms_back(trace, params, n, slice(None))


def flow_h_norms(trace, params, n=0):
    r"""Return how strongly the last hidden state depends on every earlier hidden state.

    As `flow_norms`, for :math:`\partial h_T / \partial h_t` alone. In an LSTM the cell state of
    slot t is held, and every path from :math:`h_t` counts, also those through later cell states.

    Parameters
    ----------
    trace : RNNTrace, LSTMTrace or GRUTrace
        Of a forward pass.
    params : RNNParams, LSTMParams or GRUParams
        The weights it ran with.
    n : int, default=0
        Which sequence of the batch.

    Returns
    -------
    norms : ndarray of shape (T + 1,)
        Spectral norms; the last entry is 1.
    """
    return _norms_back(trace, params, n, slice(trace.h.shape[2]))


def _norms_back(trace, params, n, part):
    """Norms of the product, built from its left end: one product a step, not one a pair."""
    T = trace.h.shape[1] - 1
    product = state_jacobian(trace, params, T, T, n)[part]
    norms = np.empty(T + 1)
    norms[T] = np.linalg.norm(product[:, part], 2)
    for t in reversed(range(T)):
        product = product @ step_jacobian(trace, params, t, n)
        norms[t] = np.linalg.norm(product[:, part], 2)
    return norms


def spectral_radius(W):
    """Return the largest absolute eigenvalue of a matrix: its growth a step, in the long run.

    Parameters
    ----------
    W : ndarray of shape (H, H)
        A matrix that is applied again and again.

    Returns
    -------
    radius : float
        At most the spectral norm, the largest stretch in one step; equal to it where W commutes
        with its transpose.
    """
    W = check_finite("W", check_shape("W", W, (None, len(np.asarray(W)))))
    return float(np.abs(np.linalg.eigvals(W)).max())


def clip_by_norm(grads, max_norm):
    """Scale gradients together so that their joint norm is at most ``max_norm``.

    Parameters
    ----------
    grads : list of ndarray
        Gradients of all weights; not changed.
    max_norm : float
        Largest norm to let through, positive.

    Returns
    -------
    clipped : list of ndarray
        The same direction, shorter where it was too long.
    norm : float
        Euclidean norm of all numbers before clipping.

    Raises
    ------
    ValueError
        If ``max_norm`` is not positive, or a gradient is not finite: scaling cannot mend that.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    grads = [check_finite(f"grads[{k}]", g) for k, g in enumerate(grads)]
    norm = float(np.sqrt(sum((g**2).sum() for g in grads)))
    scale = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return [g * scale for g in grads], norm


def _check_index(name, value, stop):
    if not 0 <= value < stop:
        raise ValueError(f"{name} must be from 0 to {stop - 1}, got {value}")
