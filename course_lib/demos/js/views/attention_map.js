// Attention between vectors in the plane: drag queries, keys and values; scores, weights, context.

import { attend } from "../core/attention.js";
import { array, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, numberField, put } from "../ui/dom.js";
import { dial } from "../ui/lanes.js";
import { plane } from "../ui/plane.js";
import { two, weightMap } from "../ui/weight_map.js";

// The queries of a causal mask are the last places of the keys: there must be enough keys.
const masks = ({ queries, keys }) => ["none", ...(queries.length > keys.length ? [] : ["causal"]), "padding"];
const REACH = 3;
const point = (p) => `(${p.map(two).join(", ")})`;
const argmax = (row) => row.reduce((b, v, k) => (v > row[b] ? k : b), 0);
const short = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
const entropy = (row) => -row.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0);
const product = (a, b) => a.map((x, i) => `${num(x, 2)} × ${num(b[i], 2)}`).join(" + ");

export const attention_map = {
  title: "Who looks where?",

  range: (s) => ({ max: s.params.q.length - 1, what: "query t =" }),

  tidy(s) {
    s.opts.temperature = Math.round(s.opts.temperature * 100) / 100;
    return s;
  },

  wrong({ params, opts, fixed: { queries, keys } }) {
    for (const [name, count] of [["q", queries.length], ["k", keys.length], ["v", keys.length]]) {
      if (params[name].length !== count) return `params.${name} needs ${count} rows`;
    }
    if (opts.mask === "causal" && queries.length > keys.length) return "too few keys for this mask";
    if (opts.cell >= keys.length) return `cell must be below ${keys.length}`;
    return opts.length > keys.length ? `length must be at most ${keys.length}` : "";
  },

  compute: (s) => attend(s),

  facts(s, r) {
    const { t, opts } = s;
    return {
      t, ...opts, scores: r.scores, weights: r.weights, context: r.context, entropy: r.weights.map(entropy),
      largest: Math.max(...r.weights.flat()),
      spread: Math.min(...r.weights.map((row) => Math.max(...row) - Math.min(...row))),
      lookups: new Set(r.weights.filter((row) => Math.max(...row) > 0.9).map(argmax)).size,
    };
  },

  say(s, r) {
    const { t, opts, fixed: { queries, keys } } = s;
    const row = r.weights[t];
    const top = argmax(row);
    const hidden = r.hidden[t].filter(Boolean).length;
    const masked = hidden ? ` The ${opts.mask} mask hides ${hidden} of ${keys.length} keys: their weight is 0.` : "";
    const much = row[top] > 0.95 ? "almost only" : row[top] - Math.min(...row.filter((_, i) => !r.hidden[t][i])) < 0.02 ? "hardly more than elsewhere" : "most";
    return `Query ${queries[t]} looks ${much} at ${keys[top]} (weight ${two(row[top])}). The mean of the values by its weights is ${point(r.context[t])}.${masked}`;
  },

  sums(s, r) {
    const { t, params: { q, k, v }, opts: { cell: j, temperature, scaled }, fixed: { keys } } = s;
    const { top, exps, sum, weights } = r.soft[t];
    const plain = q[t][0] * k[j][0] + q[t][1] * k[j][1];
    const score = r.scores[t][j];
    const rows = [["compare", "score = q · k", `${product(q[t], k[j])} = ${num(plain)}`]];
    if (scaled) rows.push(["scale", "÷ √E", `${num(plain)} ÷ √2 = ${num(score)}`]);
    if (temperature !== 1) rows.push(["temperature", "÷ temperature", `${num(score)} ÷ ${num(temperature, 2)} = ${num(score / temperature)}`]);
    if (r.hidden[t][j]) rows.push(["mask", "hidden: score −∞", "0"]);
    else rows.push(["exponential", "e to (score − largest)", `e^(${num(score / temperature)} − ${num(top)}) = ${num(exps[j])}`]);
    return [...rows, ["normalise", "÷ the sum over keys", `${num(exps[j])} ÷ ${num(sum)} = ${num(weights[j])}`],
      ["mix", "context, x: Σ weight × value", `${weights.map((w, i) => [w, i]).filter(([w]) => w > 0.0005).map(([w, i]) => `${num(w)} × ${num(v[i][0], 2)}`).join(" + ")} = ${num(r.context[t][0])}`]];
  },

  question(s, r) {
    const { t, opts: { cell }, fixed: { queries, keys } } = s;
    return { key: JSON.stringify([t, s.params, s.opts]), prompt: `Query ${queries[t]}: which weight does key ${keys[cell]} get?`, truth: r.weights[t][cell], min: 0, max: 1, step: 0.01 };
  },

  table(s, r) {
    const { params: { q }, fixed: { queries, keys } } = s;
    return {
      caption: "Scores before the temperature, weights, contexts",
      head: ["t", "query", "q", ...keys.map((key) => `score, ${key}`), ...keys.map((key) => `weight, ${key}`), "context"],
      rows: queries.map((name, t) => [`${t}`, name, point(q[t]), ...r.scores[t].map((e, i) => (r.hidden[t][i] ? "hidden" : num(e))), ...r.weights[t].map((w) => num(w)), point(r.context[t])]),
      current: s.t,
    };
  },

  python({ fixed, opts, params, ...s }) {
    const raw = (text) => ({ raw: text });
    const lines = Object.entries(params).map(([key, x]) => `${key} = ${array(x)}`);
    lines.push("print(attention.softmax(q @ k.T).round(3))");
    return python(s, "attention", lines, {
      q: raw("q"), k: raw("k"), v: raw("v"), queries: fixed.queries, keys: fixed.keys, temperature: opts.temperature,
      scaled: raw(opts.scaled ? "True" : "False"), mask: opts.mask, length: opts.length, t: s.t, cell: opts.cell,
    }) + 'print(demo.trace()["weights"].round(3))\n';
  },

  build,
};

