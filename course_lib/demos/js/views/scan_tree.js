// A recurrence run in rounds: the doubling scan as a tree, and what streaming must keep.

import { combines, loop, memory, product, query, reach, roundsOf, says, scan } from "../core/scan.js";
import { array, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, keep, num, put } from "../ui/dom.js";
import { dial, lanes } from "../ui/lanes.js";

const ROW = 54; // of the tree
const MOST = 16;
const KINDS = ["min_gru", "linear", "hmm", "attention"];
const NAMES = { min_gru: "minGRU", linear: "linear RNN", hmm: "HMM forward", attention: "linear attention" };
const MEMORIES = ["key-value cache", "GRU", "linear attention", "state space"];
const LONGEST = 4096; // tokens
const WIDE = 320;
const HIGH = 150;

const total = (T) => Array.from({ length: roundsOf(T) + 1 }, (_, r) => combines(T, r)).reduce((a, b) => a + b);
const signed = (s) => s.opts.kind !== "hmm";
const sees = (s) => (signed(s) ? num : (v) => num(v, 3));
const span = (r, j) => (reach(r, j) === j ? `${j}` : `${reach(r, j)} to ${j}`);
const many = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;
const top = (r) => Math.max(1, Math.ceil(Math.max(...r.said.flat().map(Math.abs))));
// As it fits into a node: no powers of ten.
const brief = (v, digits) => num(Math.abs(v) < 0.5 * 10 ** -digits ? 0 : v, Math.abs(v) < 9.95 ? digits : 1);
const differ = (a, b) => a.some((v, i) => Math.abs(v - b[i]) > 1e-12);
// What the number of a node is, in words.
const thing = (s) => ({ hmm: `belief in ${s.fixed.labels[1]}`, attention: "output" })[s.opts.kind] ?? "state";
const shown = (s, e) => ({
  hmm: () => `[${num(e[0])} ${num(e[1])}; ${num(e[2])} ${num(e[3])}]`,
  attention: () => `S (${num(e[0])}, ${num(e[2])}), z (${num(e[1])}, ${num(e[3])})`,
}[s.opts.kind] ?? (() => `(${num(e[0])}, ${num(e[1])})`))();

export function bytes(b) {
  const k = [1, 1e3, 1e6, 1e9].findLastIndex((unit) => b >= unit);
  return `${num(b / 1000 ** k, k ? 1 : 0)} ${["B", "kB", "MB", "GB"][k]}`;
}

