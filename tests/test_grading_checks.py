"""Checks cannot be fooled: each function has a list of wrong answers, and rejects every one."""

import ast
import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from course_lib.grading import checks, codec, compare, handout, here
from course_lib.grading.checks import (
    CheckFailed,
    Outcome,
    StudentError,
    array,
    between,
    check,
    close,
    distribution,
    equal,
    fraction,
    is_true,
    number,
    raises,
    run_check,
)

NAN, INF = math.nan, math.inf
X = np.array([[0.5, 1.5, -2.0], [4.0, 0.25, 1e-3]])


class AlwaysEqual:
    """What a student would return who hopes that == is asked."""

    dtype, shape, ndim, size = X.dtype, X.shape, X.ndim, X.size

    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        return X

    __hash__ = None


class Listlike(list):
    __eq__ = AlwaysEqual.__eq__
    __hash__ = None


class Arraylike(np.ndarray):
    __eq__ = AlwaysEqual.__eq__
    __hash__ = None


class Floatlike(float):
    __eq__ = AlwaysEqual.__eq__
    __hash__ = None


def nudged(by):
    nearly = X.copy()
    nearly[1, 2] += by
    return nearly


WRONG_FOR_MATRIX = {
    "list": X.tolist(),
    "tuple": tuple(map(tuple, X)),
    "list of arrays": list(X),
    "transposed": X.T,
    "flat": X.ravel(),
    "extra axis": X[None],
    "trailing axis": X[..., None],
    "row less": X[:1],
    "empty": X[:0],
    "number": 0.5,
    "no axes": np.array(0.5),
    "integers": X.astype(int),
    "complex": X.astype(complex),
    "bool": X.astype(bool),
    "objects": X.astype(object),
    "texts": X.astype(str),
    "text": "[[0.5, 1.5, -2.0]]",
    "None": None,
    "nan": np.full_like(X, NAN),
    "one nan": np.where(X == 1.5, NAN, X),
    "infinite": np.full_like(X, INF),
    "off by 1e-6": nudged(1e-6),
    "off by -1e-8": nudged(-1e-8),
    "negative": -X,
    "half precision": X.astype(np.float16) + np.float16(0.01),
    "dict": {0: X},
    "pair": (X, X),
    "look-alike": AlwaysEqual(),
    "subclass": X.view(Arraylike),
    "masked": np.ma.masked_array(X, mask=np.ones_like(X)),
    "tensor": codec.Tensor(X),
}


