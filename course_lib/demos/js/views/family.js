// One sequence, five models: a slider walks from the HMM to the LSTM, states drawn the same way.

import { KINDS, family as read } from "../core/family.js";
import { array, firstChange, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put } from "../ui/dom.js";
import { lanes } from "../ui/lanes.js";

const NAMES = ["HMM", "Kalman filter", "linear RNN", "vanilla RNN", "LSTM"];
const HEAD = 54; // of the tiles
const WHAT = ["kind of state", "transition", "at test time", "learning"];
const FACTS = [
  ["probabilities of K states", "a table A, then weigh by B and normalise", "exact inference: the forward algorithm", "expected counts (EM), or gradients"],
  ["one number, known as a mean and a variance", "times a, plus noise, then corrected", "exact inference, in closed form", "EM, or gradients of the likelihood"],
  ["H numbers", "times a, plus the input", "none: the state is computed", "gradients through time"],
  ["H numbers in (−1, 1)", "a matrix, then tanh", "none: the state is computed", "gradients through time"],
  ["H numbers h and H numbers c", "gates decide what to keep, write, show", "none: the state is computed", "gradients through time"],
];
const plus = (v) => `${v < 0 ? "−" : "+"} ${num(Math.abs(v))}`;
const sub = (n) => [...String(n)].map((d) => "₀₁₂₃₄₅₆₇₈₉"[d]).join("");

// Names and values over time of the numbers in a model's state.
const PARTS = {
  hmm: (s) => s.fixed.states.map((name, k) => [name, (r) => r.hmm.alpha.map((row) => row[k]), 0]),
  // On the scale of the answer, which is level + mean.
  kalman: ({ fixed: { models: { kalman: { level, var0 } } } }) => [
    ["mean", (r) => r.kalman.map((step) => step.mean), -level, 1 - level], ["variance", (r) => r.kalman.map((step) => step.var), 0, Math.max(var0, level * (1 - level))],
  ],
  linear: (s) => s.fixed.models.linear.params.a.map((_, k, all) => [all.length < 2 ? "h" : `h ${k}`, (r) => r.linear.map((row) => row[k]), -1]),
  rnn: (s) => s.fixed.models.rnn.params.b_h.map((_, k, all) => [all.length < 2 ? "h" : `h ${k}`, (r) => r.rnn.slice(1).map((step) => step.h[k]), -1]),
  lstm: (s) => ["h", "c"].flatMap((key) => s.fixed.models.lstm.params.W_ha.map((_, k, all) => [all.length < 2 ? key : `${key} ${k}`, (r) => r.lstm.slice(1).map((step) => step[key][k]), -1])),
};
const sizes = ({ fixed: { states, models: { linear, rnn, lstm } } }) => [states.length, 1, linear.params.a.length, rnn.params.b_h.length, lstm.params.W_ha.length];
const unitOf = (s) => Math.min(s.opts.unit, sizes(s)[s.opts.stop] - 1);
const impossible = (s, r) => r.hmm.dead >= 0 && s.t >= r.hmm.dead;

