// States: the JSON Schema in ../../schema.json, links and share hashes, undo-friendly copies.
import schema from "../../schema.json" with { type: "json" };

const types = {
  object: (v) => typeof v === "object" && v !== null && !Array.isArray(v),
  array: Array.isArray,
  string: (v) => typeof v === "string",
  number: (v) => typeof v === "number" && Number.isFinite(v),
  integer: Number.isInteger,
  boolean: (v) => typeof v === "boolean",
};

// The keywords that schema.json uses, and no others. Returns the first error, or "".
export function invalid(value, rule, at = "") {
  const where = at || "state";
  if (rule.$ref) return invalid(value, schema.$defs[rule.$ref.slice(8)], at);
  if ("const" in rule && value !== rule.const) return `${where} must be ${rule.const}`;
  if (rule.enum && !rule.enum.includes(value)) return `${where} must be one of ${rule.enum.join(", ")}`;
  if (rule.type && !types[rule.type](value)) return `${where} must be of type ${rule.type}`;
  const size = types.array(value) ? value.length : value;
  const [low, high] = types.array(value) ? [rule.minItems, rule.maxItems] : [rule.minimum, rule.maximum];
  const unit = types.array(value) ? " entries" : "";
  if (size < low || size <= rule.exclusiveMinimum) return `${where} must be at least ${low ?? "above 0"}${unit}`;
  if (size > high) return `${where} must be at most ${high}${unit}`;
  if (types.string(value)) {
    if (rule.pattern && !new RegExp(rule.pattern).test(value)) return `${where} must match ${rule.pattern}`;
    if (value.length < rule.minLength || value.length > rule.maxLength) return `${where} has a bad length`;
  }
  const path = (key) => (at ? `${at}.${key}` : `${key}`);
  if (types.array(value) && rule.items) {
    for (const [i, v] of value.entries()) {
      const error = invalid(v, rule.items, path(i));
      if (error) return error;
    }
  }
  if (types.object(value) && rule.properties) {
    for (const key of rule.required ?? []) if (!(key in value)) return `${path(key)} is missing`;
    for (const key of Object.keys(value)) {
      const part = rule.properties[key];
      const error = part ? invalid(value[key], part, path(key)) : `${path(key)} is not known`;
      if (error) return error;
    }
  }
  return "";
}

export const checkState = (state) => invalid(state, { $ref: `#/$defs/${state.view}` });

export const copy = (state) => ({ ...structuredClone({ ...state, fixed: null }), fixed: state.fixed });

const open = (text) => text.replace(/%(5B|5D|2C|3A|22)/g, decodeURIComponent);

// "path=json" for everything that differs from the default.
export function diff(from, to, path = "") {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  const nested = types.object(from) || (types.array(from) && types.array(from[0]));
  if (nested && from.length === to.length) {
    return Object.keys(to).flatMap((key) => diff(from[key], to[key], path ? `${path}.${key}` : key));
  }
  const text = types.string(to) ? to : JSON.stringify(to);
  return [`${path}=${open(encodeURIComponent(text))}`];
}

export const shareHash = (from, to) => ["#demo=" + to.name, ...diff(from, to)].join("&");

// Entries of a link as [path, value] pairs, or null when it is meant for another demo.
export function parseHash(hash, name) {
  const entries = [];
  for (const part of hash.replace(/^#/, "").split("&")) {
    const cut = part.indexOf("=");
    if (cut < 0) return null;
    let text = part.slice(cut + 1);
    try {
      text = decodeURIComponent(text);
    } catch {
      // a lone % stays as it is
    }
    let value = text;
    try {
      value = JSON.parse(text);
    } catch {
      // a bare word is a string
    }
    entries.push([part.slice(0, cut), value]);
  }
  const [first, ...rest] = entries;
  return first && first[0] === "demo" && first[1] === name ? rest : null;
}

// Write entries into a copy of `state`. Single probabilities rescale the rest of their row.
// Throws with a sentence for the reader.
export function applyEntries(state, entries, setProb) {
  const next = copy(state);
  const held = {};
  for (const [path, value] of entries) {
    const keys = path.split(".");
    if (keys[0] in next.opts) keys.unshift("opts");
    if (["v", "view", "name", "fixed"].includes(keys[0])) throw Error(`${keys[0]} cannot be set by a link`);
    const last = keys.pop();
    let spot = next;
    for (const key of keys) {
      spot = Object.hasOwn(Object(spot), key) ? spot[key] : undefined;
    }
    if (!Object.hasOwn(Object(spot), last)) throw Error(`${path} does not exist`);
    const row = keys.join(".");
    if (/^params\.(pi|A|B)\b/.test(row + ".") && typeof spot[last] === "number" && setProb) {
      if (!(value >= 0 && value <= 1)) throw Error(`${path} must be between 0 and 1`);
      const done = (held[row] ??= []);
      const moved = setProb(spot, +last, value, done);
      moved.forEach((p, i) => (spot[i] = p));
      done.push(+last);
    } else spot[last] = value;
  }
  return next;
}

// A value inside a result: "filter.-1.1" is the second entry of the last row.
export const at = (object, path) => path.split(".").reduce((o, key) =>
  o === undefined || o === null ? undefined : /^-\d+$/.test(key) ? o[o.length + +key] : o[key], object);

const compare = {
  ">": (a, b) => a > b, ">=": (a, b) => a >= b, "<": (a, b) => a < b,
  "<=": (a, b) => a <= b, "==": (a, b) => a === b, "!=": (a, b) => a !== b,
};

export const holds = (goal, facts) => goal.when.every(([path, op, value]) => {
  const left = at(facts, path);
  const other = typeof value === "string" ? at(facts, value) ?? value : value;
  return left !== undefined && left !== null && !!compare[op]?.(left, other);
});
