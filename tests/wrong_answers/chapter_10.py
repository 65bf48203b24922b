"""Answers that the checks of chapter 10 must reject, with a piece of what they must say."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.wrong_answers import Args

# ---- what a good student hands in ------------------------------------------------------------


def lengths_of(sizes):
    """Take one step off each sequence that is still there, until none is."""
    lengths = [0] * int(sizes[0])
    for size in sizes:
        for n in range(size):
            lengths[n] += 1
    return lengths


def lengths_by_ends(sizes):
    """At each step as many end as the next one lacks."""
    ends = -np.diff(sizes, append=0)
    return np.repeat(np.arange(1, len(sizes) + 1), ends)[::-1]


def last(output, lengths):
    return torch.stack([row[n - 1] for row, n in zip(output, lengths, strict=True)])


def last_by_index(output, lengths):
    return output[torch.arange(len(output)), lengths - 1]


def last_by_gather(output, lengths):
    index = (lengths - 1)[:, None, None].expand(-1, 1, output.shape[2])
    return output.gather(1, index).squeeze(1)


def last_by_mask(output, lengths):
    at_end = torch.arange(output.shape[1]) == lengths[:, None] - 1
    return output[at_end]


def real(lengths, T):
    return torch.arange(T) < lengths[:, None]


def mean_loss(losses, lengths):
    total = sum(row[:n].sum().item() for row, n in zip(losses, lengths, strict=True))
    return total / sum(lengths.tolist())


def mean_loss_chosen(losses, lengths):
    mask = real(lengths, losses.shape[1])
    return torch.where(mask, losses, 0.0).sum() / mask.sum()


def mean_loss_single(losses, lengths):
    return losses[real(lengths, losses.shape[1])].float().mean()


def reverse(x, lengths):
    out = x.clone()
    for n, T_n in enumerate(lengths):
        out[n, :T_n] = x[n, :T_n].flip(0)
    return out


def sources(x, lengths, shift=0):
    t = torch.arange(x.shape[1])
    return torch.where(t < lengths[:, None], lengths[:, None] - 1 - t + shift, t)


def reverse_by_gather(x, lengths):
    return x.gather(1, sources(x, lengths)[..., None].expand(x.shape))


def reverse_in_numpy(x, lengths):
    return np.take_along_axis(x.numpy(), sources(x, lengths).numpy()[..., None], axis=1)


def stream(layer, pieces):
    state, outputs = None, []
    with torch.no_grad():
        for piece in pieces:
            output, state = layer(piece, state)
            outputs.append(output)
    return torch.cat(outputs, dim=1), state


def stream_step_by_step(layer, pieces):
    """One step at a time, in a list, detached at the end of each."""
    state, outputs = None, []
    for piece in pieces:
        for t in range(piece.shape[1]):
            output, state = layer(piece[:, t : t + 1], state)
            state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
            outputs.append(output.detach()[:, 0])
    return [torch.stack(outputs, dim=1), state]


def stream_from_zeros(layer, pieces):
    """The start state made by hand."""
    zeros = torch.zeros(layer.num_layers, len(pieces[0]), layer.hidden_size)
    state = (zeros, zeros) if layer.mode == "LSTM" else zeros
    output = torch.zeros(len(pieces[0]), 0, layer.hidden_size)
    with torch.inference_mode():
        for piece in pieces:
            here, state = layer(piece, hx=state)
            output = torch.cat([output, here], dim=1)
    return output, state


def factors(lengths):
    steps = torch.stack([T_n.sum() for T_n in lengths]).double()
    return steps / steps.sum()


def factors_in_a_list(lengths):
    total = sum(T_n.sum().item() for T_n in lengths)
    return [T_n.sum().item() / total for T_n in lengths]


def factors_single(lengths):
    return [T_n.float().mean() * len(T_n) / torch.cat(lengths).sum() for T_n in lengths]


class Tagger(nn.Module):
    """Right as it stands; the answers below differ by what stands in their keywords."""

    def __init__(self, cell=nn.GRU, norm=None, change=None, **options):
        super().__init__()
        torch.manual_seed(10)
        self.core = cell(2, 6, **({"batch_first": True} | options))
        width = 6 * (1 + self.core.bidirectional)
        self.norm = norm(width) if norm else nn.Identity()
        self.readout, self.change = nn.Linear(width, 2), change or (lambda h: h)

    def forward(self, x, lengths):
        return self.readout(self.change(self.norm(self.core(x)[0])))


class Ending(Tagger):
    """Its ``change`` is made to the scores."""

    def forward(self, x, lengths):
        return self.change(self.readout(self.norm(self.core(x)[0])))


class Packed(Tagger):
    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        h = self.core(packed)[0]
        h = h._replace(data=self.readout(self.norm(h.data)))
        return pad_packed_sequence(h, batch_first=True, total_length=x.shape[1])[0]


class PackedShort(Tagger):
    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.readout(pad_packed_sequence(self.core(packed)[0], batch_first=True)[0])


class PackedForever(Tagger):
    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.readout(self.core(packed)[0].data)


class PackedUnsorted(Tagger):
    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        return self.readout(pad_packed_sequence(self.core(packed)[0], batch_first=True)[0])


class PackedInAnotherOrder(Tagger):
    """Sorted by hand, and sorted back only if the caller wishes."""

    def forward(self, x, lengths, back=False):
        order = lengths.argsort(descending=True, stable=True)
        packed = pack_padded_sequence(x[order], lengths[order], batch_first=True)
        h = pad_packed_sequence(self.core(packed)[0], batch_first=True, total_length=x.shape[1])[0]
        return self.readout(h)[order.argsort()] if back else self.readout(h)


class PackedAndSortedBack(PackedInAnotherOrder):
    def forward(self, x, lengths):
        return super().forward(x, lengths, back=True)


class Turned(Tagger):
    """Time in front for the layer, and back, by transpose or by another way."""

    def __init__(self, turn=lambda x: x.transpose(0, 1)):
        super().__init__(batch_first=False)
        self.turn = turn

    def forward(self, x, lengths):
        return self.readout(self.turn(self.core(self.turn(x))[0]))


class StepByStep(nn.Module):
    """A cell and a loop; padding keeps the state; scores of padding are set to zero."""

    def __init__(self):
        super().__init__()
        self.cell, self.readout = nn.LSTMCell(2, 6), nn.Linear(6, 2)

    def forward(self, x, lengths):
        h = c = x.new_zeros(len(x), 6)
        scores = []
        for t in range(x.shape[1]):
            alive = (t < lengths)[:, None]
            new_h, new_c = self.cell(x[:, t], (h, c))
            h, c = torch.where(alive, new_h, h), torch.where(alive, new_c, c)
            scores.append(self.readout(h) * alive)
        return torch.stack(scores, dim=1)


class StartsFromZeros(Tagger):
    """The start state made by hand, in PyTorch's own type; of both directions only one is used."""

    def __init__(self):
        super().__init__(bidirectional=True)

    def forward(self, x, lengths):
        h, _ = self.core(x, torch.zeros(2, len(x), 6))
        return self.readout(torch.cat([h[..., :6], h[..., :6]], dim=2))


