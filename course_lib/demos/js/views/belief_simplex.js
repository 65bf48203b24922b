// The exact belief of an HMM, and beliefs decoded from networks, in one triangle.

import { cloud, read } from "../core/belief.js";
import { unpackAll } from "../core/packed.js";
import { array, firstChange, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put } from "../ui/dom.js";
import { lanes } from "../ui/lanes.js";

const MOST = 40; // symbols, as in the schema
const CLOUD = 2200;
const TRAIL = 6; // steps that the trail goes back
const HEAD = 90; // tiles, and a line for the name of the lanes
const EDGE = 28; // around the triangle, for names and points outside
const WIDEST = 360;

const networksOf = new WeakMap(); // unpacked once a demo
function networks(fixed) {
  if (!networksOf.has(fixed)) networksOf.set(fixed, fixed.networks.map(unpackAll));
  return networksOf.get(fixed);
}
const farthest = (r) => Math.max(0.2, ...r.nets.flatMap((net) => net.gap));
const impossible = (s, r) => !r.belief[s.t];
const two = (v) => num(Math.abs(v) < 0.005 ? 0 : v, 2); // no powers of ten
const argmax = (row) => row.reduce((b, v, k) => (v > row[b] ? k : b), 0);
const sub = (n) => [...String(n)].map((d) => "₀₁₂₃₄₅₆₇₈₉"[d]).join("");
const plus = (v) => `${v < 0 ? "−" : "+"} ${num(Math.abs(v))}`;
const short = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
// What a reader types for each symbol: its first letter where these differ, else its number.
function keysOf(symbols) {
  const first = symbols.map((name) => name[0]);
  const differ = new Set(first.map((key) => key.toUpperCase())).size === first.length;
  return differ && first.every((key) => /[a-z0-9]/i.test(key)) ? first : symbols.map((_, v) => `${v + 1}`);
}
const keyed = (keys, typed) => keys.findIndex((key) => key.toUpperCase() === typed.toUpperCase());

