"""What judging asks of a replay; loads no engine."""

from collections.abc import Callable
from typing import Protocol

from experiments.config.replay import ReplayConfig
from experiments.replay.results import ReplayResult
from experiments.replay.settings import Settings


class Replayer(Protocol):
    """A log ready to be replayed under any settings."""

    def run(self, settings: Settings) -> ReplayResult:
        """Replay the log under these settings."""


MakeReplay = Callable[[ReplayConfig, str], Replayer]
"""From a replay configuration and a window (``tune`` or ``test``) to what replays it."""
