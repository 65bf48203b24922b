"""What holds for every cell, whatever the numbers: found or refuted by Hypothesis."""

from dataclasses import replace

import cell_oracles as oracles
import numpy as np
import pytest
from cell_checks import VARIANTS, D, H, functions, random_case, real_modules
from hypothesis import given
from hypothesis import strategies as st

MODULES = real_modules()
NAMES = tuple(VARIANTS)
CLOSE = {"rtol": 0, "atol": 1e-12}
seeds = st.integers(0, 2**20)


def forward(name, case, **options):
    """Trace of the inner cell, and the trace for backward."""
    variant = VARIANTS[name]
    run, _, _ = functions(MODULES, variant)
    starts = dict(zip(variant.states, case.states, strict=True))
    trace = run(case.x, case.params, **starts, **variant.options, **options)
    return getattr(trace, "cell", trace), trace


def backward(name, case, trace):
    _, run, _ = functions(MODULES, VARIANTS[name])
    names = ("dh_final", "dc_final")[: len(case.ends)]
    return run(case.dh, trace, case.params, **dict(zip(names, case.ends, strict=True)))


def states_of(name, trace):
    return [getattr(trace, state[0]) for state in VARIANTS[name].states]


def random_lengths(rng, T):
    return rng.integers(1, T + 1, 3)


@given(st.sampled_from(NAMES), seeds, st.integers(1, 8))
def test_property_what_stands_in_padding_never_matters(name, seed, T):
    rng = np.random.default_rng(seed)
    case, lengths = random_case(MODULES, VARIANTS[name], rng, T), random_lengths(rng, T)
    x = case.x.copy()
    padding = np.arange(T) >= lengths[:, None]
    x[padding] = rng.choice([np.nan, np.inf, 1e300, -7.0], (padding.sum(), D))
    (here, trace), (there, other) = (
        forward(name, replace(case, x=v), lengths=lengths) for v in (case.x, x)
    )
    for a, b in zip(states_of(name, here), states_of(name, there), strict=True):
        np.testing.assert_array_equal(a, b)
    grads, others = backward(name, case, trace), backward(name, case, other)
    np.testing.assert_array_equal(grads.x, others.x)
    assert not grads.x[padding].any()
    for key, array in oracles.arrays_of(grads.params).items():
        np.testing.assert_array_equal(array, oracles.arrays_of(others.params)[key])


@given(st.sampled_from(NAMES), seeds)
def test_property_order_of_the_batch_does_not_matter(name, seed):
    rng = np.random.default_rng(seed)
    case, order = random_case(MODULES, VARIANTS[name], rng), rng.permutation(3)
    mask = rng.random((3, 6)) < 0.6
    mask[:, 0] = True
    moved = replace(
        case,
        x=case.x[order],
        states=tuple(state[order] for state in case.states),
        dh=case.dh[order],
        ends=tuple(end[order] for end in case.ends),
    )
    here, trace = forward(name, case, mask=mask)
    there, other = forward(name, moved, mask=mask[order])
    for a, b in zip(states_of(name, here), states_of(name, there), strict=True):
        np.testing.assert_allclose(b, a[order], **CLOSE)
    grads, others = backward(name, case, trace), backward(name, moved, other)
    np.testing.assert_allclose(others.x, grads.x[order], **CLOSE)
    for key, array in oracles.arrays_of(grads.params).items():
        np.testing.assert_allclose(oracles.arrays_of(others.params)[key], array, **CLOSE)


@given(st.sampled_from(NAMES), seeds, st.integers(1, 5))
def test_property_two_pieces_with_carried_state_are_the_whole(name, seed, cut):
    """Forward the state is carried over the cut; backward the gradient of the state is."""
    rng = np.random.default_rng(seed)
    case = random_case(MODULES, VARIANTS[name], rng)
    whole, trace = forward(name, case)
    first = replace(case, x=case.x[:, :cut], dh=case.dh[:, :cut])
    one, first_trace = forward(name, first)
    carried = tuple(state[:, -1] for state in states_of(name, one))
    second = replace(case, x=case.x[:, cut:], dh=case.dh[:, cut:], states=carried)
    two, second_trace = forward(name, second)
    for a, b, c in zip(*(states_of(name, v) for v in (whole, one, two)), strict=True):
        np.testing.assert_allclose(np.concatenate([b, c[:, 1:]], axis=1), a, **CLOSE)

    grads, later = backward(name, case, trace), backward(name, second, second_trace)
    sent_back = tuple(getattr(later, state) for state in VARIANTS[name].states)
    earlier = backward(name, replace(first, ends=sent_back), first_trace)
    np.testing.assert_allclose(np.concatenate([earlier.x, later.x], axis=1), grads.x, **CLOSE)
    for state in VARIANTS[name].states:
        np.testing.assert_allclose(getattr(earlier, state), getattr(grads, state), **CLOSE)
    for key, array in oracles.arrays_of(grads.params).items():
        pieces = oracles.arrays_of(earlier.params)[key] + oracles.arrays_of(later.params)[key]
        np.testing.assert_allclose(pieces, array, rtol=0, atol=1e-11)


