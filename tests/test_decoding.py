"""Greedy and beam search against every sequence there is; the beam on states against Viterbi."""

from itertools import product

import numpy as np
import pytest
from hmm_models import random_model as random_hmm
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.decoding import (
    Hypothesis,
    beam_search,
    beam_steps,
    greedy_decode,
    viterbi_beam,
)
from course_lib.hmm import log_joint, viterbi

START, STOP = 0, 1


def random_model(rng, V, H=5):
    """A step whose state holds something of all tokens, and how to draw states to begin with."""
    W_s, W_h, W_out = (rng.normal(size=shape) for shape in ((V, H), (H, H), (H, V)))

    def step(tokens, state):
        state = np.tanh(W_s[tokens] + state @ W_h)
        scores = 1.5 * state @ W_out
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), state

    return step, lambda N: rng.normal(size=(N, H))


def all_hypotheses(step, state, V, max_length):
    """Every finished sequence up to max_length tokens, and every open one of that length."""
    found = []
    for n in range(max_length + 1):
        for tokens in product([s for s in range(V) if s != STOP], repeat=n):
            log_p, h, last = 0.0, state, START
            for token in tokens:
                log_probs, h = step(np.array([last]), h)
                log_p, last = log_p + log_probs[0, token], token
            if n == max_length:
                found.append(Hypothesis(tokens, log_p, False))
            else:
                log_probs, _ = step(np.array([last]), h)
                found.append(Hypothesis(tokens, log_p + log_probs[0, STOP], True))
    return found


def table_step(table):
    """A step that looks only at the last token: row of a table of probabilities."""
    with np.errstate(divide="ignore"):
        log_table = np.log(np.array(table, dtype=float))
    return lambda tokens, state: (log_table[tokens], state)


def same(got, wanted):
    assert [(one.tokens, one.finished) for one in got] == [(o.tokens, o.finished) for o in wanted]
    log_probs = [one.log_prob for one in wanted]
    np.testing.assert_allclose([one.log_prob for one in got], log_probs, rtol=0, atol=1e-12)


