"""One calm record of how a live system stands, as API and command line print it."""

import math
from typing import Any, Protocol

from adjuster.live.monitoring.health import Health
from adjuster.live.monitoring.monitor import COMPARING, Look, current_look
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.storage.outcome_store import OutcomeStore
from adjuster.live.storage.records import Status
from adjuster.live.storage.store import GENERATION

TICKS_TOLD = 5
"""The last ticks that a status tells of."""


class StatusStore(OutcomeStore, Protocol):
    """The part of a store that a status is read from."""

    def counts(self) -> dict[Status, int]:
        """How many sessions stand where."""

    def ticks(self, limit: int) -> dict[int, dict[str, int]]:
        """The last ticks that found something, the latest first."""


def status(store: StatusStore, now: int, config: MonitorConfig) -> dict[str, Any]:
    """How a system stands, in plain values.

    Args:
        store: The system's.
        now: The time, in epoch seconds.
        config: The rules.

    Returns:
        ``mode``, ``since``, ``why``, ``history``; ``generation``; ``sessions`` (where they stand →
        how many); ``ticks`` (the last that found something); ``searches`` of the last minutes
        (number, errors, latency, reach, drift, parity); ``interleaving``, None before the first.
        What is not known is None.
    """
    seen = current_look(store, config)
    generation = store.states([GENERATION]).get(GENERATION, "0")
    counts = store.counts()
    return {
        "mode": seen.row.mode.value,
        "since": seen.row.since,
        "why": seen.row.why,
        "history": [step._asdict() for step in seen.row.history],
        "generation": int(generation),
        "sessions": {kind.value: counts.get(kind, 0) for kind in Status},
        "ticks": [{"tick": tick, **found} for tick, found in store.ticks(TICKS_TOLD).items()],
        "searches": _searches(Health(store.health(now // 60 - config.health_minutes)), config),
        "interleaving": _interleaving(seen),
    }


def _searches(health: Health, config: MonitorConfig) -> dict[str, Any]:
    n = health["searches"]
    return {
        "minutes": config.health_minutes,
        "n": int(n),
        "errors": int(health["errors"]),
        "slow_share": health.share("slow", "searches") if n else None,
        "p50_seconds": _finite(health.latency(0.5)) if n else None,
        "p99_seconds": _finite(health.latency(0.99)) if n else None,
        "reach": health.reach if health["ranked"] else None,
        "drift": health.drift if health["adjusted"] else None,
        "parity": 1 - health.share("unequal", "checked") if health["checked"] else None,
    }


def _interleaving(seen: Look) -> dict[str, Any] | None:
    if seen.comparison is None or seen.decision is None:
        return None
    tally, ends = seen.comparison.tally, seen.decision.interval
    return {
        "since": seen.comparison.since,
        "is_running": seen.row.mode in COMPARING and seen.row.since == seen.comparison.since,
        "sessions": tally.n_sessions,
        "users": tally.n_clusters,
        "credit": _finite(tally.mean),
        "low": _finite(ends.low),
        "high": _finite(ends.high),
        "confidence": ends.confidence,
        "decision": seen.decision.word,
        "sentence": seen.decision.why,
        "planned_sessions": seen.comparison.planned,
        "sessions_left": seen.decision.n_left,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
