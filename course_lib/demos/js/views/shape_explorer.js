// Every tensor of a recurrent module of PyTorch, with its axes named and one number selected.

import { GATES, bound, meaning, planOf, product, run, sizeOf, twin, valueAt } from "../core/shapes.js";
import { cellSums } from "../ui/cell_sums.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, mix, num, numberField, put } from "../ui/dom.js";
import { dial } from "../ui/lanes.js";

const SIZES = { batch: 4, time: 8, input: 4, hidden: 6, layers: 3 };
const TENSORS = ["input", "output", "h_n", "c_n"];
const CELLS = Object.keys(GATES);
const PADDINGS = ["none", "padded", "packed"];
const COLOURS = { batch: 2, time: 3, input: 4, hidden: 4 }; // of an axis; layers have none
const SIDE = 18; // pixels of one number
const LEFT = 20;
const TOP = 24;

const called = (tensor) => (tensor === "input" ? "x" : tensor);
const name = ({ tensor, index }) => `${called(tensor)}[${index.join(", ")}]`;
const tuple = (shape) => `(${shape.join(", ")}${shape.length > 1 ? "" : ","})`;
const many = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const arrow = (d) => (d ? "←" : "→");
const gates = (s) => GATES[s.opts.cell].length;
const same = (a, b) => a && b && a.tensor === b.tensor && `${a.index}` === `${b.index}`;
const parameters = (r) => Object.values(r.weights).reduce((n, W) => n + sizeOf(W), 0);

// Asked for by goals, words and drawing alike.
const asked = new WeakMap();
function reached(r, pick) {
  const key = name(pick);
  if (asked.get(r)?.key !== key) asked.set(r, { key, found: bound(r, pick) });
  return asked.get(r).found;
}

// The axes of a tensor as [key, words, size], as the module takes them.
function axesOf(s, p, tensor) {
  const two = p.P === 2 ? "directions × " : "";
  const size = p.shapes[tensor];
  if (tensor === "h_n" || tensor === "c_n") return [["layers", p.P === 2 ? "layers × directions" : "layers", size[0]], ["batch", "batch", size[1]], ["hidden", "hidden", size[2]]];
  const lead = s.opts.batch_first ? ["batch", "time"] : ["time", "batch"];
  return [...lead, tensor === "input" ? "input" : "hidden"].map((key, a) => [key, key === "hidden" ? `${two}hidden` : key, size[a]]);
}

// The call in PyTorch, as lines.
function code(s, p) {
  const { cell, bidirectional, batch_first } = s.opts;
  const first = `batch_first=${batch_first ? "True" : "False"}`;
  const state = cell === "LSTM" ? "(h_n, c_n)" : "h_n";
  const made = cell.toLowerCase();
  const options = [p.D, p.H, ...(p.L > 1 ? [`num_layers=${p.L}`] : []), ...(bidirectional ? ["bidirectional=True"] : []), first].join(", ");
  const lines = [`${made} = nn.${cell}(${options})`];
  if (!p.packed) return [...lines, `output, ${state} = ${made}(x)  # x: ${tuple(p.shapes.input)}`];
  return [...lines, `packed = pack_padded_sequence(x, ${`[${p.lens.join(", ")}]`}, ${first}, enforce_sorted=False)`,
    `packed_output, ${state} = ${made}(packed)`, `output, lengths = pad_packed_sequence(packed_output, ${first})`];
}

