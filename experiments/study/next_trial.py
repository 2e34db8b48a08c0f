"""What a study tries next: trials lost to a kill, then enqueued ones, then its sampler's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from experiments.config.study import StudyConfig
from experiments.replay.settings import Settings
from experiments.study.enqueued import Enqueued, enqueued_settings, in_line
from experiments.study.families import families
from experiments.study.proposals import InMemoryStudy, Proposal, history
from experiments.study.records import SAMPLER, TrialRecord
from experiments.study.rules import SearchRules
from experiments.study.samplers import DESIGNS, LAID_OUT, iter_design
from experiments.study.search_space import SearchSpace
from experiments.study.stopping import has_found_enough
from experiments.study.stored_trial import read_record

MAX_DRAWS = 60
"""Proposals of a sampler that may be refused as already tried before the space is called done."""

Tried = set[tuple[Any, ...]]
"""Keys of the settings that the study has tried."""


@dataclass(frozen=True)
class NextTrial:
    """A trial that may be claimed.

    Args:
        ordinal: Its place among the trials that were not lost to a kill.
        origin: Name of an enqueued configuration, or ``sampler``.
        settings: What it tries.
        proposal: Its twin in the in-memory study, which the pruner watches.
    """

    ordinal: int
    origin: str
    settings: Settings
    proposal: Proposal


class Queue:
    """The order in which a study tries settings, decided by its seed and what is finished.

    Args:
        config: Name, length, seed, what is enqueued.
        rules: Sampler, pruner, guardrails.
        base: The settings that the search space varies.
        space: The search space.
        starts: What is tried before all else.
    """

    def __init__(
        self,
        config: StudyConfig,
        rules: SearchRules,
        base: Settings,
        space: SearchSpace,
        starts: Sequence[Enqueued] = (),
    ) -> None:
        self._config = config
        self._rules = rules
        self._base = base
        self._space = space
        self._enqueued = in_line(starts, enqueued_settings(config.enqueue, base, space.fields))
        self.is_exhausted = False

    def next(self, trials: Sequence[FrozenTrial]) -> NextTrial | None:
        """The next trial, or None once the study has `n_trials` or the space is exhausted.

        Trials lost to a kill come first, with the parameters they had.

        Args:
            trials: Every trial of the study.
        """
        records = [read_record(trial) for trial in trials]
        lost = {record.number for record in records if record.lost}
        usable = [trial for trial in trials if trial.number not in lost]
        parallel = self._config.workers > 1 or self._config.is_shared
        study = InMemoryStudy(
            self._config.name, self._rules, history(usable, self._rules), parallel=parallel
        )
        owed = _owed(records)
        if owed is not None:
            again = Enqueued(owed.origin, Settings.from_dict(owed.settings))
            found = self._fixed(study, again, owed.ordinal)
            found.proposal.resume(next(trial for trial in trials if trial.number == owed.number))
            return found
        ordinal = len({record.ordinal for record in records})
        if self._is_done(records, ordinal):
            return None
        if ordinal < len(self._enqueued):
            return self._fixed(study, self._enqueued[ordinal], ordinal)
        tried = {Settings.from_dict(record.settings).key for record in records}
        is_design = self._rules.sampler.name in DESIGNS
        draw = self._from_design if is_design else self._from_sampler
        chosen = draw(study, ordinal, tried)
        self.is_exhausted = chosen is None
        return chosen

    def _is_done(self, records: Sequence[TrialRecord], ordinal: int) -> bool:
        if self._config.n_asked is not None:
            return ordinal >= self._config.n_asked
        sampler = self._rules.sampler
        n_first = sampler.family_trials * len(families(self._space))
        least = max(n_first if sampler.name == "forest" else 0, len(self._enqueued))
        return has_found_enough(records, self._config.min_gain, least)

    def _fixed(self, study: InMemoryStudy, start: Enqueued, ordinal: int) -> NextTrial:
        values = {name: start.settings.value(name) for name in self._space.fields}
        return NextTrial(ordinal, start.name, start.settings, study.fixed(self._space, values))

    def _from_design(self, study: InMemoryStudy, ordinal: int, tried: Tried) -> NextTrial | None:
        points = iter_design(self._rules.sampler, self._space, self._config.seed)
        most = MAX_DRAWS * (len(tried) + 1)
        if self._rules.sampler.name == "grid":
            most = max(most, LAID_OUT)
        for values in islice(points, most):
            settings = self._usable(values, tried)
            if settings is not None:
                return self._fixed(study, Enqueued(SAMPLER, settings), ordinal)
        return None

    def _from_sampler(self, study: InMemoryStudy, ordinal: int, tried: Tried) -> NextTrial | None:
        for draw in range(MAX_DRAWS):
            seed = _seed(self._config.seed, ordinal, draw)
            proposal, values = study.propose(
                self._space, seed, n_refused=draw, random=draw > MAX_DRAWS // 2
            )
            settings = self._usable(values, tried)
            if settings is not None:
                return NextTrial(ordinal, SAMPLER, settings, proposal)
        return None

    def _usable(self, values: Mapping[str, Any], tried: Tried) -> Settings | None:
        """The settings, or None if they were tried or contradict each other."""
        try:
            settings = self._base.with_values(values)
        except ValueError:
            return None
        return None if settings.key in tried else settings


def _owed(records: list[TrialRecord]) -> TrialRecord | None:
    """The first trial that was lost and is not yet being run again."""
    replaced = {record.ordinal for record in records if not record.lost}
    waiting = [record for record in records if record.lost and record.ordinal not in replaced]
    return min(waiting, key=lambda record: record.ordinal, default=None)


def _seed(study_seed: int, ordinal: int, draw: int) -> int:
    return int(np.random.SeedSequence([study_seed, ordinal, draw]).generate_state(1)[0])