function build(ctx) {
  const { queries, keys } = ctx.initial.fixed;
  const S = keys.length;
  const kinds = masks(ctx.initial.fixed);
  let shown = null; // row under the pointer
  let again = () => {};

  // The planes
  const of = (list, kind, key, colour) => list.map((name, i) => ({
    label: `${kind} ${name}`, name, colour, i, below: colour === 1, read: (s) => s.params[key][i], write: (s, to) => (s.params[key][i] = to),
  }));
  let chosen = null;
  const onselect = (one) => {
    chosen = one;
    drawFields();
    ctx.set((s) => (one.colour ? (s.opts.cell = one.i) : (s.t = one.i)), "t");
  };
  const vectors = [...of(keys, "key", "k", 1), ...of(queries, "query", "q", 0)];
  const values = of(keys, "value", "v", 1);
  const all = [...vectors, ...values];
  const looking = plane({ ctx, title: "Queries (blue) and keys (orange)", reach: REACH, onselect, points: vectors });
  const mixing = plane({ ctx, title: "Values (orange) and the context (green)", reach: REACH, onselect, points: values });
  const rays = h("svg:g");
  looking.under.append(rays);
  const strings = h("svg:g");
  const centre = h("svg:circle", { r: 9 });
  mixing.under.append(strings, centre);
  // Points may lie on each other: the list reaches each of them.
  const list = h("select", { class: "sbs-field sbs-select", "aria-label": "point", onchange: () => onselect(all[list.value]) },
    h("option", { value: "", text: "a point", hidden: true }), all.map(({ label }, i) => h("option", { value: i, text: label })));
  const fields = ["x", "y"].map((name, axis) => ({
    field: numberField({
      min: -REACH, max: REACH, step: "any", disabled: true, "aria-label": `${name} of the selected point`,
      read: () => chosen?.read(ctx.state)[axis],
      write: (value) => ctx.set((s) => {
        const to = [...chosen.read(s)];
        to[axis] = Math.round(value * 100) / 100;
        chosen.write(s, to);
      }),
    }),
    name,
  }));
  const drawFields = () => {
    if (!chosen) return;
    put(list, { value: all.indexOf(chosen) });
    fields.forEach(({ field, name }) => {
      put(field.el, { "aria-label": `${chosen.label}, ${name}`, disabled: false });
      field.draw();
    });
  };
  const exact = h("div", { class: "sbs-exact" }, h("span", { text: "Drag, or choose and type:" }), list, fields.map(({ field, name }) => h("label", {}, `${name} `, field.el)));

  // Scale, temperature, mask
  const scaled = choice({ legend: "Score", options: ["q · k", "q · k ÷ √2"], set: (i) => ctx.set((s) => (s.opts.scaled = i === 1)) });
  const mask = choice({ legend: "Mask", options: kinds, set: (i) => ctx.set((s) => (s.opts.mask = kinds[i])) });
  const option = (key, label, range) => dial({ label, ...range, read: () => ctx.state.opts[key], write: (v) => ctx.set((s) => (s.opts[key] = range.step === 1 ? Math.round(v) : v), key) });
  const temperature = option("temperature", "temperature", { min: 0.05, max: 4, step: 0.05 });
  const length = option("length", "true keys", { min: 1, max: S, step: 1 });

  // The map: a row a query, a column a key
  const map = weightMap({
    label: "map of weights", tall: 34, head: 26, least: 36, most: 72,
    onpick: (t, key) => ctx.set((s) => Object.assign(s, { t }).opts.cell = key, "t"), onhover: (t) => again((shown = t)),
  });

  const cell = choice({ legend: "Arithmetic of key", options: keys, set: (k) => ctx.set((s) => (s.opts.cell = k)) });
  const sums = arithmetic();
  const note = h("p", { class: "sbs-note" }, h("i", { class: "sbs-dash" }), "changed by your last edit");

  function drawPlanes(s, r, { hide, palette }) {
    const t = shown ?? s.t;
    const veiled = hide && t === s.t;
    const { q, k, v } = s.params;
    looking.draw(s, palette);
    mixing.draw(s, palette);
    const [ox, oy] = looking.place([0, 0]);
    const arrows = [...k.map((p, i) => [p, 1, veiled ? 0.4 : 0.15 + 0.85 * r.weights[t][i], 1 + (veiled ? 1 : 5 * r.weights[t][i])]), ...q.map((p, i) => [p, 0, i === t ? 1 : 0.2, i === t ? 4 : 1.5])];
    keep(rays, arrows.length, () => h("svg:line", { class: "sbs-ray" })).forEach((line, i) => {
      const [p, colour, opacity, width] = arrows[i];
      const [x, y] = looking.place(p);
      put(line, { x1: ox, y1: oy, x2: x, y2: y, stroke: palette.states[colour], opacity, "stroke-width": width });
    });
    const [cx, cy] = mixing.place(r.context[t]);
    keep(strings, S, () => h("svg:line", { class: "sbs-ray" })).forEach((line, i) => {
      const [x, y] = mixing.place(v[i]);
      put(line, { x1: cx, y1: cy, x2: x, y2: y, stroke: palette.states[1], opacity: veiled ? 0 : r.weights[t][i] ? 0.8 : 0, "stroke-width": (0.5 + 6 * r.weights[t][i]) });
    });
    put(centre, { cx: cx, cy: cy, fill: palette.states[2], opacity: veiled ? 0 : 1 });
  }

  function drawMap(s, r, { marked, hide, palette }) {
    const w = map.draw({
      rows: queries.map((name, t) => {
        const veiled = hide && t === s.t;
        return { name, veiled, note: veiled ? "?" : `→ ${point(r.context[t])}`, weights: r.weights[t], was: marked.weights[t], hidden: r.hidden[t] };
      }),
      columns: S, t: s.t, cell: s.opts.cell, palette,
    });
    keep(map.top, S, () => h("svg:text", { y: 16 })).forEach((text, i) => put(text, { x: (i + 0.5) * w, text: short(keys[i], Math.floor(w / 8)) }));
  }

  function draw(s, r, look) {
    again = () => drawPlanes(s, r, look);
    scaled.draw(+s.opts.scaled);
    mask.draw(kinds.indexOf(s.opts.mask));
    temperature.draw();
    length.draw(s.opts.mask !== "padding");
    drawPlanes(s, r, look);
    drawMap(s, r, look);
    drawFields();
    cell.draw(s.opts.cell);
    sums.draw(look.hide ? [["compare", "your guess first", "?"]] : attention_map.sums(s, r));
  }
  return {
    el: h("div", {}, h("div", { class: "sbs-controls" }, scaled.el, mask.el, temperature.el, length.el), h("div", { class: "sbs-planes" }, looking.el, mixing.el), exact, map.el, note),
    after: h("div", { class: "sbs-why" }, cell.el, sums.el),
    draw,
  };
}
