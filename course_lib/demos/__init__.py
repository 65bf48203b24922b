"""Interactive demos: the same drawing in Jupyter and on the built page.

A demo is a JSON state (``schema.json``) with a view. Python makes and checks the state, JavaScript
(``js/``) draws it and lets the reader change it, and :meth:`Demo.trace` runs the reference
algorithms of ``course_lib`` on whatever the state is now.
"""

from course_lib.demos._alignment import alignment
from course_lib.demos._attention_map import attention_map
from course_lib.demos._belief_networks import BeliefNetwork
from course_lib.demos._belief_simplex import belief_simplex
from course_lib.demos._bottleneck import bottleneck
from course_lib.demos._chain import chain
from course_lib.demos._demo import Demo
from course_lib.demos._em import em
from course_lib.demos._family import family
from course_lib.demos._forecast import forecast
from course_lib.demos._forecast_models import ForecastNetwork
from course_lib.demos._gate_trace import gate_trace
from course_lib.demos._gradient_flow import gradient_flow
from course_lib.demos._one_head import one_head
from course_lib.demos._quiz import Choice, Question, quiz
from course_lib.demos._scan_tree import scan_tree
from course_lib.demos._sentence_networks import SentenceNetwork
from course_lib.demos._sentences import sentences
from course_lib.demos._session import session
from course_lib.demos._shape_explorer import shape_explorer
from course_lib.demos._state import Goal
from course_lib.demos._state_trace import state_trace
from course_lib.demos._three_cells import three_cells
from course_lib.demos._trellis import trellis

__all__ = [
    "BeliefNetwork",
    "Choice",
    "Demo",
    "ForecastNetwork",
    "Goal",
    "Question",
    "SentenceNetwork",
    "alignment",
    "attention_map",
    "belief_simplex",
    "bottleneck",
    "chain",
    "em",
    "family",
    "forecast",
    "gate_trace",
    "gradient_flow",
    "one_head",
    "quiz",
    "scan_tree",
    "sentences",
    "session",
    "shape_explorer",
    "state_trace",
    "three_cells",
    "trellis",
]
