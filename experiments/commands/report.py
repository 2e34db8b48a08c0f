"""``python -m experiments.report study=NAME``: one HTML file that opens anywhere, offline."""

from pathlib import Path

from experiments.common.console import say
from experiments.config.command import OK
from experiments.config.commands import ReportConfig
from experiments.study_folder.layout import StudyFolder
from experiments.workflow.publishing import write_report


def report(command: ReportConfig) -> int:
    """Write ``<output_dir>/<study>/report.html`` and say where it lies."""
    outputs = StudyFolder(Path(command.output_dir), command.study)
    write_report(outputs)
    say(f"report: {outputs.report}")
    return OK
