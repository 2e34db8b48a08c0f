"""The index description."""

import pytest

from adjuster import MetricAggregationType, MetricType, SearchIndexInfo


@pytest.mark.parametrize("metric", list(MetricType))
@pytest.mark.parametrize("pooling", list(MetricAggregationType))
def test_the_enums_and_their_strings_mean_the_same(metric, pooling):
    assert SearchIndexInfo(3, metric.value, pooling.value) == SearchIndexInfo(3, metric, pooling)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "dimensions must be >= 1, got 0"),
        ((3, "manhattan"), "MetricType must be one of cosine, dot, euclid, got 'manhattan'"),
        ((3, "dot", "max"), "MetricAggregationType must be one of min, avg, got 'max'"),
    ],
)
def test_a_bad_value_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SearchIndexInfo(*arguments)
