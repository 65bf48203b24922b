"""Shape explorer against PyTorch: every tensor, what it means and what it depends on.

The drawing in a browser: tests/demos/test_shape_explorer_page.py.
"""

import itertools
import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_lib import demos
from course_lib.demos import _shape_explorer as explorer
from course_lib.demos import _shape_weights
from course_lib.demos._state import check_state
from tests.demos.node import run_in_node

CLOSE = {"rtol": 0, "atol": 1e-12}  # both in float64; demos.md asks for 1e-5
SIZES = {"batch": 3, "time": 5, "input": 2, "hidden": 4, "layers": 2}


def javascript(calls):
    """Results of ``[(function, args...), ...]`` in Node."""
    return run_in_node("parity_shapes.mjs", [{"fn": fn, "args": args} for fn, *args in calls])


def shapes(**options):
    return demos.shape_explorer(**{"name": "shapes", **SIZES, **options})


def random_demos(rng):
    """Every cell, with and without each option, random sizes."""
    options = itertools.product(
        ("RNN", "LSTM", "GRU"), (False, True), (True, False), ("batch", "time"),
        ("none", "padded", "packed"),
    )  # fmt: skip
    for cell, both, first, stored, padding in options:
        batch, time = int(rng.integers(1, 5)), int(rng.integers(1, 9))
        yield demos.shape_explorer(
            "random",
            cell,
            *(batch, time, int(rng.integers(1, 5)), int(rng.integers(1, 7))),
            layers=int(rng.integers(1, 4)),
            bidirectional=both,
            batch_first=first,
            stored=stored,
            lengths=None if padding == "none" else rng.integers(1, time + 1, size=batch).tolist(),
            packed=padding == "packed",
            seed=int(rng.integers(2**31)),
        )


def module_of(state):
    """The PyTorch module with the demo's weights, in float64."""
    sizes, opts = state["sizes"], state["opts"]
    made = getattr(nn, opts["cell"])(
        sizes["input"], sizes["hidden"], num_layers=sizes["layers"], dtype=torch.float64,
        bidirectional=opts["bidirectional"], batch_first=opts["batch_first"],
    )  # fmt: skip
    made.load_state_dict({key: torch.from_numpy(W) for key, W in explorer._weights(state).items()})
    return made


def torch_tensors(state, x=None):
    """Input, output, h_n, c_n (LSTM) and the packing as PyTorch makes them."""
    opts, x = state["opts"], torch.from_numpy(explorer.input_of(state)) if x is None else x
    first, packed = opts["batch_first"], None
    if opts["padding"] == "packed":
        lengths = explorer.plan_of(state).lengths
        packed = pack_padded_sequence(x, lengths, batch_first=first, enforce_sorted=False)
    output, last = module_of(state)(x if packed is None else packed)
    if packed is not None:
        output, _ = pad_packed_sequence(output, batch_first=first)
    named = {"h_n": last[0], "c_n": last[1]} if opts["cell"] == "LSTM" else {"h_n": last}
    return {"input": x, "output": output, **named}, packed