class TestArrays:
    @pytest.mark.parametrize("wrong", WRONG_FOR_MATRIX.values(), ids=WRONG_FOR_MATRIX)
    @pytest.mark.parametrize("require", [close, equal])
    def test_wrong_ones_are_rejected(self, wrong, require):
        with pytest.raises(CheckFailed):
            require(wrong, X)

    def test_right_ones_pass(self):
        close(X.copy(), X)
        equal(X.copy(), X)
        close(np.asfortranarray(X), X)
        close(nudged(1e-13), X)
        close(X.astype(np.float32), X, rtol=1e-6)
        close(np.zeros(0), np.zeros(0))

    def test_equal_allows_no_error_at_all(self):
        with pytest.raises(CheckFailed):
            equal(nudged(1e-15), X)

    def test_tolerances_are_named(self):
        with pytest.raises(TypeError, match="positional"):
            close(X, X, 4)

    def test_the_tolerance_is_relative_to_the_wanted_value(self):
        close(np.array([1e6 + 1]), np.array([1e6]), rtol=2e-6)
        with pytest.raises(CheckFailed):
            close(np.array([1.0]), np.array([1e6]), rtol=2e-6)
        with pytest.raises(CheckFailed):  # a huge answer brings no tolerance of its own
            close(np.array([1e300]), np.array([1.0]), rtol=1)

    @pytest.mark.parametrize(
        "got, want",
        [
            ([INF], [1e308]),
            ([-INF], [INF]),
            ([1e308], [INF]),
            ([NAN], [INF]),
            ([NAN], [0.0]),
            ([0.0], [NAN]),
            ([INF], [NAN]),
            ([1.0, NAN], [NAN, 1.0]),
        ],
    )
    def test_infinities_and_nan_stand_where_they_are_wanted(self, got, want):
        for kind in (float, complex):
            with pytest.raises(CheckFailed):
                close(np.array(got, kind), np.array(want, kind), rtol=0.5, atol=9e9)
            close(np.array(want, kind), np.array(want, kind))

    def test_whole_numbers_are_exact_at_any_size(self):
        big = np.array([2**62, -5])
        close(big.copy(), big)
        with pytest.raises(CheckFailed):
            close(big + np.array([1, 0]), big, rtol=1, atol=10)
        with pytest.raises(CheckFailed):
            close(np.array([2**64 - 1], np.uint64), np.array([-1]))
        close(np.array([3], np.uint8), np.array([3]))

    def test_bools_are_neither_numbers_nor_near(self):
        close(np.array([True]), np.array([True]))
        for wrong in (np.array([False]), np.array([1]), np.array([1.0])):
            with pytest.raises(CheckFailed):
                close(wrong, np.array([True]))

    def test_complex_parts_both_count(self):
        close(np.array([1 + 2j]), np.array([1 + 2j]))
        with pytest.raises(CheckFailed):
            close(np.array([1 + 2.001j]), np.array([1 + 2j]))

    def test_tensors_are_wanted_where_a_tensor_is(self):
        close(codec.Tensor(X), codec.Tensor(X))
        for wrong in (X, codec.Tensor(X.T), codec.Tensor(nudged(1e-6)), X.tolist()):
            with pytest.raises(CheckFailed):
                close(wrong, codec.Tensor(X))
        close(X, codec.Tensor(X), kinds=("array",))


class TestKindsThatAreAllowedToo:
    def test_lists_and_tuples_for_an_array(self):
        for right in (X.tolist(), tuple(map(tuple, X)), X):
            close(right, X, kinds=("list", "tuple"))
        close([1, 2.5], np.array([1, 2.5]), kinds=("list", "int"))
        close([], np.zeros(0), kinds=("list",))

    @pytest.mark.parametrize(
        "wrong",
        [
            X.T.tolist(),
            [X.tolist()],
            X.ravel().tolist(),
            [[0.5, 1.5, -2.0], [4.0, 0.25]],
            [[0.5, 1.5, -2.0], [4.0, 0.25, "0.001"]],
            [[0.5, 1.5, -2.0], [4.0, 0.25, None]],
            [[0.5, 1.5, -2.0], [4, 0.25, 1e-3]],
            [[0.5, 1.5, -2.0], [True, 0.25, 1e-3]],
            [[0.5, 1.5, -2.0], [4.0, 0.25, 1e-3 + 1e-6]],
            [[0.5, 1.5, -2.0], [4.0, 0.25, NAN]],
            [[0.5, 1.5, -2.0], [4.0, 0.25, 1e-3 + 0j]],
            [[0.5, 1.5, -2.0], [4.0, 0.25, [1e-3]]],
            [[0.5, 1.5, -2.0], Listlike([4.0, 0.25, 1e-3])],
            list(X),
            Listlike(X.tolist()),
            [],
            "abc",
            {0: [0.5, 1.5, -2.0], 1: [4.0, 0.25, 1e-3]},
        ],
    )
    def test_wrong_lists_are_rejected(self, wrong):
        with pytest.raises(CheckFailed):
            close(wrong, X, kinds=("list", "tuple"))

    @pytest.mark.parametrize("wrong", [[10**400], [2**63], [1.0], [True], ["1"]])
    def test_wrong_lists_of_whole_numbers(self, wrong):
        with pytest.raises(CheckFailed):
            close(wrong, np.array([1]), kinds=("list",))

    def test_a_huge_whole_number_is_not_near_a_float(self):
        for got in ([10**400], [-(10**400)]):
            with pytest.raises(CheckFailed):
                close(got, np.array([1.0]), kinds=("list", "int"))
            with pytest.raises(CheckFailed):
                close(got[0], 1.0, kinds=("int",))

    def test_whole_numbers_for_floats(self):
        close(2, 2.0, kinds=("int",))
        close(np.array([2]), np.array([2.0]), kinds=("int",))
        for wrong in (3, True, "2", [2], None, 2 + 0j):
            with pytest.raises(CheckFailed):
                close(wrong, 2.0, kinds=("int",))

    def test_a_kind_that_is_no_number_does_not_count_as_one(self):
        for wrong in ([2.0], (2.0,), np.array(2.0)):
            with pytest.raises(CheckFailed):
                close(wrong, 2.0, kinds=("list", "tuple", "array"))
        with pytest.raises(CheckFailed):
            close(2.0, [2.0], kinds=("float",))
        with pytest.raises(CheckFailed):
            close(np.array([2.0]), [2.0], kinds=("list",))


