r"""Long short-term memory: a cell state that gates keep, write and show; forward and backward.

.. math::
    i_t &= \sigma(x_t W_{xi} + h_{t-1} W_{hi} + b_i) && \text{write?} \\
    f_t &= \sigma(x_t W_{xf} + h_{t-1} W_{hf} + b_f) && \text{keep?} \\
    g_t &= \tanh(x_t W_{xg} + h_{t-1} W_{hg} + b_g) && \text{what is new?} \\
    o_t &= \sigma(x_t W_{xo} + h_{t-1} W_{ho} + b_o) && \text{show?} \\
    c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)

The four products are one: ``W_xa`` (D, 4H) and ``W_ha`` (H, 4H) hold the blocks i, f, g, o side by
side, PyTorch's order. With peepholes, i and f also see ``c_prev`` and o sees ``c_t``, each unit
its own: ``w_ca`` (3, H) has the rows i, f, o.

Letters: N batch, T time, D input, H hidden.

References
----------
Hochreiter and Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735: their s_c is our ``c``, their
y^in and y^out our ``i`` and ``o``, their g(net_c) our ``g``; there was no forget gate. Forget gate:
Gers, Schmidhuber and Cummins (2000), doi:10.1162/089976600300015015, their y^phi is our ``f``.
Peepholes: Gers and Schmidhuber (2000), doi:10.1109/IJCNN.2000.861302.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import (
    block,
    bounded,
    mask_series,
    read_batch,
    read_gate,
    read_kept,
    read_output_gradient,
    read_params,
    read_row,
    read_sizes,
    read_state,
    read_step,
    set_weights,
    sigmoid,
    squash_inplace,
    swap_time,
)
from course_lib.trace import Series, Trace

GATES = "ifgo"  # order of the blocks


@dataclass(frozen=True, slots=True, eq=False)
class LSTMParams:
    """Weights of one LSTM cell, blocks i, f, g, o; also the form of their gradient."""

    W_xa: np.ndarray  # (D, 4H)
    W_ha: np.ndarray  # (H, 4H)
    b_a: np.ndarray  # (4H,)
    w_ca: np.ndarray | None = None  # (3, H) peepholes of i, f, o

    def __post_init__(self):
        set_weights(self, W_ha=(None, None))
        H = len(self.W_ha)
        set_weights(self, W_ha=(H, 4 * H), W_xa=(None, 4 * H), b_a=(4 * H,))
        if self.w_ca is not None:
            set_weights(self, w_ca=(3, H))

    def gate(self, name):
        """Return the weights of one gate.

        Parameters
        ----------
        name : {"i", "f", "g", "o"}
            Which gate.

        Returns
        -------
        W_x : ndarray of shape (D, H)
            From the input.
        W_h : ndarray of shape (H, H)
            From the hidden state.
        b : ndarray of shape (H,)
            Bias.

        Raises
        ------
        ValueError
            If there is no such gate.
        """
        read_gate("name", name, GATES)
        k = block(name, GATES, len(self.W_ha))
        return self.W_xa[:, k], self.W_ha[:, k], self.b_a[k]


@dataclass(frozen=True, slots=True, eq=False)
class LSTMTrace:
    """What the backward pass and the plots need from one forward pass.

    ``h`` and ``c`` have one more slot than ``x``: ``h[:, t + 1]`` is the state after ``x[:, t]``. A
    masked step carries both over unchanged; what its gates show there means nothing.
    """

    x: np.ndarray  # (N, T, D), 0 in masked steps
    h: np.ndarray  # (N, T + 1, H)
    c: np.ndarray  # (N, T + 1, H)
    i: np.ndarray  # (N, T, H)
    f: np.ndarray  # (N, T, H)
    g: np.ndarray  # (N, T, H)
    o: np.ndarray  # (N, T, H)
    mask: np.ndarray | None  # (N, T), True where a step was read
    clamp: tuple = ()  # names of the gates that were held

    @property
    def h_final(self):
        """Hidden state (N, H) after each sequence's own last step."""
        return self.h[:, -1]

    @property
    def c_final(self):
        """Cell state (N, H) after each sequence's own last step."""
        return self.c[:, -1]

    def to_trace(self, n=0):
        """Return sequence n as a :class:`~course_lib.trace.Trace`: x, i, f, g, o, c, h."""
        read_row(n, len(self.x))
        series = (
            Series("x", self.x[n]),
            *(Series(name, getattr(self, name)[n], low=0.0, high=1.0) for name in "if"),
            Series("g", self.g[n], low=-1.0, high=1.0),
            Series("o", self.o[n], low=0.0, high=1.0),
            Series("c", self.c[n, 1:]),
            bounded("h", self.h[n, 1:], -1.0, 1.0),
        )
        return Trace("lstm", (*series, *mask_series(self.mask, n)))


