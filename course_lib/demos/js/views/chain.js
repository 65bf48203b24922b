// Order against bag: items that can be moved, two scores; and a seeded walk on one chain.

import { bagLogs, minus, running, stationary, stepLogs, walk } from "../core/chain.js";
import { array, misfit, python } from "../core/state.js";
import { arithmetic, choice } from "../ui/choice.js";
import { h, inkOn, keep, mix, num, numberField, put, signed } from "../ui/dom.js";

const WALK = 60;
const BAR = 44; // pixels on each side of the zero line
const GRAPH = 320;

const sigmoid = (x) => (x === null ? 0.5 : 1 / (1 + Math.exp(-x)));
const score = (x) => (x === null ? "none" : signed(x));
const walking = (s) => s.opts.mode === "walk";
const bagOf = (tokens) => JSON.stringify([...tokens].sort());

function scores({ params: { pi, A, bag }, tokens }) {
  const chain = pi.map((row, c) => stepLogs(tokens, row, A[c]));
  const bags = bag.map((row) => bagLogs(tokens, row));
  if (pi.length < 2) return { chain, bags };
  const odds = tokens.map((_, t) => minus(chain[0][t], chain[1][t]));
  const sums = running(odds);
  const bagSums = running(tokens.map((_, t) => minus(bags[0][t], bags[1][t])));
  return { chain, bags, odds, sums, chainScore: sums.at(-1), bagScore: bagSums.at(-1) };
}

export const chain = {
  title: "Order and bag",

  range: (s) => (walking(s) ? { max: WALK, what: "step" } : { max: s.tokens.length - 1, what: "t =" }),

  tidy(s) {
    s.t = Math.min(s.t, chain.range(s).max);
    return s;
  },

  wrong({ params: { pi, A, bag }, fixed, tokens, opts }) {
    const [C, V] = [fixed.classes.length, fixed.items.length];
    if (tokens.some((y) => y >= V)) return `tokens must be below ${V}`;
    if (C < 2 && opts.mode === "order") return "one chain alone can only walk";
    if (opts.cls >= C) return `cls must be below ${C}`;
    return misfit("pi", pi, [C, V]) || misfit("A", A, [C, V, V]) || misfit("bag", bag, [C, V]);
  },

  compute(s) {
    const { pi, A } = s.params;
    const { cls } = s.opts;
    const path = walk(pi[cls], A[cls], s.seed, WALK + 1);
    const share = Array(s.fixed.items.length).fill(0);
    path.slice(0, s.t + 1).forEach((k) => (share[k] += 1 / (s.t + 1)));
    return { ...scores(s), path, share, limit: stationary(A[cls]) };
  },

  facts(s, r, initial) {
    const first = scores(initial).chainScore;
    return {
      t: s.t, tokens: s.tokens, chain_score: r.chainScore, bag_score: r.bagScore, walk: r.path, visits: r.share, mode: s.opts.mode,
      flipped: bagOf(s.tokens) === bagOf(initial.tokens) && first * r.chainScore < 0,
    };
  },

  say(s, r) {
    const { items, classes } = s.fixed;
    if (walking(s)) {
      const k = r.path[s.t];
      const from = r.path[s.t - 1];
      const p = s.t ? s.params.A[s.opts.cls][from][k] : s.params.pi[s.opts.cls][k];
      const limit = r.limit ? `; in the long run it is ${num(r.limit[k], 2)}` : "; this chain has closed parts, so there is no one long run";
      return `${s.t ? `From ${items[from]} to ${items[k]}` : `The walk starts in ${items[k]}`}, probability ${num(p, 2)}. So far ${num(r.share[k], 2)} of the items are ${items[k]}${limit}.`;
    }
    const [a, b] = [0, 1].map((c) => r.chain[c][s.t]);
    const what = s.t ? `After ${items[s.tokens[s.t - 1]]}, ${items[s.tokens[s.t]]}` : `${items[s.tokens[0]]} as the first item`;
    const odds = r.odds[s.t];
    if (odds === null) return `${what} cannot happen in either class: no verdict.`;
    if (!Number.isFinite(odds)) return `${what} can only happen under ${classes[a > b ? 0 : 1]}: that decides.`;
    if (Math.abs(odds) < 5e-3) return `${what} is equally likely in both classes.`;
    return `${what} is ${num(Math.exp(Math.abs(odds)), 1)} times as likely under ${classes[odds > 0 ? 0 : 1]}: ${signed(odds)} nats.`;
  },

  sums(s, r) {
    if (walking(s)) return [];
    const { items, classes } = s.fixed;
    const { t } = s;
    const of = (c) => {
      const p = Math.exp(r.chain[c][t]);
      const [i, j] = [s.tokens[t - 1], s.tokens[t]];
      return [classes[c], t ? `log A(${items[i]}, ${items[j]})` : `log π(${items[j]})`, `log ${num(p)} = ${num(r.chain[c][t], 2)}`];
    };
    const before = t ? r.sums[t - 1] : 0;
    return [of(0), of(1),
      ["log odds", `${classes[0]} − ${classes[1]}`, score(r.odds[t])],
      ["so far", "sum of the log odds", t ? `${score(before)} and ${score(r.odds[t])} make ${score(r.sums[t])}` : score(r.sums[0])]];
  },

  question(s, r) {
    if (walking(s)) return null;
    return { key: String(s.tokens), prompt: `Before you look: how probable is ${s.fixed.classes[0]} for this order, if both classes are equally common?`, truth: sigmoid(r.chainScore), min: 0, max: 1, step: 0.01 };
  },

  table(s, r) {
    const { items, classes } = s.fixed;
    if (walking(s)) {
      return { caption: `The first ${s.t + 1} items of the walk with seed ${s.seed}`, head: ["step", "item"], rows: r.path.slice(0, s.t + 1).map((k, t) => [`${t}`, items[k]]), current: s.t };
    }
    return {
      caption: `Log probability of every step in nats. Bag: ${score(r.bagScore)} in every order.`,
      head: ["t", "item", ...classes, "log odds", "sum"],
      rows: s.tokens.map((y, t) => [`${t}`, items[y], num(r.chain[0][t], 4), num(r.chain[1][t], 4), score(r.odds[t]), score(r.sums[t])]),
      current: s.t,
    };
  },

  python: (s) => python(s, "markov", [
    `tokens = ${JSON.stringify(s.tokens)}`,
    "classes = (",
    ...s.fixed.classes.map((name, c) => `    (${JSON.stringify(name)}, ${array(s.params.pi[c])}, ${array(s.params.A[c])}),`),
    ")",
    "for label, pi, A in classes:",
    "    print(label, markov.chain_log_prob(tokens, pi, A))",
  ], { items: s.fixed.items, tokens: { raw: "tokens" }, classes: { raw: "classes" }, bag: s.params.bag, t: s.t, seed: s.seed, mode: s.opts.mode, cls: s.opts.cls }),

  build,
};

