"""How searches fare: counts and sums, gathered in the process that searches and kept by minute."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.storage.outcome_store import OutcomeStore

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds up to which searches are counted together."""


class Seen(NamedTuple):
    """What one search tells of the system's health.

    Args:
        seconds: How long it took.
        n_adjusted: Results of the adjusted ranking's page that it ranks by a copy; None where no
            adjusted ranking was made.
        drift: Sum of their drift.
        is_equal: Whether the index answers as its own vectors do; None if it was not checked.
    """

    seconds: float
    n_adjusted: int | None = None
    drift: float = 0.0
    is_equal: bool | None = None


class HealthLog:
    """Gathers what searches tell; any thread may add.

    Args:
        max_latency_seconds: Beyond it a search is slow.
    """

    def __init__(self, max_latency_seconds: float = MonitorConfig().max_latency_seconds) -> None:
        self.max_latency_seconds = max_latency_seconds
        self._lock = Lock()
        self._sums: defaultdict[str, float] = defaultdict(float)

    def add(self, seen: Seen) -> None:
        """Add one search."""
        sums: dict[str, float] = {"searches": 1, "seconds": seen.seconds}
        sums["slow"] = seen.seconds > self.max_latency_seconds
        within = next((bound for bound in BUCKETS if seen.seconds <= bound), None)
        sums[bucket_name(within)] = 1
        if seen.n_adjusted is not None:
            sums |= {"ranked": 1, "reached": seen.n_adjusted > 0}
            sums |= {"adjusted": seen.n_adjusted, "drift": seen.drift}
        if seen.is_equal is not None:
            sums |= {"checked": 1, "unequal": not seen.is_equal}
        self._add(sums)

    def add_error(self) -> None:
        """Add a search that failed for a reason of the system's own."""
        self._add({"searches": 1, "errors": 1})

    def _add(self, sums: Mapping[str, float]) -> None:
        with self._lock:
            for name, value in sums.items():
                self._sums[name] += value

    def flush(self, store: OutcomeStore, at: float) -> None:
        """Move what was gathered into a store; it stays here if that fails.

        Args:
            store: Where it goes.
            at: The time, in epoch seconds.
        """
        with self._lock:
            sums, self._sums = self._sums, defaultdict(float)
        try:
            if sums:
                store.add_health(int(at) // 60, sums)
        except BaseException:
            self._add(sums)
            raise


def bucket_name(bound: float | None) -> str:
    """Under which name searches of up to so many seconds are counted; None for slower ones."""
    return "over" if bound is None else f"within {bound:g}"


@dataclass(frozen=True)
class Health:
    """The health of the searches of a stretch of time; NaN-free: shares of none are 0.

    Args:
        sums: As a store has them, by name.
    """

    sums: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.sums.get(name, 0.0)

    def share(self, name: str, of: str) -> float:
        """One sum over another, 0 of none.

        Example:
            >>> Health({"searches": 4.0, "errors": 1.0}).share("errors", "searches")
            0.25
        """
        return self[name] / self[of] if self[of] else 0.0

    @property
    def reach(self) -> float:
        """Share of the adjusted rankings whose page shows an adjusted result."""
        return self.share("reached", "ranked")

    @property
    def drift(self) -> float:
        """Mean drift of the adjusted results that were ranked into a page."""
        return self.share("drift", "adjusted")

    def latency(self, quantile: float) -> float:
        """Seconds within which a share of the searches answered: the upper bound of its bucket.

        Args:
            quantile: In (0, 1).

        Returns:
            0 of none, infinite beyond the last bound of `BUCKETS`.
        """
        total = sum(self[bucket_name(bound)] for bound in (*BUCKETS, None))
        answered = 0.0
        for bound in BUCKETS:
            answered += self[bucket_name(bound)]
            if answered >= quantile * total:
                return bound if total else 0.0
        return float("inf")

    def fault(self, config: MonitorConfig) -> str:
        """Which bound is broken, in one sentence; "" if none is."""
        if self["searches"] < config.health_searches:
            return ""
        bounds = (
            ("drift", self.drift, config.max_drift, "Mean drift of adjusted results"),
            ("errors", self.share("errors", "searches"), config.max_error_share, "Failed searches"),
            (
                "slow",
                self.share("slow", "searches"),
                config.max_slow_share,
                f"Searches over {config.max_latency_seconds:g} s",
            ),
            (
                "unequal",
                self.share("unequal", "checked"),
                config.max_unequal_share,
                "Searches whose index answers otherwise than its own vectors do",
            ),
        )
        broken = [
            f"{what} {value:.3g}, at most {most:g} allowed"
            for _, value, most, what in bounds
            if value > most
        ]
        return f"{'; '.join(broken)}." if broken else ""