SCALARS = {
    1.5: [
        *(1, 2, "1.5", [1.5], (1.5,), np.array(1.5), np.array([1.5]), None, 1.5 + 0j, NAN, INF),
        *(1.500002, Floatlike(1.5), True, np.float32(1.4), b"1", {1.5}),
    ],
    3: [3.0, np.float64(3), True, 4, 2, "3", [3], np.array(3), np.array([3]), 3 + 0j, None, 3.1],
    True: [1, 1.0, np.int64(1), "True", [True], None, np.array(True), False, np.bool_(False)],
    "sun": ["Sun", "sun ", b"sun", ["s", "u", "n"], None, 0],
    None: [0, False, "", [], NAN, "None"],
    b"ab": ["ab", b"abc", [97, 98], bytearray(b"ab")],
}


class TestNumbersAndTexts:
    @pytest.mark.parametrize("want, wrong", [(w, x) for w, xs in SCALARS.items() for x in xs])
    def test_wrong_ones_are_rejected(self, want, wrong):
        for require in (close, equal):
            with pytest.raises(CheckFailed):
                require(wrong, want)

    @pytest.mark.parametrize("want", [*SCALARS, 1 + 2j, NAN, -INF, 10**300])
    def test_right_ones_pass(self, want):
        close(want, want)
        equal(want, want)

    def test_numbers_of_numpy_are_numbers(self):
        close(np.float64(1.5), 1.5)
        close(np.float32(1.5), 1.5)
        close(1.5, np.float64(1.5))
        close(np.int8(3), 3)
        close(np.bool_(True), True)

    def test_wanting_what_is_no_data_is_the_authors_mistake(self):
        for want in (object(), AlwaysEqual(), np.array(["a"]), np.array([None]), range(3)):
            with pytest.raises(TypeError, match="nothing can be compared"):
                close(want, want)


CONTAINERS = [
    ([1.0, 2.0], [[1.0], [1.0, 2.0, 3.0], [2.0, 1.0], (1.0, 2.0), [1.0, 2], [1.0, None], {1.0}]),
    ([1.0, 2.0], [np.array([1.0, 2.0]), [1.0, 2.000001], [[1.0, 2.0]], Listlike([1.0, 2.0])]),
    ((X, -3.5), [(X, -3.50001), (X.T, -3.5), [X, -3.5], (X,), (-3.5, X), (X, -3.5, 0), X, None]),
    ({"a": 1.0, "b": X}, [{"a": 1.0}, {"a": 1.0, "b": X.T}, {"a": 1, "b": X}, [("a", 1.0)]]),
    ({"a": 1.0}, [{"a": 1.0, "b": 0}, {"A": 1.0}, {b"a": 1.0}, {"a": None}, {}, "a", ["a"]]),
    ({1: "x"}, [{1.0: "x"}, {True: "x"}, {"1": "x"}, {2: "x"}]),
    ({(1, 2): 0}, [{(1.0, 2): 0}, {(True, 2): 0}, {(1, 2, 3): 0}]),
    ({1, 2}, [{1}, {1, 2, 3}, {1, 2.0}, {True, 2}, [1, 2], (1, 2), {1: 0, 2: 0}]),
    ({(1, 0)}, [{(1, False)}, {(1.0, 0)}]),
    ([[1, 2], [3]], [[[1, 2], [3, 4]], [[1, 2], 3], [[1, 2], (3,)], [1, 2, 3], [[1, 2]]]),
]


