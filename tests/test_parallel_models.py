"""The PyTorch twins of the recurrences that a scan can run: same numbers, true gradients."""

import numpy as np
import pytest
import torch

from course_lib.datasets.memory import memory_task
from course_lib.linear_attention import linear_attention_loop
from course_lib.linear_recurrence import linear_forward
from course_lib.min_rnn import min_gru_loop, min_lstm_loop
from course_lib.parallel_models import KINDS, ParallelModel, ParallelStack, linear_recurrence
from course_lib.selective_ssm import selective_ssm_loop
from course_lib.training import train

N, T, D, H, N_OUT, K = 2, 9, 3, 5, 4, 7
LOOPS = {
    "min_gru": lambda x, params: min_gru_loop(x, params)[0],
    "min_lstm": lambda x, params: min_lstm_loop(x, params)[0],
    "linear_rnn": lambda x, params: linear_forward(x, params).h[:, 1:],
    "linear_attention": lambda x, params: linear_attention_loop(x, params)[0],
    "ssm": lambda x, params: selective_ssm_loop(x, params)[0],
}
STARTS = [(kind, patient) for kind in KINDS for patient in (None, 40)]
STARTS.remove(("linear_attention", 40))


def model_of(kind, patient=None, seed=3):
    return ParallelModel(kind, D, H, N_OUT, seed, patient=patient, K=K).double()


@pytest.fixture
def x(rng):
    return torch.as_tensor(rng.normal(size=(N, T, D)))


@pytest.mark.parametrize("kind, patient", STARTS)
def test_same_numbers_as_in_numpy(x, kind, patient):
    model = model_of(kind, patient)
    with torch.no_grad():
        shown, below = model.features(x)[0], model.embed(x)
    wanted = LOOPS[kind](below.numpy(), model.to_params())
    np.testing.assert_allclose(shown.numpy(), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_state_carries_over_a_cut(x, kind):
    model = model_of(kind)
    with torch.no_grad():
        whole, state = model(x)
        first, between = model(x[:, :4])
        second, last = model(x[:, 4:], between)
    np.testing.assert_allclose(torch.cat([first, second], 1), whole, rtol=0, atol=1e-12)
    for got, wanted in zip(last, state, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_looks_ahead(x, kind):
    model, changed = model_of(kind), x.clone()
    changed[:, 6] += 1.0
    with torch.no_grad():
        a, b = model(x)[0], model(changed)[0]
    assert torch.equal(a[:, :6], b[:, :6])
    assert (a[:, 6] != b[:, 6]).any()


def test_gradient_of_the_recurrence(rng):
    shapes = (T, N, H), (T, N, H), (N, H)
    a, b, h0 = (torch.as_tensor(rng.normal(size=shape)).requires_grad_() for shape in shapes)
    assert torch.autograd.gradcheck(linear_recurrence, (a, b, h0))


@pytest.mark.parametrize("kind", ["min_gru", "min_lstm", "linear_rnn"])
def test_patient_memories_last_as_long_as_the_task(kind):
    model = ParallelModel(kind, D, 200, N_OUT, 0, patient=50)
    silence = torch.zeros(1, 1, D)
    with torch.no_grad():
        one, zero = (model.core(silence, torch.full((1, 200), s))[0][0, 0] for s in (1.0, 0.0))
    lasts = 1 / (1 - (one - zero).numpy())  # steps until a state has faded to about 1/e
    assert 1.9 < lasts.min() < 4 and 45 < lasts.max() < 50.1


def test_seed_fixes_the_start_and_leaves_the_generator_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    a, b, c = (ParallelModel("ssm", D, H, N_OUT, seed).readout.weight for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(a, b) and not torch.equal(a, c)


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_is_learned(x, kind):
    model = model_of(kind)
    (model(x)[0] ** 2).mean().backward()
    still = [name for name, weights in model.named_parameters() if not weights.grad.abs().max() > 0]
    assert still == []


def test_learns_to_name_the_symbol_of_two_steps_ago():
    model = ParallelModel("min_gru", 4, 16, 2, 0)
    history = train(
        model,
        lambda n, rng: memory_task(n, 2, rng),
        **{"steps": 60, "seed": 0, "lr": 0.03, "stop_loss": 0.3, "window": 5, "progress": False},
    )
    assert history.stopped


@pytest.mark.parametrize(
    "kind, patient, message",
    [("gru", None, "min_gru"), ("linear_attention", 9, "no gate"), ("ssm", 2, "at least 3")],
)
def test_bad_choices_are_named(kind, patient, message):
    with pytest.raises(ValueError, match=message):
        ParallelModel(kind, D, H, N_OUT, 0, patient=patient)


class TestStack:
    """Layers on layers: the upper ones' gates see a past that a single layer's cannot."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_two_pieces_with_the_state_carried_on_are_the_whole(self, x, kind):
        stack = ParallelStack(kind, D, H, N_OUT, 3, layers=3, K=K).double()
        with torch.no_grad():
            whole, after = stack(x)
            first, state = stack(x[:, :4])
            second, end = stack(x[:, 4:], state)
        assert len(after) == 3
        torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=0, atol=1e-12)
        torch.testing.assert_close(end, after, rtol=0, atol=1e-12)

    def test_one_layer_by_hand(self, x):
        stack = ParallelStack("min_gru", D, H, N_OUT, 3, layers=1).double()
        with torch.no_grad():
            for norm in stack.norms:  # gains and biases that differ from where they start
                norm.weight.copy_(torch.linspace(0.5, 2.0, H))
                norm.bias.copy_(torch.linspace(-1.0, 0.3, H))
            below = stack.embed(x)
            own = min_gru_loop(stack.norms[0](below).numpy(), stack.cores[0].to_params())[0]
            expected = stack.readout(stack.norms[1](below + torch.as_tensor(own)))
            np.testing.assert_allclose(stack(x)[0], expected, rtol=0, atol=1e-12)

    def test_upper_layers_read_the_lower_ones(self, x):
        """A gate of the second layer at step 2 must feel the input of step 0."""
        stack = ParallelStack("min_gru", D, H, N_OUT, 3).double()
        gates = []
        stack.cores[1].gate.register_forward_hook(lambda _, __, out: gates.append(out[2]))
        other = x.clone()
        other[:, 0] += 1.0
        with torch.no_grad():
            stack(x), stack(other)
        assert float((gates[0] - gates[1]).abs().max()) > 1e-3

    def test_refuses_no_layer_and_an_unknown_kind(self):
        with pytest.raises(ValueError, match="layers must be at least 1, got 0"):
            ParallelStack("min_gru", D, H, N_OUT, 0, layers=0)
        with pytest.raises(ValueError, match="kind must be one of min_gru"):
            ParallelStack("gru", D, H, N_OUT, 0)
