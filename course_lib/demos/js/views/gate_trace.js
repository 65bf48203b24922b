// Every gate of an LSTM at every step; gates can be held, and a vanilla RNN reads beside it.

import { affine, forward } from "../core/cells.js";
import { firstChange, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, num } from "../ui/dom.js";
import { dial, lanes } from "../ui/lanes.js";

const GATES = { i: "input", f: "forget", g: "candidate", o: "output" };
const low = (gate) => (gate === "g" ? -1 : 0);
const held = (s, gate) => s.opts.clamp[gate] !== null;
const plus = (v) => `${v < 0 ? "−" : "+"} ${num(Math.abs(v), 2)}`;
const percent = (p) => `${num(100 * p, 0)} %`;
const column = (trace, key, k) => trace.slice(1).map((step) => step[key][k]); // trace[0] is the start
const lstm = (xs, p, clamp, kept, from) => forward("lstm", p, xs, { clamp }, {}, kept, from);
const rnn = (xs, p, kept, from) => forward("rnn", p, xs, {}, {}, kept, from);
// Column j of v @ W.
const dot = (v, W, j) => affine(v, W, Array(j + 1).fill(0), j)[0];

// What gate number n of unit k sums up before it is squashed: input, state, bias and peephole.
function parts(n, k, x, h, c, p) {
  const j = n * h.length + k;
  return [dot(x, p.W_xa, j), dot(h, p.W_ha, j), p.b_a[j], ...(p.w_ca && n !== 2 ? [p.w_ca[Math.min(n, 2)][k] * c[k]] : [])];
}

// The bit is the first step with an input of at least 0.5. What is left of it n steps later: how far
// the value is from what it would be had that step been all zeros. Counts the steps with half or more.
function alive(xs, read) {
  const start = xs.findIndex((row) => row.some((v) => Math.abs(v) >= 0.5));
  if (start < 0) return null;
  const [full, without] = [xs, xs.with(start, xs[start].map(() => 0))].map(read);
  const left = full.map((v, t) => Math.abs(v - without[t])).slice(start);
  const end = left.findIndex((v) => v < left[0] / 2);
  return left[0] ? (end < 0 ? left.length : end) - 1 : null;
}