export const shape_explorer = {
  title: "Shapes",

  range: (s) => ({ max: planOf(s).steps - 1, what: "t =" }),

  tidy(s) {
    const p = planOf(s);
    s.t = Math.min(s.t, p.steps - 1);
    if (!p.shapes[s.pick.tensor]) s.pick.tensor = "h_n";
    s.pick.index = s.pick.index.map((i, axis) => Math.min(i, p.shapes[s.pick.tensor][axis] - 1));
    return s;
  },

  wrong(s) {
    const { steps } = planOf(s);
    return s.t < steps ? "" : `t must be below ${steps}`;
  },

  compute(s, old) {
    const key = ({ sizes, lengths, xs, seed, opts }) => JSON.stringify([sizes, lengths, xs, seed, { ...opts, predict: false }]);
    return old && key(s) === key(old.state) ? old.result : run(s);
  },

  facts(s, r) {
    const m = meaning(r, s.pick);
    const others = new Set();
    if (s.pick.tensor === "input") for (const key of reached(r, s.pick)) {
      const [tensor, i, j] = key.split(",");
      const [n] = r.own(+i, +j);
      if (tensor === "output" && n !== m.n) others.add(n);
    }
    return {
      t: s.t, sizes: s.sizes, cell: s.opts.cell, padding: s.opts.padding, tensor: s.pick.tensor, index: s.pick.index, error: !!r.error, crossed: r.crossed,
      output_size: product(r.shapes.output), h_n_size: product(r.shapes.h_n), parameters: parameters(r),
      twin: !r.error && !!twin(r, s.pick), step: m.step, last: r.steps - 1, strangers: others.size,
      share_read: r.ends.reduce((a, b) => a + b, 0) / (r.N * r.T),
    };
  },

  say(s, r) {
    if (r.error) return `${r.error}. With lengths in falling order PyTorch refuses; with enforce_sorted=False it may go on with the wrong rows, so nothing is drawn. Change batch_first or how x is stored.`;
    const reading = r.ends.filter((end) => end > s.t).length;
    const step = `Step ${s.t}, the ${s.t + 1}${["st", "nd", "rd"][s.t] ?? "th"} of ${r.steps}: ${reading === r.S ? (reading === 1 ? "the one sequence is read" : `all ${reading} sequences are read at once`) : `${many(reading, "sequence")} of ${r.S} ${reading > 1 ? "are" : "is"} read, the others have ended`}.`;
    const crossed = r.crossed ? ` batch_first is wrong, and nothing complains: your ${r.N} sequences of ${r.T} steps are taken for ${r.S} sequences of ${r.M} steps.` : "";
    return `${step}${crossed} ${words(s, r)}`;
  },

  sums: (s, r) => [...shapeSums(s, r), ...numberSums(s, r)],

  question(s, r) {
    if (r.error) return null;
    const which = s.t % 3;
    const [what, truth, max] = [
      ["How long is the last axis of output?", r.P * r.H, 12],
      ["How long is the first axis of h_n?", r.L * r.P, 6],
      ["How many numbers does h_n hold?", product(r.shapes.h_n), 144],
    ][which];
    return { key: `${which}|${code(s, r)}`, prompt: `x has shape ${tuple(r.shapes.input)}, and ${code(s, r)[0]}. ${what}`, truth, min: 1, max, step: 1 };
  },

  table(s, r) {
    const { member = 0 } = meaning(r, s.pick);
    const units = Array.from({ length: r.P * r.H }, (_, k) => k);
    const line = (t) => {
      const which = r.ends.flatMap((end, q) => (end > t ? [q] : []));
      const output = (k) => valueAt(r, { tensor: "output", index: [...r.lead(member, t), k] });
      return [`${t}`, `${which.length}`, which.join(", "), ...units.map((k) => num(output(k), 4))];
    };
    return {
      caption: `What is read at every step, and output of what the module takes for sequence ${member}`,
      head: ["t", "sequences read", "which", ...units.map((k) => `output ${k}${r.P === 2 ? ` ${arrow(k >= r.H)}` : ""}`)],
      rows: Array.from({ length: r.steps }, (_, t) => line(t)),
      current: s.t,
    };
  },

  python(s) {
    const p = planOf(s);
    const { cell, bidirectional, batch_first, stored, padding } = s.opts;
    const py = (v) => JSON.stringify(v).replace(/true/g, "True").replace(/false/g, "False").replace(/,/g, ", ");
    const x = s.xs.slice(0, p.N).map((rows) => rows.slice(0, p.T).map((row) => row.slice(0, p.D)));
    const args = {
      name: s.name, cell, ...s.sizes, bidirectional, batch_first, ...(padding !== "none" && { lengths: p.lens, packed: padding === "packed" }), stored, x,
      pick: [s.pick.tensor, s.pick.index], seed: s.seed, t: s.t,
    };
    return `import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_lib import demos

x = torch.zeros${tuple(p.shapes.input)}
${p.error ? `# ${p.error}:\n${code(s, p).map((line) => `# ${line}`).join("\n")}` : `${code(s, p).join("\n")}
print(output.shape, h_n.shape)`}

demo = demos.shape_explorer(
${Object.entries(args).map(([key, value]) => `    ${key}=${py(value)},`).join("\n")}
)
demo
`;
  },

  build,
};

