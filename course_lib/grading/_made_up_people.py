"""Who is in a made-up class: names, kinds, and when they hand in."""

from dataclasses import dataclass

from course_lib.grading.workspace import Student

FIRST = (
    *("Ada", "Ağa", "Béla", "Bo", "Chiara", "Cléo", "Dag", "Dunja", "Eero", "Esra", "Fatou"),
    *("Femi", "Goran", "Grete", "Hana", "Huy", "Ines", "Ivo", "Jae", "Jorinde", "Kofi", "Lẽ"),
    *("Maj", "Milo", "Nadja", "Nils", "Oana", "Olu", "Pia", "Quirin", "Rosa", "Siim", "Søren"),
    *("Thea", "Tomás", "Ursa", "Vito", "Wanja", "Xenia", "Yusuf", "Zoë"),
)
LAST = (
    *("Abbot", "Ångström", "Baker", "Çelik", "Dijkstra", "de la Cruz", "Eze", "Färber", "Garcia"),
    *("Hopper", "Ito", "Jansen", "Kovač", "Lovelace", "Mbeki", "Müller", "Nowak", "O'Brien"),
    *("Okafor", "Pérez", "Quist", "Rossi", "Smith-Jones", "Tran", "Umarov", "van Dam", "Weiß"),
    *("Xu", "Yılmaz", "Zając"),
)
MOST = len(FIRST) * len(LAST)
STRONG, MIDDLING, WEAK, LATE, BROKEN, HOSTILE = KINDS = (
    *("strong", "middling", "weak"),
    *("late", "broken", "hostile"),
)
# Of twenty students 6 are strong, 6 middling, 3 weak, 2 late, 2 broken, 1 hostile; the first six
# are one of each, so that a small class has all of them.
_TWENTY = (0, 1, 2, 3, 4, 5, 0, 1, 0, 1, 2, 0, 1, 3, 4, 0, 1, 2, 0, 1)


@dataclass(frozen=True, slots=True)
class Person:
    """A student of a kind; ``turn`` counts those of one kind."""

    student: Student
    kind: str
    turn: int


@dataclass(frozen=True, slots=True)
class Lateness:
    """Minutes after the deadline, hours that were granted, percent taken off, and why."""

    minutes: int
    extra_hours: int
    percent: int
    why: str


PERCENT_PER_DAY, MOST_PERCENT = 10, 50
LATENESS = (
    Lateness(40, 0, 10, "40 minutes late"),
    Lateness(30 * 60, 0, 20, "30 hours late"),
    Lateness(20 * 60, 24, 0, "20 hours late, a day granted"),
    Lateness(3 * 24 * 60, 0, 30, "3 days late to the minute"),
    Lateness(3 * 24 * 60 + 1, 0, 40, "3 days and a minute late"),
    Lateness(30 * 60, 24, 10, "30 hours late, a day granted"),
    Lateness(9 * 24 * 60, 0, 50, "9 days late"),
)


def people(size, rng):
    """Return the students in the order of the roster."""
    names = rng.permutation(MOST)[:size]
    kinds, counts = rng.permutation([_TWENTY[i % len(_TWENTY)] for i in range(size)]), {}
    found = []
    for i in range(size):
        first, last = FIRST[names[i] % len(FIRST)], LAST[names[i] // len(FIRST)]
        student = Student(
            student=f"s{i + 1:03}",
            name=f"{first} {last}",
            email=f"s{i + 1:03}@class.example",
            canvas_id=str(5001 + i),
        )
        kind = KINDS[kinds[i]]
        counts[kind] = counts.get(kind, 0) + 1
        found.append(Person(student, kind, counts[kind] - 1))
    return tuple(found)


def minutes_after(person, rng):
    """Return when somebody who is in time hands in; the first one of a kind at the last minute."""
    return -int(rng.integers(1, 6 * 24 * 60)) if person.turn else 0
