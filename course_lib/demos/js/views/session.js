// A session is built click by click; three observers say whether it will end in a purchase.

import { unpackAll } from "../core/packed.js";
import { read } from "../core/session.js";
import { array, firstChange, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put } from "../ui/dom.js";
import { dial, lanes } from "../ui/lanes.js";

const MOST = 40; // events, as in the schema
const ASKS = ["open", "ends", "goes"];
const QUESTIONS = ["so far", "if it ends here", "if it goes on"];
const TILES = 84; // tall
const CHART = [96, 128]; // top and height
const HEAD = CHART[0] + CHART[1] + 32;
const DASHES = [null, "7 4", "2 4"];
const MOVED = 8; // pixels, from which on a click is a drag

const unpacked = new WeakMap(); // once a demo
function networkOf(fixed) {
  if (!unpacked.has(fixed)) unpacked.set(fixed, unpackAll(fixed.network));
  return unpacked.get(fixed);
}
const who = ({ network: { kind } }) => ["ideal observer", kind.toUpperCase(), "bag of events"];
const lines = (s, r) => [r[s.opts.ask], r.network, r.bag];
const cut = (s) => 1 / (1 + s.opts.miss); // act from here on
const top = (s, r) => [0.25, 0.5, 1].find((v) => lines(s, r).flat().every((p) => p <= v));
const argmax = (row) => row.reduce((b, v, k) => (v > row[b] ? k : b), 0);
const plus = (v) => `${v < 0 ? "−" : "+"} ${num(Math.abs(v))}`;
const sub = (n) => [...String(n)].map((d) => "₀₁₂₃₄₅₆₇₈₉"[d]).join("");
const list = (words) => words.join(words.length > 2 ? ", " : " and ");

// The three terms of a sum of products that weigh most, and what the others come to.
function largest(terms) {
  const sorted = [...terms].sort((a, b) => Math.abs(b.v * b.w) - Math.abs(a.v * a.w));
  const [big, rest] = [sorted.slice(0, 3), sorted.slice(3)];
  return {
    big, names: `${big.map((term) => term.of).join(", ")}${rest.length ? `, ${rest.length} more` : ""}`,
    rest: rest.length ? `${plus(rest.reduce((sum, { v, w }) => sum + v * w, 0))} ` : "",
  };
}

// Per bag of whole sessions that were shown: the least and the largest answer to each question.
function remember(seen, obs, r) {
  const key = [...obs].sort().join();
  const now = ASKS.map((ask) => r[ask].at(-1));
  const was = seen[key] ?? ASKS.map(() => [Infinity, -Infinity]);
  return { ...seen, [key]: was.map(([low, high], k) => (now[k] === null ? [low, high] : [Math.min(low, now[k]), Math.max(high, now[k])])) };
}

