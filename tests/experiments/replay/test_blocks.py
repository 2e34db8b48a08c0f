"""Blocks: every scored session in one of them, every pair run to its end, none empty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.blocks import rank_block
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log

CLICKED = [(0, 10_000)]


def blocks_of(log, **config):
    return lay_out(log, ReplayConfig(**config), ObjectiveConfig())


def test_few_owners_are_cut_by_time_into_pieces_of_equal_size():
    layout = blocks_of(make_log(1, n_sessions=100), n_blocks=3)
    assert [len(block.sessions) for block in layout.blocks] == [17, 17, 16]
    assert np.concatenate([block.sessions for block in layout.blocks]).tolist() == list(
        range(20, 70)
    )
    assert [block.span.finish for block in layout.blocks] == [False, False, True]


def test_a_pair_goes_on_where_the_block_before_left_it():
    layout = blocks_of(make_log(2, n_sessions=90), n_blocks=4)
    offsets = layout.pairs.showings.offsets
    np.testing.assert_array_equal(layout.blocks[0].span.begin, offsets[:-1])
    for block, following in zip(layout.blocks, layout.blocks[1:], strict=False):
        np.testing.assert_array_equal(block.span.end, following.span.begin)
    np.testing.assert_array_equal(layout.blocks[-1].span.end, offsets[1:])


def test_many_owners_are_cut_by_owner():
    log = make_log(3, n_sessions=300, n_users=25)
    layout = blocks_of(log, n_blocks=5)
    assert len(layout.blocks) == 5
    owners = [set(log.session_user[block.sessions]) - {-1} for block in layout.blocks]
    assert sum(map(len, owners)) == len(set.union(*owners))
    assert all(block.span.finish for block in layout.blocks)


def test_owners_without_a_scored_session_learn_with_the_block_before():
    """Ten owners in two blocks; those of one are seen in warmup alone."""
    early = [Search(at, at, 0, [0, 1], CLICKED) for at in range(10)]
    probe = tiny_log(*early, Search(90, 0, 0, [0], CLICKED), n_users=10)
    split = SplitConfig(warmup=0.5, tune=0.4)
    groups = blocks_of(probe, n_blocks=2, split=split).pairs
    first = groups.owner[: groups.block_offsets[1]]
    seen = int(first[0])
    late = [Search(100 + at, seen, 0, [0, 1], CLICKED) for at in range(10)]
    layout = blocks_of(tiny_log(*early, *late, n_users=10), n_blocks=2, split=split)
    assert len(layout.blocks) == 1
    assert layout.blocks[0].span.pairs == (0, len(layout.pairs.owner))
    unseen = int(groups.owner[-1])
    late = [Search(100 + at, unseen, 0, [0, 1], CLICKED) for at in range(10)]
    layout = blocks_of(tiny_log(*early, *late, n_users=10), n_blocks=2, split=split)
    assert len(layout.blocks) == 1
    assert layout.blocks[0].span.pairs == (0, len(layout.pairs.owner))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_sessions=st.integers(1, 40),
    n_users=st.integers(1, 12),
    n_blocks=st.integers(1, 25),
    by_owner=st.integers(1, 5),
    scope=st.sampled_from(["user_id", "none"]),
    semantics=st.sampled_from(["documented", "published"]),
    window=st.sampled_from(["tune", "test", "all"]),
    split=st.sampled_from([(0.2, 0.5), (0.0, 0.1), (0.8, 0.1), (0.05, 0.9)]),
)
def test_the_number_of_blocks_changes_no_figure_of_any_log(
    seed, n_sessions, n_users, n_blocks, by_owner, scope, semantics, window, split
):
    log = make_log(seed, n_sessions=n_sessions, n_users=n_users, n_objects=7, dimensions=3)
    adjuster = AdjusterConfig(semantics=semantics, adjustment_rate=0.05, num_iterations=2)
    setting = Settings(adjuster, SelectionConfig())

    def run(blocks):
        config = ReplayConfig(
            personalize_by=scope, n_blocks=blocks, n_threads=1, split=SplitConfig(*split)
        )
        layout = lay_out(log, config, ObjectiveConfig(), window)
        return layout, Replay(layout).run(setting)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.replay.blocks.OWNERS_PER_BLOCK", by_owner)
        try:
            _, whole = run(1)
        except InputError:
            with pytest.raises(InputError):
                run(n_blocks)
            return
        layout, cut = run(n_blocks)
    assert all(len(block.sessions) for block in layout.blocks)
    assert 1 <= len(layout.blocks) == len(cut.blocks) <= n_blocks
    np.testing.assert_equal(cut.metrics, whole.metrics)
    assert cut.counts == whole.counts
    np.testing.assert_equal(vars(cut.sessions), vars(whole.sessions))


def test_a_score_that_is_no_number_names_the_remedy():
    layout = blocks_of(make_log(1))
    scores = layout.before.copy()
    scores[layout.blocks[0].rows[0]] = np.nan
    with pytest.raises(FloatingPointError, match="smaller adjustment_rate"):
        rank_block(layout.blocks[0], scores)
