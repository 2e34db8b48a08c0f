"""The schema of a study: its length, its search, its bounds and where its trials are logged."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from adjuster.ranges import (
    ANYTHING,
    Rule,
    at_least,
    between,
    check_settings,
    not_negative,
    one_of,
    or_null,
    or_word,
    positive,
    setting,
)
from experiments.config.ranges import counted, one_folder, study_name, study_names

SAMPLERS = ("tpe", "forest", "gp", "cmaes", "qmc", "random", "grid")
PRUNERS = ("wilcoxon", "hyperband", "median", "none")
ENQUEUE = ("none", "profiles", "presets")
BYSTANDERS = ("keep_off", "report")
TRACKERS = ("mlflow", "none")
AUTO = "auto"
"""In place of a number of trials: the study finds when to end."""

SEEDS = 2**32
"""Seeds that a study may have: 0 up to below this."""


@dataclass
class StudyConfig:
    """The study: its name, its length and its seed."""

    name: str = setting(
        MISSING, study_name(), "Name of the study; the same name again goes on where it stood."
    )
    n_trials: Any = setting(
        100,
        or_word(counted(), AUTO),
        "Trials that the study shall reach, enqueued ones included; `auto` goes on until as many "
        "again would be expected to gain less than `study.min_gain`.",
    )
    min_gain: float = setting(
        0.001,
        positive(1),
        "With `study.n_trials=auto`: what further trials must be expected to gain of the "
        "objective, so far as users can tell trials apart.",
    )
    seed: int = setting(0, between(0, SEEDS, "[)"), "Seed of everything that is random.")
    enqueue: str = setting(
        "profiles",
        one_of(*ENQUEUE),
        "What is tried first: `profiles`: the published defaults and profiles; `presets`: every "
        "preset too; `none`.",
    )
    start_from: list[str] = setting(
        must=study_names(),
        text="Earlier studies of the same output folder, or the same `storage`; the best trial of "
        "each within its guardrails is tried before all else.",
        factory=list,
    )
    storage: str | None = setting(
        None,
        text="Null is a journal file under `output_dir`; else an SQLAlchemy URL, whose user and "
        "password are kept in no file.",
    )
    storage_env: str | None = setting(
        None, text="The environment variable that holds `storage`, so that no command line does."
    )
    workers: int = setting(1, between(1, 256), "Processes that work on this study.")

    def __post_init__(self) -> None:
        good = self.storage is None or self.storage_env is None
        rule = Rule("storage_env", self.storage_env, good, "null where study.storage is given")
        others = Rule(
            "start_from", self.start_from, self.name not in self.start_from, "other studies' names"
        )
        check_settings(self, "study", [rule, others])

    @property
    def n_asked(self) -> int | None:
        """How many trials were asked for; None where the study itself finds when to end."""
        return None if self.n_trials == AUTO else int(self.n_trials)

    @property
    def is_shared(self) -> bool:
        """Whether several machines may work on it."""
        return self.storage is not None or self.storage_env is not None


@dataclass
class GuardrailsConfig:
    """Bounds that the best configuration must keep; null lifts one."""

    max_mean_drift: float | None = setting(
        0.2,
        or_null(between(0, 2)),
        "Largest mean of 1 - cosine(original, adjusted), as it comes to by the end of the log.",
    )
    max_harmed_share: float | None = setting(
        None, or_null(between(0, 1)), "Largest share of scored sessions whose metric fell."
    )
    bystanders: str = setting(
        "keep_off",
        one_of(*BYSTANDERS),
        "`keep_off` when withheld queries clearly lose, or `report` only.",
    )
    min_gain: float = setting(
        0.005,
        not_negative(),
        "Smallest gain worth having: a verdict keeps off where any gain is below it.",
    )
    max_bystander_loss: float = setting(
        0.005,
        not_negative(),
        "Largest mean loss over all traffic that queries without feedback may cause.",
    )

    def __post_init__(self) -> None:
        check_settings(self, "guardrails")


@dataclass
class ParameterConfig:
    """One dimension of a search space."""

    type: str = setting(MISSING, text="`float`, `int` or `categorical`.")
    field: str | None = setting(
        None,
        text="The setting that it gives a value; null: the one it is named after. Two parameters "
        "may share a setting if their `when` never hold together.",
    )
    low: float | None = setting(None, text="Smallest value (float, int).")
    high: float | None = setting(None, text="Largest value (float, int).")
    log: bool = setting(False, text="Draw uniformly in the logarithm.")
    choices: list[Any] | None = setting(None, text="Values of a categorical one.")
    when: dict[str, Any] | None = setting(
        None,
        text="Only searched where these other parameters, which stand above it, have these values "
        "(one, or a list of them).",
    )


@dataclass
class SearchSpaceConfig:
    """The dimensions that the sampler searches."""

    parameters: dict[str, ParameterConfig] = setting(
        factory=dict, text="The dimensions, by the name of the setting."
    )


@dataclass
class SamplerConfig:
    """Which Optuna sampler proposes trials."""

    name: str = setting("tpe", one_of(*SAMPLERS), "The sampler.")
    n_startup_trials: int = setting(10, at_least(0), "Random trials before the model starts.")
    family_trials: int = setting(
        4,
        at_least(1, "trial"),
        "Trials of every family (a combination of choices that others depend on) before the forest "
        "proposes.",
    )
    grid_points: int = setting(5, between(1, 1_000), "Values per dimension that the grid takes.")

    def __post_init__(self) -> None:
        check_settings(self, "sampler")


@dataclass
class PrunerConfig:
    """Which Optuna pruner stops hopeless trials."""

    name: str = setting("wilcoxon", one_of(*PRUNERS), "The pruner.")
    p_threshold: float = setting(
        0.1, between(0, 1, "()"), "Threshold of the Wilcoxon signed-rank test."
    )
    n_startup_steps: int = setting(4, at_least(0), "Blocks before anything is pruned.")

    def __post_init__(self) -> None:
        check_settings(self, "pruner")


@dataclass
class TrackingConfig:
    """Where trials are logged."""

    name: str = setting("mlflow", one_of(*TRACKERS), "Where to: MLflow, or nowhere.")
    uri: str | None = setting(
        None,
        text="An MLflow tracking URI; null is `<output_dir>/mlflow.db`. User and password are "
        "kept in no file.",
    )
    uri_env: str | None = setting(
        None, text="The environment variable that holds `uri`, so that no command line does."
    )
    experiment: str | None = setting(
        None, text="Name of the MLflow experiment; null is the data set's name."
    )

    def __post_init__(self) -> None:
        good = self.uri is None or self.uri_env is None
        both = Rule("uri_env", self.uri_env, good, "null where tracking.uri is given")
        # The store beside the studies makes a folder of the name; a server may have paths.
        name = one_folder(250) if self.is_local else ANYTHING
        safe = self.experiment is None or name.holds(self.experiment)
        check_settings(
            self, "tracking", [both, Rule("experiment", self.experiment, safe, name.words)]
        )

    @property
    def is_local(self) -> bool:
        """Whether it is the store beside the studies."""
        return self.uri is None and self.uri_env is None
