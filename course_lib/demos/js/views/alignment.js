// An encoder-decoder with attention writes, and the map of where it looked grows row by row.

import { argmax, write } from "../core/alignment.js";
import { unpackNetwork } from "../core/seq2seq.js";
import { array, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, num, put } from "../ui/dom.js";
import { sentence } from "../ui/sentence.js";
import { two, weightMap } from "../ui/weight_map.js";

const MOST = 20; // words, as in the schema
const TILES = 76; // tall
const USES = ["trained", "uniform", "hardest"];

const unpacked = new WeakMap(); // once a demo
function networkOf(fixed) {
  if (!unpacked.has(fixed)) unpacked.set(fixed, unpackNetwork(fixed.network));
  return unpacked.get(fixed);
}
const plus = (v) => `${v < 0 ? "−" : "+"} ${num(Math.abs(v))}`;
// Source word whose translation belongs to a step of writing; -1: none, STOP does.
const place = ({ fixed: { order }, tokens }, t) => (t >= tokens.length ? -1 : order === "mirror" ? tokens.length - 1 - t : t);
const rightAt = (r, t) => r.steps[t]?.written === r.target[t];
const prob = (step) => Math.exp(step.logProbs[step.written]);
const exact = (r) => r.target.every((_, t) => rightAt(r, t));
// The three largest of some products, the rest as one number.
function products(a, b) {
  const terms = a.map((x, i) => [x, b[i]]).sort(([x, y], [u, v]) => Math.abs(u * v) - Math.abs(x * y));
  const rest = terms.slice(3).reduce((sum, [x, y]) => sum + x * y, 0);
  const shown = terms.slice(0, 3).map(([x, y], n) => `${n ? plus(x) : num(x)} × ${num(y)}`).join(" ");
  return terms.length > 3 ? `${shown} ${plus(rest)}` : shown;
}

export const alignment = {
  title: "The map grows",

  range: (s) => ({ max: s.tokens.length, what: "step" }),

  tidy(s) {
    s.t = Math.max(0, Math.min(s.t, s.tokens.length));
    s.opts.cell = Math.min(s.opts.cell, s.tokens.length - 1);
    return s;
  },

  wrong({ tokens, opts, fixed }) {
    const V = fixed.source_words.length;
    if (tokens.some((k) => k >= V)) return `tokens must be below ${V}`;
    return opts.cell < tokens.length ? "" : `cell must be below ${tokens.length}`;
  },

  compute({ tokens, opts: { use }, fixed }, old) {
    const was = old?.result;
    if (was && was.use === use && String(was.tokens) === String(tokens)) return was;
    return write(networkOf(fixed), tokens, use, fixed, was);
  },

  facts(s, r) {
    const steps = s.tokens.map((_, t) => t);
    return {
      t: s.t, words: s.tokens.length, use: s.opts.use, exact: exact(r), right: steps.filter((t) => rightAt(r, t)).length,
      elsewhere: steps.filter((t) => rightAt(r, t) && argmax(r.weights[t]) !== place(s, t)).length, weights: r.weights,
    };
  },

  say(s, r) {
    const { t, tokens, opts: { use }, fixed: { source_words: source, target_words: target } } = s;
    const step = r.steps[t];
    if (!step) return `It has stopped: ${r.steps.length} tokens are written.`;
    const top = argmax(step.weights);
    const right = r.target[t];
    const verdict = step.written === right ? ", which is right" : `; “${target[right]}” would be right`;
    const seen = use === "uniform" ? `looks everywhere alike (${two(step.weights[0])})` : `looks most at word ${top + 1}, “${source[tokens[top]]}” (${two(step.weights[top])}),`;
    return `Step ${t} of writing: it ${seen} and writes “${target[step.written]}” with probability ${two(prob(step))}${verdict}.`;
  },

  sums(s, r) {
    const { t, opts: { cell: i, use }, fixed: { target_words: target } } = s;
    const p = networkOf(s.fixed);
    const step = r.steps[t];
    if (!step) return [["stopped", "", `${r.steps.length} tokens are written`]];
    const score = step.scores[i];
    const { top, exps, sum, weights } = step.soft;
    const pairs = step.hidden ? [p.score_v, step.hidden[i]] : [step.h, r.states[i]];
    const root = p.attention === "scaled" ? " ÷ √H" : "";
    const compare = ["compare", `score = ${step.hidden ? "Σ v · tanh(h W_q + s W_k)" : `h · s${root}`}`, `${root ? `(${products(...pairs)})${root}` : products(...pairs)} = ${num(score)}`];
    const rows = [compare, ["exponential", "e to (score − largest)", `e^(${num(score)} − ${num(top)}) = ${num(exps[i])}`],
      ["normalise", "÷ the sum over words", `${num(exps[i])} ÷ ${num(sum)} = ${num(weights[i])}`]];
    if (use !== "trained") rows.push(["replace", `${use} weights instead`, num(step.weights[i])]);
    return [...rows, ["mix", "context, unit 0: Σ weight × state", `${products(step.weights, r.states.map((state) => state[0]))} = ${num(step.context[0])}`],
      ["score", `[h, context] · column “${target[step.written]}” + b`, num(step.outputs[step.written])],
      ["probability", "e to that ÷ the sum over all tokens", num(prob(step))]];
  },

  question(s, r) {
    const { t, tokens, opts: { cell, use }, fixed: { source_words: source } } = s;
    if (!r.steps[t]) return null;
    return { key: JSON.stringify([t, cell, tokens, use]), prompt: `Step ${t} of writing: which weight does word ${cell + 1}, “${source[tokens[cell]]}”, get?`, truth: r.weights[t][cell], min: 0, max: 1, step: 0.01 };
  },

  table(s, r) {
    const { tokens, fixed: { source_words: source, target_words: target } } = s;
    return {
      caption: "Tokens, their probabilities, and the weight of each source word",
      head: ["step", "writes", "right", "P", ...tokens.map((k, i) => `${i + 1} ${source[k]}`)],
      rows: r.target.map((right, t) => {
        const step = r.steps[t];
        return [`${t}`, step ? target[step.written] : "", target[right], step ? num(prob(step), 4) : "", ...tokens.map((_, i) => (step ? num(step.weights[i]) : ""))];
      }),
      current: s.t,
    };
  },

  python({ fixed, opts, ...s }) {
    const p = networkOf(fixed);
    const list = (...all) => all.map(array).join(",\n    ");
    const cell = ({ W_xa, W_ha, b_x, b_h, reset, update }) => `gru.GRUParams(${list(W_xa, W_ha, b_x, b_h)}, "${reset}", "${update}")`;
    const score = p.attention === "additive" ? `attention.AdditiveParams(${list(p.score_W_q, p.score_W_k, p.score_v)})` : `"${p.attention}"`;
    const parts = [array(p.embed_source), cell(p.encoder), array(p.embed_target), cell(p.decoder), list(p.W_out, p.b_out), score];
    const lines = [`params = seq2seq.Seq2SeqParams(\n    ${parts.join(",\n    ")},\n)`];
    return python(s, "attention, gru, seq2seq", lines, {
      source: s.tokens.map((k) => fixed.source_words[k]), source_words: fixed.source_words, target_words: fixed.target_words, params: { raw: "params" },
      start: fixed.start, stop: fixed.stop, meaning: fixed.meaning, order: fixed.order, use: opts.use, t: s.t, cell: opts.cell,
    }) + 'print(demo.trace()["weights"].round(3))\n';
  },

  build,
};

