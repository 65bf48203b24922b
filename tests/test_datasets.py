"""Data sets: what is typed in equals what was published; what is drawn has the stated ceiling."""

import itertools
import math
import socket
from collections import Counter, defaultdict

import numpy as np
import pytest
from hmmlearn.hmm import PoissonHMM
from scipy.optimize import minimize

from course_lib import hmm, markov
from course_lib.datasets import casino, earthquakes, order, weather
from course_lib.emissions import Poisson
from course_lib.hmm_batch import log_evidence


class TestEarthquakesAgainstTheBook:
    """Numbers that Zucchini and MacDonald (2009) print about their table 1.1."""

    def test_years(self):
        years, counts = earthquakes.load_earthquakes()
        assert len(years) == len(counts) == 107
        assert (years[0], years[-1]) == (1900, 2006)
        assert np.all(np.diff(years) == 1)

    def test_mean_and_variance(self):
        _, counts = earthquakes.load_earthquakes()
        assert round(counts.mean(), 2) == 19.36
        assert round(counts.var(ddof=1), 2) == 51.57

    def test_first_and_last_values_and_extremes(self):
        years, counts = earthquakes.load_earthquakes()
        start = [13, 14, 8, 10, 16, 26, 32, 27, 18, 32, 36, 24, 22, 23, 22, 18, 25, 21, 21, 14]
        assert counts[:20].tolist() == start
        assert counts[-7:].tolist() == [15, 16, 13, 15, 16, 11, 11]
        assert (counts.min(), years[counts.argmin()]) == (6, 1986)
        assert (counts.max(), years[counts.argmax()]) == (41, 1943)

    def test_autocorrelation_at_lag_one(self):
        """Figure 1.2 of the book: counts of neighbouring years are alike, 0.570 at lag 1."""
        centred = earthquakes.load_earthquakes()[1] - earthquakes.load_earthquakes()[1].mean()
        lag_one = (centred[1:] * centred[:-1]).sum() / (centred**2).sum()
        assert lag_one == pytest.approx(0.570, abs=5e-4)

    @pytest.mark.parametrize(
        "rates, minus_log_evidence",
        [([15.4207, 26.0182], 341.8787), ([13.1338, 19.7132, 29.7097], 328.5275)],
    )
    def test_em_with_a_free_start(self, rates, minus_log_evidence):
        """Tables 4.1 and 4.2: EM from rates 10 to 30 and transitions of 0.1."""
        _, counts = earthquakes.load_earthquakes()
        K = len(rates)
        model = PoissonHMM(K, n_iter=600, tol=1e-9, init_params="", params="stl")
        model.startprob_ = np.full(K, 1 / K)
        model.transmat_ = np.full((K, K), 0.1 / (K - 1)) + np.eye(K) * (0.9 - 0.1 / (K - 1))
        model.lambdas_ = np.linspace(10, 30, K)[:, None]
        model.fit(counts[:, None])
        # printed with four decimals
        np.testing.assert_allclose(model.lambdas_[:, 0], rates, atol=1e-4, rtol=0)
        assert -model.score(counts[:, None]) == pytest.approx(minus_log_evidence, abs=1e-4)

    @pytest.mark.parametrize(
        "rates, minus_log_evidence",
        [([15.472, 26.125], 342.318), ([13.146, 19.721, 29.714], 329.4603)],
    )
    def test_maximum_with_a_stationary_start(self, rates, minus_log_evidence):
        """Section 3.5: the chain starts in its stationary distribution; maximised directly."""
        _, counts = earthquakes.load_earthquakes()
        K = len(rates)

        def model(x):
            logits = np.zeros((K, K))
            logits[~np.eye(K, dtype=bool)] = x[K:]
            A = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            return markov.stationary_distribution(A), A, Poisson(np.exp(x[:K]))

        start = np.concatenate([np.log(np.linspace(12, 28, K)), np.full(K * (K - 1), -2.5)])
        best = minimize(lambda x: -log_evidence(counts, *model(x))[0], start, method="BFGS")
        # printed with three decimals; states come in any order
        np.testing.assert_allclose(np.sort(model(best.x)[2].rate), rates, atol=2e-3, rtol=0)
        assert best.fun == pytest.approx(minus_log_evidence, abs=6e-4)

    def test_independent_mixtures_of_the_book(self):
        """Table 1.2: a single Poisson and a mixture of two, minus log-likelihood."""
        _, counts = earthquakes.load_earthquakes()
        log_factorial = np.array([math.lgamma(c + 1) for c in counts])

        def minus_log_likelihood(rates, shares):
            log_p = np.log(rates) * counts[:, None] - rates - log_factorial[:, None]
            return -np.log(np.exp(log_p) @ shares).sum()

        one = minus_log_likelihood(np.array([counts.mean()]), np.array([1.0]))
        two = minus_log_likelihood(np.array([15.777, 26.840]), np.array([0.676, 0.324]))
        assert one == pytest.approx(391.9189, abs=5e-5)
        assert two == pytest.approx(360.3690, abs=5e-4)


