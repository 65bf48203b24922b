"""Assignment 2: its river and its numbers are right, its checks find the mistakes by name."""

import re

import numpy as np
import pytest

from course_lib import gradients, rnn
from course_lib.grading.checks import run_check
from tests.grading_case import case, printed_in_jupyter

ONE = case("02_recurrent_cell")
N, T, D, H = 4, 9, 2, 5
LENGTHS = np.array([9, 1, 4, 7])


@pytest.fixture(scope="module")
def right():
    return ONE.space


@pytest.fixture(scope="module")
def drawn():
    """A padded batch, a start, weights and a readout."""
    rng = np.random.default_rng(7)
    x, rises = rng.normal(size=(N, T, D)), rng.normal(size=(N, T))
    for n, days in enumerate(LENGTHS):
        x[n, days:], rises[n, days:] = np.nan, np.nan
    params = rnn.RNNParams(
        rng.normal(size=(D, H)), 0.5 * rng.normal(size=(H, H)), rng.normal(size=H)
    )
    return x, rises, 0.5 * rng.normal(size=(N, H)), params, rng.normal(size=H)


def states_of(right, drawn):
    x, _, h0, params, _ = drawn
    return right["states"](x, LENGTHS, h0, params.W_xh, params.W_hh, params.b_h)


def solved_with(answers):
    """The names of the solved notebook with some answers replaced, and nothing trained anew."""
    space = dict(ONE.space)
    for code in answers.values():
        exec(code, space)
    exec(next(c.source for c in ONE.source.cells if c.id == "hill"), space)
    return space


class TestReferenceAgainstTheLibrary:
    def test_states(self, right, drawn):
        x, _, h0, params, _ = drawn
        trace = rnn.rnn_forward(np.nan_to_num(x), params, h0=h0, lengths=LENGTHS)
        assert np.allclose(states_of(right, drawn), trace.h, rtol=1e-13, atol=0)

    def test_backward_with_errors_in_the_padding(self, right, drawn, rng):
        x, _, h0, params, _ = drawn
        dh = rng.normal(size=(N, T, H))
        trace = rnn.rnn_forward(np.nan_to_num(x), params, h0=h0, lengths=LENGTHS)
        want = rnn.rnn_backward(dh, trace, params)
        got = right["backward"](dh, x, trace.h, LENGTHS, params.W_xh, params.W_hh)
        for name in ("W_xh", "W_hh", "b_h"):
            assert np.allclose(got[name], getattr(want.params, name), rtol=1e-11, atol=1e-13)
        assert np.allclose(got["h0"], want.h0, rtol=1e-11, atol=1e-13)

    def test_reach(self, right, drawn):
        x, _, h0, params, _ = drawn
        trace = rnn.rnn_forward(x[:1], params, h0=h0[:1])  # the record without padding
        got = right["reach"](trace.h[0], params.W_hh)
        assert np.allclose(got, gradients.flow_norms(trace, params), rtol=1e-11)

    def test_update_clips_as_the_library_does(self, right, rng):
        weights = {"a": rng.normal(size=(2, 3)), "b": rng.normal(size=4)}
        grads = {name: rng.normal(size=array.shape) for name, array in weights.items()}
        clipped, before = gradients.clip_by_norm(tuple(grads.values()), 0.7)
        moved, norm = right["update"](weights, grads, 0.7, 0.3)
        assert norm == pytest.approx(before)
        for (name, array), short in zip(moved.items(), clipped, strict=True):
            assert np.allclose(array, weights[name] - 0.3 * short, rtol=1e-13)


