"""Slow and obvious answers: every path of states is written down, and its probability added up."""

import itertools
from math import exp, factorial, log, pi, sqrt

import numpy as np

from course_lib.emissions import Gaussian, Poisson, as_emission


def show_probability(k, observation, emission):
    """p(observation | state k) by the formula of a text book, one number at a time."""
    if isinstance(emission, Poisson):
        rate, count = float(emission.rate[k]), int(observation)
        return rate**count * exp(-rate) / factorial(count)
    if isinstance(emission, Gaussian):
        density = 1.0
        for y, mean, var in zip(
            np.atleast_1d(observation), emission.mean[k], emission.var[k], strict=True
        ):
            density *= exp(-((y - mean) ** 2) / (2 * var)) / sqrt(2 * pi * var)
        return density
    return float(emission.B[k, int(observation)])


class AllPaths:
    """Every path through K states in T steps with its probability together with ``y``."""

    def __init__(self, y, start, A, B):
        emission = as_emission(B)
        self.T, self.K = len(y), len(start)
        self.paths, self.joint = [], []
        for path in itertools.product(range(self.K), repeat=self.T):
            p = start[path[0]]
            for i, j in itertools.pairwise(path):
                p *= A[i, j]
            for t, k in enumerate(path):
                p *= show_probability(k, y[t], emission)
            self.paths.append(path)
            self.joint.append(p)
        self.evidence = sum(self.joint)

    def log_evidence(self):
        return log(self.evidence)

    def smoothed(self):
        """p(z_t | y) (T, K)."""
        gamma = np.zeros((self.T, self.K))
        for path, p in zip(self.paths, self.joint, strict=True):
            for t, k in enumerate(path):
                gamma[t, k] += p / self.evidence
        return gamma

    def pairs(self):
        """p(z_t, z_{t+1} | y) (T - 1, K, K)."""
        xi = np.zeros((self.T - 1, self.K, self.K))
        for path, p in zip(self.paths, self.joint, strict=True):
            for t, (i, j) in enumerate(itertools.pairwise(path)):
                xi[t, i, j] += p / self.evidence
        return xi

    def best(self):
        """The best path and its probability; the first of those that tie."""
        n = int(np.argmax(self.joint))
        return np.array(self.paths[n]), self.joint[n]


def filtered(y, start, A, B):
    """p(z_t | y_{1:t}) (T, K) and p(y_t | y_{<t}) (T,) from the paths of every beginning of y."""
    beginnings = [AllPaths(y[: t + 1], start, A, B) for t in range(len(y))]
    alpha = np.array([paths.smoothed()[-1] for paths in beginnings])
    evidence = np.array([1.0] + [paths.evidence for paths in beginnings])
    return alpha, evidence[1:] / evidence[:-1]


def future(y, t, A, B):
    """p(y_{t+1:T} | z_t = i) for every i, from the paths of the rest."""
    if t == len(y) - 1:
        return np.ones(len(A))
    return np.array([AllPaths(y[t + 1 :], A[i], A, B).evidence for i in range(len(A))])


def central_differences(f, x, step=1e-5):
    """Gradient of a number f(x), entry by entry; the error is of the order of step squared."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (f(up) - f(down)) / (2 * step)
    return gradient