class TestCasino:
    def test_tables_are_those_of_the_course(self):
        assert casino.CASINO_A.tolist() == [[0.95, 0.05], [0.10, 0.90]]
        assert casino.CASINO_B[1].tolist() == [0.1, 0.1, 0.1, 0.1, 0.1, 0.5]
        np.testing.assert_allclose(casino.CASINO_B.sum(axis=1), 1.0, atol=1e-15)

    def test_start_is_stationary(self):
        np.testing.assert_allclose(
            markov.stationary_distribution(casino.CASINO_A), casino.CASINO_PI, atol=1e-15, rtol=0
        )

    def test_tables_cannot_be_changed_by_accident(self):
        with pytest.raises(ValueError, match="read-only"):
            casino.CASINO_A[0, 0] = 0.5

    def test_sample_has_the_joint_distribution_of_the_model(self, rng):
        n = 15_000
        drawn = Counter()
        for _ in range(n):
            z, y = casino.sample_casino(2, rng)
            drawn[(*z.tolist(), *(y == 5).tolist())] += 1
        for z0, z1, six0, six1 in itertools.product(range(2), repeat=4):
            p = casino.CASINO_PI[z0] * casino.CASINO_A[z0, z1]
            for z, six in ((z0, six0), (z1, six1)):
                p *= casino.CASINO_B[z, 5] if six else 1 - casino.CASINO_B[z, 5]
            share = drawn[(z0, z1, bool(six0), bool(six1))] / n
            assert abs(share - p) < 5 * np.sqrt(p * (1 - p) / n)

    def test_faces_below_six_are_equally_frequent(self, rng):
        _, y = casino.sample_casino(60_000, rng)
        low = np.bincount(y, minlength=6)[:5]
        # five standard errors of a share of one in five
        assert np.abs(low / low.sum() - 0.2).max() < 5 * np.sqrt(0.16 / low.sum())

    def test_ceilings_are_those_of_the_course(self):
        ceilings = casino.casino_ceilings(200_000, np.random.default_rng(0))
        assert list(ceilings) == ["majority", "one roll", "filter", "viterbi", "smoother"]
        np.testing.assert_allclose(
            100 * np.array(list(ceilings.values())),
            [67.1, 72.4, 77.8, 79.6, 82.2],
            atol=0.5,
            rtol=0,
        )

    def test_exact_ceilings(self):
        T = 300_000
        ceilings = casino.casino_ceilings(T, np.random.default_rng(1))
        # five standard errors, 1.5 and 0.7 over sqrt(T)
        assert ceilings["majority"] == pytest.approx(2 / 3, abs=7.5 / np.sqrt(T))
        assert ceilings["one roll"] == pytest.approx(13 / 18, abs=3.5 / np.sqrt(T))

    def test_guesses_equal_the_readable_algorithms(self):
        z, y = casino.sample_casino(400, np.random.default_rng(5))
        model = (casino.CASINO_PI, casino.CASINO_A, casino.CASINO_B)
        by_hand = {
            "filter": np.mean(hmm.forward_filter(y, *model).alpha.argmax(axis=1) == z),
            "viterbi": np.mean(hmm.viterbi(y, *model).path == z),
            "smoother": np.mean(hmm.smooth(y, *model).argmax(axis=1) == z),
        }
        ceilings = casino.casino_ceilings(400, np.random.default_rng(5))
        assert {name: ceilings[name] for name in by_hand} == pytest.approx(by_hand, abs=1e-12)