class TestContainers:
    @pytest.mark.parametrize("want, wrong", [(w, x) for w, xs in CONTAINERS for x in xs])
    def test_wrong_ones_are_rejected(self, want, wrong):
        with pytest.raises(CheckFailed):
            close(wrong, want)

    @pytest.mark.parametrize("want", [want for want, _ in CONTAINERS])
    def test_right_ones_pass_after_a_journey(self, want):
        close(codec.decode(codec.encode(want)), want)

    def test_kinds_hold_inside_too(self):
        close([[1.0, 2.0], 3], (np.array([1.0, 2.0]), 3.0), kinds=("list", "int"))


class TestIsTrue:
    @pytest.mark.parametrize(
        "wrong", [False, np.False_, None, 1, "yes", [True], np.array(True), np.array([True, True])]
    )
    def test_only_true_is_true(self, wrong):
        with pytest.raises(CheckFailed, match="too short"):
            is_true(wrong, "too short")
        is_true(True, "too short")
        is_true(np.True_, "too short")


class TestArrayAndNumber:
    @pytest.mark.parametrize("wrong", WRONG_FOR_MATRIX.values(), ids=WRONG_FOR_MATRIX)
    def test_array_refuses_other_kinds_and_shapes(self, wrong):
        fits = type(wrong) is np.ndarray and wrong.shape == X.shape and wrong.dtype.kind == "f"
        if fits and np.isfinite(wrong).all():
            return
        with pytest.raises(CheckFailed):
            array(wrong, (2, 3))

    def test_array_returns_what_fits(self):
        assert array(X, (2, 3)) is X
        assert array(X, (None, 3)) is X
        assert array(np.array([1]), (1,), of="int").tolist() == [1]
        assert array(np.array([INF]), (1,), finite=False)[0] == INF
        with pytest.raises(CheckFailed, match=r"shape \(any, 2\)"):
            array(X, (None, 2))

    @pytest.mark.parametrize("of", ["bool", "int", "float", "complex"])
    def test_number_takes_one_kind(self, of):
        right = {"bool": True, "int": 1, "float": 1.0, "complex": 1 + 0j}
        for kind, value in right.items():
            if kind == of:
                assert type(number(np.asarray(value)[()], of)) is type(value)
            else:
                with pytest.raises(CheckFailed):
                    number(value, of)
        for wrong in (None, "1", [1.0], np.array(1.0), np.array([1.0]), {}, Floatlike(1.0)):
            with pytest.raises(CheckFailed):
                number(wrong, of)

    def test_number_is_finite(self):
        for wrong in (NAN, INF, -INF, np.float64(NAN)):
            with pytest.raises(CheckFailed):
                number(wrong)
            number(wrong, finite=False)
        with pytest.raises(CheckFailed):
            number(complex(0, NAN), "complex")
        assert number(10**400, "int") == 10**400


class TestBetween:
    @pytest.mark.parametrize(
        "wrong",
        [
            *(-0.1, 1.1, NAN, INF, -INF, 2, True, None, "0.5", [0.5], (0.5,), 0.5j, {0.5}),
            *(np.array([0.5, 1.5]), np.array([0.5, NAN]), np.zeros(0), np.array([True])),
            *(np.array([0.5 + 0j]), np.array(["0.5"]), np.array([None]), 10**400, AlwaysEqual()),
        ],
    )
    def test_wrong_ones_are_rejected(self, wrong):
        with pytest.raises(CheckFailed):
            between(wrong, 0, 1)

    @pytest.mark.parametrize("right", [0, 1, 0.5, np.float32(0.5), np.array([[0.0, 1.0]])])
    def test_right_ones_pass(self, right):
        between(right, 0, 1)


