"""This library and hmmlearn give the same numbers in float64, with both its implementations."""

import numpy as np
import pytest
from hmm_models import KINDS, random_data, random_model
from hmmlearn import _hmmc
from hmmlearn.hmm import GMMHMM, CategoricalHMM, GaussianHMM, PoissonHMM

from course_lib import hmm, hmm_batch, hmm_learning
from course_lib.emissions import Gaussian, Poisson, as_emission, log_likelihood
from course_lib.hmmlearn_bridge import from_hmmlearn, to_hmmlearn

MODES = ("log", "scaling")
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
K, LENGTHS = 3, np.array([40, 25])
# hmmlearn adds these to the data of a Gaussian by default; without them it is plain Baum-Welch.
NO_PRIOR = {"covars_prior": 0.0, "covars_weight": 0.0}


@pytest.fixture(params=KINDS)
def case(request, rng):
    """A model, a padded batch, and the same data as one column for hmmlearn."""
    model = random_model(rng, request.param, K)
    ys = random_data(rng, model, 2, 40)
    column = np.concatenate([ys[0], ys[1, :25]]).reshape(65, -1)
    return model, ys, column


def arrays_of(B):
    emission = as_emission(B)
    return [getattr(emission, name) for name in emission.__dataclass_fields__]


@pytest.mark.parametrize("mode", MODES)
class TestValues:
    def test_log_evidence(self, case, mode):
        model, ys, column = case
        ours = hmm_batch.log_evidence(ys, *model, LENGTHS).sum()
        theirs = to_hmmlearn(*model, implementation=mode).score(column, LENGTHS)
        np.testing.assert_allclose(ours, theirs, **CLOSE)
        np.testing.assert_allclose(
            hmm.forward_filter(ys[0], *model).log_evidence,
            to_hmmlearn(*model, implementation=mode).score(column[:40]),
            **CLOSE,
        )

    def test_posteriors(self, case, mode):
        model, ys, column = case
        theirs = to_hmmlearn(*model, implementation=mode).predict_proba(column, LENGTHS)
        gamma = hmm_batch.smooth_batch(ys, *model, LENGTHS)
        np.testing.assert_allclose(np.concatenate([gamma[0], gamma[1, :25]]), theirs, **CLOSE)
        np.testing.assert_allclose(hmm.smooth(ys[0], *model), theirs[:40], **CLOSE)

    def test_viterbi(self, case, mode):
        model, ys, column = case
        log_joint, path = to_hmmlearn(*model, implementation=mode).decode(column, LENGTHS)
        ours, ours_log_joint = hmm_batch.viterbi_batch(ys, *model, LENGTHS)
        np.testing.assert_allclose(ours_log_joint.sum(), log_joint, **CLOSE)
        assert np.concatenate([ours[0], ours[1, :25]]).tolist() == path.tolist()
        assert hmm.viterbi(ys[0], *model).path.tolist() == path[:40].tolist()


class TestLattices:
    """The arrays inside hmmlearn, from its compiled functions."""

    def test_log(self, case):
        (pi, A, B), ys, _ = case
        log_b = log_likelihood(ys[0], B)
        _, theirs = _hmmc.forward_log(pi, A, log_b)
        np.testing.assert_allclose(hmm.forward_log(ys[0], pi, A, B), theirs, **CLOSE)
        theirs = _hmmc.backward_log(pi, A, log_b)
        np.testing.assert_allclose(hmm.backward_log(ys[0], pi, A, B), theirs, **CLOSE)

    def test_scaling(self, case):
        (pi, A, B), ys, _ = case
        b = np.exp(log_likelihood(ys[0], B))
        log_p, alpha, scale = _hmmc.forward_scaling(pi, A, b)
        trace = hmm.forward_filter(ys[0], pi, A, B)
        np.testing.assert_allclose(trace.alpha, alpha, **CLOSE)
        np.testing.assert_allclose(trace.log_c, -np.log(scale), **CLOSE)
        np.testing.assert_allclose(trace.log_evidence, log_p, **CLOSE)
        # hmmlearn scales the last row by 1 / c too
        beta = _hmmc.backward_scaling(pi, A, b, scale) / scale[:, None]
        np.testing.assert_allclose(hmm.backward(ys[0], pi, A, B), beta, **CLOSE)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("steps", [1, 5])
