"""The pictures of moving vectors: what their frames say, against vectors worked by hand."""

from functools import partial

import numpy as np
import pytest

from adjuster import AdjusterConfig, SearchIndexInfo, TorchBasedAdjuster
from adjuster.feedback import ImprovementElement, ImprovementInput
from experiments.data.session_input import session_input, sessions_to_learn_from
from experiments.review.figures.movement import (
    movement_figure,
    movement_frame,
    rates_figure,
    rates_frame,
)
from tests.experiments.random_log import make_log

INDEX = SearchIndexInfo(3, "cosine", "min")


def make_session():
    def element(name, *rows):
        return ImprovementElement(name, np.array(rows, np.float64))

    return ImprovementInput(
        "s",
        element("q", [2.0, 0.0, 0.0]),
        [element("a", [1.0, 2.0, 0.0])],
        [element("b", [1.0, -2.0, 0.0], [3.0, 0.0, 0.0])],
    )


def adjuster(iterations=10, rate=0.01):
    return TorchBasedAdjuster.from_config(
        INDEX, AdjusterConfig(adjustment_rate=rate, num_iterations=iterations)
    )


def test_nothing_has_moved_before_the_first_iteration():
    frame = movement_frame(make_session(), adjuster, [0])
    assert frame["object_id"].tolist() == ["a", "b", "b"]
    assert frame["clicked"].tolist() == [True, False, False]
    assert frame["part"].tolist() == [0, 0, 1]
    assert frame["drift"].to_numpy() == pytest.approx([0, 0, 0], abs=1e-12)
    assert frame["length"].tolist() == pytest.approx([1, 1, 1])
    assert frame["similarity"].tolist() == pytest.approx([5**-0.5, 5**-0.5, 1])
    assert frame["x"].tolist() == pytest.approx([1, 1, 3])
    assert frame["y"].abs().tolist() == pytest.approx([2, 2, 0])


def test_the_clicked_object_comes_nearer_and_the_other_goes_away():
    frame = movement_frame(make_session(), adjuster, [0, 5, 10])
    similarity = frame.pivot_table(index="iterations", columns=["object_id", "part"])["similarity"]
    assert similarity["a", 0].is_monotonic_increasing
    assert similarity["b", 0].is_monotonic_decreasing
    assert (frame.loc[frame["iterations"] == 10, "drift"][:2] > 0).all()


def test_the_figure_has_a_path_a_part_and_the_query():
    frame = movement_frame(make_session(), adjuster, [0, 1, 2])
    figure = movement_figure(frame)
    assert [trace.name for trace in figure.data] == ["clicked"] + ["passed over"] * 2 + ["query"]
    assert [len(trace.x) for trace in figure.data] == [3, 3, 3, 2]
    assert [bool(trace.showlegend) for trace in figure.data[:3]] == [True, True, False]


def test_drift_grows_with_the_rate():
    named = {"documented": partial(adjuster, 10)}
    frame = rates_frame(make_session(), named, [1e-4, 1e-2, 0.5])
    assert frame["drift"].is_monotonic_increasing
    assert frame["similarity_clicked"].is_monotonic_increasing
    assert frame["similarity_passed_over"].iloc[-1] < frame["similarity_passed_over"].iloc[0]
    figure = rates_figure(frame, "drift", "drift")
    assert figure.layout.xaxis.type == "log"
    assert list(figure.data[0].y) == frame["drift"].tolist()


def test_a_session_of_the_log_has_its_clicks_and_the_originals():
    log = make_log(3)
    chosen = sessions_to_learn_from(log)
    assert len(chosen)
    for number in range(log.n_sessions):
        session = session_input(log, number)
        rows = range(*log.impression_offsets[number : number + 2])
        clicked = {
            log.object_ids[log.impression_object[i]] for i in rows if i in log.event_impression
        }
        assert {element.id for element in session.clicked_elements} == clicked
        n_shown = len(session.clicked_elements) + len(session.non_clicked_elements)
        assert n_shown == len(rows)
        assert (0 < len(clicked) < n_shown) == (number in chosen)
        for element in session.clicked_elements:
            place = int(np.flatnonzero(log.object_ids == element.id)[0])
            first, last = log.object_offsets[place : place + 2]
            np.testing.assert_array_equal(element.vector, log.object_vectors[first:last])
