"""Checks of chapter 14, the bottleneck.

Letters: N sentences, S source time, T target time, V symbols, H units, n beginnings of a beam.
Sizes are pairwise distinct where a mixed-up axis must not pass.
"""

import numpy as np

from course_lib.exercises.kit import exercise, wrong_function

STOP = 8  # as in course_lib.datasets.translation


def _log_probs(rng, *shape):
    return np.log(rng.dirichlet(np.ones(shape[-1]), size=shape[:-1]))


# ---- 14.1 -----------------------------------------------------------------------------------


def _target_in(target, start):
    return np.hstack([np.full((len(target), 1), start), target[:, :-1]])


@exercise("14.1 What the decoder reads")
def check_target_in(function):
    """START, then the target without its last token."""
    rng = np.random.default_rng(141)
    cases = [(rng.integers(9, size=shape), start) for shape, start in (((3, 5), 9), ((4, 2), 17))]
    return wrong_function(
        function,
        cases,
        want=_target_in,
        axes=("sentence", "time"),
        likely=[
            (
                lambda target, start: target,
                "this is what the decoder must say: it would only have to copy",
            ),
            (
                lambda target, start: np.hstack([np.full((len(target), 1), start), target]),
                "one token too long: nobody reads the last one",
            ),
            (
                lambda target, start: np.hstack([target[:, 1:], np.full((len(target), 1), start)]),
                "shifted the other way: this shows the decoder the future",
            ),
            (
                lambda target, start: np.hstack([np.full((len(target), 1), start), target[:, 1:]]),
                "the first token is overwritten; the others must move to the right",
            ),
            (
                lambda target, start: np.roll(target, 1, axis=1),
                "np.roll brings the last token to the front; START belongs there",
            ),
            (
                lambda target, start: np.vstack([np.full_like(target[:1], start), target[:-1]]),
                "shifted from sentence to sentence; the time axis is the second",
            ),
        ],
    )


# ---- 14.2 -----------------------------------------------------------------------------------


def _handed_over(states, lengths):
    return states[np.arange(len(states)), lengths - 1]


@exercise("14.2 Handed over")
def check_handed_over(function):
    """The state after each sentence's own last word."""
    rng = np.random.default_rng(142)
    cases = [
        (rng.normal(size=(4, 5, 3)), np.array([2, 5, 1, 3])),
        (rng.normal(size=(2, 7, 6)), np.array([4, 6])),
    ]
    return wrong_function(
        function,
        cases,
        want=_handed_over,
        axes=("sentence", "unit"),
        likely=[
            (
                lambda states, lengths: states[:, -1],
                "this is the state after the filling; it has read words that nobody said",
            ),
            (
                lambda states, lengths: states[np.arange(len(states)), lengths % states.shape[1]],
                "one step too far: the first word has index 0",
            ),
            (
                lambda states, lengths: states[:, 0],
                "this is the state after the first word",
            ),
            (
                lambda states, lengths: states[np.arange(len(states)), -lengths],
                "counted from the end of the array; the filling stands there",
            ),
            (
                lambda states, lengths: states[:, lengths - 1],
                "states[:, lengths - 1] pairs every sentence with every length",
            ),
            (
                lambda states, lengths: states[:, lengths.max() - 1],
                "this is where the longest sentence ends; each has its own end",
            ),
            (
                lambda states, lengths: np.array(
                    [s[:L].mean(axis=0) for s, L in zip(states, lengths, strict=True)]
                ),
                "this is the mean of the states; the last one is handed over",
            ),
        ],
    )


# ---- 14.3 -----------------------------------------------------------------------------------


def _said(log_probs, target):
    return np.take_along_axis(log_probs, target[..., None], axis=2)[..., 0]


def _up_to(target, lengths, more):
    return np.arange(target.shape[1]) < lengths[:, None] + more


def _sentences(log_probs, target, lengths):
    return (_said(log_probs, target) * _up_to(target, lengths, 1)).sum(axis=1)


@exercise("14.3 A whole sentence")
def check_sentence_log_probs(function):
    """Sum of the log probabilities of a target's words and its STOP."""
    rng = np.random.default_rng(143)
    cases = []
    for lengths, T in (((2, 5, 1, 3), 7), ((4, 2), 5)):
        lengths = np.array(lengths)
        target = rng.integers(8, size=(len(lengths), T))
        target[~_up_to(target, lengths, 0)] = STOP
        cases.append((_log_probs(rng, len(lengths), T, 9), target, lengths))
    return wrong_function(
        function,
        cases,
        want=_sentences,
        axes=("sentence",),
        likely=[
            (
                lambda lp, y, L: _said(lp, y).sum(axis=1),
                "the filling is paid for, too; only the first STOP belongs to the sentence",
            ),
            (
                lambda lp, y, L: (_said(lp, y) * _up_to(y, L, 0)).sum(axis=1),
                "STOP is not counted; ending in the right place has its price",
            ),
            (
                lambda lp, y, L: _sentences(lp, y, L) / (L + 1),
                "this is the mean of a token; the probability of a sentence is a product",
            ),
            (
                lambda lp, y, L: np.exp(_sentences(lp, y, L)),
                "these are probabilities; log probabilities are asked",
            ),
            (
                lambda lp, y, L: -_sentences(lp, y, L),
                "the sign: this is what the sentences cost",
            ),
            (
                lambda lp, y, L: _sentences(lp, y, L).sum(),
                "the sentences are added up; one number each is asked",
            ),
            (
                lambda lp, y, L: (lp.max(axis=2) * _up_to(y, L, 1)).sum(axis=1),
                "this charges the most probable tokens; charge those of the target",
            ),
        ],
    )


