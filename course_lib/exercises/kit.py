r'''Building blocks for the checks of a chapter.

A check tells a reader, in one line, that an answer is right or what is wrong with it and which
mistake would explain it. It never raises, never gives the answer away and returns ``None``.

A guide for authors
-------------------
Write one function ``check_<what>`` an exercise in ``course_lib/exercises/chapter_0N.py``::

    from course_lib.exercises.kit import exercise, wrong_choice, wrong_function, wrong_value

    @exercise("2.1 One step by hand")
    def check_one_step(answer):
        """Posterior over the dice after one six."""
        joint = CASINO_PI * CASINO_B[:, 5]
        return wrong_value(
            answer, joint / joint.sum(), axes=("state",), distribution=True,
            likely=[
                (joint, "this is the joint: did you divide by its sum?"),
                (CASINO_PI, "this is the prior: the roll is not in it yet"),
            ],
        )

The function returns ``None`` (right) or a text: *what is wrong; the likely mistake*. ``exercise``
prints the line, deals with answers that are still ``...`` or ``None``, and turns any exception into
a line. Blocks are joined by ``or``, and the first one that has something to say wins::

    return wrong_value(answer[0], pi, ...) or wrong_value(answer[1], A, ...)

The blocks:

``wrong_value(answer, want, ...)``
    Numbers, arrays, and tuples of them (name the parts: ``parts=("pi", "A")``). It finds by itself:
    not a number, text, a function that was not called, ragged rows, wrong shape (transposed,
    missing or extra axis, off by one), NaN and infinity, probabilities that are negative or do not
    sum to 1 (``distribution=True``; columns instead of rows), and these wrong values: transposed,
    time reversed, shifted by one step, states swapped, sign, log or not, bits or nats, percent, a
    constant factor, rounded too far. Put the mistakes of *this* exercise in ``likely``, a list of
    ``(wrong value, message)``: it is asked first.
``wrong_function(function, cases, ...)``
    The reader's own function. ``cases`` is a list of argument tuples; give the right function as
    ``want=`` and wrong ones as ``likely=[(wrong function, message)]``. Each call is guarded: an
    exception is reported in one line, an argument that was changed is a mistake. The results go
    through everything that ``wrong_value`` knows.
``wrong_choice(answer, want, ...)``
    A word, a letter, True or False, a whole number, or a set of them; ``likely={"b": "message"}``.
``wrong_claim(answer, claims)``
    Open questions ("find a chain that ..."): a list of ``(test, message)``. The first test that is
    not true of the answer, or that raises, gives the message.

In the chapter, the reader's cell ends with the check, and prints *not answered yet* until then::

    from course_lib.exercises import chapter_02 as exercises

    posterior = ...  # your code
    exercises.check_one_step(posterior)

Every check needs at least three wrong answers and one right one in
``tests/wrong_answers/chapter_0N.py``; see there for the form. Messages name the mistake, not the
answer. Start a ``likely`` message in lower case and end it without a full stop.
'''

import copy
import functools
import warnings

import numpy as np

RIGHT, WRONG, OPEN = "✓", "✗", "○"


def exercise(name):
    """Decorate a check: print its one line, never raise, return None.

    Parameters
    ----------
    name : str
        Number and title of the exercise, as the reader sees it.

    Returns
    -------
    decorator : callable
        Turns a function that returns a problem (str) or None into one that prints.
    """

    def decorate(find_problem):
        @functools.wraps(find_problem)
        def check(*answers, **named_answers):
            print(_line(name, find_problem, answers, named_answers))

        check.exercise = name
        return check

    return decorate


