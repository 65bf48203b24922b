// Five models that read one sequence: HMM, Kalman filter, linear RNN, vanilla RNN, LSTM.
import { forward } from "./cells.js";
import { filter } from "./hmm.js";
import { kalman } from "./kalman.js";
import { linear } from "./linear.js";

export const KINDS = ["hmm", "kalman", "linear", "rnn", "lstm"];

const clip = (p) => Math.min(1, Math.max(0, p));
// Probability of the state asked for, from a cell's state.
export function answer(h, out, ask) {
  if (!out.W) return clip(out.level + out.scale * h[0]);
  const scores = out.b.map((b, k) => h.reduce((s, v, j) => s + v * out.W[j][k], b));
  const top = Math.max(...scores);
  const odds = scores.map((v) => Math.exp(v - top));
  return odds[ask] / odds.reduce((a, b) => a + b, 0);
}

// Steps before `from` are taken over from `kept`. `answers[t]` has an entry a model; null where the
// HMM says that the sequence is impossible.
export function family(obs, models, ask, kept = {}, from = 0) {
  const { hmm, kalman: filt, linear: lin, rnn, lstm } = models;
  const V = hmm.B[0].length;
  const x = obs.map((y) => Array.from({ length: V }, (_, v) => +(v === y)));
  const out = {
    hmm: filter(hmm.pi, hmm.A, obs.map((y) => hmm.B.map((row) => row[y])), kept.hmm, from),
    kalman: kalman(obs.map((y) => filt.values[y]), filt, kept.kalman, from),
    linear: linear(x, lin.params, kept.linear, from),
    rnn: forward("rnn", rnn.params, x, {}, {}, kept.rnn, from),
    lstm: forward("lstm", lstm.params, x, {}, {}, kept.lstm, from),
  };
  out.answers = obs.map((_, t) => [
    out.hmm.dead >= 0 && t >= out.hmm.dead ? null : out.hmm.alpha[t][ask],
    clip(filt.level + out.kalman[t].mean),
    answer(out.linear[t], lin.readout, ask),
    answer(out.rnn[t + 1].h, rnn.readout, ask),
    answer(out.lstm[t + 1].h, lstm.readout, ask),
  ]);
  return out;
}
