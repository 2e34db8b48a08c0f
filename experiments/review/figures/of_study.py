"""All figures of a finished study, in the order in which one reads them."""

from dataclasses import dataclass
from itertools import combinations

import pandas as pd
import plotly.graph_objects as go

from experiments.judging.comparison import Comparison
from experiments.replay.baseline_names import BASELINES, NO_ADJUSTMENT, POPULARITY
from experiments.review.figures import decision, sessions, trials
from experiments.study.enqueued import PUBLISHED_DEFAULTS
from experiments.study_folder.finished_study import FinishedStudy

KNOBS = ("adjustment_rate", "num_iterations", "softmin_temperature")
"""The published knobs, whose pairs are drawn as contours."""

REFERENCES = {
    **{BASELINES[name]: name for name in (NO_ADJUSTMENT, POPULARITY)},
    "published defaults": PUBLISHED_DEFAULTS,
}
"""Reference line → its entry in the summary."""


@dataclass(frozen=True)
class NamedFigure:
    """A figure with its file name, its title and how to read it."""

    name: str
    title: str
    caption: str
    figure: go.Figure


def study_figures(study: FinishedStudy) -> list[NamedFigure]:
    """The figures that this study has the data for; the one that matters comes first."""
    history = trials.history_frame(study.trials, study.guardrails)
    return [
        comparisons(study),
        *_search_figures(study, history),
        *_session_figures(study),
        optimism(study),
    ]


def comparisons(study: FinishedStudy) -> NamedFigure:
    """Every comparison that the verdict rests on."""
    test, metric = study.test, study.metric
    found: dict[str, Comparison | None] = {}
    if test:
        found = {
            "sealed test, over no adjustment": test.test,
            **{f"sealed test, over {rival.name}": rival.lead for rival in test.evidence.rivals},
            "sealed test, bystanders": test.bystanders,
            "tune, over no adjustment": test.tune,
        }
    elif study.finalists:
        best = study.finalists[0]
        found = {
            "tune, over no adjustment": best.gain,
            "tune, over published defaults": best.gain_over_defaults,
            "tune, bystanders": best.bystanders,
        }
    return NamedFigure(
        "evidence",
        "What the verdict rests on",
        "Gain with its interval, over means of each user's sessions. Clear of the dashed line: not "
        "chance. Bystanders are queries whose own feedback was withheld.",
        decision.comparisons_figure(decision.comparisons_frame(found), metric),
    )


def optimism(study: FinishedStudy) -> NamedFigure:
    """Tune against test."""
    frame = decision.optimism_frame(study.finalists, study.test)
    return NamedFigure(
        "optimism",
        "Tune against test",
        "The best of many trials is flattered on the sessions that chose it; the test's gain is "
        "the one to expect. A test that is still sealed is not drawn.",
        decision.optimism_figure(frame, study.metric),
    )


def _search_figures(study: FinishedStudy, history: pd.DataFrame) -> list[NamedFigure]:
    metric = study.metric
    found = [
        NamedFigure(
            "history",
            "Every trial, and the best so far",
            "Lines are what one gets without a search.",
            trials.history_figure(history, _references(study), metric),
        ),
        NamedFigure(
            "drift",
            "Gain against drift",
            "The same gain at less drift leaves more of the vectors as they were.",
            trials.drift_figure(history, metric, study.guardrails, study.best),
        ),
    ]
    if study.importances:
        found.append(
            NamedFigure(
                "importances",
                "Which parameters decided",
                "Share of each parameter in reaching the best tenth of the trials.",
                trials.importance_figure(trials.importance_frame(study.importances)),
            )
        )
    slices = trials.slice_frame(history, study.parameters)
    found += [
        NamedFigure(
            f"slice_{name}",
            name,
            "A dot for each trial; red ones broke a guardrail.",
            trials.slice_figure(slices, name, study.log_scaled, metric),
        )
        for name in dict.fromkeys(slices["parameter"])
    ]
    knobs = [name for name in KNOBS if name in study.parameters]
    return found + [_contour(study, history, x, y) for x, y in combinations(knobs, 2)]


def _contour(study: FinishedStudy, history: pd.DataFrame, x: str, y: str) -> NamedFigure:
    points, surface = trials.contour_frame(history, x, y, study.log_scaled)
    return NamedFigure(
        f"contour_{x}_{y}",
        f"{y} over {x}",
        "Interpolated between the trials (dots); the other settings differ from dot to dot.",
        trials.contour_figure(points, surface, x, y, study.log_scaled, study.metric),
    )


def _session_figures(study: FinishedStudy) -> list[NamedFigure]:
    window = "test" if study.test else "tune"
    table, metric = study.sessions(window), study.metric
    if table is None or not len(table):
        return []
    where = "the sealed test" if window == "test" else "the tune sessions"
    return [
        NamedFigure(
            "curve",
            "Before and after over time",
            f"Stretches of as many sessions each, on {where}.",
            sessions.curve_figure(sessions.curve_frame(table, metric), metric),
        ),
        NamedFigure(
            "changes",
            "Who gains and who is harmed",
            f"Each session's own change, on {where}.",
            sessions.change_figure(sessions.change_frame(table, metric), metric),
        ),
        *(_trait(table, metric, trait, where) for trait in sessions.TRAITS),
    ]


def _trait(table: pd.DataFrame, metric: str, trait: str, where: str) -> NamedFigure:
    return NamedFigure(
        f"gain_by_{trait}",
        f"Gain by {sessions.TRAITS[trait][0].partition(' (')[0]}",
        f"With 95 % interval, clustered by user, on {where}.",
        sessions.trait_figure(sessions.trait_frame(table, metric, trait), trait, metric),
    )


def _references(study: FinishedStudy) -> dict[str, float]:
    rows = study.summary.rows
    return {
        name: rows[key].metrics[study.metric] for name, key in REFERENCES.items() if key in rows
    }
