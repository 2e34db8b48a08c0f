"""Part ``adjuster``: sessions a second and peak memory of every engine, on one machine.

Like is measured with like: what a host calls, from its objects to its objects, on both sides; and
the arithmetic alone, from arrays that are ready to arrays, on both sides.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster import (
    AdjusterConfig,
    ImprovementInput,
    PublishedAdjuster,
    SearchIndexInfo,
    TorchBasedAdjuster,
    adjust_with_autograd,
    build_batch,
)
from adjuster.fused_engine.batch import adjust_batch
from adjuster.torch_engine.published_autograd import adjust_group_with_autograd
from experiments.benchmarks.clock import in_own_process, items_per_second, peak_above_start
from experiments.benchmarks.parts import Measured
from experiments.benchmarks.shapes import SHAPES, Maker, load_shape
from experiments.common.wording import grid

BATCH_SIZES = (1, 8, 64, 256, 1024)
LONGEST_CALL_SECONDS = 6.0
TURNS = 41
MIB = 2**20

Sessions = Sequence[ImprovementInput]
Call = Callable[[], object]


def _fused(sessions: Sessions, index: SearchIndexInfo, config: AdjusterConfig) -> Call:
    batch = build_batch(sessions, index).batch
    kept: NDArray[np.floating] | None = None

    def call() -> None:
        nonlocal kept
        kept = adjust_batch(batch, index, config, out=kept)

    return call


def _plugin(sessions: Sessions, index: SearchIndexInfo, config: AdjusterConfig) -> Call:
    adjuster = TorchBasedAdjuster.from_config(index, config)
    return lambda: adjuster.adjust_vectors(sessions)


def _torch(sessions: Sessions, index: SearchIndexInfo, config: AdjusterConfig) -> Call:
    batch = build_batch(sessions, index).batch
    return lambda: adjust_with_autograd(batch, index, config)


def _published(sessions: Sessions, index: SearchIndexInfo, config: AdjusterConfig) -> Call:
    adjuster = PublishedAdjuster(index, num_iterations=config.num_iterations)
    return lambda: adjuster.adjust_vectors(sessions)


def _published_arrays(sessions: Sessions, index: SearchIndexInfo, config: AdjusterConfig) -> Call:
    groups = _stacked(sessions)

    def call() -> None:
        for n_clicked, queries, shown in groups:
            adjust_group_with_autograd(queries, shown, n_clicked, index, config)

    return call


def _stacked(sessions: Sessions) -> list[tuple[int, torch.Tensor, torch.Tensor]]:
    """Sessions of one shape together: how many are clicked, queries (B, N, D), shown (B, K, M, D).

    Those without a clicked or an unclicked object are left out, as the published adjuster does.
    """
    groups: dict[tuple[int, torch.Size], list[tuple[torch.Tensor, torch.Tensor]]] = {}
    for session in sessions:
        if session.clicked_elements and session.non_clicked_elements:
            elements = (*session.clicked_elements, *session.non_clicked_elements)
            shown = torch.stack([element.vector for element in elements])
            key = len(session.clicked_elements), shown.shape
            groups.setdefault(key, []).append((session.query.vector, shown))
    return [
        (
            n_clicked,
            torch.stack([asked for asked, _ in group]),
            torch.stack([it for _, it in group]),
        )
        for (n_clicked, _), group in groups.items()
    ]


ENGINES: dict[str, Callable[[Sessions, SearchIndexInfo, AdjusterConfig], Call]] = {
    "fused": _fused,
    "torch": _torch,
    "published_arrays": _published_arrays,
    "fused_adjust_vectors": _plugin,
    "published": _published,
}
"""Engine → what makes ready a call on some sessions: the kernel, autograd and the published
arithmetic on arrays; then the kernel and the published semantics behind the plugin hook. The kernel
on arrays writes into memory that is kept from call to call, as a worker would; `adjust_vectors`
uses the memory of the answer before again, since nobody holds that here."""

IN_TORCH = ("torch", "published_arrays", "published")
TABLES = {
    "arrays only": ("fused", "torch", "published_arrays"),
    "from a host's objects": ("fused_adjust_vectors", "published"),
}
"""What is measured with what: ours first, the published adjuster last."""


@dataclass(frozen=True)
class Speed:
    """How fast an engine is on a shape, and what memory it takes.

    Args:
        by_batch: Sessions in a call → sessions a second; without the sizes whose one call would
            take too long.
        peak_bytes: Memory above the process's start, at 1024 sessions a call.
        vector_bytes: What those sessions' distinct vectors take.
    """

    by_batch: dict[int, float]
    peak_bytes: int
    vector_bytes: int

    @property
    def best_batch(self) -> int:
        """The batch size of most sessions a second."""
        return max(self.by_batch, key=self.by_batch.__getitem__)

    @property
    def best(self) -> float:
        """Sessions a second at the best batch size."""
        return self.by_batch[self.best_batch]

    @property
    def one_a_call(self) -> float:
        """Sessions a second, one session a call."""
        return self.by_batch[1]


def measure() -> Measured:
    """Measure every engine on every shape."""
    figures: dict[str, float] = {}
    rows: list[tuple[str, ...]] = []
    for shape in SHAPES:
        speeds = {}
        for engine in ENGINES:
            print(f"benchmark: {shape}, {engine} …", file=sys.stderr)
            speeds[engine] = in_own_process(speed_of, shape, engine)
        figures |= shape_figures(shape, speeds, in_own_process(share_outside_kernel, shape))
        rows += [_row(shape, engine, speed) for engine, speed in speeds.items()]
    head = ("shape", "engine", "sessions/s", "batch", "one a call", "peak MiB", "× vectors")
    lines: list[str] = []
    for table, engines in TABLES.items():
        mine = [row for row in rows if row[1] in engines]
        lines += [f"{table}:", *grid([head, *mine]), *_ratio_lines(table, figures), ""]
    return Measured(figures, "\n".join(lines[:-1]))


def _ratio_lines(table: str, figures: dict[str, float]) -> list[str]:
    """How many times faster ours is than the published adjuster, a line a shape."""
    ours, *_, theirs = TABLES[table]
    lines = []
    for shape in SHAPES:
        ratio = figures[f"adjuster.{shape}.ratio_{ours}_to_{theirs}"]
        one = figures[f"adjuster.{shape}.ratio_{ours}_to_{theirs}_one_a_call"]
        line = f"{shape}: {ours} / {theirs} {ratio:.1f}, one session a call {one:.0f}"
        if ours != "fused":
            outside = figures[f"adjuster.{shape}.share_outside_kernel"]
            line += f"; outside the kernel {outside:.0%} of the time"
        lines.append(line)
    return lines


def shape_figures(shape: str, speeds: dict[str, Speed], outside: float) -> dict[str, float]:
    """The figures of one shape, by their keys in the JSON.

    Args:
        shape: Its name in `SHAPES`.
        speeds: Engine → its speed; all of `ENGINES`.
        outside: From `share_outside_kernel`.
    """
    prefix = f"adjuster.{shape}"
    figures: dict[str, float] = {}
    for engine, speed in speeds.items():
        figures[f"{prefix}.{engine}.sessions_per_second"] = speed.best
        figures[f"{prefix}.{engine}.best_batch"] = speed.best_batch
        figures[f"{prefix}.{engine}.one_a_call_sessions_per_second"] = speed.one_a_call
        figures[f"{prefix}.{engine}.peak_mib"] = speed.peak_bytes / MIB
        figures[f"{prefix}.{engine}.peak_to_vectors"] = speed.peak_bytes / speed.vector_bytes
    for ours, *_, theirs in (*TABLES.values(), ("fused", "published")):
        mine, published = speeds[ours].best, speeds[theirs]
        figures[f"{prefix}.ratio_{ours}_to_{theirs}"] = mine / published.best
        figures[f"{prefix}.ratio_{ours}_to_{theirs}_one_a_call"] = mine / published.one_a_call
    figures[f"{prefix}.share_outside_kernel"] = outside
    return figures


def share_outside_kernel(shape: str) -> float:
    """The share of a call from a host's objects that the kernel alone does not take; the median.

    Both are timed in turn, so that a slow minute of the machine slows both; to be called in a
    fresh process.
    """
    sessions, index = load_shape(shape)()
    kernel, whole = (make(sessions, index, AdjusterConfig()) for make in (_fused, _plugin))
    kernel(), whole()
    return median(1 - _seconds(kernel) / _seconds(whole) for _ in range(TURNS))


def _seconds(call: Call) -> float:
    started = perf_counter()
    call()
    return perf_counter() - started


def speed_of(shape: str, engine: str) -> Speed:
    """Measure one engine on one shape; to be called in a fresh process."""
    make, ready = load_shape(shape), ENGINES[engine]
    peak_bytes, vector_bytes = _memory(make, ready)
    sessions, index = make()
    by_batch: dict[int, float] = {}
    for size in BATCH_SIZES:
        if by_batch and size / max(by_batch.values()) > LONGEST_CALL_SECONDS:
            break
        starts = range(0, len(sessions) - size + 1, size)
        calls = [ready(sessions[at : at + size], index, AdjusterConfig()) for at in starts[:64]]
        by_batch[size] = max(
            items_per_second(lambda call: call(), calls, size) for _ in torch_threads(engine)
        )
    return Speed(by_batch, peak_bytes, vector_bytes)


def torch_threads(engine: str) -> Iterator[int]:
    """Set the threads torch may use: all, and for engines in torch one as well.

    Small tensors are faster on one thread, so that torch too is measured at its best.
    """
    yield torch.get_num_threads()
    if engine in IN_TORCH:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield 1
        torch.set_num_threads(threads)


def _memory(make: Maker, ready: Callable[..., Call]) -> tuple[int, int]:
    """Bytes above the start for the largest batch, and bytes of its vectors.

    The vectors are made within the measured stretch, so what is held of them is included.

    The second iteration already needs no more memory than the first, so two tell the peak.
    """
    config = AdjusterConfig(num_iterations=2)
    ready(*make(8), config)()
    with peak_above_start() as risen:
        ready(*make(max(BATCH_SIZES)), config)()
    return risen[0], build_batch(*make(max(BATCH_SIZES))).batch.vectors.nbytes


def _row(shape: str, engine: str, speed: Speed) -> tuple[str, ...]:
    return (
        shape,
        engine,
        f"{speed.best:,.0f}",
        f"{speed.best_batch}",
        f"{speed.one_a_call:,.0f}",
        f"{speed.peak_bytes / MIB:,.0f}",
        f"{speed.peak_bytes / speed.vector_bytes:.1f}",
    )
