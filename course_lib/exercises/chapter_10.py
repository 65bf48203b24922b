"""Checks of chapter 10, sequences in PyTorch.

The reader's functions get tensors and may return tensors; compared are arrays.

Letters: N batch, T time, D input, H hidden. Sizes are pairwise distinct.
"""

import warnings

import numpy as np
import torch
from torch import nn

from course_lib.exercises.kit import exercise, wrong_claim, wrong_function, wrong_value


def _tensor(value):
    if isinstance(value, list):
        return [_tensor(part) for part in value]
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


def _array(value):
    if isinstance(value, list | tuple):
        return type(value)(_array(part) for part in value)
    return value.detach().numpy() if isinstance(value, torch.Tensor) else value


def _on_tensors(function):
    """The reader's function, called with tensors, its result as arrays; anything else unchanged."""
    if not callable(function):
        return function
    return lambda *case: _array(function(*map(_tensor, case)))


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
            (7, 11, 10): "c_n is the cell state after the last step only",
        }),
    }  # fmt: skip
    for name, (answer, want, likely) in wants.items():
        problem = wrong_value(answer, want, likely=[(_shape(k), v) for k, v in likely.items()])
        if problem is not None:
            return f"{name}: {problem}"
    return None


def _shape(sizes):
    return tuple(float(size) for size in sizes)


# ---- 10.2 -----------------------------------------------------------------------------------


def _lengths_of(sizes):
    return (sizes[None, :] > np.arange(sizes[0])[:, None]).sum(axis=1)


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
            (lambda s: _lengths_of(s) + 1, "more than n sequences: `>`, not `>=`, with n from 0"),
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
    batches = (((4, 6, 3), [6, 2, 5, 1]), ((3, 5, 2), [1, 5, 3]), ((2, 7, 4), [7, 4]))
    return [(rng.normal(size=size), np.array(lengths)) for size, lengths in batches]


def _last(output, lengths):
    return output[np.arange(len(output)), lengths - 1]


@exercise("10.3 The last real state")
def check_last(function):
    """States at each sequence's own last step."""
    return wrong_function(
        _on_tensors(function),
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
            (
                lambda o, k: np.stack([row[:n].mean(axis=0) for row, n in zip(o, k, strict=True)]),
                "this is the mean of the real states; the last one is asked",
            ),
        ],
    )


# ---- 10.4 -----------------------------------------------------------------------------------


def _real(lengths, T):
    return np.arange(T) < lengths[:, None]


