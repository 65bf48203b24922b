"""Draw another summer of the school hive, for another year's class.

python assignments/01_markov_hmm/another_summer.py SEED         print the lines that change
python assignments/01_markov_hmm/another_summer.py SEED FOLDER  change them in a copy of this folder

Summers are drawn from Marit's own tables until one suits the letter's three questions. Text, model
answer, rubric and the points that wrong answers lose then follow; ``assignments/vary.py`` uses it.
"""

import argparse
import contextlib
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

HERE = Path(__file__).resolve().parent
with contextlib.suppress(IndexError):  # in the repository it works without an installation too
    sys.path.append(str(HERE.parents[1]))

from course_lib.grading import assignment, files  # noqa: E402  (after the path)
from course_lib.grading.checks import run_check  # noqa: E402

DAYS, LOOKS = 92, [13, 34, 55, 76]  # 1 May to 31 July; every third week
MONTHS = ("MAY", 0, 31), ("JUNE", 31, 61), ("JULY", 61, 92)
FLAT = 0.08  # share of evenings on which the battery fails
SETTLED, SWARMING = 0, 2
MOODS = "SETTLED", "PREPARING", "SWARMING"
NUMBERS = "no one two three four five six seven eight nine ten eleven twelve thirteen".split()
NUMBERS += "fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
CHECK = "summer_of_the_school_hive"
SKIPPED = ("neighbours", "strip")  # cells that have no part in the summer
DATES = r"ettled on \d+ May and swarming on \d+ May"


def new_year(folder, seed, tries=100_000):
    """Return the files of the folder that change with the seed, name to text."""
    source, rng = assignment.read(folder), np.random.default_rng(seed)
    space = run(source)
    for _ in range(tries):
        drawn = draw(space, rng)
        season = found(space, drawn)
        if season is not None:
            names = ("assignment.md", "config.toml")
            texts = [(source.folder / name).read_text(encoding="utf-8") for name in names]
            told = rewritten(*texts, drawn, season)
            return dict(zip(names, told, strict=True)) | losses(source, drawn)
    raise ValueError(f"none of {tries} summers of the seed {seed} suits; take another seed")


def run(source, answers=None, drawn=None):
    """Return the names that the notebook defines, with other answers and another summer."""
    space = {"__name__": "__main__"}
    for cell in source.cells:
        if cell.role not in ("locked", "answer") or cell.id in SKIPPED:
            continue
        code = (answers or {}).get(cell.id) or assignment.solved(cell.source, cell.id)
        if cell.id == "season" and drawn is not None:
            code = log_replaced(code, *drawn)
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            with contextlib.suppress(Exception):  # as in a notebook, the next cell goes on
                exec(code, space)
    return space


def draw(space, rng):
    """Draw the words of a summer, -1 where the battery is flat, and what the four looks show."""
    mood, moods, words = rng.choice(3, p=space["HIVE_PI"]), [], []
    for _ in range(DAYS):
        moods.append(mood)
        word = rng.choice(4, p=space["HIVE_B"][mood])
        words.append(-1 if rng.random() < FLAT else word)
        mood = rng.choice(3, p=space["HIVE_A"][mood])
    return np.array(words), [moods[day] for day in LOOKS]


def found(space, drawn):
    """Return what the notebook finds in a summer, or None if the letter would lose its point."""
    tables = space["HIVE_PI"], space["HIVE_A"]
    opened = np.full(DAYS, -1)
    opened[LOOKS] = drawn[1]
    weights = space["weigh"](drawn[0], opened, space["HIVE_B"])
    gamma, _ = space["smooth"](weights, *tables)
    states, ranked = gamma.argmax(axis=1), np.sort(gamma, axis=1)
    never = np.flatnonzero((states[:30] == SETTLED) & (states[1:31] == SWARMING))
    if not len(never):
        return None  # question 2: nothing in May that a hive cannot do
    alpha, evidence = space["forward"](weights, *tables)
    path, best, second = space["best_two"](weights, *tables)
    report, told = space["report"](path, alpha, gamma), int((path == SWARMING).sum())
    days = report["expected_days"][SWARMING]
    suits = (
        (states[:31] != path[:31]).any()
        # Question 3, "not sure at all", and no number in its answer on an edge.
        and 0.1 < best - second < np.log(2)
        and best - evidence < np.log(1e-3)
        and report["swarms"] >= 2
        and told + 3 < days < len(NUMBERS) - 1
        and 0.1 < days % 1 < 0.9
        # Whoever sums in another order must find the same summer.
        and (ranked[:, -1] - ranked[:, -2]).min() > 1e-3
        and np.abs(alpha[:, SETTLED] - 0.5).min() > 1e-3
    )
    if not suits:
        return None
    share = "a millionth" if best - evidence < np.log(1e-6) else "a thousandth"
    return {"day": never[0], "gap": best - second, "days": days, "told": told, "share": share}


