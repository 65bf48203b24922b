// Sentences: words of any text, clauses behind them, and what networks answer after each word.

import { affine, forward } from "./cells.js";
import { random } from "./chain.js";
import { firstChange } from "./state.js";

export const MOST = 80; // words, as in the schema
const WORD = /[\p{L}\p{Nl}\p{No}]+(?:['’][\p{L}\p{Nl}\p{No}]+)*/gu;

// Words of any text in lower case, each with the place of its first letter.
export const typed = (text) => [...text.matchAll(WORD)].slice(0, MOST).map(({ 0: word, index }) => ({ word: word.toLowerCase(), index, length: word.length }));

// The first n words of clauses; more words of a seed begin with the same.
export function added({ clauses, classes }, seed, n) {
  const words = [];
  const next = random(seed);
  const one = (list) => list[Math.floor(next() * list.length)];
  while (clauses.length && words.length < n) for (const slot of one(clauses).split(/\s+/).filter(Boolean)) words.push(Object.hasOwn(classes, slot) ? one(classes[slot]) : slot);
  return words.slice(0, Math.max(0, n));
}

// Places of the first two words that decide.
export const verbs = (words, [no, yes]) => words.flatMap((word, t) => (no.includes(word) || yes.includes(word) ? [t] : [])).slice(0, 2);
export const opposite = (word, [no, yes]) => yes[no.indexOf(word)] ?? no[yes.indexOf(word)];

export const probability = (margin) => 0.5 + 0.5 * Math.tanh(0.5 * margin);

// What each network holds after each word of a sentence and of its twin. Steps before the first
// change are taken over from `old`.
export function read(words, { vocabulary, deciding }, networks, old) {
  const places = verbs(words, deciding);
  const other = words.map((word, t) => (places.includes(t) ? opposite(word, deciding) : word));
  const [ids, twinIds] = [words, other].map((some) => some.map((word) => Math.max(0, vocabulary.indexOf(word))));
  const from = old ? firstChange(ids, old.ids) : 0; // the twin's words are the same up to there, too
  const nets = networks.map((p, n) => {
    const run = (some, key) => forward(p.kind, p, some.map((id) => p.embedding[id]), {}, {}, old?.nets[n][key], from);
    const say = ({ h }) => {
      const [no, yes] = affine(h, p.readout_W, p.readout_b);
      return yes - no;
    };
    const [trace, shadow] = [run(ids, "trace"), run(twinIds, "shadow")];
    const [margin, twin] = [trace, shadow].map((steps) => steps.slice(1).map(say));
    return {
      trace, shadow, margin, twin, p: margin.map(probability), signal: margin.map((m, t) => Math.abs(m - twin[t])),
      turns: margin.flatMap((m, t) => (places.length && t > places[0] && m >= 0 !== margin[t - 1] >= 0 ? [t] : [])),
    };
  });
  return { words, ids, places, label: places.length ? +deciding[1].includes(words[places[0]]) : null, nets };
}
