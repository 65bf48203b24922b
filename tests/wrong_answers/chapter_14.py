"""Answers that the checks of chapter 14 must reject, with a piece of what they must say."""

import numpy as np

STOP = 8


# ---- what a good student hands in ------------------------------------------------------------


def target_in(target, start):
    read = target.copy()
    read[:, 1:] = target[:, :-1]
    read[:, 0] = start
    return read


def handed_over(states, lengths):
    return np.stack([h[length - 1] for h, length in zip(states, lengths, strict=True)])


def sentences(log_probs, target, lengths):
    return np.array(
        [
            sum(log_probs[n, t, target[n, t]] for t in range(lengths[n] + 1))
            for n in range(len(target))
        ]
    )


def greedy(step, state, start, stop, most):
    words, last = [], start
    while len(words) < most:
        log_probs, state = step(last, state)
        last = log_probs.argmax()
        if last == stop:
            break
        words.append(int(last))
    return words


def widen(log_prob, log_probs, width):
    every = [
        (log_prob[n] + log_probs[n, k], n, k)
        for n in range(len(log_prob))
        for k in range(log_probs.shape[1])
    ]
    best = sorted(every, reverse=True)[:width]
    totals, rows, tokens = zip(*best, strict=True)
    return np.array(rows), np.array(tokens), np.array(totals)


def widen_in_lists(log_prob, log_probs, width):
    return tuple(part.tolist() for part in widen(log_prob, log_probs, width))


def same_order(source, lengths):
    N, S = source.shape
    target = np.full((N, S + 1), STOP)
    for n, length in enumerate(lengths):
        target[n, :length] = source[n, :length]
    return target


# ---- mistakes --------------------------------------------------------------------------------


def kept(log_probs, target, lengths):
    """Log probabilities of the target's tokens, 0 after STOP."""
    said = np.take_along_axis(log_probs, target[..., None], axis=2)[..., 0]
    return said * (np.arange(target.shape[1]) <= lengths[:, None])


def own_loop(feed=None, carry=True, keep=False, limit=0, end=None, begin=None):
    def write(step, state, start, stop, most):
        words, last = [], start
        stop = stop if end is None else end
        state = state if begin is None else begin
        for _ in range(most + limit):
            log_probs, after = step(last, state)
            state = after if carry else state
            token = int(log_probs.argmax())
            if token == stop:
                return words + [stop] * keep
            words.append(token)
            last = token if feed is None else start
        return words

    return write


def forgets_to_stop(step, state, start, stop, most):
    words, last = [], start
    for _ in range(most):
        log_probs, state = step(last, state)
        last = int(log_probs.argmax())
        words.append(last)
    return [word for word in words if word != stop]


def one_each(log_prob, log_probs, width):
    totals = log_prob + log_probs.max(axis=1)
    rows = np.argsort(-totals)[:width]
    return rows, log_probs.argmax(axis=1)[rows], totals[rows]


def past_forgotten(log_prob, log_probs, width):
    rows, tokens, _ = widen(0 * log_prob, log_probs, width)
    return rows, tokens, log_probs[rows, tokens]


def first_row_only(log_prob, log_probs, width):
    row = np.argmax(log_prob)
    tokens = np.argsort(-log_probs[row])[:width]
    return np.full(len(tokens), row), tokens, (log_prob[row] + log_probs[row])[tokens]


def smallest(log_prob, log_probs, width):
    rows, tokens, totals = widen(-log_prob, -log_probs, width)
    return rows, tokens, -totals


def wrong_way_round(log_prob, log_probs, width):
    rows, tokens, totals = widen(log_prob, log_probs, width)
    return tokens, rows, totals


def worst_first(log_prob, log_probs, width):
    return tuple(part[::-1] for part in widen(log_prob, log_probs, width))


def new_part_only(log_prob, log_probs, width):
    rows, tokens, _ = widen(log_prob, log_probs, width)
    return rows, tokens, log_probs[rows, tokens]


def probabilities(log_prob, log_probs, width):
    rows, tokens, totals = widen(log_prob, log_probs, width)
    return rows, tokens, np.exp(totals)


def turned(source, lengths):
    target = np.full((len(source), source.shape[1] + 1), STOP)
    for n, length in enumerate(lengths):
        target[n, :length] = source[n, :length][::-1]
    return target


def zeros_after(source, lengths):
    target = same_order(source, lengths)
    for n, length in enumerate(lengths):
        target[n, length + 1 :] = 0
    return target


