"""The copies at the end of a log in partitions, all parts together, are the whole log's."""

from contextlib import closing

import numpy as np
import pytest

from experiments.common.errors import InputError
from experiments.replay.copies import learn_copies
from experiments.replay.partitioned.copies import copies_in_partitions
from tests.experiments.planted_replay import make_settings
from tests.experiments.replay.partitioned.test_replay import SETTINGS, log_in, whole_and_cut


def by_pair(copies, log):
    """(object, owner) → vectors."""
    n_parts = np.diff(log.object_offsets)
    rows = zip(copies.object, copies.owner, copies.first, strict=True)
    return {
        (int(mine), int(owner)): np.array(copies.vectors[first : first + n_parts[mine]])
        for mine, owner, first in rows
    }


@pytest.mark.parametrize("values", SETTINGS)
@pytest.mark.parametrize(
    ("scope", "by", "n_parts"), [("user_id", "user", 3), ("none", "object", 5)]
)
def test_a_cut_changes_no_copy(tmp_path, values, scope, by, n_parts):
    whole, cut = whole_and_cut(log_in(tmp_path), window="all", personalize_by=scope)
    layout = whole().layout
    settings = make_settings(**values, logit_bias="auto")
    expected = by_pair(learn_copies(layout, settings), layout.log)
    found, held = {}, 0
    with closing(cut(n_parts, by)) as replay:
        for copies in copies_in_partitions(replay, settings):
            mine = by_pair(copies, layout.log)
            assert not set(mine) & set(found)
            held += len(copies.vectors)
            found |= mine
        assert not list((tmp_path / "parts").glob(".replay-*/copies-*"))
    assert set(found) == set(expected)
    assert held == sum(len(rows) for rows in expected.values()), "originals are not carried along"
    for pair, rows in expected.items():
        np.testing.assert_array_equal(found[pair], rows)
    assert len(found) > 10


def test_published_copies_are_refused(tmp_path):
    _, cut = whole_and_cut(log_in(tmp_path), window="all")
    published = make_settings(semantics="published")
    with closing(cut(2, "user")) as replay, pytest.raises(InputError, match="Leave vectors out"):
        next(copies_in_partitions(replay, published))
