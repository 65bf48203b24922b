// Filter, smoother and Viterbi of a categorical HMM on one trellis.

import { argmax, backward, filter, pairwise, setProb, smooth, viterbi } from "../core/hmm.js";
import { array, misfit, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, inkOn, keep, mix, num, put } from "../ui/dom.js";
import { exactField } from "../ui/exact.js";
import { probRow } from "../ui/prob_row.js";

const ROW = 58;
const STRIP = 40;
const GAP = 14;
const PASSES = ["forward", "backward", "viterbi"];

const softmax = (row) => {
  const top = Math.max(...row);
  const e = row.map((v) => (top > -Infinity ? Math.exp(v - top) : 0));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => (total ? v / total : 0));
};
const moved = (a, b) => !a || a.some((v, k) => Math.abs(v - b[k]) > 5e-4);
const oneHot = (K, k) => Array.from({ length: K }, (_, i) => +(i === k));

export const trellis = {
  title: "Trellis",
  setProb,

  range: (s) => ({ max: s.obs.length - 1, dir: s.opts.show === "backward" ? -1 : 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, s.obs.length - 1);
    return s;
  },

  wrong({ params: { pi, A, B }, fixed: { states, symbols }, obs }) {
    const [K, V] = [states.length, symbols.length];
    return misfit("pi", pi, [K]) || misfit("A", A, [K, K]) || misfit("B", B, [K, V])
      || (obs.some((y) => y >= V) ? `obs must be below ${V}` : "");
  },

  compute({ params: { pi, A, B }, obs }, old) {
    const same = old && JSON.stringify(old.state.params) === JSON.stringify({ pi, A, B });
    let from = 0;
    if (same) while (from < obs.length && from < old.state.obs.length && obs[from] === old.state.obs[from]) from++;
    if (same && from === obs.length && from === old.state.obs.length) return old.result;
    const L = obs.map((y) => B.map((row) => row[y]));
    const f = filter(pi, A, L, same && old.result.f, from);
    const v = viterbi(pi, A, L, same && old.result.v, from);
    const beta = backward(A, L, f.c);
    const gamma = f.dead < 0 ? smooth(f.alpha, beta) : f.alpha.map((row) => row.map(() => 0));
    return { L, f, v, beta, gamma, xi: pairwise(A, L, f, beta), logEvidence: f.dead < 0 ? f.c.reduce((s, c) => s + Math.log(c), 0) : -Infinity };
  },

  facts(s, r) {
    const posterior = r.gamma.map(argmax);
    const { pi, A } = s.params;
    const possible = posterior.every((k, t) => (t ? A[posterior[t - 1]][k] : pi[k]) > 0);
    return {
      t: s.t, obs: s.obs, params: s.params, filter: r.f.alpha, smoother: r.gamma, path: r.v.path, posterior,
      impossible: r.f.dead >= 0, log_evidence: r.logEvidence, impossible_posterior: r.f.dead < 0 && !possible,
      differ: r.f.dead < 0 ? posterior.filter((k, t) => k !== r.v.path[t]).length : 0,
      last_max: Math.max(...r.f.alpha.at(-1)),
    };
  },

  say(s, r) {
    const { t, fixed: { states, symbols }, opts: { show, cell } } = s;
    const [k, y] = [states[cell], symbols[s.obs[t]]];
    if (r.f.dead >= 0 && t >= r.f.dead) {
      return `Impossible: no state that can be reached at t = ${r.f.dead} ever shows ${symbols[s.obs[r.f.dead]]}. Raise a probability or change an observation.`;
    }
    if (show === "forward") {
      const [a, b] = [r.f.predicted[t][cell], r.f.alpha[t][cell]];
      const verb = Math.abs(a - b) < 5e-4 ? "leaves the belief where it was" : b > a ? "raises the belief" : "lowers the belief";
      return `Before the observation P(${k}) is ${num(a)}. Seeing ${y} ${verb}: ${num(b)}.`;
    }
    if (show === "backward") {
      const [a, b] = [r.f.alpha[t][cell], r.gamma[t][cell]];
      return t === s.obs.length - 1
        ? `At the last step nothing lies ahead: filter and smoother agree on P(${k}) = ${num(b)}.`
        : `The past alone says P(${k}) = ${num(a)}. What comes after t = ${t} turns it into ${num(b)}.`;
    }
    const from = states[r.v.back[t][cell]];
    return t === 0
      ? `The best path starts in ${k}: one start, one observation.`
      : `The best path into ${k} at t = ${t} comes from ${from}. The whole record is best explained with ${states[r.v.path[t]]} here.`;
  },

  sums(s, r) {
    const { t, params: { pi, A, B }, fixed: { states, symbols }, opts: { show, cell: j } } = s;
    const y = symbols[s.obs[t]];
    const k = states[j];
    const b = B[j][s.obs[t]];
    const dead = r.f.dead >= 0 && t >= r.f.dead;
    if (show === "forward") {
      const last = r.f.alpha[t - 1];
      const p = r.f.predicted[t][j];
      return [
        ["predict", t ? `Σ α${sub(t - 1)}(i) · A(i, ${k})` : `π(${k})`,
          t ? `${last.map((a, i) => `${num(a)} × ${num(A[i][j])}`).join(" + ")} = ${num(p)}` : num(pi[j])],
        ["weight", `× B(${k}, ${y})`, `${num(p)} × ${num(b)} = ${num(p * b)}`],
        ["normalise", `÷ c${sub(t)}, the sum over states`, dead ? "0 ÷ 0: not defined" : `${num(p * b)} ÷ ${num(r.f.c[t])} = ${num(r.f.alpha[t][j])}`],
      ];
    }
    if (show === "backward") {
      const T = s.obs.length;
      if (t === T - 1 || r.f.dead >= 0) {
        return [
          ["look ahead", `β${sub(t)}(${k})`, r.f.dead >= 0 ? "not defined: the record is impossible" : "nothing is ahead: 1"],
          ["combine", `α${sub(t)}(${k}) · β${sub(t)}(${k})`, r.f.dead >= 0 ? "none" : `${num(r.f.alpha[t][j])} × 1 = ${num(r.gamma[t][j])}`],
        ];
      }
      const terms = A[j].map((a, i) => `${num(a)} × ${num(r.L[t + 1][i])} × ${num(r.beta[t + 1][i])}`);
      return [
        ["look ahead", `Σ A(${k}, i) · B(i, ${symbols[s.obs[t + 1]]}) · β${sub(t + 1)}(i)`, `${terms.join(" + ")} = ${num(r.beta[t][j] * r.f.c[t + 1])}`],
        ["scale", `÷ c${sub(t + 1)}`, `÷ ${num(r.f.c[t + 1])} = ${num(r.beta[t][j])}`],
        ["combine", `α${sub(t)}(${k}) · β${sub(t)}(${k})`, `${num(r.f.alpha[t][j])} × ${num(r.beta[t][j])} = ${num(r.gamma[t][j])}`],
      ];
    }
    const last = r.v.delta[t - 1];
    const top = last ? last[r.v.back[t][j]] + Math.log(A[r.v.back[t][j]][j]) : Math.log(pi[j]);
    return [
      ["compare", t ? `max δ${sub(t - 1)}(i) + log A(i, ${k})` : `log π(${k})`,
        t ? `max of ${last.map((d, i) => `${num(d, 2)} ${plus(Math.log(A[i][j]))}`).join(", ")} = ${num(top, 2)}` : num(top, 2)],
      ["weight", `+ log B(${k}, ${y})`, `${num(top, 2)} ${plus(Math.log(b))} = ${num(r.v.delta[t][j], 2)} nats`],
    ];
  },

  question(s, r) {
    if (s.opts.show === "viterbi") return null;
    const { t, fixed: { states, symbols }, opts: { show, cell } } = s;
    const k = states[cell];
    const key = `${show}${cell}|${t}|${show === "backward" ? s.obs : s.obs.slice(0, t + 1)}`;
    const forward = show === "forward";
    return {
      key, min: 0, max: 1, step: 0.01, truth: (forward ? r.f.alpha : r.gamma)[t][cell],
      prompt: `t = ${t}: ${forward ? `${symbols[s.obs[t]]} was observed` : "with all data known"}. How sure of ${k} will the ${forward ? "filter" : "smoother"} be?`,
    };
  },

  table(s, r) {
    const { states, symbols } = s.fixed;
    return {
      caption: `Every number of the trace; log p(y) = ${num(r.logEvidence, 4)} nats`,
      head: ["t", "observation", ...states.map((k) => `filter ${k}`), ...states.map((k) => `smoother ${k}`), "Viterbi"],
      rows: s.obs.map((y, t) => [`${t}`, symbols[y], ...r.f.alpha[t].map((p) => num(p, 4)), ...r.gamma[t].map((p) => num(p, 4)), r.v.logJoint > -Infinity ? states[r.v.path[t]] : "none"]),
      current: s.t,
    };
  },

  python: (s) => python(s, "hmm", [
    ...Object.entries(s.params).map(([key, x]) => `${key} = ${array(x)}`),
    `obs = np.array(${JSON.stringify(s.obs)})`,
    "print(hmm.forward_filter(obs, pi, A, B).alpha.round(4))",
  ], { obs: { raw: "obs" }, pi: { raw: "pi" }, A: { raw: "A" }, B: { raw: "B" }, states: s.fixed.states, symbols: s.fixed.symbols, t: s.t, show: s.opts.show, cell: s.opts.cell }),

  build,
};