class CarriesOn(Tagger):
    """A state that is never reset."""

    state = None

    def forward(self, x, lengths):
        start = self.state if self.state is not None and self.state.shape[1] == len(x) else None
        h, state = self.core(x, start)
        self.state = state.detach()
        return self.readout(h)


class OneStepLate(Tagger):
    def forward(self, x, lengths):
        h = self.core(x)[0]
        return self.readout(torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], dim=1))


class NoMemory(Tagger):
    def forward(self, x, lengths):
        return self.readout(x.repeat(1, 1, 3))


class ShortMemory(Tagger):
    """Reads this step and the two before."""

    def forward(self, x, lengths):
        early = nn.functional.pad(x, (0, 0, 2, 0))
        return self.readout(torch.cat([early[:, :-2], early[:, 1:-1], x], dim=2))


class Both(Tagger):
    """Returns what a layer returns: a pair."""

    def forward(self, x, lengths):
        h, state = self.core(x)
        return self.readout(h), state


class AtTheEnd(Tagger):
    def forward(self, x, lengths):
        return self.readout(self.core(x)[0][:, -1])


class BatchNorm(nn.BatchNorm1d):
    """Over sequences and steps, for (N, T, H)."""

    def forward(self, h):
        return super().forward(h.flatten(0, 1)).unflatten(0, h.shape[:2])


