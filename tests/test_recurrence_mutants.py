"""Every listed mistake in a recurrence is noticed by the compact check its own tests run."""

import numpy as np
import pytest
from cell_mutants import loaded, mutated, source_of
from recurrence_checks import NAMES, check, check_gradients
from recurrence_mutants import MUTANTS, ORDER

CONCERNED = {
    "scan": ("linear rnn",),
    "linear_recurrence": ("linear rnn",),
    "min_rnn": ("min gru write", "min gru keep", "min lstm"),
    "linear_attention": ("linear attention",),
    "selective_ssm": ("ssm zoh", "ssm euler"),
    "rwkv": ("rwkv",),
}


def noticed(modules, module):
    try:
        for name in CONCERNED[module]:
            check(modules, name, np.random.default_rng(7))
        if module == "scan":
            check_gradients(modules, np.random.default_rng(7))
    except (AssertionError, ValueError, OverflowError):
        return True
    return False


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a wrong recurrence may overflow
@pytest.mark.parametrize("module", ORDER)
def test_every_mutant_is_noticed(module):
    living = []
    for owner, what, old, new in MUTANTS:
        if owner == module:
            with loaded(module, mutated(module, old, new), ORDER) as modules:
                if not noticed(modules, module):
                    living.append(what)
    assert living == []


@pytest.mark.parametrize("module", ORDER)
def test_the_module_itself_loaded_the_same_way_is_right(module):
    with loaded(module, source_of(module), ORDER) as modules:
        assert not noticed(modules, module)


def test_every_recurrence_belongs_to_a_module():
    assert {name for names in CONCERNED.values() for name in names} == set(NAMES)
