"""HMM forward, Viterbi, smoothing and one EM step against hmmlearn, on the same data.

hmmlearn's two implementations ("log" and "scaling") are both timed; the faster one is the peer.
Runs alternate, so that a busy machine slows both sides; medians are compared. Tables are drawn
from flat Dirichlet distributions, symbols are uniform: such chains forget their start soon, which
helps one long sequence of more than 6 states here.
"""

import logging
import time

import numpy as np

from course_lib import hmm_batch, hmm_learning
from course_lib.hmmlearn_bridge import to_hmmlearn

BATCHES = [(1, 300), (1, 3000), (64, 200), (256, 200)]
STATES = [2, 4, 16, 64]
V = 12
MIN_SECONDS = 0.25  # for each side of a cell
MIN_RUNS = 5
MUCH_SLOWER = 3  # than the other mode, in a first run


def jobs(rng, N, T, K):
    """Return {task: (ours, {implementation: theirs})}, all without arguments."""
    pi, A = rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K)
    B = rng.dirichlet(np.ones(V), K)
    ys = rng.integers(V, size=(N, T))
    X, lengths = ys.reshape(-1, 1), [T] * N
    peers = {}
    for name in ("log", "scaling"):
        score = to_hmmlearn(pi, A, B, implementation=name)
        step = to_hmmlearn(pi, A, B, implementation=name, n_iter=1, params="ste", tol=-np.inf)
        peers[name] = (score, step)

    def fit(model):
        model.startprob_, model.transmat_, model.emissionprob_ = pi, A, B
        model.fit(X, lengths)

    def each(call):
        return {name: (lambda pair=pair: call(*pair)) for name, pair in peers.items()}

    return {
        "forward": (
            lambda: hmm_batch.log_evidence(ys, pi, A, B),
            each(lambda score, step: score.score(X, lengths)),
        ),
        "smoothing": (
            lambda: hmm_batch.smooth_batch(ys, pi, A, B),
            each(lambda score, step: score.predict_proba(X, lengths)),
        ),
        "Viterbi": (
            lambda: hmm_batch.viterbi_batch(ys, pi, A, B),
            each(lambda score, step: score.decode(X, lengths)),
        ),
        "EM step": (
            lambda: hmm_learning.em_step(ys, pi, A, B),
            each(lambda score, step: fit(step)),
        ),
    }


def seconds_of(call):
    before = time.perf_counter()
    call()
    return time.perf_counter() - before


def medians(calls):
    """Median milliseconds of each call, run in turn; the first call is ours."""
    first = [seconds_of(call) for call in calls]
    peer = min(first[1:])
    # A mode that is much slower is not repeated: its one run stands for it.
    times = [[] if n == 0 or s < MUCH_SLOWER * peer else [s] for n, s in enumerate(first)]
    calls = [call for call, seconds in zip(calls, times, strict=True) if not seconds]
    repeated = [seconds for seconds in times if not seconds]
    start = time.perf_counter()
    while len(repeated[0]) < MIN_RUNS or time.perf_counter() - start < MIN_SECONDS * len(calls):
        for call, seconds in zip(calls, repeated, strict=True):
            seconds.append(seconds_of(call))
        if time.perf_counter() - start > 40 * MIN_SECONDS:
            break
    return [1e3 * float(np.median(seconds)) for seconds in times]


def main():
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)  # it warns of many parameters
    print("HMM against hmmlearn (median time of a call; ratio above 1: course_lib is faster)")
    print(f"{'task':10} {'batch':>10} {'states':>6} {'here':>10} {'hmmlearn':>10} "
          f"{'its mode':>8} {'ratio':>7}")  # fmt: skip
    rng = np.random.default_rng(0)
    ratios = {"1": [], "batch": []}
    for task in ("forward", "smoothing", "Viterbi", "EM step"):
        for N, T in BATCHES:
            for K in STATES:
                ours, theirs = jobs(rng, N, T, K)[task]
                mine, *others = medians([ours, *theirs.values()])
                peer = min(others)
                mode = list(theirs)[others.index(peer)]
                ratios["1" if N == 1 else "batch"].append(peer / mine)
                print(f"{task:10} {f'{N} x {T}':>10} {K:6} {mine:7.2f} ms {peer:7.2f} ms "
                      f"{mode:>8} {peer / mine:7.2f}", flush=True)  # fmt: skip
    for name, values in ratios.items():
        goal = 1 if name == "1" else 2
        met = sum(r >= goal for r in values)
        title = "one sequence" if name == "1" else "batches"
        print(f"goal {goal} x, {title}: met in {met} of {len(values)} cells, ", end="")
        print(f"median ratio {np.median(values):.2f}")


if __name__ == "__main__":
    main()
