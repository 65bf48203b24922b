// How much of the gradient at the last state reaches each earlier one, on a log axis.

import { flow, forward } from "../core/cells.js";
import { weights } from "../core/flow.js";
import { array, firstChange, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put } from "../ui/dom.js";
import { dial, lanes, shade } from "../ui/lanes.js";

const CELLS = ["rnn", "lstm", "gru"];
const STARTS = ["random", "orthogonal", "identity"];
const ACTIVATIONS = ["tanh", "relu", "linear"];
const HEAD = 216; // of the curve
const PALE = 8; // powers of ten below 1 at which the strip has no colour left
const FLOOR = -16; // power of ten; float64 keeps nothing below it next to 1
const log = (v) => Math.max(FLOOR, Math.log10(v));
const power = (v) => (v < 1e-3 || v >= 1e4 ? num(v, v < 1e-3 ? 3 : 0) : num(v));
const large = (v) => {
  const e = Math.floor(Math.log10(v));
  return v >= 1e4 ? `${num(v / 10 ** e, 1)}·10${[...String(e)].map((d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]).join("")}` : power(v);
};
const where = (s) => s.opts.length - s.t; // t is the lag

export const gradient_flow = {
  title: "Gradient flow",

  range: (s) => ({ max: s.opts.length, what: "lag" }),

  tidy(s) {
    s.t = Math.min(s.t, s.opts.length);
    return s;
  },

  wrong: () => "",

  compute({ xs, seed, opts, fixed: { hidden } }, old) {
    const { length, cell, activation } = opts;
    const key = JSON.stringify([seed, { ...opts, length: 0, predict: 0 }]);
    const same = old && key === old.result.key;
    const w = same ? old.result.w : weights(seed, hidden, opts);
    const used = xs.slice(0, length);
    const from = same ? firstChange(used, old.result.xs) : 0;
    if (same && from === length && length === old.result.xs.length) return old.result;
    const trace = forward(cell, w, used.map((x) => [x]), { activation }, {}, old?.result.trace, from);
    return { key, w, xs: used, trace, norm: flow(cell, w, trace, { activation }, false) };
  },

  facts: ({ t, xs, opts }, r) => ({
    t, xs, ...opts, norm: r.norm.h, norm_c: r.norm.c, first: r.norm.h[0], at: r.norm.h[opts.length - t],
    smallest: Math.min(...r.norm.h), largest: Math.max(...r.norm.h),
  }),

  say(s, r) {
    const { t: lag, opts: { cell, length } } = s;
    if (!lag) return `At the last state the gradient is 1 by definition. Step back through the ${length} steps, or play.`;
    const v = r.norm.h[where(s)];
    const word = v === 0 ? "Nothing at all reaches" : v < 1e-3 ? "Almost nothing reaches" : v > 10 ? "It has exploded on the way to" : "This much reaches";
    return `${word} the state ${lag} steps back: ‖∂h(T)/∂h(T−${lag})‖ = ${large(v)}.`
      + (cell === "lstm" ? ` Through the cell state: ${large(r.norm.c[where(s)])}.` : "") + ` 0.7 to the power ${lag} would be ${large(0.7 ** lag)}.`;
  },

  sums(s, r) {
    const { t: lag, opts: { cell, activation } } = s;
    const t = where(s);
    if (!lag) return [["start", "∂h(T)/∂h(T)", "the identity, norm 1"]];
    const after = r.trace[t + 1];
    const size = flow(cell, r.w, r.trace.slice(t, t + 2), { activation }, false).h[0];
    const name = `∂h₀(${t + 1})/∂h₀(${t})`;
    const rows = [];
    if (cell === "rnn") {
      const [text, slope] = { tanh: [`(1 − ${num(after.h[0])}²)`, 1 - after.h[0] ** 2], relu: [`${+(after.h[0] > 0)}`, +(after.h[0] > 0)], linear: ["1", 1] }[activation];
      rows.push(["one entry", `${name} = slope · W₀₀`, `${text} × ${num(r.w.W_hh[0][0])} = ${num(slope * r.w.W_hh[0][0])}`]);
    } else {
      rows.push(cell === "lstm"
        ? ["along the cell", `∂c₀(${t + 1})/∂c₀(${t}) = f₀`, num(after.f[0])]
        : ["carried over", `z₀, its part of ${name}`, num(after.z[0])]);
    }
    const [far, v] = [r.norm.h[t + 1], r.norm.h[t]];
    rows.push(["this step", `‖∂h(${t + 1})/∂h(${t})‖`, large(size)]);
    if (cell !== "lstm") rows.push(["at most", "this step × what came before", `${large(size)} × ${large(far)} = ${large(size * far)}`]);
    rows.push(["measured", `‖∂h(T)/∂h(${t})‖`, large(v)]);
    if (cell === "lstm") rows.push(["by the cell", `‖∂h(T)/∂c(${t})‖`, large(r.norm.c[t])]);
    rows.push(["to compare", "0.7 to the power of the lag", large(0.7 ** lag)]);
    return rows;
  },

  question(s, r) {
    if (!s.t) return null;
    return { key: `${r.key}${r.xs}${s.t}`, prompt: `Lag ${s.t}: which power of ten has the norm of the gradient?`, truth: log(r.norm.h[where(s)]), min: FLOOR, max: 4, step: 0.5 };
  },

  table(s, r) {
    const lstm = s.opts.cell === "lstm";
    return {
      caption: "Norm of the gradient at every state",
      head: ["lag", "state", "input before it", "‖∂h(T)/∂h(t)‖", ...(lstm ? ["‖∂h(T)/∂c(t)‖"] : []), "0.7^lag"],
      rows: r.norm.h.map((_, lag) => {
        const t = s.opts.length - lag;
        return [`${lag}`, `${t}`, t ? num(s.xs[t - 1], 2) : "", ...[r.norm.h[t], ...(lstm ? [r.norm.c[t]] : []), 0.7 ** lag].map((v) => v.toExponential(3))];
      }),
      current: s.t,
    };
  },

  python: ({ opts: { predict, ...opts }, fixed: { hidden }, ...s }) =>
    python(s, "gradients", [`x = ${array(s.xs)}`], { ...opts, hidden, seed: s.seed, x: { raw: "x" }, t: s.t }) + 'print(demo.trace()["norm_h"])\n',

  build,
};

