"""Tensors read where they lie: every bit as when they are gathered, and each fault by its name."""

import copy

import numpy as np
import pytest
import torch

from adjuster import (
    ImprovementElement,
    ImprovementInput,
    SearchIndexInfo,
    TorchBasedAdjuster,
    host_batch,
)
from adjuster.adjusters import in_place
from adjuster.adjusters.answers import Answers
from adjuster.adjusters.in_place import addresses_of
from adjuster.fused_engine import batch
from adjuster.fused_engine.batch import adjust_batch
from adjuster.fused_engine.threads import FEWEST_ITEMS
from adjuster.host_batch import HostFeedback, stack_arrays
from tests.adjuster.cases import random_sessions

D = 7
SETTINGS = {
    "adamw": {},
    "sgd": {"optimizer": "sgd", "loss": "logistic", "logit_bias": 0.1},
    "drift": {"max_drift": 0.01, "adjustment_rate": 0.1},
    "nothing": {"num_iterations": 0},
}


def elements(sessions):
    return [e for s in sessions for e in (*s.clicked_elements, *s.non_clicked_elements)]


def many(seed, **more):
    """Enough owners and objects for a thread of their own, some shown again, some padded."""
    return random_sessions(seed, n_sessions=40, owners=tuple("abcdefghijklm"), **more)


def each_alone(seed, n_sessions=40, **more):
    """Sessions that have no object in common."""
    owners = tuple(map(str, range(n_sessions)))
    return random_sessions(seed, n_sessions=n_sessions, owners=owners, **more)


def bare(name, *rows):
    return ImprovementElement(name, torch.tensor(rows))


def session_of(*shown):
    return ImprovementInput("s", bare("q", [1.0, 0.5]), [shown[0]], [*shown[1:]])


def gathered(sessions, adjuster):
    """The answer by way of one array."""
    index = adjuster.search_index_info
    feedback = HostFeedback(sessions, index, adjuster.term_weight, stack_arrays)
    batch = feedback.gathered()
    adjusted = adjust_batch(batch, index, adjuster.config)
    return Answers(sessions, feedback.shown, batch.object_offsets, adjusted).fill()


@pytest.fixture
def scattered(monkeypatch):
    """Whether vectors were read in place, call by call."""
    found = []

    def told(vectors):
        addresses = addresses_of(vectors)
        found.append(addresses is not None)
        return addresses

    monkeypatch.setattr(in_place, "addresses_of", told)
    return found


@pytest.fixture
def in_parts(monkeypatch):
    """Sessions are read in parts, however few."""
    monkeypatch.setattr(host_batch, "FEWEST_IN_PARTS", 8)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclid"])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_bit_is_that_of_the_gathered_batch(metric, setting, dtype, scattered):
    adjuster = TorchBasedAdjuster(SearchIndexInfo(D, metric, "min"), **SETTINGS[setting])
    sessions = many(1, dtype=dtype)
    wanted = elements(gathered(sessions, adjuster))
    answers = elements(adjuster.adjust_vectors(sessions))
    assert scattered == [True]
    assert len({(e.user_id, e.id) for e in answers}) >= FEWEST_ITEMS
    for mine, other in zip(answers, wanted, strict=True):
        assert torch.equal(mine.vector, other.vector)


def test_what_cannot_be_read_in_place_is_gathered(scattered):
    index = SearchIndexInfo(D)
    wide = torch.arange(1.0, 3 * D + 1).reshape(D, 3)
    for vector in (
        wide.T,
        wide.T.contiguous().half(),
        wide.T.contiguous().numpy(),
        torch.nn.Parameter(wide.T.contiguous()),
    ):
        sessions = many(2)
        sessions[0].clicked_elements[0] = ImprovementElement("own", vector, user_id="z")
        adjuster = TorchBasedAdjuster(index, 0.01)
        wanted = elements(gathered(sessions, adjuster))
        for mine, other in zip(elements(adjuster.adjust_vectors(sessions)), wanted, strict=True):
            assert type(mine.vector) is type(other.vector)
            assert np.array_equal(mine.vector, other.vector)
    assert scattered == [False] * 4


