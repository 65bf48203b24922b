// RNN, LSTM and GRU read one sequence, under one cursor.

import { affine, forward } from "../core/cells.js";
import { array, firstChange, python } from "../core/state.js";
import { cellSums, kept } from "../ui/cell_sums.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, num } from "../ui/dom.js";
import { lanes } from "../ui/lanes.js";

const KINDS = ["rnn", "lstm", "gru"];
const NAMES = { rnn: "RNN", lstm: "LSTM", gru: "GRU" };
const GATES = { rnn: [], lstm: ["i", "f", "o"], gru: ["r", "z"] };
const WORDS = { i: "input", f: "forget", o: "output", r: "reset", z: "update" };
const SHOWS = ["h", "gates", "readout"];
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// What a readout says: the number itself, or the probability of the class asked for.
function answer(head, hidden, ask) {
  const scores = affine(hidden, head.W, head.b);
  if (scores.length === 1) return scores[0];
  const top = Math.max(...scores);
  const e = scores.map((v) => Math.exp(v - top));
  return e[ask] / e.reduce((a, b) => a + b, 0);
}
const isNumber = (s) => s.fixed.readout?.rnn.b.length === 1;
const saidBy = (s) => (isNumber(s) ? "answer" : `P(${s.fixed.classes[s.fixed.ask]})`);
const what = (s) => (s.opts.show === "readout" ? saidBy(s) : `h of ${s.fixed.units[s.opts.unit]}`);
// The number that the three are compared by.
const value = (s, r, kind, t) => (s.opts.show === "readout" ? r.said[kind][t] : r.trace[kind][t + 1].h[s.opts.unit]);
const firsts = new WeakMap();
const last = (r, kind) => r.trace[kind].at(-1).h;

