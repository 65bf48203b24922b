// Reads [{fn, args}, ...] from stdin, answers with the results: the session demo.
import { checkState } from "../../course_lib/demos/js/core/state.js";
import { session } from "../../course_lib/demos/js/views/session.js";

const calls = {
  valid: (state) => checkState(state) === "" && session.wrong(state) === "",
  // The result on `state`, reached by an edit of `start`, and what the view says about it.
  view(state, start = state) {
    const result = session.compute(state, { state: start, result: session.compute(start) });
    return {
      result, facts: session.facts(state, result, start), say: session.say(state, result), sums: session.sums(state, result),
      table: session.table(state, result), python: session.python(state), question: session.question(state, result),
    };
  },
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const answers = JSON.parse(text).map(({ fn, args }) => calls[fn](...args));
process.stdout.write(JSON.stringify(answers, (key, v) =>
  typeof v === "number" && !Number.isFinite(v) ? String(v) : v));