class TestReferenceAgainstSlowWays:
    def test_score_is_the_mean_over_a_list_of_days(self, right, drawn):
        _, rises, _, _, w_hy = drawn
        h = states_of(right, drawn)
        days = [(n, t) for n in range(N) for t in range(LENGTHS[n])]

        def loss_of(h, w_hy):
            return np.mean([(h[n, t + 1] @ w_hy - rises[n, t]) ** 2 for n, t in days]) / 2

        loss, dh, dw_hy = right["score"](h, rises, LENGTHS, w_hy)
        assert loss == pytest.approx(loss_of(h, w_hy), rel=1e-12)
        slow = gradients.finite_difference(lambda v: loss_of(h, v), w_hy)
        assert np.allclose(dw_hy, slow, rtol=1e-6)
        slow = gradients.finite_difference(lambda v: loss_of(v, w_hy), h)[:, 1:]
        assert np.allclose(dh, slow, atol=1e-8, rtol=0)

    @pytest.mark.parametrize("k", [1, 4, 9, 20])
    def test_pieces_are_runs_of_their_own_from_the_state_carried_there(self, right, drawn, rng, k):
        x, _, h0, params, _ = drawn
        x, dh = np.nan_to_num(x), rng.normal(size=(N, T, H))
        got = right["in_pieces"](
            dh, x, rnn.rnn_forward(x, params, h0=h0).h, params.W_xh, params.W_hh, k
        )
        total, start_of_all, state = np.zeros((H, H)), None, h0
        for start in range(0, T, k):
            trace = rnn.rnn_forward(x[:, start : start + k], params, h0=state)
            grads = rnn.rnn_backward(dh[:, start : start + k], trace, params)
            total, state = total + grads.params.W_hh, trace.h_final
            start_of_all = grads.h0 if start_of_all is None else start_of_all
        assert np.allclose(got["W_hh"], total, rtol=1e-11)
        assert np.allclose(got["h0"], start_of_all, rtol=1e-11)

    def test_check_gradient_finds_a_missing_transposition_and_no_fault_in_the_right_one(self):
        for answers, fault in (({}, False), (ONE.wrong["not_transposed"].answers, True)):
            space = ONE.run(answers)
            x, rises, lengths, given, w_hy = space["small_case"]()
            h = space["states"](x, lengths, **given)
            _, dh, _ = space["score"](h, rises, lengths, w_hy)
            grads = space["backward"](dh, x, h, lengths, given["W_xh"], given["W_hh"])

            def loss(W, space=space, x=x, rises=rises, lengths=lengths, given=given, w_hy=w_hy):
                h = space["states"](x, lengths, **(given | {"W_hh": W}))
                return space["score"](h, rises, lengths, w_hy)[0]

            _, error = space["check_gradient"](loss, given["W_hh"], grads["W_hh"])
            assert (error > 1e-2) == fault and (error < 1e-6) == (not fault)


class TestPencil:
    """The numbers that the text does by hand, computed."""

    def test_states_of_the_table(self, right):
        x, h0 = np.array([[[0.2], [0.1]], [[0.15], [np.nan]]]), np.array([[0.4], [0.2]])
        weights = np.array([[2.0]]), np.array([[0.5]]), np.array([0.1])
        h = right["states"](x, np.array([2, 1]), h0, *weights)[:, :, 0]
        rows = re.findall(r"(?m)^\| \*\*(?:first|second) record\*\* \|(.+)\|$", ONE.text)
        said = [[float(cell) for cell in row.split("|")] for row in rows]
        assert np.allclose(h, said, atol=5e-5, rtol=0)


