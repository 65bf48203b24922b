"""Slow and obvious answers: every path is listed, every derivative is a difference."""

import itertools
from math import exp, factorial, pi, sqrt

import numpy as np


def emission_prob(k, y, B):
    """Probability or density of one observation in state k, from the definition."""
    if isinstance(B, np.ndarray):
        return B[k, y]
    if hasattr(B, "rate"):
        return B.rate[k] ** int(y) * exp(-B.rate[k]) / factorial(int(y))
    product = 1.0
    for y_d, mean, var in zip(np.atleast_1d(y), B.mean[k], B.var[k], strict=True):
        product *= exp(-((y_d - mean) ** 2) / (2 * var)) / sqrt(2 * pi * var)
    return product


def all_paths(y, pi, A, B):
    """Return every path (K^T of them) and its joint probability with y."""
    K, T = len(pi), len(y)
    paths = list(itertools.product(range(K), repeat=T))
    joints = []
    for z in paths:
        p = pi[z[0]] * emission_prob(z[0], y[0], B)
        for t in range(1, T):
            p *= A[z[t - 1], z[t]] * emission_prob(z[t], y[t], B)
        joints.append(p)
    return paths, np.array(joints)


def evidence(y, pi, A, B):
    return all_paths(y, pi, A, B)[1].sum()


def filtered(y, pi, A, B):
    """p(z_t | y_{1:t}), by listing the paths of every prefix."""
    rows = []
    for t in range(len(y)):
        paths, joints = all_paths(y[: t + 1], pi, A, B)
        rows.append([sum(p for z, p in zip(paths, joints, strict=True) if z[t] == k)
                     for k in range(len(pi))])  # fmt: skip
    rows = np.array(rows)
    return rows / rows.sum(axis=1, keepdims=True)


def smoothed(y, pi, A, B):
    paths, joints = all_paths(y, pi, A, B)
    gamma = np.zeros((len(y), len(pi)))
    for z, p in zip(paths, joints, strict=True):
        for t, k in enumerate(z):
            gamma[t, k] += p
    return gamma / joints.sum()


def pairs(y, pi, A, B):
    paths, joints = all_paths(y, pi, A, B)
    xi = np.zeros((len(y) - 1, len(pi), len(pi)))
    for z, p in zip(paths, joints, strict=True):
        for t in range(len(y) - 1):
            xi[t, z[t], z[t + 1]] += p
    return xi / joints.sum()


def central_difference(f, x, h=1e-5):
    """Gradient of a scalar function of an array, one entry at a time."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        gradient[index] = (f(up) - f(down)) / (2 * h)
    return gradient
