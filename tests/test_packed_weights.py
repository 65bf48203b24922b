"""Weights as short text: what is stored is what was given, rounded, in both languages."""

import numpy as np
import pytest

from course_lib.demos import _packed_weights
from course_lib.demos._packed_weights import check_cell, pack, pack_cell, run_cell, unpack
from course_lib.gru import gru_forward, init_gru
from course_lib.lstm import init_lstm, lstm_forward
from course_lib.rnn import init_rnn, rnn_forward
from tests.test_demos_flow_parity import javascript

D, H = 3, 5
CELLS = {
    "gru": (init_gru, gru_forward),
    "lstm": (init_lstm, lstm_forward),
    "rnn": (init_rnn, rnn_forward),
}


class TestPack:
    @pytest.mark.parametrize(
        "x, step", [([3.2767], 1), ([3.2768], 2), ([-6.5534], 2), ([6.56], 5), ([300.0, -2], 100)]
    )
    def test_large_weights_get_coarser_steps_and_are_rounded_to_them(self, x, step):
        packed = pack("w", np.array(x))
        assert packed[:2] == [0, step]
        np.testing.assert_allclose(unpack(packed), x, rtol=0, atol=step * 0.5e-4)

    def test_rows_come_back_in_their_places_in_both_languages(self, rng):
        x = rng.normal(size=(D, H))
        packed = pack("w", x)
        np.testing.assert_allclose(unpack(packed), x, rtol=0, atol=0.5e-4)
        (mine,) = javascript([("unpack", packed)])
        assert mine == unpack(packed).tolist()  # to the last bit

    def test_packing_what_was_unpacked_changes_nothing(self, rng):
        for scale in (1, 5, 40):
            packed = pack("w", scale * rng.normal(size=(D, H)))
            assert pack("w", unpack(packed)) == packed

    @pytest.mark.parametrize(
        "x, message",
        [
            ([np.nan], "w must be finite"),
            ([328.0], "w: weights must be at most 327 in size"),
            (np.ones((2, 2, 2)), r"one or two axes and an entry, got shape \(2, 2, 2\)"),
            ([], "one or two axes and an entry"),
        ],
    )
    def test_what_cannot_be_stored_is_named(self, x, message):
        with pytest.raises(ValueError, match=message):
            pack("w", x)


class TestCell:
    @pytest.mark.parametrize("kind", CELLS)
    def test_a_stored_cell_is_the_given_one_to_four_decimals(self, rng, kind):
        start, forward = CELLS[kind]
        params = start(D, H, rng)
        data = pack_cell("one", params, readout=np.ones(H))
        check_cell("one", data, D, H)
        x = rng.normal(size=(2, 7, D))
        # a weight is off by 0.5e-4; a few dozen of them add up
        np.testing.assert_allclose(
            run_cell(data, x), forward(x, params).h[:, 1:], rtol=0, atol=2e-3
        )
        assert _packed_weights.unpack_all(data)["readout"].tolist() == [1.0] * H

    @pytest.mark.parametrize("kind", CELLS)
    def test_javascript_runs_the_same_cell(self, rng, kind):
        data = pack_cell("one", CELLS[kind][0](D, H, rng))
        x = rng.normal(size=(6, D))
        (mine,) = javascript([("packed", data, x.tolist())])
        np.testing.assert_allclose(mine, run_cell(data, x[None])[0], rtol=0, atol=1e-12)

    def test_another_size_or_kind_is_refused(self, rng):
        data = pack_cell("one", init_lstm(D, H, rng))
        with pytest.raises(ValueError, match=r"one\.W_xa must have shape \(4, 20\)"):
            check_cell("one", data, D + 1, H)
        with pytest.raises(ValueError, match="kind must be rnn, lstm or gru, got 'cnn'"):
            check_cell("one", {**data, "kind": "cnn"}, D, H)
        with pytest.raises(ValueError, match="params of one must be RNNParams, LSTMParams"):
            pack_cell("one", 3)
