"""What the figures of the trials draw: their frames, worked by hand where possible."""

import numpy as np
import pandas as pd
import pytest

from experiments.config.study import GuardrailsConfig
from experiments.review.figures import trials
from tests.experiments.finished_folder import make_trials
from tests.experiments.planted_records import comparison, finalist

GUARDRAILS = GuardrailsConfig()


def few_trials() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": [2, 0, 1, 3, 4],
            "state": ["complete", "complete", "complete", "failed", "pruned"],
            "value": [0.9, 0.5, 0.7, np.nan, 0.8],
            "drift_at_log_end": [0.5, 0.1, 0.2, np.nan, np.nan],
            "harmed_share": [0.1] * 5,
            "delta_ndcg_at_10": [0.3, -0.1, 0.1, np.nan, np.nan],
            "param_rate": [0.1, 0.01, 0.02, 0.3, 0.4],
            "param_kind": ["a", None, "b", "a", "a"],
        }
    )


def test_history_counts_only_trials_within_the_guardrails_as_best():
    history = trials.history_frame(few_trials(), GUARDRAILS)
    assert history["number"].tolist() == [0, 1, 2, 4]
    assert history["kept"].tolist() == [True, True, False, False]
    assert history["best"].tolist() == [0.5, 0.7, 0.7, 0.7]


def test_lifted_guardrails_keep_every_complete_trial():
    free = GuardrailsConfig(max_mean_drift=None)
    history = trials.history_frame(few_trials(), free)
    assert history["best"].tolist() == [0.5, 0.7, 0.9, 0.9]
    strict = GuardrailsConfig(max_mean_drift=None, max_harmed_share=0.05)
    assert not trials.history_frame(few_trials(), strict)["kept"].any()


def test_history_figure_draws_every_reference_and_kind_of_trial():
    history = trials.history_frame(few_trials(), GUARDRAILS)
    references = {"no adjustment": 0.6, "published defaults": 0.65, "popularity": 0.75}
    figure = trials.history_figure(history, references, "ndcg_at_10")
    names = {trace.name for trace in figure.data}
    assert {*references, "best so far", "within the guardrails", "broke a guardrail"} <= names
    assert "pruned (running mean)" in names


def test_drift_figure_marks_the_best_and_the_guardrail():
    history = trials.history_frame(few_trials(), GUARDRAILS)
    figure = trials.drift_figure(history, "ndcg_at_10", GUARDRAILS, best=1)
    best = next(trace for trace in figure.data if trace.name == "best")
    assert (best.x.tolist(), best.y.tolist()) == ([0.2], [0.1])
    assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == [0.2]


def test_importances_stand_from_least_to_most():
    frame = trials.importance_frame({"a": 0.2, "b": 0.7, "c": 0.1})
    assert frame["parameter"].tolist() == ["c", "a", "b"]
    assert trials.importance_figure(frame).data[0].x.tolist() == [0.1, 0.2, 0.7]


def test_slices_leave_out_what_a_trial_did_not_set():
    frame = trials.slice_frame(trials.history_frame(few_trials(), GUARDRAILS), ["rate", "kind"])
    kinds = frame[frame["parameter"] == "kind"]
    assert kinds["setting"].tolist() == ["b", "a"]
    assert frame[frame["parameter"] == "rate"]["number"].tolist() == [0, 1, 2]
    figure = trials.slice_figure(frame, "rate", ["rate"], "ndcg_at_10")
    assert figure.layout.xaxis.type == "log"


def test_a_pair_of_settings_holds_the_complete_trials_that_set_both():
    history = trials.history_frame(few_trials(), GUARDRAILS).assign(param_steps=[1, np.nan, 3, 4])
    points = trials.pair_frame(history, "rate", "steps")
    assert points["x"].tolist() == [0.01, 0.1]
    assert points["y"].tolist() == [1, 3]
    figure = trials.pair_figure(points, "rate", "steps", ["rate"], "mrr")
    assert figure.data[0].marker.color.tolist() == [0.5, 0.9]
    assert figure.layout.xaxis.type == "log"


def test_every_complete_trial_has_its_interval_and_a_finalist_the_verdicts():
    found = [finalist(1, gain=comparison(0.02, low=0.01, high=0.05))]
    ends = {"gain_low": [0.2, -0.2, 0, np.nan, np.nan], "gain_high": [0.4, 0, 1, np.nan, np.nan]}
    history = trials.history_frame(few_trials().assign(**ends), GUARDRAILS, found)
    drawn = history.set_index("number")
    assert drawn["finalist"].tolist() == [False, True, False, False]
    assert drawn.loc[1, ["above", "below"]].tolist() == pytest.approx([0.03, 0.01])
    assert drawn.loc[[0, 2], "above"].tolist() == pytest.approx([0.1, 0.1])
    assert drawn.loc[[0, 2], "below"].tolist() == pytest.approx([0.1, 0.1])
    assert np.isnan(drawn.loc[4, "above"]), "pruned"
    bars = trials.drift_figure(history, "ndcg_at_10", GUARDRAILS, best=1).data[1].error_y
    assert bars.array.tolist() == pytest.approx([0.1])


def test_a_study_of_an_earlier_version_shows_the_finalists_intervals():
    history = trials.history_frame(few_trials(), GUARDRAILS, [finalist(1)])
    assert history["above"].notna().tolist() == [False, True, False, False]


def test_many_trials_are_thinned_and_the_best_and_the_finalists_stay():
    many = pd.DataFrame({"number": range(5000), "finalist": False})
    many.loc[4321, "finalist"] = True
    drawn = trials.thinned(many, best=7, most=100)["number"].tolist()
    assert {7, 4321} <= set(drawn)
    assert len(drawn) <= 102
    assert drawn == sorted(drawn)


def test_frames_of_a_study_agree_with_its_trials():
    frame = make_trials()
    history = trials.history_frame(frame, GUARDRAILS)
    kept = frame[(frame["state"] == "complete") & (frame["drift_at_log_end"] <= 0.2)]
    assert history["best"].iloc[-1] == kept["value"].max()


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1e-4, 1.0], "log"), ([2.0], "log"), ([0.0, 0.1, 30.0], None), ([0.0], None), ([], None)],
)
def test_a_setting_that_was_0_is_not_drawn_on_powers_of_ten(values, kind):
    axis = trials.axis_kind("anchor_weight", ["anchor_weight"], pd.Series(values, dtype=float))
    assert axis.get("type") == kind
    assert trials.axis_kind("anchor_weight", [], pd.Series(values, dtype=float)) == {}