export const belief_simplex = {
  title: "Two beliefs",

  range: (s) => ({ max: s.obs.length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, s.obs.length - 1);
    return s;
  },

  wrong({ obs, opts, fixed: { symbols, networks: all, states } }) {
    if (obs.some((y) => y >= symbols.length)) return `obs must be below ${symbols.length}`;
    if (opts.cell >= states.length) return `cell must be below ${states.length}`;
    return opts.network < all.length ? "" : `network must be below ${all.length}`;
  },

  compute({ obs, fixed }, old) {
    const from = old ? firstChange(obs, old.state.obs) : 0;
    if (old && from === obs.length && from === old.state.obs.length) return old.result;
    return read(obs, fixed.model, networks(fixed), old?.result, from);
  },

  facts(s, r) {
    const { t } = s;
    const b = r.belief[t];
    const at = (key) => r.nets.map((net) => net[key][t]);
    return {
      t, obs: s.obs, belief: b, next: r.next[t], largest: b && Math.max(...b),
      centre: b && Math.sqrt(b.reduce((sum, p) => sum + (p - 1 / b.length) ** 2, 0) / 2),
      decoded: at("decoded"), gap: at("gap"), excess: at("excess"),
    };
  },

  say(s, r) {
    const { t, obs, opts: { network }, fixed: { states, symbols } } = s;
    const name = `“${s.fixed.networks[network].name}”`;
    if (impossible(s, r)) return `Impossible: no state that can be reached at t = ${r.exact.dead} ever shows ${symbols[obs[r.exact.dead]]}, so there is no exact belief. The network answers all the same. Change a symbol.`;
    const b = r.belief[t];
    const net = r.nets[network];
    const top = argmax(b);
    const next = argmax(r.next[t]);
    return `After ${symbols[obs[t]]} the exact belief in ${states[top]} is ${two(b[top])}, the one decoded from ${name} ${two(net.decoded[t][top])}: ${num(net.gap[t])} of a side between the two points${Math.min(...net.decoded[t]) < -0.005 ? " (the decoded one lies outside)" : ""}. Next comes ${symbols[next]} with ${two(r.next[t][next])}, by the network with ${two(net.next[t][next])}: predicting as it does costs ${num(net.excess[t], 4)} nats.`;
  },

  sums(s, r) {
    const { t, obs, opts: { network, cell: j }, fixed } = s;
    const { pi, A, B } = fixed.model;
    const k = fixed.states[j];
    const y = fixed.symbols[obs[t]];
    const p = networks(fixed)[network];
    const now = r.nets[network].trace[t + 1].h;
    const prior = r.exact.predicted[t][j];
    const joint = prior * B[j][obs[t]];
    const dead = impossible(s, r);
    const last = r.belief[t - 1];
    const terms = now.map((v, i) => ({ i, v, w: p.probe_W[i][j] })).sort((a, b) => Math.abs(b.v * b.w) - Math.abs(a.v * a.w));
    const rest = terms.slice(3).reduce((sum, { v, w }) => sum + v * w, 0);
    return [
      ["predict", t ? `Σ belief(i) · A(i, ${k})` : `π(${k})`,
        t && last ? `${last.map((a, i) => `${num(a)} × ${num(A[i][j])}`).join(" + ")} = ${num(prior)}` : num(t ? 0 : pi[j])],
      ["weigh", `× B(${k}, ${y})`, `${num(prior)} × ${num(B[j][obs[t]])} = ${num(joint)}`],
      ["normalise", "÷ the sum over states", dead ? "0 ÷ 0: not defined" : `${num(joint)} ÷ ${num(r.exact.c[t])} = ${num(r.belief[t][j])}`],
      ["decode", `Σ h · W + b: ${terms.slice(0, 3).map(({ i }) => `h${sub(i)}`).join(", ")}${terms.length > 3 ? `, ${terms.length - 3} more` : ""}, b`,
        `${terms.slice(0, 3).map(({ v, w }, n) => `${n ? plus(v) : num(v)} × ${num(w)}`).join(" ")} ${terms.length > 3 ? `${plus(rest)} ` : ""}${plus(p.probe_b[j])} = ${num(r.nets[network].decoded[t][j])}`],
    ];
  },

  question(s, r) {
    const { t, obs, opts: { cell }, fixed: { states, symbols } } = s;
    if (impossible(s, r)) return null;
    return { key: `${cell}|${obs.slice(0, t + 1)}`, prompt: `t = ${t}: ${symbols[obs[t]]} was read. How sure of ${states[cell]} is the exact belief now?`, truth: r.belief[t][cell], min: 0, max: 1, step: 0.01 };
  },

  table(s, r) {
    const { fixed: { states, symbols, networks: all }, opts: { network } } = s;
    const net = r.nets[network];
    const numbers = (row, like) => like.map((_, k) => num(row?.[k], 4));
    return {
      caption: `Beliefs and next symbols, exact and by “${all[network].name}”; distances of all networks`,
      head: ["t", "read", ...states.map((k) => `exact ${k}`), ...states.map((k) => `decoded ${k}`), ...all.map((one) => `distance, ${one.name}`),
        ...symbols.map((v) => `next ${v}, exact`), ...symbols.map((v) => `next ${v}, network`), "cost in nats"],
      rows: s.obs.map((y, t) => [`${t}`, symbols[y], ...numbers(r.belief[t], states), ...numbers(net.decoded[t], states), ...r.nets.map((one) => num(one.gap[t], 4)),
        ...numbers(r.next[t], symbols), ...numbers(net.next[t], symbols), num(net.excess[t], 5)]),
      current: s.t,
    };
  },

  python({ fixed, opts, ...s }) {
    const types = { gru: "GRUParams", lstm: "LSTMParams", rnn: "RNNParams" };
    const all = networks(fixed);
    const lines = Object.entries(fixed.model).map(([key, x]) => `${key} = ${array(x)}`);
    lines.push("networks = [");
    for (const { name, kind, reset, update, readout_W, readout_b, probe_W, probe_b, ...weights } of all) {
      lines.push("    demos.BeliefNetwork(", `        name=${JSON.stringify(name)},`, `        params=${kind}.${types[kind]}(`,
        ...Object.entries(weights).filter(([, x]) => x).map(([key, x]) => `            ${key}=${array(x)},`),
        ...(kind === "gru" ? [`            reset="${reset}", update="${update}",`] : []), "        ),",
        `        readout=(${array(readout_W)}, ${array(readout_b)}),`, `        probe=(${array(probe_W)}, ${array(probe_b)}),`, "    ),");
    }
    lines.push("]");
    const raw = (text) => ({ raw: text });
    return python(s, [...new Set(all.map((one) => one.kind))].sort().join(", "), lines, {
      obs: s.obs, pi: raw("pi"), A: raw("A"), B: raw("B"), networks: raw("networks"), states: fixed.states, symbols: fixed.symbols, t: s.t, network: opts.network, cell: opts.cell,
    }) + 'print(demo.trace()["gap"].round(4))\n';
  },

  build,
};

