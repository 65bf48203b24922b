"""LSTM and GRU, forward and forward + backward, against PyTorch on the CPU with as many threads.

Both sides read the same batch with the same weights and give every gradient: weights, inputs and
start states. The peer computes in float64 as course_lib does; PyTorch's usual float32 is printed
beside it for information. Runs alternate, so that a busy machine slows both sides; medians are
compared.
"""

import os
import time

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from course_lib import gru, lstm, rnn
from course_lib.torch_bridge import to_torch

SIZES = [(1, 100, 8, 16), (32, 100, 32, 64), (64, 100, 128, 256)]  # batch, steps, input, hidden
GOALS = {SIZES[1]: 4.0, SIZES[2]: 1.5}  # our time over PyTorch's, at most
CELLS = {
    "LSTM": (lstm.init_lstm, lstm.lstm_forward, lstm.lstm_backward),
    "GRU": (gru.init_gru, gru.gru_forward, gru.gru_backward),
    "RNN": (rnn.init_rnn, rnn.rnn_forward, rnn.rnn_backward),
}
MIN_SECONDS = 0.5  # for each of the calls that are compared
MIN_RUNS = 5
MAX_SECONDS = 8  # for all calls of a line, on a machine that is busy


def jobs(cell, size):
    """Return {task: (ours, theirs in float64, theirs in float32)}, all without arguments."""
    N, T, D, H = size
    init, forward, backward = CELLS[cell]
    rng = np.random.default_rng(0)
    params, x, dh = init(D, H, rng), rng.normal(size=(N, T, D)), rng.normal(size=(N, T, H))
    peers = [peer(params, x, dh, dtype) for dtype in (torch.float64, torch.float32)]
    return {
        "forward": (lambda: forward(x, params), *(call for call, _ in peers)),
        "forward + backward": (
            lambda: backward(dh, forward(x, params), params),
            *(call for _, call in peers),
        ),
    }


def peer(params, x, dh, dtype):
    """PyTorch's forward pass without autograd's records, and both passes."""
    module = to_torch(params).to(dtype)
    x, dh = torch.from_numpy(x).to(dtype), torch.from_numpy(dh).to(dtype)
    state = torch.zeros(1, len(x), dh.shape[-1], dtype=dtype)
    leaf = x.clone().requires_grad_()

    def forward():
        with torch.no_grad():
            module(x)

    def both():
        starts = [state.clone().requires_grad_() for _ in range(1 + hasattr(params, "b_a"))]
        outputs, _ = module(leaf, tuple(starts) if len(starts) == 2 else starts[0])
        torch.autograd.grad(outputs, (leaf, *starts, *module.parameters()), dh)

    return forward, both


def medians(calls):
    """Median milliseconds of each call, run in turn."""
    times = [[] for _ in calls]
    for call in calls:
        call()  # first touch of memory and of code
    start = time.perf_counter()
    while len(times[0]) < MIN_RUNS or time.perf_counter() - start < MIN_SECONDS * len(calls):
        for call, seconds in zip(calls, times, strict=True):
            before = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - before)
        if time.perf_counter() - start > MAX_SECONDS:
            break
    return [1e3 * float(np.median(seconds)) for seconds in times]


def run(threads):
    """Print one table; return how many of the goals were met, and how many there are."""
    print(f"\nthreads: {threads}")
    print(f"{'cell':5} {'batch, steps, input, hidden':28} {'task':18} {'here':>10} "
          f"{'torch f64':>10} {'ratio':>6} {'goal':>5} {'torch f32':>10}")  # fmt: skip
    met = goals = 0
    for size in SIZES:
        for cell in CELLS:
            for task, calls in jobs(cell, size).items():
                ours, theirs, single = medians(calls)
                goal = GOALS.get(size) if cell != "RNN" else None
                goals += goal is not None
                met += goal is not None and ours <= goal * theirs
                print(f"{cell:5} {size!s:28} {task:18} {ours:7.2f} ms {theirs:7.2f} ms ", end="")
                print(f"{ours / theirs:6.2f} {goal or '':>5} {single:7.2f} ms", flush=True)
    return met, goals


def main():
    """Time with one thread, and with all that there are."""
    print("cells against PyTorch on the CPU (median time of a call; ratio below 1: here is faster)")
    before = torch.get_num_threads()
    for threads in sorted({1, os.cpu_count() or 1}):
        with threadpool_limits(threads):
            torch.set_num_threads(threads)
            met, goals = run(threads)
        print(f"goals met: {met} of {goals}")
    torch.set_num_threads(before)


if __name__ == "__main__":
    main()
