"""From a host's sessions to the flat form: what is merged, weighted, kept apart, and refused."""

import numpy as np
import pytest
import torch

from adjuster import ImprovementElement, ImprovementInput, SearchIndexInfo, build_batch, host_batch
from adjuster.adjusters.host_copies import stack_tensors
from adjuster.host_batch import HostFeedback, stack_arrays
from tests.adjuster.cases import random_sessions

INDEX = SearchIndexInfo(2, "dot", "min")


def element(name, *rows, owner="ann", **other):
    return ImprovementElement(name, torch.tensor(rows or [[1.0, 2.0]]), user_id=owner, **other)


def session(name, query, clicked, unclicked):
    return ImprovementInput(name, element("q", query), clicked, unclicked)


def test_worked_by_hand():
    layout = build_batch(
        [
            session("s1", [1.0, 0.0], [element("a")], [element("b", [3.0, 4.0], [5.0, 6.0])]),
            session("s2", [0.0, 1.0], [element("b", [3.0, 4.0], [5.0, 6.0]), element("c")], []),
        ],
        INDEX,
    )
    batch = layout.batch
    assert batch.vectors.tolist() == [[1, 2], [3, 4], [5, 6], [1, 2]]
    assert batch.object_offsets.tolist() == [0, 1, 3, 4]
    assert batch.query_vectors.tolist() == [[1, 0], [0, 1]]
    assert batch.term_offsets.tolist() == [0, 1, 3, 4]
    assert batch.term_query.tolist() == [0, 0, 1, 1]
    assert batch.term_clicked.tolist() == [1.0, 0.0, 0.5, 0.5]
    assert batch.term_unclicked.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert layout.shown.places.tolist() == [0, 1, 1, 2]
    assert layout.shown.n_shown.tolist() == [2, 2]
    assert [item.id for item in layout.shown.elements] == ["a", "b", "b", "c"]


def test_terms_on_equal_queries_are_merged_with_both_weights():
    shown = [element(name) for name in "abc"]
    batch = build_batch(
        [
            session("s1", [1.0, 0.0], shown[:1], shown[1:]),
            session("s2", [1.0, 0.0], shown[1:], shown[:1]),
        ],
        INDEX,
    ).batch
    assert len(batch.query_offsets) == 2
    assert batch.term_query.tolist() == [0, 0, 0]
    assert batch.term_clicked.tolist() == [1.0, 0.5, 0.5]
    assert batch.term_unclicked.tolist() == [1.0, 0.5, 0.5]


def test_impressions_each_weigh_1():
    batch = build_batch(
        [session("s1", [1.0, 0.0], [element("a"), element("b")], [element("c")])],
        INDEX,
        term_weight="impression",
    ).batch
    assert batch.term_clicked.tolist() == [1.0, 1.0, 0.0]
    assert batch.term_unclicked.tolist() == [0.0, 0.0, 1.0]


def test_owners_are_kept_apart_and_the_shared_original_is_one_of_them():
    sessions = [
        session(f"s-{owner}", [1.0, 0.0], [element("a", owner=owner)], [])
        for owner in ("ann", "bob", None, "ann")
    ]
    assert build_batch(sessions, INDEX).batch.n_objects == 3


def test_a_session_without_a_click_teaches_nothing_and_is_counted():
    layout = build_batch([session("s1", [1.0, 0.0], [], [element("a"), element("b")])], INDEX)
    assert layout.skipped == {"no_clicked_object": 1}
    assert layout.batch.n_objects == 2
    assert len(layout.batch.term_query) == 0


def test_rows_past_is_average_are_padding():
    padded = element("a", [1.0, 2.0], [np.nan, np.nan], is_average=[False])
    layout = build_batch([session("s1", [1.0, 0.0], [padded], [])], INDEX)
    assert padded.n_parts == 1
    assert layout.batch.vectors.tolist() == [[1, 2]]
    assert element("a", [1.0, 2.0], [3.0, 4.0]).n_parts == 2


@pytest.mark.parametrize(
    ("again", "message"),
    [
        (
            [[1.0, 2.0], [3.0, 4.0]],
            r"must have the parts it has in an earlier session \(1\), got 2",
        ),
        ([[np.nan, 2.0]], "must be finite"),
    ],
)
def test_an_object_seen_again_is_checked_too(again, message):
    first = session("s1", [1.0, 0.0], [element("a")], [])
    second = session("s2", [1.0, 0.0], [element("a", *again)], [])
    with pytest.raises(ValueError, match=f"session 's2', object 'a': vector {message}"):
        build_batch([first, second], INDEX)


