"""The served model's own pieces: rows into sessions and back."""

import numpy as np
import pytest

from experiments.deployment.served_model import read_session, to_rows, vectors_of

ROW = {
    "session_id": "s1",
    "query": [[1.0, 0.0]],
    "object_ids": ["a", "b", "c"],
    "clicked": [False, True, False],
    "vectors": [[[0.0, 1.0]], [[1.0, 1.0], [2.0, 0.0]], [[3.0, 0.0]]],
}


def test_a_row_becomes_a_session_of_clicked_and_passed_over():
    session = read_session(ROW)
    assert [element.id for element in session.clicked_elements] == ["b"]
    assert [element.id for element in session.non_clicked_elements] == ["a", "c"]
    assert session.clicked_elements[0].vector.shape == (2, 2)
    assert session.clicked_elements[0].vector.dtype == np.float64
    assert session.clicked_elements[0].original is None
    assert session.clicked_elements[0].user_id is None


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_an_optional_column_without_a_value_is_none(missing):
    session = read_session({**ROW, "user_id": missing, "originals": missing})
    assert session.clicked_elements[0].user_id is None
    assert session.clicked_elements[0].original is None


def test_owner_and_originals_are_taken_where_they_are_given():
    session = read_session({**ROW, "user_id": 7, "originals": ROW["vectors"]})
    assert session.clicked_elements[0].user_id == "7"
    assert session.clicked_elements[0].original.tolist() == ROW["vectors"][1]


def test_vectors_come_back_in_the_rows_own_order():
    assert vectors_of(ROW, read_session(ROW)) == ROW["vectors"]


@pytest.mark.parametrize("column", ["object_ids", "clicked", "vectors"])
def test_lists_of_different_length_are_refused_with_the_session(column):
    with pytest.raises(ValueError, match="session 's1': object_ids, clicked, vectors"):
        read_session({**ROW, column: ROW[column][:2]})


def test_rows_are_numbers_of_two_axes():
    assert to_rows([[1, 2]]).shape == (1, 2)
