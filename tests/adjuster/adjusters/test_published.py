"""The published semantics against a loop written from the formula."""

import math

import numpy as np
import pytest
import torch

from adjuster import ImprovementElement, ImprovementInput, PublishedAdjuster, SearchIndexInfo

D = 5


def sessions_of(shapes, seed=0):
    """One session a (query parts, clicked, unclicked, parts), vectors at random."""
    rng = np.random.default_rng(seed)

    def element(name, n_parts):
        return ImprovementElement(name, torch.tensor(rng.standard_normal((n_parts, D))))

    return [
        ImprovementInput(
            f"s{number}",
            element("q", n_query),
            [element(f"c{k}", n_parts) for k in range(n_clicked)],
            [element(f"u{k}", n_parts) for k in range(n_unclicked)],
        )
        for number, (n_query, n_clicked, n_unclicked, n_parts) in enumerate(shapes)
    ]


def naive_loss(queries, clicked, unclicked, metric, pooling, temperature):
    """The loss of equally shaped sessions, number by number."""

    def similarity(q, x):
        if metric == "euclid":
            return -((q - x) ** 2).sum().sqrt()
        dot = (q * x).sum()
        return dot if metric == "dot" else dot / (q.norm() * x.norm().clamp(min=1e-12))

    def mean_of_cubes(objects):
        cubes = []
        for session_queries, session_objects in zip(queries, objects, strict=True):
            for q in session_queries:
                for part in range(len(session_objects[0])):
                    over_objects = [similarity(q, item[part]) for item in session_objects]
                    if pooling == "avg":
                        pooled = sum(over_objects) / len(over_objects)
                    else:
                        weights = [math.e ** (-s / temperature) for s in over_objects]
                        pooled = sum(
                            w * s for w, s in zip(weights, over_objects, strict=True)
                        ) / sum(weights)
                    cubes.append(pooled**3)
        return sum(cubes) / len(cubes)

    return -mean_of_cubes(clicked) + mean_of_cubes(unclicked)


def naive(sessions, metric, pooling, rate, steps, temperature):
    queries = [session.query.vector for session in sessions]
    clicked = [[e.vector.clone().requires_grad_() for e in s.clicked_elements] for s in sessions]
    unclicked = [
        [e.vector.clone().requires_grad_() for e in s.non_clicked_elements] for s in sessions
    ]
    parameters = [x for group in (clicked, unclicked) for items in group for x in items]
    optimizer = torch.optim.AdamW(parameters, lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        naive_loss(queries, clicked, unclicked, metric, pooling, temperature).backward()
        optimizer.step()
    return [[*c, *u] for c, u in zip(clicked, unclicked, strict=True)]


def elements(session):
    return [*session.clicked_elements, *session.non_clicked_elements]


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
@pytest.mark.parametrize("pooling", ["min", "avg"])
def test_equals_a_naive_loop(metric, pooling):
    sessions = sessions_of([(2, 3, 4, 6)] * 2)
    adjuster = PublishedAdjuster(SearchIndexInfo(D, metric, pooling), 0.05, 4, 0.7)
    expected = naive(sessions, metric, pooling, 0.05, 4, 0.7)
    for session, rows in zip(adjuster.adjust_vectors(sessions), expected, strict=True):
        for element, row in zip(elements(session), rows, strict=True):
            torch.testing.assert_close(element.vector, row.detach(), rtol=0, atol=1e-9)


def test_every_shape_is_a_call_of_its_own():
    sessions = sessions_of([(1, 2, 3, 4), (2, 2, 3, 4), (1, 2, 3, 4), (1, 3, 2, 4)])
    index = SearchIndexInfo(D, "cosine", "min")
    together = PublishedAdjuster(index).adjust_vectors(sessions)
    for group in ([0, 2], [1], [3]):
        alone = PublishedAdjuster(index).adjust_vectors([sessions[place] for place in group])
        for place, session in zip(group, alone, strict=True):
            for mine, other in zip(elements(session), elements(together[place]), strict=True):
                assert torch.equal(mine.vector, other.vector)


def test_the_least_similar_object_counts_most():
    """Its documentation says the opposite; this is what it computes."""
    query = ImprovementElement("q", torch.tensor([[1.0, 0.0]]))
    near, far = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.2, 0.0]])
    other = torch.tensor([[0.1, 0.0]])
    session = ImprovementInput(
        "s",
        query,
        [ImprovementElement("near", near), ImprovementElement("far", far)],
        [ImprovementElement("other", other)],
    )
    adjuster = PublishedAdjuster(SearchIndexInfo(2, "dot", "min"), 1e-3, 1, 0.05)
    session = adjuster.adjust_vectors([session])[0]
    moved_near, moved_far = (e.vector for e in session.clicked_elements)
    decayed = 1 - 1e-3 * 0.01
    assert moved_far[0, 0] > far[0, 0] * decayed + 9e-4
    assert moved_near[0, 0] < near[0, 0] * decayed + 9e-4


