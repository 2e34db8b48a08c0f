"""The openings of sealed tests: who looked at which data's test part, counted for ever.

The seal belongs to the data, not to a study: another study name, another window or another
objective looks at the same people again, and whoever has seen what they did chooses with the test
in sight.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol, TypeVar

from experiments.common.errors import InputError

Found = TypeVar("Found")

DRIFT, SCORES = "drift", "scores"
"""What an opening sees of the test. Drift follows from feedback alone and says nothing of anybody's
gain: reading it is written down, but is not a look that an interval must pay for."""


@dataclass(frozen=True)
class Opening:
    """One look at the test part of a data set.

    Args:
        study: Name of the study that looked.
        trial: Number of its trial.
        window: Which sessions were the test, in words such as ``last 30 %``.
        objective: The metric and how it was estimated.
        setting: Digest of everything that decides the figures: settings, replay, objective.
        sees: `SCORES`, or `DRIFT` where only the vectors' drift over the test was read.
        opened_at: UTC epoch seconds.
    """

    study: str
    trial: int
    window: str
    objective: str
    setting: str
    sees: str
    opened_at: int

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Opening":
        """The opening that `to_dict` wrote.

        Raises:
            ValueError: If fields are missing, unknown or of another type.
        """
        kinds = {"trial": int, "opened_at": int}
        expected = tuple(item.name for item in fields(cls))
        if set(data) != set(expected):
            raise ValueError(f"an opening has {', '.join(expected)}, got {', '.join(data)}")
        for name in expected:
            kind = kinds.get(name, str)
            if not isinstance(data[name], kind):
                raise ValueError(f"{name} must be {kind.__name__}, got {data[name]!r}")
        return cls(**data)


class Ledger(Protocol):
    """Where openings are written, shared by all who may look at the same data."""

    @property
    def name(self) -> str:
        """Where it lies, in words."""

    def locked(self, action: Callable[[], Found]) -> Found:
        """Act while nobody else reads or writes; what may be done twice."""

    def read(self, fingerprint: str) -> Sequence[Mapping[str, Any]]:
        """The openings of a data set as plain data, oldest first."""

    def append(self, fingerprint: str, opening: Mapping[str, Any]) -> None:
        """Add one; durable when this returns."""


@dataclass(frozen=True)
class Look:
    """A look at a test part, as it is counted.

    Args:
        number: Which look it is, from 1; a setting seen before keeps its number.
        openings: Every opening of the data so far, this one included, oldest first.
    """

    number: int
    openings: tuple[Opening, ...]


def open_seal(
    ledgers: Sequence[Ledger], fingerprint: str, opening: Opening, *, reopen: bool
) -> Look:
    """Count a look and write it down before anything of the test is known.

    The same setting may be looked at again: it shows the same figures.

    Args:
        ledgers: All of them are read and written: one in the output folder, one in the shared
            storage.
        fingerprint: Of the data set.
        opening: The look.
        reopen: Allow a look at another setting.

    Raises:
        InputError: If the test part was opened on another setting and `reopen` is false.
    """
    return _locked(ledgers, lambda: _count(ledgers, fingerprint, opening, reopen))


def look_at(ledgers: Sequence[Ledger], fingerprint: str, setting: str) -> Look | None:
    """The look at a setting whose scores were opened before; None if they never were."""

    def find() -> Look | None:
        openings = _merged(ledgers, fingerprint)
        seen = seen_settings(openings)
        return Look(seen.index(setting) + 1, openings) if setting in seen else None

    return _locked(ledgers, find)


def seen_settings(openings: Sequence[Opening]) -> list[str]:
    """The settings whose scores were seen, in the order in which they were."""
    return list(dict.fromkeys(item.setting for item in openings if item.sees == SCORES))


def was_opened(ledgers: Sequence[Ledger], fingerprint: str) -> bool:
    """Whether anybody has seen the scores of a data set's test.

    Args:
        ledgers: Where every look at it is recorded.
        fingerprint: Of the data set.
    """
    return bool(_locked(ledgers, lambda: seen_settings(_merged(ledgers, fingerprint))))


def _count(ledgers: Sequence[Ledger], fingerprint: str, opening: Opening, reopen: bool) -> Look:
    openings = _merged(ledgers, fingerprint)
    others = [item for item in openings if item.sees == SCORES]
    seen = seen_settings(openings)
    if opening.setting not in seen and seen and not reopen:
        raise InputError(_refusal(others[-1], opening))
    if (opening.setting, opening.sees) not in {(item.setting, item.sees) for item in openings}:
        openings = (*openings, opening)
    for ledger in ledgers:
        known = {_key(item) for item in _read(ledger, fingerprint)}
        for item in openings:
            if _key(item) not in known:
                ledger.append(fingerprint, item.to_dict())
    seen = seen_settings(openings)
    number = seen.index(opening.setting) + 1 if opening.setting in seen else len(seen) + 1
    return Look(number, openings)


def _merged(ledgers: Sequence[Ledger], fingerprint: str) -> tuple[Opening, ...]:
    """The openings of all ledgers, each setting once per study and trial, oldest first."""
    found = {_key(item): item for ledger in ledgers for item in _read(ledger, fingerprint)}
    return tuple(sorted(found.values(), key=lambda item: (item.opened_at, _key(item))))


def _read(ledger: Ledger, fingerprint: str) -> list[Opening]:
    try:
        return [Opening.from_dict(item) for item in ledger.read(fingerprint)]
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"The record of sealed tests in {ledger.name} is damaged: {error}. Put a copy of it "
            "back; without one, no test counts as sealed any more."
        ) from None


def _key(opening: Opening) -> tuple[str, int, str, str]:
    return opening.study, opening.trial, opening.setting, opening.sees


def _locked(ledgers: Sequence[Ledger], action: Callable[[], Found]) -> Found:
    """Hold every ledger's lock, always in the same order."""
    if not ledgers:
        return action()
    return ledgers[0].locked(lambda: _locked(ledgers[1:], action))


def _refusal(earlier: Opening, now: Opening) -> str:
    return (
        f"The sealed test of this data set was opened on trial {earlier.trial} of study "
        f"{earlier.study} ({earlier.objective}, {earlier.window}); opening it on trial {now.trial} "
        f"of study {now.study} too would choose with the test in sight. Export study="
        f"{earlier.study} trial={earlier.trial} for the first, or give reopen=true for a further "
        "look: it is counted for ever, and widens the interval."
    )
