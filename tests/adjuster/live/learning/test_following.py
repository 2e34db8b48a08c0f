"""A champion is followed: the next generation is built from what is stored, and shown whole."""

import pytest

from adjuster import AdjusterConfig, SelectionConfig
from adjuster.live.learning.following import FollowingWorker
from adjuster.live.learning.generations import (
    GENERATIONS,
    Champion,
    last_batch,
    read_row,
    roll_back,
)
from adjuster.live.learning.worker import WorkerSettings
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow, read_mode
from adjuster.live.storage.records import Status
from adjuster.live.storage.store import GENERATION, StoreUnavailable
from tests.adjuster.live.small_shop import INDEX, Shelf, fill, make_worker, search
from tests.live_place import Place

SLOW = AdjusterConfig(adjustment_rate=0.01, num_iterations=3, interval_seconds=60)
FAST = AdjusterConfig(adjustment_rate=0.05, num_iterations=3, interval_seconds=90, memory="refit")
OLD, NEW = (
    Champion("old", SLOW, SelectionConfig()),
    Champion("new", FAST, SelectionConfig(max_clicks=3)),
)


class Originals(Shelf):
    info = INDEX


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Registry:
    """Names a champion; it is asked again after a while."""

    def __init__(self, champion=None):
        self.now = champion

    def champion(self):
        return self.now


@pytest.fixture
def store(tmp_path):
    opened = Place("sqlite", str(tmp_path / "live.db")).open()
    yield opened
    opened.close()


def follower(store, champion=OLD, source=None, clock=None):
    options = WorkerSettings(batch_size=2)
    return FollowingWorker(store, Originals(), champion, options, source, clock=clock or Clock())


def build_all(worker, now=1000):
    while worker.build(now):
        pass


def copies(store, generation):
    return {
        (owner, name): rows.tobytes()
        for owner in ("ann", "bob")
        for name, rows in store.owner_copies(generation, owner).items()
    }


def some_sessions(store, first=0, n=6):
    for i in range(first, first + n):
        owner = ("ann", "bob")[i % 2]
        fill(
            store,
            search(f"s{i}", owner, created_at=i),
            clicks={f"s{i}": "abd"[i % 3]},
            marked_at=i * 30,
        )


def learnt_from_the_start(tmp_path, champion, n=6):
    """The copies of a system that had this champion from the start."""
    other = Place("sqlite", str(tmp_path / "other.db")).open()
    some_sessions(other, n=n)
    worker = follower(other, champion)
    interval = champion.adjuster.interval_seconds
    for tick in range(0, 1000, interval):
        worker.tick(tick)
    found = copies(other, 0)
    other.close()
    return found


def test_the_first_worker_says_what_the_first_generation_learns_with(store):
    worker = follower(store)
    assert store.state(GENERATION) == "0"
    assert worker.row().champion == OLD
    assert worker.interval_seconds == 60
    some_sessions(store)
    assert worker.tick(1000).counts == {"selected": 6}
    assert copies(store, 0)
    assert not worker.build(1000)


def test_a_new_champion_ends_with_the_copies_that_it_would_have_had_from_the_start(store, tmp_path):
    some_sessions(store)
    follower(store).tick(1000)
    before = copies(store, 0)
    worker = follower(store, NEW)
    assert store.state(GENERATION) == "0"
    build_all(worker)
    assert store.state(GENERATION) == "1"
    assert worker.row().champion == NEW
    assert worker.interval_seconds == 90
    assert copies(store, 1) == learnt_from_the_start(tmp_path, NEW) != before
    assert copies(store, 0) == before
    assert store.counts() == {Status.DONE: 6}
    assert store.ticks(9) == {1000: {"selected": 6}}


def test_what_is_learnt_while_it_is_built_is_in_it_too(store, tmp_path):
    some_sessions(store)
    follower(store).tick(1000)
    worker = follower(store, NEW)
    assert worker.build(1000)
    some_sessions(store, first=6, n=3)
    assert worker.tick(1000).counts == {"selected": 3}
    build_all(worker)
    row = worker.row()
    assert (row.active, row.previous, row.since_batch) == (1, 0, last_batch(store))
    assert copies(store, 1) == learnt_from_the_start(tmp_path, NEW, n=9)


def test_the_generation_that_is_shown_learns_on_after_the_change(store):
    some_sessions(store)
    follower(store).tick(1000)
    worker = follower(store, NEW)
    build_all(worker)
    old, new = copies(store, 0), copies(store, 1)
    some_sessions(store, first=6, n=2)
    assert worker.tick(1000).counts == {"selected": 2}
    assert copies(store, 0) == old
    assert copies(store, 1) != new


def test_a_builder_that_is_gone_is_gone_on_from(store, tmp_path):
    some_sessions(store)
    follower(store).tick(1000)
    first = follower(store, NEW)
    first.build(1000)
    first.build(1000)
    came = first.row().building.stretch
    assert came.key is not None
    build_all(follower(store, NEW))
    assert copies(store, 1) == learnt_from_the_start(tmp_path, NEW)


@pytest.mark.parametrize(
    ("mode", "after"), [("off", "off"), ("shadow", "shadow"), ("interleave", "interleave")]
)
def test_what_is_compared_is_compared_anew_when_other_copies_are_shown(store, mode, after):
    follower(store).tick(1000)
    row = ModeRow()
    for step in ("shadow", "interleave")[: ("off", "shadow", "interleave").index(mode)]:
        row = row.changed(Mode(step), 500, "A step.")
    store.set_state(MODE, row.to_text())
    build_all(follower(store, NEW), 1000)
    found = read_mode(store.state(MODE))
    assert found.mode.value == after
    assert found.since == (1000 if mode == "interleave" else row.since)