// What the selected number is, in words.
function words(s, r) {
  const { pick } = s;
  const m = meaning(r, pick);
  const where = name(pick);
  const who = `sequence ${m.member}`;
  if (pick.tensor === "input") {
    const taken = r.crossed ? `; the module takes it for step ${m.step} of ${who}` : "";
    const start = `${where} is entry ${m.unit} of step ${m.t} of your sequence ${m.n}${taken}.`;
    if (m.left) return `${start} It is padding, and packing leaves it out: it reaches nothing.`;
    const found = [...reached(r, pick)].map((key) => key.split(","));
    const count = found.filter(([tensor]) => tensor === "output").length;
    const mixed = new Set(found.filter(([tensor]) => tensor === "output").map(([, i, j]) => r.own(+i, +j)[0]));
    mixed.delete(m.n);
    return `${start} ${m.padding ? "It is padding, and the module reads it like any other step: it" : "It"} reaches ${count} of the ${product(r.shapes.output)} numbers of output${mixed.size ? `, also those of your sequence${mixed.size > 1 ? "s" : ""} ${[...mixed].sort().join(", ")}` : ""}.`;
  }
  if (m.padding) return `${where} is filler: ${who} has ended, and pad_packed_sequence writes 0.`;
  const side = r.P === 2 ? ` of the ${m.direction ? "backward" : "forward"} direction` : "";
  const after = m.direction ? `steps ${r.ends[m.member] - 1} down to ${m.step}` : `steps 0 to ${m.step}`;
  const start = `${where} is unit ${m.unit}${side} of ${m.layer === r.L - 1 ? "the top layer" : `layer ${m.layer}`} for ${who}, after ${after}.`;
  const again = twin(r, pick);
  if (again) return `${start} The same number is ${name(again)}.`;
  if (pick.tensor === "output") return `${start} h_n does not hold it: h_n keeps only the last step that each direction reads, here step ${m.end}.`;
  if (pick.tensor === "c_n") return `${start} It is the cell state, which output never shows.`;
  return `${start} output does not hold it: output shows the top layer only.`;
}

function shapeSums(s, r) {
  const { P, H, L, D } = r;
  const G = gates(s);
  const of = (tensor) => axesOf(s, r, tensor);
  const row = (tensor, sizes) => [`shape of ${tensor}`, `(${of(tensor).map(([, text]) => text).join(", ")})`, `${tuple(sizes)}${P === 2 ? ` = ${tuple(r.shapes[tensor])}` : ""}`];
  const two = P === 2 ? "2 × " : "";
  const block = (l) => `${two}${G} × ${H} × (${l ? P * H : D} + ${H} + 2)`;
  return [
    ...(r.error ? [] : [ // there is nothing that could have a shape
      row("output", [...r.shapes.output.slice(0, 2), P === 2 ? `2 × ${H}` : H]),
      row("h_n", [P === 2 ? `${L} × 2` : L, r.shapes.h_n[1], H]),
    ]),
    ["weights", `${P === 2 ? "directions × " : ""}gates × hidden × (reads + hidden + 2)`, `${block(0)}${L > 1 ? ` + ${L > 2 ? `${L - 1} × ` : ""}${block(1)}` : ""} = ${parameters(r)}`],
  ];
}

function numberSums(s, r) {
  const { pick } = s;
  if (r.error) return [["selected", name(pick), "not drawn"]];
  const m = meaning(r, pick);
  if (pick.tensor === "input") return [["selected", name(pick), num(valueAt(r, pick))]];
  if (m.padding) return [["filler", name(pick), "0"]];
  const trace = r.traces[m.layer][m.direction][m.member];
  const at = m.direction ? r.ends[m.member] - 1 - m.step : m.step;
  return cellSums(s.opts.cell.toLowerCase(), r.cells[m.layer][m.direction], r.inputs[m.layer][m.member][m.step], trace[at], trace[at + 1], m.unit);
}

