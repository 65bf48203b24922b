"""What the ladder measured: a text file with one JSON object a line, one line a cell.

A *cell* is one model trained on one task with one seed. Reading needs neither NumPy nor PyTorch,
so that a page can show the results without the means to compute them.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

RESULTS = Path(__file__).with_name("results.jsonl")


@dataclass(frozen=True, slots=True)
class Cell:
    """One model, trained on one task with one seed.

    Parameters
    ----------
    task, model : str
        Short names, as in ``tasks.TASKS`` and ``models.MODELS``.
    seed : int
        Seed of the starting weights and of the training data.
    score : float
        On sequences that training did not see, in the task's measure.
    chance, ceiling : float
        Scores of the best answer that ignores the input, and of a model that knows the process.
    measure : str
        "accuracy" (higher is better) or "mse" (lower is better).
    parameters : int
        Numbers that training could set freely.
    seconds : float
        CPU seconds of the training on one thread, with the drawing of its data.
    updates : int
        Updates of the weights, or steps of EM over all restarts; 0 where counting was enough.
    solved : bool
        Whether the score lies at least ``SOLVED`` of the way from chance to ceiling.
    settings : str
        Short digest of everything that decides the cell; it changes when a setting does.
    versions : str
        Python, libraries and processor that computed it.
    """

    task: str
    model: str
    seed: int
    score: float
    chance: float
    ceiling: float
    measure: str
    parameters: int
    seconds: float
    updates: int
    solved: bool
    settings: str
    versions: str

    @property
    def key(self):
        """Return task, model and seed, which no two cells share."""
        return self.task, self.model, self.seed

    @property
    def skill(self):
        """How far from chance (0) to the ceiling (1) the score is; below 0 is worse than chance."""
        return skill(self.score, self.chance, self.ceiling)


SOLVED = 0.95  # skill from which on a cell counts as solved


def skill(score, chance, ceiling):
    """Return the share of the way from chance (0) to ceiling (1); right for both measures."""
    return (score - chance) / (ceiling - chance)


def read_results(path=RESULTS):
    """Read the cells of a results file.

    Parameters
    ----------
    path : str or Path
        Text with one JSON object a line; a file that does not exist holds no cells.

    Returns
    -------
    cells : list of Cell
        In the order of the lines.

    Raises
    ------
    ValueError
        If a line is not a cell, or repeats one; the message names the line.
    """
    path = Path(path)
    if not path.exists():
        return []
    cells, seen = [], {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            cell = _read_cell(line)
            if cell.key in seen:
                raise ValueError(f"repeats the cell of line {seen[cell.key]}")
        except ValueError as error:
            raise ValueError(
                f"{path}, line {number}: {error}; delete the line to have its cell computed again"
            ) from None
        seen[cell.key] = number
        cells.append(cell)
    return cells


def read_lines(path, read):
    """Read a results file of another kind: what one training gave stands on one line.

    Parameters
    ----------
    path : str or Path
        Text with one JSON object a line; a file that does not exist holds none.
    read : callable
        ``read(entry)`` turns one of them into a result, or raises ValueError or TypeError.

    Returns
    -------
    results : list
        In the order of the lines.

    Raises
    ------
    ValueError
        If a line is no result; the message names it.
    """
    path = Path(path)
    if not path.exists():
        return []
    results = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            results.append(read(json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}, line {number}: {error}; delete the line") from None
    return results


def _read_cell(line):
    """Cell of one line; ValueError says what is wrong with it."""
    try:
        values = json.loads(line, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error.msg} at column {error.colno})") from None
    wanted = {field.name: field.type for field in fields(Cell)}
    if not isinstance(values, dict) or set(values) != set(wanted):
        got = list(values) if isinstance(values, dict) else values
        raise ValueError(f"must have the keys {', '.join(wanted)}, got {got!r:.200}")
    for name, kind in wanted.items():
        value = values[name]
        if kind is float and type(value) is int:
            values[name] = value = float(value)
        if type(value) is not kind:
            raise ValueError(f"{name} must be of type {kind.__name__}, got {value!r}")
    if values["measure"] not in ("accuracy", "mse"):
        raise ValueError(f"measure must be accuracy or mse, got {values['measure']!r}")
    return Cell(**values)


def _refuse(name):
    """NaN and infinity are not JSON, and no score."""
    raise ValueError(f"holds {name}, which is no number")


def write_results(cells, path=RESULTS):
    """Write cells, replacing the file at one stroke: a reader sees the old one or the new one.

    Parameters
    ----------
    cells : iterable of Cell
        In the order in which they should stand.
    path : str or Path
        Where to.
    """
    path = Path(path)
    text = "".join(json.dumps(asdict(cell), allow_nan=False) + "\n" for cell in cells)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # before the rename: a crash leaves no empty file
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