@dataclass(frozen=True, slots=True, eq=False)
class LSTMGrads:
    """Gradient of a loss with respect to everything that went into a forward pass."""

    params: LSTMParams
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (N, H)
    c0: np.ndarray  # (N, H)


def init_lstm(D, H, rng, forget_bias=1.0, peepholes=False):
    r"""Draw starting weights, uniform in :math:`(-1/\sqrt H, 1/\sqrt H)` as PyTorch's are.

    Parameters
    ----------
    D, H : int
        Number of inputs and of hidden units, at least 1.
    rng : numpy.random.Generator
        Source of the random numbers.
    forget_bias : float or None, default=1.0
        Bias of every forget gate; 1 keeps about 73 % of the cell state a step from the start.
        None leaves it as random as the others.
    peepholes : bool, default=False
        Also draw weights from the cell state to the gates.

    Returns
    -------
    params : LSTMParams
        Starting weights.

    Raises
    ------
    ValueError
        If a size is below 1.

    References
    ----------
    Forget bias: Gers, Schmidhuber and Cummins (2000), doi:10.1162/089976600300015015.
    """
    read_sizes(D, H)
    bound = 1.0 / np.sqrt(H)
    W_xa = rng.uniform(-bound, bound, (D, 4 * H))
    W_ha = rng.uniform(-bound, bound, (H, 4 * H))
    b_a = rng.uniform(-bound, bound, 4 * H)
    if forget_bias is not None:
        b_a[block("f", GATES, H)] = forget_bias
    w_ca = rng.uniform(-bound, bound, (3, H)) if peepholes else None
    return LSTMParams(W_xa, W_ha, b_a, w_ca)


def lstm_cell(x_t, h_prev, c_prev, params):
    """Advance hidden and cell state by one time step; the formulas are at the top of this module.

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    h_prev : ndarray of shape (N, H)
        Hidden state after time t - 1, entries in (-1, 1).
    c_prev : ndarray of shape (N, H)
        Cell state after time t - 1, any size.
    params : LSTMParams
        Cell weights.

    Returns
    -------
    h_t : ndarray of shape (N, H)
        Hidden state after time t, entries in (-1, 1).
    c_t : ndarray of shape (N, H)
        Cell state after time t; its size grows by at most 1 a step.

    Raises
    ------
    ValueError
        If an argument does not match the weights or is not finite.

    References
    ----------
    Gers, Schmidhuber and Cummins (2000), doi:10.1162/089976600300015015.
    """
    read_params(params, LSTMParams)
    D, H = len(params.W_xa), len(params.W_ha)
    x_t, h_prev = read_step(x_t, h_prev, D, H)
    c_prev = check_finite("c_prev", check_shape("c_prev", c_prev, h_prev.shape))
    w_ci, w_cf, w_co = np.zeros((3, H)) if params.w_ca is None else params.w_ca

    a = x_t @ params.W_xa + h_prev @ params.W_ha + params.b_a  # (N, 4H)
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
    i = sigmoid(a_i + w_ci * c_prev)
    f = sigmoid(a_f + w_cf * c_prev)
    g = np.tanh(a_g)
    c_t = f * c_prev + i * g
    o = sigmoid(a_o + w_co * c_t)
    return o * np.tanh(c_t), c_t