WRONG = {
    "check_target_in": [
        (lambda y, start: y, "only have to copy"),
        (lambda y, start: np.insert(y, 0, start, axis=1), "too long"),
        (lambda y, start: np.append(y[:, 1:], np.full((len(y), 1), start), axis=1), "the future"),
        (lambda y, start: np.roll(y, 1, axis=1), "np.roll"),
        (lambda y, start: np.where(np.arange(y.shape[1]) == 0, start, y), "overwritten"),
        (lambda y, start: np.insert(y[:-1], 0, start, axis=0), "from sentence to sentence"),
        (lambda y, start: target_in(y, start).T, "transposed"),
        (lambda y, start: target_in(y, 0), "✗"),
        (7, "expected a function"),
    ],
    "check_handed_over": [
        (lambda h, n: h[:, -1], "after the filling"),
        (lambda h, n: h[np.arange(len(h)), np.minimum(n, h.shape[1] - 1)], "✗"),
        (lambda h, n: h[np.arange(len(h)), n], "raised IndexError"),
        (lambda h, n: h[np.arange(len(h)), -n], "end of the array"),
        (lambda h, n: h[:, 0], "first word"),
        (lambda h, n: h[:, n - 1], "pairs every sentence"),
        (lambda h, n: h[:, max(n) - 1], "own end"),
        (lambda h, n: np.stack([a[:b].mean(0) for a, b in zip(h, n, strict=True)]), "mean of"),
        (lambda h, n: handed_over(h, n).T, "transposed"),
    ],
    "check_sentence_log_probs": [
        (
            lambda p, y, n: np.take_along_axis(p, y[..., None], 2).sum(axis=(1, 2)),
            "filling is paid for",
        ),
        (lambda p, y, n: (kept(p, y, n - 1)).sum(axis=1), "STOP is not counted"),
        (lambda p, y, n: kept(p, y, n).sum(axis=1) / (n + 1), "mean of a token"),
        (lambda p, y, n: np.exp(kept(p, y, n).sum(axis=1)), "log probabilities are asked"),
        (lambda p, y, n: -kept(p, y, n).sum(axis=1), "the sign"),
        (lambda p, y, n: kept(p, y, n).sum(), "added up"),
        (
            lambda p, y, n: (p.max(2) * (np.arange(y.shape[1]) <= n[:, None])).sum(1),
            "most probable tokens",
        ),
        (lambda p, y, n: kept(p, y, n), "shape"),
        (lambda p, y, n: kept(p, y, n).sum(axis=0), "✗"),
    ],
    "check_greedy": [
        (own_loop(keep=True), "STOP is no word"),
        (own_loop(feed="start"), "START at every step"),
        (own_loop(carry=False), "not carried on"),
        (forgets_to_stop, "goes on after STOP"),
        (own_loop(limit=-1), "before the limit"),
        (lambda step, *rest: greedy(lambda t, s: (-step(t, s)[0], s + 1), *rest), "least probable"),
        (lambda *case: [], "✗"),
        (own_loop(limit=1), "one word more"),
        (own_loop(limit=2), "more than most words"),
        (own_loop(limit=3), "more than most words"),
        (own_loop(end=0), "stops at token 0"),
        (own_loop(end=8), "✗"),
        (own_loop(begin=0), "the one given"),
        (lambda *case: [*greedy(*case), -1], "✗"),
        ("greedy", "expected a function"),
    ],
    "check_widen": [
        (past_forgotten, "left out"),
        (one_each, "may share one"),
        (smallest, "worst"),
        (first_row_only, "may overtake"),
        (wrong_way_round, "exchanged"),
        (worst_first, "comes first"),
        (new_part_only, "totals must hold"),
        (probabilities, "✗"),
        (lambda p, q, width: widen(p, q, width)[:2], "expected 3 results"),
        (lambda p, q, width: widen(p, q, width - 1), "✗"),
    ],
    "check_same_order": [
        (turned, "this is the mirror"),
        (lambda x, n: np.append(x, np.full((len(x), 1), STOP), axis=1), "filling is translated"),
        (zeros_after, "fill up with STOP"),
        (
            lambda x, n: np.append(np.where(x == 0, STOP, x), np.full((len(x), 1), STOP), axis=1),
            "only lengths says",
        ),
        (lambda x, n: same_order(x, n)[:, :-1], "no room"),
        (lambda x, n: x[:, ::-1], "filling first"),
        (lambda x, n: x, "no STOP"),
        (lambda x, n: same_order(x, n + 1)[:, : x.shape[1] + 1], "✗"),
    ],
}

RIGHT = {
    "check_target_in": [target_in, lambda y, start: target_in(y, start).tolist()],
    "check_handed_over": [handed_over],
    "check_sentence_log_probs": [sentences, lambda p, y, n: kept(p, y, n).sum(axis=1)],
    "check_greedy": [greedy, lambda *case: tuple(greedy(*case))],
    "check_widen": [widen, widen_in_lists],
    "check_same_order": [same_order],
}
