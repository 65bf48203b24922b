// A square of the plane with points that can be dragged: pointer and arrow keys write both numbers.

import { h, num, put } from "./dom.js";

const EDGE = 18;
const WIDEST = 320;
const STEP = 0.1;
const round = (v) => Math.round(v * 100) / 100;

// `points`: {label, name, colour (index in the palette), below (whether its name stands there),
// read(state) -> [x, y], write(state, [x, y])}. `onselect(point)` tells which one was touched last.
// `under` is a layer for what lies below them, `place([x, y])` gives pixels.
export function plane({ ctx, title, points, reach, onselect }) {
  const clamp = (v) => Math.max(-reach, Math.min(reach, v));
  let wide = -1;
  const at = (v, axis) => wide / 2 + ((axis ? -v : v) * (wide / 2 - EDGE)) / reach;
  const place = (point) => point.map((v, axis) => at(v, axis));
  const axes = h("svg:path", { class: "sbs-axes" });
  const under = h("svg:g");
  const names = points.map((point) => h("svg:text", { text: point.name.length > 9 ? `${point.name.slice(0, 8)}…` : point.name }));
  const svg = h("svg:svg", { class: "sbs-picture", "aria-hidden": "true" }, axes, under, names);
  const canvas = h("div", { class: "sbs-square" }, svg);
  const el = h("div", { class: "sbs-plane", role: "group", "aria-label": title }, h("div", { class: "sbs-row-title", text: title }), canvas);
  const write = (point, to) => ctx.set((s) => point.write(s, to.map((v) => round(clamp(v)))), point.label);

  const grips = points.map((point) => {
    let held = false;
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      const scale = reach / (wide / 2 - EDGE);
      write(point, [(event.clientX - box.left - wide / 2) * scale, (wide / 2 - event.clientY + box.top) * scale]);
    };
    const keys = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP], PageUp: [0, 5 * STEP], PageDown: [0, -5 * STEP], Home: [-5 * STEP, 0], End: [5 * STEP, 0] };
    const grip = h("div", {
      class: "sbs-handle sbs-point", role: "slider", tabindex: 0, "aria-valuemin": -reach, "aria-valuemax": reach,
      onfocus: () => onselect(point),
      onpointerdown: (event) => {
        if (event.button) return;
        held = true;
        grip.setPointerCapture?.(event.pointerId);
        grip.focus({ preventScroll: true });
        event.preventDefault();
      },
      onpointermove: (event) => held && move(event),
      onpointerup: () => (held = false),
      onpointercancel: () => (held = false),
      onkeydown: (event) => {
        const by = keys[event.key];
        if (!by) return;
        event.preventDefault();
        write(point, point.read(ctx.state).map((v, axis) => v + by[axis]));
      },
    });
    canvas.append(grip);
    return grip;
  });

  function draw(s, palette) {
    const room = Math.max(2 * EDGE + 2, Math.min(WIDEST, el.clientWidth - 2)); // Jupyter draws before there is room
    if (room !== wide) {
      wide = room;
      put(svg, { width: wide, height: wide });
      put(canvas, { style: `width:${wide}px;height:${wide}px` });
      put(axes, { d: `M${EDGE} ${wide / 2}H${wide - EDGE}M${wide / 2} ${EDGE}V${wide - EDGE}` });
    }
    points.forEach((point, i) => {
      const [x, y] = point.read(s);
      const [left, top] = place([x, y]);
      const colour = palette.states[point.colour];
      put(grips[i], {
        style: `left:${left}px;top:${top}px;--colour:${colour}`, "aria-label": `${point.label}, arrow keys move it`,
        "aria-valuenow": x, "aria-valuetext": `x ${num(x, 2)}, y ${num(y, 2)}`,
      });
      put(names[i], { x: left, y: point.below ? top + 25 : top - 14 });
    });
  }
  return { el, under, place, draw };
}