class Repair(nn.Module):
    """As the exercise has it."""

    def __init__(self, **options):
        super().__init__()
        self.core = nn.GRU(2, 6, bidirectional=True, **options)
        self.readout = nn.Linear(12, 2)

    def forward(self, x, lengths):
        h, _ = self.core(x)
        h = h - h.mean(dim=(0, 1))  # "normalisation"
        return self.readout(h).softmax(dim=-1)


def buckets(lengths, batch, pool, rng):
    found, shuffled = [], rng.permutation(len(lengths))
    for start in range(0, len(lengths), pool):
        part = shuffled[start : start + pool]
        part = part[np.argsort(lengths[part], kind="stable")]
        found += [part[k : k + batch] for k in range(0, len(part), batch)]
    rng.shuffle(found)
    return found


def buckets_in_lists(lengths, batch, pool, rng):
    """Longest first, plain lists, batches by a permutation."""
    order, found = list(range(len(lengths))), []
    rng.shuffle(order)
    while order:
        part, order = sorted(order[:pool], key=lambda n: -lengths[n]), order[pool:]
        while part:
            found.append(part[:batch])
            part = part[batch:]
    return (found[k] for k in rng.permutation(len(found)))


def buckets_in_tensors(lengths, batch, pool, rng):
    return [torch.tensor(part) for part in buckets(lengths, batch, pool, rng)]


# ---- and what others do ----------------------------------------------------------------------


def changes_argument(function):
    """The right answer, written over the argument."""

    def change(x, lengths):
        x[:] = function(x.clone(), lengths)
        return x

    return change


def zeroed(losses, lengths):
    losses[~real(lengths, losses.shape[1])] = 0.0
    return losses.sum() / lengths.sum()


def masked(losses, lengths):
    return losses * real(lengths, losses.shape[1])


def carried(change, at_end=lambda state: state):
    """A stream whose state goes through ``change`` from piece to piece."""

    def stream(layer, pieces):
        state, outputs = None, []
        with torch.no_grad():
            for piece in pieces:
                output, state = layer(piece, None if state is None else change(state))
                outputs.append(output)
        return torch.cat(outputs, dim=1), at_end(state)

    return stream


def each(change):
    """Change every tensor of a state."""
    return lambda state: tuple(map(change, state)) if isinstance(state, tuple) else change(state)


def joined_by(join):
    def stream(layer, pieces):
        state, outputs = None, []
        with torch.no_grad():
            for piece in pieces:
                output, state = layer(piece, state)
                outputs.append(output)
        return join(outputs), state

    return stream


def stream_undetached(layer, pieces):
    outputs, state = [], None
    for piece in pieces:
        output, state = layer(piece, state)
        outputs.append(output)
    return torch.cat(outputs, dim=1), state


def stream_half_detached(layer, pieces):
    outputs, state = stream_undetached(layer, pieces)
    return outputs, each(torch.Tensor.detach)(state)


def stream_of_pairs(layer, pieces):
    """Thinks that every layer has a cell state."""
    state, outputs = None, []
    with torch.no_grad():
        for piece in pieces:
            output, (h, c) = layer(piece, state)
            state = (h, c)
            outputs.append(output)
    return torch.cat(outputs, dim=1), state


def stream_from_first(layer, pieces):
    """Hands the state of the first piece to all others."""
    with torch.no_grad():
        output, state = layer(pieces[0])
        outputs = [output]
        for piece in pieces[1:]:
            output, final = layer(piece, state)
            outputs.append(output)
    return torch.cat(outputs, dim=1), final


def stream_at_once(layer, pieces):
    with torch.no_grad():
        return layer(torch.cat(pieces, dim=1))


def hidden_only(state):
    return state[0] if isinstance(state, tuple) else state


