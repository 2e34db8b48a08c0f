"""The schema of a replay: how the log is replayed, and what a good ranking is."""

from dataclasses import dataclass

from adjuster.metrics.ranking import METRIC_NAMES
from adjuster.ranges import Rule, at_least, between, check_settings, one_of, or_null, setting

SCOPES = ("user_id", "segment", "none")
"""Whose vectors a session reads and adjusts; ``none``: all sessions share them."""

LABELS = ("click", "relevance")
REPEATS = ("count", "ignore")
PROPENSITIES = ("none", "logged", "estimated")


@dataclass
class SplitConfig:
    """Shares of the sessions, in time order; what is left after warmup and tune is the test."""

    warmup: float = setting(
        0.2, between(0, 1, "[)"), "Share of the sessions that are learnt from and not scored."
    )
    tune: float = setting(
        0.5, between(0, 1, "(]"), "Share of the sessions that the study is scored on."
    )

    def __post_init__(self) -> None:
        both = self.warmup + self.tune
        check_settings(
            self, "replay.split", [Rule("warmup + tune", both, both < 1 + 1e-9, "at most 1")]
        )


@dataclass
class ReplayConfig:
    """How the log is replayed; the same for every trial of a study.

    How often the worker ticks is the adjuster's setting: `AdjusterConfig.interval_seconds`.
    """

    personalize_by: str | None = setting(
        None,
        or_null(one_of(*SCOPES)),
        "Whose vectors a session reads and adjusts; null is the data set's default.",
    )
    split: SplitConfig = setting(factory=SplitConfig, text="Warmup, tune and test.")
    quiet_seconds: int = setting(
        1800,
        at_least(0, "seconds"),
        "A session is marked for improvement when nothing has happened in it for so long after a "
        "click; 1800 is the usual end of a visit, 0 the first click.",
    )
    batch_size: int = setting(
        1024, at_least(1, "session"), "Sessions that the worker adjusts in one call."
    )
    bystander_share: float = setting(
        0.0,
        between(0, 1, "[)"),
        "Share of the queries whose feedback is withheld and which are scored apart.",
    )
    bystander_fold: int = setting(
        0, at_least(0), "Which of the withheld sets, 0-based, when they are withheld in turn."
    )
    exploration_ratio: float = setting(
        0.0,
        between(0, 1),
        "Chance that a result slot is filled from the unpersonalized ranking.",
    )
    n_blocks: int = setting(
        20, at_least(1), "Blocks (owner × time) that a trial is scored in, for pruning."
    )
    curve_points: int = setting(24, at_least(20), "Points of the curve over time.")
    n_threads: int = setting(
        0,
        at_least(0, "(0 is one per core)"),
        "Threads of the kernel; results do not depend on it.",
    )
    seed: int = setting(0, text="Seed of the withheld sets and of exploration.")

    def __post_init__(self) -> None:
        check_settings(self, "replay")


@dataclass
class ObjectiveConfig:
    """What a good ranking is."""

    metric: str = setting(
        "ndcg_at_10",
        one_of(*METRIC_NAMES),
        "The metric that the study maximizes, after adjustment.",
    )
    label: str = setting(
        "click", one_of(*LABELS), "`click`, or `relevance` where the log holds judgements."
    )
    repeat_clicks: str = setting(
        "count",
        one_of(*REPEATS),
        "`count`, or `ignore`: objects that this user clicked in an earlier session are left out "
        "of the ranking before it is scored.",
    )
    propensity: str = setting(
        "none",
        one_of(*PROPENSITIES),
        "Report a position-debiased NDCG beside the naive one, with logged or estimated "
        "propensities.",
    )
    propensity_clip: float = setting(
        20.0, at_least(1), "Inverse propensities are clipped at this value."
    )

    def __post_init__(self) -> None:
        check_settings(self, "objective")
