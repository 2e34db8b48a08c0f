"""The status: one plain record of everything."""

import json

from adjuster.live.monitoring.modes import MODE, Mode, change_mode, read_mode
from adjuster.live.monitoring.monitor import look
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.monitoring.status import status
from adjuster.live.storage.records import Impression, Session
from adjuster.live.storage.sqlite_store import SqliteStore
from tests.adjuster.live.small_shop import QUERY

CONFIG = MonitorConfig(planned_sessions=400, settle_seconds=100)


def test_the_status_is_one_plain_record(tmp_path):
    store = SqliteStore(tmp_path / "live.db")
    found = status(store, 60_000, CONFIG)
    assert (found["mode"], found["generation"], found["interleaving"]) == ("off", 0, None)
    assert found["searches"]["reach"] is None
    change_mode(store, Mode.SHADOW, 900, "A first look.")
    change_mode(store, Mode.INTERLEAVE, 1000, "It is healthy.")
    shown = (Impression("a", 0.5, "adjusted"), Impression("b", 0.5, "originals"))
    store.register(
        [Session(f"s{n}", 1000, QUERY, shown, "ann", f"user {n % 120}") for n in range(150)]
    )
    look(store, 1100, CONFIG)
    store.add_health(
        20, {"searches": 4, "within 0.01": 3, "within 0.5": 1, "ranked": 4, "reached": 1}
    )
    found = status(store, 1210, CONFIG)
    assert found["interleaving"] == {
        "since": 1000,
        "is_running": True,
        "sessions": 150,
        "users": 120,
        "credit": 0.0,
        "low": None,
        "high": None,
        "confidence": 0.95,
        "decision": "go on",
        "sentence": "250 of the planned 400 sessions are left.",
        "planned_sessions": 400,
        "sessions_left": 250,
    }
    assert found["searches"]["p50_seconds"] == 0.01
    assert found["searches"]["reach"] == 0.25
    assert found["sessions"]["open"] == 150
    assert [step["why"] for step in found["history"]] == ["A first look.", "It is healthy."]
    assert read_mode(store.states([MODE])[MODE]).mode.value == found["mode"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    store.close()
