"""What each figure draws: its frame, worked by hand where possible."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from experiments.config.study import GuardrailsConfig
from experiments.review.figures import decision, sessions, trials
from experiments.review.figures.of_study import study_figures
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import make_trials, write_finished_study

GUARDRAILS = GuardrailsConfig()


def few_trials() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": [2, 0, 1, 3, 4],
            "state": ["complete", "complete", "complete", "failed", "pruned"],
            "value": [0.9, 0.5, 0.7, np.nan, 0.8],
            "drift_mean": [0.5, 0.1, 0.2, np.nan, np.nan],
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


def session_rows(user, before, after, **columns) -> pd.DataFrame:
    n = len(user)
    return pd.DataFrame(
        {
            "user": user,
            "created_at": np.arange(n) * 86400,
            "before_mrr": before,
            "after_mrr": after,
            **columns,
        }
    )


def test_curve_averages_equal_stretches_in_time_order():
    table = session_rows([0] * 4, [0.0, 0.2, 0.4, 0.6], [1.0, 1.0, 0.0, 0.0]).iloc[::-1]
    frame = sessions.curve_frame(table, "mrr", n_points=2)
    assert frame["before"].tolist() == pytest.approx([0.1, 0.5])
    assert frame["after"].tolist() == [1.0, 0.0]
    assert frame["n_sessions"].tolist() == [2, 2]
    assert frame["time"].is_monotonic_increasing


def test_curve_of_few_sessions_has_a_point_each():
    frame = sessions.curve_frame(session_rows([0, 0], [0, 0], [1, 1]), "mrr")
    assert len(frame) == 2


def test_changes_add_up_to_all_sessions_and_mark_the_harmed():
    table = session_rows([0] * 4, [0.5] * 4, [0.5, 0.5, 0.78, 0.1])
    frame = sessions.change_frame(table, "mrr")
    assert frame["share"].sum() == 1.0
    assert frame.loc[frame["harmed"], "share"].sum() == 0.25
    assert frame.loc[frame["change"] == 0, "share"].tolist() == [0.5]
    figure = sessions.change_figure(frame, "mrr")
    assert figure.data[0].name == "harmed: 25.0% of the sessions"


def test_gain_by_trait_means_users_and_leaves_out_the_unknown():
    table = session_rows(
        [1, 1, 1, 2, 3, 3],
        [0.0] * 6,
        [0.1, 0.3, 0.2, 0.6, 0.9, 0.9],
        user_history=[0, 0, 0, 0, 5, -1],
    )
    frame = sessions.trait_frame(table, "mrr", "user_history")
    assert frame["bin"].tolist() == ["0", "5 to 9"]
    assert frame["n_sessions"].tolist() == [4, 1]
    assert frame["gain"].tolist() == pytest.approx([(0.2 + 0.6) / 2, 0.9])
    assert frame["low"].isna().all(), "too few users for an interval"


def test_gain_by_trait_has_an_interval_where_there_are_users():
    rng = np.random.default_rng(0)
    gain = 0.1 + rng.normal(size=200) * 0.05
    table = session_rows(np.arange(200), np.zeros(200), gain, click_position=np.full(200, 25))
    frame = sessions.trait_frame(table, "mrr", "click_position")
    assert frame["bin"].tolist() == ["20+"]
    assert 0.08 < frame["low"][0] < 0.1 < frame["high"][0] < 0.12


def test_evidence_is_coloured_by_what_its_interval_says():
    def comparison(low, high):
        return {"gain": (low + high) / 2, "low": low, "high": high, "n_clusters": 9}

    found = {
        "a": comparison(0.1, 0.2),
        "b": comparison(-0.1, 0.2),
        "c": comparison(-0.2, -0.1),
        "d": None,
    }
    frame = decision.evidence_frame(found)
    assert frame["what"].tolist() == ["a", "b", "c"]
    assert frame["colour"].tolist() == [decision.GREEN, decision.GREY, decision.RED]


def test_optimism_shows_the_test_only_once_it_is_open():
    gain = {"gain": 0.1, "low": 0.0, "high": 0.2}
    finalists = [{"trial": 4, "gain": gain}, {"trial": 9, "gain": gain}]
    assert decision.optimism_frame(finalists, None)["split"].tolist() == ["tune", "tune"]
    opened = decision.optimism_frame(finalists, {"trial": 4, "test": gain})
    assert opened[opened["split"] == "test"]["trial"].tolist() == [4]


def test_every_figure_of_a_finished_study_draws_something(tmp_path):
    write_finished_study(tmp_path)
    found = study_figures(read_study(tmp_path, "planted"))
    names = [item.name for item in found]
    assert names[0] == "evidence"
    assert {
        "history",
        "drift",
        "importances",
        "slice_adjustment_rate",
        "slice_num_iterations",
        "slice_softmin_temperature",
        "contour_adjustment_rate_num_iterations",
        "contour_adjustment_rate_softmin_temperature",
        "contour_num_iterations_softmin_temperature",
        "curve",
        "changes",
        "gain_by_click_position",
        "gain_by_user_history",
        "gain_by_query_frequency",
        "optimism",
    } == set(names[1:])
    for item in found:
        assert isinstance(item.figure, go.Figure)
        assert any(trace.y is not None and len(trace.y) for trace in item.figure.data), item.name


def test_frames_of_a_study_agree_with_its_trials():
    frame = make_trials()
    history = trials.history_frame(frame, GUARDRAILS)
    kept = frame[(frame["state"] == "complete") & (frame["drift_mean"] <= 0.2)]
    assert history["best"].iloc[-1] == kept["value"].max()