function build(ctx) {
  const opt = (key, values) => ({ read: (s) => values.indexOf(s.opts[key]), set: (i) => ctx.set((s) => (s.opts[key] = values[i])) });
  const choices = [
    ["Cell", CELLS, opt("cell", CELLS)],
    ["Directions", ["one", "both"], opt("bidirectional", [false, true])],
    ["batch_first =", ["True", "False"], opt("batch_first", [true, false])],
    ["x is stored", ["batch, time", "time, batch"], opt("stored", ["batch", "time"])],
    ["Lengths", ["all equal", "padded", "packed"], opt("padding", PADDINGS)],
  ].map(([legend, options, { read, set }]) => ({ read, ...choice({ legend, options, set }) }));
  const dials = Object.entries(SIZES).map(([key, max]) => dial({
    label: key, min: 1, max, step: 1, read: () => ctx.state.sizes[key], write: (to) => ctx.set((s) => (s.sizes[key] = Math.round(to)), key),
  }));
  const lengths = Array.from({ length: SIZES.batch }, (_, n) => {
    const field = numberField({ min: 1, max: SIZES.time, "aria-label": `length of sequence ${n}`, read: () => Math.min(ctx.state.lengths[n], ctx.state.sizes.time),
      write: (to) => ctx.set((s) => (s.lengths[n] = Math.round(to)), `length${n}`) });
    return { ...field, label: h("label", { class: "sbs-exact" }, `n = ${n}`, field.el) };
  });
  const lengthRow = h("div", { class: "sbs-lengths" }, h("span", { class: "sbs-legend", text: "Lengths:" }), lengths.map((one) => one.label));
  const call = h("pre", { class: "sbs-call", tabindex: 0, role: "region", "aria-label": "the call in PyTorch" });

  const select = (pick) => ctx.set((s) => (s.pick = pick), "pick");
  const parts = Object.fromEntries(TENSORS.map((key) => [key, tensorPart(ctx, key, select)]));
  const packing = tensorPart(ctx, "PackedSequence.data", select);
  const order = h("p", { class: "sbs-axes" });
  packing.head.after(order);

  const where = choice({ legend: "Selected number in", options: TENSORS.map(called), set: (i) => select({ ...ctx.state.pick, tensor: TENSORS[i] }) });
  const index = [0, 1, 2].map((axis) => {
    const text = h("span");
    const field = numberField({ min: 0, max: 15, read: () => ctx.state.pick.index[axis],
      write: (to) => select({ tensor: ctx.state.pick.tensor, index: ctx.state.pick.index.map((i, a) => (a === axis ? Math.round(to) : i)) }) });
    return { ...field, text, label: h("label", { class: "sbs-exact" }, text, field.el) };
  });
  const chosen = h("p", { class: "sbs-gutter sbs-chosen" });
  const free = () => ctx.state.pick.tensor === "input" && !meaning(ctx.result, ctx.state.pick).padding;
  const value = dial({ label: "its value", min: -2, max: 2, step: 0.05, read: () => (free() ? valueAt(ctx.result, ctx.state.pick) : 0), write: (to) => {
    if (!free()) return;
    const { n, t, unit } = meaning(ctx.result, ctx.state.pick);
    ctx.set((s) => (s.xs[n][t][unit] = Math.round(to * 100) / 100), `x${n},${t},${unit}`);
  } });
  const key = h("p", { class: "sbs-note" }, ...[["sbs-kpicked", "selected"], ["sbs-ktwin", "the same number"], ["sbs-kbound", "reached by it, or read for it"], ["sbs-kpad", "padding"]]
    .map(([kind, text]) => h("span", {}, h("i", { class: kind }), text)));

  const [shapes, numbers] = [arithmetic("arithmetic of the shapes"), arithmetic("arithmetic of the selected number")];
  const weights = weightsPart();

  function draw(s, r, look) {
    const { hide, palette } = look;
    for (const one of choices) one.draw(one.read(s));
    for (const one of dials) one.draw();
    lengthRow.hidden = s.opts.padding === "none";
    lengths.forEach((one, n) => {
      one.label.hidden = n >= r.N;
      put(one.el, { max: r.T });
      one.draw();
    });
    put(call, { text: code(s, r).join("\n") });
    const marks = { picked: s.pick, again: hide ? null : r.error ? null : twin(r, s.pick), bound: hide ? new Set() : reached(r, s.pick) };
    for (const tensor of TENSORS) {
      const known = tensor === "input" || (!hide && !r.error && r.shapes[tensor]);
      parts[tensor].el.hidden = !r.shapes[tensor];
      parts[tensor].draw(known ? tensorSlabs(s, r, tensor) : [], marks, palette, {
        shape: !r.shapes[tensor] ? "" : known ? tuple(r.shapes[tensor]) : "(?)", axes: r.shapes[tensor] ? axesOf(s, r, tensor) : [], hide: !known,
        // What the module makes of the axes of x, where that is a mistake.
        wrong: tensor === "input" && r.crossed ? `yours: ${s.opts.stored === "batch" ? "batch, time" : "time, batch"}, input. The module takes them for` : "",
      });
    }
    packing.el.hidden = !r.packing;
    if (r.packing) {
      packing.draw(packedSlabs(s, r), marks, palette, { shape: tuple([r.packing.data.length, r.D]), axes: [], wrong: "" });
      put(order, { text: `batch_sizes [${r.packing.sizes.join(", ")}], sorted_indices [${r.packing.sorted.join(", ")}], unsorted_indices [${r.packing.unsorted.join(", ")}]` });
    }
    where.draw(TENSORS.indexOf(s.pick.tensor));
    put(where.el.querySelectorAll("label")[3], { hidden: s.opts.cell !== "LSTM" });
    axesOf(s, r, s.pick.tensor).forEach(([, text, size], axis) => {
      put(index[axis].text, { text });
      put(index[axis].el, { max: size - 1 });
      index[axis].draw();
    });
    const v = valueAt(r, s.pick);
    put(chosen, { text: `${name(s.pick)} = ${hide && s.pick.tensor !== "input" ? "?" : num(v, 4)}` });
    value.el.style.visibility = free() ? "" : "hidden";
    value.draw();
    const wait = [["predict", "your guess first", "?"]];
    shapes.draw(hide ? wait : shapeSums(s, r));
    numbers.draw(hide ? wait : numberSums(s, r));
    weights.draw(s, r, look);
  }
  return {
    el: h("div", { class: "sbs-main" }, h("div", { class: "sbs-choices" }, choices.map((one) => one.el)), h("div", { class: "sbs-dials" }, dials.map((one) => one.el)), lengthRow, call,
      h("div", { class: "sbs-tensors" }, parts.input.el, packing.el, parts.output.el, parts.h_n.el, parts.c_n.el), key,
      h("div", { class: "sbs-pick" }, where.el, index.map((one) => one.label)), chosen, value.el),
    after: h("div", {}, h("div", { class: "sbs-why" }, shapes.el, numbers.el), weights.el),
    draw,
  };
}

