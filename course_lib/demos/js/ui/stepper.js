// Back, play, step, reset, undo, and a scrubber with a number field.

import { h, icon, newId, put } from "./dom.js";

const PLAY_MS = 900;

// `read()` gives {t, min, max, dir, what}: dir -1 for a pass that runs from the end to the start.
export function stepper({ host, read, go, undo, canUndo, reset }) {
  const button = (name, label, act) =>
    h("button", { type: "button", class: "sbs-btn", "aria-label": label, title: label, onclick: act }, icon(name));
  const first = () => (read().dir < 0 ? read().max : read().min);
  const last = () => (read().dir < 0 ? read().min : read().max);
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.replaceChildren(icon("play"));
    put(play, { "aria-label": "play", title: "play", "aria-pressed": "false" });
  };
  const forward = () => {
    if (read().t === last()) return stop();
    go(read().t + read().dir);
  };
  const play = button("play", "play", () => {
    if (timer) return stop();
    if (read().t === last()) go(first());
    timer = setInterval(forward, PLAY_MS);
    play.replaceChildren(icon("pause"));
    put(play, { "aria-label": "pause", title: "pause", "aria-pressed": "true" });
  });
  const back = button("back", "one step back", () => { stop(); go(read().t - read().dir); });
  const step = button("step", "one step on", () => { stop(); forward(); });
  const undoButton = button("undo", "undo", () => { stop(); undo(); });
  const resetButton = button("reset", "back to the author's state", () => { stop(); reset(); });
  const id = newId();
  const scrub = h("input", { type: "range", step: 1, class: "sbs-scrub", "aria-label": "step", oninput: () => { stop(); go(+scrub.value); } });
  const field = h("input", {
    type: "number", step: 1, id, class: "sbs-field",
    onchange: () => {
      stop();
      const { min, max, t } = read();
      const to = Math.round(Number(field.value));
      go(field.value.trim() !== "" && Number.isFinite(to) ? Math.min(max, Math.max(min, to)) : t);
      draw();
    },
  });
  const of = h("span");
  const name = h("label", { for: id });
  const draw = () => {
    const { t, min, max, what } = read();
    put(name, { text: what });
    put(scrub, { min, max, value: t, "aria-label": what, "aria-valuetext": `${t} of ${max}` });
    put(field, { min, max });
    if (document.activeElement !== field || +field.value !== t) field.value = t;
    put(of, { text: `of ${max}` });
    // Not `disabled`: a button that disables itself drops the keyboard focus.
    put(back, { "aria-disabled": t === first() ? "true" : null });
    put(step, { "aria-disabled": t === last() ? "true" : null });
    put(undoButton, { "aria-disabled": canUndo() ? null : "true" });
  };
  const watcher = "IntersectionObserver" in window
    ? new IntersectionObserver((entries) => entries.some((e) => !e.isIntersecting) && timer && stop())
    : null;
  watcher?.observe(host);
  const el = h("div", { class: "sbs-stepper", role: "group", "aria-label": "steps" },
    h("span", { class: "sbs-btns" }, undoButton, resetButton, back, play, step), scrub,
    h("span", { class: "sbs-count" }, name, field, of));
  return { el, draw, stop, destroy: () => { stop(); watcher?.disconnect(); } };
}
