"""Every listed mistake in a cell is noticed by the compact check that the cell's own tests run."""

import sys

import numpy as np
import pytest
from cell_checks import VARIANTS, check, real_modules
from cell_mutants import MUTANTS, ORDER, loaded, mutated, source_of

CELLS = ("rnn", "lstm", "gru")


def noticed(modules, variants, padding):
    """Whether all variants are found wrong by their numbers, and the first that is not."""
    for name in variants:
        try:
            check(modules, name, np.random.default_rng(7), padding)
        except AssertionError:
            continue
        return False, name
    return True, None


def survivors(mutants):
    """Lines about the mutants that were not noticed, or could not be run."""
    found = []
    for module, what, old, new, variants, *padding in mutants:
        with loaded(module, mutated(module, old, new)) as modules:
            try:
                killed, where = noticed(modules, variants, *(padding or ["mask"]))
            except Exception as error:
                found.append(f"{module}.py, {what}: does not run: {error!r}")
                continue
        if not killed:
            found.append(f"{module}.py, {what}: not noticed in {where}")
    return found


@pytest.mark.parametrize("module", ORDER)
def test_every_mutant_is_noticed_in_every_variant_it_concerns(module):
    mutants = [mutant for mutant in MUTANTS if mutant[0] == module]
    assert mutants, f"no mutants of {module}.py"
    found = survivors(mutants)
    assert not found, f"{len(found)} of {len(mutants)} mutants live:\n" + "\n".join(found)


@pytest.mark.parametrize("module", ORDER)
def test_the_module_itself_loaded_the_same_way_is_right(module):
    """Else the mutants would be rejected for how they are loaded."""
    before = vars(real_modules())
    with loaded(module, source_of(module)) as modules:
        assert getattr(modules, ORDER[-1]) is not before[ORDER[-1]]
        for name in (*VARIANTS, "layers"):
            check(modules, name, np.random.default_rng(7))
    assert all(sys.modules[f"course_lib.{name}"] is before[name] for name in before)


def test_a_harmless_edit_is_reported_as_a_survivor():
    edit = ("rnn", "terms the other way round", "phi(from_input[t] + h[t] @ params.W_hh)",
            "phi(h[t] @ params.W_hh + from_input[t])", ("rnn tanh",))  # fmt: skip
    assert survivors([edit]) == ["rnn.py, terms the other way round: not noticed in rnn tanh"]


def test_an_edit_that_breaks_the_module_is_no_proof():
    edit = ("rnn", "a name that is not there", "return phi(x_t", "return psi(x_t", ("rnn tanh",))
    (line,) = survivors([edit])
    assert "does not run: NameError" in line


def test_an_edit_of_text_that_is_gone_is_told():
    with pytest.raises(AssertionError, match="has 0 times"):
        mutated("gru", "no such text", "")


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_has_the_mistakes_that_are_always_made(cell):
    told = " / ".join(what for module, what, *_ in MUTANTS if module == cell)
    for mistake in ("swapped" if cell != "rnn" else "transposed", "mask forgotten", "carried",
                    "on the way back", "state after the step"):  # fmt: skip
        assert mistake in told or (mistake == "carried" and "carry missing" in told), mistake
