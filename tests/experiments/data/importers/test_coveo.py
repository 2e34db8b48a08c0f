"""The Coveo data challenge: `search_train.csv` and `sku_to_content.csv`, columns as published."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.data.importers.coveo import query_mark
from tests.experiments.data.importers.logical_log import ITEMS, QUERIES, ingest, searches

SEARCHES = """session_id_hash,query_vector,\
clicked_skus_hash,product_skus_hash,server_timestamp_epoch_ms
v1,"[1.0, 0.5]","['b']","['a', 'b']",1550885210881
v1,"[1.0, 0.5]",,"['b']",1550885310881
v2,"[0.0, 1.0]",,,1550885410881
v3,,"['a']","['a']",1550885510881
"""
CONTENT = """product_sku_hash,description_vector,category_hash,image_vector,price_bucket
a,"[0.1, 0.2]",x/y,"[9, 9]",3.0
b,"[0.3, -0.4]",,,
c,,x,,1.0
"""


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "coveo"
    folder.mkdir()
    (folder / "search_train.csv").write_text(SEARCHES)
    (folder / "sku_to_content.csv").write_text(CONTENT)
    return folder


def test_the_sample_becomes_a_log(sample):
    log = ingest("coveo", sample)
    assert log.session_ids.tolist() == ["v1-2", "v1-3"]
    assert log.user_ids.tolist() == ["v1"]
    assert log.session_created_at.tolist() == [1_550_885_210, 1_550_885_310]
    assert log.object_ids[log.impression_object].tolist() == ["a", "b", "b"]
    assert log.event_impression.tolist() == [1]
    assert len(log.query_ids) == 1
    np.testing.assert_allclose(log.object_vectors, np.array([[0.1, 0.2], [0.3, -0.4]]), rtol=1e-6)


def test_files_may_be_called_samples_as_the_organizers_call_theirs(sample):
    for name in ("search_train", "sku_to_content"):
        (sample / f"{name}.csv").rename(sample / f"{name}_sample.csv")
    assert ingest("coveo", sample).session_ids.tolist() == ["v1-2", "v1-3"]


def test_a_missing_column_is_named(sample):
    (sample / "search_train.csv").write_text(SEARCHES.replace("query_vector", "vector"))
    with pytest.raises(InputError, match=r"search_train\.csv: column query_vector is missing"):
        ingest("coveo", sample)


def test_a_list_that_is_none_is_a_fault_with_its_row(sample):
    (sample / "search_train.csv").write_text(SEARCHES.replace("\"['a', 'b']\"", "a b"))
    with pytest.raises(InputError, match=r"must be lists \(1 row; rows count from 1\):\n  row 2"):
        ingest("coveo", sample)


@given(log=searches(click_delays=False), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_round_trip(tmp_path_factory, log, seed):
    folder = tmp_path_factory.mktemp("trip") / "coveo"
    folder.mkdir()
    rng = np.random.default_rng(seed)
    vectors = {name: rng.normal(size=4).round(3).tolist() for name in (*ITEMS, *QUERIES)}
    with (folder / "sku_to_content.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["product_sku_hash", "description_vector", "category_hash"])
        writer.writerows([item, json.dumps(vectors[item]), "x"] for item in ITEMS)
    with (folder / "search_train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SEARCHES.splitlines()[0].split(","))
        for s in log:
            clicks = str(list(s.clicks)) if s.clicks else ""
            query = json.dumps(vectors[s.query])
            writer.writerow([s.user or "nobody", query, clicks, str(s.shown), s.at * 1000])
    found = ingest("coveo", folder)
    by_name = {name: number for number, name in enumerate(found.session_ids)}
    assert len(by_name) == len(log)
    for line, s in enumerate(log, start=2):
        number = by_name[f"{s.user or 'nobody'}-{line}"]
        start, end = found.impression_offsets[number : number + 2]
        assert found.object_ids[found.impression_object[start:end]].tolist() == s.shown
        clicked = [p for p in found.event_impression if start <= p < end]
        assert {found.object_ids[found.impression_object[p]] for p in clicked} == set(s.clicks)
        assert found.session_created_at[number] == s.at
        mark = query_mark(json.dumps(vectors[s.query]))
        assert found.query_ids[found.session_query[number]] == mark
    again = ingest("coveo", folder, overwrite=True)
    assert again.fingerprint == found.fingerprint
