"""What the figures of the trials draw: their frames, worked by hand where possible."""

import numpy as np
import pandas as pd
import pytest

from experiments.config.study import GuardrailsConfig
from experiments.review.figures import trials
from tests.experiments.finished_folder import make_trials

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


def test_contour_recovers_a_plane_over_logarithms():
    rng = np.random.default_rng(0)
    rate, steps = np.exp(rng.uniform(-9, 0, 80)), rng.uniform(1, 50, 80)
    history = pd.DataFrame(
        {
            "state": "complete",
            "param_rate": rate,
            "param_steps": steps,
            "value": 2 * np.log(rate) + 0.1 * steps,
        }
    )
    points, surface = trials.contour_frame(history, "rate", "steps", ["rate"])
    assert len(points) == 80
    x, y = np.meshgrid(np.log(surface.columns.to_numpy()), surface.index.to_numpy())
    inside = ~np.isnan(surface.to_numpy())
    assert inside.mean() > 0.5
    assert surface.to_numpy()[inside] == pytest.approx((2 * x + 0.1 * y)[inside], abs=1e-6)


@pytest.mark.parametrize("n", [0, 3, 6])
def test_contour_of_few_or_aligned_trials_has_no_surface(n):
    line = np.linspace(0.1, 1, n)
    history = pd.DataFrame(
        {"state": "complete", "param_a": line, "param_b": line, "value": line}, dtype=object
    )
    points, surface = trials.contour_frame(history, "a", "b", [])
    assert len(points) == n
    assert surface.empty
    assert len(trials.contour_figure(points, surface, "a", "b", [], "mrr").data) == 1


def test_frames_of_a_study_agree_with_its_trials():
    frame = make_trials()
    history = trials.history_frame(frame, GUARDRAILS)
    kept = frame[(frame["state"] == "complete") & (frame["drift_at_log_end"] <= 0.2)]
    assert history["best"].iloc[-1] == kept["value"].max()
