"""When the health of searches is written down."""

from adjuster.live.monitoring.health import HealthLog, Seen
from adjuster.live.monitoring.health_keeper import HealthKeeper
from tests.live_place import Place


def test_it_is_written_now_and_then_and_when_asked_for(tmp_path):
    store = Place("sqlite", str(tmp_path / "live.db")).open()
    now, health = [100.0], HealthLog()
    keeper = HealthKeeper(health, lambda: now[0])
    health.add(Seen(0.001))
    keeper.now_and_then(store)
    assert store.health(0) == {}
    now[0] += 5
    keeper.now_and_then(store)
    assert store.health(0)["searches"] == 1
    health.add(Seen(0.001))
    keeper.now_and_then(store)
    assert store.health(0)["searches"] == 1
    keeper.now(store)
    assert store.health(0)["searches"] == 2
    store.close()
