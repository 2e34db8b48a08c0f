"""``python -m experiments.sweep``: replay a click log, search the settings, keep the best."""

import sys
import time
import uuid
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

from experiments.common.console import say, width_of
from experiments.common.interrupts import arrived
from experiments.common.steps import step
from experiments.config.command import FAILED, INTERRUPTED, OK
from experiments.config.commands import SweepConfig
from experiments.config.saved import anchored
from experiments.data.card.no_reach import why_nothing_is_reached
from experiments.data.format.click_log import ClickLog
from experiments.judging.tune_gain import tune_gain
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.review.outlook import outlook_lines
from experiments.review.still_open import still_open
from experiments.review.terminal import finalist_table, result_table
from experiments.study.identity import definition
from experiments.study.records import COMPLETE, RUNNING, BaselineRecord, TrialRecord
from experiments.study.samplers import check_sampler
from experiments.study.search_space import SearchSpace
from experiments.study.stopping import expected_gain
from experiments.study.storage import journal_path
from experiments.study.study import Study
from experiments.study_folder.best_yaml import Provenance, write_best
from experiments.study_folder.judged_records import FinalistRecord
from experiments.study_folder.layout import StudyFolder, write_config, write_trials
from experiments.study_folder.summary import DatasetRecord, Summary, summarize, write_summary
from experiments.tracking.study_info import StudyInfo, review_text
from experiments.tracking.tracker import Tracker, open_tracker
from experiments.workflow.baselines import baselines_of
from experiments.workflow.earlier_studies import LOOKED_AT, TRIED_BEFORE, fixed_at_start
from experiments.workflow.engines import OpenLog, open_log, replay_over
from experiments.workflow.first_replay import first_replay
from experiments.workflow.judgement import judge_study, sealed_test_of
from experiments.workflow.outlook import kept_outlook
from experiments.workflow.progress import Progress
from experiments.workflow.publishing import info_of, show_in_mlflow, write_report
from experiments.workflow.studies import base_settings, make_study
from experiments.workflow.trials import run_trials, run_workers

IN_PARTITIONS = (
    "In partitions: the outlook and headroom are left out, which look at all clicks at once."
)


@dataclass(frozen=True)
class Sweep:
    """A sweep under way."""

    config: SweepConfig
    opened: OpenLog
    study: Study
    outputs: StudyFolder
    tracker: Tracker
    started: float
    before: float

    @property
    def log(self) -> ClickLog:
        """The click log."""
        return self.opened.log


def sweep(config: SweepConfig) -> int:
    """Run a study to its length and write what it found; the exit status."""
    started = time.monotonic()
    config = anchored(config)
    check_sampler(config.sampler)
    space = SearchSpace.from_config(config.search_space, base_settings(config))
    with open_log(config) as opened:
        with step("Laying out the log", quiet=True):
            replay = replay_over(opened, config)
        fixed = cache(partial(fixed_at_start, config, opened.log, replay))
        journal = journal_path(config.output_dir, config.study.name)
        if not config.study.is_shared and not journal.exists():
            fixed()  # What it refuses shall leave no journal behind.
        study = make_study(config, space)
        try:
            study.open(definition(asdict(config), opened.log.fingerprint), uuid.uuid4().hex, fixed)
            if study.attribute(LOOKED_AT) is None:  # A study of an earlier version.
                study.set_attribute(LOOKED_AT, fixed()[LOOKED_AT])
            return _run(_opened(config, opened, study, replay.objective_key, started), replay)
        finally:
            study.close()


def _opened(
    config: SweepConfig, opened: OpenLog, study: Study, objective: str, started: float
) -> Sweep:
    """A sweep whose study and folder are open."""
    log = opened.log
    outputs = StudyFolder(Path(config.output_dir), config.study.name)
    write_config(outputs, config)
    shared = study.claim_lock if config.study.is_shared else None
    study.name_objective(objective)
    info = _info(config, log, study, objective)
    tracker = open_tracker(config.tracking, outputs, info, shared)
    before = float(study.attribute("seconds") or 0.0)
    return Sweep(config, opened, study, outputs, tracker, started, before)


def _run(run: Sweep, replay: Replay | PartitionedReplay) -> int:
    study, config = run.study, run.config
    if isinstance(replay, Replay):
        with first_replay("Looking at what the data can tell"):
            outlook = kept_outlook(study, replay, config.guardrails.min_gain)
        say("\n".join(outlook_lines(outlook)))
    else:
        say(IN_PARTITIONS)
    with step("Scoring the baselines", quiet=True):
        baselines = baselines_of(study, replay)
    records = study.records()
    run.tracker.start(records, list(baselines.values()))
    progress = Progress(
        replay.objective_key, config.study.n_asked, _finished(records), verbose=config.verbose
    )

    if isinstance(replay, PartitionedReplay):
        replay.on_partition = lambda: progress.partition(replay.n_steps)

    def on_trial(record: TrialRecord) -> None:
        run.tracker.trial(record)
        progress.add(record)

    interrupted = False
    died: list[int] = []
    try:
        if config.study.workers > 1:
            died = run_workers(study, config, on_trial)
        else:
            run_trials(study, replay, replay.objective_key, on_trial)
    except KeyboardInterrupt:
        arrived()
        interrupted = True
    finally:
        progress.close()
    if interrupted or died:
        study.fail_lost()
    return _finish(run, replay.objective_key, baselines, interrupted=interrupted, died=died)


