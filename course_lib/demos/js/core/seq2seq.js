// Encoder and decoder: a sentence squeezed into one vector, read out again, and beam search.

import { affine, step as gruStep } from "./gru.js";
import { unpack, unpackAll } from "./packed.js";
import { firstChange } from "./state.js";

// What _seq2seq_weights.py stored: a cell for each half, and the other arrays by name.
export const unpackNetwork = ({ encoder, decoder, weights, ...data }) => ({
  ...data, encoder: unpackAll(encoder), decoder: unpackAll(decoder), ...Object.fromEntries(Object.entries(weights).map(([key, x]) => [key, unpack(x)])),
});

export function logSoftmax(scores) {
  const top = Math.max(...scores);
  const total = Math.log(scores.reduce((sum, v) => sum + Math.exp(v - top), 0));
  return scores.map((v) => v - top - total);
}

// Steps of the encoder, the first of them the start; those up to `from` are taken over from `kept`.
export function encode(p, ids, kept, from) {
  const out = from ? kept.slice(0, from + 1) : [{ h: p.encoder.W_ha.map(() => 0) }];
  for (let t = out.length - 1; t < ids.length; t++) out.push(gruStep(p.embed_source[ids[t]], out[t], p.encoder));
  return out;
}

// One step of a decoder without attention that reads `token`: its gates, state and log probabilities.
export function decode(p, token, h) {
  const now = gruStep(p.embed_target[token], { h }, p.decoder);
  return { ...now, token, logProbs: logSoftmax(affine(now.h, p.W_out, p.b_out)) };
}

// The beams after 1, 2, ... tokens: hypotheses {tokens, logProb, finished}, best first. What stopped
// keeps its place and competes. `step(token, h)` gives {h, logProbs}.
export function beam(step, h, { start, stop }, width, most) {
  let now = [{ tokens: [], logProb: 0, finished: false, h }];
  const beams = [];
  while (beams.length < most && now.some((one) => !one.finished)) {
    const pool = now.filter((one) => one.finished);
    for (const one of now) {
      if (one.finished) continue;
      const next = step(one.tokens.at(-1) ?? start, one.h);
      next.logProbs.forEach((more, token) => pool.push({ from: one, token, logProb: one.logProb + more, h: next.h }));
    }
    now = pool.sort((a, b) => b.logProb - a.logProb).slice(0, width).map((one) => {
      const { from, token, logProb, h } = one;
      const finished = token === stop;
      return from ? { tokens: finished ? from.tokens : [...from.tokens, token], logProb, finished, h } : one;
    });
    beams.push(now);
  }
  return beams;
}

// The right target of a source, without STOP.
export function wanted(tokens, { meaning, order }) {
  const row = tokens.map((k) => meaning[k]);
  return order === "mirror" ? row.reverse() : row;
}

// For each source word [P(right word), whether it is the most probable token], read out of h; the
// decoder is told the right words before it.
function readOut(p, h, tokens, fixed) {
  let token = fixed.start;
  const row = wanted(tokens, fixed).map((right) => {
    const now = decode(p, token, h);
    [h, token] = [now.h, right];
    return [Math.exp(now.logProbs[right]), now.logProbs.indexOf(Math.max(...now.logProbs)) === right];
  });
  return fixed.order === "mirror" ? row.reverse() : row;
}

// A list of n entries, each made when it is first looked at; those of `made` are there.
function lazy(n, make, made = []) {
  const list = Array(n);
  for (let s = 0; s < n; s++) Object.defineProperty(list, s, { enumerable: true, get: () => (made[s] ??= make(s)) });
  return { list, made };
}

// What each network keeps after each word and writes in the end; `old` is the result of other tokens.
export function squeeze(tokens, fixed, networks, width, old) {
  const S = tokens.length;
  const from = old ? firstChange(tokens, old.tokens) : 0;
  const target = wanted(tokens, fixed);
  const nets = networks.map((p, n) => {
    const kept = old?.nets[n];
    const trace = encode(p, tokens, kept?.trace, from);
    const read = lazy(S, (s) => readOut(p, trace[s + 1].h, tokens.slice(0, s + 1), fixed), kept?.made.slice(0, from));
    const column = (k) => lazy(S, (s) => read.list[s].map((pair) => pair[k])).list;
    const search = (k) => beam((token, h) => decode(p, token, h), trace[S].h, fixed, k, S + 2);
    const beams = search(width);
    const [best] = beams.at(-1);
    const greedy = width > 1 ? search(1).at(-1)[0] : best;
    // The decoder once more, along what it wrote.
    let h = trace[S].h;
    const written = best.finished ? [...best.tokens, fixed.stop] : best.tokens;
    const steps = written.map((_, j) => {
      const now = decode(p, written[j - 1] ?? fixed.start, h);
      ({ h } = now);
      return now;
    });
    const exact = (one) => String(one.tokens) === String(target); // what was cut is longer
    return {
      trace, made: read.made, recovered: column(0), kept: column(1), beams, written, steps, logProb: best.logProb, gain: best.logProb - greedy.logProb,
      right: target.map((word, j) => best.tokens[j] === word), exact: exact(best), saved: exact(best) && !exact(greedy),
    };
  });
  return { tokens, width, target, nets };
}
