// Unit tests of the demos' maths, states and hashes (node --test).
import assert from "node:assert/strict";
import { test } from "node:test";

import { draw, minus, running, stationary, walk } from "../../course_lib/demos/js/core/chain.js";
import { backward, filter, setProb, smooth, viterbi } from "../../course_lib/demos/js/core/hmm.js";
import { applyEntries, at, checkState, diff, holds, parseHash, shareHash } from "../../course_lib/demos/js/core/state.js";
import { num, signed } from "../../course_lib/demos/js/ui/dom.js";

const pi = [0.6, 0.4];
const A = [[0.9, 0.1], [0.3, 0.7]];
const B = [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]];
const likelihoods = (obs) => obs.map((y) => B.map((row) => row[y]));
const state = (more = {}) => ({
  v: 1, view: "trellis", name: "demo",
  fixed: { states: ["a", "b"], symbols: ["x", "y", "z"], goals: [], title: "" },
  params: { pi, A, B }, obs: [0, 1, 2, 2], t: 1, seed: 0,
  opts: { show: "forward", cell: 0, predict: false }, ...more,
});

test("an edit at t leaves the very rows before t in place", () => {
  const before = filter(pi, A, likelihoods([0, 1, 2, 2, 0]));
  const after = filter(pi, A, likelihoods([0, 1, 0, 2, 0]), before, 2);
  assert.equal(after.alpha[0], before.alpha[0]); // the same arrays, not only the same numbers
  assert.equal(after.alpha[1], before.alpha[1]);
  assert.notDeepEqual(after.alpha[2], before.alpha[2]);
  assert.deepEqual(after, filter(pi, A, likelihoods([0, 1, 0, 2, 0])));
});

test("viterbi from the changed step equals viterbi from scratch", () => {
  const before = viterbi(pi, A, likelihoods([0, 1, 2, 2, 0]));
  const after = viterbi(pi, A, likelihoods([0, 1, 2, 0, 0]), before, 3);
  assert.deepEqual(after, viterbi(pi, A, likelihoods([0, 1, 2, 0, 0])));
});

test("an impossible observation gives no NaN, and a later edit mends it", () => {
  const L = [[0.5, 0.1], [0, 0], [0.2, 0.7]];
  const dead = filter(pi, A, L);
  assert.equal(dead.dead, 1);
  const beta = backward(A, L, dead.c);
  assert.ok([...dead.alpha, ...beta, ...smooth(dead.alpha, beta)].flat().every(Number.isFinite));
  const mended = filter(pi, A, likelihoods([0, 1, 2]), dead, 1);
  assert.deepEqual(mended, filter(pi, A, likelihoods([0, 1, 2])));
});

test("filter rows and smoothed rows sum to 1", () => {
  const L = likelihoods([0, 2, 1, 2]);
  const f = filter(pi, A, L);
  for (const row of [...f.alpha, ...smooth(f.alpha, backward(A, L, f.c))]) {
    assert.ok(Math.abs(row[0] + row[1] - 1) < 1e-12);
  }
});

test("one probability moves, the row keeps its sum and the others their proportions", () => {
  const row = setProb([0.5, 0.3, 0.2], 0, 0.1);
  assert.deepEqual(row, [0.1, 0.54, 0.36]);
  for (const value of [0, 1, 0.3333, -4, 9]) {
    const out = setProb([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], 5, value);
    assert.ok(Math.abs(out.reduce((a, b) => a + b) - 1) < 1e-12 && out.every((p) => p >= 0 && p <= 1));
  }
  assert.deepEqual(setProb([1, 0, 0], 0, 0.4), [0.4, 0.3, 0.3]); // nothing to share out: equal parts
  assert.deepEqual(setProb([1], 0, 0.4), [1]);
});

test("log odds never become NaN", () => {
  assert.equal(minus(-Infinity, -Infinity), null);
  assert.equal(minus(-Infinity, -1), -Infinity);
  assert.deepEqual(running([1, null, 2]), [1, null, null]);
  assert.deepEqual(running([Infinity, -Infinity]), [Infinity, null]);
});

test("stationary distribution: periodic yes, two closed classes no", () => {
  assert.deepEqual(stationary([[0, 1], [1, 0]]), [0.5, 0.5]);
  assert.equal(stationary([[1, 0], [0, 1]]), null);
  assert.deepEqual(stationary([[1, 0], [0.5, 0.5]]), [1, 0]);
});

