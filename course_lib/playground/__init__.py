"""The sentence playground: three kinds of cell read sentences whose first verb decides."""

from course_lib.playground.model import SentenceModel, arrays, margins, signal_left
from course_lib.playground.results import Result, read_results
from course_lib.playground.run import LENGTHS, MODELS, SEEDS, UPDATES, load

__all__ = [
    "LENGTHS",
    "MODELS",
    "SEEDS",
    "UPDATES",
    "Result",
    "SentenceModel",
    "arrays",
    "load",
    "margins",
    "read_results",
    "signal_left",
]