function build(ctx) {
  const { hidden } = ctx.initial.fixed;
  const set = (key, label) => (value) => ctx.set((s) => (s.opts[key] = value), label);
  const pick = (legend, key, options) => {
    const part = choice({ legend, options, set: (i) => set(key)(options[i]) });
    return { el: part.el, draw: (s) => part.draw(options.indexOf(s.opts[key])) };
  };
  const cell = choice({ legend: "Cell", options: ["RNN", "LSTM", "GRU"], set: (i) => set("cell")(CELLS[i]) });
  const start = pick("Start", "start", STARTS);
  const activation = pick("Activation", "activation", ACTIVATIONS);
  const turn = (label, key, min, max, by) => dial({ label, min, max, step: by, read: () => ctx.state.opts[key], write: (v) => set(key, key)(Math.round(v / by) * by === 0 ? 0 : +(Math.round(v / by) * by).toFixed(2)) });
  const length = turn("steps", "length", 2, 60, 1);
  const radius = turn("spectral radius", "radius", 0, 2, 0.01);
  const bias = turn("forget bias", "forget_bias", -5, 10, 0.1);
  const again = h("button", { type: "button", class: "sbs-btn sbs-wide", text: "Draw other weights", onclick: () => ctx.set((s) => (s.seed = (s.seed + 1) % 2 ** 31)) });
  const size = Math.max(1, ...ctx.initial.xs.map((v) => Math.ceil(Math.abs(v))));

  const share = (v) => (log(v) > 0 ? -0.2 - log(v) / 6 : Math.max(0, 1 + log(v) / PALE));
  const heat = (v, palette) => shade(share(v), palette);
  const strip = (label, short, key) => ({ label, short, low: 0, high: 1, tall: 26, digits: 2, heat, get: (r) => r.norm[key] });
  const rows = [
    strip("to h", "to h", "h"),
    strip("to c", "to c", "c"),
    {
      label: "input", low: -size, high: size, tall: 44, digits: 2, get: (r) => [null, ...r.xs],
      drag: { name: "input before the state", read: (s, t) => (t ? s.xs[t - 1] : null), write: (s, t, v) => t && (s.xs[t - 1] = v) },
    },
    ...Array.from({ length: hidden }, (_, k) => ({
      label: `h ${k}`, low: -1, high: 1, tall: 16, digits: 2, heat: (v, palette) => shade(v, palette), get: (r) => r.trace.map((step) => step.h[k]),
    })),
  ];
  const trace = lanes({
    ctx, rows, head: HEAD + 14, least: 9, column: (n) => `t = ${n}`, current: where, pick: (n) => ctx.go(ctx.state.opts.length - n),
  });
  const layer = () => h("svg:g");
  const [grid, reference, curves] = [layer(), layer(), layer()];
  trace.top.append(grid, reference, curves);
  const key = ["‖∂h(T)/∂h(t)‖", "‖∂h(T)/∂c(t)‖", "0.7 to the power of the lag"].map((text) => h("span", { text }));
  const scale = h("div", { class: "sbs-powers", style: `height:${HEAD}px` });
  trace.gutter.before(scale);
  const sums = arithmetic();
  const others = [activation.el, bias.el];

  function draw(s, r, extra) {
    const { length: T, cell: kind } = s.opts;
    const { hide, palette } = extra;
    const lstm = kind === "lstm";
    const { w } = trace.draw(s, r, extra, rows.filter((row) => lstm || row.label !== "to c"));
    const all = [...r.norm.h, ...r.norm.c].map(log);
    const high = Math.max(2, Math.ceil(Math.max(...all) / 2) * 2);
    const y = (v) => 10 + ((high - Math.max(FLOOR, v)) / (high - FLOOR)) * (HEAD - 20);
    const ticks = [...new Set([high, ...Array.from({ length: 5 }, (_, i) => -4 * i)])];
    keep(grid, ticks.length, () => h("svg:rect", { class: "sbs-zero", height: 1, x: 0 })).forEach((el, i) => put(el, { y: y(ticks[i]), width: (T + 1) * w, opacity: ticks[i] ? 0.35 : 1 }));
    keep(scale, ticks.length, () => h("span")).forEach((el, i) => put(el, { style: `top:${y(ticks[i]) - 8}px`, text: `10${[...String(ticks[i])].map((d) => (d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[d])).join("")}${ticks[i] === FLOOR ? " floor" : ""}` }));
    const path = (values, from = 0) => {
      const points = values.slice(from).map((v, i) => `${((from + i + 0.5) * w).toFixed(1)} ${y(log(v)).toFixed(1)}`);
      return points.length ? `M${points.join("L")}` : "";
    };
    put(keep(reference, 1, () => h("svg:path", { class: "sbs-ref" }))[0], { d: path(Array.from({ length: T + 1 }, (_, t) => 0.7 ** (T - t))), stroke: palette.states[2] });
    keep(curves, lstm ? 4 : 2, (i) => h("svg:path", { class: "sbs-flow", opacity: i % 2 ? 1 : 0.35 })).forEach((el, i) => put(el, {
      d: path(i < 2 ? r.norm.h : r.norm.c.slice(0, -1), hide ? where(s) + 1 : i % 2 ? where(s) : 0), stroke: palette.states[i >> 1],
    }));
    key.forEach((el, i) => {
      el.hidden = i === 1 && !lstm;
      el.style.borderColor = palette.states[i];
    });
    cell.draw(CELLS.indexOf(kind));
    start.draw(s);
    activation.draw(s);
    others[0].hidden = kind !== "rnn";
    length.draw();
    radius.draw();
    bias.draw(!lstm);
    sums.draw(hide ? [["predict", "your guess first", "?"]] : gradient_flow.sums(s, r));
  }
  return {
    el: h("div", {}, h("div", { class: "sbs-split" }, cell.el, start.el, activation.el, again),
      h("div", { class: "sbs-dials" }, length.el, radius.el, bias.el), h("p", { class: "sbs-keys" }, key), trace.el,
      h("p", { class: "sbs-note", text: "Strips: full colour at 1, none at 10⁻⁸ and below, orange above 1. h is blue above 0, orange below." })),
    after: h("div", { class: "sbs-why" }, sums.el),
    draw,
  };
}
