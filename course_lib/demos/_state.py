"""What every demo state has in common: schema, size, goals, numbers and the seeded generator."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SCHEMA = Path(__file__).with_name("schema.json")
MAX_STATE_BYTES = 15_000  # inline in the page; demos.md
DIGITS = 12  # of every stored parameter: more than any comparison asks for
SHORT = 4  # of learned weights and inputs: what a reader sees is what is computed with
VIEWS = (
    "trellis", "chain", "em", "state_trace", "gate_trace", "three_cells", "gradient_flow", "family",
    "belief_simplex", "shape_explorer", "session", "sentences", "forecast",
    "one_head", "bottleneck", "scan_tree", "attention_map", "alignment", "quiz",
)  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """A small task that the demo recognises when the reader has done it.

    Parameters
    ----------
    text : str
        What to do, for the reader.
    when : sequence of (str, str, object)
        Conditions that must all hold: a path into the view's results such as ``"filter.-1.1"``,
        one of ``> >= < <= == !=``, and a number, a string or another path.
    """

    text: str
    when: tuple

    def to_json(self):
        return {"text": self.text, "when": [list(condition) for condition in self.when]}


@functools.cache
def _validator(view):
    import jsonschema  # 0.1 s; not needed to import course_lib

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{view}", "$defs": schema["$defs"]})


def check_state(state):
    """Raise ``ValueError`` unless ``state`` fits the schema of its view and the size limit."""
    view = state.get("view") if isinstance(state, dict) else None
    if view not in VIEWS:
        raise ValueError(f"state: view must be one of {', '.join(VIEWS)}, got {view!r}")
    error = min(
        _validator(view).iter_errors(state), key=lambda e: list(map(str, e.path)), default=None
    )
    if error is not None:
        where = ".".join(str(part) for part in error.path) or "state"
        raise ValueError(f"{where}: {error.message}")
    size = len(json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode())
    if size > MAX_STATE_BYTES:
        raise ValueError(
            f"state of demo {state['name']!r} is {size} bytes, at most {MAX_STATE_BYTES}: "
            "show fewer observations or shorter labels"
        )


def check_limit(name, size, most, what):
    """Raise ``ValueError`` when a demo would not fit on a phone."""
    if not 1 <= size <= most:
        raise ValueError(f"{name}: the demo shows 1 to {most} {what}, got {size}")


def labels_of(name, labels, count, prefix):
    """Return ``count`` label strings, made from ``prefix`` when none are given."""
    if labels is None:
        return [f"{prefix}{k}" for k in range(count)]
    labels = [str(label) for label in labels]
    if len(labels) != count:
        raise ValueError(f"{name} must hold {count} labels, got {len(labels)}: {labels}")
    if len(set(labels)) != count:
        raise ValueError(f"{name} must differ from each other, got {labels}")
    return labels


def goals_of(goals):
    """Return goals as JSON."""
    return [goal.to_json() for goal in goals]


def plain(x, digits=DIGITS):
    """Return an array as nested lists of Python numbers with ``digits`` significant digits."""
    if isinstance(x, (list, tuple, np.ndarray)):
        return [plain(entry, digits) for entry in x]
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    value = float(f"{float(x):.{digits}g}")
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def integers(name, values):
    """Return ``values`` as a list of ints; anything else is a ``ValueError`` naming the index."""
    out = []
    for t, value in enumerate(np.asarray(values).ravel().tolist()):
        if isinstance(value, bool) or not float(value).is_integer():
            raise ValueError(f"{name} at t={t} must be a whole number, got {value!r}")
        out.append(int(value))
    return out


def uniforms(seed, n):
    """Return ``n`` numbers in [0, 1) of the generator that the demos use (mulberry32).

    The same seed gives the same walk in Python and in the browser.
    """
    out, a, mask = [], int(seed), 0xFFFFFFFF
    for _ in range(n):
        a = (a + 0x6D2B79F5) & mask
        x = ((a ^ (a >> 15)) * (1 | a)) & mask
        x ^= (x + (((x ^ (x >> 7)) * (61 | x)) & mask)) & mask
        out.append((x ^ (x >> 14)) / 2**32)
    return out
