// One head of self-attention on a typed sentence, from the embeddings to the output.

import { STAGES, angle, apart, head, stage, wave, wordsOf } from "../core/head.js";
import { array, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, inkOn, keep, num, put } from "../ui/dom.js";
import { dial, shade } from "../ui/lanes.js";

const LETTERS = 120; // of the text, as in the schema
const FAR = 4; // embeddings lie in [-4, 4]
const SAME = 1e-9; // outputs closer than this did not move
const DRAG_PIXELS = 40; // up or down for one unit
const NAMES = ["embed", "+ place", "q, k, v", "q · k", "÷ √E", "mask", "softmax", "output"];
const TITLES = ["embeddings: what each word looks up", "positions: where the word stands", "queries, keys and values", "scores: query times key", "scaled scores", "masked scores", "weights: softmax of every row", "output: weighted sum of the values"];
const WAYS = ["none", "sinusoidal", "rotary"];
const LETTER = ["q", "k", "v"];

const two = (v) => num(Math.abs(v) < 0.005 ? 0 : v, 2); // no powers of ten
const shown = (v) => (v === 0 ? "0" : two(v)); // exactly 0 is what a mask leaves
const sums = (a, b) => a.map((v, i) => `${two(v)}·${two(b[i])}`).join(" + ");
const column = (W, j) => W.map((row) => row[j]);
const quote = (word) => `“${word}”`;
const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
const E = (s) => s.params.W_q[0].length;
const isSquare = (t) => t > 2 && t < 7;
const isKnown = (s, word) => s.fixed.vocabulary.includes(word);

// The chosen column of a stage, and the option that holds it.
const columnKey = (t) => (t < 2 ? "feature" : isSquare(t) ? "key" : "unit");
const columnOf = (s) => (s.t === 7 ? s.opts.unit % E(s) : s.opts[columnKey(s.t)]);
const chosen = (s, r) => stage(r, s.t)[s.opts.row][columnOf(s)];
const heads = (s, r) => (isSquare(s.t) ? r.words
  : s.t < 2 ? r.e[0].map((_, i) => `${i + 1}`)
    : (s.t === 2 ? LETTER : ["o"]).flatMap((letter) => r.v[0].map((_, i) => `${letter}${i + 1}`)));
const scale = (s, rows) => (s.t === 6 ? 1 : Math.max(0.5, ...rows.flat().filter(Number.isFinite).map(Math.abs)));

