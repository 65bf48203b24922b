// One recurrent cell reads a sequence: hidden units over time and in the plane of two of them.

import { cells, forward, unitsOf } from "../core/cells.js";
import { norm } from "../core/flow.js";
import { array, firstChange, python } from "../core/state.js";
import { cellSums, dot, kept, plus } from "../ui/cell_sums.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put, signed } from "../ui/dom.js";
import { exactField } from "../ui/exact.js";
import { slider } from "../ui/handle.js";
import { lanes } from "../ui/lanes.js";

const PLANE = 250;
const EDGE = 14;
const GATES = { rnn: [""], lstm: ["i", "f", "g", "o"], gru: ["r", "z", "n"], own: [] };
const LARGEST = 20;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const largest = (rows) => Math.max(1, ...rows.flat().map((v) => Math.abs(v ?? 0)));

// Shapes of the weights; `null` for peepholes that are not there.
const shapes = (kind, D, H, p) => ({
  rnn: { W_xh: [D, H], W_hh: [H, H], b_h: [H] },
  lstm: { W_xa: [D, 4 * H], W_ha: [H, 4 * H], b_a: [4 * H], w_ca: p.w_ca === null ? null : [3, H] },
  gru: { W_xa: [D, 3 * H], W_ha: [H, 3 * H], b_x: [3 * H], b_h: [3 * H] },
  own: {},
})[kind];
const fits = (x, shape) => (shape === null ? x === null
  : shape.length ? Array.isArray(x) && x.length === shape[0] && x.every((row) => fits(row, shape.slice(1)))
    : Number.isFinite(x) && Math.abs(x) <= LARGEST);

// How much of a small change of the first h arrives in the last: the largest stretch.
function memory(kind, p, trace, opts) {
  const zero = Array(unitsOf(p)).fill(0);
  return norm(zero.map((_, n) => {
    let at = { dh: zero.map((_, k) => +(k === n)), dc: zero };
    for (let t = trace.length - 1; t > 0; t--) at = cells[kind].back(trace[t - 1], trace[t], at.dh, at.dc ?? zero, p, opts);
    return at.dh;
  }));
}

const firsts = new WeakMap(); // the last state of the author's sequence, for each demo
const hOf = (r) => r.trace.map((step) => step.h);