export const family = {
  title: "One family",

  range: (s) => ({ max: s.obs.length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, s.obs.length - 1);
    return s;
  },

  wrong: ({ obs, fixed: { symbols } }) => (obs.some((y) => y >= symbols.length) ? `obs must be below ${symbols.length}` : ""),

  compute({ obs, opts: { stop }, fixed: { models, ask } }, old) {
    const from = old ? firstChange(obs, old.state.obs) : 0;
    const same = old && from === obs.length && from === old.state.obs.length;
    return { ...(same ? old.result : read(obs, models, ask, old?.result, from)), visited: [...new Set([...(old?.result.visited ?? []), stop])] };
  },

  facts(s, r) {
    const answer = r.answers[s.t];
    return { t: s.t, obs: s.obs, stop: s.opts.stop, visited: r.visited.length, answer, gap: answer.map((p) => (answer[0] === null ? null : Math.abs(p - answer[0]))) };
  },

  say(s, r) {
    const { t, opts: { stop }, fixed: { states, symbols, ask } } = s;
    if (impossible(s, r) && !stop) return `Impossible: no state that the HMM can be in at t = ${r.hmm.dead} ever shows ${symbols[s.obs[r.hmm.dead]]}. The other four have no such word as impossible. Change an observation.`;
    const [now, before] = [r.answers[t][stop], t ? r.answers[t - 1][stop] : null];
    const exact = stop ? (r.answers[t][0] === null ? " The HMM calls this sequence impossible." : ` The HMM, which is exact here, says ${num(r.answers[t][0])}.`) : "";
    return `After ${symbols[s.obs[t]]} the ${NAMES[stop]} ${before === null ? `starts with P(${states[ask]}) = ` : `takes P(${states[ask]}) from ${num(before)} to `}${num(now)}.${exact}`;
  },

  sums(s, r) {
    const { t, obs, opts: { stop }, fixed: { models, states, symbols, ask } } = s;
    const k = unitOf(s);
    const y = obs[t];
    const kind = KINDS[stop];
    const p = models[kind].params ?? models[kind];
    const seen = symbols[y];
    const answer = ["answer", `P(${states[ask]})`, num(r.answers[t][stop])];
    if (kind === "hmm") {
      const j = k;
      const [prior, last] = [r.hmm.predicted[t][j], r.hmm.alpha[t - 1]];
      const joint = prior * p.B[j][y];
      return [
        ["predict", t ? `Σ belief(i) · A(i, ${states[j]})` : `π(${states[j]})`, t ? `${last.map((a, i) => `${num(a)} × ${num(p.A[i][j])}`).join(" + ")} = ${num(prior)}` : num(prior)],
        ["weight", `× B(${states[j]}, ${seen})`, `${num(prior)} × ${num(p.B[j][y])} = ${num(joint)}`],
        ["normalise", "÷ the sum over states", impossible(s, r) ? "0 ÷ 0: not defined" : `${num(joint)} ÷ ${num(r.hmm.c[t])} = ${num(r.hmm.alpha[t][j])}`],
      ];
    }
    if (kind === "kalman") {
      const { predicted, ahead, gain, mean, var: variance } = r.kalman[t];
      const last = r.kalman[t - 1];
      return [
        ["predict", t ? "a · mean" : "the start", t ? `${num(p.a)} × ${num(last.mean)} = ${num(predicted)}` : num(predicted)],
        ["gain", "v ÷ (v + r)", `${num(ahead)} ÷ (${num(ahead)} + ${num(p.observation_var)}) = ${num(gain)}`],
        ["correct", `mean + gain · (y − mean), ${seen} reads ${num(p.values[y], 2)}`, `${num(predicted)} + ${num(gain)} × ${num(p.values[y] - predicted)} = ${num(mean)}`],
        ["variance", "(1 − gain) · v", `${num(1 - gain)} × ${num(ahead)} = ${num(variance)}`],
        answer,
      ];
    }
    const u = sub(k);
    if (kind === "linear") {
      const last = t ? r.linear[t - 1][k] : 0;
      return [["step", `a${u} · h${u} + W(${seen}) + b`, `${num(p.a[k])} × ${num(last)} ${plus(p.W_xh[y][k])} ${plus(p.b_h[k])} = ${num(r.linear[t][k])}`], answer];
    }
    if (kind === "rnn") {
      const back = r.rnn[t].h.reduce((sum, v, i) => sum + v * p.W_hh[i][k], 0);
      return [["sum", `W(${seen}) + h · W + b`, `${num(p.W_xh[y][k])} ${plus(back)} ${plus(p.b_h[k])} = ${num(p.W_xh[y][k] + back + p.b_h[k])}`], ["squash", `h${u} = tanh`, num(r.rnn[t + 1].h[k])], answer];
    }
    const [before, now] = r.lstm.slice(t);
    return [
      ["gates", `i${u}, f${u}, g${u}, o${u}`, ["i", "f", "g", "o"].map((gate) => num(now[gate][k])).join(", ")],
      ["cell state", "f · c + i · g", `${num(now.f[k])} × ${num(before.c[k])} + ${num(now.i[k])} × ${num(now.g[k])} = ${num(now.c[k])}`],
      ["shown", "o · tanh(c)", `${num(now.o[k])} × ${num(Math.tanh(now.c[k]))} = ${num(now.h[k])}`],
      answer,
    ];
  },

  question(s, r) {
    const { t, opts: { stop }, fixed: { states, symbols, ask } } = s;
    const truth = r.answers[t][stop];
    if (truth === null) return null;
    return { key: `${stop}|${s.obs.slice(0, t + 1)}`, prompt: `t = ${t}: ${symbols[s.obs[t]]} was read. Which P(${states[ask]}) will the ${NAMES[stop]} answer?`, truth, min: 0, max: 1, step: 0.01 };
  },

  table(s, r) {
    const parts = PARTS[KINDS[s.opts.stop]](s);
    const values = parts.map(([, get]) => get(r));
    return {
      caption: `State of the ${NAMES[s.opts.stop]}, and P(${s.fixed.states[s.fixed.ask]}) by all five`,
      head: ["t", "read", ...parts.map(([name]) => name), ...NAMES],
      rows: s.obs.map((y, t) => [`${t}`, s.fixed.symbols[y], ...values.map((v) => num(v[t], 4)), ...r.answers[t].map((p) => num(p, 4))]),
      current: s.t,
    };
  },

  python({ fixed: { models, states, symbols, ask }, opts, ...s }) {
    const lines = Object.entries(models.hmm).map(([key, x]) => `${key} = ${array(x)}`);
    const { level, values, ...rest } = models.kalman;
    lines.push(`kalman = dict(${Object.entries({ ...rest, level }).map(([key, v]) => `${key}=${v}`).join(", ")}, values=${JSON.stringify(values)})`);
    const args = { obs: s.obs, pi: { raw: "pi" }, A: { raw: "A" }, B: { raw: "B" }, states, symbols, ask, kalman: { raw: "kalman" }, stop: opts.stop, t: s.t };
    const types = { linear: "linear_recurrence.LinearParams", rnn: "rnn.RNNParams", lstm: "lstm.LSTMParams" };
    const outs = [];
    for (const [kind, type] of Object.entries(types)) {
      const { params, readout } = models[kind];
      if (!readout.W) continue; // made by hand: the demo makes it again
      lines.push(`${kind}_cell = ${type}(${Object.entries(params).filter(([, x]) => x).map(([key, x]) => `${key}=np.array(${JSON.stringify(x)}, dtype=float)`).join(", ")})`);
      args[kind] = { raw: `${kind}_cell` };
      outs.push(`"${kind}": (${JSON.stringify(readout.W)}, ${JSON.stringify(readout.b)})`);
    }
    args.readout = { raw: `{${outs.join(", ")}}` };
    return python(s, "linear_recurrence, lstm, rnn", lines, args) + 'print(demo.trace()["answer"].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { fixed: { states, symbols, ask }, ...rest } = ctx.initial;
  const initial = { ...rest, fixed: ctx.initial.fixed };
  const most = Math.max(...KINDS.map((kind) => PARTS[kind](initial).length));
  const tall = most > 6 ? 18 : 30;
  const stateRows = KINDS.map((kind) => PARTS[kind](initial).map(([label, get, low, high = 1]) => ({
    label, low, high, tall, get,
    range: (r) => {
      const size = kind === "kalman" ? 1 : Math.max(1, ...get(r).map(Math.abs));
      return { low: low * size, high: high * size };
    },
    bold: (s) => label === PARTS[kind](s)[unitOf(s)]?.[0],
  })));
  const answers = NAMES.map((name, i) => ({
    label: name.split(" ").at(i < 3 ? 0 : -1), space: i ? 0 : 26, low: 0, high: 1, tall: 26, digits: 2, get: (r) => r.answers.map((row) => row[i]),
    bold: (s) => s.opts.stop === i, faint: (s) => s.opts.stop !== i,
  }));
  const trace = lanes({ ctx, rows: [...stateRows.flat(), ...answers], head: HEAD, least: 44, most: 84 });
  const tiles = h("div", { class: "sbs-tiles", role: "group", "aria-label": "observations" });
  trace.canvas.append(tiles);
  const title = h("b");
  const heads = [h("div", { style: "top:8px" }, h("b", { text: "observed" }), h("small", { text: "click to edit" })), h("div", {}, title)];
  trace.gutter.before(...heads.map((el) => (el.className = "sbs-head") && el));

  const walk = (stop) => ctx.set((s) => (s.opts.stop = stop), "stop");
  const slide = h("input", { type: "range", class: "sbs-scrub", min: 0, max: 4, step: 1, "aria-label": "model, from HMM to LSTM", oninput: () => walk(+slide.value) });
  const stops = NAMES.map((name, i) => h("span", { text: name, onclick: () => walk(i) }));
  const facts = arithmetic("this stop");
  const observe = (t, y) => ctx.set((s) => {
    s.obs[t] = y;
    s.t = t;
  }, `obs${t}`);
  const symbol = choice({ legend: "Observation", options: symbols, set: (y) => observe(ctx.state.t, y) });
  const unit = choice({ legend: "Arithmetic of", options: Array.from({ length: Math.max(...sizes(initial)) }, (_, k) => `${k}`), set: (k) => ctx.set((s) => (s.opts.unit = k)) });
  const sums = arithmetic();

  function draw(s, r, extra) {
    const { t, obs, opts: { stop } } = s;
    put(slide, { value: stop, "aria-valuetext": NAMES[stop] });
    stops.forEach((el, i) => put(el, { class: i === stop ? "sbs-here" : null }));
    facts.draw(WHAT.map((what, i) => [what, "", FACTS[stop][i]]));
    const { w, tops } = trace.draw(s, r, extra, [...stateRows[stop], ...answers]);
    put(title, { text: `P(${states[ask]}) by all five` });
    heads[1].style.top = `${tops[stateRows[stop].length] - 26}px`;
    keep(tiles, obs.length, (i) => h("button", {
      type: "button", class: "sbs-tile",
      onclick: () => (ctx.state.t === i ? observe(i, (ctx.state.obs[i] + 1) % symbols.length) : ctx.go(i)),
      onkeydown: (event) => {
        const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        if (by) observe(i, (ctx.state.obs[i] + by + symbols.length) % symbols.length);
        const to = tiles.children[i + ({ ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? NaN)];
        if (to) {
          to.focus();
          ctx.go([...tiles.children].indexOf(to));
        } else if (!by) return;
        event.preventDefault();
      },
    })).forEach((tile, i) => {
      const name = symbols[obs[i]];
      tile.style.left = `${(i + 0.5) * w - 20}px`;
      tile.style.fontSize = name.length > 2 ? "12px" : "";
      put(tile, { text: name, "aria-label": `t = ${i}, read ${name}. Up and down arrows change it`, "aria-current": i === t ? "step" : null });
    });
    symbol.draw(obs[t], `Observation at t = ${t}`);
    const n = sizes(s)[stop];
    unit.el.hidden = n === 1;
    [...unit.el.querySelectorAll("label")].forEach((el, k) => {
      el.hidden = k >= n;
      put(el.lastChild, { text: stop ? `h ${k}` : states[k] ?? "" });
    });
    unit.draw(unitOf(s));
    sums.draw(extra.hide ? [["predict", "your guess first", "?"]] : family.sums(s, r));
  }
  const rowsTall = HEAD + most * (tall + 13) + 5 * 39 + 42;
  return {
    el: h("div", {}, h("div", { class: "sbs-walk" }, slide, h("div", { class: "sbs-stops", "aria-hidden": "true" }, stops)), facts.el,
      h("div", { style: `min-height:${rowsTall + 40}px` }, trace.el), symbol.el),
    after: h("div", { class: "sbs-why" }, unit.el, sums.el),
    draw,
  };
}
