// One step of a GRU, for demos that go forward only; cells.js has the others and the way back.

export const sigmoid = (a) => 0.5 + 0.5 * Math.tanh(0.5 * a); // never overflows
export const sum = (a, b) => a.map((v, k) => v + b[k]);
export const block = (a, k, H) => a.slice(k * H, (k + 1) * H);
// Columns [from, to) of v @ W, added to b.
export function affine(v, W, b, from = 0, to = b.length) {
  const out = b.slice(from, to);
  for (let i = 0; i < v.length; i++) for (let j = from; j < to; j++) out[j - from] += v[i] * W[i][j];
  return out;
}

// {h, and its gates} after reading x in the state {h}.
export function step(x, { h }, p) {
  const H = h.length;
  const a = affine(x, p.W_xa, p.b_x);
  const past = affine(h, p.W_ha, p.b_h, 0, 2 * H);
  const [r, z] = [0, 1].map((k) => sum(block(a, k, H), block(past, k, H)).map(sigmoid));
  const after = p.reset !== "before";
  const q = affine(after ? h : h.map((v, k) => r[k] * v), p.W_ha, p.b_h, 2 * H, 3 * H);
  const n = block(a, 2, H).map((v, k) => Math.tanh(v + (after ? r[k] : 1) * q[k]));
  const keep = p.update === "write" ? z.map((v) => 1 - v) : z;
  return { r, z, n, q, h: keep.map((v, k) => v * h[k] + (1 - v) * n[k]) };
}
