// Baum-Welch: densities move over the histogram, the log evidence climbs.

import { expect, logDensity, maximise } from "../core/em.js";
import { array, misfit, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, mix, num, put, signed } from "../ui/dom.js";
import { exactField } from "../ui/exact.js";
import { slider } from "../ui/handle.js";

const HIST = 210;
const TIME = 96;
const PAD = 30; // below the histogram: axis and start handles
const COLLAPSED = 1e-6; // of the variance of the data

const gained = (x) => (Math.abs(x) < 5e-4 ? "gains less than 0.001 nats" : `gains ${num(x)} nats`);
const range = ({ kind, y }) => {
  const [lo, hi] = [Math.min(...y), Math.max(...y)];
  const pad = Math.max(0.08 * (hi - lo), kind === "poisson" ? 1 : 1e-9);
  return [kind === "poisson" ? Math.max(0.1, lo - pad) : lo - pad, hi + pad];
};
const spreadOf = (y) => {
  const mean = y.reduce((a, b) => a + b, 0) / y.length;
  return y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length;
};
const line = (points) => `M${points.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}`;
const collapsed = (s, m) => m.var.findIndex((v) => v < COLLAPSED * spreadOf(s.fixed.y));

export const em = {
  title: "EM step by step",

  range: (s) => ({ max: s.fixed.n_iter, what: "iteration" }),

  tidy: (s) => s,

  wrong({ params: { pi, A, mean, var: variance }, fixed: { kind, states } }) {
    const K = states.length;
    if (mean.length !== K || (kind === "gaussian" && variance.length !== K)) return `params need ${K} states`;
    if (kind === "poisson" && mean.some((m) => m <= 0)) return "a rate must be above 0";
    return misfit("pi", pi, [K]) || misfit("A", A, [K, K]);
  },

  // Iterations are kept; only those that nobody has asked for yet are computed.
  compute(s, old) {
    const { kind, y } = s.fixed;
    const same = old && JSON.stringify(old.state.params) === JSON.stringify(s.params);
    const runs = same ? [...old.result.runs] : [];
    while (runs.length <= s.t) {
      const last = runs.at(-1);
      const stuck = last && (last.e.dead >= 0 || (kind === "gaussian" && collapsed(s, last.m) >= 0));
      const m = !last ? s.params : stuck ? last.m : maximise(kind, y, last.m, last.e);
      runs.push({ m, e: stuck ? last.e : expect(kind, y, m), stuck });
    }
    const curve = old?.result.runs.map((r) => r.e.logEvidence) ?? [];
    const past = !old ? [] : same || curve.length < 3 ? old.result.past : [...old.result.past.slice(-4), curve];
    return { runs, past };
  },

  facts(s, r) {
    const curve = r.runs.slice(0, s.t + 1).map((run) => run.e.logEvidence);
    const gain = s.t ? curve[s.t] - curve[s.t - 1] : Infinity;
    const best = Math.max(...curve, ...r.past.flat());
    return { t: s.t, log_evidence: curve, gain, mean: r.runs[s.t].m.mean, worse: s.t > 1 && gain < 0.01 ? best - curve[s.t] : 0 };
  },

  say(s, r) {
    const run = r.runs[s.t];
    const k = s.fixed.states[s.opts.cell];
    if (run.e.dead >= 0) return `Impossible: value ${s.fixed.y[run.e.dead]} has probability zero in every state that can be reached. Move a start.`;
    const flat = s.fixed.kind === "gaussian" ? collapsed(s, run.m) : -1;
    if (flat >= 0) return `${s.fixed.states[flat]} has collapsed onto one value: its variance goes to zero and the likelihood to infinity. EM stops here; start it wider.`;
    if (!s.t) return `The start. Drag the triangles under the axis, then step. Log evidence ${num(run.e.logEvidence, 2)} nats.`;
    const before = r.runs[s.t - 1];
    const weight = before.e.gamma.reduce((a, g) => a + g[s.opts.cell], 0);
    return `${k} is responsible for ${num(weight, 1)} of ${s.fixed.y.length} values; its mean goes from ${num(before.m.mean[s.opts.cell], 2)} to ${num(run.m.mean[s.opts.cell], 2)}. The log evidence ${gained(run.e.logEvidence - before.e.logEvidence)}.`;
  },

  sums(s, r) {
    const { t, opts: { cell: k }, fixed: { kind, y, states } } = s;
    if (!t || r.runs[t].stuck) return [[t ? "stopped" : "start", "", `mean of ${states[k]} = ${num(r.runs[t].m.mean[k])}`]];
    const { gamma } = r.runs[t - 1].e;
    const m = r.runs[t].m;
    const weight = gamma.reduce((a, g) => a + g[k], 0);
    const total = gamma.reduce((a, g, i) => a + g[k] * y[i], 0);
    const rows = [
      ["weigh", "Σ γ(k), expected number of values", num(weight, 2)],
      ["average", "Σ γ(k) y ÷ Σ γ(k)", `${num(total, 2)} ÷ ${num(weight, 2)} = ${num(m.mean[k])}`],
    ];
    if (kind === "gaussian") rows.push(["spread", "Σ γ(k) (y − mean)² ÷ Σ γ(k)", `${num(m.var[k] * weight, 2)} ÷ ${num(weight, 2)} = ${num(m.var[k])}`]);
    return rows;
  },

  question(s, r) {
    if (!s.t) return null;
    const [min, max] = range(s.fixed);
    return { key: JSON.stringify([s.params, s.t, s.opts.cell]), prompt: `Iteration ${s.t}: where will EM put the mean of ${s.fixed.states[s.opts.cell]}?`, truth: r.runs[s.t].m.mean[s.opts.cell], min, max, step: (max - min) / 200 };
  },

  table(s, r) {
    const runs = r.runs.slice(0, s.t + 1);
    const gaussian = s.fixed.kind === "gaussian";
    return {
      caption: "Parameters and log evidence (nats) of every iteration so far",
      head: ["iteration", "log evidence", "gain", ...s.fixed.states.flatMap((k) => (gaussian ? [`mean ${k}`, `var ${k}`] : [`rate ${k}`]))],
      rows: runs.map(({ m, e }, t) => [`${t}`, num(e.logEvidence, 4), t ? signed(e.logEvidence - runs[t - 1].e.logEvidence, 4) : "",
        ...m.mean.flatMap((v, k) => (gaussian ? [num(v, 4), num(m.var[k], 4)] : [num(v, 4)]))]),
      current: s.t,
    };
  },

  python({ fixed: { kind, y, n_iter, states, times, unit }, params: { pi, A, mean, var: variance }, ...s }) {
    const emission = kind === "poisson" ? `Poisson(${array(mean)})` : `Gaussian(${array(mean)}[:, None], ${array(variance)}[:, None])`;
    return python(s, "emissions", [`start = (${array(pi)}, ${array(A)}, emissions.${emission})`],
      { y, kind, start: { raw: "start" }, t: s.t, n_iter, states, times, unit }) + 'print(demo.trace()["log_evidence"].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { kind, y, states, times, n_iter: last } = ctx.initial.fixed;
  const [lo, hi] = range(ctx.initial.fixed);
  const K = states.length;
  const n = y.length;

  // Histogram: whole numbers for counts, equal parts otherwise.
  const size = kind === "poisson" ? Math.ceil((hi - lo) / 28) : (hi - lo) / Math.min(28, Math.max(8, Math.ceil(Math.sqrt(n)) * 2));
  const first = kind === "poisson" ? Math.floor(lo) - 0.5 : lo;
  const counts = [];
  for (const v of y) {
    const bin = Math.floor((v - first) / size);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const top = 1.25 * Math.max(...counts.filter(Boolean));

  const exact = exactField();
  const layer = () => h("svg:g");
  const [bins, curves, means, axis] = [layer(), layer(), layer(), layer()];
  const hist = h("svg:svg", { height: HIST + PAD, class: "sbs-picture", "aria-hidden": "true" }, bins, curves, means, axis);
  const handles = h("div");
  const [ghosts, climb, dots, marks] = [layer(), h("svg:path", { class: "sbs-climb" }), layer(), layer()];
  const rise = h("svg:svg", { height: HIST + PAD, class: "sbs-picture", "aria-hidden": "true" }, ghosts, climb, dots, marks);
  const [values, level] = [layer(), h("svg:path", { class: "sbs-climb" })];
  const strip = h("svg:svg", { height: TIME + 22, class: "sbs-picture", "aria-hidden": "true" }, values, level);
  const ends = [h("span", { text: `${times[0]}` }), h("span", { text: `${times[1]}` })];
  const cellChoice = choice({ legend: "Arithmetic of", options: states, set: (k) => ctx.set((s) => (s.opts.cell = k)) });
  const sums = arithmetic();
  const histBox = h("div", { class: "sbs-hist" }, hist, handles);
  const legends = [`Data${ctx.initial.fixed.unit ? `: ${ctx.initial.fixed.unit}` : ""}, and the density of each state`, "Log evidence", "Every value in its most probable state"].map((text) => h("p", { class: "sbs-legend", text }));

  let x = () => 0;
  const starts = states.map((name, k) => {
    const el = h("div", { class: "sbs-start" });
    const write = (v) => ctx.set((s) => {
      s.params.mean[k] = +v.toPrecision(4);
      s.t = 0;
      s.opts.cell = k;
    }, `mean${k}`);
    const label = `start of ${name}: ${kind === "poisson" ? "rate" : "mean"}`;
    const refresh = slider(el, {
      label, write, step: (hi - lo) / 200, page: (hi - lo) / 20,
      read: () => ({ value: ctx.state.params.mean[k], min: +lo.toPrecision(4), max: +hi.toPrecision(4), text: num(ctx.state.params.mean[k], 2) }),
      locate: (event) => {
        const box = hist.getBoundingClientRect();
        return lo + ((event.clientX - box.left) / box.width) * (hi - lo);
      },
    });
    el.addEventListener("focus", () => exact.select({ label, get: () => ctx.state.params.mean[k], write, min: lo, max: hi }));
    handles.append(el);
    return { el, refresh };
  });

  function draw(s, r, { hide, palette }) {
    const { t, opts: { cell } } = s;
    const shown = r.runs[hide ? t - 1 : t];
    const [W, R, S] = [hist, rise, strip].map((svg) => svg.parentNode.clientWidth);
    put(hist, { width: W });
    put(rise, { width: R });
    put(strip, { width: S });
    x = (v) => ((v - lo) / (hi - lo)) * W;
    const up = (c) => HIST - Math.min(1.02, c / top) * (HIST - 8);

    keep(bins, counts.length, () => h("svg:rect", { class: "sbs-bin" })).forEach((bin, i) => {
      const c = counts[i] ?? 0;
      put(bin, { x: x(first + i * size) + 0.5, width: Math.max(1, x(lo + size) - 1), y: up(c), height: HIST - up(c) });
    });
    const share = states.map((_, k) => shown.e.gamma.reduce((a, g) => a + g[k], 0) / n);
    const at = kind === "poisson"
      ? Array.from({ length: Math.floor(hi) - Math.ceil(lo) + 1 }, (_, i) => Math.ceil(lo) + i)
      : Array.from({ length: 121 }, (_, i) => lo + ((hi - lo) * i) / 120);
    keep(curves, K, () => h("svg:path", { class: "sbs-curve" })).forEach((path, k) => put(path, {
      d: line(at.map((v) => [x(v), up(n * size * share[k] * Math.exp(logDensity(kind, v, shown.m.mean[k], shown.m.var[k])))])),
      stroke: palette.states[k], "stroke-width": k === cell ? 4 : 2.5,
    }));
    keep(means, K, () => h("svg:path", { class: "sbs-trailpath" })).forEach((path, k) => put(path, {
      d: line([[x(s.params.mean[k]), HIST + 6], [x(shown.m.mean[k]), HIST + 6], [x(shown.m.mean[k]), HIST - 8]]), stroke: palette.states[k],
    }));
    starts.forEach(({ el, refresh }, k) => {
      el.style.left = `${Math.min(W, Math.max(0, x(s.params.mean[k]))) - 15}px`;
      el.style.color = palette.states[k];
      refresh();
    });
    keep(axis, 2, () => h("svg:text", { y: HIST + 26, class: "sbs-time" })).forEach((el, i) => put(el, { x: i ? W : 0, text: num(i ? hi : lo, hi - lo > 20 ? 0 : 1), style: `text-anchor:${i ? "end" : "start"}` }));

    const curve = r.runs.slice(0, hide ? t : t + 1).map((run) => run.e.logEvidence);
    const all = [...curve, ...r.past.flat()].filter(Number.isFinite);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const px = (i) => 8 + (i / last) * (R - 16);
    const py = (v) => (high > low ? HIST - 10 - ((v - low) / (high - low)) * (HIST - 40) : HIST / 2);
    const path = (c) => (c.every(Number.isFinite) && c.length ? line(c.map((v, i) => [px(i), py(v)])) : "");
    keep(ghosts, r.past.length, () => h("svg:path", { class: "sbs-climb sbs-ghost" })).forEach((el, i) => put(el, { d: path(r.past[i]) }));
    put(climb, { d: path(curve) });
    keep(dots, 1, () => h("svg:circle", { r: 5, class: "sbs-dotnow" })).forEach((dot) => put(dot, { cx: px(curve.length - 1), cy: Number.isFinite(curve.at(-1)) ? py(curve.at(-1)) : HIST }));
    keep(marks, 3, () => h("svg:text", { class: "sbs-time" })).forEach((el, i) => put(el, [
      { x: 8, y: HIST + 26, text: "0", style: "text-anchor:start" },
      { x: R - 8, y: HIST + 26, text: `iteration ${last}`, style: "text-anchor:end" },
      { x: R - 8, y: 14, text: `${num(curve.at(-1), 2)} nats`, style: "text-anchor:end", class: "sbs-time sbs-on" },
    ][i]));

    const [ly, hy] = [Math.min(...y), Math.max(...y)];
    const ty = (v) => TIME - 6 - ((v - ly) / (hy - ly || 1)) * (TIME - 14);
    const tx = (i) => 5 + (i / (n - 1)) * (S - 10);
    keep(values, n, () => h("svg:circle", { r: n > 200 ? 2 : 3.2 })).forEach((dot, i) => {
      const g = shown.e.gamma[i];
      const k = g.indexOf(Math.max(...g));
      put(dot, { cx: tx(i).toFixed(1), cy: ty(y[i]).toFixed(1), fill: mix(palette.paper, palette.states[k], Math.max(0.35, g[k])) });
    });
    put(level, { d: line(shown.e.gamma.map((g, i) => [tx(i), Math.max(0, Math.min(TIME, ty(g.reduce((a, p, k) => a + p * shown.m.mean[k], 0))))])) });

    cellChoice.draw(cell);
    sums.draw(hide ? [["predict", "your guess first", "?"]] : em.sums(s, r));
    exact.draw();
  }

  return {
    el: h("div", {}, h("div", { class: "sbs-plots" }, h("div", {}, legends[0], histBox), h("div", {}, legends[1], rise)),
      legends[2], h("div", {}, strip, h("div", { class: "sbs-ends" }, ends)), exact.el),
    after: h("div", { class: "sbs-why" }, cellChoice.el, sums.el),
    draw,
  };
}