export const one_head = {
  title: "One head, step by step",

  range: () => ({ max: STAGES - 1, what: "stage" }),

  tidy(s) {
    const last = wordsOf(s.text).length - 1;
    s.opts.row = Math.max(0, Math.min(s.opts.row, last));
    s.opts.key = Math.max(0, Math.min(s.opts.key, last));
    return s;
  },

  wrong({ text, params, opts, fixed: { vocabulary } }) {
    const T = wordsOf(text).length;
    if (!T) return "text must hold a word";
    const [M, width] = [params.embedding[0].length, params.W_q[0].length];
    if (M % 2 || width % 2 || width > 4) return "widths must be even, and at most 4 in W_q";
    for (const key in params) {
      const [rows, columns] = key === "embedding" ? [vocabulary.length, M] : [M, width];
      if (params[key].length !== rows || params[key].some((row) => row.length !== columns)) return `${key} must be ${rows} × ${columns}`;
    }
    if (params.embedding.flat().some((v) => Math.abs(v) > FAR)) return `embedding must lie in [−${FAR}, ${FAR}]`;
    for (const [key, most] of [["row", T], ["key", T], ["feature", M], ["unit", 3 * width]]) {
      if (opts[key] >= most) return `${key} must be below ${most}`;
    }
    return "";
  },

  compute: (s) => head(wordsOf(s.text), s.fixed.vocabulary, s.params, s.opts),

  facts(s, r, initial) {
    const start = wordsOf(initial.text);
    const gaps = String(start) === String(r.words) ? null : apart(r, head(start, s.fixed.vocabulary, s.params, s.opts));
    return {
      t: s.t, words: r.words.length, weight: r.weights[s.opts.row][s.opts.key],
      other: Math.max(0, ...r.weights.flatMap((row, t) => row.filter((_, n) => n !== t))),
      ahead: Math.max(0, ...r.weights[0].slice(1)),
      along: !!gaps && Math.max(...gaps) < SAME,
    };
  },

  say(s, r) {
    const { t, opts: { row, key, positions, causal, scale: divided } } = s;
    const [word, other] = [quote(r.words[row]), quote(r.words[key])];
    const weights = r.weights[row];
    const most = weights.indexOf(Math.max(...weights));
    const even = weights.filter(Boolean).length > 1 && weights.every((w) => !w || weights[most] - w < SAME);
    const shares = weights.map((w, n) => [w, n]).sort(([a], [b]) => b - a).slice(0, 3).filter(([w]) => w >= 0.005);
    return [
      () => `${word} is looked up: row ${r.ids[row]} of the embedding table${isKnown(s, r.words[row]) ? "" : `, which stands for every unknown word`}. The same row wherever the word stands.`,
      () => ({
        sinusoidal: `To ${word} the waves of place ${row} are added. From here on the same word at two places is two vectors.`,
        rotary: "Nothing is added: rotary positions turn queries and keys, at the next stage.",
        none: `Nothing is added: ${causal ? "only the mask tells the head anything about order" : "the head cannot know where a word stands"}.`,
      })[positions],
      () => `${word} becomes three vectors: q, what it looks for; k, by what it is found; v, what it hands over.${positions === "rotary" ? ` q and k are turned by its place, ${row}.` : ""}`,
      () => `How well does the key of ${other} fit the query of ${word}? Their dot product is ${two(r.scores[row][key])}.`,
      () => (divided ? `Divided by the root of E = ${E(s)}: ${two(r.scaled[row][key])}, so that scores do not grow with the width.` : `No scaling: the score stays ${two(r.scaled[row][key])}. Larger scores make the softmax sharper.`),
      () => (causal ? (key > row ? `${other} comes later: ${word} may not look, and its score becomes minus infinity.` : `${other} is not later than ${word}: the score stays.`) : "No mask: every word may look at every other, later ones too."),
      () => (even ? `${word} gives every word that it may look at the same weight, ${two(weights[most])}. Its row sums to 1.`
        : `${word} gives ${other} ${two(weights[key])} of its weight, ${key === most ? "the most of all" : `and most to ${quote(r.words[most])}, ${two(weights[most])}`}. Its row sums to 1.`),
      () => `The output of ${word} is a mixture of values: ${list(shares.map(([w, n]) => `${two(w)} of ${quote(r.words[n])}`))}.`,
    ][t]();
  },

  sums(s, r) {
    const { t, params, opts: { row, key, positions, causal, scale: divided } } = s;
    const c = columnOf(s);
    const value = chosen(s, r);
    const M = r.e[0].length;
    const [word, other] = [r.words[row], r.words[key]];
    const [part, unit] = [Math.floor(c / E(s)), c % E(s)];
    const end = (v) => ` = ${num(v)}`;
    return [
      () => [["look up", `row ${r.ids[row]}, number ${c + 1}`, num(value)]],
      () => [positions === "sinusoidal"
        ? ["add", `embedding + ${c % 2 ? "cos" : "sin"}(place × ${num(angle(1, c, M))})`, `${two(r.e[row][c])} + ${c % 2 ? "cos" : "sin"}(${row} × ${num(angle(1, c, M))}) = ${two(r.e[row][c])} + ${two(wave(row, c, M))}${end(value)}`]
        : ["keep", "nothing is added", num(value)]],
      () => {
        const letter = LETTER[part];
        const W = column(params[`W_${letter}`], unit);
        const rows = [["multiply", `x · column ${unit + 1} of W_${letter}`, `${sums(r.x[row], W)}${end(part < 2 ? r.straight[part][row][unit] : value)}`]];
        if (positions === "rotary" && part < 2) {
          const [a, mine, twin] = [angle(row, unit, E(s)), r.straight[part][row][unit], r.straight[part][row][unit ^ 1]];
          rows.push(["turn", `its pair by ${row} × ${num(angle(1, unit, E(s)))}`, `${two(mine)}·cos(${two(a)}) ${unit % 2 ? "+" : "−"} ${two(twin)}·sin(${two(a)})${end(value)}`]);
        }
        return rows;
      },
      () => [["multiply", `q of “${word}” · k of “${other}”`, `${sums(r.q[row], r.k[key])}${end(value)}`]],
      () => [divided ? ["divide", `score ÷ √${E(s)}`, `${num(r.scores[row][key])} ÷ ${num(Math.sqrt(E(s)))}${end(value)}`] : ["keep", "no scaling", num(value)]],
      () => [causal && key > row ? ["mask", `“${other}” is later`, `${num(r.scaled[row][key])} → −∞`] : ["keep", causal ? "not later" : "no mask", num(value)]],
      () => {
        const best = Math.max(...r.masked[row]);
        const e = r.masked[row].map((v) => Math.exp(v - best));
        const seen = e.filter((_, n) => Number.isFinite(r.masked[row][n]));
        return [
          ["exponent", "e^(score − largest score)", `e^(${two(r.masked[row][key])} − ${best < 0 ? `(${two(best)})` : two(best)})${end(e[key])}`],
          ["divide", "by the sum of the row", `${num(e[key])} ÷ (${seen.map((v) => num(v)).join(" + ")})${end(value)}`],
        ];
      },
      () => {
        const seen = (values) => values.filter((_, n) => Number.isFinite(r.masked[row][n]));
        return [["mix", `weights of “${word}” · number ${c + 1} of the values`, `${sums(seen(r.weights[row]), seen(column(r.v, c)))}${end(value)}`]];
      },
    ][t]();
  },

  question(s, r) {
    const truth = chosen(s, r);
    if (!s.t || !Number.isFinite(truth)) return null;
    const { opts: { row, key }, t } = s;
    const most = Math.ceil(scale(s, stage(r, t)));
    const what = isSquare(t) ? `how does ${quote(r.words[row])} look at ${quote(r.words[key])}` : `number ${heads(s, r)[columnOf(s)]} of ${quote(r.words[row])}`;
    return { key: `${t}|${row}|${columnOf(s)}|${truth}`, prompt: `Stage ${t}, ${TITLES[t].split(":")[0]}: ${what}?`, truth, min: t === 6 ? 0 : -most, max: most, step: 0.01 };
  },

  table(s, r) {
    const { row } = s.opts;
    const numbers = (values) => values.map((v) => num(v)).join(", ");
    const T = r.words.length;
    return {
      caption: `What every stage makes of “${r.words[row]}”`,
      head: ["stage", "name", "shape", "numbers"],
      rows: TITLES.map((title, t) => {
        const rows = stage(r, t);
        return [`${t}`, title.split(":")[0], t === 2 ? `3 × (${T}, ${E(s)})` : `(${T}, ${rows[0].length})`,
          t === 2 ? LETTER.map((letter) => `${letter} = ${numbers(r[letter][row])}`).join("; ") : numbers(rows[row])];
      }),
      current: s.t,
    };
  },

  python({ fixed, params, opts, ...s }) {
    const yes = (v) => ({ raw: v ? "True" : "False" });
    return python(s, "attention", [
      ...Object.entries(params).map(([key, x]) => `${key} = ${array(x)}`),
    ], {
      text: s.text, vocabulary: fixed.vocabulary, embedding: { raw: "embedding" }, params: { raw: "(W_q, W_k, W_v)" },
      positions: opts.positions, causal: yes(opts.causal), scale: yes(opts.scale), t: s.t, row: opts.row, key: opts.key,
    }) + `q, k, v = (demo.trace()[name][None] for name in "qkv")
mask = ${opts.causal ? "attention.causal_mask(q.shape[1])" : "None"}
print(attention.attend(q, k, v, "${opts.scale ? "scaled" : "dot"}", mask).weights[0].round(3))
`;
  },

  build,
};

