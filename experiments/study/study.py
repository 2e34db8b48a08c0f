"""The study: which trial is run next, what is kept of it, what is the same after a kill."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.common.errors import InputError
from experiments.config.commands import SweepConfig
from experiments.replay.results import Checkpoint
from experiments.replay.settings import Settings
from experiments.study.enqueued import PUBLISHED_DEFAULTS, Start, starts
from experiments.study.proposals import Mirror, Proposal, history
from experiments.study.pruners import reported
from experiments.study.records import BaselineRecord, Outcome, TrialRecord
from experiments.study.samplers import DESIGNS, iter_design
from experiments.study.search_space import SearchSpace
from experiments.study.storage import StudyStorage
from experiments.study.stored_trial import STATES, read_record

MAX_DRAWS = 60
"""Proposals of a sampler that may be refused as already tried before the space is called done."""

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True)
class Claim:
    """A trial that this process runs.

    Args:
        number: Its number in the study.
        trial_id: Its key in the storage.
        origin: Name of an enqueued configuration, or ``sampler``.
        settings: What it tries.
        proposal: Its twin in the mirror, which the pruner watches.
    """

    number: int
    trial_id: int
    origin: str
    settings: Settings
    proposal: Proposal


class Study:
    """One study in its storage.

    Trials are claimed one at a time under a lock, with all their parameters, so that no two
    processes try the same, a total is met exactly, and a killed trial can be run again.

    Args:
        config: The sweep's configuration.
        base: The settings that the search space varies.
        space: The search space.
        storage: Where the study lives.
        session: Name of this process, kept with the trials it runs.
    """

    def __init__(
        self,
        config: SweepConfig,
        base: Settings,
        space: SearchSpace,
        storage: StudyStorage,
        session: str,
    ) -> None:
        self.config = config
        self.base = base
        self.space = space
        self.session = session
        self.is_exhausted = False
        self._storage = storage
        self._starts = starts(config.study.enqueue, base, space.fields)
        self._study: optuna.Study | None = None

    def open(self, definition: Mapping[str, Any], uid: str) -> None:
        """Make the study or go on with it, and fail the trials that a kill left running.

        Args:
            definition: What must stay the same for trials to be comparable, flat.
            uid: Names the study if it is new.

        Raises:
            InputError: If the study was made with another definition, saying what differs, or
                is being run by another process.
        """
        self._storage.take_over()
        with self._storage.alone():
            self._load()
            known = self.attribute("definition")
            if known is None:
                self.keep("definition", dict(definition))
                self.keep("uid", uid)
            else:
                _check_same(self.config.study.name, known, definition)
            self._storage.fail_lost(self.optuna)
        self._storage.share()

    def join(self) -> None:
        """Run trials of a study that another process opened."""
        self._storage.share()
        self._load()

    def close(self) -> None:
        """Let go of the storage."""
        self._storage.close()

    def fail_lost(self) -> None:
        """Fail the trials whose process is gone; only where no other process is on the study."""
        with self._storage.alone():
            self._storage.fail_lost(self.optuna)

    @property
    def optuna(self) -> optuna.Study:
        """The study as Optuna's own tools see it."""
        assert self._study is not None
        return self._study

    def attribute(self, name: str) -> Any:
        """What `keep` kept under a name, or None."""
        return self.optuna.user_attrs.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Keep a plain value with the study."""
        self.optuna.set_user_attr(name, value)

    def baselines(self) -> dict[str, BaselineRecord]:
        """The baselines that were scored, by name."""
        kept = self.attribute("baselines") or {}
        return {name: BaselineRecord(name, **record) for name, record in kept.items()}

    def keep_baselines(self, baselines: Mapping[str, BaselineRecord]) -> None:
        """Keep the baselines' figures, so that they are scored once a study."""
        rows = {
            name: {"params": record.params, "metrics": record.metrics}
            for name, record in baselines.items()
        }
        self.keep("baselines", rows)

    def records(self) -> list[TrialRecord]:
        """Every trial, in order of its number."""
        return [read_record(trial) for trial in self._trials()]

    def claim(self) -> Claim | None:
        """The next trial to run, or None when the study is as long as it shall be.

        Trials lost to a kill come first, with the parameters they had.
        """
        with self._storage.alone():
            if self._storage.knows_who_lives:
                self._storage.fail_lost(self.optuna)
            found = self._next()
            if found is None:
                return None
            proposal, attributes = found
            settings = Settings.from_dict(attributes["settings"])
            trial_id = self._start(proposal, attributes)
        number = self._storage.storage.get_trial(trial_id).number
        return Claim(number, trial_id, attributes["origin"], settings, proposal)

    def should_prune(self, claim: Claim, checkpoint: Checkpoint) -> bool:
        """Tell the pruner a block's figure and ask it. The published defaults always finish."""
        if self.config.pruner.name == "none":
            return False
        stop = claim.proposal.report(checkpoint.block, reported(self.config.pruner, checkpoint))
        return stop and claim.origin != PUBLISHED_DEFAULTS

    def alone(self) -> AbstractContextManager[None]:
        """No other process claims a trial of this study, or is in here too, while it lasts."""
        return self._storage.alone()

    def alive(self, claim: Claim) -> AbstractContextManager[None]:
        """Show, while it lasts, that the trial's process lives."""
        return self._storage.alive(claim.trial_id)

    def finish(self, claim: Claim, outcome: Outcome) -> TrialRecord:
        """Keep what came of a trial; the last write makes it final."""
        storage = self._storage.storage
        storage.set_trial_user_attr(claim.trial_id, "outcome", asdict(outcome))
        trial = optuna.trial.Trial(self.optuna, claim.trial_id)
        for name, excess in outcome.constraints.items():
            trial.set_constraint(name, excess)
        values = None if outcome.value is None else [outcome.value]
        storage.set_trial_state_values(claim.trial_id, STATES[outcome.state], values)
        return read_record(storage.get_trial(claim.trial_id))

    def abandon(self, claim: Claim) -> None:
        """Let a claimed trial go without an outcome; it is the next to be run again."""
        self._storage.storage.set_trial_state_values(claim.trial_id, TrialState.FAIL)

    def _load(self) -> None:
        self._study = optuna.create_study(
            storage=self._storage.storage,
            study_name=self.config.study.name,
            sampler=optuna.samplers.RandomSampler(seed=self.config.study.seed),
            pruner=optuna.pruners.NopPruner(),
            direction="maximize",
            load_if_exists=True,
        )

    def _trials(self) -> list[FrozenTrial]:
        """The study's trials, without what other tools may have added to it."""
        trials = self.optuna.get_trials(deepcopy=False)
        return [trial for trial in trials if "ordinal" in trial.user_attrs]

    def _next(self) -> tuple[Proposal, dict[str, Any]] | None:
        trials = self._trials()
        records = [read_record(trial) for trial in trials]
        owed = _owed(records)
        lost = {record.number for record in records if record.lost}
        usable = [trial for trial in trials if trial.number not in lost]
        mirror = Mirror(self.config, history(usable, self.config))
        if owed is not None:
            again = Start(owed.origin, Settings.from_dict(owed.settings))
            proposal, attributes = self._fixed(mirror, again, owed.ordinal)
            earlier = next(trial for trial in trials if trial.number == owed.number)
            return proposal.like(earlier), attributes
        ordinal = len({record.ordinal for record in records})
        if ordinal >= self.config.study.n_trials:
            return None
        if ordinal < len(self._starts):
            return self._fixed(mirror, self._starts[ordinal], ordinal)
        seen = {Settings.from_dict(record.settings).key for record in records}
        if self.config.sampler.name in DESIGNS:
            found = self._from_design(mirror, ordinal, seen)
        else:
            found = self._from_sampler(mirror, ordinal, seen)
        self.is_exhausted = found is None
        return found

    def _fixed(self, mirror: Mirror, start: Start, ordinal: int) -> tuple[Proposal, dict[str, Any]]:
        values = {name: start.settings.value(name) for name in self.space.fields}
        proposal = mirror.fixed(self.space, values)
        return proposal, self._attributes(start.name, start.settings, ordinal)

    def _from_design(
        self, mirror: Mirror, ordinal: int, seen: set[tuple[Any, ...]]
    ) -> tuple[Proposal, dict[str, Any]] | None:
        points = iter_design(self.config.sampler, self.space, self.config.study.seed)
        for place, values in enumerate(points):
            if place > MAX_DRAWS * (len(seen) + 1) and self.config.sampler.name != "grid":
                return None
            settings = self._usable(values, seen)
            if settings is not None:
                return self._fixed(mirror, Start("sampler", settings), ordinal)
        return None

    def _from_sampler(
        self, mirror: Mirror, ordinal: int, seen: set[tuple[Any, ...]]
    ) -> tuple[Proposal, dict[str, Any]] | None:
        for draw in range(MAX_DRAWS):
            seed = _seed(self.config.study.seed, ordinal, draw)
            proposal, values = mirror.propose(self.space, seed, random=draw > MAX_DRAWS // 2)
            settings = self._usable(values, seen)
            if settings is not None:
                return proposal, self._attributes("sampler", settings, ordinal)
        return None

    def _usable(self, values: Mapping[str, Any], seen: set[tuple[Any, ...]]) -> Settings | None:
        """The settings, or None if they were tried or contradict each other."""
        try:
            settings = self.base.with_values(values)
        except ValueError:
            return None
        return None if settings.key in seen else settings

    def _attributes(self, origin: str, settings: Settings, ordinal: int) -> dict[str, Any]:
        values = {name: settings.value(name) for name in self.space.fields}
        return {
            "ordinal": ordinal,
            "origin": origin,
            "values": values,
            "settings": settings.to_dict(),
            "session": self.session,
        }

    def _start(self, proposal: Proposal, attributes: dict[str, Any]) -> int:
        """Write the running trial with all its parameters at once; its key in the storage."""
        trial = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=proposal.params,
            distributions=proposal.distributions,
            user_attrs=attributes,
            system_attrs=proposal.system_attrs,
        )
        storage = self._storage.storage
        study_id = storage.get_study_id_from_name(self.config.study.name)
        return int(storage.create_new_trial(study_id, template_trial=trial))


def _owed(records: list[TrialRecord]) -> TrialRecord | None:
    """The first trial that was lost and is not yet being run again."""
    replaced = {record.ordinal for record in records if not record.lost}
    waiting = [record for record in records if record.lost and record.ordinal not in replaced]
    return min(waiting, key=lambda record: record.ordinal, default=None)


def _seed(study_seed: int, ordinal: int, draw: int) -> int:
    return int(np.random.SeedSequence([study_seed, ordinal, draw]).generate_state(1)[0])


def _check_same(name: str, known: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    differing = [
        f"{key} was {known.get(key)}, is {now.get(key)}"
        for key in sorted({*known, *now})
        if known.get(key) != now.get(key)
    ]
    if differing:
        raise InputError(
            f"study.name {name} was started with other settings: {'; '.join(differing)}. "
            "Give this study another name with study.name=..., or set them back."
        )
