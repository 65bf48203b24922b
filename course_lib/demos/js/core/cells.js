// The three cells: one step, the trace of a sequence, and backpropagation through time.
//
// Weights are those of course_lib's RNNParams, LSTMParams and GRUParams, as nested lists: v is a
// row, `v @ W`, and gates stand side by side in blocks (i, f, g, o; r, z, n). A step is
// {h, c, and its gates}; a trace is a list of T + 1 steps, the first is the start {h, c}.
// `opts` holds `activation` (rnn) and `clamp` (lstm: gate to number or null).
import { norm } from "./flow.js";
import { affine, block, sigmoid, step, sum } from "./gru.js";

export { affine, sigmoid };

export const GATES = { rnn: [], lstm: ["i", "f", "g", "o"], gru: ["r", "z", "n"] };
const ACTIVATIONS = {
  tanh: [Math.tanh, (h) => 1 - h * h],
  relu: [(a) => Math.max(a, 0), (h) => +(h > 0)],
  linear: [(a) => a, () => 1],
};

const zeros = (n) => Array(n).fill(0);
const slope = (s) => s * (1 - s);
// d @ W^T for columns [from, from + d.length).
const pull = (d, W, from = 0) => W.map((row) => {
  let total = 0;
  for (let j = 0; j < d.length; j++) total += d[j] * row[from + j];
  return total;
});

// -- rnn ----------------------------------------------------------------------------------------
const rnn = {
  step(x, { h }, p, { activation = "tanh" }) {
    return { h: affine(h, p.W_hh, affine(x, p.W_xh, p.b_h)).map(ACTIVATIONS[activation][0]) };
  },
  back(before, now, dh, dc, p, { activation = "tanh" }) {
    const da = dh.map((v, k) => v * ACTIVATIONS[activation][1](now.h[k]));
    return { x: da, h: da, dh: pull(da, p.W_hh) };
  },
  weights: ["W_xh", "W_hh", "b_h"],
};

// -- lstm ---------------------------------------------------------------------------------------
const held = (clamp, gate) => Number.isFinite(clamp?.[gate]);
const lstm = {
  step(x, { h, c }, p, { clamp }) {
    const H = h.length;
    const a = affine(h, p.W_ha, affine(x, p.W_xa, p.b_a));
    const gate = (k, cell) => {
      const [name, row] = [GATES.lstm[k], [0, 1, null, 2][k]];
      if (held(clamp, name)) return Array(H).fill(clamp[name]);
      return block(a, k, H).map((v, j) => (k === 2 ? Math.tanh(v) : sigmoid(v + (p.w_ca ? p.w_ca[row][j] * cell[j] : 0))));
    };
    const [i, f, g] = [gate(0, c), gate(1, c), gate(2)];
    const next = c.map((v, k) => f[k] * v + i[k] * g[k]);
    const o = gate(3, next);
    return { i, f, g, o, c: next, h: o.map((v, k) => v * Math.tanh(next[k])) };
  },
  back({ c }, { i, f, g, o, c: next }, dh, dc, p, { clamp }) {
    const free = (name, values) => (held(clamp, name) ? zeros(values.length) : values);
    const tanh = next.map(Math.tanh);
    const da_o = free("o", dh.map((v, k) => v * tanh[k] * slope(o[k])));
    const through = dc.map((v, k) => v + dh[k] * o[k] * (1 - tanh[k] ** 2) + (p.w_ca ? da_o[k] * p.w_ca[2][k] : 0));
    const da_i = free("i", through.map((v, k) => v * g[k] * slope(i[k])));
    const da_f = free("f", through.map((v, k) => v * c[k] * slope(f[k])));
    const da_g = free("g", through.map((v, k) => v * i[k] * (1 - g[k] ** 2)));
    const da = [...da_i, ...da_f, ...da_g, ...da_o];
    return {
      x: da, h: da, dh: pull(da, p.W_ha), peep: [da_i, da_f, da_o],
      dc: through.map((v, k) => v * f[k] + (p.w_ca ? da_i[k] * p.w_ca[0][k] + da_f[k] * p.w_ca[1][k] : 0)),
    };
  },
  weights: ["W_xa", "W_ha", "b_a", "w_ca"],
};

