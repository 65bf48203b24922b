// A view as an anywidget: the default export of its bundle.
import { learn } from "./core/state.js";
import { mountDemo } from "./ui/demo.js";

export function widget(view, rules) {
  learn(rules);
  return {
    render({ model, el }) {
      el.classList.add("sbs-demo", `sbs-${model.get("initial").view}`);
      // JupyterLab and Notebook have their own shortcuts and must not see the demo's keys.
      el.dataset.lmSuppressShortcuts = "true";
      return mountDemo({ model, el }, view).cleanup;
    },
  };
}
