// The last day, and what a linear model and a network forecast from it: drag an hour of the past.

import { HOURS, MODELS, read, slopes, unpackModels } from "../core/forecast.js";
import { array, firstChange, python } from "../core/state.js";
import { cellSums, plus } from "../ui/cell_sums.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put, signed } from "../ui/dom.js";
import { lanes, shade } from "../ui/lanes.js";

const TALL = 210; // of the chart
const UNIT = 9; // pixels of one unit's strip
const HOWS = ["direct", "recursive"];
const rate = (v) => signed(Math.abs(v) < 0.005 ? 0 : v);
const same = (a, b) => String(a) === String(b);

const unpacked = new WeakMap(); // once a demo
function models(fixed) {
  if (!unpacked.has(fixed)) unpacked.set(fixed, unpackModels(fixed));
  return unpacked.get(fixed);
}
const names = ({ network }) => ({ linear: "linear", network: network.name });
// The hour to come that is asked about: the one under the cursor, or the last one that was.
const hourOf = ({ t, opts }) => (t < HOURS ? opts.hour : t - HOURS);
const clock = ({ start_hour }, t) => `${(start_hour + t) % 24} h`;
const hours = (n) => `${n} hour${n === 1 ? "" : "s"}`;
const untouched = (s) => same(s.xs, s.fixed.start);
const median = (r, model, p) => r.recursive[model]?.[p] ?? r.direct[model][p][1];
const medians = (r, model) => r.direct[model].map((_, p) => median(r, model, p));
const direct = (r) => (r.recursive.linear ? "direct " : ""); // what the weights are about
const level = ({ quantiles: [low, , high] }) => `${num(100 * (high - low), 0)} %`;
const inside = (band, actual) => band.filter(([low, , high], p) => low <= actual[p] && actual[p] <= high).length;
// The three largest terms of Σ v · w, the rest as one number, and the bias.
function sum(v, w, b, label) {
  const terms = v.map((x, i) => ({ i, x, w: w[i] })).sort((a, c) => Math.abs(c.x * c.w) - Math.abs(a.x * a.w));
  const rest = terms.slice(3).reduce((total, { x, w: c }) => total + x * c, 0);
  return {
    names: `${terms.slice(0, 3).map(({ i }) => label(i)).join(", ")}${terms.length > 3 ? `, ${terms.length - 3} more` : ""}, b`,
    text: `${terms.slice(0, 3).map(({ x, w: c }, n) => `${n && x >= 0 ? "+ " : n ? "− " : ""}${num(n ? Math.abs(x) : x, 2)} × ${num(c)}`).join(" ")} ${terms.length > 3 ? `${plus(rest)} ` : ""}${plus(b)}`,
  };
}

