// What every demo shares: state, undo, links, goals, prediction, table, share, copy as Python.
//
// A view gives: `range(state)`, `tidy(state)`, `compute(state, old, computed)`, `build(ctx)` ->
// {el, draw}, and optionally `facts`, `say`, `table`, `python`, `question`, `setProb`. `computed` is
// what a kernel sent for the state, where Python does the computing.

import { applyEntries, checkState, copy, holds, parseHash, shareHash } from "../core/state.js";
import { h, icon, keep, num, palette, put } from "./dom.js";
import { stepper } from "./stepper.js";

const SPEAK_MS = 500;
const GESTURE_MS = 900;
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function mountDemo({ model, el }, view) {
  const initial = model.get("initial");
  let state = copy(model.get("state"));
  const compute = (old) => view.compute(state, old, model.get("computed"));
  let result = compute();
  let marked = result; // what the last gesture started from: views mark what changed since
  const undos = [];
  const done = new Set();
  const revealed = new Map();
  let gesture = { label: "", time: 0 };
  let frame = 0;

  // -- state ----------------------------------------------------------------------------------
  function adopt(next, before = state) {
    state = view.tidy(next);
    result = compute({ state: before, result });
    frame ||= requestAnimationFrame(draw);
  }
  function remember(label) {
    const now = performance.now();
    if (!label || label !== gesture.label || now - gesture.time > GESTURE_MS) {
      undos.push(state);
      if (label !== "t") marked = result;
    }
    gesture = { label, time: now };
  }
  function set(change, label = "") {
    const next = copy(state);
    change(next);
    if (JSON.stringify(next) === JSON.stringify(state)) return;
    remember(label);
    tell("");
    adopt(next);
  }
  const go = (t) => set((s) => (s.t = t), "t");
  function undo() {
    if (!undos.length) return;
    gesture = { label: "", time: 0 };
    marked = result;
    adopt(undos.pop());
  }
  const reset = () => {
    remember("");
    adopt(copy(initial));
  };
  // A state from outside: a link, a share hash, Python.
  function follow(hash, flash) {
    const entries = parseHash(hash, state.name);
    if (!entries) return false;
    try {
      const next = applyEntries(initial, entries, view.setProb);
      const K = next.fixed.states?.length;
      const error = checkState(next) || (next.opts.cell >= K ? `cell must be below ${K}` : "") || view.wrong(next)
        || (next.t > view.range?.(next).max ? `t must be at most ${view.range(next).max}` : "");
      if (error) throw Error(error);
      remember("");
      adopt(next);
      tell("");
    } catch (error) {
      tell(`This link cannot be shown: ${error.message}.`);
    }
    if (flash) {
      root.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "center" });
      root.classList.remove("sbs-flash");
      void root.offsetWidth; // restart the animation
      root.classList.add("sbs-flash");
      root.focus({ preventScroll: true });
    }
    return true;
  }

  // -- parts ----------------------------------------------------------------------------------
  const title = state.fixed.title || view.title;
  const problem = h("p", { class: "sbs-problem", role: "alert" });
  const tell = (text) => put(problem, { text });
  const live = h("p", { class: "sbs-live", "aria-live": "polite" });
  let speaking = 0;
  function speak(text) {
    clearTimeout(speaking);
    speaking = setTimeout(() => put(live, { text }), SPEAK_MS);
  }
  const ctx = { initial, get state() { return state; }, get result() { return result; }, set, go, speak, root: null };
  const part = view.build(ctx);
  const steps = view.range && stepper({ host: el, read: () => ({ dir: 1, min: 0, t: state.t, ...view.range(state) }), go, undo, canUndo: () => undos.length > 0, reset });
  const say = h("p", { class: "sbs-say" });
  const ask = view.question && predictor({ view, ctx, revealed, redraw: () => draw() });
  const tabs = panels([
    state.fixed.goals?.length && goalsPanel(),
    ask && { name: "Predict first", toggle: () => set((s) => (s.opts.predict = !s.opts.predict)), on: () => state.opts.predict },
    view.table && tablePanel(),
    view.python && { name: "Share", ...sharePanel() },
    view.python && { name: "Copy as Python", ...textPanel("Python that rebuilds this state", () => view.python(state)) },
  ].filter(Boolean));
  const root = h("div", { class: "sbs", role: "group", "aria-label": title, tabindex: -1 },
    h("div", { class: "sbs-title", text: title }), problem, part.el, steps?.el, ask?.el,
    view.say && say, part.after, tabs.el, live);
  ctx.root = root;

  function goalsPanel() {
    const list = h("ul", { class: "sbs-goals" });
    const items = keep(list, state.fixed.goals.length, (i) =>
      h("li", {}, h("span", { class: "sbs-tick", role: "img" }), h("span", { text: state.fixed.goals[i].text })));
    return {
      get name() { return `Goals ${done.size}/${items.length}`; },
      el: list,
      always: () => {
        const facts = view.facts(state, result, initial);
        state.fixed.goals.forEach((goal, i) => {
          if (!done.has(i) && !ask?.waiting() && holds(goal, facts)) {
            done.add(i);
            if (undos.length) speak(`Goal reached: ${goal.text}`);
          }
          put(items[i], { class: done.has(i) ? "sbs-done" : null });
          put(items[i].firstChild, { text: done.has(i) ? "✓" : "○", "aria-label": done.has(i) ? "reached" : "open" });
        });
      },
    };
  }
  function tablePanel() {
    const head = h("tr");
    const body = h("tbody");
    const caption = h("caption");
    const box = h("div", { class: "sbs-table", tabindex: 0, role: "region", "aria-label": `table of the trace: ${state.name}` },
      h("table", {}, caption, h("thead", {}, head), body));
    return {
      name: "Table",
      el: box,
      draw: () => {
        const data = view.table(state, result);
        put(caption, { text: data.caption });
        keep(head, data.head.length, () => h("th", { scope: "col" })).forEach((th, i) => put(th, { text: data.head[i] }));
        keep(body, data.rows.length, () => h("tr")).forEach((tr, r) => {
          put(tr, { "aria-current": data.current === r ? "step" : null });
          keep(tr, data.head.length, (i) => h(i ? "td" : "th", i ? {} : { scope: "row" }))
            .forEach((cell, i) => put(cell, { text: data.rows[r][i] }));
        });
      },
    };
  }
  function sharePanel() {
    return textPanel("Link to exactly this state", () => location.href.split("#")[0] + shareHash(initial, state),
      () => {
        try {
          history.replaceState(history.state, "", shareHash(initial, state));
        } catch {
          // some readers of file:// pages refuse; the link can still be copied
        }
      });
  }
  function textPanel(label, text, act) {
    const field = h("textarea", { readonly: true, class: "sbs-code", "aria-label": label });
    const button = h("button", { type: "button", class: "sbs-btn sbs-wide", text: "Copy", onclick: async () => {
      act?.();
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        put(button, { text: "Copied" });
      } catch {
        put(button, { text: "Selected: press Ctrl+C" });
      }
    } });
    return {
      el: h("div", { class: "sbs-text" }, field, button),
      draw: () => {
        const now = text();
        if (field.value === now) return;
        field.value = now;
        field.rows = Math.min(16, now.split("\n").length + (now.includes("\n") ? 0 : 1));
        put(button, { text: "Copy" });
      },
    };
  }

  // -- drawing --------------------------------------------------------------------------------
  function draw() {
    cancelAnimationFrame(frame);
    frame = 0;
    ask?.draw();
    const hide = !!ask?.waiting();
    root.classList.toggle("sbs-hide", hide);
    part.draw(state, result, { marked, hide, palette: palette(root), calm: calm() });
    steps?.draw();
    if (view.say) {
      const text = hide ? "" : view.say(state, result);
      if (say.textContent !== text) {
        put(say, { text });
        if (undos.length) speak(text);
      }
    }
    tabs.draw();
    const now = JSON.stringify(state);
    if (now !== sent) {
      sent = now;
      model.set("state", JSON.parse(now));
      model.set("t", state.t);
      model.save_changes();
    }
  }
  let sent = JSON.stringify(state);

  // -- the outside world ----------------------------------------------------------------------
  const gone = new AbortController();
  const listen = (target, type, act) => target.addEventListener(type, act, { signal: gone.signal });
  const fromPython = () => {
    const next = model.get("state");
    if (JSON.stringify(next) === JSON.stringify(state)) return;
    remember("");
    sent = JSON.stringify(next);
    adopt(copy(next));
  };
  const computedByPython = () => adopt(state);
  const stepFromPython = () => model.get("t") !== state.t && go(model.get("t"));
  model.on("change:state", fromPython);
  model.on("change:t", stepFromPython);
  model.on("change:computed", computedByPython);
  listen(document, "click", (event) => {
    const link = event.target.closest?.("a[href*='#demo=']");
    if (link && follow(link.hash || link.getAttribute("href"), true)) event.preventDefault();
  });
  listen(window, "hashchange", () => follow(location.hash, true));
  listen(root, "keydown", (event) => {
    const typing = /INPUT|TEXTAREA/.test(event.target.tagName) && !/range|radio|checkbox/.test(event.target.type);
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.shiftKey && !typing) {
      event.preventDefault();
      undo();
    }
  });
  const redraw = () => (frame ||= requestAnimationFrame(draw));
  const sizes = new ResizeObserver(redraw);
  const themes = new MutationObserver(redraw);
  for (const target of [document.documentElement, document.body]) {
    themes.observe(target, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] });
  }
  listen(matchMedia("(prefers-color-scheme: dark)"), "change", redraw);

  el.replaceChildren(root);
  sizes.observe(root);
  if (location.hash.startsWith("#demo=")) follow(location.hash, false);
  draw();
  undos.length = 0;
  if (parseHash(location.hash, state.name)) addEventListener("load", () => root.scrollIntoView({ block: "center" }), { once: true, signal: gone.signal });

  const cleanup = () => {
    gone.abort();
    clearTimeout(speaking);
    cancelAnimationFrame(frame);
    steps?.destroy();
    sizes.disconnect();
    themes.disconnect();
    model.off?.("change:state", fromPython);
    model.off?.("change:t", stepFromPython);
    model.off?.("change:computed", computedByPython);
    el.replaceChildren();
  };
  return { cleanup, get state() { return state; }, get result() { return result; } };
}

