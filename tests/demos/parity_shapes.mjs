// Reads [{fn, args}, ...] from stdin, answers with the results: the shape explorer.
import { bound, run, twin } from "../../course_lib/demos/js/core/shapes.js";
import { checkState } from "../../course_lib/demos/js/core/state.js";
import { shape_explorer as view } from "../../course_lib/demos/js/views/shape_explorer.js";

const calls = {
  valid: (state) => checkState(state) === "" && view.wrong(state) === "",
  tidy: (state) => view.tidy(structuredClone(state)),
  run: (state) => {
    const { input, output, h_n, c_n, weights, packing, error, shapes } = run(state);
    return { input, output, h_n, c_n, weights, packing, error, shapes };
  },
  twin: (state, pick) => twin(run(state), pick),
  bound: (state, picks) => picks.map((pick) => [...bound(run(state), pick)]),
  // The result on `state`, reached by an edit of `start`, and what the view says about it.
  view(state, start = state) {
    const result = view.compute(state, { state: start, result: view.compute(start) });
    return {
      facts: view.facts(state, result, start), say: view.say(state, result), sums: view.sums(state, result),
      table: view.table(state, result), python: view.python(state), question: view.question(state, result), output: result.output ?? null,
    };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const answers = JSON.parse(text).map(({ fn, args }) => calls[fn](...args) ?? null);
process.stdout.write(JSON.stringify(answers, (key, v) =>
  typeof v === "number" && !Number.isFinite(v) ? String(v) : v));
