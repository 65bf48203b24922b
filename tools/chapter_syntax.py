"""Find mistakes in a MyST source before anything runs, and name the line.

Markdown has no syntax errors: a fence that is never closed swallows the rest of the chapter in
silence. So the sources are read once for structure: fences, directives, their options, tags.
"""

import os
import re
from pathlib import Path

import yaml

ALLOWED_TAGS = {"hide-input", "hide-cell", "remove-cell", "raises-exception", "nbval-ignore-output"}

# The landing page may also show a demo without its code.
PAGE_TAGS = ALLOWED_TAGS | {"remove-input"}

# Directives that the book uses, with their options. A new one is added here on purpose.
COMMON = {"class", "name"}
CONTAINERS = {
    "admonition": COMMON | {"open"},
    "card": COMMON | {"link", "link-type", "link-alt", "width"},
    "dropdown": COMMON | {"open", "icon", "color"},
    "exercise-end": set(),
    "exercise-start": COMMON | {"label", "nonumber", "hidden"},
    "figure": COMMON | {"alt", "width", "height", "align", "figwidth", "figclass", "target"},
    "glossary": {"sorted"},
    "grid": COMMON | {"gutter", "margin", "padding"},
    "grid-item": COMMON | {"columns"},
    "grid-item-card": COMMON | {"columns", "link", "link-type", "link-alt"},
    "hint": COMMON,
    "important": COMMON,
    "list-table": COMMON | {"header-rows", "stub-columns", "widths", "width", "align"},
    "margin": COMMON,
    "note": COMMON,
    "seealso": COMMON,
    "solution-end": set(),
    "solution-start": COMMON | {"label", "hidden"},
    "tab-item": COMMON | {"sync", "selected"},
    "tab-set": COMMON,
    "table": COMMON | {"align", "width", "widths"},
    "tip": COMMON,
    "warning": COMMON,
}
LITERALS = {
    "bibliography": {"filter", "style", "all", "cited", "notcited", "labelprefix", "keyprefix"},
    "code": COMMON | {"number-lines"},
    "code-block": COMMON | {"linenos", "lineno-start", "emphasize-lines", "caption", "force"},
    "code-cell": {"tags"},
    "image": COMMON | {"alt", "width", "height", "align", "target", "scale"},
    "math": COMMON | {"label", "nowrap"},
    "raw": set(),
    "tableofcontents": set(),
}
DIRECTIVES = CONTAINERS | LITERALS

FENCE = re.compile(r"^\s*(`{3,}|~{3,}|:{3,})\s*(.*?)\s*$")
DIRECTIVE = re.compile(r"^\{([A-Za-z0-9:_-]+)\}")
OPTION = re.compile(r"^\s*:([A-Za-z0-9_-]+):(?:\s|$)")


class ChapterError(Exception):
    """Something is wrong in a chapter: its file, the line from 1, and what."""

    def __init__(self, path, line, message):
        super().__init__(path, line, message)
        self.path, self.line, self.message = Path(path), line, message

    def __str__(self):
        return f"{shown(self.path)}:{self.line}: {self.message}"