def _mean_loss(losses, lengths):
    return losses[_real(lengths, losses.shape[1])].mean()


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
    ]  # fmt: skip
    plain = wrong_function(_on_tensors(function), _loss_cases(7.0), want=_mean_loss, likely=likely)
    if plain is not None:
        return plain
    problem = wrong_function(_on_tensors(function), _loss_cases(np.nan), want=_mean_loss)
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
    return wrong_function(
        _on_tensors(function),
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
    """(module, pieces) for the three kinds of cell, with one and with two layers."""
    rng = np.random.default_rng(106)
    for layers, kind in ((1, nn.RNN), (2, nn.GRU), (2, nn.LSTM)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(layers)
            module = kind(3, 4, num_layers=layers, batch_first=True).double()
        pieces = [torch.tensor(rng.normal(size=(2, T, 3))) for T in (5, 1, 3)]
        yield module, pieces


@exercise("10.6 Piece by piece")
def check_stream(function):
    """Outputs and final state of a sequence that comes in pieces."""
    if not callable(function):
        return wrong_function(function, [], want=None)
    for module, pieces in _streams():
        problem = _wrong_stream(function, module, pieces)
        if problem is not None:
            return f"nn.{type(module).__name__}: {problem}"
    return None


def _wrong_stream(function, module, pieces):
    with torch.no_grad():
        output, state = module(torch.cat(pieces, dim=1))
        reset = torch.cat([module(piece)[0] for piece in pieces], dim=1)
        last = module(pieces[-1], None)[0]
        backwards = [module(piece, state)[0] for piece in pieces]
    likely = [
        (reset, "every piece starts from zero; hand the state on"),
        (last, "this is the last piece alone"),
        (output[:, -1:], "outputs of all steps are asked, not of the last one only"),
        (output[:, -1], "outputs of all steps are asked, not of the last one only"),
        (torch.cat(backwards, dim=1), "the state is not handed from each piece to the next"),
    ]
    got = function(module, [piece.clone() for piece in pieces])
    if got is None or got is Ellipsis:
        raise NotImplementedError
    if not isinstance(got, tuple) or len(got) != 2:
        return "return a pair: the outputs, and the final state as the layer returns it"
    likely = [(_array(wrong), message) for wrong, message in likely]
    problem = wrong_value(_array(got[0]), _array(output), likely=likely,
                          axes=("sequence", "time", "unit"))  # fmt: skip
    if problem is not None:
        return f"outputs: {problem}"
    parts, wanted = (s if isinstance(s, tuple) else (s,) for s in (got[1], state))
    if len(parts) != len(wanted):
        return f"the final state has {len(wanted)} tensors, got {len(parts)}; hand it on unopened"
    for part, want in zip(parts, wanted, strict=True):
        problem = wrong_value(_array(part), _array(want), axes=("row", "sequence", "unit"))
        if problem is not None:
            return f"final state: {problem}"
    held = [t for t in (got[0], *parts) if getattr(t, "requires_grad", False)]
    return "the result holds on to the computation; use no_grad or detach" if held else None


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
    return wrong_function(
        _on_tensors(function),
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


def _scores(model, x, lengths):
    with torch.no_grad():
        return model(x, lengths).numpy()


def _moved(model, change, lengths=(5, 3, 4)):
    """Where the scores (3, 5) move when the inputs are changed by a function."""
    x = torch.tensor(np.random.default_rng(108).normal(size=(3, 5, 2)))
    lengths = torch.tensor(lengths)
    other = x.clone()
    change(other)
    gap = np.abs(_scores(model, other, lengths) - _scores(model, x, lengths)).max(axis=-1)
    return gap > 1e-9


def _add(place):
    def change(x):
        x[place] += 0.7

    return change


@exercise("10.8 A tagger with four mistakes")
def check_repair(model):
    """A module model(x (N, T, 2), lengths (N,)) -> scores (N, T, 2), sound in all four ways."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(model, nn.Module):
            model = model.double()

        def shape(model):
            return _scores(model, torch.zeros(3, 5, 2).double(), torch.tensor([5, 3, 4])).shape

        def alone(model):
            x = torch.tensor(np.random.default_rng(109).normal(size=(3, 5, 2)))
            together = _scores(model, x, torch.tensor([5, 5, 5]))
            single = [_scores(model, x[n : n + 1], torch.tensor([5]))[0] for n in range(3)]
            return np.allclose(together, single, atol=1e-9)

        def scores(model):
            rng, sums = np.random.default_rng(110), []
            for size in (0.1, 1.0, 5.0):
                x = torch.tensor(size * rng.normal(size=(3, 5, 2)))
                sums.append(np.exp(_scores(model, x, torch.tensor([5, 5, 5]))).sum(axis=-1))
                sums.append(_scores(model, x, torch.tensor([5, 5, 5])).sum(axis=-1))
            return not np.allclose(sums[::2], 1.0) and not np.allclose(sums[1::2], 1.0)

        return wrong_claim(model, [
            (lambda m: isinstance(m, nn.Module), "expected the repaired module, `Repair()`"),
            (lambda m: shape(m) == (3, 5, 2), "two scores for every step are asked, (N, T, 2)"),
            (
                lambda m: not _moved(m, _add((0, slice(None))), (5, 5, 5))[1:].any(),
                "a sequence moves when another one is changed: axes, or a mean over the batch",
            ),
            (alone, "a sequence is answered otherwise alone than in a batch"),
            (
                lambda m: not _moved(m, _add((slice(None), 3)), (5, 5, 5))[:, :3].any(),
                "an answer moves when a later input is changed: it sees the future",
            ),
            (
                lambda m: _moved(m, _add((slice(None), 0)), (5, 5, 5)).all(),
                "an answer does not move when the first input is changed: it has no memory",
            ),
            (
                lambda m: not _moved(m, _add((1, slice(3, None))))[1, :3].any(),
                "real answers move when padding is changed",
            ),
            (scores, "these are probabilities or their logs; give scores, the loss does the rest"),
        ])  # fmt: skip


# ---- 10.9 -----------------------------------------------------------------------------------


@exercise("10.9 Buckets")
def check_buckets(function):
    """Batches of like lengths: shuffle, pools, sort, batches, shuffle."""
    rng = np.random.default_rng(111)
    lengths = rng.permutation(np.arange(1, 101))

    def run(batch, pool, seed=0):
        return [np.asarray(b) for b in function(lengths.copy(), batch, pool,
                                                np.random.default_rng(seed))]  # fmt: skip

    def spread(found):
        return np.mean([np.ptp(lengths[b]) for b in found])

    if not callable(function):
        return wrong_function(function, [], want=None)
    first = function(lengths.copy(), 5, 20, np.random.default_rng(0))
    if first is None or first is Ellipsis:
        raise NotImplementedError
    return wrong_claim(function, [
        (lambda f: len(run(5, 20)) > 0 and run(5, 20)[0].ndim == 1,
         "a list of index arrays is asked"),
        (lambda f: np.array_equal(np.sort(np.concatenate(run(5, 20))), np.arange(100)),
         "every index from 0 to n - 1 must occur once"),
        (lambda f: all(len(b) == 5 for b in run(5, 20)), "a batch has another size than asked"),
        (lambda f: sorted(map(len, run(8, 20))) == [4] * 5 + [8] * 10,
         "only the last batch of a pool may be smaller, and batches do not cross pools"),
        (lambda f: spread(run(5, 20)) < 30, "sequences of a batch differ much in length: sort "
                                            "each pool by length"),
        (lambda f: spread(run(5, 20)) > 6, "the whole set is sorted: sort within pools of `pool`"),
        (lambda f: spread(run(5, 100)) == 4, "with one pool for all, a batch is five neighbours "
                                             "in length: does `pool` have the size asked?"),
        (lambda f: not np.array_equal(np.concatenate(run(5, 20)), np.concatenate(run(5, 20, 1))),
         "two seeds give the same batches: shuffle with rng"),
        (lambda f: np.array_equal(np.concatenate(run(5, 20)), np.concatenate(run(5, 20))),
         "one seed gives two results: draw from rng only"),
        (lambda f: not np.array_equal(
            [lengths[b].min() for b in run(5, 100)], np.arange(1, 101, 5)),
         "batches come in order of length: shuffle them at the end"),
        (lambda f: any(len({i // 20 for i in b}) > 1 for b in run(5, 20)),
         "pools are cut from the given order: shuffle the sequences first"),
    ])  # fmt: skip
