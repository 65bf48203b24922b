"""Attention: by hand, autograd, central differences, PyTorch; and what holds for any numbers."""

import numpy as np
import pytest
import torch
from attention_checks import CLOSE, MASKS, SCORES, check_functions, check_score, real_modules
from attention_oracles import attend_by_hand
from hypothesis import given
from hypothesis import strategies as st
from oracles import central_differences

from course_lib.attention import (
    AdditiveParams,
    attend,
    attend_backward,
    causal_mask,
    init_additive,
    padding_mask,
    softmax,
)

N, T, S, E, E_v, A = 2, 3, 4, 5, 6, 7


@pytest.fixture
def arrays(rng):
    return tuple(rng.normal(size=shape) for shape in ((N, T, E), (N, S, E), (N, S, E_v)))


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("score", SCORES)
def test_numbers_by_hand_and_gradients_of_autograd(score, mask, rng):
    check_score(real_modules(), score, rng, mask)


def test_masks_scores_and_softmax(rng):
    check_functions(real_modules(), rng)


@pytest.mark.parametrize("score", SCORES)
def test_central_differences(score, arrays, rng):
    score = init_additive(E, E, A, rng) if score == "additive" else score
    mask = padding_mask([2, 4], S)
    weight = rng.normal(size=(N, T, E_v))
    grads = attend_backward(weight, attend(*arrays, score, mask))

    def loss(q, k, v, score=score):
        return (attend(q, k, v, score, mask).context * weight).sum()

    for place, ours in enumerate((grads.q, grads.k, grads.v)):
        differences = central_differences(
            lambda x, place=place: loss(*arrays[:place], x, *arrays[place + 1 :]), arrays[place]
        )
        np.testing.assert_allclose(ours, differences, rtol=0, atol=1e-8)
    if isinstance(score, AdditiveParams):
        weights = [score.W_q, score.W_k, score.v]
        for place, ours in enumerate((grads.params.W_q, grads.params.W_k, grads.params.v)):
            differences = central_differences(
                lambda x, place=place: loss(
                    *arrays, AdditiveParams(*weights[:place], x, *weights[place + 1 :])
                ),
                weights[place],
            )
            np.testing.assert_allclose(ours, differences, rtol=0, atol=1e-8)
    else:
        assert grads.params is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scaled_dot_product_attention_reads_masks_as_we_do(arrays, dtype):
    mask = causal_mask(T, S)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *(torch.from_numpy(x).to(dtype) for x in arrays), attn_mask=torch.from_numpy(mask)
    )
    ours = attend(*arrays, mask=mask).context
    atol = 1e-6 if dtype == torch.float32 else 1e-12  # float32 keeps 7 digits
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=atol)


def test_a_numbered_example_that_fits_on_paper():
    """Keys (1, 0), (0, 1), a query that is ln 3 times the first: weights 3/4 and 1/4."""
    k = np.eye(2)[None]
    q = np.array([[[np.log(3.0), 0.0]]])
    v = np.array([[[4.0], [8.0]]])
    trace = attend(q, k, v, "dot")
    np.testing.assert_allclose(trace.weights, [[[0.75, 0.25]]], **CLOSE)
    np.testing.assert_allclose(trace.context, [[[5.0]]], **CLOSE)


def test_scaling_keeps_the_variance_of_scores(rng):
    """10 000 pairs at E = 64: the variance of a dot product is E, scaled it is 1."""
    q, k = rng.normal(size=(2, 1, 100, 64))
    plain, scaled = (attend(q, k, k, score).scores.var() for score in ("dot", "scaled"))
    assert 0.9 < plain / 64 < 1.1 and 0.9 < scaled < 1.1  # estimated from 12 800 numbers


def test_a_far_too_large_score_is_no_overflow():
    q = np.array([[[1e4]]])
    k = np.array([[[1e4], [-1e4]]])
    trace = attend(q, k, k, "dot")
    assert trace.weights.tolist() == [[[1.0, 0.0]]]
    assert np.isfinite(attend_backward(np.ones((1, 1, 1)), trace).q).all()


def test_what_a_mask_hides_changes_nothing(arrays, rng):
    q, k, v = arrays
    mask = padding_mask([2, 3], S)
    hidden = ~np.broadcast_to(mask, (N, 1, S))[:, 0]
    before = attend(q, k, v, mask=mask)
    k, v = k.copy(), v.copy()
    k[hidden], v[hidden] = 1e6, -1e6
    after = attend(q, k, v, mask=mask)
    np.testing.assert_array_equal(after.context, before.context)
    grads = attend_backward(rng.normal(size=(N, T, E_v)), after)
    assert not grads.k[hidden].any() and not grads.v[hidden].any()


