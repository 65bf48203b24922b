"""Scan-tree demo: a recurrence run in rounds instead of steps, and what streaming must keep."""

import sys
from itertools import cycle, islice

import numpy as np

from course_lib.demos import _scan_models, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._scan_models import MEMORIES, MOST
from course_lib.demos._state import Goal, check_state, goals_of, integers, labels_of, plain

NAMES = {
    "hmm": "HMM forward",
    "linear": "linear RNN",
    "min_gru": "minGRU",
    "attention": "linear attention",
}
DICE = ([2 / 3, 1 / 3], [[0.95, 0.05], [0.1, 0.9]], [[1 / 6] * 6, [0.1] * 5 + [0.5]])
TRIPLE = 3  # times as many combines as the loop: one of the goals


def scan_tree(
    name, x, obs=None, *,
    kind="min_gru", hmm=DICE, linear=None, min_gru=None, attention=None,
    states=("fair", "loaded"), symbols=None, length=8, t=0, cell=-1,
    tokens=1000, layers=4, width=64, heads=4, memories=16,
    title="", goals=None, predict=False,
):  # fmt: skip
    """Show the doubling scan of a recurrence as a tree, round by round, beside its loop.

    Four recurrences share the tree: the HMM's forward algorithm, a linear RNN and a minGRU of one
    unit, and linear attention of one head. Under it stands what each kind of model must keep to go
    on after so many tokens.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=2&opts.kind=hmm`` use it.
    x : array-like of shape (T,)
        Inputs in [-2, 2], 1 to 16 of them; fewer than 16 are repeated.
    obs : array-like of shape (S,), optional
        Symbols for the HMM, repeated as the inputs are; by default they count up from 0.
    kind : {"min_gru", "linear", "hmm", "attention"}, default="min_gru"
        Recurrence shown first.
    hmm : tuple of (pi, A, B), optional
        An HMM of 2 states and 2 to 6 symbols; by default the casino's two dice.
    linear : LinearParams, optional
        One unit that reads one input, with a decay between 0 and 1.
    min_gru : MinGRUParams, optional
        One unit that reads one input, with a gate bias between -6 and 6.
    attention : LinearAttentionParams, optional
        One input, queries and keys of width 2, values of width 1, no decay.
    states : sequence of str, default=("fair", "loaded")
        Names of the HMM's states; the belief in the second is shown.
    symbols : sequence of str, optional
        Names of the HMM's symbols, by default 1, 2, ...
    length : int, default=8
        Elements in the tree, 2 to 16.
    t : int, default=0
        Round shown first; round 0 holds the elements.
    cell : int, default=-1
        Column of the chosen node, from the end where negative.
    tokens, layers, width, heads, memories : int
        Sizes of the models whose memory is compared: ``heads`` divides ``width``; a state space has
        ``memories`` numbers a channel.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default up to three.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a shape, a number or the size does not fit; the message names it.
    """
    from course_lib._checks import check_finite, check_shape
    from course_lib.linear_attention import LinearAttentionParams
    from course_lib.linear_recurrence import LinearParams
    from course_lib.min_rnn import MinGRUParams

    linear = linear or LinearParams(np.array([0.8]), np.array([[0.5]]), np.zeros(1))
    min_gru = min_gru or MinGRUParams([[1.5]], [[1.0]], [0.0], [0.0])
    if attention is None:
        attention = LinearAttentionParams([[2.0, -2.0]], [[2.0, -2.0]], [[1.0]])
    models, decay, gate = _scan_models.stored(hmm, linear, min_gru, attention)
    V = len(models["hmm"]["B"][0])
    x = check_finite("x", check_shape("x", np.asarray(x, dtype=float), (None,)))
    obs = integers("obs", range(V) if obs is None else obs)
    for key, values in (("x", x), ("obs", obs)):
        if not 1 <= len(values) <= MOST:
            raise ValueError(f"{key} must hold 1 to {MOST} elements, got {len(values)}")
    symbols = labels_of("symbols", symbols or range(1, V + 1), V, "")
    state = {
        "v": 1,
        "view": "scan_tree",
        "name": name,
        "fixed": {
            "models": models,
            "labels": labels_of("states", states, 2, ""),
            "symbols": symbols,
            "goals": [],
            "title": title,
        },
        "xs": list(islice(cycle(plain(x.round(2))), MOST)),
        "obs": list(islice(cycle(obs), MOST)),
        "t": t,
        "seed": 0,
        "opts": {
            "kind": kind,
            "length": length,
            "cell": cell if cell >= 0 else length + cell,
            "decay": decay,
            "gate": gate,
            "tokens": tokens,
            "layers": layers,
            "width": width,
            "heads": heads,
            "memories": memories,
            "predict": predict,
        },
    }
    check_state(state)
    check(state)
    state["fixed"]["goals"] = goals_of(_goals(state) if goals is None else goals)
    check_state(state)
    return Demo(state, sys.modules[__name__])


def rounds_of(T):
    """Return the number of rounds in which a doubling scan of T elements is done."""
    return int(T - 1).bit_length()


def work(T):
    """Return the combinations a doubling scan of T elements makes."""
    return sum(T - 2**r for r in range(rounds_of(T)))


