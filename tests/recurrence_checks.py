"""The recurrences that a scan can run, against their formulas one number at a time."""

from dataclasses import replace
from math import exp, expm1, log1p
from types import SimpleNamespace

import numpy as np

from course_lib import linear_attention, linear_recurrence, min_rnn, rwkv, scan, selective_ssm

N, T, D, H, E, E_V, K = 2, 6, 3, 5, 4, 7, 8
CLOSE = {"rtol": 0, "atol": 1e-10}


def real_modules():
    return SimpleNamespace(
        scan=scan,
        linear_recurrence=linear_recurrence,
        min_rnn=min_rnn,
        linear_attention=linear_attention,
        selective_ssm=selective_ssm,
        rwkv=rwkv,
    )


def sigmoid(a):
    return 1 / (1 + exp(-a))


def softplus(a):
    return log1p(exp(a))


def phi(x):
    return x + 1 if x > 0 else exp(x)


def by_number(T_U, x, first, step):
    """States (N, T, U): unit u of sequence n runs ``step(n, t, u, state)`` over single numbers."""
    h = np.empty((len(x), *T_U))
    for n, u in np.ndindex(len(x), T_U[1]):
        state = first[n, u]
        for t in range(T_U[0]):
            state = h[n, t, u] = step(n, t, u, state)
    return h


def linear_rnn_oracle(x, p, first):
    def step(n, t, u, h):
        return p.a[u] * h + sum(x[n, t, d] * p.W_xh[d, u] for d in range(D)) + p.b_h[u]

    return by_number((x.shape[1], H), x, first, step)


def min_gru_oracle(x, p, first):
    def step(n, t, u, h):
        z = sigmoid(x[n, t] @ p.W_z[:, u] + p.b_z[u])
        new = x[n, t] @ p.W_n[:, u] + p.b_n[u]
        return (1 - z) * h + z * new if p.update == "write" else z * h + (1 - z) * new

    return by_number((x.shape[1], H), x, first, step)


def min_lstm_oracle(x, p, first):
    def step(n, t, u, h):
        f = sigmoid(x[n, t] @ p.W_f[:, u] + p.b_f[u])
        i = sigmoid(x[n, t] @ p.W_i[:, u] + p.b_i[u])
        return (f * h + i * (x[n, t] @ p.W_n[:, u] + p.b_n[u])) / (f + i)

    return by_number((x.shape[1], H), x, first, step)


def linear_attention_oracle(x, p, first):
    """Sums over the past, written out; ``first`` is (S, z) as one more past."""
    y = np.empty((*x.shape[:2], E_V))
    for n, t in np.ndindex(*x.shape[:2]):
        query = [phi(a) for a in x[n, t] @ p.W_q]
        over = sum(q * p.decay ** (t + 1) * first.S[n, e] for e, q in enumerate(query))
        under = sum(q * p.decay ** (t + 1) * first.z[n, e] for e, q in enumerate(query))
        for s in range(t + 1):
            key = [phi(a) for a in x[n, s] @ p.W_k]
            weight = p.decay ** (t - s) * sum(a * b for a, b in zip(query, key, strict=True))
            over, under = over + weight * (x[n, s] @ p.W_v), under + weight
        y[n, t] = over / under
    return y


def selective_ssm_oracle(x, p, first):
    y = np.empty_like(x)
    for n, d in np.ndindex(len(x), D):
        h = first[n, d].copy()
        for t in range(x.shape[1]):
            delta = softplus(x[n, t] @ p.W_delta[:, d] + p.b_delta[d])
            y[n, t, d] = p.skip[d] * x[n, t, d]
            for k in range(K):
                rate = -exp(p.A_log[d, k])
                length = delta if p.discretisation == "euler" else expm1(delta * rate) / rate
                added = length * (x[n, t] @ p.W_B[:, k]) * x[n, t, d]
                h[k] = exp(delta * rate) * h[k] + added
                y[n, t, d] += (x[n, t] @ p.W_C[:, k]) * h[k]
    return y


def rwkv_oracle(x, p, first):
    """The formula with plain exponentials; ``first`` holds sums that stand for one more past."""
    k, v = x @ p.W_k, x @ p.W_v
    y = np.empty_like(v)
    for n, t, u in np.ndindex(*v.shape):
        past = [exp(k[n, s, u] - (t - 1 - s) * p.w[u]) for s in range(t)]
        carried = exp(first.top[n, u] - t * p.w[u])
        newest = exp(p.u[u] + k[n, t, u])
        over = sum(e * v[n, s, u] for s, e in enumerate(past)) + newest * v[n, t, u]
        over, under = over + carried * first.num[n, u], carried * first.den[n, u]
        under += sum(past) + newest
        y[n, t, u] = sigmoid(x[n, t] @ p.W_r[:, u]) * over / under
    return y


