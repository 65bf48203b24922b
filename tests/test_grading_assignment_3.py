"""Assignment 3: its numbers are right, its reference is the book's, its box counts axles."""

import itertools
import re
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from course_lib import gru, lstm, torch_bridge
from tests.grading_case import case

pytest_plugins = "tests.grading_support"
ONE = case("03_lstm_gru")


@pytest.fixture(scope="module")
def right():
    return ONE.space


def row(label):
    """The numbers of a row of a table in the text."""
    (cells,) = re.findall(rf"(?m)^\| {re.escape(label)} \|(.+)\|$", ONE.text)
    return [float(cell) for cell in cells.split("|")]


def said(pattern):
    """The one number that stands in the text where the pattern has its brackets."""
    (number,) = re.findall(pattern, ONE.text)
    return float(number.replace("−", "-"))


def weights(letters):
    """The columns of a table by hand: input weights, hidden weights, biases; sums are left out."""
    rows = []
    for letter in letters:
        (cells,) = re.findall(rf"(?m)^\| \${letter}\$ \|(.+)\|$", ONE.text)
        cells = [c.strip().replace("−", "-") for c in cells.split("|")]
        rows.append([float(c) for c in cells if re.fullmatch(r"-?[\d.]+", c)])
    return [np.array(column) for column in zip(*rows, strict=True)]


def tape_of(module):
    """What Halm & Daughters would punch for a PyTorch layer of one direction."""
    return torch.nn.utils.parameters_to_vector(module.parameters()).detach().numpy()


class TestNumbersOfTheText:
    W_x, W_h, b = weights("ifgo")
    UNIT = W_x[None], W_h[None], b
    X, H0, C0 = np.array([[[1.0], [0.0]]]), np.array([[0.5]]), np.array([[0.8]])

    def test_unit_that_runs_two_steps(self, right):
        h, c = right["lstm_forward"](self.X, self.H0, self.C0, *self.UNIT)
        assert said(r"\$h_1\$ = ([\d.]+)\)") == round(h[0, 1, 0], 4)
        assert said(r"\$c_2\$ = ([\d.]+)") == round(c[0, 2, 0], 4)
        assert said(r"\$h_2\$ = ([\d.]+\d)") == round(h[0, 2, 0], 4)
        assert said(r"\\tanh\(c_1\)\$ = ([\d.]+)") == round(np.tanh(c[0, 1, 0]), 4)
        a = h[0, 1] @ self.UNIT[1] + self.b  # the second input is 0
        gates = [*right["sigmoid"](a[:2]), np.tanh(a[2]), right["sigmoid"](a[3])]
        (line,) = [line for line in ONE.text.split("\n") if line.startswith("In the second step")]
        numbers = dict(re.findall(r"\$(\w)\$ = ([-−\d.]+\d)", line))
        for letter, gate in zip("ifgo", gates, strict=True):
            assert float(numbers[letter].replace("−", "-")) == round(gate, 4)

    def test_gradients_of_both_steps(self, right):
        h, c = right["lstm_forward"](self.X, self.H0, self.C0, *self.UNIT)
        dh = np.array([[[0.0], [1.0]]])
        dW_xa, dW_ha, db_a, dh0, dc0 = right["lstm_backward"](dh, self.X, h, c, *self.UNIT)
        for label, found in (("`db_a`", db_a), ("`dW_xa`", dW_xa[0]), ("`dW_ha`", dW_ha[0])):
            assert row(label) == found.round(4).tolist()
        assert said(r"together with `dh0` = ([\d.]+)") == round(dh0.item(), 4)
        assert said(r"and `dc0` = ([\d.]+)\.\n") == round(dc0.item(), 4)

    def test_checks_look_at_the_units_of_the_text(self, right):
        """The constants of checks.py, digit by digit, are what the reference makes of the text."""
        checks = {}
        exec(compile(ONE.source.checks_source, "checks.py", "exec"), checks)
        for mine, theirs in zip(self.UNIT, checks["UNIT"], strict=True):
            assert np.array_equal(mine, theirs)
        h, c = right["lstm_forward"](self.X, self.H0, self.C0, *self.UNIT)
        assert np.allclose(h, checks["UNIT_H"], rtol=1e-13)
        assert np.allclose(c, checks["UNIT_C"], rtol=1e-13)
        W_x, W_h, b_x, b_h = weights("rzn")
        for mine, theirs in zip((W_x[None], W_h[None], b_x, b_h), checks["OLD_BOX"], strict=True):
            assert np.array_equal(mine, theirs)
        for names, state in checks["CONVENTIONS"].items():
            got = right["gru_step"](*map(np.array, ([[1.0]], [[0.5]])), *checks["OLD_BOX"], *names)
            assert np.isclose(got.item(), state, rtol=1e-14)

    def test_what_a_forget_bias_of_ten_means(self, right):
        assert 4 * 3600 < right["half_life"](10) < 5 * 3600  # more than four hours
        moves = np.zeros((1, 1400, 3))
        moves[0, :200, 0], moves[0, -200:, 1] = 1, 1
        W_xa, W_ha, _ = right["signal_box"]()
        start = np.zeros((1, 1))
        h, _ = right["lstm_forward"](moves, start, start, W_xa, W_ha, np.array([20.0, 10, 0, 20]))
        inside = np.cumsum(moves[0, :, 0] - moves[0, :, 1])
        too_early = inside[np.flatnonzero((h[0, 1:, 0] <= 0.25) & (inside > 0))[0]]
        assert 9 <= too_early <= 12  # nine are lost while it waits, some before and after


