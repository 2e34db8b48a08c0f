"""The copies at the end of a replay: whose they are, where they stand, what they hold."""

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.copies import learn_copies
from experiments.replay.layout import lay_out
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log


def settings_of(**values) -> Settings:
    return Settings(AdjusterConfig(adjustment_rate=0.1, **values), SelectionConfig())


@pytest.mark.parametrize("semantics", ["documented", "published"])
def test_an_owner_has_copies_of_what_its_clicked_searches_showed(semantics):
    log = tiny_log(
        Search(0, 2, 0, [3, 1], [(0, 5)]),
        Search(10, 0, 1, [1, 2], [(1, 15)]),
        Search(20, 1, 1, [0, 2]),
        *[Search(30 + at, 1, 1, [0, 2]) for at in range(7)],
        Search(40, -1, 1, [0, 3], [(0, 45)]),
    )
    layout = lay_out(log, ReplayConfig(), ObjectiveConfig(), "all")
    copies = learn_copies(layout, settings_of(semantics=semantics))
    pairs = list(zip(copies.object.tolist(), copies.owner.tolist(), strict=True))
    assert pairs == [(1, 0), (1, 2), (2, 0), (3, 2)]
    for number, (row, owner) in enumerate(pairs):
        moved = copies.vectors[copies.first[number]] - log.object_vectors[row]
        query = log.query_vectors[0 if owner == 2 else 1]
        towards = float(moved @ query)
        is_clicked = (row, owner) in [(3, 2), (2, 0)]
        assert towards > 0 if is_clicked else towards < 0


@pytest.mark.parametrize("memory", ["carry", "restart", "refit"])
def test_blocks_change_no_copy(memory):
    log = make_log(4, n_sessions=150, n_users=30)
    one, many = (
        learn_copies(
            lay_out(log, ReplayConfig(n_blocks=n, n_threads=1), ObjectiveConfig(), "all"),
            settings_of(memory=memory),
        )
        for n in (1, 5)
    )
    assert len(one.object) > 20
    np.testing.assert_array_equal(one.object, many.object)
    np.testing.assert_array_equal(one.owner, many.owner)
    parts = np.diff(log.object_offsets)[one.object]
    for a, b, n in zip(one.first, many.first, parts, strict=True):
        np.testing.assert_array_equal(one.vectors[a : a + n], many.vectors[b : b + n])
