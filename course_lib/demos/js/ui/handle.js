// Anything that can be dragged: pointer and keys write the same value.

import { put } from "./dom.js";

// `read()` gives {value, min, max, text}; `write(value)` sets it; `locate(event)` turns a pointer
// position into a value.
export function slider(el, { label, read, write, locate, step = 0.01, page = 0.1, vertical = false }) {
  put(el, { role: "slider", tabindex: 0, "aria-label": label, "aria-orientation": vertical ? "vertical" : null });
  el.classList.add("sbs-handle");
  let held = false;
  const move = (event) => {
    const { min, max } = read();
    const value = locate(event);
    if (Number.isFinite(value)) write(Math.min(max, Math.max(min, value)));
  };
  el.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = true;
    el.setPointerCapture?.(event.pointerId);
    el.focus({ preventScroll: true });
    event.preventDefault();
    move(event);
  });
  el.addEventListener("pointermove", (event) => held && move(event));
  for (const end of ["pointerup", "pointercancel"]) el.addEventListener(end, () => (held = false));
  el.addEventListener("keydown", (event) => {
    const { value, min, max } = read();
    const by = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: page, PageDown: -page }[event.key];
    const to = event.key === "Home" ? min : event.key === "End" ? max : by ? value + by : null;
    if (to === null) return;
    event.preventDefault();
    write(Math.min(max, Math.max(min, Math.round(to * 1e6) / 1e6)));
  });
  return () => {
    const { value, min, max, text } = read();
    put(el, { "aria-valuenow": value, "aria-valuemin": min, "aria-valuemax": max, "aria-valuetext": text });
  };
}
