"""``python -m experiments.report study=NAME``: a page that opens anywhere, offline, and tables."""

from pathlib import Path

from experiments.common.console import say
from experiments.config.command import OK
from experiments.config.commands import ReportConfig
from experiments.study_folder.layout import StudyFolder
from experiments.workflow.publishing import write_report


def report(command: ReportConfig) -> int:
    """Write ``report.html`` and, for mail and papers, its short forms; say where they lie."""
    outputs = StudyFolder(Path(command.output_dir), command.study)
    write_report(outputs)
    say(f"report: {outputs.report}")
    say("beside it, for mail and papers: report.png, report.md, report.csv")
    return OK
