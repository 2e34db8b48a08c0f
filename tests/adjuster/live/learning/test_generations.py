"""Which generations there are, and how one takes the place of another."""

import pytest

from adjuster import AdjusterConfig, SelectionConfig
from adjuster.live.learning.generations import (
    GENERATIONS,
    Champion,
    Change,
    GenerationRow,
    compared_anew,
    read_row,
)
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow, read_mode
from adjuster.live.storage.store import GENERATION, LeaseLost, Stretch
from tests.live_place import Place

OLD = Champion("old", AdjusterConfig(num_iterations=3), SelectionConfig(max_clicks=2))
NEW = Champion("new", AdjusterConfig(logit_bias=0.5), SelectionConfig())


@pytest.fixture
def store(tmp_path):
    opened = Place("sqlite", str(tmp_path / "live.db")).open()
    yield opened
    opened.close()


def test_a_generation_is_built_shown_and_returned_from():
    row = GenerationRow(champion=OLD).with_building(NEW)
    assert (row.active, row.building.generation, row.newest) == (0, 1, 1)
    row = row.at_stretch(Stretch(2, 5, (60, 3, "s")))
    shown = row.flipped(5)
    assert (shown.active, shown.champion, shown.previous, shown.previous_champion) == (
        *(1, NEW),
        *(0, OLD),
    )
    assert (shown.since_batch, shown.building) == (5, None)
    back = shown.returned()
    assert (back.active, back.champion, back.previous, back.refused) == (0, OLD, None, "new")
    # Numbers are never given twice: readers may still hold the copies of one that is gone.
    assert back.with_building(NEW).building.generation == 2


@pytest.mark.parametrize(
    "row",
    [
        GenerationRow(),
        GenerationRow(champion=OLD),
        GenerationRow(champion=OLD).with_building(NEW).at_stretch(Stretch(0, 7, (1, 2, "s"))),
        GenerationRow(champion=OLD).with_building(NEW).flipped(3),
        GenerationRow(champion=OLD).with_building(NEW).flipped(3).returned(),
    ],
)
def test_a_row_is_read_as_it_was_written(row):
    assert read_row(row.to_text()) == row


def test_settings_that_are_out_of_range_are_refused():
    text = (
        GenerationRow(champion=OLD).to_text().replace('"num_iterations": 3', '"num_iterations": -3')
    )
    with pytest.raises(ValueError, match="num_iterations must be"):
        read_row(text)


def test_a_change_of_what_has_changed_writes_nothing(store):
    Change(None, GenerationRow(champion=OLD)).write(store)
    assert store.state(GENERATION) == "0"
    text = store.state(GENERATIONS)
    Change(text, read_row(text).with_building(NEW).flipped(0)).write(store)
    assert store.state(GENERATION) == "1"
    for late in (None, text):
        with pytest.raises(LeaseLost, match="state's generations has changed"):
            Change(late, GenerationRow()).write(store)
    assert store.state(GENERATION) == "1"


@pytest.mark.parametrize(
    ("steps", "mode", "since"),
    [
        ((), None, 0),
        (("shadow",), None, 0),
        (("shadow", "interleave"), Mode.INTERLEAVE, 90),
        (("shadow", "interleave", "on"), Mode.INTERLEAVE, 90),
    ],
)
def test_a_comparison_begins_anew_with_other_copies(steps, mode, since):
    row = ModeRow()
    for step in steps:
        row = row.changed(Mode(step), 30, "A step.")
    state = compared_anew(row.to_text(), 90)
    if mode is None:
        assert state == {}
        return
    found = read_mode(state[MODE])
    assert (found.mode, found.since) == (mode, since)
    assert "compared anew" in found.why