def wrong_value(
    answer, want, *, likely=(), axes=None, parts=None, distribution=False, rtol=1e-6, atol=1e-9
):
    """Compare a number, an array or a tuple of them with the right value.

    Parameters
    ----------
    answer : object
        What the reader has.
    want : float, ndarray, or tuple of them
        The right value.
    likely : list of (object, str), default=()
        Wrong values of this exercise, each with the message that names the mistake.
    axes : tuple of str, default=None
        Names of the axes for messages, such as ("time", "state").
    parts : tuple of str, default=None
        Names of the parts if ``want`` is a tuple.
    distribution : bool, default=False
        Entries along the last axis are probabilities that sum to 1.
    rtol : float, default=1e-6
        Relative tolerance.
    atol : float, default=1e-9
        Absolute tolerance.

    Returns
    -------
    problem : str or None
        What is wrong and why, or None if the answer is right.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if isinstance(want, tuple):
            return _wrong_tuple(answer, want, likely, parts, distribution, rtol, atol)
        return _wrong_array(answer, want, likely, axes, distribution, rtol, atol)


def wrong_function(
    function, cases, *, want, likely=(), axes=None, parts=None, distribution=False, **tolerance
):
    """Call the reader's function on several inputs and compare with the right function.

    Parameters
    ----------
    function : callable
        The reader's function.
    cases : list of tuple
        Positional arguments of each call; a single argument that is no tuple is taken as one.
    want : callable
        The right function.
    likely : list of (callable, str), default=()
        Wrong functions with the message that names the mistake. A message is used if the wrong
        function agrees with the reader's in every case.
    axes : tuple of str, default=None
        Names of the axes of the result.
    parts : tuple of str, default=None
        Names of the parts if the result is a tuple.
    distribution : bool, default=False
        Results are probabilities that sum to 1 along the last axis.
    **tolerance : float
        ``rtol`` and ``atol`` of :func:`wrong_value`.

    Returns
    -------
    problem : str or None
        What is wrong and why, or None if all results are right.
    """
    if not callable(function):
        return (
            f"expected a function, got {_kind(function)}; "
            "give the function itself, `check(f)`, not its result, `check(f(...))`"
        )
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    results = []
    for number, case in enumerate(cases, start=1):
        result, problem = _guarded_call(function, case, f"call {number} of {len(cases)}")
        if problem is not None:
            return problem
        results.append(result)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        rights = [want(*copy.deepcopy(case)) for case in cases]
        if all(_same(r, w, **tolerance) for r, w in zip(results, rights, strict=True)):
            return None
        for wrong, message in likely:
            wrongs = [_quiet(wrong, copy.deepcopy(case)) for case in cases]
            if all(_same(r, w, **tolerance) for r, w in zip(results, wrongs, strict=True)):
                return f"the results are off; {message}"
    for case, result, right in zip(cases, results, rights, strict=True):
        problem = wrong_value(
            result, right, axes=axes, parts=parts, distribution=distribution, **tolerance
        )
        if problem is not None:
            return f"with {_show_arguments(case)}: {problem}"
    return None


def wrong_choice(answer, want, *, likely=None, among=None):
    """Compare a word, a whole number, True or False, or a set of them with the right one.

    Parameters
    ----------
    answer : object
        What the reader has; case and outer blanks of words do not matter.
    want : str, bool, int, or set of them
        The right choice.
    likely : dict, default=None
        Message for each wrong choice that has a reason.
    among : tuple, default=None
        All choices, named when the answer is none of them.

    Returns
    -------
    problem : str or None
        What is wrong and why, or None if the choice is right.
    """
    given, right = _plain(answer), _plain(want)
    if type(given) is not type(right):
        return f"expected {_kind(want)}, got {_kind(answer)}"
    if among is not None:
        options = {_plain(option) for option in among}
        if not (given <= options if isinstance(given, frozenset) else given in options):
            return f"{_short(answer)} is not one of the choices; choose from " + ", ".join(
                str(option) for option in among
            )
    if given == right:
        return None
    for wrong, message in (likely or {}).items():
        if _plain(wrong) == given:
            return f"{_short(answer)} is not it; {message}"
    if isinstance(given, frozenset):
        missing, extra = len(right - given), len(given - right)
        return f"{missing} missing and {extra} too many; look at each choice by itself"
    return f"{_short(answer)} is not it; read the question once more"


def wrong_claim(answer, claims):
    """Test what must be true of an open answer.

    Parameters
    ----------
    answer : object
        What the reader has.
    claims : list of (callable, str)
        Tests of the answer, each with the message for when it fails.

    Returns
    -------
    problem : str or None
        Message of the first test that is not true, or None.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for test, message in claims:
            try:
                holds = bool(test(answer))
            except Exception:
                holds = False
            if not holds:
                return message
    return None


# ---- one line --------------------------------------------------------------------------------


