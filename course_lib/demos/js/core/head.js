// One head of self-attention, stage by stage: rows are words.

import { typed } from "./sentences.js";

export const MOST = 10; // words, as in ../../_one_head.py
export const STAGES = 8;

const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
const times = (X, W) => X.map((x) => W[0].map((_, j) => x.reduce((sum, v, i) => sum + v * W[i][j], 0)));

export const wordsOf = (text) => typed(text).slice(0, MOST).map(({ word }) => word);
// Angle of entry i of a vector at place t: entries 2i and 2i + 1 are a pair.
export const angle = (t, i, width) => t * 10000 ** ((-2 * (i >> 1)) / width);
export const wave = (t, i, width) => (i % 2 ? Math.cos : Math.sin)(angle(t, i, width));
export const turned = (row, t) => row.map((v, i) => {
  const a = angle(t, i, row.length);
  return v * Math.cos(a) + (i % 2 ? 1 : -1) * row[i ^ 1] * Math.sin(a);
});
function softmax(row) {
  const most = Math.max(...row);
  const e = row.map((v) => Math.exp(v - most));
  const sum = e.reduce((a, b) => a + b);
  return e.map((v) => v / sum);
}

export function head(words, vocabulary, { embedding, W_q, W_k, W_v }, { positions, causal, scale }) {
  const ids = words.map((word) => Math.max(0, vocabulary.indexOf(word)));
  const e = ids.map((id) => embedding[id]);
  const x = positions === "sinusoidal" ? e.map((row, t) => row.map((v, i) => v + wave(t, i, row.length))) : e;
  const straight = [W_q, W_k].map((W) => times(x, W)); // before rotary positions
  const [q, k] = straight.map((rows) => (positions === "rotary" ? rows.map(turned) : rows));
  const v = times(x, W_v);
  const scores = q.map((a) => k.map((b) => dot(a, b)));
  const scaled = scores.map((row) => row.map((s) => (scale ? s / Math.sqrt(q[0].length) : s)));
  const masked = scaled.map((row, t) => row.map((s, n) => (causal && n > t ? -Infinity : s)));
  const weights = masked.map(softmax);
  return { words, ids, e, x, straight, q, k, v, scores, scaled, masked, weights, output: times(weights, v) };
}

// The T x C numbers of a stage.
export const stage = (r, t) =>
  [r.e, r.x, r.q.map((row, n) => [...row, ...r.k[n], ...r.v[n]]), r.scores, r.scaled, r.masked, r.weights, r.output][t];

// How far outputs are from those of another result in which the same words stand elsewhere, each
// compared with its own word's; null where the words are others.
export function apart(r, other) {
  if (String([...r.words].sort()) !== String([...other.words].sort())) return null;
  const used = new Set();
  return r.words.map((word, t) => {
    const n = other.words.findIndex((w, i) => w === word && !used.has(i));
    used.add(n);
    return Math.max(...r.output[t].map((v, j) => Math.abs(v - other.output[n][j])));
  });
}
