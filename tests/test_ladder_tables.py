"""Tables, figures and words of the ladder's page, on results that were invented for it."""

import random

import numpy as np
import pytest

from course_lib import plotting
from course_lib.ladder import tables
from course_lib.ladder.results import Cell, skill

NBSP = "\u00a0"  # no new line inside the brackets


def cell(task, model, seed, score, **changed):
    known = {
        "adding": (1 / 6, 0.0, "mse"),
        "filtering": (0.67, 0.78, "accuracy"),
    }
    chance, ceiling, measure = known.get(task, (0.5, 1.0, "accuracy"))
    values = {
        "parameters": 1234,
        "seconds": 3.14,
        "updates": 100 + seed,
        "solved": skill(score, chance, ceiling) >= 0.95,
        "settings": "0123",
        "versions": "python 3.11",
    }
    return Cell(task, model, seed, score, chance, ceiling, measure, **values | changed)


CELLS = [
    *(cell("memory-20", "gru", seed, 0.99) for seed in (0, 1, 2)),
    *(cell("memory-20", "markov", seed, 0.5, parameters=20) for seed in (0, 1, 2)),
    *(cell("memory-5", "gru", seed, 1.0) for seed in (0, 1, 2)),
    *(cell("memory-100", "gru", seed, score) for seed, score in enumerate((0.5, 0.6, 1.0))),
    cell("adding", "gru", 1, 0.001, seconds=61.7),
    cell("adding", "gru", 0, 0.0024, seconds=62.4),
    *(cell("filtering", "another", seed, 0.75 + 0.01 * seed) for seed in (0, 1, 2)),
]


class TestByTask:
    def test_groups_keep_the_order_of_the_file_and_sort_the_seeds(self):
        groups = tables.by_task(CELLS)
        assert list(groups) == ["memory-20", "memory-5", "memory-100", "adding", "filtering"]
        assert list(groups["memory-20"]) == ["gru", "markov"]
        assert [c.seed for c in groups["adding"]["gru"]] == [0, 1]
        assert sum(len(seeds) for of in groups.values() for seeds in of.values()) == len(CELLS)

    def test_models_come_in_one_order_everywhere(self):
        late = [*CELLS, cell("memory-5", "markov", 0, 0.5), cell("filtering", "gru", 0, 0.7)]
        groups = tables.by_task(late)
        assert list(groups["memory-5"]) == ["gru", "markov"]
        assert list(groups["filtering"]) == ["gru", "another"]

    def test_nothing_measured(self):
        assert tables.by_task([]) == {} and tables.score_rows([]) == []
        assert tables.missing([]) == [] and tables.cost_rows([]) == []


class TestMissing:
    def test_names_what_others_of_its_kind_have(self):
        absent = tables.missing(CELLS)
        assert ("adding", "gru", 2) in absent and ("adding", "gru", 0) not in absent
        assert len(absent) == 5 * 3 * 3 - len(CELLS)

    def test_a_full_square_misses_nothing(self):
        full = [
            cell(t, m, s, 0.7) for t in ("copy", "parity") for m in ("rnn", "gru") for s in (0, 1)
        ]
        assert tables.missing(full) == []


class TestWords:
    @pytest.mark.parametrize(
        "scores, text",
        [
            ((0.5, 0.6, 1.0), f"0.700 (0.500{NBSP}to{NBSP}1.000)"),
            ((0.91, 0.91), "0.910"),
            ((), "–"),
        ],
    )
    def test_spread_is_mean_lowest_and_highest(self, scores, text):
        assert tables.spread([cell("copy", "gru", k, s) for k, s in enumerate(scores)]) == text

    def test_squared_errors_have_four_decimals(self):
        assert (
            tables.spread(tables.by_task(CELLS)["adding"]["gru"])
            == f"0.0017 (0.0010{NBSP}to{NBSP}0.0024)"
        )

    def test_solved_counts_seeds(self):
        assert tables.solved(tables.by_task(CELLS)["memory-100"]["gru"]) == "1 of 3"

    @pytest.mark.parametrize("seconds, text", [(0.043, "0.04"), (3.14, "3.1"), (61.7, "62")])
    def test_seconds_have_two_figures(self, seconds, text):
        assert tables.mean_seconds([cell("copy", "gru", 0, 0.5, seconds=seconds)]) == text

    @pytest.mark.parametrize(
        "task, name",
        [("memory-200", "memory, lag 200"), ("filtering", "HMM filtering"), ("new", "new")],
    )
    def test_names_of_tasks(self, task, name):
        assert tables.task_name(task) == name

    def test_a_model_without_a_name_keeps_its_own(self):
        assert [tables.model_name(m) for m in ("gru", "brand-new")] == ["GRU", "brand-new"]


