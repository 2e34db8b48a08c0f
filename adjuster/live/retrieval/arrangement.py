"""What one search shows: one of two rankings, both interleaved, or one explored."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adjuster.live.monitoring.modes import Mode
from adjuster.live.ranking.exploration import mix_exploration
from adjuster.live.ranking.interleaving import team_draft
from adjuster.live.ranking.slots import Chances, chances_of_draft, chances_of_draws, completed

ORIGINALS_ONLY, ADJUSTED_ONLY, INTERLEAVED = "originals", "adjusted", "interleaved"


class Slot(NamedTuple):
    """What stands in a slot.

    Args:
        object_id: The object.
        propensity: Chance with which it stands there, given what the search was assigned to.
        team: As in `records.Impression`.
    """

    object_id: str
    propensity: float
    team: str | None = None


def assign(mode: Mode, who: str, *, shares: tuple[float, float], seed: int) -> str:
    """What a search shows: ``originals``, ``adjusted`` or ``interleaved``.

    Who asks decides it, not chance, so that one user sees the same kind of ranking throughout.

    Args:
        mode: The system's.
        who: The user, or the session of an unknown one.
        shares: Of the users with interleaved rankings, in ``interleave`` and in ``on``.
        seed: Another one assigns others.
    """
    if mode in (Mode.OFF, Mode.SHADOW):
        return ORIGINALS_ONLY
    wanted = shares[0] if mode is Mode.INTERLEAVE else shares[1]
    if fraction_of(f"share {seed} {who}") < wanted:
        return INTERLEAVED
    return ORIGINALS_ONLY if mode is Mode.INTERLEAVE else ADJUSTED_ONLY


def interleave(
    adjusted: Sequence[str], originals: Sequence[str], n_slots: int, rng: np.random.Generator
) -> list[Slot]:
    """The first slots of two rankings interleaved by `interleaving.team_draft`.

    Args:
        adjusted: Objects, best first.
        originals: Objects in their other order; it may hold others.
        n_slots: At most so many.
        rng: Draws the coins.
    """
    both = completed(adjusted, originals), completed(originals, adjusted)
    n_slots = min(n_slots, len(both[0]))
    # Slots that both fill alike use up no round, and a coin too many does no harm.
    coins = rng.random((len(both[0]) + 1) // 2) < 0.5
    shown, teams = team_draft(*both, coins.tolist())
    return _slots(shown[:n_slots], chances_of_draft(*both, n_slots), teams)


def explore(
    adjusted: Sequence[str],
    originals: Sequence[str],
    ratio: float,
    n_slots: int,
    rng: np.random.Generator,
) -> list[Slot]:
    """The first slots of the adjusted ranking with the originals' mixed in.

    Args:
        adjusted: Objects, best first.
        originals: Objects in their other order; it may hold others.
        ratio: Chance of a slot to be filled from `originals`, in [0, 1].
        n_slots: At most so many.
        rng: Draws the slots.
    """
    if not ratio:
        return alone(adjusted, n_slots)
    both = completed(adjusted, originals), completed(originals, adjusted)
    n_slots = min(n_slots, len(both[0]))
    shown = mix_exploration(*both, ratio, rng)[:n_slots]
    return _slots(shown, chances_of_draws(*both, ratio, n_slots), [None] * n_slots)


def alone(ranking: Sequence[str], n_slots: int) -> list[Slot]:
    """The first slots of one ranking, which nothing is left to chance in."""
    return [Slot(name, 1.0) for name in ranking[:n_slots]]


def draws_of(session_id: str, seed: int) -> np.random.Generator:
    """The generator of a session's draws, the same whenever and wherever it is searched again."""
    digest = hashlib.sha256(f"draws {seed} {session_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _slots(shown: Sequence[str], chances: Chances[str], teams: Sequence[str | None]) -> list[Slot]:
    return [
        Slot(name, chance[name], team)
        for name, chance, team in zip(shown, chances, teams, strict=False)
    ]


def fraction_of(text: str) -> float:
    """A text as a number in [0, 1), evenly spread over texts and the same everywhere."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
