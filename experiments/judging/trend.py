"""Whether a gain still holds at the end of the test: its last quarter against the rest."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.judging.clustered_interval import ClusteredInterval, clustered_interval
from experiments.judging.influence import Influence, change, users_mean
from experiments.judging.statistics import N_RESAMPLES, cluster_numbers

QUARTER = 0.75


class Trend(NamedTuple):
    """How a gain went on.

    Args:
        late: The gain over users' means of the last quarter's sessions.
        change: The last quarter's gain less that of the first three.
    """

    late: ClusteredInterval
    change: ClusteredInterval

    @property
    def clearly_negative(self) -> bool:
        """Whether the last quarter's whole interval lies below 0."""
        return self.late.interval.high < 0

    @property
    def clearly_falling(self) -> bool:
        """Whether the gain fell: the change's whole interval lies below 0."""
        return self.change.interval.high < 0


def last_quarter(created_at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The last quarter of the sessions by time; sessions of one moment stay together.

    Example:
        >>> last_quarter(np.array([5.0, 1.0, 2.0, 3.0, 9.0, 4.0, 0.0, 6.0])).tolist()
        [False, False, False, False, True, False, False, True]
    """
    if not len(created_at):
        return np.zeros(0, np.bool_)
    edge = np.sort(created_at)[int(QUARTER * len(created_at))]
    late: NDArray[np.bool_] = created_at >= edge
    return late


def trend(
    differences: NDArray[np.float64],
    users: NDArray[np.int64],
    units: NDArray[np.int64] | None,
    created_at: NDArray[np.float64],
    *,
    seed: int,
    confidence: float = 0.95,
    n_resamples: int = N_RESAMPLES,
) -> Trend:
    """Gain of the last quarter and its change, clustered like the whole test's.

    Users and units that stand on both sides of the edge are one cluster each in the change.

    Args:
        differences: Shape ``(n_sessions,)``: after less before.
        users: Shape ``(n_sessions,)``, -1 unknown.
        units: Shape ``(n_sessions,)``: what sessions share beside users, or None.
        created_at: Shape ``(n_sessions,)``, any unit of time.
        seed: Of the resampling.
        confidence: Of both intervals.
        n_resamples: Of the bootstrap.

    Raises:
        ValueError: If all sessions are of one moment, so that there is no earlier part.

    Example:
        >>> rng, time = np.random.default_rng(0), np.arange(400.0)
        >>> gains = np.where(time < 300, 0.1, -0.1) + 0.1 * rng.normal(size=400)
        >>> found = trend(gains, np.arange(400) % 80, None, time, seed=0)
        >>> found.clearly_negative, found.clearly_falling
        (True, True)
    """
    late = last_quarter(created_at)
    if late.all():
        raise ValueError(
            f"A trend needs sessions of at least two moments, got {len(late)} sessions of one."
        )
    owners = np.where(users >= 0, users, users.max(initial=0) + 1 + np.arange(len(users)))
    order = np.concatenate([np.flatnonzero(~late), np.flatnonzero(late)])
    parts = {part: _gain(differences, owners, late == part) for part in (False, True)}

    def interval(
        influence: Influence, rows: NDArray[np.int64], largest: float
    ) -> ClusteredInterval:
        return clustered_interval(
            influence,
            cluster_numbers(owners[rows]),
            None if units is None else cluster_numbers(units[rows]),
            seed=seed,
            confidence=confidence,
            n_resamples=n_resamples,
            bounds=(-largest, largest),
        )

    return Trend(
        interval(parts[True], np.flatnonzero(late), 1.0),
        interval(change(parts[True], parts[False]), order, 2.0),
    )


def _gain(
    differences: NDArray[np.float64], owners: NDArray[np.int64], rows: NDArray[np.bool_]
) -> Influence:
    return users_mean(differences[rows], cluster_numbers(owners[rows]))
