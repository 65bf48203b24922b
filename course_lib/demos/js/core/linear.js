// The diagonal linear RNN; rows before `from` are taken over from `kept` as they are.
export function linear(x, { a, W_xh: W, b_h: b }, kept = [], from = 0) {
  const out = kept.slice(0, from);
  for (let t = out.length; t < x.length; t++) {
    out.push(a.map((keep, k) => keep * (t ? out[t - 1][k] : 0) + x[t].reduce((s, v, d) => s + v * W[d][k], b[k])));
  }
  return out;
}