class TestRiver:
    def test_rain_and_soil_decide_together(self, right):
        x, rises, _ = right["keep_records"](3, 300, 24, 24)
        runs_off = (rises + 0.5 * (x[:, :, 1] - 1))[:, 5:]
        hard = x[:, 5:, 0] > 1.2
        before = sum(x[:, day : day + 19, 0] for day in range(5))  # rain of the last five days
        assert (runs_off / 1.5)[hard & (before == 0)].mean() < 0.1
        assert (runs_off / 1.5)[hard & (before > 3)].mean() > 0.7

    def test_floor_is_what_chance_alone_costs(self, right):
        x, rises, lengths = right["keep_records"](11, 400, 20, 24)
        errors = []
        for n, days in enumerate(lengths):
            errors += best_errors(x[n, :days], rises[n, :days])
        assert np.mean(np.square(errors)) / 2 == pytest.approx(right["FLOOR"], rel=0.06)

    def test_a_straight_line_without_memory_has_the_stated_skill(self, right):
        x, rises, _ = right["keep_records"](4, 400, 24, 24)
        inputs = np.column_stack([x.reshape(-1, 2), np.ones(rises.size)])
        line = inputs @ np.linalg.lstsq(inputs, rises.ravel(), rcond=None)[0]
        assert skill(right, line, rises.ravel()) == pytest.approx(0.6, abs=0.05)

    def test_the_network_learns_what_the_text_promises(self, right):
        x, rises, lengths = right["keep_records"](right["SEED"] + 1, 100, 24, 24)
        _, _, h = right["river_loss"](right["trained"], x, rises, lengths)
        forecast = h[:, 1:] @ right["trained"]["w_hy"]
        assert skill(right, forecast, rises) == pytest.approx(0.8, abs=0.07)

    def test_emil_is_right_that_his_forecasts_are_good(self, right):
        for name in ("not_transposed", "clipped_by_value"):
            emil = ONE.run(ONE.wrong[name].answers)["trained"]
            x, rises, lengths = right["keep_records"](right["SEED"] + 1, 100, 24, 24)
            _, _, h = right["river_loss"](emil, x, rises, lengths)
            assert skill(right, h[:, 1:] @ emil["w_hy"], rises) > 0.7

    def test_without_clipping_the_cell_of_the_curious_runs_to_its_end(self, right):
        with np.errstate(all="ignore"):
            _, losses, _ = right["train_river"](1e6)
        assert len(losses) == len(right["curve"]) and not losses[-1] < 100 * right["NAIVE"]

    def test_padding_is_nan_and_nothing_else_is(self, right):
        read = np.arange(24) < right["RIVER_LENGTHS"][:, None]
        assert np.array_equal(np.isnan(right["RIVER_RISES"]), ~read)
        assert np.array_equal(np.isnan(right["RIVER_X"]).any(axis=2), ~read)
        assert len(set(right["RIVER_LENGTHS"])) > 5


def skill(right, forecast, rises):
    naive, loss = (rises**2).mean() / 2, ((forecast - rises) ** 2).mean() / 2
    return (naive - loss) / (naive - right["FLOOR"])


def best_errors(x, rises):
    """Errors of one who knows the law of the soil, and finds its start from the later days."""
    starts = np.linspace(0.5, 2.0, 151)
    soil, errors = starts.copy(), []
    for (rain, level), rise in zip(x, rises, strict=True):
        runs_off = rain / (1 + np.exp(-6 * (soil - 2)))
        errors.append(rise - runs_off + 0.5 * (level - 1))
        soil = 0.9 * (soil + rain - runs_off)
    errors = np.array(errors)
    return errors[:, (errors**2).sum(axis=0).argmin()].tolist()


