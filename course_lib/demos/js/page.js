// The kit on a built page. `sbs.add` is called by the script of each view, then `sbs.mount(host)`
// right behind each host.
import { learn } from "./core/state.js";
import { mountDemo } from "./ui/demo.js";

const views = {};
const mounted = new Map();

// The same three calls that an anywidget model has.
function pageModel(initial) {
  const values = { initial, state: initial, t: initial.t };
  return { get: (key) => values[key], set: (key, value) => (values[key] = value), on() {}, off() {}, save_changes() {} };
}

export function add(name, view, rules) {
  views[name] = view;
  learn(rules);
}

export function mount(host) {
  try {
    const initial = JSON.parse(host.querySelector("script[type='application/json']").textContent);
    mounted.set(initial.name, mountDemo({ model: pageModel(initial), el: host }, views[initial.view]));
  } catch (error) {
    host.dataset.error = error.message; // the picture stays
  }
}

export const get = (name) => mounted.get(name);