export const state_trace = {
  title: "State trace",

  range: (s) => ({ max: s.xs.length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, s.xs.length - 1);
    return s;
  },

  wrong({ xs, params, h0, c0, opts, fixed: { kind, inputs, units } }) {
    const [D, H] = [inputs.length, units.length];
    if (xs.some((row) => row.length !== D)) return `xs needs ${D} inputs a step`;
    if (h0.length !== H || c0.length !== (kind === "lstm" ? H : 0)) return `h0 needs ${H} units`;
    if ([opts.unit, ...opts.pair].some((k) => k >= H)) return `unit must be below ${H}`;
    if (opts.show === "c" && kind !== "lstm") return "only an LSTM has a cell state c";
    for (const [key, shape] of Object.entries(shapes(kind, D, H, params))) {
      if (!fits(params[key], shape)) return `params.${key} needs ${shape?.join(" × ") ?? "no"} numbers up to ${LARGEST} in size`;
    }
    const known = !params.reset || (/^(after|before)$/.test(params.reset) && /^(keep|write)$/.test(params.update));
    return known ? "" : "params of a GRU: reset is after or before, update is keep or write";
  },

  compute(s, old, computed) {
    const { xs, params, h0, c0, fixed } = s;
    const { kind, activation } = fixed;
    const reuse = old && same([params, h0, c0], [old.state.params, old.state.h0, old.state.c0]) && old.result.own;
    const from = reuse ? firstChange(xs, old.state.xs) : 0;
    const run = () => forward(kind, params, xs, { activation }, { h: h0, c: kind === "lstm" ? c0 : undefined }, old?.result.own, from);
    const own = kind === "own" ? null : run();
    if (!fixed.cell) return { xs, trace: own, own };
    // A reader's own cell: Python computes, and sends what it computed it for.
    const got = computed?.of ? computed : fixed.computed;
    const trace = Array.from({ length: xs.length + 1 }, (_, t) => ({ h: got.h[t] ?? h0.map(() => null) }));
    return { xs, trace, own, error: got.error, fresh: same(got.of, [xs, h0, params]), kernel: !!computed?.of };
  },

  facts(s, r, initial) {
    const { xs, fixed: { kind, activation } } = s;
    const h = hOf(r);
    if (!firsts.has(initial)) firsts.set(initial, state_trace.compute(initial).trace.at(-1).h);
    const changed = xs.flatMap((row, t) => (same(row, initial.xs[t]) ? [] : [t]));
    return {
      t: s.t, x: xs, h, c: r.trace.map((step) => step.c ?? null), last: h.at(-1), params: s.params,
      largest: Math.max(...h.slice(1).flat().map(Math.abs)),
      memory: r.own && !s.fixed.cell ? memory(kind, s.params, r.own, { activation }) : null,
      only_first: String(changed) === "0" && same([s.params, s.h0, s.c0], [initial.params, initial.h0, initial.c0]),
      echo: Math.max(...h.at(-1).map((v, k) => Math.abs(v - firsts.get(initial)[k]))),
    };
  },

  say(s, r) {
    const { t, xs, opts: { unit: k }, fixed: { units, inputs, kind, cell } } = s;
    if (r.error && r.trace[t + 1].h[k] === null) return "Your cell stopped here; the message above is Python's.";
    const [was, now] = [r.trace[t].h[k], r.trace[t + 1].h[k]];
    const moved = `h of ${units[k]} ${Math.abs(was - now) < 5e-3 ? `stays at ${num(now, 2)}` : `goes from ${num(was, 2)} to ${num(now, 2)}`}`;
    if (cell) return `${cell.name} has read step ${t}: ${moved}.${r.own ? ` ${compared(r)}` : ""}`;
    const row = xs[t];
    if (kind === "rnn") {
      const [x, past] = [dot(row, s.params.W_xh, k), dot(r.trace[t].h, s.params.W_hh, k)];
      const size = (i) => Math.abs(row[i] * s.params.W_xh[i][k]);
      const d = row.reduce((b, _, i) => (size(i) > size(b) ? i : b), 0);
      return `The state ${moved}. The input gives ${signed(x)}${inputs.length > 1 ? ` (most of it ${inputs[d]})` : ""}, the past ${signed(past)}, the bias ${signed(s.params.b_h[k])}.`;
    }
    const step = r.trace[t + 1];
    const percent = (v) => `${num(100 * v, 0)} %`;
    if (kind === "lstm") return `The state ${moved}. The forget gate kept ${percent(step.f[k])} of the cell state ${num(r.trace[t].c[k], 2)}, the input gate let in ${percent(step.i[k])} of ${num(step.g[k], 2)}.`;
    const keep = kept(s.params, step, k);
    return `The state ${moved}: ${percent(keep)} of it is kept, ${percent(1 - keep)} is the candidate ${num(step.n[k], 2)}.`;
  },

  sums(s, r) {
    const { t, xs, params: p, opts: { unit: k }, fixed: { kind, cell, activation } } = s;
    const [was, now] = [r.trace[t], r.trace[t + 1]];
    if (cell) return [["Python", `${cell.name}(x_t, h_prev)`, now.h[k] === null ? "no result" : `${num(was.h[k])} → ${num(now.h[k])}`]];
    const product = (v, W, col) => `${v.map((x, i) => `${num(x, 2)} × ${num(W[i][col], 2)}`).join(" + ")} = ${num(dot(v, W, col))}`;
    if (kind === "rnn") {
      const a = dot(xs[t], p.W_xh, k) + dot(was.h, p.W_hh, k) + p.b_h[k];
      return [
        ["from the input", "Σ x · W_xh", product(xs[t], p.W_xh, k)],
        ["from the past", "Σ h · W_hh", product(was.h, p.W_hh, k)],
        ["add", "input + past + b", `${num(dot(xs[t], p.W_xh, k))} ${plus(dot(was.h, p.W_hh, k))} ${plus(p.b_h[k])} = ${num(a)}`],
        [activation === "linear" ? "keep" : "squash", activation === "linear" ? "h" : `${activation}(sum)`, activation === "linear" ? num(now.h[k]) : `${activation}(${num(a)}) = ${num(now.h[k])}`],
      ];
    }
    return cellSums(kind, p, xs[t], was, now, k);
  },

  question(s, r) {
    const { t, xs, params, h0, c0, opts: { unit }, fixed: { kind, units, activation } } = s;
    if (r.error || r.fresh === false) return null;
    const most = kind === "rnn" && activation !== "tanh" ? Math.ceil(largest(hOf(r))) : 1;
    return { key: JSON.stringify([unit, params, h0, c0, xs.slice(0, t + 1)]), prompt: `t = ${t}: what will h of ${units[unit]} be after this step?`, truth: r.trace[t + 1].h[unit], min: -most, max: most, step: most / 50 };
  },

  table(s, r) {
    const { t, fixed: { inputs, units, kind } } = s;
    const lstm = kind === "lstm";
    const states = (step) => [...step.h, ...(lstm ? step.c : [])].map((v) => num(v, 4));
    return {
      caption: `Inputs, and the state after each of them; the start is ${states(r.trace[0]).join(", ")}`,
      head: ["t", ...inputs, ...units.map((k) => `h ${k}`), ...(lstm ? units.map((k) => `c ${k}`) : [])],
      rows: s.xs.map((x, n) => [`${n}`, ...x.map((v) => num(v, 2)), ...states(r.trace[n + 1])]),
      current: t,
    };
  },

  python({ xs, params, h0, c0, opts, fixed: { kind, inputs, units, activation, cell }, ...s }) {
    const type = { rnn: "rnn.RNNParams", lstm: "lstm.LSTMParams", gru: "gru.GRUParams" }[kind];
    const value = (x) => (typeof x === "string" ? JSON.stringify(x) : array(x));
    const raw = (text) => ({ raw: text });
    const lines = [`x = ${array(xs)}`, `h0 = ${array(h0)}`, ...(c0.length ? [`c0 = ${array(c0)}`] : [])];
    if (type) lines.push(`params = ${type}(`, ...Object.entries(params).filter(([, x]) => x !== null).map(([key, x]) => `    ${key}=${value(x)},`), ")");
    if (cell) lines.push(`# ${cell.name} is the function of your own`);
    return python(s, type ? kind : "trace", lines, {
      x: raw("x"), ...(type && { params: raw("params") }), h0: raw("h0"), ...(c0.length && { c0: raw("c0") }), ...(cell && { cell: raw(cell.name) }),
      inputs, units, activation, t: s.t, unit: opts.unit, pair: opts.pair, show: opts.show,
    }) + 'print(demo.trace()["h"].round(4))\n';
  },

  build,
};

