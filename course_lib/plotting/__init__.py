"""Figures of the course: one function a kind of picture, legible on light and on dark pages.

Text, axes and grid take the colour of the page's text (``currentColor``); data take the colours of
``PALETTE``, which keep a contrast of at least 3 to 1 on white and on the dark theme and stay apart
for readers who see fewer colours. No colour stands alone: a marker, a dash or a name says the same.

Letters: T time, K states or rows, V symbols or columns.

Each ``plot_*`` function returns a figure; ``show(figure, alt="...")`` puts it on the page::

    show(plot_table(A, labels), alt="Table of weather tomorrow given today; 7 in 10 sunny.")
"""

from course_lib.plotting._alignment import plot_alignments
from course_lib.plotting._cell import plot_hysteresis, plot_plane, plot_unit_maps
from course_lib.plotting._curves import plot_curves, plot_table_growth, plot_underflow
from course_lib.plotting._dependence import plot_dependence
from course_lib.plotting._evaluation import plot_calibration, plot_scores
from course_lib.plotting._family import plot_spectrum, plot_walk
from course_lib.plotting._flow import plot_flow, plot_seeds
from course_lib.plotting._forecast import plot_forecast, plot_horizons
from course_lib.plotting._frame import (
    BACKGROUNDS,
    DASHES,
    HATCHES,
    MARKERS,
    PALETTE,
    SCALE,
    WIDTH,
    contrast,
    figure,
    show,
    to_svg,
)
from course_lib.plotting._gates import plot_gates
from course_lib.plotting._hidden_markov import (
    plot_accuracy,
    plot_beliefs,
    plot_em,
    plot_mixture,
    plot_series,
    plot_states,
    plot_table,
)
from course_lib.plotting._ladder import plot_ladder, plot_reach, plot_tasks
from course_lib.plotting._letters import plot_letters
from course_lib.plotting._probe import plot_losses, plot_probe
from course_lib.plotting._simplex import plot_simplex

__all__ = [
    "BACKGROUNDS",
    "DASHES",
    "HATCHES",
    "MARKERS",
    "PALETTE",
    "SCALE",
    "WIDTH",
    "contrast",
    "figure",
    "plot_accuracy",
    "plot_alignments",
    "plot_beliefs",
    "plot_calibration",
    "plot_curves",
    "plot_dependence",
    "plot_em",
    "plot_flow",
    "plot_forecast",
    "plot_gates",
    "plot_horizons",
    "plot_hysteresis",
    "plot_ladder",
    "plot_letters",
    "plot_losses",
    "plot_mixture",
    "plot_plane",
    "plot_probe",
    "plot_reach",
    "plot_scores",
    "plot_seeds",
    "plot_series",
    "plot_simplex",
    "plot_spectrum",
    "plot_states",
    "plot_table",
    "plot_table_growth",
    "plot_tasks",
    "plot_underflow",
    "plot_unit_maps",
    "plot_walk",
    "show",
    "to_svg",
]
