"""Interactive demos: the same drawing in Jupyter and on the built page.

A demo is a JSON state (``schema.json``) with a view. Python makes and checks the state, JavaScript
(``js/``) draws it and lets the reader change it, and :meth:`Demo.trace` runs the reference
algorithms of ``course_lib`` on whatever the state is now.
"""

from course_lib.demos._chain import chain
from course_lib.demos._demo import Demo
from course_lib.demos._em import em
from course_lib.demos._quiz import Choice, Question, quiz
from course_lib.demos._state import Goal
from course_lib.demos._trellis import trellis

__all__ = ["Choice", "Demo", "Goal", "Question", "chain", "em", "quiz", "trellis"]
