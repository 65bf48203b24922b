"""Goals of the forecast demo that can be reached: every hour is tried at both of its limits."""

import numpy as np

from course_lib.demos import _forecast_models
from course_lib.demos._state import Goal

SHARE = 0.9  # of the most that one hour does: other hours may help, and none has to be exact


def reachable(window, fixed, band):
    """Return up to two goals: the models differ, and the band of the network widens."""
    mean, std = fixed["scale"]
    name, unit = fixed["network"]["name"], fixed["unit"]
    one = np.repeat(window[None], 2 * len(window), axis=0)  # one hour set to a limit
    hours = np.arange(len(one)) // 2
    one[np.arange(len(one)), hours] = np.tile(fixed["limits"], len(window))
    z = (np.concatenate([window[None], one]) - mean) / std
    linear, network = (
        std * _forecast_models.quantiles(fixed, model, z)[:, 0] for model in ("linear", "network")
    )
    goals = []
    gap = np.abs(linear[:, 1] - network[:, 1])
    if (least := _two_digits(SHARE * gap.max())) > 1.05 * gap[0]:
        goals.append(
            Goal(
                f"Drive the two medians of the next hour more than {least:g} {unit} apart. "
                "One hour is enough.",
                (("gaps.0", ">", least),),
            )
        )
    width = network[:, 2] - network[:, 0]
    if (least := _two_digits(SHARE * width.max())) > 1.05 * width[0]:
        goals.append(
            Goal(
                f"Make the {name} less certain: its {band} band of the next hour wider than "
                f"{least:g} {unit}.",
                (("widths.0", ">", least),),
            )
        )
    return tuple(goals)


def _two_digits(x):
    """Return x rounded down to two digits."""
    if x <= 0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(x)) - 1)
    return float(f"{np.floor(x / unit) * unit:.2g}")