def test_baum_welch_ends_at_the_same_parameters(rng, case, mode, steps):
    model, ys, column = case
    start = _another_start(rng, model)
    options = {"n_iter": steps, "tol": -np.inf, "implementation": mode}
    if isinstance(start[2], Gaussian):
        options |= NO_PRIOR
    theirs = from_hmmlearn(to_hmmlearn(*start, **options).fit(column, LENGTHS))
    fit = hmm_learning.baum_welch(ys, *start, LENGTHS, n_iter=steps, tol=-np.inf)
    np.testing.assert_allclose(fit.pi, theirs[0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(fit.A, theirs[1], rtol=0, atol=1e-8)
    for ours, other in zip(arrays_of(fit.B), arrays_of(theirs[2]), strict=True):
        np.testing.assert_allclose(ours, other, rtol=0, atol=1e-8)
    # The steps did something: parity of parameters that never moved would prove nothing.
    assert np.abs(fit.A - start[1]).max() > 1e-3


def _another_start(rng, model):
    pi, A, B = model
    pi, A = 0.5 * pi + 0.5 / K, 0.7 * A + 0.3 * rng.dirichlet(np.ones(K), K)
    if isinstance(B, Gaussian):
        return pi, A, Gaussian(B.mean + 0.3, 2 * B.var)
    if isinstance(B, Poisson):
        return pi, A, Poisson(1.5 * B.rate)
    return pi, A, 0.5 * B + 0.5 * rng.dirichlet(np.ones(5), K)


class TestConversion:
    def test_there_and_back_keeps_every_bit(self, case):
        pi, A, B = case[0]
        back = from_hmmlearn(to_hmmlearn(pi, A, B))
        np.testing.assert_array_equal(back[0], pi)
        np.testing.assert_array_equal(back[1], A)
        for here, there in zip(arrays_of(B), arrays_of(back[2]), strict=True):
            np.testing.assert_array_equal(here, there)

    def test_fit_starts_from_the_parameters_given(self, case):
        model, _, column = case
        theirs = to_hmmlearn(*model, n_iter=1, tol=-np.inf)
        theirs.fit(column)
        np.testing.assert_allclose(
            theirs.monitor_.history[0], to_hmmlearn(*model).score(column), rtol=1e-10
        )

    def test_a_model_fitted_by_hmmlearn_comes_over(self, rng):
        y = rng.integers(0, 4, (200, 1))
        theirs = CategoricalHMM(2, random_state=0, n_iter=3, tol=-np.inf).fit(y)
        ours = hmm_batch.log_evidence(y[:, 0], *from_hmmlearn(theirs))[0]
        np.testing.assert_allclose(ours, theirs.score(y), rtol=1e-10)

    @pytest.mark.parametrize(
        "model", [GMMHMM(2), GaussianHMM(2, covariance_type="full"), "a text", None]
    )
    def test_other_kinds_are_refused(self, model):
        with pytest.raises(ValueError, match="model must be a CategoricalHMM, a GaussianHMM with"):
            from_hmmlearn(model)

    def test_counts_with_two_features_are_refused(self, rng):
        model = PoissonHMM(2, random_state=0, n_iter=1).fit(rng.integers(0, 9, (30, 2)))
        with pytest.raises(ValueError, match="PoissonHMM with one feature"):
            from_hmmlearn(model)

    def test_bad_tables_are_named(self):
        with pytest.raises(ValueError, match="row 0 of A must sum to 1"):
            to_hmmlearn([0.5, 0.5], [[0.5, 0.4], [0.5, 0.5]], [[1.0], [1.0]])
