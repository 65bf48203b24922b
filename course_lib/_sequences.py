"""One form for the data sets of Markov chains and n-grams.

Letters: N sequences, T time, V symbols.
"""

import numpy as np

from course_lib._checks import check_shape, check_symbols


def as_sequences(sequences, V):
    """Turn one sequence, a batch, or a list of sequences into a list of checked arrays.

    Parameters
    ----------
    sequences : list of ndarray of shape (T,), or ndarray of shape (N, T) or (T,)
        Symbols from 0 to V - 1.
    V : int
        Number of symbols.

    Returns
    -------
    sequences : list of ndarray of shape (T,)
        Integer arrays, at least one.

    Raises
    ------
    ValueError
        If there is no sequence, or one of them is empty or holds anything but symbols.
    """
    if len(sequences) == 0:
        raise ValueError("sequences must hold at least one sequence, got none")
    if np.ndim(sequences[0]) == 0:
        sequences = [sequences]  # one sequence by itself
    return [
        check_symbols(f"sequences[{i}]", check_shape(f"sequences[{i}]", y, (None,)), V)
        for i, y in enumerate(sequences)
    ]
