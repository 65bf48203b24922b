"""What every chapter has, as rules over its source. Each returns its complaints, one a line."""

import ast
import html
import re
from dataclasses import dataclass

# In this order; a suffix after the words is welcome ("The same with hmmlearn").
PARTS = [
    "Why care",
    "An analogy, and where it breaks",
    "By hand",
    "The idea",
    "From scratch",
    "The same with",
    "See it move",
    "Measured",
    "Common mistakes",
    "Misconceptions",
    "Quiz",
    "Exercises",
    "Key takeaways",
    "Can you now say",
    "What next",
    "Sources",
]
# Sections of a chapter's own stand between these two.
OWN_SECTIONS = ("From scratch", "Common mistakes")
OPENING = ["The big question", "After this chapter you can", "Think first", "Words of this chapter"]
MAX_CELL_LINES = 15
MIN_EXERCISES = MIN_QUESTIONS = 5
MIN_DEMO_LINKS = 2


@dataclass(frozen=True)
class Block:
    """A fenced directive: its name, argument, options and body."""

    name: str
    argument: str
    options: dict
    body: str
    start: int  # offset in the text
    line: int


FENCED = re.compile(
    r"^(?P<marks>`{3,}|:{3,})\{(?P<name>[\w-]+)\}[ ]*(?P<argument>[^\n]*)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=marks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)


def blocks(text, *names):
    found = []
    for match in FENCED.finditer(text):
        if names and match["name"] not in names:
            continue
        options = dict(re.findall(r"^:([\w-]+):[ ]*(.*)$", match["options"], re.MULTILINE))
        line = text.count("\n", 0, match.start()) + 1
        body = match["body"].strip("\n")
        found.append(
            Block(match["name"], match["argument"].strip(), options, body, match.start(), line)
        )
    return found


def without_blocks(text):
    """The text with fenced parts blanked, so that a comment in code is not a heading."""
    return FENCED.sub(lambda match: "\n" * match[0].count("\n"), text)


def sections(text):
    """{heading of level 2: its text}; equal headings are joined."""
    bare = without_blocks(text)
    heads = [(m[1], m.start(), m.end()) for m in re.finditer(r"^## (.+)$", bare, re.MULTILINE)]
    lines, found = text.splitlines(), {}
    for index, (title, start, _) in enumerate(heads):
        first = bare.count("\n", 0, start) + 1
        last = bare.count("\n", 0, heads[index + 1][1]) if index + 1 < len(heads) else len(lines)
        found[title] = found.get(title, "") + "\n".join(lines[first:last])
    return found


def section(text, part):
    return "\n".join(body for title, body in sections(text).items() if is_part(title, part))


def is_part(title, part):
    return title == part or title.startswith((f"{part} ", f"{part}:"))


def code(text):
    return "\n".join(block.body for block in blocks(text, "code-cell"))


def calls(text):
    """Every call in the code cells as (dotted name, node); Q = demos.Question is undone."""
    found = []
    try:
        tree = ast.parse(code(text))
    except SyntaxError as error:
        return [(f"code that is not Python: {error}", None)]
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            pairs = [(node.targets[0], node.value)]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
            for target, value in pairs:
                if isinstance(target, ast.Name) and isinstance(value, ast.Attribute):
                    aliases[target.id] = ast.unparse(value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found.append((aliases.get(name, name), node))
    return found


def rule_head(text):
    found, opening = [], re.split(r"^## ", without_blocks(text), maxsplit=1, flags=re.MULTILINE)[0]
    titles = re.findall(r"^# .+$", without_blocks(text), re.MULTILINE)
    if len(titles) != 1:
        found.append(f"has {len(titles)} titles, wants one")
    if not re.search(r"^\(ch-[\w-]+\)=\n+# ", text, re.MULTILINE):
        found.append("has no label (ch-...)= above its title")
    for fact in ("**Time:** ", "**Level:** ", "**You need:** "):
        if fact not in opening:
            found.append(f"says no {fact.strip()}")
    return found


def rule_opening(text):
    head = text[: text.find("\n## ")] if "\n## " in text else text
    boxes = {block.argument: block for block in blocks(head, "admonition")}
    if [title for title in boxes if title in OPENING] != OPENING:
        return [f"wants the boxes {OPENING} in this order, has {list(boxes)}"]
    found = []
    goals = len(re.findall(r"^- ", boxes["After this chapter you can"].body, re.MULTILINE))
    if not 3 <= goals <= 5:
        found.append(f"promises {goals} things, wants 3 to 5")
    if "{term}" not in boxes["Words of this chapter"].body:
        found.append("links no word to the glossary")
    return found


def rule_parts(text):
    titles, found, position = list(sections(text)), [], 0
    places = []
    for part in PARTS:
        place = next((i for i, title in enumerate(titles) if is_part(title, part)), None)
        if place is None:
            found.append(f"has no section '{part}'")
        places.append(place)
    known = [place for place in places if place is not None]
    if known != sorted(known):
        found.append(f"has its sections in another order: {titles}")
    if found:
        return found
    first, last = (places[PARTS.index(part)] for part in OWN_SECTIONS)
    for position, title in enumerate(titles):
        if not any(is_part(title, part) for part in PARTS) and not first < position < last:
            found.append(f"has '{title}' outside {OWN_SECTIONS}")
    return found


def rule_idea(text):
    idea, found = section(text, "The idea"), []
    if not re.search(r"^\$\$ \(eq-[\w-]+\)$|\$\$ \(eq-[\w-]+\)", idea, re.MULTILINE):
        found.append("has no labelled equation in 'The idea'")
    heads = [row.lower() for row in re.findall(r"^\|.*\|\n(?=\|[ :|-]+\|$)", idea, re.MULTILINE)]
    if not any(all(word in row for word in ("shape", "range", "unit")) for row in heads):
        found.append("has no legend of symbols with name, shape, range and unit in 'The idea'")
    return found


def rule_cells(text):
    found = []
    for block in blocks(text, "code-cell"):
        lines = [line for line in block.body.splitlines() if line.strip()]
        if len(lines) > MAX_CELL_LINES:
            found.append(
                f"line {block.line}: a cell of {len(lines)} lines, at most {MAX_CELL_LINES}"
            )
        if re.search(r"^\s*(import matplotlib|from matplotlib)", block.body, re.MULTILINE):
            found.append(f"line {block.line}: draws by itself; plots come from course_lib.plotting")
    return found


def rule_demos(text):
    found, names = [], set()
    for name, node in calls(text):
        if node is None:
            return [name]
        if name.startswith("demos.") and name not in ("demos.quiz", "demos.Question"):
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    names.add(keyword.value.value)
    if not names:
        found.append("has no demo with a name")
    links = re.findall(r'class="demo-link" href="#demo=([\w-]+)', text)
    if len(links) < MIN_DEMO_LINKS:
        found.append(f"has {len(links)} demo links, wants {MIN_DEMO_LINKS}")
    for link in sorted(set(links) - names):
        found.append(f"links to a demo '{link}', has {sorted(names)}")
    for target in re.findall(r'href="(#demo=[^"]*)"', text):
        plain = target.replace("&amp;", "+")
        if html.unescape(plain) != plain:  # `&params` would be read as a pilcrow and `ms`
            found.append(f"writes & in {target}: an HTML parser misreads it, write &amp;")
    if "predict" not in section(text, "See it move").lower():
        found.append("asks for no prediction in 'See it move'")
    return found


def rule_quiz(text):
    quiz = section(text, "Quiz")
    named = [name.split(".")[-1] for name, node in calls(quiz) if node is not None]
    found = [] if "quiz" in named else ["shows no demos.quiz(...) in 'Quiz'"]
    if named.count("Question") < MIN_QUESTIONS:
        found.append(f"has {named.count('Question')} quiz questions, wants {MIN_QUESTIONS}")
    return found


def checks_in(text):
    return {name for name, _ in calls(text) if ".check" in f".{name}"}


def rule_exercises(text):
    part, found = section(text, "Exercises"), []
    starts = blocks(part, "exercise-start")
    solutions = {block.argument: block for block in blocks(part, "solution-start")}
    if len(starts) < MIN_EXERCISES:
        found.append(f"has {len(starts)} exercises, wants {MIN_EXERCISES}")
    if len(blocks(part, "solution-start")) != len(starts):
        found.append(f"has {len(starts)} exercises and {len(solutions)} solutions")
    for start in starts:
        label = start.options.get("label", "")
        if not label.startswith("ex-"):
            found.append(f"exercise '{start.argument}' has no label ex-...")
        inside = between(part, start, "exercise-end")
        if not any(b.argument == "Hint" for b in blocks(inside, "admonition", "hint")):
            found.append(f"exercise '{start.argument}' has no hint")
        wanted = checks_in(inside)
        if not wanted:
            found.append(f"exercise '{start.argument}' has no check")
        solution = solutions.get(label)
        if solution is None:
            found.append(f"exercise '{start.argument}' has no solution")
        elif not wanted <= checks_in(between(part, solution, "solution-end")):
            found.append(f"the solution of '{start.argument}' does not pass {sorted(wanted)}")
        elif "dropdown" not in solution.options.get("class", ""):
            found.append(f"the solution of '{start.argument}' is not folded")
    return found


def between(text, start, end_name):
    rest = text[start.start :]
    end = re.search(rf"^`{{3,}}\{{{end_name}\}}", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rule_ending(text):
    found = []
    if section(text, "Common mistakes").lower().count("symptom") < 3:
        found.append("tells the symptom of fewer than 3 mistakes")
    if "think first" not in section(text, "Can you now say").lower():
        found.append("does not answer 'Think first' in 'Can you now say'")
    if "{cite" not in section(text, "Sources"):
        found.append("cites nothing in 'Sources'")
    return found


def rule_pictures(text):
    found = [f"picture without alt text: {m}" for m in re.findall(r"!\[\s*\]\([^)]*\)", text)]
    for block in blocks(text, "figure", "image"):
        if not block.options.get("alt", "").strip():
            found.append(f"line {block.line}: {block.name} without alt text")
    return found


RULES = [value for name, value in sorted(globals().items()) if name.startswith("rule_")]


def numbers_never_printed(text, printed):
    """Decimals in the prose (three places or more) that no cell printed and no code contains."""
    prose = without_blocks(text)
    prose = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]+`", " ", prose, flags=re.DOTALL)
    prose = re.sub(r"<a [^>]*>|\]\([^)]*\)|doi:\S+", " ", prose)
    known = set(re.findall(r"\d+\.\d+", printed + code(text)))
    typed = re.findall(r"(?<![\d.])\d+\.\d{3,}(?![\d.]*\d)", prose)
    return [
        f"{number} is typed in the prose, and no cell printed it"
        for number in typed
        if not any(shown.startswith(number) for shown in known)
    ]
