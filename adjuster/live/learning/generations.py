"""Generations of copies: which is shown, which is being built, and what each learns with.

A generation is all owners' copies under one configuration. The next one learns all that is stored
while the one before is shown; they change places in one transaction.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from adjuster.config import AdjusterConfig
from adjuster.live.monitoring.modes import MODE, Mode, read_mode
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.store import (
    BATCHES,
    GENERATION,
    LeaseLost,
    Outcome,
    Store,
    Stretch,
    WorkerStore,
)
from adjuster.selection import SelectionConfig

GENERATIONS = "generations"
"""Under this name the state holds the row."""


@dataclass(frozen=True)
class Champion:
    """A configuration that a generation learns with.

    Args:
        name: Its version; another name is another configuration.
        adjuster: The adjuster's settings, none of them ``auto``.
        selection: Which sessions are used.
    """

    name: str
    adjuster: AdjusterConfig
    selection: SelectionConfig

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Champion":
        """The champion that `asdict` made a dictionary of, checked again."""
        adjuster, selection = data["adjuster"], data["selection"]
        return cls(str(data["name"]), AdjusterConfig(**adjuster), SelectionConfig(**selection))


class ChampionSource(Protocol):
    """Where the configuration to follow is found."""

    def champion(self) -> Champion | None:
        """The one to follow now; None if that is not to be found out now."""


@dataclass(frozen=True)
class Building:
    """A generation on its way.

    Args:
        generation: Its number.
        champion: What it learns with.
        stretch: What it learns next.
    """

    generation: int
    champion: Champion
    stretch: Stretch = field(default_factory=lambda: Stretch(0, 0))


@dataclass(frozen=True)
class GenerationRow:
    """Which generations there are.

    Args:
        active: The one that is shown and learns.
        champion: What it learns with; None before the first worker came.
        since_batch: The last batch before it was shown.
        previous: The one before, kept for a return; None if there is none.
        previous_champion: What that one learns with.
        refused: Name of the champion that was returned from; it is not followed again.
        building: The one on its way.
        newest: The highest number given.
    """

    active: int = 0
    champion: Champion | None = None
    since_batch: int = 0
    previous: int | None = None
    previous_champion: Champion | None = None
    refused: str = ""
    building: Building | None = None
    newest: int = 0

    def to_text(self) -> str:
        """The row as the state holds it."""
        return json.dumps(asdict(self))

    def with_building(self, champion: Champion) -> "GenerationRow":
        """The row once a new generation is begun; one that was on its way is given up."""
        number = self.newest + 1
        return replace(self, newest=number, building=Building(number, champion))

    def at_stretch(self, stretch: Stretch) -> "GenerationRow":
        """The row once the new generation has come so far."""
        assert self.building is not None
        return replace(self, building=replace(self.building, stretch=stretch))

    def flipped(self, batch: int) -> "GenerationRow":
        """The row once the new generation is shown."""
        assert self.building is not None
        return replace(
            self,
            active=self.building.generation,
            champion=self.building.champion,
            since_batch=batch,
            previous=self.active,
            previous_champion=self.champion,
            building=None,
        )

    def returned(self) -> "GenerationRow":
        """The row once the generation before is shown again."""
        assert self.previous is not None
        return replace(
            self,
            active=self.previous,
            champion=self.previous_champion,
            previous=None,
            previous_champion=None,
            refused=self.champion.name if self.champion else "",
            building=None,
        )


def read_row(text: str | None) -> GenerationRow:
    """The row of a state's text; that of a new system where there is none.

    Example:
        >>> row = GenerationRow().with_building(Champion("a", AdjusterConfig(), SelectionConfig()))
        >>> read_row(row.to_text()) == row, read_row(None).active
        (True, 0)
    """
    if text is None:
        return GenerationRow()
    data = json.loads(text)
    for name in ("champion", "previous_champion"):
        data[name] = data[name] and Champion.from_dict(data[name])
    if data["building"]:
        building = data["building"]
        after, up_to, key = building["stretch"]
        stretch = Stretch(after, up_to, None if key is None else (key[0], key[1], key[2]))
        champion = Champion.from_dict(building["champion"])
        data["building"] = Building(building["generation"], champion, stretch)
    return GenerationRow(**data)


@dataclass(frozen=True)
class Change:
    """A change of the row that is written if nobody else has changed it since it was read.

    Args:
        text: The row as it was read.
        row: The new row.
        outcome: What is written with it.
    """

    text: str | None
    row: GenerationRow
    outcome: Outcome = field(default_factory=lambda: Outcome(0, 0))

    def write(self, store: WorkerStore) -> None:
        """Write it.

        Raises:
            LeaseLost: If it comes too late.
        """
        rows = {GENERATIONS: self.row.to_text(), GENERATION: str(self.row.active)}
        store.finish(
            new_lease(0, 1),
            replace(
                self.outcome,
                state={**self.outcome.state, **rows},
                expected={**self.outcome.expected, GENERATIONS: self.text},
            ),
        )


def compared_anew(text: str | None, at: int) -> dict[str, str]:
    """What the state holds of the mode once another generation is shown.

    What was found out by interleaving speaks of the one before: a comparison under way begins
    anew, and what was turned on has to win again.

    Args:
        text: The mode before.
        at: When, in epoch seconds.
    """
    row, why = read_mode(text), "Other copies are shown, which are compared anew."
    if row.mode is Mode.ON:
        return {MODE: row.changed(Mode.INTERLEAVE, at, why).to_text()}
    if row.mode is Mode.INTERLEAVE:
        return {MODE: replace(row, since=at, why=why).to_text()}
    return {}


def roll_back(store: Store, at: int) -> GenerationRow:
    """Show the generation before again; what was learnt since is pending for it.

    Args:
        store: The system's.
        at: When, in epoch seconds.

    Returns:
        The row after it.

    Raises:
        ValueError: If there is no generation before.
    """
    while True:
        text = store.state(GENERATIONS)
        row = read_row(text)
        if row.previous is None:
            raise ValueError(
                f"Generation {row.active} is the only one: there is none to go back to."
            )
        mode = store.state(MODE)
        back = Outcome(
            at,
            row.previous,
            state=compared_anew(mode, at),
            expected={MODE: mode},
            reopened_after=row.since_batch,
        )
        try:
            Change(text, row.returned(), back).write(store)
        except LeaseLost:
            continue
        return row.returned()


def last_batch(store: Store) -> int:
    """The number of the last batch that closed sessions, 0 before the first."""
    return int(store.state(BATCHES) or 0)
