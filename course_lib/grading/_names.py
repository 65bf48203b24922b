"""Takes the names of students out of texts, for pages that must not tell who is who."""

import re

_WORD = re.compile(r"\w+")
SHORTEST = 3  # an id like "a" is a word of its own in any text


def hider(students):
    """Return a function that replaces names, ids and addresses of the students by [name]."""
    starts = {}  # by the first word, so that a thousand students cost no more than one
    for student in students:
        for name in {student.name, student.student, student.email}:
            first = _WORD.search(name)
            if first and len(name) >= SHORTEST:
                known = _lower(name[first.start() :].strip())
                starts.setdefault(_lower(first[0]), set()).add(known)
    starts = {first: sorted(names, key=len, reverse=True) for first, names in starts.items()}

    def hide(text):
        lower, parts, end = _lower(text), [], 0
        for word in _WORD.finditer(text):
            if word.start() < end:
                continue
            for name in starts.get(lower[word.start() : word.end()], ()):
                stop = word.start() + len(name)
                if lower.startswith(name, word.start()) and not _WORD.match(text, stop):
                    parts += [text[end : word.start()], "[name]"]
                    end = stop
                    break
        return "".join(parts) + text[end:]

    return hide


def _lower(text):
    """Lower case of the same length, which ``str.lower`` does not promise."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower()[:1] for c in text)