def _finish(
    run: Sweep,
    objective: str,
    baselines: dict[str, BaselineRecord],
    *,
    interrupted: bool,
    died: list[int],
) -> int:
    records = run.study.records()
    is_whole = not interrupted and not died and any(r.state == COMPLETE for r in records)
    finalists: list[FinalistRecord] = []
    if is_whole:
        finalists = judge_study(run.config, run.opened, run.study, records, run.outputs)
    with step("Working out what tune can say", quiet=True):
        summary = _summary(run, objective, baselines, records, finalists)
        write_trials(run.outputs, records)
        write_summary(run.outputs.summary, summary)
        _write_best(run, records, summary)
    _say_results(run, summary, records, finalists)
    files = write_report(run.outputs) if is_whole else {}
    say(_whereabouts(run, summary))
    trouble = _deliver(run, records, summary)
    if is_whole and not trouble:
        info = _info(run.config, run.log, run.study, objective)
        trouble = show_in_mlflow(run.config.tracking, run.outputs, info, files)
    if trouble:
        print(trouble, file=sys.stderr)
    return _status(run, records, interrupted=interrupted, died=died)


def _deliver(run: Sweep, records: list[TrialRecord], summary: Summary) -> str:
    """Bring MLflow up to the study and say where it is; what went wrong, or ""."""
    if run.config.tracking.name == "none":
        return run.tracker.finish(records, summary)
    with step("Delivering to MLflow", quiet=True):
        trouble = run.tracker.finish(records, summary)
    say(review_text(run.config.tracking, run.outputs, run.tracker.page))
    return trouble


def _say_results(
    run: Sweep,
    summary: Summary,
    records: list[TrialRecord],
    finalists: list[FinalistRecord],
) -> None:
    """Print the answer, the table and the finalists."""
    width = width_of(sys.stdout)
    say(result_table(summary, records, width))
    say(_why_no_reach(run, records), end="")
    if run.config.study.n_asked is None:
        min_gain = run.config.study.min_gain
        say(still_open(expected_gain(records), len(records), min_gain))
    if finalists:
        say(f"\n{finalist_table(finalists, width)}\n")


def _summary(
    run: Sweep,
    objective: str,
    baselines: dict[str, BaselineRecord],
    records: list[TrialRecord],
    finalists: list[FinalistRecord],
) -> Summary:
    seconds = run.before + time.monotonic() - run.started
    run.study.set_attribute("seconds", seconds)
    alone = finalists[0].gain if finalists else None  # the best feasible trial's
    return summarize(
        study=run.config.study.name,
        log=run.log,
        objective=objective,
        records=records,
        baselines=baselines,
        tune_gain=tune_gain(
            records,
            seed=run.config.study.seed,
            clustered=alone,
            n_before=int(run.study.attribute(TRIED_BEFORE) or 0),
        ),
        total_seconds=seconds,
    ).with_sealed(sealed_test_of(run.study), records)


def _write_best(run: Sweep, records: list[TrialRecord], summary: Summary) -> None:
    """Write the adopted trial, while there is none the best on tune; and the best on tune."""
    outputs = run.outputs
    for path, row in ((outputs.tune_best, summary.tune_best), (outputs.best, summary.best)):
        if row is not None:
            record = next(item for item in records if item.number == row.trial)
            write_best(path, run.config, record, Provenance.of(record, summary))


def _why_no_reach(run: Sweep, records: list[TrialRecord]) -> str:
    """What keeps feedback from every session, where no trial reached one; else ""."""
    reach = [record.metrics["reach"] for record in records if "reach" in record.metrics]
    if not reach or max(reach) > 0 or run.opened.parts is not None:
        return ""
    replay = run.config.replay
    scope = replay.personalize_by or run.log.personalize_by
    interval = run.config.adjuster.interval_seconds
    return f"{why_nothing_is_reached(run.log, scope, replay.quiet_seconds, interval)}\n"


def _status(run: Sweep, records: list[TrialRecord], *, interrupted: bool, died: list[int]) -> int:
    name = run.config.study.name
    finished = [record for record in records if record.outcome is not None]
    if interrupted:
        print(
            f"Interrupted. The {len(finished)} finished trials of study {name} are kept; the same "
            "command goes on with them.",
            file=sys.stderr,
        )
        return INTERRUPTED
    if died:
        print(
            f"{len(died)} of {run.config.study.workers} workers ended badly (exit codes "
            f"{', '.join(map(str, died))}). Finished trials are kept; the same command goes on.",
            file=sys.stderr,
        )
    if run.study.is_exhausted:
        print(
            f"The search space holds no settings that were not tried: the study ends with "
            f"{len(finished)} trials.",
            file=sys.stderr,
        )
    if finished and all(record.state == "failed" for record in finished):
        print(f"All trials failed: {finished[0].reason}", file=sys.stderr)
        return FAILED
    return FAILED if died else OK


def _whereabouts(run: Sweep, summary: Summary) -> str:
    lines = []
    if summary.best is not None:
        what = "the best on tune" if summary.adopted is None else "adopted"
        lines.append(f"best configuration: {run.outputs.best} (trial {summary.best.trial}, {what})")
        lines.append(f"the sealed test:    {run.outputs.opening}")
    if run.outputs.report.is_file():
        lines.append(f"report:             {run.outputs.report}")
    lines.append(f"all files:          {run.outputs.path}")
    return "\n".join(lines)


def _info(config: SweepConfig, log: ClickLog, study: Study, objective: str) -> StudyInfo:
    return info_of(config, study.attribute("uid"), DatasetRecord.of(log), objective)


def _finished(records: list[TrialRecord]) -> list[TrialRecord]:
    return [record for record in records if record.state != RUNNING]
