"""``python -m experiments.export study=NAME``: open the sealed test, write the configuration."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments.common.console import say, width_of
from experiments.common.errors import InputError
from experiments.common.os_faults import is_place_wrong
from experiments.common.steps import step
from experiments.config.command import FAILED, OK
from experiments.config.commands import ExportConfig, SweepConfig
from experiments.config.printed_command import command_on_study, printed_command
from experiments.data.format.click_log import ClickLog
from experiments.deployment.deployment import (
    FILES,
    Deployment,
    json_text,
    make_deployment,
    may_deploy,
    write_deployment,
)
from experiments.deployment.personalized_vectors import write_copies
from experiments.deployment.registry import register_champion
from experiments.judging.choice import rank_for_test
from experiments.judging.interleaving_outlook import interleaving_plan
from experiments.judging.verdict import CANNOT_TELL, Verdict
from experiments.replay.settings import Settings
from experiments.review.outlook import interleaving_line
from experiments.review.terminal import sealed_text
from experiments.study.identity import definition
from experiments.study.records import COMPLETE, TrialRecord, best_feasible
from experiments.study.study import Study
from experiments.study_folder.best_yaml import Provenance, trial_in, write_best
from experiments.study_folder.judged_records import SealedRecord
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.summary import Summary, read_summary, write_summary
from experiments.tracking.study_info import StudyInfo
from experiments.workflow.engines import OpenLog, copies_at_log_end, open_swept, resolved
from experiments.workflow.judgement import open_test
from experiments.workflow.publishing import info_of, show_in_mlflow, write_report
from experiments.workflow.studies import load_study

NOTHING_TO_DEPLOY = (
    "Nothing to deploy was written, because the verdict is {decision}. Summary and report have it. "
    "To export all the same: {command}"
)

LEFT_AS_IT_WAS = "{path} stays as it was: it holds trial {trial}, which was not adopted here."

NOTHING_TO_OPEN = "Study {study} has no trial within its guardrails: there is nothing to export."

EDITED = (
    "Set them back in {config}, or sweep a new study with them: the trials of this one were not "
    "made so."
)


@dataclass(frozen=True)
class Swept:
    """A study, its log and its folder, as a sweep left them."""

    config: SweepConfig
    opened: OpenLog
    study: Study
    outputs: StudyFolder


def export(command: ExportConfig) -> int:
    """Open the sealed test on the chosen trial and write it into the study's folder; the status."""
    config, study, outputs = load_study(command.output_dir, command.study)
    try:
        with open_swept(config, command.dataset.path) as opened:
            _check_data(opened.log.fingerprint, read_summary(outputs.summary))
            edited = EDITED.format(config=outputs.config)
            study.check(definition(asdict(config), opened.log.fingerprint), edited)
            return _export(command, Swept(config, opened, study, outputs))
    finally:
        study.close()


def _export(command: ExportConfig, swept: Swept) -> int:
    config, outputs, records = swept.config, swept.outputs, swept.study.records()
    candidates = _candidates(records, command, config.guardrails.min_gain)
    if not candidates:
        print(NOTHING_TO_OPEN.format(study=command.study), file=sys.stderr)
        return FAILED
    sealed, remarks = open_test(
        config, swept.opened, swept.study, candidates, outputs, reopen=command.reopen
    )
    record = next(item for item in candidates if item.number == sealed.test.trial)
    summary = read_summary(outputs.summary).with_sealed(sealed, records)
    write_summary(outputs.summary, summary)
    _say_verdict(summary, best := best_feasible(records), remarks)
    info = info_of(config, swept.study.attribute("uid"), summary.dataset, summary.objective)
    trouble = show_in_mlflow(config.tracking, outputs, info, write_report(outputs))
    if may_deploy(sealed.verdict, force=command.force):
        deployment = _deployment(swept, record, Provenance.of(record, summary))
        # First what can be refused: ids that would collide leave nothing of an export behind.
        _write_vectors(command, swept, deployment)
        _write_files(command, config, record, outputs, deployment)
        if best is not None:
            write_best(outputs.tune_best, config, best, Provenance.of(best, summary))
        # A server that did not answer just now is not waited for again.
        trouble = trouble or _register(config, outputs, info, deployment)
    else:
        _say_nothing_to_deploy(sealed.verdict, outputs)
    _say_what_would_tell(swept.opened.log, sealed, config.guardrails.min_gain)
    say(f"report: {outputs.report}")
    if trouble:
        print(trouble, file=sys.stderr)
    return OK


