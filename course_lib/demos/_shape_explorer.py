"""Shape explorer: every tensor of nn.RNN, nn.LSTM and nn.GRU, drawn with its axes named."""

import sys
from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.demos import _shape_weights, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import SHORT, Goal, check_limit, check_state, goals_of, plain, uniforms

MOST = {"batch": 4, "time": 8, "input": 4, "hidden": 6, "layers": 3}
AXES = ("batch", "time")
TENSORS = ("input", "output", "h_n", "c_n")

GOALS = (
    Goal(
        "Let output and h_n hold equally many numbers.",
        (("output_size", "==", "h_n_size"), ("error", "==", False)),
    ),
    Goal(
        "Select a number of output that h_n holds too, although it is not at the last step.",
        (("tensor", "==", "output"), ("twin", "==", True), ("step", "<", "last")),
    ),
    Goal(
        "Give the wrong batch_first and no error, and select an input that reaches a number of "
        "another sequence.",
        (("tensor", "==", "input"), ("crossed", "==", True), ("strangers", ">", 0)),
    ),
    Goal(
        "Pack the batch so that the cells read at most half of the steps.",
        (("padding", "==", "packed"), ("error", "==", False), ("share_read", "<=", 0.5)),
    ),
)


def shape_explorer(
    name, cell="LSTM", batch=3, time=5, input=2, hidden=4, layers=2, bidirectional=False,
    batch_first=True, lengths=None, *,
    packed=True, stored=None, x=None, pick=None, seed=0, t=0, title="", goals=GOALS, predict=False,
):  # fmt: skip
    """Show the shape and the numbers of every tensor of a recurrent module of PyTorch.

    The reader sets sizes, layers, directions, ``batch_first`` and lengths, selects any number and
    sees where it comes from, what it reaches and which entry of ``h_n`` is the same number. The
    weights come from the seed, uniform in +-1/sqrt(hidden) as PyTorch draws them.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as
        ``#demo=name&sizes.layers=3&opts.cell=GRU`` use it.
    cell : {"LSTM", "GRU", "RNN"}, default="LSTM"
        Which module of torch.nn.
    batch, time, input, hidden, layers : int
        Sizes, at most 4, 8, 4, 6 and 3.
    bidirectional : bool, default=False
        Read in both directions.
    batch_first : bool, default=True
        What the module, and the packing, are told about the order of the first two axes.
    lengths : sequence of int, optional
        Steps of each sequence, from 1 to ``time``; the rest is padding, which is 0.
    packed : bool, default=True
        With lengths, pack the sequences; without packing the module reads the padding too.
    stored : {"batch", "time"}, optional
        The first axis of the input as it really is. By default what ``batch_first`` says; the
        other one is the mistake that raises no error.
    x : array-like of shape (batch, time, input), optional
        Input, numbers in [-10, 10], batch first however it is stored; drawn from the seed by
        default.
    pick : tuple of (str, sequence of three int), optional
        Number selected first: "input", "output", "h_n" or "c_n", and its index. By default one of
        the last step of ``output``.
    seed : int, default=0
        Seed of the weights and inputs, the same in Python and in the page.
    t : int, default=0
        Step shown first.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal
        Small tasks that the demo recognises.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a size, a length, an option or the selected index does not fit; the message names it.
    """
    sizes = {"batch": batch, "time": time, "input": input, "hidden": hidden, "layers": layers}
    for key, size in sizes.items():
        check_limit(key, size, MOST[key], "entries")
    shape = tuple(MOST[key] for key in ("batch", "time", "input"))
    xs = np.reshape([2 * u - 1 for u in uniforms(seed + 1000, int(np.prod(shape)))], shape).round(2)
    if x is not None:
        x = check_finite("x", check_shape("x", np.asarray(x, dtype=float), (batch, time, input)))
        xs[:batch, :time, :input] = x
    if stored is None:
        stored = "batch" if batch_first else "time"
    state = {
        "v": 1,
        "view": "shape_explorer",
        "name": name,
        "fixed": {"goals": goals_of(goals), "title": title},
        "sizes": sizes,
        "lengths": _lengths(lengths, batch, time),
        "xs": plain(xs, SHORT),
        "pick": {"tensor": "output", "index": [0, 0, 0]},
        "t": t,
        "seed": seed,
        "opts": {
            "cell": cell,
            "bidirectional": bidirectional,
            "batch_first": batch_first,
            "stored": stored,
            "padding": "none" if lengths is None else "packed" if packed else "padded",
            "predict": predict,
        },
    }
    check_state(state)
    plan = plan_of(state)
    longest = plan.ends.index(plan.steps)
    last = plan.lead(longest, plan.steps - 1)
    tensor, index = ("output", (*last, 0)) if pick is None else pick
    state["pick"] = {"tensor": tensor, "index": [int(i) for i in index]}
    return Demo(state, sys.modules[__name__])


