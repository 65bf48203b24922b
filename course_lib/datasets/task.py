"""One format for the tasks that come back for every model: input, target, chance and ceiling.

Each task has a known *chance* level (what the best answer that ignores the input scores) and a
known *ceiling* (what a model that knows the process scores), so a score never stands alone.

Letters: n or N sequences, T time, D input, n_out numbers put out at each step.
"""

from dataclasses import dataclass

import numpy as np

MEASURES = ("accuracy", "mse")


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A batch of sequences with what should be answered, and how good an answer can be.

    Parameters
    ----------
    name : str
        Which task, with its difficulty, such as ``memory, lag 20``.
    x : ndarray of shape (N, T, D)
        Inputs, float64.
    target : ndarray of shape (N,) or (N, T)
        Classes from 0 to n_out - 1, or numbers where ``measure`` is ``mse``; one a sequence where
        the answer is asked after the last step, one a step where it is asked after every step.
    n_out : int
        Numbers a model puts out at each step: classes, or 1 for a number.
    chance : float
        Score of the best constant answer, exact.
    ceiling : float
        Score of a model that knows the process, exact.
    measure : {"accuracy", "mse"}
        Share of right answers in [0, 1], higher is better, or mean squared error, lower is better.
    weight : ndarray of shape (N, T), optional
        1 where a step's answer counts and 0 elsewhere; only where ``target`` has one entry a step.

    Raises
    ------
    ValueError
        If shapes, classes or names do not fit together.
    """

    name: str
    x: np.ndarray  # (N, T, D)
    target: np.ndarray  # (N,) or (N, T)
    n_out: int
    chance: float
    ceiling: float
    measure: str = "accuracy"
    weight: np.ndarray | None = None  # (N, T)

    def __post_init__(self):
        if self.x.ndim != 3:
            raise ValueError(f"x must have shape (N, T, D), got {self.x.shape}")
        N, T, _ = self.x.shape
        if self.target.shape not in ((N,), (N, T)):
            raise ValueError(
                f"target must have shape ({N},) or ({N}, {T}) as x has, got {self.target.shape}"
            )
        if self.measure not in MEASURES:
            raise ValueError(f"measure must be one of {MEASURES}, got {self.measure!r}")
        if self.weight is not None and (
            self.weight.shape != (N, T) or self.target.shape != (N, T) or not self.weight.any()
        ):
            raise ValueError(
                f"weight must have the shape ({N}, {T}) of a target with one entry a step and "
                f"count at least one step, got {self.weight.shape} for {self.target.shape}"
            )
        if self.measure == "accuracy" and not (
            self.target.min() >= 0 and self.target.max() < self.n_out
        ):
            raise ValueError(
                f"target must hold classes from 0 to {self.n_out - 1}, "
                f"got {self.target.min()} to {self.target.max()}"
            )

    @property
    def where(self):
        """Return ``last`` if one answer is asked at the end, ``every`` if one a step."""
        return "last" if self.target.ndim == 1 else "every"


def score_task(task, outputs):
    """Return how good the outputs of a model are, in the task's own measure.

    Parameters
    ----------
    task : Task
        What was asked.
    outputs : ndarray of shape (N, T, n_out)
        Scores of the classes (the largest one is the answer), or the numbers themselves.

    Returns
    -------
    score : float
        Accuracy in [0, 1] or mean squared error, over the steps that count.

    Raises
    ------
    ValueError
        If the outputs do not have one row a step, or are not finite.
    """
    outputs, (N, T, _) = np.asarray(outputs, dtype=float), task.x.shape
    if outputs.shape != (N, T, task.n_out):
        raise ValueError(
            f"outputs must have shape ({N}, {T}, {task.n_out}), one row a step, got {outputs.shape}"
        )
    if not np.isfinite(outputs).all():
        raise ValueError("outputs must be finite, got NaN or infinity; did the training diverge?")
    if task.where == "last":
        outputs = outputs[:, -1]
    if task.measure == "mse":
        quality = (outputs[..., 0] - task.target) ** 2
    else:
        quality = outputs.argmax(axis=-1) == task.target
    return float(np.average(quality, weights=task.weight))


def at_least(name, value, least):
    """Return ``value`` as an int; anything but a whole number from ``least`` on is refused."""
    if isinstance(value, bool) or int(value) != value or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)
