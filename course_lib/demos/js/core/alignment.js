// An encoder-decoder with attention that writes greedily: where does it look at every step?

import { blend, softmax } from "./attention.js";
import { affine, step as gruStep } from "./gru.js";
import { encode, logSoftmax, wanted } from "./seq2seq.js";
import { firstChange } from "./state.js";

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
export const argmax = (row) => row.reduce((b, v, k) => (v > row[b] ? k : b), 0);
const through = (x, W) => affine(x, W, Array(W[0].length).fill(0));

// What a query is compared with: the states themselves, or their projections.
const keysOf = (p, states) => (p.attention === "additive" ? states.map((h) => through(h, p.score_W_k)) : states);

// The scores of one query, and for the additive one the hidden layers behind them.
function look(p, h, keys) {
  if (p.attention !== "additive") {
    const scale = p.attention === "scaled" ? Math.sqrt(h.length) : 1;
    return { scores: keys.map((k) => dot(h, k) / scale) };
  }
  const q = through(h, p.score_W_q);
  const hidden = keys.map((k) => k.map((v, i) => Math.tanh(q[i] + v)));
  return { hidden, scores: hidden.map((row) => dot(row, p.score_v)) };
}

// What takes the place of the weights.
const USES = {
  trained: (weights) => weights,
  uniform: (weights) => weights.map(() => 1 / weights.length),
  hardest: (weights) => weights.map((_, s) => +(s === argmax(weights))),
};

// At most one step more than there are words. States of words before the first change are kept.
export function write(p, tokens, use, fixed, old) {
  const trace = encode(p, tokens, old?.trace, old ? firstChange(tokens, old.tokens) : 0);
  const states = trace.slice(1).map((step) => step.h);
  const keys = keysOf(p, states);
  const steps = [];
  let { h } = trace.at(-1);
  let token = fixed.start;
  while (steps.length <= tokens.length && token !== fixed.stop) {
    const now = gruStep(p.embed_target[token], { h }, p.decoder);
    const seen = look(p, now.h, keys);
    const soft = softmax(seen.scores);
    const weights = USES[use](soft.weights);
    const context = blend(weights, states);
    const outputs = affine([...now.h, ...context], p.W_out, p.b_out);
    const logProbs = logSoftmax(outputs);
    const written = argmax(logProbs);
    steps.push({ ...seen, h: now.h, soft, weights, context, outputs, logProbs, read: token, written });
    [h, token] = [now.h, written];
  }
  return { tokens, use, trace, states, steps, weights: steps.map((step) => step.weights), target: [...wanted(tokens, fixed), fixed.stop] };
}