function build(ctx) {
  const { params: { embedding } } = ctx.initial;
  const M = embedding[0].length;
  const pick = (row, col) => ctx.set((s) => {
    s.opts.row = row;
    s.opts[columnKey(s.t)] = col;
  }, "pick");

  // The sentence
  const note = h("p", { class: "sbs-note" });
  const field = h("input", { type: "text", class: "sbs-field sbs-code", maxlength: LETTERS, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-label": "sentence: type any words",
    oninput: () => {
      const text = field.value.replace(/\p{Cs}/gu, "").slice(0, LETTERS); // no halves of characters
      if (wordsOf(text).length) ctx.set((s) => (s.text = text), "typed");
      else put(note, { text: "Type at least one word." });
    },
    onblur: () => put(field, { value: ctx.state.text }) });
  const shift = (by) => ctx.set((s) => {
    const words = wordsOf(s.text);
    const to = s.opts.row + by;
    if (!words[to]) return;
    [words[s.opts.row], words[to]] = [words[to], words[s.opts.row]];
    Object.assign(s.opts, { row: to });
    s.text = words.join(" ");
  });
  const movers = [-1, 1].map((by) => h("button", { type: "button", class: "sbs-btn sbs-wide", onclick: () => {
    shift(by);
    put(field, { value: ctx.state.text });
  } }));

  // Switches
  const ways = choice({ legend: "Positions", options: WAYS, set: (n) => ctx.set((s) => (s.opts.positions = WAYS[n])) });
  const masks = choice({ legend: "May look", options: ["back only", "everywhere"], set: (n) => ctx.set((s) => (s.opts.causal = !n)) });
  const scales = choice({ legend: "Scores", options: ["÷ √E", "as they are"], set: (n) => ctx.set((s) => (s.opts.scale = !n)) });

  // Every stage in small
  const thumbs = NAMES.map((name, i) => {
    const canvas = h("canvas", { "aria-hidden": "true" });
    return { canvas, el: h("button", { type: "button", class: "sbs-thumb", "aria-label": `${name}: stage ${i}, ${TITLES[i]}`, onclick: () => ctx.go(i) }, canvas, h("span", { text: name })) };
  });
  const news = h("p", { class: "sbs-news" });

  // One stage at its full size
  const title = h("p", { class: "sbs-stagename" });
  const corner = h("span");
  const top = h("div", { class: "sbs-cols", "aria-hidden": "true" });
  const body = h("div");
  const grid = h("div", { class: "sbs-heat", role: "group" }, top, body);
  const cellOf = (row, col) => body.children[row]?.children[col + 1];
  let held = null; // pointer that drags an embedding
  const write = (row, col, v) => ctx.set((s) => {
    s.params.embedding[ctx.result.ids[row]][col] = Math.round(Math.min(FAR, Math.max(-FAR, v)) * 100) / 100;
  }, `embedding ${row} ${col}`);
  const cell = (row, col) => h("button", { type: "button", onclick: () => pick(row, col),
    onkeydown: (event) => {
      const [T, C] = [body.children.length, top.children.length - 1];
      const to = { ArrowRight: [row, col + 1], ArrowLeft: [row, col - 1], ArrowDown: [row + 1, col], ArrowUp: [row - 1, col], Home: [row, 0], End: [row, C - 1] }[event.key];
      if (!to) return;
      event.preventDefault();
      const [y, x] = [Math.max(0, Math.min(T - 1, to[0])), Math.max(0, Math.min(C - 1, to[1]))];
      cellOf(y, x).focus();
      pick(y, x);
    },
    onpointerdown: (event) => {
      if (ctx.state.t || event.button) return;
      held = { y: event.clientY, value: ctx.result.e[row][col] };
      event.currentTarget.setPointerCapture(event.pointerId);
      pick(row, col);
    },
    onpointermove: (event) => held && write(row, col, held.value + (held.y - event.clientY) / DRAG_PIXELS),
    onpointerup: () => (held = null), onpointercancel: () => (held = null) });

  // The chosen word's embedding by slider and number
  const which = choice({ legend: "Embedding, number", options: embedding[0].map((_, i) => `${i + 1}`), set: (n) => ctx.set((s) => (s.opts.feature = n), "pick") });
  const amount = dial({ label: "value", min: -FAR, max: FAR, step: 0.05, read: () => ctx.result.e[ctx.state.opts.row][ctx.state.opts.feature], write: (v) => write(ctx.state.opts.row, ctx.state.opts.feature, v) });
  const whose = h("b");
  const why = arithmetic();

  // What the last change did to the outputs, in words
  function moved(r, was) {
    const gaps = apart(r, was);
    if (r === was) return "Change anything: rows that move are marked at their left in every stage.";
    if (!gaps) return "";
    const same = String(r.words) === String(was.words);
    const [still, off] = [[], []];
    gaps.forEach((gap, t) => (gap < SAME ? still : off).push(quote(r.words[t])));
    if (same) return !off.length ? "Your last change moved no output." : `Your last change moved the output of ${list(off)}${still.length ? `; not that of ${list(still)}` : ""}.`;
    return !off.length ? "The words changed places, and every output only went along with its word."
      : `The words changed places, and the output of ${list(off)} is another one now.`;
  }

  function draw(s, r, { hide, palette, marked }) {
    const { t, opts: { row, feature, positions, causal, scale: divided } } = s;
    const T = r.words.length;
    if (document.activeElement !== field) put(field, { value: s.text });
    const alien = [...new Set(r.words.filter((word) => !isKnown(s, word)))];
    put(note, { text: alien.length ? `Not in the vocabulary, read as ${s.fixed.vocabulary[0]}: ${alien.join(", ")}.` : `Words it knows: ${s.fixed.vocabulary.slice(1).join(", ")}.` });
    movers.forEach((button, i) => put(button, { text: i ? `${r.words[row]} →` : `← ${r.words[row]}`, "aria-label": i ? `${r.words[row]} → one place later` : `← ${r.words[row]} one place earlier`, "aria-disabled": r.words[row + (i ? 1 : -1)] ? null : "true" }));
    ways.draw(WAYS.indexOf(positions));
    masks.draw(+!causal);
    scales.draw(+!divided);

    const comparable = marked !== r && String(marked.words) === String(r.words);
    const changed = (i, y, x) => {
      if (!comparable) return false;
      const [a, b] = [stage(r, i)[y][x], stage(marked, i)[y][x]];
      return a !== b && !(Math.abs(a - b) < SAME);
    };
    thumbs.forEach(({ canvas, el }, i) => {
      const rows = stage(r, i);
      const C = rows[0].length;
      const most = i === 6 ? 1 : Math.max(0.5, ...rows.flat().filter(Number.isFinite).map(Math.abs));
      put(canvas, { width: 8 * (C + 1), height: 8 * T });
      const pen = canvas.getContext("2d");
      pen.clearRect(0, 0, canvas.width, canvas.height);
      if (!(hide && i >= t)) rows.forEach((values, y) => {
        values.forEach((v, x) => {
          pen.fillStyle = Number.isFinite(v) ? shade(v / most, palette) : palette.paper;
          pen.fillRect(8 * (x + 1), 8 * y, 8, 8);
        });
        if (values.some((_, x) => changed(i, y, x))) {
          pen.fillStyle = palette.states[3];
          pen.fillRect(0, 8 * y, 5, 8);
        }
      });
      put(el, { "aria-current": i === t ? "step" : null });
    });
    put(news, { text: hide ? "" : moved(r, marked) });

    const rows = stage(r, t);
    const names = heads(s, r);
    const most = scale(s, rows);
    const col = columnOf(s);
    put(title, { text: `Stage ${t}, ${TITLES[t]}` });
    put(grid, { "aria-label": `stage ${t}, ${TITLES[t]}; rows are words`, style: `--cols:${names.length}`, class: `sbs-heat${t ? "" : " sbs-drags"}` });
    keep(top, names.length + 1, () => h("span")).forEach((el, x) => put(el, { text: x ? names[x - 1] : "", class: t === 2 && x > 1 && (x - 1) % E(s) === 0 ? "sbs-part" : null }));
    keep(body, T, (y) => h("div", { class: "sbs-cols" }, h("span"))).forEach((line, y) => {
      put(line.firstChild, { text: r.words[y], class: y === row ? "sbs-chosen" : null });
      while (line.children.length > names.length + 1) line.lastChild.remove();
      while (line.children.length < names.length + 1) line.append(cell(y, line.children.length - 1));
      rows[y].forEach((v, x) => {
        const here = y === row && x === col;
        const fill = hide || !Number.isFinite(v) ? palette.paper : shade(v / most, palette);
        const mark = !hide && changed(t, y, x);
        put(line.children[x + 1], {
          text: hide ? (here ? "?" : "") : shown(v), style: `background:${fill};color:${inkOn(fill)}`, tabindex: here ? 0 : -1, "aria-current": here ? "true" : null,
          class: `sbs-cell${mark ? " sbs-moved" : ""}${t === 2 && x && x % E(s) === 0 ? " sbs-part" : ""}`,
          "aria-label": `${r.words[y]}${isSquare(t) ? ` looks at ${names[x]}` : `, ${names[x]}`}: ${hide ? "hidden" : shown(v)}${mark ? ", changed" : ""}`,
        });
      });
    });
    put(whose, { text: quote(r.words[row]) });
    which.draw(feature);
    amount.draw();
    why.draw(hide ? [["predict", "your guess first", "?"]] : one_head.sums(s, r));
  }
  return {
    el: h("div", { class: "sbs-main" },
      field, note, h("div", { class: "sbs-edit" }, h("span", { class: "sbs-legend", text: "Move" }), movers),
      h("div", { class: "sbs-switches" }, ways.el, masks.el, scales.el),
      h("div", { class: "sbs-thumbs", role: "group", "aria-label": "stages" }, thumbs.map(({ el }) => el)), news,
      title, h("div", { class: "sbs-scroll" }, grid),
      h("div", { class: "sbs-dialrow" }, whose, which.el, amount.el)),
    after: h("div", { class: "sbs-why" }, why.el),
    draw,
  };
}
