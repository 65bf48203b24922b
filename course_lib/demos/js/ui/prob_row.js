// One distribution as bars that can be dragged; the others make room.

import { setProb } from "../core/hmm.js";
import { h, num, put } from "./dom.js";
import { slider } from "./handle.js";

// `get()` and `set(row)` reach the row in the state; `onfocus(select)` tells which bar is chosen.
export function probRow({ title, names, colours, get, set, onselect }) {
  const bars = names.map((name, j) => {
    const fill = h("div", { class: "sbs-fill" });
    const value = h("span", { class: "sbs-num" });
    const track = h("div", { class: "sbs-track" }, fill);
    const write = (p) => set(setProb(get(), j, Math.round(p * 1000) / 1000));
    const refresh = slider(track, {
      label: `${title}: ${name}`,
      vertical: true,
      read: () => ({ value: get()[j], min: 0, max: 1, text: num(get()[j]) }),
      write,
      locate: (event) => {
        const box = track.getBoundingClientRect();
        return 1 - (event.clientY - box.top) / box.height;
      },
    });
    track.addEventListener("focus", () => onselect({ label: `${title}: ${name}`, get: () => get()[j], write }));
    const el = h("div", { class: "sbs-bar" }, value, track, h("span", { class: "sbs-name", text: name }));
    return { el, fill, value, refresh };
  });
  const el = h("div", { class: "sbs-row" }, h("div", { class: "sbs-row-title", text: title }),
    h("div", { class: "sbs-bars" }, bars.map((bar) => bar.el)));
  const draw = () => {
    const fills = colours();
    get().forEach((p, j) => {
      bars[j].fill.style.transform = `scaleY(${p})`;
      bars[j].fill.style.background = fills[j % fills.length];
      put(bars[j].value, { text: num(p, 2) });
      bars[j].refresh();
    });
  };
  return { el, draw };
}
