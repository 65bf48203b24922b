// Forecasts of a linear model and of a recurrent network from a window of 24 hours.

import { affine, backward, forward } from "./cells.js";
import { unpack, unpackAll } from "./packed.js";

export const HOURS = 24;
export const MODELS = ["linear", "network"];

export const unpackModels = ({ linear, network }) => ({
  linear: { W: unpack(linear.W), b: unpack(linear.b) }, network: unpackAll(network),
  P: unpack(linear.b).length / 3,
});

// What a model puts out for the hours [from, to), three numbers each, as it comes. `h` is the
// network's state after the window z. Everything in this file but `read` is scaled.
function outputs(models, model, z, h, from = 0, to = models.P) {
  const { linear, network } = models;
  const flat = model === "linear"
    ? affine(z, linear.W, linear.b, 3 * from, 3 * to)
    : affine(h, network.readout_W, network.readout_b, 3 * from, 3 * to);
  return Array.from({ length: to - from }, (_, i) => flat.slice(3 * i, 3 * i + 3));
}
// Nothing else keeps quantiles from crossing.
const sorted = (y) => [...y].sort((a, b) => a - b);
// Which of the three outputs is the median.
const middle = (y) => [0, 1, 2].sort((i, j) => y[i] - y[j])[1];

const readWindow = (models, z, old, from) => forward(models.network.kind, models.network, z.map((v) => [v]), {}, {}, old, from);

// Medians of the P hours: each is read as the next hour, and the oldest hour dropped.
function recursive(models, model, window) {
  const medians = [];
  let z = window;
  for (let p = 0; p < models.P; p++) {
    const h = model === "network" ? readWindow(models, z)[HOURS].h : null;
    medians.push(sorted(outputs(models, model, z, h, 0, 1)[0])[1]);
    z = [...z.slice(1), medians[p]];
  }
  return medians;
}

// How far the median of hour p moves per unit of each hour of the window. `raw` are the outputs.
export function slopes(models, model, raw, trace, z, p) {
  const k = 3 * p + middle(raw[p]);
  if (model === "linear") return models.linear.W.map((row) => row[k]);
  const { network } = models;
  const silent = network.readout_W.map(() => 0);
  const dh = z.map((_, t) => (t < HOURS - 1 ? silent : network.readout_W.map((row) => row[k])));
  return backward(network.kind, network, z.map((v) => [v]), trace, dh).x.map(([v]) => v);
}

// Everything that the demo shows, in units. States before the hour `from` are taken from `old`.
export function read(models, { xs, opts: { how }, fixed: { scale: [mean, std] } }, hour, old, from = 0) {
  const units = (v) => mean + std * v;
  const z = xs.map((v) => (v - mean) / std);
  const trace = readWindow(models, z, old?.trace, from);
  const result = { z, trace, hour, xs, how, raw: {}, direct: {}, recursive: {}, weights: {} };
  for (const model of MODELS) {
    const raw = outputs(models, model, z, trace[HOURS].h);
    result.raw[model] = raw;
    result.direct[model] = raw.map((y) => sorted(y).map(units));
    result.recursive[model] = how === "recursive" ? recursive(models, model, z).map(units) : null;
    result.weights[model] = slopes(models, model, raw, trace, z, hour);
  }
  return result;
}