// A slab of a tensor: {label, axis of the slabs, rows: [{label, cells: [{pick, value, pad}]}], band: row
// or true for all of it, split: column at which the other direction begins}.
function tensorSlabs(s, r, tensor) {
  const [slabs, rows, columns] = r.shapes[tensor];
  const [[slabAxis], [rowAxis], [columnAxis]] = axesOf(s, r, tensor);
  const state = tensor === "h_n" || tensor === "c_n";
  const letter = slabAxis === "batch" ? "n" : "t";
  return Array.from({ length: slabs }, (_, i) => ({
    axes: [slabAxis, rowAxis, columnAxis],
    label: state ? `${i}: layer ${Math.floor(i / r.P)}${r.P === 2 ? ` ${arrow(i % 2)}` : ""}` : `${letter} = ${i}`,
    rows: Array.from({ length: rows }, (_, j) => ({
      label: `${j}`,
      cells: Array.from({ length: columns }, (_, k) => {
        const pick = { tensor, index: [i, j, k] };
        return { pick, value: valueAt(r, pick), pad: meaning(r, pick).padding };
      }),
    })),
    band: state ? null : s.opts.batch_first ? s.t : i === s.t ? true : null,
    split: tensor === "output" && r.P === 2 ? r.H : 0,
  }));
}
const packedSlabs = (s, r) => r.packing.rows.map((rows, m) => ({
  axes: ["time", "batch", "input"], label: `t = ${m}`, band: m === s.t ? true : null, split: 0,
  rows: rows.map(([q]) => ({
    label: `${q}`,
    cells: Array.from({ length: r.D }, (_, k) => {
      const pick = { tensor: "input", index: [...r.lead(q, m), k] };
      return { pick, value: valueAt(r, pick), pad: false };
    }),
  })),
}));