def lstm_forward(x, params, h0=None, c0=None, lengths=None, mask=None, clamp=None):
    r"""Read a batch of sequences from the first step to the last.

    All four gates go through one tanh, because
    :math:`\sigma(a) = k \tanh(k a) + 1 - k` with :math:`k = 1/2`, and g has :math:`k = 1`.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs; what stands in masked steps is never looked at.
    params : LSTMParams
        Cell weights.
    h0, c0 : ndarray of shape (N, H), optional
        Hidden and cell state before the first step, zeros if not given.
    lengths : ndarray of shape (N,), optional
        Number of steps of each sequence, from 1 to T; the rest is padding.
    mask : ndarray of shape (N, T), optional
        True where a step is read, at least once a sequence; instead of ``lengths``.
    clamp : dict, optional
        Gate name to the number that gate is held at, such as ``{"f": 1.0}``; in [0, 1], for g in
        [-1, 1]. The backward pass gives the weights of a held gate gradient 0.

    Returns
    -------
    trace : LSTMTrace
        Inputs, states, gates, and the final states of each sequence.

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are not finite, a sequence is empty, both ``lengths`` and
        ``mask`` are given, or a gate is unknown or held outside its range.
    """
    read_params(params, LSTMParams)
    D, H = len(params.W_xa), len(params.W_ha)
    held = _read_clamp(clamp)
    x, mask = read_batch(x, D, lengths, mask)
    T, N, _ = x.shape
    kept = read_kept(mask)

    h, c = np.empty((T + 1, N, H)), np.empty((T + 1, N, H))
    h[0], c[0] = read_state("h0", h0, N, H), read_state("c0", c0, N, H)
    k = np.full(4 * H, 0.5)
    k[block("g", GATES, H)] = 1.0
    w_ca = None if params.w_ca is None else 0.5 * params.w_ca
    at_once = slice(0, 4 * H if w_ca is None else 3 * H)  # with peepholes, o waits for c_t
    W_ha = k * params.W_ha
    gates = x @ (k * params.W_xa)  # (T, N, 4H), every step at once
    gates += k * params.b_a
    for t in range(T):
        a = gates[t]  # (N, 4H), a view: pre-activations turn into gates in their place
        a += h[t] @ W_ha
        i, f, g, o = (a[:, block(name, GATES, H)] for name in GATES)
        if w_ca is not None:
            i += w_ca[0] * c[t]
            f += w_ca[1] * c[t]
        squash_inplace(a[:, at_once], k[at_once])
        _hold_inplace(a, held)
        c[t + 1] = f * c[t] + i * g
        if w_ca is not None:
            o += w_ca[2] * c[t + 1]
            squash_inplace(o, 0.5)
            _hold_inplace(a, held)
        h[t + 1] = o * np.tanh(c[t + 1])
        if kept is not None:
            np.copyto(h[t + 1], h[t], where=~kept[t])
            np.copyto(c[t + 1], c[t], where=~kept[t])

    i, f, g, o = (swap_time(gates[:, :, block(name, GATES, H)]) for name in GATES)
    return LSTMTrace(swap_time(x), swap_time(h), swap_time(c), i, f, g, o, mask, tuple(held))


