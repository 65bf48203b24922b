"""The tasks of the ladder, and what stays the same for every model that climbs it.

One recipe a task for all networks: Adam, fresh batches of 32, gradients clipped at norm 1, an early
stop where the task is solved. It was chosen on the seeds 100 and 101, which are not on the ladder,
and from few tries: step size 0.005, and 0.01 for adding (both steps solve it with GRU and LSTM and
neither with the RNN in 1000 updates; 0.01 needs two thirds of the updates). For memory at lag 50
batches of 64 with step 0.01 were tried too; the GRU failed with both. How many updates a task gets
is what two CPU cores can do in some minutes, no more: a task that is not solved here is not solved
*so soon*, and ``by_hand`` shows what the same models can hold.

Letters: N sequences, T time, D input, V input symbols.
"""

from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from course_lib.datasets.adding import adding_task
from course_lib.datasets.copying import copy_task
from course_lib.datasets.memory import memory_task
from course_lib.datasets.parity import parity_task
from course_lib.datasets.processes import CASINO, filtering_task
from course_lib.datasets.reversal import reversal_task

SEEDS = (0, 1, 2)
TEST_SEED = 990_001  # far from every seed of a training


@dataclass(frozen=True, slots=True)
class Recipe:
    """How every network of the ladder is trained on one task.

    Parameters
    ----------
    updates : int
        Updates at most.
    lr : float
        Step size of Adam.
    batch : int
        Fresh sequences at each update.
    clip : float
        Largest norm of the gradient.
    stop_loss : float or None
        Training stops when the mean loss of twenty updates is at most this, in nats or squared
        units; None makes all updates.
    """

    updates: int
    lr: float = 0.005
    batch: int = 32
    clip: float = 1.0
    stop_loss: float | None = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class TaskSpec:
    """One task of the ladder.

    Parameters
    ----------
    draw : callable
        ``draw(n=n, rng=rng, **options)`` returns a Task of n sequences.
    recipe : Recipe
        For the networks.
    options : dict
        Difficulty of the task.
    symbols : callable
        ``symbols(x)`` turns inputs (N, T, D) into symbols (N, T), for the models that count.
    V : int
        Number of these symbols.
    answers_are_states : bool
        The answers are hidden states, which the HMM must find without being shown any.
    test_sequences : int
        How many a trained model is scored on.
    """

    draw: object
    recipe: Recipe
    options: dict = field(default_factory=dict)
    symbols: object = None
    V: int = 0
    answers_are_states: bool = False
    test_sequences: int = 4000

    def __post_init__(self):
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def sample(self, n, rng):
        """Return a Task of n sequences."""
        return self.draw(n=n, rng=rng, **self.options)


def which_is_on(x):
    """Return the symbols (N, T) of one-hot inputs (N, T, V)."""
    return np.argmax(x, axis=-1)


def bits(x):
    """Return the symbols (N, T) of inputs (N, T, 1) that are 0 or 1."""
    return x[..., 0].astype(int)


def quarter_and_mark(x):
    """Return the symbols (N, T) of the adding task: which quarter of [0, 1], and whether marked."""
    return 2 * np.minimum((4 * x[..., 0]).astype(int), 3) + x[..., 1].astype(int)


def _memory(lag):
    return TaskSpec(memory_task, Recipe(400), {"lag": lag}, which_is_on, 4)


TASKS = {
    "memory-5": _memory(5),
    "memory-20": _memory(20),
    "memory-50": _memory(50),
    "memory-100": _memory(100),
    "memory-200": _memory(200),
    "adding": TaskSpec(
        adding_task, Recipe(1000, lr=0.01, stop_loss=0.004), {"T": 30}, quarter_and_mark, 8
    ),
    "copy": TaskSpec(
        copy_task, Recipe(1000), {"n_symbols": 4, "length": 4, "delay": 5}, which_is_on, 6
    ),
    "parity": TaskSpec(parity_task, Recipe(1000), {"T": 12}, bits, 2),
    "filtering": TaskSpec(
        filtering_task,
        Recipe(300, stop_loss=None),
        {"process": CASINO, "T": 50},
        which_is_on,
        CASINO.V,
        answers_are_states=True,
        test_sequences=20_000,  # from chance to ceiling it is a tenth here, elsewhere much more
    ),
    "reversal": TaskSpec(
        reversal_task, Recipe(1000), {"n_symbols": 4, "length": 5}, which_is_on, 6
    ),
}
