"""The benchmark of the live system, on a tiny shop."""

import pytest

from experiments.benchmarks import live

SMALL = {
    "N_ALONE": 5,
    "N_BATCHED": 4,
    "N_THREADS": 3,
    "N_PENDING": 60,
    "N_TICK_OBJECTS": 100,
    "N_SEARCHED": 300,
    "N_COPIES": 5,
    "N_SEARCHES": 10,
}


@pytest.fixture
def small(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in SMALL.items():
        monkeypatch.setattr(live, name, value)


def keys(store):
    """What is measured of each store."""
    ticks = [
        f"tick.{scope}.{what}"
        for scope in ("shared", "by_user")
        for what in (
            "seconds",
            "kernel_seconds",
            "writes_seconds",
            "database_writes_seconds",
            "ratio",
            "strict_ratio",
        )
    ]
    events = [f"events.{how}" for how in ("one_a_request", "batched", "threads_3")]
    searches = ["p50_ms", "p99_ms", "bare_p50_ms", "bare_p99_ms", "p50_ratio", "p99_ratio"]
    return {
        f"live.{store}.{key}" for key in (*events, *ticks, *(f"search.{name}" for name in searches))
    }


@pytest.mark.slow
def test_sqlite_is_measured(small, tmp_path):
    measured = live.measure()
    assert measured.figures.keys() == keys("sqlite")
    assert all(value > 0 for value in measured.figures.values())
    for scope in ("shared", "by_user"):
        found = {
            key.rpartition(".")[2]: value
            for key, value in measured.figures.items()
            if f".tick.{scope}." in key
        }
        assert found["ratio"] == pytest.approx(
            found["seconds"] / (found["kernel_seconds"] + found["writes_seconds"])
        )
        assert 1 <= found["ratio"] <= found["strict_ratio"]
    assert "events.batched" in measured.table
    assert list((tmp_path / "outputs").iterdir()) == []


@pytest.mark.slow
def test_postgresql_stands_beside_it(small, postgres_url):
    measured = live.measure(postgres_url)
    assert measured.figures.keys() == keys("sqlite") | keys("postgres")
    assert "postgres" in measured.table.splitlines()[0]
