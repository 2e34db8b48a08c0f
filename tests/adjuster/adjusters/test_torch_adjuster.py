"""`TorchBasedAdjuster`: its engines, its settings, and what its docstring says of state."""

from dataclasses import fields

import pytest
import torch

from adjuster import AdjusterConfig, SearchIndexInfo, TorchBasedAdjuster, build_batch
from tests.adjuster.cases import random_sessions

INDEX = SearchIndexInfo(7, "cosine", "min")


def vectors(sessions):
    return [e.vector for s in sessions for e in (*s.clicked_elements, *s.non_clicked_elements)]


def test_defaults_are_the_published_ones():
    assert TorchBasedAdjuster(INDEX).config == AdjusterConfig()


def test_every_setting_of_the_documented_semantics_is_an_argument():
    config = AdjusterConfig(
        adjustment_rate=0.02,
        num_iterations=3,
        softmin_temperature=0.3,
        non_clicked_weight=0.4,
        max_drift=0.5,
        loss="logistic",
        optimizer="sgd",
        term_weight="impression",
        reduction="mean",
        anchor_weight=0.6,
        memory="refit",
        logit_scale=7.0,
        logit_bias=0.1,
        engine="torch",
    )
    assert TorchBasedAdjuster.from_config(INDEX, config).config == config
    defaults = AdjusterConfig()
    unchanged = {f.name for f in fields(config) if vars(config)[f.name] == vars(defaults)[f.name]}
    assert unchanged == {"semantics", "interval_seconds"}


def test_published_semantics_are_refused():
    with pytest.raises(ValueError, match="Use PublishedAdjuster"):
        TorchBasedAdjuster.from_config(INDEX, AdjusterConfig(semantics="published"))


def test_a_logistic_loss_needs_its_bias():
    with pytest.raises(ValueError, match=r"logit_bias must be a number.*median similarity"):
        TorchBasedAdjuster(INDEX, loss="logistic")
    assert TorchBasedAdjuster(INDEX, loss="logistic", logit_bias=0.0).config.logit_bias == 0


def test_auto_is_the_kernel_on_the_cpu_and_torch_elsewhere():
    adjuster = TorchBasedAdjuster(INDEX)
    assert adjuster.engine_on(torch.device("cpu")) == "fused"
    assert adjuster.engine_on(torch.device("cuda")) == "torch"
    assert TorchBasedAdjuster(INDEX, engine="torch").engine_on(torch.device("cpu")) == "torch"


@pytest.mark.parametrize("term_weight", ["session", "impression"])
def test_both_engines_give_the_same_vectors(term_weight):
    sessions = random_sessions(0, n_sessions=6, dtype=torch.float64)

    def moved(engine):
        adjuster = TorchBasedAdjuster(INDEX, 0.01, engine=engine, term_weight=term_weight)
        return vectors(adjuster.adjust_vectors(sessions))

    for mine, theirs in zip(moved("fused"), moved("torch"), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-9)


def test_impressions_weigh_more_than_sessions():
    sessions = random_sessions(1)

    def step(term_weight):
        adjuster = TorchBasedAdjuster(
            INDEX, 1e-3, 1, optimizer="sgd", loss="linear", term_weight=term_weight
        )
        moved = vectors(adjuster.adjust_vectors(sessions[:1]))
        return torch.stack([(a - b).norm() for a, b in zip(moved, vectors(sessions), strict=False)])

    # two objects clicked, three passed over
    ratio = step("impression") / step("session")
    torch.testing.assert_close(ratio, torch.tensor([2.0, 2, 3, 3, 3]), rtol=1e-3, atol=0)


def test_batches_in_any_split_agree_where_owners_do_not_meet():
    sessions = random_sessions(2, n_sessions=6, owners=tuple("abcdef"), dtype=torch.float64)
    adjuster = TorchBasedAdjuster(INDEX)
    together = vectors(adjuster.adjust_vectors(sessions))
    one_by_one = [v for s in sessions for v in vectors(adjuster.adjust_vectors([s]))]
    for mine, other in zip(together, one_by_one, strict=True):
        assert torch.equal(mine, other)


def test_half_precision_is_computed_in_single_and_comes_back_as_it_was():
    sessions = random_sessions(3, dtype=torch.float16)
    adjusted = TorchBasedAdjuster(INDEX, 0.05).adjust_vectors(sessions)
    assert all(v.dtype == torch.float16 for v in vectors(adjusted))
    assert not torch.equal(vectors(adjusted)[0], vectors(sessions)[0])


def test_adjust_batch_is_adjust_vectors_without_the_wrapping():
    sessions = random_sessions(4)
    layout = build_batch(sessions, INDEX)
    adjuster = TorchBasedAdjuster(INDEX)
    flat = adjuster.adjust_batch(layout.batch)
    start, end = layout.batch.object_offsets[layout.shown.places[0] :][:2]
    n_rows = end - start
    wrapped = adjuster.adjust_vectors(sessions)[0].clicked_elements[0].vector
    assert torch.equal(wrapped[:n_rows], torch.tensor(flat[start:end]))


def test_clicked_objects_come_closer_and_the_others_go_away():
    sessions = random_sessions(5, n_sessions=1, dtype=torch.float64)

    def cosines(session, elements):
        query = torch.nn.functional.normalize(session.query.vector, dim=1)
        return torch.stack(
            [
                (torch.nn.functional.normalize(e.vector[: e.n_parts], dim=1) @ query.T).mean()
                for e in elements
            ]
        )

    adjuster = TorchBasedAdjuster(SearchIndexInfo(7, "cosine", "avg"), 0.01, loss="linear")
    (before,), (after,) = sessions, adjuster.adjust_vectors(sessions)
    clicked = [cosines(s, s.clicked_elements) for s in (before, after)]
    unclicked = [cosines(s, s.non_clicked_elements) for s in (before, after)]
    assert (clicked[1] > clicked[0]).all()
    assert (unclicked[1] < unclicked[0]).all()
