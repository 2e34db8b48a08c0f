"""Users who click again on the next days what they clicked before, and otherwise by chance."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

REFIND_CHANCE = 0.7
"""Chance that a user who is shown what they clicked a few days before clicks it again."""

REFIND_DAYS = 3
"""Days for which a click is remembered; never on the day itself."""


def draw_refinding(
    user: NDArray[np.int64],
    day: NDArray[np.int64],
    shown: NDArray[np.int32],
    chance: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Draw clicks, day after day.

    Args:
        user: Shape ``(n_sessions,)``.
        day: Shape ``(n_sessions,)``, ascending, from 0.
        shown: Shape ``(n_sessions, n_shown)``: objects.
        chance: Shape ``(n_shown,)``: of a click at a position on what is new to the user.
        rng: Chance.

    Returns:
        What is clicked, and what the user looks for because of an earlier click, wherever it
        stands; both of the shape of `shown`.
    """
    pairs = user[:, None] * (int(shown.max(initial=0)) + 1) + shown
    distinct, pair = np.unique(pairs, return_inverse=True)
    pair = pair.reshape(shown.shape)
    last_day = np.full(len(distinct), -REFIND_DAYS - 1)
    clicked, sought = np.zeros(shown.shape, bool), np.zeros(shown.shape, bool)
    bounds = np.searchsorted(day, np.arange(int(day.max(initial=-1)) + 2))
    for today, (start, stop) in enumerate(pairwise(bounds)):
        here = pair[start:stop]
        ago = today - last_day[here]
        sought[start:stop] = (ago >= 1) & (ago <= REFIND_DAYS)
        likely = np.where(sought[start:stop], np.float32(REFIND_CHANCE), chance)
        clicked[start:stop] = rng.random(here.shape, np.float32) < likely
        last_day[here[clicked[start:stop]]] = today
    return clicked, sought
