"""The report as one HTML page that needs nothing else: no network, no other file."""

from collections.abc import Sequence

from experiments.common.pages import render
from experiments.common.plots import NamedFigure
from experiments.judging.verdict import ADOPT, CANNOT_TELL, KEEP_OFF
from experiments.replay.baseline_names import LOGGED_ORDER
from experiments.review.answer import FLATTERED, question, row_name, verdict_lines
from experiments.review.certainty import certainty_rows
from experiments.review.figures.of_study import FIRST, HOW_SURE, SEARCH, WHY
from experiments.review.next_steps import next_steps
from experiments.review.rows import (
    finalist_rows,
    own_name,
    result_rows,
    rival_rows,
    sealed_rows,
    setting_rows,
)
from experiments.study_folder.finished_study import FinishedStudy
from experiments.study_folder.summary import BEST

MEANS = "All figures are means over users, each of whom counts once."

CLASSES = {ADOPT: "adopt", KEEP_OFF: "off", CANNOT_TELL: "open"}
"""Decision → the style of the verdict's box."""


def build_page(study: FinishedStudy, figures: Sequence[NamedFigure]) -> str:
    """The whole report of a study.

    Args:
        study: What the study left on disk.
        figures: Its figures.

    Returns:
        HTML; the question, the verdict, what beats it and the first figure come first.
    """
    lines = verdict_lines(study.summary, best=study.tune_best, opening=study.opening)
    return render(
        "experiments.review",
        "report.html",
        title=question(study.summary),
        about=_about(study),
        lines=lines,
        box=CLASSES.get(lines.decision, ""),
        rivals=rival_rows(study),
        own=own_name(study),
        means=MEANS,
        flattered=FLATTERED if LOGGED_ORDER in study.summary.baselines else "",
        figures={
            part: [item for item in figures if item.part == part]
            for part in (FIRST, WHY, HOW_SURE, SEARCH)
        },
        certainty=certainty_rows(study.summary),
        sealed=sealed_rows(study.test) if study.test else [],
        finalists=finalist_rows(study.finalists) if study.finalists else [],
        settings=setting_rows(study),
        results=result_rows(study),
        best=row_name(study.summary, BEST),
        steps=next_steps(study),
        summary=study.summary,
        seed=study.config.study.seed,
    )


def _about(study: FinishedStudy) -> str:
    data = study.summary.dataset
    trials = ", ".join(f"{n} {state}" for state, n in study.summary.trials.by_state().items())
    return (
        f"Study {study.name}, data {data.name}: {data.n_sessions:,} sessions of "
        f"{data.n_users:,} users; trials: {trials}."
    )