def log_replaced(code, words, looks):
    """Return the cell of the season, or a text with it, with another log and other looks."""
    letters = "".join("hrqp."[word] for word in words)
    for month, first, last in MONTHS:
        code = once(rf'\b{month} = "[a-z.]+"', f'{month} = "{letters[first:last]}"', code)
    seen = ", ".join(MOODS[mood] for mood in looks)
    return once(r"(?<=OPENED\[\[13, 34, 55, 76\]\] = )[A-Z, ]+", seen, code)


def rewritten(text, config, drawn, season):
    """Return assignment.md and config.toml with another summer and what is said of it."""
    day, few = int(season["day"]), int(season["days"])
    first, last = day + 1, day + 2  # day 0 is 1 May
    dates = f"ettled on {first} May and swarming on {last} May"
    behind, odds = f"{season['gap']:.1f} nats behind", np.exp(-season["gap"])
    counted = f"{NUMBERS[few]} to {NUMBERS[few + 1]} days of swarming, "
    text = log_replaced(text, *drawn)
    for pattern, new in (
        (
            r"Look at \d+ and \d+ May \(days \d+ and \d+\)",
            f"Look at {first} and {last} May (days {day} and {day + 1})",
        ),
        (DATES, dates),
        (r"[\d.]+ nats behind", behind),
        (r"(?<=less than )a \w+(?= of the evidence)", season["share"]),
        (
            r"\w+ to \w+ days of swarming, while the story has \w+",
            f"{counted}while the story has {NUMBERS[season['told']]}",
        ),
    ):
        text = once(pattern, new, text)
    for pattern, new in (
        (DATES, dates),
        (r"[\d.]+ nats behind", behind),
        (r"[\d.]+ times as probable", f"{odds:.2f} times as probable"),
    ):
        config = once(pattern, new, config)
    return text, config


def losses(source, drawn):
    """Return the wrong answers that lose more or less by this summer than by the old one."""
    (check,) = [check for check in source.checks if check.name == CHECK]
    right = [run(source, drawn=summer) for summer in (None, drawn)]
    changed = {}
    for wrong in source.wrong:
        old, new = (
            points(check, run(source, wrong.answers, summer), space)
            for summer, space in zip((None, drawn), right, strict=True)
        )
        if old != new:
            lost = dict(wrong.loses)
            lost[check.question] = lost.get(check.question, 0) + old - new
            said = ", ".join(f"{name}={loss:g}" for name, loss in lost.items() if loss)
            name = f"wrong/{wrong.name}.py"
            text = (source.folder / name).read_text(encoding="utf-8")
            changed[name] = once(r"\A# loses: .+", f"# loses: {said}", text)
    return changed


def points(check, space, right):
    """Return what the check on the summer gives for somebody's notebook."""
    if "season" not in space:
        return 0.0
    student, solution = (
        SimpleNamespace(season=SimpleNamespace(value=names["season"])) for names in (space, right)
    )
    return run_check(check, student, solution, None).points


def once(pattern, new, text):
    """Replace what stands in a text exactly once."""
    text, times = re.subn(pattern, lambda _: new, text)
    if times != 1:
        raise ValueError(f"{pattern!r} stands {times} times in the assignment, expected once")
    return text


def main():
    """Print the lines that change, and write them if a folder is given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seed", type=int, help="such as the year")
    parser.add_argument("folder", nargs="?", help="a copy of the assignment, to be changed")
    asked = parser.parse_args()
    folder = Path(asked.folder or HERE)
    for name, text in new_year(folder, asked.seed).items():
        before = (folder / name).read_text(encoding="utf-8").splitlines()
        for number, (old, new) in enumerate(zip(before, text.splitlines(), strict=True), 1):
            if old != new:
                print(f"{name}, line {number}:\n{new}")
        if asked.folder:
            files.write_file(folder / name, text.encode())


if __name__ == "__main__":
    main()
