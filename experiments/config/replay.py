"""The schema of a replay: how the log is replayed, and what a good ranking is."""

from dataclasses import dataclass

from adjuster.metrics.ranking import METRIC_NAMES
from adjuster.ranges import Rule, at_least, between, check_settings, one_of, or_null, setting
from experiments.config.ranges import a_path

SCOPES = ("user_id", "segment", "none")
"""Whose vectors a session reads and adjusts; ``none``: all sessions share them."""

ESTIMATORS = ("auto", "judged", "logged", "file", "estimated", "naive")
REPEATS = ("count", "ignore")


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
        20, between(1, 10_000), "Blocks (owner × time) that a trial is scored in, for pruning."
    )
    curve_points: int = setting(24, between(20, 10_000), "Points of the curve over time.")
    n_threads: int = setting(
        0,
        between(0, 1024),
        "Threads of the kernel, 0 being one per core; results do not depend on it.",
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
    estimator: str = setting(
        "auto",
        one_of(*ESTIMATORS),
        "What tells relevance: `judged` labels; clicks weighted against position by `logged` "
        "propensities, by those of a `file`, or by ones `estimated` from the log; or, `naive`, "
        "clicks as they are. `auto` takes the file where one is named, else the first of judged, "
        "logged and estimated that the log allows, else naive.",
    )
    propensity_file: str | None = setting(
        None,
        or_null(a_path()),
        "A CSV, Parquet or JSON file with the propensity of each position.",
    )
    repeat_clicks: str = setting(
        "count",
        one_of(*REPEATS),
        "`count`, or `ignore`: objects that this user clicked in an earlier session are left out "
        "of the ranking before it is scored.",
    )
    propensity_clip: float = setting(
        20.0,
        at_least(1),
        "Largest weight of a click; a click model makes up for what is cut off.",
    )

    def __post_init__(self) -> None:
        check_settings(self, "objective")
