// A table of weights as colours: a row a step, a column a thing looked at.

import { h, inkOn, keep, mix, num, put } from "./dom.js";

export const two = (v) => num(Math.abs(v) < 0.005 ? 0 : v, 2); // no powers of ten
const NARROW = 34; // pixels below which no number fits into a cell

// `head` pixels above the rows are the view's own, as is what it puts into `canvas` or `top`.
// `onpick(row, column)` and `onhover(row or null)` tell about the pointer.
export function weightMap({ label, tall, head, least, most, onpick, onhover = () => {} }) {
  const [top, cells] = [h("svg:g"), h("svg:g")];
  const frame = h("svg:rect", { class: "sbs-outline", height: tall - 2, x: 1, rx: 3 });
  const pick = h("svg:rect", { class: "sbs-pick", height: tall - 8, rx: 3 });
  const svg = h("svg:svg", { class: "sbs-picture", "aria-hidden": "true" }, top, cells, frame, pick);
  const canvas = h("div", { class: "sbs-canvas" }, svg);
  const scroller = h("div", { class: "sbs-scroll", tabindex: 0, role: "group", "aria-label": label }, canvas);
  const gutter = h("div", { class: "sbs-gutter" });
  const el = h("div", { class: "sbs-stage" }, gutter, scroller);
  let [w, T, S, hovered] = [1, 0, 0, null];
  const rowAt = (event) => {
    const t = Math.floor((event.clientY - svg.getBoundingClientRect().top - head) / tall);
    return t >= 0 && t < T ? t : null;
  };
  const hover = (t) => t !== hovered && onhover((hovered = t));
  svg.addEventListener("pointermove", (event) => hover(event.pointerType === "touch" ? null : rowAt(event)));
  svg.addEventListener("pointerleave", () => hover(null));
  svg.addEventListener("click", (event) => {
    const [t, s] = [rowAt(event), Math.floor((event.clientX - svg.getBoundingClientRect().left) / w)];
    if (t !== null && s < S) onpick(t, s);
  });

  // `rows`: {name, note, weights, was, hidden, veiled}; without weights there is nothing to show yet.
  function draw({ rows, columns, t, cell, palette }) {
    [T, S] = [rows.length, columns];
    w = Math.max(least, Math.min(most, Math.floor((scroller.clientWidth - 4) / S)));
    put(svg, { width: S * w + 4, height: head + T * tall + 4 });
    put(canvas, { style: `width:${S * w + 4}px` });
    put(el, { style: `min-height:${head + T * tall + 6}px` });
    keep(cells, T * S, () => h("svg:g", {}, h("svg:rect", { rx: 3 }), h("svg:text"), h("svg:rect", { class: "sbs-mark", height: 3, rx: 1.5 }))).forEach((g, n) => {
      const [row, i] = [rows[Math.floor(n / S)], n % S];
      const [rect, text, mark] = g.children;
      const weight = row.weights?.[i] ?? null;
      const known = weight !== null && !row.veiled;
      const [x, y] = [i * w, head + Math.floor(n / S) * tall];
      const fill = mix(palette.paper, palette.states[0], known ? weight : 0);
      put(rect, { x: x + 2, y: y + 2, width: w - 4, height: tall - 4, fill, class: row.hidden?.[i] ? "sbs-masked" : "sbs-open" });
      const words = row.veiled ? "?" : weight === null || w < NARROW ? "" : row.hidden?.[i] ? "–" : two(weight);
      put(text, { x: x + w / 2, y: y + tall / 2 + 4.5, text: words, style: `fill:${inkOn(fill)}` });
      const before = row.was?.[i] ?? weight;
      put(mark, { x: x + 5, y: y + tall - 6, width: w - 10, opacity: known && Math.abs(before - weight) > 5e-4 ? 1 : 0 });
    });
    put(frame, { y: head + t * tall + 1, width: S * w - 2 });
    put(pick, { x: cell * w + 4, y: head + t * tall + 4, width: w - 8 });
    keep(gutter, T, () => h("div", {}, h("b"), h("small"))).forEach((div, n) => {
      put(div, { style: `top:${head + n * tall}px;height:${tall}px`, class: n === t ? "sbs-bold" : "" });
      put(div.firstChild, { text: rows[n].name, title: rows[n].name });
      put(div.lastChild, { text: rows[n].note });
    });
    return w;
  }
  return { el, canvas, top, gutter, draw };
}
