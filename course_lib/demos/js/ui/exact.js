// A number field for the bar that was touched last: for touch screen readers and exact values.

import { h, numberField, put } from "./dom.js";
export function exactField() {
  let target = null;
  const label = h("span", { text: "Drag, or select and type:" });
  const field = numberField({
    disabled: true, step: "any", "aria-label": "value of the selected bar",
    read: () => +target.get().toFixed(4), write: (value) => target.write(value),
  });
  return {
    el: h("label", { class: "sbs-exact" }, label, field.el),
    select: (next) => {
      target = next;
      put(label, { text: next.label });
      put(field.el, { "aria-label": next.label, disabled: false, min: next.min ?? 0, max: next.max ?? 1 });
      field.draw();
    },
    draw: () => target && field.draw(),
  };
}
