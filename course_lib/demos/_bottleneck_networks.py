"""What the networks of a bottleneck demo keep of a sentence, what they write, and goals."""

from functools import partial

import numpy as np

from course_lib.demos import _seq2seq_weights
from course_lib.demos._state import Goal, uniforms

MORE = 2  # tokens that a network may write beyond the words: STOP, and one to see it go wrong
TRIED = 24  # random sentences of each length in which goals are looked for
OFTEN = 0.15  # share of sentences of a length that makes it a fair goal
WIDER = 4  # beam that is compared with greedy
LONGEST = 12  # words up to which goals are looked for


def places(S, order):
    """Return where in the target the translation of each of S source words stands."""
    return np.arange(S)[::-1] if order == "mirror" else np.arange(S)


def wanted(tokens, fixed):
    """Return the right target of source words (..., S), without STOP."""
    tokens = np.asarray(tokens)
    return np.array(fixed["meaning"])[tokens[..., places(tokens.shape[-1], fixed["order"])]]


def recovered(params, tokens, fixed):
    """Return P(right word) of each source word, read out of the state after each: [state, word].

    Beside it, whether the right word is the most probable token. The decoder is told the right
    words before the one that is asked for. NaN and False: not read yet.
    """
    from course_lib.seq2seq import decode_teacher, encode

    S = len(tokens)
    read = np.arange(1, S + 1)  # row s holds the first s + 1 words
    encoded = encode(np.tile(tokens, (S, 1)), params, read)
    target = np.zeros((S, S), dtype=int)
    for n in read:
        target[n - 1, :n] = wanted(tokens[:n], fixed)
    target_in = np.column_stack([np.full(S, fixed["start"]), target[:, :-1]])
    log_probs = decode_teacher(target_in, encoded, params).log_probs
    right = np.take_along_axis(log_probs, target[:, :, None], axis=2)[:, :, 0]
    p, kept = np.full((S, S), np.nan), np.zeros((S, S), dtype=bool)
    for n in read:
        at = places(n, fixed["order"])
        p[n - 1, :n] = np.exp(right[n - 1, at])
        kept[n - 1, :n] = log_probs[n - 1, at].argmax(axis=1) == target[n - 1, at]
    return p, kept


def search(params, tokens, fixed, width):
    """Return the hypotheses that a beam of this width ends with, best first."""
    from course_lib.decoding import beam_search
    from course_lib.seq2seq import encode, step_decoder

    encoded = encode(np.array(tokens)[None], params)
    step = partial(step_decoder, encoded=encoded, params=params)
    most = len(tokens) + MORE
    return beam_search(step, encoded.final, fixed["start"], fixed["stop"], width, most)


def written(hypothesis, S, order):
    """Return the token that stands at the place of each source word, -1 where there is none."""
    row = [*hypothesis.tokens, *[-1] * S][:S]
    return np.array(row)[places(S, order)]


def exact(hypothesis, target):
    """Tell whether a hypothesis is the whole right target; what was cut has more tokens."""
    return list(hypothesis.tokens) == list(target)


def reachable(fixed, tokens, width):
    """Return goals, each only if a few random sentences reach it, and the author's does not.

    A long sentence written without a fault; one that a network gets right and another wrong; and
    one for which a wider beam finds a more probable output than greedy does.
    """
    networks = [_seq2seq_weights.params_of(data) for data in fixed["networks"]]
    names = [data["name"] for data in fixed["networks"]]
    right = {}  # length: (TRIED, n) whether greedy writes the whole sentence
    sentences = {S: random_sentences(fixed, S) for S in range(2, LONGEST + 1)}
    for S, rows in sentences.items():
        right[S] = np.column_stack([_greedy_right(params, rows, fixed) for params in networks])
    goals = []
    share = {S: table.mean(axis=0) for S, table in right.items()}
    now = [exact(search(one, tokens, fixed, width)[0], wanted(tokens, fixed)) for one in networks]
    often = [max((S for S in share if share[S][n] >= OFTEN), default=0) for n in range(len(names))]
    best = int(np.argmax(often))
    least = max(often[best], len(tokens) + 1 if now[best] else 0)
    if often[best] and share.get(least, np.zeros(len(names)))[best]:
        text = f"Find a sentence of {least} words or more that “{names[best]}” gets right."
        goals.append(Goal(text, ((f"exact.{best}", "==", True), ("words", ">=", least))))
    pairs = [(a, b) for a in range(len(names)) for b in range(len(names))]
    for a, b in pairs:
        if now[a] and not now[b]:
            continue
        if any((table[:, a] & ~table[:, b]).any() for table in right.values()):
            text = f"Find a sentence that “{names[a]}” gets right and “{names[b]}” does not."
            when = ((f"exact.{a}", "==", True), (f"exact.{b}", "==", False))
            goals.append(Goal(text, when))
            break
    return goals + ([] if width > 1 else _beam_goal(fixed, networks, names, sentences))


def random_sentences(fixed, S):
    """Return the random sentences (TRIED, S) of one length."""
    V = len(fixed["source_words"])
    return (np.array(uniforms(S, TRIED * S)) * V).astype(int).reshape(TRIED, S)


def _greedy_right(params, rows, fixed):
    """Whether greedy writes each of the sentences (n, S) without a fault."""
    from course_lib.decoding import greedy_decode
    from course_lib.seq2seq import encode, step_decoder

    encoded, targets = encode(rows, params), wanted(rows, fixed)
    step = partial(step_decoder, encoded=encoded, params=params)
    most = rows.shape[1] + MORE
    found = greedy_decode(step, encoded.final, fixed["start"], fixed["stop"], most)
    return [exact(one, target) for one, target in zip(found, targets, strict=True)]


def _beam_goal(fixed, networks, names, sentences):
    for n, params in enumerate(networks):
        for rows in sentences.values():
            for row in rows[:3]:
                greedy, wide = (search(params, row, fixed, width)[0] for width in (1, WIDER))
                if wide.log_prob > greedy.log_prob + 1e-3:
                    text = (
                        "Find a sentence and a beam that make a more probable translation than "
                        f"greedy in “{names[n]}”."
                    )
                    return [Goal(text, ((f"gain.{n}", ">", 1e-3),))]
    return []
