"""A small log in the format of Embedding Studio, written by hand, and its import."""

import json

import pytest

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.ingestion import ingest_log

VECTORS = {"a": [1, 0], "b": [0, 1], "c": [1, 1]}


def session(name="s1", at=1_700_000_000, shown=("a", "b", "c"), **changes):
    results = [{"object_id": item, "rank": place} for place, item in enumerate(shown)]
    record = {"session_id": name, "search_query": "q", "created_at": at, "user_id": "u"}
    return {**record, "search_results": results, **changes}


def event(name="e1", of="s1", item="b", at=1_700_000_009, **changes):
    record = {"event_id": name, "session_id": of, "object_id": item, "created_at": at}
    return {**record, "event_type": "click", **changes}


def sessions(folder, *records):
    write_lines(folder / "sessions.jsonl", records)


def events(folder, *records):
    write_lines(folder / "events.jsonl", records)


def objects(folder, *rows):
    lines = [f'{name},"{json.dumps(vector)}"\n' for name, vector in rows]
    (folder / "objects.csv").write_text("object_id,vector\n" + "".join(lines))


def append(path, text):
    path.write_text(path.read_text() + text)


def write_lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def run(log, **settings):
    output = log.parent / "out"
    config = IngestConfig("embedding_studio", str(log), str(output), **settings)
    return ingest_log(config)


def complaint(log, **settings):
    with pytest.raises(InputError) as raised:
        run(log, **settings)
    assert sorted(path.name for path in log.parent.iterdir()) == ["log"], "nothing is left behind"
    return str(raised.value)


def other(**changes):
    return session("s2", **{"at": 1_700_000_100, "shown": ("b", "a"), **changes})
