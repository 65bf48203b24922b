// One associative scan over elements of four recurrences, in rounds; the twin of _scan_models.py.
// An element is a list of numbers: [a, b] of h → a h + b, or a table of 2 × 2 by rows, which is a
// product of matrices (hmm) or sums [S₀, z₀, S₁, z₁] (linear attention).
import { sigmoid } from "./cells.js";

export const features = (x) => (x > 0 ? x + 1 : Math.exp(x)); // elu + 1

export function query(s, j) {
  return s.fixed.models.attention.W_q.map((w) => features(s.xs[j] * w));
}

export function element(s, j) {
  const { kind, decay, gate } = s.opts;
  const m = s.fixed.models[kind];
  const x = s.xs[j];
  if (kind === "hmm") return m.A.flatMap((row, i) => row.map((p, k) => (j ? p : m.pi[k]) * m.B[k][s.obs[j]]));
  if (kind === "linear") return [decay, x * m.w + m.b];
  if (kind === "attention") return m.W_k.map((w) => features(x * w)).flatMap((f) => [f * x * m.W_v, f]);
  const z = (m.update === "write" ? 1 : -1) * (x * m.W_z + gate);
  return [sigmoid(-z), sigmoid(z) * (x * m.W_n + m.b_n)];
}

// Entries of two tables multiplied, before they are divided by the largest.
export const product = (l, r) => [0, 1, 2, 3].map((i) => l[i & 2] * r[i & 1] + l[(i & 2) + 1] * r[2 + (i & 1)]);

export function combine(kind, l, r) {
  if (kind === "attention") return l.map((v, i) => v + r[i]);
  if (kind !== "hmm") return [r[0] * l[0], r[0] * l[1] + r[1]];
  const both = product(l, r);
  const top = Math.max(...both);
  return both.map((v) => v / top);
}

// What an element says by itself: a belief, a state, or an answer to the query of its last step.
export function says(s, e, j) {
  const { kind } = s.opts;
  if (kind === "hmm") return (e[1] + e[3]) / (e[0] + e[1] + e[2] + e[3]);
  if (kind !== "attention") return e[1];
  const [p, q] = query(s, j);
  return (p * e[0] + q * e[2]) / (p * e[1] + q * e[3]);
}

export const roundsOf = (T) => Math.ceil(Math.log2(T));
export const combines = (T, r) => (r ? T - 2 ** (r - 1) : 0); // in round r
// The first element that node j of round r holds.
export const reach = (r, j) => Math.max(0, j - 2 ** r + 1);

export function scan(s) {
  const T = s.opts.length;
  const rounds = [Array.from({ length: T }, (_, j) => element(s, j))];
  for (let r = 1; r <= roundsOf(T); r++) {
    const d = 2 ** (r - 1);
    rounds.push(rounds[r - 1].map((e, j) => (j < d ? e : combine(s.opts.kind, rounds[r - 1][j - d], e))));
  }
  return rounds;
}

// The same by a loop: one state, one step after another.
export function loop(s, elements) {
  let e = null;
  return elements.map((now, j) => says(s, (e = e ? combine(s.opts.kind, e, now) : now), j));
}

// Bytes that must be kept after so many tokens, four a number: key-value cache, GRU, linear
// attention, state space.
export function memory({ layers, width, heads, memories }, tokens) {
  return [2 * width * tokens, width, width * (width / heads + 1), width * memories].map((n) => 4 * layers * n);
}
