// Reads [{fn, args}, ...] from stdin, answers with the results; infinities travel as strings.
import { bagLogs, random, stationary, stepLogs, walk } from "../../course_lib/demos/js/core/chain.js";
import { expect, logDensity, maximise } from "../../course_lib/demos/js/core/em.js";
import { backward, filter, pairwise, smooth, viterbi } from "../../course_lib/demos/js/core/hmm.js";
import { checkState } from "../../course_lib/demos/js/core/state.js";

const likelihoods = (obs, B) => obs.map((y) => B.map((row) => row[y]));

const run = {
  hmm(obs, pi, A, B, from, start) {
    const L = likelihoods(obs, B);
    const f0 = filter(pi, A, likelihoods(start, B));
    const f = filter(pi, A, L, f0, from);
    const v = viterbi(pi, A, L, viterbi(pi, A, likelihoods(start, B)), from);
    const beta = backward(A, L, f.c);
    return { ...f, log_c: f.c.map(Math.log), beta, gamma: smooth(f.alpha, beta), xi: pairwise(A, L, f, beta), ...v };
  },
  em(kind, y, m, n) {
    const out = [];
    for (let t = 0; t <= n; t++) {
      const e = expect(kind, y, m);
      out.push({ m, logEvidence: e.logEvidence, gamma: e.gamma });
      m = maximise(kind, y, m, e);
    }
    return out;
  },
  density: (kind, y, mean, variance) => y.map((v) => logDensity(kind, v, mean, variance)),
  chain: (y, pi, A) => stepLogs(y, pi, A),
  bag: (y, p) => bagLogs(y, p),
  stationary: (A) => stationary(A),
  random(seed, n) {
    const next = random(seed);
    return Array.from({ length: n }, next);
  },
  walk: (pi, A, seed, n) => walk(pi, A, seed, n),
  valid: (state) => checkState(state) === "",
  async view(state) {
    const view = (await import(`../../course_lib/demos/js/views/${state.view}.js`))[state.view];
    return { wrong: view.wrong(state), facts: view.facts?.(state, view.compute(state), state), python: view.python?.(state), say: view.say?.(state, view.compute(state)), sums: view.sums?.(state, view.compute(state)), table: view.table?.(state, view.compute(state)) };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const answers = await Promise.all(JSON.parse(text).map(({ fn, args }) => run[fn](...args)));
process.stdout.write(JSON.stringify(answers, (key, v) =>
  typeof v === "number" && !Number.isFinite(v) ? String(v) : v));
