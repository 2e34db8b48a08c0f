"""``python -m experiments.report study=NAME``: one HTML file that opens anywhere, offline."""

import sys
from pathlib import Path

from experiments.config.command import OK, run_command
from experiments.config.commands import ReportConfig
from experiments.study_folder.layout import StudyFolder
from experiments.workflow.publishing import write_report


def report(command: ReportConfig) -> int:
    """Write ``<output_dir>/<study>/report.html`` and say where it lies."""
    outputs = StudyFolder(Path(command.output_dir), command.study)
    write_report(outputs)
    print(f"report: {outputs.report}")
    return OK


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("report", report)


if __name__ == "__main__":
    sys.exit(main())
