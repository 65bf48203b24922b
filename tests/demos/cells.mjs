// Reads [{kind, params, xs, dh, opts, start, last}, ...] from stdin, answers with trace, gradients
// and flow; infinities travel as strings.
import { backward, cells, flow, forward } from "../../course_lib/demos/js/core/cells.js";

const answer = ({ kind, params, xs, dh, opts, start, last, changed }) => {
  const trace = forward(kind, params, xs, opts, start);
  const other = xs.map((row, t) => (t === changed ? row.map((v) => v + 1) : row));
  return {
    trace, flow: flow(kind, params, trace, opts), grads: backward(kind, params, xs, trace, dh, opts, last),
    stepped: cells[kind].step(xs[0], trace[0], params, opts),
    resumed: forward(kind, params, xs, opts, start, forward(kind, params, other, opts, start), changed),
  };
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
process.stdout.write(JSON.stringify(JSON.parse(text).map(answer), (key, v) =>
  typeof v === "number" && !Number.isFinite(v) ? String(v) : v));
