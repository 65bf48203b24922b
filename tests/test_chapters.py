"""Every chapter has its parts, in order; and each rule is seen to fail on a chapter without one."""

from pathlib import Path

import chapter_rules
import nbformat
import pytest
from chapter_rules import PARTS, RULES, numbers_never_printed
from chapter_syntax import check_syntax

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book" / "chapters").glob("[0-9][0-9]_*.md"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.removeprefix("rule_"))
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_keeps(path, rule):
    assert rule(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_types_no_number_that_no_cell_printed(path):
    notebook = ROOT / "book" / "notebooks" / f"{path.stem}.ipynb"
    printed = notebook.read_text(encoding="utf-8")
    assert numbers_never_printed(path.read_text(encoding="utf-8"), printed) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_figure_says_what_it_shows(path):
    """course_lib.plotting puts the alternative text into text/plain, which the notebook keeps."""
    notebook = nbformat.read(ROOT / "book" / "notebooks" / f"{path.stem}.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/plain", "")
            assert "<Figure size" not in text, cell.source
            assert not text.startswith("Figure") or len(text.split()) > 5, cell.source


def exercise(number):
    return f"""
```{{exercise-start}} Number {number}
:label: ex-t-{number}
```
Do it.

:::{{admonition}} Hint
:class: dropdown
Think.
:::

```{{code-cell}} ipython3
exercises.check_{number}(...)
```
```{{exercise-end}}
```

```{{solution-start}} ex-t-{number}
:class: dropdown
```
```{{code-cell}} ipython3
exercises.check_{number}(1)
```
```{{solution-end}}
```
"""


BODIES = {
    "The idea": """
| symbol | name | shape | range | unit |
|---|---|---|---|---|
| $a$ | thing | () | 0 to 1 | none |

$$
a = 1
$$ (eq-a)
""",
    "See it move": """
Predict first.

```{code-cell} ipython3
demos.trellis(name="walk", t=0)
```
<a class="demo-link" href="#demo=walk&t=1">one</a>
<a class="demo-link" href="#demo=walk&t=2">two</a>
""",
    "Common mistakes": "\nSymptom: a.\nSymptom: b.\nSymptom: c.\n",
    "Quiz": """
```{code-cell} ipython3
Q = demos.Question
questions = [Q("1"), Q("2"), Q("3"), Q("4"), Q("5")]
demos.quiz(name="quiz", questions=questions)
```
""",
    "Exercises": "".join(exercise(number) for number in range(5)),
    "Can you now say": "\n**Think first, answered.** Yes.\n",
    "Sources": "\n{cite:t}`someone`.\n",
}
HEAD = """\
(ch-trial)=
# Trial

**Time:** 1 minute · **Level:** any · **You need:** nothing

:::{admonition} The big question
Why?
:::

:::{admonition} After this chapter you can
- a;
- b;
- c.
:::

:::{admonition} Think first
What?
:::

:::{admonition} Words of this chapter
{term}`belief`
:::
"""
GOOD = HEAD + "".join(f"\n## {part}\n{BODIES.get(part, '')}" for part in PARTS)


class TestRules:
    def test_good_chapter_keeps_them_all(self):
        assert [complaint for rule in RULES for complaint in rule(GOOD)] == []
        check_syntax(Path("good.md"), GOOD)

    @pytest.mark.parametrize(
        "rule, old, new, complaint",
        [
            ("head", "(ch-trial)=\n", "", "no label"),
            ("head", "**Level:** any", "", "says no **Level:**"),
            ("head", "\nWhy?", "\nWhy?\n:::\n\n# Second\n:::{note}", "2 titles"),
            ("opening", "Think first\nWhat?", "Think\nWhat?", "wants the boxes"),
            ("opening", "- a;\n", "", "promises 2 things"),
            ("opening", "{term}", "", "links no word"),
            ("parts", "## By hand\n", "", "no section 'By hand'"),
            ("parts", "## Quiz\n", "## Sources\n\n## Quiz\n", "another order"),
            ("parts", "## Quiz\n", "## My own\n\n## Quiz\n", "'My own' outside"),
            ("idea", " (eq-a)", "", "no labelled equation"),
            ("idea", "| range ", "", "no legend"),
            ("cells", "Q = demos", "x = 1\n" * 15 + "Q = demos", "a cell of 18 lines"),
            ("cells", "Q = demos", "import matplotlib.pyplot as plt\nQ = demos", "by itself"),
            ("demos", 'name="walk", ', "", "no demo with a name"),
            ("demos", "#demo=walk&t=2", "#walk", "1 demo links"),
            ("demos", "#demo=walk&t=2", "#demo=wlak&t=2", "links to a demo 'wlak'"),
            ("demos", "#demo=walk&t=2", "#demo=walk&params=2", "an HTML parser misreads it"),
            ("demos", "Predict first", "Look", "no prediction"),
            ("demos", "t=0)", "t=0", "not Python"),
            ("quiz", "demos.quiz(", "print(", "shows no demos.quiz"),
            ("quiz", ', Q("5")', "", "4 quiz questions"),
            ("exercises", exercise(4), "", "4 exercises"),
            ("exercises", ":label: ex-t-2\n", "", "no label"),
            ("exercises", "} Hint\n", "} Note\n", "no hint"),
            ("exercises", "exercises.check_3(...)", "print(1)", "no check"),
            ("exercises", "{solution-start} ex-t-3", "{solution-start} ex-t-9", "no solution"),
            ("exercises", "exercises.check_1(1)", "print(1)", "does not pass"),
            ("exercises", "ex-t-1\n:class: dropdown", "ex-t-1\n:class: note", "not folded"),
            ("ending", "Symptom: c.", "", "fewer than 3"),
            ("ending", "**Think first", "**First", "does not answer"),
            ("ending", "{cite:t}", "", "cites nothing"),
            ("pictures", "Why?", "![](a.svg)", "without alt"),
            ("pictures", "Why?\n:::", "Why?\n:::\n\n```{figure} a.svg\n```", "without alt"),
        ],
    )
    def test_chapter_without_it_is_told(self, rule, old, new, complaint):
        assert old in GOOD
        found = getattr(chapter_rules, f"rule_{rule}")(GOOD.replace(old, new, 1))
        assert any(complaint in line for line in found), found

    def test_sections_of_its_own_stand_between_scratch_and_mistakes(self):
        text = GOOD.replace(
            "## Measured\n", "## My own\n\n## Measured: dice\n\n## Measured: more\n"
        )
        assert chapter_rules.rule_parts(text) == []


class TestNumbersNeverPrinted:
    @pytest.mark.parametrize("prose", ["It is 0.776.", "From 1.234 to 2.", "(0.776)"])
    def test_a_typed_number_is_told(self, prose):
        assert len(numbers_never_printed(prose, "0.99")) == 1

    @pytest.mark.parametrize(
        "prose, printed",
        [
            ("It is 0.776.", "accuracy 0.776"),
            ("It is 0.776.", "accuracy 0.77613"),
            ("It is 0.78.", ""),
            ("In $0.776$ and `0.776`.", ""),
            ("```{code-cell} ipython3\nx = 0.776\n```\nSo 0.776.", ""),
            ('<a href="#demo=d&p=0.6667">one</a>', ""),
            ("See doi:10.1109/5.18626 and version 1.2.3456.", ""),
        ],
    )
    def test_the_rest_is_fine(self, prose, printed):
        assert numbers_never_printed(prose, printed) == []
