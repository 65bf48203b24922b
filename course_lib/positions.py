r"""Two ways to tell attention where a vector stands: waves that are added, pairs that are turned.

Attention sums over a set: without one of these it cannot know an order. Both use the same
:math:`M / 2` speeds, from one radian a step down to nearly none,

.. math:: \omega_i = base^{-2i / M}, \qquad i = 0, \dots, M / 2 - 1

- :func:`sinusoidal_positions` is a table that is **added** to the inputs once.
- :func:`rotate` **turns** queries and keys, pair by pair, by an angle that grows with the place. A
  dot product of the two then depends on how far apart they stand, not on where.

Pairs are the neighbours (0, 1), (2, 3) and so on, as in both papers. Much code, the published
LLaMA weights as Hugging Face stores them among it, pairs entry i with entry i + E / 2 instead.
Both are the same model with the columns of the query and key weights in another order; weights
of the one used as the other are noise.

Letters: T time, M model width, E head width; "..." any axes before.

References
----------
Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, section 3.5: their pos is our t, their
d_model our M. Su et al. (2024), doi:10.1016/j.neucom.2023.127063, equation 34: their m is our t,
their theta our omega, their d our E.
"""

import numpy as np

from course_lib._checks import check_finite


def _angles(T, width, offset, base):
    """Angles (T, width / 2) in radians of places offset, offset + 1, ..."""
    if width < 2 or width % 2:
        raise ValueError(f"the width must be even and at least 2, pairs are turned; got {width}")
    if not base > 0:
        raise ValueError(f"base must be above 0, got {base}")
    speeds = base ** (-np.arange(0, width, 2) / width)
    return (offset + np.arange(T))[:, None] * speeds


def sinusoidal_positions(T, M, offset=0, base=10000.0):
    r"""Return the waves that are added to T vectors so that each says where it stands.

    .. math:: p_{t, 2i} = \sin(\omega_i t), \qquad p_{t, 2i + 1} = \cos(\omega_i t)

    Parameters
    ----------
    T : int
        Number of places, at least 1.
    M : int
        Width of the vectors, even.
    offset : int, default=0
        Place of the first one; a model that reads step by step needs it.
    base : float, default=10000.0
        The slowest wave takes nearly :math:`2 \pi base` steps.

    Returns
    -------
    positions : ndarray of shape (T, M)
        Entries in [-1, 1]; every row has length :math:`\sqrt{M / 2}`.

    Raises
    ------
    ValueError
        If ``T`` is below 1, ``M`` is odd or ``base`` not positive.

    References
    ----------
    Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, section 3.5.
    """
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    angles = _angles(T, M, offset, base)
    positions = np.empty((T, M))
    positions[:, 0::2], positions[:, 1::2] = np.sin(angles), np.cos(angles)
    return positions


def rotate(x, offset=0, base=10000.0):
    r"""Turn every pair of entries by an angle that grows with the place, the last axis but one.

    .. math::
        \begin{pmatrix} y_{t, 2i} \\ y_{t, 2i + 1} \end{pmatrix} =
        \begin{pmatrix} \cos \omega_i t & -\sin \omega_i t \\ \sin \omega_i t & \cos \omega_i t
        \end{pmatrix}
        \begin{pmatrix} x_{t, 2i} \\ x_{t, 2i + 1} \end{pmatrix}

    Lengths stay as they are, and so does the dot product of two vectors at the same place.

    Parameters
    ----------
    x : ndarray of shape (..., T, E)
        Queries or keys, T places; E is even.
    offset : int, default=0
        Place of the first one; a model that reads step by step needs it.
    base : float, default=10000.0
        The slowest pair needs nearly :math:`2 \pi base` steps for one turn.

    Returns
    -------
    y : ndarray of shape (..., T, E)
        The vectors, turned.

    Raises
    ------
    ValueError
        If ``x`` has no axis for the place, an odd width, or is not finite.

    References
    ----------
    Su et al. (2024), doi:10.1016/j.neucom.2023.127063, equations 15 and 34.
    """
    return _turn("x", x, offset, base, 1.0)


def rotate_backward(dy, offset=0, base=10000.0):
    """Return the gradient at what went into :func:`rotate`: the same turn, the other way.

    Parameters
    ----------
    dy : ndarray of shape (..., T, E)
        Gradient of the loss at the turned vectors.
    offset : int, default=0
        As in the forward pass.
    base : float, default=10000.0
        As in the forward pass.

    Returns
    -------
    dx : ndarray of shape (..., T, E)
        Gradient at the vectors before they were turned.

    Raises
    ------
    ValueError
        For the same reasons as :func:`rotate`.
    """
    return _turn("dy", dy, offset, base, -1.0)


def _turn(name, x, offset, base, direction):
    x = check_finite(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name} must have shape (..., T, E), got {x.shape}")
    angles = _angles(x.shape[-2], x.shape[-1], offset, base)
    cos, sin = np.cos(angles), direction * np.sin(angles)  # (T, E / 2)
    even, odd = x[..., 0::2], x[..., 1::2]
    y = np.empty_like(x)
    y[..., 0::2] = even * cos - odd * sin
    y[..., 1::2] = even * sin + odd * cos
    return y
