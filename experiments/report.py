"""``python -m experiments.report study=NAME``: a page that opens anywhere, offline, and tables."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import ReportConfig
from experiments.config.study_names import check_study


def report(command: ReportConfig) -> int:
    """Write ``<output_dir>/<study>/report.html`` and say where it lies."""
    check_study(command.study, command.output_dir)
    with step("Starting", quiet=True):
        from experiments.commands.report import report as run
    return run(command)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("report", report)


if __name__ == "__main__":
    sys.exit(main())
