// Any typed sentence, and what networks think of it after each word.

import { MOST, added, opposite, read, typed, verbs } from "../core/sentences.js";
import { affine } from "../core/cells.js";
import { unpackAll } from "../core/packed.js";
import { array, python } from "../core/state.js";
import { cellSums } from "../ui/cell_sums.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, inkOn, keep, mix, num, put } from "../ui/dom.js";
import { dial, lanes } from "../ui/lanes.js";

const LETTERS = 300; // of the text, as in the schema
const DEEPEST = 0.75; // share of a colour behind a word where a network is sure

const networksOf = new WeakMap(); // unpacked once a demo
function networks(fixed) {
  if (!networksOf.has(fixed)) networksOf.set(fixed, fixed.networks.map(unpackAll));
  return networksOf.get(fixed);
}
const two = (v) => num(v < 0.005 ? 0 : v, 2); // no powers of ten
const isKnown = (s, word) => s.fixed.vocabulary.includes(word);
const lastOf = new WeakMap(); // the words of a state are asked for several times a frame
function wordsOf({ text, seed, fixed, opts: { length } }) {
  const key = `${seed} ${length} ${text}`;
  if (lastOf.get(fixed)?.key !== key) {
    const own = typed(text).map(({ word }) => word);
    lastOf.set(fixed, { key, words: [...own, ...added(fixed, seed, length - own.length)] });
  }
  return lastOf.get(fixed).words;
}
// The text with its first two deciding words turned to their opposites.
function turned({ text, fixed: { deciding } }) {
  const own = typed(text);
  return verbs(own.map(({ word }) => word), deciding).reverse().reduce((out, t) => {
    const { word, index, length } = own[t];
    const other = opposite(word, deciding);
    const capital = text[index] !== text[index].toLowerCase();
    return out.slice(0, index) + (capital ? other[0].toUpperCase() + other.slice(1) : other) + out.slice(index + length);
  }, text);
}
const before = (turns, t) => turns.filter((n) => n <= t);
const largest = (r) => Math.max(0.5, ...r.nets.flatMap((net) => net.signal));
const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

