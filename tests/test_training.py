"""Short training loops: they learn, repeat, clip, stop and cut gradients as their options say."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from course_lib import training
from course_lib.datasets.adding import adding_task
from course_lib.datasets.copying import copy_task
from course_lib.datasets.memory import memory_task
from course_lib.datasets.parity import parity_task
from course_lib.training import SequenceModel, evaluate, run_seeds, task_loss, train


def memory(n, rng):
    return memory_task(n, 3, rng)


def small(cell="rnn", seed=0, **options):
    return SequenceModel(cell, 4, 5, 2, seed, **options)


def weights(model):
    return np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])


class TestSequenceModel:
    @pytest.mark.parametrize("cell", ["rnn", "relu_rnn", "lstm", "gru"])
    def test_shapes_and_carried_state(self, cell):
        model, x = small(cell), torch.randn(3, 7, 4)
        outputs, _ = model(x)
        first, state = model(x[:, :2])
        rest, _ = model(x[:, 2:], state)
        assert outputs.shape == (3, 7, 2)
        np.testing.assert_allclose(
            torch.cat([first, rest], 1).detach(), outputs.detach(), rtol=0, atol=1e-6
        )  # float32

    def test_seed_fixes_the_start_and_leaves_torch_alone(self):
        before = torch.random.get_rng_state()
        one, two, other = small(seed=1), small(seed=1), small(seed=2)
        assert torch.equal(torch.random.get_rng_state(), before)
        np.testing.assert_array_equal(weights(one), weights(two))
        assert not np.array_equal(weights(one), weights(other))

    def test_forget_bias_is_what_the_two_biases_add_up_to(self):
        core = small("lstm", forget_bias=1.5, n_layers=2).core
        for layer in (0, 1):
            total = getattr(core, f"bias_ih_l{layer}") + getattr(core, f"bias_hh_l{layer}")
            np.testing.assert_allclose(total.detach()[5:10], 1.5)
            others = total.detach()[[0, 1, 2, 3, 4, *range(10, 20)]]
            assert others.abs().max() < 2 / np.sqrt(5)
            assert len(others.unique()) == 15

    @pytest.mark.parametrize("cell, gates", [("rnn", 1), ("lstm", 4), ("gru", 3)])
    def test_orthogonal_and_identity_start_every_gate(self, cell, gates):
        for recurrent in ("orthogonal", "identity"):
            blocks = small(cell, recurrent=recurrent).core.weight_hh_l0.detach().split(5)
            assert len(blocks) == gates
            for block in blocks:
                np.testing.assert_allclose(block @ block.T, np.eye(5), rtol=0, atol=1e-6)
                assert torch.equal(block, torch.eye(5)) == (recurrent == "identity")

    def test_identity_start_has_no_bias(self):
        core = small("relu_rnn", recurrent="identity").core
        assert core.nonlinearity == "relu"
        assert not core.bias_ih_l0.any() and not core.bias_hh_l0.any()

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"cell": "elman"}, "cell must be one of rnn, relu_rnn, lstm, gru, got 'elman'"),
            ({"recurrent": "eye"}, "recurrent must be one of"),
            ({"cell": "gru", "forget_bias": 1.0}, "forget_bias needs a cell with a forget gate"),
        ],
    )
    def test_unknown_option_is_named(self, options, message):
        with pytest.raises(ValueError, match=message):
            small(**options)


class TestTaskLoss:
    def test_last_step_against_the_definition(self, rng):
        task, outputs = parity_task(3, 4, rng), torch.randn(3, 4, 2, dtype=torch.float64)
        by_hand = 0.0
        for n in range(3):
            scores = outputs[n, -1].numpy()
            by_hand -= np.log(np.exp(scores[task.target[n]]) / np.exp(scores).sum()) / 3
        assert task_loss(outputs, task).item() == pytest.approx(by_hand, rel=1e-12)

    def test_weighted_steps_against_the_definition(self, rng):
        task, outputs = copy_task(3, 4, 2, 5, rng), torch.randn(3, 9, 4, dtype=torch.float64)
        by_hand = 0.0
        for n in range(3):
            for t in (7, 8):
                scores = outputs[n, t].numpy()
                by_hand -= np.log(np.exp(scores[task.target[n, t]]) / np.exp(scores).sum()) / 6
        assert task_loss(outputs, task).item() == pytest.approx(by_hand, rel=1e-12)

    def test_squared_error_against_the_definition(self, rng):
        task, outputs = adding_task(5, 4, rng), torch.randn(5, 4, 1, dtype=torch.float64)
        by_hand = np.mean([(outputs[n, -1, 0].item() - task.target[n]) ** 2 for n in range(5)])
        assert task_loss(outputs, task).item() == pytest.approx(by_hand, rel=1e-12)


class TestTrain:
    def test_learns_what_can_be_learnt(self):
        model = small("gru")
        test = memory_task(500, 3, np.random.default_rng(77))
        before = evaluate(model, test)
        history = train(model, memory, steps=300, seed=1, lr=0.02)
        assert before < 0.8 and evaluate(model, test) == 1.0
        assert history.loss[-20:].mean() < 0.05 < 0.6 < history.loss[0]

    def test_same_seed_gives_the_same_weights(self):
        results = []
        for seed in (1, 1, 2):
            model = small()
            train(model, memory, steps=5, seed=seed)
            results.append(weights(model))
        np.testing.assert_array_equal(results[0], results[1])
        assert not np.array_equal(results[0], results[2])

    def test_norm_is_the_one_before_clipping(self):
        histories = [train(small(), memory, steps=1, seed=1, clip=clip) for clip in (None, 1e-6)]
        assert histories[0].grad_norm[0] == histories[1].grad_norm[0] > 1e-3

    def test_clipping_bounds_what_the_optimiser_sees(self, monkeypatch):
        seen = []

        class Watching(torch.optim.SGD):
            def step(self):
                grads = [p.grad for group in self.param_groups for p in group["params"]]
                seen.append(float(torch.sqrt(sum((g**2).sum() for g in grads))))
                super().step()

        monkeypatch.setattr(torch.optim, "Adam", Watching)
        histories = [train(small(), memory, steps=4, seed=1, clip=c) for c in (0.01, None)]
        assert np.allclose(seen[:4], 0.01, rtol=1e-3)  # float32
        assert np.allclose(seen[4:], histories[1].grad_norm, rtol=1e-5)
        assert min(seen[4:]) > 0.02

    @pytest.mark.parametrize(
        "losses, window, stop_loss, steps",
        [
            ([9, 1, 1, 1, 1], 3, 1.0, 4),  # the mean of three, not the last one alone
            ([9, 9, 1, 1, 9, 0, 0], 2, 1.0, 4),
            ([5, 5, 5, 5, 5], 3, 10.0, 3),  # never before the window is full
        ],
    )
    def test_stops_when_the_window_first_has_the_stated_mean(
        self, monkeypatch, losses, window, stop_loss, steps
    ):
        script = iter(losses)
        monkeypatch.setattr(
            training, "task_loss", lambda outputs, task: outputs.sum() * 0 + next(script)
        )
        history = train(
            small(), memory, steps=len(losses), seed=1, stop_loss=stop_loss, window=window
        )
        assert history.stopped and history.steps == steps
        np.testing.assert_array_equal(history.loss, losses[:steps])

    def test_decay_is_a_straight_line_to_zero_after_the_last_step(self, monkeypatch):
        seen = []

        class Watching(torch.optim.SGD):
            def __init__(self, params, lr):
                super().__init__(params, lr)

            def step(self):
                seen.append(self.param_groups[0]["lr"])

        monkeypatch.setattr(torch.optim, "Adam", Watching)
        train(small(), memory, steps=5, seed=0, lr=0.5, decay=True, progress=False)
        np.testing.assert_allclose(seen, [0.5, 0.4, 0.3, 0.2, 0.1], rtol=1e-12)
        seen.clear()
        train(small(), memory, steps=3, seed=0, lr=0.5, progress=False)
        assert seen == [0.5, 0.5, 0.5]

    def test_watch_sees_the_start_and_the_model_after_each_update(self):
        seen, model = [], small()
        before = weights(model)
        train(
            model, memory, steps=3, seed=0, progress=False,
            watch=lambda updates, model: seen.append((updates, weights(model))),
        )  # fmt: skip
        assert [updates for updates, _ in seen] == [0, 1, 2, 3]
        np.testing.assert_array_equal(seen[0][1], before)
        np.testing.assert_array_equal(seen[3][1], weights(model))
        for earlier, later in pairwise(seen):
            assert (earlier[1] != later[1]).any()

    def test_without_reaching_it_says_so(self):
        history = train(small(), memory, steps=6, seed=1, stop_loss=1e-9, window=3)
        assert not history.stopped and history.steps == len(history.grad_norm) == 6

    @pytest.mark.parametrize("cell", ["rnn", "lstm"])
    def test_truncation_changes_the_gradient_but_not_the_loss(self, cell):
        options = dict(steps=1, seed=1)
        whole, cut, longer = (
            train(small(cell), memory, truncate=k, **options) for k in (None, 2, 4)
        )
        assert cut.loss[0] == pytest.approx(whole.loss[0], rel=1e-5)
        assert cut.grad_norm[0] != pytest.approx(whole.grad_norm[0], rel=1e-4)
        assert longer.grad_norm[0] == pytest.approx(whole.grad_norm[0], rel=1e-5)

    def test_progress_bar_is_shown_and_hidden(self, monkeypatch, capfd):
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
        train(small(), memory, steps=2, seed=1)
        assert "training" in capfd.readouterr().err
        train(small(), memory, steps=2, seed=1, progress=False)
        monkeypatch.setenv("TQDM_DISABLE", "1")
        train(small(), memory, steps=2, seed=1)
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("name", ["steps", "batch", "window", "truncate"])
    def test_number_below_one_is_refused(self, name):
        with pytest.raises(ValueError, match=f"{name} must be at least 1"):
            train(small(), memory, **{"steps": 2, "seed": 1, name: 0})

    def test_divergence_names_the_step(self):
        def broken(n, rng):
            task = memory(n, rng)
            task.x[0, 0, 0] = np.inf
            return task

        with pytest.raises(ValueError, match="at step 0 must be finite; use a smaller lr"):
            train(small("relu_rnn"), broken, steps=3, seed=1)


class TestEvaluate:
    def test_equals_a_loop_over_sequences(self, rng):
        model, task = small("lstm"), memory_task(41, 3, rng)
        right = 0
        for n in range(41):
            outputs, _ = model(torch.as_tensor(task.x[n : n + 1], dtype=torch.float32))
            right += int(outputs[0, -1].argmax()) == task.target[n]
        assert evaluate(model, task) == right / 41


class TestRunSeeds:
    def test_one_run_a_seed_in_order_each_as_if_alone(self, rng):
        test = memory_task(50, 3, rng)
        runs = run_seeds(lambda s: small(seed=s), memory, test, (4, 2), steps=60, lr=0.02)
        assert [run.seed for run in runs] == [4, 2]
        alone = small(seed=2)
        train(alone, memory, steps=60, lr=0.02, seed=2)
        np.testing.assert_array_equal(weights(runs[1].model), weights(alone))
        assert runs[1].score == evaluate(alone, test) != evaluate(small(seed=2), test)