export const forecast = {
  title: "The next hours",

  range: (s) => ({ max: HOURS + models(s.fixed).P - 1, what: "t =" }),

  tidy(s) {
    s.opts.hour = hourOf(s);
    return s;
  },

  wrong({ xs, opts, fixed }) {
    const { P, network } = models(fixed);
    const [low, high] = fixed.limits;
    if (xs.some((v) => v < low || v > high)) return `xs must be between ${low} and ${high}`;
    if (opts.hour >= P) return `hour must be below ${P}`;
    return opts.cell < network.readout_W.length ? "" : `cell must be below ${network.readout_W.length}`;
  },

  compute(s, old) {
    const { xs, opts: { how }, fixed } = s;
    const was = old?.result;
    const hour = hourOf(s);
    const m = models(fixed);
    const from = was ? firstChange(xs, was.xs) : 0;
    if (from < HOURS || how !== was.how) return read(m, s, hour, was, from);
    if (hour === was.hour) return was;
    const weights = Object.fromEntries(MODELS.map((model) => [model, slopes(m, model, was.raw[model], was.trace, was.z, hour)]));
    return { ...was, hour, weights };
  },

  facts(s, r) {
    const { linear, network } = r.direct;
    return {
      t: s.t, x: s.xs, hour: r.hour, linear, network, recursive: r.recursive, weights: r.weights,
      naive: s.xs[HOURS - 1], changed: s.xs.filter((v, t) => v !== s.fixed.start[t]).length,
      gaps: linear.map((y, p) => Math.abs(y[1] - network[p][1])), widths: network.map(([low, , high]) => high - low),
    };
  },

  say(s, r) {
    const { t, xs, opts: { model }, fixed } = s;
    const { unit, digits, actual } = fixed;
    const [p, call] = [r.hour, names(fixed)];
    const n = (v) => num(v, digits);
    if (t < HOURS) {
      const [w, l] = ["network", "linear"].map((one) => rate(r.weights[one][t]));
      return `${clock(fixed, t)}, ${t < HOURS - 1 ? `${hours(HOURS - 1 - t)} before the last` : "the last one read"}: ${n(xs[t])} ${unit}. One ${unit} more here would move the ${direct(r)}median ${hours(p + 1)} ahead by ${l} ${unit} in the linear model, whatever the day; in the ${call.network} at the rate of ${w}, on this day.`;
    }
    const band = (one) => (r.recursive[one] ? "" : ` (${level(fixed)}: ${n(r.direct[one][p][0])} to ${n(r.direct[one][p][2])})`);
    const other = MODELS.find((one) => one !== model);
    const came = actual && untouched(s) ? ` It was ${n(actual[p])}.` : "";
    return `${clock(fixed, t)}, ${hours(p + 1)} ahead${r.recursive.linear ? ", fed back" : ""}: ${call[model]} ${n(median(r, model, p))} ${unit}${band(model)}, ${call[other]} ${n(median(r, other, p))}${band(other)}; ${n(xs[p])} a day before, ${n(xs[HOURS - 1])} last.${came}`;
  },

  sums(s, r) {
    const { t, opts: { model, cell: k }, fixed } = s;
    const { unit, digits, scale: [mean, std] } = fixed;
    const m = models(fixed);
    const p = r.hour;
    const n = (v) => num(v, digits);
    if (t < HOURS) {
      return [
        ["scale", "x = (value − mean) ÷ std", `(${n(s.xs[t])} − ${num(mean, 2)}) ÷ ${num(std, 2)} = ${num(r.z[t])}`],
        ...cellSums(m.network.kind, m.network, [r.z[t]], r.trace[t], r.trace[t + 1], k),
        ["share", `x · w, linear, ${hours(p + 1)} ahead`, `${num(r.z[t])} × ${num(r.weights.linear[t])} = ${num(r.z[t] * r.weights.linear[t])}`],
      ];
    }
    const call = names(fixed);
    if (r.recursive[model]) {
      const measured = Math.max(0, HOURS - p);
      const v = median(r, model, p);
      return [
        ["window", "measured hours, then its own medians", `${measured} + ${HOURS - measured}`],
        ["one step", `${call[model]}: next hour, scaled: y`, num((v - mean) / std)],
        ["unscale", "mean + std · y", `${num(mean, 2)} + ${num(std, 2)} × ${num((v - mean) / std)} = ${n(v)} ${unit}`],
        ["direct", "without feeding back", `${n(r.direct[model][p][1])} ${unit}`],
      ];
    }
    const raw = r.raw[model][p];
    const order = [0, 1, 2].sort((i, j) => raw[i] - raw[j]);
    const col = 3 * p + order[1];
    const [v, W, b] = model === "linear"
      ? [r.z, m.linear.W, m.linear.b] : [r.trace[HOURS].h, m.network.readout_W, m.network.readout_b];
    const parts = sum(v, W.map((row) => row[col]), b[col], (i) => (model === "linear" ? clock(fixed, i) : `unit ${i}`));
    const y = raw[order[1]];
    const [low, mid, high] = r.direct[model][p];
    return [
      ["add up", `Σ ${model === "linear" ? "x" : "h"} · w + b: ${parts.names}`, `${parts.text} = ${num(y)}`],
      ["unscale", "median = mean + std · y", `${num(mean, 2)} + ${num(std, 2)} × ${num(y)} = ${n(mid)} ${unit}`],
      ["band", same(order, [0, 1, 2]) ? `${level(fixed)} between the outer quantiles` : "the quantiles crossed and were sorted", `${n(high)} − ${n(low)} = ${n(high - low)} ${unit}`],
    ];
  },

  question(s, r) {
    const { t, xs, opts: { model, how }, fixed } = s;
    const { unit, limits: [low, high] } = fixed;
    const name = names(fixed)[model];
    const key = JSON.stringify([t, xs, model, how, r.hour]);
    if (t < HOURS) {
      return { key, prompt: `Raise the value at ${clock(fixed, t)} a little: how fast does the ${direct(r)}median of the ${name} ${hours(r.hour + 1)} ahead follow, in ${unit} per ${unit}?`, truth: r.weights[model][t], min: -1.5, max: 1.5, step: 0.05 };
    }
    return { key, prompt: `${clock(fixed, t)}, ${hours(r.hour + 1)} ahead: which median does the ${name} forecast, in ${unit}?`, truth: median(r, model, r.hour), min: low, max: high, step: (high - low) / 100 };
  },

  table(s, r) {
    const { fixed, xs } = s;
    const call = names(fixed);
    const n = (v) => num(v, fixed.digits);
    const blank = (count) => Array(count).fill("");
    const steps = HOURS + models(fixed).P;
    const parts = s.opts.how === "direct" ? ["low", "median", "high"] : ["median"];
    const said = (p) => MODELS.flatMap((one) => (r.recursive[one] ? [n(r.recursive[one][p])] : r.direct[one][p].map(n)));
    return {
      caption: `${fixed.label} in ${fixed.unit}; weights are those of the ${direct(r)}median ${hours(r.hour + 1)} ahead`,
      head: ["t", "hour", "read", ...MODELS.map((one) => `weight, ${call[one]}`), ...MODELS.flatMap((one) => parts.map((part) => `${call[one]}, ${part}`)), "a day before", "last value"],
      rows: Array.from({ length: steps }, (_, t) => [`${t}`, clock(fixed, t), ...(t < HOURS
        ? [n(xs[t]), ...MODELS.map((one) => num(r.weights[one][t])), ...blank(2 * parts.length + 2)]
        : [...blank(3), ...said(t - HOURS), n(xs[t - HOURS]), n(xs[HOURS - 1])])]),
      current: s.t,
    };
  },

  python({ fixed, opts, ...s }) {
    const { linear, network, P } = models(fixed);
    const { name, kind, reset, update, readout_W, readout_b, ...weights } = network;
    const type = { gru: "GRUParams", lstm: "LSTMParams", rnn: "RNNParams" }[kind];
    const pair = (W, b) => `(\n    ${array(W)}.reshape(-1, ${P}, 3),\n    ${array(b)}.reshape(${P}, 3),\n)`;
    const lines = [
      `linear = ${pair(linear.W, linear.b)}`, `readout = ${pair(readout_W, readout_b)}`, `params = ${kind}.${type}(`,
      ...Object.entries(weights).filter(([, x]) => x).map(([key, x]) => `    ${key}=${array(x)},`),
      ...(kind === "gru" ? [`    reset="${reset}", update="${update}",`] : []), ")",
      `network = demos.ForecastNetwork(${JSON.stringify(name)}, params, readout)`,
    ];
    const raw = (text) => ({ raw: text });
    return python(s, kind, lines, {
      window: s.xs, linear: raw("linear"), network: raw("network"), scale: fixed.scale, label: fixed.label, unit: fixed.unit,
      quantiles: fixed.quantiles, start_hour: fixed.start_hour, limits: fixed.limits,
      ...(fixed.actual && same(s.xs, fixed.start) && { actual: fixed.actual }), // of a changed day nobody knows it
      t: s.t, hour: opts.hour, cell: opts.cell, model: opts.model, how: opts.how,
    }) + 'print(demo.trace()["network"][24:].round(3))\n';
  },

  build,
};

