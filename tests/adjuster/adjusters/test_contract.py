"""What holds for every adjuster alike."""

import copy
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from adjuster import (
    ImprovementElement,
    ImprovementInput,
    NoAdjustment,
    PublishedAdjuster,
    Rocchio,
    SearchIndexInfo,
    TorchBasedAdjuster,
    VectorsAdjuster,
)
from tests.adjuster.cases import random_sessions

D = 7
INDEX = SearchIndexInfo(D, "cosine", "min")
LEARNERS = {
    "fused": lambda **kw: TorchBasedAdjuster(INDEX, 0.01, engine="fused", **kw),
    "torch": lambda **kw: TorchBasedAdjuster(INDEX, 0.01, engine="torch", **kw),
    "published": lambda **kw: PublishedAdjuster(INDEX, 0.01, **kw),
}
EVERY = {
    **LEARNERS,
    "logistic": lambda: TorchBasedAdjuster(INDEX, loss="logistic", logit_bias=0.2, max_drift=0.1),
    "newton": lambda: TorchBasedAdjuster(
        INDEX,
        optimizer="newton",
        loss="logistic",
        logit_bias=0.2,
        memory="refit",
        anchor_weight=1.0,
    ),
    "rocchio": lambda: Rocchio(INDEX),
    "nothing": lambda: NoAdjustment(INDEX),
}
MOVERS = {name: build for name, build in EVERY.items() if name != "nothing"}


def marks_of(name):
    """Newton's code takes more than a minute to compile."""
    return [pytest.mark.slow] if name == "newton" else []


def every_but(*names):
    return [pytest.param(name, marks=marks_of(name)) for name in EVERY if name not in names]


def params_of(builders):
    return [pytest.param(build, marks=marks_of(name), id=name) for name, build in builders.items()]


every_adjuster = pytest.mark.parametrize("build", params_of(EVERY))
every_learner = pytest.mark.parametrize("build", LEARNERS.values(), ids=LEARNERS)
every_mover = pytest.mark.parametrize("build", params_of(MOVERS))


def elements(session):
    return [*session.clicked_elements, *session.non_clicked_elements]


def vectors(sessions):
    return [element.vector for session in sessions for element in elements(session)]


def by_name(sessions):
    return {(s.session_id, e.id): np.asarray(e.vector) for s in sessions for e in elements(s)}


@every_adjuster
def test_is_a_vectors_adjuster_and_keeps_order_ids_and_counts(build):
    adjuster, sessions = build(), random_sessions(0)
    assert isinstance(adjuster, VectorsAdjuster)
    adjusted = adjuster.adjust_vectors(sessions)
    assert [s.session_id for s in adjusted] == [s.session_id for s in sessions]
    for before, after in zip(sessions, adjusted, strict=True):
        assert [e.id for e in after.clicked_elements] == [e.id for e in before.clicked_elements]
        assert [e.id for e in elements(after)] == [e.id for e in elements(before)]
        assert after.query.vector is before.query.vector


@every_adjuster
def test_inputs_stay_untouched(build):
    sessions = random_sessions(1)
    kept = copy.deepcopy(sessions)
    adjusted = build().adjust_vectors(sessions)
    for mine, other in zip(vectors(sessions), vectors(kept), strict=True):
        assert torch.equal(mine, other)
    for mine, other in zip(vectors(sessions), vectors(adjusted), strict=True):
        assert mine.data_ptr() != other.data_ptr()


@every_adjuster
def test_outputs_share_no_memory(build):
    adjusted = vectors(build().adjust_vectors(random_sessions(1)))
    adjusted[0].zero_()
    assert all(vector.any() for vector in adjusted[1:])


@every_mover
def test_vectors_do_move(build):
    sessions = random_sessions(2)
    moved = zip(vectors(sessions), vectors(build().adjust_vectors(sessions)), strict=True)
    assert all(not torch.equal(before, after) for before, after in moved)


@every_adjuster
def test_same_input_same_output(build):
    adjuster = build()
    first = vectors(adjuster.adjust_vectors(random_sessions(3)))
    again = vectors(adjuster.adjust_vectors(random_sessions(3)))
    fresh = vectors(build().adjust_vectors(random_sessions(3)))
    for one, two, three in zip(first, again, fresh, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)