export const gate_trace = {
  title: "Gate trace",

  range: (s) => ({ max: s.xs.length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, s.xs.length - 1);
    return s;
  },

  wrong({ xs, opts, fixed: { inputs, units, rnn: other } }) {
    if (xs.some((row) => row.length !== inputs.length)) return `xs needs ${inputs.length} inputs a step`;
    if (opts.unit >= units.length) return `unit must be below ${units.length}`;
    if (opts.compare && !other) return "there is no RNN to compare with";
    return Object.keys(GATES).some((gate) => opts.clamp[gate] < low(gate)) ? "a gate is held from 0 to 1" : "";
  },

  compute({ xs, fixed, opts: { clamp } }, old) {
    const from = old ? firstChange(xs, old.state.xs) : 0;
    const same = old && JSON.stringify(clamp) === JSON.stringify(old.state.opts.clamp);
    return {
      xs,
      steps: lstm(xs, fixed.lstm, clamp, old?.result.steps, same ? from : 0),
      rnn: fixed.rnn && rnn(xs, fixed.rnn, old?.result.rnn, from),
    };
  },

  facts: ({ t, xs, fixed, opts: { unit, clamp } }, r) => ({
    t, xs, unit, clamp, held: Object.values(clamp).filter((v) => v !== null).length,
    ...Object.fromEntries([...Object.keys(GATES), "c", "h"].map((key) => [key, r.steps.slice(1).map((step) => step[key])])),
    rnn: r.rnn?.slice(1).map((step) => step.h), alive: alive(xs, (x) => column(lstm(x, fixed.lstm, clamp), "c", unit)),
    alive_rnn: r.rnn && alive(xs, (x) => column(rnn(x, fixed.rnn), "h", unit)),
  }),

  say({ t, opts: { unit: k, compare } }, r) {
    const { i, f, g, o, c, h: hidden } = r.steps[t + 1];
    const before = r.steps[t].c[k];
    return `The forget gate keeps ${percent(f[k])} of ${num(before, 2)}, the input gate lets ${percent(i[k])} of the candidate ${num(g[k], 2)} in: the cell state is ${num(c[k], 2)}. The output gate shows ${percent(o[k])} of it: h = ${num(hidden[k], 2)}.`
      + (compare ? ` The RNN writes over its whole state at every step and holds ${num(r.rnn[t + 1].h[k], 2)}.` : "");
  },

  sums(s, r) {
    const { t, xs, fixed: { lstm: p, rnn: other }, opts: { unit: k, clamp, compare } } = s;
    const [before, now] = r.steps.slice(t);
    const rows = Object.entries(GATES).map(([gate, name], n) => {
      if (held(s, gate)) return [name, gate, `held at ${num(clamp[gate])}`];
      const [x, ...more] = parts(n, k, xs[t], before.h, gate === "o" ? now.c : before.c, p);
      const terms = [num(x, 2), ...more.map(plus)];
      return [name, `${gate} = ${gate === "g" ? "tanh" : "σ"}(x W + h W + b)`, `${gate === "g" ? "tanh" : "σ"}(${terms.join(" ")}) = ${num(now[gate][k])}`];
    });
    rows.push(
      ["cell state", "c = f · c + i · g", `${num(now.f[k])} × ${num(before.c[k])} + ${num(now.i[k])} × ${num(now.g[k])} = ${num(now.c[k])}`],
      ["shown", "h = o · tanh(c)", `${num(now.o[k])} × ${num(Math.tanh(now.c[k]))} = ${num(now.h[k])}`],
    );
    if (compare) {
      rows.push(["RNN", "h = tanh(x W + h W + b)", `tanh(${num(dot(xs[t], other.W_xh, k), 2)} ${plus(dot(r.rnn[t].h, other.W_hh, k))} ${plus(other.b_h[k])}) = ${num(r.rnn[t + 1].h[k])}`]);
    }
    return rows;
  },

  question(s, r) {
    const { t, xs, opts: { unit, clamp }, fixed: { units } } = s;
    const most = Math.max(1, Math.ceil(Math.max(...r.steps.map((step) => Math.abs(step.c[unit])))));
    return { key: JSON.stringify([unit, clamp, xs.slice(0, t + 1)]), prompt: `t = ${t}: what will the cell state of ${units[unit]} be?`, truth: r.steps[t + 1].c[unit], min: -most, max: most, step: most / 50 };
  },

  table({ t, xs, fixed: { inputs, units }, opts: { unit: k, compare } }, r) {
    const keys = [...Object.keys(GATES), "c", "h"];
    return {
      caption: `Every number of ${units[k]}`,
      head: ["t", ...inputs, ...keys, ...(compare ? ["h of the RNN"] : [])],
      rows: xs.map((row, n) => [`${n}`, ...row.map((v) => num(v, 2)), ...keys.map((key) => num(r.steps[n + 1][key][k], 4)), ...(compare ? [num(r.rnn[n + 1].h[k], 4)] : [])]),
      current: t,
    };
  },

  python({ fixed: { lstm: p, rnn: other, inputs, units }, opts, ...s }) {
    const make = (type, params) => `${type}(\n${Object.entries(params).filter(([, x]) => x).map(([key, x]) => `    ${key}=np.array(${JSON.stringify(x)}, dtype=float),\n`).join("")})`;
    const clamp = Object.entries(opts.clamp).filter(([, v]) => v !== null).map(([gate, v]) => `"${gate}": ${v}`).join(", ");
    return python({ ...s }, other ? "lstm, rnn" : "lstm", [
      `x = np.array(${JSON.stringify(s.xs)}, dtype=float)`, `params = ${make("lstm.LSTMParams", p)}`, ...(other ? [`other = ${make("rnn.RNNParams", other)}`] : []),
    ], { x: { raw: "x" }, params: { raw: "params" }, rnn: { raw: other ? "other" : "None" }, inputs, units, t: s.t, unit: opts.unit, clamp: { raw: `{${clamp}}` }, compare: { raw: opts.compare ? "True" : "False" } })
      + 'print(demo.trace()["c"].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { inputs, units, rnn: other } = ctx.initial.fixed;
  const unit = (s) => s.opts.unit;
  const reach = (r) => {
    const most = Math.max(1, ...r.steps.flatMap((step) => step.c.map(Math.abs)));
    return { low: -most, high: most };
  };
  const size = Math.max(1, ...ctx.initial.xs.flat().map((v) => Math.ceil(Math.abs(v))));
  const rows = [
    ...inputs.map((name, d) => ({
      label: name, low: -size, high: size, tall: 46, digits: 2, get: (r) => r.xs.map((x) => x[d]),
      drag: { name, read: (s, t) => s.xs[t][d], write: (s, t, v) => (s.xs[t][d] = v) },
    })),
    ...Object.entries(GATES).map(([gate, name]) => ({
      label: `${gate} ${name}`, short: gate, low: low(gate), high: 1, tall: 32, held: (s) => held(s, gate), get: (r, s) => column(r.steps, gate, unit(s)),
    })),
    { label: "c cell state", short: "c", low: -1, high: 1, tall: 50, range: reach, get: (r, s) => column(r.steps, "c", unit(s)) },
    { label: "h hidden", short: "h", low: -1, high: 1, tall: 40, get: (r, s) => column(r.steps, "h", unit(s)) },
    { label: "h of the RNN", short: "h, RNN", low: -1, high: 1, tall: 40, get: (r, s) => column(r.rnn, "h", unit(s)) },
  ];
  const trace = lanes({ ctx, rows });
  const unitChoice = choice({ legend: "Unit", options: units, set: (k) => ctx.set((s) => (s.opts.unit = k)) });
  const compare = choice({ legend: "Beside it", options: ["nothing", "the RNN"], set: (k) => ctx.set((s) => (s.opts.compare = k === 1)) });
  const clamp = (gate, value) => ctx.set((s) => (s.opts.clamp[gate] = value), `clamp ${gate}`);
  const dials = Object.entries(GATES).map(([gate, name]) => {
    const read = () => ctx.state.opts.clamp[gate] ?? ctx.result.steps[ctx.state.t + 1][gate][ctx.state.opts.unit];
    return dial({
      label: `hold ${gate}, ${name}`, min: low(gate), max: 1, step: 0.01, read, write: (v) => clamp(gate, Math.round(v * 100) / 100),
      on: { get: () => held(ctx.state, gate), set: (on) => clamp(gate, on ? Math.round(read() * 100) / 100 : null) },
    });
  });
  const sums = arithmetic();
  const rest = rows.slice(0, -1);

  function draw(s, r, extra) {
    trace.draw(s, r, extra, s.opts.compare ? rows : rest);
    unitChoice.draw(unit(s));
    compare.draw(+s.opts.compare);
    dials.forEach((part) => part.draw());
    sums.draw(extra.hide ? [["predict", "your guess first", "?"]] : gate_trace.sums(s, r));
  }
  return {
    el: h("div", {}, units.length > 1 ? unitChoice.el : null, trace.el, h("div", { class: "sbs-dials", role: "group", "aria-label": "gates held by hand" }, dials.map((part) => part.el)), other ? compare.el : null),
    after: h("div", { class: "sbs-why" }, sums.el),
    draw,
  };
}