function build(ctx) {
  const { fixed } = ctx.initial;
  const { label, unit, digits, limits: [low, high], actual } = fixed;
  const { P, network } = models(fixed);
  const units = network.readout_W.length;
  const call = names(fixed);
  const T = HOURS + P;
  let painted = {}; // what the strips show
  let veiled = T; // the first column of the forecast that must not be seen

  const model = choice({ legend: "In front", options: MODELS.map((one) => call[one]), set: (k) => ctx.set((s) => (s.opts.model = MODELS[k])) });
  const how = choice({ legend: "Forecast", options: ["every hour at once", "hour by hour, fed back"], set: (k) => ctx.set((s) => (s.opts.how = HOWS[k])) });
  const cell = h("select", { class: "sbs-field sbs-select", onchange: () => ctx.set((s) => (s.opts.cell = +cell.value)) },
    Array.from({ length: units }, (_, k) => h("option", { value: k, text: `unit ${k}` })));

  const behind = (values) => [...values, ...Array(P).fill(null)];
  const hour = (t) => Math.min(t, HOURS - 1); // with the cursor in the future, the latest hour moves
  const largest = (r) => Math.max(0.01, ...MODELS.flatMap((one) => r.weights[one].map(Math.abs)));
  const weight = (one) => ({
    label: `weight, ${call[one]}`, short: call[one], low: -1, high: 1, tall: 40, digits: 2, bold: (s) => s.opts.model === one,
    get: (r) => behind(r.weights[one]), range: (r) => ({ low: -largest(r), high: largest(r) }),
  });
  // Where there is nothing, NaN: a heat row paints null over the cursor.
  const chart = {
    label: `${label}, ${unit}`, short: unit, low, high, tall: TALL, digits, heat: () => "none",
    get: (r, s) => [...r.xs, ...medians(r, s.opts.model).map((v, p) => (p + HOURS < veiled ? v : NaN))],
    drag: { name: label, read: (s, t) => s.xs[hour(t)], write: (s, t, v) => (s.xs[hour(t)] = +v.toFixed(digits)) },
  };
  const states = { label: "states", low: -1, high: 1, tall: UNIT * units, heat: () => "none", get: (r, s) => behind(r.trace.slice(1).map((step) => step.h[s.opts.cell])).map((v) => v ?? NaN) };
  const rows = [chart, weight("linear"), weight("network"), states];
  const trace = lanes({
    ctx, rows, head: 2, least: 5, column: (t) => `${clock(fixed, hour(t))}, ${hour(t) < HOURS - 1 ? `${HOURS - 1 - t} h ago` : "now"}`, tick: (t) => `${(fixed.start_hour + t) % 24}`,
  });
  const layer = (tag = "g", props = {}) => h(`svg:${tag}`, props);
  const [grid, strips, curves] = [layer(), layer(), layer()];
  const outline = layer("rect", { class: "sbs-outline", height: UNIT, x: 0 });
  trace.top.append(grid, strips, outline, curves);
  strips.addEventListener("click", (event) => {
    const k = [...strips.children].indexOf(event.target);
    if (k >= 0) ctx.set((s) => (s.opts.cell = Math.floor(k / HOURS)));
  });

  // What the chart holds, from the back to the front.
  const line = (name) => layer("path", { class: `sbs-curve sbs-${name}` });
  const last = line("naive");
  const day = line("seasonal");
  const bands = MODELS.map(() => layer("path"));
  const paths = MODELS.map(() => line("median"));
  const past = line("past");
  const dots = layer("path", { class: "sbs-past sbs-dots" });
  const came = layer("path", { class: "sbs-came" });
  const nowline = layer("rect", { class: "sbs-zero", width: 1.5, y: 2, height: TALL });
  curves.append(nowline, last, day, ...bands, ...paths, past, came, dots);

  const swatch = (kind, text) => h("span", {}, h("i", { class: kind }), text);
  const keys = [...MODELS.map((one) => swatch("sbs-swatch", call[one])), swatch("sbs-sw-day", "a day before"), swatch("sbs-sw-last", "last value")];
  const words = h("span");
  const key = actual && swatch("sbs-sw-came", words);
  const sums = arithmetic();

  // Two to five round numbers between the limits.
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= rough);
  const ticks = Array.from({ length: 6 }, (_, i) => (Math.ceil(low / step - 1e-9) + i) * step).filter((v) => v <= high + 1e-9);

  function draw(s, r, extra) {
    const { t, xs, opts } = s;
    const { hide, palette } = extra;
    veiled = hide && t >= HOURS ? t : T;
    const { w, tops } = trace.draw(s, r, extra);
    const [first, ...others] = [...trace.gutter.children].map((row) => row.lastChild);
    if (veiled < T) put(first, { text: "?" });
    else if (t >= HOURS) for (const number of others) put(number, { text: "" });
    put(trace.canvas, { style: `width:${T * w}px;--past:${HOURS * w}px` });
    const x = (n) => ((n + 0.5) * w).toFixed(1);
    const y = (v) => (tops[0] + TALL * (1 - (Math.min(high, Math.max(low, v)) - low) / (high - low))).toFixed(1);
    const through = (points) => (points.length ? `M${points.map(([n, v]) => `${x(n)} ${y(v)}`).join("L")}` : "");
    keep(grid, 2 * ticks.length, (i) => layer(i % 2 ? "text" : "rect", i % 2 ? { class: "sbs-tickmark", x: 3 } : { class: "sbs-zero", height: 1, x: 0 })).forEach((el, i) =>
      put(el, i % 2 ? { y: y(ticks[i >> 1]) - 3, text: `${+ticks[i >> 1].toFixed(2)}` } : { y: y(ticks[i >> 1]), width: T * w, opacity: 0.3 }));

    const front = MODELS.indexOf(opts.model);
    const shown = Math.max(0, veiled - HOURS);
    const ahead = (values) => [[HOURS - 1, xs[HOURS - 1]], ...values.slice(0, shown).map((v, p) => [HOURS + p, v])];
    MODELS.forEach((one, k) => {
      const band = r.recursive[one] ? [] : r.direct[one].slice(0, shown);
      const edge = (q) => band.map((row, p) => [HOURS + p, row[q]]);
      put(bands[k], { d: band.length ? `${through([...edge(0), ...edge(2).reverse()])}Z` : "", fill: palette.states[k], "fill-opacity": k === front ? 0.3 : 0.1, stroke: palette.states[k], "stroke-opacity": k === front ? 0 : 0.5 });
      put(paths[k], { d: shown ? through(ahead(medians(r, one))) : "", stroke: palette.states[k], "stroke-width": k === front ? 3 : 1.5 });
      put(keys[k].firstChild, { style: `background:${palette.states[k]}` });
    });
    put(day, { d: through(xs.slice(0, P).map((v, p) => [HOURS + p, v])) });
    put(last, { d: through([[HOURS - 1, xs[HOURS - 1]], [T - 1, xs[HOURS - 1]]]) });
    put(past, { d: through(xs.map((v, n) => [n, v])) });
    put(dots, { d: xs.map((v, n) => `M${x(n)} ${y(v)}h0`).join("") });
    put(nowline, { x: HOURS * w });
    const known = actual && untouched(s);
    put(came, { d: known ? actual.slice(0, shown).map((v, p) => `M${x(HOURS + p)} ${y(v)}h0`).join("") : "" });
    if (key) {
      const held = MODELS.map((one) => `${call[one]} ${inside(r.direct[one], actual)}`).join(", ");
      key.hidden = !known;
      put(words, { text: hide || r.recursive.linear ? "what came" : `what came; inside the band: ${held} of ${P} hours` });
    }

    const stale = hide && t < HOURS ? t : HOURS;
    const look = [w, stale, palette.paper].join();
    const still = look === painted.look ? painted.steps : []; // hours before the change keep their colours
    keep(strips, units * HOURS, () => layer("rect", { height: UNIT - 1 })).forEach((el, i) => {
      const [k, n] = [Math.floor(i / HOURS), i % HOURS];
      const now = r.trace[n + 1];
      if (now === still[n + 1]) return;
      put(el, { x: n * w, width: w, y: tops[3] + k * UNIT, fill: n < stale ? shade(now.h[k], palette) : palette.paper });
    });
    painted = { look, steps: r.trace };
    put(outline, { y: tops[3] + opts.cell * UNIT - 0.5, width: HOURS * w });
    model.draw(front);
    how.draw(HOWS.indexOf(opts.how));
    put(cell, { value: opts.cell });
    sums.draw(hide ? [["predict", "your guess first", "?"]] : forecast.sums(s, r));
  }
  return {
    el: h("div", {}, h("div", { class: "sbs-split" }, model.el, how.el), h("p", { class: "sbs-legends" }, keys, key || ""), trace.el),
    after: h("div", { class: "sbs-why" }, h("label", { class: "sbs-exact" }, "Arithmetic of", cell), sums.el),
    draw,
  };
}
