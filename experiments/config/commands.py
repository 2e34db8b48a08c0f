"""The schema of every command's configuration: defaults, types and ranges, in one place.

The dataclasses stay unfrozen: Hydra cannot compose onto frozen ones.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.data import EncoderConfig, IngestConfig, InspectConfig, SimulateConfig
from experiments.config.ranges import check

SCOPES = ("user_id", "segment", "none")
METRICS = ("ndcg_at_5", "ndcg_at_10", "mrr", "map", "recall_at_10")


@dataclass
class DatasetConfig:
    """Which click log to read.

    Args:
        name: The data set; ``movielens`` and ``simulated`` are prepared when `path` is null.
        path: A folder in the data set format; null means the prepared folder ``data/<name>``.
    """

    name: str = "folder"
    path: str | None = None

    def __post_init__(self) -> None:
        prepared = self.name in ("movielens", "simulated")
        check(
            "dataset",
            [("path", self.path, bool(self.path) or prepared, "the folder of the data set")],
        )


@dataclass
class SplitConfig:
    """Shares of the sessions, in time order; what is left after warmup and tune is the test."""

    warmup: float = 0.2
    tune: float = 0.5

    def __post_init__(self) -> None:
        check(
            "replay.split",
            [
                ("warmup", self.warmup, 0 <= self.warmup < 1, "in [0, 1)"),
                ("tune", self.tune, 0 < self.tune <= 1, "in (0, 1]"),
                (
                    "warmup + tune",
                    self.warmup + self.tune,
                    self.warmup + self.tune < 1 + 1e-9,
                    "at most 1",
                ),
            ],
        )


@dataclass
class ReplayConfig:
    """How the log is replayed; the same for every trial of a study.

    Args:
        interval_seconds: Seconds between ticks; by default the adjuster's own.
        personalize_by: Whose vectors a session reads and adjusts; null is the data set's default.
        split: Warmup, tune and test.
        quiet_seconds: A session is marked for improvement when nothing has happened in it for
            so long after a click, >= 0; 1800 is the usual end of a visit, 0 the first click.
        batch_size: Sessions that the worker adjusts in one call, >= 1.
        bystander_share: Share of the queries whose feedback is withheld and which are scored
            apart, in [0, 1).
        bystander_fold: Which of the withheld sets, 0-based, when they are withheld in turn.
        exploration_ratio: Chance that a result slot is filled from the unpersonalized ranking.
        n_blocks: Blocks (owner × time) that a trial is scored in, for pruning, >= 1.
        curve_points: Points of the curve over time, >= 20.
        n_threads: Threads of the kernel; 0 is one a core. Results do not depend on it.
        seed: Of the withheld sets and of exploration.
    """

    interval_seconds: int = 3600
    personalize_by: str | None = None
    split: SplitConfig = field(default_factory=SplitConfig)
    quiet_seconds: int = 1800
    batch_size: int = 1024
    bystander_share: float = 0.0
    bystander_fold: int = 0
    exploration_ratio: float = 0.0
    n_blocks: int = 20
    curve_points: int = 24
    n_threads: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        check(
            "replay",
            [
                (
                    "interval_seconds",
                    self.interval_seconds,
                    self.interval_seconds >= 0,
                    ">= 0 seconds (0 is at once)",
                ),
                (
                    "personalize_by",
                    self.personalize_by,
                    self.personalize_by in (None, *SCOPES),
                    f"one of {', '.join(SCOPES)}",
                ),
                ("quiet_seconds", self.quiet_seconds, self.quiet_seconds >= 0, ">= 0 seconds"),
                ("batch_size", self.batch_size, self.batch_size >= 1, ">= 1 session"),
                (
                    "bystander_share",
                    self.bystander_share,
                    0 <= self.bystander_share < 1,
                    "in [0, 1)",
                ),
                ("bystander_fold", self.bystander_fold, self.bystander_fold >= 0, ">= 0"),
                (
                    "exploration_ratio",
                    self.exploration_ratio,
                    0 <= self.exploration_ratio <= 1,
                    "in [0, 1]",
                ),
                ("n_blocks", self.n_blocks, self.n_blocks >= 1, ">= 1"),
                ("curve_points", self.curve_points, self.curve_points >= 20, ">= 20"),
                ("n_threads", self.n_threads, self.n_threads >= 0, ">= 0 (0 is one a core)"),
            ],
        )


@dataclass
class ObjectiveConfig:
    """What a good ranking is.

    Args:
        metric: The metric that the study maximizes, after adjustment.
        label: ``click``, or ``relevance`` where the log holds judgements.
        repeat_clicks: ``count``, or ``ignore``: objects that this user clicked in an earlier
            session are left out of the ranking before it is scored.
        propensity: ``none``, ``logged`` or ``estimated``: report a position-debiased NDCG beside
            the naive one.
        propensity_clip: Inverse propensities are clipped at this, >= 1.
    """

    metric: str = "ndcg_at_10"
    label: str = "click"
    repeat_clicks: str = "count"
    propensity: str = "none"
    propensity_clip: float = 20.0

    def __post_init__(self) -> None:
        check(
            "objective",
            [
                ("metric", self.metric, self.metric in METRICS, f"one of {', '.join(METRICS)}"),
                (
                    "label",
                    self.label,
                    self.label in ("click", "relevance"),
                    "one of click, relevance",
                ),
                (
                    "repeat_clicks",
                    self.repeat_clicks,
                    self.repeat_clicks in ("count", "ignore"),
                    "one of count, ignore",
                ),
                (
                    "propensity",
                    self.propensity,
                    self.propensity in ("none", "logged", "estimated"),
                    "one of none, logged, estimated",
                ),
                ("propensity_clip", self.propensity_clip, self.propensity_clip >= 1, ">= 1"),
            ],
        )


@dataclass
class GuardrailsConfig:
    """Bounds that the best configuration must keep; null lifts one.

    Args:
        max_mean_drift: Mean of 1 - cosine(original, adjusted), in [0, 2].
        max_harmed_share: Share of scored sessions whose metric fell, in [0, 1].
        bystanders: ``keep_off`` when withheld queries clearly lose, or ``report`` only.
    """

    max_mean_drift: float | None = 0.2
    max_harmed_share: float | None = None
    bystanders: str = "keep_off"
    min_gain: float = 0.005
    max_bystander_loss: float = 0.005

    def __post_init__(self) -> None:
        drift, harmed = self.max_mean_drift, self.max_harmed_share
        check(
            "guardrails",
            [
                ("max_mean_drift", drift, drift is None or 0 <= drift <= 2, "in [0, 2] or null"),
                (
                    "max_harmed_share",
                    harmed,
                    harmed is None or 0 <= harmed <= 1,
                    "in [0, 1] or null",
                ),
                (
                    "bystanders",
                    self.bystanders,
                    self.bystanders in ("keep_off", "report"),
                    "one of keep_off, report",
                ),
            ],
        )


@dataclass
class StudyConfig:
    """The study: its name, its length and its seed.

    Args:
        name: The same name again goes on where it stood; letters, digits, ``-``, ``_``, ``.``.
        n_trials: Trials that the study shall reach, enqueued ones included, >= 1.
        seed: Decides everything that is random.
        enqueue: ``profiles``: the published defaults and profiles first; ``presets``: every
            preset too; ``none``.
        storage: null is a journal file under ``output_dir``; else an SQLAlchemy URL.
        workers: Processes on this study, >= 1.
    """

    name: str = MISSING
    n_trials: int = 100
    seed: int = 0
    enqueue: str = "profiles"
    storage: str | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        name = self.name
        plain = bool(name) and all(part.isalnum() or part in "-_." for part in name)
        check(
            "study",
            [
                (
                    "name",
                    name,
                    plain and not name.startswith(".") and len(name) <= 100,
                    "1 to 100 letters, digits, -, _ or ., not starting with a dot",
                ),
                ("n_trials", self.n_trials, self.n_trials >= 1, ">= 1 trial"),
                ("seed", self.seed, 0 <= self.seed < 2**32, "in [0, 2**32)"),
                (
                    "enqueue",
                    self.enqueue,
                    self.enqueue in ("none", "profiles", "presets"),
                    "one of none, profiles, presets",
                ),
                ("workers", self.workers, self.workers >= 1, ">= 1 process"),
            ],
        )


@dataclass
class ParameterConfig:
    """One dimension of a search space.

    Args:
        type: ``float``, ``int`` or ``categorical``.
        field: The setting that it gives a value; null: the one it is named after. Two
            parameters may share a setting if their `when` never hold together.
        low: Smallest value (float, int).
        high: Largest value (float, int).
        log: Draw uniformly in the logarithm.
        choices: Values of a categorical one.
        when: Only searched where these other parameters, which stand above it, have these
            values (one, or a list of them).
    """

    type: str = MISSING
    field: str | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: list[Any] | None = None
    when: dict[str, Any] | None = None


@dataclass
class SearchSpaceConfig:
    """The dimensions that the sampler searches, by the name of the setting."""

    parameters: dict[str, ParameterConfig] = field(default_factory=dict)


@dataclass
class SamplerConfig:
    """Which Optuna sampler proposes trials: tpe, gp, cmaes, qmc, random or grid.

    Args:
        name: The sampler.
        n_startup_trials: Random trials before the model starts, >= 0.
        grid_points: Values a dimension that the grid takes, >= 1.
    """

    name: str = "tpe"
    n_startup_trials: int = 10
    grid_points: int = 5

    def __post_init__(self) -> None:
        names = ("tpe", "gp", "cmaes", "qmc", "random", "grid")
        check(
            "sampler",
            [
                ("name", self.name, self.name in names, f"one of {', '.join(names)}"),
                ("n_startup_trials", self.n_startup_trials, self.n_startup_trials >= 0, ">= 0"),
                ("grid_points", self.grid_points, self.grid_points >= 1, ">= 1"),
            ],
        )


@dataclass
class PrunerConfig:
    """Which Optuna pruner stops hopeless trials: wilcoxon, hyperband, median or none.

    Args:
        name: The pruner.
        p_threshold: Of the Wilcoxon signed-rank test, in (0, 1).
        n_startup_steps: Blocks before anything is pruned, >= 0.
    """

    name: str = "wilcoxon"
    p_threshold: float = 0.1
    n_startup_steps: int = 4

    def __post_init__(self) -> None:
        names = ("wilcoxon", "hyperband", "median", "none")
        check(
            "pruner",
            [
                ("name", self.name, self.name in names, f"one of {', '.join(names)}"),
                ("p_threshold", self.p_threshold, 0 < self.p_threshold < 1, "in (0, 1)"),
                ("n_startup_steps", self.n_startup_steps, self.n_startup_steps >= 0, ">= 0"),
            ],
        )


@dataclass
class TrackingConfig:
    """Where trials are logged.

    Args:
        name: ``mlflow`` or ``none``.
        uri: An MLflow tracking URI; null is ``<output_dir>/mlflow.db``.
        experiment: Name of the MLflow experiment; null is the data set's name.
    """

    name: str = "mlflow"
    uri: str | None = None
    experiment: str | None = None

    def __post_init__(self) -> None:
        check(
            "tracking",
            [("name", self.name, self.name in ("mlflow", "none"), "one of mlflow, none")],
        )


@dataclass
class SweepConfig:
    """Everything that decides a sweep."""

    dataset: DatasetConfig = MISSING
    adjuster: AdjusterConfig = field(default_factory=AdjusterConfig)
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    guardrails: GuardrailsConfig = field(default_factory=GuardrailsConfig)
    study: StudyConfig = MISSING
    search_space: SearchSpaceConfig = field(default_factory=SearchSpaceConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    pruner: PrunerConfig = field(default_factory=PrunerConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    output_dir: str = "outputs"
    verbose: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass
class DatasetPathConfig:
    """Where the data set lies now, if not where the exported configuration says."""

    path: str | None = None


@dataclass
class EvaluateConfig:
    """Which exported configuration to replay.

    Args:
        config: Path of a ``best.yaml``.
        dataset: A folder to read instead of the one that the configuration names.
    """

    config: str = MISSING
    dataset: DatasetPathConfig = field(default_factory=DatasetPathConfig)


EXPORT_FORMATS = ("yaml", "env", "plugin", "json")
"""``best.yaml``, ``best.env``, ``best_plugin.py`` and ``best.json``."""


@dataclass
class ExportConfig:
    """Which study to export, and as what.

    Args:
        study: Its name.
        trial: A trial's number; null is the best one within the guardrails.
        reopen: Open the sealed test on another trial than before.
        format: One of `EXPORT_FORMATS`, or ``all``.
        force: Write the files to deploy even where the verdict is ``keep off``.
        vectors: A folder for the personalized vectors of a replay of the whole log, or null.
        dataset: A folder to read instead of the one that the study names.
        output_dir: Where the sweep wrote.
    """

    study: str = MISSING
    trial: int | None = None
    reopen: bool = False
    format: str = "all"
    force: bool = False
    vectors: str | None = None
    dataset: DatasetPathConfig = field(default_factory=DatasetPathConfig)
    output_dir: str = "outputs"

    def __post_init__(self) -> None:
        known = ("all", *EXPORT_FORMATS)
        check("", [("format", self.format, self.format in known, f"one of {', '.join(known)}")])

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats asked for."""
        return EXPORT_FORMATS if self.format == "all" else (self.format,)