class TestDistribution:
    @pytest.mark.parametrize(
        "wrong",
        [
            *([0.5, 0.5], (0.5, 0.5), 1.0, None, "1", {0.5: 0.5}, np.array(1.0), np.zeros(0)),
            *(np.array([1, 0]), np.array([True, False]), np.array([0.5 + 0j, 0.5 + 0j])),
            *(np.array([0.5, 0.499999]), np.array([-0.5, 1.5]), np.array([NAN, 1.0])),
            *(np.array([INF, -INF]), np.array([INF, 0.0]), np.array([[0.5, 0.5], [0.5, 0.6]])),
            *(np.array(["0.5", "0.5"]), np.array([0.5, 0.5], object), np.zeros((2, 0))),
        ],
    )
    def test_wrong_ones_are_rejected(self, wrong):
        with pytest.raises(CheckFailed), np.errstate(all="ignore"):
            distribution(wrong)

    def test_axis_and_shape(self):
        columns = np.array([[0.5, 0.25], [0.5, 0.75]])
        distribution(columns, axis=0)
        distribution(columns.T, axis=1, shape=(2, None))
        for wrong in (columns[None], columns[:, :1], np.array([0.5, 0.5])):
            with pytest.raises(CheckFailed):
                distribution(wrong, axis=0, shape=(2, 2))
        with pytest.raises(CheckFailed):
            distribution(columns)
        with pytest.raises(CheckFailed):
            distribution(np.array([0.5, 0.5]), axis=1)


class TestFraction:
    @pytest.mark.parametrize(
        "value, part",
        [(0.5, 0), (0.6, 0), (0.7, 0.25), (1.0, 1), (7.0, 1), (NAN, 0), (INF, 0), (-INF, 0)],
    )
    def test_is_linear_in_between(self, value, part):
        assert fraction(value, 0.6, 1.0) == pytest.approx(part)  # sums of floats

    def test_refuses_an_empty_interval(self):
        with pytest.raises(ValueError, match="low < high"):
            fraction(1, 2, 2)


def throws(kind, message="m", name="f"):
    def call():
        raise StudentError(kind, message, "trace", name)

    return call


class TestRaises:
    def test_the_wanted_one_passes(self):
        raises("ValueError", throws("ValueError"))

    def test_nothing_or_another_one_fails(self):
        with pytest.raises(CheckFailed, match="raised nothing"):
            raises("ValueError", lambda: None)
        with pytest.raises(CheckFailed, match="raised another exception"):
            raises("ValueError", throws("TypeError"))

    @pytest.mark.parametrize("kind", ["NotImplementedError", "NameError", "Timeout"])
    def test_an_answer_that_is_not_there_is_told_as_such(self, kind):
        with pytest.raises(StudentError):
            raises("ValueError", throws(kind))

    def test_an_error_of_the_check_is_not_the_students(self):
        with pytest.raises(ZeroDivisionError):
            raises("ZeroDivisionError", lambda: 1 / 0)


SECRET_TEXT = "0.123456789"
TOLD = [  # what a student would return to carry a number of a hidden check out
    {SECRET_TEXT: 1.0},
    SECRET_TEXT,
    [SECRET_TEXT],
    [0.0] * 1234,
    np.zeros((1234, 5678, 0)),
    np.zeros((0,) * 12),
    np.zeros(3, "U1234"),
    np.full((3,), 1234.5),
    np.array([1234.5]),
    1234.5,
    {1234.5},
    b"1234",
    1234,
]