def _line(name, find_problem, answers, named_answers):
    try:
        if any(_unanswered(a) for a in (*answers, *named_answers.values())):
            return f"{OPEN} {name}: not answered yet"
        problem = find_problem(*answers, **named_answers)
    except NotImplementedError:
        return f"{OPEN} {name}: not answered yet"
    except Exception as error:  # whatever a reader hands in, the notebook goes on
        problem = (
            f"the check could not read this answer ({_one_line(error)}); is it the right kind?"
        )
    if problem is None:
        return f"{RIGHT} {name}: passed"
    if problem == OPEN:
        return f"{OPEN} {name}: not answered yet"
    return f"{WRONG} {name}: {' '.join(str(problem).split())}"


def _unanswered(answer):
    if answer is None or answer is Ellipsis:
        return True
    if isinstance(answer, (tuple, list)):
        return any(part is None or part is Ellipsis for part in answer)
    return False


def _one_line(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:120]}" if text else type(error).__name__


def _kind(answer):
    if isinstance(answer, np.ndarray):
        return f"an array of shape {answer.shape}"
    names = {str: "text", bool: "True or False", int: "a whole number", float: "a number"}
    names |= {
        set: "a set",
        frozenset: "a set",
        tuple: "a tuple",
        list: "a list",
        dict: "a dictionary",
    }
    if callable(answer):
        return "a function"
    return names.get(type(answer), type(answer).__name__)


def _short(answer):
    text = " ".join(repr(answer).split())
    return text if len(text) <= 40 else text[:37] + "..."


# ---- functions -------------------------------------------------------------------------------

_HINTS = {
    IndexError: "an index runs past the end: where does the loop start and stop?",
    KeyError: "a name is looked up that is not there",
    ZeroDivisionError: "a sum is 0 before you divide by it",
    NameError: "a name is used that does not exist inside the function: pass it in?",
    RecursionError: "the function calls itself without an end",
    TypeError: "check the order and number of arguments, and that numbers are not still `...`",
    AttributeError: "a value is not of the kind you think: print its type",
    ValueError: "the shapes may not fit: print them before this line",
}


def _guarded_call(function, case, where):
    """Result of one call and None, or None and the problem."""
    before, given = copy.deepcopy(case), copy.deepcopy(case)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(*given)
    except NotImplementedError:
        return None, OPEN
    except (Exception, SystemExit) as error:
        hint = next((text for kind, text in _HINTS.items() if isinstance(error, kind)), "")
        return None, f"{where} raised {_one_line(error)}" + (f"; {hint}" if hint else "")
    if _unanswered(result):
        return None, OPEN
    if not all(_same(a, b, rtol=0.0, atol=0.0) for a, b in zip(given, before, strict=True)):
        return None, "the function changes its argument; work on a copy, `x = x.copy()`"
    return result, None


def _quiet(function, case):
    try:
        return function(*case)
    except Exception:  # a wrong function may not fit every case
        return None


def _show_arguments(case):
    return "input " + ", ".join(_show(argument) for argument in case)


def _show(argument):
    if isinstance(argument, (list, tuple)) and any(np.ndim(part) for part in argument):
        text = "[" + ", ".join(_show(part) for part in argument) + "]"  # rows may differ in length
    elif isinstance(argument, (list, np.ndarray)):
        text = np.array2string(
            np.asarray(argument), precision=3, threshold=8, edgeitems=3, separator=", "
        )
    else:
        return _short(argument)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


# ---- values ----------------------------------------------------------------------------------


def _wrong_tuple(answer, want, likely, parts, distribution, rtol, atol):
    names = parts or [f"part {k + 1}" for k in range(len(want))]
    if not isinstance(answer, (tuple, list)) or len(answer) != len(want):
        got = f"{len(answer)} of them" if isinstance(answer, (tuple, list)) else _kind(answer)
        return f"expected {len(want)} results, {', '.join(names)}, got {got}"
    if _same(answer, want, rtol, atol):
        return None
    for wrong, message in likely:
        if _same(answer, wrong, rtol, atol):
            return f"not the right values; {message}"
    for name, part, right in zip(names, answer, want, strict=True):
        problem = _wrong_array(part, right, (), None, distribution, rtol, atol)
        if problem is not None:
            return f"{name}: {problem}"
    return None


def _wrong_array(answer, want, likely, axes, distribution, rtol, atol):
    got, problem = _numbers(answer)
    if problem is not None:
        return problem
    want = np.asarray(want)
    if got.shape == want.shape and _close(got, want, rtol, atol):
        return None
    for wrong, message in likely:
        if _same(got, wrong, rtol, atol):
            return f"not the right {'number' if got.ndim == 0 else 'numbers'}; {message}"
    return (
        _wrong_shape(got, want, axes)
        or _not_finite(got, want)
        or (_not_distribution(got) if distribution else None)
        or _known_mistake(got, want.astype(float), rtol, atol)
        or _first_difference(got, want, axes, rtol, atol)
    )


