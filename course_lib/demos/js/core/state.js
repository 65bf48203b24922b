// States: the JSON Schema in ../../schema.json, links and share hashes, undo-friendly copies.
import schema from "../../schema.json" with { type: "json" };

// The bundles bring the rules of one view at a time.
export const learn = (rules) => Object.assign(schema.$defs, rules);

const types = {
  object: (v) => typeof v === "object" && v !== null && !Array.isArray(v),
  array: Array.isArray,
  string: (v) => typeof v === "string",
  number: (v) => typeof v === "number" && Number.isFinite(v),
  integer: Number.isInteger,
  boolean: (v) => typeof v === "boolean",
  null: (v) => v === null,
};

// The keywords that schema.json uses, and no others. Returns the first error, or "".
export function invalid(value, rule, at = "") {
  if (rule.$ref) return invalid(value, schema.$defs[rule.$ref.slice(8)], at);
  const fail = (text) => `${at || "state"} ${text}`;
  const list = types.array(value);
  const [size, low, high] = list ? [value.length, rule.minItems, rule.maxItems]
    : types.string(value) ? [value.length, rule.minLength, rule.maxLength] : [value, rule.minimum, rule.maximum];
  if ("const" in rule && value !== rule.const) return fail(`must be ${rule.const}`);
  if (rule.enum && !rule.enum.includes(value)) return fail(`must be one of ${rule.enum.join(", ")}`);
  if (rule.type && ![rule.type].flat().some((type) => types[type](value))) return fail(`must be of type ${rule.type}`);
  if (size < low || size <= rule.exclusiveMinimum) return fail(`must be at least ${low ?? "above 0"}${list ? " entries" : ""}`);
  if (size > high) return fail(`must be at most ${high}${list ? " entries" : ""}`);
  if (rule.pattern && !new RegExp(rule.pattern).test(value)) return fail(`must match ${rule.pattern}`);
  let inner = [];
  if (list && rule.items) inner = value.map((v, i) => [i, v, rule.items]);
  if (rule.properties) {
    // The bundle holds no `required`: there, every property is.
    const missing = (rule.required ?? Object.keys(rule.properties)).find((key) => !(key in value));
    if (missing) return fail(`lacks ${missing}`);
    inner = Object.keys(value).map((key) => [key, value[key], rule.properties[key]]);
  }
  for (const [key, v, part] of inner) {
    const path = at ? `${at}.${key}` : `${key}`;
    const error = part ? invalid(v, part, path) : `${path} is not known`;
    if (error) return error;
  }
  return "";
}

export const checkState = (state) => invalid(state, { $ref: `#/$defs/${state.view}` });

export const copy = (state) => ({ ...structuredClone({ ...state, fixed: null }), fixed: state.fixed });

// A plain word stands in a link as it is; other texts with quotes, or they might be read as JSON.
const written = (text) => (/^(?!(true|false|null)$)[a-z]\w*$/i.test(text) ? text : encodeURIComponent(JSON.stringify(text)));

// "path=json" for everything that differs from the default.
export function diff(from, to, path = "") {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  const nested = types.object(from) || (types.array(from) && types.array(from[0]));
  if (nested && from.length === to.length) {
    return Object.keys(to).flatMap((key) => diff(from[key], to[key], path ? `${path}.${key}` : key));
  }
  return [`${path}=${types.string(to) ? written(to) : JSON.stringify(to)}`]; // numbers: nothing to escape
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
    if (["v", "view", "name", "fixed"].includes(keys[0])) throw Error(`${keys[0]} is fixed`);
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

// First misfit of a table of probabilities, or "": `sizes` are its dimensions.
export function misfit(name, table, [size, ...inner]) {
  if (table.length !== size) return `params.${name} needs ${size} entries`;
  if (inner.length) return table.map((row, i) => misfit(`${name}.${i}`, row, inner)).find(Boolean) ?? "";
  return Math.abs(table.reduce((a, b) => a + b, 0) - 1) > 1e-6 ? `params.${name} does not sum to 1` : "";
}

// First index at which two lists of numbers or rows differ.
export function firstChange(a, b) {
  let t = 0;
  while (t < a.length && t < b.length && String(a[t]) === String(b[t])) t++;
  return t;
}

// Python that makes the demo again: `lines` first, then the call with its keyword arguments.
export const python = (state, imports, lines, args) => `import numpy as np
from course_lib import demos, ${imports}

${lines.join("\n")}
demo = demos.${state.view}(
    name=${JSON.stringify(state.name)},
${Object.entries(args).map(([key, value]) => `    ${key}=${value.raw ?? JSON.stringify(value)},`).join("\n")}
)
demo
`;
export const array = (x) => `np.array(${JSON.stringify(x)}, dtype=float)`;
