"""Random hidden Markov models for tests: asymmetric tables, sizes that differ."""

import numpy as np

from course_lib.emissions import Gaussian, Poisson

KINDS = ("categorical", "gaussian", "gaussian-2d", "poisson")


def random_tables(rng, K):
    return rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K)


def random_emission(rng, K, kind, V=5):
    if kind == "categorical":
        return rng.dirichlet(np.ones(V), K)
    if kind == "poisson":
        return Poisson(rng.uniform(0.5, 9.0, K))
    D = 2 if kind == "gaussian-2d" else 1
    return Gaussian(3 * rng.normal(size=(K, D)), rng.uniform(0.3, 2.0, (K, D)))


def random_model(rng, K, kind="categorical", V=5):
    return (*random_tables(rng, K), random_emission(rng, K, kind, V))
