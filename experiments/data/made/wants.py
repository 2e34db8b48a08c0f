"""What everyone who asks a query wants: for good, or for a day."""

import numpy as np
from numpy.typing import NDArray

from experiments.config.data import SimulatedConfig


class SharedWants:
    """Likings that all users share and no vector knows, drawn as they are first asked for.

    Args:
        config: The weights; what has weight 0 is not drawn.
        rng: Chance.
    """

    def __init__(self, config: SimulatedConfig, rng: np.random.Generator) -> None:
        self._config = config
        self._seed = int(rng.integers(2**63)) if _any(config) else 0

    def add_to(
        self,
        liked: NDArray[np.float32],
        objects: slice,
        query: NDArray[np.int64],
        day: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Likings with what everyone wants added.

        Args:
            liked: Shape ``(n_sessions, n_topic_objects)``, without it.
            objects: The topic's objects.
            query: Shape ``(n_sessions,)``.
            day: Shape ``(n_sessions,)``.

        Returns:
            The shape of `liked`; the input itself where everyone wants nothing.
        """
        n_objects, config = objects.stop - objects.start, self._config
        by_day = query * config.n_days + day
        for part, (weight, unit) in enumerate(
            ((config.query_weight, query), (config.daily_weight, by_day))
        ):
            if weight > 0:
                distinct, place = np.unique(unit, return_inverse=True)
                drawn = np.stack([self._draw(part, int(one), n_objects) for one in distinct])
                liked = liked + np.float32(weight) * drawn[place]
        return liked

    def _draw(self, part: int, unit: int, n_objects: int) -> NDArray[np.float32]:
        """The want of one query, or one query's day, the same whenever it is asked for."""
        rng = np.random.default_rng([self._seed, part, unit])
        return rng.standard_normal(n_objects, np.float32)


def _any(config: SimulatedConfig) -> bool:
    return config.query_weight > 0 or config.daily_weight > 0


def flip_signs(config: SimulatedConfig) -> NDArray[np.float32]:
    """1 for a session whose likings are as ever, -1 from `flip_at` on; shape ``(n_sessions,)``.

    Example:
        >>> flip_signs(SimulatedConfig(n_sessions=4, flip_at=0.75)).tolist()
        [1.0, 1.0, 1.0, -1.0]
    """
    number = np.arange(config.n_sessions)
    return np.where(number >= config.flip_at * config.n_sessions, -1, 1).astype(np.float32)