def test_arguments_are_left_alone(arrays):
    copies = [x.copy() for x in arrays]
    trace = attend(*arrays, mask=causal_mask(T, S))
    weights, dcontext = trace.weights.copy(), np.ones((N, T, E_v))
    attend_backward(dcontext, trace)
    for x, copy in zip((*arrays, trace.weights, dcontext), (*copies, weights, 1.0), strict=True):
        np.testing.assert_array_equal(x, np.broadcast_to(copy, x.shape))


def test_to_trace(arrays):
    q, k, v = arrays
    trace = attend(q, k, v, mask=padding_mask([2, 4], S)).to_trace(1)
    assert trace.names == ["q", "scores", "weights", "context", "mask"] and trace.T == T
    assert trace["weights"].shape == trace["mask"].shape == (T, S)
    np.testing.assert_array_equal(trace["q"], q[1])
    assert attend(q, k, v).to_trace().names == ["q", "scores", "weights", "context"]
    with pytest.raises(ValueError, match="n must be a sequence from 0 to 1, got 2"):
        attend(q, k, v).to_trace(2)


def test_start_of_the_additive_score(rng):
    params = init_additive(3, 40, 30, rng)
    assert (params.W_q.shape, params.W_k.shape, params.v.shape) == ((3, 30), (40, 30), (30,))
    for x, inputs in ((params.W_q, 3), (params.W_k, 40), (params.v, 30)):
        bound = 1 / np.sqrt(inputs)
        assert 0.8 * bound < np.abs(x).max() <= bound


cases = st.tuples(
    st.integers(0, 9999), st.integers(1, 4), st.integers(1, 5), st.sampled_from(SCORES)
)


def drawn(case):
    seed, T, S, score = case
    rng = np.random.default_rng(seed)
    q, k, v = (rng.normal(size=shape) for shape in ((1, T, 3), (1, S, 3), (1, S, 2)))
    return q, k, v, init_additive(3, 3, 4, rng) if score == "additive" else score


@given(case=cases)
def test_property_weights_are_a_distribution_and_contexts_lie_among_the_values(case):
    q, k, v, score = drawn(case)
    trace = attend(q, k, v, score)
    assert trace.weights.min() >= 0
    np.testing.assert_allclose(trace.weights.sum(axis=-1), 1.0, **CLOSE)
    low, high = v.min(axis=1, keepdims=True), v.max(axis=1, keepdims=True)
    assert (trace.context >= low - 1e-12).all() and (trace.context <= high + 1e-12).all()


@given(case=cases)
def test_property_the_order_of_the_source_does_not_matter(case):
    q, k, v, score = drawn(case)
    order = np.random.default_rng(case[0]).permutation(k.shape[1])
    before, after = attend(q, k, v, score), attend(q, k[:, order], v[:, order], score)
    np.testing.assert_allclose(after.weights, before.weights[:, :, order], **CLOSE)
    np.testing.assert_allclose(after.context, before.context, **CLOSE)


@given(seed=st.integers(0, 9999), shift=st.floats(-1e3, 1e3))
def test_property_softmax_does_not_see_a_shift(seed, shift):
    scores = np.random.default_rng(seed).normal(size=(2, 3))
    np.testing.assert_allclose(softmax(scores + shift), softmax(scores), **CLOSE)


@given(seed=st.integers(0, 9999), length=st.integers(1, 5))
def test_property_padding_equals_a_shorter_source(seed, length):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.normal(size=shape) for shape in ((1, 2, 3), (1, 5, 3), (1, 5, 2)))
    padded = attend(q, k, v, mask=padding_mask([length], 5))
    alone = attend(q, k[:, :length], v[:, :length])
    np.testing.assert_allclose(padded.context, alone.context, **CLOSE)


@given(seed=st.integers(0, 9999), S=st.integers(1, 5), more=st.integers(0, 4))
def test_property_a_causal_query_sees_what_a_cache_holds(seed, S, more):
    """The last query of a causal mask sees all; the one before, all but the last key."""
    T = max(1, S - more)
    assert causal_mask(T, S).sum(axis=1).tolist() == list(range(S - T + 1, S + 1))
    np.testing.assert_array_equal(causal_mask(T, S), causal_mask(S)[S - T :])


