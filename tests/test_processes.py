"""Processes with known truth, against every path of states and every sequence written down."""

import itertools

import numpy as np
import pytest

from course_lib.belief_bounds import bounds_by_step
from course_lib.datasets import processes
from course_lib.datasets.casino import CASINO_PI, casino_ceilings
from course_lib.datasets.processes import (
    CASINO,
    MESS3,
    Process,
    exact_beliefs,
    filtering_task,
    mess3,
    next_symbol_probs,
    next_symbol_task,
    sample_process,
    smoother_accuracy,
    smoothing_task,
)
from course_lib.datasets.task import score_task
from course_lib.emissions import Poisson
from course_lib.hmm_batch import smooth_batch
from tests.oracles import AllPaths, filtered

# Not symmetric, not stationary, K and V differ; state 2 cannot come first nor follow state 0.
ODD = Process(
    name="odd",
    pi=np.array([0.7, 0.3, 0.0]),
    A=np.array([[0.8, 0.2, 0.0], [0.1, 0.6, 0.3], [0.5, 0.1, 0.4]]),
    B=np.array([[0.5, 0.3, 0.2, 0.0], [0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 0.1, 0.9]]),
    states=("p", "q", "r"),
    symbols=("w", "x", "y", "z"),
)
ALL = [CASINO, MESS3, ODD]
named = pytest.mark.parametrize("process", ALL, ids=lambda process: process.name)


def all_sequences(process, T):
    """Every sequence of T symbols that can be, with its paths."""
    for ys in itertools.product(range(process.V), repeat=T):
        paths = AllPaths(ys, *process.tables)
        if paths.evidence > 0:
            yield ys, paths


class TestProcess:
    def test_sizes_and_tables(self):
        assert (ODD.K, ODD.V) == (3, 4)
        assert [table.shape for table in ODD.tables] == [(3,), (3, 3), (3, 4)]

    def test_tables_are_copies_that_nobody_can_write(self):
        pi = np.array([0.25, 0.75])
        process = Process("two", pi, np.eye(2), np.eye(2), ["a", "b"], ["c", "d"])
        pi[0] = 9.0
        assert process.pi[0] == 0.25 and process.states == ("a", "b")
        for table in process.tables:
            with pytest.raises(ValueError, match="read-only"):
                table[0] = 1.0
        assert CASINO_PI[0] == 2 / 3

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"A": np.ones((2, 2))}, "row 0 of A must sum to 1"),
            ({"B": np.eye(3)}, "B must describe 2 states"),
            ({"B": Poisson(np.array([1.0, 2.0]))}, "B must be a table"),
            ({"states": ("a",)}, "states must hold 2 different names"),
            ({"symbols": ("c", "c")}, "symbols must hold 2 different names"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        fields = {
            "name": "two",
            "pi": np.array([0.25, 0.75]),
            "A": np.eye(2),
            "B": np.eye(2),
            "states": ("a", "b"),
            "symbols": ("c", "d"),
        }
        with pytest.raises(ValueError, match=message):
            Process(**fields | change)


class TestMess3:
    def test_default_tables(self):
        np.testing.assert_allclose(MESS3.A[1], [0.05, 0.9, 0.05], rtol=0, atol=1e-15)
        np.testing.assert_allclose(MESS3.B[2], [0.075, 0.075, 0.85], rtol=0, atol=1e-15)

    def test_symbol_and_next_state_as_the_paper_writes_them(self):
        """The table of Shai et al. (2024) for symbol A, in their letters; y = 1 - 2x."""
        x, a = 0.15, 0.6
        b, y = (1 - a) / 2, 1 - 2 * x
        paper = [[a * y, b * x, b * x], [a * x, b * y, b * x], [a * x, b * x, b * y]]
        process = mess3(x, a)
        np.testing.assert_allclose(process.A * process.B[:, 0], paper, rtol=0, atol=1e-15)

    def test_start_is_stationary(self):
        for process in (MESS3, mess3(0.2, 0.4), CASINO):
            np.testing.assert_allclose(process.pi @ process.A, process.pi, rtol=0, atol=1e-15)

    @pytest.mark.parametrize("x, a, name", [(0.6, 0.5, "x"), (-0.1, 0.5, "x"), (0.1, 1.1, "a")])
    def test_numbers_out_of_range_are_refused(self, x, a, name):
        with pytest.raises(ValueError, match=f"{name} must be from 0"):
            mess3(x, a)


class TestSampleProcess:
    def test_frequencies_of_start_transitions_and_symbols(self, rng):
        n, T = 40_000, 4
        z, y = sample_process(ODD, n, T, rng)
        assert z.shape == y.shape == (n, T) and z.dtype.kind == y.dtype.kind == "i"
        shares = ODD.pi
        for t in range(T):
            # Standard errors are at most 0.5 / sqrt(n * share of the row) = 0.008.
            np.testing.assert_allclose(np.bincount(z[:, t], minlength=3) / n, shares, atol=0.012)
            shares = shares @ ODD.A
        for i, j in itertools.product(range(3), repeat=2):
            after = z[:, 1:][z[:, :-1] == i]
            assert np.mean(after == j) == pytest.approx(ODD.A[i, j], abs=0.02)
        for k, v in itertools.product(range(3), range(4)):
            assert np.mean(y[z == k] == v) == pytest.approx(ODD.B[k, v], abs=0.02)

    def test_what_has_probability_zero_never_comes(self, rng):
        z, y = sample_process(ODD, 20_000, 5, rng)
        assert not (z[:, 0] == 2).any()
        assert not ((z[:, :-1] == 0) & (z[:, 1:] == 2)).any()
        assert not ((z == 0) & (y == 3)).any() and not ((z == 2) & (y < 2)).any()

    def test_same_generator_same_sequences(self):
        one, two, other = (
            sample_process(MESS3, 7, 30, np.random.default_rng(seed))[1] for seed in (3, 3, 4)
        )
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, other)

    @pytest.mark.parametrize("n, T", [(0, 3), (3, 0), (2.5, 3)])
    def test_counts_are_checked(self, n, T, rng):
        with pytest.raises(ValueError, match="must be a whole number of at least 1"):
            sample_process(MESS3, n, T, rng)


