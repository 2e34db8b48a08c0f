"""One instruction set's part of the matrix: every way to run the same streams, bit by bit.

Run in a process of its own, as Numba reads its instruction set from the environment once::

    NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES= NUMBA_CACHE_DIR=… \\
        python -m tests.adjuster.fused_engine.instruction_sets small

Prints how many runs were compared, and ends with status 1 where one differs, naming it.
"""

import sys
from itertools import cycle, product

import numpy as np

from adjuster import AdjusterConfig, SearchIndexInfo
from adjuster.fused_engine import threads
from adjuster.fused_engine.knobs import make_knobs, rocchio_knobs
from adjuster.rocchio import RocchioWeights
from tests.adjuster.fused_engine.random_streams import Way, random_streams, run

SMOOTH = {"loss": "logistic", "logit_bias": 0.1, "optimizer": "sgd"}
SETTINGS = {
    "published defaults": ("cosine", "min", {"num_iterations": 3}),
    "distance, anchor, bound": (
        "euclid",
        "avg",
        {"num_iterations": 3, "adjustment_rate": 0.01, "anchor_weight": 0.1, "max_drift": 0.05},
    ),
    "refit within the span": ("cosine", "min", {**SMOOTH, "memory": "refit"}),
    "refit in full": ("cosine", "avg", {**SMOOTH, "memory": "refit", "num_iterations": 1}),
    "dot, anchored steps": ("dot", "min", {**SMOOTH, "anchor_weight": 0.2, "num_iterations": 3}),
}
BLOCKS, THREADS, SHIFTS = range(1, 26), range(1, 5), range(16)
SIZES = {
    "small": ((1, 7, 8, 33), (np.float32,), (1, 2, 5, 25)),
    "medium": ((1, 2, 3, 7, 8, 9, 16, 31, 33, 40), (np.float32, np.float64), (1, 2, 3, 8, 25)),
    "full": (range(1, 41), (np.float32, np.float64), BLOCKS),
}
"""Size → dimensions, types and block counts; threads, cuts and addresses take turns. The full size
takes half an hour or more for each instruction set, and is run by hand."""


def knobs_of(dimensions):
    """What the kernel is told, by name."""
    known = {
        name: make_knobs(SearchIndexInfo(dimensions, metric, pooling), AdjusterConfig(**values))
        for name, (metric, pooling, values) in SETTINGS.items()
    }
    return known | {"rocchio": rocchio_knobs(SearchIndexInfo(dimensions), RocchioWeights())}


def differing(size):
    """Runs compared, and those that differ from one block on one thread."""
    dimensions, dtypes, block_counts = SIZES[size]
    turns = zip(cycle(THREADS), cycle((True, False, False)), cycle(SHIFTS), strict=False)
    n_runs, faults = 0, []
    for length, dtype in product(dimensions, dtypes):
        streams = random_streams(length, length, dtype)
        for name, knobs in knobs_of(length).items():
            expected = run(knobs, streams, Way())
            for n_blocks, (n_threads, by_time, shift) in zip(block_counts, turns, strict=False):
                way = Way(n_blocks, by_time, n_threads, shift)
                n_runs += 1
                if run(knobs, streams, way) != expected:
                    faults.append(f"{name}, D {length}, {dtype.__name__}: {way}")
    return n_runs, faults


def main():
    """Compare, print, and end."""
    threads.FEWEST_ITEMS = 1  # these streams are few, and the threads are to be used
    n_runs, faults = differing(sys.argv[1])
    print(f"{n_runs} runs compared, {len(faults)} differ", *faults[:20], sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
