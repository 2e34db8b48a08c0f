"""The part ``adjuster`` on a tiny shape, and its figures worked by hand."""

import pytest
import torch

from adjuster import AdjusterConfig, PublishedAdjuster
from adjuster.torch_engine.published_autograd import adjust_group_with_autograd
from experiments.benchmarks import adjusters, clock, shapes
from experiments.benchmarks.adjusters import (
    ENGINES,
    Speed,
    shape_figures,
    share_outside_kernel,
    speed_of,
    torch_threads,
)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_is_measured_on_a_tiny_shape(engine, monkeypatch):
    monkeypatch.setitem(shapes.UNIFORM, "tiny", (3, 2, 5))
    monkeypatch.setattr(adjusters, "BATCH_SIZES", (1, 8))
    monkeypatch.setattr(clock, "WINDOW_SECONDS", 0.01)
    speed = speed_of("tiny", engine)
    assert list(speed.by_batch) == [1, 8]
    assert min(speed.by_batch.values()) > 0
    assert speed.vector_bytes == 8 * 3 * 2 * 5 * 4


def test_a_batch_that_would_take_too_long_is_left_out(monkeypatch):
    monkeypatch.setitem(shapes.UNIFORM, "tiny", (3, 2, 5))
    monkeypatch.setattr(adjusters, "BATCH_SIZES", (1, 8))
    monkeypatch.setattr(adjusters, "LONGEST_CALL_SECONDS", 0.0)
    monkeypatch.setattr(clock, "WINDOW_SECONDS", 0.01)
    assert list(speed_of("tiny", "fused").by_batch) == [1]


def test_figures_worked_by_hand():
    speeds = {
        "fused": Speed({1: 100.0, 8: 900.0}, 3 * 2**20, 2**20),
        "torch": Speed({1: 90.0, 8: 60.0}, 2**20, 2**20),
        "published_arrays": Speed({1: 25.0, 8: 45.0}, 2**20, 2**20),
        "fused_adjust_vectors": Speed({1: 90.0, 8: 600.0}, 2**20, 2**20),
        "published": Speed({1: 9.0, 8: 30.0}, 2**20, 2**20),
    }
    figures = shape_figures("s", speeds, 0.3)
    assert figures["adjuster.s.fused.sessions_per_second"] == 900
    assert figures["adjuster.s.fused.best_batch"] == 8
    assert figures["adjuster.s.published.one_a_call_sessions_per_second"] == 9
    assert figures["adjuster.s.fused.peak_mib"] == 3
    assert figures["adjuster.s.fused.peak_to_vectors"] == 3
    assert figures["adjuster.s.ratio_fused_to_published"] == 30
    assert figures["adjuster.s.ratio_fused_to_published_one_a_call"] == 100
    assert figures["adjuster.s.ratio_fused_to_published_arrays"] == 20
    assert figures["adjuster.s.ratio_fused_to_published_arrays_one_a_call"] == 36
    assert figures["adjuster.s.ratio_fused_adjust_vectors_to_published"] == 20
    assert figures["adjuster.s.share_outside_kernel"] == 0.3


def test_what_the_kernel_does_not_take_is_told_of_calls_in_turn(monkeypatch):
    monkeypatch.setitem(shapes.UNIFORM, "tiny", (3, 2, 5))
    monkeypatch.setattr(adjusters, "TURNS", 3)
    seconds = iter([1.0, 4.0, 3.0, 4.0, 2.0, 4.0])
    monkeypatch.setattr(adjusters, "_seconds", lambda call: next(seconds))
    assert share_outside_kernel("tiny") == 0.5
    monkeypatch.undo()
    monkeypatch.setitem(shapes.UNIFORM, "tiny", (3, 2, 5))
    assert 0 < share_outside_kernel("tiny") < 1


@pytest.mark.parametrize(
    ("engine", "tried"),
    [
        ("torch", 2),
        ("published", 2),
        ("published_arrays", 2),
        ("fused", 1),
        ("fused_adjust_vectors", 1),
    ],
)
def test_torch_is_tried_on_one_thread_too_and_left_as_it_was(engine, tried):
    before = torch.get_num_threads()
    seen = [torch.get_num_threads() for _ in torch_threads(engine)]
    assert seen == [before, 1][:tried]
    assert torch.get_num_threads() == before


def test_the_published_arithmetic_on_arrays_is_the_adjusters():
    sessions, index = shapes._uniform(5, 2, 4, n_sessions=6)
    config = AdjusterConfig()
    groups = adjusters._stacked(sessions)
    assert [(n, tuple(shown.shape)) for n, _, shown in groups] == [(1, (6, 5, 2, 4))]
    ((n_clicked, queries, shown),) = groups
    moved = adjust_group_with_autograd(queries, shown, n_clicked, index, config)
    expected = PublishedAdjuster(index).adjust_vectors(sessions)
    for mine, session in zip(moved, expected, strict=True):
        elements = (*session.clicked_elements, *session.non_clicked_elements)
        torch.testing.assert_close(mine, torch.stack([item.vector for item in elements]))