function compared({ trace, own }) {
  const gap = Math.max(...trace.flatMap((step, t) => step.h.map((v, k) => (v === null ? 0 : Math.abs(v - own[t].h[k])))));
  return gap < 1e-3 ? "course_lib's cell gives the same to three decimals." : `The largest difference from course_lib's cell is ${num(gap)}.`;
}

function build(ctx) {
  const { kind, inputs, units, cell } = ctx.initial.fixed;
  const [D, H] = [inputs.length, units.length];
  const lstm = kind === "lstm";
  const exact = exactField();

  // Lanes
  const size = Math.max(1, ...ctx.initial.xs.flat().map((v) => Math.ceil(Math.abs(v))));
  const bounded = !cell && (kind !== "rnn" || ctx.initial.fixed.activation === "tanh");
  const values = (r, s) => r.trace.slice(1).map((step) => step[s.opts.show]);
  const range = (r) => {
    const most = largest(values(r, ctx.state));
    return { low: -most, high: most };
  };
  const rows = [
    ...inputs.map((name, d) => ({
      label: name, low: -size, high: size, tall: 46, digits: 2, get: (r) => r.xs.map((x) => x[d]),
      drag: { name, read: (s, t) => s.xs[t][d], write: (s, t, v) => (s.xs[t][d] = v) },
    })),
    ...units.map((name, k) => ({
      label: name, low: -1, high: 1, tall: 34, bold: (s) => H > 1 && s.opts.unit === k, get: (r, s) => values(r, s).map((row) => row[k]),
      ...(bounded && !lstm ? {} : { range }),
    })),
  ];
  const trace = lanes({ ctx, rows });
  const unitChoice = choice({ legend: "Unit", options: units, set: (k) => ctx.set((s) => (s.opts.unit = k)) });
  const showChoice = choice({ legend: "The lanes show", options: ["h, hidden", "c, cell state"], set: (k) => ctx.set((s) => (s.opts.show = "hc"[k])) });
  const problem = cell && h("p", { class: "sbs-problem", role: "alert" });

  const plane = H > 1 && portrait(ctx);
  const sums = arithmetic();
  const start = tiles(ctx, exact, [
    ...units.map((name, k) => ({ row: name, col: "h", name: () => `start h of ${name}`, get: (s) => s.h0[k], set: (s, v) => (s.h0[k] = v), max: 10, reach: kind === "rnn" && !bounded ? 2 : 1 })),
    ...(lstm ? units.map((name, k) => ({ row: name, col: "c", name: () => `start c of ${name}`, get: (s) => s.c0[k], set: (s, v) => (s.c0[k] = v), max: 10, reach: 2 })) : []),
  ], units, lstm ? ["h", "c"] : ["h"]);
  const weights = kind !== "own" && (!cell || cell.weights) && weightTiles(ctx, exact);
  const model = h("details", { open: true }, h("summary", { text: weights ? "The start and the weights: drag any" : "The start: drag any" }),
    h("div", { class: "sbs-tilesets" }, h("div", {}, h("div", { class: "sbs-row-title", text: "state before the first step" }), start.el),
      weights && h("div", {}, weights.title, weights.el)), exact.el);

  function draw(s, r, look) {
    if (cell) put(problem, { text: r.error || (r.fresh === false ? (r.kernel ? "Python is computing …" : `${cell.name} is Python: open the notebook in Jupyter, and this demo runs it at every change.`) : "") });
    trace.draw(s, r, look);
    if (H > 1) unitChoice.draw(s.opts.unit);
    if (lstm) showChoice.draw(+(s.opts.show === "c"));
    plane && plane.draw(s, r, look);
    sums.draw(look.hide ? [["predict", "your guess first", "?"]] : state_trace.sums(s, r));
    start.draw(s);
    weights && weights.draw(s);
    exact.draw();
  }
  return {
    el: h("div", {}, problem, h("div", { class: "sbs-split" }, H > 1 ? unitChoice.el : null, lstm ? showChoice.el : null), trace.el),
    after: h("div", {}, h("div", { class: "sbs-why" }, sums.el), h("div", { class: "sbs-model sbs-two" }, plane && plane.el, model)),
    draw,
  };
}

