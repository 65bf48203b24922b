"""Yearly counts of major earthquakes in the world (magnitude 7 or greater), 1900 to 2006.

Source: Zucchini and MacDonald (2009), Hidden Markov Models for Time Series, table 1.1,
doi:10.1201/9781420010893, who took the counts from the U.S. Geological Survey.
"""

import numpy as np

# Ten years a line, from 1900-1909 on; the last line is 2000-2006.
_COUNTS = (
    (13, 14, 8, 10, 16, 26, 32, 27, 18, 32),
    (36, 24, 22, 23, 22, 18, 25, 21, 21, 14),
    (8, 11, 14, 23, 18, 17, 19, 20, 22, 19),
    (13, 26, 13, 14, 22, 24, 21, 22, 26, 21),
    (23, 24, 27, 41, 31, 27, 35, 26, 28, 36),
    (39, 21, 17, 22, 17, 19, 15, 34, 10, 15),
    (22, 18, 15, 20, 15, 22, 19, 16, 30, 27),
    (29, 23, 20, 16, 21, 21, 25, 16, 18, 15),
    (18, 14, 10, 15, 8, 15, 6, 11, 8, 7),
    (18, 16, 13, 12, 13, 20, 15, 16, 12, 18),
    (15, 16, 13, 15, 16, 11, 11),
)


def load_earthquakes():
    """Return the years and the number of major earthquakes in each.

    Returns
    -------
    years : ndarray of shape (107,)
        1900 to 2006.
    counts : ndarray of shape (107,)
        Earthquakes of magnitude 7 or greater in that year, from 6 to 41.
    """
    counts = np.concatenate([np.array(decade) for decade in _COUNTS])
    return np.arange(1900, 1900 + len(counts)), counts