# ---- 14.4 -----------------------------------------------------------------------------------


def _writer(seed, V, stop, first):
    """Return a step whose next token depends on the last one and the time.

    Its state is a clock that begins at ``first``, so neither STOP nor the first state is always 0.
    """
    log_probs = _log_probs(np.random.default_rng(seed), 16, V + 1, V)
    log_probs[:, :, [0, stop]] = log_probs[:, :, [stop, 0]]
    log_probs[first, :, stop] = -9.0  # nobody stops before the first word

    def step(token, state):
        return log_probs[state, token], state + 1

    return step


def _write(step, state, start, stop, most, feed="own", keep=False, carry=True):
    words, last = [], start
    for _ in range(most):
        log_probs, after = step(last, state)
        state = after if carry else state
        token = int(np.argmax(log_probs))
        if token == stop:
            return [*words, token] if keep else words
        words.append(token)
        last = start if feed == "start" else token
    return words


def _padded(function):
    """Lists of words as one array, which can be compared at once; no word after the end."""

    def padded(step, state, start, stop, most):
        words = function(step, state, start, stop, most)
        if words is None or words is Ellipsis:
            return words
        words = list(words)[: most + 2]
        row = np.full(most + 2, -7.5)  # nothing that an answer would put there itself
        row[: len(words)] = words
        return row

    return padded


@exercise("14.4 Greed")
def check_greedy(function):
    """The most probable token each time, until STOP or the limit."""
    if not callable(function):
        return wrong_function(function, [], want=_write)
    cases = [(_writer(seed, V, stop, first), first, V, stop, most)
             for seed, V, stop, first, most in
             ((0, 4, 3, 0, 9), (4, 6, 0, 1, 9), (2, 5, 4, 0, 3),
              (9, 3, 1, 2, 8), (21, 4, 2, 0, 9), (5, 5, 0, 1, 9))]  # fmt: skip

    def variant(**options):
        return _padded(lambda *case: _write(*case, **options))

    def runs_on(step, state, start, stop, most):
        words, last = [], start
        for _ in range(most):
            log_probs, state = step(last, state)
            last = int(np.argmax(log_probs))
            words.append(last)
        return [word for word in words if word != stop]

    def one_less(step, state, start, stop, most):
        return _write(step, state, start, stop, most - 1)

    def one_more(step, state, start, stop, most):
        return _write(step, state, start, stop, most + 1)

    def until_stop(step, state, start, stop, most):
        return _write(step, state, start, stop, most + 2)

    def from_zero(step, state, start, stop, most):
        return _write(step, 0, start, stop, most)

    def stop_is_zero(step, state, start, stop, most):
        return _write(step, state, start, 0, most)

    def least(step, state, start, stop, most):
        return _write(lambda t, s: (-step(t, s)[0], s + 1), state, start, stop, most)

    return wrong_function(
        _padded(function),
        cases,
        want=_padded(_write),
        likely=[
            (variant(keep=True), "STOP is no word; leave it out"),
            (variant(feed="start"), "it reads START at every step; it must read its own last word"),
            (variant(carry=False), "the state is not carried on"),
            (_padded(runs_on), "it goes on after STOP"),
            (_padded(one_less), "it stops one word before the limit"),
            (_padded(one_more), "it writes one word more than most"),
            (_padded(until_stop), "it writes more than most words"),
            (_padded(from_zero), "it begins with a state of its own; begin with the one given"),
            (_padded(stop_is_zero), "it stops at token 0; which token is STOP the argument says"),
            (_padded(least), "these are the least probable tokens"),
        ],
    )


# ---- 14.5 -----------------------------------------------------------------------------------


def _widen(log_prob, log_probs, width):
    totals = log_prob[:, None] + log_probs
    best = np.argsort(-totals, axis=None, kind="stable")[:width]
    rows, tokens = np.unravel_index(best, totals.shape)
    return rows, tokens, totals[rows, tokens]


