r"""Drawing from a model that scores the next symbol: temperature, top-k, one after another.

A model that was trained on the next symbol gives a score to each of V symbols. To *write*, one is
drawn, shown to the model as the next input, and so on. Two knobs change what is drawn:

.. math::

    q(v) \propto \exp(s_v / \tau)
    \qquad \text{and} \qquad
    q(v) = 0 \text{ outside the } k \text{ most probable}

The temperature makes the distribution sharper (below 1) or flatter (above 1); ``top_k`` cuts off
its tail. Nothing here knows what kind of model it is: an n-gram and an LSTM are drawn from alike.

Letters: T time, V symbols.
"""

import numpy as np

from course_lib._checks import check_shape


def temperature_probs(scores, temperature=1.0):
    r"""Turn scores into probabilities, :math:`q(v) \propto \exp(s_v / \tau)`.

    Parameters
    ----------
    scores : ndarray of shape (V,)
        Scores (logits) or log-probabilities of the symbols, in nats; ``-inf`` is never drawn.
    temperature : float, default=1.0
        Positive. 1 leaves a model's probabilities as they are; towards 0 the best symbol takes
        all; towards infinity all become alike.

    Returns
    -------
    probs : ndarray of shape (V,)
        In [0, 1], they sum to 1.

    Raises
    ------
    ValueError
        If the temperature is not positive, a score is NaN, or no score is finite.

    References
    ----------
    Ackley, Hinton and Sejnowski (1985), doi:10.1207/s15516709cog0901_7: their T is our temperature,
    their energies are our -scores.
    """
    scores = check_shape("scores", scores, (None,))
    if not (temperature > 0 and np.isfinite(temperature)):
        raise ValueError(
            f"temperature must be positive, got {temperature}; for the best symbol, use argmax"
        )
    best = scores.max()
    if not np.isfinite(best):
        raise ValueError("scores must hold a finite one and no NaN or +inf")
    weights = np.exp((scores - best) / temperature)  # the best has weight 1: no overflow
    return weights / weights.sum()


def top_k_probs(probs, k):
    """Keep the k most probable symbols and share the rest out among them in proportion.

    Parameters
    ----------
    probs : ndarray of shape (V,)
        In [0, 1], they sum to 1.
    k : int
        How many are kept, from 1; from V on nothing is cut. Of equal ones the first are kept.

    Returns
    -------
    kept : ndarray of shape (V,)
        In [0, 1], they sum to 1; at most k are positive.

    Raises
    ------
    ValueError
        If k is below 1.

    References
    ----------
    Fan, Lewis and Dauphin (2018), doi:10.18653/v1/P18-1082.
    """
    probs = check_shape("probs", probs, (None,))
    if k < 1 or k != int(k):
        raise ValueError(f"k must be a whole number, 1 or more, got {k}")
    first = np.argsort(-probs, kind="stable")[: int(k)]
    kept = np.zeros(len(probs))
    kept[first] = probs[first]
    return kept / kept.sum()


def sample_symbols(step, start, length, rng, temperature=1.0, top_k=None):
    """Let a model write: draw a symbol, show it to the model, draw the next.

    Parameters
    ----------
    step : callable
        ``step(symbol, state)`` returns ``(scores, state)``: scores (V,) of the symbol that comes
        next, and the state to pass on. The first call gets ``state=None``.
    start : ndarray of shape (T,)
        Symbols that the model reads before it writes, at least one; any T.
    length : int
        Symbols to write, from 0.
    rng : numpy.random.Generator
        Source of randomness.
    temperature : float, default=1.0
        See `temperature_probs`.
    top_k : int, default=None
        See `top_k_probs`; None cuts nothing.

    Returns
    -------
    y : ndarray of shape (length,)
        What was written, without ``start``.

    Raises
    ------
    ValueError
        If there is nothing to start from, or a knob is out of range.
    """
    start = check_shape("start", start, (None,)).astype(int)
    if len(start) == 0:
        raise ValueError("start must hold at least one symbol: a model answers what it has read")
    state, written = None, []
    for symbol in start:
        scores, state = step(int(symbol), state)
    for _ in range(length):
        probs = temperature_probs(scores, temperature)
        if top_k is not None:
            probs = top_k_probs(probs, top_k)
        written.append(int(rng.choice(len(probs), p=probs)))
        scores, state = step(written[-1], state)
    return np.array(written, dtype=int)
