"""Checks of chapter 10, sequences in PyTorch.

The reader's functions get tensors and may return tensors; compared are arrays.

Letters: N batch, T time, D input, H hidden. Sizes are pairwise distinct.
"""

import copy
import warnings
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from course_lib.exercises.kit import OPEN, exercise, wrong_claim, wrong_function, wrong_value


def _tensor(value):
    if isinstance(value, list):
        return [_tensor(part) for part in value]
    return torch.from_numpy(value)  # shares memory, so that a change of the argument is seen


def _array(value):
    if isinstance(value, list | tuple):
        return type(value)(_array(part) for part in value)
    return value.detach().numpy() if isinstance(value, torch.Tensor) else value


def _wrong_on_tensors(function, cases, **options):
    """As ``wrong_function``, for a reader's function that is called with tensors."""
    if not callable(function):
        return wrong_function(function, cases, **options)
    problem = wrong_function(lambda *case: _array(function(*map(_tensor, case))), cases, **options)
    return problem and problem.replace("x.copy()", "x.clone()")


@contextmanager
def _double_by_default():
    """So that a start state which the reader makes is of the type of the layer."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


# ---- 10.1 -----------------------------------------------------------------------------------


@exercise("10.1 Three shapes")
def check_shapes(output, h_n, c_n):
    """Shapes of a two-layer LSTM in both directions: N = 7, T = 11, D = 3, H = 5."""
    first = "batch_first moves the batch axis of x and output only, not that of the states"
    wants = {
        "output": (output, (7, 11, 10), {
            (7, 11, 5): "the states of both directions stand side by side",
            (11, 7, 10): "batch_first=True puts the batch in front",
            (7, 11, 20): "output holds the top layer only",
            (7, 11, 3): "these are the inputs; output has hidden units",
        }),
        "h_n": (h_n, (4, 7, 5), {
            (7, 4, 5): first,
            (2, 7, 5): "one row for each layer and each direction",
            (2, 7, 10): "directions share the first axis of h_n with the layers, not the last",
            (1, 7, 5): "one row for each layer and each direction",
            (4, 11, 5): "h_n has one state for each sequence, not for each step",
        }),
        "c_n": (c_n, (4, 7, 5), {
            (7, 4, 5): first,
            (2, 7, 5): "one row for each layer and each direction",
            (2, 7, 10): "directions share the first axis with the layers, not the last",
            (7, 11, 10): "c_n is the cell state after the last step only",
        }),
    }  # fmt: skip
    for name, (answer, want, likely) in wants.items():
        if not isinstance(answer, tuple | list) or len(answer) != 3:
            return f"{name}: expected a shape, a tuple of three sizes"
        problem = wrong_value(answer, np.array(want), likely=list(likely.items()))
        if problem is not None:
            return f"{name}: {problem}"
    return None


# ---- 10.2 -----------------------------------------------------------------------------------


def _lengths_of(sizes, first=0):
    return (sizes[None, :] > first + np.arange(sizes[0])[:, None]).sum(axis=1)


@exercise("10.2 Lengths and batch sizes")
def check_lengths_of(function):
    """Lengths of the sequences of a packed batch from its batch sizes."""
    cases = [np.array([3, 2, 2, 1]), np.array([4, 4, 1]), np.array([2, 2, 2, 2, 1, 1]),
             np.array([1])]  # fmt: skip
    return wrong_function(
        function,
        cases,
        want=_lengths_of,
        axes=("sequence",),
        likely=[
            (lambda s: _lengths_of(s)[::-1], "the longest sequence comes first"),
            (lambda s: _lengths_of(s) - 1, "steps are counted, and the first one counts too"),
            (lambda s: _lengths_of(s, -1), "more than n sequences: `>`, not `>=`, with n from 0"),
            (lambda s: _lengths_of(s, 1), "n counts from 0, so the longest sequence is n = 0"),
            (lambda s: s, "these are the batch sizes again; count along the other axis"),
            (
                lambda s: -np.diff(s, append=0),
                "this counts the sequences that end at each step; the lengths are asked",
            ),
        ],
    )


# ---- 10.3 -----------------------------------------------------------------------------------


def _states_and_lengths(seed):
    rng = np.random.default_rng(seed)
    batches = (((4, 6, 3), [6, 2, 5, 1]), ((3, 5, 2), [1, 5, 3]), ((2, 7, 4), [6, 4]))
    return [(rng.normal(size=size), np.array(lengths)) for size, lengths in batches]


def _last(output, lengths):
    return output[np.arange(len(output)), lengths - 1]


@exercise("10.3 The last real state")
def check_last(function):
    """States at each sequence's own last step."""
    return _wrong_on_tensors(
        function,
        _states_and_lengths(103),
        want=_last,
        axes=("sequence", "unit"),
        likely=[
            (lambda o, k: o[:, -1], "this is the end of the block, behind the padding"),
            (lambda o, k: o[:, 0], "this is the first step"),
            (
                lambda o, k: o[np.arange(len(o)), np.minimum(k, o.shape[1] - 1)],
                "steps count from 0: the last of T_n steps is T_n - 1",
            ),
            (
                lambda o, k: o[np.arange(len(o)), k - 2],
                "one step too early: the last of T_n steps is T_n - 1",
            ),
            (
                lambda o, k: o[:, k - 1],
                "this takes every length for every sequence; index the sequences too",
            ),
            (lambda o, k: o[:, k.max() - 1], "every sequence has a length of its own"),
            (lambda o, k: o.mean(axis=1), "this is the mean over the block, padding and all"),
            (
                lambda o, k: np.stack([row[:n].mean(axis=0) for row, n in zip(o, k, strict=True)]),
                "this is the mean of the real states; the last one is asked",
            ),
        ],
    )


