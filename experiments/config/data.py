"""The schema of data sets, and of the commands that make one or look at one."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from adjuster.ranges import Rule, at_least, between, check_settings, one_of, or_null, setting
from experiments.config.ranges import a_path
from experiments.config.replay import SCOPES

MADE = ("movielens", "simulated")
"""Data sets that are prepared when no folder is named."""

SOURCES = ("embedding_studio", "table", "ubi", "coveo", "mind", "movielens", "metarank")
ENCODERS = ("wordllama", "sentence_transformers")
METRIC_TYPES = ("cosine", "dot", "euclid")
AGGREGATIONS = ("min", "avg")
ON_ERROR = ("fail", "quarantine")
MAPPING_MUST = "a YAML file with source=table, and nothing with other sources"


@dataclass
class DatasetConfig:
    """Which click log to read."""

    name: str = setting(
        "folder",
        text="The data set; `movielens` and `simulated` are prepared when `path` is null.",
    )
    path: str | None = setting(
        None,
        text="A folder in the data set format; null means the prepared folder `data/<name>`.",
    )

    def __post_init__(self) -> None:
        good = bool(self.path) or self.name in MADE
        rule = Rule("path", self.path, good, "the folder of the data set")
        check_settings(self, "dataset", [rule])


@dataclass
class DatasetPathConfig:
    """Where the data set lies now, if not where the exported configuration says."""

    path: str | None = setting(
        None, text="A folder to read instead of the one that the configuration names."
    )


def _count(default: int, text: str, least: int = 1) -> Any:
    return setting(default, at_least(least), text)


def _share(default: float, text: str) -> Any:
    return setting(default, between(0, 1), text)


@dataclass
class SimulatedConfig:
    """The sizes of a simulated shop and the behaviour of its users."""

    n_sessions: int = _count(30_000, "Searches.")
    n_users: int = _count(300, "Users.")
    n_objects: int = setting(1_500, text="Objects, at least `n_topics * n_shown`.")
    n_topics: int = _count(30, "Topics, each with at least `n_shown` objects.")
    n_queries: int = setting(1_500, text="Distinct queries, at least 1 per topic.")
    n_shown: int = _count(20, "Results of a search.", 2)
    max_parts: int = _count(4, "An object has 1 to this many parts.")
    dimensions: int = _count(64, "Length of the vectors.", 2)
    n_days: int = _count(60, "Days that the log spans.")
    repeat_share: float = _share(
        0.4, "Chance that a user asks one of their own earlier queries again."
    )
    examination_decay: float = setting(
        0.5, between(0, 10), "A result at position p is looked at with chance (p + 1)^-decay."
    )
    click_noise: float = _share(
        0.03, "Chance that a result looked at is clicked though it is worthless."
    )
    late_share: float = _share(0.05, "Share of the clicks that arrive hours late.")
    irrelevant_share: float = _share(
        0.01, "Share of the sessions that their users mark as irrelevant."
    )
    null: bool = setting(
        False, text="Clicks carry no signal: what is looked at is clicked by chance."
    )

    def __post_init__(self) -> None:
        objects, queries = self.n_topics * self.n_shown, self.n_topics
        enough, must = self.n_objects >= objects, f">= n_topics * n_shown ({objects})"
        check_settings(
            self,
            "simulated",
            [
                Rule("n_objects", self.n_objects, enough, must),
                Rule(
                    "n_queries",
                    self.n_queries,
                    self.n_queries >= queries,
                    f">= n_topics ({queries})",
                ),
            ],
        )


@dataclass
class SimulateConfig:
    """What to simulate, and where to write it."""

    output: str = setting("data/simulated", a_path(), "The folder to write.")
    seed: int = setting(0, at_least(0), "Seed of everything that is drawn.")
    overwrite: bool = setting(False, text="Replace a data set that is there.")
    simulated: SimulatedConfig = setting(factory=SimulatedConfig, text="The sizes.")

    def __post_init__(self) -> None:
        check_settings(self, "")


@dataclass
class EncoderConfig:
    """What turns texts into vectors."""

    name: str = setting(
        "wordllama",
        one_of(*ENCODERS),
        "`wordllama`, which needs no download, or `sentence_transformers`.",
    )
    model: str | None = setting(None, text="Name of a sentence-transformers model.")

    def __post_init__(self) -> None:
        named = self.name != "sentence_transformers" or bool(self.model)
        must = "the name of a model when encoder=sentence_transformers"
        check_settings(self, "encoder", [Rule("model", self.model, named, must)])


@dataclass
class PartsConfig:
    """How long documents are split into parts."""

    max_tokens: int = _count(128, "Words that a part holds at most.")
    max_parts: int = _count(
        16, "Parts that an object has at most; the rest of the text is left out."
    )
    average: bool = setting(
        True, text="Add the mean of an object's parts as one more part, where it has several."
    )

    def __post_init__(self) -> None:
        check_settings(self, "parts")


@dataclass
class IngestConfig:
    """Which log to read, how, and where to write it."""

    source: str = setting(MISSING, one_of(*SOURCES), "What kind of log it is.")
    path: str = setting(MISSING, a_path(), "The file or folder to read.")
    output: str = setting(MISSING, a_path(), "The folder to write.")
    name: str | None = setting(None, text="Name of the data set; null is the output folder's.")
    mapping: str | None = setting(
        None, text="For `source=table`: a YAML file that says which column is what."
    )
    encoder: EncoderConfig = setting(factory=EncoderConfig, text="For texts without vectors.")
    parts: PartsConfig = setting(factory=PartsConfig, text="How long texts are split.")
    metric_type: str = setting("cosine", one_of(*METRIC_TYPES), "How vectors are compared.")
    metric_aggregation_type: str = setting("min", one_of(*AGGREGATIONS), "How parts are pooled.")
    personalize_by: str | None = setting(
        None, or_null(one_of(*SCOPES)), "The data set's default scope; null is the source's."
    )
    click_types: list[str] | None = setting(
        None, text="Events that count as clicks; null is the source's own list."
    )
    on_error: str = setting(
        "fail", one_of(*ON_ERROR), "`fail`, or `quarantine`: bad rows go to a file of their own."
    )
    overwrite: bool = setting(False, text="Replace a data set that is there.")

    def __post_init__(self) -> None:
        good = bool(self.mapping) == (self.source == "table")
        check_settings(self, "", [Rule("mapping", self.mapping, good, MAPPING_MUST)])


@dataclass
class InspectedConfig:
    """Which data set to look at: a folder in the data set format."""

    path: str = setting(MISSING, text="The folder.")


@dataclass
class InspectConfig:
    """Which data set to look at."""

    dataset: InspectedConfig = setting(factory=InspectedConfig)
    output_dir: str = setting(
        "outputs",
        text="`card.json` and `card.html` are written to `<output_dir>/cards/<name>`.",
    )