class TestExactBeliefs:
    @named
    def test_equal_the_sums_over_all_paths(self, process, rng):
        _, ys = sample_process(process, 4, 5, rng)
        beliefs = exact_beliefs(process, ys)
        assert beliefs.shape == (4, 5, process.K)
        for y, belief in zip(ys, beliefs, strict=True):
            wanted, _ = filtered(y, *process.tables)
            np.testing.assert_allclose(belief, wanted, rtol=0, atol=1e-12)

    def test_one_sequence_without_its_axis_is_refused(self):
        with pytest.raises(ValueError, match=r"ys must have shape \(any, any\), got \(3,\)"):
            exact_beliefs(MESS3, [0, 1, 2])


class TestNextSymbolProbs:
    @named
    def test_equal_the_evidence_of_the_next_symbol(self, process, rng):
        _, ys = sample_process(process, 3, 5, rng)
        probs = next_symbol_probs(process, exact_beliefs(process, ys))
        np.testing.assert_allclose(probs.sum(axis=2), 1.0, rtol=0, atol=1e-12)
        for y, p in zip(ys, probs, strict=True):
            _, evidence = filtered(y, *process.tables)
            np.testing.assert_allclose(p[np.arange(4), y[1:]], evidence[1:], rtol=0, atol=1e-12)

    def test_any_leading_axes(self):
        assert next_symbol_probs(ODD, ODD.pi).shape == (4,)
        assert next_symbol_probs(ODD, np.tile(ODD.pi, (2, 5, 1))).shape == (2, 5, 4)

    def test_wrong_number_of_states_is_named(self):
        with pytest.raises(ValueError, match=r"beliefs must have shape \(\.\.\., 3\)"):
            next_symbol_probs(ODD, np.ones((5, 4)) / 4)


class TestNextSymbolTask:
    def test_targets_are_one_step_ahead(self):
        task = next_symbol_task(ODD, 6, 9, np.random.default_rng(5))
        _, y = sample_process(ODD, 6, 10, np.random.default_rng(5))
        np.testing.assert_array_equal(task.x.argmax(axis=2), y[:, :-1])
        np.testing.assert_array_equal(task.target, y[:, 1:])
        assert task.x.shape == (6, 9, 4) and (task.x.sum(axis=2) == 1).all()
        assert (task.name, task.n_out, task.where) == ("next symbol, odd", 4, "every")

    def test_levels_equal_those_over_all_sequences(self, rng):
        T = 3
        task = next_symbol_task(ODD, 2, T, rng)
        ceiling, shares = 0.0, np.zeros(4)
        for t in range(1, T + 1):  # the next symbol after t symbols
            totals = {}
            for ys, paths in all_sequences(ODD, t + 1):
                totals.setdefault(ys[:t], np.zeros(4))[ys[t]] += paths.evidence
            ceiling += sum(p.max() for p in totals.values()) / T
            shares += sum(totals.values()) / T
        assert task.ceiling == pytest.approx(ceiling, abs=1e-12)
        assert task.chance == pytest.approx(shares.max(), abs=1e-12)

    @named
    def test_the_exact_filter_reaches_the_ceiling(self, process, rng):
        task = next_symbol_task(process, 4000, 30, rng)
        ys = task.x.argmax(axis=2)
        score = score_task(task, next_symbol_probs(process, exact_beliefs(process, ys)))
        assert score == pytest.approx(task.ceiling, abs=0.006)  # 4 standard errors


