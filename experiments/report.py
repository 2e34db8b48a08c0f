"""``python -m experiments.report study=NAME``: one HTML file that opens anywhere, offline."""

import sys

from experiments.command_line import OK, run_command
from experiments.config import ReportConfig
from experiments.finished_study import read_study
from experiments.output import write_atomic
from experiments.report_page import build_page


def report(config: ReportConfig) -> int:
    """Write ``<output_dir>/<study>/report.html`` and say where it lies."""
    study = read_study(config.output_dir, config.study)
    path = study.folder / "report.html"
    write_atomic(path, build_page(study))
    print(f"Report: {path}")
    return OK


if __name__ == "__main__":
    sys.exit(run_command("report", report))
