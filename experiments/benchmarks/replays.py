"""Part ``replay``: how long one trial's replay takes, and what memory, against the published
adjuster doing the same sessions one call each."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from adjuster import AdjusterConfig, ImprovementElement, ImprovementInput, PublishedAdjuster
from adjuster.selection import SelectionConfig
from experiments.benchmarks.clock import in_own_process, items_per_second, peak_above_start
from experiments.benchmarks.parts import Measured
from experiments.common.wording import grid
from experiments.config.data import DatasetConfig, SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.data.open_dataset import open_dataset
from experiments.replay.layout import Layout, lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings

GIB = 2**30
N_PUBLISHED = 64
RUNS = 5

DEFAULT = AdjusterConfig()
REFIT_DAILY = AdjusterConfig(
    memory="refit",
    interval_seconds=86400,
    loss="logistic",
    optimizer="sgd",
    term_weight="impression",
    adjustment_rate=0.006,
    softmin_temperature=0.05,
)


def simulated(n_sessions: int) -> SimulatedConfig:
    """A large shop: 20 results of 1–4 parts, D = 128, ten sessions a user."""
    return SimulatedConfig(
        n_sessions=n_sessions,
        n_users=n_sessions // 10,
        n_objects=20_000,
        n_topics=200,
        n_queries=20_000,
        dimensions=128,
    )


@dataclass(frozen=True)
class Cost:
    """What one replay costs.

    Args:
        seconds: The fastest of a few runs, once loaded and compiled.
        n_sessions: Sessions replayed.
        peak_bytes: Memory above the process's start, log and layout included.
        published_per_second: Sessions a second of `PublishedAdjuster`, one a call.
    """

    seconds: float
    n_sessions: int
    peak_bytes: int
    published_per_second: float

    @property
    def sessions_per_second(self) -> float:
        """Sessions replayed a second."""
        return self.n_sessions / self.seconds


def measure() -> Measured:
    """Measure MovieLens, and simulated logs of half a million and a million sessions."""
    costs = {}
    for name, config in (("movielens", DEFAULT), ("movielens_refit_daily", REFIT_DAILY)):
        print(f"benchmark: {name} …", file=sys.stderr)
        costs[name] = in_own_process(cost_of_movielens, config)
    with TemporaryDirectory() as folder:
        for name, n_sessions in (("simulated_500k", 500_000), ("simulated_1m", 1_000_000)):
            print(f"benchmark: {name}, simulating …", file=sys.stderr)
            path = Path(folder) / name
            in_own_process(prepare_simulated, path, simulated(n_sessions))
            print(f"benchmark: {name} …", file=sys.stderr)
            costs[name] = in_own_process(cost_of_folder, path)
    return measured(costs)


def measured(costs: dict[str, Cost]) -> Measured:
    """Figures and table of the costs, by data set."""
    figures: dict[str, float] = {}
    for name, cost in costs.items():
        figures |= {
            f"replay.{name}.seconds": cost.seconds,
            f"replay.{name}.sessions_per_second": cost.sessions_per_second,
            f"replay.{name}.peak_gib": cost.peak_bytes / GIB,
            f"replay.{name}.ratio_to_published": cost.sessions_per_second
            / cost.published_per_second,
        }
    if {"simulated_500k", "simulated_1m"} <= set(costs):
        doubled = costs["simulated_1m"].seconds / costs["simulated_500k"].seconds
        figures["replay.simulated.doubling"] = doubled
    head = ("replay", "seconds", "sessions", "sessions/s", "peak GiB", "× published")
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{cost.seconds:.2f}",
            f"{cost.n_sessions:,}",
            f"{cost.sessions_per_second:,.0f}",
            f"{cost.peak_bytes / GIB:.2f}",
            f"{figures[f'replay.{name}.ratio_to_published']:,.0f}",
        )
        for name, cost in costs.items()
    ]
    return Measured(figures, "\n".join(grid([head, *rows])))


def cost_of_movielens(config: AdjusterConfig) -> Cost:
    """Measure MovieLens; to be called in a fresh process."""
    return _cost(lambda: open_dataset(DatasetConfig("movielens")), config, RUNS)


def cost_of_folder(path: Path) -> Cost:
    """Measure a data set's folder once; to be called in a fresh process."""
    _compile(path)
    return _cost(lambda: load_click_log(path), DEFAULT, 1)


def _compile(path: Path) -> None:
    """Have the kernel compiled before a log is timed only once."""
    small = path.parent / "small"
    if not small.exists():
        prepare_simulated(small, SimulatedConfig(n_sessions=200, dimensions=128))
    layout = lay_out(load_click_log(small), ReplayConfig(), ObjectiveConfig())
    Replay(layout).run(_settings(DEFAULT))


def _cost(load: Callable[[], ClickLog], config: AdjusterConfig, runs: int) -> Cost:
    with peak_above_start() as risen:
        layout = lay_out(load(), ReplayConfig(), ObjectiveConfig())
        replay = Replay(layout)
        if runs > 1:
            replay.run(_settings(config))
        seconds = min(_seconds(replay, config) for _ in range(runs))
    inputs = plugin_inputs(layout, N_PUBLISHED)
    published = PublishedAdjuster(layout.log.index)
    rate = items_per_second(lambda one: published.adjust_vectors([one]), inputs, 1)
    return Cost(seconds, layout.timeline.n_sessions, risen[0], rate)


def _seconds(replay: Replay, config: AdjusterConfig) -> float:
    started = perf_counter()
    replay.run(_settings(config))
    return perf_counter() - started


def _settings(config: AdjusterConfig) -> Settings:
    return Settings(config, SelectionConfig())


def plugin_inputs(layout: Layout, most: int) -> list[ImprovementInput]:
    """Sessions of a layout as the plugin API takes them: the first with clicked and unclicked."""
    log, timeline = layout.log, layout.timeline
    inputs: list[ImprovementInput] = []
    clicked = timeline.click_at < timeline.closes_at
    for session in range(timeline.n_sessions):
        rows = range(*timeline.offsets[session : session + 2])
        shown = [(_element(log, int(log.impression_object[row])), clicked[row]) for row in rows]
        chosen = [element for element, liked in shown if liked]
        others = [element for element, liked in shown if not liked]
        if chosen and others:
            query = log.session_query[session]
            first, last = log.query_offsets[query : query + 2]
            inputs.append(
                ImprovementInput(
                    log.session_ids[session],
                    ImprovementElement("query", log.query_vectors[first:last]),
                    chosen,
                    others,
                )
            )
        if len(inputs) == most:
            break
    return inputs


def _element(log: ClickLog, number: int) -> ImprovementElement:
    first, last = log.object_offsets[number : number + 2]
    return ImprovementElement(log.object_ids[number], log.object_vectors[first:last])