def _lengths(lengths, batch, time):
    """Return a length for each sequence that the reader can switch on."""
    spare = [max(1, time - 2), time, 1, max(1, time - 1)]
    if lengths is None:
        return spare
    lengths = list(lengths)
    if len(lengths) != batch or not all(1 <= n <= time for n in lengths):
        raise ValueError(f"lengths must be {batch} numbers from 1 to {time}, got {lengths}")
    return [*map(int, lengths), *spare[batch:]]


@dataclass(frozen=True)
class Plan:
    """How a module takes its input: which axis is what, and how far each sequence goes."""

    batch_first: bool
    stored: str
    lengths: list  # of the reader's sequences; ``time`` where there is no padding
    ends: list  # steps that the module reads of each sequence, as it takes them
    steps: int  # of the output
    shapes: dict
    error: str

    def lead(self, sequence, step):
        """Return the first two indices of what the module takes for a step of a sequence."""
        return (sequence, step) if self.batch_first else (step, sequence)

    def own(self, i, j):
        """Return sequence and step of the reader's data at the first two indices."""
        return (i, j) if self.stored == "batch" else (j, i)


def plan_of(state):
    """Return what the state's options do to the axes."""
    opts, sizes = state["opts"], state["sizes"]
    N, T, D, H, L = (sizes[key] for key in ("batch", "time", "input", "hidden", "layers"))
    P = 2 if opts["bidirectional"] else 1
    padded, packed = opts["padding"] != "none", opts["padding"] == "packed"
    lengths = [min(n, T) if padded else T for n in state["lengths"][:N]]
    crossed = opts["batch_first"] != (opts["stored"] == "batch")
    S, M = (T, N) if crossed else (N, T)
    error = ""
    if packed and S != N:
        error = (
            f"There are {N} lengths, but with this batch_first the input holds {S} sequences: "
            "packing has no meaning"
        )
    ends = lengths if packed and not error else [M] * S
    steps = max(ends)
    plan = Plan(opts["batch_first"], opts["stored"], lengths, ends, steps, {}, error)
    plan.shapes["input"] = (*plan.lead(S, M), D)
    plan.shapes["output"] = (*plan.lead(S, steps), P * H)
    plan.shapes["h_n"] = (L * P, S, H)
    if opts["cell"] == "LSTM":
        plan.shapes["c_n"] = (L * P, S, H)
    return plan


def check(state):
    """Raise ``ValueError`` where the step or the selected number does not exist."""
    plan, pick = plan_of(state), state["pick"]
    if state["t"] >= plan.steps:
        raise ValueError(f"t must be below {plan.steps}, got {state['t']}")
    shape = plan.shapes.get(pick["tensor"])
    if shape is None:
        raise ValueError(f"pick: a {state['opts']['cell']} has no {pick['tensor']}")
    for axis, (i, size) in enumerate(zip(pick["index"], shape, strict=True)):
        if i >= size:
            raise ValueError(
                f"pick: index {axis} of {pick['tensor']}, {shape}, must be below {size}, got {i}"
            )


def input_of(state):
    """Return the input as it is stored, (N, T, D) or (T, N, D), with zeros for padding."""
    plan, sizes = plan_of(state), state["sizes"]
    x = np.array(state["xs"], dtype=float)[: sizes["batch"], : sizes["time"], : sizes["input"]]
    x *= np.arange(sizes["time"])[:, None] < np.array(plan.lengths)[:, None, None]
    return x if plan.stored == "batch" else x.swapaxes(0, 1)