class TestChecks:
    @pytest.mark.parametrize(
        "name, question, hint",
        [
            ("nothing_carried", "states", "not h0 again"),
            ("columns_to_rows", "states", "unit 0 tells unit 1"),
            ("padding_read", "states", "the padding was read"),
            ("one_array_for_all_states", "states", "one and the same array"),
            ("mean_of_means", "score", "each record has the same weight"),
            ("padding_to_blame", "score", "dh of the padding is nan"),
            ("state_after", "backward", "one slot earlier"),
            ("tanh_twice", "backward", "has been through tanh already"),
            ("last_error_only", "backward", "the loss speaks on every day"),
            ("message_lost_in_padding", "backward", "belongs to the carried state"),
            ("one_way_nudge", "nudge", "both ways"),
            ("entry_not_put_back", "nudge", "Put the first entry back"),
            ("clipped_by_value", "update", "one norm and one factor"),
            ("clipped_too_late", "update", "clip before the step"),
            ("nothing_cut", "pieces", "cut it there"),
            ("jacobian_transposed", "reach", "from row to column"),
            ("all_squares", "reach", "ord 2"),
        ],
    )
    def test_a_visible_check_names_the_mistake(self, name, question, hint):
        assert hint in self.said(ONE.wrong[name].answers, question)

    @pytest.mark.parametrize(
        "question, old, new, hint",
        [
            ("states", "h[:, 0] = h0", "h[:, 0] = 0.0", "Slot 0 should hold h0"),
            ("score", "days = counts.sum()", "days = counts.size", "three of the four"),
            ("score", "h[:, 1:] @ w_hy - rises", "rises - h[:, 1:] @ w_hy", "forecast minus"),
            ("backward", "np.where(running, x[:, t], 0.0)", "x[:, t]", "0 * nan is nan"),
            ("states", "+ b_h), h[:, t]", "+ b_h), 0.0", "the state stays, not 0"),
            ("score", "/ (2 * days)", "/ days", "half of this"),
            ("score", "* w_hy / days", "* w_hy / (2 * days)", "half of what it should be"),
            ("score", "* w_hy / days", "* w_hy**2 / days", "times w_hy once"),
            ("states", "return h", "return 0 * h", "Slot 0 should hold h0"),
            ("states", "(t < lengths)", "(t < 9 * lengths)", "it is nan"),
            (
                "states",
                "    N, T,",
                "    x, lengths = np.nan_to_num(x), 9 * lengths\n    N, T,",
                "after its",
            ),
            ("score", "* w_hy / days", "* w_hy", "dh belongs to the mean"),
            ("backward", "dh[:, t] + later", "dh[:, t]", "belongs to the carried state"),
            ("backward", "db_h += da.sum(axis=0)", "db_h += da.mean(axis=0)", "a mean already"),
            ("nudge", "/ (2 * nudge)", "/ nudge", "two nudges apart"),
            ("nudge", "wrong / size", "wrong", "The error is relative"),
            ("nudge", "wrong / size", "wrong**2 / size**2", "root of the sum of squares"),
            ("nudge", "/ size", "/ np.linalg.norm(dW)", "not of the claim"),
            ("nudge", "nudge = 1e-6 if nudge is None else nudge", "nudge = 1e-6", "that is given"),
            ("nudge", "    wrong,", "    W *= 0\n    wrong,", "as you found it"),
            ("nudge", "[index] +=", "[...] +=", "Move one entry at a time"),
            ("update", "- rate", "+ rate", "minus, not plus"),
            ("update", "return moved, norm", "return moved, norm * factor", "before clipping"),
            ("update", "/ norm if", "/ (norm + 1e-6) if", "add nothing to it"),
            (
                "update",
                "max_norm / norm if norm",
                "max_norm / norm / rate if rate * norm",
                "Clip the",
            ),
            ("update", "max_norm / norm if", "max_norm / norm**2 if", "the root of 25"),
            ("pieces", "reversed(range(0, x.shape[1], k))", "range(0, x.shape[1], k)", "first pie"),
            ("pieces", "reversed(range(0, x.shape[1], k))", "[x.shape[1] - k]", "Only the last"),
            ("reach", "[:, None] * W_hh.T", " * W_hh.T", "slope is that of the row's unit"),
            ("reach", "np.linalg.norm(product, 2)", "abs(np.linalg.eigvals(product)).max()", "rad"),
            ("reach", "1 - h[t + 1] ** 2", "1 - h[t] ** 2", "the state after the step"),
            ("reach", "return norms", "return norms[::-1].copy()", "Slot 0 is the oldest"),
        ],
    )
    def test_it_names_smaller_slips_as_well(self, question, old, new, hint):
        answers = ONE.bent(question, old, new)
        if "[...]" in new:
            answers[question] = answers[question].replace("down[index] -=", "down[...] -=")
        assert hint in self.said(answers, question)

    def said(self, answers, question):
        """What the visible checks say."""
        with np.errstate(all="ignore"):
            return ONE.hint(solved_with(answers), question)

    @pytest.mark.parametrize(
        "question, old, new, loses, check",
        [
            ("update", "if norm > max_norm", "if norm > 0", 0.25, "long_and_short"),
            ("update", "else 1.0", "else np.inf", 0.75, "long_and_short, still_river"),
            ("nudge", "wrong == 0 or size == 0", "False", 0.1875, "own_nudge"),
            ("nudge", "0.0 if wrong == 0 else np.inf", "0.0", 0.1875, "own_nudge"),
            ("nudge", "/ size", "/ max(size, np.linalg.norm(dW))", 0.675, "matrix, own"),
            ("nudge", "= 1e-6 if", "= 0.1 if", 0.375, "own_nudge"),
            ("nudge", "wrong / size", "0.0", 1.175, "matrix_on_a_hill, own_nudge, two_entries"),
            ("nudge", "    wrong,", "    W *= 0\n    wrong,", 0.65, "matrix, two_entries"),
            ("pieces", "x.shape[1], k", "x.shape[1] - k + 1, k", 0.75, "odd_pieces"),
            ("score", "/ days\n    return", "\n    return", 1.2, "first, rag, ran, three_days"),
            ("reach", "np.linalg.norm(product, 2)", "abs(product).max()", 2, "long, random, two"),
        ],
    )
    def test_what_a_slip_costs(self, question, old, new, loses, check):
        losses, failed = ONE.lost(solved_with(ONE.bent(question, old, new)), 0)
        steps = {"update": 1} if question == "score" else {}  # thirty steps need it
        assert losses == pytest.approx({question: loses} | steps)
        wanted = check.split(", ")
        assert all(n.startswith(w) for n, w in zip(sorted(failed), wanted, strict=True))

    def test_a_whole_zero_is_a_zero(self):
        assert ONE.lost(solved_with(ONE.bent("nudge", "0.0 if", "0 if")), 0) == ({}, set())

    def test_a_network_trained_elsewhere_earns_nothing(self):
        kept = {name: ONE.space[name] for name in ("curve", "norms", "trained")}
        student = ONE.stand(ONE.run({"update": "def update(*args):\n    pass"}) | kept)
        (check,) = (c for c in ONE.source.checks if c.name == "first_thirty_steps")
        assert run_check(check, student, ONE.reference, np.random.default_rng(0)).points == 0

    def test_locked_cells_use_few_names_up(self):
        """Or they would take a student's helper function of that name away."""
        taken = {"step", "norm", "loss", "forecast", "grads", "weights", "cut", "row", "back", "k"}
        assert not taken & set(ONE.space)


