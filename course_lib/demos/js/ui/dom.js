// Elements, numbers and colours.

const NS = "http://www.w3.org/2000/svg";

// h("svg:rect", {x: 1}, child...); functions become listeners, null attributes are left out.
export function h(tag, props = {}, ...children) {
  const el = tag.startsWith("svg:") ? document.createElementNS(NS, tag.slice(4)) : document.createElement(tag);
  put(el, props);
  el.append(...children.flat().filter((c) => (c ?? false) !== false));
  return el;
}

// Set attributes in place; only what changed touches the page. What was set is remembered on the
// element, as asking the page costs more than the drawing.
export function put(el, props) {
  const was = (el.sbs ??= {});
  for (const key in props) {
    const value = props[key];
    if (key === "value") {
      if (el.value !== String(value)) el.value = value;
    } else if (was[key] !== value) {
      was[key] = value;
      if (key === "text") el.textContent = value;
      else if (typeof value === "function") el.addEventListener(key.slice(2), value);
      else if ((value ?? false) === false) el.removeAttribute(key);
      else el.setAttribute(key, value === true ? "" : value);
    }
  }
  return el;
}

// Keep exactly `n` children, made by `make(i)`.
export function keep(parent, n, make) {
  while (parent.children.length > n) parent.lastChild.remove();
  while (parent.children.length < n) parent.append(make(parent.children.length));
  return [...parent.children];
}

const SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const minus = (text) => text.replace("-", "−");

// Three decimals; a power of ten where three decimals would hide the number.
export function num(x, digits = 3) {
  if (x === null || x === undefined || Number.isNaN(x)) return "none";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x !== 0 && Math.abs(x) < 0.5 * 10 ** -digits) {
    const [m, e] = x.toExponential(1).split("e");
    return `${minus(m)}·10${e < 0 ? "⁻" : ""}${[...e.replace(/[+-]/, "")].map((d) => SUPER[d]).join("")}`;
  }
  return minus(x.toFixed(digits));
}

export const signed = (x, digits = 2) =>
  x > 0 ? "+" + num(x, digits) : num(Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x, digits);

// Okabe and Ito's palette, darkened or lightened for 3:1 against the page.
const LIGHT = ["#0072b2", "#c44e00", "#008561", "#a0559e", "#8a6d00"];
const DARK = ["#56b4e9", "#f0883e", "#2ebd90", "#d58fd3", "#d9b83a"];

export function palette(el) {
  const scheme = getComputedStyle(el).colorScheme;
  const dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  return { paper: dark ? "#15191f" : "#ffffff", states: dark ? DARK : LIGHT };
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

export function mix(a, b, share) {
  const [x, y] = [rgb(a), rgb(b)];
  return "#" + x.map((v, i) => Math.round(v + (y[i] - v) * share).toString(16).padStart(2, "0")).join("");
}

// Black or white, whichever has more contrast on `fill`: (Y + 0.05)² is compared with 1.05 · 0.05.
export function inkOn(fill) {
  const [r, g, b] = rgb(fill).map((v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

const ICONS = {
  undo: "M7 5 3 9l4 4M3 9h7a5 5 0 0 1 0 10H8",
  reset: "M5 5v14M19 5 8 12l11 7z",
  back: "M15 5 6 12l9 7z",
  step: "M9 5l9 7-9 7z",
  play: "M7 4l13 8-13 8z",
  pause: "M8 5v14M16 5v14",
};

export function icon(name) {
  const svg = h("svg:svg", { viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": "true", class: "sbs-icon" });
  svg.append(h("svg:path", { d: ICONS[name] }));
  return svg;
}

// A number field: what is no number is put back, the rest is clamped to min and max.
export function numberField({ read, write, ...props }) {
  const el = h("input", { type: "number", class: "sbs-field", ...props, onchange: () => {
    const value = Number(el.value);
    if (el.value.trim() && Number.isFinite(value)) write(Math.min(el.max, Math.max(el.min, value)));
    el.value = read();
  } });
  const draw = () => document.activeElement === el || put(el, { value: read() });
  return { el, draw };
}

let ids = 0;
export const newId = () => `sbs${++ids}`;
