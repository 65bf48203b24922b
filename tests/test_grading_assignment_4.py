"""Assignment 4: its data and ceiling are right, its thresholds fair, no label to be found."""

import importlib
import itertools
import json
import re

import numpy as np
import pytest

from course_lib.datasets import sessions
from course_lib.grading import assignment, bundle, grader, selftest
from course_lib.grading.checks import CheckFailed, run_check
from tests.grading_case import case

pytest_plugins = "tests.grading_support"
ONE = case("04_sequence_classification")
FOLDER = ONE.source.folder
DATA = FOLDER / "data" / "visits.npz"


VISITS = importlib.import_module(f"assignments.{ONE.name}.another_visits")
CHECKS = importlib.import_module(f"assignments.{ONE.name}.checks")
TABLES = CHECKS.library()


@pytest.fixture(scope="module")
def data():
    with np.load(DATA) as file:
        return dict(file)


def solved_with(**answers):
    """The names of the solved notebook with some answers replaced, and nothing trained anew."""
    space = dict(ONE.space)
    for cell in ONE.source.cells:
        if cell.id in answers:
            exec(answers[cell.id], space)
        elif cell.id in ("probes", "slopes", *ONE.solutions):
            exec(assignment.solved(cell.source, cell.id), space)
    exec("def ask(visits):\n    return predict(over, visits)", space)
    return space


class TestData:
    def test_are_those_of_the_script(self, data):
        drawn = VISITS.draw_visits(2026)
        assert data.keys() == drawn.keys() == {"clicks", "lengths", "ended", "cards"}
        assert all(np.array_equal(data[name], drawn[name]) for name in data)
        assert ONE.space["SEED"] == 2026

    def test_another_year_has_other_visits(self, data):
        drawn = VISITS.draw_visits(2031)
        assert len(drawn["lengths"]) == len(data["lengths"]) == 2500 and "2500 visits" in ONE.text
        assert not np.array_equal(drawn["ended"], data["ended"])

    def test_the_script_writes_into_the_folder_it_is_given(self, data, tmp_path, monkeypatch):
        (tmp_path / "private").mkdir()
        private = FOLDER / "private" / "library.json"
        (tmp_path / "private" / "library.json").write_bytes(private.read_bytes())
        monkeypatch.setattr("sys.argv", ["another_visits.py", "2026", str(tmp_path)])
        code = compile((FOLDER / "another_visits.py").read_text(), "another_visits.py", "exec")
        exec(code, {"__name__": "__main__", "__file__": str(FOLDER / "another_visits.py")})
        with np.load(tmp_path / "data" / "visits.npz") as written:
            assert all(np.array_equal(written[name], data[name]) for name in data)

    def test_cards_come_back_and_have_habits(self, data):
        """So that to hold back visits would not be the same as to hold back cards."""
        counts = np.bincount(data["cards"])
        assert (counts > 0).all() and (counts > 1).mean() > 0.5
        hunts = np.isin(data["clicks"][np.cumsum(data["lengths"]) - data["lengths"]], [1])
        share = np.bincount(data["cards"], hunts) / counts
        often = counts >= 8
        spread = share[often].std()
        assert spread > 1.15 * np.sqrt(hunts.mean() * (1 - hunts.mean()) / counts[often]).mean()

    def test_visits_ended_as_often_as_the_exact_probabilities_say(self, data):
        visits = ONE.space["VISITS"]
        q = CHECKS.exact(visits)[0][CHECKS.ends_of(visits)]
        assert abs(q.mean() - data["ended"].mean()) < 4 * np.sqrt((q * (1 - q)).sum()) / len(q)


