"""What the playground's trainings gave: a text file with one JSON object a line, one a training."""

from dataclasses import dataclass
from pathlib import Path

from course_lib.ladder.results import read_lines

RESULTS = Path(__file__).with_name("results.jsonl")


@dataclass(frozen=True, slots=True)
class Result:
    """One training of one model with one seed.

    Parameters
    ----------
    model : str
        A name in ``run.MODELS``.
    seed : int
        Seed of the starting weights and of the training sentences.
    accuracy : dict of str to list of float
        By number of updates, as text: share of right answers in [0, 1] for each of ``run.LENGTHS``,
        on sentences drawn afresh.
    parameters : int
        Number of weights.
    seconds : float
        CPU seconds of the training, without its tests.
    settings : str
        Digest of everything that decides the result; it changes when a setting does.
    """

    model: str
    seed: int
    accuracy: dict
    parameters: int
    seconds: float
    settings: str


def read_results(path=RESULTS):
    """Read the results of a file.

    Parameters
    ----------
    path : str or Path
        A file that does not exist holds none.

    Returns
    -------
    results : list of Result
        In the order of the lines.

    Raises
    ------
    ValueError
        If a line is no result; the message names it.
    """
    return read_lines(path, _result)


def _result(entry):
    """Return the Result of one line, or raise TypeError if a part of it is of another kind."""
    result = Result(**entry)
    if not isinstance(result.model, str) or not isinstance(result.seed, int):
        raise TypeError("model must be a name and seed a whole number")
    rows = list(result.accuracy.values()) if isinstance(result.accuracy, dict) else [None]
    if not all(isinstance(row, list) and all(isinstance(x, float) for x in row) for row in rows):
        raise TypeError("accuracy must hold a row of numbers for each number of updates")
    return result