// Two units against each other; the ring is the start and can be dragged.
function portrait(ctx) {
  const { units } = ctx.initial.fixed;
  const axes = h("svg:path", { class: "sbs-axis" });
  const [ghost, path] = [h("svg:path", { class: "sbs-curve sbs-ghost" }), h("svg:path", { class: "sbs-curve" })];
  const dots = h("svg:g");
  const now = h("svg:circle", { r: 7, class: "sbs-dotnow" });
  const ring = h("svg:circle", { r: 11, class: "sbs-ring sbs-handle" });
  const marks = h("svg:g");
  const svg = h("svg:svg", { width: PLANE, height: PLANE, class: "sbs-picture sbs-plane", "aria-hidden": "true" }, axes, marks, ghost, path, dots, now, ring);
  let most = 1;
  const X = (v) => EDGE + ((v + most) / (2 * most)) * (PLANE - 2 * EDGE);
  let held = false;
  const move = (event) => {
    const box = svg.getBoundingClientRect();
    const at = (pixel) => Math.round(Math.min(most, Math.max(-most, ((pixel - EDGE) / (PLANE - 2 * EDGE)) * 2 * most - most)) * 100) / 100;
    ctx.set((s) => {
      s.h0[s.opts.pair[0]] = at(event.clientX - box.left);
      s.h0[s.opts.pair[1]] = at(box.bottom - event.clientY);
    }, "ring");
  };
  ring.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = true;
    ring.setPointerCapture?.(event.pointerId);
    event.preventDefault();
  });
  ring.addEventListener("pointermove", (event) => held && move(event));
  for (const end of ["pointerup", "pointercancel"]) ring.addEventListener(end, () => (held = false));
  const pick = ["across", "up"].map((words, i) => {
    const select = h("select", { class: "sbs-field sbs-select", onchange: () => ctx.set((s) => (s.opts.pair[i] = +select.value)) }, units.map((name, k) => h("option", { value: k, text: name })));
    return { select, el: h("label", { class: "sbs-exact" }, words, select) };
  });
  const el = h("div", { class: "sbs-portrait" }, h("div", { class: "sbs-row-title", text: "two units; drag the ring, the start" }), svg, h("div", { class: "sbs-picks" }, pick.map((p) => p.el)));

  function draw(s, r, { marked, hide, palette }) {
    const { t, opts: { pair } } = s;
    const [a, b] = pair;
    const points = (result) => result.trace.map(({ h: v }) => [v[a], v[b]]).filter(([x, y]) => x !== null && y !== null);
    const all = points(r);
    most = Math.max(1, ...all.flat().map(Math.abs));
    const place = ([x, y]) => [X(x), PLANE - X(y)];
    const line = (list) => (list.length ? `M${list.map((p) => place(p).map((v) => v.toFixed(1)).join(" ")).join("L")}` : "");
    const seen = all.slice(0, hide ? t + 1 : all.length);
    put(axes, { d: `M${EDGE} ${PLANE / 2}H${PLANE - EDGE}M${PLANE / 2} ${EDGE}V${PLANE - EDGE}` });
    put(path, { d: line(seen), stroke: palette.states[0] });
    const old = points(marked);
    put(ghost, { d: hide || same(old, all) ? "" : line(old), stroke: palette.states[3] });
    keep(dots, seen.length, () => h("svg:circle", { r: 3 })).forEach((dot, n) => {
      const [cx, cy] = place(seen[n]);
      put(dot, { cx, cy, fill: palette.states[0], opacity: n > t + 1 ? 0.4 : 1 });
    });
    const here = seen[Math.min(hide ? t : t + 1, seen.length - 1)];
    const [cx, cy] = place(here);
    put(now, { cx, cy });
    const [rx, ry] = place(all[0]);
    put(ring, { cx: rx, cy: ry });
    keep(marks, 2, () => h("svg:text", { class: "sbs-time" })).forEach((text, i) => put(text, i
      ? { x: PLANE / 2 + 6, y: EDGE + 8, style: "text-anchor:start", text: num(most, most > 1 ? 1 : 0) }
      : { x: PLANE - EDGE, y: PLANE / 2 + 14, style: "text-anchor:end", text: num(most, most > 1 ? 1 : 0) }));
    pick.forEach(({ select }, i) => put(select, { value: pair[i] }));
  }
  return { el, draw };
}