class TestRows:
    def test_scores_stand_beside_chance_and_ceiling(self):
        rows = {row["task"]: row for row in tables.score_rows(CELLS)}
        assert rows["adding, squared error"] == {
            "task": "adding, squared error",
            "chance": "0.1667",
            "ceiling": "0.0000",
            "GRU": f"0.0017 (0.0010{NBSP}to{NBSP}0.0024)",
            "Markov": "–",
            "another": "–",
        }
        assert rows["memory, lag 20"]["Markov"] == "0.500"
        assert len({tuple(row) for row in rows.values()}) == 1  # the same columns in every row

    def test_one_task(self):
        gru, markov = tables.task_rows(CELLS, "memory-20")
        assert gru == {
            "model": "GRU",
            "score": "0.990",
            "skill": "0.98",
            "solved": "3 of 3",
            "parameters": "1,234",
            "updates": "101",
            "CPU seconds": "3.1",
        }
        assert (markov["model"], markov["skill"], markov["solved"]) == ("Markov", "0.00", "0 of 3")
        assert tables.task_rows(CELLS, "not there") == []

    def test_costs(self):
        gru, markov, another = tables.cost_rows(CELLS)
        assert (gru["model"], gru["parameters"], gru["adding"]) == ("GRU", "1,234", "62")
        assert (markov["parameters"], markov["adding"]) == ("20", "–")
        assert another["HMM filtering"] == "3.1"

    def test_parameters_that_depend_on_the_task(self):
        cells = [cell("copy", "gru", 0, 0.5, parameters=5000), cell("parity", "gru", 0, 0.5)]
        assert tables.cost_rows(cells)[0]["parameters"] == "1,234 to 5,000"


class TestFigures:
    def test_skill_of_an_error_is_1_where_there_is_none(self):
        values = tables.skills(CELLS)["adding"]["GRU"]
        np.testing.assert_allclose(values, [1 - 6 * 0.0024, 1 - 6 * 0.001], atol=1e-12)

    def test_memory_has_its_own_figure(self):
        assert list(tables.skills(CELLS)) == ["adding", "HMM filtering"]
        assert len(tables.skills(CELLS, memory=True)) == 5

    def test_reach_is_sorted_by_lag_whatever_the_order_of_the_lines(self):
        shuffled = random.Random(5).sample(CELLS, len(CELLS))
        lags, skill_by_lag = tables.reach(shuffled)
        assert lags == [5, 20, 100]
        np.testing.assert_allclose(
            skill_by_lag["GRU"], [[1, 1, 1], [0.98, 0.98, 0.98], [0, 0.2, 1]], atol=1e-12
        )
        assert np.isnan(skill_by_lag["Markov"]).tolist() == [[True] * 3, [False] * 3, [True] * 3]

    @pytest.mark.parametrize("model, lag", [("gru", 20), ("markov", 0), ("unheard-of", 0)])
    def test_furthest_lag_that_all_seeds_solved(self, model, lag):
        assert tables.furthest(CELLS, model) == lag

    def test_a_longer_lag_does_not_count_after_one_that_failed(self):
        cells = [cell("memory-5", "rnn", 0, 0.5), cell("memory-20", "rnn", 0, 1.0)]
        assert tables.furthest(cells, "rnn") == 0

    def test_both_figures_can_be_drawn_with_models_that_nobody_has_heard_of(self):
        more = [*CELLS, *(cell("memory-5", f"model {k}", 0, 0.9) for k in range(6))]
        ladder = plotting.plot_ladder(tables.skills(more), tables.FAMILIES)
        reach = plotting.plot_reach(*tables.reach(more), tables.FAMILIES)
        for fig, words in (
            (ladder, tables.describe_skills(more)),
            (reach, tables.describe_reach(more)),
        ):
            assert "nan" not in plotting.to_svg(fig, alt=words)

    def test_nothing_is_minus_zero(self):
        cells = [cell("memory-5", "gru", 0, 0.4999), cell("copy", "gru", 0, 0.4999)]
        texts = (tables.describe_skills(cells), tables.describe_reach(cells))
        assert all("GRU 0.00" in text for text in texts)
        assert tables.task_rows(cells, "copy")[0]["skill"] == "0.00"

    def test_words_for_those_who_cannot_see(self):
        assert "HMM filtering: another 0.82" in tables.describe_skills(CELLS)
        words = tables.describe_reach(CELLS)
        assert "lags 5, 20, 100" in words
        assert "GRU 1.00, 0.98, 0.20" in words and "Markov –, 0.00, –" in words
