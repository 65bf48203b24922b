// Gradient flow: the weights of a seed, the states, and the norm of dh_T/dh_t for every t.
// Blocks of the recurrent weights: rnn one; lstm i, f, g, o; gru r, z, n (reset after the product).
import { random } from "./chain.js";

const BLOCKS = { rnn: 1, lstm: 4, gru: 3 };
const grid = (n, m, at) => Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, j) => at(i, j)));
const sigmoid = (a) => 0.5 * (1 + Math.tanh(0.5 * a));
const times = (h, W, j) => h.reduce((s, v, k) => s + v * W[k][j], 0);

// lim |W^n|^(1/n), by squaring 40 times.
export function spectralRadius(W) {
  const n = W.length;
  let [log, M] = [0, W];
  for (let k = 0; k < 40; k++) {
    const size = Math.hypot(...M.flat());
    if (!size) return 0;
    log += Math.log(size) / 2 ** k;
    M = M.map((row) => row.map((v) => v / size));
    const P = M;
    M = grid(n, n, (i, j) => times(P[i], P, j));
  }
  return Math.exp(log);
}

// Columns of W made orthonormal, one after the other.
function orthogonal(W) {
  const Q = [];
  for (let j = 0; j < W.length; j++) {
    let v = W.map((row) => row[j]);
    for (let pass = 0; pass < 2; pass++) for (const q of Q) {
      const dot = q.reduce((s, x, k) => s + x * v[k], 0);
      v = v.map((x, k) => x - dot * q[k]);
    }
    const size = Math.hypot(...v);
    Q.push(v.map((x) => x / size));
  }
  return grid(W.length, W.length, (i, j) => Q[j][i]);
}

// The same numbers as course_lib.demos._gradient_flow.weights.
export function weights(seed, H, { cell, radius, forget_bias: bias, start }) {
  const next = random(seed);
  const G = BLOCKS[cell];
  const u = Array.from({ length: 4 * H }, () => 2 * next() - 1);
  const W = Array.from({ length: G }, () => {
    const drawn = grid(H, H, () => 2 * next() - 1);
    if (start === "identity") return grid(H, H, (i, j) => (i === j ? radius : 0));
    const [M, scale] = start === "orthogonal" ? [orthogonal(drawn), radius] : [drawn, radius / spectralRadius(drawn)];
    return M.map((row) => row.map((v) => v * scale));
  });
  return { x: Array.from({ length: G }, (_, k) => u.slice(k * H, (k + 1) * H)), W, b: Array.from({ length: G }, (_, k) => (cell === "lstm" && k === 1 ? bias : 0)) };
}

const tanh = (a) => a.map(Math.tanh);
const gate = (a) => a.map(sigmoid);
const RNN = {
  tanh: [Math.tanh, (h) => 1 - h * h],
  relu: [(a) => Math.max(a, 0), (h) => +(h > 0)],
  linear: [(a) => a, () => 1],
};

// One step on; what the way back needs is kept.
function forward(cell, x, { h, c }, { x: wx, W, b }, act) {
  const pre = wx.map((w, k) => w.map((v, j) => x * v + b[k] + (cell === "gru" && k === 2 ? 0 : times(h, W[k], j))));
  if (cell === "rnn") return { h: pre[0].map(RNN[act][0]) };
  if (cell === "lstm") {
    const [i, f, g, o] = [gate(pre[0]), gate(pre[1]), tanh(pre[2]), gate(pre[3])];
    const next = f.map((v, k) => v * c[k] + i[k] * g[k]);
    return { i, f, g, o, c: next, h: o.map((v, k) => v * Math.tanh(next[k])) };
  }
  const [r, z] = [gate(pre[0]), gate(pre[1])];
  const q = h.map((_, j) => times(h, W[2], j));
  const n = pre[2].map((v, k) => Math.tanh(v + r[k] * q[k]));
  return { r, z, n, q, h: z.map((v, k) => v * h[k] + (1 - v) * n[k]) };
}

