"""The ladder's own models: what counts is held to enumeration, what learns to its task."""

import itertools

import numpy as np
import pytest

from course_lib.datasets.memory import memory_task
from course_lib.datasets.task import Task, score_task
from course_lib.ladder.counting import answer_weights, fit_hmm, fit_markov, state_names
from course_lib.ladder.models import MODELS
from course_lib.ladder.neural import fit_network, recurrent
from course_lib.ladder.tasks import TASKS, Recipe, TaskSpec, bits, quarter_and_mark, which_is_on

SEED = 101  # not one of the ladder's


def score(spec, fitted, n=500):
    task = spec.sample(n, np.random.default_rng(7))
    return score_task(task, fitted.outputs(task.x))


def echo(n, T, rng, back=1, every=True):
    """Name the bit of ``back`` steps ago; a Task that a table of two inputs can learn if back=1."""
    x = rng.integers(2, size=(n, T))
    target = np.roll(x, back, axis=1)
    weight = (np.arange(T) >= back) * np.ones((n, 1))
    if not every:
        return Task("echo", x[..., None].astype(float), target[:, -1], 2, 0.5, 1.0)
    return Task("echo", x[..., None].astype(float), target, 2, 0.5, 1.0, weight=weight)


def echo_spec(**options):
    return TaskSpec(echo, Recipe(10), {"T": 7} | options, bits, 2)


class TestSymbols:
    def test_every_task_has_its_symbols_in_range_and_uses_all_of_them(self):
        for name, spec in TASKS.items():
            task = spec.sample(300, np.random.default_rng(3))
            symbols = spec.symbols(task.x)
            assert symbols.shape == task.x.shape[:2], name
            assert sorted(np.unique(symbols)) == list(range(spec.V)), name

    def test_of_each_kind_of_input(self):
        assert which_is_on(np.eye(3)[[[2, 0]]]).tolist() == [[2, 0]]
        assert bits(np.array([[[0.0], [1.0]]])).tolist() == [[0, 1]]
        numbers = np.array([[[0.1, 0.0], [0.3, 1.0], [1.0, 1.0], [0.5, 0.0]]])
        assert quarter_and_mark(numbers).tolist() == [[0, 3, 7, 4]]


class TestMarkov:
    def test_counts_the_answers_after_the_last_two_inputs(self):
        spec = echo_spec(T=2)
        fitted = fit_markov(spec, 0, n=50, smoothing=0.5)
        task = spec.sample(50, np.random.default_rng(0))
        x, counts = task.x[..., 0].astype(int), np.full((2, 2, 2), 0.5)
        for row, answer in zip(x, task.target[:, 1], strict=True):
            counts[row[0], row[1], answer] += 1
        outputs = fitted.outputs(task.x)
        assert np.array_equal(outputs[:, 1], counts[x[:, 0], x[:, 1]])
        assert np.all(outputs[:, 0] == 0.5), "step 0 is not asked: only the smoothing is there"
        assert fitted.parameters == 6 and fitted.updates == 0  # (2 + none) * 2 contexts, one free

    def test_knows_what_lies_one_step_back_and_no_more(self):
        assert score(echo_spec(), fit_markov(echo_spec(), SEED, n=300, smoothing=1.0)) == 1
        far = echo_spec(back=2)
        assert abs(score(far, fit_markov(far, SEED, n=300, smoothing=1.0)) - 0.5) < 0.05

    def test_counts_the_last_step_alone_where_the_answer_is_asked_there(self):
        spec = echo_spec(every=False)
        assert score(spec, fit_markov(spec, SEED, n=300, smoothing=1.0)) == 1

    def test_answers_a_number_by_the_mean_of_its_context(self):
        spec = TASKS["adding"]
        fitted = fit_markov(spec, SEED, n=400, smoothing=1e-9)
        task = spec.sample(400, np.random.default_rng(SEED))
        last = quarter_and_mark(task.x)[:, -2:]
        same = np.all(last == last[0], axis=1)
        assert fitted.outputs(task.x)[0, -1, 0] == pytest.approx(task.target[same].mean())
        assert fitted.parameters == 9 * 8
        smooth = fit_markov(spec, SEED, n=400, smoothing=1e9)
        assert np.allclose(smooth.outputs(task.x), task.target.mean())