export const three_cells = {
  title: "Three cells, one sequence",

  range: (s) => ({ max: s.xs.length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, s.xs.length - 1);
    return s;
  },

  wrong({ xs, opts, fixed: { inputs, units, readout, target } }) {
    if (xs.some((row) => row.length !== inputs.length)) return `xs needs ${inputs.length} inputs a step`;
    if (target && xs.length !== target.length) return `xs needs ${target.length} steps, as the target has`;
    if (opts.unit >= units.length) return `unit must be below ${units.length}`;
    return opts.show === "readout" && !readout ? "there is no readout to show" : "";
  },

  compute({ xs, fixed }, old) {
    const from = old ? firstChange(xs, old.state.xs) : 0;
    const trace = Object.fromEntries(KINDS.map((kind) => [kind, forward(kind, fixed[kind], xs, {}, {}, old?.result.trace[kind], from)]));
    const said = fixed.readout && Object.fromEntries(KINDS.map((kind) => [kind, trace[kind].slice(1).map((step) => answer(fixed.readout[kind], step.h, fixed.ask))]));
    return { xs, trace, said };
  },

  facts(s, r, initial) {
    if (!firsts.has(initial)) firsts.set(initial, three_cells.compute(initial));
    const start = firsts.get(initial);
    const changed = s.xs.flatMap((row, t) => (same(row, initial.xs[t]) ? [] : [t]));
    const moves = KINDS.map((kind) => Math.max(...last(r, kind).map((v, k) => Math.abs(v - last(start, kind)[k]))));
    const gates = KINDS.flatMap((kind) => GATES[kind].flatMap((gate) => r.trace[kind].slice(1).flatMap((step) => step[gate])));
    return {
      t: s.t, x: s.xs, readout: r.said, only_first: String(changed) === "0", gate_max: Math.max(...gates),
      echo_ratio: Math.max(...moves) > 1e-3 ? Math.max(...moves) / Math.min(...moves) : 0,
      ...Object.fromEntries(KINDS.map((kind) => [kind, Object.fromEntries(["h", "c", "g", "n", ...GATES[kind]].map((key) => [key, r.trace[kind].slice(1).map((step) => step[key] ?? null)]))])),
    };
  },

  say(s, r) {
    const { t, opts: { unit: k }, fixed: { target } } = s;
    const percent = (v) => `${num(100 * v, 0)} %`;
    const three = KINDS.map((kind) => `${NAMES[kind]} ${num(value(s, r, kind, t), 2)}`).join(", ");
    const wanted = s.opts.show === "readout" && target ? ` (asked for: ${num(target[t], 2)})` : "";
    const [was, now] = [r.trace.lstm[t], r.trace.lstm[t + 1]];
    const keep = kept(s.fixed.gru, r.trace.gru[t + 1], k);
    return `After step ${t}, ${what(s)}: ${three}${wanted}. In ${s.fixed.units[k]} the RNN writes everything anew, the LSTM keeps ${percent(now.f[k])} of its cell state ${num(was.c[k], 2)}, the GRU ${percent(keep)} of its state.`;
  },

  sums(s, r) {
    const { t, xs, opts: { unit: k, model, show }, fixed: { readout } } = s;
    const p = s.fixed[model];
    const [was, now] = [r.trace[model][t], r.trace[model][t + 1]];
    const rows = cellSums(model, p, xs[t], was, now, k);
    if (show === "readout") {
      const scores = affine(now.h, readout[model].W, readout[model].b);
      rows.push(scores.length === 1
        ? ["readout", "h · W + b", num(scores[0])]
        : ["readout", `${saidBy(s)} by softmax(h · W + b)`, `scores ${scores.map((v) => num(v, 2)).join(", ")} give ${num(r.said[model][t])}`]);
    }
    return rows;
  },

  question(s, r) {
    const { t, xs, opts: { unit, model, show } } = s;
    const p = show === "readout" && !isNumber(s);
    const most = show === "readout" && isNumber(s) ? Math.max(1, Math.ceil(Math.max(...r.said[model].map(Math.abs)))) : 1;
    return {
      key: JSON.stringify([unit, model, show, xs.slice(0, t + 1)]), prompt: `t = ${t}: what will the ${NAMES[model]} hold after this step (${what(s)})?`,
      truth: value(s, r, model, t), min: p ? 0 : -most, max: most, step: most / 50,
    };
  },

  table(s, r) {
    const { t, fixed: { inputs, units, readout, target }, opts: { unit: k } } = s;
    const list = (kind, step) => [...["i", "f", "g", "o", "c", "r", "z", "n"].filter((key) => key in step).map((key) => [`${NAMES[kind]} ${key}`, step[key][k]]), [`${NAMES[kind]} h`, step.h[k]]];
    const row = (n) => [...KINDS.flatMap((kind) => list(kind, r.trace[kind][n + 1])),
      ...(readout ? KINDS.map((kind) => [`${NAMES[kind]} ${saidBy(s)}`, r.said[kind][n]]) : []), ...(target ? [["target", target[n]]] : [])];
    return {
      caption: `Gates and states of ${units[k]} in each cell`,
      head: ["t", ...inputs, ...row(0).map(([name]) => name)],
      rows: s.xs.map((x, n) => [`${n}`, ...x.map((v) => num(v, 2)), ...row(n).map(([, v]) => num(v, 4))]),
      current: t,
    };
  },

  python({ fixed, xs, opts, ...s }) {
    const raw = (text) => ({ raw: text });
    const make = (kind) => [`${kind}_params = ${kind}.${NAMES[kind]}Params(`, ...Object.entries(fixed[kind]).filter(([, x]) => x !== null).map(([key, x]) => `    ${key}=${typeof x === "string" ? JSON.stringify(x) : array(x)},`), ")"];
    const heads = fixed.readout && ["readout = {", ...KINDS.map((kind) => `    "${kind}": (${array(fixed.readout[kind].W)}, ${array(fixed.readout[kind].b)}),`), "}"];
    return python(s, "gru, lstm, rnn", [`x = ${array(xs)}`, ...KINDS.flatMap(make), ...(heads ?? [])], {
      x: raw("x"), ...Object.fromEntries(KINDS.map((kind) => [kind, raw(`${kind}_params`)])), ...(heads && { readout: raw("readout"), ask: fixed.ask, classes: fixed.classes }),
      ...(fixed.target && { target: fixed.target }), inputs: fixed.inputs, units: fixed.units, t: s.t, unit: opts.unit, model: opts.model, show: opts.show,
    }) + 'print(demo.trace()["lstm_h"].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { inputs, units, readout, target } = ctx.initial.fixed;
  const size = Math.max(1, ...ctx.initial.xs.flat().map((v) => Math.ceil(Math.abs(v))));
  const number = isNumber(ctx.initial);
  const unit = (s) => s.opts.unit;
  const read = (kind, key) => (r, s) => r.trace[kind].slice(1).map((step) => step[key][unit(s)]);
  const around = (lists) => {
    const most = Math.max(1, ...lists.flat().map(Math.abs));
    return { low: -most, high: most };
  };
  const chosen = (kind) => (s) => s.opts.model === kind;
  const inputRows = inputs.map((name, d) => ({
    label: name, low: -size, high: size, tall: 46, digits: 2, get: (r) => r.xs.map((x) => x[d]),
    drag: { name, read: (s, t) => s.xs[t][d], write: (s, t, v) => (s.xs[t][d] = v) },
  }));
  const cell = { label: "LSTM c", low: -1, high: 1, tall: 44, bold: chosen("lstm"), get: read("lstm", "c"), range: (r) => around(read("lstm", "c")(r, ctx.state)) };
  const hidden = (kind, tall) => ({ label: `${NAMES[kind]} h`, low: -1, high: 1, tall, bold: chosen(kind), get: read(kind, "h") });
  const gate = (kind, key) => ({ label: `${NAMES[kind]} ${key} ${WORDS[key]}`, short: `${NAMES[kind]} ${key}`, low: 0, high: 1, tall: 30, bold: chosen(kind), get: read(kind, key) });
  const saying = (kind) => ({
    label: NAMES[kind], low: number ? -1 : 0, high: 1, tall: 44, bold: chosen(kind), get: (r) => r.said[kind],
    ...(number && { range: (r) => around(KINDS.map((one) => r.said[one])) }),
  });
  const groups = {
    h: [hidden("rnn", 44), cell, hidden("lstm", 44), hidden("gru", 44)],
    gates: [hidden("rnn", 30), ...GATES.lstm.map((key) => gate("lstm", key)), cell, ...GATES.gru.map((key) => gate("gru", key)), hidden("gru", 30)],
    readout: readout ? [...(target ? [{ label: "asked for", low: number ? -1 : 0, high: 1, tall: 34, get: () => target, ...(number && { range: () => around([target]) }) }] : []), ...KINDS.map(saying)] : [],
  };
  const trace = lanes({ ctx, rows: [...inputRows, ...groups.h, ...groups.gates, ...groups.readout] });
  const shows = SHOWS.filter((show) => show !== "readout" || readout);
  const showChoice = choice({ legend: "The lanes show", options: shows.map((show) => ({ h: "one unit", gates: "its gates", readout: `the readout, ${saidBy(ctx.initial)}` })[show]), set: (k) => ctx.set((s) => (s.opts.show = shows[k])) });
  const unitChoice = choice({ legend: "Unit", options: units, set: (k) => ctx.set((s) => (s.opts.unit = k)) });
  const modelChoice = choice({ legend: "Arithmetic of the", options: KINDS.map((kind) => NAMES[kind]), set: (k) => ctx.set((s) => (s.opts.model = KINDS[k])) });
  const sums = arithmetic();

  function draw(s, r, look) {
    trace.draw(s, r, look, [...inputRows, ...groups[s.opts.show]]);
    showChoice.draw(shows.indexOf(s.opts.show));
    unitChoice.draw(unit(s));
    modelChoice.draw(KINDS.indexOf(s.opts.model));
    sums.draw(look.hide ? [["predict", "your guess first", "?"]] : three_cells.sums(s, r));
  }
  return {
    el: h("div", {}, h("div", { class: "sbs-split" }, showChoice.el, units.length > 1 ? unitChoice.el : null), trace.el),
    after: h("div", { class: "sbs-why" }, modelChoice.el, sums.el),
    draw,
  };
}