// -- gru ----------------------------------------------------------------------------------------
const gru = {
  step,
  back({ h }, { r, z, n, q }, dh, dc, p) {
    const H = h.length;
    const sign = p.update === "write" ? -1 : 1;
    const keep = p.update === "write" ? z.map((v) => 1 - v) : z;
    const da_z = dh.map((v, k) => sign * v * (h[k] - n[k]) * slope(z[k]));
    const da_n = dh.map((v, k) => v * (1 - keep[k]) * (1 - n[k] ** 2));
    if (p.reset === "before") {
      const inside = pull(da_n, p.W_ha, 2 * H); // at r * h
      const da = [...inside.map((v, k) => v * h[k] * slope(r[k])), ...da_z];
      const own = pull(da, p.W_ha).map((v, k) => v + inside[k] * r[k] + dh[k] * keep[k]);
      return { x: [...da, ...da_n], h: [...da, ...da_n], dh: own, reset: r };
    }
    const da = [...da_n.map((v, k) => v * q[k] * slope(r[k])), ...da_z];
    const past = [...da, ...da_n.map((v, k) => v * r[k])];
    return { x: [...da, ...da_n], h: past, dh: pull(past, p.W_ha).map((v, k) => v + dh[k] * keep[k]) };
  },
  weights: ["W_xa", "W_ha", "b_x", "b_h"],
};

export const cells = { rnn, lstm, gru };
export const unitsOf = (p) => (p.W_hh ?? p.W_ha).length;

// Trace of a sequence; steps 0..from are taken over from `kept` as they are.
export function forward(kind, p, xs, opts = {}, start = {}, kept = [], from = 0) {
  const zero = zeros(unitsOf(p));
  const out = from ? kept.slice(0, from + 1) : [];
  if (!out.length) out.push({ h: start.h ?? zero, c: start.c ?? zero });
  for (let t = out.length - 1; t < xs.length; t++) out.push(cells[kind].step(xs[t], out[t], p, opts));
  return out;
}

const likeZero = (W) => (W === null || W === undefined ? null : Array.isArray(W) ? W.map(likeZero) : 0);
const addOuter = (dW, v, d) => v.forEach((x, i) => d.forEach((g, j) => (dW[i][j] += x * g)));
const addTo = (db, d) => d.forEach((g, j) => (db[j] += g));

// Gradients of a loss with gradient dh[t] at the state after step t: of every weight, the inputs
// and the start.
export function backward(kind, p, xs, trace, dh, opts = {}, last = {}) {
  const H = unitsOf(p);
  const dp = Object.fromEntries(cells[kind].weights.map((key) => [key, likeZero(p[key])]));
  const [W_x, W_h] = kind === "rnn" ? ["W_xh", "W_hh"] : ["W_xa", "W_ha"];
  const dx = [];
  let at = { dh: last.dh ?? zeros(H), dc: last.dc ?? zeros(H) };
  for (let t = xs.length - 1; t >= 0; t--) {
    const before = trace[t];
    const s = cells[kind].back(before, trace[t + 1], sum(dh[t], at.dh), at.dc ?? zeros(H), p, opts);
    dx[t] = pull(s.x, p[W_x]);
    addOuter(dp[W_x], xs[t], s.x);
    if (s.reset) { // the reset gate stands before the product of the last block
      s.h.forEach((g, j) => before.h.forEach((v, i) => (dp[W_h][i][j] += v * g * (j < 2 * H ? 1 : s.reset[i]))));
    } else addOuter(dp[W_h], before.h, s.h);
    if (kind === "gru") addTo(dp.b_x, s.x);
    addTo(dp[kind === "lstm" ? "b_a" : "b_h"], s.h);
    if (dp.w_ca) s.peep.forEach((d, k) => d.forEach((g, j) => (dp.w_ca[k][j] += g * (k < 2 ? before : trace[t + 1]).c[j])));
    at = s;
  }
  return { params: dp, x: dx, h0: at.dh, c0: at.dc ?? null };
}

// Spectral norms for t = 0..T: `h` of dh_T/dh_t through every path, `c` of dh_T/dc_t (lstm), and,
// unless `whole` is false, `state` of d state_T / d state_t, the whole state.
export function flow(kind, p, trace, opts = {}, whole = true) {
  const H = unitsOf(p);
  const two = kind === "lstm";
  const unit = (k, n) => Array.from({ length: H }, (_, j) => +(n === k * H + j));
  let rows = Array.from({ length: two && whole ? 2 * H : H }, (_, n) => ({ dh: unit(0, n), dc: unit(1, n) }));
  const out = { h: [], c: [], state: [] };
  for (let t = trace.length - 1; t >= 0; t--) {
    const top = rows.slice(0, H);
    out.h[t] = norm(top.map((row) => row.dh));
    if (two) out.c[t] = norm(top.map((row) => row.dc));
    if (whole) out.state[t] = two ? norm(rows.map((row) => [...row.dh, ...row.dc])) : out.h[t];
    if (t) rows = rows.map((row) => cells[kind].back(trace[t - 1], trace[t], row.dh, row.dc ?? zeros(H), p, opts));
  }
  return out;
}
