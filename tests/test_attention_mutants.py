"""Every listed mistake in attention is noticed by each compact check that it concerns."""

import sys

import numpy as np
import pytest
from attention_checks import CHECKS, MODULES, real_modules
from attention_mutants import MUTANTS
from cell_mutants import loaded, mutated, source_of


def survivors(mutants):
    """Lines about the mutants that some check did not notice, or that could not be run."""
    found = []
    for module, what, old, new, checks in mutants:
        with (
            loaded(module, mutated(module, old, new), MODULES) as modules,
            np.errstate(all="ignore"),
        ):
            for name in checks:
                try:  # an overflow is no proof, the wrong number is
                    CHECKS[name](modules, np.random.default_rng(7))
                except AssertionError:
                    continue
                except Exception as error:
                    found.append(f"{module}.py, {what}: does not run in {name}: {error!r}")
                    continue
                found.append(f"{module}.py, {what}: not noticed in {name}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_mutant_is_noticed_by_every_check_it_concerns(module):
    mutants = [mutant for mutant in MUTANTS if mutant[0] == module]
    assert mutants, f"no mutants of {module}.py"
    found = survivors(mutants)
    assert not found, "mutants that live:\n" + "\n".join(found)


@pytest.mark.parametrize("module", MODULES)
def test_the_module_itself_loaded_the_same_way_is_right(module):
    before = vars(real_modules())
    with loaded(module, source_of(module), MODULES) as modules:
        assert getattr(modules, MODULES[-1]) is not before[MODULES[-1]]
        for check in CHECKS.values():
            check(modules, np.random.default_rng(7))
    assert all(sys.modules[f"course_lib.{name}"] is before[name] for name in before)


def test_a_harmless_edit_is_reported_as_a_survivor():
    edit = ("attention", "terms the other way round", "weights @ v, mask, score)",
            "(weights @ v) + 0.0, mask, score)", ("dot",))  # fmt: skip
    assert survivors([edit]) == ["attention.py, terms the other way round: not noticed in dot"]


@pytest.mark.parametrize(
    "mistake",
    ["1 / sqrt(d) missing", "softmax over the wrong axis", "mask forgotten", "hard maximum",
     "causal mask hides the step itself", "causal mask shows the next step"],
)  # fmt: skip
def test_the_mistakes_that_are_always_made_are_listed(mistake):
    assert any(mistake in what for _, what, *_ in MUTANTS)
