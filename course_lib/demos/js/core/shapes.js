// A recurrent module of PyTorch: its axes, its weights from a seed, and every tensor's numbers.

import { forward } from "./cells.js";
import { random } from "./chain.js";

export const GATES = { RNN: ["h"], LSTM: ["i", "f", "g", "o"], GRU: ["r", "z", "n"] };
const list = (n, at) => Array.from({ length: n }, (_, i) => at(i));
const transpose = (W) => W[0].map((_, j) => W.map((row) => row[j]));
const swap = (x, swapped) => (swapped ? transpose(x) : x); // the first two axes

// What the options do to the axes. A "member" is a sequence as the module takes them: with the
// wrong batch_first, one step of all the sequences.
export function planOf({ sizes: { batch: N, time: T, input: D, hidden: H, layers: L }, lengths, opts }) {
  const P = opts.bidirectional ? 2 : 1;
  const lens = lengths.slice(0, N).map((n) => (opts.padding === "none" ? T : Math.min(n, T)));
  const crossed = opts.batch_first !== (opts.stored === "batch");
  const [S, M] = crossed ? [T, N] : [N, T];
  const packed = opts.padding === "packed";
  const error = packed && S !== N ? `There are ${N} lengths, but with this batch_first the input holds ${S} sequences: packing has no meaning` : "";
  const ends = packed && !error ? lens : list(S, () => M);
  const steps = Math.max(...ends);
  const lead = (member, step) => (opts.batch_first ? [member, step] : [step, member]);
  const shapes = { input: [...lead(S, M), D], output: [...lead(S, steps), P * H], h_n: [L * P, S, H] };
  if (opts.cell === "LSTM") shapes.c_n = shapes.h_n;
  return {
    N, T, D, H, L, P, S, M, lens, crossed, packed, error, ends, steps, shapes, lead,
    own: (i, j) => (opts.stored === "batch" ? [i, j] : [j, i]), // the reader's sequence and step
  };
}

// Every weight of the module by PyTorch's name, in the order of its state_dict; the same numbers as
// course_lib.demos._shape_weights.
export function stateDict(seed, cell, { D, H, L, P }) {
  const next = random(seed);
  const G = GATES[cell].length;
  const draw = () => (2 * next() - 1) / Math.sqrt(H);
  const out = {};
  for (let l = 0; l < L; l++) for (const side of ["", "_reverse"].slice(0, P)) {
    const size = l ? P * H : D;
    for (const [part, width] of [["ih", size], ["hh", H]]) out[`weight_${part}_l${l}${side}`] = list(G * H, () => list(width, draw));
    for (const part of ["ih", "hh"]) out[`bias_${part}_l${l}${side}`] = list(G * H, draw);
  }
  return out;
}

// The same weights as cells.js reads them.
function cellOf(weights, cell, suffix) {
  const [W_x, W_h] = ["ih", "hh"].map((part) => transpose(weights[`weight_${part}${suffix}`]));
  const [b_x, b_h] = ["ih", "hh"].map((part) => weights[`bias_${part}${suffix}`]);
  const b = b_x.map((v, k) => v + b_h[k]);
  if (cell === "RNN") return { W_xh: W_x, W_hh: W_h, b_h: b };
  return { W_xa: W_x, W_ha: W_h, ...(cell === "LSTM" ? { b_a: b, w_ca: null } : { b_x, b_h, reset: "after", update: "keep" }) };
}

// Sorted by length, the longest first; equal lengths stay in order.
function pack({ ends, steps }, members) {
  const order = ends.map((_, q) => q).sort((a, b) => ends[b] - ends[a] || a - b);
  const rows = list(steps, (m) => order.filter((q) => ends[q] > m)).map((some, m) => some.map((q) => [q, m]));
  return {
    sorted: order, unsorted: ends.map((_, q) => order.indexOf(q)), sizes: rows.map((some) => some.length),
    rows, data: rows.flat().map(([q, m]) => members[q][m]),
  };
}

