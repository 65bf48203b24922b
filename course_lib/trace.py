"""One format for what every model leaves behind when it reads a sequence: named arrays over time.

Figures, demos, tests, exercises and the grader read this format, whichever model wrote it.
Letter: T time.
"""

import json
from dataclasses import dataclass

import numpy as np

VERSION = 1  # of the JSON form; raise it when a reader of the old form would misread the new one
KINDS = "biuf"  # booleans, integers and floating point numbers


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One named array over time.

    Parameters
    ----------
    name : str
        Name in code, such as ``alpha``.
    values : ndarray of shape (T, ...)
        Time is the first axis. A read-only copy is kept.
    labels : tuple of str, optional
        Names of the entries along the second axis.
    low, high : float, optional
        Smallest and largest value that is possible (not: that occurred); None where unbounded.
    unit : str
        Such as ``nats``; empty for plain numbers.

    Raises
    ------
    ValueError
        If the array holds no numbers, leaves its range, or does not fit its labels.
    """

    name: str
    values: np.ndarray  # (T, ...)
    labels: tuple | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""

    def __post_init__(self):
        if not (isinstance(self.name, str) and self.name):
            raise ValueError(f"name must be a text that is not empty, got {self.name!r}")
        values = np.array(self.values)
        if values.dtype.kind not in KINDS or values.ndim == 0 or len(values) == 0:
            raise ValueError(
                f"values of {self.name!r} must be numbers over time, shape (T, ...), "
                f"got {values.dtype} of shape {values.shape}"
            )
        for bound, outside in (
            (self.low, values < self.low if self.low is not None else None),
            (self.high, values > self.high if self.high is not None else None),
        ):
            if bound is not None and outside.any():
                index = tuple(int(i) for i in np.argwhere(outside)[0])
                raise ValueError(
                    f"values of {self.name!r} must lie in [{self.low}, {self.high}], "
                    f"got {values[index]} at t={index[0]}, index {index}"
                )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        if self.labels is not None:
            labels = tuple(str(label) for label in self.labels)
            if values.ndim < 2 or len(labels) != values.shape[1]:
                raise ValueError(
                    f"labels of {self.name!r} must name the second axis of {values.shape}, "
                    f"got {len(labels)} labels"
                )
            object.__setattr__(self, "labels", labels)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a model left behind: series of the same length, and a label for every step.

    Parameters
    ----------
    model : str
        Which model or algorithm wrote it.
    series : tuple of Series
        At least one; names differ, lengths agree.
    steps : tuple of str, optional
        A label for every time step, such as the token that was read.

    Raises
    ------
    ValueError
        If names repeat, lengths differ, or a name that is asked for is not there.
    """

    model: str
    series: tuple
    steps: tuple | None = None

    def __post_init__(self):
        object.__setattr__(self, "series", tuple(self.series))
        names = self.names
        if not names:
            raise ValueError("a trace must hold at least one series, got none")
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"names of series must differ, got {repeated[0]!r} more than once")
        for s in self.series:
            if len(s.values) != self.T:
                raise ValueError(
                    f"all series must have {self.T} time steps as {names[0]!r} has, "
                    f"got {len(s.values)} in {s.name!r}"
                )
        if self.steps is not None:
            object.__setattr__(self, "steps", tuple(str(step) for step in self.steps))
            if len(self.steps) != self.T:
                raise ValueError(f"steps must name {self.T} time steps, got {len(self.steps)}")

    @property
    def names(self):
        """Names of the series, in order."""
        return [s.name for s in self.series]

    @property
    def T(self):
        """Number of time steps."""
        return len(self.series[0].values)

    def __getitem__(self, name):
        for s in self.series:
            if s.name == name:
                return s.values
        raise ValueError(f"no series {name!r} in this trace; there are: {', '.join(self.names)}")

    def __repr__(self):
        return f"Trace({self.model!r}, T={self.T}, series={', '.join(self.names)})"

    def to_json(self):
        """Write the trace as JSON; numbers keep every digit, infinities and NaN become strings.

        Returns
        -------
        text : str
            An object ``{"v", "model", "series", "steps"}``.
        """
        series = [
            {
                "name": s.name,
                "dtype": s.values.dtype.str,
                "shape": list(s.values.shape),
                "values": [_to_json(x) for x in s.values.ravel().tolist()],
                "labels": None if s.labels is None else list(s.labels),
                "low": s.low,
                "high": s.high,
                "unit": s.unit,
            }
            for s in self.series
        ]
        steps = None if self.steps is None else list(self.steps)
        document = {"v": VERSION, "model": self.model, "series": series, "steps": steps}
        return json.dumps(document, allow_nan=False)

    @classmethod
    def from_json(cls, text):
        """Read what :meth:`to_json` wrote; ``ValueError`` says what is wrong with other text."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ValueError(f"a trace must be JSON text: {error}") from error
        if not isinstance(document, dict) or document.get("v") != VERSION:
            found = document.get("v") if isinstance(document, dict) else type(document).__name__
            raise ValueError(f"a trace must be a JSON object with v = {VERSION}, got {found!r}")
        try:
            series = tuple(_series_from(entry) for entry in document["series"])
            return cls(document["model"], series, document["steps"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"this JSON is not a whole trace: {error!r}") from error


def _to_json(x):
    return repr(x) if isinstance(x, float) and not np.isfinite(x) else x


def _series_from(entry):
    dtype = np.dtype(entry["dtype"])
    if dtype.kind not in KINDS:
        raise ValueError(f"values of {entry['name']!r} must be numbers, got dtype {dtype}")
    numbers = [float(x) if isinstance(x, str) else x for x in entry["values"]]
    values = np.array(numbers, dtype=dtype).reshape(entry["shape"])
    rest = {key: entry[key] for key in ("labels", "low", "high", "unit")}
    return Series(entry["name"], values, **rest)
