// Baum-Welch on one sequence with Poisson or one-dimensional Gaussian emissions.
import { backward, filter, pairwise, smooth } from "./hmm.js";

const logFactorial = [0];
function lf(n) {
  for (let k = logFactorial.length; k <= n; k++) logFactorial[k] = logFactorial[k - 1] + Math.log(k);
  return logFactorial[n];
}

export function logDensity(kind, y, mean, variance) {
  if (kind === "poisson") return (y ? y * Math.log(mean) : 0) - mean - lf(y);
  return -0.5 * (Math.log(2 * Math.PI * variance) + (y - mean) ** 2 / variance);
}

// E-step. Each row of likelihoods is divided by its largest entry; the logs are added back.
export function expect(kind, y, m) {
  let shift = 0;
  const L = y.map((v) => {
    const row = m.mean.map((mu, k) => logDensity(kind, v, mu, m.var[k]));
    const top = Math.max(...row);
    shift += top;
    return row.map((x) => Math.exp(x - top));
  });
  const f = filter(m.pi, m.A, L);
  const beta = backward(m.A, L, f.c);
  const logEvidence = f.dead < 0 ? f.c.reduce((s, c) => s + Math.log(c), shift) : -Infinity;
  return { L, f, beta, gamma: smooth(f.alpha, beta), logEvidence, dead: f.dead };
}

// M-step: expected counts become probabilities and weighted averages.
export function maximise(kind, y, m, e) {
  const K = m.pi.length;
  const flow = m.A.map((row) => row.map(() => 0));
  for (const xi of pairwise(m.A, e.L, e.f, e.beta)) {
    for (let i = 0; i < K; i++) for (let j = 0; j < K; j++) flow[i][j] += xi[i][j];
  }
  const A = flow.map((row, i) => {
    const n = row.reduce((a, b) => a + b, 0);
    return n > 0 ? row.map((x) => x / n) : m.A[i]; // a state never left keeps its row
  });
  const weight = m.mean.map((_, k) => e.gamma.reduce((s, g) => s + g[k], 0));
  const least = kind === "poisson" ? 1e-10 : -Infinity; // hmm_learning.SMALLEST_RATE
  const mean = m.mean.map((old, k) =>
    weight[k] > 0 ? Math.max(least, e.gamma.reduce((s, g, t) => s + g[k] * y[t], 0) / weight[k]) : old);
  const variance = m.var.map((old, k) => weight[k] > 0
    ? e.gamma.reduce((s, g, t) => s + g[k] * (y[t] - mean[k]) ** 2, 0) / weight[k] : old);
  return { pi: [...e.gamma[0]], A, mean, var: variance, weight };
}