export const session = {
  title: "Will this session buy?",

  range: (s) => ({ max: s.obs.length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, s.obs.length - 1);
    return s;
  },

  wrong({ obs, opts, fixed: { events, intents } }) {
    if (obs.some((y) => y >= events.length)) return `obs must be below ${events.length}`;
    return opts.intent < intents.length ? "" : `intent must be below ${intents.length}`;
  },

  compute({ obs, fixed }, old) {
    const from = old ? firstChange(obs, old.state.obs) : 0;
    if (old && from === obs.length && from === old.state.obs.length) return old.result;
    const r = read(obs, fixed.process, networkOf(fixed), fixed.bag, old?.result, from);
    return { ...r, seen: remember(old?.result.seen ?? {}, obs, r) };
  },

  facts(s, r, initial = s) {
    const { t } = s;
    const asked = r[initial.opts.ask][t];
    const which = ASKS.indexOf(initial.opts.ask);
    return {
      t, obs: s.obs, belief: r.belief[t], ideal: asked, network: r.network[t], bag: r.bag[t], over: r.over[t],
      off: asked === null ? null : Math.abs(r.network[t] - asked), off_bag: asked === null ? null : Math.abs(r.bag[t] - asked),
      acts: lines(s, r).map((line) => (line[t] === null ? null : line[t] >= cut(s))),
      same_bag: Math.max(0, ...Object.values(r.seen).map((ends) => ends[which][1] - ends[which][0])),
    };
  },

  say(s, r) {
    const { t, obs, opts: { ask, miss }, fixed: { intents, events } } = s;
    const names = who(s.fixed);
    const values = lines(s, r).map((line) => line[t]);
    const others = `${names[1]} ${num(values[1])}, ${names[2]} ${num(values[2])}`;
    if (!r.belief[t]) return `Impossible: no visitor shows ${events[obs[r.exact.dead]]} at t = ${r.exact.dead}, so the ideal observer has no answer. The others do not mind: ${others}. Change an event.`;
    const k = argmax(r.belief[t]);
    const most = `it believes in ${intents[k]} with ${num(r.belief[t][k], 2)}`;
    if (values[0] === null) return `After ${events[obs[t]]} ${most}. A session cannot ${ask === "ends" ? "end" : "go on"} here, so to this question the ideal observer has no answer. ${others}.`;
    const before = t ? r[ask][t - 1] : null;
    const acts = names.filter((_, i) => values[i] >= cut(s));
    const costs = acts.length % 3 ? ` Acting costs ${num(1 - values[0], 2)} false alarms on average here, waiting ${num(values[0] * miss, 2)}.` : "";
    return `After ${events[obs[t]]} the ideal observer's P(buy) ${QUESTIONS[ASKS.indexOf(ask)]} is ${num(values[0])}${before === null ? "" : ` (it was ${num(before)})`}: ${most}. ${others}. From ${num(cut(s))} on one should act: ${["nobody would", `${list(acts)} would`, `${list(acts)} would`, "all three would"][acts.length]}.${costs}`;
  },

  sums(s, r) {
    const { t, obs, opts: { intent: j, ask }, fixed: { process, intents, events, bag } } = s;
    const name = intents[j];
    const y = obs[t];
    const prior = r.exact.predicted[t][j];
    const joint = prior * process.B[j][y];
    const [last, b, of] = [r.belief[t - 1], r.belief[t], r.of[t]];
    const total = (x) => b.map((v, i) => `${num(v)} × ${num(x[i])}`).join(" + ");
    const known = (f) => (b ? f() : "no such session");
    const p = networkOf(s.fixed);
    const now = r.trace[t + 1].h;
    const hidden = largest(now.map((v, i) => ({ of: `h${sub(i)}`, v, w: p.readout_W[i] })));
    const counts = largest(events.map((event, v) => ({ of: event, v: obs.slice(0, t + 1).filter((z) => z === v).length, w: bag.coef[v] })).filter(({ v }) => v));
    return [
      ["predict", t ? `Σ belief(i) · Q(i, ${name})` : `π(${name})`,
        t && last ? `${last.map((a, i) => `${num(a)} × ${num(process.Q[i][j])}`).join(" + ")} = ${num(prior)}` : num(prior)],
      ["weigh", `× B(${name}, ${events[y]})`, `${num(prior)} × ${num(process.B[j][y])} = ${num(joint)}`],
      ["normalise", "÷ the sum over intents", known(() => `${num(joint)} ÷ ${num(r.exact.c[t])} = ${num(b[j])}`)],
      {
        open: () => ["P(buy) so far", "Σ belief · u, u = buy + Q u", known(() => `${total(process.chance)} = ${num(of.chance)}`)],
        ends: () => ["P(buy) if it ends", "Σ belief · buy ÷ Σ belief · (buy + leave)", known(() => `${num(of.bought)} ÷ ${num(of.over)} = ${num(r.ends[t])}`)],
        goes: () => ["P(buy) if it goes on", "Σ belief · Q u ÷ Σ belief · Q 1", known(() => `${num(of.later)} ÷ ${num(of.goes)} = ${num(r.goes[t])}`)],
      }[ask](),
      ["both cases", "P(ends) · if it ends + P(goes on) · if it goes on",
        known(() => `${[[of.over, r.ends[t]], [of.goes, r.goes[t]]].filter(([, v]) => v !== null).map(([p, v]) => `${num(p)} × ${num(v)}`).join(" + ")} = ${num(of.chance)}`)],
      [who(s.fixed)[1], `σ(Σ h · W + b): ${hidden.names}, b`, `σ(${hidden.big.map(({ v, w }, n) => `${n ? plus(v) : num(v)} × ${num(w)}`).join(" ")} ${hidden.rest}${plus(p.readout_b[0])}) = ${num(r.network[t])}`],
      ["bag", `σ(Σ count · weight + b): ${counts.names}, b`, `σ(${counts.big.map(({ v, w }) => `${v} × ${num(w)}`).join(" + ")} ${counts.rest}${plus(bag.intercept)}) = ${num(r.bag[t])}`],
    ];
  },

  question(s, r) {
    const { t, obs, opts: { ask }, fixed: { events } } = s;
    const truth = r[ask][t];
    if (truth === null) return null;
    return { key: `${ask}|${obs.slice(0, t + 1)}`, prompt: `t = ${t}: ${events[obs[t]]}. What is the ideal observer's P(buy) ${QUESTIONS[ASKS.indexOf(ask)]}?`, truth, min: 0, max: 1, step: 0.01 };
  },

  table(s, r) {
    const { fixed: { events, intents } } = s;
    return {
      caption: "Belief in the intents, P(ends here) and P(buy) by the three observers",
      head: ["t", "event", ...intents, "ends here", ...QUESTIONS.map((q) => `ideal, ${q}`), ...who(s.fixed).slice(1)],
      rows: s.obs.map((y, t) => [`${t}`, events[y], ...[...intents.map((_, k) => r.belief[t]?.[k]), r.over[t], r.open[t], r.ends[t], r.goes[t], r.network[t], r.bag[t]].map((v) => num(v, 4))]),
      current: s.t,
    };
  },

  python({ fixed, opts, ...s }) {
    const { process, bag, events, intents } = fixed;
    const { kind, reset, update, readout_W, readout_b, weights, ...arrays } = networkOf(fixed);
    const type = { gru: "GRUParams", lstm: "LSTMParams", rnn: "RNNParams" }[kind];
    const raw = (text) => ({ raw: text });
    return python(s, kind, [
      "from course_lib.datasets.sessions import SessionProcess", "", "process = SessionProcess(",
      ...["pi", "Q", "B", "buy", "leave"].map((key) => `    ${key}=${array(process[key])},`),
      `    events=${JSON.stringify(events)}, intents=${JSON.stringify(intents)},`, ")", `cell = ${kind}.${type}(`,
      ...Object.entries(arrays).filter(([, x]) => x).map(([key, x]) => `    ${key}=${array(x)},`),
      ...(kind === "gru" ? [`    reset="${reset}", update="${update}",`] : []), ")",
      `network = (cell, ${array(readout_W)}, ${readout_b[0]})`,
    ], {
      events: s.obs, process: raw("process"), bag: raw(`(${JSON.stringify(bag.coef)}, ${bag.intercept})`), network: raw("network"),
      t: s.t, intent: opts.intent, ask: opts.ask, miss: opts.miss,
    }) + 'print(demo.trace()["ideal"].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { events, intents } = ctx.initial.fixed;
  const names = who(ctx.initial.fixed);

  // The three observers: line, number, decision
  const rows = names.map((name) => {
    const sample = h("svg:path", { d: "M1 7H33", "stroke-width": 3 });
    const value = h("b", { class: "sbs-num" });
    const act = h("span", { class: "sbs-act" });
    return { sample, value, act, el: h("li", {}, h("svg:svg", { width: 34, height: 14, "aria-hidden": "true" }, sample), h("span", { text: name }), value, act) };
  });
  const ask = choice({ legend: "The ideal observer is asked for P(buy)", options: QUESTIONS, set: (n) => ctx.set((s) => (s.opts.ask = ASKS[n])) });
  const cost = dial({ label: "a miss costs", min: 0.5, max: 50, step: 0.5, read: () => ctx.state.opts.miss, write: (v) => ctx.set((s) => (s.opts.miss = v), "miss") });
  const from = h("p", { class: "sbs-note" });

  // Events, lines and beliefs over one time
  const trace = lanes({
    ctx, head: HEAD, least: 30, most: 46,
    rows: intents.map((label, k) => ({ label, low: 0, high: 1, tall: 34, get: (r) => r.belief.map((b) => b && b[k]), bold: (s) => s.opts.intent === k })),
  });
  const scale = h("small");
  const from0 = h("small");
  const act = h("div", { class: "sbs-head sbs-from" }, from0);
  trace.gutter.before(h("div", { class: "sbs-head", style: "top:6px" }, h("b", { text: "events" }), h("small", { text: "drag to move" })),
    h("div", { class: "sbs-head", style: `top:${CHART[0]}px` }, h("b", { text: "P(buy)" }), scale),
    act, h("div", { class: "sbs-head", style: `top:${CHART[0] + CHART[1] - 14}px` }, h("small", { text: "0" })),
    h("div", { class: "sbs-head", style: `top:${HEAD - 23}px` }, h("b", { text: "belief" })));
  const grid = h("svg:path", { class: "sbs-frame" });
  const limit = h("svg:path", { class: "sbs-limit" });
  const curves = names.map(() => h("svg:path", { class: "sbs-curve" }));
  const dots = names.map(() => h("svg:path", { class: "sbs-points" }));
  trace.top.append(grid, limit, ...curves, ...dots);

  // Editing
  const tiles = h("div", { class: "sbs-tiles", role: "group", "aria-label": "events of the session" });
  trace.canvas.append(tiles);
  const move = (t, to, { focus = false, label = "" } = {}) => {
    if (to < 0 || to >= ctx.state.obs.length || to === t) return;
    ctx.set((s) => {
      s.obs.splice(to, 0, ...s.obs.splice(t, 1));
      s.t = to;
    }, label);
    if (focus) tiles.children[to].focus();
  };
  const write = (t, y) => ctx.set((s) => {
    s.obs[t] = y;
    s.t = t;
  }, `obs${t}`);
  const remove = (t) => ctx.set((s) => {
    if (s.obs.length > 1) s.obs.splice(t, 1);
    s.t = Math.min(t, s.obs.length - 1);
  });
  const button = (text, onclick) => h("button", { type: "button", class: "sbs-btn sbs-wide", text, onclick });
  const add = events.map((event, y) => button(`+ ${event}`, () => ctx.set((s) => {
    if (s.obs.length >= MOST) return;
    s.t += 1;
    s.obs.splice(s.t, 0, y);
  })));
  const where = h("legend", { class: "sbs-legend" });
  const here = () => ctx.state.t;
  const tools = [button("", () => move(here(), here() - 1)), button("", () => move(here(), here() + 1)), button("", () => remove(here()))];
  const edit = h("fieldset", { class: "sbs-choice" }, where, h("span", { class: "sbs-btns" }, add, tools));

  // A tile follows the pointer from place to place; the session is read again at each of them.
  let held = null;
  const width = () => trace.canvas.clientWidth / ctx.state.obs.length;
  tiles.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const at = [...tiles.children].indexOf(event.target);
    if (at >= 0) held = { at, x: event.clientX, far: false };
  });
  tiles.addEventListener("pointermove", (event) => {
    if (!held || (!held.far && Math.abs(event.clientX - held.x) < MOVED)) return;
    if (!held.far) tiles.setPointerCapture(event.pointerId); // from now on no click
    held.far = true;
    const to = Math.floor((event.clientX - trace.canvas.getBoundingClientRect().left) / width());
    const next = Math.min(ctx.state.obs.length - 1, Math.max(0, to));
    move(held.at, next, { label: "drag" });
    held.at = next;
  });
  for (const end of ["pointerup", "pointercancel"]) tiles.addEventListener(end, () => (held = null));
  const keys = (i) => (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const aside = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const typed = event.ctrlKey || event.metaKey ? NaN : Number(event.key) - 1;
    if (by) write(i, (ctx.state.obs[i] + by + events.length) % events.length);
    else if (aside && event.shiftKey) move(i, i + aside, { focus: true });
    else if (aside && tiles.children[i + aside]) {
      tiles.children[i + aside].focus();
      ctx.go(i + aside);
    } else if (typed >= 0 && typed < events.length) write(i, typed);
    else if (event.key === "Delete" || event.key === "Backspace") {
      if (i && i === ctx.state.obs.length - 1) tiles.children[i - 1].focus();
      remove(i);
    } else return;
    event.preventDefault();
  };

  const intent = choice({ legend: "Arithmetic of", options: intents, set: (k) => ctx.set((s) => (s.opts.intent = k)) });
  const sums = arithmetic();

  function draw(s, r, look) {
    const { t, obs } = s;
    const { hide, palette } = look;
    const all = lines(s, r);
    const high = top(s, r);
    const { w, T } = trace.draw(s, r, look);
    ask.draw(ASKS.indexOf(s.opts.ask));
    cost.draw();
    put(from, { text: `false alarms: one acts from P(buy) = 1 ÷ (1 + ${+s.opts.miss.toFixed(2)}) = ${num(cut(s))}${cut(s) > high ? ", above the picture" : ""}.` });

    const y = (p) => CHART[0] + CHART[1] * (1 - p / high);
    put(scale, { text: num(high, 2) });
    const level = y(cut(s));
    act.hidden = level < CHART[0] + 40 || level > CHART[0] + CHART[1] - 20; // no room for the words
    put(act, { style: `top:${level - 8}px` });
    put(from0, { text: `act from ${num(cut(s), 2)}` });
    put(grid, { d: [0, 0.5, 1].map((part) => `M0 ${y(part * high)}H${T * w}`).join("") });
    put(limit, { d: cut(s) > high ? "" : `M0 ${level.toFixed(1)}H${T * w}` });
    all.forEach((line, i) => {
      const shown = line.map((p, n) => (p === null || (hide && n >= t) ? null : `${((n + 0.5) * w).toFixed(1)} ${y(p).toFixed(1)}`));
      const stroke = palette.states[i];
      put(curves[i], { d: shown.map((at, n) => at && `${n && shown[n - 1] ? "L" : "M"}${at}`).join(""), stroke, "stroke-dasharray": DASHES[i] });
      put(dots[i], { d: shown.map((at) => (at ? `M${at}h0` : "")).join(""), stroke, "stroke-width": [9, 8, 7][i] });
      put(rows[i].sample, { stroke, "stroke-dasharray": DASHES[i] });
      put(rows[i].value, { text: hide ? "?" : line[t] === null ? "none" : line[t].toFixed(3) });
      put(rows[i].act, { text: hide || line[t] === null ? "" : line[t] >= cut(s) ? "acts" : "waits" });
    });

    keep(tiles, obs.length, (i) => h("button", { type: "button", class: "sbs-tile", onclick: () => ctx.go(i), onkeydown: keys(i) })).forEach((tile, i) => {
      put(tile, {
        text: events[obs[i]], "aria-current": i === t ? "step" : null, style: `left:${i * w + 1}px;width:${w - 2}px;height:${TILES}px`,
        "aria-label": `t = ${i}: ${events[obs[i]]}. Up and down arrows change it, Shift with left and right moves it, Delete removes it`,
      });
    });
    put(where, { text: `Insert after t = ${t}` });
    for (const one of add) put(one, { "aria-disabled": obs.length < MOST ? null : "true", title: obs.length < MOST ? null : `${MOST} events are the most` });
    [["← earlier", t > 0], ["later →", t < obs.length - 1], [`delete t = ${t}`, obs.length > 1]].forEach(([text, can], i) => put(tools[i], { text, "aria-disabled": can ? null : "true" }));
    intent.draw(s.opts.intent);
    sums.draw(hide ? [["predict", "your guess first", "?"]] : session.sums(s, r));
  }
  return {
    el: h("div", {}, ask.el, h("ul", { class: "sbs-observers" }, rows.map((row) => row.el)), trace.el, edit,
      h("div", { class: "sbs-cost" }, cost.el, from)),
    after: h("div", { class: "sbs-why" }, intent.el, sums.el),
    draw,
  };
}
