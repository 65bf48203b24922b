"""Docstrings of public functions say what is true: parameters, shapes, results, errors, sources."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "course_lib"
# Read by their authors only: private modules, Sphinx hooks, the checks of exercises.
NOT_PUBLIC = {"book_ext", "exercises", "demos"}
# Models with nothing to cite: their formulas are definitions. Nor do bridges, which have none.
NO_REFERENCE = {"__init__", "emissions", "parity", "attention_parity", "trace"}
NOT_MODELS = {"plotting", "training", "trace"}
THIN = 3  # a function of at most so many statements may have one line

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) ?:(?: |$)(.*)$", re.MULTILINE)
SHAPE = re.compile(r"\bshape (\((?:[^()]|\([^()]*\))*\))")


@dataclass
class Docstring:
    """A numpydoc text, taken apart."""

    summary: str
    sections: dict = field(default_factory=dict)

    def __init__(self, text):
        text = text.strip()
        self.summary = text.split("\n", 1)[0]
        self.sections = {}
        heads = list(SECTION.finditer(text))
        for head, after in zip(heads, [*heads, None][1:], strict=True):
            end = after.start() if after else len(text)
            self.sections[head[1]] = text[head.end() : end].strip("\n")

    def parameters(self):
        names = []
        for entry in ENTRY.finditer(self.sections.get("Parameters", "")):
            names += [name.strip() for name in entry[1].split(",")]
        return names


def problems(node, module_text=""):
    """Return what is wrong with the docstring of one public function."""
    text = ast.get_docstring(node)
    if not text:
        return ["has no docstring"]
    doc, found = Docstring(text), []
    if not re.match(r"[A-Z].*[.!?]$", doc.summary):
        found.append("its first line is not a sentence")
    if len(node.body) - 1 <= THIN and "\n" not in text.strip():
        return found
    signature = parameters_of(node)
    if doc.parameters() != signature:
        found.append(f"documents parameters {doc.parameters()}, has {signature}")
    if returns_value(node) and not {"Returns", "Yields"} & set(doc.sections):
        found.append("returns a value that it does not document")
    if raises(node) and "Raises" not in doc.sections:
        found.append("raises and does not say when")
    for section in ("Parameters", "Returns"):
        for shape in SHAPE.findall(doc.sections.get(section, "")):
            found += shape_problems(shape, signature, module_text)
    return found


def parameters_of(node):
    a = node.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args)]
    names += [f"*{a.vararg.arg}"] if a.vararg else []
    names += [arg.arg for arg in a.kwonlyargs]
    names += [f"**{a.kwarg.arg}"] if a.kwarg else []
    return [name for name in names if name not in ("self", "cls")]


def own_nodes(node):
    """Nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield from own_nodes(child)


def returns_value(node):
    return any(
        isinstance(n, ast.Yield) or (isinstance(n, ast.Return) and n.value is not None)
        for n in own_nodes(node)
    )


def raises(node):
    return any(isinstance(n, ast.Raise) for n in own_nodes(node))


def shape_problems(shape, signature, module_text):
    """A shape is a tuple of sizes; each letter is a parameter or explained by the module."""
    try:
        tree = ast.parse(shape, mode="eval").body
    except SyntaxError:
        return [f"shape {shape} is not Python"]
    if not isinstance(tree, ast.Tuple):
        return [f"shape {shape} is not a tuple: write (T,)"]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in signature:
            if not re.search(rf"\b{node.id}\b", module_text):
                found.append(f"shape {shape} uses {node.id}, which the module does not explain")
        elif isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
            found.append(f"shape {shape} is not made of sizes")
    return found


def public_functions(path):
    """(name, node, module docstring) of public functions and methods of public classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module_text = ast.get_docstring(tree) or ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, module_text
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node, module_text
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method, module_text


def is_public(path):
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    if parts[0] == "plotting":
        return parts[-1] != "_frame"  # the other files are offered by plotting/__init__.py
    return parts[0] not in NOT_PUBLIC and not any(
        part.startswith("_") and part != "__init__" for part in parts
    )


MODULES = [path for path in sorted(LIBRARY.rglob("*.py")) if is_public(path)]
FUNCTIONS = [
    pytest.param(node, module_text, id=f"{path.relative_to(LIBRARY).with_suffix('')}.{name}")
    for path in MODULES
    for name, node, module_text in public_functions(path)
]
MODELS = [
    path
    for path in MODULES
    if path.parent == LIBRARY
    and path.stem not in NO_REFERENCE | NOT_MODELS
    and not path.stem.endswith("_bridge")
]


@pytest.mark.parametrize("node, module_text", FUNCTIONS)
def test_docstring_is_true_and_complete(node, module_text):
    if isinstance(node, ast.ClassDef):
        assert ast.get_docstring(node), "has no docstring"
    else:
        assert problems(node, module_text) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_model_cites_where_it_comes_from(path):
    assert "doi:10." in path.read_text(encoding="utf-8")


GOOD = '''
def step(belief, A, n=1):
    """Predict the next belief.

    Parameters
    ----------
    belief : ndarray of shape (K,)
        Now.
    A : ndarray of shape (K, K)
        Rows sum to 1.
    n : int, default=1
        Steps.

    Returns
    -------
    belief : ndarray of shape (n + 1, K)
        Later.

    Raises
    ------
    ValueError
        If n is negative.
    """
    if n < 0:
        raise ValueError(n)
    x = 1
    y = x
    return y
'''


class TestProblems:
    def of(self, code):
        return problems(ast.parse(code).body[0], "Letters: K states.")

    def test_good_one_has_none(self):
        assert self.of(GOOD) == []

    @pytest.mark.parametrize(
        "old, new, problem",
        [
            ("Predict the next belief.", "predict the next belief", "not a sentence"),
            ("belief, A, n=1", "belief, A, m=1", "documents parameters"),
            ("belief, A, n=1", "A, belief, n=1", "documents parameters"),
            ("    n : int, default=1\n        Steps.\n", "", "documents parameters"),
            ("    Returns\n    -------\n", "    Notes\n    -----\n", "does not document"),
            ("    Raises\n    ------\n", "    Notes\n    -----\n", "does not say when"),
            ("shape (K,)", "shape (K)", "not a tuple"),
            ("(K, K)", "(K, Q)", "uses Q"),
            ("(K, K)", "(K, K K)", "not Python"),
            ("(n + 1, K)", "(len(n), K)", "not"),
        ],
    )
    def test_bad_ones_are_told(self, old, new, problem):
        assert old in GOOD
        found = self.of(GOOD.replace(old, new))
        assert any(problem in line for line in found), found

    def test_missing_docstring_and_one_line(self):
        assert self.of("def f(x):\n    return x") == ["has no docstring"]
        assert self.of('def f(x):\n    """Return x."""\n    return x') == []
        long = 'def f(x):\n    """Return x."""\n' + "    x += 1\n" * 4 + "    return x"
        assert len(self.of(long)) == 2
