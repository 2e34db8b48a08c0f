"""A study in its storage: trials claimed one at a time, and what is kept of them."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.config.study import StudyConfig
from experiments.replay.results import Checkpoint
from experiments.replay.settings import Settings
from experiments.study.enqueued import PUBLISHED_DEFAULTS, Enqueued
from experiments.study.identity import check_same
from experiments.study.next_trial import NextTrial, Queue
from experiments.study.proposals import Proposal
from experiments.study.pruners import reported
from experiments.study.records import BaselineRecord, Outcome, TrialRecord
from experiments.study.rules import SearchRules
from experiments.study.search_space import SearchSpace
from experiments.study.shared_ledger import SharedLedger
from experiments.study.storage import StudyStorage
from experiments.study.stored_trial import (
    EXCESSES,
    as_run,
    read_attributes,
    read_record,
    shown_attributes,
    stored_state,
)

optuna.logging.set_verbosity(optuna.logging.ERROR)


STARTS = "starts"
"""Where the study keeps what it tries before all else: origin → settings."""


@dataclass(frozen=True)
class Claim:
    """A trial that this process runs.

    Args:
        number: Its number in the study.
        trial_id: Its key in the storage.
        origin: Name of an enqueued configuration, or ``sampler``.
        settings: What it tries.
        proposal: Its twin in the in-memory study, which the pruner watches.
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
        config: Name, length and seed of the study.
        rules: How it searches.
        base: The settings that the search space varies.
        space: The search space.
        storage: Where the study lives.
        process: Name of this process, kept with the trials it runs.
    """

    def __init__(
        self,
        config: StudyConfig,
        rules: SearchRules,
        base: Settings,
        space: SearchSpace,
        storage: StudyStorage,
        process: str,
    ) -> None:
        self.config = config
        self.rules = rules
        self.base = base
        self.space = space
        self.process = process
        self._storage = storage
        self._queue = Queue(config, rules, base, space)
        self._study: optuna.Study | None = None

    def open(
        self,
        definition: Mapping[str, Any],
        uid: str,
        fixed: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """Make the study or go on with it, and fail the trials that a kill left running.

        Args:
            definition: What must stay the same for trials to be comparable, flat.
            uid: Names the study if it is new.
            fixed: What else is kept with it for ever, by name, `STARTS` among it; asked only if
                the study is new, before anything of it is written.

        Raises:
            InputError: If the study was made with another definition, saying what differs, or
                is being run by another process.
        """
        self._storage.take_over()
        self._storage.patiently(lambda: self._open(definition, uid, fixed))
        self._storage.share()

    def _open(
        self, definition: Mapping[str, Any], uid: str, fixed: Callable[[], Mapping[str, Any]]
    ) -> None:
        with self._storage.claim_lock():
            stored = read_attributes(self._storage.storage, self.config.name)
            known = (stored or {}).get("definition")
            kept = fixed() if known is None else {}
            self._load()
            if known is None:
                # The definition is last: without it, a study that a kill left is begun anew.
                for name, value in {"uid": uid, **kept, "definition": dict(definition)}.items():
                    self.set_attribute(name, value)
            else:
                check_same(self.config.name, known, definition)
            self._line_up()
            self._storage.fail_lost(self.optuna)

    def _line_up(self) -> None:
        """Take up what is tried before all else, as it was fixed when the study was made."""
        kept = self.attribute(STARTS) or {}
        starts = [Enqueued(name, Settings.from_dict(settings)) for name, settings in kept.items()]
        self._queue = Queue(self.config, self.rules, self.base, self.space, starts)

    def check(self, definition: Mapping[str, Any], cure: str) -> None:
        """Refuse a definition that is not the study's own.

        Args:
            definition: As `open` takes it.
            cure: What to do about it, a sentence.

        Raises:
            InputError: Saying what differs.
        """
        check_same(self.config.name, self.attribute("definition") or {}, definition, cure)

    def join(self) -> None:
        """Run trials of a study that another process opened."""
        self._storage.share()
        self._load()
        self._line_up()

    def close(self) -> None:
        """Let go of the storage."""
        self._storage.close()

    def fail_lost(self) -> None:
        """Fail the trials whose process is gone; only where no other process is on the study."""
        self._storage.patiently(self._fail_lost)

    def _fail_lost(self) -> None:
        with self._storage.claim_lock():
            self._storage.fail_lost(self.optuna)

    @property
    def is_exhausted(self) -> bool:
        """Whether the search space holds no settings that were not tried."""
        return self._queue.is_exhausted

    @property
    def optuna(self) -> optuna.Study:
        """The study as Optuna's own tools see it."""
        assert self._study is not None
        return self._study

    def name_objective(self, metric: str) -> None:
        """Name what is maximized, for tools that read the study."""
        if self.optuna.metric_names != [metric]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self.optuna.set_metric_names([metric])

    def attribute(self, name: str) -> Any:
        """What `set_attribute` kept under a name, or None."""
        return self.optuna.user_attrs.get(name)

    def set_attribute(self, name: str, value: Any) -> None:
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
        self.set_attribute("baselines", rows)

    def trials(self) -> list[FrozenTrial]:
        """The study's trials as they ended, without what other tools may have added to it."""
        trials = self.optuna.get_trials(deepcopy=False)
        return [as_run(trial) for trial in trials if "ordinal" in trial.user_attrs]

    def records(self) -> list[TrialRecord]:
        """Every trial, in order of its number."""
        return [read_record(trial) for trial in self.trials()]

    def claim(self) -> Claim | None:
        """The next trial to run, or None once the study has all its trials.

        Trials lost to a kill come first, with the parameters they had.
        """
        return self._storage.patiently(self._claim)

    def _claim(self) -> Claim | None:
        with self._storage.claim_lock():
            if self._storage.knows_who_lives:
                self._storage.fail_lost(self.optuna)
                self._let_go_of_unanswered()
            found = self._queue.next(self.trials())
            if found is None:
                return None
            trial_id = self._start(found)
            self._storage.show_claimed(trial_id)
        # Giving the lock back has told that nobody else had it meanwhile.
        number = self._storage.storage.get_trial(trial_id).number
        return Claim(number, trial_id, found.origin, found.settings, found.proposal)

    def _let_go_of_unanswered(self) -> None:
        """Fail what this process claimed without hearing of it: it claims when it runs nothing."""
        for trial in self.trials():
            mine = trial.user_attrs.get("session") == self.process
            if mine and trial.state == TrialState.RUNNING:
                self._storage.storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)

    def should_prune(self, claim: Claim, checkpoint: Checkpoint) -> bool:
        """Tell the pruner a block's figure and ask it. The published defaults always finish."""
        if self.rules.pruner.name == "none":
            return False
        stop = claim.proposal.report(checkpoint.block, reported(self.rules.pruner, checkpoint))
        return stop and claim.origin != PUBLISHED_DEFAULTS

    def claim_lock(self) -> AbstractContextManager[None]:
        """No other process claims a trial of this study, or is in here too, while it lasts."""
        return self._storage.claim_lock()

    def heartbeat(self, claim: Claim) -> AbstractContextManager[None]:
        """Show, while it lasts, that the trial's process lives."""
        return self._storage.heartbeat(claim.trial_id)

    def ledger(self) -> SharedLedger | None:
        """Where all who share this study's storage record sealed tests, or None."""
        return self._storage.ledger()

    def finish(self, claim: Claim, outcome: Outcome) -> TrialRecord:
        """Keep what came of a trial; the last write makes it final."""
        return self._storage.patiently(lambda: self._finish(claim, outcome))

    def _finish(self, claim: Claim, outcome: Outcome) -> TrialRecord:
        storage = self._storage.storage
        # The answer to the last write may have been lost.
        if not storage.get_trial(claim.trial_id).state.is_finished():
            storage.set_trial_user_attr(claim.trial_id, "outcome", asdict(outcome))
            (objective,) = self.optuna.metric_names or [""]
            for name, value in shown_attributes(outcome.metrics, objective).items():
                storage.set_trial_user_attr(claim.trial_id, name, value)
            self._set_constraints(claim, outcome.constraints)
            values = None if outcome.value is None else [outcome.value]
            storage.set_trial_state_values(claim.trial_id, stored_state(outcome), values)
        return read_record(storage.get_trial(claim.trial_id))

    def _set_constraints(self, claim: Claim, constraints: Mapping[str, float]) -> None:
        trial = optuna.trial.Trial(self.optuna, claim.trial_id)
        with warnings.catch_warnings():
            # Optuna warns of one that a first try set before its answer was lost.
            warnings.simplefilter("ignore", UserWarning)
            for name, excess in constraints.items():
                trial.set_constraint(name, excess)
        storage = self._storage.storage
        storage.set_trial_system_attr(claim.trial_id, EXCESSES, list(constraints.values()))

    def abandon(self, claim: Claim) -> None:
        """Let a claimed trial go without an outcome; it is the next to be run again.

        A trial that was interrupted after its last write is finished, and stays so.
        """
        self._storage.patiently(lambda: self._abandon(claim))

    def _abandon(self, claim: Claim) -> None:
        storage = self._storage.storage
        if not storage.get_trial(claim.trial_id).state.is_finished():
            storage.set_trial_state_values(claim.trial_id, TrialState.FAIL)

    def _load(self) -> None:
        self._study = optuna.create_study(
            storage=self._storage.storage,
            study_name=self.config.name,
            sampler=optuna.samplers.RandomSampler(seed=self.config.seed),
            pruner=optuna.pruners.NopPruner(),
            direction="maximize",
            load_if_exists=True,
        )

    def _start(self, found: NextTrial) -> int:
        """Write the running trial with all its parameters at once; its key in the storage."""
        proposal = found.proposal
        trial = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=proposal.params,
            distributions=proposal.distributions,
            user_attrs={
                "ordinal": found.ordinal,
                "origin": found.origin,
                "values": {name: found.settings.value(name) for name in self.space.fields},
                "settings": found.settings.to_dict(),
                "session": self.process,
            },
            system_attrs=proposal.system_attrs,
        )
        storage = self._storage.storage
        study_id = storage.get_study_id_from_name(self.config.name)
        return int(storage.create_new_trial(study_id, template_trial=trial))