def shown(path):
    """Path as one would type it from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def check_syntax(path, text, tags=ALLOWED_TAGS):
    """Raise ChapterError at the first fence, directive, option or tag that cannot be meant."""
    lines = text.splitlines()
    body = 0
    if lines and lines[0] == "---":
        body = check_front_matter(path, lines)
    check_blocks(path, lines, body, len(lines), tags)


def check_front_matter(path, lines):
    try:
        end = lines.index("---", 1)
    except ValueError:
        raise ChapterError(path, 1, "the front matter is not closed by ---") from None
    load_yaml(path, lines, 1, end)
    return end + 1


def check_blocks(path, lines, start, stop, tags, inside=None):
    """Walk over lines[start:stop]; `inside` is the directive around them and its line, if any."""
    index = start
    while index < stop:
        fence = FENCE.match(lines[index])
        if not fence:
            index += 1
            continue
        marks, info = fence.groups()
        end = closing_line(lines, index, stop, marks)
        if marks[0] == ":" and not info:
            raise ChapterError(path, index + 1, f"{marks} closes nothing")
        if end is None:
            doubt = f", or {{{inside[0]}}} in line {inside[1]} is not" if inside else ""
            raise ChapterError(path, index + 1, f"{marks}{info} is never closed{doubt}")
        check_block(path, lines, index, end, info, tags, inside)
        index = end + 1


def closing_line(lines, start, stop, marks):
    for index in range(start + 1, stop):
        fence = FENCE.match(lines[index])
        if fence and not fence[2] and fence[1][0] == marks[0] and len(fence[1]) >= len(marks):
            return index
    return None


def check_block(path, lines, start, end, info, tags, inside):
    directive = DIRECTIVE.match(info)
    if not directive:
        return
    name = directive[1]
    if name not in DIRECTIVES:
        close = f"tools/{Path(__file__).name} lists the directives that the book uses"
        raise ChapterError(path, start + 1, f"unknown directive {{{name}}}: {close}")
    options, body = read_options(path, lines, start + 1, end, DIRECTIVES[name], name)
    if name == "code-cell":
        if inside:
            message = (
                f"a code cell cannot stand inside {{{inside[0]}}}: is line {inside[1]} closed?"
            )
            raise ChapterError(path, start + 1, message)
        if lines[start][0].isspace():
            raise ChapterError(path, start + 1, "a code cell cannot be indented")
        check_tags(path, options.get("tags"), tags)
    if name in CONTAINERS:
        check_blocks(path, lines, body, end, tags, inside=(name, start + 1))
    else:
        check_swallowed(path, lines, start, end, name)


def check_swallowed(path, lines, start, end, name):
    """A literal block that holds another directive's opening was itself never closed."""
    for line in lines[start + 1 : end]:
        fence = FENCE.match(line)
        if fence and DIRECTIVE.match(fence[2]):
            message = f"{{{name}}} is never closed: it swallows {line.strip()}"
            raise ChapterError(path, start + 1, message)


def read_options(path, lines, start, end, known, name):
    """Return {option: (value, line)} and the index of the first line of the body."""
    options = {}
    if start < end and lines[start].strip() == "---":
        close = next((i for i in range(start + 1, end) if lines[i].strip() == "---"), None)
        if close is None:
            raise ChapterError(path, start + 1, f"the options of {{{name}}} are not closed by ---")
        for key, value in (load_yaml(path, lines, start + 1, close) or {}).items():
            options[key] = (value, start + 2)
        body = close + 1
    else:
        body = start
        while body < end and (option := OPTION.match(lines[body])):
            value = lines[body].strip()[len(option[1]) + 2 :]
            options[option[1]] = (load_yaml(path, [value], 0, 1, body), body + 1)
            body += 1
    for key, (_, line) in options.items():
        if key not in known:
            allowed = ", ".join(sorted(known)) or "none"
            message = f"unknown option :{key}: of {{{name}}}; there are: {allowed}"
            raise ChapterError(path, line, message)
    return options, body


def load_yaml(path, lines, start, end, first_line=None):
    first_line = start if first_line is None else first_line
    try:
        return yaml.safe_load("\n".join(lines[start:end]))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first_line + 1 + (min(mark.line, end - start - 1) if mark else 0)
        problem = getattr(error, "problem", None) or str(error)
        raise ChapterError(path, line, f"this is not YAML: {problem}") from error


def check_tags(path, option, known):
    if option is None:
        return
    tags, line = option
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ChapterError(path, line, f":tags: must be a list as in [hide-input], got {tags!r}")
    for tag in tags:
        if tag not in known:
            allowed = ", ".join(sorted(known))
            raise ChapterError(path, line, f"unknown tag {tag!r}; allowed are: {allowed}")
