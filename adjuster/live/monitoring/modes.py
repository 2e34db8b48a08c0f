"""What a live system shows: one row of its state, with how it came to stand as it does."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import NamedTuple

from adjuster.live.storage.outcome_store import Counting, OutcomeStore

MODE = "mode"
"""Under this name the state holds the row."""

MOST_KEPT = 100
"""Transitions that are kept, the latest."""


class Mode(str, Enum):
    """What searches show, and whether that is compared.

    ``OFF``: the originals' ranking. ``SHADOW``: the same, while the adjusted one is computed too
    and its health recorded; that proves nothing about clicks. ``INTERLEAVE``: to a share of the
    users both rankings, interleaved; to the rest the originals'. ``ON``: the adjusted ranking, and
    still interleaved to a small share.
    """

    OFF = "off"
    SHADOW = "shadow"
    INTERLEAVE = "interleave"
    ON = "on"


NEXT: Mapping[Mode, tuple[Mode, ...]] = {
    Mode.OFF: (Mode.SHADOW,),
    Mode.SHADOW: (Mode.INTERLEAVE, Mode.OFF),
    Mode.INTERLEAVE: (Mode.ON, Mode.SHADOW, Mode.OFF),
    Mode.ON: (Mode.INTERLEAVE, Mode.SHADOW, Mode.OFF),
}
"""Up by one step at a time, down by any number."""


class Transition(NamedTuple):
    """One change of the mode.

    Args:
        at: When, in epoch seconds.
        left: The mode before.
        entered: The mode after.
        why: In one sentence.
    """

    at: int
    left: str
    entered: str
    why: str


@dataclass(frozen=True)
class ModeRow:
    """The mode, and how it came to be.

    Args:
        mode: What holds.
        since: From when on, in epoch seconds; 0 if it was never changed.
        why: In one sentence.
        history: The transitions, the latest last.
    """

    mode: Mode = Mode.OFF
    since: int = 0
    why: str = "It was never turned on."
    history: tuple[Transition, ...] = ()

    def changed(self, to: Mode, at: int, why: str) -> "ModeRow":
        """The row after a transition.

        Args:
            to: The new mode.
            at: When, in epoch seconds.
            why: In one sentence.

        Raises:
            ValueError: If the mode does not lead there.

        Example:
            >>> row = ModeRow().changed(Mode.SHADOW, 60, "A first look.")
            >>> row.mode.value, row.since, row.history[-1].left
            ('shadow', 60, 'off')
        """
        if to not in NEXT[self.mode]:
            ways = " or ".join(mode.value for mode in NEXT[self.mode])
            raise ValueError(
                f"mode must be {ways} after {self.mode.value}, got {to.value}. Go one step at a "
                "time: off, shadow, interleave, on."
            )
        step = Transition(at, self.mode.value, to.value, why)
        return replace(self, mode=to, since=at, why=why, history=(*self.history, step)[-MOST_KEPT:])

    def to_text(self) -> str:
        """The row as the state holds it."""
        return json.dumps(asdict(self) | {"history": list(self.history)})


def read_mode(text: str | None) -> ModeRow:
    """The row of a state's text; that of a new system where there is none.

    Raises:
        ValueError: If the text is no such row.

    Example:
        >>> read_mode(ModeRow().changed(Mode.SHADOW, 60, "A look.").to_text()).mode.value
        'shadow'
    """
    if text is None:
        return ModeRow()
    try:
        found = json.loads(text)
        history = tuple(Transition(*step) for step in found["history"])
        return ModeRow(Mode(found["mode"]), int(found["since"]), str(found["why"]), history)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"the state's mode cannot be read: {error}.") from error


def change_mode(store: OutcomeStore, to: Mode, at: int, why: str) -> ModeRow:
    """Change a system's mode, unless somebody else is changing it.

    Args:
        store: The system's.
        to: The new mode.
        at: The time, in epoch seconds.
        why: In one sentence.

    Returns:
        The new row.

    Raises:
        ValueError: If the mode does not lead there, or has just been changed.
    """
    text = store.states([MODE]).get(MODE)
    row = read_mode(text).changed(to, at, why)
    if not store.count(Counting(expected={MODE: text}, state={MODE: row.to_text()})):
        raise ValueError("the mode has just been changed by another. Look at it, and ask again.")
    return row