def not_by(steps):
    """Factors from another count than the real steps."""

    def factors(lengths):
        counts = torch.stack([torch.as_tensor(steps(T_n)) for T_n in lengths]).double()
        return counts / counts.sum()

    return factors


def bucketed(shuffle=True, pool_of=None, order=None, drop=None, back=True, finish=None):
    """Buckets with one part exchanged."""

    def function(lengths, batch, pool, rng):
        pool = pool_of(pool, batch, len(lengths)) if pool_of else pool
        found = []
        shuffled = rng.permutation(len(lengths)) if shuffle else np.arange(len(lengths))
        for start in range(0, len(lengths), pool):
            part = shuffled[start : start + pool]
            places = order(lengths[part]) if order else np.argsort(lengths[part])
            part = part[places] if back else places
            found += [part[k : k + batch] for k in range(0, len(part), batch)]
        if drop:
            found = [part for part in found if not drop(part, batch)]
        (finish or (lambda found, rng: rng.shuffle(found)))(found, rng)
        return found

    return function


def cut_later(lengths, batch, pool, rng):
    """Sorts the pools, then cuts all of them at once: batches cross pools."""
    shuffled = rng.permutation(len(lengths))
    pools = [shuffled[k : k + pool] for k in range(0, len(lengths), pool)]
    line = np.concatenate([part[np.argsort(lengths[part])] for part in pools])
    found = [line[k : k + batch] for k in range(0, len(line), batch)]
    rng.shuffle(found)
    return found


def whole_pools_only(lengths, batch, pool, rng):
    shuffled, found = rng.permutation(len(lengths)), []
    for start in range(0, len(lengths) - pool + 1, pool):
        part = shuffled[start : start + pool]
        part = part[np.argsort(lengths[part])]
        found += [part[k : k + batch] for k in range(0, len(part), batch)]
    rng.shuffle(found)
    return found


def short_tail_joined(lengths, batch, pool, rng):
    """The small rest of a pool is filled up with sequences of the same pool."""
    return [np.resize(part, batch) for part in buckets(lengths, batch, pool, rng)]


def own_seed(lengths, batch, pool, rng):
    return buckets(lengths, batch, pool, np.random.default_rng(0))


def no_seed(lengths, batch, pool, rng):
    return buckets(lengths, batch, pool, np.random.default_rng())


def shapes(output=(7, 11, 10), h_n=(4, 7, 5), c_n=(4, 7, 5)):
    return Args(output, h_n, c_n)