@exercise("14.5 A step of a beam")
def check_widen(function):
    """The best continuations of all beginnings."""
    rng = np.random.default_rng(145)
    cases = []
    for n, V, width in ((3, 5, 4), (2, 7, 3), (1, 6, 4), (4, 3, 2)):
        # Beginnings that differ little: the best continuations come from several of them.
        log_prob = np.log(rng.uniform(0.2, 0.4, size=n)) * 3
        cases.append((log_prob, _log_probs(rng, n, V), width))

    def without_past(log_prob, log_probs, width):
        rows, tokens, _ = _widen(np.zeros_like(log_prob), log_probs, width)
        return rows, tokens, log_probs[rows, tokens]

    def of_each(log_prob, log_probs, width):
        tokens = log_probs.argmax(axis=1)
        rows = np.argsort(-(log_prob + log_probs.max(axis=1)))[:width]
        return rows, tokens[rows], (log_prob + log_probs.max(axis=1))[rows]

    def worst(log_prob, log_probs, width):
        rows, tokens, totals = _widen(-log_prob, -log_probs, width)
        return rows, tokens, -totals

    def multiplied(log_prob, log_probs, width):
        totals = log_prob[:, None] * log_probs
        best = np.argsort(-totals, axis=None)[:width]
        rows, tokens = np.unravel_index(best, totals.shape)
        return rows, tokens, totals[rows, tokens]

    def only_the_best(log_prob, log_probs, width):
        row = int(log_prob.argmax())
        tokens = np.argsort(-log_probs[row])[:width]
        return np.full(len(tokens), row), tokens, log_prob[row] + log_probs[row, tokens]

    def exchanged(log_prob, log_probs, width):
        rows, tokens, totals = _widen(log_prob, log_probs, width)
        return tokens, rows, totals

    def upside_down(log_prob, log_probs, width):
        return tuple(part[::-1] for part in _widen(log_prob, log_probs, width))

    def step_only(log_prob, log_probs, width):
        rows, tokens, _ = _widen(log_prob, log_probs, width)
        return rows, tokens, log_probs[rows, tokens]

    return wrong_function(
        function,
        cases,
        want=_widen,
        parts=("rows", "tokens", "totals"),
        likely=[
            (without_past, "what the beginnings have paid already is left out"),
            (of_each, "one continuation of each beginning; the best two may share one"),
            (worst, "these are the worst; log probabilities are negative, the best near 0"),
            (multiplied, "logarithms are added where probabilities are multiplied"),
            (only_the_best, "only the best beginning goes on: the others may overtake it"),
            (exchanged, "rows and tokens are exchanged"),
            (upside_down, "the worst of them comes first; the best should"),
            (step_only, "the totals must hold what the beginnings paid"),
        ],
    )


# ---- 14.6 -----------------------------------------------------------------------------------


def _same_order(source, lengths):
    target = np.full((len(source), source.shape[1] + 1), STOP)
    read = np.arange(source.shape[1]) < lengths[:, None]
    target[:, :-1][read] = source[read]
    return target


@exercise("14.6 Does the mirror help?")
def check_same_order(function):
    """Targets in the order of the source, with STOP and filled up with STOP."""
    rng = np.random.default_rng(146)
    cases = []
    for lengths, S in (((2, 5, 1, 3), 5), ((4, 6), 6)):
        lengths = np.array(lengths)
        source = rng.integers(8, size=(len(lengths), S))
        source[:, 0] = 0  # a real word, with the number of the filling
        source[np.arange(S) >= lengths[:, None]] = 0
        cases.append((source, lengths))

    def mirrored(source, lengths):
        place = lengths[:, None] - 1 - np.arange(source.shape[1] + 1)
        words = np.take_along_axis(source, np.maximum(place, 0), axis=1)
        return np.where(place >= 0, words, STOP)

    def filled_with(number):
        def filled(source, lengths):
            target = _same_order(source, lengths)
            past = np.arange(target.shape[1]) > lengths[:, None]
            return np.where(past, number, target)

        return filled

    def stop_at_the_end(source, lengths):
        return np.hstack([source, np.full((len(source), 1), STOP)])

    def zeros_deleted(source, lengths):
        return stop_at_the_end(np.where(source == 0, STOP, source), lengths)

    return wrong_function(
        function,
        cases,
        want=_same_order,
        axes=("sentence", "time"),
        likely=[
            (mirrored, "this is the mirror; the first word should come first"),
            (
                stop_at_the_end,
                "the filling is translated: STOP comes right after each sentence's own end",
            ),
            (
                zeros_deleted,
                "0 is a word, too; where a sentence ends only lengths says",
            ),
            (filled_with(0), "fill up with STOP: 0 is a word"),
            (
                lambda source, lengths: _same_order(source, lengths)[:, :-1],
                "the longest sentence has no room for its STOP",
            ),
            (
                lambda source, lengths: source[:, ::-1],
                "this turns the array round, filling first",
            ),
            (lambda source, lengths: source, "there is no STOP in it"),
        ],
    )