def _numbers(answer):
    """The answer as an array of numbers and None, or None and the problem."""
    if callable(answer) and not hasattr(answer, "__array__"):
        return None, "expected numbers, got a function; call it: `f(...)`, not `f`"
    try:
        got = np.asarray(answer)
    except ValueError:
        return None, "expected an array, got rows of different lengths"
    except (RuntimeError, TypeError) as error:
        return None, f"expected numbers, got {_kind(answer)} ({_one_line(error)})"
    if got.dtype.kind == "O" and any(item is None or item is Ellipsis for item in got.ravel()):
        return None, OPEN
    if got.dtype.kind == "c":
        return None, "these are complex numbers, as eigenvectors often come; take np.real"
    if got.dtype.kind not in "iufb":
        return None, f"expected {'a number' if got.ndim == 0 else 'numbers'}, got {_kind(answer)}"
    if got.dtype.kind == "b":
        return None, "expected numbers, got True or False; a comparison where a value was meant?"
    return got, None


def _wrong_shape(got, want, axes):
    if got.shape == want.shape:
        return None
    axes = axes if axes is not None and len(axes) == want.ndim else None
    named = f" ({', '.join(axes)})" if axes else ""
    if want.ndim == 0:
        return f"expected one number, got shape {got.shape}; is a sum or an index missing?"
    text = f"expected shape {want.shape}{named}, got {got.shape}"
    if got.ndim == 0:
        return (
            f"expected an array of shape {want.shape}{named}, got one number; summed over too much?"
        )
    if got.shape == want.shape[::-1]:
        return f"{text}; transposed?"
    if got.squeeze().shape == want.squeeze().shape:
        return f"{text}; an axis of length 1 too {'many' if got.ndim > want.ndim else 'few'}"
    if got.ndim < want.ndim:
        return f"{text}; an axis is missing: summed or indexed away?"
    if got.ndim > want.ndim:
        return f"{text}; an axis too many: a sum or an index is missing"
    k = next(k for k in range(want.ndim) if got.shape[k] != want.shape[k])
    where = f"the {axes[k]} axis" if axes else f"axis {k}"
    difference = got.shape[k] - want.shape[k]
    if abs(difference) == 1:
        return f"{text}; {where} is 1 too {'long' if difference > 0 else 'short'}: first or last?"
    return f"{text}; look at {where}"


def _not_finite(got, want):
    bad = ~np.isfinite(got) & np.isfinite(np.asarray(want, dtype=float))
    if not bad.any():
        return None
    where = "it is" if got.ndim == 0 else f"entry {_first(bad)} is"
    value = got[bad].flat[0] if got.ndim else got[()]
    if np.isnan(value):
        return f"{where} nan; 0 / 0, or the log of a negative number?"
    return f"{where} {value}; log(0), or a division by 0?"


def _not_distribution(got):
    if got.ndim == 0:
        return None
    sums = got.sum(axis=-1)
    if np.all(got <= 0) and np.allclose(np.exp(got).sum(axis=-1), 1.0, atol=1e-6):
        return "these are log probabilities; take exp"
    if np.any(got < 0):
        return f"entry {_first(got < 0)} is negative, and a probability cannot be"
    if np.allclose(sums, 1.0, atol=1e-6):
        return None
    if got.ndim == 2 and np.allclose(got.sum(axis=0), 1.0, atol=1e-6):
        return "columns sum to 1, rows do not; divide by the sum along the last axis, keepdims=True"
    if np.allclose(got.sum(), 1.0, atol=1e-6):
        return "all entries together sum to 1; each row must"
    row = "the entries sum" if got.ndim == 1 else f"row {_first(np.abs(sums - 1) > 1e-6)} sums"
    value = sums if got.ndim == 1 else sums[np.abs(sums - 1) > 1e-6][0]
    return f"{row} to {value:.4g}, not 1; did you normalise?"