def test_the_written_part_hangs_on_no_number_of_this_year():
    answer = next(cell.source for cell in ONE.source.cells if cell.role == "written")
    rubric = " ".join(line.text for q in ONE.source.questions for line in q.rubric)
    assert not re.search(r"\d\.\d", answer + rubric) and "my number" in answer


class TestReleasedNotebook:
    """As a student runs it: with the check cells that the release wrote, in an IPython shell."""

    def test_solved(self, capsys):
        said = printed_in_jupyter(ONE.released, ONE.solutions, capsys)
        verdicts = "".join(text for name, text in said.items() if name.startswith("check-"))
        assert verdicts.count("✓") == len(ONE.solutions) and "✗" not in verdicts
        errors = re.findall(r"(\w+) +relative error (\S+)", said["judge"])
        assert len(errors) == 4 and max(float(error) for _, error in errors) < 1e-6
        assert len(re.findall("cosine", said["cuts"])) == 12 and "skill 0." in said["flood"]

    def test_blank(self, capsys):
        said = printed_in_jupyter(ONE.released, {}, capsys)
        verdicts = "".join(text for name, text in said.items() if name.startswith("check-"))
        assert verdicts.count("not answered yet") == len(ONE.solutions) and "✓" not in verdicts
        for name in ("judge", "training", "cuts", "arrives"):
            assert said[name].startswith("Wait until parts 1")

    def test_without_part_5_no_table_calls_a_network_trained(self, capsys):
        answers = {name: code for name, code in ONE.solutions.items() if name != "update"}
        said = printed_in_jupyter(ONE.released, answers, capsys)
        for name in ("cuts", "arrives"):
            assert "untrained" in said[name] and not re.search(r"(?m)^trained", said[name])

    def test_no_name_of_a_hidden_check_is_in_it(self):
        text = ONE.released.read_text(encoding="utf-8")
        for name in ("first_thirty_steps", "asked_at_the_end", "odd_pieces", "own_nudge"):
            assert name not in text
