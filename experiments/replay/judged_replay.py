"""A replay with all that a judgement asks of it beside the results of settings."""

from collections.abc import Callable, Mapping

from experiments.replay.baselines import score_baselines
from experiments.replay.objective import Objective
from experiments.replay.replay import Replay
from experiments.replay.results import ReplayResult, SessionScores, Traffic
from experiments.replay.settings import Settings
from experiments.replay.traffic import (
    scorable_sessions,
    session_clicks,
    silent_share,
    traffic_of,
)


class JudgedReplay:
    """A `Replayer`: the replay, its baselines and its traffic.

    Args:
        replay: Of any window.
        on_run: Told of each setting that was replayed.
    """

    def __init__(self, replay: Replay, on_run: Callable[[], None] = lambda: None) -> None:
        self._replay = replay
        self._on_run = on_run

    @property
    def objective(self) -> Objective:
        """The figure that all of its results are judged by."""
        return self._replay.layout.objective

    def run(self, settings: Settings) -> ReplayResult:
        """Replay the log under these settings."""
        result = self._replay.run(settings)
        self._on_run()
        return result

    def bystanders(self, settings: Settings) -> SessionScores | None:
        """Rows of the withheld sessions under these settings, as `run` has them."""
        rows = self._replay.run_bystanders(settings)
        self._on_run()
        return rows

    def baselines(self, settings: Settings) -> Mapping[str, ReplayResult]:
        """Replay what any configuration has to beat, by name."""
        found = score_baselines(self._replay, settings)
        return {name: baseline.result for name, baseline in found.items()}

    def traffic(self) -> Traffic:
        """Whose clicks all replayed sessions are, warmup's too."""
        timeline = self._replay.layout.timeline
        return traffic_of(timeline, session_clicks(timeline))

    def silent_share(self) -> float:
        """Share of the scored sessions whose query had no feedback before."""
        layout = self._replay.layout
        first_at = session_clicks(layout.timeline).first_at
        return silent_share(layout.timeline, first_at, scorable_sessions(layout))
