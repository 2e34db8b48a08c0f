"""MIND: `behaviors.tsv` and `news.tsv`, columns as its documentation lists them, without header."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.importers.mind import TIME_FORMAT, last_title, seconds_of
from experiments.data.ingestion import ingest_log
from tests.experiments.data.importers.logical_log import (
    ITEMS,
    QUERIES,
    TITLES,
    expected_log,
    ingest,
    searches,
)

NOT_IN_NEWS = "of readers whose history is not in the news"
BEHAVIORS = (
    "1\tU13740\t11/11/2019 9:05:58 AM\tN1 N2\tN3-1 N2-0\n"
    "2\tU91836\t11/12/2019 6:11:30 PM\t\tN1-0 N3-1\n"
    "3\tU13740\t11/14/2019 7:01:48 AM\tN3\tN1-0 N2-1\n"
)
NEWS = (
    'N1\tsports\tfootball\tA "great" game\tIt was late.\thttps://x\t[]\t[]\n'
    "N2\tfood\tcheese\tCheese from Gouda\t\thttps://x\t[]\t[]\n"
    "N3\tnews\tworld\tElections held\tVoters voted.\thttps://x\t[]\t[]\n"
)


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "mind"
    folder.mkdir()
    (folder / "behaviors.tsv").write_text(BEHAVIORS)
    (folder / "news.tsv").write_text(NEWS)
    return folder


def test_the_sample_becomes_a_log(sample):
    log = ingest("mind", sample)
    assert log.session_ids.tolist() == ["1", "3"]
    assert log.user_ids.tolist() == ["U13740"]
    assert log.query_texts[log.session_query].tolist() == ["Cheese from Gouda", "Elections held"]
    assert log.object_ids[log.impression_object].tolist() == ["N3", "N2", "N1", "N2"]
    assert log.event_impression.tolist() == [0, 3]
    assert log.session_created_at[0] == datetime(2019, 11, 11, 9, 5, 58, tzinfo=UTC).timestamp()


def test_quotes_are_part_of_a_title(sample):
    assert ingest("mind", sample).object_titles[0] == 'A "great" game'


def test_lines_may_end_as_windows_ends_them(sample):
    (sample / "behaviors.tsv").write_bytes(BEHAVIORS.replace("\n", "\r\n").encode())
    (sample / "news.tsv").write_bytes(NEWS.replace("\n", "\r\n").encode())
    log = ingest("mind", sample)
    assert log.event_impression.tolist() == [0, 3]
    assert log.object_ids.tolist() == ["N1", "N2", "N3"]


def test_a_time_of_another_form_is_a_fault_with_its_row(sample):
    (sample / "behaviors.tsv").write_text(BEHAVIORS.replace("11/14/2019 7:01:48 AM", "yesterday"))
    with pytest.raises(InputError) as raised:
        ingest("mind", sample)
    assert "behaviors.tsv: sessions: column created_at must be a time (1 row" in str(raised.value)
    assert "row 3: got 'yesterday'" in str(raised.value)
    assert "must stand in sessions" not in str(raised.value)


def test_an_impression_without_a_label_is_a_fault(sample):
    (sample / "behaviors.tsv").write_text(BEHAVIORS.replace("N3-1 N2-0", "N3-1 N2"))
    with pytest.raises(InputError, match="impressions must be news ids with -1"):
        ingest("mind", sample)


def test_the_query_is_the_title_of_the_article_read_last():
    assert last_title("N1 N2 N9", {"N1": "one", "N2": "two"}) == "two"
    assert last_title(None, {}) is None


def test_times_are_utc():
    assert seconds_of("01/01/1970 12:01:00 AM") == 60
    assert seconds_of("soon") == "soon"


@given(log=searches(click_delays=False), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_round_trip(tmp_path_factory, log, seed):
    folder = tmp_path_factory.mktemp("trip") / "mind"
    folder.mkdir()
    titles = dict(zip((*ITEMS, "q0", "q1", "q2"), (*TITLES, *QUERIES), strict=True))
    lines = [f"{key}\tc\ts\t{title}\t\tu\t[]\t[]\n" for key, title in titles.items()]
    (folder / "news.tsv").write_text("".join(lines))
    with (folder / "behaviors.tsv").open("w") as file:
        for s in log:
            time = datetime.fromtimestamp(s.at, UTC).strftime(TIME_FORMAT)
            shown = " ".join(f"{item}-{int(item in s.clicks)}" for item in s.shown)
            history = f"unknown q{QUERIES.index(s.query)}"
            file.write(f"{s.name}\t{s.user or 'nobody'}\t{time}\t{history}\t{shown}\n")
    found = ingest("mind", folder)
    known = [s if s.user else s.__class__(**{**vars(s), "user": "nobody"}) for s in log]
    expected = expected_log(folder.parent, known)
    for name in ("session_ids", "session_created_at", "impression_object", "event_impression"):
        kept = getattr(found, name).tolist()
        if name == "impression_object":
            assert (
                found.object_ids[kept].tolist()
                == expected.object_ids[expected.impression_object].tolist()
            )
        else:
            assert kept == getattr(expected, name).tolist()
    assert found.query_texts[found.session_query].tolist() == [
        expected.query_texts[number] for number in expected.session_query
    ]
    assert ingest("mind", folder, overwrite=True).fingerprint == found.fingerprint


@pytest.mark.parametrize(
    ("histories", "reasons"),
    [
        (["N1", "", "N9"], {"of readers without a history": 1, NOT_IN_NEWS: 1}),
        (["N2", "N8 N9", "N9"], {NOT_IN_NEWS: 2}),
        (["N1 N9", "  ", ""], {"of readers without a history": 2}),
    ],
)
def test_why_an_impression_has_no_query_is_told_truly(sample, histories, reasons):
    lines = [
        f"{n}\tU{n}\t11/11/2019 9:05:58 AM\t{history}\tN3-1 N2-0\n"
        for n, history in enumerate(histories, start=1)
    ]
    (sample / "behaviors.tsv").write_text("".join(lines))
    config = IngestConfig(source="mind", path=str(sample), output=str(sample.parent / "out"))
    assert ingest_log(config).counts["sessions"].left_out == reasons