class TestMessages:
    @pytest.mark.parametrize("got", TOLD, ids=lambda got: str(type(got)))
    @pytest.mark.parametrize(
        "want",
        [np.array([0.25, 0.5, 0.0625]), 0.0625, {"a": 0.0625}, [0.0625, 0.5], "0.0625", (1, {})],
        ids=lambda want: str(type(want)),
    )
    def test_of_a_hidden_check_hold_no_values(self, got, want):
        for require in (
            lambda: close(got, want),
            lambda: close(got, want, kinds=("list", "tuple", "int", "float")),
            lambda: array(got, (3,)),
            lambda: number(got),
            lambda: between(got, 0.0625, 0.25),
            lambda: distribution(got),
        ):
            try:
                require()
            except CheckFailed as failed:
                for value in ("1234", "5678", "12 ", "0.0625", "0.25", "0.123"):
                    assert value not in failed.message

    def test_say_kind_and_shape(self):
        with pytest.raises(CheckFailed) as failed:
            close(1.0, np.zeros((7, 3)))
        assert failed.value.message == (
            "should be an array of float with shape (7, 3), not a single float"
        )
        with pytest.raises(CheckFailed) as failed:
            close(np.zeros((8, 3), int), np.zeros((7, 3)))
        assert failed.value.message == (
            "should be an array of float with shape (7, 3), "
            "not an array of int with shape (another length, 3)"
        )
        assert failed.value.detail.endswith("with shape (8, 3)")
        with pytest.raises(CheckFailed, match="not an array of float with 1 axes"):
            close(np.zeros(0), np.zeros((7, 3)))

    def test_say_which_entry(self):
        with pytest.raises(CheckFailed, match=r"entry \[1\] has the right kind and shape, but not"):
            close((X, 1.0), (X, 2.0))
        with pytest.raises(CheckFailed, match=r"entry \[key\] contains NaN") as failed:
            close({"mean": np.array([NAN])}, {"mean": np.array([1.0])})
        assert "key 'mean'" in failed.value.detail

    def test_details_of_many_axes_are_made_at_once(self):
        many = np.zeros((4,) * 11, np.int8)
        for got in (many, [many], {"a": codec.Tensor(many)}):
            with pytest.raises(CheckFailed) as failure:
                close(got, 1.5)
            assert "0, 0, ..., 0, 0" in failure.value.detail

    def test_do_not_say_which_of_many(self):
        """A number up to a thousand could be the message that a student sends."""
        for n, told in ((8, r"entry \[7\] "), (9, r"entry \[\.\.\.\] ")):
            with pytest.raises(CheckFailed, match=told):
                close([0.0] * (n - 1) + [1.0], [0.0] * n)

    def test_details_are_short_lines(self):
        for got in (np.zeros(10**6), "x\ny" * 9999, [[1.5] * 99] * 99, 10**4000, {1: "a" * 9999}):
            with pytest.raises(CheckFailed) as failed:
                close(got, np.zeros(3))
            assert len(failed.value.detail) < 400 and "\n" not in failed.value.detail

    def test_details_name_the_first_difference(self):
        with pytest.raises(CheckFailed) as failed:
            close(nudged(0.5), X)
        assert failed.value.detail == "1 of 6 entries, first at [1, 2]: got 0.501, wanted 0.001"


def made(body, points=2, hidden=True):
    """A check with this function as its content."""

    def name(student):
        """The title.

        More."""
        return body()

    return check("q", points, hidden)(name)


def verdict(body, hidden=True):
    return run_check(made(body, hidden=hidden), None, None, None)