// All tensors. `traces[layer][direction][member]` are the cells' steps in the order of reading.
export function run(s) {
  const p = planOf(s);
  const { N, T, D, H, L, P, S, M, lens, ends, steps } = p;
  const { cell, batch_first: first, stored } = s.opts;
  const weights = stateDict(s.seed, cell, p);
  const mine = list(N, (n) => list(T, (t) => s.xs[n][t].slice(0, D).map((v) => (t < lens[n] ? v : 0))));
  const input = swap(mine, stored !== "batch");
  if (p.error) return { ...p, weights, input };
  const members = swap(input, !first);
  const cells = list(L, (l) => ["", "_reverse"].slice(0, P).map((side) => cellOf(weights, cell, `_l${l}${side}`)));
  let below = members.map((rows, q) => rows.slice(0, ends[q]));
  const inputs = [];
  const traces = cells.map((pair) => {
    inputs.push(below);
    const made = pair.map((params, d) => below.map((rows) => forward(cell.toLowerCase(), params, d ? [...rows].reverse() : rows)));
    below = below.map((rows, q) => rows.map((_, m) => made.flatMap((all, d) => all[q][d ? rows.length - m : m + 1].h)));
    return made;
  });
  const full = list(S, (q) => list(steps, (m) => below[q][m] ?? Array(P * H).fill(0)));
  const last = (key) => traces.flatMap((made) => made.map((all) => all.map((steps) => steps.at(-1)[key])));
  return {
    ...p, weights, cells, inputs, traces, input, output: swap(full, !first), h_n: last("h"),
    ...(cell === "LSTM" && { c_n: last("c") }), packing: p.packed ? pack(p, members) : null,
  };
}

// What a number is: {member, step, layer, direction, unit, padding, end: where its cell stops}.
export function meaning(r, { tensor, index: [i, j, k] }) {
  if (tensor === "input") {
    const [member, step] = r.lead(i, j); // its own inverse
    const [n, t] = r.own(i, j);
    return { member, step, unit: k, n, t, padding: t >= r.lens[n], left: step >= r.ends[member] };
  }
  if (tensor === "output") {
    const [member, step] = r.lead(i, j);
    const direction = k >= r.H ? 1 : 0;
    return { member, step, layer: r.L - 1, direction, unit: k % r.H, padding: step >= r.ends[member], end: direction ? 0 : r.ends[member] - 1 };
  }
  const direction = i % r.P;
  const end = direction ? 0 : r.ends[j] - 1;
  return { member: j, step: end, layer: (i - direction) / r.P, direction, unit: k, padding: false, end };
}

// Where the same number stands once more: in h_n, or in output. null: nowhere.
export function twin(r, pick) {
  const m = meaning(r, pick);
  if (pick.tensor === "output" && m.step === m.end) return { tensor: "h_n", index: [m.layer * r.P + m.direction, m.member, m.unit] };
  if (pick.tensor === "h_n" && m.layer === r.L - 1) return { tensor: "output", index: [...r.lead(m.member, m.step), m.direction * r.H + m.unit] };
  return null;
}

// Does the input at step `from` of a member enter the state of a cell at one of its steps? A layer
// above two directions has been told of every step.
export function reaches(r, from, { member, step, layer, direction }) {
  if (from >= r.ends[member]) return false;
  if (layer && r.P === 2) return true;
  return direction ? from >= step : from <= step;
}

export function every([a, b, c], act) {
  for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) for (let k = 0; k < c; k++) act([i, j, k]);
}

// The numbers bound to a picked one, as keys "tensor,i,j,k": what a picked input reaches, or the
// inputs that have entered any other picked number.
export function bound(r, pick) {
  const found = new Set();
  if (r.error) return found;
  const from = meaning(r, pick);
  if (pick.tensor !== "input") {
    if (!from.padding) every(r.shapes.input, (index) => {
      const x = meaning(r, { tensor: "input", index });
      if (x.member === from.member && reaches(r, x.step, from)) found.add(`input,${index}`);
    });
    return found;
  }
  for (const tensor of ["output", "h_n", "c_n"]) if (r.shapes[tensor]) every(r.shapes[tensor], (index) => {
    const to = meaning(r, { tensor, index });
    if (to.member === from.member && !to.padding && reaches(r, from.step, to)) found.add(`${tensor},${index}`);
  });
  return found;
}

export const valueAt = (r, { tensor, index: [i, j, k] }) => r[tensor]?.[i]?.[j]?.[k] ?? null;
export const product = (shape) => shape.reduce((a, b) => a * b, 1);
export const sizeOf = (x) => (Array.isArray(x) ? x.reduce((n, row) => n + sizeOf(row), 0) : 1);