def test_tensors_that_need_a_gradient_are_read_like_any(scattered):
    sessions = many(3)
    graded = copy.deepcopy(sessions)
    for element in elements(graded):
        element.vector = element.vector.requires_grad_()
    adjuster = TorchBasedAdjuster(SearchIndexInfo(D), 0.01)
    for mine, other in zip(
        elements(adjuster.adjust_vectors(graded)),
        elements(adjuster.adjust_vectors(sessions)),
        strict=True,
    ):
        assert torch.equal(mine.vector, other.vector)
        assert not mine.vector.requires_grad
    assert scattered == [True, True]


def test_one_column_is_gathered_since_a_negated_view_looks_plain():
    negated = torch.tensor([[1.0 + 2.0j]]).conj().imag
    assert negated.is_contiguous()
    assert addresses_of([negated]) is None
    element, other = ImprovementElement("a", negated), ImprovementElement("b", torch.ones(1, 1))
    query = ImprovementElement("q", torch.ones(1, 1))
    adjuster = TorchBasedAdjuster(SearchIndexInfo(1, "dot"), num_iterations=0)
    (answer,) = adjuster.adjust_vectors([ImprovementInput("s", query, [element], [other])])
    assert answer.clicked_elements[0].vector.tolist() == [[-2.0]]


@pytest.mark.parametrize("n_more", [0, FEWEST_ITEMS])
@pytest.mark.parametrize(
    ("metric", "row", "said"),
    [
        ("cosine", [float("nan"), 1.0], "must be finite"),
        ("euclid", [float("nan"), 1.0], "must be finite"),
        ("dot", [1.0, float("inf")], "must be finite"),
        ("cosine", [0.0, 0.0], "must not be zero under cosine"),
        ("dot", [1e30, 1.0], "must have its largest coordinate between"),
        ("euclid", [1e-30, 0.0], "must have its largest coordinate between"),
    ],
)
def test_what_the_kernel_cannot_compute_is_refused_by_name(metric, row, said, n_more, scattered):
    good = [bare(f"good-{number}", [1.0, 2.0]) for number in range(n_more + 1)]
    adjuster = TorchBasedAdjuster(SearchIndexInfo(2, metric))
    with pytest.raises(ValueError, match=f"session 's', object 'bad': vector {said}"):
        adjuster.adjust_vectors([session_of(*good, bare("bad", row))])
    assert scattered == [True]


@pytest.mark.parametrize(
    ("metric", "row"),
    [
        ("dot", [0.0, 0.0]),
        ("cosine", [1e30, 2e30]),
        ("cosine", [1e-30, 0.0]),
        ("dot", [3e12, 3e12]),
    ],
)
def test_what_only_a_second_look_can_compute_is_computed_as_before(metric, row, scattered):
    adjuster = TorchBasedAdjuster(SearchIndexInfo(2, metric), 0.1)
    sessions = [session_of(bare("a", [1.0, 2.0]), bare("far", row))]
    wanted = elements(gathered(sessions, adjuster))
    answers = elements(adjuster.adjust_vectors(sessions))
    assert scattered == [True]
    for mine, other in zip(answers, wanted, strict=True):
        assert torch.isfinite(mine.vector).all()
        assert torch.equal(mine.vector, other.vector)


def test_originals_that_the_host_tells_are_where_drift_is_measured_from(scattered):
    sessions = many(4)
    for element in elements(sessions):
        element.original = element.vector + 0.5
    adjuster = TorchBasedAdjuster(SearchIndexInfo(D), 0.1, max_drift=0.01)
    wanted = elements(gathered(sessions, adjuster))
    for mine, other in zip(elements(adjuster.adjust_vectors(sessions)), wanted, strict=True):
        assert torch.equal(mine.vector, other.vector)
    assert scattered == []


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("is_shown_again", [False, True])
def test_sessions_read_in_parts_get_the_bits_of_the_whole(
    setting, is_shown_again, scattered, in_parts
):
    adjuster = TorchBasedAdjuster(SearchIndexInfo(D), **SETTINGS[setting])
    sessions = each_alone(7, n_sessions=160)
    if is_shown_again:
        sessions[159].clicked_elements[0] = sessions[0].clicked_elements[0]
    answer = adjuster.adjust_vectors(sessions)
    assert scattered == [True, True]
    assert [one.session_id for one in answer] == [one.session_id for one in sessions]
    wanted = elements(gathered(sessions, adjuster))
    for mine, other in zip(elements(answer), wanted, strict=True):
        assert (mine.user_id, mine.id) == (other.user_id, other.id)
        assert torch.equal(mine.vector, other.vector)