# ---- 10.4 -----------------------------------------------------------------------------------


def _real(lengths, T):
    return np.arange(T) < lengths[:, None]


def _mean_loss(losses, lengths, too_many=0):
    return losses[_real(lengths + too_many, losses.shape[1])].mean()


def _loss_cases(fill):
    rng, cases = np.random.default_rng(104), []
    for N, T, lengths in ((3, 5, [5, 2, 3]), (4, 6, [1, 6, 4, 4]), (2, 4, [3, 4])):
        lengths = np.array(lengths)
        losses = np.where(_real(lengths, T), rng.exponential(size=(N, T)), fill)
        cases.append((losses, lengths))
    return cases


@exercise("10.4 A loss that does not count padding")
def check_mean_loss(function):
    """Mean loss over real steps, whatever stands in the padding."""

    def where(losses, lengths):
        return np.where(_real(lengths, losses.shape[1]), losses, 0.0)

    likely = [
        (lambda x, k: x.mean(), "padding is averaged in"),
        (lambda x, k: where(x, k).mean(), "padding adds nothing, but is counted: divide by "
                                          "the number of real steps"),
        (lambda x, k: where(x, k).sum(), "this is the sum; divide by the number of real steps"),
        (
            lambda x, k: (where(x, k).sum(axis=1) / k).mean(),
            "a mean of means: steps of short sequences weigh more; divide the sum of all by the "
            "number of all",
        ),
        (
            lambda x, k: where(x, k).sum(axis=1) / k,
            "one number is asked, over all real steps of all sequences",
        ),
        (lambda x, k: where(x, k).sum() / len(x), "divide by real steps, not by sequences"),
        (lambda x, k: _mean_loss(x, k, 1), "one step too many: with t from 0, t < T_n is real"),
        (lambda x, k: _mean_loss(x, k, -1), "one step too few: with t from 0, t < T_n is real"),
    ]  # fmt: skip
    plain = _wrong_on_tensors(function, _loss_cases(7.0), want=_mean_loss, likely=likely)
    if plain is not None:
        return plain
    problem = _wrong_on_tensors(function, _loss_cases(np.nan), want=_mean_loss)
    if problem is None:
        return None
    return "with nan in the padding the result is off; nan times 0 is nan: choose the real losses"


# ---- 10.5 -----------------------------------------------------------------------------------


def _reverse(x, lengths):
    out = x.copy()
    for row, n in zip(out, lengths, strict=True):
        row[:n] = row[:n][::-1].copy()
    return out


@exercise("10.5 Backwards, within the length")
def check_reverse(function):
    """Each sequence reversed within its length, padding in place."""
    return _wrong_on_tensors(
        function,
        _states_and_lengths(105),
        want=_reverse,
        axes=("sequence", "time", "input"),
        likely=[
            (
                lambda x, k: x[:, ::-1],
                "the whole block is reversed, so short sequences begin with their padding",
            ),
            (lambda x, k: x, "nothing is reversed"),
            (lambda x, k: x[::-1], "the first axis counts sequences; reverse along time"),
            (lambda x, k: x[..., ::-1], "the last axis counts inputs; reverse along time"),
            (
                lambda x, k: np.stack(
                    [np.r_[row[:n][::-1], row[n:][::-1]] for row, n in zip(x, k, strict=True)]
                ),
                "the padding is reversed too; leave it in place",
            ),
            (
                lambda x, k: np.where(_real(k, x.shape[1])[..., None], _reverse(x, k), 0.0),
                "the padding was overwritten; leave it in place",
            ),
            (
                lambda x, k: _reverse(x, k - 1),
                "the last real step stays where it was: sources are T_n - 1 - t",
            ),
            (
                lambda x, k: _reverse(x, np.minimum(k + 1, x.shape[1])),
                "a step of padding comes along: sources are T_n - 1 - t",
            ),
        ],
    )