class TestReference:
    """Against the book's library, PyTorch, and arithmetic with sixty digits."""

    @pytest.mark.parametrize("kind, label", [(torch.nn.LSTM, "ifgo"), (torch.nn.GRU, "rzn")])
    def test_tape_of_pytorch(self, right, kind, label):
        module = kind(3, 5).double()
        book = torch_bridge.from_torch(module)
        W_xa, W_ha, b_x, b_h = right["unpack"](tape_of(module), 3, 5, label)
        assert np.array_equal(W_xa, book.W_xa) and np.array_equal(W_ha, book.W_ha)
        if label == "ifgo":
            assert np.allclose(b_x + b_h, book.b_a, rtol=1e-15)
        else:
            assert np.array_equal(b_x, book.b_x) and np.array_equal(b_h, book.b_h)

    def test_forget_bias_of_pytorch(self, right):
        module = torch.nn.LSTM(3, 5).double()
        tape = right["set_forget_bias"](tape_of(module), 3, 5, 4.0)
        before = torch_bridge.from_torch(module)
        torch.nn.utils.vector_to_parameters(torch.tensor(tape), module.parameters())
        after = torch_bridge.from_torch(module)
        assert np.array_equal(after.gate("f")[2], np.full(5, 4.0))
        for gate in "igo":
            assert np.array_equal(after.gate(gate)[2], before.gate(gate)[2])

    def test_forward_and_backward_are_those_of_the_library(self, right, rng):
        params = lstm.init_lstm(3, 5, rng)
        box = params.W_xa, params.W_ha, params.b_a
        x, (h0, c0) = rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 2, 5))
        h, c = right["lstm_forward"](x, h0, c0, *box)
        trace = lstm.lstm_forward(x, params, h0=h0, c0=c0)
        assert np.allclose(h, trace.h, rtol=1e-12) and np.allclose(c, trace.c, rtol=1e-12)
        dh = rng.normal(size=(2, 7, 5))
        book = lstm.lstm_backward(dh, trace, params)
        wanted = (*(getattr(book.params, k) for k in ("W_xa", "W_ha", "b_a")), book.h0, book.c0)
        for mine, theirs in zip(right["lstm_backward"](dh, x, h, c, *box), wanted, strict=True):
            assert np.allclose(mine, theirs, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize(
        "reset, update", list(itertools.product(("after", "before"), ("keep", "write")))
    )
    def test_step_in_each_convention_is_that_of_the_library(self, right, rng, reset, update):
        params = gru.init_gru(3, 5, rng, reset, update)
        box = params.W_xa, params.W_ha, params.b_x, params.b_h
        x, h = rng.normal(size=(2, 6, 3)), rng.uniform(-1, 1, size=(2, 5))
        mine = right["gru_step"](x[:, 0], h, *box, reset, update)
        assert np.allclose(mine, gru.gru_cell(x[:, 0], h, params), rtol=1e-12)
        strip = gru.gru_forward(x, params, h0=h).h.round(4)
        assert tuple(right["which_box"](x, strip, *box)) == (reset, update)

    @pytest.mark.parametrize("bias", [-50.0, -3.0, 0.0, 1.0, 36.0, 50.0])
    def test_half_life_with_many_digits(self, right, bias):
        with localcontext(prec=60):
            gate = 1 / (1 + (-Decimal(bias)).exp())
            wanted = float(Decimal("0.5").ln() / gate.ln())
        assert np.isclose(right["half_life"](bias), wanted, rtol=1e-12)

    @pytest.mark.parametrize(
        "share, steps",
        [(0.5, 1), (0.9995, 1000), (0.5, 10**15), (1e-15, 1), (1 - 1e-15, 10**15), (0.3, 10**12)],
    )
    def test_bias_with_many_digits(self, right, share, steps):
        with localcontext(prec=60):
            gate = (Decimal(share).ln() / steps).exp()
            wanted = float((gate / (1 - gate)).ln())
        assert np.isclose(right["bias_for"](share, steps), wanted, rtol=1e-11)

    @pytest.mark.parametrize("answers", [None, *ONE.right])
    def test_boxes_that_are_right_survive_a_wild_day(self, answers, rng):
        """Anything that rule 3 allows, keys in between: not the days of the checks."""
        names = ONE.run(ONE.right[answers].answers) if answers else ONE.space
        moves, inside = np.zeros((1, 1500, 3)), np.zeros(1500, dtype=int)
        count, rising = 0, True
        for t in range(1500):
            rising = (rising and count < 200) or count == 0
            key = t in (700, 1100)
            coming = not key and count < 200 and rng.random() < (0.5 if rising else 0.2)
            leaving = not key and count > 0 and rng.random() < (0.2 if rising else 0.5)
            moves[0, t] = coming, leaving, key
            count = 0 if key else count + coming - leaving
            inside[t] = count
        box = names["signal_box"]()
        start = np.zeros((1, len(box[1])))
        h, _ = names["lstm_forward"](moves, start, start, *box)
        assert np.array_equal(h[0, 1:, 0] > 0.25, inside > 0)
        assert inside.max() > 150 and inside[699] > 5


class TestDay:
    """What the table of the last cell shows whatever SEED says: the letter asks for it."""

    @pytest.mark.parametrize("seed", [2026, *range(2027, 2032)])
    def test_own_box_is_safe_and_the_cheap_one_is_not(self, seed):
        names = (ONE if seed == 2026 else ONE.of_another_year(seed)).space
        assert sum(names["dangerous"]["yours"]) == names["blocked"]["yours"] == 0
        assert sum(names["dangerous"][0.99]) > 200 and sum(names["dangerous"][0.9999]) > 3
        assert max(names["inside"]) <= 200 and names["inside"][-1] == 0

    def test_a_long_train_leaves_a_debt(self, right):
        """The hint below the table: what is lost is missing when the long train has left."""
        names = right
        longest = max(names["trains"], key=lambda train: train[1])
        held = names["lstm_forward"](
            names["day"][None], *np.zeros((2, 1, 1)), *names["box"][:2], np.array([20.0, 9, 0, 20])
        )[1]
        assert held[0, longest[-1] + 1, 0] < -0.5


class TestTanhUnit:
    """What the letter and its rubric say of one tanh unit."""

    def test_by_the_rule_it_loses_count_after_55_axles(self, rng):
        # No w below 0: from h > 0 a step without axles would lead below the empty unit's tanh(b).
        w = np.concatenate([np.linspace(0, 50, 2001), rng.uniform(0, 5, 2000)])[:, None]
        first = np.arctanh(0.25) + np.concatenate([[1e-12], np.geomspace(1e-6, 100, 200)])
        h = np.zeros((len(w), len(first)))  # the first axle shows more than 0.25
        for _ in range(55):
            h = np.tanh(w * h + first)
        assert np.array_equal(np.tanh(w * h + first), h)

    def test_without_the_rule_it_counts_in_tiny_steps(self):
        moves = np.concatenate([np.ones(200), np.zeros(1000), -np.ones(200)])
        h, shown = 0.0, []
        for move in moves:
            h = np.tanh(h + 1e-5 * move)
            shown.append(h)
        assert np.array_equal(np.array(shown) > 5e-6, np.cumsum(moves) > 0)
        assert max(shown) < 0.25

    def test_it_keeps_a_bit(self):
        h, shown = 0.0, []
        for move in [0] * 500 + [1] + [0] * 1000 + [-1] + [0] * 500:
            h = np.tanh(3 * h - 0.2 + 9 * move)
            shown.append(h > 0.25)
        assert shown == [False] * 500 + [True] * 1001 + [False] * 501


# Mistakes that are not in wrong/: cell, right code, wrong code, points lost, what a check says.
ORDER = "label.index(block) * H + np.arange(H) for block in wanted"
PATIENT = "-np.log(np.expm1(-np.log(share) / steps))"
VALVES = "[20.0, 20.0, 0.0, 20.0]"
SMALL_MISTAKES = [
    ("unpack", ORDER, "wanted.index(block) * H + np.arange(H) for block in label", 0.5, ""),
    ("unpack", "W_hh.reshape(B * H, H)[rows].T", "W_hh.reshape(H, -1)[:, rows]", 1.5, "transpose"),
    ("lstm", "return h, c", "return c, h", 2, "changed places"),
    ("lstm", "np.tanh(g)", "sigmoid(g)", 2, "g is no gate"),
    ("lstm", "* np.tanh(c[:, t + 1])", "* c[:, t + 1]", 2, "not o * c"),
    ("backward", "dc_t * f\n", "0 * dc_t\n", 3.1, "nothing back along the highway"),
    ("backward", "dc_t * c[:, t] * f", "dc_t * c[:, t + 1] * f", 3.9, "cell state before it"),
    ("backward", "dc_later + dh_t * o", "dc_later + dh[:, t] * o", 3, "on to c_1 as well"),
    ("gru", 'reset == "after"', 'reset == "before"', 3, "after and before changed places"),
    ("gru", "r, z = np.split", "z, r = np.split", 2.875, "in the order r, z, n"),
    ("gru", "draft + (r * h_prev) @", "r * draft + h_prev @", 1.5, ""),
    ("bias_for", PATIENT, f"min(36.0, {PATIENT})", 0.25, ""),
    ("box", VALVES, "[0.0, 0.0, 0.0, 0.0]", 4, "does not show more than 0.25"),
    ("box", VALVES, "[20.0, 5.0, 0.0, 20.0]", 2.8125, ""),
    ("box", VALVES, "[50.0, 50.0, 0.0, 50.0]", 1.25, ""),
    ("box", "[0.0, 0.0, -2.0, 0.0]", "[0.0, 0.0, -2.002, 0.0]", 0.15, ""),
]


class TestHints:
    @pytest.mark.parametrize(
        "name, question, hint",
        [
            ("label_ignored", "unpack", "the tape's order z, r, n"),
            ("biases_added_up", "unpack", "keep them apart"),
            ("cell_state_not_carried", "lstm", "Slot 0 is the start"),
            ("blocks_of_onnx", "lstm", "in the order i, f, g, o"),
            ("only_the_highway", "backward", "nothing back through W_ha"),
            ("wrong_forget_gate", "backward", "that of the later step"),
            ("flat_tanh_forgotten", "backward", "1 - tanh(c) ** 2"),
            ("mean_for_sum", "backward", "no mean"),
            ("keep_and_write_swapped", "gru", "changed places"),
            ("always_pytorch", "gru", "r dims the state"),
            ("bias_left_outside", "gru", "r multiplies the bias"),
            ("bias_set_twice", "patience", "adds them up to 6"),
            ("time_constant", "patience", "1 / e is left"),
            ("always_one_half", "patience", "not one half"),
            ("too_strong_valves", "box", "between -50 and 50"),
        ],
    )
    def test_a_visible_check_names_the_mistake(self, name, question, hint):
        assert hint in ONE.hint(ONE.wrong[name].answers, question)

    @pytest.mark.parametrize("cell, right, wrong, points, hint", SMALL_MISTAKES)
    def test_a_small_mistake_costs_what_it_should(self, cell, right, wrong, points, hint):
        assert ONE.solutions[cell].count(right) == 1
        names = ONE.run(ONE.bent(cell, right, wrong))
        question = "patience" if cell == "bias_for" else cell
        lost, _ = ONE.lost(names, 3)
        assert {k: round(v, 4) for k, v in lost.items()} == {question: points}
        assert hint in ONE.hint(names, question)
