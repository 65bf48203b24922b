"""Weights that are written down make no mistake, at any length."""

import numpy as np
import pytest

from course_lib.datasets.adding import adding_task
from course_lib.datasets.memory import memory_task
from course_lib.datasets.parity import parity_task
from course_lib.datasets.task import score_task
from course_lib.ladder import by_hand

SETTINGS = {
    "memory": (by_hand.memory, memory_task, ("HMM", "RNN", "LSTM", "GRU"), 1),
    "parity": (by_hand.parity, parity_task, ("HMM", "RNN"), 2),
}


@pytest.mark.parametrize("length", [1, 7, 200, 1500])
@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_model_is_always_right(rng, name, length):
    answer, draw, models, least = SETTINGS[name]
    task = draw(50, max(length, least), rng)
    outputs = answer(task.x)
    assert tuple(outputs) == models
    for model, scores in outputs.items():
        assert score_task(task, scores) == 1.0, model


def test_parity_is_right_at_every_step(rng):
    x = parity_task(40, 60, rng).x
    odd = np.cumsum(x[..., 0], axis=1) % 2
    for model, scores in by_hand.parity(x).items():
        np.testing.assert_array_equal(scores.argmax(axis=2), odd, err_msg=model)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_answers_are_not_close(rng, name):
    """A unit that is nearly 0 would forget with the next rounding."""
    answer, draw, *_ = SETTINGS[name]
    for model, scores in answer(draw(50, 300, rng).x).items():
        assert np.abs(scores[..., 1] - scores[..., 0])[:, -1].min() > 0.5, model


@pytest.mark.parametrize("T, error", [(2, 1e-4), (30, 1e-4), (200, 4e-4)])
def test_sums_are_right_to_a_ten_thousandth(rng, T, error):
    task = adding_task(300, T, rng)
    ((model, sums),) = by_hand.adding(task.x).items()
    assert model == "RNN"
    # tanh bends by v^3 / 3, which is 1 / 30 000 of a number at 1 / 100; the sum bends at each step
    np.testing.assert_allclose(sums[:, -1, 0], task.target, rtol=0, atol=error)
