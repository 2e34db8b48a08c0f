"""The figures of the part ``scale``, on small logs."""

from importlib.util import find_spec

import pytest

from experiments.benchmarks import scale
from experiments.benchmarks.ray_cost import RayCost
from experiments.benchmarks.scale import LABELS, Scale, measure
from experiments.common.errors import InputError


@pytest.mark.slow
def test_both_ways_are_measured_in_one_run_and_agree(tmp_path):
    found = measure(n_sessions=300, n_parts=3, scopes=["none"], folder=str(tmp_path))
    whole, cut = (f"scale.none.{way}" for way in ("memory", "partitions"))
    assert found.figures[f"{whole}.value"] == found.figures[f"{cut}.value"] > 0
    assert found.figures[f"{cut}.disk_bytes"] > found.figures[f"{whole}.disk_bytes"] == 0
    assert ("scale.none.ray.ratio" in found.figures) == (find_spec("ray") is not None)
    for item in LABELS:
        ratio = found.figures[f"{cut}.{item}"] / found.figures[f"{whole}.{item}"]
        assert found.figures[f"scale.none.{item}_ratio"] == ratio
    assert "in partitions, personalize_by=none" in found.table
    assert sorted(path.name for path in tmp_path.iterdir()) == ["object-300-1", "object-300-3"]
    assert not list(tmp_path.glob("*/.replay-*"))


def test_a_log_larger_than_what_is_held_in_memory_is_compared_by_the_impression(monkeypatch):
    def cost(_, sizes, __):
        return Scale(*(4 * [1e-5 * sizes.n_sessions * sizes.n_parts]), 1, 0, sizes.n_parts)

    monkeypatch.setattr(scale, "_cost_of", cost)
    monkeypatch.setattr(scale, "in_own_process", lambda *what: RayCost(2, 9.0, 4.0, 5.0))
    monkeypatch.setattr(scale, "find_spec", lambda name: name)
    found = measure(n_sessions=10_000_000, n_parts=2, scopes=["user_id"])
    assert found.figures["scale.user_id.first_ratio"] == pytest.approx(2)
    assert "200,000,000" in found.table
    assert "20,000,000" in found.table
    assert "first trial 2.00" in found.table
    assert found.figures["scale.user_id.ray.ratio"] == 1.25
    assert "a further trial 1.25 (5.00 s in 2 actors, 4.00 s" in found.table


def test_without_ray_there_is_no_line_of_it(monkeypatch):
    monkeypatch.setattr(scale, "_cost_of", lambda *what: Scale(1, 1, 1, 1, 1, 0, 1))
    monkeypatch.setattr(scale, "find_spec", lambda name: None)
    assert "ray" not in measure(scopes=["none"]).table


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"n_sessions": 99}, "--partitions >= 1"),
        ({"n_parts": 0}, "--partitions >= 1"),
        ({"in_memory": 99}, "--in-memory must be >= 100"),
        ({"scopes": ["all"]}, "--scope must be one of user_id, none"),
    ],
)
def test_sizes_that_are_none_are_refused(sizes, told):
    with pytest.raises(InputError, match=told):
        measure(**sizes)