def test_the_first_vector_seen_of_an_object_is_the_one_adjusted():
    first = session("s1", [1.0, 0.0], [element("a", [1.0, 2.0])], [])
    second = session("s2", [1.0, 0.0], [element("a", [7.0, 8.0])], [])
    assert build_batch([first, second], INDEX).batch.vectors.tolist() == [[1, 2]]


def test_double_precision_anywhere_makes_the_batch_double():
    sessions = random_sessions(0, dtype=torch.float32)
    assert build_batch(sessions, SearchIndexInfo(7)).batch.vectors.dtype == np.float32
    first = sessions[0].clicked_elements[0]
    first.vector = first.vector.double()
    batch = build_batch(sessions, SearchIndexInfo(7)).batch
    assert batch.vectors.dtype == batch.query_vectors.dtype == np.float64


def test_no_sessions_make_an_empty_batch():
    batch = build_batch([], SearchIndexInfo(7)).batch
    assert batch.n_objects == 0
    assert batch.vectors.shape == batch.query_vectors.shape == (0, 7)
    assert batch.term_query.shape == (0,)


def test_an_original_that_the_host_knows_is_taken_and_checked():
    known = element("a", [1.0, 2.0])
    known.original = torch.tensor([[5.0, 6.0], [9.0, 9.0]])
    batch = build_batch([session("s1", [1.0, 0.0], [known, element("b")], [])], INDEX).batch
    assert batch.originals.tolist() == [[5, 6], [1, 2]]
    assert batch.vectors.tolist() == [[1, 2], [1, 2]]
    known.original = torch.tensor([[5.0, 6.0, 7.0]])
    with pytest.raises(ValueError, match=r"object 'a': vector must have the parts of its original"):
        build_batch([session("s1", [1.0, 0.0], [known], [])], INDEX)
    known.original = torch.tensor([[float("nan"), 6.0]])
    with pytest.raises(ValueError, match="object 'a': vector must be finite"):
        build_batch([session("s1", [1.0, 0.0], [known], [])], INDEX)


def test_an_object_twice_in_a_session_is_refused():
    twice = session("s1", [1.0, 0.0], [element("a")], [element("b"), element("a")])
    with pytest.raises(ValueError, match="session 's1', object 'a': id must stand once"):
        build_batch([session("s0", [1.0, 0.0], [element("a")], []), twice], INDEX)


def test_silent_sessions_teach_nothing_beside_others():
    layout = build_batch(
        [
            session("s1", [1.0, 0.0], [], [element("a")]),
            session("s2", [0.0, 1.0], [element("b")], [element("a")]),
        ],
        INDEX,
    )
    assert layout.batch.term_query.tolist() == [1, 1]
    assert layout.objects == [("ann", "a"), ("ann", "b")]
    assert layout.batch.term_clicked.tolist() == [0.0, 1.0]


def test_rows_are_those_of_one_stack_whatever_its_kind():
    sessions = random_sessions(3)
    one_by_one = build_batch(sessions, SearchIndexInfo(7)).batch
    at_once = build_batch(sessions, SearchIndexInfo(7), stack=stack_tensors).batch
    for name in ("vectors", "query_vectors", "object_offsets", "term_query", "term_clicked"):
        np.testing.assert_array_equal(getattr(one_by_one, name), getattr(at_once, name))


def test_sessions_are_read_in_parts_that_have_no_object_in_common(monkeypatch):
    monkeypatch.setattr(host_batch, "FEWEST_IN_PARTS", 9)
    alone = random_sessions(3, n_sessions=9, owners=tuple("abcdefghi"))
    feedback = HostFeedback(alone, SearchIndexInfo(7), "session", stack_arrays)
    parts = list(feedback.parts())
    assert [len(part.sessions) for part in parts] == [1, 8]
    vectors = [part.gathered().vectors for part in parts]
    assert np.array_equal(np.concatenate(vectors), feedback.gathered().vectors)


@pytest.mark.parametrize(
    ("order", "n_sessions"),
    [([*range(8)], [8]), ([0, 0, *range(1, 15)], [16]), ([*range(16), 0], [2, 17])],
    ids=["few", "shown again at once", "shown again later"],
)
def test_the_whole_is_read_at_once_or_after_all(monkeypatch, order, n_sessions):
    monkeypatch.setattr(host_batch, "FEWEST_IN_PARTS", 9)
    alone = random_sessions(3, n_sessions=16, owners=tuple("abcdefghijklmnop"))
    whole = HostFeedback([alone[row] for row in order], SearchIndexInfo(7), "session", stack_arrays)
    parts = list(whole.parts())
    assert [len(part.sessions) for part in parts] == n_sessions
    assert parts[-1] is whole
