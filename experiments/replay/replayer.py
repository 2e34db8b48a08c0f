"""What judging asks of a replay; loads no engine."""

from collections.abc import Callable, Mapping
from typing import Protocol

from experiments.config.replay import ReplayConfig
from experiments.replay.objective import Objective
from experiments.replay.results import ReplayResult, SessionScores, Traffic
from experiments.replay.settings import Settings


class Replayer(Protocol):
    """A log ready to be replayed under any settings."""

    @property
    def objective(self) -> Objective:
        """The figure that all of its results are judged by."""

    def run(self, settings: Settings) -> ReplayResult:
        """Replay the log under these settings."""

    def bystanders(self, settings: Settings) -> SessionScores | None:
        """Rows of the withheld sessions under these settings, as `run` has them."""

    def baselines(self, settings: Settings) -> Mapping[str, ReplayResult]:
        """Replay what any configuration has to beat, by name; settings as for a sweep's."""

    def traffic(self) -> Traffic:
        """Whose clicks all replayed sessions are, warmup's too."""

    def silent_share(self) -> float:
        """Share of the scored sessions whose query had no feedback before, in [0, 1] or NaN."""


MakeReplay = Callable[[ReplayConfig, str], Replayer]
"""From a replay configuration and a window (``tune`` or ``test``) to what replays it."""
