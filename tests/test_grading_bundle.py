"""Assignments that do not fit together are refused; a bundle is what was released, to the byte."""

import io
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from course_lib.grading import assignment, bundle, codec, digest
from course_lib.grading.limits import Limits
from course_lib.grading.solution import Solution

SOURCE = Path(__file__).parent / "grading_assignments" / "normalize"
RIGHT = '''"""Divides entry by entry."""


# grade_id: normalize
def normalize(x):
    return np.array(x) / sum(x)
'''


@pytest.fixture
def folder(tmp_path):
    """A copy of the small assignment, to be spoiled."""
    return Path(shutil.copytree(SOURCE, tmp_path / "normalize"))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    place = tmp_path_factory.mktemp("built")
    return bundle.build(assignment.read(SOURCE), place)


def spoil(folder, name, *changes):
    path = folder / name
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


class TestRead:
    def test_small_assignment(self):
        a = assignment.read(SOURCE)
        assert [(q.name, q.points, q.manual) for q in a.questions] == [
            ("normalize", 2, False),
            ("running_mean", 2, False),
            ("report", 2, True),
        ]
        assert [cell.role for cell in a.cells] == (
            "text locked text answer check text answer check text written".split()
        )
        assert (a.name, a.config.title, a.data) == ("normalize", "Weights", ("data/readings.txt",))
        assert a.config.due == "2030-03-01T23:59:00+01:00"
        assert a.config.limits == Limits(call_s=2, total_s=60)
        assert [line.points for line in a.questions[2].rubric] == [1, 1]
        assert {w.name: w.loses for w in a.wrong} == {
            "largest_entry": {"normalize": 2},
            "softmax": {"normalize": 1},
            "one_too_many": {"running_mean": 1.75},
            "plain_mean": {"running_mean": 2},
        }
        assert a.wrong[0].title == "Divides by the largest entry instead of the sum."

    def test_ids_of_cells_without_one_stay_when_others_come(self, folder):
        before = [cell.id for cell in assignment.read(folder).cells]
        spoil(folder, "assignment.md", ("## Normalise", "## Again\n\n+++\n\n## Normalise"))
        spoil(folder, "assignment.md", ("## In words", "## Again\n\n+++\n\n## In words"))
        after = [cell.id for cell in assignment.read(folder).cells]
        assert set(before) < set(after) and len(set(after)) == len(before) + 2

    @pytest.mark.parametrize(
        "file, old, new, message",
        [
            # cells
            ("assignment.md", ":grade_id: running_mean", ":grade_id: normalize", "two cells have"),
            ("assignment.md", ":grade_id: normalize", ":grade-id: normalize", "unknown grade-id"),
            (
                "assignment.md",
                ":grade_id: normalize",
                ":tags: [a]",
                "unknown tags; known are grade",
            ),
            ("assignment.md", ":grade_id: normalize", ":grade_id: a/b", "letters, digits, - and _"),
            ("assignment.md", ":grade_id: normalize\n", "", "answer needs a grade_id"),
            ("assignment.md", ":role: answer", ":role: anwser", "has the role locked or answer"),
            ("assignment.md", ":grade_id: normalize\n:role: answer\n", "", "no role"),
            ("assignment.md", "    ### END SOLUTION\n", "", "without its partner"),
            ("assignment.md", "    ### BEGIN SOLUTION\n", "", "without its partner"),
            (
                "assignment.md",
                "### BEGIN SOLUTION\n",
                "x = 1 ### BEGIN SOLUTION\n",
                "lines of their",
            ),
            ("assignment.md", ":role: check\n", ":role: check\n\nx = 1\n", "a check cell is empty"),
            ("assignment.md", ":question: normalize\n", "", "a check cell is empty and has"),
            ("assignment.md", "import numpy as np", "%matplotlib inline", "plain Python"),
            ("assignment.md", "return x / total_weight", "return x /", "plain Python"),
            ("assignment.md", '"role": "written", ', "", "give it :role:"),
            ("assignment.md", '"question": "report"', '"question": "essay"', "report"),
            # checks
            (
                "checks.py",
                '@check("normalize", points=1)',
                '@check("nrm", points=1)',
                "question nrm",
            ),
            (
                "checks.py",
                '@check("normalize", points=1)',
                '@check("report", points=1)',
                "no answer",
            ),
            ("checks.py", "def long_series", "def mean_of_three", "mean_of_three is defined twice"),
            ("checks.py", "points=0.5)", "points=0)", "points must be a number above 0"),
            (
                "checks.py",
                "def mean_of_three(student)",
                "def mean_of_three()",
                "parameters must be",
            ),
            ("checks.py", "import numpy", "import nunpy", "No module named 'nunpy'"),
            ("checks.py", "def long_series(", "def long_series((", "SyntaxError"),
            ("checks.py", "points=0.5)\n", "points=0.5, hidden=True)\n", "needs both a visible"),
            # configuration
            ("config.toml", "title =", "titel =", "unknown titel; known are title, due,"),
            ("config.toml", 'title = "Weights"', "", "needs a title"),
            ("config.toml", "T23:59:00+01:00", "T23:59:00", "with an offset"),
            ("config.toml", "2030-03-01T23:59:00+01:00", '"soon"', "with an offset"),
            ("config.toml", "late_percent_per_day = 10", "late_percent_per_day = -1", "from 0 on"),
            (
                "config.toml",
                "late_percent_per_day = 10",
                "late_percent_per_day = 101",
                "at most 100",
            ),
            ("config.toml", "late_max_percent = 50", "late_max_percent = true", "from 0 on"),
            ("config.toml", "late_max_percent = 50", "floor = nan", "from 0 on, got nan"),
            ("config.toml", "call_s = 2", "cal_s = 2", "unknown limit cal_s; known are cell_s"),
            ("config.toml", "call_s = 2", "call_s = 0", "above 0"),
            ("config.toml", "[limits]", "[limits", "not TOML"),
            ("config.toml", 'question = "report"', 'qestion = "report"', "unknown qestion"),
            ("config.toml", 'question = "report"', 'question = "nobody"', "no cell answers"),
            ("config.toml", 'question = "report"', 'question = "normalize"', "checks and a [[man"),
            ("config.toml", "points = 2", "points = 0", "points must be a number"),
            ("config.toml", "points = 2", "points = 3", "must reach 3"),
            ("config.toml", "points = 1\n", "point = 1\n", "unknown point; known are points, text"),
            ("config.toml", 'text = "Says that each new value has the weight 1/n."', "", "a text"),
            # wrong answers
            ("wrong/softmax.py", "# loses: normalize=1\n", "", "starts with '# loses:"),
            ("wrong/softmax.py", "normalize=1", "nothing", "starts with '# loses:"),
            ("wrong/softmax.py", "normalize=1", "normalize=1 report 1", "the head cannot be read"),
            ("wrong/softmax.py", "normalize=1", "normalize=1, report", "starts with '# loses:"),
            ("wrong/softmax.py", "normalize=1", "normalize=one", "the head cannot be read"),
            ("wrong/softmax.py", "normalize=1", "weights=1", "unknown or repeated: weights"),
            ("wrong/softmax.py", "normalize=1", "normalize=1.2.3", "the head cannot be read"),
            ("wrong/softmax.py", "grade_id: normalize", "grade_id: weights", "unknown or repeated"),
            ("wrong/softmax.py", 'of x."""', "of x.", "the head cannot be read"),
            ("wrong/softmax.py", "# grade_id: normalize", "# grade id", "starts with '# loses:"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, folder, file, old, new, message):
        spoil(folder, file, (old, new))
        with pytest.raises(ValueError, match=re.escape(message)) as refused:
            assignment.read(folder)
        assert str(folder) in str(refused.value) and "\n" not in str(refused.value)

    def test_other_right_answers(self, folder):
        path = folder / "right" / "by_a_list.py"
        path.parent.mkdir()
        path.write_text(RIGHT)
        (right,) = assignment.read(folder).right
        assert (right.name, right.title) == ("by_a_list", "Divides entry by entry.")
        assert right.answers == {"normalize": "def normalize(x):\n    return np.array(x) / sum(x)"}

    @pytest.mark.parametrize(
        "old, new, message",
        [
            ('"""Div', '# loses: normalize=1\n"""Div', "has no '# loses:'"),
            ('"""Divides entry by entry."""', "", "starts with a docstring"),
            ("# grade_id: normalize", "# grade id", "then come blocks"),
            ("# grade_id: normalize", "# grade_id: weights", "unknown or repeated: weights"),
            ('entry."""', "entry.", "the head cannot be read"),
        ],
    )
    def test_right_answers_of_another_form(self, folder, old, new, message):
        path = folder / "right" / "by_a_list.py"
        path.parent.mkdir()
        path.write_text(RIGHT.replace(old, new))
        with pytest.raises(ValueError, match=message) as refused:
            assignment.read(folder)
        assert str(path) in str(refused.value)

    def test_a_name_is_right_or_wrong(self, folder):
        (folder / "right").mkdir()
        (folder / "right" / "softmax.py").write_text(RIGHT)
        with pytest.raises(ValueError, match=r"both wrong/ and right/ have softmax\.py"):
            assignment.read(folder)

    def test_manual_question_without_rubric(self, folder):
        text = (folder / "config.toml").read_text()
        (folder / "config.toml").write_text(text[: text.index("[[manual.rubric]]")])
        with pytest.raises(ValueError, match=r"rubric\]\] lines must reach 2"):
            assignment.read(folder)
        (folder / "config.toml").write_text(text[: text.index("[[manual]]")])
        with pytest.raises(ValueError, match="nothing marks the question report"):
            assignment.read(folder)

    def test_question_without_a_mark(self, folder):
        spoil(folder, "assignment.md", (":grade_id: running_mean", ":grade_id: other"))
        with pytest.raises(ValueError, match="question running_mean, which no answer cell has"):
            assignment.read(folder)

    def test_answer_that_is_all_given(self, folder):
        spoil(
            folder,
            "assignment.md",
            ("    ### BEGIN SOLUTION\n", ""),
            ("    ### END SOLUTION\n", ""),
        )
        with pytest.raises(ValueError, match="students would get all of it"):
            assignment.read(folder)

    @pytest.mark.parametrize("name", ["assignment.md", "checks.py", "config.toml"])
    def test_missing_and_unreadable_files(self, folder, name):
        (folder / name).write_bytes(b"\xff\xfe")
        with pytest.raises(ValueError, match=f"{name}: cannot be read"):
            assignment.read(folder)
        (folder / name).unlink()
        with pytest.raises(ValueError, match=f"{name}: missing"):
            assignment.read(folder)

    def test_name_of_the_folder_and_links(self, folder):
        (folder / "data" / "passwd").symlink_to("/etc/passwd")
        with pytest.raises(ValueError, match="a link; put the file itself there"):
            assignment.read(folder)
        with pytest.raises(ValueError, match="rename the folder"):
            assignment.read(folder.rename(folder.with_name("week 1")))


class TestSplitSolution:
    def test_with_and_without(self):
        source = "a\n  ### BEGIN SOLUTION\n  b\n  ### END SOLUTION\nc"
        assert assignment.solved(source, "") == "a\n  b\nc"
        assert assignment.split_solution(source, "") == [
            ("a", False),
            ("  ### BEGIN SOLUTION", True),
            ("  b", True),
            ("c", False),
        ]


class TestBuild:
    def test_same_bytes_every_time(self, built, tmp_path):
        again = bundle.build(assignment.read(SOURCE), tmp_path)
        assert again.digest == built.digest
        name = "release/normalize.ipynb"
        assert (tmp_path / name).read_bytes() == (built.folder.parent / name).read_bytes()

    def test_data_go_to_students_and_private_files_do_not(self, folder, tmp_path):
        (folder / "private").mkdir()
        (folder / "private" / "labels.txt").write_text("1")
        spoil(
            folder,
            "checks.py",
            ("import numpy as np", "from pathlib import Path\nimport numpy as np"),
            (
                "def positive",
                'LABEL = Path(__file__).with_name("private").joinpath("labels.txt").read_text()\n\n'
                "def positive",
            ),
        )
        made = bundle.build(assignment.read(folder), tmp_path / "out")
        names = {
            p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")
        }
        assert names == {
            "release/normalize.ipynb",
            "release/data/readings.txt",
            *(f"bundle/{n}" for n in ("manifest.json", "checks.py", "solution.py")),
            "bundle/data/readings.txt",
            "bundle/private/labels.txt",
        }
        assert made.data_dir == made.folder / "data"

    @pytest.mark.parametrize(
        "file, old, new",
        [
            ("checks.py", "size=11", "size=12"),
            ("config.toml", "call_s = 2", "call_s = 3"),
            ("assignment.md", "x / total_weight", "x / (total_weight)"),
            ("data/readings.txt", "2.0", "2.1"),
            ("config.toml", "points = 1\ntext", "points = 1.5\ntext"),
        ],
    )
    def test_digest_changes_with_what_marks_depend_on(
        self, folder, built, file, old, new, tmp_path
    ):
        spoil(folder, file, (old, new))
        assert bundle.build(assignment.read(folder), tmp_path / "x").digest != built.digest


class TestLoad:
    @pytest.fixture
    def copy(self, built, tmp_path):
        return Path(shutil.copytree(built.folder, tmp_path / "bundle"))

    def test_is_what_was_built(self, copy, built):
        again = bundle.load(copy)
        assert (again.digest, again.manifest) == (built.digest, built.manifest)
        assert [c.name for c in again.checks] == [c.name for c in built.manifest.checks]
        assert len(again.digest) == 64

    @pytest.mark.parametrize(
        "name", ["manifest.json", "checks.py", "solution.py", "data/readings.txt", "digest"]
    )
    def test_changed_file_is_refused(self, copy, name):
        path = copy / name
        path.write_bytes(path.read_bytes()[:-2] + b"0\n")
        with pytest.raises(ValueError, match="not those that were released") as refused:
            bundle.load(copy)
        assert str(copy) in str(refused.value)

    def test_added_moved_and_lost_files_are_refused(self, copy):
        (copy / "data" / "more.txt").write_text("")
        with pytest.raises(ValueError, match="not those that were released"):
            bundle.load(copy)
        (copy / "data" / "more.txt").unlink()
        (copy / "data" / "readings.txt").rename(copy / "readings.txt")
        with pytest.raises(ValueError, match="not those that were released"):
            bundle.load(copy)
        (copy / "checks.py").unlink()
        with pytest.raises(ValueError, match="not those that were released"):
            bundle.load(copy)
        (copy / "digest").unlink()
        with pytest.raises(ValueError, match="no bundle"):
            bundle.load(copy)

    def test_bytecode_of_python_is_no_part_of_it(self, copy, built):
        (copy / "__pycache__").mkdir()
        (copy / "__pycache__" / "checks.pyc").write_bytes(b"x")
        assert bundle.load(copy).digest == built.digest

    def test_other_versions_are_refused(self, copy, monkeypatch):
        theirs = (("python", "3.1"), *digest.environment()[1:])
        monkeypatch.setattr(digest, "environment", lambda torch=False: theirs)
        with pytest.raises(ValueError, match=r"here is python 3\.1, numpy .*use the same versions"):
            bundle.load(copy)

    def test_missing_folder(self, tmp_path):
        with pytest.raises(ValueError, match="no bundle"):
            bundle.load(tmp_path / "nothing")


class TestSolution:
    def test_answers_like_a_student(self, built):
        assert built.solution.normalize(np.array([1.0, 3.0])).tolist() == [0.25, 0.75]
        assert built.solution.readings.value.tolist() == [2.0, 3.5, 1.0, 4.5]  # read from data/

    def test_gives_and_takes_copies(self, built):
        value = built.solution.readings.value
        value[:] = 0
        assert built.solution.readings.value.sum() == 11

    def test_what_it_lacks_or_raises_is_no_fault_of_students(self, built):
        with pytest.raises(LookupError, match="the solution defines no nothing"):
            built.solution.nothing()
        with pytest.raises(Exception, match="cannot be sent"):
            built.solution.normalize(object())

    def test_gets_tensors_where_a_check_has_tensors(self, tmp_path):
        torch = pytest.importorskip("torch")
        (tmp_path / "solution.py").write_text("def f(x):\n    return x[0]['a'].softmax(0)")
        got = Solution(tmp_path).f([{"a": torch.zeros(2)}])
        assert type(got) is codec.Tensor and got.array.tolist() == [0.5, 0.5]

    def test_runs_once_and_leaves_the_working_directory(self, built, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        solution = bundle.load(built.folder).solution
        solution.normalize(np.ones(2))
        space = solution._space
        solution.normalize(np.ones(2))
        assert solution._space is space and Path.cwd() == tmp_path


class TestPack:
    def test_round_trip(self, built, tmp_path):
        data = bundle.pack(built.folder)
        assert data == bundle.pack(built.folder)
        for _ in range(2):  # the second time it is there already
            again = bundle.unpack(data, tmp_path / "a" / "b")
        assert (again.digest, again.manifest) == (built.digest, built.manifest)
        assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["b"]

    def test_other_bytes_are_refused_and_leave_nothing(self, built, tmp_path):
        data = bundle.pack(built.folder)
        other = io.BytesIO(data)
        with zipfile.ZipFile(other, "a") as archive:
            archive.writestr("more.py", "x")
        cases = (b"", b"PK", data[:-30], data[:200] + b"x" + data[201:], other.getvalue())
        for bad in cases:
            with pytest.raises(ValueError, match="bundle"):
                bundle.unpack(bad, tmp_path / "x")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["../evil.py", "/tmp/evil.py", "data/../../evil.py"])
    def test_names_that_lead_outside_are_refused(self, name, tmp_path):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(ValueError, match="packed bundle with the file"):
            bundle.unpack(out.getvalue(), tmp_path / "x")
        assert list(tmp_path.iterdir()) == []
