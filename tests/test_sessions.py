"""Sessions against all paths of intents, against a power series, and against drawn sessions."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from course_lib.datasets.sessions import (
    PADDING,
    SHOP,
    SessionProcess,
    count_events,
    exact_buy_probability,
    exact_buy_probability_at_end,
    last_click,
    sample_sessions,
    session_beliefs,
    session_lengths,
)

SMALL = SessionProcess(
    pi=np.array([0.7, 0.3]),
    Q=np.array([[0.5, 0.2], [0.1, 0.65]]),  # one intent goes on more often than the other
    B=np.array([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]]),
    buy=np.array([0.05, 0.2]),
    leave=np.array([0.25, 0.05]),
    events=("look", "search", "add"),
    intents=("cold", "warm"),
)


def weights_of_paths(process, y):
    """p(z_T = k and y_1..T and still there) by walking through all paths of intents."""
    weights = np.zeros(process.K)
    for z in product(range(process.K), repeat=len(y)):
        p = process.pi[z[0]] * process.B[z[0], y[0]]
        for t in range(1, len(y)):
            p *= process.Q[z[t - 1], z[t]] * process.B[z[t], y[t]]
        weights[z[-1]] += p
    return weights


@pytest.fixture(scope="module")
def drawn():
    return sample_sessions(SHOP, 20_000, np.random.default_rng(1))


@pytest.mark.parametrize("y", [(2,), (0, 2), (2, 0, 1), (1, 1, 2, 0)])
class TestAgainstAllPaths:
    def test_belief(self, y):
        weights = weights_of_paths(SMALL, y)
        got = session_beliefs(SMALL, np.array([y]))[0, -1]
        np.testing.assert_allclose(got, weights / weights.sum(), rtol=1e-12)

    def test_buy_probability_sums_over_all_continuations(self, y):
        alive, bought = weights_of_paths(SMALL, y), 0.0
        total = alive.sum()
        for _ in range(400):  # 0.8^400 is less than rounding
            bought += alive @ SMALL.buy
            alive = alive @ SMALL.Q
        got = exact_buy_probability(SMALL, np.array([y]))[0, -1]
        np.testing.assert_allclose(got, bought / total, rtol=1e-12)

    def test_buy_probability_at_the_end(self, y):
        weights = weights_of_paths(SMALL, y)
        want = weights @ SMALL.buy / (weights @ SMALL.buy + weights @ SMALL.leave)
        got = exact_buy_probability_at_end(SMALL, np.array([y]))[0, -1]
        np.testing.assert_allclose(got, want, rtol=1e-12)

    def test_padding_changes_nothing(self, y):
        padded = np.array([[*y, PADDING, PADDING], [0] * (len(y) + 2)])
        alone = session_beliefs(SMALL, np.array([y]))[0]
        beliefs = session_beliefs(SMALL, padded)[0]
        np.testing.assert_allclose(beliefs[: len(y)], alone, rtol=1e-12)
        assert np.isnan(beliefs[len(y) :]).all()


def test_before_and_after_the_end_is_known_fit_together():
    """P(buy) is the mean of what it is if the session ends here and if it goes on."""
    b = session_beliefs(SMALL, np.array([[0, 2, 1]]))[0, -1]
    ends = b @ (SMALL.buy + SMALL.leave)
    on = b @ SMALL.Q
    mixed = ends * (b @ SMALL.buy / ends) + (1 - ends) * (on @ SMALL.chance / on.sum())
    np.testing.assert_allclose(mixed, b @ SMALL.chance, rtol=1e-12)


class TestDrawnSessions:
    def test_share_of_buyers_is_that_of_the_process(self, drawn):
        p = SHOP.pi @ SHOP.chance
        assert abs(drawn.bought.mean() - p) < 4 * np.sqrt(p * (1 - p) / len(drawn))

    def test_mean_length_is_that_of_the_process(self, drawn):
        want = SHOP.pi @ np.linalg.solve(np.eye(SHOP.K) - SHOP.Q, np.ones(SHOP.K))
        assert abs(drawn.lengths.mean() - want) < 4 * drawn.lengths.std() / np.sqrt(len(drawn))

    @pytest.mark.parametrize("k", [1, 3, 8, 20])
    def test_exact_probabilities_are_calibrated_after_k_clicks(self, drawn, k):
        there = drawn.lengths >= k
        p = exact_buy_probability(SHOP, drawn.events)[there, k - 1]
        for part in np.array_split(np.argsort(p), 3):
            error = np.sqrt((p[part] * (1 - p[part])).sum()) / len(part)
            assert abs(drawn.bought[there][part].mean() - p[part].mean()) < 4 * error

    def test_exact_probabilities_are_calibrated_at_the_end(self, drawn):
        p = last_click(exact_buy_probability_at_end(SHOP, drawn.events), drawn.lengths)
        for part in np.array_split(np.argsort(p), 5):
            error = np.sqrt((p[part] * (1 - p[part])).sum()) / len(part)
            assert abs(drawn.bought[part].mean() - p[part].mean()) < 4 * error

    def test_every_intent_shows_its_events(self, drawn):
        for k in range(SHOP.K):
            shown = drawn.events[drawn.intents == k]
            share = np.bincount(shown, minlength=SHOP.V) / len(shown)
            assert np.abs(share - SHOP.B[k]).max() < 4 * 0.5 / np.sqrt(len(shown))

    def test_only_the_wanting_buy(self, drawn):
        last = last_click(drawn.intents, drawn.lengths)
        assert set(last[drawn.bought == 1]) == {SHOP.intents.index("wanting")}

    def test_padding_is_after_the_end_and_nowhere_else(self, drawn):
        np.testing.assert_array_equal(session_lengths(drawn.events), drawn.lengths)
        assert ((drawn.events == PADDING) == (drawn.intents == PADDING)).all()
        assert drawn.events.shape[1] == drawn.lengths.max()

    def test_bags_count_every_click_once(self, drawn):
        counts = count_events(drawn.events[:50], SHOP.V)
        np.testing.assert_array_equal(counts.sum(axis=1), drawn.lengths[:50])
        y = drawn.events[7][: drawn.lengths[7]]
        np.testing.assert_array_equal(counts[7], np.bincount(y, minlength=SHOP.V))

    def test_same_seed_same_sessions(self):
        one, two = (sample_sessions(SHOP, 30, np.random.default_rng(5)) for _ in range(2))
        np.testing.assert_array_equal(one.events, two.events)


class TestRefusals:
    @pytest.mark.parametrize(
        "change, message",
        [
            ({"buy": [0.2, 0.25]}, r"\(Q, buy, leave\) must sum to 1"),
            ({"pi": [0.5, 0.6]}, "pi must sum to 1"),
            ({"B": np.ones((2, 2)) / 2}, r"B must have shape \(2, 3\)"),
            ({"events": ("look", "look", "add")}, "different names"),
            (
                {"Q": np.eye(2), "buy": np.zeros(2), "leave": np.zeros(2)},
                "'cold' never can",
            ),
        ],
    )
    def test_process(self, change, message):
        with pytest.raises(ValueError, match=message):
            replace(SMALL, **change)

    @pytest.mark.parametrize(
        "events, message",
        [
            ([[0, -1, 1]], "only after its last one"),
            ([[-1, -1]], "at least one event"),
            ([[0, 3]], "symbols from 0 to 2"),
            ([0, 1], "must have shape"),
        ],
    )
    def test_events(self, events, message):
        with pytest.raises(ValueError, match=message):
            session_beliefs(SMALL, np.array(events))

    def test_impossible_event(self):
        sure = replace(SMALL, B=np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]))
        with pytest.raises(ValueError, match="t=1 has probability zero"):
            session_beliefs(sure, np.array([[0, 2]]))

    def test_nobody(self):
        with pytest.raises(ValueError, match="n must be"):
            sample_sessions(SHOP, 0, np.random.default_rng(0))


def test_tables_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        SHOP.Q[0, 0] = 1.0
