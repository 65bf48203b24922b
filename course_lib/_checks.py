"""Checks at public entrances: each names the argument, what was wanted, what came, the way out."""

import numpy as np

SUM_TOLERANCE = 1e-6  # float32 tables pass; a row that someone forgot to normalise does not


def check_shape(name, x, shape):
    """Return ``x`` as an array; ``None`` in ``shape`` stands for any length."""
    x = np.asarray(x)
    fits = x.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, x.shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if s is None else str(s) for s in shape)
        wanted += ",)" if len(shape) == 1 else ")"
        raise ValueError(f"{name} must have shape {wanted}, got {x.shape}")
    return x


def check_finite(name, x):
    """Return ``x`` as float64; NaN and infinity are refused with their index."""
    try:
        x = np.asarray(x, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers, got {x!r:.60}") from error
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{name} must be finite, got {x[index]} at index {_shown(index)}; "
            "remove or replace missing values first"
        )
    return x


def check_distribution(name, p, axis=-1):
    """Return ``p`` as float64: not negative, sums of 1 along ``axis``."""
    p = p if isinstance(p, np.ndarray) and p.dtype == float else check_finite(name, p)
    if p.ndim == 0 or p.size == 0:
        raise ValueError(f"{name} must hold at least one probability, got shape {p.shape}")
    sums = p.sum(axis=axis)
    if p.min() >= 0 and np.abs(sums - 1).max() <= SUM_TOLERANCE:  # NaN fails both
        return p
    check_finite(name, p)
    bad = np.argwhere(p < 0)
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{name} must not be negative, got {p[index]} at index {_shown(index)}; "
            "probabilities are from 0 to 1 (did you pass logs?)"
        )
    bad = np.argwhere(np.abs(sums - 1) > SUM_TOLERANCE)
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        where = f"row {_shown(index)} of {name}" if index else name
        raise ValueError(
            f"{where} must sum to 1, got a sum of {sums[index]:.6g}; "
            f"divide it by its sum (axis={axis})"
        )
    return p


def check_symbols(name, y, V):
    """Return ``y`` as an integer array with entries from 0 to V - 1; any shape, not empty."""
    y = np.asarray(y)
    if y.size == 0:
        raise ValueError(f"{name} is empty; a sequence has at least one time step")
    if y.dtype.kind not in "iu":
        floats = check_finite(name, y)
        if y.dtype.kind not in "fb" or np.any(floats != np.round(floats)):
            raise ValueError(f"{name} must hold integers from 0 to {V - 1}, got {y.dtype}")
        y = floats.astype(int)
    if y.min() >= 0 and y.max() < V:
        return y
    bad = np.argwhere((y < 0) | (y >= V))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{name} must hold symbols from 0 to {V - 1}, got {y[index]} at {_place(index)}; "
            "number the symbols from 0"
        )
    return y


def check_lengths(name, lengths, N, T):
    """Return ``lengths`` (N,) with entries from 1 to T; ``None`` means T for every sequence."""
    if lengths is None:
        return np.full(N, T)
    lengths = np.asarray(lengths)
    if lengths.shape != (N,):
        raise ValueError(
            f"{name} must have shape ({N},), one length a sequence, got {lengths.shape}; "
            "sequences are rows of a padded array, not one long row"
        )
    if lengths.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must hold integers, got {lengths.dtype}; convert it by astype(int)"
        )
    bad = np.flatnonzero((lengths < 1) | (lengths > T))
    if len(bad):
        n = int(bad[0])
        raise ValueError(
            f"{name} must be from 1 to {T}, got {lengths[n]} for sequence {n}; "
            "leave out empty sequences, and pad all to the longest"
        )
    return lengths


def _shown(index):
    return str(index[0]) if len(index) == 1 else str(index)


def _place(index):
    if len(index) == 1:
        return f"t={index[0]}"
    return f"sequence {index[0]}, t={index[1]}" if len(index) == 2 else f"index {index}"


def check_hmm(pi, A, B):
    """Return (pi (K,), A (K, K), emission): shapes agree and rows sum to 1."""
    from course_lib.emissions import as_emission  # emissions use the checks above

    pi = check_distribution("pi", check_shape("pi", pi, (None,)))
    K = len(pi)
    A = check_distribution("A", check_shape("A", A, (K, K)))
    emission = as_emission(B)
    if emission.n_states != K:
        raise ValueError(
            f"B must describe {K} states as pi does, got {emission.n_states}; "
            "a table B has one row a state and one column a symbol"
        )
    return pi, A, emission


def impossible_observation(y, t):
    """Return the error for an observation that no state that can be reached can show."""
    return ValueError(
        f"observation {np.asarray(y)[t]} at t={t} has probability zero in every state that can be "
        "reached; check the symbol numbers, or give no emission and transition probability 0"
    )
