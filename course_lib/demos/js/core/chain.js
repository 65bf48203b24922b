// Markov chains: scores of an order, walks, the stationary distribution.

// Log probability of every step; the first is the start. -Infinity where a step cannot happen.
export const stepLogs = (y, pi, A) =>
  y.map((v, t) => Math.log(t ? A[y[t - 1]][v] : pi[v]));

export const bagLogs = (y, p) => y.map((v) => Math.log(p[v]));

// a - b without NaN: both impossible gives null, "no verdict".
export const minus = (a, b) => (a === b ? (a === -Infinity ? null : 0) : a - b);

export function running(values) {
  let total = 0;
  return values.map((v) => {
    total = total === null || v === null || Number.isNaN(total + v) ? null : total + v;
    return total;
  });
}

// mulberry32; course_lib.demos._state.uniforms is the same generator.
export function random(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

export function draw(row, u) {
  let total = 0;
  for (let k = 0; k < row.length; k++) if (u < (total += row[k])) return k;
  return row.findLastIndex((p) => p > 0);
}

export function walk(pi, A, seed, n) {
  const next = random(seed);
  const out = [draw(pi, next())];
  while (out.length < n) out.push(draw(A[out[out.length - 1]], next()));
  return out;
}

// By state reduction (Grassmann, Taksar, Heyman); null where the chain falls into closed parts.
export function stationary(A) {
  const V = A.length;
  const reach = A.map((row, i) => row.map((p, j) => p > 0 || i === j));
  for (let k = 0; k < V; k++) for (let i = 0; i < V; i++) for (let j = 0; j < V; j++)
    reach[i][j] ||= reach[i][k] && reach[k][j];
  const inside = [...A.keys()].filter((j) => reach.every((row) => row[j]));
  if (!inside.length) return null;
  const P = inside.map((i) => inside.map((j) => A[i][j]));
  for (let k = P.length - 1; k > 0; k--) {
    const out = P[k].slice(0, k).reduce((a, b) => a + b, 0);
    for (let i = 0; i < k; i++) {
      P[i][k] /= out;
      for (let j = 0; j < k; j++) P[i][j] += P[i][k] * P[k][j];
    }
  }
  const x = [1];
  for (let k = 1; k < P.length; k++) x.push(x.reduce((s, v, i) => s + v * P[i][k], 0));
  const total = x.reduce((a, b) => a + b, 0);
  const result = Array(V).fill(0);
  inside.forEach((v, i) => (result[v] = x[i] / total));
  return result;
}
