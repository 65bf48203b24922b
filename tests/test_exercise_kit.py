"""The building blocks of checks: one line each, never an exception, the likely mistake by name."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.exercises.kit import (
    exercise,
    wrong_choice,
    wrong_claim,
    wrong_function,
    wrong_value,
)
from tests.test_exercises import JUNK, _Hostile, line_of

TABLE = np.array([[0.2, 0.8], [0.3, 0.7]])
TALL = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])


@exercise("1.1 Table")
def check_table(answer):
    return wrong_value(answer, TABLE, axes=("from", "to"), distribution=True)


@exercise("1.2 Two parts")
def check_parts(pi, A):
    return wrong_value((pi, A), (TABLE[0], TABLE), parts=("pi", "A"), distribution=True)


class TestExercise:
    def test_right(self):
        assert line_of(check_table, TABLE) == "✓ 1.1 Table: passed"

    @pytest.mark.parametrize("answer", [None, ..., [[0.2, ...], [0.3, 0.7]], (None, 1), [..., 2]])
    def test_not_answered_yet(self, answer):
        assert line_of(check_table, answer) == "○ 1.1 Table: not answered yet"

    def test_one_of_two_not_answered(self, capsys):
        check_parts(TABLE[0], ...)
        assert capsys.readouterr().out == "○ 1.2 Two parts: not answered yet\n"

    def test_exception_in_the_check_becomes_a_line(self):
        @exercise("1.3 Fragile")
        def check_fragile(answer):
            return answer["no such key"]

        line = line_of(check_fragile, 1)
        assert line.startswith("✗ 1.3 Fragile: the check could not read this answer (TypeError")

    def test_keeps_name_and_docstring(self):
        assert check_table.__name__ == "check_table"
        assert check_table.exercise == "1.1 Table"

    def test_wrong_number_of_arguments_is_a_line(self, capsys):
        check_table(1, 2, 3)
        assert "✗ 1.1 Table: the check could not read" in capsys.readouterr().out

    @pytest.mark.parametrize("junk", [*JUNK, _Hostile()])
    def test_junk_is_rejected_in_one_line(self, junk):
        assert line_of(check_table, junk).startswith("✗ 1.1 Table: ")


class TestWrongValue:
    @pytest.mark.parametrize(
        "answer",
        [TABLE, TABLE.tolist(), tuple(map(tuple, TABLE)), TABLE + 1e-10, torch.tensor(TABLE)],
    )
    def test_right_in_any_form(self, answer):
        assert wrong_value(answer, TABLE) is None

    @pytest.mark.parametrize("answer", [3, 3.0, np.float64(3), np.array(3), torch.tensor(3.0)])
    def test_right_number_in_any_form(self, answer):
        assert wrong_value(answer, 3.0) is None

    @pytest.mark.parametrize(
        "answer, message",
        [
            ("0.2", "expected a number, got text"),
            (["a", "b"], "expected numbers, got a list"),
            (print, "got a function; call it"),
            ([[1.0], [2.0, 3.0]], "rows of different lengths"),
            (True, "got True or False"),
            ({"a": 1}, "got a dictionary"),
            (TABLE[0], "expected shape (2, 2), got (2,); an axis is missing"),
            (TABLE[None], "an axis of length 1 too many"),
            (0.2, "got one number; summed over too much?"),
            (np.tile(TABLE, (2, 3, 1, 1)), "an axis too many"),
            (np.vstack([TABLE, TABLE[:1]]), "axis 0 is 1 too long: first or last?"),
            (np.vstack([TABLE, TABLE]), "look at axis 0"),
            ([[np.nan, 1], [0.3, 0.7]], "entry (0, 0) is nan; 0 / 0"),
            ([[0.2, 0.8], [-np.inf, 0.7]], "entry (1, 0) is -inf; log(0)"),
            (TABLE.T, "transposed: A[i, j] goes from i to j"),
            (TABLE[::-1], "runs backwards"),
            (TABLE[:, ::-1], "last axis are in reverse order"),
            (-TABLE, "the sign is the other way round"),
            (np.log(TABLE), "take exp"),
            (np.exp(TABLE), "take the log"),
            (TABLE / np.log(2), "this is in bits"),
            (TABLE * np.log(2), "this is in nats"),
            (100 * TABLE, "in percent"),
            (3 * TABLE, "every entry is 3 times what it should be"),
            (
                TABLE + np.array([[0, 0], [0.05, 0]]),
                "1 of 4 entries are off; the first is entry (1, 0)",
            ),
            (TABLE + np.array([[0, 0.05], [0.05, 0]]), "0.85 is too large"),
        ],
    )
    def test_names_the_mistake(self, answer, message):
        assert message in wrong_value(answer, TABLE)

    @pytest.mark.parametrize(
        "answer, message",
        [
            (TALL.T, "expected shape (4, 3) (time, state), got (3, 4); transposed?"),
            (TALL[1:], "the time axis is 1 too short"),
            (np.roll(TALL, 1, axis=0), "shifted by one step"),
            (np.vstack([TALL[1:], [0.0, 0.4, 0.6]]), "shifted by one step"),
            (TALL[::-1], "runs backwards"),
            (TALL / TALL.sum(axis=0), "columns sum to 1, rows do not"),
            (TALL / TALL.sum(), "all entries together sum to 1"),
            (TALL * [[1], [0.5], [1], [1]], "row (1,) sums to 0.5, not 1; did you normalise?"),
            (TALL - [[0.3, -0.3, 0.0]], "entry (0, 0) is negative"),
            (1 - TALL, "(0,) sums to 2, not 1"),
            (np.log(TALL), "log probabilities; take exp"),
            (TALL + np.array([0.1, -0.1, 0.0]), "entry (0, 0) (time 0, state 0): 0.3 is too large"),
        ],
    )
    def test_names_the_mistake_in_a_table_of_probabilities(self, answer, message):
        assert message in wrong_value(answer, TALL, axes=("time", "state"), distribution=True)

    @pytest.mark.parametrize(
        "answer, message",
        [
            (2.5, "2.5 is too small"),
            (3.5, "3.5 is too large"),
            ([3.0], "expected one number, got shape (1,)"),
            (np.log(np.pi), "logarithm of the answer"),
            (3.14, "rounded; leave the rounding to print"),
            (float("nan"), "it is nan"),
            (np.inf, "it is inf"),
            (1 - np.pi, "one minus the answer"),
            (np.pi**2, "square of the answer"),
        ],
    )
    def test_names_the_mistake_in_a_number(self, answer, message):
        assert message in wrong_value(answer, np.pi)

    def test_likely_mistakes_are_asked_first(self):
        likely = [(TABLE.T, "the table was read by columns")]
        assert "by columns" in wrong_value(TABLE.T, TABLE, likely=likely)

    def test_likely_mistake_may_have_another_shape(self):
        likely = [(TABLE.sum(), "summed over everything")]
        assert "summed over everything" in wrong_value(2.0, TABLE, likely=likely)

    def test_parts_of_a_tuple_are_named(self):
        want, names = (TABLE[0], TABLE), ("pi", "A")
        assert wrong_value((TABLE[0], TABLE), want, parts=names) is None
        assert wrong_value([TABLE[0], TABLE], want, parts=names) is None
        assert wrong_value((TABLE[0], TABLE.T), want, parts=names).startswith("A: ")
        assert "expected 2 results, pi, A, got an array" in wrong_value(TABLE, want, parts=names)
        assert "got 3 of them" in wrong_value((1, 2, 3), want, parts=names)
        likely = [((TABLE[1], TABLE), "the last row was taken")]
        assert "the last row" in wrong_value((TABLE[1], TABLE), want, parts=names, likely=likely)

    def test_infinity_may_be_the_right_answer(self):
        assert wrong_value([-np.inf, 0.0], np.array([-np.inf, 0.0])) is None
        assert wrong_value([-1.0, 0.0], np.array([-np.inf, 0.0])) is not None

    def test_integer_answers(self):
        path = np.array([0, 0, 1, 2, 1])
        assert wrong_value([0, 0, 1, 2, 1], path) is None
        assert "1 of 5 entries" in wrong_value([0, 0, 1, 2, 2], path)

    def test_never_gives_the_answer_away(self):
        for answer in (TABLE + 0.05, TABLE.T, 0.9 * TABLE, TABLE[0], "x"):
            problem = wrong_value(answer, TABLE)
            assert not any(f"{value:.4g} " in problem for value in TABLE.ravel())

    def test_gradient_tracking_tensor_is_no_accident(self):
        assert wrong_value(torch.tensor(TABLE, requires_grad=True), TABLE) is not None


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers(-(10**30), 10**30)
        | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
        max_leaves=6,
    )
)
def test_property_any_answer_gives_one_line(answer):
    out = io.StringIO()
    with redirect_stdout(out):
        check_table(answer)
        check_parts(answer, answer)
    lines = out.getvalue().splitlines()
    assert len(lines) == 2 and all(line[0] in "✗○" for line in lines)


def running_mean(x):
    return np.cumsum(x) / np.arange(1, len(x) + 1)


class TestWrongFunction:
    CASES = (np.array([1.0, 2.0, 4.0]), np.array([3.0, -1.0, 0.5, 2.0]))

    def problem(self, function):
        likely = [(np.cumsum, "this is the sum: divide by the number of steps so far")]
        return wrong_function(
            function, list(self.CASES), want=running_mean, likely=likely, axes=("time",)
        )

    def test_right(self):
        assert self.problem(running_mean) is None
        assert self.problem(lambda x: [sum(x[: t + 1]) / (t + 1) for t in range(len(x))]) is None

    def test_likely_wrong_function(self):
        assert "this is the sum" in self.problem(np.cumsum)

    def test_result_instead_of_function(self):
        assert "give the function itself" in self.problem(running_mean(self.CASES[0]))

    @pytest.mark.parametrize("unfinished", [lambda x: None, lambda x: ..., lambda x: [None, 1]])
    def test_unfinished_function(self, unfinished):
        @exercise("1.4 Mean")
        def check_mean(function):
            return self.problem(function)

        assert line_of(check_mean, unfinished) == "○ 1.4 Mean: not answered yet"

    def test_function_that_says_it_is_not_implemented(self):
        def function(x):
            raise NotImplementedError

        assert self.problem(function) == "○"

    @pytest.mark.parametrize(
        "wrong, message",
        [
            (lambda x: x[len(x)], "raised IndexError"),
            (lambda x: x / zero, "raised NameError"),  # noqa: F821  the mistake under test
            (lambda: 1, "raised TypeError"),
            (lambda x: x @ np.ones((7, 2)), "raised ValueError"),
            (lambda x: 1 / 0, "a sum is 0 before you divide"),
            (lambda x: running_mean(x)[:-1], "the time axis is 1 too short"),
            (lambda x: running_mean(x)[::-1], "with input [1., 2., 4.]: not the right values"),
            (lambda x: exit(), "raised SystemExit"),
        ],
    )
    def test_names_the_mistake(self, wrong, message):
        assert message in self.problem(wrong)

    def test_argument_that_was_changed(self):
        def function(x):
            result = running_mean(x)
            x[0] = 0.0
            return result

        assert "changes its argument" in self.problem(function)

    def test_cases_are_not_changed_by_the_function(self):
        case = np.array([1.0, 2.0])

        def function(x):
            x[:] = 0
            return x

        wrong_function(function, [case], want=running_mean)
        assert case.tolist() == [1.0, 2.0]

    def test_warnings_of_the_function_stay_inside(self):
        assert "log(0)" in self.problem(lambda x: np.log(np.zeros(len(x))))

    def test_several_arguments_and_results(self):
        cases = [(np.array([1.0, 2.0]), 3), (np.array([0.5]), 0)]
        problem = wrong_function(
            lambda x, n: (x * n, n), cases, want=lambda x, n: (x * n, n + 1), parts=("scaled", "n")
        )
        assert problem == "with input [1., 2.], 3: n: 3 is too small"

    def test_ragged_argument_is_shown(self):
        sequences = [np.array([0, 1, 1]), np.array([1, 0])]
        problem = wrong_function(lambda s: 4, [(sequences,)], want=lambda s: sum(map(len, s)))
        assert problem == "with input [[0, 1, 1], [1, 0]]: 4 is too small"

    def test_long_arguments_are_cut(self):
        problem = wrong_function(lambda x: 1, [np.arange(99.0)], want=np.sum)
        assert problem == "with input [ 0., 1., 2., ..., 96., 97., 98.]: 1 is too small"

    def test_function_right_on_one_case_only(self):
        assert self.problem(lambda x: np.array([1.0, 1.5, 7 / 3])) is not None


class TestWrongChoice:
    def test_words(self):
        assert wrong_choice("  Filter ", "filter") is None
        likely = {"smoother": "it needs the future"}
        assert "it needs the future" in wrong_choice("smoother", "filter", likely=likely)
        assert "read the question once more" in wrong_choice("other", "filter")
        among = ("filter", "smoother")
        assert "choose from filter, smoother" in wrong_choice("x", "filter", among=among)

    def test_truth_is_not_a_number(self):
        assert wrong_choice(True, True) is None
        assert "expected True or False" in wrong_choice(1, True)
        assert wrong_choice(np.bool_(False), False) is None
        assert wrong_choice(True, False) is not None

    def test_whole_numbers(self):
        assert wrong_choice(np.int64(3), 3) is None
        assert wrong_choice(3.0, 3) is None
        assert "off by one" in wrong_choice(4, 3, likely={4: "off by one"})
        assert wrong_choice(float("nan"), 3) is not None
        assert wrong_choice(2.5, 3) is not None

    @pytest.mark.parametrize("junk", [*JUNK, _Hostile(), [np.zeros(2)], [[1]]])
    def test_junk(self, junk):
        @exercise("1.5 Choice")
        def check_choice(answer):
            return wrong_choice(answer, "filter")

        assert line_of(check_choice, junk).startswith("✗ 1.5 Choice: ")

    def test_sets(self):
        assert wrong_choice(["b", "a"], {"a", "b"}) is None
        assert "1 missing and 1 too many" in wrong_choice({"a", "c"}, {"a", "b"})
        assert "not one of" in wrong_choice({"z"}, {"a"}, among=("a", "b"))
        assert "the last one" in wrong_choice({"a"}, {"a", "b"}, likely={("a",): "the last one"})


class TestWrongClaim:
    CLAIMS = (
        (lambda A: np.allclose(np.sum(A, axis=1), 1), "rows must sum to 1"),
        (lambda A: A[0][0] == 0, "state 0 must be left at once"),
    )

    def test_all_true(self):
        assert wrong_claim([[0.0, 1.0], [0.5, 0.5]], self.CLAIMS) is None

    def test_first_that_fails(self):
        assert wrong_claim([[0.5, 0.5], [0.5, 0.5]], self.CLAIMS) == "state 0 must be left at once"
        assert wrong_claim([[0.5, 0.4], [0.5, 0.5]], self.CLAIMS) == "rows must sum to 1"

    def test_exception_in_a_test_is_a_failure(self):
        assert wrong_claim("text", self.CLAIMS) == "rows must sum to 1"