function build(ctx) {
  const { source_words: source, target_words: target } = ctx.initial.fixed;
  const map = weightMap({
    label: "map of weights", tall: 28, head: TILES + 8, least: 30, most: 46,
    onpick: (t, cell) => ctx.set((s) => Object.assign(s, { t }).opts.cell = cell, "t"),
  });
  map.gutter.before(h("div", { class: "sbs-head" }, h("b", { text: "source →" }), h("small", { text: "↓ written" })));
  const edit = (act, at, label = "") => ctx.set((s) => {
    act(s.tokens);
    s.opts.cell = at;
    s.t = Math.min(s.t, s.tokens.length);
  }, label);
  const words = sentence({ ctx, words: source, most: MOST, canvas: map.canvas, tall: TILES, edit, pick: (i) => ctx.set((s) => (s.opts.cell = i), "cell"), here: () => ctx.state.opts.cell });
  const use = choice({ legend: "Weights", options: USES, set: (i) => ctx.set((s) => (s.opts.use = USES[i])) });
  const sums = arithmetic();
  const about = h("p", { class: "sbs-note" });

  function draw(s, r, { marked, hide, palette }) {
    const { t, tokens, opts } = s;
    use.draw(USES.indexOf(opts.use));
    const same = marked.tokens.length === tokens.length;
    const w = map.draw({
      rows: r.target.map((_, n) => {
        const step = r.steps[n];
        const veiled = hide && n === t;
        if (n > t || !step) return { name: n > t ? "" : "–", note: "" };
        return {
          name: veiled ? "?" : `${rightAt(r, n) ? "" : "✗ "}${target[step.written]}`, note: veiled ? "" : two(prob(step)),
          weights: step.weights, veiled, was: same && marked.weights[n],
        };
      }),
      columns: tokens.length, t, cell: opts.cell, palette,
    });
    words.draw(s, w);
    put(about, { text: `Arithmetic of step ${t} and word ${opts.cell + 1}, “${source[tokens[opts.cell]]}”` });
    sums.draw(hide ? [["compare", "your guess first", "?"]] : alignment.sums(s, r));
  }
  return {
    el: h("div", {}, words.field, words.note, use.el, map.el, h("p", { class: "sbs-note" }, h("i", { class: "sbs-dash" }), "changed by your last edit"), words.buttons),
    after: h("div", { class: "sbs-why" }, about, sums.el),
    draw,
  };
}
