"""What the ladder measured, as rows to print, numbers to draw and words to say.

Nothing here names a task or a model that must exist: a model that is new to the results becomes a
new column, and what was not measured stays empty.

Letters: S seeds, L lags.
"""

import re
from statistics import fmean

import numpy as np

# What readers call them, and which models share a colour; a name that is not here stays as it is.
MODEL_NAMES = {
    "markov": "Markov",
    "hmm": "HMM",
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "lstm-patient": "LSTM, patient",
    "gru-patient": "GRU, patient",
    "mingru": "minGRU",
    "mingru-patient": "minGRU, patient",
    "mingru-stack": "minGRU, 2 layers",
    "ssm": "SSM",
    "ssm-stack": "SSM, 2 layers",
}
FAMILIES = {
    "Markov": "counts",
    "HMM": "counts",
    "RNN": "recurrent",
    "LSTM": "recurrent",
    "GRU": "recurrent",
    "LSTM, patient": "patient start",
    "GRU, patient": "patient start",
    "minGRU": "linear",
    "minGRU, patient": "linear",
    "minGRU, 2 layers": "linear",
    "SSM": "linear",
    "SSM, 2 layers": "linear",
    "attention": "attention",
    "transformer": "attention",
}
TASK_NAMES = {"filtering": "HMM filtering"}
MEMORY = re.compile(r"memory-(\d+)")


def model_name(model):
    """Return what readers call a model."""
    return MODEL_NAMES.get(model, model)


def task_name(task):
    """Return what readers call a task."""
    lag = MEMORY.fullmatch(task)
    return f"memory, lag {lag[1]}" if lag else TASK_NAMES.get(task, task)


def by_task(cells):
    """Sort the cells by what was asked and who answered.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.

    Returns
    -------
    groups : dict of str to dict of str to list of Cell
        By task and model, in the order in which they first come; seeds in ascending order.
    """
    groups = {}
    for cell in sorted(cells, key=lambda cell: cell.seed):
        groups.setdefault(cell.task, {}).setdefault(cell.model, []).append(cell)
    tasks, models = _in_order(cells)
    return {t: {m: groups[t][m] for m in models if m in groups[t]} for t in tasks}


def missing(cells):
    """Name what is not in the results, though others like it are.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.

    Returns
    -------
    keys : list of tuple
        Task, model and seed, of every task with every model and every seed that come at all.
    """
    tasks, models = _in_order(cells)
    seeds = sorted({cell.seed for cell in cells})
    there = {(cell.task, cell.model, cell.seed) for cell in cells}
    wanted = ((task, model, seed) for task in tasks for model in models for seed in seeds)
    return [key for key in wanted if key not in there]


def _in_order(cells):
    """Tasks and models, as they first come."""
    return tuple(
        list(dict.fromkeys(getattr(cell, name) for cell in cells)) for name in ("task", "model")
    )


# ---- words ---------------------------------------------------------------------------------


def score_text(score, measure):
    """Return a score in figures: three decimals of an accuracy, four of a squared error."""
    return f"{score:.4f}" if measure == "mse" else f"{score:.3f}"


def spread(seeds):
    """Return the mean score over the seeds with the lowest and the highest, as text.

    Parameters
    ----------
    seeds : list of Cell
        One task, one model.

    Returns
    -------
    text : str
        Such as ``0.872 (0.861 to 0.890)``, which breaks between lines in one place only; one number
        if all seeds round to the same; a dash if there are none.
    """
    if not seeds:
        return "–"
    measure, scores = seeds[0].measure, [cell.score for cell in seeds]
    mean, low, high = (
        score_text(value, measure) for value in (fmean(scores), min(scores), max(scores))
    )
    return mean if low == high else f"{mean} ({low}\u00a0to\u00a0{high})"


def solved(seeds):
    """Return how many of the seeds solved the task, as text: ``2 of 3``."""
    return f"{sum(cell.solved for cell in seeds)} of {len(seeds)}"


def mean_seconds(seeds):
    """Return the mean CPU time of a training as text: ``0.04``, ``3.1`` or ``62``."""
    seconds = fmean(cell.seconds for cell in seeds)
    digits = 0 if seconds >= 10 else 1 if seconds >= 1 else 2
    return f"{seconds:.{digits}f}"


def _two_decimals(value):
    """A skill as text, without a sign before zero."""
    return f"{round(value, 2) + 0.0:.2f}"


# ---- rows ----------------------------------------------------------------------------------


def score_rows(cells):
    """Return the table of scores: a row a task, a column a model, beside chance and ceiling.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.

    Returns
    -------
    rows : list of dict of str to str
        Keys ``task``, ``chance``, ``ceiling`` and the models' names; the mean over seeds, with the
        lowest and the highest in brackets; a dash where nothing was measured.
    """
    _, models = _in_order(cells)
    rows = []
    for task, of_task in by_task(cells).items():
        first = next(iter(of_task.values()))[0]
        row = {
            "task": task_name(task) + (", squared error" if first.measure == "mse" else ""),
            "chance": score_text(first.chance, first.measure),
            "ceiling": score_text(first.ceiling, first.measure),
        }
        for model in models:
            row[model_name(model)] = spread(of_task.get(model, []))
        rows.append(row)
    return rows


