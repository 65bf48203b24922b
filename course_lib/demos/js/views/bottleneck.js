// A sentence squeezed into one vector: which of its words can still be recovered?

import { affine } from "../core/cells.js";
import { random } from "../core/chain.js";
import { squeeze, unpackNetwork } from "../core/seq2seq.js";
import { array, python } from "../core/state.js";
import { cellSums } from "../ui/cell_sums.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put } from "../ui/dom.js";
import { dial, lanes, shade } from "../ui/lanes.js";
import { sentence } from "../ui/sentence.js";

const MOST = 20; // words, as in the schema
const WIDEST = 8; // of the beam
const TILES = 76; // tall
const SHADES = 8; // of each colour in the picture of the states

const unpacked = new WeakMap(); // once a demo
function networks(fixed) {
  if (!unpacked.has(fixed)) unpacked.set(fixed, fixed.networks.map(unpackNetwork));
  return unpacked.get(fixed);
}
const two = (v) => num(v < 0.005 ? 0 : v, 2); // no powers of ten
const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const last = ({ t, tokens }) => Math.min(t, tokens.length - 1); // word that was read last
const writing = ({ t, tokens }) => t - tokens.length; // step of writing; below 0: reading
const mirrored = ({ order }) => order === "mirror";
const place = (s, j) => (mirrored(s.fixed) ? s.tokens.length - 1 - j : j); // source word of a step of writing, and back
const column = (s) => (writing(s) < 0 ? s.t : Math.min(s.tokens.length - 1, Math.max(0, place(s, writing(s)))));
const goal = (s, r, j) => r.target[j] ?? s.fixed.stop; // what should be written
const keptBy = (s, net) => net.kept[last(s)].filter(Boolean).length;

