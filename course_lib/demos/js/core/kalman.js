// The Kalman filter in one dimension; rows before `from` are taken over from `kept` as they are.
export function kalman(y, p, kept = [], from = 0) {
  const out = kept.slice(0, from);
  for (let t = out.length; t < y.length; t++) {
    const last = out[t - 1];
    const predicted = last ? p.a * last.mean : p.mean0;
    const ahead = last ? p.a ** 2 * last.var + p.process_var : p.var0;
    const gain = ahead / (ahead + p.observation_var);
    out.push({ predicted, ahead, gain, y: y[t], mean: predicted + gain * (y[t] - predicted), var: (1 - gain) * ahead });
  }
  return out;
}
