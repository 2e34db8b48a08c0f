"""One trial: a replay under watch, and what is kept of it."""

import math
import time
from collections.abc import Callable, Generator
from typing import Any, Protocol

from experiments.common.errors import Outage
from experiments.config.study import GuardrailsConfig
from experiments.replay.guardrails import constraints
from experiments.replay.people import group_means
from experiments.replay.results import Checkpoint, ReplayResult, SessionScores
from experiments.replay.settings import Settings
from experiments.study.records import COMPLETE, FAILED, PRUNED, Outcome


class BlockReplay(Protocol):
    """A replay that pauses after each scored block."""

    def iter_blocks(self, settings: Settings) -> Generator[Checkpoint, None, ReplayResult]:
        """Replay one configuration."""


def run_trial(
    replay: BlockReplay,
    settings: Settings,
    *,
    metric: str,
    guardrails: GuardrailsConfig,
    should_prune: Callable[[Checkpoint], bool],
) -> Outcome:
    """Replay one configuration; what goes wrong with it is a failed outcome's reason.

    Args:
        replay: The replay that all trials share.
        settings: What this trial tries.
        metric: The objective.
        guardrails: The bounds.
        should_prune: Told every block; says whether to stop.

    Raises:
        Outage: If what it is replayed on is gone, which says nothing of the setting.
    """
    watch = _Watch(should_prune)
    try:
        result = watch.follow(replay, settings)
    except Outage:
        raise
    except Exception as error:
        return watch.outcome(FAILED, reason=f"{type(error).__name__}: {error}")
    if result is None:
        at = watch.last_block
        return watch.outcome(
            PRUNED,
            reason=f"pruned after block {at} of {watch.n_blocks}",
            value=watch.running[at],
            pruned_at_block=at,
        )
    value = result.metrics[metric]
    if not math.isfinite(value):
        return watch.outcome(FAILED, reason=f"{metric} is {value}, not a finite number")
    return watch.outcome(
        COMPLETE,
        value=value,
        metrics={name: float(figure) for name, figure in result.metrics.items()},
        constraints=constraints(result.metrics, guardrails),
        curve=[
            [int(item.created_at), int(item.n_sessions), float(item.before), float(item.after)]
            for item in result.curve
        ],
        counts=result.counts.to_dict(),
        user_gains=_user_gains(result.sessions, metric),
        parts=result.seconds,
    )


def _user_gains(scores: SessionScores, metric: str) -> list[float]:
    """Change of the objective in each group of users."""
    change = scores.after[metric] - scores.before[metric]
    return [float(gain) for gain in group_means(change, scores.user)]


class _Watch:
    """Follows a replay block by block and remembers what it saw."""

    def __init__(self, should_prune: Callable[[Checkpoint], bool]) -> None:
        self.should_prune = should_prune
        self.blocks: dict[int, float] = {}
        self.running: dict[int, float] = {}
        self.last_block = 0
        self.n_blocks = 0
        self.started = time.perf_counter()

    def follow(self, replay: BlockReplay, settings: Settings) -> ReplayResult | None:
        """The replay's result, or None if it was stopped."""
        steps = replay.iter_blocks(settings)
        while True:
            try:
                checkpoint = next(steps)
            except StopIteration as end:
                result: ReplayResult = end.value
                return result
            if self._note(checkpoint):
                steps.close()
                return None

    def _note(self, checkpoint: Checkpoint) -> bool:
        self.last_block, self.n_blocks = checkpoint.block, checkpoint.n_blocks
        if math.isfinite(checkpoint.value):
            self.blocks[checkpoint.block] = checkpoint.value
        if math.isfinite(checkpoint.running_value):
            self.running[checkpoint.block] = checkpoint.running_value
        done = checkpoint.block + 1 >= checkpoint.n_blocks
        return not done and self.should_prune(checkpoint)

    def outcome(self, state: str, *, parts: dict[str, float] | None = None, **kept: Any) -> Outcome:
        """The outcome, with what every state keeps."""
        seconds = {**(parts or {}), "total": time.perf_counter() - self.started}
        return Outcome(state, blocks=self.blocks, running=self.running, seconds=seconds, **kept)
