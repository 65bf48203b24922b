"""What the recurrent cells share: checks of their arguments, padding, and the logistic function.

Inside the loops over time, arrays are time-major, (T, N, ...): one step is one contiguous block.
Outside they are (N, T, ...); :func:`swap_time` is a view and costs nothing.

Letters: N batch, T time, D input, H hidden.
"""

from dataclasses import fields, is_dataclass

import numpy as np

from course_lib._checks import check_finite, check_lengths, check_shape
from course_lib.trace import Series


def sigmoid(a):
    """Return 1 / (1 + exp(-a)) through tanh, which never overflows."""
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def squash_inplace(a, k):
    """Turn k a into sigmoid(a) where k = 1/2, and into tanh(a) where k = 1."""
    np.tanh(a, out=a)
    a *= k
    a += 1.0 - k


def swap_time(x):
    """Turn (N, T, ...) into (T, N, ...), or back; a view."""
    return x.swapaxes(0, 1)


def read_kind(name, value, kind):
    """Refuse weights, or a trace, of another cell."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be {kind.__name__}, got {type(value).__name__}")


def read_params(params, kind, name="params"):
    """Refuse weights of another cell, and weights that are not finite."""
    read_kind(name, params, kind)
    for field in fields(params):
        value = getattr(params, field.name)
        if isinstance(value, np.ndarray):
            check_finite(f"{name}.{field.name}", value)
        elif is_dataclass(value):
            read_params(value, type(value), f"{name}.{field.name}")


def read_batch(x, D, lengths, mask):
    """Return x (T, N, D) as a float64 copy, and the mask (N, T) or None; padding becomes 0.

    Whatever stands in a masked step, even NaN, is never looked at.
    """
    x = check_shape("x", x, (None, None, D))
    N, T, _ = x.shape
    if N == 0 or T == 0:
        raise ValueError(f"x must hold at least one sequence and one time step, got {x.shape}")
    mask = read_mask(lengths, mask, N, T)
    if mask is not None and x.dtype.kind in "biuf":
        x = np.where(mask[:, :, None], x, 0.0)
    return np.array(swap_time(check_finite("x", x)), order="C"), mask


def read_mask(lengths, mask, N, T):
    """Return a mask (N, T), True where a step is read; None if every step is."""
    if lengths is not None and mask is not None:
        raise ValueError("give lengths or mask, got both; a mask says everything lengths do")
    if lengths is not None:
        return np.arange(T) < check_lengths("lengths", lengths, N, T)[:, None]
    if mask is None:
        return None
    mask = check_shape("mask", mask, (N, T))
    if mask.dtype.kind not in "biuf" or not np.isin(mask, (0, 1)).all():
        raise ValueError(f"mask must hold True and False, or 1 and 0, got {mask.dtype} values")
    mask = mask.astype(bool)
    empty = np.flatnonzero(~mask.any(axis=1))
    if len(empty):
        raise ValueError(
            f"mask must keep at least one step of every sequence, got none in row {empty[0]}; "
            "leave out empty sequences"
        )
    return mask


def read_state(name, state, N, H):
    """Return a state (N, H) as float64; None means zeros."""
    if state is None:
        return np.zeros((N, H))
    return check_finite(name, check_shape(name, state, (N, H)))


def read_step(x_t, h_prev, D, H):
    """Check one step of a cell: x_t (N, D) and h_prev (N, H), both float64."""
    x_t = check_finite("x_t", check_shape("x_t", x_t, (None, D)))
    return x_t, check_finite("h_prev", check_shape("h_prev", h_prev, (len(x_t), H)))


def read_output_gradient(dh, trace, kind, D, H):
    """Return dh (T, N, H), time-major; refuse a trace of another cell or of other sizes."""
    read_kind("trace", trace, kind)
    N, T, _ = check_shape("trace.x", trace.x, (None, None, D)).shape
    check_shape("trace.h", trace.h, (N, T + 1, H))
    return swap_time(check_finite("dh", check_shape("dh", dh, (N, T, H))))


def read_kept(mask):
    """Return the mask as (T, N, 1), ready to be broadcast over units, or None."""
    return None if mask is None else mask.T[:, :, None]


def set_weights(params, **shapes):
    """Make the named arrays of a frozen dataclass float64, and refuse those of another shape."""
    for name, shape in shapes.items():
        value = check_shape(name, getattr(params, name), shape)
        if value.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold numbers, got {value.dtype}")
        object.__setattr__(params, name, value.astype(float, copy=False))


def block(gate, gates, H):
    """Return the columns of one gate among the blocks side by side, such as "f" of "ifgo"."""
    start = gates.index(gate) * H
    return slice(start, start + H)


def read_gate(name, gate, gates):
    """Refuse a gate that the cell does not have."""
    if gate not in tuple(gates):
        known = ", ".join(map(repr, gates))
        raise ValueError(f"{name} must be one of {known}, got {gate!r}")


def read_sizes(D, H):
    """Refuse sizes below 1."""
    if D < 1 or H < 1:
        raise ValueError(f"D and H must be at least 1, got {D} and {H}")


def bounded(name, values, low, high):
    """Return a Series; its range is left out where a start state beyond it was carried over."""
    inside = (low is None or values.min() >= low) and (high is None or values.max() <= high)
    return Series(name, values, low=low, high=high) if inside else Series(name, values)


def read_row(n, N):
    """Refuse the number of a sequence that is not in the batch."""
    if not 0 <= n < N:
        raise ValueError(f"n must be a sequence from 0 to {N - 1}, got {n}")


def mask_series(mask, n):
    """Return the series that says which steps were read; none without a mask."""
    return () if mask is None else (Series("mask", mask[n]),)