class TestAnswerWeights:
    def test_equal_the_sum_over_all_paths(self, rng):
        K, V, R, T = 2, 3, 4, 3
        pi, A = rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K)
        B = rng.dirichlet(np.ones(V * (R + 1)), K).reshape(K, V, R + 1)
        inputs = np.array([[2, 0, 1], [1, 1, 2]])
        weights = answer_weights(inputs, pi, A, B)
        assert weights.shape == (2, T, R)
        for n, t, r in np.ndindex(2, T, R):
            joint = past = 0.0
            for path in itertools.product(range(K), repeat=t + 1):
                p = pi[path[0]] * np.prod([A[i, j] for i, j in itertools.pairwise(path)])
                for s in range(t):
                    p *= B[path[s], inputs[n, s]].sum()
                past += p
                joint += p * B[path[t], inputs[n, t], r + 1]
            assert weights[n, t, r] == pytest.approx(joint / past, abs=1e-12)


class TestStateNames:
    def test_tell_which_state_is_which_answer_however_unsure_the_belief(self, rng):
        z = rng.integers(2, size=(40, 30))
        right = np.where(rng.random(z.shape) < 0.8, z, 1 - z)  # right four times in five
        belief = np.where(right[..., None] == [1, 0], 0.8, 0.2)  # state 0 is answer 1
        names = state_names(belief, z, 2)
        assert np.allclose(names, [[0, 1], [1, 0]], atol=0.1)
        assert np.allclose(names.sum(axis=1), 1)

    def test_states_beyond_the_answers_share_one(self, rng):
        belief = rng.dirichlet(np.ones(3), size=(20, 50))
        joined = np.stack([belief[..., 0] + belief[..., 2], belief[..., 1]], axis=2)
        z = (rng.random((20, 50)) < joined[..., 1]).astype(int)
        assert np.allclose(state_names(belief, z, 2), [[1, 0], [0, 1], [1, 0]], atol=0.15)


EM = {"n": 300, "stay": 0.9, "starts": 2, "n_iter": 100, "tol": 1e-3}


class TestHMM:
    def test_filtering_finds_the_dice_without_being_shown_one(self):
        spec = TASKS["filtering"]
        fitted = fit_hmm(spec, SEED, K=9, **EM)
        ceiling = spec.sample(1, np.random.default_rng(0)).ceiling
        # 25 000 answers that hang together: 0.005 is about one standard error, 0.02 four
        assert score(spec, fitted) == pytest.approx(ceiling, abs=0.02)
        assert fitted.parameters == 1 + 2 + 2 * 5 + 2, "two states: K is for other tasks"

    def test_learns_from_pairs_what_a_table_of_two_inputs_cannot(self):
        spec = TaskSpec(memory_task, Recipe(1), {"lag": 2}, which_is_on, 4)
        assert abs(score(spec, fit_markov(spec, SEED, n=300, smoothing=1.0)) - 0.5) < 0.1
        fitted = fit_hmm(spec, SEED, K=6, **EM | {"starts": 10})  # most starts end right
        assert score(spec, fitted) == 1
        assert fitted.parameters == 5 + 6 * 5 + 6 * (4 * 3 - 1)
        assert 0 < fitted.updates <= 10 * EM["n_iter"]

    def test_answers_numbers(self):
        spec = TASKS["adding"]
        task = spec.sample(9, np.random.default_rng(5))
        outputs = fit_hmm(spec, SEED, K=3, **EM | {"n_iter": 3}).outputs(task.x)
        assert outputs.shape == (9, 30, 1) and np.all((outputs > 0) & (outputs < 2))

    def test_the_likeliest_start_is_kept(self, monkeypatch):
        import course_lib.ladder.counting as counting

        seen = []
        real = counting.baum_welch
        monkeypatch.setattr(
            counting, "baum_welch", lambda *a, **k: seen.append(real(*a, **k)) or seen[-1]
        )
        spec = TASKS["filtering"]
        fitted = fit_hmm(spec, SEED, K=2, **EM | {"starts": 4, "n_iter": 4})
        best = max(seen, key=lambda fit: fit.history[-1])
        assert best is not seen[-1] and len(seen) == 4, "a seed in which the last one is not best"
        from course_lib.hmm_batch import filter_batch

        x = spec.sample(5, np.random.default_rng(1)).x
        belief = filter_batch(which_is_on(x), best.pi, best.A, best.B)[0]
        order = np.argsort(fitted.outputs(x)[..., 0].ravel())
        steps = np.diff(belief[..., 0].ravel()[order])
        assert np.all(steps >= -0.01) or np.all(steps <= 0.01), "outputs follow the best belief"


