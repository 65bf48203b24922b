"""What the translators' trainings gave: a text file with one JSON object a line, one a training."""

from dataclasses import dataclass
from pathlib import Path

from course_lib.ladder.results import read_lines

RESULTS = Path(__file__).with_name("results.jsonl")
ROWS = ("words", "sentences", "forced_words", "paid", "loss")


@dataclass(frozen=True, slots=True)
class Result:
    """One training of one model with one seed, tested on sentences drawn afresh.

    Parameters
    ----------
    model : str
        A name in ``run.MODELS``.
    seed : int
        Seed of the starting weights and of the training sentences.
    words, sentences : list of float
        Share of right words, and of right sentences, for each of ``run.LENGTHS``; in [0, 1]. The
        model writes freely.
    forced_words : list of float
        Share of right words if each step is given the right ones before it, as in training.
    paid : list of float
        What the words of a sentence cost under the model, in bits, for each of ``run.LENGTHS``; the
        right words before are given, the end is not counted.
    loss : list of float
        Mean loss of each hundred updates, nats per token.
    early : dict of str to list
        By number of updates, as text: words and sentences, as above, after so many updates.
    parameters : int
        Number of weights.
    seconds : float
        CPU seconds of the training, without its tests.
    settings : str
        Digest of the settings of ``run`` that decide the result; it changes when one of them does.
    """

    model: str
    seed: int
    words: list
    sentences: list
    forced_words: list
    paid: list
    loss: list
    early: dict
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
    for name in ROWS:
        row = getattr(result, name)
        if not isinstance(row, list) or not all(isinstance(x, float) for x in row):
            raise TypeError(f"{name} must be a row of numbers")
    if not isinstance(result.early, dict):
        raise TypeError("early must hold two rows for each number of updates")
    if len({len(getattr(result, name)) for name in ROWS[:4]}) > 1:
        raise TypeError("words, sentences, forced_words and paid must have the same length")
    return result
