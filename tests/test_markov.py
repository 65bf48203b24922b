"""Markov chains, their long run and their entropy, against slow and obvious counts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib import markov

# Asymmetric, and not reversible: 0 -> 1 -> 2 -> 0 is more frequent than the way back.
A3 = np.array([[0.2, 0.7, 0.1], [0.3, 0.1, 0.6], [0.5, 0.25, 0.25]])
PI3 = np.array([0.5, 0.2, 0.3])
PERIODIC = np.array([[0.0, 1.0], [1.0, 0.0]])
ABSORBING = np.array([[0.5, 0.3, 0.2], [0.0, 0.4, 0.6], [0.0, 0.7, 0.3]])
TWO_ISLANDS = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])


def probability_by_hand(y, pi, A):
    p = pi[y[0]]
    for i, j in itertools.pairwise(y):
        p *= A[i, j]
    return p


def random_chain(rng, V):
    return rng.dirichlet(np.ones(V)), rng.dirichlet(np.ones(V), size=V)


tables = (
    st.integers(1, 5)
    .flatmap(lambda V: hnp.arrays(float, (V, V), elements=st.floats(0.01, 1.0)))
    .map(lambda A: A / A.sum(axis=1, keepdims=True))
)


class TestTransitionCounts:
    def test_counts_each_step_once(self):
        counts = markov.transition_counts([np.array([0, 1, 1, 2, 0, 1])], V=3)
        assert counts.tolist() == [[0, 2, 0], [0, 1, 1], [1, 0, 0]]

    def test_no_step_from_one_sequence_into_the_next(self):
        together = markov.transition_counts([np.array([0, 1, 0, 1])], V=2)
        apart = markov.transition_counts([np.array([0, 1]), np.array([0, 1])], V=2)
        assert together.tolist() == [[0, 2], [1, 0]]
        assert apart.tolist() == [[0, 2], [0, 0]]

    def test_array_of_sequences_and_list_agree(self, rng):
        y = rng.integers(0, 4, size=(3, 7))
        np.testing.assert_array_equal(
            markov.transition_counts(y, 4), markov.transition_counts(list(y), 4)
        )

    def test_one_sequence_may_come_by_itself(self):
        y = [0, 1, 1, 2]
        for form in (y, np.array(y), [np.array(y)], np.array([y])):
            assert markov.transition_counts(form, 3).sum() == 3

    def test_sequence_of_one_symbol_has_no_step(self):
        assert markov.transition_counts([np.array([2])], 3).sum() == 0

    @pytest.mark.parametrize(
        "bad, message",
        [
            ([], "at least one sequence"),
            ([np.array([0, 3])], "from 0 to 2"),
            ([np.array([0, -1])], "from 0 to 2"),
            ([np.array([0.5, 1.0])], "integers"),
            ([np.array([0.0, np.nan])], "finite"),
            ([np.array([], dtype=int)], "empty"),
            (np.zeros((2, 3, 4), dtype=int), "shape"),
        ],
    )
    def test_bad_input_is_named(self, bad, message):
        with pytest.raises(ValueError, match=message):
            markov.transition_counts(bad, 3)


class TestFitChain:
    def test_is_the_maximum_of_the_likelihood(self, rng):
        y = rng.integers(0, 3, size=(4, 9))
        pi, A = markov.fit_chain(y, 3)
        best = markov.chain_log_prob(y, pi, A).sum()
        for _ in range(200):
            other_pi, other_A = random_chain(rng, 3)
            mixed = 0.9 * A + 0.1 * other_A
            assert markov.chain_log_prob(y, 0.9 * pi + 0.1 * other_pi, mixed).sum() <= best

    def test_pseudocount_by_hand(self):
        pi, A = markov.fit_chain([np.array([0, 1, 1])], V=2, pseudocount=1.0)
        np.testing.assert_allclose(pi, [2 / 3, 1 / 3], rtol=1e-15)
        np.testing.assert_allclose(A, [[1 / 3, 2 / 3], [1 / 3, 2 / 3]], rtol=1e-15)

    def test_finds_the_chain_that_drew_the_data(self, rng):
        y = markov.sample_chain(200_000, PI3, A3, rng)
        _, A = markov.fit_chain(y, 3)
        # standard error of a share: at most sqrt(0.25 / 50000) = 0.0022; five of them
        np.testing.assert_allclose(A, A3, atol=0.011, rtol=0)

    def test_row_without_counts_names_the_symbol_and_the_way_out(self):
        with pytest.raises(ValueError, match=r"symbol 2 is never followed.*pseudocount"):
            markov.fit_chain([np.array([0, 1, 0, 2])], V=3)

    def test_negative_pseudocount(self):
        with pytest.raises(ValueError, match="pseudocount must not be negative"):
            markov.fit_chain([np.array([0, 1, 0])], V=2, pseudocount=-1.0)

    def test_nan_pseudocount(self):
        with pytest.raises(ValueError, match="pseudocount"):
            markov.fit_chain([np.array([0, 1, 0])], V=2, pseudocount=np.nan)


class TestSampleChain:
    def test_frequencies_of_all_short_sequences(self, rng):
        n, T = 20_000, 3
        drawn = [tuple(markov.sample_chain(T, PI3, A3, rng)) for _ in range(n)]
        for y in itertools.product(range(3), repeat=T):
            p = probability_by_hand(y, PI3, A3)
            # five standard errors of a share
            assert abs(drawn.count(y) / n - p) < 5 * np.sqrt(p * (1 - p) / n)

    def test_zero_probability_never_happens(self, rng):
        y = markov.sample_chain(5_000, np.array([1.0, 0.0]), PERIODIC, rng)
        np.testing.assert_array_equal(y, np.arange(5_000) % 2)

    def test_smallest_uniform_number_never_draws_a_symbol_of_probability_zero(self):
        class Zeros:
            def random(self, T):
                return np.zeros(T)

        A = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.5, 0.5]])
        assert markov.sample_chain(4, np.array([0.0, 1.0, 0.0]), A, Zeros()).tolist() == [
            1,
            2,
            1,
            2,
        ]

    def test_same_seed_same_sequence(self):
        first, second = (
            markov.sample_chain(50, PI3, A3, np.random.default_rng(7)) for _ in range(2)
        )
        np.testing.assert_array_equal(first, second)

    def test_one_symbol(self, rng):
        assert markov.sample_chain(1, PI3, A3, rng).shape == (1,)

    @pytest.mark.parametrize("T", [0, -3])
    def test_length_below_one(self, T, rng):
        with pytest.raises(ValueError, match="T must be at least 1"):
            markov.sample_chain(T, PI3, A3, rng)

    def test_bad_tables_are_named(self, rng):
        with pytest.raises(ValueError, match=r"A must have shape"):
            markov.sample_chain(3, PI3, A3[:, :2], rng)
        with pytest.raises(ValueError, match=r"row 1 of A must sum to 1"):
            markov.sample_chain(3, PI3, A3 * [[1], [2], [1]], rng)
        with pytest.raises(ValueError, match=r"pi must have shape"):
            markov.sample_chain(3, PI3[:2], A3, rng)


class TestChainLogProb:
    @pytest.mark.parametrize("V, T", [(2, 1), (2, 5), (3, 4)])
    def test_probabilities_of_all_sequences_sum_to_one(self, V, T, rng):
        pi, A = random_chain(rng, V)
        every = np.array(list(itertools.product(range(V), repeat=T)))
        log_p = markov.chain_log_prob(every, pi, A)
        by_hand = [probability_by_hand(y, pi, A) for y in every]
        np.testing.assert_allclose(np.exp(log_p), by_hand, rtol=1e-12)
        assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-12)

    def test_one_sequence_gives_a_float(self):
        assert isinstance(markov.chain_log_prob([0, 1, 2], PI3, A3), float)

    def test_long_sequence_stays_finite(self, rng):
        y = markov.sample_chain(20_000, PI3, A3, rng)
        assert -30_000 < markov.chain_log_prob(y, PI3, A3) < -10_000

    def test_impossible_sequence_is_minus_infinity_without_a_warning(self):
        assert markov.chain_log_prob([0, 0], [0.5, 0.5], PERIODIC) == -np.inf

    def test_order_matters_and_the_bag_does_not_know(self):
        assert markov.chain_log_prob([0, 1, 2], PI3, A3) != markov.chain_log_prob(
            [2, 1, 0], PI3, A3
        )

    def test_symbol_out_of_range_names_sequence_and_time(self):
        with pytest.raises(ValueError, match=r"got 3 at sequence 1, t=2"):
            markov.chain_log_prob([[0, 1, 2], [0, 1, 3]], PI3, A3)


class TestNStep:
    @pytest.mark.parametrize("n", [0, 1, 2, 5])
    def test_equals_the_sum_over_all_paths(self, n):
        for start, end in itertools.product(range(3), repeat=2):
            total = 0.0
            for between in itertools.product(range(3), repeat=n + 1):
                if between[0] == start and between[-1] == end:
                    total += probability_by_hand(between, np.eye(3)[start], A3)
            assert markov.n_step(A3, n)[start, end] == pytest.approx(total, abs=1e-14)

    def test_equals_explicit_products(self):
        product = np.eye(3)
        for n in range(30):
            np.testing.assert_allclose(markov.n_step(A3, n), product, atol=1e-13, rtol=0)
            product = product @ A3

    @pytest.mark.parametrize("n", [-1, 1.5])
    def test_number_of_steps_must_be_whole(self, n):
        with pytest.raises(ValueError, match="whole number of steps"):
            markov.n_step(A3, n)

    def test_argument_is_left_alone(self):
        A = A3.copy()
        markov.n_step(A, 1)[0, 0] = 9.0
        np.testing.assert_array_equal(A, A3)


class TestStationaryDistribution:
    def test_equals_many_steps(self):
        many = markov.n_step(A3, 200)
        for row in many:
            np.testing.assert_allclose(markov.stationary_distribution(A3), row, atol=1e-14, rtol=0)

    def test_equals_share_of_time_in_a_long_walk(self, rng):
        y = markov.sample_chain(100_000, PI3, A3, rng)
        share = np.bincount(y) / len(y)
        # neighbours are hardly correlated here; five standard errors of independent draws
        np.testing.assert_allclose(markov.stationary_distribution(A3), share, atol=0.008, rtol=0)

    def test_periodic_chain_has_one_although_it_never_settles(self):
        np.testing.assert_allclose(markov.stationary_distribution(PERIODIC), [0.5, 0.5], rtol=1e-15)
        assert markov.n_step(PERIODIC, 1001)[0, 0] == 0.0

    def test_symbols_that_are_left_for_ever_get_zero(self):
        stationary = markov.stationary_distribution(ABSORBING)
        assert stationary[0] == 0.0
        np.testing.assert_allclose(stationary[1:], [7 / 13, 6 / 13], rtol=1e-14)

    def test_two_closed_classes_are_named(self):
        with pytest.raises(ValueError, match=r"2 closed classes of symbols, \[\(0,\), \(2,\)\]"):
            markov.stationary_distribution(TWO_ISLANDS)

    def test_identity_has_as_many_classes_as_symbols(self):
        with pytest.raises(ValueError, match="3 closed classes"):
            markov.stationary_distribution(np.eye(3))

    def test_chain_that_hardly_moves_keeps_its_digits(self):
        a, b = 1e-13, 3e-13
        stationary = markov.stationary_distribution([[1 - a, a], [b, 1 - b]])
        np.testing.assert_allclose(stationary, [0.75, 0.25], rtol=1e-12)

    def test_one_symbol(self):
        assert markov.stationary_distribution([[1.0]]).tolist() == [1.0]

    def test_table_that_is_not_square(self):
        with pytest.raises(ValueError, match="A must have shape"):
            markov.stationary_distribution(A3[:2])

    def test_argument_is_left_alone(self):
        A = A3.copy()
        markov.stationary_distribution(A)
        np.testing.assert_array_equal(A, A3)


@given(tables)
def test_property_stationary_distribution_is_left_alone_by_a_step(A):
    stationary = markov.stationary_distribution(A)
    assert stationary.sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(stationary @ A, stationary, rtol=1e-10, atol=1e-14)


@given(tables, st.integers(0, 2**32 - 1))
def test_property_renaming_symbols_renames_the_stationary_distribution(A, seed):
    order = np.random.default_rng(seed).permutation(len(A))
    np.testing.assert_allclose(
        markov.stationary_distribution(A[np.ix_(order, order)]),
        markov.stationary_distribution(A)[order],
        rtol=1e-9,
        atol=1e-14,
    )


class TestTimeReversal:
    @pytest.mark.parametrize("T", [2, 3, 5])
    def test_gives_each_sequence_the_probability_of_its_mirror_image(self, T):
        pi = markov.stationary_distribution(A3)
        every = np.array(list(itertools.product(range(3), repeat=T)))
        np.testing.assert_allclose(
            markov.chain_log_prob(every, pi, markov.time_reversal(A3)),
            markov.chain_log_prob(every[:, ::-1], pi, A3),
            rtol=1e-12,
        )

    def test_twice_is_the_chain_itself(self):
        np.testing.assert_allclose(markov.time_reversal(markov.time_reversal(A3)), A3, rtol=1e-13)

    def test_this_chain_is_not_reversible(self):
        assert np.abs(markov.time_reversal(A3) - A3).max() > 0.1

    def test_two_symbols_are_always_reversible(self):
        A = np.array([[0.9, 0.1], [0.4, 0.6]])
        np.testing.assert_allclose(markov.time_reversal(A), A, rtol=1e-14)

    def test_symbol_that_is_left_for_ever(self):
        with pytest.raises(ValueError, match="symbol 0 has stationary probability 0"):
            markov.time_reversal(ABSORBING)


class TestEntropy:
    def test_known_values(self):
        assert markov.entropy([1.0, 0.0]) == 0.0
        assert markov.entropy([0.5, 0.5]) == pytest.approx(np.log(2), abs=1e-15)
        assert markov.nats_to_bits(markov.entropy([0.25] * 4)) == pytest.approx(2.0, abs=1e-14)
        assert markov.nats_to_bits(markov.entropy([0.9, 0.1])) == pytest.approx(0.469, abs=5e-4)

    def test_perplexity_of_a_fair_die_is_six(self):
        assert markov.perplexity(markov.entropy([1 / 6] * 6)) == pytest.approx(6.0, abs=1e-12)

    def test_bad_distribution(self):
        with pytest.raises(ValueError, match="p must sum to 1"):
            markov.entropy([0.5, 0.6])
        with pytest.raises(ValueError, match="p must have shape"):
            markov.entropy([[0.5, 0.5]])


class TestEntropyRate:
    def test_is_the_growth_of_the_entropy_of_whole_sequences(self):
        pi = markov.stationary_distribution(A3)
        total = []
        for T in (4, 5):
            every = np.array(list(itertools.product(range(3), repeat=T)))
            log_p = markov.chain_log_prob(every, pi, A3)
            total.append(-(np.exp(log_p) * log_p).sum())
        assert markov.entropy_rate(A3) == pytest.approx(total[1] - total[0], abs=1e-12)

    def test_is_the_mean_surprise_of_a_long_walk(self, rng):
        pi = markov.stationary_distribution(A3)
        y = markov.sample_chain(100_000, pi, A3, rng)
        surprise = -markov.chain_log_prob(y, pi, A3) / len(y)
        # surprise of one step has a standard deviation below 0.7; five standard errors
        assert markov.entropy_rate(A3) == pytest.approx(surprise, abs=5 * 0.7 / np.sqrt(len(y)))

    def test_independent_rows_give_the_entropy_of_a_row(self):
        p = np.array([0.5, 0.3, 0.2])
        assert markov.entropy_rate(np.tile(p, (3, 1))) == pytest.approx(
            markov.entropy(p), abs=1e-14
        )

    def test_clock_has_none(self):
        assert markov.entropy_rate(PERIODIC) == 0.0

    def test_given_distribution_is_used(self):
        rate = markov.entropy_rate(TWO_ISLANDS, stationary=[0.5, 0.0, 0.5])
        assert rate == 0.0
        with pytest.raises(ValueError, match="stationary must have shape"):
            markov.entropy_rate(A3, stationary=[0.5, 0.5])


@given(tables)
def test_property_entropy_rate_is_below_the_entropy_of_a_single_symbol(A):
    single = markov.entropy(markov.stationary_distribution(A))
    assert -1e-12 <= markov.entropy_rate(A) <= single + 1e-12 <= np.log(len(A)) + 1e-11
