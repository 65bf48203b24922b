"""Trained translators: with one vector between reader and writer, and with a look back."""

from course_lib.translation.results import Result, read_results
from course_lib.translation.run import LENGTHS, MODELS, SEEDS, load

__all__ = ["LENGTHS", "MODELS", "SEEDS", "Result", "load", "read_results"]
