"""One format for every model: validation, and JSON that loses nothing."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib.trace import Series, Trace


def small():
    alpha = np.array([[0.25, 0.75], [1.0, 0.0], [0.1, 0.9]])
    series = (
        Series("alpha", alpha, labels=("fair", "loaded"), low=0, high=1),
        Series("log_c", [-0.5, -np.inf, -2.0], high=0, unit="nats"),
    )
    return Trace("forward filter", series, steps=("6", "1", "6"))


class TestTrace:
    def test_reads_by_name(self):
        trace = small()
        assert trace.T == 3 and trace.names == ["alpha", "log_c"]
        assert trace["log_c"][2] == -2.0

    def test_unknown_name_lists_the_known_ones(self):
        with pytest.raises(ValueError, match=r"no series 'beta'.*there are: alpha, log_c"):
            small()["beta"]

    def test_nothing_can_be_changed(self):
        values = np.array([1.0, 2.0])
        trace = Trace("m", (Series("x", values),))
        values[0] = 9
        assert trace["x"][0] == 1
        with pytest.raises(ValueError, match="read-only"):
            trace["x"][0] = 9
        with pytest.raises(AttributeError):
            trace.model = "other"

    def test_json_round_trip(self):
        there, back = small(), Trace.from_json(small().to_json())
        assert back.model == there.model and back.steps == there.steps
        for a, b in zip(there.series, back.series, strict=True):
            assert (a.name, a.labels, a.low, a.high, a.unit) == (
                b.name, b.labels, b.low, b.high, b.unit)  # fmt: skip
            assert a.values.dtype == b.values.dtype
            np.testing.assert_array_equal(a.values, b.values)

    def test_json_is_strict(self):
        assert "Infinity" not in small().to_json()
        json.loads(small().to_json(), parse_constant=lambda name: pytest.fail(name))


class TestBadInput:
    @pytest.mark.parametrize(
        "make, message",
        [
            (lambda: Series("", [1.0]), "name must be a text"),
            (lambda: Series("x", []), r"shape \(T, ...\), got float64 of shape \(0,\)"),
            (lambda: Series("x", 3.0), r"numbers over time"),
            (lambda: Series("x", ["a"]), "numbers over time"),
            (lambda: Series("x", [[0.5], [1.5]], high=1), r"got 1.5 at t=1, index \(1, 0\)"),
            (lambda: Series("x", [-1.0], low=0), r"must lie in \[0, None\], got -1.0 at t=0"),
            (lambda: Series("x", [[1.0, 2.0]], labels=["a"]), "second axis of .1, 2., got 1"),
            (lambda: Series("x", [1.0], labels=["a"]), "second axis"),
            (lambda: Trace("m", ()), "at least one series"),
            (lambda: Trace("m", (Series("x", [1.0]), Series("x", [2.0]))), "got 'x' more than"),
            (
                lambda: Trace("m", (Series("x", [1.0]), Series("y", [1.0, 2.0]))),
                "must have 1 time steps as 'x' has, got 2 in 'y'",
            ),
            (lambda: Trace("m", (Series("x", [1.0]),), steps=("a", "b")), "1 time steps, got 2"),
        ],
    )
    def test_is_refused_with_reason(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    @pytest.mark.parametrize(
        "text, message",
        [
            ("{", "must be JSON text"),
            ("[1]", "JSON object with v = 1, got 'list'"),
            ('{"v": 2}', "v = 1, got 2"),
            ('{"v": 1, "model": "m"}', "not a whole trace"),
        ],
    )
    def test_json(self, text, message):
        with pytest.raises(ValueError, match=message):
            Trace.from_json(text)

    def test_json_with_objects(self):
        document = json.loads(small().to_json())
        document["series"][0]["dtype"] = "|O"
        with pytest.raises(ValueError, match="must be numbers, got dtype object"):
            Trace.from_json(json.dumps(document))


@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.int64, np.bool_, np.float32]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
    )
)
def test_property_json_keeps_every_bit(values):
    back = Trace.from_json(Trace("m", (Series("x", values),)).to_json())["x"]
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)
