// Three observers of a session: the exact filter of the process, a network, a bag of events.

import { affine, forward, sigmoid } from "./cells.js";
import { filter } from "./hmm.js";

const dot = (a, b) => a.reduce((s, v, k) => s + v * b[k], 0);
const share = (part, all) => (all > 0 ? part / all : null); // null: it cannot be

// What is behind the ideal observer's three answers: of the belief after an event.
export function parts(b, { Q, buy, leave, chance }) {
  const ahead = chance.map((_, j) => b.reduce((s, v, i) => s + v * Q[i][j], 0)); // b Q
  const goes = ahead.reduce((s, v) => s + v, 0);
  const bought = dot(b, buy);
  return { chance: dot(b, chance), bought, over: bought + dot(b, leave), later: dot(ahead, chance), goes };
}

// What all hold after each event. Steps before `from` are taken over from `old`. Where a session is
// impossible the ideal observer has no answer: null.
export function read(obs, process, network, bag, old, from = 0) {
  const exact = filter(process.pi, process.Q, obs.map((y) => process.B.map((row) => row[y])), old?.exact, from);
  const belief = exact.alpha.map((row, t) => (exact.dead >= 0 && t >= exact.dead ? null : row));
  const of = belief.map((b) => b && parts(b, process));
  const xs = obs.map((y) => process.B[0].map((_, v) => +(v === y)));
  const trace = forward(network.kind, network, xs, {}, {}, old?.trace, from);
  const W = network.readout_W.map((v) => [v]);
  let score = bag.intercept;
  return {
    exact, belief, of, trace,
    open: of.map((p) => p && p.chance),
    ends: of.map((p) => p && share(p.bought, p.over)),
    goes: of.map((p) => p && share(p.later, p.goes)),
    over: of.map((p) => p && p.over),
    network: trace.slice(1).map(({ h }) => sigmoid(affine(h, W, network.readout_b)[0])),
    bag: obs.map((y) => sigmoid((score += bag.coef[y]))),
  };
}