function build(ctx) {
  const { states, symbols, networks: all } = ctx.initial.fixed;
  const keys = keysOf(symbols);
  const plane = simplex(ctx.initial.fixed);

  // Which network, and what it holds beside the truth
  const pick = choice({ legend: "Network", options: all.map((one) => one.name), set: (n) => ctx.set((s) => (s.opts.network = n)) });
  const where = pairs("Belief: exact above, decoded below", states);
  const what = pairs("Next symbol: exact above, network below", symbols);
  const apart = h("b");
  const cost = h("b");
  const side = h("div", { class: "sbs-beside" }, where.el, what.el,
    h("p", { class: "sbs-apart" }, h("span", {}, "distance ", apart), h("span", {}, "cost ", cost)));

  // The sequence
  const rows = all.map((one, n) => ({
    label: one.name, low: 0, high: 1, tall: 34, get: (r) => r.nets[n].gap, bold: (s) => s.opts.network === n,
    range: (r) => ({ low: 0, high: farthest(r) }),
  }));
  const scale = h("small");
  const trace = lanes({ ctx, rows, head: HEAD, least: 44, most: 62 });
  const tiles = h("div", { class: "sbs-tiles", role: "group", "aria-label": "symbols" });
  trace.canvas.append(tiles);
  trace.gutter.before(h("div", { class: "sbs-head", style: "top:8px" }, h("b", { text: "read" }), h("small", { text: "click to edit" })),
    h("div", { class: "sbs-head", style: `top:${HEAD - 36}px` }, h("b", { text: "distance" }), scale));
  const write = (t, y) => ctx.set((s) => {
    s.obs[t] = y;
    s.t = t;
  }, `obs${t}`);
  const add = symbols.map((name, y) => h("button", { type: "button", class: "sbs-btn", text: `+ ${short(name, 12)}`, "aria-label": `add ${name} at the end`, onclick: () => ctx.set((s) => {
    if (s.obs.length < MOST) s.obs.push(y);
    s.t = s.obs.length - 1;
  }) }));
  const remove = (t) => ctx.set((s) => {
    if (s.obs.length > 1) s.obs.splice(t, 1);
    s.t = Math.min(Math.max(0, t - (t === s.obs.length)), s.obs.length - 1);
  });
  const drop = h("button", { type: "button", class: "sbs-btn sbs-wide", onclick: () => remove(ctx.state.t) });
  const typed = (s) => s.obs.map((y) => keys[y]).join("");
  const field = h("input", { type: "text", class: "sbs-field sbs-type", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    oninput: () => {
      const obs = [...field.value].map((letter) => keyed(keys, letter)).filter((y) => y >= 0).slice(0, MOST);
      const here = Math.max(0, Math.min(obs.length, field.selectionStart) - 1);
      if (obs.length) ctx.set((s) => Object.assign(s, { obs, t: here }), "typed");
    },
    onblur: () => put(field, { value: typed(ctx.state) }) });
  const edit = h("div", { class: "sbs-edit" }, h("span", { class: "sbs-btns" }, add, drop), h("label", { class: "sbs-exact" }, `or type (${keys.join(", ")})`, field));

  const cell = choice({ legend: "Arithmetic of", options: states, set: (k) => ctx.set((s) => (s.opts.cell = k)) });
  const sums = arithmetic();

  function draw(s, r, look) {
    const { t, obs, opts: { network } } = s;
    const net = r.nets[network];
    const { hide, palette } = look;
    pick.draw(network);
    plane.draw(s, r, look);
    where.draw(r.belief[t], net.decoded[t], look);
    what.draw(r.next[t], net.next[t], look);
    put(apart, { text: hide ? "?" : num(net.gap[t]) });
    put(cost, { text: hide ? "?" : net.excess[t] === null ? "none" : `${num(net.excess[t], 4)} nats` });
    put(scale, { text: `full bar ${num(farthest(r), 2)}` });
    const { w } = trace.draw(s, r, look);
    keep(tiles, obs.length, (i) => h("button", {
      type: "button", class: "sbs-tile",
      onclick: () => (ctx.state.t === i ? write(i, (ctx.state.obs[i] + 1) % symbols.length) : ctx.go(i)),
      onkeydown: (event) => {
        const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        const letter = keyed(keys, event.key);
        const to = tiles.children[i + ({ ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? NaN)];
        if (by) write(i, (ctx.state.obs[i] + by + symbols.length) % symbols.length);
        else if (letter >= 0 && !event.ctrlKey && !event.metaKey) write(i, letter);
        else if (event.key === "Delete" || event.key === "Backspace") {
          if (i && i === ctx.state.obs.length - 1) tiles.children[i - 1].focus();
          remove(i);
        } else if (to) {
          to.focus();
          ctx.go([...tiles.children].indexOf(to));
        } else return;
        event.preventDefault();
      },
    })).forEach((tile, i) => {
      const name = symbols[obs[i]];
      tile.style.left = `${(i + 0.5) * w - 20}px`;
      tile.style.fontSize = name.length > 2 ? "12px" : "";
      put(tile, { text: name, "aria-label": `t = ${i}, read ${name}. Up and down arrows change it, Delete removes it`, "aria-current": i === t ? "step" : null });
    });
    for (const button of add) put(button, { "aria-disabled": obs.length < MOST ? null : "true", title: obs.length < MOST ? null : `${MOST} symbols are the most` });
    put(drop, { text: `delete t = ${t}`, "aria-disabled": obs.length > 1 ? null : "true" });
    if (document.activeElement !== field) put(field, { value: typed(s) });
    cell.draw(s.opts.cell);
    sums.draw(hide ? [["predict", "your guess first", "?"]] : belief_simplex.sums(s, r));
  }
  return {
    el: h("div", { class: "sbs-main" }, all.length > 1 ? pick.el : null, h("div", { class: "sbs-two" }, plane.el, side), trace.el, edit),
    after: h("div", { class: "sbs-why" }, cell.el, sums.el),
    draw,
  };
}

// Two bars a name: the truth above, the network below.
function pairs(title, names) {
  const parts = names.map((name) => {
    const bars = [0, 1].map(() => h("i"));
    const text = h("span", { class: "sbs-num" });
    return { bars, text, el: h("div", { class: "sbs-pair" }, h("span", { class: "sbs-name", text: name, title: name }), h("span", { class: "sbs-bars" }, bars), text) };
  });
  return {
    el: h("div", { class: "sbs-pairs" }, h("div", { class: "sbs-row-title", text: title }), parts.map((part) => part.el)),
    draw: (exact, mine, { hide, palette }) => parts.forEach(({ bars, text }, k) => {
      const values = [exact?.[k], mine[k]];
      bars.forEach((bar, i) => {
        bar.style.width = `${hide ? 0 : 100 * Math.min(1, Math.max(0, values[i] ?? 0))}%`;
        bar.style.background = palette.states[i];
      });
      put(text, { text: hide ? "?" : values.map(two).join(" · ") });
    }),
  };
}

// The triangle of all beliefs in three states; with two states, a ruler for each belief. It is as
// wide as there is room, and what never moves is placed again only when the room changes.
function simplex({ states, model }) {
  const three = states.length > 2;
  const reachable = cloud(model, CLOUD);
  let [wide, tall, corners] = [-1, 0, []];
  // A decoded point may lie outside: it stops at the edge of the picture.
  const place = (b, lower = 0) => [wide, tall].map((size, axis) => {
    const at = b.reduce((sum, p, k) => sum + p * corners[k][axis], 0) + (three || !axis ? 0 : lower ? 16 : -16);
    return Math.min(size - 6, Math.max(6, at)).toFixed(1);
  }).join(" ");
  const line = (points) => `M${points.join("L")}`;
  const names = states.map((name) => h("svg:text", { text: short(name, 16) }));
  const frame = h("svg:path", { class: "sbs-frame" });
  const dots = h("svg:path", { class: "sbs-cloud" });
  const gap = h("svg:path", { class: "sbs-gap" });
  const trails = [0, 1].map((i) => h("svg:g", { class: i ? "sbs-trail sbs-dashed" : "sbs-trail" }));
  const [start, exact, mine] = [4, 6, 9].map((r) => h("svg:circle", { r }));
  put(start, { class: "sbs-startdot" });
  put(mine, { class: "sbs-ring" });
  const svg = h("svg:svg", { class: "sbs-picture", "aria-hidden": "true" }, frame, dots, names, gap, trails, start, exact, mine);
  const key = [["sbs-exactdot", "exact"], ["sbs-ringdot", "decoded"], ["sbs-first", "start"]].map(([kind, text]) => h("span", {}, h("i", { class: kind }), text));
  const el = h("div", { class: "sbs-simplex" }, svg, h("p", { class: "sbs-key" }, key));
  const at = (circle, point) => {
    const [cx, cy] = point ? place(...point).split(" ") : [0, 0];
    put(circle, { cx, cy, opacity: point ? 1 : 0 });
  };

  function fit() {
    const room = Math.max(2 * EDGE + 1, Math.min(WIDEST, el.clientWidth)); // Jupyter draws before there is room
    if (room === wide) return;
    wide = room;
    const side = wide - 2 * EDGE;
    tall = three ? Math.round(side * Math.sqrt(3) / 2) + 2 * EDGE : 110;
    const base = three ? tall - EDGE : tall / 2;
    corners = [[EDGE, base], [EDGE + side, base], [wide / 2, EDGE]];
    put(svg, { width: wide, height: tall });
    put(frame, { d: three ? `${line(corners.map((c) => c.join(" ")))}Z` : [0, 1].map((i) => line([place([1, 0], i), place([0, 1], i)])).join("") });
    put(dots, { d: reachable.map((b) => `M${place(b)}h0${three ? "" : `M${place(b, 1)}h0`}`).join("") });
    names.forEach((text, k) => {
      const centred = k > 1 || states[k].length < 8; // longer names start at the edge of the picture
      put(text, { x: centred ? corners[k][0] : [4, wide - 4][k], y: k < 2 ? tall - 8 : 18, style: `text-anchor:${centred ? "middle" : ["start", "end"][k]}` });
    });
    at(start, [model.pi]);
  }
  function draw({ t, opts: { network } }, r, { hide, palette }) {
    fit();
    const end = hide ? t - 1 : t;
    [r.belief, r.nets[network].decoded].forEach((all, i) => {
      const points = all.slice(Math.max(0, end - TRAIL), end + 1);
      const colour = palette.states[i];
      keep(trails[i], Math.max(0, points.length - 1), () => h("svg:path")).forEach((path, n) => {
        const [a, b] = points.slice(n, n + 2);
        put(path, { d: a && b ? line([place(a, i), place(b, i)]) : "", stroke: colour, opacity: Math.max(0.25, 1 - (points.length - 2 - n) / TRAIL).toFixed(2) });
      });
      at([exact, mine][i], end >= 0 && all[end] && [all[end], i]);
      put([exact, mine][i], { [i ? "stroke" : "fill"]: colour });
      put(key[i].firstChild, { style: `--colour:${colour}` });
    });
    const [a, b] = end >= 0 ? [r.belief[end], r.nets[network].decoded[end]] : [];
    put(gap, { d: a && b ? line([place(a), place(b, 1)]) : "" });
  }
  return { el, draw };
}
