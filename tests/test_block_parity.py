"""The printed comparison of the block with PyTorch's: complete, within its limit, able to fail."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib import block_parity

LIMIT = 1e-10  # float64 leaves about 1e-14
QUANTITIES = [
    *("outputs", "dx"),
    *("dW_q", "dW_k", "dW_v", "dW_o", "db_q", "db_k", "db_v", "db_o"),
    *("dgain_1", "dbias_1", "dgain_2", "dbias_2", "dW_1", "db_1", "dW_2", "db_2"),
]


@pytest.mark.parametrize("seed", [0, 1])
def test_all_rows_are_there_and_within_the_limit(seed):
    rows = block_parity.block_parity(seed)
    assert [row.quantity for row in rows] == QUANTITIES * len(block_parity.BLOCKS)
    assert {row.cell for row in rows} == {
        *("pre-norm, relu", "pre-norm, gelu", "post-norm, relu", "post-norm, gelu")
    }
    assert [row for row in rows if not row.difference <= LIMIT] == []


@pytest.mark.parametrize("norm, activation", block_parity.BLOCKS)
def test_nothing_is_equal_by_being_zero(norm, activation):
    ours, _ = block_parity.compare(norm, activation, None, np.random.default_rng(0))
    small = {key for key, value in ours.items() if np.abs(value).max() < 1e-3}
    assert small == {"db_k"}, "it moves all scores of a row by the same; all others must be felt"


def test_one_wrong_gradient_shows(monkeypatch):
    def wrong(dy, trace, params):
        grads = backward(dy, trace, params)
        return replace(grads, params=replace(grads.params, gain_2=grads.params.gain_2 + 1e-6))

    backward = block_parity.block_backward
    monkeypatch.setattr(block_parity, "block_backward", wrong)
    far = {row.quantity for row in block_parity.block_parity() if row.difference > LIMIT}
    assert far == {"dgain_2"}


def test_a_mask_that_only_one_side_obeys_shows(monkeypatch):
    def blind(*args, mask, **options):
        return forward(*args, mask=None, **options)

    forward = block_parity.block_forward
    monkeypatch.setattr(block_parity, "block_forward", blind)
    far = {row.quantity for row in block_parity.block_parity() if row.difference > LIMIT}
    assert {"outputs", "dx", "dW_q"} <= far
