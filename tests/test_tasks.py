"""Tasks with a stated chance and ceiling: the process is as described, and both levels are true.

The oracle of a ceiling is a rule that reads the answer off the input by plain Python.
"""

import numpy as np
import pytest

from course_lib.datasets.adding import adding_task
from course_lib.datasets.copying import copy_task
from course_lib.datasets.memory import memory_task
from course_lib.datasets.parity import parity_task
from course_lib.datasets.task import Task, score_task

MAKE = {
    "memory": lambda n, rng: memory_task(n, 7, rng, n_classes=3, n_distractors=2),
    "adding": lambda n, rng: adding_task(n, 9, rng),
    "copy": lambda n, rng: copy_task(n, 5, 3, 4, rng),
    "parity": lambda n, rng: parity_task(n, 6, rng),
}


def first_symbol(x):
    return [int(np.argmax(row[0])) for row in x]


def marked_sum(x):
    return [sum(value for value, marker in row if marker) for row in x]


def repeated(x):
    """What was shown, at the steps after the signal."""
    answers = []
    for row in x:
        symbols = [int(np.argmax(step)) for step in row]
        signal = symbols.index(row.shape[1] - 1)
        shown = [s for s in symbols if s < row.shape[1] - 2]
        answers.append([0] * (signal + 1) + shown)
    return answers


def odd_ones(x):
    return [int(row.sum()) % 2 for row in x]


RULES = {"memory": first_symbol, "adding": marked_sum, "copy": repeated, "parity": odd_ones}


def outputs_for(task, answers):
    """Scores of a model that gives these answers, one a step."""
    answers = np.asarray(answers)
    if answers.ndim == 1:
        answers = np.repeat(answers[:, None], task.x.shape[1], axis=1)
    return answers[..., None] if task.measure == "mse" else np.eye(task.n_out)[answers]


@pytest.mark.parametrize("kind", MAKE)
class TestEveryTask:
    def test_the_rule_reaches_the_ceiling_exactly(self, kind, rng):
        task = MAKE[kind](53, rng)
        score = score_task(task, outputs_for(task, RULES[kind](task.x)))
        assert score == pytest.approx(task.ceiling, abs=1e-15)

    def test_the_best_constant_answer_scores_chance(self, kind, rng):
        task = MAKE[kind](40_000, rng)
        constants = [1.0] if task.measure == "mse" else range(task.n_out)
        shape = (40_000, task.x.shape[1])
        for constant in constants:
            score = score_task(task, outputs_for(task, np.full(shape, constant)))
            assert score == pytest.approx(task.chance, abs=0.01)  # 4 standard errors of 40 000

    def test_same_generator_gives_the_same_task(self, kind):
        one, two = (MAKE[kind](11, np.random.default_rng(3)) for _ in range(2))
        np.testing.assert_array_equal(one.x, two.x)
        np.testing.assert_array_equal(one.target, two.target)
        other = MAKE[kind](11, np.random.default_rng(4))
        assert not np.array_equal(one.x, other.x)

    def test_inputs_are_float64(self, kind, rng):
        assert MAKE[kind](3, rng).x.dtype == np.float64


class TestMemoryTask:
    def test_shape_and_alphabets(self, rng):
        task = memory_task(17, 6, rng, n_classes=3, n_distractors=4)
        assert task.x.shape == (17, 7, 7)
        symbols = task.x.argmax(axis=2)
        assert (task.x.sum(axis=2) == 1).all()
        assert (symbols[:, 0] < 3).all() and (symbols[:, 1:] >= 3).all()
        assert (task.n_out, task.where, task.chance, task.name) == (
            3,
            "last",
            1 / 3,
            "memory, lag 6",
        )

    def test_distractors_say_nothing_about_the_answer(self, rng):
        task = memory_task(60_000, 2, rng)
        second = task.x[:, 1, 2].astype(bool)
        share = [task.target[second].mean(), task.target[~second].mean()]
        assert share == pytest.approx([0.5, 0.5], abs=0.012)


class TestAddingTask:
    def test_one_mark_in_each_half(self, rng):
        task = adding_task(31, 9, rng)
        marks = task.x[:, :, 1]
        assert (marks[:, :4].sum(axis=1) == 1).all() and (marks[:, 4:].sum(axis=1) == 1).all()
        assert set(np.unique(marks)) == {0.0, 1.0}

    def test_every_step_of_a_half_can_be_marked(self, rng):
        assert (adding_task(400, 5, rng).x[:, :, 1].sum(axis=0) > 0).all()


