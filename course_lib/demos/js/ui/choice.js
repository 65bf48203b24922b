// A row of radio buttons that looks like one control.

import { h, newId, put } from "./dom.js";

export function choice({ legend, show = true, options, set }) {
  const name = newId();
  const inputs = [];
  const labels = options.map((option, i) => {
    const input = h("input", { type: "radio", name, value: i, onchange: () => set(i) });
    inputs.push(input);
    return h("label", {}, input, h("span", { text: option }));
  });
  const words = h("legend", { class: show ? "sbs-legend" : "sbs-live", text: legend });
  const el = h("fieldset", { class: "sbs-choice" }, words, h("span", { class: "sbs-segments" }, labels));
  return {
    el,
    draw: (picked, text) => {
      if (text) put(words, { text });
      inputs.forEach((input, i) => {
        if (input.checked !== (i === picked)) input.checked = i === picked;
      });
    },
  };
}

// Rows of "verb, formula, numbers": one cell's arithmetic with the numbers in place.
export function arithmetic(caption = "arithmetic of the highlighted cell") {
  const body = h("tbody");
  const el = h("table", { class: "sbs-sums" }, h("caption", { class: "sbs-live", text: caption }), body);
  return {
    el,
    draw: (rows) => {
      while (body.children.length > rows.length) body.lastChild.remove();
      while (body.children.length < rows.length) {
        body.append(h("tr", {}, h("th", { scope: "row" }), h("td", { class: "sbs-formula" }), h("td", { class: "sbs-sum" })));
      }
      rows.forEach((row, i) => row.forEach((text, j) => put(body.children[i].children[j], { text })));
    },
  };
}