@pytest.mark.parametrize("number", [0, 39])
def test_what_stands_in_either_part_is_computed_gathered_or_refused(number, scattered, in_parts):
    adjuster = TorchBasedAdjuster(SearchIndexInfo(D), 0.01)
    far = torch.full((1, D), 1e30)
    for vector in (far, far.numpy()):
        sessions = each_alone(8)
        sessions[number].clicked_elements[0] = ImprovementElement("own", vector, user_id="z")
        wanted = elements(gathered(sessions, adjuster))
        for mine, other in zip(elements(adjuster.adjust_vectors(sessions)), wanted, strict=True):
            assert type(mine.vector) is type(other.vector)
            assert np.array_equal(mine.vector, other.vector)
    assert scattered == [True, True, *([False] if number == 0 else [True, False])]
    sessions[number].clicked_elements[0].vector = far * torch.nan
    with pytest.raises(ValueError, match=f"'session-{number}', object 'own': vector must be fin"):
        adjuster.adjust_vectors(sessions)


def test_parts_of_two_types_are_gathered_as_one(in_parts, scattered):
    adjuster = TorchBasedAdjuster(SearchIndexInfo(D), 0.01)
    singles, doubles = each_alone(9), each_alone(9, dtype=torch.float64)
    n_first = len(singles) // host_batch.FIRST_OF
    sessions = [*singles[:n_first], *doubles[n_first:]]
    wanted = elements(gathered(sessions, adjuster))
    for mine, other in zip(elements(adjuster.adjust_vectors(sessions)), wanted, strict=True):
        assert torch.equal(mine.vector, other.vector)
    assert scattered == [True, True]


def test_an_error_while_the_answer_is_made_reaches_the_host_and_the_next_call_is_well():
    class Uncopied:
        def __init__(self, element):
            self.id, self.vector, self.user_id = element.id, element.vector, element.user_id

        def __copy__(self):
            raise ZeroDivisionError

    adjuster, sessions = TorchBasedAdjuster(SearchIndexInfo(D), 0.01), many(5)
    wanted = elements(adjuster.adjust_vectors(sessions))
    broken = copy.deepcopy(sessions)
    broken[3].clicked_elements[0] = Uncopied(broken[3].clicked_elements[0])
    with pytest.raises(ZeroDivisionError):
        adjuster.adjust_vectors(broken)
    for mine, other in zip(elements(adjuster.adjust_vectors(sessions)), wanted, strict=True):
        assert torch.equal(mine.vector, other.vector)


def test_an_error_before_the_kernel_has_begun_reaches_the_host(monkeypatch):
    def failing(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(batch, "_adjust_ranges", failing)
    with pytest.raises(ZeroDivisionError):
        TorchBasedAdjuster(SearchIndexInfo(D), 0.01).adjust_vectors(many(6))


@pytest.mark.parametrize("change", ["same", "equal", "half", "array", "transposed", "padded"])
def test_a_repeated_objects_other_vector_may_be_of_another_kind(change):
    changes = {
        "same": lambda vector: vector,
        "equal": torch.clone,
        "half": torch.Tensor.half,
        "array": torch.Tensor.numpy,
        "transposed": lambda vector: vector.T.contiguous().T,
        "padded": lambda vector: torch.cat([vector, torch.zeros(1, D)]),
    }
    first = torch.rand(2, D, generator=torch.Generator().manual_seed(4)) + 0.5
    again = ImprovementElement("a", changes[change](first))
    if change == "padded":
        again.is_average = [False] * 2
    query = ImprovementElement("q", torch.ones(1, D))
    sessions = [
        ImprovementInput("s", query, [ImprovementElement("a", first)], []),
        ImprovementInput("t", query, [again], []),
    ]
    adjuster = TorchBasedAdjuster(SearchIndexInfo(D), 0.01)
    is_alike = (
        HostFeedback(sessions, adjuster.search_index_info, "session", stack_arrays)
        .scattered(addresses_of)
        .is_alike
    )
    assert is_alike == (change in ("same", "equal"))
    mine, other = elements(adjuster.adjust_vectors(sessions))
    assert not torch.equal(mine.vector, first)
    assert (type(other.vector), other.vector.dtype) == (type(again.vector), again.vector.dtype)
    assert other.vector.shape == again.vector.shape
    np.testing.assert_allclose(other.vector[:2], mine.vector, atol=2e-3)
