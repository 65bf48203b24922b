"""Attention against PyTorch, scan against loop, and how cost grows with length.

Both sides of the first table read the same batch with the same weights in float64, mask the future,
and give every gradient: weights and inputs. PyTorch is timed twice, with the weights of attention
handed out, as they are here, and without, where it may use a fused kernel. Runs alternate, so that
a busy machine slows both sides; medians are compared. Growth is the slope of a line through the
logarithms of length and cost.
"""

import os
import time
import tracemalloc
from functools import partial

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.bench_cells import medians
from course_lib.attention import causal_mask
from course_lib.attention_bridge import to_torch
from course_lib.gru import gru_forward, init_gru
from course_lib.linear_recurrence import LinearParams, linear_forward, linear_rnn_scan
from course_lib.multi_head import init_multi_head, multi_head_backward, multi_head_forward

SIZES = [(1, 64, 64, 4), (8, 256, 128, 4), (2, 1024, 128, 4)]  # batch, length, width, heads
GOALS = {SIZES[1]: 2.0}  # our time over PyTorch's faster way, at most
SCAN_LENGTHS = (1_000, 10_000, 100_000)
GROWTH_LENGTHS = (512, 1024, 2048, 4096)
H = 32  # units of the recurrences, and width of attention where growth is measured


def attention_jobs(size):
    """Return {task: (ours, theirs with weights, theirs without)}, all without arguments."""
    N, T, M, heads = size
    rng = np.random.default_rng(0)
    params, x, dy = init_multi_head(M, rng), rng.normal(size=(N, T, M)), rng.normal(size=(N, T, M))
    mask = causal_mask(T)
    module, leaf = to_torch(params, heads), torch.from_numpy(x).requires_grad_()
    hidden, gradient = torch.from_numpy(~mask), torch.from_numpy(dy)  # True hides in PyTorch

    def theirs(weights):
        return module(leaf, leaf, leaf, attn_mask=hidden, need_weights=weights, is_causal=True)[0]

    def forward(weights):
        with torch.no_grad():
            theirs(weights)

    def both(weights):
        torch.autograd.grad(theirs(weights), (leaf, *module.parameters()), gradient)

    def ours():
        return multi_head_forward(x, params, heads, mask=mask)

    return {
        "forward": (ours, lambda: forward(True), lambda: forward(False)),
        "forward + backward": (
            lambda: multi_head_backward(dy, ours(), params),
            lambda: both(True),
            lambda: both(False),
        ),
    }


def attention_table(threads):
    """Print the first table; return how many of the goals were met, and how many there are."""
    print(f"\nthreads: {threads}")
    print(f"{'batch, length, width, heads':28} {'task':18} {'here':>11} {'torch':>11} "
          f"{'fused':>11} {'ratio':>6} {'goal':>5}")  # fmt: skip
    met = goals = 0
    for size in SIZES:
        for task, calls in attention_jobs(size).items():
            ours, plain, fused = medians(calls)
            ratio, goal = ours / min(plain, fused), GOALS.get(size)
            goals += goal is not None
            met += goal is not None and ratio <= goal
            print(f"{size!s:28} {task:18} {ours:8.2f} ms {plain:8.2f} ms {fused:8.2f} ms "
                  f"{ratio:6.2f} {goal or '':>5}", flush=True)  # fmt: skip
    return met, goals


def linear_rnn(T, rng):
    """One sequence of T steps for a linear RNN of H units."""
    params = LinearParams(rng.uniform(0.5, 1.0, H), rng.normal(size=(3, H)), rng.normal(size=H))
    return rng.normal(size=(1, T, 3)), params


def scan_table():
    """Print the time of one linear recurrence as a loop and as a scan."""
    print(f"\none linear recurrence of {H} units, one sequence, one thread")
    print(f"{'steps':>8} {'rounds':>7} {'loop':>11} {'scan':>11} {'loop / scan':>12}")
    for T in SCAN_LENGTHS:
        x, params = linear_rnn(T, np.random.default_rng(0))
        loop, scan = medians(
            [partial(linear_forward, x, params), partial(linear_rnn_scan, x, params)]
        )
        rounds = int(np.ceil(np.log2(T)))
        print(f"{T:8,} {rounds:7} {loop:8.2f} ms {scan:8.2f} ms {loop / scan:12.2f}", flush=True)


def growth_table():
    """Print how time and memory of one forward pass grow with length, as fitted exponents."""
    rng = np.random.default_rng(0)
    heads, gru = init_multi_head(H, rng), init_gru(H, H, rng)
    linear = LinearParams(rng.uniform(0.5, 1.0, H), rng.normal(size=(H, H)), rng.normal(size=H))
    models = {
        "attention": lambda x: multi_head_forward(x, heads, 4, mask=causal_mask(x.shape[1])),
        "GRU": lambda x: gru_forward(x, gru),
        "linear, loop": lambda x: linear_forward(x, linear),
        "linear, scan": lambda x: linear_rnn_scan(x, linear),
    }
    lengths = ", ".join(f"{T:,}" for T in GROWTH_LENGTHS)
    print(f"\ngrowth of one forward pass with the length T = {lengths}; width {H}, one thread")
    print(f"{'model':14} {'time ~ T^':>10} {'memory ~ T^':>12} {'longest':>12} {'peak':>10}")
    for name, call in models.items():
        inputs = [rng.normal(size=(1, T, H)) for T in GROWTH_LENGTHS]
        seconds = [median_seconds(partial(call, x)) for x in inputs]
        peaks = [peak_bytes(partial(call, x)) for x in inputs]
        print(f"{name:14} {slope(seconds):10.2f} {slope(peaks):12.2f} "
              f"{1e3 * seconds[-1]:9.1f} ms {peaks[-1] / 1e6:7.1f} MB", flush=True)  # fmt: skip


def median_seconds(call, runs=5):
    """Median wall time of some calls after a first one."""
    call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def peak_bytes(call):
    """Largest memory that NumPy and Python held during a call, beyond what was there."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def slope(costs):
    """Exponent p of cost ~ T^p, fitted to all lengths."""
    return float(np.polyfit(np.log(GROWTH_LENGTHS), np.log(costs), 1)[0])


def main():
    """Time attention with one thread and with all that there are, the rest with one."""
    print("attention against PyTorch on the CPU (median time of a call; ratio below 1: here is")
    print("faster; the ratio is to the faster of PyTorch's two ways)")
    before = torch.get_num_threads()
    for threads in sorted({1, os.cpu_count() or 1}):
        with threadpool_limits(threads):
            torch.set_num_threads(threads)
            met, goals = attention_table(threads)
        print(f"goals met: {met} of {goals}")
    torch.set_num_threads(before)
    with threadpool_limits(1):
        scan_table()
        growth_table()


if __name__ == "__main__":
    main()
