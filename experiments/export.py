"""``python -m experiments.export study=NAME``: open the sealed test, write the configuration."""

import sys
from dataclasses import asdict
from pathlib import Path

from experiments.common.errors import InputError
from experiments.common.os_faults import is_place_wrong
from experiments.config.command import FAILED, OK, run_command
from experiments.config.commands import ExportConfig, SweepConfig
from experiments.config.printed_command import command_on_study, printed_command
from experiments.config.saved import with_dataset_path
from experiments.data.format.click_log import ClickLog
from experiments.data.open_dataset import open_dataset
from experiments.deployment.deployment import (
    FILES,
    Deployment,
    json_text,
    make_deployment,
    may_deploy,
    write_deployment,
)
from experiments.deployment.personalized_vectors import write_personalized
from experiments.deployment.registry import register_champion
from experiments.judging.choice import rank_for_test
from experiments.judging.interleaving_outlook import interleaving_plan
from experiments.judging.verdict import CANNOT_TELL, Verdict
from experiments.review.outlook import interleaving_line
from experiments.review.terminal import sealed_text
from experiments.study.identity import definition
from experiments.study.records import COMPLETE, TrialRecord, best_feasible
from experiments.study_folder.best_yaml import Provenance, write_best
from experiments.study_folder.judged_records import TestRecord
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.summary import read_summary, write_summary
from experiments.tracking.study_info import StudyInfo
from experiments.workflow.judgement import open_test
from experiments.workflow.publishing import info_of, show_in_mlflow, write_report
from experiments.workflow.studies import load_study

NOTHING_TO_DEPLOY = (
    "Nothing to deploy was written, because the verdict is {decision}. Summary and report have it. "
    "To export all the same: {command}"
)

NOTHING_TO_OPEN = "Study {study} has no trial within its guardrails: there is nothing to export."

EDITED = (
    "Set them back in {config}, or sweep a new study with them: the trials of this one were not "
    "made so."
)


def export(command: ExportConfig) -> int:
    """Open the sealed test on the chosen trial and write it into the study's folder; the status."""
    config, study, outputs = load_study(command.output_dir, command.study)
    try:
        summary = read_summary(outputs.summary)
        log = _same_data(config, command, summary.dataset.fingerprint)
        records = study.records()
        edited = EDITED.format(config=outputs.config)
        study.check(definition(asdict(config), log.fingerprint), edited)
        candidates = _candidates(records, command, config.guardrails.min_gain)
        if not candidates:
            print(NOTHING_TO_OPEN.format(study=command.study), file=sys.stderr)
            return FAILED
        sealed, remarks = open_test(config, log, study, candidates, outputs, reopen=command.reopen)
        record = next(item for item in candidates if item.number == sealed.test.trial)
        uid = study.attribute("uid")
    finally:
        study.close()
    summary = summary.with_sealed(sealed)
    write_summary(outputs.summary, summary)
    best = best_feasible(records)
    text = sealed_text(sealed, best=best.number if best else None)
    print("\n".join([*remarks, text, ""]))
    info = info_of(config, uid, summary.dataset)
    trouble = show_in_mlflow(config.tracking, outputs, info, write_report(outputs))
    if may_deploy(sealed.verdict, force=command.force):
        provenance = Provenance.of(record, summary)
        deployment = make_deployment(log, config.replay, config.objective, record, provenance)
        _write_files(command, config, record, outputs, deployment)
        _write_vectors(command, config, log, deployment)
        # A server that did not answer just now is not waited for again.
        trouble = trouble or _register(config, outputs, info, deployment)
    else:
        _say_nothing_to_deploy(sealed.verdict, outputs)
    if sealed.verdict.decision == CANNOT_TELL:
        print(_what_would_tell(log, sealed.test, config.guardrails.min_gain))
    print(f"report: {outputs.report}")
    if trouble:
        print(trouble, file=sys.stderr)
    return OK


def _what_would_tell(log: ClickLog, test: TestRecord, min_gain: float) -> str:
    gain, reach = test.test.gain, test.metrics["reach"]
    return interleaving_line(interleaving_plan(log, gain=gain, reach=reach, min_gain=min_gain))


def _say_nothing_to_deploy(verdict: Verdict, outputs: StudyFolder) -> None:
    command = command_on_study("export", outputs.study, outputs.root, force="true")
    print(NOTHING_TO_DEPLOY.format(decision=verdict.decision, command=command))
    for path in _old(outputs):
        print(f"An earlier export's is still there: {path}")


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
        print(deployment.warning)
    print(f"trial {record.number} of study {command.study}:")
    print("\n".join(f"  {path}" for path in written))
    if "yaml" in command.formats:
        print(f"replay it: {printed_command('evaluate', {'config': str(outputs.best)})}")


def _write_vectors(
    command: ExportConfig, config: SweepConfig, log: ClickLog, deployment: Deployment
) -> None:
    """Write the personalized vectors, if they are asked for, and say so."""
    if command.vectors is None:
        return
    try:
        path, n_copies = write_personalized(
            Path(command.vectors).expanduser(),
            log,
            config.replay,
            deployment.settings,
            {"deployment": json_text(deployment)},
        )
    except OSError as error:
        if not is_place_wrong(error):
            raise
        raise InputError(
            f"vectors must be a folder that can be written to, got {command.vectors}: "
            f"{error.strerror}."
        ) from None
    print(f"{n_copies:,} personalized vectors: {path}")


def _register(
    config: SweepConfig, outputs: StudyFolder, info: StudyInfo, deployment: Deployment
) -> str:
    """Make the configuration the champion of the model registry; what went wrong, or ""."""
    model, trouble = register_champion(config.tracking, outputs, info, deployment)
    if model:
        print(f"model:  {model}")
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


def _same_data(config: SweepConfig, command: ExportConfig, fingerprint: str) -> ClickLog:
    """The study's data set, from where it lies now.

    Raises:
        InputError: If it is not the one that was swept.
    """
    log = open_dataset(with_dataset_path(config, command.dataset.path).dataset)
    if log.fingerprint != fingerprint:
        raise InputError(
            f"The data set has changed since the sweep (fingerprint {fingerprint[:12]}, now "
            f"{log.fingerprint[:12]}): its test would not be the one that was sealed. Name the "
            "folder of the old one with dataset.path=, or sweep again."
        )
    return log


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("export", export)


if __name__ == "__main__":
    sys.exit(main())
