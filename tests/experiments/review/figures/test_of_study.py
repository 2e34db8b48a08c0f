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
        "pair_adjustment_rate_num_iterations",
        "pair_adjustment_rate_softmin_temperature",
        "pair_num_iterations_softmin_temperature",
        "split",
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
    found = {item.name: item for item in study_figures(read_study(tmp_path, "planted"))}
    assert "on the tune sessions" in found["evidence"].caption
    assert "split" not in found
    drawn = [trace.name for trace in found["optimism"].figure.data if len(trace.y)]
    assert drawn == ["tune: chosen here"]


def test_every_axis_of_numbers_has_a_title(tmp_path):
    write_finished_study(tmp_path)
    for item in study_figures(read_study(tmp_path, "planted")):
        layout = item.figure.layout
        assert layout.xaxis.title.text, item.name
        has_names = item.name in ("evidence", "split", "importances")
        assert bool(layout.yaxis.title.text) != has_names, item.name
