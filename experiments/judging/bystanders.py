"""Bystanders: queries whose feedback is withheld, scored to see what adjusting does to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from experiments.config.replay import ReplayConfig
from experiments.judging.comparison import (
    Comparison,
    Judge,
    compare_with_no_adjustment,
    concatenate,
)
from experiments.replay.replayer import MakeReplay, Replayer
from experiments.replay.results import SessionScores
from experiments.replay.settings import Settings

N_FOLDS = 5
"""Each fold withholds this fraction of the queries, so that every query is withheld once."""


@dataclass(frozen=True)
class Replays:
    """The replays of one log that a judgement asks for.

    Args:
        make: Prepares a replay.
        config: How to replay; its share and fold of bystanders are replaced where it says so.
    """

    make: MakeReplay
    config: ReplayConfig
    _made: dict[str, Replayer] = field(default_factory=dict, init=False, repr=False, compare=False)

    def over(self, window: str) -> Replayer:
        """A replay of ``tune`` or ``test``, laid out once."""
        if window not in self._made:
            self._made[window] = self.make(self.config, window)
        return self._made[window]

    def withholding(self, fold: int, window: str) -> Replayer:
        """A replay that withholds the feedback of one fold of the queries."""
        withheld = replace(self.config, bystander_share=1 / N_FOLDS, bystander_fold=fold)
        return self.make(withheld, window)


def compare_bystanders(
    settings: Sequence[Settings], replays: Replays, judge: Judge, *, window: str
) -> list[Comparison | None]:
    """Change of each configuration on queries that gave it no feedback, every query in turn.

    Args:
        settings: The configurations; each fold is prepared once for all of them.
        replays: Replays of the log.
        judge: What is compared, and how surely.
        window: ``tune`` or ``test``.

    Returns:
        For each configuration its bystanders after against before, clustered by user; None where
        no session of a withheld query was scored.
    """
    parts: list[list[SessionScores]] = [[] for _ in settings]
    for fold in range(N_FOLDS):
        replay = replays.withholding(fold, window)
        for mine, candidate in zip(parts, settings, strict=True):
            rows = replay.bystanders(candidate)
            if rows is not None and len(rows.session):
                mine.append(rows)
    return [
        compare_with_no_adjustment(concatenate(mine), judge) if mine else None for mine in parts
    ]
