"""The copies at the end of a log in partitions, all parts together, are the whole log's."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.replay.copies import learn_copies
from experiments.replay.partitioned.copies import copies_in_partitions
from experiments.replay.partitioned.worker import Worker
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.planted_replay import make_settings
from tests.experiments.replay.partitioned.test_published import PUBLISHED, published
from tests.experiments.replay.partitioned.test_replay import SETTINGS, log_in, whole_and_cut
from tests.experiments.replay.test_published_walk import FADING, fading_log


def by_pair(copies, log):
    """(object, owner) → the bytes of its vectors."""
    n_parts = np.diff(log.object_offsets)
    rows = zip(copies.object, copies.owner, copies.first, strict=True)
    return {
        (int(mine), int(owner)): np.array(copies.vectors[first : first + n_parts[mine]]).tobytes()
        for mine, owner, first in rows
    }


def assert_copies_are(replay, setting, layout):
    """A replay in partitions ends with the copies of the whole log's layout, which are returned."""
    whole, found = learn_copies(layout, setting), {}
    held = 0
    for copies in copies_in_partitions(replay, setting):
        mine = by_pair(copies, layout.log)
        assert list(mine) == sorted(mine), "in order of object and owner"
        assert not set(mine) & set(found)
        held += len(copies.vectors)
        found |= mine
    assert found == by_pair(whole, layout.log)
    n_parts = np.diff(layout.log.object_offsets)
    assert held == n_parts[whole.object].sum(), "originals are not carried along"
    return found


def assert_a_cut_changes_no_copy(path, setting, scope, by, n_parts):
    whole, cut = whole_and_cut(log_in(path), window="all", personalize_by=scope)
    with closing(cut(n_parts, by)) as replay:
        assert len(assert_copies_are(replay, setting, whole().layout)) > 10
        assert not list((path / "parts").glob(".replay-*/copies-*"))


@pytest.mark.parametrize("values", SETTINGS)
@pytest.mark.parametrize(
    ("scope", "by", "n_parts"), [("user_id", "user", 3), ("none", "object", 5)]
)
def test_a_cut_changes_no_copy(tmp_path, values, scope, by, n_parts):
    setting = make_settings(**values, logit_bias="auto")
    assert_a_cut_changes_no_copy(tmp_path, setting, scope, by, n_parts)


@pytest.mark.parametrize("values", PUBLISHED)
@pytest.mark.parametrize(
    ("scope", "by", "n_parts"),
    [
        ("user_id", "user", 1),
        ("user_id", "user", 3),
        ("segment", "object", 2),
        ("none", "object", 1),
        ("none", "object", 3),
    ],
)
def test_a_cut_changes_no_copy_of_the_published_semantics(tmp_path, values, scope, by, n_parts):
    assert_a_cut_changes_no_copy(tmp_path, published(**values), scope, by, n_parts)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 10_000),
    n_parts=st.integers(1, 16),
    scope=st.sampled_from(["user_id", "segment", "none"]),
    values=st.sampled_from(PUBLISHED),
    n_users=st.sampled_from([3, 25]),
)
def test_no_cut_of_any_log_changes_a_copy_of_the_published_semantics(
    seed, n_parts, scope, values, n_users
):
    with TemporaryDirectory() as name:
        folder = log_in(Path(name), seed, n_users)
        whole, cut = whole_and_cut(folder, window="all", personalize_by=scope, seed=seed)
        layout = whole().layout
        with closing(cut(n_parts, "user" if scope == "user_id" else "object")) as replay:
            found = assert_copies_are(replay, published(**values), layout)
            # A trial in between leaves nothing that copies are made of, nor do copies.
            replay.run(published(interval_seconds=60, adjustment_rate=0.3))
            assert assert_copies_are(replay, published(**values), layout) == found


@pytest.mark.parametrize(("scope", "by"), [("user_id", "user"), ("none", "object")])
def test_who_is_refused_teaches_no_copy(tmp_path, monkeypatch, scope, by):
    log = fading_log(n_sessions=300, n_users=8, span_seconds=200_000)
    folder = write_folder(tmp_path / "log", showing(log))
    whole, cut = whole_and_cut(folder, window="all", personalize_by=scope)
    walked, walk = [], Worker.walk_part
    monkeypatch.setattr(Worker, "walk_part", lambda *given: walked.append(given[1]) or walk(*given))
    with closing(cut(3, by)) as replay:
        assert_copies_are(replay, published(**FADING), whole().layout)
    # Two rounds at least.
    assert len(walked) >= 6 or by == "object"


def test_published_copies_of_users_need_a_cut_by_user(tmp_path):
    _, cut = whole_and_cut(log_in(tmp_path), window="all", personalize_by="user_id")
    with (
        closing(cut(2, "object")) as replay,
        pytest.raises(InputError, match="Partition it with by=user"),
    ):
        next(copies_in_partitions(replay, published()))
