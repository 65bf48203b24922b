// A cell's weights from a seed, the spectral radius and the spectral norm.
import { random } from "./chain.js";

const BLOCKS = { rnn: 1, lstm: 4, gru: 3 };
const grid = (n, m, at) => Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, j) => at(i, j)));
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

// The same numbers as course_lib.demos._gradient_flow.weights, as cells.js reads them: one input,
// H units, blocks side by side.
export function weights(seed, H, { cell, radius, forget_bias: bias, start }) {
  const next = random(seed);
  const G = BLOCKS[cell];
  const u = Array.from({ length: 4 * H }, () => 2 * next() - 1);
  const blocks = Array.from({ length: G }, () => {
    const drawn = grid(H, H, () => 2 * next() - 1);
    if (start === "identity") return grid(H, H, (i, j) => (i === j ? radius : 0));
    const [M, scale] = start === "orthogonal" ? [orthogonal(drawn), radius] : [drawn, radius / spectralRadius(drawn)];
    return M.map((row) => row.map((v) => v * scale));
  });
  const W_x = [u.slice(0, G * H)];
  const W_h = grid(H, G * H, (i, j) => blocks[Math.floor(j / H)][i][j % H]);
  const b = W_x[0].map((_, j) => (cell === "lstm" && Math.floor(j / H) === 1 ? bias : 0));
  if (cell === "rnn") return { W_xh: W_x, W_hh: W_h, b_h: b };
  return cell === "lstm" ? { W_xa: W_x, W_ha: W_h, b_a: b, w_ca: null } : { W_xa: W_x, W_ha: W_h, b_x: b, b_h: b, reset: "after", update: "keep" };
}

// Largest singular value: pairs of rows are turned until all are orthogonal, as far as the longest
// can tell (Hestenes 1958).
export function norm(rows) {
  let size = 0;
  for (const row of rows) for (const v of row) size = Math.max(size, Math.abs(v));
  if (!size) return 0;
  const A = rows.map((row) => Float64Array.from(row, (v) => v / size)); // squares of tiny numbers vanish
  const n = A[0].length;
  const dot = (x, y) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += x[k] * y[k];
    return sum;
  };
  const squares = A.map((row) => dot(row, row));
  for (let turned = true; turned; ) {
    turned = false;
    const enough = 1e-11 * Math.max(...squares);
    for (let p = 0; p < A.length; p++) for (let q = p + 1; q < A.length; q++) {
      const x = A[p];
      const y = A[q];
      const d = dot(x, y);
      if (Math.abs(d) <= enough) continue;
      turned = true;
      const z = (squares[q] - squares[p]) / (2 * d);
      const t = (z < 0 ? -1 : 1) / (Math.abs(z) + Math.sqrt(1 + z * z));
      const co = 1 / Math.sqrt(1 + t * t);
      for (let k = 0; k < n; k++) {
        const old = x[k];
        x[k] = co * (old - t * y[k]);
        y[k] = co * (t * old + y[k]);
      }
      squares[p] -= t * d;
      squares[q] += t * d;
    }
  }
  return size * Math.sqrt(Math.max(...A.map((row) => dot(row, row))));
}
