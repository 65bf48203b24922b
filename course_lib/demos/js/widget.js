// Entry for anywidget: one default export.
import { mountDemo } from "./ui/demo.js";
import { views } from "./views/index.js";

function render({ model, el }) {
  const { view } = model.get("initial");
  el.classList.add("sbs-demo", `sbs-${view}`);
  // JupyterLab and Notebook have their own shortcuts and must not see the demo's keys.
  el.dataset.lmSuppressShortcuts = "true";
  const demo = mountDemo({ model, el }, views[view]);
  return demo.cleanup;
}

export default { render };