def test_what_was_on_has_to_win_again_with_other_copies(store):
    follower(store).tick(1000)
    row = ModeRow()
    for step in ("shadow", "interleave", "on"):
        row = row.changed(Mode(step), 500, "A step.")
    store.set_state(MODE, row.to_text())
    build_all(follower(store, NEW), 1000)
    assert read_mode(store.state(MODE)).mode is Mode.INTERLEAVE
    store.set_state(MODE, row.to_text())
    roll_back(store, 2000)
    found = read_mode(store.state(MODE))
    assert (found.mode, found.since) == (Mode.INTERLEAVE, 2000)


def test_after_every_tick_that_was_made_it_is_looked_at(store):
    seen = []
    options = WorkerSettings()
    worker = FollowingWorker(
        store, Originals(), OLD, options, after_tick=lambda _, now: seen.append(now)
    )
    worker.tick(60)
    worker.tick(120)
    assert seen == [60, 120]


def test_two_builders_learn_each_session_once(store, tmp_path):
    some_sessions(store)
    follower(store).tick(1000)
    one, other = follower(store, NEW), follower(store, NEW)
    while one.row().active == 0:
        one.build(1000)
        other.build(1000)
    assert copies(store, 1) == learnt_from_the_start(tmp_path, NEW)


def test_who_learns_for_a_generation_that_is_shown_no_more_writes_nothing(store):
    some_sessions(store)
    worker = follower(store)
    worker.tick(100)
    late = worker._learner()
    swapped = follower(store, NEW)
    build_all(swapped)
    before = copies(store, 0), copies(store, 1)
    report = late.tick(1000)
    assert (report.is_held, report.n_batches) == (True, 0)
    assert (copies(store, 0), copies(store, 1)) == before
    assert Status.PROCESSING not in store.counts()
    assert worker.tick(1000).counts["selected"] > 0
    assert set(store.counts()) == {Status.DONE}


def test_going_back_shows_the_copies_before_and_learns_what_came_since(store, tmp_path):
    some_sessions(store)
    follower(store).tick(1000)
    worker = follower(store, NEW)
    build_all(worker)
    old = copies(store, 0)
    some_sessions(store, first=6, n=3)
    worker.tick(1000)
    row = roll_back(store, 1000)
    assert (row.active, row.champion, row.refused, row.previous) == (0, OLD, "new", None)
    assert store.state(GENERATION) == "0"
    assert copies(store, 0) == old
    assert store.counts() == {Status.DONE: 6, Status.PENDING: 3}
    assert worker.tick(1001).counts == {"selected": 3}
    assert copies(store, 0) == learnt_from_the_start(tmp_path, OLD, n=9)
    # What was returned from is not built again.
    assert not worker.build(1001)
    assert worker.row().building is None
    with pytest.raises(ValueError, match="Generation 0 is the only one"):
        roll_back(store, 1000)


def test_the_registry_is_asked_once_in_a_while(store):
    some_sessions(store)
    clock, registry = Clock(), Registry()
    worker = follower(store, OLD, registry, clock)
    worker.tick(1000)
    assert not worker.build(1000)
    registry.now = NEW
    assert not worker.build(1000)
    clock.now += 61
    build_all(worker, 1061)
    assert worker.row().champion == NEW
    # One that changes back is followed back, as a generation of its own.
    registry.now = OLD
    clock.now += 61
    build_all(worker, 1122)
    row = worker.row()
    assert (row.active, row.previous, row.champion) == (2, 1, OLD)
    assert copies(store, 0) == {}


def test_a_champion_that_is_withdrawn_is_not_built_to_its_end(store):
    some_sessions(store)
    clock, registry = Clock(), Registry(NEW)
    worker = follower(store, OLD, registry, clock)
    worker.tick(1000)
    assert worker.build(1000)
    assert worker.build(1000)
    assert worker.row().building.champion == NEW
    registry.now = OLD
    clock.now += 61
    assert not worker.build(1061)
    assert (worker.row().building, store.state(GENERATION)) == (None, "0")
    assert copies(store, 1) == {}


def test_building_fills_the_time_between_two_ticks(store):
    some_sessions(store)
    follower(store).tick(1000)
    worker = follower(store, NEW)

    class Waiting:
        waited = None

        def wait(self, seconds):
            Waiting.waited = seconds

        def is_set(self):
            return False

    worker._stopping = Waiting()
    worker.wait(7.0)
    assert (worker.row().active, Waiting.waited) == (1, None)
    worker.wait(7.0)
    assert Waiting.waited == 7.0
    worker.wait(3600.0)
    assert Waiting.waited == 60.0


def test_a_store_that_is_gone_while_it_waits_ends_nothing(store, monkeypatch):
    worker = follower(store)

    def gone(name):
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "state", gone)
    worker.wait(0.0)
    assert worker.interval_seconds == 60
    with pytest.raises(StoreUnavailable):
        worker.tick(0)


def test_a_worker_that_is_told_to_stop_builds_no_more(store):
    some_sessions(store)
    follower(store).tick(1000)
    worker = follower(store, NEW)
    worker.stop()
    worker.wait(5.0)
    assert worker.row().building.stretch.key is None


def test_the_row_is_read_as_it_was_written(store):
    some_sessions(store)
    follower(store).tick(1000)
    worker = follower(store, NEW)
    worker.build(1000)
    worker.build(1000)
    text = store.state(GENERATIONS)
    assert read_row(text).to_text() == text
    assert make_worker(store).tick(0).n_batches == 0
