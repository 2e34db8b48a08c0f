"""``benchmark scale``: a replay in partitions beside one in memory, in time and memory.

Both replay a log of the same shop from its first session to its last. Logs that fit into memory
are replayed both ways and must come to the same value; a larger one in partitions is put beside
the largest that is held in memory.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.benchmarks.clock import in_own_process, peak_above_start
from experiments.benchmarks.parts import Measured
from experiments.benchmarks.ray_cost import ray_cost
from experiments.common.errors import InputError
from experiments.common.wording import grid
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.made.simulated_parts import prepare_in_partitions
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings

N_SESSIONS, N_PARTS, N_SHOWN, DIMENSIONS = 50_000, 8, 20, 64
MOST_IN_MEMORY = 1_000_000
FEWEST = 100
SESSIONS_A_USER, TOPIC_OBJECTS, MOST_OBJECTS = 10, 40, 40_000
GIB = 1 << 30
MICRO = 1e6
WINDOW = "all"
NAIVE = ObjectiveConfig(estimator="naive")
SETTINGS = Settings(AdjusterConfig(), SelectionConfig())
SCOPES = {"user_id": "user", "none": "object"}
LABELS = {
    "first": "first trial",
    "further": "a further trial",
    "first_cpu": "first, CPU",
    "further_cpu": "further, CPU",
}
HEAD = (
    "replay",
    "impressions",
    *(f"{label}, µs" for label in LABELS.values()),
    "peak, GiB",
    "disk",
)


@dataclass(frozen=True)
class Scale:
    """What one way to replay a log costs.

    Args:
        first: Seconds from the files to the first trial's result, the kernel compiled before.
        further: Seconds of a second trial.
        first_cpu: Of all cores, which other work on the machine changes less.
        further_cpu: The same of the second trial.
        peak_bytes: Memory beyond that of the imports.
        disk_bytes: What is kept beside the log while it is replayed.
        value: The objective, which no way changes.
    """

    first: float
    further: float
    first_cpu: float
    further_cpu: float
    peak_bytes: int
    disk_bytes: int
    value: float


class Sizes(NamedTuple):
    """Of one log, and how it is cut."""

    n_sessions: int
    n_parts: int
    by: str


def measure(
    n_sessions: int = N_SESSIONS,
    n_parts: int = N_PARTS,
    scopes: list[str] | None = None,
    folder: str | None = None,
    in_memory: int = MOST_IN_MEMORY,
) -> Measured:
    """Measure a replay in partitions and one in memory.

    Args:
        n_sessions: Sessions of the log in partitions, of 20 results each; >= 100.
        n_parts: Partitions, >= 1.
        scopes: Some of `SCOPES`; both by default.
        folder: Where the logs are made, and found again by the next run; else they are removed.
        in_memory: Sessions of the log in memory, >= 100; the same log where it has no more.

    Raises:
        InputError: If there are fewer, or a scope is unknown.
    """
    if min(n_sessions, in_memory) < FEWEST or n_parts < 1:
        raise InputError(
            f"--sessions and --in-memory must be >= {FEWEST} and --partitions >= 1, got "
            f"{n_sessions}, {in_memory} and {n_parts}."
        )
    chosen = scopes or list(SCOPES)
    if not set(chosen) <= set(SCOPES):
        raise InputError(f"--scope must be one of {', '.join(SCOPES)}, got {', '.join(chosen)}.")
    figures: dict[str, float] = {"scale.sessions": n_sessions, "scale.partitions": n_parts}
    rows, ratios = [], []
    with _place(folder) as place:
        for scope in chosen:
            held = Sizes(min(n_sessions, in_memory), 1, SCOPES[scope])
            cut = Sizes(n_sessions, n_parts, SCOPES[scope])
            costs = {
                "memory": _cost_of(place, held, scope),
                "partitions": _cost_of(place, cut, scope),
            }
            if held.n_sessions == cut.n_sessions:
                values = [cost.value for cost in costs.values()]
                assert values[0] == values[1], f"{values[0]} in memory, {values[1]} in partitions"
            for (way, cost), sizes in zip(costs.items(), (held, cut), strict=True):
                figures |= {f"scale.{scope}.{way}.{k}": v for k, v in asdict(cost).items()}
                rows.append(_row(f"in {way}, personalize_by={scope}", cost, sizes.n_sessions))
            ratio = _ratio(costs["partitions"], costs["memory"], cut.n_sessions / held.n_sessions)
            figures |= {f"scale.{scope}.{item}_ratio": value for item, value in ratio.items()}
            told = ", ".join(f"{LABELS[item]} {value:.2f}" for item, value in ratio.items())
            ratios.append(f"Partitions to memory, per impression, personalize_by={scope}: {told}.")
            found, line = _beside_ray(_folder(place, cut), scope)
            figures |= found
            ratios += line
    return Measured(figures, "\n".join([*grid([HEAD, *rows]), "", *ratios]))


@contextmanager
def _place(folder: str | None) -> Iterator[Path]:
    if folder is not None:
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _ratio(cut: Scale, held: Scale, times_as_many: float) -> dict[str, float]:
    return {item: getattr(cut, item) / getattr(held, item) / times_as_many for item in LABELS}


def _row(name: str, cost: Scale, n_sessions: int) -> tuple[str, ...]:
    n = n_sessions * N_SHOWN
    return (
        name,
        f"{n:,}",
        *(f"{MICRO * getattr(cost, item) / n:.2f}" for item in LABELS),
        f"{cost.peak_bytes / GIB:.2f}",
        f"{cost.disk_bytes / GIB:.2f}",
    )


def _beside_ray(folder: Path, scope: str) -> tuple[dict[str, float], list[str]]:
    """Figures of both engines, and a line of them; neither without the extra."""
    if find_spec("ray") is None:
        return {}, []
    found = in_own_process(ray_cost, folder, _config(scope), NAIVE, SETTINGS)
    figures = {**asdict(found), "ratio": found.ratio}
    return {f"scale.{scope}.ray.{name}": value for name, value in figures.items()}, [
        f"engine=ray to engine=local on these partitions, personalize_by={scope}: a further trial "
        f"{found.ratio:.2f} ({found.ray:.2f} s in {found.n_actors} actors, {found.local:.2f} s; "
        f"they were ready after {found.start:.1f} s)."
    ]


def _folder(place: Path, sizes: Sizes) -> Path:
    return place / f"{sizes.by}-{sizes.n_sessions}-{sizes.n_parts}"


def _cost_of(place: Path, sizes: Sizes, scope: str) -> Scale:
    folder = _folder(place, sizes)
    if not folder.exists():
        in_own_process(make_log, folder, sizes)
    return in_own_process(whole_cost if sizes.n_parts == 1 else cut_cost, folder, scope)


def make_log(folder: Path, sizes: Sizes) -> None:
    """Simulate a log in partitions; its catalogue stops growing at `MOST_OBJECTS`."""
    n_objects = min(MOST_OBJECTS, max(600, sizes.n_sessions // 25))
    config = SimulatedConfig(
        n_sessions=sizes.n_sessions,
        n_users=max(100, sizes.n_sessions // SESSIONS_A_USER),
        n_objects=n_objects,
        n_queries=n_objects,
        n_topics=n_objects // TOPIC_OBJECTS,
        n_shown=N_SHOWN,
        dimensions=DIMENSIONS,
    )
    prepare_in_partitions(folder, sizes.n_parts, config, by=sizes.by)


def whole_cost(folder: Path, scope: str) -> Scale:
    """Measure the replay in memory of a log of one partition; to be called in a fresh process."""

    def make() -> Replay:
        log = PartitionedLog(folder, names=False).shard(0)
        return Replay(lay_out(log, _config(scope), NAIVE, WINDOW))

    return _cost(make, folder)


def cut_cost(folder: Path, scope: str) -> Scale:
    """Measure the replay of a log in partitions; to be called in a fresh process."""

    def make() -> PartitionedReplay:
        data = PartitionedLog(folder, names=False)
        return PartitionedReplay(data, _config(scope), NAIVE, WINDOW)

    return _cost(make, folder)


def _compile() -> None:
    """Have the kernel compiled before anything is timed."""
    with tempfile.TemporaryDirectory() as name:
        make_log(Path(name) / "log", Sizes(FEWEST, 1, "user"))
        log = PartitionedLog(Path(name) / "log").shard(0)
        Replay(lay_out(log, ReplayConfig(), NAIVE)).run(SETTINGS)


def _config(scope: str) -> ReplayConfig:
    return ReplayConfig(personalize_by=scope)


def _cost(make: Callable[[], Replay | PartitionedReplay], folder: Path) -> Scale:
    _compile()
    with peak_above_start() as risen:
        started, cpu = perf_counter(), process_time()
        replay = make()
        value = replay.run(SETTINGS).metrics[replay.objective_key]
        first, first_cpu = perf_counter() - started, process_time() - cpu
        started, cpu = perf_counter(), process_time()
        replay.run(SETTINGS)
        further, further_cpu = perf_counter() - started, process_time() - cpu
    kept = sum(path.stat().st_size for path in folder.glob(".replay-*/*"))
    if isinstance(replay, PartitionedReplay):
        replay.close()
    return Scale(first, further, first_cpu, further_cpu, risen[0], kept, value)
