// Back, play, step, reset, undo, and a scrubber with a number field.

import { h, icon, newId, numberField, put } from "./dom.js";

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
    put(play, { "aria-label": "play", title: "play" });
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
    put(play, { "aria-label": "pause", title: "pause" });
  });
  const back = button("back", "one step back", () => { stop(); go(read().t - read().dir); });
  const step = button("step", "one step on", () => { stop(); forward(); });
  const undoButton = button("undo", "undo", () => { stop(); undo(); });
  const resetButton = button("reset", "back to the author's state", () => { stop(); reset(); });
  const id = newId();
  const scrub = h("input", { type: "range", step: 1, class: "sbs-scrub", "aria-label": "step", oninput: () => { stop(); go(+scrub.value); } });
  const field = numberField({ id, read: () => read().t, write: (to) => {
    stop();
    go(Math.round(to));
  } });
  const of = h("span");
  const name = h("label", { for: id });
  const draw = () => {
    const { t, min, max, what } = read();
    put(name, { text: what });
    put(scrub, { min, max, value: t, "aria-label": what, "aria-valuetext": `${t} of ${max}` });
    put(field.el, { min, max });
    field.draw();
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
    h("span", { class: "sbs-count" }, name, field.el, of));
  return { el, draw, stop, destroy: () => { stop(); watcher?.disconnect(); } };
}