class TestWeather:
    def test_table_needs_no_network(self, monkeypatch):
        def refuse(*args, **kwargs):
            raise OSError("no network in this test")

        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)
        assert len(weather.load_weather()) == 1461

    def test_every_day_once(self):
        w = weather.load_weather()
        assert w.date[0] == np.datetime64("2012-01-01")
        assert w.date[-1] == np.datetime64("2015-12-31")
        assert np.all(np.diff(w.date) == np.timedelta64(1, "D"))

    def test_kinds_are_numbered_in_the_order_of_their_labels(self):
        from vega_datasets import local_data

        w, table = weather.load_weather(), local_data.seattle_weather()
        assert [w.labels[k] for k in w.kind] == table["weather"].tolist()
        assert np.bincount(w.kind).tolist() == [714, 411, 54, 259, 23]

    def test_measurements_are_complete_and_plausible(self):
        w = weather.load_weather()
        for name in ("precipitation", "temp_max", "temp_min", "wind"):
            assert np.all(np.isfinite(getattr(w, name)))
        assert np.all(w.temp_min <= w.temp_max)
        assert np.all(w.precipitation >= 0)
        np.testing.assert_array_equal(w.wet, np.where(w.precipitation == 0, 0, 1))

    def test_kinds_change_their_meaning_and_measurements_do_not(self):
        years = weather.load_weather().by_year()
        rain = [np.mean(years[y].kind == weather.WEATHER_KINDS.index("rain")) for y in (2012, 2014)]
        assert rain[0] > 0.5 and rain[1] < 0.01
        wet = [years[y].wet.mean() for y in years]
        assert max(wet) - min(wet) < 0.1

    def test_split_keeps_the_order_of_time(self):
        train, test = weather.load_weather().split(2015)
        assert (len(train), len(test)) == (1096, 365)
        assert train.date[-1] < test.date[0]
        assert test.date[0] == np.datetime64("2015-01-01")
        assert test.labels == train.labels == weather.WEATHER_KINDS

    def test_years(self):
        lengths = {year: len(part) for year, part in weather.load_weather().by_year().items()}
        assert lengths == {2012: 366, 2013: 365, 2014: 365, 2015: 365}

    @pytest.mark.parametrize("year", [2012, 2016, 1990])
    def test_split_with_an_empty_side(self, year):
        with pytest.raises(ValueError, match="from 2013 to 2015"):
            weather.load_weather().split(year)


def bayes_by_enumeration(T, A):
    """Best accuracy with all of the sequence, and with its bag only: sums over all sequences."""
    pi, forward, backward = order.order_classes(A)
    every = np.array(list(itertools.product(range(len(pi)), repeat=T)))
    p = [np.exp(markov.chain_log_prob(every, pi, chain)) for chain in (forward, backward)]
    bags = [defaultdict(float), defaultdict(float)]
    for y, p0, p1 in zip(every.tolist(), *p, strict=True):
        bags[0][tuple(sorted(y))] += p0
        bags[1][tuple(sorted(y))] += p1
    bag = sum(max(bags[0][b], bags[1][b]) for b in bags[0]) / 2
    return np.maximum(*p).sum() / 2, bag, bags


ONE_WAY = np.array([[0.1, 0.9, 0.0], [0.0, 0.5, 0.5], [0.7, 0.0, 0.3]])


