"""The end of a study: its finalists judged, the sealed test opened on the one that was chosen."""

from collections.abc import Sequence

from experiments.config.commands import SweepConfig
from experiments.data.format.click_log import ClickLog
from experiments.judging.bystanders import Replays
from experiments.judging.choice import choose
from experiments.judging.comparison import Judge
from experiments.judging.finalists import Candidate, judge_finalists
from experiments.judging.sealed_test import open_sealed_test
from experiments.replay.replay import replay_maker
from experiments.replay.settings import Settings
from experiments.study.enqueued import enqueued_settings
from experiments.study.importances import importances
from experiments.study.records import TrialRecord
from experiments.study.study import Study
from experiments.study_folder.finalist_files import (
    whole_finalists,
    write_finalists,
    write_importances,
    write_sessions,
)
from experiments.study_folder.judged_records import FinalistRecord, SealedRecord
from experiments.study_folder.layout import StudyFolder
from experiments.workflow.studies import base_settings

SEALED_TEST = "sealed_test"
"""Where the study keeps what its sealed test said."""


def judge_study(
    config: SweepConfig,
    log: ClickLog,
    study: Study,
    records: Sequence[TrialRecord],
    outputs: StudyFolder,
) -> list[FinalistRecord]:
    """Judge the finalists and keep what was found, unless it is there for these very trials.

    Args:
        config: The sweep's configuration.
        log: The data set.
        study: The study.
        records: Every trial.
        outputs: The study's folder.

    Returns:
        A record for each finalist, best first.
    """
    write_importances(outputs.path, importances(study.optuna))
    chosen = choose(records)
    known = whole_finalists(outputs.path)
    if _same(known, chosen):
        return known
    finalists = judge_finalists(
        [Candidate.of(record) for record in chosen],
        published_defaults(config),
        replays(config, log),
        judge_of(config),
    )
    return write_finalists(outputs.path, log, finalists)


def open_test(
    config: SweepConfig,
    log: ClickLog,
    study: Study,
    record: TrialRecord,
    outputs: StudyFolder,
    *,
    reopen: bool = False,
) -> SealedRecord:
    """Open the sealed test on a trial and keep what it said with the study.

    Args:
        config: The sweep's configuration.
        log: The data set.
        study: The study; remembers the opening for ever.
        record: The trial.
        outputs: Where the test's session table goes.
        reopen: Allow a second opening for another trial.

    Raises:
        InputError: If the test was opened on another trial and `reopen` is false.
    """
    opened = open_sealed_test(
        Candidate.of(record),
        published_defaults(config),
        replays(config, log),
        config.guardrails,
        StudyOpenings(study),
        judge_of(config),
        reopen=reopen,
    )
    sealed = SealedRecord.of(opened)
    write_sessions(outputs.path, "test", opened.trial, log, opened.test_result.sessions)
    study.set_attribute(SEALED_TEST, sealed.to_dict())
    return sealed


def sealed_test_of(study: Study) -> SealedRecord | None:
    """What the sealed test said, as the study remembers it; None until it is opened."""
    kept = study.attribute(SEALED_TEST)
    return SealedRecord.from_dict(kept, SEALED_TEST) if kept else None


class StudyOpenings:
    """The sealed test's openings, kept in the study's own storage."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def read(self) -> list[int]:
        """The trials, in the order in which the test was opened on them."""
        return list(self._study.attribute("test_openings") or [])

    def record(self, trial: int) -> None:
        """Add a trial."""
        self._study.set_attribute("test_openings", [*self.read(), trial])


def judge_of(config: SweepConfig) -> Judge:
    """What this study compares, and how surely."""
    return Judge(config.objective.metric, config.study.seed)


def replays(config: SweepConfig, log: ClickLog) -> Replays:
    """Replays of this log as the study scores it."""
    return Replays(replay_maker(log, config.objective), config.replay)


def published_defaults(config: SweepConfig) -> Settings:
    """The published defaults as this study would enqueue them."""
    return enqueued_settings("profiles", base_settings(config))[0].settings


def _same(known: Sequence[FinalistRecord], chosen: Sequence[TrialRecord]) -> bool:
    """Whether these trials, by number, settings and metrics, are the ones judged before."""
    return [(item.trial, item.settings.to_dict(), item.metrics) for item in known] == [
        (record.number, record.settings, record.metrics) for record in chosen
    ]