function build(ctx) {
  const { items, classes } = ctx.initial.fixed;
  const two = classes.length > 1;
  const mode = choice({ legend: "What to do", show: false, options: ["Change the order", "Walk on the chain"], set: (i) => ctx.set((s) => {
    s.opts.mode = i ? "walk" : "order";
    s.t = i ? 0 : s.tokens.length - 1;
  }) });
  const order = orderPart(ctx);
  const random = walkPart(ctx);
  const sums = arithmetic();
  const why = h("div", { class: "sbs-why" }, h("p", { class: "sbs-legend", text: "The arithmetic of this step" }), sums.el);
  return {
    el: h("div", {}, two ? mode.el : null, order.el, random.el),
    after: why,
    draw(s, r, look) {
      const w = walking(s);
      mode.draw(+w);
      order.el.hidden = why.hidden = w;
      random.el.hidden = !w;
      if (w) random.draw(s, r, look);
      else {
        order.draw(s, r, look);
        sums.draw(look.hide ? [["predict", "your guess first", "?"]] : chain.sums(s, r));
      }
    },
  };

  function orderPart() {
    const width = Math.max(58, 26 + 8 * Math.max(...items.map((name) => name.length)));
    const row = h("div", { class: "sbs-cards", role: "group", "aria-label": "the sequence" });
    const bars = h("div", { class: "sbs-odds", "aria-hidden": "true" });
    const gauges = h("div", { class: "sbs-gauges" });
    const place = numberField({ min: 0, read: () => ctx.state.t, write: (to) => shift(ctx.state.t, Math.round(to), "") });
    const placeLabel = h("span");
    const scroller = h("div", { class: "sbs-scroll" }, row, bars);
    const el = h("div", { class: "sbs-order" }, scroller,
      h("label", { class: "sbs-exact" }, placeLabel, place.el), gauges);

    // Move the item at `from` to `to`; the others close the gap. The moved card stays in the
    // document where it is and its neighbours pass it: it keeps focus and pointer.
    function shift(from, to, label) {
      if (from === to) return;
      const cards = [...row.children];
      const old = new Map(cards.map((card) => [card, card.offsetLeft]));
      const card = cards[from];
      if (to > from) cards.slice(from + 1, to + 1).forEach((c) => row.insertBefore(c, card));
      else cards.slice(to, from).reverse().forEach((c) => row.insertBefore(c, card.nextSibling));
      ctx.set((s) => {
        s.tokens.splice(to, 0, ...s.tokens.splice(from, 1));
        s.t = to;
      }, label);
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
        for (const [c, x] of old) {
          if (c !== card && c.offsetLeft !== x) c.animate([{ transform: `translateX(${x - c.offsetLeft}px)` }, { transform: "none" }], { duration: 160, easing: "ease-out" });
        }
      }
    }
    const indexOf = (card) => [...row.children].indexOf(card);

    function makeCard() {
      let grab = null;
      const card = h("button", {
        type: "button", class: "sbs-card sbs-handle", "aria-roledescription": "movable item",
        onclick: () => ctx.go(indexOf(card)),
        onkeydown: (event) => {
          const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
          const end = { Home: 0, End: ctx.state.tokens.length - 1 }[event.key];
          if (!by && end === undefined) return;
          event.preventDefault();
          const from = indexOf(card);
          const to = end ?? Math.min(ctx.state.tokens.length - 1, Math.max(0, from + by));
          shift(from, to, "");
          ctx.speak(`${card.textContent} is now number ${to + 1} of ${ctx.state.tokens.length}. Chain score ${score(ctx.result.chainScore)}, bag score ${score(ctx.result.bagScore)}.`);
        },
        onpointerdown: (event) => {
          if (event.button) return;
          grab = { x: event.clientX - card.offsetLeft, moved: false, label: `order${Date.now()}` };
          card.setPointerCapture?.(event.pointerId);
        },
        onpointermove: (event) => {
          if (!grab) return;
          const x = event.clientX - grab.x;
          if (Math.abs(x - card.offsetLeft) > 4) grab.moved = true;
          if (!grab.moved) return;
          card.classList.add("sbs-lift");
          const to = Math.min(ctx.state.tokens.length - 1, Math.max(0, Math.round((x - row.firstChild.offsetLeft) / (width + 6))));
          shift(indexOf(card), to, grab.label);
          card.style.transform = `translateX(${event.clientX - grab.x - card.offsetLeft}px)`;
        },
      });
      for (const end of ["pointerup", "pointercancel"]) card.addEventListener(end, () => {
        grab = null;
        card.style.transform = "";
        card.classList.remove("sbs-lift");
      });
      return card;
    }

    function draw(s, r, { hide, palette }) {
      const { t, tokens } = s;
      row.style.setProperty("--w", `${width}px`);
      bars.style.setProperty("--w", `${width}px`);
      keep(row, tokens.length, makeCard).forEach((card, i) => put(card, {
        text: items[tokens[i]], "aria-label": `${items[tokens[i]]}, number ${i + 1} of ${tokens.length}. Arrow keys move it`, "aria-current": i === t ? "step" : null,
      }));
      const top = Math.max(1, ...r.odds.filter(Number.isFinite).map(Math.abs));
      keep(bars, tokens.length, () => h("div", {}, h("i"), h("span"))).forEach((cell, i) => {
        const odds = hide ? 0 : r.odds[i];
        const size = odds === null ? 0 : Math.min(1, Math.abs(odds) / top) * BAR;
        put(cell, { class: i === t ? "sbs-on" : i > t ? "sbs-later" : null });
        put(cell.firstChild, { style: `height:${size}px;${odds > 0 ? `bottom:${BAR + 8}px` : `top:${BAR + 8}px`};background:${palette.states[odds > 0 ? 0 : 1]}` });
        put(cell.lastChild, { text: hide ? "?" : score(odds), style: odds > 0 ? `top:${BAR + 10}px` : `bottom:${BAR + 10}px` });
      });
      put(placeLabel, { text: `Move ${items[tokens[t]]} (t = ${t}) to place` });
      put(place.el, { max: tokens.length - 1 });
      place.draw();

      const values = [["Bag of items", r.bagScore], ["Markov chain", hide ? null : r.chainScore]];
      const most = Math.max(1, ...[r.bagScore, r.chainScore, scores(ctx.initial).chainScore].filter((x) => x !== null && Number.isFinite(x)).map(Math.abs)) * 1.05;
      keep(gauges, 2, () => h("div", { class: "sbs-gauge" }, h("b"), h("div", { class: "sbs-beam" }, h("i"), h("u")), h("span"))).forEach((g, i) => {
        const [name, v] = values[i];
        const share = v === null ? 0 : Math.min(1, Math.abs(v) / most) * 50;
        const start = scores(ctx.initial)[i ? "chainScore" : "bagScore"];
        put(g.children[0], { text: name });
        put(g.children[1].firstChild, { style: `width:${share}%;${v > 0 ? "left:50%" : "right:50%"};background:${palette.states[v > 0 ? 0 : 1]}` });
        put(g.children[1].lastChild, { style: `left:${50 + 50 * Math.min(1, Math.max(-1, (start ?? 0) / most))}%`, title: "author's order" });
        const verdict = v === null ? (hide ? "your guess first" : "impossible in both") : Math.abs(v) < 5e-3 ? "undecided" : `${classes[v > 0 ? 0 : 1]}, P = ${num(sigmoid(Math.abs(v)), 2)}`;
        put(g.children[2], { text: hide && i ? "? · your guess first" : `${score(v)} · ${verdict}` });
      });
    }
    return { el, draw };
  }

  function walkPart() {
    const V = items.length;
    const place = (k, radius = 112) => {
      const angle = (2 * Math.PI * k) / V - Math.PI / 2;
      return [GRAPH / 2 + radius * Math.cos(angle), GRAPH / 2 + radius * Math.sin(angle)];
    };
    const [edges, nodes] = [h("svg:g"), h("svg:g")];
    const svg = h("svg:svg", { width: GRAPH, height: GRAPH, class: "sbs-picture", "aria-hidden": "true" }, edges, nodes);
    const share = h("div", { class: "sbs-shares" });
    const seed = numberField({ min: 0, max: 2147483647, read: () => ctx.state.seed, write: (to) => ctx.set((s) => (s.seed = Math.round(to))) });
    const cls = choice({ legend: "Chain", options: classes, set: (c) => ctx.set((s) => (s.opts.cls = c)) });
    const el = h("div", { class: "sbs-walk" }, two ? cls.el : null, h("div", { class: "sbs-split" }, svg,
      h("div", {}, h("p", { class: "sbs-legend", text: "Share of items so far; the line is the stationary distribution" }), share,
        h("label", { class: "sbs-exact" }, "Seed", seed.el))));

    function draw(s, r, { palette }) {
      const A = s.params.A[s.opts.cls];
      const [now, before] = [r.path[s.t], r.path[s.t - 1]];
      keep(edges, V * V, () => h("svg:path", { fill: "none" })).forEach((path, n) => {
        const [i, j] = [Math.floor(n / V), n % V];
        const on = s.t > 0 && i === before && j === now;
        const [[x1, y1], [x2, y2]] = [place(i), place(j)];
        let d;
        if (i === j) {
          const [cx, cy] = place(i, 142);
          d = `M${cx - 13} ${cy}a13 13 0 1 0 26 0a13 13 0 1 0 -26 0`;
        } else {
          const bend = 0.14;
          d = `M${x1} ${y1}Q${(x1 + x2) / 2 + (y2 - y1) * bend} ${(y1 + y2) / 2 - (x2 - x1) * bend} ${x2} ${y2}`;
        }
        put(path, { d, stroke: on ? palette.states[1] : "currentColor", "stroke-width": A[i][j] > 0 ? 0.75 + 7 * A[i][j] : 0, opacity: on ? 1 : 0.25 });
      });
      keep(nodes, V, () => h("svg:g", {}, h("svg:circle", { r: 27 }), h("svg:text", { dy: "0.35em" }))).forEach((g, k) => {
        const fill = k === now ? palette.states[0] : mix(palette.paper, palette.states[0], 0.12);
        put(g, { transform: `translate(${place(k).join(" ")})`, class: "sbs-node" });
        put(g.firstChild, { fill, stroke: palette.states[0] });
        put(g.lastChild, { fill: inkOn(fill), text: items[k].length > 8 ? items[k].slice(0, 7) + "…" : items[k] });
      });
      keep(share, V, () => h("div", { class: "sbs-gauge" }, h("b"), h("div", { class: "sbs-beam" }, h("i"), h("u")), h("span"))).forEach((g, k) => {
        put(g.children[0], { text: items[k] });
        put(g.children[1].firstChild, { style: `width:${100 * r.share[k]}%;left:0;background:${palette.states[0]}` });
        put(g.children[1].lastChild, { style: r.limit ? `left:${100 * r.limit[k]}%` : "display:none" });
        put(g.children[2], { text: num(r.share[k], 2) });
      });
      seed.draw();
      cls.draw(s.opts.cls);
    }
    return { el, draw };
  }
}