class TestOrder:
    @pytest.mark.parametrize("A", [order.ORDER_A, order.CLICK_A, ONE_WAY])
    @pytest.mark.parametrize("T", [1, 2, 3, 6])
    def test_ceiling_equals_enumeration_and_the_bag_is_worth_nothing(self, A, T):
        best, bag, bags = bayes_by_enumeration(T, A)
        assert order.order_ceiling(T, A) == pytest.approx(best, abs=1e-12)
        assert bag == pytest.approx(order.BAG_CEILING, abs=1e-12)
        for b in bags[0]:
            assert bags[0][b] == pytest.approx(bags[1][b], abs=1e-13)

    def test_ceiling_of_a_reversible_chain_is_chance(self):
        A = np.array([[0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.2, 0.3, 0.5]])  # symmetric
        assert order.order_ceiling(9, A) == pytest.approx(0.5, abs=1e-12)

    def test_ceiling_grows_with_length(self):
        ceilings = [order.order_ceiling(T) for T in (1, 2, 4, 8, 16, 32)]
        assert ceilings[0] == 0.5
        assert np.all(np.diff(ceilings) > 0)
        assert 0.95 < ceilings[-1] < 1.0

    def test_one_way_streets_decide(self):
        """From length 2 on, a step that only one class can make gives the class away."""
        certain = 1 - sum(
            p * np.prod([ONE_WAY[v, v]] * 3)
            for v, p in enumerate(markov.stationary_distribution(ONE_WAY))
        )
        assert order.order_ceiling(4, ONE_WAY) == pytest.approx(
            certain + (1 - certain) / 2, abs=1e-12
        )

    @pytest.mark.parametrize("paired", [True, False])
    def test_bayes_rule_reaches_the_ceiling_on_drawn_data(self, paired, rng):
        n, T = 20_000, 9
        y, label = order.order_pairs(n, T, rng, paired=paired)
        pi, forward, backward = order.order_classes()
        guess = markov.chain_log_prob(y, pi, backward) > markov.chain_log_prob(y, pi, forward)
        trials = n / 2 if paired else n
        margin = 5 * np.sqrt(0.25 / trials)  # five standard errors at most
        assert np.mean(guess == label) == pytest.approx(order.order_ceiling(T), abs=margin)

    def test_any_rule_on_bags_is_right_exactly_half_of_the_time(self, rng):
        y, label = order.order_pairs(2_000, 7, rng)
        bag = order.bag_of(y, 3)
        for _ in range(20):
            weights = rng.normal(size=3)
            assert np.mean((bag @ weights > weights.sum() * 7 / 3) == label) == 0.5

    def test_both_classes_hold_the_same_bags(self, rng):
        y, label = order.order_pairs(500, 6, rng)
        bags = [Counter(map(tuple, order.bag_of(y[label == k], 3).tolist())) for k in (0, 1)]
        assert bags[0] == bags[1]

    def test_labels_are_balanced_and_shuffled(self, rng):
        y, label = order.order_pairs(1_000, 5, rng, paired=False)
        assert y.shape == (1_000, 5)
        assert label.sum() == 500
        assert 200 < label[:500].sum() < 300

    def test_two_seeds_two_sets_one_seed_one_set(self):
        drawn = [order.order_pairs(20, 5, np.random.default_rng(s))[0] for s in (1, 1, 2)]
        np.testing.assert_array_equal(drawn[0], drawn[1])
        assert np.any(drawn[0] != drawn[2])

    @pytest.mark.parametrize(
        "n, T, message", [(5, 4, "n must be even"), (0, 4, "n must be even"), (4, 1, "T must be")]
    )
    def test_bad_sizes(self, n, T, message, rng):
        with pytest.raises(ValueError, match=message):
            order.order_pairs(n, T, rng)

    def test_ceiling_needs_a_symbol(self):
        with pytest.raises(ValueError, match="T must be at least 1"):
            order.order_ceiling(0)


class TestClickSessions:
    def test_events_and_classes_have_names(self, rng):
        y, label = order.click_sessions(200, 8, rng)
        assert len(order.CLICK_EVENTS) == len(order.CLICK_A) == y.max() + 1
        assert set(label.tolist()) == {0, 1}
        assert len(order.CLICK_CLASSES) == 2

    def test_class_0_moves_towards_the_till(self, rng):
        y, label = order.click_sessions(4_000, 8, rng)
        product, cart = 2, 3
        into = [
            np.sum((y[label == k, :-1] == product) & (y[label == k, 1:] == cart)) for k in (0, 1)
        ]
        assert into[0] > 2 * into[1]


class TestSentencePairs:
    def test_every_sentence_has_a_twin_of_the_same_words(self):
        sentences, label = order.sentence_pairs()
        bags = [
            Counter(tuple(sorted(s)) for s, b in zip(sentences, label, strict=True) if b == k)
            for k in (0, 1)
        ]
        assert bags[0] == bags[1]
        assert len(sentences) == len(set(sentences)) == 36
        assert label.sum() == 18

    def test_order_answers_the_question(self):
        names = ("Ada", "Ben", "Cleo", "Dan")
        sentences, label = order.sentence_pairs(names)
        for (first, _, last), answer in zip(sentences, label, strict=True):
            assert answer == (names.index(first) < names.index(last))
