// Reads [{fn, args}, ...] from stdin, answers with the results: the one-head demo.
import { apart, stage } from "../../course_lib/demos/js/core/head.js";
import { checkState } from "../../course_lib/demos/js/core/state.js";
import { one_head as view } from "../../course_lib/demos/js/views/one_head.js";

const calls = {
  valid: (state) => checkState(state) === "" && view.wrong(state) === "",
  tidy: (state) => view.tidy(structuredClone(state)),
  apart: (state, other) => apart(view.compute(state), view.compute(other)),
  view(state, start = state) {
    const result = view.compute(state);
    return {
      result, stages: [0, 1, 2, 3, 4, 5, 6, 7].map((t) => stage(result, t)), facts: view.facts(state, result, start), say: view.say(state, result),
      sums: view.sums(state, result), table: view.table(state, result), python: view.python(state), question: view.question(state, result),
    };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const answers = JSON.parse(text).map(({ fn, args }) => calls[fn](...args) ?? null);
process.stdout.write(JSON.stringify(answers, (key, v) =>
  typeof v === "number" && !Number.isFinite(v) ? String(v) : v));