class TestCeiling:
    def process(self):
        names = {"pi": "begin", "Q": "moves", "B": "shows", "buy": "book", "leave": "none"}
        tables = {ours: TABLES[name] for ours, name in names.items()}
        lists = (tuple(TABLES[name].tolist()) for name in ("clicks", "intents"))
        return sessions.SessionProcess(
            **tables, **dict(zip(("events", "intents"), lists, strict=True))
        )

    def test_exact_probabilities_are_those_of_the_library(self, rng):
        visits = CHECKS.new_visits(rng, 50)
        block, _ = CHECKS.padded(visits)
        real = block >= 0
        over, some_day = CHECKS.exact(visits)
        assert np.allclose(over, sessions.exact_buy_probability_at_end(self.process(), block)[real])
        assert np.allclose(some_day, sessions.exact_buy_probability(self.process(), block)[real])

    def test_exact_probability_at_the_end_matches_all_paths(self):
        visit, book, none = [1, 3, 0, 5], 0.0, 0.0
        for path in itertools.product(range(4), repeat=4):
            joint = TABLES["begin"][path[0]]
            for i, j in itertools.pairwise(path):
                joint *= TABLES["moves"][i, j]
            joint *= np.prod([TABLES["shows"][k, y] for k, y in zip(path, visit, strict=True)])
            book += joint * TABLES["book"][path[-1]]
            none += joint * TABLES["none"][path[-1]]
        assert np.isclose(CHECKS.exact([np.array(visit)])[0][-1], book / (book + none))

    def test_new_visits_are_like_those_of_the_log(self, rng, data):
        visits = CHECKS.new_visits(rng, 4000)
        lengths = np.array([len(visit) for visit in visits])
        assert abs(lengths.mean() - data["lengths"].mean()) < 0.6
        shares = [
            np.bincount(c, minlength=7) / len(c) for c in (np.concatenate(visits), data["clicks"])
        ]
        assert np.abs(shares[0] - shares[1]).max() < 0.02

    def test_skill_is_0_for_the_base_rate_and_1_for_the_exact_probabilities(self, rng):
        q = CHECKS.exact(CHECKS.new_visits(rng, 300))[1]
        assert abs(CHECKS.skill(np.full(len(q), q.mean()), q)) < 1e-12
        assert abs(CHECKS.skill(q, q) - 1) < 1e-12
        for shift in (0.03, -0.03):
            assert CHECKS.skill(np.clip(q + shift, 0.01, 0.99), q) < 1
        assert CHECKS.skill(np.where(q > 0.5, 0.0, 1.0), q) < -5

    def test_the_library_is_not_the_shop_of_the_book(self):
        assert TABLES["shows"].shape != sessions.SHOP.B.shape
        rows = np.column_stack([TABLES[name] for name in ("moves", "book", "none")])
        assert np.allclose(rows.sum(axis=1), 1) and np.allclose(TABLES["shows"].sum(axis=1), 1)
        assert VISITS.HUNTERS[0] + VISITS.HUNTERS[1] == 2 * TABLES["begin"][1]

    def test_six_clear_visits_are_clear(self):
        class Observer:
            def ask(self, visits):
                return np.split(CHECKS.exact(visits)[0], CHECKS.ends_of(visits)[:-1] + 1)

        CHECKS.six_clear_visits.run(Observer())


class TestText:
    def test_thresholds_are_those_of_the_checks(self):
        stated = [float(n) for n in re.findall(r"\| from ([\d.]+)[^|]* \| [\d.]+ \|", ONE.text)]
        titles = [check.title for check in ONE.source.checks if "skill of at least" in check.title]
        bounds = re.findall(r"rng\) >= ([\d.]+)|\[1\]\) >= ([\d.]+)", ONE.source.checks_source)
        assert stated == [float(title.split()[-1].rstrip(".")) for title in titles]
        assert stated == [float(a or b) for a, b in bounds] and len(stated) == 4

    def test_points_of_part_5_are_those_of_the_checks(self):
        stated = re.findall(r"\| from [\d.]+[^|]* \| ([\d.]+) \|", ONE.text)
        skills = [c.points for c in ONE.source.checks if "skill of at least" in c.title]
        assert [float(points) for points in stated] == skills

    def test_limits_are_those_of_the_configuration(self):
        limits = ONE.source.config.limits
        assert "together get two minutes and two gigabytes" in ONE.text
        assert limits.cell_s == 120 and limits.memory_mb == 2048 and ONE.source.config.torch

    def test_block_by_hand(self):
        rows = re.findall(r"(?m)^\| visit \d \| (-?\d.+) \|$", ONE.text.split("## Part 2.")[0])
        table = np.array([[int(cell) for cell in row.split("|")] for row in rows])
        visits = [np.array([1, 5]), np.array([0, 1, 3, 0]), np.array([6])]
        block, lengths = CHECKS.padded(visits)
        assert np.array_equal(table, np.column_stack([block, lengths]))

    def test_story_of_the_last_cells_holds(self):
        """Stairs by the network cost less; the network for the end fails in the middle."""
        space = ONE.space
        last = np.array([p[-1] for p in space["ask"](space["NEW"])])
        cost = {
            name: space["report"](p, space["NEW_ENDED"], 2, 6)["minutes"]
            for name, p in (("net", last), ("never", 0 * last), ("always", 0 * last + 1))
        }
        assert cost["net"] < 0.8 * min(cost["never"], cost["always"])
        each = np.repeat(space["NEW_ENDED"], [len(visit) for visit in space["NEW"]])
        wrong_question = space["mean_loss"](np.concatenate(space["ask"](space["NEW"])), each)
        early = space["mean_loss"](np.concatenate(space["ask_early"](space["NEW"])), each)
        assert early < space["mean_loss"](0.0 * each + each.mean(), each) < wrong_question