def _hold_inplace(a, held):
    """Overwrite the gates that are held."""
    for name, value in held.items():
        a[:, block(name, GATES, a.shape[1] // 4)] = value


def _read_clamp(clamp):
    """Return the held gates as a dict; each number must be in the range of its gate."""
    if clamp is None:
        return {}
    if not isinstance(clamp, dict):
        raise ValueError(f"clamp must be a dict such as {{'f': 1.0}}, got {clamp!r}")
    for name, value in clamp.items():
        read_gate("every key of clamp", name, GATES)
        low = -1.0 if name == "g" else 0.0
        if not np.isscalar(value) or isinstance(value, str) or not low <= value <= 1.0:
            raise ValueError(f"clamp[{name!r}] must be from {low:g} to 1, got {value!r}")
    return dict(clamp)


def lstm_backward(dh, trace, params, dh_final=None, dc_final=None):
    r"""Backpropagate through time: from gradients at the states to gradients at everything else.

    .. math::
        \delta c_t = \delta c_{t+1} \odot f_{t+1}
            + \delta h_t \odot o_t \odot (1 - \tanh^2 c_t)

    and, for the gates, :math:`\delta i = \delta c\, g`, :math:`\delta f = \delta c\, c_{t-1}`,
    :math:`\delta g = \delta c\, i`, :math:`\delta o = \delta h \tanh c`, each times its slope.

    Parameters
    ----------
    dh : ndarray of shape (N, T, H)
        Gradient of the loss with respect to ``trace.h[:, 1:]``. In a masked step that is the
        state carried over, so a loss that should not see padding has 0 there.
    trace : LSTMTrace
        What :func:`lstm_forward` left behind.
    params : LSTMParams
        The weights it used.
    dh_final, dc_final : ndarray of shape (N, H), optional
        Gradients with respect to the final states that come on top, zeros if not given.

    Returns
    -------
    grads : LSTMGrads
        Gradients with respect to the weights (summed over batch and time), ``x``, ``h0`` and
        ``c0``; 0 for inputs of masked steps and for the weights of gates that were held.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.

    References
    ----------
    Gers, Schmidhuber and Cummins (2000), doi:10.1162/089976600300015015, cut the gradient at the
    gates; this is the whole one, as in Graves and Schmidhuber (2005),
    doi:10.1016/j.neunet.2005.06.042.
    """
    read_params(params, LSTMParams)
    D, H = len(params.W_xa), len(params.W_ha)
    dh = read_output_gradient(dh, trace, LSTMTrace, D, H)
    x, h, c, kept = *map(swap_time, (trace.x, trace.h, trace.c)), read_kept(trace.mask)
    i, f, g, o = (swap_time(getattr(trace, name)) for name in GATES)
    T, N, _ = x.shape

    da = np.empty((T, N, 4 * H))  # gradient at the pre-activations of every step
    dh_next = read_state("dh_final", dh_final, N, H)  # what step t + 1 sends back
    dc_next = read_state("dc_final", dc_final, N, H)
    for t in reversed(range(T)):
        dh_t, tanh_c = dh[t] + dh_next, np.tanh(c[t + 1])
        da_i, da_f, da_g, da_o = (da[t][:, block(name, GATES, H)] for name in GATES)

        da_o[:] = dh_t * tanh_c * o[t] * (1.0 - o[t])
        dc_t = dc_next + dh_t * o[t] * (1.0 - tanh_c**2)
        if "o" in trace.clamp:
            da_o[:] = 0.0
        if params.w_ca is not None:
            dc_t += da_o * params.w_ca[2]
        da_i[:] = dc_t * g[t] * i[t] * (1.0 - i[t])
        da_f[:] = dc_t * c[t] * f[t] * (1.0 - f[t])
        da_g[:] = dc_t * i[t] * (1.0 - g[t] ** 2)
        for name in trace.clamp:
            da[t][:, block(name, GATES, H)] = 0.0
        if kept is not None:
            da[t] *= kept[t]

        dh_prev, dc_prev = da[t] @ params.W_ha.T, dc_t * f[t]
        if params.w_ca is not None:
            dc_prev += da_i * params.w_ca[0] + da_f * params.w_ca[1]
        if kept is not None:
            dh_prev = np.where(kept[t], dh_prev, dh_t)
            dc_prev = np.where(kept[t], dc_prev, dc_next)
        dh_next, dc_next = dh_prev, dc_prev

    flat = da.reshape(T * N, 4 * H)  # one product over all steps instead of one a step
    dW_xa = x.reshape(T * N, D).T @ flat
    dW_ha = h[:-1].reshape(T * N, H).T @ flat
    dw_ca = None
    if params.w_ca is not None:
        seen = ((c[:-1], "i"), (c[:-1], "f"), (c[1:], "o"))
        dw_ca = np.array(
            [(cell * da[:, :, block(name, GATES, H)]).sum((0, 1)) for cell, name in seen]
        )
    return LSTMGrads(
        params=LSTMParams(dW_xa, dW_ha, flat.sum(axis=0), dw_ca),
        x=swap_time(da @ params.W_xa.T),
        h0=dh_next,
        c0=dc_next,
    )
