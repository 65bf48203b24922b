// The arithmetic of one unit of a cell at one step, with the numbers in place.

import { num } from "./dom.js";

export const dot = (v, W, col) => v.reduce((s, x, i) => s + x * W[i][col], 0);
export const plus = (v) => `${v < 0 ? "−" : "+"} ${num(Math.abs(v), 2)}`;

// Rows [verb, formula, numbers] for unit k of H, from the step before to the step now.
export function cellSums(kind, p, x, was, now, k, activation = "tanh") {
  const H = now.h.length;
  if (kind === "rnn") {
    const a = `${num(dot(x, p.W_xh, k), 2)} ${plus(dot(was.h, p.W_hh, k))} ${plus(p.b_h[k])}`;
    return [["new state", `h = ${activation === "linear" ? "" : activation}(x W + h W + b)`, `${activation === "linear" ? "" : activation}(${a}) = ${num(now.h[k])}`]];
  }
  const input = (g) => dot(x, p.W_xa, g * H + k);
  const bias = (g) => (p.b_a ? p.b_a[g * H + k] : p.b_x[g * H + k] + p.b_h[g * H + k]);
  const peep = (g, c) => (p.w_ca ? ` ${plus(p.w_ca[g][k] * c[k])}` : "");
  const gate = (name, key, g, f, more = "") => [name, `${key} = ${f}(x W + h W + b${more && " + c w"})`,
    `${f}(${num(input(g), 2)} ${plus(dot(was.h, p.W_ha, g * H + k))} ${plus(bias(g))}${more}) = ${num(now[key][k])}`];
  if (kind === "lstm") {
    return [
      gate("input gate", "i", 0, "σ", peep(0, was.c)), gate("forget gate", "f", 1, "σ", peep(1, was.c)),
      gate("candidate", "g", 2, "tanh"), gate("output gate", "o", 3, "σ", peep(2, now.c)),
      ["cell state", "c = f · c + i · g", `${num(now.f[k])} × ${num(was.c[k])} + ${num(now.i[k])} × ${num(now.g[k])} = ${num(now.c[k])}`],
      ["shown", "h = o · tanh(c)", `${num(now.o[k])} × ${num(Math.tanh(now.c[k]))} = ${num(now.h[k])}`],
    ];
  }
  const after = p.reset === "after";
  const share = kept(p, now, k);
  return [
    gate("reset gate", "r", 0, "σ"), gate("update gate", "z", 1, "σ"),
    ["candidate", after ? "n = tanh(x W + b + r · (h W + b))" : "n = tanh(x W + b + (r · h) W + b)",
      `tanh(${num(input(2) + p.b_x[2 * H + k], 2)} ${after ? `+ ${num(now.r[k])} × ${num(now.q[k])}` : plus(now.q[k])}) = ${num(now.n[k])}`],
    ["blend", p.update === "keep" ? "h = z · h + (1 − z) · n" : "h = (1 − z) · h + z · n",
      `${num(share)} × ${num(was.h[k])} + ${num(1 - share)} × ${num(now.n[k])} = ${num(now.h[k])}`],
  ];
}

// The share of its state that unit k of a GRU keeps.
export const kept = (p, { z }, k) => (p.update === "keep" ? z[k] : 1 - z[k]);
