"""Self-marking quiz: single choice, several choices, numbers."""

import html
import math
import re
import sys
from dataclasses import dataclass

from course_lib.demos._demo import Demo


@dataclass(frozen=True)
class Choice:
    """One choice of a question: its text, whether it is right, and why or why not."""

    text: str
    correct: bool = False
    why: str = ""


@dataclass(frozen=True)
class Question:
    """One question of a quiz. Texts may use `` `code` `` and ``*emphasis*``, no HTML.

    Parameters
    ----------
    prompt : str
        The question.
    choices : sequence of Choice, optional
        Two to eight choices. One right choice makes radio buttons, several make checkboxes.
    answer : float, optional
        Right number, for a question without choices.
    tolerance : float, default=0.0
        Largest accepted distance from ``answer``.
    why : str, default=""
        Explanation shown after the answer is checked.
    unit : str, default=""
        Unit of the number.
    multiple : bool, default=False
        Checkboxes even though exactly one choice is right.
    """

    prompt: str
    choices: tuple = ()
    answer: float | None = None
    tolerance: float = 0.0
    why: str = ""
    unit: str = ""
    multiple: bool = False

    def to_json(self, number):
        """Return the question as JSON, or raise ``ValueError`` naming it."""
        where = f"question {number} ({self.prompt[:40]!r})"
        if bool(self.choices) == (self.answer is not None):
            raise ValueError(f"{where}: give either choices or a numeric answer")
        if self.answer is not None:
            if not (math.isfinite(self.answer) and self.tolerance >= 0):
                raise ValueError(f"{where}: answer must be finite and tolerance at least 0")
            if not self.why:
                raise ValueError(f"{where}: explain the answer with why=")
            return {
                "kind": "numeric",
                "prompt": self.prompt,
                "why": self.why,
                "answer": self.answer,
                "tolerance": self.tolerance,
                "unit": self.unit,
            }
        right = sum(choice.correct for choice in self.choices)
        if right == 0:
            raise ValueError(f"{where}: no choice is correct")
        silent = [choice.text for choice in self.choices if not choice.why]
        if silent and not self.why:
            raise ValueError(f"{where}: explain {silent[0]!r} with why=")
        return {
            "kind": "multiple" if self.multiple or right > 1 else "single",
            "prompt": self.prompt,
            "why": self.why,
            "choices": [
                {"text": choice.text, "correct": bool(choice.correct), "why": choice.why}
                for choice in self.choices
            ],
        }


def quiz(name, questions, title=""):
    """Show a self-marking quiz; it works by keyboard and, without JavaScript, as a plain list.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page.
    questions : sequence of Question
        1 to 20 questions.
    title : str, default=""
        Heading of the quiz.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a question has no right answer or no explanation; the message names it.
    """
    state = {
        "v": 1,
        "view": "quiz",
        "name": name,
        "fixed": {
            "title": title,
            "questions": [q.to_json(number) for number, q in enumerate(questions, start=1)],
        },
        "answers": [{"picked": [], "checked": False} for _ in questions],
        "t": 0,
        "seed": 0,
        "opts": {},
    }
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where answers and questions do not belong together."""
    questions, answers = state["fixed"]["questions"], state["answers"]
    if len(answers) != len(questions):
        raise ValueError(f"answers must hold {len(questions)} entries, got {len(answers)}")


def trace(state):
    """Raise ``ValueError``: a quiz has no model behind it."""
    raise ValueError(f"quiz {state['name']!r} has no trace; demo.state holds the answers")


def summary(state):
    """Return the number of questions, for the fixed text form."""
    return f"{len(state['fixed']['questions'])} questions"


def markup(words):
    """Return escaped text with `` `code` `` and ``*emphasis*`` as HTML."""
    words = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words))
    return re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", words)


def fallback(state):
    """Return the quiz as a plain list whose answers unfold, for readers without JavaScript."""
    items = []
    for question in state["fixed"]["questions"]:
        body = f"<p>{markup(question['prompt'])}</p>"
        if question["kind"] == "numeric":
            answer = f"<p>{question['answer']:g} {markup(question['unit'])}</p>"
        else:
            choices = question["choices"]
            body += "<ul>" + "".join(f"<li>{markup(c['text'])}</li>" for c in choices) + "</ul>"
            answer = "<ul>" + "".join(
                f"<li>{'Right' if c['correct'] else 'Wrong'}: {markup(c['text'])}. "
                f"{markup(c['why'])}</li>"
                for c in choices
            )
            answer += "</ul>"
        answer += f"<p>{markup(question['why'])}</p>" if question["why"] else ""
        items.append(f"<li>{body}<details><summary>Answer</summary>{answer}</details></li>")
    return f"<ol>{''.join(items)}</ol>"
