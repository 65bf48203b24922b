"""Hidden Markov models for tests: asymmetric tables, sizes that differ."""

import numpy as np

from course_lib import hmm
from course_lib.emissions import Gaussian, Poisson

KINDS = ("categorical", "gaussian", "gaussian_2d", "poisson")


def random_model(rng, kind, K, V=5, stay=0.0):
    """Draw (pi, A, B); ``stay`` pulls A towards staying where it is."""
    pi = rng.dirichlet(np.ones(K))
    A = (1 - stay) * rng.dirichlet(np.ones(K), K) + stay * np.eye(K)
    if kind == "categorical":
        return pi, A, rng.dirichlet(np.ones(V), K)
    if kind == "poisson":
        return pi, A, Poisson(rng.uniform(0.5, 9.0, K))
    D = 2 if kind == "gaussian_2d" else 1
    return pi, A, Gaussian(rng.normal(0.0, 2.0, (K, D)), rng.uniform(0.3, 2.0, (K, D)))


def random_data(rng, model, N, T):
    """Draw a batch (N, T) or (N, T, D) from the model."""
    return np.stack([hmm.sample_hmm(T, *model, rng)[1] for _ in range(N)])
