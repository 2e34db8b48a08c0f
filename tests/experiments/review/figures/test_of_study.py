"""All figures of a study, in order."""

import plotly.graph_objects as go

from experiments.review.figures.of_study import study_figures
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import write_finished_study


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


def test_a_study_that_is_not_decided_draws_the_best_on_tune(tmp_path):
    write_finished_study(tmp_path, with_test=False)
    first, *_, last = study_figures(read_study(tmp_path, "planted"))
    assert all(what.startswith("tune") for what in first.figure.data[0].y)
    assert [trace.name for trace in last.figure.data if len(trace.y)] == ["tune: chosen here"]
