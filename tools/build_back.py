"""Write the pages of the back matter that are gathered from the chapters.

Misconceptions, and the index of demos and exercises: what a chapter says stands in the chapter
alone. After a change to one, run `.venv/bin/python tools/build_back.py` and commit what it wrote.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book" / "chapters").glob("*.md"))
CLAIM = re.compile(r"\*\*[\"“](.+?)[\"”]\*\*\s*(.*)", re.DOTALL)


def main():
    """Write both pages and print those that changed."""
    pages = {"misconceptions.md": misconceptions(), "contents.md": contents()}
    for name, text in pages.items():
        path = ROOT / "book" / "back" / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


def misconceptions():
    """Return the page of all misconceptions, each with the chapter's answer."""
    lines = [
        "(misconceptions)=",
        "# Misconceptions",
        "",
        "Sentences that sound right.",
        "Before you read the answer, say what is wrong with each; its chapter shows the run or the",
        "sum behind the answer.",
    ]
    for number, chapter in enumerate(CHAPTERS, 1):
        text = chapter.read_text(encoding="utf-8")
        lines += ["", f"## Chapter {number}", "", f"From {{ref}}`{_label(text)}`."]
        for claim, answer in claims(_section(text, "Misconceptions")):
            lines += ["", f"**“{claim}”**", answer]
    return "\n".join(lines) + "\n"


def claims(section):
    """Return pairs (claim, answer) of a section, from paragraphs or from rows of a table."""
    found = []
    for row in re.findall(r"(?m)^\| *[\"“]?(.+?)[\"”]? *\| (.+) \|$", section)[1:]:
        found.append(row)
    for paragraph in re.sub(r"```.*?```", "", section, flags=re.DOTALL).split("\n\n"):
        match = CLAIM.match(paragraph.strip())
        if match:
            answer = match[2].strip()
            if answer.endswith(":"):  # what follows is a run, in the chapter
                answer = "\n".join(answer.splitlines()[:-1])
            found.append((match[1], answer))
    return [(claim, answer) for claim, answer in found if not set(claim) <= set("-: |")]


def contents():
    """Return the index of demos and exercises."""
    lines = [
        "(contents)=",
        "# Demos and exercises",
        "",
        "Everything that can be moved, answered or programmed, by chapter.",
        "A demo works in the page without a network; an exercise says whether your answer is right",
        "in the notebook, and has a hint and a worked solution.",
    ]
    for number, chapter in enumerate(CHAPTERS, 1):
        text = chapter.read_text(encoding="utf-8")
        demos = re.findall(r"(?m)^(?:demo = )?demos\.(\w+)\(", text)
        names = list(dict.fromkeys(name.replace("_", " ") for name in demos if name != "quiz"))
        exercises = re.findall(r"\{exercise-start\} (.+)\n:label: (\S+)", text)
        lines += ["", f"## Chapter {number}", "", f"From {{ref}}`{_label(text)}`."]
        what = "Demo" if len(names) == 1 else "Demos"
        lines += ["", f"{what}: {', '.join(names)}."]
        lines += ["", *(f"- {{ref}}`{title} <{label}>`" for title, label in exercises)]
    return "\n".join(lines) + "\n"


def _label(text):
    return re.search(r"(?m)^\((ch-\w+)\)=$", text)[1]


def _section(text, title):
    return re.search(rf"(?ms)^## {title}$(.+?)^## ", text)[1]


if __name__ == "__main__":
    main()
