// Time runs to the right: lanes of bars or colours under each other, one cursor, inputs to drag.

import { h, keep, mix, num, numberField, put } from "./dom.js";
import { exactField } from "./exact.js";
import { slider } from "./handle.js";

const GAP = 13;
const round = (v) => Math.round(v * 100) / 100;

// A row: {label, short, get(result, state) -> numbers or nulls, low, high, range(result) -> {low,
// high}, tall, space above it, digits or tell(value) -> text, heat(value, palette) -> colour, held(state),
// faint(state), bold(state)};
// `drag`: {name, read(state, t), write(state, t, value)} makes it an input with the range low to
// high. `head` pixels above the rows are the view's own, as is what it puts into `canvas`.
// `column(t)` names a column, `tick(t)` stands below it. `alone` names lanes in which nothing takes
// the focus, so that keys can scroll them all the same.
export function lanes({ ctx, rows, head = 0, least = 14, most = 46, column = (t) => `t = ${t}`, pick = ctx.go, current = (s) => s.t, tick = String, alone = null }) {
  const [band, top, bars, marks, axis] = Array.from({ length: 5 }, () => h("svg:g"));
  const svg = h("svg:svg", { class: "sbs-picture", "aria-hidden": "true", onclick: (event) => pick(stepAt(event)) }, band, top, bars, marks, axis);
  const canvas = h("div", { class: "sbs-canvas" }, svg);
  const scroller = h("div", { class: "sbs-scroll", ...(alone && { tabindex: 0, role: "group", "aria-label": alone }) }, canvas);
  const gutter = h("div", { class: "sbs-gutter" });
  const stage = h("div", { class: "sbs-stage" }, gutter, scroller);
  const exact = exactField();
  band.append(h("svg:rect", { class: "sbs-now", y: 0, rx: 4 }));
  let [w, T, layout] = [1, 1, ""];
  const stepAt = (event) => Math.min(T - 1, Math.max(0, Math.floor((event.clientX - canvas.getBoundingClientRect().left) / w)));

  const grips = new Map();
  let chosen = null; // tells the number field which value is selected
  for (const row of rows) {
    if (!row.drag) continue;
    const el = h("div", { class: "sbs-lane" });
    let held = null; // column under the pointer that started the drag
    const now = () => current(ctx.state);
    const read = () => row.drag.read(ctx.state, now());
    const write = (value) => {
      const t = held ?? now();
      ctx.set((s) => row.drag.write(s, t, round(value)), row.label + t);
    };
    const label = () => `${row.drag.name}, ${column(now())}`;
    const choose = () => exact.select({ label: label(), get: () => read() ?? 0, write, min: row.low, max: row.high });
    chosen ??= choose;
    el.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      held = stepAt(event);
      pick(held);
    });
    for (const end of ["pointerup", "pointercancel"]) el.addEventListener(end, () => (held = null));
    el.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (now() + by >= 0 && now() + by < T) pick(now() + by);
    });
    el.addEventListener("focus", () => (chosen = choose)());
    const refresh = slider(el, {
      label: row.drag.name, write, vertical: true, step: (row.high - row.low) / 40, page: (row.high - row.low) / 8,
      read: () => ({ value: read() ?? 0, min: row.low, max: row.high, text: read() === null ? "none" : num(read(), 2) }),
      locate: (event) => {
        const box = el.getBoundingClientRect();
        return row.high - ((event.clientY - box.top) / box.height) * (row.high - row.low);
      },
    });
    canvas.append(el);
    grips.set(row, { el, refresh: () => {
      refresh();
      put(el, { "aria-label": label() });
    } });
  }

  // `shown` are the rows to draw now.
  function draw(s, r, { marked, hide, palette, calm }, shown = rows) {
    const t = current(s);
    const values = shown.map((row) => row.get(r, s));
    T = values[0].length;
    const left = scroller.clientWidth;
    const narrow = gutter.clientWidth < 90;
    w = Math.min(most, Math.max(least, Math.floor(left / T)));
    let y = head;
    const tops = shown.map(({ tall = 40, space = 0 }) => (y += space + tall + GAP) - tall - GAP);
    const places = [w, T, ...tops, ...shown.map((row) => !row.heat)].join();
    const still = places === layout; // then only heights and colours are new: half of the time of a drag
    layout = places;
    put(svg, { width: T * w, height: y + 14 });
    canvas.style.width = `${T * w}px`;
    put(stage, { style: `min-height:${y + 16}px` });
    put(band.firstChild, { x: t * w, width: w, height: y });

    keep(gutter, shown.length, () => h("div", {}, h("b"), h("small"))).forEach((div, i) => {
      const { label, short = label, tall = 40, drag, digits = tall < 30 ? 2 : 3, tell = (v) => num(v, digits), bold } = shown[i];
      put(div, { style: `top:${tops[i]}px;height:${tall}px`, class: `${tall < 30 ? "sbs-flat" : ""}${bold?.(s) ? " sbs-bold" : ""}` });
      put(div.firstChild, { text: narrow ? short : label, title: label });
      put(div.lastChild, { text: hide && !drag ? "?" : tell(values[i][t]) });
    });
    const drawn = keep(bars, shown.length, () => h("svg:g"));
    const dashes = keep(marks, shown.length, () => h("svg:g"));
    for (const [row, { el }] of grips) el.hidden = !shown.includes(row);
    shown.forEach((row, i) => {
      const { low, high, tall = 40, heat } = { ...row, ...row.range?.(r) };
      const zero = tops[i] + tall * (high / (high - low));
      const was = row.get(marked, s);
      const held = row.held?.(s) ? 3 : 0;
      const faint = row.faint?.(s) ? 0.45 : null;
      const veiled = (n) => hide && !row.drag && n >= t;
      keep(drawn[i], T + 1, (n) => h("svg:rect", n ? {} : { class: "sbs-zero", height: 1, x: 0 })).forEach((bar, n) => {
        if (!n) return put(bar, { y: zero - 0.5, width: heat ? 0 : T * w });
        const v = veiled(n - 1) ? null : values[i][n - 1];
        const size = ((Math.min(high, Math.max(low, v ?? 0))) / (high - low)) * tall;
        const look = heat
          ? { fill: (v ?? null) === null ? palette.paper : heat(v, palette) }
          : { y: size > 0 ? zero - size : zero, height: Math.abs(size), fill: palette.states[size < 0 && !held ? 1 : held] };
        look.opacity = faint;
        if (!still) Object.assign(look, heat ? { x: (n - 1) * w, width: w, y: tops[i], height: tall } : { x: (n - 1) * w + 1, width: Math.max(1, w - 2) });
        put(bar, look);
      });
      keep(dashes[i], T, () => h("svg:rect", { height: 3, rx: 1.5, class: "sbs-mark" })).forEach((mark, n) => {
        const [a, b] = [was?.[n] ?? null, values[i][n] ?? null];
        const moved = a === null || b === null ? a !== b : Math.abs(a - b) > 5e-4 * (high - low);
        put(mark, { opacity: moved && !veiled(n) ? 1 : 0 });
        if (!still) put(mark, { x: n * w + 1, width: Math.max(1, w - 2), y: tops[i] + tall + 4 });
      });
      const grip = grips.get(row);
      if (!grip) return;
      put(grip.el, { style: `top:${tops[i]}px;height:${tall}px` });
      grip.refresh();
    });
    const every = Math.ceil(30 / w);
    keep(axis, T, () => h("svg:text", { class: "sbs-time" })).forEach((el, n) =>
      put(el, { x: (n + 0.5) * w, y: y + 10, text: n % every ? "" : tick(n), class: n === t ? "sbs-time sbs-on" : "sbs-time" }));
    chosen?.();
    exact.draw();
    const X = (t + 0.5) * w;
    if (T * w > left && (X < scroller.scrollLeft + w || X > scroller.scrollLeft + left - w)) {
      scroller.scrollTo({ left: X - left / 2, behavior: calm ? "auto" : "smooth" });
    }
    return { w, T, tops };
  }

  const note = h("p", { class: "sbs-note" }, grips.size ? "Drag in a framed lane. " : "", h("i", { class: "sbs-dash" }), "changed by your last edit");
  return { el: h("div", {}, stage, note, grips.size ? exact.el : ""), canvas, top, gutter, draw };
}

// A colour between the page and the palette: above 0 towards `up`, below 0 towards `down`.
export const shade = (share, palette, up = 0, down = 1) =>
  mix(palette.paper, palette.states[share < 0 ? down : up], Math.min(1, Math.abs(share)));

// A range with its number field; `on`: {get, set} adds a switch in front.
export function dial({ label, min, max, step, read, write, on }) {
  const field = numberField({ min, max, step: "any", "aria-label": `${label}, number`, read: () => round(read()), write });
  const range = h("input", { type: "range", class: "sbs-scrub", min, max, step, "aria-label": label, oninput: () => write(+range.value) });
  const box = on && h("input", { type: "checkbox", onchange: () => on.set(box.checked) });
  const el = h("div", { class: "sbs-dial" }, h(on ? "label" : "span", {}, box, label), range, field.el);
  return {
    el,
    draw: (off = false) => {
      el.hidden = off;
      put(range, { value: read(), "aria-valuetext": num(read(), 2) });
      if (box) box.checked = on.get();
      field.draw();
    },
  };
}
