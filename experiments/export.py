"""``python -m experiments.export study=NAME``: open the sealed test, write the configuration."""

import json
import sys
from dataclasses import replace

from experiments.best import write_best
from experiments.command_line import FAILED, OK, run_command
from experiments.config import ExportConfig, SweepConfig
from experiments.data.click_log import ClickLog
from experiments.data.prepared import open_dataset
from experiments.errors import InputError
from experiments.finalist_table import sealed_text
from experiments.finals import choose_for_test, open_test
from experiments.output import write_json
from experiments.publishing import show_in_mlflow, study_info, write_report
from experiments.records import COMPLETE, TrialRecord
from experiments.run import load_study


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
    write_best(outputs.best, config, record, summary)
    print("\n".join([*remarks, sealed_text(kept)]))
    print(f"trial {record.number} of study {command.study}: {outputs.best}")
    print(f"replay it: python -m experiments.evaluate config={outputs.best}")
    print(f"report:    {outputs.report}")
    info = study_info(config, uid, summary["dataset"])
    trouble = show_in_mlflow(config, outputs, info, write_report(outputs))
    if trouble:
        print(trouble, file=sys.stderr)
    return OK


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
    dataset = config.dataset
    if command.dataset.path is not None:
        dataset = replace(dataset, path=command.dataset.path)
    log = open_dataset(dataset)
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