function tensorPart(ctx, title, select) {
  const [shape, taken] = [h("span"), h("b", { class: "sbs-taken" })];
  const head = h("p", { class: "sbs-tname" }, h("b", { text: called(title) }), " ", shape);
  const axes = h("span");
  const slabs = h("div", { class: "sbs-slabs" });
  const own = TENSORS.includes(title);
  const el = h("div", { class: "sbs-tensor", role: "group", ...(own && { tabindex: 0, onkeydown: (event) => {
    const [axis, by] = { ArrowLeft: [2, -1], ArrowRight: [2, 1], ArrowUp: [1, -1], ArrowDown: [1, 1], PageUp: [0, -1], PageDown: [0, 1] }[event.key] ?? [];
    if (by === undefined || !ctx.result.shapes[title]) return;
    event.preventDefault();
    const { pick } = ctx.state;
    const to = pick.index.map((i, a) => Math.min(ctx.result.shapes[title][a] - 1, Math.max(0, pick.tensor === title && a === axis ? i + by : i)));
    select({ tensor: title, index: to });
  } }) }, head, own && h("p", { class: "sbs-axes" }, taken, axes), slabs);
  const made = new Map();
  return {
    el, head,
    draw(list, marks, palette, { shape: text, axes: named, wrong, hide }) {
      put(shape, { text });
      put(el, { "aria-label": own ? `${called(title)} ${text}: ${named.map(([, axis]) => axis).join(" by ")}. Arrow keys and Page keys select a number` : `${title} ${text}` });
      put(taken, { text: wrong ? `${wrong} ` : "" });
      keep(axes, named.length, () => h("span", { class: "sbs-axis" }, h("i"), h("span"))).forEach((part, a) => {
        const [key, words, size] = named[a];
        put(part.firstChild, { style: `background:${palette.states[COLOURS[key]] ?? "var(--soft)"}` });
        put(part.lastChild, { text: `${words} ${hide ? "?" : size}` });
      });
      const scale = Math.max(1e-9, ...list.flatMap((slab) => slab.rows.flatMap((row) => row.cells.map((cell) => Math.abs(cell.value)))));
      keep(slabs, list.length, (i) => {
        const one = slabPart(select);
        made.set(i, one);
        return one.el;
      });
      list.forEach((slab, i) => made.get(i).draw(slab, marks, palette, scale));
    },
  };
}

