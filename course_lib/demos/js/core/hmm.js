// Hidden Markov models. L[t][k] is the likelihood of observation t in state k; rows of A sum to 1.
// Rows before `from` are taken over from `prev` as they are, so an edit at step t costs T - t steps.

const sum = (row) => row.reduce((a, b) => a + b, 0);
const blank = (K) => Array(K).fill(0);

export function filter(pi, A, L, prev, from = 0) {
  const K = pi.length;
  const out = { alpha: [], predicted: [], c: [], dead: -1 };
  if (prev && (prev.dead < 0 || prev.dead >= from)) {
    for (const key of ["alpha", "predicted", "c"]) out[key] = prev[key].slice(0, from);
  } else from = 0;
  for (let t = from; t < L.length; t++) {
    if (out.dead >= 0) {
      out.predicted.push(blank(K));
      out.alpha.push(blank(K));
      out.c.push(0);
      continue;
    }
    const before = out.alpha[t - 1];
    const prior = before ? pi.map((_, j) => before.reduce((s, a, i) => s + a * A[i][j], 0)) : pi;
    const joint = prior.map((p, k) => p * L[t][k]);
    const c = sum(joint);
    if (!(c > 0)) out.dead = t; // impossible: no belief from here on, and the view says so
    out.predicted.push([...prior]);
    out.alpha.push(c > 0 ? joint.map((p) => p / c) : blank(K));
    out.c.push(c > 0 ? c : 0);
  }
  return out;
}

// beta scaled by the filter's c: rows of alpha * beta sum to 1.
export function backward(A, L, c) {
  const K = A.length;
  const beta = Array(L.length);
  let next = Array(K).fill(1);
  beta[L.length - 1] = next;
  for (let t = L.length - 2; t >= 0; t--) {
    const ahead = next.map((b, j) => (c[t + 1] > 0 ? (L[t + 1][j] * b) / c[t + 1] : 0));
    next = A.map((row) => row.reduce((s, a, j) => s + a * ahead[j], 0));
    beta[t] = next;
  }
  return beta;
}

export const smooth = (alpha, beta) => alpha.map((row, t) => row.map((a, k) => a * beta[t][k]));

// xi[t][i][j]: probability of i at t and j at t + 1, given everything.
export function pairwise(A, L, f, beta) {
  return f.alpha.slice(0, -1).map((row, t) => row.map((a, i) => A[i].map((p, j) =>
    f.c[t + 1] > 0 ? (a * p * L[t + 1][j] * beta[t + 1][j]) / f.c[t + 1] : 0)));
}

const best = (row) => row.reduce((b, v, k) => (v > row[b] ? k : b), 0);
export const argmax = best;

export function viterbi(pi, A, L, prev, from = 0) {
  const delta = prev ? prev.delta.slice(0, from) : [];
  const back = prev ? prev.back.slice(0, from) : [];
  for (let t = delta.length; t < L.length; t++) {
    const last = delta[t - 1];
    const pick = pi.map((_, j) => (last ? best(last.map((d, i) => d + Math.log(A[i][j]))) : 0));
    back.push(pick);
    delta.push(pi.map((p, j) =>
      (last ? last[pick[j]] + Math.log(A[pick[j]][j]) : Math.log(p)) + Math.log(L[t][j])));
  }
  const path = Array(L.length);
  let k = best(delta[L.length - 1]);
  for (let t = L.length - 1; t >= 0; t--) {
    path[t] = k;
    k = back[t][k];
  }
  return { delta, back, path, logJoint: delta[L.length - 1][path[L.length - 1]] };
}

// One probability of a row moves, the others keep their proportions; four digits, sum 1.
// `held` are entries that must stay.
export function setProb(row, j, value, held = []) {
  const fixed = new Set([...held, j]);
  const most = Math.max(0, 1 - held.reduce((s, i) => s + (i === j ? 0 : row[i]), 0));
  const p = row.length > fixed.size ? Math.min(Math.max(value, 0), most) : most;
  const free = row.map((_, i) => i).filter((i) => !fixed.has(i));
  const before = free.reduce((s, i) => s + row[i], 0);
  const round = (x) => Math.round(x * 1e4) / 1e4;
  const out = [...row];
  out[j] = round(p);
  for (const i of free) out[i] = round(before > 0 ? ((most - p) * row[i]) / before : (most - p) / free.length);
  if (free.length) {
    const big = free.reduce((b, i) => (out[i] > out[b] ? i : b), free[0]);
    out[big] = Math.max(0, round(out[big] + 1 - sum(out)));
  }
  return out;
}
