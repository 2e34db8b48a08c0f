"""The schema of the commands that make data sets or look at one: simulate, ingest, inspect."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from experiments.config.ranges import Rule, check

SOURCES = ("embedding_studio", "table", "ubi", "coveo", "mind", "movielens", "metarank")
PAIRS = ("n_shown", "dimensions")
"""Sizes of the simulated shop of which there must be two."""


@dataclass
class SimulatedConfig:
    """The sizes of a simulated shop and the behaviour of its users.

    Args:
        n_sessions: Searches, >= 1.
        n_users: Users, >= 1.
        n_objects: Objects, >= `n_shown`.
        n_topics: Topics, >= 1, each with at least `n_shown` objects.
        n_queries: Distinct queries, >= 1 a topic.
        n_shown: Results of a search, >= 2.
        max_parts: An object has 1 to this many parts, >= 1.
        dimensions: Length of the vectors, >= 2.
        n_days: Days that the log spans, >= 1.
        repeat_share: Chance that a user asks one of their own earlier queries again, in [0, 1].
        examination_decay: A result at position p is looked at with chance (p + 1)^-decay, >= 0.
        click_noise: Chance that a result looked at is clicked though it is worthless, in [0, 1].
        late_share: Share of the clicks that arrive hours late, in [0, 1].
        irrelevant_share: Share of the sessions that their users mark as irrelevant, in [0, 1].
        null: Clicks carry no signal: what is looked at is clicked by chance.
    """

    n_sessions: int = 30_000
    n_users: int = 300
    n_objects: int = 1_500
    n_topics: int = 30
    n_queries: int = 1_500
    n_shown: int = 20
    max_parts: int = 4
    dimensions: int = 64
    n_days: int = 60
    repeat_share: float = 0.4
    examination_decay: float = 0.5
    click_noise: float = 0.03
    late_share: float = 0.05
    irrelevant_share: float = 0.01
    null: bool = False

    def __post_init__(self) -> None:
        counts = ("n_sessions", "n_users", "n_topics", "max_parts", "n_days")
        shares = ("repeat_share", "click_noise", "late_share", "irrelevant_share")
        objects, queries = self.n_topics * self.n_shown, self.n_topics
        rules = [(n, getattr(self, n), getattr(self, n) >= 1, ">= 1") for n in counts]
        rules += [(n, getattr(self, n), getattr(self, n) >= 2, ">= 2") for n in PAIRS]
        rules += [(n, getattr(self, n), 0 <= getattr(self, n) <= 1, "in [0, 1]") for n in shares]
        check(
            "simulated",
            [
                *rules,
                (
                    "n_objects",
                    self.n_objects,
                    self.n_objects >= objects,
                    f">= n_topics * n_shown ({objects})",
                ),
                (
                    "n_queries",
                    self.n_queries,
                    self.n_queries >= queries,
                    f">= n_topics ({queries})",
                ),
                (
                    "examination_decay",
                    self.examination_decay,
                    0 <= self.examination_decay <= 10,
                    "in [0, 10]",
                ),
            ],
        )


@dataclass
class SimulateConfig:
    """What to simulate, and where to write it.

    Args:
        output: The folder to write.
        seed: Of everything that is drawn, >= 0.
        overwrite: Replace a data set that is there.
        simulated: The sizes.
    """

    output: str = "data/simulated"
    seed: int = 0
    overwrite: bool = False
    simulated: SimulatedConfig = field(default_factory=SimulatedConfig)

    def __post_init__(self) -> None:
        check("", [("seed", self.seed, self.seed >= 0, ">= 0"), required("output", self.output)])


@dataclass
class EncoderConfig:
    """What turns texts into vectors.

    Args:
        name: ``wordllama``, which needs no download, or ``sentence_transformers``.
        model: Which sentence-transformers model.
    """

    name: str = "wordllama"
    model: str | None = None

    def __post_init__(self) -> None:
        names = ("wordllama", "sentence_transformers")
        check(
            "encoder",
            [
                ("name", self.name, self.name in names, f"one of {', '.join(names)}"),
                (
                    "model",
                    self.model,
                    self.name != "sentence_transformers" or bool(self.model),
                    "the name of a model when encoder=sentence_transformers",
                ),
            ],
        )


@dataclass
class PartsConfig:
    """How long documents are split into parts.

    Args:
        max_tokens: Words that a part holds at most, >= 1.
        max_parts: Parts that an object has at most, >= 1; the rest of the text is left out.
        average: Add the mean of an object's parts as one more part, where it has several.
    """

    max_tokens: int = 128
    max_parts: int = 16
    average: bool = True

    def __post_init__(self) -> None:
        check(
            "parts",
            [
                ("max_tokens", self.max_tokens, self.max_tokens >= 1, ">= 1"),
                ("max_parts", self.max_parts, self.max_parts >= 1, ">= 1"),
            ],
        )


@dataclass
class IngestConfig:
    """Which log to read, how, and where to write it.

    Args:
        source: What kind of log it is.
        path: The file or folder to read.
        output: The folder to write.
        name: Name of the data set; null is the output folder's.
        mapping: For ``source=table``: a YAML file that says which column is what.
        encoder: For texts without vectors.
        parts: How long texts are split.
        metric_type: How vectors are compared: cosine, dot or euclid.
        metric_aggregation_type: How parts are pooled: min or avg.
        personalize_by: The data set's default scope; null is the source's.
        click_types: Events that count as clicks; null is the source's own list.
        on_error: ``fail``, or ``quarantine``: bad rows go to a file of their own.
        overwrite: Replace a data set that is there.
    """

    source: str = MISSING
    path: str = MISSING
    output: str = MISSING
    name: str | None = None
    mapping: str | None = None
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    parts: PartsConfig = field(default_factory=PartsConfig)
    metric_type: str = "cosine"
    metric_aggregation_type: str = "min"
    personalize_by: str | None = None
    click_types: list[str] | None = None
    on_error: str = "fail"
    overwrite: bool = False

    def __post_init__(self) -> None:
        table = self.source == "table"
        check(
            "",
            [
                one_of("source", self.source, SOURCES),
                required("path", self.path),
                required("output", self.output),
                ("mapping", self.mapping, bool(self.mapping) == table, MAPPING_MUST),
                one_of("metric_type", self.metric_type, ("cosine", "dot", "euclid")),
                one_of("metric_aggregation_type", self.metric_aggregation_type, ("min", "avg")),
                one_of("personalize_by", self.personalize_by, (None, "user_id", "segment", "none")),
                one_of("on_error", self.on_error, ("fail", "quarantine")),
            ],
        )


MAPPING_MUST = "a YAML file with source=table, and nothing with other sources"


@dataclass
class InspectedConfig:
    """Which data set to look at: a folder in the data set format."""

    path: str = MISSING


@dataclass
class InspectConfig:
    """Which data set to look at.

    Args:
        dataset: Its folder.
        output_dir: ``card.json`` and ``card.html`` are written to ``<output_dir>/cards/<name>``.
    """

    dataset: InspectedConfig = field(default_factory=InspectedConfig)
    output_dir: str = "outputs"


def one_of(name: str, value: str | None, choices: tuple[str | None, ...]) -> Rule:
    """The rule that a setting is one of some words."""
    words = ", ".join("null" if choice is None else choice for choice in choices)
    return (name, value, value in choices, f"one of {words}")


def required(name: str, value: str) -> Rule:
    """The rule that a setting names a path."""
    return (name, value, bool(value.strip()), "a path")