class TestBadInput:
    @pytest.mark.parametrize(
        "change, message",
        [
            ({"q": np.ones((T, E))}, r"q must have shape \(any, any, any\), got \(3, 5\)"),
            ({"q": np.ones((N, 0, E))}, r"q must hold at least one query, got shape \(2, 0, 5\)"),
            ({"q": np.full((N, T, E), np.nan)}, r"q must be finite, got nan at index \(0, 0, 0\)"),
            ({"k": np.ones((N, S, 2))}, r"k must have shape \(2, any, 5\), got \(2, 4, 2\)"),
            ({"k": np.ones((N, 0, E))}, r"k must hold at least one key, got shape \(2, 0, 5\)"),
            ({"v": np.ones((N, 3, E))}, r"v must have shape \(2, 4, any\), got \(2, 3, 5\)"),
            ({"score": "cosine"}, "score must be 'scaled', 'dot' or AdditiveParams, got 'cosine'"),
            ({"mask": np.ones((S, T))}, r"mask must have shape \(T, S\), .* got \(4, 3\)"),
            ({"mask": np.ones((N, S))}, r"mask must have shape .* = \(2, 3, 4\), got \(2, 4\)"),
            ({"mask": np.zeros((T, S)) - np.inf}, "mask must hold True .may look. and False"),
            ({"mask": np.eye(T, S, 2)}, r"allowed to look somewhere, got none in row \(2,\)"),
            ({"mask": np.eye(N)[:, :, None]}, r"got none in row \(0, 1\) of mask"),
        ],
    )
    def test_attend(self, change, message, arrays):
        arguments = dict(zip("qkv", arrays, strict=True)) | change
        if "mask" in change and change["mask"].shape == (N, N, 1):
            arguments["q"] = arguments["q"][:, :N]
        with pytest.raises(ValueError, match=message):
            attend(**arguments)

    def test_additive(self, arrays, rng):
        with pytest.raises(ValueError, match=r"q must have shape \(any, any, 3\), got \(2, 3, 5"):
            attend(*arrays, init_additive(3, E, A, rng))
        with pytest.raises(ValueError, match=r"k must have shape \(2, any, 3\), got \(2, 4, 5\)"):
            attend(*arrays, init_additive(E, 3, A, rng))
        with pytest.raises(ValueError, match=r"W_k must have shape \(any, 7\), got \(5, 6\)"):
            AdditiveParams(np.ones((E, 7)), np.ones((E, 6)), np.ones(7))
        bad = AdditiveParams(np.ones((E, 7)), np.ones((E, 7)), np.full(7, np.nan))
        with pytest.raises(ValueError, match=r"score\.v must be finite, got nan"):
            attend(*arrays, bad)
        with pytest.raises(ValueError, match="must be at least 1, got 2, 0 and 3"):
            init_additive(2, 0, 3, rng)

    @pytest.mark.parametrize(
        "scores", [3.0, np.ones((0, 2)), [np.nan, 1.0], [np.inf, 0.0], [-np.inf, -np.inf]]
    )
    def test_softmax(self, scores):
        with pytest.raises(ValueError, match="scores"):
            softmax(scores)

    def test_masks(self):
        with pytest.raises(ValueError, match="T must be from 1 to S, got T = 3 and S = 2"):
            causal_mask(3, 2)
        with pytest.raises(ValueError, match="T must be from 1 to S, got T = 0"):
            causal_mask(0)
        with pytest.raises(ValueError, match="lengths must be from 1 to 4, got 5 for sequence 1"):
            padding_mask([4, 5], 4)

    def test_backward(self, arrays):
        with pytest.raises(
            ValueError, match=r"dcontext must have shape \(2, 3, 6\), got \(2, 3, 5"
        ):
            attend_backward(np.ones((N, T, E)), attend(*arrays))
        with pytest.raises(ValueError, match="trace must be AttentionTrace, got ndarray"):
            attend_backward(np.ones((N, T, E_v)), arrays[0])


def test_the_oracle_itself_by_a_number():
    """Equal scores of two visible keys of three: the context is the mean of their values."""
    q, k, v = np.zeros((1, 1, 2)), np.zeros((1, 3, 2)), np.array([[[1.0], [5.0], [99.0]]])
    _, weights, context = attend_by_hand(q, k, v, "dot", np.array([[True, True, False]]))
    assert weights.tolist() == [[[0.5, 0.5, 0.0]]] and context.tolist() == [[[3.0]]]