@given(st.sampled_from(NAMES), seeds)
def test_property_lengths_say_the_same_as_their_mask(name, seed):
    rng = np.random.default_rng(seed)
    case, lengths = random_case(MODULES, VARIANTS[name], rng), random_lengths(rng, 6)
    here, _ = forward(name, case, lengths=lengths)
    there, _ = forward(name, case, mask=np.arange(6) < lengths[:, None])
    for a, b in zip(states_of(name, here), states_of(name, there), strict=True):
        np.testing.assert_array_equal(a, b)


@given(st.sampled_from(NAMES), seeds)
def test_property_masked_steps_are_as_if_they_were_not_there(name, seed):
    rng = np.random.default_rng(seed)
    case = random_case(MODULES, VARIANTS[name], rng)
    mask = rng.random((3, 6)) < 0.5
    mask[:, 3] = True
    gaps, _ = forward(name, case, mask=mask)
    for n in range(3):
        alone = replace(
            case, x=case.x[n : n + 1, mask[n]], states=tuple(s[n : n + 1] for s in case.states)
        )
        short, _ = forward(name, alone)
        for a, b in zip(states_of(name, gaps), states_of(name, short), strict=True):
            np.testing.assert_allclose(a[n, 1:][mask[n]], b[0, 1:], **CLOSE)
            np.testing.assert_allclose(a[n, -1], b[0, -1], **CLOSE)


@given(st.sampled_from(NAMES), seeds, st.floats(-3, 3))
def test_property_backward_is_linear_in_the_loss(name, seed, factor):
    rng = np.random.default_rng(seed)
    case = random_case(MODULES, VARIANTS[name], rng)
    other = replace(case, dh=rng.normal(size=case.dh.shape), ends=tuple(2 * e for e in case.ends))
    both = replace(
        case,
        dh=case.dh + factor * other.dh,
        ends=tuple(a + factor * b for a, b in zip(case.ends, other.ends, strict=True)),
    )
    _, trace = forward(name, case)
    one, two, total = (backward(name, c, trace) for c in (case, other, both))
    np.testing.assert_allclose(total.x, one.x + factor * two.x, rtol=0, atol=1e-11)
    for key, array in oracles.arrays_of(total.params).items():
        sums = oracles.arrays_of(one.params)[key] + factor * oracles.arrays_of(two.params)[key]
        np.testing.assert_allclose(array, sums, rtol=0, atol=1e-10)


@given(st.sampled_from([name for name in NAMES if "linear" not in name and "relu" not in name]),
       seeds, st.floats(0.1, 1e3))  # fmt: skip
def test_property_states_stay_in_their_range(name, seed, size):
    rng = np.random.default_rng(seed)
    case = random_case(MODULES, VARIANTS[name], rng, T=9)
    case = replace(case, x=size * case.x, states=tuple(np.zeros((3, H)) for _ in case.states))
    seen, _ = forward(name, case)
    assert np.abs(seen.h).max() <= 1.0
    if len(case.states) == 2:  # the cell grows by at most 1 a step
        assert (np.abs(seen.c).max(axis=(0, 2)) <= np.arange(10)).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_argument_is_written_into(name, rng):
    case = random_case(MODULES, VARIANTS[name], rng)
    arrays = [case.x, case.dh, *case.states, *case.ends, *oracles.arrays_of(case.params).values()]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    seen, trace = forward(name, case, lengths=np.array([2, 6, 3]))
    kept = {key: getattr(seen, key).copy() for key in ("x", "h")}
    backward(name, case, trace)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for key, copy in kept.items():
        np.testing.assert_array_equal(getattr(seen, key), copy)


@pytest.mark.parametrize("name", NAMES)
def test_float32_and_integers_are_read_as_float64(name, rng):
    case = random_case(MODULES, VARIANTS[name], rng)
    whole = replace(case, x=np.round(case.x))
    seen, _ = forward(name, whole)
    for kind in (np.float32, int):
        other, _ = forward(name, replace(whole, x=whole.x.astype(kind)))
        assert other.h.dtype == np.float64
        np.testing.assert_array_equal(other.h, seen.h)
