"""The figures of the part ``scale``, on a small log."""

import pytest

from experiments.benchmarks.scale import measure
from experiments.common.errors import InputError


@pytest.mark.slow
def test_both_ways_are_measured_in_one_run_and_agree():
    found = measure(n_sessions=300, n_parts=3)
    for scope in ("user_id", "none"):
        whole, cut = (f"scale.{scope}.{way}" for way in ("whole", "partitions"))
        assert found.figures[f"{whole}.value"] == found.figures[f"{cut}.value"] > 0
        ratio = found.figures[f"{cut}.first"] / found.figures[f"{whole}.first"]
        assert found.figures[f"scale.{scope}.first_ratio"] == ratio
        assert f"partitions, personalize_by={scope}" in found.table
    assert found.figures["scale.sessions"] == 300


@pytest.mark.parametrize("sizes", [{"n_sessions": 99}, {"n_parts": 0}])
def test_sizes_that_are_none_are_refused(sizes):
    with pytest.raises(InputError, match="--partitions >= 1"):
        measure(**sizes)
