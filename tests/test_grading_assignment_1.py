"""Assignment 1: the numbers of its story are right, its reference too, its checks name mistakes.

What holds of every assignment stands in test_grading_assignments.py.
"""

import itertools
import re

import numpy as np
import pytest

from course_lib import hmm, hmm_batch
from tests.grading_case import ROOT, case

ONE = case("01_markov_hmm")
TEXT = ONE.text
MINUS_INFINITY = float("-inf")


@pytest.fixture(scope="module")
def right():
    return ONE.space


class TestText:
    def test_tables_of_the_garden_hive_are_those_of_the_code(self, right):
        rows = re.findall(r"(?m)^\| \*\*(?:settled|restless)\*\* \|(.+)\|$", TEXT)[:2]
        rows = np.array([[float(cell) for cell in row.split("|")] for row in rows])
        tables = right["GARDEN_PI"][:, None], right["GARDEN_A"], right["GARDEN_B"]
        assert np.array_equal(rows, np.hstack(tables))

    def test_moves_that_never_happen_have_probability_zero(self, right):
        never = [(right["SETTLED"], right["SWARMING"]), (right["SWARMING"], right["PREPARING"])]
        assert [(int(i), int(j)) for i, j in np.argwhere(right["HIVE_A"] == 0)] == never

    @pytest.mark.parametrize("table", ["HIVE_A", "HIVE_B", "GARDEN_A", "GARDEN_B", "guess"])
    def test_rows_sum_to_one(self, right, table):
        assert np.allclose(right[table].sum(axis=1), 1, rtol=0, atol=1e-12)


def random_tables(rng, K, V):
    rows = rng.dirichlet(np.ones(K), size=K + 1)
    return rows[0], rows[1:], rng.dirichlet(np.ones(V), size=K)


class TestPage:
    def test_says_how_long_a_call_may_take(self):
        page = (ROOT / "book" / "back" / "assignments.md").read_text(encoding="utf-8")
        assert "five seconds" in page and ONE.source.config.limits.call_s == 5

    def test_notebook_is_a_file_to_download_not_a_page(self):
        assert '"assignments/**"' in (ROOT / "_config.yml").read_text()


class TestReference:
    """Against the list of all stories, and the book's library where it has the same function."""

    @pytest.mark.parametrize("seed", range(8))
    def test_filter_smoother_and_two_best_match_the_list_of_all_stories(self, right, seed):
        rng = np.random.default_rng(seed)
        sounds, opened = rng.integers(0, 4, size=6), np.full(6, -1)
        sounds[[1, 4]], opened[2] = -1, 0
        pi, A, B = random_tables(rng, 3, 4)
        weights = right["weigh"](sounds, opened, B)
        stories = list(right["every_story"](weights, pi, A))
        joint = np.array([p for _, p in stories])
        paths = np.array([path for path, _ in stories])
        alpha, log_evidence = right["forward"](weights, pi, A)
        gamma, xi = right["smooth"](weights, pi, A)
        path, best, second = right["best_two"](weights, pi, A)
        assert np.isclose(np.exp(log_evidence), joint.sum(), rtol=1e-12)
        for k in range(3):
            assert np.allclose(gamma[:, k], (joint @ (paths == k)) / joint.sum(), rtol=1e-12)
        for i, j in itertools.product(range(3), repeat=2):
            there = (paths[:, 2] == i) & (paths[:, 3] == j)
            assert np.isclose(xi[2, i, j], joint[there].sum() / joint.sum(), rtol=1e-12)
        assert np.allclose(alpha[-1], gamma[-1], rtol=1e-12)
        assert tuple(path) == stories[joint.argmax()][0]
        assert np.allclose([best, second], np.log(np.sort(joint)[:-3:-1]), rtol=1e-12)

    def test_filter_matches_the_library(self, right, rng):
        pi, A, B = random_tables(rng, 3, 5)
        y = rng.integers(0, 5, size=40)
        weights = right["weigh"](y, np.full(40, -1), B)
        alpha, log_evidence = right["forward"](weights, pi, A)
        trace = hmm.forward_filter(y, pi, A, B)
        assert np.allclose(alpha, trace.alpha, rtol=1e-12)
        assert np.isclose(log_evidence, trace.log_evidence, rtol=1e-12)

    def test_second_best_of_one_possible_story_is_minus_infinity(self, right):
        weights, pi, A = np.full((3, 2), 0.5), np.array([1.0, 0.0]), np.eye(2)[::-1]
        path, best, second = right["best_two"](weights, pi, A)
        assert path.tolist() == [0, 1, 0] and np.isclose(best, np.log(0.125))
        assert second == MINUS_INFINITY

    def test_learning_matches_the_library(self, right, rng):
        pi, A, B = random_tables(rng, 3, 5)
        lengths = np.array([7, 4, 11])
        batch = rng.integers(0, 5, size=(3, 11))
        logs = [row[:T] for row, T in zip(batch, lengths, strict=True)]
        counts = hmm_batch.expected_counts(batch, pi, A, B, lengths)
        for got, n in zip(
            right["em_step"](logs, pi, A, B, 0.5),
            (counts.start, counts.transitions, counts.emissions),
            strict=True,
        ):
            want = (n + 0.5) / (n + 0.5).sum(axis=-1, keepdims=True)
            assert np.allclose(got, want, rtol=1e-12)

    def test_learning_with_gaps_matches_counts_in_all_stories(self, right, rng):
        logs = [np.array([-1, 2, 0, -1]), np.array([3, -1]), np.array([1])]
        pi, A, B = random_tables(rng, 3, 4)
        started, moved, heard = np.full(3, 0.5), np.full((3, 3), 0.5), np.full((3, 4), 0.5)
        for log in logs:
            weights = right["weigh"](log, np.full(len(log), -1), B)
            stories = list(right["every_story"](weights, pi, A))
            total = sum(joint for _, joint in stories)
            for path, joint in stories:
                started[path[0]] += joint / total
                for i, j in itertools.pairwise(path):
                    moved[i, j] += joint / total
                for k, word in zip(path, log, strict=True):
                    heard[k, word] += (joint / total) * (word >= 0)
        for got, n in zip(
            right["em_step"](logs, pi, A, B, 0.5), (started, moved, heard), strict=True
        ):
            assert np.allclose(got, n / n.sum(axis=-1, keepdims=True), rtol=1e-12)


