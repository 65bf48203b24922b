// Scores, masks and softmax of attention, on rows of numbers.

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

// Row t: what query t scores with each key; divided by √E where `scaled`.
export const dotScores = (q, k, scaled) =>
  q.map((one) => k.map((other) => dot(one, other) / (scaled ? Math.sqrt(one.length) : 1)));

// May query t of T look at key s of S? The queries of a causal mask are the last T places.
export const mayLook = (mask, T, S, length) => (t, s) =>
  mask === "causal" ? s <= t + S - T : mask === "padding" ? s < length : true;

// The largest score is subtracted first, so that no exponential overflows; null is minus infinity.
export function softmax(scores) {
  const top = Math.max(...scores.filter((e) => e !== null));
  const exps = scores.map((e) => (e === null ? 0 : Math.exp(e - top)));
  const sum = exps.reduce((a, b) => a + b, 0);
  return { top, exps, sum, weights: exps.map((e) => e / sum) };
}

// Weighted sum of rows.
export const blend = (weights, rows) => rows[0].map((_, j) => weights.reduce((sum, w, i) => sum + w * rows[i][j], 0));

// Everything that the map of vectors shows, row by row: a row whose query and keys did not change
// is the old one.
export function attend({ params: { q, k, v }, opts: { temperature, scaled, mask, length } }) {
  const look = mayLook(mask, q.length, k.length, length);
  const scores = dotScores(q, k, scaled);
  const soft = scores.map((row, t) => softmax(row.map((e, s) => (look(t, s) ? e / temperature : null))));
  return { scores, soft, weights: soft.map((row) => row.weights), context: soft.map((row) => blend(row.weights, v)), hidden: scores.map((row, t) => row.map((_, s) => !look(t, s))) };
}