class TestReference:
    def test_is_far_from_every_threshold(self):
        student = ONE.stand()
        for seed in range(3):
            rng = np.random.default_rng(seed)
            assert CHECKS.skill_at_the_end(student, rng) > 0.8
            visits = CHECKS.new_visits(rng, 500)
            p = CHECKS.by_visit(student.ask_early(visits), visits)
            assert CHECKS.skill(p, CHECKS.exact(visits)[1]) > 0.66

    def test_held_back_cards_are_not_trained_on(self):
        held, cards = ONE.space["HELD_BACK"], ONE.space["CARDS"]
        assert not set(cards[held]) & set(cards[~held]) and len(ONE.space["FIT"]) == (~held).sum()

    def test_a_split_that_cannot_be_used_is_replaced(self):
        (cell,) = [cell for cell in ONE.source.cells if cell.id == "training"]
        code = cell.source.replace("= train(", "= (lambda *a: None)(")
        for split in (lambda *a: [1, 2], lambda *a: 1 / 0, lambda cards, *a: cards < 0):
            space = dict(ONE.space) | {"split": split}
            exec(code, space)
            assert np.array_equal(space["HELD_BACK"], space["CARDS"] % 5 == 0)


SIGMOID = "torch.sigmoid(network(clicks, lengths).double())"
STATES = "self.core(one_hot(clicks))"
MEAN = "states.mean(dim=(0, 1))"
CHOICE = "np.random.default_rng(seed).choice(different, size=number, replace=False)"
PRICES = "in_vain / (in_vain + waiting)"
BINS = "np.minimum((5 * p).astype(int), 4)"
GAP = "sum(abs(p[bins == b].sum() - ended[bins == b].sum()) for b in range(5)) / len(p)"
MEAN_OF_BINS = (
    "np.mean([abs(p[bins == b].mean() - ended[bins == b].mean()) for b in np.unique(bins)])"
)
AT_THE_DESK = "random_visits_at_the_desk"
ROUNDED = "round(share * len(different))"