# ---- 10.6 -----------------------------------------------------------------------------------


def _streams():
    """(layer, pieces) for the three kinds of cell, with one and with two layers."""
    rng = np.random.default_rng(106)
    for layers, kind in ((1, nn.RNN), (2, nn.GRU), (2, nn.LSTM)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(layers)
            layer = kind(3, 4, num_layers=layers, batch_first=True).double()
        yield layer, [rng.normal(size=(2, T, 3)) for T in (5, 1, 3)]


@exercise("10.6 Piece by piece")
@_double_by_default()
def check_stream(function):
    """Outputs and final state of a sequence that comes in pieces."""
    if not callable(function):
        return wrong_function(function, [], want=None)
    for layer, pieces in _streams():
        problem = _wrong_stream(function, layer, pieces)
        if problem is not None:
            return problem if problem == OPEN else f"nn.{type(layer).__name__}: {problem}"
    return None


def _read(layer, pieces, carry=True):
    """What ``stream`` should return, or, without ``carry``, what comes of a start from zero."""
    state, outputs = None, []
    with torch.no_grad():
        for piece in map(_tensor, pieces):
            output, state = layer(piece, state if carry else None)
            outputs.append(output.numpy())
    return np.concatenate(outputs, axis=1), np.array(_array(state))


def _wrong_stream(function, layer, pieces):
    results, steps = [], []  # steps that the layer reads at once, unless called by keyword
    layer.register_forward_pre_hook(lambda _, inputs: steps.extend(x.shape[-2] for x in inputs[:1]))

    def stream(pieces):
        result = function(layer, pieces)
        results.append(result)
        if isinstance(result, list | tuple) and len(result) == 2:
            return tuple(result)
        return result

    def part(of_output, of_state=lambda state: state):
        def wrong(pieces):
            output, state = _read(layer, pieces)
            return of_output(output), of_state(state)

        return wrong

    last = len(pieces[-1][0])
    problem = _wrong_on_tensors(
        stream,
        [(pieces,)],
        want=lambda pieces: _read(layer, pieces),
        parts=("outputs", "final state"),
        likely=[
            (
                lambda pieces: _read(layer, pieces, carry=False),
                "every piece starts from zero; hand the state on",
            ),
            (part(lambda o: o[:, -last:]), "these are the outputs of the last piece alone"),
            (part(lambda o: o[:, -1:]), "outputs of all steps are asked, not of the last only"),
            (part(lambda o: o[:, -1]), "outputs of all steps are asked, not of the last only"),
            (part(lambda o: o, lambda s: s[0]), "return the state as the layer does, unopened"),
            (part(lambda o: o, lambda s: s[-1]), "return the state as the layer does, unopened"),
        ],
    )
    if problem is not None:
        return problem
    if max(steps, default=0) > max(len(piece[0]) for piece in pieces):
        return "the pieces are joined before they are read; a stream cannot wait for its end"
    if any(tensor.requires_grad for tensor in _tensors_in(results)):
        return "the result holds on to the computation; use no_grad or detach"
    return None


def _tensors_in(value):
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in _tensors_in(part)]
    return [value] if isinstance(value, torch.Tensor) else []


# ---- 10.7 -----------------------------------------------------------------------------------


def _factors(lengths):
    steps = np.array([np.sum(k) for k in lengths], float)
    return steps / steps.sum()


