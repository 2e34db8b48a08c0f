"""``benchmark scale``: a replay in partitions beside the whole one, in time and memory."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.benchmarks.clock import in_own_process, peak_above_start
from experiments.benchmarks.parts import Measured
from experiments.common.errors import InputError
from experiments.common.wording import grid
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings

N_SESSIONS, N_PARTS, N_SHOWN, DIMENSIONS = 50_000, 8, 20, 64
FEWEST = 100
GIB = 1 << 30
MICRO = 1e6
NAIVE = ObjectiveConfig(estimator="naive")
SETTINGS = Settings(AdjusterConfig(), SelectionConfig())
SCOPES = {"user_id": "user", "none": "object"}
HEAD = ("replay", "µs/impression", "first trial, s", "a further trial, s", "peak, GiB")


@dataclass(frozen=True)
class Scale:
    """What one way to replay a log costs.

    Args:
        first: Seconds from the files to the first trial's result, the kernel compiled before.
        further: Seconds of a second trial.
        peak_bytes: Memory beyond that of the imports.
        value: The objective, which no way changes.
    """

    first: float
    further: float
    peak_bytes: int
    value: float


def measure(n_sessions: int = N_SESSIONS, n_parts: int = N_PARTS) -> Measured:
    """Measure the whole replay and the one in partitions, on one simulated log.

    Args:
        n_sessions: Sessions of it, of 20 results each; >= 100.
        n_parts: Partitions, >= 1.

    Raises:
        InputError: If there are fewer.
    """
    if n_sessions < FEWEST or n_parts < 1:
        raise InputError(
            f"--sessions must be >= {FEWEST} and --partitions >= 1, got {n_sessions} and {n_parts}."
        )
    config = SimulatedConfig(
        n_sessions=n_sessions,
        n_users=max(100, n_sessions // 10),
        n_objects=max(600, n_sessions // 25),
        n_shown=N_SHOWN,
        dimensions=DIMENSIONS,
    )
    figures: dict[str, float] = {"scale.sessions": n_sessions, "scale.partitions": n_parts}
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare_simulated(folder / "log", config)
        started = perf_counter()
        for by in SCOPES.values():
            partition_log(folder / "log", folder / by, n_parts, by=by)
        figures["scale.cut_seconds"] = (perf_counter() - started) / len(SCOPES)
        for scope, by in SCOPES.items():
            whole = in_own_process(whole_cost, folder / "log", scope)
            cut = in_own_process(cut_cost, folder / by, scope)
            assert cut.value == whole.value, f"{cut.value} in partitions, {whole.value} whole"
            for way, cost in (("whole", whole), ("partitions", cut)):
                figures |= {f"scale.{scope}.{way}.{k}": v for k, v in asdict(cost).items()}
                rows.append(_row(f"{way}, personalize_by={scope}", cost, n_sessions * N_SHOWN))
            for item in ("first", "further"):
                figures[f"scale.{scope}.{item}_ratio"] = getattr(cut, item) / getattr(whole, item)
    return Measured(figures, "\n".join(grid([HEAD, *rows])))


def _row(name: str, cost: Scale, n_impressions: int) -> tuple[str, ...]:
    return (
        name,
        f"{MICRO * cost.first / n_impressions:.2f}",
        f"{cost.first:.2f}",
        f"{cost.further:.2f}",
        f"{cost.peak_bytes / GIB:.2f}",
    )


def whole_cost(folder: Path, scope: str) -> Scale:
    """Measure the replay of a data set in memory; to be called in a fresh process."""

    def make() -> Replay:
        return Replay(lay_out(load_click_log(folder), _config(scope), NAIVE))

    return _cost(make)


def cut_cost(folder: Path, scope: str) -> Scale:
    """Measure the replay of a log in partitions; to be called in a fresh process."""

    def make() -> PartitionedReplay:
        return PartitionedReplay(PartitionedLog(folder, names=False), _config(scope), NAIVE)

    return _cost(make)


def _compile() -> None:
    """Have the kernel compiled before anything is timed."""
    with tempfile.TemporaryDirectory() as name:
        small = SimulatedConfig(n_sessions=FEWEST, dimensions=DIMENSIONS)
        prepare_simulated(Path(name) / "log", small)
        log = load_click_log(Path(name) / "log")
        Replay(lay_out(log, ReplayConfig(), NAIVE)).run(SETTINGS)


def _config(scope: str) -> ReplayConfig:
    return ReplayConfig(personalize_by=scope)


def _cost(make: Callable[[], Replay | PartitionedReplay]) -> Scale:
    _compile()
    with peak_above_start() as risen:
        started = perf_counter()
        replay = make()
        value = replay.run(SETTINGS).metrics[replay.objective_key]
        first = perf_counter() - started
        started = perf_counter()
        replay.run(SETTINGS)
        further = perf_counter() - started
    if isinstance(replay, PartitionedReplay):
        replay.close()
    return Scale(first, further, risen[0], value)
