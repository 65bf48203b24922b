"""The reversal task, against a stack in plain Python."""

import numpy as np
import pytest

from course_lib.datasets.copying import copy_task
from course_lib.datasets.reversal import reversal_task
from course_lib.datasets.task import score_task


def stack(x):
    """Answers of a stack: put on until the signal, then take off; 0 where nothing is asked."""
    answers = []
    for row in x:
        pile, answer, taking = [], [], False
        for symbol in row.argmax(axis=1):
            answer.append(int(pile.pop()) if taking else 0)
            if symbol == x.shape[2] - 1:
                taking = True
            elif not taking:
                pile.append(symbol)
        answers.append(answer)
    return np.array(answers)


def test_a_stack_reaches_the_ceiling(rng):
    task = reversal_task(41, 5, 4, rng)
    assert score_task(task, np.eye(5)[stack(task.x)]) == task.ceiling == 1.0


@pytest.mark.parametrize("constant", range(3))
def test_a_constant_answer_scores_chance(constant, rng):
    task = reversal_task(20_000, 3, 2, rng)
    score = score_task(task, np.eye(3)[np.full(task.target.shape, constant)])
    assert score == pytest.approx(task.chance, abs=0.01)  # 4 standard errors of 40 000 answers


def test_layout(rng):
    task = reversal_task(19, 5, 3, rng)
    assert task.x.shape == (19, 7, 7) and task.x.dtype == np.float64
    assert (task.x.sum(axis=2) == 1).all()
    symbols = task.x.argmax(axis=2)
    assert (symbols[:, :3] < 5).all() and (symbols[:, 3] == 6).all() and (symbols[:, 4:] == 5).all()
    np.testing.assert_array_equal(task.target[:, 4:], symbols[:, 2::-1])
    assert task.weight.sum() == 19 * 3 and (task.weight[:, :4] == 0).all()
    assert (task.name, task.n_out, task.where) == ("reversal, 3 symbols", 5, "every")


def test_same_inputs_as_the_copy_task_without_delay():
    copy = copy_task(17, 4, 3, 1, np.random.default_rng(3))
    task = reversal_task(17, 4, 3, np.random.default_rng(3))
    np.testing.assert_array_equal(task.x, copy.x)
    np.testing.assert_array_equal(task.target[:, -3:], copy.target[:, :-4:-1])


@pytest.mark.parametrize("n, n_symbols, length", [(0, 3, 2), (2, 1, 2), (2, 3, 0), (2, 3, 1.5)])
def test_too_small_numbers_are_refused(n, n_symbols, length, rng):
    with pytest.raises(ValueError, match="must be a whole number of at least"):
        reversal_task(n, n_symbols, length, rng)