class TestRunCheck:
    @pytest.mark.parametrize(
        "part, points, reason",
        [
            *((None, 2, "passed"), (1, 2, "passed"), (1.0, 2, "passed"), (0.25, 0.5, "partial")),
            *((0, 0, "failed"), (0.0, 0, "failed"), (np.float64(0.5), 1, "partial")),
        ],
    )
    def test_part_of_the_points(self, part, points, reason):
        outcome = verdict(lambda: part)
        assert (outcome.points, outcome.reason) == (points, reason)

    @pytest.mark.parametrize("part", [True, False, -0.1, 1.1, NAN, "1", [1], np.array(1.0), 1j])
    def test_any_other_return_is_the_checks_mistake(self, part):
        with pytest.raises(TypeError, match="must return None or a number in"):
            verdict(lambda: part)

    def test_mistakes_of_the_check_come_through(self):
        with pytest.raises(KeyError):
            verdict(lambda: {}["a"])

    def test_values_are_for_visible_checks_only(self):
        def fail():
            raise CheckFailed("another shape", "got 3")

        assert verdict(fail, True) == Outcome(0, "failed", "another shape", "got 3")
        assert verdict(fail, False) == Outcome(0, "failed", "another shape: got 3", "got 3")

    @pytest.mark.parametrize("hidden", [True, False])
    @pytest.mark.parametrize(
        "kind, message, reason, told",
        [
            ("NotImplementedError", "", "error", "not answered yet"),
            ("NameError", "name 'f' is not defined", "missing", "f is not defined"),
            ("Timeout", "time is over", "timeout", "took longer than allowed"),
        ],
    )
    def test_kinds_of_no_answer(self, kind, message, reason, told, hidden):
        outcome = verdict(throws(kind, message), hidden)
        assert (outcome.points, outcome.reason, outcome.message) == (0, reason, told)

    def test_a_name_missing_inside_the_function_is_an_error(self):
        outcome = verdict(throws("NameError", "name 'g' is not defined"))
        assert (outcome.reason, outcome.message) == ("error", "your code raised NameError")

    @pytest.mark.parametrize("kind", ["X_is_0_123", "print", "copyright", "", "True", "__doc__"])
    def test_exceptions_with_names_of_the_students_own_are_withheld(self, kind):
        outcome = verdict(throws(kind, "x = 0.123"))
        assert outcome.message == "your code raised an exception"
        assert outcome.detail == "trace"

    def test_text_of_an_exception_is_withheld_only_if_hidden(self):
        assert verdict(throws("ValueError", "x\n= 0.1")).message == "your code raised ValueError"
        shown = verdict(throws("ValueError", "x\n= 0.1"), hidden=False)
        assert shown.message == "your code raised ValueError: x = 0.1"

    def test_gives_by_name_what_is_asked_for(self):
        @check("q", 1, hidden=True)
        def all_three(rng, solution, student):
            """Title."""
            assert (student, solution, rng) == (1, 2, 3)

        assert run_check(all_three, 1, 2, 3).reason == "passed"


class TestCheck:
    def test_knows_itself(self):
        made_one = made(None, 1.5)
        assert (made_one.name, made_one.question, made_one.points) == ("name", "q", 1.5)
        assert made_one.title == "The title." and made_one.hidden

    @pytest.mark.parametrize("points", [0, -1, NAN, INF, "1", None, True, np.float64(1), [1]])
    def test_refuses_points_that_are_none(self, points):
        with pytest.raises(ValueError, match="check name: points must be a number above 0"):
            made(None, points)

    @pytest.mark.parametrize("hidden", [1, None, "yes"])
    def test_refuses_half_hidden(self, hidden):
        with pytest.raises(ValueError, match="hidden must be True or False"):
            made(None, 1, hidden)

    @pytest.mark.parametrize("question", ["", None, 1])
    def test_refuses_no_question(self, question):
        with pytest.raises(ValueError, match="the question must be a name"):
            check(question, 1)(lambda student: None)

    def test_refuses_other_parameters_no_title_and_generators(self):
        def no_title(student): ...

        def other(student, x):
            """Title."""

        def nobody(rng):
            """Title."""

        def late(student):
            """Title."""
            yield

        def peeks(student, solution):
            """Title."""

        for run, message in [
            (no_title, "needs a docstring"),
            (other, "parameters must be student"),
            (nobody, "parameters must be student"),
            (late, "without yield"),
            (peeks, "there is no solution"),
        ]:
            with pytest.raises(ValueError, match=f"check {run.__name__}: .*{message}"):
                check("q", 1)(run)