export const bottleneck = {
  title: "Through the bottleneck",

  range: (s) => ({ max: 2 * s.tokens.length + 1, what: "step" }),

  tidy(s) {
    s.t = Math.max(0, Math.min(s.t, 2 * s.tokens.length + 1));
    return s;
  },

  wrong({ tokens, opts, fixed }) {
    const V = fixed.source_words.length;
    if (tokens.some((k) => k >= V)) return `tokens must be below ${V}`;
    return opts.network < fixed.networks.length ? "" : `network must be below ${fixed.networks.length}`;
  },

  compute({ tokens, opts: { width }, fixed }, old) {
    const was = old?.result;
    if (was && was.width === width && String(was.tokens) === String(tokens)) return was;
    return squeeze(tokens, fixed, networks(fixed), width, was);
  },

  facts(s, r) {
    const all = (f) => r.nets.map(f);
    return {
      t: s.t, words: s.tokens.length, read: last(s) + 1, width: s.opts.width, exact: all((net) => net.exact), right: all((net) => net.right.filter(Boolean).length),
      first: all((net) => net.recovered[last(s)][0]), kept: all((net) => keptBy(s, net)), gain: all((net) => net.gain), saved: all((net) => net.saved),
    };
  },

  say(s, r) {
    const { fixed: { networks: all, source_words: source, target_words: target }, tokens, t } = s;
    const j = writing(s);
    if (j < 0) {
      const kept = all.map(({ name }, n) => `${name} ${keptBy(s, r.nets[n])}`);
      const first = t ? ` P of the first word, “${source[tokens[0]]}”: ${list(all.map(({ name }, n) => `${name} ${two(r.nets[n].recovered[t][0])}`))}.` : "";
      return `Word ${t + 1} of ${tokens.length}, “${source[tokens[t]]}”, was read. If the vector were handed over now, this many of ${many(t + 1, "word")} would come back: ${list(kept)}.${first}`;
    }
    const right = goal(s, r, j);
    const one = ({ name }, n) => {
      const word = r.nets[n].written[j];
      return `${name} ${word === undefined ? "has stopped" : `writes “${target[word]}”${word === right ? "" : ", which is wrong"}`}`;
    };
    const end = j < tokens.length ? `The right word is “${target[right]}”, for “${source[tokens[place(s, j)]]}”` : j === tokens.length ? `Here “${target[right]}” is right` : "All should have stopped";
    return `Writing, token ${j + 1}. ${end}: ${list(all.map(one))}.`;
  },

  sums(s, r) {
    const { opts: { network }, fixed: { source_words: source, target_words: target, start }, tokens, t } = s;
    const p = networks(s.fixed)[network];
    const net = r.nets[network];
    const j = writing(s);
    const numbers = (x) => `x = ${x.slice(0, 4).map((v) => num(v, 2)).join(", ")}${x.length > 4 ? `, and ${x.length - 4} more` : ""}`;
    const unit = (was, now) => now.h.reduce((k, v, i) => (Math.abs(v - was.h[i]) > Math.abs(now.h[k] - was.h[k]) ? i : k), 0);
    const cell = (params, x, was, now) => cellSums("gru", params, x, was, now, unit(was, now)).map(([verb, ...row]) => [`unit ${unit(was, now)}: ${verb}`, ...row]);
    if (j < 0) {
      const x = p.embed_source[tokens[t]];
      return [["look up", `numbers of “${source[tokens[t]]}”`, numbers(x)], ...cell(p.encoder, x, net.trace[t], net.trace[t + 1]),
        ["handed over", "the state after the last word", `${net.trace[t + 1].h.length} numbers for ${many(t + 1, "word")}`]];
    }
    if (j >= net.steps.length) return [["stopped", "nothing is read or written any more", `log P of all: ${num(net.logProb)}`]];
    const now = net.steps[j];
    const was = j ? net.steps[j - 1] : { h: net.trace.at(-1).h };
    const x = p.embed_target[now.token];
    const word = net.written[j];
    const scores = affine(now.h, p.W_out, p.b_out);
    return [["look up", `numbers of ${now.token === start ? "START" : `“${target[now.token]}”`}`, numbers(x)], ...cell(p.decoder, x, was, now),
      ["score", `h · column “${target[word]}” of W + b`, `${num(scores[word] - p.b_out[word])} ${p.b_out[word] < 0 ? "−" : "+"} ${num(Math.abs(p.b_out[word]))} = ${num(scores[word])}`],
      ["probability", "exp(score − log Σ exp(all scores))", `exp(${num(scores[word])} − ${num(scores[word] - now.logProbs[word])}) = ${num(Math.exp(now.logProbs[word]))}`]];
  },

  question(s, r) {
    const { opts: { network }, fixed: { networks: all, source_words: source, target_words: target }, tokens, t } = s;
    const { name } = all[network];
    const j = writing(s);
    const known = { min: 0, max: 1, step: 0.01 };
    if (j < 0) {
      return { ...known, key: `${network}|${tokens.slice(0, t + 1)}`, truth: r.nets[network].recovered[t][0],
        prompt: `${many(t + 1, "word")} read. If the vector of ${name} were handed over now, with what probability would its first word, “${source[tokens[0]]}”, come back?` };
    }
    if (j >= tokens.length) return null;
    return { ...known, key: `${network}|${j}|${tokens}`, truth: r.nets[network].recovered.at(-1)[place(s, j)],
      prompt: `Told the right words before, what probability does ${name} give to “${target[r.target[j]]}” here?` };
  },

  table(s, r) {
    const { fixed: { networks: all, source_words: source, target_words: target }, tokens } = s;
    const S = tokens.length;
    const words = (f) => all.map(({ name }, n) => f(r.nets[n], name));
    const read = tokens.map((k, i) => ["reads", source[k], ...words((net) => `${net.kept[i].filter(Boolean).length}`), ...words(() => ""), ...words(() => "")]);
    const write = Array.from({ length: S + 2 }, (_, j) => ["writes", j > S ? "" : target[goal(s, r, j)], ...words(() => ""), ...words((net) => target[net.written[j]] ?? ""),
      ...words((net) => (j < S ? num(net.recovered[S - 1][place(s, j)], 4) : ""))]);
    return {
      caption: "Words that come back (right word most probable, told those before) from the vector after each word read, and what is written from the last one",
      head: ["step", "phase", "word", ...all.map(({ name }) => `${name}: kept`), ...all.map(({ name }) => `${name}: writes`), ...all.map(({ name }) => `${name}: P(right word)`)],
      rows: [...read, ...write].map((row, t) => [`${t}`, ...row]),
      current: s.t,
    };
  },

  python({ fixed, opts, ...s }) {
    const half = (key, { W_xa, W_ha, b_x, b_h, reset, update }) => [`        ${key}=gru.GRUParams(`, `            ${array(W_xa)},`, `            ${array(W_ha)},`,
      `            ${array(b_x)},`, `            ${array(b_h)},`, `            "${reset}", "${update}",`, "        ),"];
    const lines = ["networks = {"];
    for (const p of networks(fixed)) {
      lines.push(`    ${JSON.stringify(p.name)}: seq2seq.Seq2SeqParams(`, `        embed_source=${array(p.embed_source)},`, ...half("encoder", p.encoder),
        `        embed_target=${array(p.embed_target)},`, ...half("decoder", p.decoder), `        W_out=${array(p.W_out)},`, `        b_out=${array(p.b_out)},`, "    ),");
    }
    lines.push("}");
    return python(s, "gru, seq2seq", lines, {
      source: s.tokens.map((k) => fixed.source_words[k]), source_words: fixed.source_words, target_words: fixed.target_words, networks: { raw: "networks" },
      start: fixed.start, stop: fixed.stop, meaning: fixed.meaning, order: fixed.order, t: s.t, network: opts.network, width: opts.width, seed: s.seed,
    }) + 'print(demo.trace()["recovered"][-1].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { networks: all, source_words: source, target_words: target, stop } = ctx.initial.fixed;

  // Editing: who is writing stays at the same step of writing, who is reading goes to what changed.
  const edit = (act, at, label = "") => ctx.set((s) => {
    const ahead = writing(s);
    act(s.tokens, s);
    s.t = ahead < 0 ? at : s.tokens.length + ahead;
  }, label);
  const here = () => column(ctx.state);
  const draws = (seed, n) => {
    const next = random(seed);
    return Array.from({ length: n }, () => Math.floor(next() * source.length));
  };

  const length = dial({ label: "words", min: 1, max: MOST, step: 1, read: () => ctx.state.tokens.length, write: (to) => {
    const n = Math.round(to);
    edit((tokens, s) => tokens.splice(0, tokens.length, ...tokens.slice(0, n), ...draws(s.seed, n).slice(tokens.length)), n - 1, "length");
  } });
  const another = h("button", { type: "button", class: "sbs-btn sbs-wide", text: "another sentence", onclick: () => edit((tokens, s) => {
    s.seed = (s.seed + 1) % 2 ** 31;
    tokens.splice(0, tokens.length, ...draws(s.seed, tokens.length));
  }, ctx.state.tokens.length - 1) });

  // Words above, and for each network whether they come back
  const pick = (i) => ctx.go(writing(ctx.state) < 0 ? i : ctx.state.tokens.length + place(ctx.state, i));
  let veil = false; // a prediction is waiting: no bar may tell
  const rows = all.map(({ name }, n) => ({
    label: name, low: 0, high: 1, tall: 44, bold: (s) => s.opts.network === n, tell: (v) => (v === null ? "" : `P ${two(v)}`),
    get: (r, s) => {
      const row = r.nets[n].recovered[Math.min(last(s), r.tokens.length - 1)];
      return s.tokens.map((_, i) => (veil ? null : row[i] ?? null));
    },
  }));
  const trace = lanes({ ctx, rows, head: TILES + 12, least: 30, most: 46, pick, current: column, column: (i) => `word ${i + 1}`, tick: (i) => i + 1 });
  trace.gutter.before(h("div", { class: "sbs-head", style: "top:6px" }, h("b", { text: "sentence" }), h("small", { text: "drag to move" })));
  const words = sentence({ ctx, words: source, most: MOST, canvas: trace.canvas, tall: TILES, edit, pick, here });
  const caption = h("p", { class: "sbs-note sbs-key" });

  // What each network writes
  const outputs = [{ name: "right" }, ...all].map(({ name }, n) => {
    const chips = h("span", { class: "sbs-chips" });
    const count = h("small");
    return { chips, count, el: h("div", { class: `sbs-output${n ? "" : " sbs-target"}` }, h("b", { text: name }), chips, count) };
  });

  // One network from inside: its states, the vector between them, its beam
  const network = choice({ legend: "States, beam and arithmetic of", options: all.map((one) => one.name), set: (n) => ctx.set((s) => (s.opts.network = n)) });
  const shades = Array.from({ length: 2 * SHADES + 1 }, () => h("svg:path"));
  const frame = h("svg:path", { class: "sbs-neck" });
  const mark = h("svg:path", { class: "sbs-cursor" });
  const glass = h("svg:svg", { class: "sbs-glass", preserveAspectRatio: "none", "aria-hidden": "true" }, shades, frame, mark);
  const parts = h("div", { class: "sbs-halves" }, h("span"), h("span"), h("span"));
  const width = dial({ label: "beam width", min: 1, max: WIDEST, step: 1, read: () => ctx.state.opts.width, write: (k) => ctx.set((s) => (s.opts.width = Math.round(k)), "width") });
  const beams = h("ol", { class: "sbs-beam" });
  const about = h("p", { class: "sbs-note" });
  const sums = arithmetic();

  function draw(s, r, look) {
    const { tokens, t, opts } = s;
    const { hide, palette } = look;
    const S = tokens.length;
    const j = writing(s);
    const now = last(s);
    veil = hide;
    length.draw();
    const { w, tops } = trace.draw(s, r, look);
    const lost = hide ? [] : r.nets.flatMap((net, n) => net.kept[now].flatMap((top, i) => (top ? [] : [[(i + 0.5) * w, tops[n] + 11]])));
    keep(trace.top, lost.length, () => h("svg:text", { class: "sbs-lost", text: "✗" })).forEach((cross, i) => put(cross, { x: lost[i][0], y: lost[i][1] }));
    put(caption, { text: `Bars: P(right word), read out of the vector after ${j < 0 ? `the ${many(t + 1, "word")} read so far` : `all ${many(S, "word")}`}, told the right words before it. ✗: another token is more probable.` });
    words.draw(s, w, (i) => i > now);

    // Written words
    const told = hide ? Math.max(0, j) : S + 2;
    outputs.forEach(({ chips, count }, n) => {
      const words = n ? r.nets[n - 1].written : [...r.target, stop];
      const shown = n ? words.slice(0, told) : words;
      keep(chips, shown.length, () => h("span")).forEach((chip, i) => {
        const wrong = shown[i] !== goal(s, r, i);
        put(chip, { text: `${wrong ? "✗ " : ""}${target[shown[i]]}`, class: `sbs-chip${wrong ? " sbs-false" : ""}${i === j ? " sbs-here" : ""}` });
      });
      if (n) put(count, { text: hide ? "?" : `${r.nets[n - 1].right.filter(Boolean).length} of ${many(S, "word")}` });
    });

    // States
    network.draw(opts.network);
    const net = r.nets[opts.network];
    const H = net.trace[0].h.length;
    const d = shades.map(() => "");
    const cells = (x, wide, values) => values.forEach((v, k) => {
      d[SHADES + Math.round(Math.max(-1, Math.min(1, v)) * SHADES)] += `M${x} ${k}h${wide}v1h-${wide}z`;
    });
    for (let i = 0; i <= now; i++) cells(i, 1, net.trace[i + 1].h);
    cells(S + 1, 3, net.trace[now + 1].h);
    for (let i = 0; i <= Math.min(j, net.steps.length - 1) && !(hide && i >= j); i++) cells(S + 5 + i, 1, net.steps[i].h);
    put(glass, { viewBox: `0 0 ${2 * S + 7} ${H}` });
    shades.forEach((path, k) => put(path, { d: d[k], fill: shade((k - SHADES) / SHADES, palette) }));
    put(frame, { d: `M${S + 1} 0h3v${H}h-3z` });
    put(mark, { d: `M${j < 0 ? t : S + 5 + Math.min(j, S + 1)} 0h1v${H}h-1z` });
    put(parts, { style: `grid-template-columns:${S}fr 5fr ${S + 2}fr` });
    [`reads ${many(now + 1, "word")}`, `${H} numbers`, j < 0 ? "writes" : `writes, token ${j + 1}`].forEach((text, i) => put(parts.children[i], { text }));

    // Its beam
    width.draw();
    const k = j < 0 ? net.beams.length - 1 : Math.min(j, net.beams.length - 1);
    put(about, { text: hide ? "?" : `${opts.width === 1 ? "Greedy" : `The beam of ${opts.width}`} after ${many(k + 1, "token")}; numbers are log probabilities in nats.${net.gain > 1e-3 ? ` Its best is ${num(net.gain, 2)} nats better than greedy's.` : ""}` });
    keep(beams, hide ? 0 : net.beams[k].length, () => h("li", {}, h("span", { class: "sbs-num" }), h("span"))).forEach((row, i) => {
      const { tokens: words, logProb, finished } = net.beams[k][i];
      put(row.firstChild, { text: num(logProb > -0.005 ? 0 : logProb, 2) });
      put(row.lastChild, { text: [...words, ...(finished ? [stop] : [])].map((word) => target[word]).join(" ") });
    });
    put(beams, { style: `min-height:${26 * opts.width}px` });
    sums.draw(hide ? [["predict", "your guess first", "?"]] : bottleneck.sums(s, r));
  }
  return {
    el: h("div", {}, words.field, words.note, h("div", { class: "sbs-edit" }, length.el, another), trace.el, caption, words.buttons,
      h("div", { class: "sbs-outputs" }, outputs.map((one) => one.el))),
    after: h("div", { class: "sbs-why" }, all.length > 1 ? network.el : null, glass, parts, width.el, about, beams, sums.el),
    draw,
  };
}
