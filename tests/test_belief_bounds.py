"""Bounds by a grid of beliefs, against every sequence written down and against long runs."""

import itertools
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import belief_bounds
from course_lib.belief_bounds import (
    MEASURES,
    Bounds,
    _knowing_less,
    _knowing_more,
    bounds_by_step,
    entropy_rate_bounds,
    filter_accuracy_bounds,
    next_symbol_accuracy_bounds,
)
from course_lib.datasets.processes import CASINO, MESS3, exact_beliefs, sample_process
from course_lib.emissions import Poisson
from course_lib.entropy import entropy, entropy_rate
from course_lib.stationary import stationary_distribution
from tests.hmm_models import random_model

LONG_RUN = {
    "entropy": entropy_rate_bounds,
    "filter accuracy": filter_accuracy_bounds,
    "next symbol accuracy": next_symbol_accuracy_bounds,
}
ROUNDING = 1e-12  # sums of at most some thousand terms of order 1


def forward(ys, pi, A, B):
    """p(y_1, ..., y_t, z_t = k) by the sums of a text book."""
    K = len(pi)
    joint = [pi[k] * B[k, ys[0]] for k in range(K)]
    for y in ys[1:]:
        joint = [sum(joint[i] * A[i, k] for i in range(K)) * B[k, y] for k in range(K)]
    return joint


def sequence_entropy(t, pi, A, B):
    """H(Y_1, ..., Y_t) in nats from all V**t sequences."""
    probs = [sum(forward(ys, pi, A, B)) for ys in itertools.product(range(B.shape[1]), repeat=t)]
    return -sum(p * log(p) for p in probs if p > 0)


def enumerated(measure, t, pi, A, B):
    """The exact value at step t (from 1) from all sequences."""
    V = B.shape[1]
    if measure == "entropy":
        before = sequence_entropy(t - 1, pi, A, B) if t > 1 else 0.0
        return sequence_entropy(t, pi, A, B) - before
    if measure == "filter accuracy":
        return sum(max(forward(ys, pi, A, B)) for ys in itertools.product(range(V), repeat=t))
    return sum(
        max(sum(forward((*past, v), pi, A, B)) for v in range(V))
        for past in itertools.product(range(V), repeat=t - 1)
    )


def stationary_model(rng, K, V):
    _, A, B = random_model(rng, "categorical", K, V, stay=0.5)
    return stationary_distribution(A), A, B


def brackets(bounds, truth):
    return np.all(bounds.low <= truth + ROUNDING) and np.all(truth <= bounds.high + ROUNDING)


class TestAgainstAllSequences:
    @pytest.mark.parametrize("cells", [1, 2, 7, 60])
    @pytest.mark.parametrize("K, V, T", [(2, 3, 5), (3, 2, 6), (4, 2, 5)])
    @pytest.mark.parametrize("measure", MEASURES)
    def test_every_step_is_bracketed(self, measure, K, V, T, cells, rng, monkeypatch):
        monkeypatch.setattr(belief_bounds, "MAX_EXACT", 0)  # so that the grid is used at once
        if (K, cells) == (4, 60):
            cells = 20  # 1771 corners
        model = random_model(rng, "categorical", K, V, stay=0.3)
        bounds = bounds_by_step(measure, *model, T, cells=cells)
        truth = np.array([enumerated(measure, t, *model) for t in range(1, T + 1)])
        assert bounds.low.shape == bounds.high.shape == (T,)
        assert brackets(bounds, truth)

    @pytest.mark.parametrize("measure", MEASURES)
    def test_first_steps_are_exact(self, measure, rng):
        model = random_model(rng, "categorical", 3, 2, stay=0.3)
        bounds = bounds_by_step(measure, *model, 6, cells=1)
        truth = np.array([enumerated(measure, t, *model) for t in range(1, 7)])
        np.testing.assert_allclose(bounds.low, truth, rtol=0, atol=ROUNDING)
        np.testing.assert_allclose(bounds.high, truth, rtol=0, atol=ROUNDING)

    @pytest.mark.parametrize("measure", MEASURES)
    def test_the_default_grid_is_tight(self, measure, rng, monkeypatch):
        monkeypatch.setattr(belief_bounds, "MAX_EXACT", 64)
        model = random_model(rng, "categorical", 3, 2, stay=0.3)
        bounds = bounds_by_step(measure, *model, 11)
        truth = [enumerated(measure, t, *model) for t in (10, 11)]
        last = Bounds(bounds.low[-2:], bounds.high[-2:])
        assert brackets(last, np.array(truth)) and last.error.max() < 1e-5

    @pytest.mark.parametrize("K, V, n", [(2, 3, 6), (3, 2, 8)])
    def test_the_rate_lies_in_the_sandwich_of_cover_and_thomas(self, K, V, n, rng):
        model = stationary_model(rng, K, V)
        below, above = sandwich("entropy", n, *model)
        fine = entropy_rate_bounds(*model)
        assert below - ROUNDING <= fine.low <= fine.high <= above + ROUNDING
        assert fine.error < 1e-6
        for cells in (1, 2, 5):
            coarse = entropy_rate_bounds(*model, cells=cells, steps=n)
            assert coarse.low <= fine.mid <= coarse.high

    @pytest.mark.parametrize("n", [1, 2, 4])
    @pytest.mark.parametrize("measure", MEASURES)
    def test_few_steps_give_the_sandwich_itself(self, measure, n, rng, monkeypatch):
        monkeypatch.setattr(belief_bounds, "MAX_AHEAD", 0)
        model = stationary_model(rng, 2, 3)
        below, above = sandwich(measure, n, *model)
        if measure != "entropy":
            below, above = above, below  # who knows the first state guesses better
        bounds = LONG_RUN[measure](*model, steps=n, cells=500)
        assert below - 1e-5 < bounds.low <= below + ROUNDING
        assert above - ROUNDING <= bounds.high < above + 1e-5
        assert n > 2 or above - below > 1e-3


