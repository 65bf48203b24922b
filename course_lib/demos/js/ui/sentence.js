// A sentence of known words: typed, or as tiles that keys and pointer change, move and delete.

import { h, keep, put } from "./dom.js";

const MOVED = 8; // pixels, from which on a click is a drag

// `edit(act, at, label)` changes state.tokens by `act(tokens)` at place `at`; `pick(i)` chooses a
// word, `here()` is the one chosen. `canvas` holds the tiles, as many pixels wide as all of them.
export function sentence({ ctx, words, most, canvas, tall, edit, pick, here }) {
  const spoken = () => ctx.state.tokens.map((k) => words[k]).join(" ");
  const numberOf = new Map(words.map((word, k) => [word.toLowerCase(), k]));
  const count = () => ctx.state.tokens.length;

  const note = h("p", { class: "sbs-note" });
  const field = h("input", { type: "text", class: "sbs-field sbs-typed", maxlength: 300, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-label": "sentence: type words",
    oninput: () => {
      const typed = field.value.split(/[\s,.;:!?]+/).filter(Boolean);
      const known = typed.map((word) => numberOf.get(word.toLowerCase())).filter((k) => k !== undefined);
      const alien = typed.filter((word) => !numberOf.has(word.toLowerCase()));
      put(note, { text: alien.length ? `Left out: ${alien.join(", ")}. There are ${words.join(", ")}.` : known.length > most ? `The first ${most} words are read.` : known.length ? "" : "Type at least one word." });
      const row = known.slice(0, most);
      if (row.length && String(row) !== String(ctx.state.tokens)) edit((tokens) => tokens.splice(0, tokens.length, ...row), row.length - 1, "typed");
    },
    onblur: () => {
      put(field, { value: spoken() });
      put(note, { text: "" });
    } });

  const tiles = h("div", { class: "sbs-tiles", role: "group", "aria-label": "words of the sentence" });
  canvas.append(tiles);
  const move = (i, to, label = "") => {
    if (to >= 0 && to < count() && to !== i) edit((tokens) => tokens.splice(to, 0, ...tokens.splice(i, 1)), to, label);
  };
  const remove = (i) => count() > 1 && edit((tokens) => tokens.splice(i, 1), Math.min(i, count() - 2));
  const insert = (k) => count() < most && edit((tokens) => tokens.splice(here() + 1, 0, k), here() + 1);

  // A tile follows the pointer from place to place; the sentence is read again at each of them.
  let held = null;
  tiles.addEventListener("pointerdown", (event) => {
    const at = event.button ? -1 : [...tiles.children].indexOf(event.target);
    if (at >= 0) held = { at, x: event.clientX, far: false };
  });
  tiles.addEventListener("pointermove", (event) => {
    if (!held || (!held.far && Math.abs(event.clientX - held.x) < MOVED)) return;
    if (!held.far) tiles.setPointerCapture(event.pointerId); // from now on no click
    held.far = true;
    const box = canvas.getBoundingClientRect();
    const to = Math.min(count() - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * count())));
    move(held.at, to, "drag");
    held.at = to;
  });
  for (const end of ["pointerup", "pointercancel"]) tiles.addEventListener(end, () => (held = null));

  const keys = (i) => (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const aside = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const other = tiles.children[i + aside];
    if (by) edit((tokens) => (tokens[i] = (tokens[i] + by + words.length) % words.length), i, `word${i}`);
    else if (aside && other) {
      if (event.shiftKey) move(i, i + aside);
      else pick(i + aside);
      other.focus();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      if (i && i === count() - 1) tiles.children[i - 1].focus();
      remove(i);
    } else return;
    event.preventDefault();
  };
  const button = (text, onclick) => h("button", { type: "button", class: "sbs-btn sbs-wide", text, onclick });
  const add = words.map((word, k) => button(`+ ${word}`, () => insert(k)));
  const tools = [button("← earlier", () => move(here(), here() - 1)), button("later →", () => move(here(), here() + 1)), button("", () => remove(here()))];
  const where = h("legend", { class: "sbs-legend" });

  // `w` is the width of a tile; `faint(i)` tells which words are not read yet.
  function draw({ tokens }, w, faint = () => false) {
    const [S, i] = [tokens.length, here()];
    if (document.activeElement !== field) put(field, { value: spoken() });
    keep(tiles, S, (n) => h("button", { type: "button", class: "sbs-tile", onclick: () => pick(n), onkeydown: keys(n) })).forEach((tile, n) => put(tile, {
      text: words[tokens[n]], "aria-current": n === i ? "step" : null, class: `sbs-tile${faint(n) ? " sbs-unread" : ""}`, style: `left:${n * w + 1}px;width:${w - 2}px;height:${tall}px`,
      "aria-label": `word ${n + 1}: ${words[tokens[n]]}. Up and down arrows change it, Shift with left and right moves it, Delete removes it`,
    }));
    put(where, { text: `After word ${i + 1}` });
    for (const one of add) put(one, { "aria-disabled": S < most ? null : "true" });
    put(tools[2], { text: `delete word ${i + 1}` });
    [i > 0, i < S - 1, S > 1].forEach((can, n) => put(tools[n], { "aria-disabled": can ? null : "true" }));
  }
  return { field, note, buttons: h("fieldset", { class: "sbs-choice" }, where, h("span", { class: "sbs-btns" }, add, tools)), draw };
}