class TestHints:
    @pytest.mark.parametrize(
        "question, answers, hint",
        [
            ("collate", ONE.bent("collate", "value=-1", "value=0"), "0 is the click start"),
            ("collate", ONE.bent("collate", "batch_first=True, ", ""), "batch first"),
            (
                "collate",
                ONE.bent(
                    "collate",
                    "    lengths =",
                    "    visits.sort(key=lambda v: -len(v))\n    lengths =",
                ),
                "sorted by length",
            ),
            (
                "collate",
                ONE.bent("collate", "len(visit) for", "int((visit != 0).sum()) for"),
                "start is a click too",
            ),
            ("split", ONE.wrong["visits_held_back"].answers, "not visits"),
            ("split", ONE.bent("split", CHOICE, "different[:number]"), "is the seed used"),
            ("reader", ONE.bent("reader", ", batch_first=True", ""), "batch_first=True"),
            ("reader", ONE.wrong["both_directions"].answers, "one direction only"),
            (
                "reader",
                ONE.bent("reader", "(states)", f"(states - {MEAN})"),
                "no mean over the steps",
            ),
            (
                "reader",
                {"reader": ONE.wrong["probabilities_for_logits"].answers["reader"]},
                "return logits",
            ),
            (
                "reader",
                ONE.bent(
                    "reader",
                    "states, _ = " + STATES,
                    "states, self.h = self.core(one_hot(clicks), "
                    "self.h[:, :1].repeat(1, len(clicks), 1) if hasattr(self, 'h') else None)",
                ),
                "no state of an earlier block",
            ),
            ("losses", ONE.wrong["end_of_the_block"].answers, "lengths - 1"),
            ("losses", ONE.wrong["padding_in_the_loss"].answers, "padding is counted"),
            ("reader", ONE.wrong["knows_the_length"].answers, "still to come"),
            ("reader", ONE.bent("reader", "[..., 0]", "[..., 0] * 0"), "start with zeros"),
            (
                "losses",
                ONE.bent(
                    "losses",
                    "loss(logits[real], answers[:, None].expand(N, T)[real])",
                    "sum(loss(row[:T], row[:T] * 0 + end) "
                    "for row, T, end in zip(logits, lengths, answers)) / N",
                ),
                "visits' means",
            ),
            (
                "losses",
                ONE.bent(
                    "losses", "    answers =", "    logits = torch.sigmoid(logits)\n    answers ="
                ),
                "sigmoid twice",
            ),
            ("losses", ONE.bent("losses", "ended.to", "(1 - ended).to"), "wrong way round"),
            (
                "losses",
                ONE.bent("losses", "answers)\n", "answers, reduction='sum')\n"),
                "the sum over",
            ),
            ("train", ONE.bent("predict", SIGMOID, SIGMOID[14:-1]), "These are logits"),
            ("train", ONE.bent("predict", SIGMOID, f"torch.sigmoid({SIGMOID})"), "taken twice"),
            (
                "train",
                ONE.bent("predict", SIGMOID, SIGMOID + ".mul(torch.rand(1).double())"),
                "network.eval()",
            ),
            (
                "train",
                ONE.bent(
                    "predict", "    clicks,", "    visits = sorted(visits, key=len)\n    clicks,"
                ),
                "in the order of the visits",
            ),
            ("train", ONE.bent("predict", SIGMOID, SIGMOID + ".mul(0.1)"), "keep its own ending"),
            (
                "report",
                ONE.bent("report", "in_vain / (", "waiting / ("),
                "climbing in vain by the sum",
            ),
            ("report", ONE.bent("report", PRICES, "0.5"), "equal prices"),
            ("report", ONE.bent("report", "p >= threshold", "p > threshold"), "0.25 is a climb"),
            ("report", ONE.bent("report", GAP, MEAN_OF_BINS), "number of visits"),
            (
                "report",
                {
                    "report": ONE.solutions["report"]
                    .replace("sum(abs(", "abs(sum((")
                    .replace(") for b in range(5)) /", ") for b in range(5))) /")
                },
                "without its sign",
            ),
        ],
    )
    def test_a_visible_check_names_the_mistake(self, question, answers, hint):
        assert hint in ONE.hint(solved_with(**answers), question)


class TestHiddenChecks:
    @pytest.mark.parametrize(
        "answers, name",
        [
            (ONE.bent("split", ROUNDED, f"int(np.ceil({ROUNDED[6:]})"), "so_many_cards"),
            (ONE.bent("report", BINS, "np.minimum((4 * p).astype(int), 3)"), AT_THE_DESK),
            (ONE.bent("report", BINS, "np.zeros(len(p), dtype=int)"), AT_THE_DESK),
            (ONE.bent("report", BINS, "np.digitize(p, np.arange(1, 5) / 5, True)"), AT_THE_DESK),
            (ONE.bent("report", BINS, "(5 * p).astype(int)"), "corners"),
            (ONE.bent("report", BINS, "np.minimum((p // 0.2).astype(int), 4)"), None),
            (ONE.bent("split", ROUNDED, f"int({ROUNDED[6:-1]} + 0.5)"), None),
        ],
    )
    def test_see_what_the_examples_cannot(self, answers, name):
        (question,) = answers
        checks = [c for c in ONE.source.checks if c.question == question and c.hidden]
        student = ONE.stand(solved_with(**answers))
        for seed in range(5):
            failed = {
                c.name
                for c in checks
                if run_check(c, student, None, np.random.default_rng(seed)).points < c.points
            }
            assert name in failed if name else not failed

    def test_endings_that_make_no_difference_are_found(self):
        class Student:
            def small_run(self, visits, ended, seed):
                return [np.full(len(visit), 0.4 + 0.01 * seed) for visit in visits]

        with pytest.raises(CheckFailed, match="Other endings"):
            CHECKS.one_seed_one_network.run(Student(), np.random.default_rng(0))

    def test_the_same_number_for_everybody_earns_nothing_in_part_5(self):
        class Student:
            def ask(self, visits):
                return [np.full(len(visit), 0.47) for visit in visits]

            def small_run(self, visits, ended, seed):
                return self.ask(visits)

            ask_early = ask

        for check in (check for check in ONE.source.checks if check.question == "train"):
            with pytest.raises(CheckFailed):
                check.run(Student(), *([np.random.default_rng(0)] * check.hidden))

    def test_a_second_training_that_fails_leaves_the_first(self):
        space = dict(ONE.space)

        def train(visits, ended, every, seed):
            return 1 / (1 - every)

        (cell,) = [cell for cell in ONE.source.cells if cell.id == "training"]
        del space["ask"], space["ask_early"]
        names = space | {"train": train}
        with pytest.raises(ZeroDivisionError):
            exec(cell.source, names)
        assert names["over"] == 1 and names["early"] is None and "ask" in names


