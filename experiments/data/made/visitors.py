"""Who a log says its visitors are: a bot among them, and people of whom it says nothing."""

import numpy as np
from numpy.typing import NDArray

from experiments.common.errors import InputError
from experiments.config.data import SimulatedConfig

BOT_OBJECTS = 8
"""A bot clicks one object in so many."""

NOBODY = -1
"""The user of a session of which the log does not say whose it is."""


def choose_bot_sessions(
    human: NDArray[np.int64], bot: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Hand sessions to a bot, at random, until it has its share of all clicks.

    Args:
        human: Shape ``(n_sessions,)``: clicks of each session if a person makes it.
        bot: Shape ``(n_sessions,)``: clicks of each session if the bot makes it.
        share: Of the clicks, in [0, 1).
        rng: Chance.

    Returns:
        Shape ``(n_sessions,)``: which are the bot's, as few as it takes.

    Raises:
        InputError: If even all but one session would be too few.
    """
    order = rng.permutation(len(human))
    by_bot = np.cumsum(bot[order])
    by_people = human.sum() - np.cumsum(human[order])
    enough = by_bot >= share * np.maximum(by_bot + by_people, 1)
    enough[-1:] = False
    if not enough.any():
        raise InputError(
            f"simulated.bot_share must be reachable, got {share}: the bot is shown too few of its "
            "objects. Use a smaller share or more sessions."
        )
    chosen = np.zeros(len(human), bool)
    chosen[order[: int(np.argmax(enough)) + 1]] = True
    return chosen


def draw_bot_objects(n_objects: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which objects the bot clicks: one in eight, at least one; shape ``(n_objects,)``."""
    wanted = np.zeros(n_objects, bool)
    wanted[rng.permutation(n_objects)[: -(-n_objects // BOT_OBJECTS)]] = True
    return wanted


def signed(
    user: NDArray[np.int64],
    by_bot: NDArray[np.bool_],
    config: SimulatedConfig,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Whose the log says that each session is.

    Args:
        user: Shape ``(n_sessions,)``: the person who searched.
        by_bot: Shape ``(n_sessions,)``: the sessions that are a bot's instead.
        config: Share of unknown users, number of the bot's ids.
        rng: Chance.

    Returns:
        Shape ``(n_sessions,)``: a person; ``n_users`` or more for a bot's id; or `NOBODY`.
    """
    names = user.copy()
    if by_bot.any():
        ids = rng.integers(0, max(config.bot_ids, 1), int(by_bot.sum()))
        names[by_bot] = config.n_users + ids if config.bot_ids else NOBODY
    if config.unknown_users_share > 0:
        names[rng.random(len(names)) < config.unknown_users_share] = NOBODY
    return names