const plus = (x) => (x < 0 ? `− ${num(-x, 2)}` : `+ ${num(x, 2)}`);
const sub = (n) => [...String(n)].map((d) => (d === "-" ? "₋" : "₀₁₂₃₄₅₆₇₈₉"[d])).join("");

function build(ctx) {
  const { states, symbols } = ctx.initial.fixed;
  const K = states.length;
  const yObs = K * ROW + 6;
  const yStrip = yObs + 72;
  const height = yStrip + 3 * (STRIP + GAP);

  const pass = choice({ legend: "Pass", show: false, options: ["Filter →", "← Smoother", "Viterbi →"], set: (i) =>
    ctx.set((s) => {
      s.opts.show = PASSES[i];
      s.t = i === 1 ? s.obs.length - 1 : 0;
    }) });

  // The picture: one SVG in real pixels, so text keeps its size on a phone; it scrolls sideways.
  const layers = Object.fromEntries(["band", "edges", "nodes", "strips", "marks", "labels"].map((name) => [name, h("svg:g")]));
  const svg = h("svg:svg", { height, class: "sbs-picture", "aria-hidden": "true" }, Object.values(layers));
  const tiles = h("div", { class: "sbs-tiles", role: "group", "aria-label": "observations" });
  const canvas = h("div", { class: "sbs-canvas" }, svg, tiles);
  const scroller = h("div", { class: "sbs-scroll" }, canvas);
  const gutter = h("div", { class: "sbs-gutter" });
  const strips = [["filter", "past only"], ["smoother", "all data"], ["Viterbi", "best path"]];
  const swatches = states.map((name, k) => {
    const dot = h("i", { class: "sbs-dot" });
    gutter.append(h("div", { style: `top:${k * ROW}px;height:${ROW}px` }, h("b", {}, dot, name)));
    return dot;
  });
  gutter.append(h("div", { style: `top:${yObs}px;height:40px` }, h("b", { text: "observed" }), h("small", { text: "click to edit" })));
  strips.forEach(([name, words], i) => gutter.append(
    h("div", { style: `top:${yStrip + i * (STRIP + GAP)}px;height:${STRIP}px` }, h("b", { text: name }), h("small", { text: words }))));
  layers.band.append(h("svg:rect", { class: "sbs-now", y: 0, height, rx: 8 }));

  const observe = (t, y) => ctx.set((s) => {
    s.obs[t] = y;
    s.t = t;
  }, `obs${t}`);
  const symbolChoice = choice({ legend: "Observation", options: symbols, set: (y) => observe(ctx.state.t, y) });
  const cellChoice = choice({ legend: "Arithmetic of", options: states, set: (k) => ctx.set((s) => (s.opts.cell = k)) });
  const sums = arithmetic();

  // The model: every probability is a bar.
  const exact = exactField();
  const row = (title, names, colours, read) => probRow({
    title, names, colours, get: () => read(ctx.state.params), onselect: exact.select,
    set: (next) => ctx.set((s) => read(s.params).splice(0, next.length, ...next), title),
  });
  let colours = { states: ["#000"], neutral: ["#000"] };
  const rows = [
    row("start", states, () => colours.states, (p) => p.pi),
    ...states.flatMap((k, i) => [
      row(`from ${k} to`, states, () => colours.states, (p) => p.A[i]),
      row(`${k} shows`, symbols, () => [colours.states[i]], (p) => p.B[i]),
    ]),
  ];
  const model = h("details", { class: "sbs-model", open: true }, h("summary", { text: "The model: drag any probability" }),
    h("div", { class: `sbs-rows${2 * K + symbols.length < 14 ? " sbs-aligned" : ""}`, style: `--k:${K}` }, rows.map((r) => r.el)), exact.el);

  function draw(s, r, { marked, hide, palette, calm }) {
    const { t, opts: { show, cell }, obs } = s;
    const T = obs.length;
    const left = canvas.parentNode.clientWidth;
    const w = Math.min(84, Math.max(44, Math.floor(left / T)));
    const R = Math.min(20, Math.max(15, 0.34 * w));
    const [X, Y] = [(i) => i * w + w / 2, (k) => k * ROW + ROW / 2];
    const dead = r.f.dead >= 0 ? r.f.dead : T;
    colours = { states: palette.states };
    put(svg, { width: T * w });
    canvas.style.width = `${T * w}px`;
    put(layers.band.firstChild, { x: t * w + 1, width: w - 2 });
    swatches.forEach((dot, k) => (dot.style.background = palette.states[k]));

    const order = r.v.delta.map(softmax);
    const reached = (i) => (show === "backward" ? i >= t : i <= t) && i < dead && !(hide && i === t);
    const value = (i, k) => {
      if (show === "forward") return reached(i) ? r.f.alpha[i][k] : null;
      if (show === "backward") return reached(i) ? r.gamma[i][k] : i < dead ? r.f.alpha[i][k] : null;
      return reached(i) ? order[i][k] : null;
    };
    const onPath = (i) => show === "viterbi" && t === T - 1 && !hide && r.v.logJoint > -Infinity && i;

    const edges = keep(layers.edges, (T - 1) * K * K, () => h("svg:line"));
    for (let i = 0, e = 0; i < T - 1; i++) for (let a = 0; a < K; a++) for (let b = 0; b < K; b++, e++) {
      const shown = show === "backward" ? reached(i) && i + 1 < dead : reached(i + 1);
      let flow = 0;
      if (shown && show === "forward") flow = (r.f.alpha[i][a] * s.params.A[a][b] * r.L[i + 1][b]) / r.f.c[i + 1];
      if (shown && show === "backward") flow = r.xi[i][a][b];
      if (shown && show === "viterbi") flow = r.v.back[i + 1][b] === a && r.v.delta[i + 1][b] > -Infinity ? 0.25 : 0;
      const best = onPath(i + 1) && r.v.path[i] === a && r.v.path[i + 1] === b;
      const mine = show === "backward" ? i === t && a === cell : i + 1 === t && b === cell;
      put(edges[e], {
        x1: X(i) + R, y1: Y(a), x2: X(i + 1) - R, y2: Y(b),
        "stroke-width": best ? 6 : shown ? 0.75 + 8 * flow : 0.75,
        stroke: best || mine ? palette.states[a] : "currentColor",
        opacity: best ? 1 : shown && flow > 0 ? (mine ? 0.95 : 0.35) : 0.12,
      });
    }
    const nodes = keep(layers.nodes, T * K, (n) => h("svg:g", { onclick: () => ctx.set((d) => {
      d.t = Math.floor(n / K);
      d.opts.cell = n % K;
    }) }, h("svg:circle"), h("svg:text", { dy: "0.35em" })));
    nodes.forEach((g, n) => {
      const [i, k] = [Math.floor(n / K), n % K];
      const p = value(i, k);
      const fill = p === null ? palette.paper : mix(palette.paper, palette.states[k], p);
      put(g, { transform: `translate(${X(i)} ${Y(k)})`, class: `sbs-node${reached(i) ? "" : " sbs-later"}${i === t && k === cell ? " sbs-cell" : ""}` });
      put(g.firstChild, { r: R, fill, stroke: palette.states[k], "stroke-width": onPath(i || 1) && r.v.path[i] === k ? 4 : null });
      put(g.lastChild, { fill: inkOn(fill), text: p === null ? (hide && i === t ? "?" : "") : p > 0.995 && p < 1 ? ">.99" : p < 0.005 && p > 0 ? "<.01" : num(p, 2).replace(/^0/, "") });
    });

    const rowsOf = [r.f.alpha, r.gamma, r.v.path.map((k) => (r.v.logJoint > -Infinity ? oneHot(K, k) : oneHot(K, -1)))];
    const before = [marked.f.alpha, marked.gamma, marked.v.path.map((k) => oneHot(K, k))];
    const bars = keep(layers.strips, 3 * T * K, () => h("svg:rect", { rx: 1 }));
    const marks = keep(layers.marks, 3 * T, () => h("svg:rect", { height: 3, rx: 1.5, class: "sbs-mark" }));
    rowsOf.forEach((values, strip) => {
      const top = yStrip + strip * (STRIP + GAP);
      values.forEach((p, i) => {
        let base = top + STRIP;
        const veiled = hide && (strip > 0 || i >= t);
        p.forEach((v, k) => {
          const size = veiled ? 0 : v * STRIP;
          base -= size;
          put(bars[(strip * T + i) * K + k], { x: i * w + 3, width: w - 6, y: base, height: Math.max(0, size - (k && size > 2 ? 1 : 0)), fill: palette.states[k], opacity: strip === 0 && show === "forward" && i > t ? 0.35 : 1 });
        });
        put(marks[strip * T + i], { x: i * w + 8, width: w - 16, y: top + STRIP + 4, opacity: !veiled && moved(before[strip][i], p) ? 1 : 0 });
      });
    });
    const times = keep(layers.labels, T, () => h("svg:text", { y: yObs + 58, class: "sbs-time" }));
    times.forEach((el, i) => put(el, { x: X(i), text: String(i), class: i === t ? "sbs-time sbs-on" : "sbs-time" }));

    keep(tiles, T, (i) => h("button", {
      type: "button", class: "sbs-tile", style: `top:${yObs}px`,
      onclick: () => (ctx.state.t === i ? observe(i, (ctx.state.obs[i] + 1) % symbols.length) : ctx.go(i)),
      onkeydown: (event) => {
        const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        const V = symbols.length;
        if (by) observe(i, (ctx.state.obs[i] + by + V) % V);
        const to = i + ({ ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? NaN);
        if (tiles.children[to]) {
          tiles.children[to].focus();
          ctx.go(to);
        } else if (!by) return;
        event.preventDefault();
      },
    })).forEach((tile, i) => {
      tile.style.left = `${X(i) - 20}px`;
      tile.style.fontSize = symbols[obs[i]].length > 2 ? "14px" : ""; // longer names fit
      put(tile, { text: symbols[obs[i]], "aria-label": `t = ${i}, observed ${symbols[obs[i]]}. Up and down arrows change it`, "aria-current": i === t ? "step" : null });
    });

    pass.draw(PASSES.indexOf(show));
    symbolChoice.draw(obs[t], `Observation at t = ${t}`);
    cellChoice.draw(cell);
    sums.draw(hide ? [["predict", "your guess first", "?"]] : trellis.sums(s, r));
    rows.forEach((part) => part.draw());
    exact.draw();
    if (T * w > left && (X(t) < scroller.scrollLeft + w || X(t) > scroller.scrollLeft + left - w)) {
      scroller.scrollTo({ left: X(t) - left / 2, behavior: calm ? "auto" : "smooth" });
    }
  }

  return {
    el: h("div", {}, pass.el, h("div", { class: "sbs-stage", style: `height:${height + 4}px` }, gutter, scroller),
      h("p", { class: "sbs-note" }, h("i", { class: "sbs-dash" }), "changed by your last edit"), symbolChoice.el),
    after: h("div", {}, h("div", { class: "sbs-why" }, cellChoice.el, sums.el), model),
    draw,
  };
}