class TestSummer:
    """What the last question and its model answer say of the school hive."""

    def test_days_and_months(self, right):
        assert [len(right[month]) for month in ("MAY", "JUNE", "JULY")] == [31, 30, 31]
        assert np.flatnonzero(right["OPENED"] >= 0).tolist() == [13, 34, 55, 76]
        assert "every third week" in TEXT and set(np.diff([13, 34, 55, 76])) == {21}

    def test_smoother_tells_on_11_and_12_may_what_a_hive_cannot_do(self, right):
        states = right["season_gamma"].argmax(axis=1)
        assert (states[10], states[11]) == (right["SETTLED"], right["SWARMING"])
        may = slice(0, 31)
        assert (states[may] != right["season_path"][may]).any()

    def test_numbers_of_the_model_answer(self, right):
        season, best = right["season"], right["season_best"]
        answer = next(cell.source for cell in ONE.source.cells if cell.role == "written")
        assert f"only {best - right['season_second']:.1f} nats behind" in answer
        assert np.exp(right["season_second"] - best) > 0.5
        assert np.exp(best - right["season_evidence"]) < 1e-6
        assert 11 < season["expected_days"][right["SWARMING"]] < 12
        assert (right["season_path"] == right["SWARMING"]).sum() == 5
        assert season["swarms"] == 3

    def test_no_number_of_the_summer_hangs_on_rounding(self, right):
        ranked = np.sort(right["season_gamma"], axis=1)
        assert (ranked[:, -1] - ranked[:, -2]).min() > 1e-3
        assert np.abs(right["season_alpha"][:, 0] - 0.5).min() > 1e-3
        assert right["season_best"] - right["season_second"] > 1e-3

    def test_neighbours_logs_have_gaps_and_different_lengths(self, right):
        assert len({len(log) for log in right["NEIGHBOURS"]}) == len(right["NEIGHBOURS"]) == 3
        assert any((log < 0).any() for log in right["NEIGHBOURS"])


class TestChecks:
    @pytest.mark.parametrize(
        "name, hint",
        [
            ("gap_is_the_last_word", "B[:, -1]"),
            ("look_replaces_word", "do not forget the roar"),
            ("transposed_table", "alpha @ A"),
            ("moved_before_the_first_day", "pi is the first day"),
            ("never_normalised", "divide by the sum"),
            ("best_moods_for_best_story", "not the best story"),
            ("off_by_one_on_the_way_back", "the weight of day 1, not 0"),
            ("filter_for_smoother", "this is the filter"),
            ("pairs_without_division", "xi[0] sums to 0.32"),
            ("logs_glued_together", "glued together"),
            ("visits_for_departures", "a last day has no departure"),
            ("words_divided_by_days", "not by all days"),
            ("no_pseudocount", "pseudocount is missing"),
        ],
    )
    def test_a_visible_check_names_the_mistake(self, name, hint):
        answers = ONE.wrong[name].answers
        (question,) = {c.question for c in ONE.source.cells if c.id in answers}
        assert hint in ONE.hint(answers, question)

    def test_visible_checks_take_lists_where_the_text_allows_it(self, right):
        def best_two(*case):
            path, best, second = right["best_two"](*case)
            return [path.tolist(), best, second]

        assert ONE.lost(right | {"best_two": best_two}, 0) == ({}, set())

    @pytest.mark.parametrize("text", ["impossible", f"one of the days {list(range(25))}"])
    def test_contradiction_without_its_day_is_worth_half(self, right, text):
        def forward(weights, pi, A):
            try:
                return right["forward"](weights, pi, A)
            except ValueError:
                raise ValueError(text) from None

        lost = ONE.lost(right | {"forward": forward}, 0)
        assert lost == ({"forward": 0.25}, {"contradiction"})

    def test_the_evening_before_may_be_named_too(self, right):
        def forward(weights, pi, A):
            try:
                return right["forward"](weights, pi, A)
            except ValueError as error:
                day = int(re.search(r"\d+", str(error))[0])
                raise ValueError(f"from {day - 1} to {day} of {len(weights)}") from None

        assert ONE.lost(right | {"forward": forward}, 0) == ({}, set())
