"""The same model here and in hmmlearn gives the same values; conversion loses nothing."""

import numpy as np
import pytest

from course_lib import hmm
from course_lib.hmmlearn_bridge import from_hmmlearn, to_hmmlearn
from tests.models import KINDS, random_model


@pytest.fixture(params=[(kind, K) for kind in KINDS for K in (1, 3)], ids=str)
def case(request, rng):
    kind, K = request.param
    model = random_model(rng, K, kind)
    return hmm.sample_hmm(57, *model, rng)[1], model


@pytest.mark.parametrize("implementation", ["log", "scaling"])
class TestAgainstHmmlearn:
    def test_values(self, case, implementation):
        y, model = case
        peer, X = to_hmmlearn(*model, implementation=implementation), y.reshape(57, -1)
        assert peer.score(X) == pytest.approx(hmm.forward_filter(y, *model).log_evidence, abs=1e-9)
        np.testing.assert_allclose(peer.predict_proba(X), hmm.smooth(y, *model), atol=1e-10)
        log_joint, path = peer.decode(X)
        best = hmm.viterbi(y, *model)
        assert log_joint == pytest.approx(best.log_joint, abs=1e-9)
        np.testing.assert_array_equal(path, best.path)


def test_there_and_back_changes_no_bit(case):
    _, model = case
    for before, after in zip(model, from_hmmlearn(to_hmmlearn(*model)), strict=True):
        if isinstance(before, np.ndarray):
            np.testing.assert_array_equal(before, after)
        else:
            for name in before.__slots__:
                np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_converted_model_does_not_share_memory(case):
    _, model = case
    peer = to_hmmlearn(*model)
    peer.startprob_[:] = 0
    assert model[0].sum() == pytest.approx(1)


def test_other_models_are_refused():
    from hmmlearn.hmm import GMMHMM

    with pytest.raises(ValueError, match="model must be a CategoricalHMM"):
        from_hmmlearn(GMMHMM())
