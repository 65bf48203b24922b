"""What the pages on assignments say is true: titles, numbers, files, commands, calendars."""

import json
import re
import shlex
import tomllib

import pytest

from assignments import vary
from course_lib.grading import _made_up_people, cli, config, typed
from course_lib.grading.limits import Limits
from course_lib.grading.workspace import Workspace
from tests.grading_case import NAMES, ROOT, case

README = (ROOT / "assignments" / "README.md").read_text(encoding="utf-8")
STUDENTS = (ROOT / "book" / "back" / "assignments.md").read_text(encoding="utf-8")
TEACHERS = (ROOT / "book" / "back" / "instructors.md").read_text(encoding="utf-8")
CHAPTERS = {
    int(path.name[:2]): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "book" / "chapters").glob("*.md"))
}
MINUTES = {n: int(re.search(r"Time:\*\* (\d+)", text)[1]) for n, text in CHAPTERS.items()}


def section(text, title):
    """What stands below a heading, up to the next one of any level."""
    (found,) = re.findall(rf"(?ms)^##+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text)
    return found


def rows(text):
    """The cells of each table row, without the heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    rules = [i for i, row in enumerate(cells) if set(row[0]) == {"-"}]
    heads = {i - 1 for i in rules} | set(rules)
    return [row for i, row in enumerate(cells) if i not in heads]


def numbers(cell):
    return [int(number) for number in re.findall(r"\d+", cell)]


def needed(name):
    """Chapters that an assignment needs, as its second line says."""
    said = re.search(r"\*\*You need:\*\* chapters ([\d, toand]+) of", case(name).text)[1]
    first, *rest = numbers(said)
    return list(range(first, rest[0] + 1)) if " to " in said else [first, *rest]


def parts(name):
    """Number, names to write and points of each part, as the assignment's table says."""
    table = case(name).text.partition("| part | you write |")[2].partition("\n\n")[0]
    found = re.findall(r"(?m)^\| (\d) \| ([^|]+) \| (\d) \|", table)
    return [(n, re.findall(r"`(\w+)`", what), points) for n, what, points in found]


VERBS = cli._app.commands
NEEDS = {name: needed(name) for name in NAMES}


class TestOverview:
    @pytest.mark.parametrize("name", NAMES)
    def test_readme_knows_chapters_points_and_packages(self, name):
        (row,) = [row for row in rows(README) if row[0] == f"`{name}`"]
        source = case(name).source
        by_people = sum(q.points for q in source.questions if q.manual)
        by_checks = sum(q.points for q in source.questions if not q.manual)
        assert numbers(row[1]) == NEEDS[name]
        assert [float(cell) for cell in row[2:4]] == [by_checks, by_people]
        assert by_checks + by_people == 20 and 20 * len(NAMES) == 100
        assert row[4].startswith("NumPy") and ("PyTorch" in row[4]) == source.config.torch
        assert ("data file" in row[4]) == bool(source.data)

    @pytest.mark.parametrize("name", NAMES)
    def test_page_for_students_names_the_chapters(self, name):
        (row,) = [row for row in rows(STUDENTS) if f"/{name}.ipynb>" in row[0]]
        labels = re.findall(r"\{ref\}`([\w-]+)`", row[1])
        assert [
            n for n, text in CHAPTERS.items() for label in labels if f"\n({label})=" in text
        ] == NEEDS[name]

    def test_every_assignment_has_its_rows(self):
        assert [row[0].strip("`") for row in rows(README.partition("## ")[0])] == NAMES
        assert re.findall(r"<\.\./assignments/(\w+)\.ipynb>", STUDENTS) == NAMES
        assert f"{['none', 'One', 'Two', 'Three', 'Four', 'Five'][len(NAMES)]} assign" in README

    def test_data_lie_where_the_page_and_the_notebooks_look(self):
        for name in NAMES:
            for file in case(name).source.data:
                offered = ROOT / "book" / "assignments" / file
                assert offered.read_bytes() == (case(name).source.folder / file).read_bytes()
                assert f"{{download}}`{offered.name} <../assignments/{file}>`" in STUDENTS
                code = "\n".join(cell.source for cell in case(name).source.cells)
                assert f'Path("{file}"), Path("{offered.name}")' in code


class TestMeasures:
    @pytest.mark.parametrize("name", NAMES)
    def test_parts_functions_and_points_are_those_of_the_assignment(self, name):
        number, title = re.search(r"(?m)^# Assignment (\d): (.+)$", case(name).text).groups()
        table = rows(section(README, f"{number}. {title}"))
        told = [(row[0], re.findall(r"`(\w+)`", row[1]), row[3]) for row in table]
        assert told == parts(name) and table[-1][1] == "written"

    def test_goals_are_listed_by_chapter(self):
        table = rows(section(README, "Learning goals by chapter"))
        assert len(table) == len(CHAPTERS)
        for (n, text), (chapter, minutes, goal, where) in zip(CHAPTERS.items(), table, strict=True):
            title = re.search(r"(?m)^# (.+)$", text)[1]
            assert chapter == f"{n} {title}" and int(minutes) == MINUTES[n] and len(goal) > 40
            assert numbers(where) == [i for i, name in enumerate(NAMES, 1) if n in NEEDS[name]]


@pytest.mark.parametrize("weeks, title", [(12, "Twelve weeks"), (6, "Six weeks")])
class TestCalendar:
    def table(self, title):
        return rows(section(README, title))

    def test_weeks_chapters_minutes_and_demos(self, weeks, title):
        table = self.table(title)
        assert [row[0] for row in table] == [*map(str, range(1, weeks + 1)), "after"]
        chapters = [n for row in table for n in numbers(row[1])]
        assert chapters == sorted(set(chapters))
        left_out = [n for n in CHAPTERS if n not in chapters]
        said = re.search(r"Chapters ([\d, and]+) are for reading", section(README, title))
        assert left_out == (numbers(said[1]) if said else [])
        words = f"{len(chapters)} chapters" if left_out else "all chapters"
        assert words in section(README, title)
        for row in table[:-1]:
            assert int(row[2]) == sum(MINUTES[n] for n in numbers(row[1]))
            texts = [CHAPTERS[n] for n in numbers(row[1])]
            for demo in row[3].split(", "):
                assert any(f"#demo={demo}&" in text for text in texts), demo

    def test_assignments_come_after_their_chapters_and_back_after_they_are_due(self, weeks, title):
        taught, out, due, back = set(), {}, {}, []
        for week, row in enumerate(self.table(title)):
            taught |= set(numbers(row[1]))
            for number, what in re.findall(r"(\d) (out|due)", row[4]):
                {"out": out, "due": due}[what][int(number)] = week
                assert set(NEEDS[NAMES[int(number) - 1]]) <= taught, row
            back += [(number, week) for number in numbers(row[5])]
        assert [number for number, _ in back] == [*out] == [*due] == [*range(1, len(NAMES) + 1)]
        for number, week in out.items():
            assert due[number] == week + 1
            assert (number, min(week + 2, weeks)) in back  # the last row is all that comes after

    def test_heaviest_week_is_the_one_that_is_named(self, weeks, title):
        if weeks == 6:
            minutes = [int(row[2]) for row in self.table(title)[:-1]]
            assert minutes.index(max(minutes)) == 4 and "The fifth week is the heaviest" in README


def commands(text):
    """Every `course-grade` line of a page, in a block or in a sentence, as words."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    inline = re.findall(r"`(course-grade \w+[^`\n]*)`", re.sub(r"(?s)```.*?```", "", text))
    lines = [*inline, *re.findall(r"(?m)^course-grade .*$", blocks)]
    return [shlex.split(line)[1:] for line in lines]


class TestCommands:
    @pytest.mark.parametrize("page", [README, TEACHERS, STUDENTS], ids=["readme", "teach", "learn"])
    def test_verbs_options_and_choices_exist(self, page):
        for verb, *words in commands(page):
            command = VERBS[verb]
            context = command.make_context(verb, list(words), resilient_parsing=True)
            given, rest, _ = command.make_parser(context).parse_args(list(words))
            assert not rest, (verb, words)
            for parameter in command.params:
                value = given.get(parameter.name)
                if isinstance(value, str) and hasattr(parameter.type, "choices"):
                    assert value in parameter.type.choices, (verb, words)

    def test_the_whole_way_is_on_the_page(self):
        verbs = [verb for verb, *_ in commands(TEACHERS)]
        assert set(VERBS) - {"new"} <= set(verbs)
        way = ["release", "collect", "run", "review", "feedback", "export"]
        block = re.search(r"(?s)```sh\n(course-grade release \S+rehearsal.*?)```", TEACHERS)[1]
        assert re.findall(r"course-grade (\w+)", block) == way

    def test_names_in_commands_are_assignments(self):
        for page in (README, TEACHERS):
            for words in commands(page):
                named = {name for word in words for name in re.findall(r"0\d_\w+", word)}
                assert named <= set(NAMES), words

    def test_programs_take_what_the_pages_give_them(self):
        said = re.findall(r"(?m)^python assignments/vary\.py (\w+) (\d+) \S+$", README + TEACHERS)
        assert len(said) == 2 and all(name in ("all", *NAMES) for name, _ in said)
        assert vary.names() == NAMES
        for program in re.findall(r"`?python ((?:tools|assignments)/\w+\.py)", README + TEACHERS):
            assert (ROOT / program).is_file()
        assert "`python -m benchmarks class`" in README
        assert (ROOT / "benchmarks" / "bench_class.py").is_file()
        rules = re.findall(r"(?m)^(\w+):", (ROOT / "Makefile").read_text())
        assert {"book", "lab"} <= set(rules)

    def test_files_that_readme_names_exist(self):
        named = re.findall(r"`((?:book|assignments|tools)/[\w./]+\.\w+)`", README + TEACHERS)
        assert len(named) >= 3 and all((ROOT / name).is_file() for name in named)


class TestTerm:
    def test_kinds_of_made_up_students(self):
        said = re.search(r"Of twenty students (.+)\.", TEACHERS)[1]
        count = [_made_up_people._TWENTY.count(i) for i in range(6)]
        word = {1: "one", 2: "two", 3: "three", 6: "six"}
        for kind, n in zip(_made_up_people.KINDS, count, strict=True):
            told = {"broken": "hand in broken files", "hostile": "is hostile"}.get(kind, kind)
            pattern = rf"{word[n]} (are )?{told}" if kind != "hostile" else rf"{word[n]} {told}"
            assert re.search(pattern, said), kind

    def test_deadline_can_be_written_as_shown(self, tmp_path):
        block = re.search(r"(?s)```toml\n(.*?)```", TEACHERS)[1]
        (tmp_path / "config.toml").write_text(block + 'title = "A"\n')
        made = config.read(tmp_path / "config.toml")
        assert made.due and made.late_max_percent == tomllib.loads(block)["late_max_percent"]

    def test_late_csv_is_read_as_shown(self, tmp_path):
        block = re.search(r"(?s)```text\n(student,extra.*?)```", TEACHERS)[1]
        place = tmp_path / "first"
        place.mkdir()
        (tmp_path / "roster.csv").write_text("student,name\nada,Ada A\nbob,Bob B\n")
        (place / typed.LATE_FILE).write_text(block)
        found = typed.extensions(Workspace(tmp_path), "first")
        assert found["ada"].extra_hours == 48 and found["ada"].reason == "ill"
        assert found["bob"].submitted.isoformat() == "2027-10-29T20:15:00+02:00"

    @pytest.mark.parametrize("total, said", [("16.875", ""), ("16.8", "must be 16.875")])
    def test_comparison_finds_what_differs(self, tmp_path, monkeypatch, capsys, total, said):
        code = re.search(r"(?s)```python\n(.*?)```", TEACHERS)[1]
        name = re.search(r'"(0\d_\w+)"', code)[1]
        place = tmp_path / "term-2027" / "rehearsal" / name
        place.mkdir(parents=True)
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        head = "student,assignment,kind,automatic,manual,late_percent,total,why\n"
        (place.parent / "known.csv").write_text(
            f"{head}ada,{name},strong,,,0,16.875,because\nada,other,strong,,,0,3,x\n"
            f"bob,{name},weak,,,0,,nothing\n"
        )
        (place / "grades.csv").write_text(f"student,name,total\nada,Ada A,{total}\nbob,Bob B,\n")
        exec(code, {})
        printed = capsys.readouterr().out
        assert said in printed and bool(printed) == bool(said)

    def test_review_page_has_the_key_that_shows_code(self):
        page = (ROOT / "course_lib/grading/review_page/index.html").read_text(encoding="utf-8")
        assert "<kbd>E</kbd></dt><dd>show code and outputs" in page
        assert "press `E`" in README and "`E` shows" in TEACHERS


class TestStudentsPage:
    def test_limits_are_those_of_the_grader(self):
        said = {row[0]: row[1:] for row in rows(section(STUDENTS, "What happens then"))}
        usual = Limits()
        assert said["one cell"] == [f"{usual.cell_s:g} seconds", f"{usual.memory_mb // 1024} GB"]
        assert said["one call of a function by a check"][0] == f"{usual.call_s:g} seconds"
        assert said["everything"][0] == f"{usual.total_s / 60:g} minutes"
        for i, name in enumerate(NAMES, 1):
            limits = case(name).source.config.limits
            if limits != usual:
                assert said[f"Assignment {i}: one cell"] == [
                    f"{limits.cell_s / 60:g} minutes",
                    f"{limits.memory_mb // 1024} GB",
                ]
                assert said[f"Assignment {i}: one call"][0] == f"{limits.call_s:g} seconds"
                assert limits.total_s == usual.total_s
            else:
                assert f"Assignment {i}: one cell" not in said

    def test_pytorch_is_asked_for_where_it_is_needed(self):
        torch = [str(i) for i, name in enumerate(NAMES, 1) if case(name).source.config.torch]
        without = re.search(r"Assignments ([\d, and]+) need Python 3.11 or later", STUDENTS)[1]
        assert f"Assignment {', '.join(torch)} needs PyTorch" in STUDENTS
        assert numbers(without) == [i for i in range(1, len(NAMES) + 1) if str(i) not in torch]

    def test_binder_and_lab_open_what_the_page_says(self):
        makefile = (ROOT / "Makefile").read_text()
        assert "default_url=/lab/tree/book/notebooks" in makefile and "one folder up" in STUDENTS
        assert (ROOT / "binder" / "postBuild").is_file() and "`book/assignments`" in STUDENTS
        assert "pip install --no-deps -e ." in (ROOT / "binder" / "postBuild").read_text()

    def test_one_folded_cell_stands_above_the_first_check(self):
        for name in NAMES:
            cells = json.loads(case(name).released.read_text(encoding="utf-8"))["cells"]
            folded = [
                i
                for i, c in enumerate(cells)
                if c["metadata"].get("jupyter", {}).get("source_hidden")
            ]
            checks = [i for i, c in enumerate(cells) if "checks" in c["id"] or "check" in c["id"]]
            assert len(folded) == 1 and folded[0] <= min(checks)
