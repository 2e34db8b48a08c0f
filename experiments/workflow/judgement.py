"""The end of a study: its finalists judged, the sealed test opened on the one that was chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.common.wording import plain
from experiments.config.commands import SweepConfig
from experiments.data.format.click_log import ClickLog
from experiments.judging.choice import is_as_good, prefer_least_drift
from experiments.judging.finalists import N_FINALISTS, Candidate, judge_finalists
from experiments.judging.sealed_test import SealedTest, first_that_stays, open_sealed_test
from experiments.replay.replay import replay_maker
from experiments.replay.settings import Settings
from experiments.study.enqueued import enqueued_settings
from experiments.study.importances import importances
from experiments.study.records import TrialRecord
from experiments.study.study import Study
from experiments.study_folder.finalist_files import (
    read_json,
    sealed_record,
    write_finalists,
    write_importances,
    write_sessions,
)
from experiments.study_folder.layout import Outputs
from experiments.workflow.studies import base_settings


def judge_study(
    config: SweepConfig,
    log: ClickLog,
    study: Study,
    records: Sequence[TrialRecord],
    outputs: Outputs,
) -> list[dict[str, Any]]:
    """Judge the finalists and keep the evidence, unless it is there for these very trials.

    Args:
        config: The sweep's configuration.
        log: The data set.
        study: The study.
        records: Every trial.
        outputs: Where the evidence goes.

    Returns:
        A record a finalist, best first.
    """
    write_importances(outputs.folder, importances(study.optuna))
    chosen = choose(records)
    known = read_json(outputs.folder, "finalists.json") or []
    if _same(known, chosen):
        return list(known)
    finalists = judge_finalists(
        [_candidate(record) for record in chosen],
        published_defaults(config),
        replay_maker(log, config.objective),
        config.replay,
        metric=config.objective.metric,
        seed=config.study.seed,
    )
    return write_finalists(outputs.folder, log, finalists)


def choose(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best feasible trial and the next four; of equals the earlier first."""
    feasible = [record for record in records if record.is_feasible]
    feasible.sort(key=lambda record: (-(record.value or 0.0), record.number))
    return feasible[:N_FINALISTS]


def choose_for_test(
    config: SweepConfig, log: ClickLog, records: Sequence[TrialRecord]
) -> tuple[TrialRecord | None, list[str]]:
    """The finalist to open the sealed test on; None without a feasible trial.

    Returns:
        The first finalist, in the order of `prefer_least_drift`, whose drift keeps its bound to
        the end of the log; and a sentence for each reason why it is not the best on tune.
    """
    ranked = choose(records)
    if not ranked:
        return None, []
    chosen = prefer_least_drift(ranked)
    candidate, passed_over = first_that_stays(
        [_candidate(record) for record in chosen],
        replay_maker(log, config.objective)(config.replay, "test"),
        config.guardrails,
    )
    record = next(record for record in chosen if record.number == candidate.trial)
    bound = config.guardrails.max_mean_drift
    preferred = (
        [
            f"Trial {record.number} is taken, not trial {ranked[0].number}: on tune it is as good "
            f"within one standard error, at a mean drift of {plain(record.metrics['drift_mean'])} "
            f"instead of {plain(ranked[0].metrics['drift_mean'])}."
        ]
        if record.number != ranked[0].number and is_as_good(record, ranked[0])
        else []
    )
    return record, preferred + [
        f"Trial {trial} is passed over: its mean drift grows to {plain(drift)} by the end of the "
        f"log, above guardrails.max_mean_drift of {bound:g}."
        for trial, drift in passed_over.items()
    ]


def open_test(
    config: SweepConfig,
    log: ClickLog,
    study: Study,
    record: TrialRecord,
    outputs: Outputs,
    *,
    reopen: bool = False,
) -> dict[str, Any]:
    """Open the sealed test on a trial and keep what it said with the study.

    Args:
        config: The sweep's configuration.
        log: The data set.
        study: The study; remembers the opening for ever.
        record: The trial.
        outputs: Where the test's session table goes.
        reopen: Allow a second opening for another trial.

    Returns:
        The summary's ``verdict`` and ``test``.

    Raises:
        InputError: If the test was opened on another trial and `reopen` is false.
    """
    opened = open_sealed_test(
        _candidate(record),
        published_defaults(config),
        replay_maker(log, config.objective),
        config.replay,
        config.guardrails,
        StudyOpenings(study),
        metric=config.objective.metric,
        seed=config.study.seed,
        reopen=reopen,
    )
    return _keep(opened, log, study, outputs)


def _keep(opened: SealedTest, log: ClickLog, study: Study, outputs: Outputs) -> dict[str, Any]:
    kept = sealed_record(opened)
    write_sessions(outputs.folder, "test", opened.trial, log, opened.test_result.sessions)
    study.set_attribute("sealed_test", kept)
    return kept


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


def published_defaults(config: SweepConfig) -> Settings:
    """The published defaults as this study would enqueue them."""
    return enqueued_settings("profiles", base_settings(config))[0].settings


def _candidate(record: TrialRecord) -> Candidate:
    return Candidate(record.number, Settings.from_dict(record.settings))


def _same(known: Sequence[Mapping[str, Any]], chosen: Sequence[TrialRecord]) -> bool:
    """Whether these trials, by number, settings and figures, are the ones judged before."""
    return [(item["trial"], item["settings"], item["metrics"]) for item in known] == [
        (record.number, record.settings, record.metrics) for record in chosen
    ]
