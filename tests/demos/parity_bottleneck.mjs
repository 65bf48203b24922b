// Reads [{fn, args}, ...] from stdin, answers with the results: the bottleneck demo.
import { checkState } from "../../course_lib/demos/js/core/state.js";
import { bottleneck } from "../../course_lib/demos/js/views/bottleneck.js";

const calls = {
  valid: (state) => checkState(state) === "" && bottleneck.wrong(state) === "" && state.t <= bottleneck.range(state).max,
  // The result on `state`, reached by an edit of `start`, and what the view says about it.
  view(state, start = state) {
    const result = bottleneck.compute(state, { state: start, result: bottleneck.compute(start) });
    return {
      result, facts: bottleneck.facts(state, result), say: bottleneck.say(state, result), sums: bottleneck.sums(state, result),
      table: bottleneck.table(state, result), python: bottleneck.python(state), question: bottleneck.question(state, result),
    };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const answers = JSON.parse(text).map(({ fn, args }) => calls[fn](...args));
process.stdout.write(JSON.stringify(answers, (key, v) =>
  typeof v === "number" && !Number.isFinite(v) ? String(v) : v));
