"""A live system's store as a data set."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from adjuster.index import SearchIndexInfo
from adjuster.live.retrieval.exact_index import write_index
from adjuster.live.storage.records import Event, Impression, Query, Session
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.ragged import offsets_of
from experiments.common.errors import InputError
from experiments.config.data import IngestConfig, LiveSourceConfig
from experiments.data.format.folder import load_click_log
from experiments.data.importers import live as importer
from experiments.data.ingestion import ingest_log

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(5, 3)).astype(np.float32)
QUERIES = {name: RNG.normal(size=(n, 3)).astype(np.float32) for name, n in (("q", 1), ("r", 2))}
SHOWN = (Impression("b", 0.25, "adjusted"), Impression("a", 0.75), Impression("c"))


def make_index(folder):
    parts = offsets_of([2, 1, 2])
    write_index(folder, ["a", "b", "c"], VECTORS, parts, SearchIndexInfo(3, "dot", "min"))


@pytest.fixture
def system(tmp_path):
    root = tmp_path / "live"
    make_index(root / "index-1")
    store = SqliteStore(root / "live.db")
    sessions = [
        Session(name, at, Query(query, QUERIES[query], f"text {query}"), shown, owner, user)
        for name, at, query, shown, owner, user in (
            ("s2", 2000, "r", SHOWN, "ann", "ann"),
            ("s1", 1000, "q", SHOWN[::-1], "ann", "ann"),
            ("s3", 3000, "q", SHOWN[:2], "everyone", "bob"),
            ("s4", 4000, "q", SHOWN, "new", "bob"),
            ("s5", 5000, "q", (), None, None),
        )
    ]
    store.register(sessions)
    store.add_events(
        [
            Event("e1", "s1", "a", 1010),
            Event("e1", "s2", "b", 2010),
            Event("e2", "s2", "c", 2020, "hover"),
            Event("e1", "s4", "a", 4010),
        ]
    )
    store.mark_irrelevant("s3")
    store.close()
    return root


def ingested(root, output, **options):
    settings = {"metric_type": "dot", **options}
    config = IngestConfig(source="live", path=str(root), output=str(output), **settings)
    return ingest_log(config)


@pytest.mark.parametrize("page", [1, 1000])
def test_the_store_becomes_a_data_set(system, tmp_path, monkeypatch, page):
    monkeypatch.setattr(importer, "PAGE", page)
    result = ingested(system, tmp_path / "made")
    log = load_click_log(tmp_path / "made")
    assert log.session_ids.tolist() == ["s1", "s2", "s3", "s4"]
    assert log.object_ids.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(log.object_vectors, VECTORS)
    assert log.query_ids.tolist() == ["q", "r"]
    np.testing.assert_array_equal(log.query_vectors, np.concatenate(list(QUERIES.values())))
    assert log.query_texts.tolist() == ["text q", "text r"]
    shown = log.object_ids[log.impression_object].tolist()
    assert shown == list("cab" + "bac" + "ba" + "bac")
    assert [str(log.user_ids[row]) for row in log.session_user] == ["ann", "ann", "bob", "bob"]
    assert [row >= 0 for row in log.session_segment] == [False, False, False, True]
    assert log.session_is_irrelevant.tolist() == [False, False, True, False]
    assert log.event_created_at.tolist() == [1010, 2010, 4010]
    assert (log.index.metric_type.value, log.name) == ("dot", "made")
    assert result.counts["events"].left_out == {"events that are no clicks": 1}
    assert result.counts["sessions"].left_out == {"searches without results": 1}
    assert result.faults == ""


def test_the_chance_of_being_shown_is_kept_apart_from_that_of_a_look(system, tmp_path):
    ingested(system, tmp_path / "made")
    rows = pq.read_table(tmp_path / "made" / "impressions.parquet").to_pylist()
    chances = {(row["session_id"], row["object_id"]): row["display_propensity"] for row in rows}
    assert (chances["s1", "a"], chances["s1", "b"], chances["s1", "c"]) == (0.75, 0.25, None)
    assert {row.get("propensity") for row in rows} == {None}
    assert np.isnan(load_click_log(tmp_path / "made").impression_propensity).all()


def test_another_store_can_be_named(system, tmp_path):
    elsewhere = tmp_path / "other.db"
    (system / "live.db").rename(elsewhere)
    with pytest.raises(InputError, match=r"live\.db is not there: name .* with live\.store="):
        ingested(system, tmp_path / "none")
    ingested(system, tmp_path / "made", live=LiveSourceConfig(store=str(elsewhere)))
    assert load_click_log(tmp_path / "made").n_sessions == 4
    with pytest.raises(InputError, match="must be a store that is there"):
        ingested(system, tmp_path / "none", live=LiveSourceConfig(store=str(tmp_path / "no.db")))
    assert not (tmp_path / "none").exists()


def test_vectors_are_compared_as_the_live_system_does(system, tmp_path):
    with pytest.raises(InputError, match="Say metric_type=dot metric_aggregation_type=min"):
        ingested(system, tmp_path / "made", metric_type="cosine")


def test_of_two_indices_one_must_be_named(system, tmp_path):
    make_index(system / "index-2")
    with pytest.raises(InputError, match=r"path must hold one index .*index-1, .*index-2"):
        ingested(system, tmp_path / "made")
    ingested(system / "index-2", tmp_path / "made")
    with pytest.raises(InputError, match="one index of a live system, got none"):
        ingested(tmp_path / "made", tmp_path / "none")
