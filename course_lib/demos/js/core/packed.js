// Learned weights as Python packs them: see ../../_packed_weights.py.

// [rows, step, text]: 16-bit multiples of step/10000 in base 64; no rows: one list.
export function unpack([rows, step, text]) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const flat = [...new Int16Array(bytes.buffer)].map((v) => (v * step) / 10000);
  const wide = flat.length / rows;
  return rows ? Array.from({ length: rows }, (_, i) => flat.slice(i * wide, (i + 1) * wide)) : flat;
}

// A stored cell, its arrays beside its name and kind: what `forward` of cells.js takes.
export const unpackAll = ({ weights, ...data }) => ({
  ...data, ...Object.fromEntries(Object.entries(weights).map(([key, x]) => [key, x && unpack(x)])),
});
