// Reads [{fn, args}, ...] from stdin, answers with the results: demos of cells.
import { cloud } from "../../course_lib/demos/js/core/belief.js";
import { flow, forward } from "../../course_lib/demos/js/core/cells.js";
import { norm, spectralRadius, weights } from "../../course_lib/demos/js/core/flow.js";
import { kalman } from "../../course_lib/demos/js/core/kalman.js";
import { unpack, unpackAll } from "../../course_lib/demos/js/core/packed.js";
import { checkState } from "../../course_lib/demos/js/core/state.js";
import { alignment } from "../../course_lib/demos/js/views/alignment.js";
import { attention_map } from "../../course_lib/demos/js/views/attention_map.js";
import { belief_simplex } from "../../course_lib/demos/js/views/belief_simplex.js";
import { family } from "../../course_lib/demos/js/views/family.js";
import { forecast } from "../../course_lib/demos/js/views/forecast.js";
import { gate_trace } from "../../course_lib/demos/js/views/gate_trace.js";
import { gradient_flow } from "../../course_lib/demos/js/views/gradient_flow.js";
import { linear } from "../../course_lib/demos/js/core/linear.js";
import { scan_tree } from "../../course_lib/demos/js/views/scan_tree.js";
import { sentences } from "../../course_lib/demos/js/views/sentences.js";
import { state_trace } from "../../course_lib/demos/js/views/state_trace.js";
import { three_cells } from "../../course_lib/demos/js/views/three_cells.js";

const views = { alignment, attention_map, belief_simplex, family, forecast, gate_trace, gradient_flow, scan_tree, sentences, state_trace, three_cells };

const calls = {
  valid: (state) => checkState(state) === "" && views[state.view].wrong(state) === "",
  // The result on `state`, reached by an edit of `start`, and what the view says about it.
  view(state, start = state) {
    const view = views[state.view];
    const result = view.compute(state, { state: start, result: view.compute(start) });
    const q = view.question(state, result);
    return {
      result, facts: view.facts(state, result, start), say: view.say(state, result), sums: view.sums(state, result),
      table: view.table(state, result), python: view.python(state), question: q,
    };
  },
  radius: (W) => spectralRadius(W),
  norm: (J) => norm(J),
  weights: (seed, H, opts) => weights(seed, H, opts),
  flow({ seed, xs, fixed: { hidden }, opts }) {
    const [w, x] = [weights(seed, hidden, opts), xs.slice(0, opts.length).map((v) => [v])];
    const states = forward(opts.cell, w, x, opts);
    const { h, c } = flow(opts.cell, w, states, opts, false);
    return { states, h, c };
  },
  unpack: (packed) => unpack(packed),
  packed: (data, xs) => forward(data.kind, unpackAll(data), xs).slice(1).map((step) => step.h),
  cloud: (model, most) => cloud(model, most),
  kalman: (y, p, y0, from) => kalman(y, p, kalman(y0, p), from),
  linear: (x, p, x0, from) => linear(x, p, linear(x0, p), from),
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const answers = JSON.parse(text).map(({ fn, args }) => calls[fn](...args));
process.stdout.write(JSON.stringify(answers, (key, v) =>
  typeof v === "number" && !Number.isFinite(v) ? String(v) : v));
