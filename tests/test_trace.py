"""The one format of all models: read-only, checked, and the same after a trip through JSON."""

import json

import numpy as np
import pytest
from hmm_models import random_data, random_model

from course_lib import hmm
from course_lib.trace import Series, Trace


def example():
    return Trace(
        "example",
        (
            Series("belief", np.array([[0.1, 0.9], [1 / 3, 2 / 3]]), ("fair", "loaded"), 0, 1),
            Series("log_c", np.array([-np.inf, -1.0]), unit="nats"),
            Series("choice", np.array([1, 0])),
        ),
        ("six", "one"),
    )


class TestTrace:
    def test_series_are_found_by_name(self):
        assert example()["choice"].tolist() == [1, 0]
        assert example().T == 2

    def test_wrong_name_lists_the_right_ones(self):
        with pytest.raises(ValueError, match=r"no series 'alpha'.*belief, log_c, choice"):
            example()["alpha"]

    def test_values_are_a_read_only_copy(self):
        source = np.array([1.0, 2.0])
        series = Series("x", source)
        source[0] = 5.0
        assert series.values[0] == 1.0
        with pytest.raises(ValueError, match="read-only"):
            series.values[0] = 3.0

    def test_repr_is_one_fixed_line(self):
        assert repr(example()) == "Trace('example', T=2, series=belief, log_c, choice)"

    @pytest.mark.parametrize(
        "make, message",
        [
            (lambda: Series("", [1.0]), "name must be a text"),
            (lambda: Series("x", 1.0), r"values of 'x' must be numbers over time"),
            (lambda: Series("x", ["a"]), r"values of 'x' must be numbers over time"),
            (lambda: Series("x", []), r"values of 'x' must be numbers over time"),
            (
                lambda: Series("x", [0.5, 1.5], high=1.0),
                r"must lie in \[None, 1.0\], got 1.5 at t=1",
            ),
            (lambda: Series("x", [[0.5, -1]], low=0.0), r"got -1.0 at t=0, index \(0, 1\)"),
            (lambda: Series("x", [[1.0, 2.0]], ("a",)), "labels of 'x' must name the second axis"),
            (lambda: Trace("m", ()), "at least one series"),
            (lambda: Trace("m", (Series("x", [1]), Series("x", [1]))), "'x' more than once"),
            (
                lambda: Trace("m", (Series("x", [1]), Series("y", [1, 2]))),
                "1 time steps as 'x' has",
            ),
            (lambda: Trace("m", (Series("x", [1]),), ("a", "b")), "steps must name 1 time steps"),
        ],
    )
    def test_bad_ones_are_named(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()


class TestJson:
    def test_round_trip_keeps_every_bit(self):
        before, after = example(), Trace.from_json(example().to_json())
        assert (after.model, after.names, after.steps) == (before.model, before.names, before.steps)
        for old, new in zip(before.series, after.series, strict=True):
            np.testing.assert_array_equal(old.values, new.values, strict=True)
            assert (old.labels, old.low, old.high, old.unit) == (
                *(new.labels, new.low, new.high, new.unit),
            )

    def test_text_is_strict_json_with_a_version(self):
        def refuse(constant):
            raise AssertionError(constant)

        assert json.loads(example().to_json(), parse_constant=refuse)["v"] == 1

    def test_nan_and_booleans_survive(self):
        trace = Trace("m", (Series("x", [np.nan, np.inf]), Series("on", [True, False])))
        after = Trace.from_json(trace.to_json())
        np.testing.assert_array_equal(after["x"], [np.nan, np.inf])
        assert after["on"].dtype == bool

    @pytest.mark.parametrize(
        "text, message",
        [
            ("{", "must be JSON text"),
            ("[]", "got 'list'"),
            ('{"v": 2}', "with v = 1, got 2"),
            ('{"v": 1, "model": "m"}', "not a whole trace"),
            ('{"v": 1, "model": "m", "steps": null, "series": [{"name": "x"}]}', "not a whole"),
        ],
    )
    def test_other_text_is_refused(self, text, message):
        with pytest.raises(ValueError, match=message):
            Trace.from_json(text)

    def test_object_arrays_are_refused(self):
        document = json.loads(example().to_json())
        document["series"][0]["dtype"] = "|O"
        with pytest.raises(ValueError, match="must be numbers, got dtype object"):
            Trace.from_json(json.dumps(document))


def test_filter_writes_a_trace(rng):
    model = random_model(rng, "categorical", K=3)
    run = hmm.forward_filter(random_data(rng, model, 1, 4)[0], *model)
    trace = Trace.from_json(run.to_trace(("a", "b", "c"), "wxyz").to_json())
    np.testing.assert_array_equal(trace["alpha"], run.alpha)
    assert trace.series[0].labels == ("a", "b", "c") and trace.steps == ("w", "x", "y", "z")