class TestNoLabels:
    def test_checks_of_skill_send_clicks_and_nothing_else(self):
        sent = []

        class Spy:
            def ask(self, *args):
                sent.append(args)
                raise CheckFailed("seen enough")

            ask_early = ask

        checks = [check for check in ONE.source.checks if check.name.startswith("skill_")]
        for check in checks:
            with pytest.raises(CheckFailed, match="seen enough"):
                check.run(Spy(), np.random.default_rng(0))
        assert len(sent) == len(checks) == 4
        for (visits,) in sent:
            assert type(visits) is list and len(visits) == 500
            assert all(visit.dtype == int and visit.ndim == 1 for visit in visits)

    def test_no_check_compares_with_what_the_notebook_says(self):
        """Else a cell of the student's could say what is right."""
        assert not re.search(r"student\.\w+\.value", ONE.source.checks_source)
        assert "solution" not in ONE.source.checks_source

    def test_the_release_has_the_log_and_not_the_library(self, tmp_path):
        made = bundle.build(ONE.source, tmp_path)
        files = sorted(
            p.relative_to(tmp_path / "release").as_posix()
            for p in (tmp_path / "release").rglob("*")
            if p.is_file()
        )
        assert files == ["04_sequence_classification.ipynb", "data/visits.npz"]
        text = (tmp_path / "release" / files[0]).read_text(encoding="utf-8")
        for name in ("library.json", "strolling", "dreaming", "0.62", "new_visits"):
            assert name not in text
        assert [p.name for p in made.data_dir.iterdir()] == ["visits.npz"]

    def test_who_searches_the_sandbox_finds_no_more_than_the_base_rate(
        self, tmp_path, sandbox_kind
    ):
        made = bundle.build(ONE.source, tmp_path)
        notebook = tmp_path / "release" / f"{ONE.name}.ipynb"
        hostile = selftest.answered(
            notebook.read_text(encoding="utf-8"),
            {"predict": SEARCH, "train": "def train(visits, ended, every, seed):\n    return 1"},
        )
        result = grader.grade(hostile, made, sandbox_kind, b"secret" * 6)
        assert result["infrastructure"] is None
        passed = {c["name"] for q in result["questions"] for c in q["checks"] if c["points"]}
        assert passed == set()
        (cell,) = [cell for cell in result["cells"] if cell["id"] == "predict"]
        assert json.loads(cell["outputs"][0][1]) == []


# Looks for the library, the checks and anything as long as the visits that might be their ends.
SEARCH = """
import gc, json, os, sys

def predict(network, visits):
    for thing in gc.get_objects():
        if type(thing) in (list, tuple) and len(thing) == len(visits) and len(visits) > 100:
            if all(type(entry) in (bool, int, float) for entry in thing):
                return [np.full(len(visit), float(end)) for visit, end in zip(visits, thing)]
    return [np.full(len(visit), 0.47) for visit in visits]

wanted = {"library.json", "checks.py", "solution.py", "manifest.json", "another_visits.py"}
found = []
for root in ("/home", "/root", "/tmp", "/work", os.getcwd(), os.path.expanduser("~")):
    for folder, _, names in os.walk(root):
        found += [os.path.join(folder, name) for name in wanted & set(names)
                  if "site-packages" not in folder]
print(json.dumps(found))
"""
