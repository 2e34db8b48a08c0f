"""Results without a vector: what each way to go on leaves out, and what it is said to cost."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.data.format.folder import load_click_log
from experiments.data.intake.unknown_objects import UnknownObjects
from tests.experiments.data.studio_log import complaint, event, events, objects, run, session
from tests.experiments.data.studio_log import sessions as write_sessions


def shop(log, *lists, clicks):
    """Sessions s0, s1 … that show these lists, and clicks (session, object)."""
    shown = [
        session(f"s{n}", at=1_700_000_000 + 100 * n, shown=items) for n, items in enumerate(lists)
    ]
    write_sessions(log, *shown)
    events(log, *(event(f"e{n}", f"s{s}", item) for n, (s, item) in enumerate(clicks)))
    objects(log, ("a", [1, 0]), ("b", [0, 1]), ("c", [1, 1]))


GONE = {
    "in the middle": ((("a", "x", "b"), ("b", "c")), ((0, "b"), (1, "c")), [0, 2, 0, 1]),
    "on top": ((("x", "a", "b"), ("b", "c")), ((0, "b"), (1, "c")), [1, 2, 0, 1]),
    "several": ((("x", "a", "y", "b"), ("z", "c")), ((0, "b"), (1, "c")), [1, 3, 1]),
    "clicked": ((("a", "x", "b"), ("b", "c")), ((0, "x"), (1, "c")), [0, 2, 0, 1]),
    "all of a list": ((("a", "b"), ("x", "y")), ((0, "b"), (1, "y")), [0, 1]),
}


@pytest.mark.parametrize("case", GONE)
def test_an_impression_leaves_its_list_and_the_others_stay_where_they_were(log, case):
    lists, clicks, positions = GONE[case]
    shop(log, *lists, clicks=clicks)
    result = run(log, unknown_objects="drop_impression")
    found = load_click_log(log.parent / "out")
    assert found.impression_position.tolist() == positions
    assert set(found.object_ids[found.impression_object]) <= {"a", "b", "c"}
    lost = sum(item in "xyz" for items in lists for item in items)
    assert result.counts["impressions"].left_out == {"objects without a vector": lost}
    for count in result.counts.values():
        assert count.n_in == count.n_out + sum(count.left_out.values())


@pytest.mark.parametrize("case", GONE)
def test_a_session_that_shows_one_can_be_left_out_whole(log, case):
    lists, clicks, _ = GONE[case]
    shop(log, *lists, ("a", "c"), clicks=(*clicks, (len(lists), "c")))
    result = run(log, unknown_objects="drop_session")
    found = load_click_log(log.parent / "out")
    sound = [items for items in (*lists, ("a", "c")) if set(items) <= set("abc")]
    assert found.n_sessions == len(sound)
    assert found.object_ids[found.impression_object].tolist() == [i for row in sound for i in row]
    assert sum(result.counts["sessions"].left_out.values()) == len(lists) + 1 - len(sound)


def test_refusing_names_both_ways_and_their_costs(log):
    shop(log, ("a", "x", "b"), ("x", "y"), ("b", "c"), clicks=((0, "b"), (1, "y"), (2, "c")))
    said = complaint(log)
    assert "3 of 7 results (42.9%) show one of 2 objects that are not among the items" in said
    assert "'x', 'y'" in said or "'y', 'x'" in said
    one, whole = said.split("unknown_objects=drop_impression")[1].split("drop_session")
    assert "1 of 3 events (33.3%) and 1 of 3 searches (33.3%) that show nothing else" in one
    assert "2 of 3 searches (66.7%) with 5 of 7 results (71.4%) and 2 of 3 events" in whole


@pytest.mark.parametrize("on_error", ["fail", "quarantine"])
def test_quarantine_is_no_way_round(log, on_error):
    shop(log, ("a", "x"), ("b", "c"), clicks=((1, "c"),))
    assert "unknown_objects=drop_impression" in complaint(log, on_error=on_error)


def test_an_item_at_fault_is_told_before_what_it_is_missing_for(log):
    shop(log, ("a", "b"), ("b", "c"), clicks=((1, "c"),))
    objects(log, ("a", [1, 0]), ("b", [0, 1]), ("c", [float("nan"), 1]))
    said = complaint(log)
    assert said.index("column vector must be finite") < said.index("objects that are not among")


def test_a_folder_whose_lists_lost_results_says_so_and_is_checked_for_repeats(log):
    shop(log, ("a", "x", "b"), ("b", "c"), clicks=((0, "b"),))
    run(log, unknown_objects="drop_impression")
    folder = log.parent / "out"
    assert "complete_lists: false" in (folder / "dataset.yaml").read_text()
    path = folder / "impressions.parquet"
    shown = pq.read_table(path)
    again = pa.array(np.zeros(shown.num_rows), pa.int32())
    pq.write_table(shown.set_column(1, "position", again), path)
    with pytest.raises(InputError, match="column position must stand once in each session"):
        load_click_log(folder)


def test_a_log_that_lost_nothing_keeps_the_strict_check(log):
    shop(log, ("a", "b"), ("b", "c"), clicks=((0, "b"),))
    run(log, unknown_objects="drop_impression")
    assert "complete_lists" not in (log.parent / "out" / "dataset.yaml").read_text()


@given(
    lists=st.lists(st.lists(st.sampled_from("abcxyz"), min_size=1, unique=True), min_size=1),
    data=st.data(),
)
@settings(deadline=None, max_examples=60)
def test_costs_equal_a_naive_count(lists, data):
    clicks = [
        (n, item) for n, items in enumerate(lists) for item in items if data.draw(st.booleans())
    ]
    rows = [(f"s{n}", item) for n, items in enumerate(lists) for item in items]
    tables = {
        "sessions": pa.table({"session_id": [f"s{n}" for n in range(len(lists))]}),
        "impressions": pa.table(
            {"session_id": [s for s, _ in rows], "object_id": [i for _, i in rows]}
        ),
        "events": pa.table(
            {
                "session_id": pa.array([f"s{n}" for n, _ in clicks], pa.string()),
                "object_id": pa.array([item for _, item in clicks], pa.string()),
            }
        ),
    }
    unknown = UnknownObjects("refuse", pa.array(["a", "b", "c"], pa.large_string()))
    left: dict[str, int] = {}
    unknown.leave_out(tables, lambda table, why, n: left.update({table: n}))
    bad = [bool(set(items) & set("xyz")) for items in lists]
    empty = [set(items) <= set("xyz") for items in lists]
    one, whole = unknown.by_impression, unknown.by_session
    assert (one.sessions, whole.sessions) == (sum(empty), sum(bad))
    assert one.impressions == sum(item in "xyz" for _, item in rows)
    assert whole.impressions == sum(
        len(items) for items, hit in zip(lists, bad, strict=True) if hit
    )
    assert one.events == sum(item in "xyz" for _, item in clicks)
    assert whole.events == sum(bad[n] for n, _ in clicks)
    if any(bad):
        assert left["impressions"] == whole.impressions