def sandwich(measure, n, pi, A, B):
    """The value at step n of one who knows the first state too, and of one who does not."""
    knowing = sum(
        share * enumerated(measure, n, corner, A, B)
        for share, corner in zip(pi, np.eye(len(pi)), strict=True)
    )
    return knowing, enumerated(measure, n, pi, A, B)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    K=st.integers(2, 4),
    cells=st.integers(1, 9),
    measure=st.sampled_from([*MEASURES]),
)
def test_property_coarse_bounds_bracket_fine_ones(seed, K, cells, measure):
    model = stationary_model(np.random.default_rng(seed), K, 3)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(belief_bounds, "MAX_AHEAD", 3000)  # the grid is what is tested
        fine = LONG_RUN[measure](*model, cells={2: 200, 3: 30, 4: 10}[K], steps=25)
        coarse = LONG_RUN[measure](*model, cells=cells, steps=25)
    # Both hold the same true value, so they overlap whatever the grids are.
    assert coarse.low <= fine.high + ROUNDING and fine.low <= coarse.high + ROUNDING


@given(seed=st.integers(0, 10_000), K=st.integers(2, 5), cells=st.integers(1, 6))
def test_property_both_sides_keep_the_mean_belief(seed, K, cells):
    model = random_model(np.random.default_rng(seed), "categorical", K, 2)
    mean = model[0]
    for less, more in zip(
        _knowing_less(model[0][None], *model[1:], cells, 5),
        _knowing_more(model[0][None], *model[1:], cells, 5),
        strict=True,
    ):
        np.testing.assert_allclose(less.sum(axis=0), mean, rtol=0, atol=ROUNDING)
        np.testing.assert_allclose(more.sum(axis=0), mean, rtol=0, atol=ROUNDING)
        assert more.min() >= -ROUNDING
        mean = mean @ model[1]


class TestKnownValues:
    @pytest.mark.parametrize("K", [2, 3, 4])
    def test_independent_symbols_have_their_entropy(self, K, rng):
        A, row = rng.dirichlet(np.ones(K), K), rng.dirichlet(np.ones(5))
        model = stationary_distribution(A), A, np.tile(row, (K, 1))
        bounds = entropy_rate_bounds(*model)
        assert bounds.mid == pytest.approx(entropy(row), abs=ROUNDING) and bounds.error < ROUNDING
        accuracy = next_symbol_accuracy_bounds(*model)
        assert accuracy.mid == pytest.approx(row.max(), abs=ROUNDING)
        assert filter_accuracy_bounds(*model).mid == pytest.approx(model[0].max(), abs=ROUNDING)

    def test_states_that_show_themselves_are_a_chain(self, rng):
        A = rng.dirichlet(np.ones(3), 3)
        pi = stationary_distribution(A)
        bounds = entropy_rate_bounds(pi, A, np.eye(3))
        assert brackets(bounds, entropy_rate(A)) and bounds.error < 1e-9
        assert brackets(next_symbol_accuracy_bounds(pi, A, np.eye(3)), pi @ A.max(axis=1))
        assert filter_accuracy_bounds(pi, A, np.eye(3)).mid == pytest.approx(1.0, abs=ROUNDING)

    def test_a_cycle_surprises_nobody(self):
        A = np.roll(np.eye(4), 1, axis=1)
        bounds = entropy_rate_bounds(np.full(4, 0.25), A, np.eye(4))
        assert (bounds.low, bounds.high) == pytest.approx((0.0, 0.0), abs=ROUNDING)
        accuracy = next_symbol_accuracy_bounds(np.full(4, 0.25), A, np.eye(4))
        assert accuracy.mid == pytest.approx(1.0, abs=ROUNDING)

    def test_one_symbol_says_nothing(self):
        bounds = entropy_rate_bounds(np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.ones((2, 1)))
        assert (bounds.low, bounds.high) == (0.0, 0.0)

    def test_casino_six_is_always_the_best_guess(self):
        bounds = next_symbol_accuracy_bounds(*CASINO.tables)
        assert bounds.mid == pytest.approx(2 / 3 / 6 + 1 / 3 / 2, abs=ROUNDING)