def _deployment(swept: Swept, record: TrialRecord, provenance: Provenance) -> Deployment:
    config = swept.config
    with step("Making the files to deploy", quiet=True):
        settings = resolved(swept.opened, config, Settings.from_dict(record.settings))
        return make_deployment(swept.opened.log, config.replay, settings, provenance)


def _say_what_would_tell(log: ClickLog, sealed: SealedRecord, min_gain: float) -> None:
    if sealed.verdict.decision == CANNOT_TELL:
        gain, reach = sealed.test.test.gain, sealed.test.metrics["reach"]
        plan = interleaving_plan(log, gain=gain, reach=reach, min_gain=min_gain)
        say(interleaving_line(plan))


def _say_verdict(summary: Summary, best: TrialRecord | None, remarks: list[str]) -> None:
    number, width = best.number if best else None, width_of(sys.stdout)
    say(f"{sealed_text(summary, best=number, remarks=remarks, width=width)}\n")


def _say_nothing_to_deploy(verdict: Verdict, outputs: StudyFolder) -> None:
    command = command_on_study("export", outputs.study, outputs.root, force="true")
    say(NOTHING_TO_DEPLOY.format(decision=verdict.decision, command=command))
    held = trial_in(outputs.best)
    if held is not None:
        say(LEFT_AS_IT_WAS.format(path=outputs.best, trial=held))
    for path in _old(outputs):
        say(f"An earlier export's is still there: {path}")


def _old(outputs: StudyFolder) -> list[Path]:
    """Files to deploy that an earlier export left."""
    files = (outputs.path / name for name in FILES.values())
    return [path for path in files if path.exists()]


def _write_files(
    command: ExportConfig,
    config: SweepConfig,
    record: TrialRecord,
    outputs: StudyFolder,
    deployment: Deployment,
) -> None:
    """Write the files of the formats asked for, and say so."""
    others = tuple(name for name in command.formats if name != "yaml")
    written = write_deployment(outputs.path, deployment, others)
    if "yaml" in command.formats:
        write_best(outputs.best, config, record, deployment.provenance)
        written.insert(0, outputs.best)
    if deployment.warning:
        say(deployment.warning)
    say(f"trial {record.number} of study {command.study}:")
    say("\n".join(f"  {path}" for path in written))
    if "yaml" in command.formats:
        say(f"replay it: {printed_command('evaluate', {'config': str(outputs.best)})}")


def _write_vectors(command: ExportConfig, swept: Swept, deployment: Deployment) -> None:
    """Write the personalized vectors, if they are asked for, and say so."""
    if command.vectors is None:
        return
    folder, facts = Path(command.vectors).expanduser(), {"deployment": json_text(deployment)}
    try:
        with step("Writing personalized vectors"):
            path, n_copies = write_copies(
                folder,
                swept.opened.log,
                deployment.personalize_by,
                copies_at_log_end(swept.opened, swept.config.replay, deployment.settings),
                facts,
            )
    except OSError as error:
        if not is_place_wrong(error):
            raise
        raise InputError(
            f"vectors must be a folder that can be written to, got {command.vectors}: "
            f"{error.strerror}."
        ) from None
    say(f"{n_copies:,} personalized vectors: {path}")


def _register(
    config: SweepConfig, outputs: StudyFolder, info: StudyInfo, deployment: Deployment
) -> str:
    """Make the configuration the champion of the model registry; what went wrong, or ""."""
    with step("Registering the model", quiet=True):
        model, trouble = register_champion(config.tracking, outputs, info, deployment)
    if model:
        say(f"model:  {model}")
    return trouble


def _candidates(
    records: list[TrialRecord], command: ExportConfig, min_gain: float
) -> list[TrialRecord]:
    """The trial asked for, else the finalists in the order in which the test is opened on them."""
    if command.trial is None:
        return rank_for_test(records, min_gain)
    complete = {record.number: record for record in records if record.state == COMPLETE}
    if command.trial not in complete:
        raise InputError(f"trial must be a complete trial of the study, got {command.trial}.")
    return [complete[command.trial]]


def _check_data(fingerprint: str, summary: Summary) -> None:
    """Check that a data set is the one that was swept.

    Raises:
        InputError: If it is not.
    """
    known = summary.dataset.fingerprint
    if fingerprint != known:
        raise InputError(
            f"The data set has changed since the sweep (fingerprint {known[:12]}, now "
            f"{fingerprint[:12]}): its test would not be the one that was sealed. Name the folder "
            "of the old one with dataset.path=, or sweep again."
        )