class TestBeamSearch:
    @pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
    @pytest.mark.parametrize("V, max_length", [(2, 5), (3, 4), (4, 3)])
    def test_full_width_finds_every_sequence_in_order(self, rng, V, max_length, penalty):
        step, states = random_model(rng, V)
        state = states(1)
        every = all_hypotheses(step, state, V, max_length)
        beam = beam_search(step, state, START, STOP, V**max_length, max_length, penalty)
        score = [one.log_prob / (len(one.tokens) + one.finished) ** penalty for one in every]
        same(beam, [every[i] for i in np.argsort(-np.array(score), kind="stable")])

    def test_probabilities_of_all_sequences_sum_to_one(self, rng):
        step, states = random_model(rng, 3)
        beam = beam_search(step, states(1), START, STOP, 3**5, 5)
        np.testing.assert_allclose(sum(np.exp(one.log_prob) for one in beam), 1.0, atol=1e-12)

    @pytest.mark.parametrize("width", [1, 2, 3, 5])
    def test_every_beam_is_the_best_of_what_the_one_before_can_become(self, rng, width):
        """Without any bookkeeping of states: each hypothesis is read again from START."""
        step, states = random_model(rng, 4)
        state, beam = states(1), [((), 0.0, False)]
        for got in beam_steps(step, state, START, STOP, width, 6):
            pool = [one for one in beam if one[2]]
            for tokens, log_p, _ in (one for one in beam if not one[2]):
                h = state
                for token in (START, *tokens):
                    log_probs, h = step(np.array([token]), h)
                for token, more in enumerate(log_probs[0]):
                    wrote = tokens if token == STOP else (*tokens, token)
                    pool.append((wrote, log_p + more, token == STOP))
            beam = sorted(pool, key=lambda one: -one[1])[:width]
            same(got, [Hypothesis(*one) for one in beam])

    def test_width_two_finds_what_greedy_misses(self):
        """By hand: 0.6 x 0.5 = 0.30 is the best of the greedy branch, 0.4 x 0.9 = 0.36 wins."""
        table = [[0, 0, 0.6, 0.4], [0, 1, 0, 0], [0, 0.5, 0.25, 0.25], [0, 0.9, 0.05, 0.05]]
        step, state = table_step(table), np.zeros((1, 1))
        (greedy,) = greedy_decode(step, state, START, STOP, 9)
        best = beam_search(step, state, START, STOP, 2, 9)[0]
        assert (greedy.tokens, best.tokens) == ((2,), (3,))
        np.testing.assert_allclose(np.exp([greedy.log_prob, best.log_prob]), [0.30, 0.36])

    def test_length_penalty_turns_a_short_winner_into_a_long_one(self):
        table = [[0, 0.5, 0.5], [0, 1, 0], [0, 0.2, 0.8]]
        step, state = table_step(table), np.zeros((1, 1))
        short = beam_search(step, state, START, STOP, 3, 6)[0]
        longer = beam_search(step, state, START, STOP, 3, 6, length_penalty=1.0)[0]
        assert short.tokens == () and len(longer.tokens) == 6

    def test_a_finished_hypothesis_keeps_its_place_until_two_better_ones_come(self):
        table = [[0, 0.2, 0.5, 0.3], [0, 1, 0, 0], [0, 0.1, 0.9, 0], [0, 1, 0, 0]]
        beams = list(beam_steps(table_step(table), np.zeros((1, 1)), START, STOP, 3, 3))
        shown = [[(one.tokens, one.finished) for one in beam] for beam in beams]
        assert shown == [
            [((2,), False), ((3,), False), ((), True)],
            [((2, 2), False), ((3,), True), ((), True)],
            [((2, 2, 2), False), ((3,), True), ((), True)],
        ]
        np.testing.assert_allclose(
            np.exp([one.log_prob for one in beams[-1]]), [0.5 * 0.9 * 0.9, 0.3, 0.2]
        )

    def test_impossible_tokens_never_enter_the_beam(self):
        table = [[0, 0, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]
        beam = beam_search(table_step(table), np.zeros((1, 1)), START, STOP, 4, 5)
        assert [one.tokens for one in beam] == [(2,)]

    def test_last_beam_of_the_steps_is_the_result(self, rng):
        step, states = random_model(rng, 4)
        state = states(1)
        *_, last = beam_steps(step, state, START, STOP, 3, 6)
        assert last == beam_search(step, state, START, STOP, 3, 6)

    def test_state_of_a_hypothesis_follows_it(self, rng):
        """Rows change places in the beam; each must take its own state along."""
        step, states = random_model(rng, 5)
        state = states(1)
        for one in beam_search(step, state, START, STOP, 7, 6):
            log_p, h, last = 0.0, state, START
            for token in one.tokens + (STOP,) * one.finished:
                log_probs, h = step(np.array([last]), h)
                log_p, last = log_p + log_probs[0, token], token
            np.testing.assert_allclose(one.log_prob, log_p, rtol=0, atol=1e-12)


class TestGreedyDecode:
    def test_rows_are_independent_and_equal_width_one(self, rng):
        step, states = random_model(rng, 4)
        state = states(9)
        together = greedy_decode(step, state, START, STOP, 7)
        assert {one.finished for one in together} == {True, False}
        for n, one in enumerate(together):
            same([one], beam_search(step, state[[n]], START, STOP, 1, 7))

    def test_stops_when_all_have_stopped(self):
        calls = []
        step = table_step([[0, 0, 1], [0, 1, 0], [0, 1, 0]])

        def counted(tokens, state):
            calls.append(tokens.tolist())
            return step(tokens, state)

        greedy_decode(counted, np.zeros((2, 1)), START, STOP, 50)
        assert calls == [[START, START], [2, 2]]


class TestBadInputs:
    @pytest.mark.parametrize("width, max_length", [(0, 3), (2, 0)])
    def test_sizes(self, width, max_length):
        with pytest.raises(ValueError, match="at least 1"):
            beam_search(None, np.zeros((1, 1)), START, STOP, width, max_length)

    def test_several_sequences_at_once(self):
        with pytest.raises(ValueError, match=r"state must be of one sequence.* got \(3, 2\)"):
            beam_search(None, np.zeros((3, 2)), START, STOP, 2, 2)

    def test_scores_instead_of_log_probabilities(self):
        with pytest.raises(ValueError, match="sum of 3; take log_softmax"):
            greedy_decode(lambda t, s: (np.zeros((1, 3)), s), np.zeros((1, 1)), START, STOP, 2)

    def test_wrong_number_of_rows(self):
        with pytest.raises(ValueError, match=r"shape \(2, V\), got \(3, 4\)"):
            greedy_decode(lambda t, s: (np.zeros((3, 4)), s), np.zeros((2, 1)), START, STOP, 2)

    def test_stop_that_is_no_symbol(self):
        step = table_step([[0.5, 0.5], [0.5, 0.5]])
        with pytest.raises(ValueError, match="stop must hold symbols from 0 to 1, got 7"):
            greedy_decode(step, np.zeros((1, 1)), START, 7, 2)


class TestViterbiBeam:
    @pytest.mark.parametrize("K, V, T", [(2, 3, 1), (3, 2, 6), (5, 4, 40)])
    def test_all_states_kept_is_viterbi(self, rng, K, V, T):
        pi, A, B = random_hmm(rng, "categorical", K, V)
        y = rng.integers(V, size=T)
        got, wanted = viterbi_beam(y, pi, A, B, K), viterbi(y, pi, A, B)
        np.testing.assert_array_equal(got.path, wanted.path)
        np.testing.assert_array_equal(got.log_delta, wanted.log_delta)
        np.testing.assert_array_equal(got.back, wanted.back)
        assert got.log_joint == wanted.log_joint

    def test_at_most_width_states_are_kept(self, rng):
        pi, A, B = random_hmm(rng, "categorical", 5, 4)
        trace = viterbi_beam(rng.integers(4, size=20), pi, A, B, 2)
        assert (np.isfinite(trace.log_delta).sum(axis=1) == 2).all()

    def test_narrow_beam_misses_the_best_path(self):
        """State 0 shows the first symbol better, state 1 alone can show the second."""
        pi, A, B = [0.6, 0.4], [[0.9, 0.1], [0.2, 0.8]], [[0.7, 0.3], [0.6, 0.4]]
        B = [[0.95, 0.05], [0.5, 0.5]]
        best, narrow = viterbi([0, 1], pi, A, B), viterbi_beam([0, 1], pi, A, B, 1)
        assert best.path.tolist() == [1, 1] and narrow.path.tolist() == [0, 1]
        np.testing.assert_allclose(
            np.exp([best.log_joint, narrow.log_joint]),
            [0.4 * 0.5 * 0.8 * 0.5, 0.6 * 0.95 * 0.1 * 0.5],
        )

    def test_recombination_does_more_than_a_beam_of_paths(self):
        """Paths through the same state fill a beam of paths; recombined, they take one place."""
        pi, A = np.array([1, 2]) / 3, np.array([[0.57, 0.43], [0.4, 0.6]])
        B, y = np.array([[0.8, 0.2], [0.53, 0.47]]), [0, 0, 1]
        paths = {(z,): pi[z] * B[z, y[0]] for z in range(2)}
        for symbol in y[1:]:
            longer = {
                (*z, j): p * A[z[-1], j] * B[j, symbol] for z, p in paths.items() for j in (0, 1)
            }
            paths = {z: longer[z] for z in sorted(longer, key=longer.get)[-2:]}
        trace = viterbi_beam(y, pi, A, B, 2)
        assert max(paths, key=paths.get) == (0, 0, 1) and trace.path.tolist() == [1, 1, 1]
        np.testing.assert_allclose(max(paths.values()), 0.0246, atol=5e-5)
        np.testing.assert_allclose(np.exp(trace.log_joint), 0.0317, atol=5e-5)

    def test_dead_end_of_a_narrow_beam_is_named(self):
        pi, A, B = [0.9, 0.1], np.eye(2), [[1.0, 0.0], [0.5, 0.5]]
        with pytest.raises(ValueError, match=r"observation 1 at t=2 .* \(width 1 of 2\)"):
            viterbi_beam([0, 0, 1, 1], pi, A, B, 1)
        assert viterbi_beam([0, 0, 1, 1], pi, A, B, 2).path.tolist() == [1, 1, 1, 1]

    @pytest.mark.parametrize("y, t", [([0, 1], 1), ([1, 0, 0], 0)])
    def test_impossible_observation_as_in_viterbi(self, y, t):
        with pytest.raises(ValueError, match=f"at t={t} has probability zero in every state"):
            viterbi_beam(y, [0.5, 0.5], np.eye(2), [[1.0, 0.0], [1.0, 0.0]], 2)

    def test_width_zero(self):
        with pytest.raises(ValueError, match="at least 1"):
            viterbi_beam([0], [1.0], [[1.0]], [[1.0]], 0)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 9), st.integers(1, 4))
def test_property_pruned_path_is_real_and_never_better(seed, K, T, width):
    rng = np.random.default_rng(seed)
    pi, A, B = random_hmm(rng, "categorical", K, 3)
    y = rng.integers(3, size=T)
    trace = viterbi_beam(y, pi, A, B, width)
    np.testing.assert_allclose(
        log_joint(trace.path, y, pi, A, B), trace.log_joint, rtol=0, atol=1e-10
    )
    assert trace.log_joint <= viterbi(y, pi, A, B).log_joint + 1e-12
