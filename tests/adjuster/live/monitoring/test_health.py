"""The health of searches: sums, shares, and which bound is broken."""

import math

import pytest

from adjuster.live.monitoring.health import Health, HealthLog, Seen
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.live.storage.store import StoreUnavailable


class Sums:
    """A store of one minute's sums."""

    def __init__(self):
        self.sums, self.is_open = {}, True

    def add_health(self, minute, sums):
        if not self.is_open:
            raise StoreUnavailable("no")
        for name, value in sums.items():
            self.sums[name] = self.sums.get(name, 0) + value


def seen_by(*searches, max_latency_seconds=0.25) -> Health:
    log, sums = HealthLog(max_latency_seconds), Sums()
    for search in searches:
        log.add(search) if search else log.add_error()
    log.flush(sums, 60)
    return Health(sums.sums)


def test_sums_of_some_searches_worked_by_hand():
    health = seen_by(Seen(0.004, 2, 0.3, True), Seen(0.3, 0, 0.0, False), Seen(0.0005), None)
    assert (health["searches"], health["errors"], health["slow"]) == (4, 1, 1)
    assert health.reach == 0.5
    assert health.drift == pytest.approx(0.15)
    assert health.share("unequal", "checked") == 0.5
    assert health.latency(0.5) == 0.005
    assert health.latency(0.99) == 0.5


def test_no_searches_have_no_faults_and_one_beyond_all_bounds_is_infinite():
    assert Health().latency(0.5) == 0.0
    assert Health().fault(MonitorConfig()) == ""
    assert math.isinf(seen_by(Seen(99.0)).latency(0.5))


def test_what_a_store_does_not_take_is_kept_for_later():
    log, sums = HealthLog(), Sums()
    log.add(Seen(0.1))
    sums.is_open = False
    with pytest.raises(StoreUnavailable):
        log.flush(sums, 0)
    log.add(Seen(0.1))
    sums.is_open = True
    log.flush(sums, 0)
    assert sums.sums["searches"] == 2


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (Seen(0.01, 1, 0.9), "Mean drift of adjusted results 0.9, at most 0.2 allowed"),
        (None, "Failed searches 1, at most 0.01 allowed"),
        (Seen(0.5), "Searches over 0.25 s 1, at most 0.01 allowed"),
        (Seen(0.01, 0, 0.0, False), "index answers otherwise than its own vectors do 1, at most 0"),
    ],
)
def test_a_broken_bound_is_told_once_there_are_enough_searches(bad, what):
    config = MonitorConfig(health_searches=5)
    assert seen_by(*[bad] * 4).fault(config) == ""
    assert what in seen_by(*[bad] * 5).fault(config)


def test_a_store_keeps_the_sums_by_minute(tmp_path):
    store = SqliteStore(tmp_path / "live.db")
    log = HealthLog()
    for at in (60, 119, 120):
        log.add(Seen(0.1))
        log.flush(store, at)
    assert store.health(1)["searches"] == 3
    assert store.health(2)["searches"] == 1
    store.close()