test("the same seed walks the same way, and rounding never leaves the table", () => {
  assert.deepEqual(walk(pi, A, 7, 50), walk(pi, A, 7, 50));
  assert.notDeepEqual(walk(pi, A, 7, 50), walk(pi, A, 8, 50));
  assert.equal(draw([0.5, 0.4999999, 0], 0.99999999), 1);
});

test("schema: what fits passes, and the first error names its place", () => {
  assert.equal(checkState(state()), "");
  assert.match(checkState(state({ t: -1 })), /^t must be at least 0/);
  assert.match(checkState(state({ t: 1.5 })), /^t must be of type integer/);
  assert.match(checkState(state({ obs: [0, 9] })), /^obs\.1 must be at most 7/);
  assert.match(checkState(state({ obs: [] })), /^obs must be at least 1 entries/);
  assert.match(checkState(state({ extra: 1 })), /^extra is not known/);
  assert.match(checkState(state({ params: { pi, A } })), /^params lacks B/);
  assert.match(checkState(state({ opts: { show: "sideways", cell: 0, predict: false } })), /one of forward/);
  assert.match(checkState(state({ params: { pi: [NaN, 1], A, B } })), /params\.pi\.0 must be of type number/);
});

test("share hash: only differences, and back to the same state", () => {
  const from = state();
  const to = state({ t: 3, obs: [0, 0, 2, 2], params: { pi, A: [[0.8, 0.2], [0.3, 0.7]], B } });
  const hash = shareHash(from, to);
  assert.equal(hash, "#demo=demo&params.A.0=[0.8,0.2]&obs=[0,0,2,2]&t=3");
  assert.deepEqual(applyEntries(from, parseHash(hash, "demo"), setProb), to);
  assert.deepEqual(diff(from, from), []);
});

test("share hash: any text comes back as the text it was", () => {
  const texts = ["a & b = 100 % #1", "2001", "true", "null", "[1,2]", '"quoted"', "viterbi", "two words", "é 😀 \\ \n"];
  for (const text of texts) {
    const [from, to] = [state({ name: "demo", text: "x" }), state({ name: "demo", text })];
    assert.deepEqual(applyEntries(from, parseHash(shareHash(from, to), "demo"), setProb), to, text);
  }
  assert.equal(shareHash(state({ text: "x" }), state({ text: "viterbi" })), "#demo=demo&text=viterbi");
});

test("links: dotted paths, short names of options, bare words, percent signs", () => {
  const follow = (hash) => applyEntries(state(), parseHash(hash, "demo"), setProb);
  assert.deepEqual(follow("#demo=demo&params.A.0.1=0.4").params.A[0], [0.6, 0.4]);
  assert.deepEqual(follow("#demo=demo&params.B.0.0=0.2&params.B.0.1=0.5").params.B[0], [0.2, 0.5, 0.3]);
  assert.equal(follow("#demo=demo&show=viterbi").opts.show, "viterbi");
  assert.deepEqual(follow("#demo=demo&obs=%5B1%2C2%5D").obs, [1, 2]);
  assert.equal(parseHash("#demo=other&t=1", "demo"), null);
  assert.equal(parseHash("#section", "demo"), null);
  for (const bad of ["params.A.0.1=7", "params.A.0.9=0.1", "nothing=1", "fixed=1", "__proto__.x=1", "view=em"]) {
    assert.throws(() => follow(`#demo=demo&${bad}`), Error, bad);
  }
  assert.equal({}.x, undefined); // no prototype was touched
});

test("goals: paths, negative indices, and paths on the right", () => {
  const facts = { filter: [[0.2, 0.8], [0.1, 0.9]], path: [0, 1], posterior: [1, 1], t: 3 };
  assert.equal(at(facts, "filter.-1.1"), 0.9);
  assert.ok(holds({ when: [["filter.-1.1", ">", 0.85], ["t", "==", 3]] }, facts));
  assert.ok(holds({ when: [["path.0", "!=", "posterior.0"]] }, facts));
  assert.ok(!holds({ when: [["missing", "<", 1]] }, facts));
  assert.ok(!holds({ when: [["t", "like", 3]] }, facts));
});

test("numbers are readable and never NaN", () => {
  assert.equal(num(0.62149), "0.621");
  assert.equal(num(0.000021), "2.1·10⁻⁵");
  assert.equal(num(-0.5, 2), "−0.50");
  assert.equal(num(-Infinity), "−∞");
  assert.equal(num(NaN), "none");
  assert.equal(signed(-0.001), "0.00");
  assert.equal(signed(1.954), "+1.95");
});
