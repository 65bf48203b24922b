// Beliefs: the exact filter of an HMM, and networks that read the same symbols.

import { affine, forward } from "./cells.js";
import { filter } from "./hmm.js";

export function softmax(scores) {
  const top = Math.max(...scores);
  const e = scores.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
}

const dot = (row, M) => M[0].map((_, j) => row.reduce((s, v, i) => s + v * M[i][j], 0));
export const nextSymbol = (belief, { A, B }) => dot(dot(belief, A), B);

// Distance in sides of the triangle: two corners are 1 apart.
export const sides = (a, b) => Math.sqrt(a.reduce((s, v, k) => s + (v - b[k]) ** 2, 0) / 2);

// Nats by which predicting q costs more than predicting p, where p is the truth.
export const excess = (p, q) => p.reduce((s, v, k) => s + (v > 0 ? v * Math.log(v / q[k]) : 0), 0);

// What the exact filter and every network hold after each symbol. Steps before `from` are taken
// over from `old`. Where a sequence is impossible there is no exact belief: null.
export function read(obs, model, networks, old, from = 0) {
  const exact = filter(model.pi, model.A, obs.map((y) => model.B.map((row) => row[y])), old?.exact, from);
  const belief = exact.alpha.map((row, t) => (exact.dead >= 0 && t >= exact.dead ? null : row));
  const next = belief.map((b) => b && nextSymbol(b, model));
  const xs = obs.map((y) => model.B[0].map((_, v) => +(v === y)));
  const nets = networks.map((p, n) => {
    const trace = forward(p.kind, p, xs, {}, {}, old?.nets[n].trace, from);
    const states = trace.slice(1).map((step) => step.h);
    const decoded = states.map((h) => affine(h, p.probe_W, p.probe_b));
    const said = states.map((h) => softmax(affine(h, p.readout_W, p.readout_b)));
    return {
      trace, decoded, next: said,
      gap: decoded.map((d, t) => belief[t] && sides(d, belief[t])),
      excess: said.map((q, t) => next[t] && excess(next[t], q)),
    };
  });
  return { exact, belief, next, nets };
}

const LONGEST = 11; // symbols: where few sequences are possible, their number need not grow
// The beliefs after all sequences of the greatest length that gives at most `most` of them.
export function cloud({ pi, A, B }, most) {
  let [prior, beliefs] = [[pi], [pi]];
  for (let n = 0; n < LONGEST && prior.length * B[0].length <= most; n++) {
    beliefs = prior.flatMap((p) => B[0].map((_, y) => p.map((v, k) => v * B[k][y])))
      .map((joint) => [joint, joint.reduce((a, b) => a + b, 0)]).filter(([, c]) => c > 0).map(([joint, c]) => joint.map((v) => v / c));
    prior = beliefs.map((b) => dot(b, A));
  }
  return beliefs;
}
