"""``python -m experiments.export study=NAME``: open the sealed test, write the configuration."""

import json
import sys
from pathlib import Path
from typing import Any

from experiments.common.errors import InputError
from experiments.common.files import write_json
from experiments.config.command import FAILED, OK, run_command
from experiments.config.commands import ExportConfig, SweepConfig
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
from experiments.review.finalist_table import sealed_text
from experiments.study.records import COMPLETE, TrialRecord
from experiments.study_folder.best_yaml import write_best
from experiments.study_folder.layout import Outputs
from experiments.tracking.runs import StudyInfo
from experiments.workflow.judgement import choose_for_test, open_test
from experiments.workflow.publishing import show_in_mlflow, study_info, write_report
from experiments.workflow.studies import load_study

NOTHING_TO_DEPLOY = (
    "Nothing to deploy was written, because the verdict is keep off. Summary and report have it. "
    "To export all the same: python -m experiments.export study={study} force=true"
)


def export(command: ExportConfig) -> int:
    """Open the sealed test on the chosen trial and write it into the study's folder; the status."""
    config, study, outputs = load_study(command.output_dir, command.study)
    try:
        summary = json.loads(outputs.summary.read_text(encoding="utf-8"))
        log = _same_data(config, command, summary["dataset"]["fingerprint"])
        record, remarks = _chosen(config, log, study.records(), command)
        if record is None:
            print(
                f"Study {command.study} has no trial within its guardrails: there is nothing to "
                "export.",
                file=sys.stderr,
            )
            return FAILED
        kept = open_test(config, log, study, record, outputs, reopen=command.reopen)
        uid = study.attribute("uid")
    finally:
        study.close()
    summary |= kept
    write_json(outputs.summary, summary)
    print("\n".join([*remarks, sealed_text(kept), ""]))
    info = study_info(config, uid, summary["dataset"])
    trouble = show_in_mlflow(config, outputs, info, write_report(outputs))
    if may_deploy(summary, force=command.force):
        deployment = make_deployment(config, log, record, summary)
        _write_files(command, config, record, summary, outputs, deployment)
        _write_vectors(command, config, log, deployment)
        # A server that did not answer just now is not waited for again.
        trouble = trouble or _register(config, outputs, info, deployment)
    else:
        print(NOTHING_TO_DEPLOY.format(study=command.study))
        for path in _old(outputs):
            print(f"An earlier export's is still there: {path}")
    print(f"report: {outputs.report}")
    if trouble:
        print(trouble, file=sys.stderr)
    return OK


def _old(outputs: Outputs) -> list[Path]:
    """Files to deploy that an earlier export left."""
    files = (outputs.folder / name for name in FILES.values())
    return [path for path in files if path.exists()]


def _write_files(
    command: ExportConfig,
    config: SweepConfig,
    record: TrialRecord,
    summary: dict[str, Any],
    outputs: Outputs,
    deployment: Deployment,
) -> None:
    """Write the files of the formats asked for, and say so."""
    others = tuple(name for name in command.formats if name != "yaml")
    written = write_deployment(outputs.folder, deployment, others)
    if "yaml" in command.formats:
        write_best(outputs.best, config, record, summary)
        written.insert(0, outputs.best)
    if deployment.warning:
        print(deployment.warning)
    print(f"trial {record.number} of study {command.study}:")
    print("\n".join(f"  {path}" for path in written))
    if "yaml" in command.formats:
        print(f"replay it: python -m experiments.evaluate config={outputs.best}")


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
        raise InputError(
            f"vectors must be a folder that can be written to, got {command.vectors}: "
            f"{error.strerror}."
        ) from None
    print(f"{n_copies:,} personalized vectors: {path}")


def _register(
    config: SweepConfig, outputs: Outputs, info: StudyInfo, deployment: Deployment
) -> str:
    """Make the configuration the champion of the model registry; what went wrong, or ""."""
    model, trouble = register_champion(config.tracking, outputs, info, deployment)
    if model:
        print(f"model:  {model}")
    return trouble


def _chosen(
    config: SweepConfig, log: ClickLog, records: list[TrialRecord], command: ExportConfig
) -> tuple[TrialRecord | None, list[str]]:
    """The trial asked for, else the finalist for the sealed test; and remarks on the choice."""
    if command.trial is None:
        return choose_for_test(config, log, records)
    complete = {record.number: record for record in records if record.state == COMPLETE}
    if command.trial not in complete:
        raise InputError(f"trial must be a complete trial of the study, got {command.trial}.")
    return complete[command.trial], []


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
