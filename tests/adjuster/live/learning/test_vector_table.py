"""Vectors by name, read once, gathered by number."""

import numpy as np

from adjuster.live.learning.vector_table import VectorTable

ROWS = {
    "a": np.array([[1.0, 2.0]]),
    "b": np.array([[3.0, 4.0], [5.0, 6.0]]),
    "bad": np.array([[np.nan, 0.0]]),
    "c": np.array([[7.0, 8.0]]),
}


def make_table():
    asked = []

    def read(names):
        asked.extend(names)
        return {name: ROWS[name] for name in names if name in ROWS}

    def check(rows):
        return [(name, "is bad.") for name in rows if name == "bad"]

    return VectorTable("object", read, check), asked


def test_each_name_is_read_once_and_numbered_as_it_comes():
    table, asked = make_table()
    first = table.numbers(["b", "a", "b"])
    assert [table.names[number] for number in first] == ["b", "a", "b"]
    again = table.numbers(["c", "b"])
    assert asked == ["a", "b", "c"]
    assert again.tolist() == [2, first[0]]
    assert table.n_parts == 4
    assert table.rows("b").tolist() == ROWS["b"].tolist()


def test_rows_are_gathered_in_the_order_asked_for_with_others_read_between():
    table, _ = make_table()
    table.gather(table.numbers(["b"]))
    vectors, offsets = table.gather(table.numbers(["c", "b", "a", "b"]))
    assert vectors.tolist() == [[7, 8], [3, 4], [5, 6], [1, 2], [3, 4], [5, 6]]
    assert offsets.tolist() == [0, 1, 3, 4, 6]


def test_what_is_missing_or_bad_has_a_fault_and_stands_in_nobodys_way():
    table, _ = make_table()
    lost, bad, sound = table.numbers(["lost", "bad", "c"]).tolist()
    assert table.faults == {
        lost: "object 'lost' is not in the index.",
        bad: "object 'bad': its vector is bad.",
    }
    assert len(table.rows("lost")) == 0
    vectors, _ = table.gather(np.array([sound]))
    assert vectors.tolist() == [[7, 8]]