function slabPart(select) {
  const [bars, cells, names] = [0, 1, 2].map(() => h("svg:g"));
  const paper = h("svg:rect", { x: 0, y: 0 });
  const band = h("svg:rect", { class: "sbs-now", rx: 3 });
  const [pads, dots] = ["sbs-pads", "sbs-bound"].map((kind) => h("svg:path", { class: kind }));
  const [picked, again] = ["sbs-picked", "sbs-twin"].map((kind) => h("svg:rect", { class: kind, width: SIDE - 1, height: SIDE - 1, rx: 3 }));
  const label = h("svg:text", { y: 13, class: "sbs-slab" });
  let flat = [];
  const svg = h("svg:svg", { class: "sbs-picture", "aria-hidden": "true", onclick: (event) => {
    const cell = flat[[...cells.children].indexOf(event.target)];
    if (cell) select(cell.pick);
  } }, paper, band, bars, cells, pads, dots, again, picked, names, label);

  function draw({ axes, label: title, rows, band: now, split }, { picked: pick, again: other, bound: set }, palette, scale) {
    const columns = rows[0].cells.length;
    const wide = columns * SIDE + (split ? 5 : 0);
    const tall = rows.length * SIDE;
    const width = Math.max(LEFT + wide + 3, 8 * title.length + 10);
    const x = (k) => LEFT + k * SIDE + (split && k >= split ? 5 : 0);
    const y = (j) => TOP + j * SIDE;
    const colour = (axis) => palette.states[COLOURS[axis]] ?? "currentColor";
    flat = rows.flatMap((row, j) => row.cells.map((cell, k) => ({ ...cell, x: x(k), y: y(j), key: `${cell.pick.tensor},${cell.pick.index}` })));
    put(svg, { width, height: TOP + tall + (split ? 18 : 4) });
    put(paper, { width, height: TOP + tall, fill: palette.paper });
    put(label, { text: title, x: 7, style: "text-anchor:start" });
    put(band, { x: 0, width: LEFT + wide, y: now === true ? TOP - 2 : y(now ?? 0) - 1, height: now === null ? 0 : now === true ? tall + 2 : SIDE });
    // One bar for each axis, in its colour: the slabs' before the label, the rows' at the left, the columns' above.
    const lines = [[axes[0], 0, 3, 3, 12], [axes[1], LEFT - 5, TOP, 3, tall - 1], [axes[2], LEFT, TOP - 6, split ? split * SIDE - 1 : wide - 1, 3]];
    if (split) lines.push([axes[2], x(split), TOP - 6, wide - x(split) + LEFT - 1, 3]);
    keep(bars, lines.length, () => h("svg:rect", { rx: 1.5 })).forEach((bar, i) => {
      const [axis, left, top, w, tallness] = lines[i];
      put(bar, { x: left, y: top, width: w, height: tallness, fill: colour(axis) });
    });
    keep(cells, flat.length, () => h("svg:rect", { width: SIDE - 2, height: SIDE - 2, rx: 2, class: "sbs-number" })).forEach((rect, i) => {
      const { value, pad, x, y } = flat[i];
      put(rect, { x, y, fill: pad || value === null ? palette.paper : mix(palette.paper, palette.states[value < 0 ? 1 : 0], 0.12 + 0.8 * Math.min(1, Math.abs(value) / scale)) });
    });
    put(pads, { d: flat.filter((cell) => cell.pad).map((cell) => `M${cell.x + 4} ${cell.y + 12}l8-8`).join("") });
    put(dots, { d: flat.filter((cell) => set.has(cell.key)).map((cell) => `M${cell.x + 8} ${cell.y + 8}h0`).join("") });
    for (const [frame, wanted] of [[picked, pick], [again, other]]) {
      const cell = flat.find((one) => same(one.pick, wanted));
      put(frame, { x: (cell?.x ?? 0) - 0.5, y: (cell?.y ?? 0) - 0.5, opacity: cell ? 1 : 0 });
    }
    const texts = rows.map((row, j) => [row.label, 7, y(j) + 13]);
    if (split) texts.push(["→", LEFT + (split * SIDE) / 2, TOP + tall + 13], ["←", x(split) + (split * SIDE) / 2, TOP + tall + 13]);
    keep(names, texts.length, () => h("svg:text", { class: "sbs-time" })).forEach((text, i) => {
      const [words, left, top] = texts[i];
      put(text, { text: words, x: left, y: top });
    });
  }
  return { el: svg, draw };
}

// Weights: one block a gate, in their true proportions.
function weightsPart() {
  const summary = h("summary");
  const list = h("div", { class: "sbs-weights" });
  let drawn = "";
  const el = h("details", { class: "sbs-model" }, summary, h("p", { class: "sbs-note" }), list);
  return {
    el,
    draw(s, r, { palette, hide }) {
      const now = `${code(s, r)}${hide}${palette.paper}`;
      if (now === drawn) return; // their shapes, not their numbers
      drawn = now;
      const all = Object.entries(r.weights);
      put(summary, { text: hide ? "Weights" : `Weights: ${all.length} tensors, ${parameters(r)} numbers` });
      put(el.children[1], { text: `Gates stand below each other: ${GATES[s.opts.cell].join(", ")}. reverse is the backward direction; the batch and time appear in no weight.` });
      keep(list, hide ? 0 : all.length, () => h("div", {}, h("svg:svg", { class: "sbs-picture", "aria-hidden": "true" }), h("b"), h("span"))).forEach((part, i) => {
        const [title, W] = all[i];
        const shape = Array.isArray(W[0]) ? [W.length, W[0].length] : [W.length];
        const [rows, columns] = [r.H, shape[1] ?? 1];
        const G = gates(s);
        put(part.children[0], { width: columns * 4 + 2, height: G * (rows * 4 + 2) });
        keep(part.children[0], G, () => h("svg:rect", { x: 1, rx: 1 })).forEach((rect, g) => put(rect, { y: g * (rows * 4 + 2), width: columns * 4, height: rows * 4, fill: palette.states[g] }));
        put(part.children[1], { text: title });
        put(part.children[2], { text: tuple(shape) });
      });
    },
  };
}