def _known_mistake(got, want, rtol, atol):
    """A wrong value that has a name."""

    def is_(other):
        return np.shape(other) == got.shape and _close(got, other, rtol, atol)

    axis_mistakes = []
    if got.ndim == 2 and got.shape[0] == got.shape[1]:
        axis_mistakes.append((want.T, "transposed: A[i, j] goes from i to j"))
    if got.ndim >= 1:
        axis_mistakes.append((want[::-1], "the first axis runs backwards"))
        if got.shape[0] > 2 and (
            _close(got[1:], want[:-1], rtol, atol) or _close(got[:-1], want[1:], rtol, atol)
        ):
            return "the values are right but shifted by one step"
    if got.ndim >= 2:
        axis_mistakes.append((want[..., ::-1], "the entries of the last axis are in reverse order"))
    unit_mistakes = [
        (-want, "the sign is the other way round"),
        (np.log(want), "this is the logarithm of the answer; take exp"),
        (np.exp(want), "this is exp of the answer; take the log"),
        (want / np.log(2), "this is in bits; the question asks for nats"),
        (want * np.log(2), "this is in nats; the question asks for bits"),
        (100 * want, "this is in percent; give a number from 0 to 1"),
        (1 - want, "this is one minus the answer"),
        (want**2, "this is the square of the answer"),
        (np.sqrt(np.abs(want)), "this is the square root of the answer"),
    ]
    for value, message in (*axis_mistakes, *unit_mistakes):
        if is_(value):
            return f"not the right value{'' if got.ndim == 0 else 's'}; {message}"
    if got.ndim > 0 and got.size > 1 and np.all(want != 0):
        ratio = got / want
        if np.allclose(ratio, ratio.flat[0], rtol=1e-6) and np.isfinite(ratio.flat[0]):
            return (
                f"every entry is {ratio.flat[0]:.4g} times what it should be; a factor is missing"
            )
    if _close(got, want, 1e-2, 5e-3) and not np.array_equal(got, want):
        rounded = any(_close(got, np.round(want, d), 0.0, 1e-12) for d in range(1, 7))
        if rounded:
            return "close, but rounded; leave the rounding to print"
    return None


def _first_difference(got, want, axes, rtol, atol):
    if got.ndim == 0:
        size = "large" if got > want else "small"
        return f"{got:.4g} is too {size}"
    wrong = ~np.isclose(got, want, rtol=rtol, atol=atol)
    index = _first(wrong)
    size = "large" if got[index] > want[index] else "small"
    where = f"entry {index if got.ndim > 1 else index[0]}"
    if axes is not None and len(axes) == got.ndim:
        where += f" ({', '.join(f'{a} {k}' for a, k in zip(axes, index, strict=True))})"
    how_many = f"{wrong.sum()} of {wrong.size} entries are off"
    return f"{how_many}; the first is {where}: {got[index]:.4g} is too {size}"


def _first(mask):
    return tuple(int(k) for k in np.argwhere(mask)[0])


def _close(got, want, rtol=1e-6, atol=1e-9):
    return np.allclose(got, want, rtol=rtol, atol=atol, equal_nan=True)


def _same(got, want, rtol=1e-6, atol=1e-9):
    """Whether two answers are equal, whatever they are; never raises."""
    if isinstance(want, (tuple, list)) and isinstance(got, (tuple, list)):
        if len(got) != len(want):
            return False
        return all(_same(g, w, rtol, atol) for g, w in zip(got, want, strict=True))
    if isinstance(want, dict) or isinstance(got, dict):
        return (
            isinstance(got, dict)
            and isinstance(want, dict)
            and _same(sorted(got.items(), key=repr), sorted(want.items(), key=repr), rtol, atol)
        )
    try:
        a, b = np.asarray(got), np.asarray(want)
        if a.shape != b.shape:
            return False
        if a.dtype.kind in "iufb" and b.dtype.kind in "iufb":
            return bool(_close(a, b, rtol, atol))
        return bool(np.all(a == b))
    except Exception:
        return got is want


def _plain(answer):
    """A choice in one spelling."""
    if isinstance(answer, (set, frozenset, list, tuple)):
        return frozenset(_plain(item) for item in answer)
    if isinstance(answer, str):
        return answer.strip().lower()
    if isinstance(answer, (bool, np.bool_)):
        return bool(answer)
    if isinstance(answer, (int, np.integer)):
        return int(answer)
    if isinstance(answer, (float, np.floating)):
        return int(answer) if float(answer).is_integer() else float(answer)
    return f"<{type(answer).__name__}>"  # no choice; arrays and the like cannot be in a set
