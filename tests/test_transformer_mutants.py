"""Every listed mistake in a transformer block is noticed by its compact check."""

import sys

import numpy as np
import pytest
from cell_mutants import loaded, mutated, source_of
from transformer_checks import check
from transformer_mutants import MUTANTS, ORDER

SEED = 7


def survivors(mutants):
    """Lines about the mutants that were not noticed, or could not be run."""
    found = []
    for module, what, old, new in mutants:
        with loaded(module, mutated(module, old, new), ORDER) as modules:
            try:
                check(modules, np.random.default_rng(SEED))
                found.append(f"{module}.py, {what}: not noticed")
            except AssertionError:
                continue
            except Exception as error:
                found.append(f"{module}.py, {what}: does not run: {error!r}")
    return found


@pytest.mark.parametrize("module", sorted({mutant[0] for mutant in MUTANTS}))
def test_every_mutant_is_noticed(module):
    found = survivors([mutant for mutant in MUTANTS if mutant[0] == module])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", ORDER)
def test_the_module_itself_loaded_the_same_way_is_right(module):
    """Else the mutants would be rejected for how they are loaded."""
    before = sys.modules[f"course_lib.{module}"]
    with loaded(module, source_of(module), ORDER) as modules:
        assert getattr(modules, module) is not before
        check(modules, np.random.default_rng(SEED))
    assert sys.modules[f"course_lib.{module}"] is before


def test_a_harmless_edit_is_reported_as_a_survivor():
    edit = ("transformer", "the sum the other way round", "middle = x + attention.y\n",
            "middle = attention.y + x\n")  # fmt: skip
    assert survivors([edit]) == ["transformer.py, the sum the other way round: not noticed"]