@exercise("10.7 One large batch from small ones")
def check_factors(function):
    """Factors of the mean losses of small batches, to give the mean over all real steps."""
    cases = [
        ([np.array([5, 2, 9]), np.array([1, 1, 3])],),
        ([np.array([4, 4]), np.array([7]), np.array([2, 3, 1, 6])],),
    ]
    return _wrong_on_tensors(
        function,
        cases,
        want=_factors,
        axes=("batch",),
        likely=[
            (
                lambda b: np.full(len(b), 1 / len(b)),
                "equal factors are right only if all batches have equally many real steps",
            ),
            (
                lambda b: np.array([len(k) for k in b]) / sum(len(k) for k in b),
                "this weighs by sequences; the loss is a mean over steps",
            ),
            (
                lambda b: (
                    np.array([k.max() * len(k) for k in b]) / sum(k.max() * len(k) for k in b)
                ),
                "this counts padding too",
            ),
            (lambda b: np.ones(len(b)), "the sum of means is not a mean"),
            (lambda b: 1 / _factors(b), "this is upside down: a batch with more steps counts more"),
            (lambda b: _factors(b) * len(b), "these sum to the number of batches, not to 1"),
            (
                lambda b: np.array([float(k.sum()) for k in b]),
                "these are the steps themselves; divide by their sum",
            ),
            (
                lambda b: np.array([k.mean() for k in b]) / sum(k.mean() for k in b),
                "mean lengths forget how many sequences a batch has",
            ),
        ],
    )


# ---- 10.8 -----------------------------------------------------------------------------------

ALL_REAL = (5, 5, 5)


def _inputs(seed=108):
    return torch.tensor(np.random.default_rng(seed).normal(size=(3, 5, 2)))


def _scores(model, x, lengths=ALL_REAL):
    with torch.no_grad():
        return model(x, torch.tensor(lengths)).numpy()


def _still(model):
    """A copy in double precision without dropout; batch norm stays as it is while it trains."""
    model = copy.deepcopy(model).double().eval()
    for part in model.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.train()
    return model


def _moved(model, place, lengths=ALL_REAL):
    """Where the scores move, (3, 5) of bool, when the inputs at a place are changed."""
    moved = np.zeros((3, 5), bool)
    for seed in (108, 109, 110):  # at one input alone a relu may be off
        x = _inputs(seed)
        other = x.clone()
        other[place] += 0.7
        gap = np.abs(_scores(model, other, lengths) - _scores(model, x, lengths)).max(axis=-1)
        moved |= gap > 1e-9
    return moved


def _walks_over_sequences(model):
    moved = _moved(model, (0, 0))
    return moved[1:, 0].any() and not moved[0, 1:].any()


def _same_alone(model):
    lengths, x = (3, 5, 2), _inputs()
    together = _scores(model, x, lengths)
    alone = [_scores(model, x[n : n + 1, :k], (k,))[0] for n, k in enumerate(lengths)]
    return all(
        np.allclose(a, row[:k], atol=1e-9)
        for a, row, k in zip(alone, together, lengths, strict=True)
    )


def _are_logs(model):
    return np.allclose(np.exp(_scores(model, 5 * _inputs())).sum(axis=-1), 1.0)


def _are_bounded(model):
    """Whether the answers stay within -1 and 1 even if all weights are made large."""
    model = copy.deepcopy(model)
    for weight in model.parameters():
        weight.data.mul_(100)
    return np.abs(_scores(model, _inputs())).max() <= 1


@exercise("10.8 A tagger with four mistakes")
@_double_by_default()
def check_repair(model):
    """A module model(x (N, T, 2), lengths (N,)) -> scores (N, T, 2), sound in all four ways."""
    if not isinstance(model, nn.Module):
        return "expected the repaired module, `Repair()`"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = _still(model)
        return _wrong_scores(model) or wrong_claim(model, [
            (
                lambda m: np.array_equal(_scores(m, _inputs()), _scores(m, _inputs())),
                "the same batch twice gives two answers: is a state carried over, or chance drawn?",
            ),
            (
                lambda m: not _walks_over_sequences(m),
                "the layer walks from sequence to sequence: which axis does it take for time?",
            ),
            (
                lambda m: not _moved(m, (0, slice(None)))[1:].any(),
                "a sequence moves when another one is changed: axes, or a mean over the batch",
            ),
            (
                lambda m: not _moved(m, (slice(None), 3))[:, :3].any(),
                "an answer moves when a later input is changed: it sees the future",
            ),
            (_same_alone, "a sequence is answered otherwise alone than in a batch: is the order "
                          "that of x again, and do only real steps count?"),
            (
                lambda m: _moved(m, (slice(None), 4))[:, 4].any(),
                "an answer does not move when the input of its own step is changed",
            ),
            (
                lambda m: _moved(m, (slice(None), 0))[:, 4].any(),
                "the last answer does not move when the first input is changed: it has no memory",
            ),
            (
                lambda m: not _are_logs(m),
                "these are logs of probabilities; give scores, the loss does the rest",
            ),
            (
                lambda m: not _are_bounded(m),
                "however large the weights, the answers stay within -1 and 1; give scores, the "
                "loss makes probabilities of them",
            ),
        ])  # fmt: skip