@dataclass
class ReportConfig:
    """Which study to report on.

    Args:
        study: Its name.
        output_dir: Where the sweep wrote.
    """

    study: str = MISSING
    output_dir: str = "outputs"


@dataclass
class CompareConfig:
    """Which two to compare: two studies (their best trials) or two exported configurations.

    Args:
        studies: Names of two studies, or none.
        configs: Paths of two ``best.yaml``, or none.
        dataset: A folder to replay configurations on instead of the one that they name.
        output_dir: Where the sweeps wrote.
    """

    studies: list[str] = field(default_factory=list)
    configs: list[str] = field(default_factory=list)
    dataset: DatasetPathConfig = field(default_factory=DatasetPathConfig)
    output_dir: str = "outputs"

    def __post_init__(self) -> None:
        counts = sorted((len(self.studies), len(self.configs)))
        if counts != [0, 2]:
            raise ValueError(
                "studies or configs must name two, separated by a comma: studies=a,b or "
                f"configs=a/best.yaml,b/best.yaml; got studies={','.join(self.studies)} and "
                f"configs={','.join(self.configs)}."
            )


@dataclass
class TrackConfig:
    """Which study to deliver to MLflow.

    Args:
        study: Its name.
        output_dir: Where the sweep wrote.
        uri: The tracking server or store; null is the sweep's own.
    """

    study: str = MISSING
    output_dir: str = "outputs"
    uri: str | None = None