export const scan_tree = {
  title: "A loop in rounds",

  range: ({ opts: { length } }) => ({ max: roundsOf(length), what: "round" }),

  tidy(s) {
    const { opts } = s;
    s.t = Math.min(s.t, roundsOf(opts.length));
    opts.cell = Math.min(opts.cell, opts.length - 1);
    while (opts.width % opts.heads) opts.heads--;
    return s;
  },

  wrong({ obs, opts, fixed: { symbols } }) {
    if (obs.some((y) => y >= symbols.length)) return `obs must be below ${symbols.length}`;
    if (opts.cell >= opts.length) return `cell must be below ${opts.length}`;
    return opts.width % opts.heads ? "heads must divide the width" : "";
  },

  compute(s) {
    const rounds = scan(s);
    return {
      kind: s.opts.kind, rounds, said: rounds.map((row) => row.map((e, j) => says(s, e, j))), loop: loop(s, rounds[0]),
      xs: s.xs.slice(0, s.opts.length), memory: memory(s.opts, s.opts.tokens),
    };
  },

  facts(s, r, start) {
    const { length: T, kind, tokens } = s.opts;
    const was = scan_tree.compute({ ...start, opts: { ...start.opts, kind, length: T } });
    const changed = (row, n) => row.filter((e, j) => differ(e, was.rounds[n][j])).length;
    const last = roundsOf(T);
    return {
      round: s.t, length: T, kind, tokens, rounds: last, combines: total(T), ratio: total(T) / (T - 1), memory: r.memory, said: r.said, loop: r.loop,
      changed: { first: changed(r.rounds[0], 0), last: changed(r.rounds[last], last) },
    };
  },

  say(s, r) {
    const { t, opts: { cell: j, length: T } } = s;
    const v = num(r.said[t][j]);
    const what = thing(s);
    const n = combines(T, t);
    const tail = reach(t, j) ? `By itself it says ${what} ${v}; with everything before it, it will be ${num(r.loop[j])}.` : `It holds everything up to ${j}, so its ${what}, ${v}, is the loop's.`;
    const start = t ? `Round ${t}: ${many(n, "combination")} at once, each with the node ${many(2 ** (t - 1), "column")} to the left.` : `Round 0: ${T} elements, made from one input each, all at once.`;
    return `${start} Node ${j} is now one step that does what element${reach(t, j) === j ? ` ${j} does` : `s ${span(t, j)} do`} one after another. ${tail}`;
  },

  sums(s, r) {
    const { t, xs, obs, opts: { kind, cell: j, decay, gate }, fixed } = s;
    const m = fixed.models[kind];
    const e = r.rounds[t][j];
    const d = 2 ** (t - 1);
    const what = thing(s);
    const q = kind === "attention" ? query(s, j) : 0;
    const answer = {
      hmm: [what, "sum of column 2 ÷ sum of all", `${num(e[1] + e[3])} ÷ ${num(e[0] + e[1] + e[2] + e[3])} = ${num(r.said[t][j])}`],
      attention: [what, "φ(q)·S ÷ φ(q)·z", `(${q && num(q[0])} × ${num(e[0])} + ${q && num(q[1])} × ${num(e[2])}) ÷ (${q && num(q[0])} × ${num(e[1])} + ${q && num(q[1])} × ${num(e[3])}) = ${num(r.said[t][j])}`],
    }[kind] ?? [what, "a · 0 + b: nothing was there before", `${num(e[0])} × 0 + ${num(e[1])} = ${num(e[1])}`];
    if (!t) {
      const x = xs[j];
      if (kind === "hmm") {
        const [y, B] = [fixed.symbols[obs[j]], m.B.map((row) => row[obs[j]])];
        return [
          ["element", j ? "A(i, k) · B(k, y)" : "π(k) · B(k, y) in every row", shown(s, e)],
          ...[0, 1].map((k) => [`to ${fixed.labels[k]}`, `from ${fixed.labels[0]}, showing ${y}`, `${num(j ? m.A[0][k] : m.pi[k])} × ${num(B[k])} = ${num(e[k])}`]),
          answer,
        ];
      }
      if (kind === "linear") return [["factor", "a", num(decay)], ["summand", "b = x · w + bias", `${num(x, 2)} × ${num(m.w)} + ${num(m.b)} = ${num(e[1])}`], answer];
      if (kind === "min_gru") {
        const a = x * m.W_z + gate;
        const z = m.update === "write" ? 1 - e[0] : e[0];
        return [
          ["gate", "z = σ(x · w + bias)", `σ(${num(x, 2)} × ${num(m.W_z)} + ${num(gate, 2)}) = σ(${num(a)}) = ${num(z)}`],
          ["factor", m.update === "write" ? "a = 1 − z" : "a = z", num(e[0])],
          ["summand", `b = ${m.update === "write" ? "z" : "(1 − z)"} · candidate`, `${num(1 - e[0])} × ${num(x * m.W_n + m.b_n)} = ${num(e[1])}`],
          answer,
        ];
      }
      return [
        ["key", "φ(x · w)", `φ(${num(x * m.W_k[0], 2)}), φ(${num(x * m.W_k[1], 2)}) = ${num(e[1])}, ${num(e[3])}`],
        ["element", "S = φ(k) · v, z = φ(k)", shown(s, e)], answer,
      ];
    }
    if (j < d) return [["copy", "nothing further left: the node holds everything from 0", shown(s, e)], answer];
    const [l, now] = [r.rounds[t - 1][j - d], r.rounds[t - 1][j]];
    const sides = ["combine", `elements ${span(t - 1, j - d)}, then ${span(t - 1, j)}`, `${shown(s, l)} then ${shown(s, now)}`];
    if (kind === "attention") return [sides, ["add up", "S and z, number by number", shown(s, e)], answer];
    if (kind === "hmm") {
      const raw = product(l, now);
      return [
        sides,
        ["multiply", "row 1, column 2 of the product", `${num(l[0])} × ${num(now[1])} + ${num(l[1])} × ${num(now[3])} = ${num(raw[1])}`],
        ["scale", "÷ the largest of the four", `${num(raw[1])} ÷ ${num(Math.max(...raw))} = ${num(e[1])}`], answer,
      ];
    }
    return [
      sides, ["factor", "a₂ · a₁", `${num(now[0])} × ${num(l[0])} = ${num(e[0])}`],
      ["summand", "a₂ · b₁ + b₂", `${num(now[0])} × ${num(l[1])} + ${num(now[1])} = ${num(e[1])}`], answer,
    ];
  },

  question(s, r) {
    const { t, opts: { cell: j } } = s;
    const most = signed(s) ? top(r) : 1;
    return {
      key: JSON.stringify([t, s.xs, s.obs, s.opts.kind, s.opts.decay, s.opts.gate, s.opts.length, j]),
      prompt: `Round ${t}, node ${j}: it holds element${reach(t, j) === j ? "" : "s"} ${span(t, j)}. Which ${thing(s)} does it say by itself?`,
      truth: r.said[t][j], min: signed(s) ? -most : 0, max: most, step: most / 100,
    };
  },

  table(s, r) {
    const T = s.opts.length;
    return {
      caption: `${NAMES[s.opts.kind]}: ${thing(s)} that every node says; the loop's: ${r.loop.map((v) => num(v)).join(", ")}`,
      head: ["round", "combinations", ...Array.from({ length: T }, (_, j) => `node ${j}`)],
      rows: r.said.map((row, n) => [`${n}`, `${combines(T, n)}`, ...row.map((v) => num(v))]),
      current: s.t,
    };
  },

  python({ fixed, opts, ...s }) {
    const { hmm, linear, min_gru: g, attention: a } = fixed.models;
    const raw = (text) => ({ raw: text });
    const one = (x) => array([[x]]);
    const lines = [
      `hmm = (${array(hmm.pi)}, ${array(hmm.A)}, ${array(hmm.B)})`,
      `linear = linear_recurrence.LinearParams(${array([opts.decay])}, ${one(linear.w)}, ${array([linear.b])})`,
      `min_gru = min_rnn.MinGRUParams(${one(g.W_z)}, ${one(g.W_n)}, ${array([opts.gate])}, ${array([g.b_n])}, "${g.update}")`,
      `attention = linear_attention.LinearAttentionParams(${array([a.W_q])}, ${array([a.W_k])}, ${one(a.W_v)})`,
    ];
    const { kind, length, cell, tokens, layers, width, heads, memories } = opts;
    return python(s, "linear_attention, linear_recurrence, min_rnn", lines, {
      x: s.xs, obs: s.obs, kind, hmm: raw("hmm"), linear: raw("linear"), min_gru: raw("min_gru"), attention: raw("attention"),
      states: fixed.labels, symbols: fixed.symbols, length, t: s.t, cell, tokens, layers, width, heads, memories,
    }) + 'print(demo.trace()["scan"].round(3))\n';
  },

  build,
};