def _wrong_scores(model):
    """What is wrong with the shape of the scores, for padded batches of several lengths."""

    def shape(lengths):
        scores = model(_inputs(), torch.from_numpy(lengths))
        return tuple(scores.shape)

    return wrong_function(
        shape,
        [np.array(lengths) for lengths in (ALL_REAL, (5, 3, 4), (2, 5, 3), (2, 3, 4))],
        want=lambda lengths: (3, 5, 2),
        parts=("sequences", "steps", "scores"),
        likely=[
            (lambda lengths: (5, 3, 2), "the batch axis comes first, (N, T, 2)"),
            (lambda lengths: (3, 2), "scores are asked at every step"),
            (lambda lengths: (3, 5), "two scores are asked at every step"),
            (
                lambda lengths: (3, lengths.max(), 2),
                "the unpacked block is as long as the longest sequence of the batch, not as x: "
                "total_length",
            ),
            (
                lambda lengths: (lengths.sum(), 2),
                "these are the scores of a packed batch; unpack them",
            ),
        ],
    )


# ---- 10.9 -----------------------------------------------------------------------------------


@exercise("10.9 Buckets")
def check_buckets(function):
    """Batches of like lengths: shuffle, pools, sort, batches, shuffle."""
    lengths = np.random.default_rng(111).permutation(np.arange(1, 101))

    def ask(batch, pool, seed=0):
        return function(lengths.copy(), batch, pool, np.random.default_rng(seed))

    def run(*case):
        return [np.asarray(b) for b in ask(*case)]

    def joined(*sizes):
        return np.concatenate(run(*sizes))

    def spread(*sizes):
        return np.mean([np.ptp(lengths[b]) for b in run(*sizes)])

    def steps(batch, pool):
        """From batch to batch in line, how much the shortest sequence grows."""
        return np.diff([lengths[b].min() for b in run(batch, pool)])

    def sizes(batch, pool):
        return sorted(map(len, run(batch, pool)))

    def answered(*case):
        found = ask(*case)
        return found if found is None or found is Ellipsis else "answered"

    if not callable(function):
        return wrong_function(function, [], want=None)
    crash = wrong_function(answered, [(5, 20), (8, 20), (8, 30)], want=lambda *case: "answered")
    return crash or wrong_claim(function, [
        (lambda f: sizes(5, 20)[0] > 0 and joined(5, 20).dtype.kind in "iu",
         "a list of index arrays is asked"),
        (lambda f: not np.array_equal(np.sort(joined(5, 20)), np.arange(1, 101)),
         "these are lengths; the indices of the sequences are asked"),
        (lambda f: joined(5, 20).max() >= 20,
         "these are places within a pool; look up which sequences stand there"),
        (lambda f: all(np.isin(np.arange(100), joined(*case)).all()
                       for case in ((5, 20), (8, 20), (8, 30))),
         "a sequence is missing; the last batch of a pool, and the last pool, may be smaller"),
        (lambda f: all(len(joined(*case)) == 100 for case in ((5, 20), (8, 20), (8, 30))),
         "a sequence occurs twice"),
        (lambda f: sizes(5, 20) == [5] * 20, "a batch has another size than asked"),
        (lambda f: spread(5, 20) < 30,
         "sequences of a batch differ much in length: sort each pool by length"),
        (lambda f: spread(5, 20) > 6, "the whole set is sorted: sort within pools of `pool`"),
        (lambda f: spread(5, 100) == 4, "with one pool for all, a batch is five neighbours in "
                                        "length: does `pool` have the size asked?"),
        (lambda f: sizes(8, 20) == [4] * 5 + [8] * 10,
         "only the last batch of a pool may be smaller, and batches do not cross pools"),
        (lambda f: sizes(8, 30) == [2] + [6] * 3 + [8] * 10,
         "100 sequences in pools of 30 are three pools of 30 and one of 10"),
        (lambda f: np.array_equal(joined(5, 20), joined(5, 20)),
         "one seed gives two results: draw from rng only"),
        (lambda f: not np.array_equal(joined(5, 20), joined(5, 20, 1)),
         "two seeds give the same batches: shuffle with rng"),
        (lambda f: steps(5, 100).min() < 0 < steps(5, 100).max(),
         "batches come in order of length: shuffle them at the end"),
        (lambda f: any(len(set(b // 20)) > 1 for b in run(5, 20)),
         "pools are cut from the given order: shuffle the sequences first"),
    ])  # fmt: skip
