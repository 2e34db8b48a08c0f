"""Bystanders: queries whose feedback is withheld, scored to see what adjusting does to them."""

from collections.abc import Sequence
from dataclasses import replace

from experiments.config.replay import ReplayConfig
from experiments.judging.comparison import Comparison, compare_with_no_adjustment, concatenate
from experiments.replay.replayer import MakeReplay
from experiments.replay.results import SessionScores
from experiments.replay.settings import Settings

N_FOLDS = 5
"""Each fold withholds this fraction of the queries, so that every query is withheld once."""


def compare_bystanders(
    settings: Sequence[Settings],
    make_replay: MakeReplay,
    config: ReplayConfig,
    *,
    window: str,
    metric: str,
    seed: int,
) -> list[Comparison | None]:
    """Change of each configuration on queries that gave it no feedback, every query in turn.

    Args:
        settings: The configurations; each fold is prepared once for all of them.
        make_replay: Prepares a replay.
        config: How to replay; its share and fold of bystanders are replaced.
        window: ``tune`` or ``test``.
        metric: The metric compared.
        seed: Of the resampling.

    Returns:
        For each configuration its bystanders after against before, clustered by user; None where
        no session of a withheld query was scored.
    """
    parts: list[list[SessionScores]] = [[] for _ in settings]
    for fold in range(N_FOLDS):
        withheld = replace(config, bystander_share=1 / N_FOLDS, bystander_fold=fold)
        replay = make_replay(withheld, window)
        for mine, candidate in zip(parts, settings, strict=True):
            rows = replay.run(candidate).bystanders
            if rows is not None and len(rows.session):
                mine.append(rows)
    return [
        compare_with_no_adjustment(concatenate(mine), metric, seed=seed) if mine else None
        for mine in parts
    ]
