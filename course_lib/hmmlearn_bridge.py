"""Models of this book as hmmlearn models, and back, without rounding.

hmmlearn calls pi ``startprob_``, A ``transmat_``, B ``emissionprob_``, Gaussian means and variances
``means_`` and ``covars_`` (diagonal), and Poisson rates ``lambdas_``.

Letters: T time, K states, V symbols, D features.
"""

import numpy as np

from course_lib._checks import check_hmm
from course_lib.emissions import Categorical, Gaussian, Poisson


def from_hmmlearn(model):
    """Return (pi, A, B) of a fitted CategoricalHMM, diagonal GaussianHMM or PoissonHMM.

    Parameters
    ----------
    model : hmmlearn.base.BaseHMM
        A model with its parameters set.

    Returns
    -------
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.

    Raises
    ------
    ValueError
        If the model is of another kind.
    """
    from hmmlearn.hmm import CategoricalHMM, GaussianHMM, PoissonHMM

    if isinstance(model, CategoricalHMM):
        B = np.array(model.emissionprob_)
    elif isinstance(model, GaussianHMM) and model.covariance_type == "diag":
        B = Gaussian(np.array(model.means_), np.array([np.diag(c) for c in model.covars_]))
    elif isinstance(model, PoissonHMM) and model.lambdas_.shape[1] == 1:
        B = Poisson(np.array(model.lambdas_[:, 0]))
    else:
        raise ValueError(
            "model must be a CategoricalHMM, a GaussianHMM with covariance_type='diag' or a "
            f"PoissonHMM with one feature, got {model!r}"
        )
    return np.array(model.startprob_), np.array(model.transmat_), B


def to_hmmlearn(pi, A, B, **options):
    """Return the hmmlearn model with these parameters; it scores and decodes at once.

    ``fit`` would overwrite the parameters unless ``init_params=""``, which is set here.

    Parameters
    ----------
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    **options : dict
        Passed on to hmmlearn, such as ``implementation="scaling"``.

    Returns
    -------
    model : CategoricalHMM, GaussianHMM or PoissonHMM
        Observations go in as a column (T, 1), or (T, D).

    Raises
    ------
    ValueError
        If the tables do not make a model.
    """
    from hmmlearn.hmm import CategoricalHMM, GaussianHMM, PoissonHMM

    pi, A, emission = check_hmm(pi, A, B)
    options = {"n_components": len(pi), "init_params": "", **options}
    if isinstance(emission, Categorical):
        V = emission.B.shape[1]
        model = CategoricalHMM(n_features=V, **options)
        model.n_features = V
        model.emissionprob_ = emission.B.copy()
    elif isinstance(emission, Gaussian):
        model = GaussianHMM(covariance_type="diag", **options)
        model.n_features = emission.mean.shape[1]
        model.means_, model.covars_ = emission.mean.copy(), emission.var.copy()
    else:
        model = PoissonHMM(**options)
        model.n_features, model.lambdas_ = 1, emission.rate[:, None].copy()
    model.startprob_, model.transmat_ = pi.copy(), A.copy()
    return model