def models(modules, rng):
    """name -> (params, step, loop, scan, oracle, first state) for every recurrence."""
    m, LA = modules.min_rnn, modules.linear_attention
    LR, SS, RW = modules.linear_recurrence, modules.selective_ssm, modules.rwkv

    def draw(*shape):
        return rng.normal(size=shape)

    def linear_step(x_t, h, params):
        h = LR.linear_cell(x_t, h, params)
        return h, h

    def linear_loop(x, params, h0=None):
        h = LR.linear_forward(x, params, h0).h
        return h[:, 1:], h[:, -1]

    def linear_scan(x, params, h0=None):
        h = LR.linear_rnn_scan(x, params, h0).h
        return h[:, 1:], h[:, -1]

    linear = LR.LinearParams(rng.uniform(-0.99, 0.99, H), draw(D, H), draw(H))
    gru = m.MinGRUParams(draw(D, H), draw(D, H), draw(H), draw(H))
    lstm = m.MinLSTMParams(*draw(3, D, H), *draw(3, H))
    head = LA.LinearAttentionParams(draw(D, E), draw(D, E), draw(D, E_V), 0.9)
    sums = LA.LinearAttentionState(draw(N, E, E_V), rng.uniform(1, 2, (N, E)))
    ssm = SS.SelectiveSSMParams(
        draw(D, D), draw(D), draw(D, K), draw(D, K), draw(D, K), draw(D), "zoh"
    )
    mixing = RW.RWKVParams(*draw(3, D, H), rng.uniform(0.1, 1, H), draw(H))
    faded = RW.RWKVState(draw(N, H), rng.uniform(1, 2, (N, H)), draw(N, H))
    of_gru = (m.min_gru_step, m.min_gru_loop, m.min_gru_scan, min_gru_oracle, draw(N, H))
    of_ssm = (SS.selective_ssm_step, SS.selective_ssm_loop, SS.selective_ssm_scan)
    of_ssm = (*of_ssm, selective_ssm_oracle, draw(N, D, K))
    return {
        "linear rnn": (linear, linear_step, linear_loop, linear_scan, linear_rnn_oracle,
                       draw(N, H)),
        "min gru write": (gru, *of_gru),
        "min gru keep": (replace(gru, update="keep"), *of_gru),
        "min lstm": (lstm, m.min_lstm_step, m.min_lstm_loop, m.min_lstm_scan, min_lstm_oracle,
                     draw(N, H)),
        "linear attention": (head, LA.linear_attention_step, LA.linear_attention_loop,
                             LA.linear_attention_scan, linear_attention_oracle, sums),
        "ssm zoh": (ssm, *of_ssm),
        "ssm euler": (replace(ssm, discretisation="euler"), *of_ssm),
        "rwkv": (mixing, RW.rwkv_step, RW.rwkv_loop, RW.rwkv_scan, rwkv_oracle, faded),
    }  # fmt: skip


NAMES = (
    *("linear rnn", "min gru write", "min gru keep", "min lstm"),
    *("linear attention", "ssm zoh", "ssm euler", "rwkv"),
)


def arrays(state):
    """The arrays of a state, whatever its form."""
    if isinstance(state, np.ndarray):
        return [state]
    return [getattr(state, name) for name in type(state).__slots__]


def check(modules, name, rng):
    """Step, loop and scan give the formula's numbers, with a first state and after a cut."""
    params, step, loop, scan_, oracle, first = models(modules, rng)[name]
    x = rng.normal(size=(N, T, D))
    wanted = oracle(x, params, first)
    (y_loop, end_loop), (y_scan, end_scan) = loop(x, params, first), scan_(x, params, first)
    np.testing.assert_allclose(y_loop, wanted, **CLOSE)
    np.testing.assert_allclose(y_scan, wanted, **CLOSE)
    state = first
    for t in range(T):
        y_t, state = step(x[:, t], state, params)
        np.testing.assert_allclose(y_t, wanted[:, t], **CLOSE)
    for by_step, by_loop, by_scan in zip(
        arrays(state), arrays(end_loop), arrays(end_scan), strict=True
    ):
        np.testing.assert_allclose(by_loop, by_step, **CLOSE)
        np.testing.assert_allclose(by_scan, by_step, **CLOSE)
    y_1, between = scan_(x[:, :2], params, first)
    y_2, _ = scan_(x[:, 2:], params, between)
    np.testing.assert_allclose(np.concatenate([y_1, y_2], axis=1), wanted, **CLOSE)
    np.testing.assert_allclose(scan_(x, params)[0], loop(x, params)[0], **CLOSE)
    if name == "linear attention":
        y, weights = modules.linear_attention.linear_attention_masked(x, params)
        np.testing.assert_allclose(y, loop(x, params)[0], **CLOSE)
        np.testing.assert_allclose(weights.sum(axis=2), 1.0, **CLOSE)
        assert not np.triu(weights, 1).any()


def check_gradients(modules, rng):
    """The gradients by a scan from the end are those of the loop's written-out sum."""
    a, b = rng.normal(size=(2, N, T, H))
    h0, dh = rng.normal(size=(N, H)), rng.normal(size=(N, T, H))
    h = modules.scan.linear_scan(a, b, h0)
    da, db, dh0 = modules.scan.linear_scan_backward(dh, a, h, h0)
    carried = np.zeros((N, H))
    for t in reversed(range(T)):
        carried = dh[:, t] + (a[:, t + 1] * carried if t + 1 < T else 0.0)
        before = h[:, t - 1] if t else h0
        np.testing.assert_allclose(db[:, t], carried, **CLOSE)
        np.testing.assert_allclose(da[:, t], carried * before, **CLOSE)
    np.testing.assert_allclose(dh0, a[:, 0] * carried, **CLOSE)