class TestCopyTask:
    def test_layout(self, rng):
        task = copy_task(19, 5, 3, 4, rng)
        assert task.x.shape == (19, 10, 7)
        symbols = task.x.argmax(axis=2)
        assert (symbols[:, 3:6] == 5).all() and (symbols[:, 6] == 6).all()
        assert (symbols[:, 7:] == 5).all()
        assert task.weight.sum() == 19 * 3 and task.where == "every"

    def test_delay_of_one_puts_the_signal_right_behind_the_symbols(self, rng):
        symbols = copy_task(4, 3, 2, 1, rng).x.argmax(axis=2)
        assert (symbols[:, 2] == 4).all() and symbols.shape == (4, 5)


class TestParityTask:
    def test_one_hidden_bit_leaves_nothing(self, rng):
        task = parity_task(60_000, 4, rng)
        seen = task.x[:, [0, 1, 3], 0].sum(axis=1) % 2
        assert np.mean(seen == task.target) == pytest.approx(0.5, abs=0.01)


class TestScoreTask:
    def test_only_weighted_steps_count(self, rng):
        task = copy_task(7, 4, 2, 3, rng)
        answers = np.array(repeated(task.x))
        answers[:, :5] = 3  # wrong or not: nothing is asked there
        assert score_task(task, outputs_for(task, answers)) == 1.0
        answers[:, -1] = (answers[:, -1] + 1) % 4
        assert score_task(task, outputs_for(task, answers)) == 0.5

    def test_last_step_alone_counts_where_one_answer_is_asked(self, rng):
        task = parity_task(13, 5, rng)
        outputs = outputs_for(task, 1 - task.target)
        outputs[:, -1] = np.eye(2)[task.target]
        assert score_task(task, outputs) == 1.0

    def test_mean_squared_error_by_hand(self):
        task = Task("two", np.zeros((2, 3, 1)), np.array([1.0, 2.0]), 1, 0.5, 0.0, "mse")
        outputs = np.zeros((2, 3, 1))
        outputs[:, -1, 0] = [1.5, 0.0]
        assert score_task(task, outputs) == (0.25 + 4.0) / 2

    @pytest.mark.parametrize("shape", [(13, 5), (13, 4, 2), (13, 5, 3)])
    def test_wrong_shape_is_refused(self, rng, shape):
        with pytest.raises(ValueError, match=r"outputs must have shape \(13, 5, 2\)"):
            score_task(parity_task(13, 5, rng), np.zeros(shape))

    def test_not_a_number_is_refused(self, rng):
        with pytest.raises(ValueError, match="did the training diverge"):
            score_task(parity_task(13, 5, rng), np.full((13, 5, 2), np.nan))


class TestBadInput:
    @pytest.mark.parametrize(
        "make, message",
        [
            (lambda g: memory_task(3, 0, g), "lag must be a whole number of at least 1, got 0"),
            (lambda g: memory_task(3, 2, g, n_classes=1), "n_classes must be .* 2, got 1"),
            (lambda g: memory_task(3, 2, g, n_distractors=0), "n_distractors must be"),
            (lambda g: memory_task(0, 2, g), "n must be"),
            (lambda g: memory_task(3, 2.5, g), "lag must be .* got 2.5"),
            (lambda g: adding_task(3, 1, g), "T must be a whole number of at least 2"),
            (lambda g: copy_task(3, 1, 2, 2, g), "n_symbols must be"),
            (lambda g: copy_task(3, 2, 0, 2, g), "length must be"),
            (lambda g: copy_task(3, 2, 2, 0, g), "delay must be"),
            (lambda g: parity_task(3, 1, g), "T must be"),
            (lambda g: parity_task(True, 4, g), "n must be"),
        ],
    )
    def test_number_that_is_too_small_is_named(self, rng, make, message):
        with pytest.raises(ValueError, match=message):
            make(rng)

    @pytest.mark.parametrize(
        "changes, message",
        [
            ({"x": np.zeros((2, 3))}, r"x must have shape \(N, T, D\)"),
            ({"target": np.zeros(3, int)}, r"target must have shape \(2,\) or \(2, 3\)"),
            ({"measure": "f1"}, "measure must be one of"),
            ({"target": np.array([0, 2])}, "classes from 0 to 1, got 0 to 2"),
            ({"weight": np.ones((2, 3))}, "weight must have the shape"),
            ({"target": np.zeros((2, 3), int), "weight": np.zeros((2, 3))}, "at least one step"),
        ],
    )
    def test_task_that_does_not_fit_together_is_refused(self, changes, message):
        good = dict(name="t", x=np.zeros((2, 3, 1)), target=np.array([0, 1]), n_out=2,
                    chance=0.5, ceiling=1.0)  # fmt: skip
        Task(**good)
        with pytest.raises(ValueError, match=message):
            Task(**{**good, **changes})
