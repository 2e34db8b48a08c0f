"""An import as a whole: its paths, its memory, an interruption."""

import pytest

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data import ingestion
from experiments.data.format.folder import load_click_log
from experiments.data.ingestion import ingest_log, n_parts_for
from experiments.data.intake import staging
from tests.experiments.data.ingestion_log import complaint, event, events, run, session, sessions

VECTORS = {"a": [1, 0], "b": [0, 1], "c": [1, 1]}


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(InputError, match=r"path must be a file or folder, got .*nowhere"):
        run(tmp_path / "nowhere")


def test_a_file_where_a_folder_is_needed_is_named(tmp_path):
    (tmp_path / "log").write_text("")
    with pytest.raises(InputError, match="path must be a folder for source=embedding_studio"):
        run(tmp_path / "log")


def test_an_output_with_something_else_is_refused_before_any_work(log):
    (log.parent / "out").mkdir()
    (log.parent / "out" / "thesis.txt").write_text("")
    with pytest.raises(InputError, match="must be a new or empty folder"):
        run(log, overwrite=True)


def test_the_result_does_not_depend_on_how_it_is_divided(log, monkeypatch):
    records = [session(f"s{n}", at=1_700_000_000 + n, user_id=f"u{n % 3}") for n in range(60)]
    sessions(log, *records)
    events(log, *(event(f"e{n}", f"s{n}", "abc"[n % 3]) for n in range(60)))
    run(log)
    whole = load_click_log(log.parent / "out").fingerprint
    card = run(log, overwrite=True).card
    monkeypatch.setattr(ingestion, "PART_BYTES", 500)
    monkeypatch.setattr(staging, "BUFFER_ROWS", 7)
    assert n_parts_for(log) > 10
    divided = run(log, overwrite=True)
    assert load_click_log(log.parent / "out").fingerprint == whole
    assert divided.card == card


def test_an_event_id_is_unique_across_parts(log, monkeypatch):
    monkeypatch.setattr(ingestion, "PART_BYTES", 50)
    records = [session(f"s{n}") for n in range(20)]
    sessions(log, *records)
    events(log, *(event("same", f"s{n}") for n in range(20)))
    assert "column event_id must stand once (19 rows" in complaint(log)
    result = run(log, on_error="quarantine")
    assert result.counts["events"].n_out == 1
    assert load_click_log(log.parent / "out").n_sessions == 20


def test_interrupting_leaves_nothing_behind(log):
    def stop(_):
        raise KeyboardInterrupt

    config = IngestConfig("embedding_studio", str(log), str(log.parent / "out"))
    with pytest.raises(KeyboardInterrupt):
        ingest_log(config, stop)
    assert sorted(path.name for path in log.parent.iterdir()) == ["log"]