@pytest.fixture(scope="module", params=[CASINO, MESS3], ids=lambda process: process.name)
def process(request):
    return request.param


@pytest.fixture(scope="module")
def run(process):
    """States and beliefs of independent sequences, without the 40 steps that forget the start."""
    z, y = sample_process(process, 1500, 240, np.random.default_rng(11))
    return z[:, 40:], exact_beliefs(process, y)[:, 40:]


class TestAgainstLongRuns:
    def test_the_start_is_forgotten_where_the_run_begins(self, process):
        high = bounds_by_step("entropy", *process.tables, 41).high[-1]
        assert high - entropy_rate_bounds(*process.tables).low < 1e-4

    def agrees(self, bounds, each):
        each = each.mean(axis=1)
        standard_error = each.std(ddof=1) / np.sqrt(len(each))
        assert bounds.error < standard_error / 20  # else the run would be the better answer
        assert bounds.mid == pytest.approx(each.mean(), abs=4 * standard_error)

    def test_entropy_rate(self, process, run):
        bounds = entropy_rate_bounds(*process.tables)
        assert 0 <= bounds.error < 1e-6
        probs = run[1] @ process.A @ process.B
        self.agrees(bounds, -(probs * np.log(probs)).sum(axis=2))

    def test_filter_accuracy(self, process, run):
        bounds = filter_accuracy_bounds(*process.tables)
        assert 0 <= bounds.error < 1e-6
        self.agrees(bounds, run[1].max(axis=2))
        self.agrees(bounds, run[1].argmax(axis=2) == run[0])

    def test_next_symbol_accuracy(self, process, run):
        bounds = next_symbol_accuracy_bounds(*process.tables)
        assert 0 <= bounds.error < 1e-6
        best = (run[1] @ process.A @ process.B).max(axis=2).mean(axis=1)
        assert bounds.mid == pytest.approx(
            best.mean(), abs=4 * best.std(ddof=1) / np.sqrt(len(best)) + ROUNDING
        )


class TestBounds:
    def test_middle_and_error(self):
        bounds = Bounds(0.25, 0.75)
        assert (bounds.mid, bounds.error) == (0.5, 0.25)

    def test_more_cells_are_tighter(self):
        at_20 = [
            bounds_by_step("entropy", *MESS3.tables, 20, cells=c).error[-1] for c in (5, 20, 80)
        ]
        assert at_20[0] > 8 * at_20[1] > 64 * at_20[2]  # by the square would be 16


class TestArguments:
    model = MESS3.tables

    def test_a_start_that_is_not_stationary_is_refused_in_the_long_run(self):
        with pytest.raises(ValueError, match=r"pi must be stationary.*stationary_distribution"):
            entropy_rate_bounds(np.array([1.0, 0.0, 0.0]), *self.model[1:])

    @pytest.mark.parametrize("name, value", [("cells", 0), ("cells", 2.5), ("steps", 0)])
    def test_counts(self, name, value):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1"):
            entropy_rate_bounds(*self.model, **{name: value})

    def test_measure(self):
        with pytest.raises(ValueError, match=r"measure must be one of .*got 'loss'"):
            bounds_by_step("loss", *self.model, 3)

    def test_steps_of_bounds_by_step(self):
        with pytest.raises(ValueError, match="T must be a whole number of at least 1"):
            bounds_by_step("entropy", *self.model, 0)

    def test_symbols_only(self):
        with pytest.raises(ValueError, match="B must be a table"):
            entropy_rate_bounds(*self.model[:2], Poisson(np.array([1.0, 2.0, 3.0])))

    def test_a_grid_too_large_to_number_is_refused(self):
        A = np.full((70, 70), 1 / 70)
        with pytest.raises(ValueError, match="2 cells for 70 states is too large"):
            entropy_rate_bounds(A[0], A, np.tile([0.2, 0.8], (70, 1)), cells=2)

    def test_one_state_hides_nothing(self):
        with pytest.raises(ValueError, match="at least 2 states"):
            entropy_rate_bounds(np.ones(1), np.ones((1, 1)), np.array([[0.5, 0.5]]))

    def test_rows_of_float32_are_good_enough(self):
        tables = [table.astype(np.float32) for table in self.model]
        exact = entropy_rate_bounds(*self.model, cells=40)
        assert entropy_rate_bounds(*tables, cells=40).mid == pytest.approx(exact.mid, abs=1e-6)
