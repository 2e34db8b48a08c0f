"""Numbers in Prometheus' words."""

from adjuster.live.http.metrics_page import Metric, Sample, page, request_metrics, store_metrics
from adjuster.live.http.request_counts import BOUNDS, RequestCounts
from adjuster.live.storage.records import Status


def test_a_histogram_counts_up_to_each_bound():
    counts = RequestCounts()
    for seconds in (0.0005, 0.001, 0.002, 0.3, 60.0):
        counts.add("/x", 200, seconds)
    lines = page(request_metrics(counts)).splitlines()
    buckets = [line for line in lines if "_bucket" in line]
    assert len(buckets) == len(BOUNDS) + 1
    assert buckets[0] == 'live_http_request_seconds_bucket{path="/x",le="0.001"} 2'
    assert buckets[1] == 'live_http_request_seconds_bucket{path="/x",le="0.0025"} 3'
    assert buckets[-2] == 'live_http_request_seconds_bucket{path="/x",le="10.0"} 4'
    assert buckets[-1] == 'live_http_request_seconds_bucket{path="/x",le="+Inf"} 5'
    assert 'live_http_request_seconds_sum{path="/x"} 60.3035' in lines
    assert 'live_http_request_seconds_count{path="/x"} 5' in lines


def test_labels_are_escaped():
    labels = {"a": 'back\\slash "quote" \n line'}
    text = page([Metric("m", "gauge", "What.", [Sample(0.5, labels)])])
    assert text.splitlines()[2] == 'm{a="back\\\\slash \\"quote\\" \\n line"} 0.5'


def test_every_status_has_a_line_even_if_it_is_none():
    text = page(store_metrics({Status.DONE: 2}, {}))
    for status in Status:
        wanted = 2 if status is Status.DONE else 0
        assert f'live_sessions{{status="{status.value}"}} {wanted}\n' in text
    assert "last_tick" not in text


def test_paths_and_statuses_are_in_order():
    counts = RequestCounts()
    for path, status in (("/b", 200), ("/a", 500), ("/a", 200)):
        counts.add(path, status, 0.1)
    assert list(counts.statuses()) == [("/a", 200), ("/a", 500), ("/b", 200)]
    assert [path for path, _, _ in counts.durations()] == ["/a", "/b"]