WRONG = {
    "check_shapes": [
        (shapes(output=(7, 11, 5)), "side by side"),
        (shapes(output=(11, 7, 10)), "batch_first=True puts the batch in front"),
        (shapes(output=(7, 11, 20)), "the top layer only"),
        (shapes(output=(7, 11, 3)), "these are the inputs"),
        (shapes(output=(7, 10)), "output: expected a shape"),
        (shapes(output=(7, 11, 12)), "the first is entry 2: 12 is too large"),
        (shapes(h_n=(7, 4, 5)), "h_n: not the right numbers; batch_first moves"),
        (shapes(h_n=(2, 7, 5)), "each layer and each direction"),
        (shapes(h_n=(2, 7, 10)), "with the layers, not the last"),
        (shapes(h_n=(1, 7, 5)), "each layer and each direction"),
        (shapes(h_n=(4, 11, 5)), "for each sequence, not for each step"),
        (shapes(c_n=(7, 4, 5)), "c_n: not the right numbers; batch_first moves"),
        (shapes(c_n=(7, 11, 10)), "after the last step only"),
        (shapes(c_n=(2, 7, 10)), "with the layers, not the last"),
        (shapes(c_n="the same"), "c_n: expected a shape"),
    ],
    "check_lengths_of": [
        (lambda s: lengths_of(s)[::-1], "the longest sequence comes first"),
        (lambda s: np.array(lengths_of(s)) - 1, "the first one counts too"),
        (lambda s: (s[None] >= np.arange(s[0])[:, None]).sum(axis=1), "`>`, not `>=`"),
        (lambda s: [sum(s > n) for n in range(1, s[0] + 1)], "n counts from 0"),
        (lambda s: s, "these are the batch sizes again"),
        (lambda s: -np.diff(s, append=0), "the sequences that end at each step"),
        (lambda s: (s[None] > np.arange(s[0])[:, None]).sum(axis=0), "batch sizes again"),
        (lambda s: [sum(s > n) for n in range(len(s))], "expected shape (3,)"),
        (lambda s: np.full(s[0], len(s)), "is too large"),
        (lambda s: s.sum(), "expected an array"),
        (np.array([4, 3, 1]), "expected a function"),
    ],
    "check_last": [
        (lambda o, k: o[:, -1], "behind the padding"),
        (lambda o, k: o[:, 0], "this is the first step"),
        (lambda o, k: o[torch.arange(len(o)), k], "raised IndexError"),
        (lambda o, k: o[torch.arange(len(o)), k.clamp(max=o.shape[1] - 1)], "steps count from 0"),
        (lambda o, k: o[torch.arange(len(o)), k - 2], "one step too early"),
        (lambda o, k: o[:, k - 1], "takes every length for every sequence"),
        (lambda o, k: o[:, k.max() - 1], "every sequence has a length of its own"),
        (lambda o, k: o[:, k.min() - 1], "entries are off"),
        (lambda o, k: o.mean(dim=1), "the mean over the block"),
        (lambda o, k: torch.stack([r[:n].mean(0) for r, n in zip(o, k, strict=True)]), "the mean"),
        (lambda o, k: o.gather(1, (k - 1)[:, None, None]), "expected shape (4, 3)"),
        (lambda o, k: last(o, k)[:, None], "an axis of length 1 too many"),
        (lambda o, k: last(o, k).T, "transposed"),
        (lambda o, k: last(o, k.sort(descending=True).values), "entries are off"),
        (lambda o, k: last(o.transpose(0, 1), k), "raised"),
    ],
    "check_mean_loss": [
        (lambda x, k: x.mean(), "padding is averaged in"),
        (lambda x, k: x.nanmean(), "padding is averaged in"),
        (lambda x, k: masked(x, k).mean(), "is counted: divide by"),
        (lambda x, k: masked(x, k).sum(), "this is the sum"),
        (lambda x, k: (masked(x, k).sum(dim=1) / k).mean(), "a mean of means"),
        (lambda x, k: masked(x, k).sum(dim=1) / k, "one number is asked"),
        (lambda x, k: masked(x, k).sum() / len(x), "not by sequences"),
        (lambda x, k: masked(x, k).sum() / k.sum(), "nan times 0 is nan"),
        (lambda x, k: mean_loss_chosen(x, k + 1), "one step too many"),
        (lambda x, k: x[torch.arange(x.shape[1]) <= k[:, None]].mean(), "one step too many"),
        (lambda x, k: x[torch.arange(x.shape[1]) < k[:, None] - 1].mean(), "one step too few"),
        (lambda x, k: x[real(k, x.shape[1])], "expected one number"),
        (lambda x, k: x[torch.arange(len(x)), k - 1].mean(), "is too"),
        (zeroed, "work on a copy, `x = x.clone()`"),
        (lambda x, k: masked(x, k[:-1]).sum(), "raised RuntimeError"),
    ],
    "check_reverse": [
        (lambda x, k: x.flip(1), "begin with their padding"),
        (lambda x, k: x.clone(), "nothing is reversed"),
        (lambda x, k: x.flip(0), "the first axis counts sequences"),
        (lambda x, k: x.flip(2), "the last axis counts inputs"),
        (lambda x, k: reverse(x, k) * real(k, x.shape[1])[..., None], "leave it in place"),
        (lambda x, k: reverse(x, k - 1), "the last real step stays"),
        (lambda x, k: reverse(x, k + 1), "a step of padding comes along"),
        (lambda x, k: reverse(x.flip(1), x.shape[1] - k).flip(1), "entries are off"),
        (
            lambda x, k: torch.stack(
                [torch.cat([r[:n].flip(0), r[n:].flip(0)]) for r, n in zip(x, k, strict=True)]
            ),
            "the padding is reversed too",
        ),
        (lambda x, k: x[torch.arange(len(x))[:, None], sources(x, k, 1)], "raised IndexError"),
        (lambda x, k: x[torch.arange(len(x)), sources(x, k)], "raised IndexError"),
        (lambda x, k: x.gather(1, sources(x, k)[..., None]), "expected shape (4, 6, 3)"),
        (lambda x, k: [r[:n].flip(0) for r, n in zip(x, k, strict=True)], "different lengths"),
        (changes_argument(reverse), "work on a copy, `x = x.clone()`"),
    ],
    "check_stream": [
        (lambda layer, pieces: joined_by(torch.stack)(layer, pieces), "raised RuntimeError"),
        (joined_by(lambda o: torch.cat(o, dim=0)), "raised RuntimeError"),
        (joined_by(lambda o: o), "rows of different lengths"),
        (joined_by(lambda o: torch.cat([p.flatten(0, 1) for p in o])), "outputs: expected shape"),
        (joined_by(lambda o: torch.cat(o, dim=1).transpose(0, 1)), "outputs: expected shape"),
        (joined_by(lambda o: torch.cat(o[::-1], dim=1)), "outputs: "),
        (joined_by(lambda o: o[-1]), "the last piece alone"),
        (joined_by(lambda o: o[-1][:, -1:]), "not of the last only"),
        (joined_by(lambda o: o[-1][:, -1]), "not of the last only"),
        (joined_by(lambda o: torch.stack([p[:, -1] for p in o], dim=1)), "outputs: expected shape"),
        (carried(lambda state: None), "every piece starts from zero"),
        (carried(each(torch.zeros_like)), "every piece starts from zero"),
        (carried(each(lambda s: s.flip(1))), "outputs: "),
        (carried(lambda state: state[0]), "raised RuntimeError"),
        (carried(hidden_only), "nn.LSTM: call 1 of 1 raised"),
        (carried(lambda state: state, hidden_only), "nn.LSTM: the results are off; return the"),
        (carried(lambda state: state, lambda state: state[-1]), "nn.RNN: the results are off; ret"),
        (
            carried(
                lambda state: (state[1], state[0]) if isinstance(state, tuple) else state,
            ),
            "outputs: 32 of 72",
        ),
        (
            carried(
                lambda state: state,
                lambda state: state[::-1] if isinstance(state, tuple) else state,
            ),
            "final state: not the right values; the first axis runs backwards",
        ),
        (stream_of_pairs, "nn.RNN: call 1 of 1 raised ValueError"),
        (stream_from_first, "outputs: "),
        (stream_at_once, "joined before they are read"),
        (stream_undetached, "use no_grad or detach"),
        (stream_half_detached, "use no_grad or detach"),
        (lambda layer, pieces: stream(layer, pieces)[0], "expected 2 results, outputs, final"),
        (lambda layer, pieces: stream(layer, pieces)[::-1], "outputs: expected shape"),
        (lambda layer, pieces: (*stream(layer, pieces), 0), "expected 2 results"),
        (lambda layer, pieces: [layer(piece) for piece in pieces], "expected 2 results"),
    ],
    "check_factors": [
        (lambda b: [1 / len(b)] * len(b), "equally many real steps"),
        (not_by(len), "weighs by sequences"),
        (not_by(lambda k: k.max() * len(k)), "this counts padding too"),
        (lambda b: torch.ones(len(b)), "the sum of means is not a mean"),
        (lambda b: factors(b) * len(b), "not to 1"),
        (lambda b: torch.stack([k.sum() for k in b]), "divide by their sum"),
        (not_by(lambda k: k.double().mean()), "how many sequences a batch has"),
        (lambda b: 1 / factors(b), "upside down"),
        (not_by(lambda k: k.max()), "entries are off"),
        (lambda b: factors(b).sum(), "expected an array"),
        (lambda b: factors(b)[:, None], "an axis of length 1 too many"),
        (lambda b: [k / k.sum() for k in b], "an axis too many"),
        (lambda b: [k.sum() // sum(k.sum() for k in b) for k in b], "every entry is 0 times"),
        (lambda b: torch.stack(b).sum(dim=1), "raised RuntimeError"),
    ],
    "check_repair": [
        (Repair(), "a sequence moves when another one is changed"),
        (Repair(batch_first=True), "a sequence moves when another one is changed"),
        (Tagger(batch_first=False), "which axis does it take for time"),
        (Tagger(batch_first=False, bidirectional=True), "which axis does it take for time"),
        (Tagger(batch_first=False, norm=nn.LayerNorm), "which axis does it take for time"),
        (Ending(batch_first=False, change=lambda s: s.softmax(-1)), "which axis does it take"),
        (Tagger(batch_first=False, norm=BatchNorm), "axes, or a mean over the batch"),
        (Turned(lambda x: x.reshape(x.shape[1], x.shape[0], -1)), "a sequence moves"),
        (Tagger(norm=BatchNorm), "a mean over the batch"),
        (Tagger(norm=BatchNorm).eval(), "a mean over the batch"),
        (Packed(norm=nn.BatchNorm1d), "a mean over the batch"),
        (Tagger(change=lambda h: h - h.mean(dim=(0, 1))), "a mean over the batch"),
        (Tagger(change=lambda h: h - h.mean(dim=0)), "a mean over the batch"),
        (Tagger(change=lambda h: h - h.mean(dim=1, keepdim=True)), "it sees the future"),
        (Tagger(norm=lambda width: nn.LayerNorm((5, width))), "it sees the future"),
        (Tagger(bidirectional=True), "it sees the future"),
        (Packed(bidirectional=True), "it sees the future"),
        (Packed(bidirectional=True, norm=nn.LayerNorm), "it sees the future"),
        (Tagger(change=lambda h: h.flip(1)), "it sees the future"),
        (Ending(change=lambda s: s.softmax(dim=-1)), "stay within -1 and 1"),
        (Ending(change=lambda s: s.softmax(dim=1)), "it sees the future"),
        (Ending(change=torch.sigmoid), "stay within -1 and 1"),
        (Ending(change=torch.tanh), "stay within -1 and 1"),
        (Ending(change=lambda s: s.log_softmax(dim=-1)), "these are logs of probabilities"),
        (Ending(change=lambda s: s.softmax(dim=-1).log()), "these are logs of probabilities"),
        (Ending(change=lambda s: s.argmax(dim=-1)), "two scores are asked"),
        (Ending(change=lambda s: s[..., 0]), "two scores are asked"),
        (PackedShort(), "total_length"),
        (PackedForever(), "unpack them"),
        (PackedUnsorted(), "raised RuntimeError: `lengths` array must be sorted"),
        (PackedInAnotherOrder(), "is the order that of x again"),
        (CarriesOn(), "the same batch twice gives two answers"),
        (Tagger(change=lambda h: nn.functional.dropout(h, 0.5)), "the same batch twice"),
        (OneStepLate(), "the input of its own step"),
        (NoMemory(), "it has no memory"),
        (ShortMemory(), "it has no memory"),
        (Both(), "raised AttributeError"),
        (AtTheEnd(), "scores are asked at every step"),
        (Tagger().forward, "expected the repaired module"),
        (Tagger, "expected the repaired module"),
        (nn.GRU(2, 2, batch_first=True), "raised"),
    ],
    "check_buckets": [
        (lambda *case: [lengths for lengths in buckets(*case)][:-1], "a sequence is missing"),
        (bucketed(drop=lambda part, batch: len(part) < batch), "may be smaller"),
        (whole_pools_only, "the last pool, may be smaller"),
        (lambda k, *case: [k[part] for part in buckets(k, *case)], "these are lengths"),
        (bucketed(back=False), "these are places within a pool"),
        (short_tail_joined, "a sequence occurs twice"),
        (cut_later, "batches do not cross pools"),
        (lambda k, batch, *rest: buckets(k, 2 * batch, *rest), "another size than asked"),
        (lambda k, batch, pool, rng: buckets(k, batch, 20, rng), "the size asked"),
        (bucketed(pool_of=lambda pool, batch, n: 20 if pool == 30 else pool), "three pools of 30"),
        (bucketed(order=lambda k: np.arange(len(k))), "sort each pool by length"),
        (bucketed(order=lambda k: np.argsort(k % 10)), "sort each pool by length"),
        (bucketed(pool_of=lambda pool, batch, n: n), "the whole set is sorted"),
        (bucketed(pool_of=lambda pool, batch, n: pool * batch), "the whole set is sorted"),
        (own_seed, "two seeds give the same batches"),
        (no_seed, "one seed gives two results"),
        (bucketed(finish=lambda found, rng: None), "shuffle them at the end"),
        (bucketed(finish=lambda found, rng: found.reverse()), "shuffle them at the end"),
        (bucketed(finish=lambda f, rng: [rng.shuffle(part) for part in f]), "shuffle them at"),
        (bucketed(shuffle=False), "shuffle the sequences first"),
        (
            bucketed(shuffle=False, finish=lambda found, rng: None),
            "two seeds give the same batches",
        ),
        (lambda *case: np.concatenate(buckets(*case)), "a list of index arrays"),
        (lambda *case: [], "a list of index arrays"),
        (lambda *case: [part / 1 for part in buckets(*case)], "a list of index arrays"),
        (lambda k, batch, pool, rng: buckets(k, batch, pool, rng)[k], "raised TypeError"),
        (buckets(np.arange(40), 5, 20, np.random.default_rng(0)), "expected a function"),
    ],
}

RIGHT = {
    "check_shapes": [
        shapes(),
        Args([7, 11, 10], torch.Size([4, 7, 5]), (4, 7, 5)),
        Args(torch.zeros(7, 11, 10).shape, np.zeros((4, 7, 5)).shape, [4, 7, 5]),
    ],
    "check_lengths_of": [
        lengths_of,
        lengths_by_ends,
        lambda s: torch.tensor([(torch.tensor(s) > n).sum() for n in range(s[0])]),
        lambda s: (s[:, None] > np.arange(s[0])).sum(axis=0).astype(float),
    ],
    "check_last": [
        last,
        last_by_index,
        last_by_gather,
        last_by_mask,
        lambda o, k: last(o.float(), k),
        lambda o, k: last(o, k).numpy(),
        lambda o, k: [row[n - 1] for row, n in zip(o, k, strict=True)],
        lambda o, k: last(o, k).tolist(),
    ],
    "check_mean_loss": [
        mean_loss,
        mean_loss_chosen,
        mean_loss_single,
        lambda x, k: x.masked_fill(~real(k, x.shape[1]), torch.nan).nanmean(),
        lambda x, k: (x.nan_to_num() * real(k, x.shape[1])).sum() / k.sum(),
    ],
    "check_reverse": [
        reverse,
        reverse_by_gather,
        reverse_in_numpy,
        lambda x, k: x[torch.arange(len(x))[:, None], sources(x, k)],
        lambda x, k: reverse(x.float(), k).tolist(),
    ],
    "check_stream": [stream, stream_step_by_step, stream_from_zeros],
    "check_factors": [
        factors,
        factors_in_a_list,
        factors_single,
        lambda b: factors(b).numpy(),
        not_by(lambda k: k.double().mean() * len(k)),
    ],
    "check_repair": [
        Tagger(),
        Tagger().eval(),
        Tagger().double(),
        Tagger(norm=nn.LayerNorm),
        Tagger(cell=nn.RNN, nonlinearity="relu"),
        Tagger(cell=nn.LSTM, num_layers=3),
        Tagger(cell=nn.LSTM, num_layers=2, dropout=0.4, norm=nn.LayerNorm),
        Tagger(norm=lambda width: nn.Dropout(0.5)),
        Tagger(change=lambda h: h - h.mean(dim=-1, keepdim=True)),
        Ending(change=lambda s: 3 * s - 1),
        Packed(),
        Packed(cell=nn.LSTM, num_layers=2, norm=nn.LayerNorm),
        PackedAndSortedBack(),
        Turned(),
        StepByStep(),
        StartsFromZeros(),
    ],
    "check_buckets": [buckets, buckets_in_lists, buckets_in_tensors, bucketed()],
}