def tensors(state):
    """Return input, output, h_n and c_n (LSTM only) by name, as PyTorch shapes them."""
    from course_lib.recurrent_layers import stack_forward

    plan, sizes = plan_of(state), state["sizes"]
    if plan.error:
        raise ValueError(plan.error)
    x = input_of(state)
    read = x if plan.batch_first else x.swapaxes(0, 1)  # (sequences, steps, D), as it takes them
    packed = state["opts"]["padding"] == "packed"
    layers = _shape_weights.layers(_weights(state), state["opts"]["cell"], sizes["layers"])
    run = stack_forward(
        read[:, : plan.steps], layers, lengths=np.array(plan.ends) if packed else None
    )
    output = run.h if plan.batch_first else run.h.swapaxes(0, 1)
    out = {"input": x, "output": output, "h_n": run.h_final}
    return out if run.c_final is None else {**out, "c_n": run.c_final}


def _weights(state):
    sizes, opts = state["sizes"], state["opts"]
    D, H, L = (sizes[key] for key in ("input", "hidden", "layers"))
    return _shape_weights.state_dict(state["seed"], opts["cell"], D, H, L, opts["bidirectional"])


def trace(state):
    """Return what is read and what comes out at every step, as the module takes the axes.

    Series are ``reading`` (T,), how many sequences are read, ``input`` (T, N, D) and ``output``
    (T, N, P H), time first. Raises ``ValueError`` where packing has no meaning.
    """
    from course_lib.trace import Series, Trace

    plan, made = plan_of(state), tensors(state)
    timed = [made[k].swapaxes(0, 1) if plan.batch_first else made[k] for k in ("input", "output")]
    reading = [sum(end > m for end in plan.ends) for m in range(plan.steps)]
    series = (
        Series("reading", np.array(reading)),
        Series("input", timed[0][: plan.steps]),
        Series("output", timed[1], low=-1.0, high=1.0),
    )
    return Trace("shape_explorer", series)


def summary(state):
    """Return the module and its shapes, for the fixed text form."""
    shapes = plan_of(state).shapes
    return f"nn.{state['opts']['cell']}, " + ", ".join(f"{k} {v}" for k, v in shapes.items())


def axes_of(state, tensor):
    """Return the names of a tensor's three axes, as the module takes them."""
    P = 2 if state["opts"]["bidirectional"] else 1
    if tensor in ("h_n", "c_n"):
        return ("layers × directions" if P == 2 else "layers", "batch", "hidden")
    lead = AXES if state["opts"]["batch_first"] else AXES[::-1]
    return (*lead, "input" if tensor == "input" else "directions × hidden" if P == 2 else "hidden")


def fallback(state):
    """Return the picture for readers without JavaScript: each tensor as slabs, with its axes."""
    plan, opts = plan_of(state), state["opts"]
    parts, words, y = [], [], 34
    for name, shape in plan.shapes.items():
        axes = " × ".join(axes_of(state, name))
        shown = "x" if name == "input" else name
        parts.append(_svg.text(16, y, f"{shown} {shape}: {axes}"))
        words.append(f"{shown} has shape {shape}: {axes}")
        slabs, rows, columns = shape
        cells = "".join(
            f"M{16 + k * (columns * 9 + 14) + c * 9} {y + 14 + r * 9}h8"
            for k in range(slabs)
            for r in range(rows)
            for c in range(columns)
        )
        colour = _svg.STATE_COLOURS[TENSORS.index(name)]
        parts.append(f'<path d="{cells}" stroke="{colour}" stroke-width="8"/>')
        y += 10 + rows * 9 + 32
    sizes = state["sizes"]
    both = ", in both directions" if opts["bidirectional"] else ""
    alt = (
        f"nn.{opts['cell']} with {sizes['layers']} layers of {sizes['hidden']} units{both}, "
        f"batch_first={opts['batch_first']}. " + "; ".join(words) + "."
    )
    if plan.error:
        alt += f" {plan.error}."
    return picture(_svg.svg(680, y - 12, "".join(parts), "Shapes"), alt)