class TestNetwork:
    def test_learns_a_short_lag_by_the_recipe_and_stops_when_it_can(self):
        spec = TASKS["memory-5"]
        fitted = fit_network(spec, SEED, build=recurrent, cell="lstm", H=8, forget_bias=1.0)
        assert score(spec, fitted) > 0.95
        assert 20 <= fitted.updates < spec.recipe.updates
        assert fitted.parameters == 4 * 8 * (4 + 8 + 2) + 8 * 2 + 2

    def test_same_seed_same_network(self):
        spec = TaskSpec(TASKS["copy"].draw, Recipe(3), TASKS["copy"].options)
        x = spec.sample(4, np.random.default_rng(1)).x
        one, two, other = (
            fit_network(spec, seed, build=recurrent, cell="gru", H=5).outputs(x)
            for seed in (1, 1, 2)
        )
        assert np.array_equal(one, two) and not np.allclose(one, other)

    def test_the_seed_decides_the_starting_weights(self):
        one, two, other = (
            recurrent(3, 9, 2, seed, cell="gru", H=5).readout.weight.detach().numpy()
            for seed in (1, 1, 2)
        )
        assert np.array_equal(one, two) and not np.allclose(one, other)

    @pytest.mark.parametrize("cell, gates", [("lstm", 4), ("gru", 3)])
    def test_a_patient_start_opens_the_gate_that_keeps_for_up_to_the_length(self, cell, gates):
        H, T = 64, 90
        plain, patient = (
            {
                name: weights.detach().numpy()
                for name, weights in recurrent(
                    3, T, 2, 1, cell=cell, H=H, recurrent="orthogonal", patient=wanted
                ).named_parameters()
            }
            for wanted in (False, True)
        )
        changed = {name for name in plain if not np.array_equal(plain[name], patient[name])}
        assert changed == {"core.bias_ih_l0", "core.bias_hh_l0"}
        bias = (patient["core.bias_ih_l0"] + patient["core.bias_hh_l0"]).reshape(gates, H)
        before = (plain["core.bias_ih_l0"] + plain["core.bias_hh_l0"]).reshape(gates, H)
        steps = np.exp(bias[1])  # a gate sigmoid(log s) forgets a share 1 / (s + 1) at each step
        assert 1 <= steps.min() < 10 and 80 < steps.max() <= T - 1
        assert abs(np.mean(steps) - T / 2) < 4 * T / np.sqrt(12 * H)
        kept = [2, 3] if cell == "lstm" else [0, 2]
        assert np.array_equal(bias[kept], before[kept])
        if cell == "lstm":
            assert np.array_equal(bias[0], -bias[1])

    def test_a_patient_cell_keeps_longer(self):
        """Which biases belong to z is PyTorch's matter: so the state itself is looked at."""
        import torch

        x = torch.zeros(1, 200, 3)
        for cell in ("lstm", "gru"):
            left = []
            for patient in (False, True):
                model = recurrent(3, 200, 2, 1, cell=cell, H=32, patient=patient)
                ones = torch.ones(1, 1, 32)
                start = [
                    (0 * ones, sign * ones) if cell == "lstm" else sign * ones for sign in (1, -1)
                ]
                ends = [model(x[:, :50], state)[1] for state in start]
                ends = [end[1] if cell == "lstm" else end for end in ends]
                left.append((ends[0] - ends[1]).abs().mean().item())
            assert left[1] > 0.1 > 0.01 > left[0], (cell, left)


def test_every_network_has_the_same_width():
    networks = [spec.options for spec in MODELS.values() if spec.fit is fit_network]
    widths = {options.get("H", options.get("M")) for options in networks}
    assert len(networks) >= 3 and widths == {32}