def _goals(state):
    opts = state["opts"]
    goals = [
        Goal(
            "Change exactly one node of the last round. (Which input must you drag?)",
            (("changed.last", "==", 1), ("changed.first", "==", 1)),
        )
    ]
    if work(opts["length"]) <= TRIPLE * (opts["length"] - 1):
        goals.append(
            Goal(
                f"Find a length at which the scan makes more than {TRIPLE} times as many "
                "combinations as the loop.",
                (("ratio", ">", TRIPLE),),
            )
        )
    cache, _, attention, _ = _scan_models.memory(opts, opts["tokens"]).tolist()
    if cache >= attention:
        goals.append(
            Goal(
                "Find a number of tokens at which the key-value cache is smaller than the state of "
                "linear attention.",
                (("memory.0", "<", "memory.2"),),
            )
        )
    return goals


def check(state):
    """Raise ``ValueError`` where symbols, rounds, columns and sizes do not fit each other."""
    fixed, opts = state["fixed"], state["opts"]
    V, last = len(fixed["symbols"]), rounds_of(opts["length"])
    if len(fixed["models"]["hmm"]["B"][0]) != V:
        raise ValueError(f"symbols must name {len(fixed['models']['hmm']['B'][0])}, got {V}")
    for t, y in enumerate(state["obs"]):
        if y >= V:
            raise ValueError(f"obs at t={t} must be below {V}, got {y}")
    if state["t"] > last:
        raise ValueError(f"t must be a round from 0 to {last}, got {state['t']}")
    if opts["cell"] >= opts["length"]:
        raise ValueError(f"cell must be below {opts['length']}, got {opts['cell']}")
    if opts["width"] % opts["heads"]:
        raise ValueError(f"heads must divide the width {opts['width']}, got {opts['heads']}")


def trace(state):
    """Return what loop and scan say after every element, and the memory that streaming needs.

    Series have one step an element: ``x``, ``obs``; ``loop`` (T,); ``scan`` (T, rounds + 1), what
    the node of each round says, the last one equal to the loop; ``cache`` (T,) and ``fixed``
    (T, 3), bytes kept after each element by attention and by the three recurrences.
    """
    from course_lib.trace import Series, Trace

    x, obs = _scan_models.inputs(state)
    said = _scan_models.rounds(state).T
    T = len(said)
    bytes_kept = _scan_models.memory(state["opts"], np.arange(1, T + 1)).astype(float)
    return Trace(
        "scan_tree",
        (
            Series("x", x[0, :, 0]),
            Series("obs", obs),
            Series("loop", _scan_models.loop(state)),
            Series("scan", said, tuple(f"round {r}" for r in range(said.shape[1]))),
            Series("cache", bytes_kept[:, 0], unit="bytes"),
            Series("fixed", bytes_kept[:, 1:], MEMORIES[1:], unit="bytes"),
        ),
    )


def summary(state):
    """Return the sizes, for the fixed text form."""
    T = state["opts"]["length"]
    R = rounds_of(T)
    return f"{NAMES[state['opts']['kind']]}, T={T}, {R} round{'s' if R > 1 else ''}"


def fallback(state):
    """Return the picture for readers without JavaScript: the tree of the scan, all rounds."""
    opts = state["opts"]
    T, last = opts["length"], rounds_of(opts["length"])
    said = _scan_models.rounds(state)
    left, top, step, row = 96, 30, 560 / T, 52
    lines, nodes = [], []
    for r in range(last + 1):
        lines.append(_svg.text(10, top + r * row + 5, f"round {r}"))
        for j in range(T):
            x, y = left + (j + 0.5) * step, top + r * row
            parents = [j] if r and j < 2 ** (r - 1) else [j, j - 2 ** (r - 1)] if r else []
            for k in parents:
                lines.append(
                    f'<path d="M{left + (k + 0.5) * step:.1f} {y - row:.1f}L{x:.1f} {y:.1f}" '
                    f'stroke="{_svg.FAINT}" stroke-width="2"/>'
                )
            done = j < 2**r
            nodes.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{min(15, step / 2 - 2):.1f}" '
                f'fill="{_svg.PAPER}" stroke="{_svg.STATE_COLOURS[0] if done else "#9aa5b1"}" '
                f'stroke-width="{2.5 if done else 1.5}"/>'
            )
            if step > 34 and np.isfinite(said[r, j]):
                nodes.append(_svg.text(x, y + 4, f"{said[r, j]:.1f}", "middle"))
    cache, gru, attention, ssm = _scan_models.memory(opts, opts["tokens"]).tolist()
    alt = (
        f"A scan of {T} elements of {NAMES[opts['kind']]} as a tree of {last + 1} rows: in round r "
        "each node combines the node above it with the one 2 to the power r − 1 columns to its "
        f"left, so that after {last} rounds every column holds everything up to it. The loop makes "
        f"{T - 1} combinations one after another, the scan {work(T)} in {last} rounds. After "
        f"{opts['tokens']} tokens a key-value cache holds {cache} bytes, a GRU {gru}, linear "
        f"attention {attention}, a state space {ssm}."
    )
    return picture(_svg.svg(680, top + last * row + 30, "".join(lines + nodes), "Scan tree"), alt)
