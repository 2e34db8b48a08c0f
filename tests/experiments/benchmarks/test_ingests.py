"""The benchmark of imports, on a small log."""

import pytest

from experiments.benchmarks import ingests
from experiments.config.data import IngestConfig
from experiments.data.format.folder import load_click_log
from experiments.data.ingestion import ingest_log


def test_its_log_is_sound_and_as_large_as_asked(tmp_path):
    ingests.write_log(tmp_path / "log", 30)
    config = IngestConfig("embedding_studio", str(tmp_path / "log"), str(tmp_path / "out"))
    assert ingest_log(config).faults == ""
    log = load_click_log(tmp_path / "out")
    assert log.n_impressions == 30 * ingests.N_SHOWN
    assert len(log.event_impression) > 0


@pytest.mark.slow
def test_it_measures_time_and_memory(monkeypatch):
    monkeypatch.setattr(ingests, "N_IMPRESSIONS", 2_000)
    measured = ingests.measure()
    assert measured.figures["ingest.impressions"] == 2_000
    assert measured.figures["ingest.seconds"] > 0
    assert 0 < measured.figures["ingest.peak_gib"] < 2
    assert "2,000" in measured.table