// Buttons that unfold what belongs to them; `toggle` entries are switches without a panel.
function panels(list) {
  let open = null;
  const buttons = list.map((p) => h("button", {
    type: "button", class: "sbs-btn sbs-wide", onclick: () => {
      if (p.toggle) return p.toggle();
      open = open === p ? null : p;
      draw();
    },
  }));
  const box = h("div", { class: "sbs-panel" });
  function draw() {
    list.forEach((p, i) => {
      p.always?.();
      put(buttons[i], { text: p.name, [p.toggle ? "aria-pressed" : "aria-expanded"]: String(p.toggle ? p.on() : p === open) });
    });
    open?.draw?.();
    const shown = open ? [open.el] : [];
    if (box.firstChild !== (shown[0] ?? null)) box.replaceChildren(...shown);
  }
  return { el: list.length ? h("div", { class: "sbs-tabs" }, h("div", { class: "sbs-btns" }, buttons), box) : null, draw };
}

// Predict, then reveal: a guess by slider before the step's result is shown.
function predictor({ view, ctx, revealed, redraw }) {
  const prompt = h("p", { class: "sbs-ask" });
  const score = h("p", { class: "sbs-score" });
  const guess = h("input", { type: "range", class: "sbs-scrub", oninput: () => put(value, { text: num(+guess.value, 2) }) });
  const value = h("output", { class: "sbs-num" });
  const reveal = h("button", { type: "button", class: "sbs-btn sbs-wide", text: "Reveal", onclick: () => {
    const q = view.question(ctx.state, ctx.result);
    revealed.set(q.key, Math.abs(+guess.value - q.truth));
    const mean = [...revealed.values()].reduce((a, b) => a + b, 0) / revealed.size;
    const text = `You said ${num(+guess.value, 2)}; it is ${num(q.truth, 2)}. Mean error ${num(mean, 2)}.`;
    put(score, { text });
    ctx.speak(text);
    redraw();
  } });
  const form = h("div", { class: "sbs-guess" }, guess, value, reveal);
  const el = h("div", { class: "sbs-predict" }, prompt, form, score);
  const current = () => (ctx.state.opts.predict ? view.question(ctx.state, ctx.result) : null);
  const waiting = () => {
    const q = current();
    return !!q && !revealed.has(q.key);
  };
  return {
    el,
    waiting,
    draw: () => {
      const q = current();
      el.hidden = !q;
      if (!q) return;
      form.hidden = revealed.has(q.key);
      if (prompt.textContent !== q.prompt) {
        put(guess, { min: q.min, max: q.max, step: q.step, "aria-label": q.prompt });
        guess.value = (q.min + q.max) / 2;
        put(value, { text: num(+guess.value, 2) });
        put(prompt, { text: q.prompt });
      }
      if (!form.hidden) put(score, { text: "" });
    },
  };
}
