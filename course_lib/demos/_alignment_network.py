"""What the network of an alignment demo writes and looks at; twin of core/alignment.js."""

from dataclasses import dataclass

import numpy as np

from course_lib.demos import _seq2seq_weights
from course_lib.demos._bottleneck_networks import places, wanted
from course_lib.demos._state import Goal, uniforms

LENGTHS, TRIED = (4, 8, 12, 16, 20), 8  # sentences in which goals are looked for


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What was written greedily; n steps, at most one more than there are words."""

    written: np.ndarray  # (n,) tokens
    weights: np.ndarray  # (n, S) as they were used
    log_probs: np.ndarray  # (n, V_t)


def write(params, tokens, fixed, use):
    """Write greedily with the trained weights, or with others in their place."""
    from course_lib.attention import attend
    from course_lib.gru import gru_cell
    from course_lib.seq2seq import encode

    encoded = encode(np.array(tokens)[None], params)
    states, h, token = encoded.states, encoded.final, fixed["start"]
    written, weights, log_probs = [], [], []
    while len(written) <= len(tokens) and token != fixed["stop"]:
        h = gru_cell(params.embed_target[[token]], h, params.decoder)
        row = attend(h[:, None], states, states, params.attention).weights[0, 0]
        if use == "uniform":
            row = np.full(len(row), 1 / len(row))
        elif use == "hardest":
            row = (np.arange(len(row)) == row.argmax()).astype(float)
        scores = np.concatenate([h[0], row @ states[0]]) @ params.W_out + params.b_out
        top = scores.max()
        token = int(scores.argmax())
        written.append(token)
        weights.append(row)
        log_probs.append(scores - top - np.log(np.exp(scores - top).sum()))
    return Written(np.array(written), np.array(weights), np.array(log_probs))


def reachable(state):
    """Return goals that some random sentence reaches and the first one does not."""
    fixed = state["fixed"]
    params, V = _seq2seq_weights.params_of(fixed["network"]), len(fixed["source_words"])
    draws = iter(uniforms(1, TRIED * sum(LENGTHS)))
    tried = [
        [int(next(draws) * V) for _ in range(length)] for length in LENGTHS for _ in range(TRIED)
    ]
    found = [_facts(params, tokens, fixed) for tokens in tried]
    now = _facts(params, state["tokens"], fixed)
    goals = []
    longest = max((words for words, exact, _ in found if exact), default=0)
    if longest > 1 and not (now[1] and now[0] >= longest):
        text = f"Find a sentence of at least {longest} words that it gets right to the last token."
        when = (("words", ">=", longest), ("exact", "==", True), ("use", "==", "trained"))
        goals.append(Goal(text, when))
    if now[1] and any(not exact for _, exact, _ in found):
        text = "Find a sentence that it gets wrong with its trained weights."
        goals.append(Goal(text, (("exact", "==", False), ("use", "==", "trained"))))
    if not now[2] and any(elsewhere for _, _, elsewhere in found):
        text = (
            "Find a token that is right although most of the weight lies on another word than the "
            "one it translates."
        )
        goals.append(Goal(text, (("elsewhere", ">=", 1), ("use", "==", "trained"))))
    uniform = [_facts(params, tokens, fixed, "uniform")[1] for tokens in tried[:TRIED]]
    if not all(uniform) and state["opts"]["use"] == "trained":
        text = "Take its weights away: show that it fails when it looks everywhere alike."
        goals.append(Goal(text, (("use", "==", "uniform"), ("exact", "==", False))))
    return goals


def _facts(params, tokens, fixed, use="trained"):
    """Number of words; is all right; how many right words were looked for elsewhere."""
    S, result = len(tokens), write(params, tokens, fixed, use)
    target = [*wanted(tokens, fixed), fixed["stop"]]
    n = min(S, len(result.written))
    right = result.written[:n] == target[:n]
    elsewhere = right & (result.weights[:n].argmax(axis=1) != places(S, fixed["order"])[:n])
    return S, list(result.written) == target, int(elsewhere.sum())
