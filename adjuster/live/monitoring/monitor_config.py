"""How a live system is watched, and what makes it turn itself on or off."""

from dataclasses import dataclass

from adjuster.ranges import at_least, between, check_settings, positive, setting


@dataclass
class MonitorConfig:
    """What decides, and what turns it off.

    Example:
        >>> MonitorConfig(max_drift=0)
        Traceback (most recent call last):
        ValueError: monitor.max_drift must be > 0 and <= 2, got 0.
    """

    planned_sessions: int = setting(
        20_000,
        at_least(1, "session"),
        "Interleaved sessions by which a decision is expected; `python -m experiments.export` "
        "prints how many a log asks for. Fixed before the first.",
    )
    settle_seconds: int = setting(
        1800, at_least(0, "seconds"), "Age at which an interleaved session's clicks are counted."
    )
    confidence: float = setting(
        0.95, between(0.5, 0.9999), "Confidence of the interval, of all looks together."
    )
    max_drift: float = setting(
        0.2, positive(2), "Largest mean drift of the adjusted results that searches rank."
    )
    max_latency_seconds: float = setting(
        0.25, positive(), "A search that takes longer is slow; one in a hundred may be."
    )
    max_slow_share: float = setting(0.01, between(0, 1), "Largest share of slow searches.")
    max_error_share: float = setting(0.01, between(0, 1), "Largest share of failed searches.")
    max_unequal_share: float = setting(
        0.0,
        between(0, 1),
        "Largest share of checked searches whose index answers otherwise than its own vectors do.",
    )
    health_minutes: int = setting(
        60, at_least(1, "minute"), "How far back the health of searches is looked at."
    )
    health_searches: int = setting(
        100, at_least(1, "search"), "Searches below which their health says too little."
    )

    def __post_init__(self) -> None:
        check_settings(self, "monitor")