// Numbers as small beams that can be dragged; one row a source, one column a gate.
function tiles(ctx, exact, cells, rows, cols) {
  const head = h("div", { class: "sbs-tilehead" }, h("span"), cols.map((text) => h("span", { text })));
  const parts = new Map(cells.map((c) => [`${c.row} ${c.col}`, c]));
  const drawn = [];
  const body = rows.map((row) => h("div", { class: "sbs-tilerow" }, h("span", { class: "sbs-name", text: row, title: row }), cols.map((col) => {
    const c = parts.get(`${row} ${col}`);
    if (!c) return h("span");
    const bar = h("i");
    const text = h("span");
    const el = h("div", { class: "sbs-tiny" }, bar, text);
    const read = () => c.get(ctx.state);
    const write = (v) => ctx.set((s) => c.set(s, Math.round(v * 1e4) / 1e4), `${c.row}${c.col}`);
    const refresh = slider(el, {
      label: "", write, step: 0.05, page: 0.5, read: () => ({ value: read(), min: -c.max, max: c.max, text: num(read(), 2) }),
      locate: (event) => {
        const box = el.getBoundingClientRect();
        const v = (2 * (event.clientX - box.left) / box.width - 1) * c.reach;
        return Math.round(Math.min(c.reach, Math.max(-c.reach, v)) * 20) / 20;
      },
    });
    el.addEventListener("focus", () => exact.select({ label: c.name(ctx.state), get: read, write, min: -c.max, max: c.max }));
    drawn.push(() => {
      const v = read();
      const share = Math.min(1, Math.abs(v) / c.reach) * 50;
      put(text, { text: num(v, 2) });
      put(bar, { style: `left:${v < 0 ? 50 - share : 50}%;width:${share}%;background:var(--${v < 0 ? "below" : "above"})` });
      refresh();
      put(el, { "aria-label": c.name(ctx.state) });
    });
    return el;
  })));
  return { el: h("div", { class: "sbs-tileset", style: `--n:${cols.length}` }, cols[0] ? head : null, body), draw: () => drawn.forEach((act) => act()) };
}

