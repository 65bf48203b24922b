// Classic script of the built page: `sbs.mount(host)` is called right behind each host.
import { mountDemo } from "./ui/demo.js";
import { views } from "./views/index.js";

const mounted = new Map();

// The same three calls that an anywidget model has.
function pageModel(initial) {
  const values = { initial, state: initial, t: initial.t };
  return { get: (key) => values[key], set: (key, value) => (values[key] = value), on() {}, off() {}, save_changes() {} };
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
