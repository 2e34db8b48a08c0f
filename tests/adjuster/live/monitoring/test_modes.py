"""The mode's way up and down, and that it is kept."""

import pytest

from adjuster.live.monitoring.modes import (
    MODE,
    MOST_KEPT,
    NEXT,
    Mode,
    ModeRow,
    change_mode,
    read_mode,
)
from adjuster.live.storage.sqlite_store import SqliteStore


def test_it_goes_up_one_step_at_a_time_and_down_by_any():
    row = ModeRow()
    for at, mode in enumerate((Mode.SHADOW, Mode.INTERLEAVE, Mode.ON, Mode.OFF)):
        row = row.changed(mode, at, f"To {mode.value}.")
    assert (row.mode, row.since, row.why) == (Mode.OFF, 3, "To off.")
    assert [(step.left, step.entered) for step in row.history] == [
        ("off", "shadow"),
        ("shadow", "interleave"),
        ("interleave", "on"),
        ("on", "off"),
    ]
    assert read_mode(row.to_text()) == row
    assert set(NEXT) == set(Mode)


@pytest.mark.parametrize(
    ("mode", "to"), [(Mode.OFF, Mode.ON), (Mode.SHADOW, Mode.ON), (Mode.OFF, Mode.OFF)]
)
def test_no_step_is_left_out(mode, to):
    with pytest.raises(ValueError, match=f"after {mode.value}, got {to.value}. Go one step"):
        ModeRow(mode).changed(to, 0, "")


def test_only_the_latest_transitions_are_kept():
    row = ModeRow()
    for at in range(MOST_KEPT):
        row = row.changed(Mode.SHADOW, at, "Up.").changed(Mode.OFF, at, "Down.")
    assert len(row.history) == MOST_KEPT
    assert row.history[-1].at == MOST_KEPT - 1


def test_a_text_that_is_no_mode_is_refused():
    for text in ("", "{}", '{"mode": "maybe", "since": 0, "why": "", "history": []}'):
        with pytest.raises(ValueError, match="the state's mode cannot be read"):
            read_mode(text)


def test_a_store_keeps_the_mode_and_refuses_a_change_that_was_overtaken(tmp_path):
    store = SqliteStore(tmp_path / "live.db")
    assert change_mode(store, Mode.SHADOW, 60, "A look.").mode is Mode.SHADOW
    assert read_mode(store.states([MODE])[MODE]).since == 60

    class Overtaken:
        def states(self, names):
            return store.states(names)

        def count(self, counting):
            store.set_state(MODE, ModeRow(Mode.ON).to_text())
            return store.count(counting)

    with pytest.raises(ValueError, match="just been changed by another"):
        change_mode(Overtaken(), Mode.OFF, 70, "")
    assert read_mode(store.states([MODE])[MODE]).mode is Mode.ON
    store.close()
