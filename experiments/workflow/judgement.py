"""The end of a study: its finalists judged, the sealed test opened on the one that was chosen."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from experiments.common.steps import Advance, step
from experiments.config.commands import SweepConfig
from experiments.config.replay import ReplayConfig, SplitConfig
from experiments.judging.bystanders import Replays
from experiments.judging.choice import choose, remarks_on, unselected
from experiments.judging.comparison import Judge
from experiments.judging.finalists import Candidate, judge_finalists
from experiments.judging.finalists import replays_needed as finalist_replays
from experiments.judging.openings import Ledger
from experiments.judging.seal import Seal
from experiments.judging.sealed_test import Terms, open_sealed_test
from experiments.judging.sealed_test import replays_needed as test_replays
from experiments.replay.judged_replay import JudgedReplay
from experiments.replay.partitioned.judged_replay import JudgedPartitions
from experiments.replay.replay import replay_maker
from experiments.replay.settings import Settings
from experiments.study.enqueued import enqueued_settings
from experiments.study.identity import setting_digest
from experiments.study.importances import importances
from experiments.study.records import TrialRecord
from experiments.study.storage import StudyStorage
from experiments.study.study import Study
from experiments.study_folder.finalist_files import (
    whole_finalists,
    write_finalists,
    write_importances,
    write_sessions,
)
from experiments.study_folder.judged_records import FinalistRecord, SealedRecord
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.ledger_file import LedgerFile
from experiments.workflow.engines import OpenLog
from experiments.workflow.first_replay import first_replay
from experiments.workflow.studies import base_settings

SEALED_TEST = "sealed_test"
"""Where the study keeps what its sealed test said."""


def judge_study(
    config: SweepConfig,
    opened: OpenLog,
    study: Study,
    records: Sequence[TrialRecord],
    outputs: StudyFolder,
) -> list[FinalistRecord]:
    """Judge the finalists and keep what was found, unless it is there for these very trials.

    Args:
        config: The sweep's configuration.
        opened: The data set.
        study: The study.
        records: Every trial.
        outputs: The study's folder.

    Returns:
        A record for each finalist, best first.
    """
    with step("Working out which parameters decided", quiet=True):
        write_importances(outputs.path, importances(study.trials()))
    chosen = choose(records)
    known = whole_finalists(outputs.path)
    if _same(known, chosen):
        return known
    what = f"Judging {len(chosen)} finalists, on withheld queries too"
    with step(what, finalist_replays(len(chosen))) as advance:
        over = replays(config, opened, advance)
        finalists = judge_finalists(
            [Candidate.of(record) for record in chosen],
            published_defaults(config),
            over,
            judge_of(config, over.over("tune").objective.key),
        )
    sealed = sealed_test_of(study)
    adopted = sealed.adopted if sealed else None
    return write_finalists(outputs.path, opened.log, finalists, adopted=adopted)


def open_test(
    config: SweepConfig,
    opened: OpenLog,
    study: Study,
    candidates: Sequence[TrialRecord],
    outputs: StudyFolder,
    *,
    reopen: bool = False,
) -> tuple[SealedRecord, list[str]]:
    """Open the sealed test on the first candidate that keeps its drift; keep what it said.

    Args:
        config: The sweep's configuration.
        opened: The data set.
        study: The study.
        candidates: Trials in the order of choice, at least one.
        outputs: Where the trial's session tables go.
        reopen: Allow a look at these data on something else than before.

    Returns:
        What the test said, and a sentence for each reason why it is not about the best on tune.

    Raises:
        InputError: If the test of these data was opened on something else and `reopen` is false.
    """
    records, log = study.records(), opened.log
    others = [Candidate.of(record).settings for record in unselected(records)]
    n_replays = test_replays(len(others))
    with first_replay("Opening the sealed test", n_replays, quiet=False) as advance:
        over = replays(config, opened, advance)
        objective = over.over("tune").objective
        judge = judge_of(config, objective.key)
        terms = Terms(published_defaults(config), others, config.guardrails, judge)
        seal = Seal(
            ledgers=ledgers_of(study, outputs.root),
            fingerprint=log.fingerprint,
            study=config.study.name,
            window=window_text(config.replay.split),
            objective=f"{objective.key} ({objective.estimator})",
            digest=partial(digest_of, config, log.fingerprint),
            reopen=reopen,
        )
        test = open_sealed_test([Candidate.of(item) for item in candidates], over, terms, seal)
    sealed = SealedRecord.of(test)
    write_sessions(outputs.path, "tune", test.trial, log, test.tune_result.sessions)
    write_sessions(outputs.path, "test", test.trial, log, test.test_result.sessions)
    study.set_attribute(SEALED_TEST, sealed.to_dict())
    return sealed, remarks_on(test.trial, records, test.passed_over, config.guardrails)


def ledgers_of(study: Study | StudyStorage, output_dir: Path) -> list[Ledger]:
    """Where looks at a study's data are recorded: its output folder, and its shared storage."""
    shared = study.ledger()
    return [LedgerFile(output_dir), *([shared] if shared is not None else [])]


def digest_of(config: SweepConfig, fingerprint: str, settings: Settings) -> str:
    """What tells one setting of a study, on these data, from another."""
    chosen = replace(config, adjuster=settings.adjuster, selection=settings.selection)
    return setting_digest(asdict(chosen), fingerprint)


def window_text(split: SplitConfig) -> str:
    """Which sessions the test is.

    Example:
        >>> window_text(SplitConfig(warmup=0.2, tune=0.5))
        'last 30 %'
    """
    return f"last {round(100 * (1 - split.warmup - split.tune), 1):g} %"


def sealed_test_of(study: Study) -> SealedRecord | None:
    """What the sealed test said, as the study remembers it; None until it is opened."""
    kept = study.attribute(SEALED_TEST)
    return SealedRecord.from_dict(kept, SEALED_TEST) if kept else None


def judge_of(config: SweepConfig, objective: str) -> Judge:
    """What this study compares, and how surely.

    Args:
        config: The sweep's configuration.
        objective: Name of the objective among the metrics of a replay.
    """
    return Judge(objective, config.study.seed)


def replays(config: SweepConfig, opened: OpenLog, advance: Advance) -> Replays:
    """Replays of this log as the study scores it; the objective is chosen once, with the first.

    Args:
        config: The sweep's configuration.
        opened: The data set.
        advance: Told of each setting that was replayed.
    """
    if opened.parts is not None:

        def over_partitions(settings: ReplayConfig, window: str) -> JudgedPartitions:
            replay = opened.replay_parts(settings, config.objective, window)
            return JudgedPartitions(replay, lambda: advance(1))

        return Replays(over_partitions, config.replay)
    make = replay_maker(opened.log, config.objective)

    def judged(settings: ReplayConfig, window: str) -> JudgedReplay:
        return JudgedReplay(make(settings, window), lambda: advance(1))

    return Replays(judged, config.replay)


def published_defaults(config: SweepConfig) -> Settings:
    """The published defaults as this study would enqueue them."""
    return enqueued_settings("profiles", base_settings(config))[0].settings


def _same(known: Sequence[FinalistRecord], chosen: Sequence[TrialRecord]) -> bool:
    """Whether these trials, by number, settings and metrics, are the ones judged before."""
    return [(item.trial, item.settings.to_dict(), item.metrics) for item in known] == [
        (record.number, record.settings, record.metrics) for record in chosen
    ]
