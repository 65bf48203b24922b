"""What every model of the ladder hands back after its training."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A trained model.

    Parameters
    ----------
    outputs : callable
        ``outputs(x)`` turns inputs (N, T, D) into outputs (N, T, n_out): scores of the classes, or
        numbers.
    parameters : int
        Numbers that training could set freely.
    updates : int
        Updates that were made; 0 where counting was enough.
    """

    outputs: object
    parameters: int
    updates: int