export const sentences = {
  title: "Word by word",

  range: (s) => ({ max: wordsOf(s).length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.max(0, Math.min(s.t, wordsOf(s).length - 1));
    return s;
  },

  wrong({ text, opts, fixed }) {
    if (!typed(text).length) return "text must hold a word";
    return opts.network < fixed.networks.length ? "" : `network must be below ${fixed.networks.length}`;
  },

  compute: (s, old) => read(wordsOf(s), s.fixed, networks(s.fixed), old?.result),

  facts(s, r) {
    const { t } = s;
    const at = (key) => r.nets.map((net) => net[key][t]);
    const verb = r.places.length ? t - r.places[0] : -1;
    const side = r.nets.map((net) => +(net.margin[t] >= 0));
    return {
      t, words: r.words.length, verb, label: r.label, p: at("p"), margin: at("margin"), signal: at("signal"), turns: r.nets.map((net) => before(net.turns, t).length),
      right: side.map((k) => verb >= 0 && k === r.label), unknown: typed(s.text).filter(({ word }) => !isKnown(s, word)).length,
    };
  },

  say(s, r) {
    const { t, fixed: { labels }, opts: { network } } = s;
    const word = r.words[t];
    const [first] = r.places;
    const all = r.nets.map((net, n) => `${s.fixed.networks[n].name} ${two(net.p[t])}`);
    const turning = s.fixed.networks.filter((_, n) => r.nets[n].turns.includes(t)).map(({ name }) => name);
    const left = `Signal left in ${s.fixed.networks[network].name}: ${two(r.nets[network].signal[t])}.`;
    const decides = !r.places.length ? "No word here decides, so no answer is right."
      : t < first ? `The word that decides, “${r.words[first]}”, is still to come.`
        : `“${r.words[first]}” decides: ${labels[r.label]}. ${left}`;
    return `Word ${t + 1} of ${r.words.length}, “${word}”${isKnown(s, word) ? "" : `, is not in the vocabulary and read as ${s.fixed.vocabulary[0]}`}. P(${labels[1]}): ${list(all)}.${turning.length ? ` Here ${list(turning)} ${turning.length > 1 ? "change their minds" : "changes its mind"}.` : ""} ${decides}`;
  },

  sums(s, r) {
    const { t, opts: { network } } = s;
    const p = networks(s.fixed)[network];
    const { trace, margin, p: sure } = r.nets[network];
    const [was, now] = [trace[t], trace[t + 1]];
    const x = p.embedding[r.ids[t]];
    const weight = (k) => now.h[k] * (p.readout_W[k][1] - p.readout_W[k][0]);
    const order = now.h.map((_, k) => k).sort((a, b) => Math.abs(weight(b)) - Math.abs(weight(a)));
    const [k, ...others] = order;
    const rest = others.reduce((sum, i) => sum + weight(i), 0);
    const b = p.readout_b[1] - p.readout_b[0];
    const sign = (v) => `${v < 0 ? "−" : "+"} ${num(Math.abs(v))}`;
    return [
      ["look up", `numbers of “${s.fixed.vocabulary[r.ids[t]]}”`, `x = ${x.slice(0, 4).map((v) => num(v, 2)).join(", ")}${x.length > 4 ? `, and ${x.length - 4} more` : ""}`],
      ...cellSums(p.kind, p, x, was, now, k).map(([verb, ...row]) => [`unit ${k}: ${verb}`, ...row]),
      ["margin", `h of unit ${k} × (w₁ − w₀) + ${others.length} other units + (b₁ − b₀)`, `${num(now.h[k])} × ${num(p.readout_W[k][1] - p.readout_W[k][0])} ${sign(rest)} ${sign(b)} = ${num(margin[t])}`],
      ["probability", `σ(margin) = P(${s.fixed.labels[1]})`, `1 ÷ (1 + exp(${num(-margin[t], 2)})) = ${num(sure[t])}`],
      ["signal", "|margin − margin of the twin|", `|${num(margin[t])} ${sign(-r.nets[network].twin[t])}| = ${num(r.nets[network].signal[t])}`],
    ];
  },

  question(s, r) {
    const { t, opts: { network }, fixed: { labels } } = s;
    const { name } = s.fixed.networks[network];
    return { key: `${network}|${r.words.slice(0, t + 1)}`, prompt: `t = ${t}: “${r.words[t]}” was read. What is P(${labels[1]}) in ${name} now?`, truth: r.nets[network].p[t], min: 0, max: 1, step: 0.01 };
  },

  table(s, r) {
    const { fixed: { networks: all, labels, vocabulary } } = s;
    const head = (words) => all.map(({ name }) => `${name} ${words}`);
    const column = (key, t) => r.nets.map((net) => num(net[key][t], 4));
    return {
      caption: `P(${labels[1]}), margins of the sentence and of its twin, and the signal that is left`,
      head: ["t", "word", "read as", ...head(`P(${labels[1]})`), ...head("margin"), ...head("margin, twin"), ...head("signal"), ...head("changes its mind")],
      rows: r.words.map((word, t) => [`${t}`, word, vocabulary[r.ids[t]], ...column("p", t), ...column("margin", t), ...column("twin", t), ...column("signal", t), ...r.nets.map((net) => (net.turns.includes(t) ? "yes" : ""))]),
      current: s.t,
    };
  },

  python({ fixed, opts, ...s }) {
    const types = { gru: "GRUParams", lstm: "LSTMParams", rnn: "RNNParams" };
    const all = networks(fixed);
    const lines = ["networks = ["];
    for (const { name, kind, reset, update, embedding, readout_W, readout_b, ...weights } of all) {
      lines.push("    demos.SentenceNetwork(", `        name=${JSON.stringify(name)},`, `        embedding=${array(embedding)},`, `        params=${kind}.${types[kind]}(`,
        ...Object.entries(weights).filter(([, x]) => x).map(([key, x]) => `            ${key}=${array(x)},`),
        ...(kind === "gru" ? [`            reset="${reset}", update="${update}",`] : []), "        ),",
        `        readout=(${array(readout_W)}, ${array(readout_b)}),`, "    ),");
    }
    lines.push("]");
    return python(s, [...new Set(all.map((one) => one.kind))].sort().join(", "), lines, {
      text: s.text, vocabulary: fixed.vocabulary, networks: { raw: "networks" }, deciding: fixed.deciding, clauses: fixed.clauses, word_classes: fixed.classes, labels: fixed.labels,
      length: opts.length, seed: s.seed, t: s.t, network: opts.network,
    }) + 'print(demo.trace()["p"].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { networks: all, labels, deciding, clauses } = ctx.initial.fixed;
  const count = () => typed(ctx.state.text).length;

  // The sentence: what is typed, and how it goes on
  const note = h("p", { class: "sbs-note" });
  const field = h("textarea", { rows: 2, class: "sbs-field sbs-code", maxlength: LETTERS, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-label": "sentence: type any words",
    oninput: () => {
      const text = field.value.replace(/\p{Cs}/gu, "").slice(0, LETTERS); // no halves of characters
      const here = typed(text).filter(({ index }) => index < field.selectionStart).length - 1;
      if (typed(text).length) ctx.set((s) => Object.assign(s, { text, t: Math.max(0, here) }), "typed");
      else put(note, { text: "Type at least one word." });
    },
    onblur: () => put(field, { value: ctx.state.text }) });
  const turn = h("button", { type: "button", class: "sbs-btn sbs-wide", onclick: () => {
    ctx.set((s) => (s.text = turned(s)));
    put(field, { value: ctx.state.text }); // not every browser takes the focus out of the field
  } });
  const length = dial({ label: "words in all", min: 1, max: MOST, step: 1, read: () => ctx.result.words.length, write: (n) => ctx.set((s) => {
    s.opts.length = Math.round(n) > count() ? Math.round(n) : 0;
  }, "length") });
  const others = h("button", { type: "button", class: "sbs-btn sbs-wide", text: "other clauses", onclick: () => ctx.set((s) => (s.seed = (s.seed + 1) % 2 ** 31)) });

  // Its words, in the colours of one network
  const pick = choice({ legend: "Colours and arithmetic of", options: all.map((one) => one.name), set: (n) => ctx.set((s) => (s.opts.network = n)) });
  const chips = h("div", { class: "sbs-words", role: "group", "aria-label": "words of the sentence" });
  const chip = (i) => h("button", { type: "button", class: "sbs-word", onclick: () => ctx.go(i), onkeydown: (event) => {
    const last = chips.children.length - 1;
    const to = { ArrowRight: Math.min(i + 1, last), ArrowLeft: Math.max(0, i - 1), Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    for (const [n, word] of [...chips.children].entries()) word.tabIndex = n === to ? 0 : -1; // now: Tab may come before the next frame
    chips.children[to].focus();
    ctx.go(to);
  } });
  const key = h("p", { class: "sbs-note sbs-keys" }, [["sbs-decides", "decides"], ["sbs-more", "a clause that was added"], ["sbs-alien", "not in the vocabulary"], ["sbs-turn", "the network changes its mind"]]
    .filter(([kind]) => clauses.length || kind !== "sbs-more").map(([kind, text]) => h("span", {}, h("i", { class: `sbs-word ${kind}`, text: "a" }), text)));

  // What each network thinks now
  const minds = all.map(({ name }) => {
    const parts = { lean: h("i"), p: h("span", { class: "sbs-num" }), bar: h("i"), signal: h("span", { class: "sbs-num" }), turns: h("small") };
    return { ...parts, el: h("div", { class: "sbs-mind" }, h("b", { text: name }), h("span", { class: "sbs-lean" }, parts.lean), parts.p, h("span", { class: "sbs-signal" }, parts.bar), parts.signal, parts.turns) };
  });
  const board = h("div", { class: "sbs-minds" },
    h("div", { class: "sbs-mind sbs-names" }, h("span"), h("span", { class: "sbs-ends" }, h("span", { text: labels[0] }), h("span", { text: labels[1] })), h("span", { text: "P" }), h("span", { text: "signal left" })),
    minds.map((mind) => mind.el));

  // And thought before
  const rows = all.flatMap(({ name }, n) => [
    { label: name, low: -0.5, high: 0.5, tall: 46, space: 10, get: (r) => r.nets[n].p.map((p) => p - 0.5), tell: (v) => `P ${two(v + 0.5)}`, bold: (s) => s.opts.network === n },
    { label: "signal", low: 0, high: 1, tall: 16, get: (r) => r.nets[n].signal, range: (r) => ({ low: 0, high: largest(r) }), tell: (v) => (v < 10 ? two(v) : num(v, 1)), held: () => true },
  ]);
  const trace = lanes({ ctx, rows, alone: "networks over the words, scrolls sideways" });
  const sums = arithmetic();

  function draw(s, r, look) {
    const { t, opts: { network }, fixed: { vocabulary } } = s;
    const { hide, palette } = look;
    const seen = hide ? t - 1 : t;
    const own = count();
    if (document.activeElement !== field) put(field, { value: s.text });
    const alien = [...new Set(r.words.filter((word) => !isKnown(s, word)))];
    put(note, { text: alien.length ? `Not in the vocabulary, read as ${vocabulary[0]}: ${alien.join(", ")}.` : own < MOST ? "" : `The first ${MOST} words are read.` });
    const places = verbs(typed(s.text).map(({ word }) => word), deciding);
    const said = places.map((k) => `“${r.words[k]}”`);
    put(turn, { text: places.length > 1 ? `turn ${said.join(" and ")}` : places.length ? `turn ${said[0]} into “${opposite(r.words[places[0]], deciding)}”` : "no word to turn", "aria-disabled": places.length ? null : "true" });
    length.draw(!clauses.length);
    others.hidden = own >= r.words.length;

    const net = r.nets[network];
    keep(chips, r.words.length, chip).forEach((el, i) => {
      const lean = 2 * net.p[i] - 1;
      const fill = i <= seen && mix(palette.paper, palette.states[lean < 0 ? 1 : 0], DEEPEST * Math.abs(lean));
      const turns = i <= seen && net.turns.includes(i);
      const known = isKnown(s, r.words[i]);
      put(el, {
        text: r.words[i], style: i > seen ? null : `background:${fill};color:${inkOn(fill)}`, tabindex: i === t ? 0 : -1, "aria-current": i === t ? "step" : null,
        class: `sbs-word${i > seen ? " sbs-unread" : ""}${i < own ? "" : " sbs-more"}${known ? "" : " sbs-alien"}${i === r.places[0] ? " sbs-decides" : ""}${turns ? " sbs-turn" : ""}`,
        "aria-label": `${r.words[i]}, t = ${i}${known ? "" : ", not in the vocabulary"}${i === r.places[0] ? ", decides" : ""}${turns ? ", the network changes its mind" : ""}`,
      });
    });
    pick.draw(network);

    minds.forEach(({ lean, p, bar, signal, turns }, n) => {
      const { p: sure, signal: left, turns: changes } = r.nets[n];
      const side = sure[t] - 0.5;
      lean.style.cssText = `left:${50 + 100 * Math.min(0, side)}%;width:${hide ? 0 : 100 * Math.abs(side)}%;background:${palette.states[side < 0 ? 1 : 0]}`;
      bar.style.cssText = `width:${hide ? 0 : 100 * left[t] / largest(r)}%;background:${palette.states[3]}`;
      put(p, { text: hide ? "?" : two(sure[t]) });
      put(signal, { text: hide ? "?" : two(left[t]) });
      const past = before(changes, seen);
      put(turns, { text: past.length ? `changes its mind at t = ${past.length > 3 ? `${past.slice(0, 3).join(", ")}, …` : past.join(", ")}` : "no change of mind so far" });
    });

    const { w, tops } = trace.draw(s, r, look);
    const flags = r.nets.flatMap(({ turns }, n) => turns.filter((i) => !hide || i < t).map((i) => [(i + 0.5) * w, tops[2 * n] - 2]));
    keep(trace.top, flags.length, () => h("svg:path", { class: "sbs-flag" })).forEach((flag, i) => put(flag, { d: `M${flags[i][0] - 5} ${flags[i][1] - 7}h10l-5 7z` }));
    sums.draw(hide ? [["predict", "your guess first", "?"]] : sentences.sums(s, r));
  }
  return {
    el: h("div", { class: "sbs-main" },
      field, note, h("div", { class: "sbs-edit" }, turn, length.el, others),
      chips, key, all.length > 1 ? pick.el : null, board,
      h("div", { class: "sbs-lanes" }, trace.el, h("p", { class: "sbs-note" }, h("i", { class: "sbs-flagkey" }), `changes its mind · bars up: ${labels[1]}, down: ${labels[0]}`))),
    after: h("div", { class: "sbs-why" }, sums.el),
    draw,
  };
}