function build(ctx) {
  const { symbols } = ctx.initial.fixed;
  const V = symbols.length;
  const kind = choice({ legend: "Recurrence", options: KINDS.map((k) => NAMES[k]), set: (k) => ctx.set((s) => (s.opts.kind = KINDS[k])) });
  const option = (label, key, min, max, step = 1) => dial({
    label, min, max, step, read: () => ctx.state.opts[key],
    write: (v) => ctx.set((s) => (s.opts[key] = step < 1 ? Math.round(v * 100) / 100 : Math.round(v)), key),
  });
  const length = option("elements", "length", 2, MOST);
  const decay = option("decay a", "decay", 0, 1, 0.05);
  const gate = option("gate bias", "gate", -6, 6, 0.1);

  // The tree stands between what is read and what is said
  const read = { label: "input x", short: "x", low: -2, high: 2, tall: 46, digits: 2, get: (r) => r.xs, drag: { name: "input x", read: (s, j) => s.xs[j], write: (s, j, v) => (s.xs[j] = v) } };
  const face = { label: "read", low: 0, high: 1, tall: 46, heat: () => "none", get: (r, s) => s.obs.slice(0, s.opts.length), tell: (y) => symbols[y] };
  const low = (r) => (r.kind === "hmm" ? 0 : -top(r));
  const said = (name, get, space) => ({ label: name, low: -1, high: 1, tall: 40, get, space, range: (r) => ({ low: low(r), high: r.kind === "hmm" ? 1 : top(r) }) });
  const deep = (s) => (roundsOf(s.opts.length) + 1) * ROW;
  const byScan = said("this round", (r, s) => r.said[Math.min(s.t, r.said.length - 1)].slice(0, s.opts.length));
  const byLoop = said("the loop", (r) => r.loop);
  const trace = lanes({
    ctx, rows: [read, face, byScan, byLoop], head: 4, least: 36, most: 62, column: (j) => `element ${j}`,
    current: (s) => s.opts.cell, pick: (j) => ctx.set((s) => (s.opts.cell = j), "cell"),
  });
  const [edges, nodes] = [h("svg:g"), h("svg:g")];
  trace.top.append(edges, nodes);
  const heads = h("div", { class: "sbs-rounds" });
  trace.gutter.before(heads);
  const exact = trace.el.querySelector(".sbs-exact");
  const hint = trace.el.querySelector(".sbs-note").firstChild;
  const tiles = h("div", { class: "sbs-tiles", role: "group", "aria-label": "symbols" });
  trace.canvas.append(tiles);
  const write = (j, y) => ctx.set((s) => {
    s.obs[j] = y;
    s.opts.cell = j;
  }, `obs${j}`);
  const sums = arithmetic("arithmetic of the chosen node");
  const cost = h("p", { class: "sbs-cost" });
  const stream = streaming(ctx, option);

  function tree(s, r, { hide, palette, marked }, { w, T, tops }) {
    const { t, opts: { cell } } = s;
    const R = roundsOf(T);
    const [x, y] = [(j) => (j + 0.5) * w, (n) => tops[0] + 46 + ROW * (n + 0.6)];
    // Nodes that the chosen one is made of
    const made = new Set([`${t}|${cell}`]);
    for (let n = t; n > 0; n--) for (let j = 0; j < T; j++) if (made.has(`${n}|${j}`)) for (const k of [j, j - 2 ** (n - 1)]) made.add(`${n - 1}|${k}`);
    const lines = r.rounds.slice(1).flatMap((row, i) => row.flatMap((_, j) => [[i + 1, j, j], [i + 1, j, j - 2 ** i]].filter(([, , k]) => k >= 0)));
    keep(edges, lines.length, () => h("svg:path", { class: "sbs-edge" })).forEach((el, i) => {
      const [n, j, k] = lines[i];
      const on = made.has(`${n}|${j}`) && made.has(`${n - 1}|${k}`);
      put(el, { d: `M${x(k)} ${y(n - 1)}L${x(j)} ${y(n)}`, class: `sbs-edge ${on ? "sbs-made" : j < 2 ** (n - 1) ? "sbs-copy" : ""}`, opacity: n > t ? 0.25 : 1 });
    });
    const size = Math.min(20, w / 2 - 2);
    const was = marked.kind === r.kind && marked.rounds[0].length === T ? marked.rounds : null;
    keep(nodes, (R + 1) * T, (i) => h("svg:g", {
      class: "sbs-node", onclick: (event) => {
        event.stopPropagation();
        const now = ctx.state.opts.length;
        ctx.set((state) => Object.assign(state.opts, { cell: i % now }) && (state.t = Math.floor(i / now)), "t");
      },
    }, h("svg:circle"), h("svg:text"))).forEach((el, i) => {
      const [n, j] = [Math.floor(i / T), i % T];
      const veiled = hide && n >= t;
      const later = n > t;
      put(el, { transform: `translate(${x(j)} ${y(n)})`, opacity: later ? 0.35 : 1, class: `sbs-node${made.has(`${n}|${j}`) ? " sbs-part" : reach(n, j) ? "" : " sbs-full"}${n === t && j === cell ? " sbs-chosen" : ""}${was && !later && !veiled && differ(r.rounds[n][j], was[n][j]) ? " sbs-changed" : ""}` });
      put(el.firstChild, { r: size, fill: palette.paper });
      put(el.lastChild, { text: later ? "" : veiled ? "?" : brief(r.said[n][j], size > 17 ? 2 : 1) });
    });
    keep(heads, R + 1, () => h("div", { class: "sbs-head" }, h("b"), h("small"))).forEach((el, n) => {
      put(el, { style: `top:${y(n) - 18}px`, class: `sbs-head${n === t ? " sbs-bold" : ""}` });
      put(el.firstChild, { text: `round ${n}` });
      put(el.lastChild, { text: n ? `${combines(T, n)} at once` : "elements" });
    });
  }

  function draw(s, r, look) {
    const { opts: { kind: now, length: T, cell }, obs } = s;
    const hmm = now === "hmm";
    kind.draw(KINDS.indexOf(now));
    length.draw();
    decay.draw(now !== "linear");
    gate.draw(now !== "min_gru");
    byScan.space = deep(s);
    exact.hidden = hmm;
    hint.data = `${hmm ? "Click a symbol to choose it, again to change it." : "Drag in the framed lane."} Blue: what the chosen node is made of. Firm ring: holds everything from element 0. `;
    const place = trace.draw(s, r, look, [hmm ? face : read, byScan, byLoop]);
    tree(s, r, look, place);
    keep(tiles, hmm ? T : 0, (j) => h("button", {
      type: "button", class: "sbs-tile",
      onclick: () => (ctx.state.opts.cell === j ? write(j, (ctx.state.obs[j] + 1) % V) : ctx.set((state) => (state.opts.cell = j), "cell")),
      onkeydown: (event) => {
        const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
        const typed = symbols.indexOf(event.key);
        const to = tiles.children[j + ({ ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? NaN)];
        if (by) write(j, (ctx.state.obs[j] + by + V) % V);
        else if (typed >= 0) write(j, typed);
        else if (to) {
          to.focus();
          ctx.set((state) => (state.opts.cell = [...tiles.children].indexOf(to)), "cell");
        } else return;
        event.preventDefault();
      },
    })).forEach((tile, j) => {
      tile.style.left = `${(j + 0.5) * place.w - 18}px`;
      put(tile, { text: symbols[obs[j]], "aria-label": `element ${j}, read ${symbols[obs[j]]}. Up and down arrows change it`, "aria-current": j === cell ? "step" : null });
    });
    put(cost, { text: `The loop: ${many(T - 1, "combination")}, one after another. The scan: ${total(T)} in ${many(roundsOf(T), "round")}, up to ${T - 1} at once.` });
    sums.draw(look.hide ? [["predict", "your guess first", "?"]] : scan_tree.sums(s, r));
    stream.draw(s, r, look);
  }
  return {
    el: h("div", {}, kind.el, h("div", { class: "sbs-dials" }, length.el, decay.el, gate.el), trace.el, cost),
    after: h("div", {}, h("div", { class: "sbs-why" }, sums.el), stream.el),
    draw,
  };
}

// Bytes against tokens: a line that grows, and three that do not.
function streaming(ctx, option) {
  const dials = [["tokens", "tokens", 1, LONGEST], ["layers", "layers", 1, 48], ["width", "width", 1, 1024], ["heads", "heads", 1, 32], ["memories a channel", "memories", 1, 128]]
    .map((row) => option(...row));
  const paths = MEMORIES.map(() => h("svg:path", { class: "sbs-curve" }));
  const cursor = h("svg:path", { class: "sbs-cursor" });
  const marks = [["start", 0, HIGH + 16, "0"], ["end", WIDE, HIGH + 16, `${LONGEST} tokens`]].map(([anchor, x, y, text]) => h("svg:text", { class: "sbs-time", style: `text-anchor:${anchor}`, x, y, text }));
  const most = h("svg:text", { class: "sbs-time", style: "text-anchor:start", x: 4, y: 12 });
  const chart = h("svg:svg", { class: "sbs-chart", viewBox: `0 -2 ${WIDE} ${HIGH + 22}`, "aria-hidden": "true" }, h("svg:path", { class: "sbs-frame", d: `M0 0V${HIGH}H${WIDE}` }), cursor, paths, marks, most);
  const items = MEMORIES.map((name) => ({ dot: h("i"), value: h("b"), name }));
  const list = h("ul", { class: "sbs-kept" }, items.map(({ dot, value, name }) => h("li", {}, dot, h("span", { text: name }), value)));
  const words = h("p", { class: "sbs-note" });
  return {
    el: h("div", { class: "sbs-model" }, h("div", { class: "sbs-row-title", text: "Streaming: what must be kept to read the next token, four bytes a number" }),
      h("div", { class: "sbs-dials" }, dials.map((one) => one.el)), h("div", { class: "sbs-memory" }, chart, list), words),
    draw({ opts }, r, { palette }) {
      const end = memory(opts, LONGEST);
      const high = Math.max(...end);
      const y = (b) => (HIGH * (1 - b / high)).toFixed(1);
      const x = (WIDE * opts.tokens) / LONGEST;
      const start = memory(opts, 0);
      dials.forEach((one) => one.draw());
      paths.forEach((path, k) => {
        put(path, { d: `M0 ${y(start[k])}L${WIDE} ${y(end[k])}`, stroke: palette.states[k] });
        put(items[k].dot, { style: `background:${palette.states[k]}` });
        put(items[k].value, { text: bytes(r.memory[k]) });
      });
      put(cursor, { d: `M${x} 0V${HIGH}` });
      put(most, { text: bytes(high) });
      const E = opts.width / opts.heads;
      put(words, { text: `The cache passes the state of linear attention at ${num((E + 1) / 2, 1)} tokens (E = ${E} numbers a head), that of the state space at ${num(opts.memories / 2, 1)}, that of the GRU at once. Nothing here says how well each uses what it keeps.` });
    },
  };
}
