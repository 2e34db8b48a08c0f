"""The schema of every command's configuration: defaults, types and ranges, in one place.

The dataclasses stay unfrozen: Hydra cannot compose onto frozen ones.
"""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from adjuster.config import AdjusterConfig
from adjuster.ranges import Rule, between, check_settings, one_of, setting
from adjuster.selection import SelectionConfig
from experiments.config.data import (
    DatasetConfig,
    DatasetPathConfig,
    EncoderConfig,
    IngestConfig,
    InspectedConfig,
    SimulateConfig,
)
from experiments.config.partitions import EngineConfig, PartitionConfig
from experiments.config.ranges import or_missing, study_name
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.config.serve import ServeConfig
from experiments.config.study import (
    GuardrailsConfig,
    PrunerConfig,
    SamplerConfig,
    SearchSpaceConfig,
    StudyConfig,
    TrackingConfig,
)

EXPORT_FORMATS = ("yaml", "env", "plugin", "json")
"""``best.yaml``, ``best.env``, ``best_plugin.py`` and ``best.json``."""

SWEPT = "The output folder of all studies, where the sweep wrote."


@dataclass
class SweepConfig:
    """Everything that decides a sweep."""

    dataset: DatasetConfig = setting(MISSING)
    adjuster: AdjusterConfig = setting(factory=AdjusterConfig)
    selection: SelectionConfig = setting(factory=SelectionConfig)
    replay: ReplayConfig = setting(factory=ReplayConfig)
    objective: ObjectiveConfig = setting(factory=ObjectiveConfig)
    guardrails: GuardrailsConfig = setting(factory=GuardrailsConfig)
    study: StudyConfig = setting(MISSING)
    search_space: SearchSpaceConfig = setting(factory=SearchSpaceConfig)
    sampler: SamplerConfig = setting(factory=SamplerConfig)
    pruner: PrunerConfig = setting(factory=PrunerConfig)
    engine: EngineConfig = setting(factory=EngineConfig)
    tracking: TrackingConfig = setting(factory=TrackingConfig)
    output_dir: str = setting("outputs", text="The output folder of all studies.")
    verbose: bool = setting(False, text="Log every trial; `-v` is short for it.")
    provenance: dict[str, Any] = setting(
        factory=dict, text="Where an exported configuration comes from; nothing reads it here."
    )


@dataclass
class EvaluateConfig:
    """Which exported configuration to replay."""

    config: str = setting(MISSING, text="Path of a `best.yaml`.")
    dataset: DatasetPathConfig = setting(factory=DatasetPathConfig)


@dataclass
class ExportConfig:
    """Which study to export, and as what."""

    study: str = setting(MISSING, or_missing(study_name()), "Name of the study.")
    trial: int | None = setting(
        None, text="Number of a trial; null is the best one within the guardrails."
    )
    reopen: bool = setting(False, text="Open the sealed test on another trial than before.")
    format: str = setting(
        "all", one_of("all", *EXPORT_FORMATS), "The files to write; `all` writes each of them."
    )
    force: bool = setting(
        False, text="Write the files to deploy even where the verdict is not `adopt`."
    )
    vectors: str | None = setting(
        None,
        text="A folder for the personalized vectors of a replay of the whole log, or null.",
    )
    dataset: DatasetPathConfig = setting(factory=DatasetPathConfig)
    output_dir: str = setting("outputs", text=SWEPT)

    def __post_init__(self) -> None:
        check_settings(self, "")

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats asked for."""
        return EXPORT_FORMATS if self.format == "all" else (self.format,)


@dataclass
class ReportConfig:
    """Which study to report on."""

    study: str = setting(MISSING, or_missing(study_name()), "Name of the study.")
    output_dir: str = setting("outputs", text=SWEPT)

    def __post_init__(self) -> None:
        check_settings(self, "")


@dataclass
class UiConfig:
    """What the MLflow UI shows, and where it is served."""

    output_dir: str = setting("outputs", text=SWEPT)
    port: int = setting(5000, between(0, 65535), "Its port on this machine; 0 takes a free one.")

    def __post_init__(self) -> None:
        check_settings(self, "")


@dataclass
class CompareConfig:
    """Which two to compare: two studies (their best trials) or two exported configurations."""

    studies: list[str] = setting(factory=list, text="Names of two studies, or none.")
    configs: list[str] = setting(factory=list, text="Paths of two `best.yaml`, or none.")
    dataset: DatasetPathConfig = setting(factory=DatasetPathConfig)
    output_dir: str = setting("outputs", text=SWEPT)

    def __post_init__(self) -> None:
        counts = sorted((len(self.studies), len(self.configs)))
        if counts != [0, 2]:
            raise ValueError(
                "studies or configs must name two, separated by a comma: studies=a,b or "
                f"configs=a/best.yaml,b/best.yaml; got studies={','.join(self.studies)} and "
                f"configs={','.join(self.configs)}."
            )
        must = study_name()
        for name in self.studies:
            if not must.holds(name):
                raise ValueError(f"studies must each be {must.words}, got {name}.")


@dataclass
class TrackConfig:
    """Which study to deliver to MLflow."""

    study: str = setting(MISSING, or_missing(study_name()), "Name of the study.")
    output_dir: str = setting("outputs", text=SWEPT)
    uri: str | None = setting(None, text="The tracking server or store; null is the sweep's own.")
    uri_env: str | None = setting(None, text="The environment variable that holds `uri`.")

    def __post_init__(self) -> None:
        good = self.uri is None or self.uri_env is None
        check_settings(self, "", [Rule("uri_env", self.uri_env, good, "null where uri is given")])


@dataclass
class InspectConfig:
    """Which data set to look at, and how a sweep would replay it."""

    dataset: InspectedConfig = setting(factory=InspectedConfig)
    adjuster: AdjusterConfig = setting(factory=AdjusterConfig)
    selection: SelectionConfig = setting(factory=SelectionConfig)
    replay: ReplayConfig = setting(factory=ReplayConfig)
    objective: ObjectiveConfig = setting(factory=ObjectiveConfig)
    guardrails: GuardrailsConfig = setting(factory=GuardrailsConfig)
    output_dir: str = setting(
        "outputs",
        text="`card.json` and `card.html` are written to `<output_dir>/cards/<name>`.",
    )


COMMANDS: dict[str, type] = {
    "sweep": SweepConfig,
    "evaluate": EvaluateConfig,
    "export": ExportConfig,
    "report": ReportConfig,
    "ui": UiConfig,
    "track": TrackConfig,
    "compare": CompareConfig,
    "simulate": SimulateConfig,
    "ingest": IngestConfig,
    "partition": PartitionConfig,
    "inspect": InspectConfig,
    "serve": ServeConfig,
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
    "engine": EngineConfig,
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
