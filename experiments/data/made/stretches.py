"""A simulated log drawn a stretch of time after the other, each from a seed of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.common.errors import InputError
from experiments.config.data import SimulatedConfig
from experiments.data.made.browsing import Searches, click_times, draw_results
from experiments.data.made.shop import Shop

N_STRETCHES = 64
FEWEST_SESSIONS, MOST_SESSIONS = 50, 40_000
STRETCHES_KEY = 1
"""Keeps the stretches' chance apart from what the shop's generator spawns."""

ACROSS = {
    "shown_order": "similarity",
    "query_weight": 0.0,
    "daily_weight": 0.0,
    "flip_at": 1.0,
    "bot_share": 0.0,
}
"""Settings by which sessions depend on each other, and what they must be here."""


@dataclass(frozen=True)
class Stretch:
    """Some sessions that follow each other, with what they show.

    Args:
        first: Number of the first one.
        shown: Shape ``(n_sessions, n_shown)``: objects.
        relevance: Their true grades.
        session: Shape ``(n_clicks,)``: counted from the first.
        position: Shape ``(n_clicks,)``.
        clicked_at: Shape ``(n_clicks,)``: epoch seconds.
    """

    first: int
    shown: NDArray[np.int32]
    relevance: NDArray[np.int8]
    session: NDArray[np.int64]
    position: NDArray[np.int64]
    clicked_at: NDArray[np.int64]


def check_independent(config: SimulatedConfig) -> None:
    """Check that no session depends on another but by its user.

    Raises:
        InputError: Naming the settings by which one does.
    """
    found = [
        f"simulated.{name} must be {value}, got {getattr(config, name)}"
        for name, value in ACROSS.items()
        if getattr(config, name) != value
    ]
    if config.followed == "refinding":
        found.append("simulated.clicks_follow must be relevance or position, got refinding")
    if found:
        raise InputError(
            f"A log that is simulated in partitions is drawn a stretch at a time: "
            f"{'; '.join(found)}. Simulate it whole, and cut it with `python -m "
            "experiments.partition`."
        )


def stretch_sessions(n_sessions: int) -> int:
    """How many sessions a stretch has, whatever the log is cut into.

    Example:
        >>> stretch_sessions(10_000_000), stretch_sessions(640_000), stretch_sessions(300)
        (40000, 10000, 50)
    """
    return min(MOST_SESSIONS, max(FEWEST_SESSIONS, -(-n_sessions // N_STRETCHES)))


def iter_stretches(
    shop: Shop, searches: Searches, config: SimulatedConfig, seed: int
) -> Iterator[Stretch]:
    """Draw what all searches show and what is clicked, in order of time.

    Args:
        shop: The truth.
        searches: All of them.
        config: Sizes and behaviour, without anything of `ACROSS`.
        seed: Of what is drawn, with the stretch's number.
    """
    size = stretch_sessions(config.n_sessions)
    for number, first in enumerate(range(0, config.n_sessions, size)):
        mine = slice(first, first + size)
        some = Searches(*(getattr(searches, name)[mine] for name in SEARCH_COLUMNS))
        source = np.random.SeedSequence(seed, spawn_key=(STRETCHES_KEY, number))
        yield _draw(shop, some, config, first, np.random.default_rng(source))


SEARCH_COLUMNS = ("user", "query", "created_at", "is_irrelevant")


def _draw(
    shop: Shop, searches: Searches, config: SimulatedConfig, first: int, rng: np.random.Generator
) -> Stretch:
    results = draw_results(shop, searches, replace(config, n_sessions=len(searches.user)), rng)
    session, position = np.nonzero(results.clicked)
    return Stretch(
        first=first,
        shown=results.shown,
        relevance=results.relevance,
        session=session,
        position=position,
        clicked_at=click_times(searches.created_at[session], position, config, rng),
    )
