"""How to go on from an answer: commands that can be pasted, each with what it does."""

from typing import NamedTuple

from experiments.config.printed_command import (
    command_on_study,
    printed_command,
    sweep_command,
    ui_command,
)
from experiments.judging.verdict import ADOPT, CANNOT_TELL, KEEP_OFF
from experiments.study_folder.finished_study import FinishedStudy
from experiments.study_folder.layout import StudyFolder


class NextStep(NamedTuple):
    """Something to run, and what for.

    Args:
        command: As a shell takes it.
        purpose: A sentence.
    """

    command: str
    purpose: str


def next_steps(study: FinishedStudy) -> list[NextStep]:
    """What to run next, the most useful first.

    Args:
        study: What it left on disk.
    """
    sealed = study.summary.sealed
    if sealed is None:
        return [_open(study), *_look(study)]
    decided = {ADOPT: _adopted, KEEP_OFF: _kept_off, CANNOT_TELL: _undecided}
    return [*decided[sealed.verdict.decision](study), *_look(study)]


def _open(study: FinishedStudy) -> NextStep:
    return NextStep(
        study.opening,
        "Opens the sealed test, once, on the trial that is chosen, and gives the verdict.",
    )


def _adopted(study: FinishedStudy) -> list[NextStep]:
    best = StudyFolder(study.folder.parent, study.name).best
    return [
        NextStep(
            printed_command("evaluate", {"config": str(best)}),
            "Replays the adopted setting to the same figures; best.env and best_plugin.py beside "
            "that file take it to a host.",
        ),
        NextStep(
            "python -m experiments.serve all",
            "Runs the live system, which in mode interleave shows both rankings and decides by "
            "itself.",
        ),
    ]


def _kept_off(study: FinishedStudy) -> list[NextStep]:
    return [
        _wider(study),
        NextStep(
            command_on_study("export", study.name, study.folder.parent, force="true"),
            "Writes the files to deploy all the same, to try the setting out.",
        ),
    ]


def _undecided(study: FinishedStudy) -> list[NextStep]:
    return [
        NextStep(
            "python -m experiments.inspect dataset.path=DIR",
            "Says what a longer log could tell, before anything is searched.",
        ),
        _wider(study),
    ]


def _wider(study: FinishedStudy) -> NextStep:
    other = sweep_command(f"{study.name}-full", study.folder.parent)
    return NextStep(
        f"{other} search_space=full",
        "Searches every setting, not the three published ones alone; the data set is given as "
        "before.",
    )


def _look(study: FinishedStudy) -> list[NextStep]:
    folder = StudyFolder(study.folder.parent, study.name)
    runs = NextStep(ui_command(folder.root), "Shows every trial in MLflow, and prints the link.")
    return [
        *([runs] if folder.keeps_runs(study.config.tracking) else []),
        NextStep(
            command_on_study("report", study.name, study.folder.parent),
            "Writes this page anew, with report.png, report.md and report.csv for mail and papers.",
        ),
    ]