class TestAgainstPyTorch:
    def test_every_tensor_in_both_languages(self, rng):
        cases = [demo.state for demo in random_demos(rng)]
        drawn = 0
        for state, mine in zip(cases, javascript([("run", s) for s in cases]), strict=True):
            plan = explorer.plan_of(state)
            assert mine["error"] == plan.error
            assert {k: tuple(v) for k, v in mine["shapes"].items()} == plan.shapes
            if plan.error:
                with pytest.raises(ValueError, match="packing has no meaning"):
                    explorer.tensors(state)
                continue
            drawn += 1
            want, packed = torch_tensors(state)
            ours = explorer.tensors(state)
            assert set(ours) == set(want) == set(plan.shapes)
            for key, tensor in want.items():
                assert plan.shapes[key] == tuple(tensor.shape), (key, state)
                np.testing.assert_allclose(ours[key], tensor.detach(), **CLOSE)
                np.testing.assert_allclose(np.array(mine[key]), tensor.detach(), **CLOSE)
            if packed is None:
                assert mine["packing"] is None
                continue
            np.testing.assert_allclose(np.array(mine["packing"]["data"]), packed.data, **CLOSE)
            for key, theirs in (("sizes", packed.batch_sizes), ("sorted", packed.sorted_indices)):
                assert mine["packing"][key] == theirs.tolist()
            assert mine["packing"]["unsorted"] == packed.unsorted_indices.tolist()
        assert drawn > 50

    def test_weights_have_pytorchs_names_shapes_and_range(self, rng):
        cases = [demo.state for demo in random_demos(rng)][::5]
        for state, mine in zip(cases, javascript([("run", s) for s in cases]), strict=True):
            ours = explorer._weights(state)
            theirs = module_of(state).state_dict()
            assert list(mine["weights"]) == list(ours) == list(theirs)
            for key, W in ours.items():
                np.testing.assert_allclose(mine["weights"][key], W, rtol=1e-15, atol=0)
                assert np.abs(W).max() <= state["sizes"]["hidden"] ** -0.5

    def test_the_parameters_are_counted_as_pytorch_counts_them(self, rng):
        cases = [demo.state for demo in random_demos(rng)][::4]
        for state, got in zip(cases, javascript([("view", s) for s in cases]), strict=True):
            count = sum(p.numel() for p in module_of(state).parameters())
            assert got["facts"]["parameters"] == count
            words = next(row for row in got["sums"] if row[0] == "weights")[2]
            product, total = words.replace("×", "*").split("=")
            assert eval(product) == int(total) == count  # our own words: a sum of products

    def test_packing_with_the_wrong_flag_is_refused_by_pytorch_when_sorted(self):
        x = torch.zeros(3, 5, 2)
        with pytest.raises(RuntimeError, match="len\\(lengths\\)"):
            pack_padded_sequence(x, [5, 3, 2], batch_first=False)
        # And goes on unsorted, with batch sizes that do not fit the data: why nothing is drawn.
        packed = pack_padded_sequence(x, [3, 5, 2], batch_first=False, enforce_sorted=False)
        assert packed.batch_sizes.sum() != len(packed.data)


def all_picks(plan):
    for tensor, shape in plan.shapes.items():
        for index in itertools.product(*map(range, shape)):
            yield {"tensor": tensor, "index": list(index)}


SMALL = [
    shapes(bidirectional=True, lengths=[3, 5, 1]),
    shapes(cell="GRU", layers=1, bidirectional=True, batch_first=False),
    shapes(cell="RNN", layers=3, lengths=[3, 5, 2], packed=False),
    shapes(cell="LSTM", stored="time"),
    shapes(cell="RNN", bidirectional=True, layers=1, stored="time", hidden=1),
]


@pytest.mark.parametrize("demo", SMALL, ids=repr)
class TestMeaning:
    def test_what_is_reached_has_a_gradient_and_nothing_else(self, demo):
        state = demo.state
        plan = explorer.plan_of(state)
        picks = list(all_picks(plan))
        (found,) = javascript([("bound", state, picks)])
        x = torch.from_numpy(explorer.input_of(state)).requires_grad_()
        made, _ = torch_tensors(state, x)
        reached = {f"{p['tensor']},{','.join(map(str, p['index']))}": set() for p in picks}
        for pick, keys in zip(picks, found, strict=True):
            own = f"{pick['tensor']},{','.join(map(str, pick['index']))}"
            if pick["tensor"] == "input":
                reached[own] = set(keys)
                continue
            number = made[pick["tensor"]][tuple(pick["index"])]
            if number.requires_grad:
                (grad,) = torch.autograd.grad(number, x, retain_graph=True, allow_unused=True)
            entered = {f"input,{i},{j},{k}" for i, j, k in grad.nonzero().tolist()}
            assert set(keys) == entered, pick
            for key in entered:
                assert own in reached[key], (own, key)
                reached[key].discard(own)
        assert not any(reached.values())  # what an input reaches is what it enters

    def test_twins_are_the_same_number_and_no_other_number_is(self, demo):
        state = demo.state
        plan = explorer.plan_of(state)
        made = explorer.tensors(state)
        picks = [p for p in all_picks(plan) if p["tensor"] in ("output", "h_n")]
        twins = javascript([("twin", state, pick) for pick in picks])
        for pick, other in zip(picks, twins, strict=True):
            value = made[pick["tensor"]][tuple(pick["index"])]
            where = "h_n" if pick["tensor"] == "output" else "output"
            equal = np.argwhere(made[where] == value).tolist()
            if value == 0:  # filler
                assert other is None
            elif other is None:
                assert equal == [], pick
            else:
                assert (other["tensor"], [other["index"]]) == (where, equal), pick


