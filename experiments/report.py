"""``python -m experiments.report study=NAME``: one HTML file that opens anywhere, offline."""

import sys
from pathlib import Path

from experiments.command_line import OK, run_command
from experiments.config import ReportConfig
from experiments.evidence import replacing
from experiments.finished_study import read_study
from experiments.report_page import build_page


def report(config: ReportConfig) -> int:
    """Write ``<output_dir>/<study>/report.html`` and say where it lies."""
    study = read_study(config.output_dir, config.study)
    path = study.folder / "report.html"
    write_page(path, build_page(study))
    print(f"Report: {path}")
    return OK


def write_page(path: Path, page: str) -> None:
    """Write the page; the file is whole or absent."""
    with replacing(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run_command("report", report))
