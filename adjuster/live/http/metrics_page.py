"""A live system's numbers in Prometheus' text format, version 0.0.4."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from adjuster.live.http.request_counts import BOUNDS, RequestCounts
from adjuster.live.storage.records import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """One line: a value under some labels; `suffix` follows the metric's name."""

    value: float
    labels: Mapping[str, str] = {}
    suffix: str = ""


class Metric(NamedTuple):
    """A metric and what it stands at.

    Args:
        name: Its name.
        kind: ``gauge``, ``counter`` or ``histogram``.
        text: What it is.
        samples: Its values.
    """

    name: str
    kind: str
    text: str
    samples: Iterable[Sample]


def page(metrics: Iterable[Metric]) -> str:
    """The metrics as text.

    Example:
        >>> print(page([Metric("up", "gauge", "Is up.", [Sample(1, {"a": 'x"y'})])]), end="")
        # HELP up Is up.
        # TYPE up gauge
        up{a="x\\"y"} 1
    """
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.text}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for sample in metric.samples:
        pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in sample.labels.items())
        yield f"{metric.name}{sample.suffix}{f'{{{pairs}}}' if pairs else ''} {sample.value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def store_metrics(
    counts: Mapping[Status, int], ticks: Mapping[int, Mapping[str, int]]
) -> Iterator[Metric]:
    """How many sessions stand where, and what the last tick did.

    Args:
        counts: Sessions by status.
        ticks: The last ticks, the latest first: tick → reason → sessions.
    """
    yield Metric(
        "live_sessions",
        "gauge",
        "Sessions by where they stand.",
        [Sample(counts.get(status, 0), {"status": status.value}) for status in Status],
    )
    for tick, reasons in list(ticks.items())[:1]:
        yield Metric(
            "live_last_tick_timestamp_seconds",
            "gauge",
            "When the worker last found something.",
            [Sample(tick)],
        )
        yield Metric(
            "live_last_tick_sessions",
            "gauge",
            "Sessions of that tick by what became of them.",
            [Sample(n, {"reason": reason}) for reason, n in reasons.items()],
        )


def request_metrics(counts: RequestCounts) -> Iterator[Metric]:
    """Requests by path and status, and how long they took."""
    yield Metric(
        "live_http_requests_total",
        "counter",
        "Requests of this process.",
        [
            Sample(n, {"path": path, "status": str(status)})
            for (path, status), n in counts.statuses().items()
        ],
    )
    yield Metric(
        "live_http_request_seconds",
        "histogram",
        "How long requests took, in seconds.",
        list(_histogram(counts)),
    )


def _histogram(counts: RequestCounts) -> Iterator[Sample]:
    for path, n_up_to, seconds in counts.durations():
        for bound, n in zip((*map(str, BOUNDS), "+Inf"), n_up_to, strict=True):
            yield Sample(n, {"path": path, "le": bound}, "_bucket")
        yield Sample(seconds, {"path": path}, "_sum")
        yield Sample(n_up_to[-1], {"path": path}, "_count")