class TestVisibleRng:
    def test_is_the_same_for_everybody_and_another_for_each_check(self):
        a, b, c = (checks.visible_rng(name).integers(10**9) for name in ("a", "a", "b"))
        assert a == b != c
        assert a == 342_184_234


class TestHere:
    """The notebook's student; the grader's own is in test_grading_student.py."""

    def student(self, **names):
        return here.Here(names)

    def test_arguments_and_results_are_copies(self):
        kept = []

        def f(x):
            kept.append(x)
            x *= 0
            return x

        x = np.ones(3)
        got = self.student(f=f).f(x)
        kept[0] += 7
        assert x.tolist() == [1, 1, 1] and got.tolist() == [0, 0, 0]

    @pytest.mark.parametrize(
        "value",
        [
            *(object(), Listlike(), X.view(Arraylike), Floatlike(), np.array([None])),
            *([Listlike()], {"a": object()}, range(3), print, np.longdouble(1), 2**14_000),
            *(np.array(["a"]), np.zeros(2, "datetime64[s]"), np.zeros(2, np.longdouble)),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_no_plain_data_is_an_error_of_the_students(self, value):
        with pytest.raises(StudentError, match="plain data"):
            self.student(f=lambda: value).f()
        with pytest.raises(codec.CodecError):  # as in the grader
            codec.encode(value)

    @pytest.mark.parametrize("want", [want for want, _ in CONTAINERS])
    def test_plain_data_comes_as_it_is(self, want):
        close(self.student(x=want).x.value, want)

    def test_holding_itself(self):
        itself = []
        itself.append(itself)
        with pytest.raises(StudentError, match="nested too deeply"):
            _ = self.student(x=itself).x.value

    def test_errors_and_missing_names(self):
        with pytest.raises(StudentError) as caught:
            self.student().f()
        assert (
            run_check(made(lambda: self.student().f(), hidden=False), 0, 0, 0).reason == "missing"
        )
        assert caught.value.name == "f"
        with pytest.raises(StudentError, match="ZeroDivisionError"):
            self.student(f=lambda: 1 / 0).f()
        with pytest.raises(StudentError, match="SystemExit"):
            self.student(f=lambda: exit(3)).f()

    def test_prints_and_warnings_of_the_student_are_dropped(self, capsys):
        def f():
            print("hello")
            warnings.warn("careful", stacklevel=1)

        assert self.student(f=f).f() is None
        assert capsys.readouterr() == ("", "")

    def test_show_prints_one_line_and_never_raises(self, capsys):
        def fail():
            raise CheckFailed("another shape", "got 3")

        for body in (lambda: None, lambda: 0.25, fail, lambda: 1 / 0, throws("E", "a\nb")):
            here.show(made(body, hidden=False), None)
        assert capsys.readouterr().out.splitlines() == [
            "✓ The title [2/2]",
            "~ The title: right in part [0.5/2]",
            "✗ The title: another shape: got 3 [0/2]",
            "? The title: this check is broken, please tell your instructor "
            "(ZeroDivisionError('division by zero'))",
            "✗ The title: your code raised E: a b [0/2]",
        ]


class TestTools:
    """The text that the released notebook carries."""

    def test_needs_nothing_but_numpy_and_the_standard_library(self):
        tree = ast.parse(handout._tools())
        text = next(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant))
        imported = {
            name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module] if hasattr(node, "module") else [a.name for a in node.names])
        }
        assert "numpy" in imported
        assert not any(name.startswith("course_lib") for name in imported)

    def test_no_name_is_defined_by_two_of_its_parts(self):
        folder = Path(compare.__file__).parent
        names = []
        for part in handout.PARTS:
            body = ast.parse((folder / f"{part}.py").read_text()).body
            own = [n for n in body if not isinstance(n, ast.Import | ast.ImportFrom)]
            names += {name for node in own for name in handout._bound(node)} - {"__all__"}
        assert len(names) == len(set(names))