class TestFilteringTask:
    def test_targets_are_the_states(self):
        task = filtering_task(ODD, 6, 9, np.random.default_rng(5))
        z, y = sample_process(ODD, 6, 9, np.random.default_rng(5))
        np.testing.assert_array_equal(task.x.argmax(axis=2), y)
        np.testing.assert_array_equal(task.target, z)
        assert (task.name, task.n_out, task.where) == ("filtering, odd", 3, "every")

    def test_levels_equal_those_over_all_sequences(self, rng):
        T = 4
        task = filtering_task(ODD, 2, T, rng)
        ceiling, shares = 0.0, np.zeros(3)
        for t in range(1, T + 1):
            for _, paths in all_sequences(ODD, t):
                state = paths.smoothed()[-1] * paths.evidence
                ceiling += state.max() / T
                shares += state / T
        assert task.ceiling == pytest.approx(ceiling, abs=1e-12)
        assert task.chance == pytest.approx(shares.max(), abs=1e-12)

    @named
    def test_the_exact_filter_reaches_the_ceiling(self, process, rng):
        task = filtering_task(process, 4000, 30, rng)
        score = score_task(task, exact_beliefs(process, task.x.argmax(axis=2)))
        assert score == pytest.approx(task.ceiling, abs=0.008)  # 4 standard errors

    def test_levels_are_worked_out_once(self, rng, monkeypatch):
        process, calls = mess3(0.1, 0.7), []
        bounds_by_step = processes.bounds_by_step
        monkeypatch.setattr(
            processes, "bounds_by_step", lambda *args: calls.append(args) or bounds_by_step(*args)
        )
        ceilings = {filtering_task(process, 2, 6, rng).ceiling for _ in range(3)}
        assert len(calls) == len(ceilings) == 1
        assert filtering_task(process, 2, 7, rng).ceiling not in ceilings


class TestSmoothingTask:
    def test_asks_what_filtering_asks(self):
        task = smoothing_task(ODD, 6, 9, np.random.default_rng(5))
        filtering = filtering_task(ODD, 6, 9, np.random.default_rng(5))
        np.testing.assert_array_equal(task.x, filtering.x)
        np.testing.assert_array_equal(task.target, filtering.target)
        assert (task.name, task.chance) == ("smoothing, odd", filtering.chance)

    def test_ceiling_is_what_paths_say_of_these_sequences(self, rng):
        task, T = smoothing_task(ODD, 5, 4, rng), 4
        paths = {tuple(y): paths for y, paths in all_sequences(ODD, T)}
        best = [paths[tuple(y)].smoothed().max(axis=1).mean() for y in task.x.argmax(axis=2)]
        assert task.ceiling == pytest.approx(np.mean(best), abs=1e-12)

    @named
    def test_the_exact_smoother_reaches_the_ceiling_and_the_filter_does_not(self, process, rng):
        task = smoothing_task(process, 4000, 30, rng)
        ys = task.x.argmax(axis=2)
        smoothed = score_task(task, smooth_batch(ys, *process.tables))
        assert smoothed == pytest.approx(task.ceiling, abs=0.008)  # 4 standard errors
        assert score_task(task, exact_beliefs(process, ys)) < task.ceiling - 0.01


@pytest.mark.parametrize("process", [CASINO, MESS3], ids=lambda process: process.name)
@pytest.mark.parametrize("measure", ["filter accuracy", "next symbol accuracy"])
def test_ceilings_are_as_tight_as_the_docstrings_say(measure, process):
    for T in (12, 60):
        assert 0 <= bounds_by_step(measure, *process.tables, T).error.mean() < 0.5e-5


class TestSmootherAccuracy:
    def test_equals_the_mean_over_all_sequences(self, rng):
        mean, standard_error = smoother_accuracy(ODD, 4000, 4, rng)
        exact = sum(
            paths.evidence * paths.smoothed().max(axis=1).mean()
            for _, paths in all_sequences(ODD, 4)
        )
        assert 0 < standard_error < 0.005
        assert mean == pytest.approx(exact, abs=4 * standard_error)

    def test_standard_error_is_the_spread_of_the_means(self, rng):
        runs = [smoother_accuracy(MESS3, 50, 20, rng) for _ in range(200)]
        spread = np.std([mean for mean, _ in runs], ddof=1)
        stated = np.mean([standard_error for _, standard_error in runs])
        assert stated == pytest.approx(spread, rel=0.2)  # 4 standard errors of a spread of 200

    def test_agrees_with_the_long_evening_of_the_casino(self, rng):
        mean, standard_error = smoother_accuracy(CASINO, 200, 1000, rng)
        evening = casino_ceilings(200_000, rng)["smoother"]
        assert mean == pytest.approx(evening, abs=4 * (standard_error + 1 / 200_000**0.5))

    def test_one_sequence_has_no_spread(self, rng):
        with pytest.raises(ValueError, match="n must be a whole number of at least 2"):
            smoother_accuracy(MESS3, 1, 20, rng)


@pytest.mark.parametrize("task", [next_symbol_task, filtering_task, smoothing_task])
@pytest.mark.parametrize("n, T", [(2, 0), (0, 3), (2, -1)])
def test_tasks_refuse_numbers_below_one(task, n, T, rng):
    with pytest.raises(ValueError, match=f"must be a whole number of at least 1, got {min(n, T)}"):
        task(MESS3, n, T, rng)


@pytest.mark.parametrize("task", [next_symbol_task, filtering_task, smoothing_task])
def test_tasks_take_whole_floats(task, rng):
    assert task(MESS3, 2.0, 3.0, rng).x.shape == (2, 3, 3)