def task_rows(cells, task):
    """Return the table of one task: a row a model, with what it reached and what it cost.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.
    task : str
        Short name of the task.

    Returns
    -------
    rows : list of dict of str to str
        Keys ``model``, ``score``, ``skill``, ``solved``, ``parameters``, ``updates`` and
        ``CPU seconds``; the last two and the skill are means over the seeds.
    """
    return [
        {
            "model": model_name(model),
            "score": spread(seeds),
            "skill": _two_decimals(fmean(cell.skill for cell in seeds)),
            "solved": solved(seeds),
            "parameters": f"{seeds[0].parameters:,}",
            "updates": f"{fmean(cell.updates for cell in seeds):.0f}",
            "CPU seconds": mean_seconds(seeds),
        }
        for model, seeds in by_task(cells).get(task, {}).items()
    ]


def cost_rows(cells):
    """Return the table of costs: a row a model, mean CPU seconds of one training on every task.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.

    Returns
    -------
    rows : list of dict of str to str
        Keys ``model``, ``parameters`` (fewest to most over the tasks) and the tasks' names.
    """
    groups, rows = by_task(cells), []
    for model in _in_order(cells)[1]:
        sizes = [cell.parameters for cell in cells if cell.model == model]
        few, many = f"{min(sizes):,}", f"{max(sizes):,}"
        row = {
            "model": model_name(model),
            "parameters": few if few == many else f"{few} to {many}",
        }
        for task, of_task in groups.items():
            row[task_name(task)] = mean_seconds(of_task[model]) if model in of_task else "–"
        rows.append(row)
    return rows


# ---- figures -------------------------------------------------------------------------------


def skills(cells, memory=False):
    """Return what `plotting.plot_ladder` draws.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.
    memory : bool, default=False
        Also the memory tasks, which have a figure of their own.

    Returns
    -------
    skill : dict of str to dict of str to ndarray of shape (S,)
        By name of task and model.
    """
    return {
        task_name(task): {
            model_name(model): np.array([cell.skill for cell in seeds])
            for model, seeds in of_task.items()
        }
        for task, of_task in by_task(cells).items()
        if memory or not MEMORY.fullmatch(task)
    }


def reach(cells):
    """Return what `plotting.plot_reach` draws: skill on the memory tasks, by lag.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.

    Returns
    -------
    lags : list of int
        In ascending order.
    skill : dict of str to ndarray of shape (L, S)
        By name of the model; NaN where a seed was not run.
    """
    asked = [(int(found[1]), cell) for cell in cells if (found := MEMORY.fullmatch(cell.task))]
    lags = sorted({lag for lag, _ in asked})
    seeds = sorted({cell.seed for _, cell in asked})
    skill = {}
    for lag, cell in asked:
        of_model = skill.setdefault(
            model_name(cell.model), np.full((len(lags), len(seeds)), np.nan)
        )
        of_model[lags.index(lag), seeds.index(cell.seed)] = cell.skill
    return lags, skill


def furthest(cells, model):
    """Return the longest lag up to which every seed of a model solved every memory task.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.
    model : str
        Short name of the model.

    Returns
    -------
    lag : int
        0 if it solved not even the shortest.
    """
    groups, reached = by_task(cells), 0
    lags = {int(found[1]): task for task in groups if (found := MEMORY.fullmatch(task))}
    for lag in sorted(lags):
        seeds = groups[lags[lag]].get(model, [])
        if not seeds or not all(cell.solved for cell in seeds):
            break
        reached = lag
    return reached


def describe_skills(cells):
    """Return the words for who cannot see `plot_ladder`: mean skill of every model and task."""
    parts = [
        f"{task}: "
        + ", ".join(f"{model} {_two_decimals(values.mean())}" for model, values in of_task.items())
        for task, of_task in skills(cells).items()
    ]
    return "Mean skill, 0 at chance and 1 at the ceiling. " + "; ".join(parts) + "."


def describe_reach(cells):
    """Return the words for who cannot see `plot_reach`: median skill of every model and lag.

    Parameters
    ----------
    cells : list of Cell
        As `read_results` returns them.

    Returns
    -------
    text : str
        Models one after the other, lags in ascending order; a dash where nothing was measured.
    """
    lags, skill = reach(cells)
    parts = [f"{model} " + ", ".join(map(_median, rows)) for model, rows in skill.items()]
    names = ", ".join(map(str, lags))
    return f"Median skill on memory at lags {names}. " + "; ".join(parts) + "."


def _median(values):
    """Median of what was measured, as text."""
    measured = values[~np.isnan(values)]
    return _two_decimals(np.median(measured)) if len(measured) else "–"