class TestConstructor:
    def test_repr_names_the_module_and_its_shapes(self):
        assert repr(shapes(lengths=[2, 4, 1], bidirectional=True)) == (
            "shape_explorer demo 'shapes': nn.LSTM, input (3, 5, 2), output (3, 4, 8), "
            "h_n (4, 3, 4), c_n (4, 3, 4)"
        )

    def test_the_largest_state_is_small(self, rng):
        largest = shapes(
            batch=4, time=8, input=4, hidden=6, layers=3, bidirectional=True,
            lengths=[7, 8, 5, 6], x=rng.uniform(-9.999, 9.999, size=(4, 8, 4)),
        )  # fmt: skip
        assert len(json.dumps(largest.state)) < 4_000
        assert len(largest._html()) < 30_000

    def test_inputs_are_the_given_ones_however_they_are_stored(self, rng):
        x = rng.uniform(-1, 1, size=(3, 5, 2)).round(3)
        for stored in ("batch", "time"):
            got = explorer.input_of(shapes(x=x, stored=stored).state)
            np.testing.assert_array_equal(got, x if stored == "batch" else x.swapaxes(0, 1))
        got = explorer.input_of(shapes(x=x, lengths=[3, 5, 1]).state)
        assert not got[0, 3:].any() and not got[2, 1:].any()
        np.testing.assert_array_equal(got[1], x[1])

    @pytest.mark.parametrize("first", [True, False])
    def test_trace_is_time_first(self, first):
        demo = shapes(lengths=[3, 4, 1], batch_first=first)
        trace, made = demo.trace(), explorer.tensors(demo.state)
        assert trace["reading"].tolist() == [3, 2, 2, 1]
        want = made["output"].swapaxes(0, 1) if first else made["output"]
        np.testing.assert_array_equal(trace["output"], want)
        assert trace["input"].shape == (4, 3, 2)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"batch": 5}, "batch: the demo shows 1 to 4 entries, got 5"),
            ({"time": 0}, "time: the demo shows 1 to 8"),
            ({"input": 5}, "input: the demo shows 1 to 4"),
            ({"hidden": 7}, "hidden: the demo shows 1 to 6"),
            ({"layers": 4}, "layers: the demo shows 1 to 3"),
            ({"layers": 1.5}, "layers"),
            ({"cell": "lstm"}, "cell"),
            ({"lengths": [5, 3]}, r"lengths must be 3 numbers from 1 to 5, got \[5, 3\]"),
            ({"lengths": [5, 3, 6]}, "lengths must be 3 numbers from 1 to 5"),
            ({"lengths": [5, 3, 0]}, "lengths must be 3 numbers from 1 to 5"),
            ({"x": np.zeros((3, 5, 3))}, r"x must have shape \(3, 5, 2\)"),
            ({"x": np.full((3, 5, 2), np.nan)}, "x must be finite"),
            ({"stored": "first"}, "stored"),
            ({"t": 5}, "t must be below 5, got 5"),
            ({"t": 4, "lengths": [4, 2, 3]}, "t must be below 4, got 4"),
            ({"t": 3, "stored": "time"}, "t must be below 3, got 3"),
            ({"pick": ("output", (3, 0, 0))}, r"index 0 of output, \(3, 5, 4\), must be below 3"),
            ({"pick": ("h_n", (0, 0, 4))}, "index 2 of h_n"),
            ({"pick": ("c_n", (0, 0, 0)), "cell": "GRU"}, "a GRU has no c_n"),
            ({"pick": ("loss", (0, 0, 0))}, "loss"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            shapes(**change)

    def test_the_picture_names_shapes_and_axes(self):
        page = shapes(bidirectional=True)._html()
        assert "x has shape (3, 5, 2): batch × time × input; output has shape (3, 5, 8)" in page
        assert "(3, 5, 8): batch × time × directions × hidden" in page
        assert "h_n has shape (4, 3, 4): layers × directions × batch × hidden" in page
        crossed = shapes(stored="time", lengths=[3, 5, 2])
        assert "packing has no meaning" in crossed._html()


class TestView:
    def test_copied_python_rebuilds_the_same_state(self, rng, capsys):
        cases = [*SMALL, shapes(lengths=[3, 5, 2], stored="time"), *random_demos(rng)]
        cases = cases[:7] + cases[7::6]
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {}
            exec(got["python"], space)  # our own code, made by the view under test
            assert space["demo"].state == demo.state
            plan = explorer.plan_of(demo.state)
            if not plan.error:
                shown = [plan.shapes[key] for key in ("output", "h_n")]
                printed = capsys.readouterr().out
                assert printed == " ".join(f"torch.Size({list(s)})" for s in shown) + "\n"

    def test_after_an_edit_the_numbers_are_those_of_the_new_state(self):
        start = shapes(lengths=[3, 5, 1], pick=("output", (0, 0, 0))).state
        xs = np.array(start["xs"])
        xs[1, 2, 0] = 1.5
        changes = [{"seed": 5}, {"xs": xs.tolist()}, {"lengths": [5, 5, 1, 4]}]
        changes += [{"sizes": {**start["sizes"], "hidden": 3}}, {"t": 3}]
        options = {"cell": "GRU", "bidirectional": True, "batch_first": False, "padding": "padded"}
        for key, value in options.items():
            stored = "time" if key == "batch_first" else "batch"
            changes.append({"opts": {**start["opts"], key: value, "stored": stored}})
        edits = [{**start, **change} for change in changes]
        for now, got in zip(
            edits, javascript([("view", now, start) for now in edits]), strict=True
        ):
            np.testing.assert_allclose(got["output"], explorer.tensors(now)["output"], **CLOSE)

    def test_words_and_tables_hold_no_nan_and_no_undefined(self, rng):
        states = []
        for demo in (*SMALL, shapes(lengths=[3, 5, 2], stored="time"), *random_demos(rng)):
            plan = explorer.plan_of(demo.state)
            picks = list(all_picks(plan))
            for pick in [picks[i] for i in rng.integers(len(picks), size=4)]:
                t = int(rng.integers(plan.steps))
                states.append({**demo.state, "t": t, "pick": pick})
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            explorer.check(now)
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity"):
                assert bad not in words, (now["opts"], now["pick"], words)
            assert len(got["say"]) > 20
            assert len(got["table"]["rows"]) == explorer.plan_of(now).steps

    def test_arithmetic_ends_in_the_number_that_is_selected(self, rng):
        states, want = [], []
        for demo in random_demos(rng):
            plan = explorer.plan_of(demo.state)
            if plan.error:
                continue
            made = explorer.tensors(demo.state)
            for tensor in ("output", "h_n"):
                index = [int(rng.integers(size)) for size in plan.shapes[tensor]]
                states.append({**demo.state, "pick": {"tensor": tensor, "index": index}})
                want.append(made[tensor][tuple(index)])
        for got, value in zip(javascript([("view", s) for s in states]), want, strict=True):
            last = got["sums"][-1][2].split("=")[-1].replace("−", "-")
            if "·10" not in last:
                assert abs(float(last) - value) <= 0.5e-3 + 1e-9  # printed with three digits

    def test_goals_are_reached(self):
        goals = shapes().state["fixed"]["goals"]
        cases = [
            shapes(time=2),
            shapes(bidirectional=True, pick=("output", (1, 0, 6))),
            shapes(stored="time", pick=("input", (1, 0, 1))),
            shapes(lengths=[1, 5, 1]),
        ]
        answers = javascript([("view", demo.state) for demo in [shapes(), *cases]])
        for n, goal in enumerate(goals):
            for case, got in enumerate(answers):
                if case in (0, n + 1):
                    assert holds(goal, got["facts"]) == (case == n + 1), (goal, got["facts"])

    def test_predictions_ask_for_what_pytorch_says(self):
        demo = shapes(bidirectional=True)
        got = javascript([("view", {**demo.state, "t": t}) for t in range(3)])
        made, _ = torch_tensors(demo.state)
        want = [made["output"].shape[-1], made["h_n"].shape[0], made["h_n"].numel()]
        assert [one["question"]["truth"] for one in got] == want
        assert len({one["question"]["key"] for one in got}) == 3

    def test_both_languages_take_and_refuse_the_same_states(self):
        good = shapes().state
        states = [good, {**good, "t": -1}, {**good, "t": 5}, {**good, "extra": 0}]
        for key, bad in (("batch", 0), ("batch", 5), ("time", 9), ("hidden", 2.5), ("layers", "2")):
            states.append({**good, "sizes": {**good["sizes"], key: bad}})
        for key, bad in (("cell", "lstm"), ("batch_first", 1), ("padding", "yes"), ("stored", "")):
            states.append({**good, "opts": {**good["opts"], key: bad}})
        states.append({**good, "lengths": [1, 2, 3]})
        states.append({**good, "lengths": [1, 2, 3, 9]})
        states.append({**good, "xs": good["xs"][:3]})
        states.append({**good, "pick": {"tensor": "output", "index": [0, 0]}})
        states.append({**good, "pick": {"tensor": "weights", "index": [0, 0, 0]}})
        states.append({**good, "opts": {**good["opts"], "padding": "packed"}, "t": 4})
        verdicts = []
        for now in states:
            try:
                check_state(now)
                explorer.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        assert verdicts == [True, *[False] * (len(states) - 2), True]
        assert javascript([("valid", now) for now in states]) == verdicts

    def test_the_page_moves_a_selection_that_is_gone_to_one_that_python_takes(self):
        good = shapes(pick=("c_n", (1, 2, 3))).state
        smaller = {**good["sizes"], "batch": 1, "hidden": 2, "time": 3}
        cases = [
            {**good, "opts": {**good["opts"], "cell": "GRU"}},
            {**good, "sizes": smaller, "t": 4},
        ]
        tidied = javascript([("tidy", now) for now in cases])
        assert tidied[0]["pick"] == {"tensor": "h_n", "index": [1, 2, 3]}
        assert tidied[1]["pick"]["index"] == [1, 0, 1] and tidied[1]["t"] == 2
        for now in tidied:
            explorer.check(now)


def holds(goal, facts):
    """The page's own rule: a name, a comparison, a number or another name."""
    for name, sign, value in goal["when"]:
        other = facts.get(value, value) if isinstance(value, str) else value
        left = facts.get(name)
        if left is None:
            return False
        truths = {"==": left == other, "<": left < other if sign == "<" else None}
        truths[">"] = left > other if sign == ">" else None
        truths["<="] = left <= other if sign == "<=" else None
        if not truths[sign]:
            return False
    return True


def test_gates_are_counted_alike():
    assert _shape_weights.GATES == {"RNN": 1, "LSTM": 4, "GRU": 3}
