"""All figures of a finished study, in the order in which one reads them."""

from itertools import combinations

import pandas as pd

from experiments.common.plots import NamedFigure
from experiments.judging.comparison import Comparison
from experiments.replay.baseline_names import BASELINES, NO_ADJUSTMENT, POPULARITY
from experiments.review.figures import decision, sessions, trials
from experiments.study.enqueued import PUBLISHED_DEFAULTS
from experiments.study_folder.finished_study import FinishedStudy

BARS = "Bars are 95 % intervals of the gain over no adjustment, of each trial by itself."

KNOBS = ("adjustment_rate", "num_iterations", "softmin_temperature")
"""The published knobs, whose pairs are drawn, too."""

REFERENCES = {
    **{BASELINES[name]: name for name in (NO_ADJUSTMENT, POPULARITY)},
    "published defaults": PUBLISHED_DEFAULTS,
}
"""Reference line → its entry in the summary."""


FIRST, WHY, HOW_SURE, SEARCH = "first", "why", "how sure", "search"
"""Parts of a report that have figures."""


def study_figures(study: FinishedStudy) -> list[NamedFigure]:
    """The figures that this study has the data for; the one that matters comes first."""
    history = trials.history_frame(study.trials, study.guardrails, study.finalists)
    return [
        comparisons(study),
        *_split(study),
        *_session_figures(study),
        optimism(study),
        *_search_figures(study, history),
    ]


def compared(study: FinishedStudy) -> dict[str, Comparison | None]:
    """Every comparison that the verdict rests on, by its name in words."""
    test = study.test
    if test:
        return {
            "over no adjustment": test.test,
            **{f"over {rival.name}": rival.lead for rival in test.evidence.rivals},
            "bystanders": test.bystanders,
            "on tune, over no adjustment": test.tune,
        }
    if not study.finalists:
        return {}
    best = study.finalists[0]
    return {
        "over no adjustment": best.gain,
        "over published defaults": best.gain_over_defaults,
        "bystanders": best.bystanders,
    }


def comparisons(study: FinishedStudy) -> NamedFigure:
    """Every comparison that the verdict rests on."""
    where = "the sealed test" if study.test else "the tune sessions, which chose the setting"
    return NamedFigure(
        "evidence",
        "What the verdict rests on",
        f"Gains on {where}, with their intervals. Green: clearly ahead; red: clearly behind; "
        "grey: may be chance. Bystanders are queries whose own feedback was withheld.",
        decision.comparisons_figure(decision.comparisons_frame(compared(study)), study.metric),
        FIRST,
    )


def _split(study: FinishedStudy) -> list[NamedFigure]:
    """The gain in its parts."""
    split = study.test.evidence.split if study.test else None
    if split is None:
        return []
    parts = {
        "on objects clicked before": split.refound,
        "of that, a week later": split.lasting,
        "on new objects": split.new,
    }
    return [
        NamedFigure(
            "split",
            "Where the gain comes from",
            "The gain on the sealed test in its parts, with 95 % intervals: on objects that the "
            "same user had clicked in an earlier session, and on all others.",
            decision.comparisons_figure(decision.comparisons_frame(parts), study.metric),
            WHY,
        )
    ]


def optimism(study: FinishedStudy) -> NamedFigure:
    """Tune against test."""
    frame = decision.optimism_frame(study.finalists, study.test)
    return NamedFigure(
        "optimism",
        "Tune against test",
        "The best of many trials is flattered on the sessions that chose it; the test's gain is "
        "the one to expect. A test that is still sealed is not drawn.",
        decision.optimism_figure(frame, study.metric),
        HOW_SURE,
    )


def _search_figures(study: FinishedStudy, history: pd.DataFrame) -> list[NamedFigure]:
    n_figures = 2 + len(study.parameters) + len(KNOBS)
    drawn = trials.thinned(history, study.best, trials.MOST_DOTS // n_figures)
    metric = study.metric
    found = [
        NamedFigure(
            "history",
            "Every trial, and the best so far",
            f"Lines are what one gets without a search. {BARS}{_how_many(history, drawn)}",
            trials.history_figure(drawn, _references(study), metric),
            SEARCH,
        ),
        NamedFigure(
            "drift",
            "Gain against drift",
            f"The same gain at less drift leaves more of the vectors as they were. {BARS}",
            trials.drift_figure(drawn, metric, study.guardrails, study.best),
            SEARCH,
        ),
    ]
    if study.importances:
        found.append(
            NamedFigure(
                "importances",
                "Which parameters decided",
                "Share of each parameter in reaching the best tenth of the trials.",
                trials.importance_figure(trials.importance_frame(study.importances)),
                SEARCH,
            )
        )
    knobs = [name for name in KNOBS if name in study.parameters]
    pairs = [_pair(study, drawn, x, y) for x, y in combinations(knobs, 2)]
    return [*found, *_slices(study, drawn), *pairs]


def _slices(study: FinishedStudy, history: pd.DataFrame) -> list[NamedFigure]:
    slices = trials.slice_frame(history, study.parameters)
    return [
        NamedFigure(
            f"slice_{name}",
            name,
            f"A dot for each trial; red ones broke a guardrail. {BARS}",
            trials.slice_figure(slices, name, study.log_scaled, study.metric),
            SEARCH,
        )
        for name in dict.fromkeys(slices["parameter"])
    ]


def _how_many(history: pd.DataFrame, drawn: pd.DataFrame) -> str:
    left_out = len(history) - len(drawn)
    return f" {left_out:,} of {len(history):,} trials are not drawn." if left_out else ""


def _pair(study: FinishedStudy, history: pd.DataFrame, x: str, y: str) -> NamedFigure:
    points = trials.pair_frame(history, x, y)
    return NamedFigure(
        f"pair_{x}_{y}",
        f"{y} over {x}",
        "A dot for each trial, the stronger its colour the better; the other settings differ from "
        "dot to dot.",
        trials.pair_figure(points, x, y, study.log_scaled, study.metric),
        SEARCH,
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
            "How the gain goes on",
            f"Stretches of as many sessions each, on {where}, with 95 % intervals.",
            sessions.curve_figure(sessions.curve_frame(table, metric), metric),
            WHY,
        ),
        NamedFigure(
            "changes",
            "Who gains and who is harmed",
            f"Each session's own change, on {where}.",
            sessions.change_figure(sessions.change_frame(table, metric), metric),
            WHY,
        ),
        *(_trait(table, metric, trait, where) for trait in sessions.TRAITS),
    ]


def _trait(table: pd.DataFrame, metric: str, trait: str, where: str) -> NamedFigure:
    return NamedFigure(
        f"gain_by_{trait}",
        f"Gain by {sessions.TRAITS[trait][0].partition(' (')[0]}",
        f"With 95 % intervals, clustered by user, on {where}; parts of fewer than "
        f"{sessions.MIN_CLUSTERS} users are not drawn.",
        sessions.trait_figure(sessions.trait_frame(table, metric, trait), trait, metric),
        WHY,
    )


def _references(study: FinishedStudy) -> dict[str, float]:
    rows = study.summary.rows
    return {
        name: rows[key].metrics[study.metric] for name, key in REFERENCES.items() if key in rows
    }