def test_ragged_parts_are_padded_with_zeros_that_take_part():
    (session,) = sessions_of([(1, 2, 2, 3)])
    session.clicked_elements[0].vector = session.clicked_elements[0].vector[:2]
    (padded,) = sessions_of([(1, 2, 2, 3)])
    padded.clicked_elements[0].vector[2] = 0
    index = SearchIndexInfo(D, "cosine", "min")
    padded.clicked_elements[0].is_average = [False, False]
    ragged, full = (PublishedAdjuster(index).adjust_vectors([s])[0] for s in (session, padded))
    assert ragged.clicked_elements[0].vector.shape == (2, D)
    assert torch.equal(ragged.clicked_elements[0].vector, full.clicked_elements[0].vector[:2])
    assert full.clicked_elements[0].vector[2].any()
    for mine, other in zip(elements(ragged)[1:], elements(full)[1:], strict=True):
        assert torch.equal(mine.vector, other.vector)


def test_sessions_of_one_owner_get_two_vectors_for_one_object():
    one, two = sessions_of([(1, 1, 1, 2)] * 2)
    two.clicked_elements[0].vector = one.clicked_elements[0].vector
    adjusted = PublishedAdjuster(SearchIndexInfo(D, "cosine", "min")).adjust_vectors([one, two])
    first, second = (session.clicked_elements[0].vector for session in adjusted)
    assert not torch.equal(first, second)


def test_sessions_it_cannot_take_are_unchanged_and_counted_by_reason():
    sessions = sessions_of([(1, 0, 3, 2), (1, 2, 0, 2), (1, 2, 3, 2), (2, 0, 1, 2)])
    adjuster = PublishedAdjuster(SearchIndexInfo(D, "cosine", "min"))
    adjusted = adjuster.adjust_vectors(sessions)
    assert adjuster.skipped == {"no_clicked_object": 2, "no_unclicked_object": 1}
    for place, moves in enumerate([False, False, True, False]):
        for before, after in zip(elements(sessions[place]), elements(adjusted[place]), strict=True):
            assert torch.equal(before.vector, after.vector) != moves


def test_padding_that_is_not_finite_is_named():
    (session,) = sessions_of([(1, 1, 1, 2)])
    session.clicked_elements[0].vector[1] = float("nan")
    session.clicked_elements[0].is_average = [False]
    with pytest.raises(ValueError, match="session 's0', object 'c0': vector must be finite"):
        PublishedAdjuster(SearchIndexInfo(D)).adjust_vectors([session])


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
@pytest.mark.parametrize("pooling", ["min", "avg"])
@pytest.mark.parametrize("shapes", [[(1, 2, 3, 4)], [(3, 1, 4, 2)] * 3])
def test_the_kernel_gives_the_same_numbers(metric, pooling, shapes):
    sessions = sessions_of(shapes, seed=5)
    sessions[0].clicked_elements[0].vector = sessions[0].clicked_elements[0].vector[:1]
    arguments = (SearchIndexInfo(D, metric, pooling), 0.01, 7, 0.4)
    slow = PublishedAdjuster(*arguments).adjust_vectors(sessions)
    fast = PublishedAdjuster(*arguments, engine="fused").adjust_vectors(sessions)
    for one, other in zip(slow, fast, strict=True):
        for left, right in zip(elements(one), elements(other), strict=True):
            np.testing.assert_allclose(left.vector, right.vector, atol=1e-9)