COMMANDS: dict[str, type] = {
    "sweep": SweepConfig,
    "evaluate": EvaluateConfig,
    "export": ExportConfig,
    "report": ReportConfig,
    "track": TrackConfig,
    "compare": CompareConfig,
    "simulate": SimulateConfig,
    "ingest": IngestConfig,
    "inspect": InspectConfig,
}
"""A command's configuration by its name; the file ``conf/<name>.yaml`` holds its choices."""

GROUPS: dict[str, type] = {
    "dataset": DatasetConfig,
    "adjuster": AdjusterConfig,
    "selection": SelectionConfig,
    "replay": ReplayConfig,
    "objective": ObjectiveConfig,
    "guardrails": GuardrailsConfig,
    "search_space": SearchSpaceConfig,
    "sampler": SamplerConfig,
    "pruner": PrunerConfig,
    "tracking": TrackingConfig,
    "encoder": EncoderConfig,
}
"""A group's schema by its name; its files start from ``schema``."""


def register() -> None:
    """Make the schemas known to Hydra: ``<group>/schema`` and ``<command>_schema``."""
    store = ConfigStore.instance()
    for group, schema in GROUPS.items():
        store.store(group=group, name="schema", node=schema)
    for command, schema in COMMANDS.items():
        store.store(name=f"{command}_schema", node=schema)