// Every weight that leads into the chosen unit.
function weightTiles(ctx, exact) {
  const { kind, inputs, units } = ctx.initial.fixed;
  const H = units.length;
  const p = ctx.initial.params;
  const gates = GATES[kind];
  const [W_x, W_h] = kind === "rnn" ? ["W_xh", "W_hh"] : ["W_xa", "W_ha"];
  const reach = Math.max(2, ...Object.values(p).flat(2).filter(Number.isFinite).map((v) => Math.ceil(Math.abs(v))));
  const cells = [];
  const add = (row, g, find) => cells.push({
    row, col: gates[g], reach, max: LARGEST,
    name: (s) => `${row} into ${units[s.opts.unit]}${gates[g] ? `, gate ${gates[g]}` : ""}`,
    get: (s) => {
      const [list, at] = find(s.params, g * H + s.opts.unit, s.opts.unit);
      return list[at];
    },
    set: (s, v) => {
      const [list, at] = find(s.params, g * H + s.opts.unit, s.opts.unit);
      list[at] = v;
    },
  });
  const rows = [];
  const row = (name, find, only = [0, 1, 2, 3]) => {
    rows.push(name);
    gates.forEach((_, g) => only.includes(g) && add(name, g, find));
  };
  inputs.forEach((name, d) => row(`x ${name}`, (q, at) => [q[W_x][d], at]));
  units.forEach((name, k) => row(`h ${name}`, (q, at) => [q[W_h][k], at]));
  if (kind === "gru") {
    row("bias x", (q, at) => [q.b_x, at]);
    row("bias h", (q, at) => [q.b_h, at]);
  } else row("bias", (q, at) => [q.b_h ?? q.b_a, at]);
  if (p.w_ca) row("c, peephole", (q, at, k) => [q.w_ca[at < H ? 0 : at < 2 * H ? 1 : 2], k], [0, 1, 3]);
  const part = tiles(ctx, exact, cells, rows, gates);
  const title = h("div", { class: "sbs-row-title" });
  return { el: part.el, title, draw: (s) => {
    put(title, { text: `weights into ${units[s.opts.unit]}` });
    part.draw();
  } };
}