@every_adjuster
def test_order_of_sessions_is_irrelevant_across_owners(build):
    sessions = random_sessions(4, n_sessions=6, owners=("ann", "bob", "cleo"), dtype=torch.float64)
    forward = by_name(build().adjust_vectors(sessions))
    backward = by_name(build().adjust_vectors(sessions[::-1]))
    assert forward.keys() == backward.keys()
    for name, vector in forward.items():
        np.testing.assert_allclose(vector, backward[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", every_but("published"))
def test_what_one_owner_gets_does_not_depend_on_who_else_is_there(name):
    sessions = random_sessions(5, n_sessions=6, owners=("ann", "bob"), dtype=torch.float64)
    alone = by_name(EVERY[name]().adjust_vectors(sessions[::2]))
    together = by_name(EVERY[name]().adjust_vectors(sessions))
    for key, vector in alone.items():
        np.testing.assert_allclose(vector, together[key], rtol=0, atol=1e-12)


@every_learner
def test_identity_at_zero_iterations(build):
    sessions = random_sessions(6)
    adjusted = build(num_iterations=0).adjust_vectors(sessions)
    for before, after in zip(vectors(sessions), vectors(adjusted), strict=True):
        assert torch.equal(before, after)


@every_adjuster
def test_an_empty_batch_returns_empty(build):
    adjuster = build()
    assert adjuster.adjust_vectors([]) == []
    assert adjuster.skipped == {}


@every_adjuster
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_type_dtype_and_shape_stay(build, dtype):
    sessions = random_sessions(7, dtype=dtype)
    for before, after in zip(
        vectors(sessions), vectors(build().adjust_vectors(sessions)), strict=True
    ):
        assert after.dtype == dtype
        assert after.shape == before.shape
        assert after.device == before.device


@every_adjuster
def test_numpy_vectors_come_back_as_numpy(build):
    sessions = random_sessions(8)
    plain = copy.deepcopy(sessions)
    for session in plain:
        for element in (session.query, *elements(session)):
            element.vector = element.vector.numpy()
    expected = vectors(build().adjust_vectors(sessions))
    for mine, other in zip(vectors(build().adjust_vectors(plain)), expected, strict=True):
        assert isinstance(mine, np.ndarray)
        np.testing.assert_array_equal(mine, other.numpy())


@every_adjuster
def test_a_hosts_own_classes_will_do(build):
    @dataclass(frozen=True)
    class TheirElement:
        id: str
        vector: torch.Tensor
        is_average: list = field(default_factory=list)
        user_id: str | None = None

    def theirs(element):
        return TheirElement(element.id, element.vector, element.is_average, element.user_id)

    sessions = random_sessions(9)
    hosted = [
        SimpleNamespace(
            session_id=session.session_id,
            query=theirs(session.query),
            clicked_elements=[theirs(e) for e in session.clicked_elements],
            non_clicked_elements=[theirs(e) for e in session.non_clicked_elements],
        )
        for session in sessions
    ]
    adjusted = build().adjust_vectors(hosted)
    assert isinstance(adjusted[0].clicked_elements[0], TheirElement)
    expected = vectors(build().adjust_vectors(sessions))
    for mine, other in zip(vectors(adjusted), expected, strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("name", every_but("published"))
def test_padding_is_left_alone_and_counts_for_nothing(name):
    sessions = random_sessions(10)
    cut = copy.deepcopy(sessions)
    for session in cut:
        for element in elements(session):
            element.vector = element.vector[: element.n_parts].clone()
    expected = vectors(EVERY[name]().adjust_vectors(cut))
    padded = 0
    for before, after, alone in zip(
        vectors(sessions), vectors(EVERY[name]().adjust_vectors(sessions)), expected, strict=True
    ):
        assert torch.equal(after[: len(alone)], alone)
        assert torch.equal(after[len(alone) :], before[len(alone) :])
        padded += len(before) - len(alone)
    assert padded > 0


@pytest.mark.parametrize("name", every_but("published", "nothing"))
def test_sessions_of_one_owner_that_share_an_object_get_one_vector_for_it(name):
    sessions = random_sessions(11, n_sessions=8, owners=("ann", "bob"))
    found = {}
    shared = 0
    for session in EVERY[name]().adjust_vectors(sessions):
        for element in elements(session):
            known = found.setdefault((element.user_id, element.id), element.vector)
            assert torch.equal(known, element.vector)
            shared += known is not element.vector
    assert shared > 0
    assert not torch.equal(found["ann", "object-1"], found["bob", "object-1"])


def only(clicked=(), unclicked=(), query=((1.0, *[0.0] * (D - 1)),)):
    def element(name, rows):
        return ImprovementElement(name, torch.tensor(rows))

    ones, twos = [[1.0] * D], [[2.0] * D]
    return ImprovementInput(
        "s1",
        element("q", query),
        [element(name, ones) for name in clicked],
        [element(name, twos) for name in unclicked],
    )


@every_mover
def test_a_session_without_a_click_is_skipped_and_counted(build):
    adjuster = build()
    session = only(unclicked=["a", "b"])
    adjusted = adjuster.adjust_vectors([session, *random_sessions(12)])
    assert adjuster.skipped == {"no_clicked_object": 1}
    for before, after in zip(vectors([session]), vectors(adjusted[:1]), strict=True):
        assert torch.equal(before, after)
    adjuster.adjust_vectors(random_sessions(12))
    assert adjuster.skipped == {}


@pytest.mark.parametrize("name", every_but("published", "nothing"))
def test_a_session_where_everything_was_clicked_teaches_by_its_clicks(name):
    session = only(clicked=["a", "b"])
    adjuster = EVERY[name]()
    moved = vectors(adjuster.adjust_vectors([session]))
    assert adjuster.skipped == {}
    assert all(not torch.equal(x, y) for x, y in zip(vectors([session]), moved, strict=True))


@every_mover
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v[0], rf"vector must have shape \(parts, {D}\).*got \({D},\)"),
        (lambda v: v[:, :3], rf"vector must have shape \(parts, {D}\).*got \(1, 3\)"),
        (lambda v: v[:0], r"vector must have shape .* with at least one part, got \(0, 7\)"),
        (lambda v: v * float("nan"), "vector must be finite, got NaN or infinity"),
        (lambda v: v * float("inf"), "vector must be finite, got NaN or infinity"),
        (lambda v: v * 0, "vector must not be zero under cosine, got a zero part"),
    ],
    ids=["flat", "dimensions", "empty", "nan", "infinite", "zero"],
)
def test_a_bad_vector_is_named_by_session_object_and_field(build, spoil, message):
    good, session = random_sessions(13), only(clicked=["a", "bad"], unclicked=["c"])
    session.clicked_elements[1].vector = spoil(session.clicked_elements[1].vector)
    with pytest.raises(ValueError, match=f"session 's1', object 'bad': {message}"):
        build().adjust_vectors([*good, session])
    session = only(clicked=["a"], unclicked=["c"])
    session.query.vector = spoil(session.query.vector)
    with pytest.raises(ValueError, match=f"session 's1', query: query.{message}"):
        build().adjust_vectors([*good, session])


@every_mover
def test_an_object_twice_in_a_session_is_named(build):
    with pytest.raises(ValueError, match="session 's1', object 'a': id must stand once"):
        build().adjust_vectors([only(clicked=["a"], unclicked=["a", "b"])])


@pytest.mark.parametrize("kind", [TorchBasedAdjuster, PublishedAdjuster])
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"softmin_temperature": 0}, "softmin_temperature must be > 0 and finite, got 0"),
        ({"adjustment_rate": float("nan")}, "adjustment_rate must be > 0 and <= 10, got nan"),
        ({"num_iterations": -1}, "num_iterations must be a whole number from 0 to 10000, got -1"),
    ],
)
def test_a_setting_out_of_range_is_named(kind, setting, message):
    with pytest.raises(ValueError, match=message):
        kind(INDEX, **setting)


def test_a_hosts_index_description_will_do():
    theirs = SimpleNamespace(
        dimensions=D,
        metric_type=SimpleNamespace(value="dot"),
        metric_aggregation_type=SimpleNamespace(value="avg"),
    )
    assert TorchBasedAdjuster(theirs).search_index_info == SearchIndexInfo(D, "dot", "avg")