// Gradient with respect to the state before a step, from the one after it.
function back(cell, { dh, dc }, s, before, W, act) {
  let da;
  let own = 0;
  let keep;
  if (cell === "rnn") da = [dh.map((v, k) => v * RNN[act][1](s.h[k]))];
  else if (cell === "lstm") {
    const t = s.c.map(Math.tanh);
    const through = dh.map((v, k) => dc[k] + v * s.o[k] * (1 - t[k] ** 2));
    da = [
      through.map((v, k) => v * s.g[k] * s.i[k] * (1 - s.i[k])),
      through.map((v, k) => v * before.c[k] * s.f[k] * (1 - s.f[k])),
      through.map((v, k) => v * s.i[k] * (1 - s.g[k] ** 2)),
      dh.map((v, k) => v * t[k] * s.o[k] * (1 - s.o[k])),
    ];
    keep = through.map((v, k) => v * s.f[k]);
  } else {
    const dn = dh.map((v, k) => v * (1 - s.z[k]) * (1 - s.n[k] ** 2));
    da = [
      dn.map((v, k) => v * s.q[k] * s.r[k] * (1 - s.r[k])),
      dh.map((v, k) => v * (before.h[k] - s.n[k]) * s.z[k] * (1 - s.z[k])),
      dn.map((v, k) => v * s.r[k]),
    ];
    own = dh.map((v, k) => v * s.z[k]);
  }
  return {
    dh: dh.map((_, i) => da.reduce((sum, row, k) => row.reduce((t, v, j) => t + v * W[k][i][j], sum), own && own[i])),
    dc: keep,
  };
}

// Largest singular value, by rotating pairs of rows until they are orthogonal (Hestenes 1958).
export function norm(rows) {
  const size = Math.max(...rows.flat().map(Math.abs));
  if (!size) return 0;
  const A = rows.map((row) => row.map((v) => v / size));
  for (let sweep = 0, turned = 1; turned && sweep < 40; sweep++) {
    turned = 0;
    for (let p = 0; p < A.length; p++) for (let q = p + 1; q < A.length; q++) {
      let [a, b, d] = [0, 0, 0];
      for (let k = 0; k < A[p].length; k++) {
        a += A[p][k] ** 2;
        b += A[q][k] ** 2;
        d += A[p][k] * A[q][k];
      }
      if (Math.abs(d) <= 1e-13 * Math.sqrt(a * b)) continue;
      turned = 1;
      const z = (b - a) / (2 * d);
      const t = (z < 0 ? -1 : 1) / (Math.abs(z) + Math.sqrt(1 + z * z));
      const co = 1 / Math.sqrt(1 + t * t);
      for (let k = 0; k < A[p].length; k++) {
        const [x, y] = [A[p][k], A[q][k]];
        A[p][k] = co * (x - t * y);
        A[q][k] = co * (t * x + y);
      }
    }
  }
  return size * Math.max(...A.map((row) => Math.hypot(...row)));
}

// States 0..T; those up to `from` are taken over from `kept` as they are.
export function run(xs, w, cell, act, kept = [], from = 0) {
  const H = w.W[0].length;
  const zero = Array(H).fill(0);
  const s = kept.slice(0, from + 1);
  if (!s.length) s.push({ h: zero, c: zero });
  for (let t = s.length - 1; t < xs.length; t++) s.push(forward(cell, xs[t], s[t], w, act));
  return s;
}

const start = (H, cell) => grid(H, H, (i, j) => +(i === j)).map((dh) => ({ dh, dc: cell === "lstm" && Array(H).fill(0) }));

// Norms of dh_T/dh_t and, for an LSTM, of dh_T/dc_t, for t = 0..T.
export function flow(states, w, cell, act) {
  let rows = start(w.W[0].length, cell);
  const out = { h: [], c: [] };
  for (let t = states.length - 1; t >= 0; t--) {
    out.h[t] = norm(rows.map((row) => row.dh));
    if (cell === "lstm") out.c[t] = norm(rows.map((row) => row.dc));
    if (t) rows = rows.map((row) => back(cell, row, states[t], states[t - 1], w.W, act));
  }
  return out;
}

// dh_t/dh_{t-1} of one step, rows are outputs; `size` is its norm.
export function step(states, t, w, cell, act) {
  const rows = start(w.W[0].length, cell).map((row) => back(cell, row, states[t], states[t - 1], w.W, act).dh);
  return { rows, size: norm(rows) };
}
