"""The schema of the commands that make data sets or look at one: simulate, ingest, inspect."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from omegaconf import MISSING

from experiments.ranges import Rule, check

SOURCES = ("embedding_studio", "table", "ubi", "coveo", "mind", "movielens", "metarank")
PAIRS = ("n_shown", "dimensions")
"""Sizes of the simulated shop of which there must be two."""

SHOWN_ORDERS = ("similarity", "fixed", "past_clicks")
FOLLOWED = ("relevance", "position", "refinding")


@dataclass
class SimulatedConfig:
    """The sizes of a simulated shop and the behaviour of its users.

    What a user likes is a weighted sum of standard normal parts, the `…_weight` settings, each
    >= 0; squares that add up to about 1 keep the usual share of relevant results. A part of
    weight 0 does not exist.

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
        null: Clicks carry no signal: what is looked at is clicked by chance; the same as
            ``clicks_follow=position``.
        shown_order: How results stand: by ``similarity`` with some noise; in one ``fixed`` order
            a query, unrelated to vectors and likings; or by the ``past_clicks`` of the query's
            earlier searches, the noisy similarity deciding between equals.
        shuffled_share: Share of the sessions that are shown theirs in random order, in [0, 1].
        clicks_follow: What decides the click on a result that is looked at: its ``relevance``;
            nothing, so that clicks follow the ``position`` alone; or ``refinding``: nothing,
            but users click again what they clicked one to three days before.
        similarity_weight: Liking of what is near the query: all that the vectors know.
        crowd_weight: Liking of an object by everyone, whatever the query.
        query_weight: Liking of an object by everyone who asks a certain query.
        taste_weight: Liking of an object by one user, whatever the query.
        daily_weight: Liking of an object by everyone who asks a certain query on a certain day;
            the next day knows nothing of it.
        flip_at: From this share of the sessions on, in order of time, all likings are reversed,
            in [0, 1]; 1 is never.
        open_hours: Searches come within so many hours from the start of each day, in (0, 24]. At
            0.5 no session ends, after half an hour of quiet, before its day is over.
        user_tail: Users make sessions in proportion to rank^-tail, in [0, 10]; 0 is nearly even.
        unknown_users_share: Share of the sessions that say nothing of their user, in [0, 1].
        bot_share: Share of the clicks that are a bot's, in [0, 1). A bot clicks its own objects,
            one in eight, wherever they stand, within a second; nobody judges what it is shown.
        bot_ids: User ids that the bot goes by, >= 0; with 0 it says nothing of its user.
        log_truth: Write the true relevance and propensity into the log, as no real log does.
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
    shown_order: str = "similarity"
    shuffled_share: float = 0.0
    clicks_follow: str = "relevance"
    similarity_weight: float = 0.35
    crowd_weight: float = 0.35
    query_weight: float = 0.0
    taste_weight: float = 0.87
    daily_weight: float = 0.0
    flip_at: float = 1.0
    open_hours: float = 24.0
    user_tail: float = 0.0
    unknown_users_share: float = 0.0
    bot_share: float = 0.0
    bot_ids: int = 1
    log_truth: bool = True

    def __post_init__(self) -> None:
        check("simulated", [*_size_rules(self), *_behaviour_rules(self)])

    @property
    def followed(self) -> str:
        """What decides clicks: `clicks_follow`, or the position with `null`."""
        return "position" if self.null else self.clicks_follow


COUNTS = ("n_sessions", "n_users", "n_topics", "max_parts", "n_days")
SHARES = (
    "repeat_share",
    "click_noise",
    "late_share",
    "irrelevant_share",
    "shuffled_share",
    "flip_at",
    "unknown_users_share",
)
WEIGHTS = ("similarity", "crowd", "query", "taste", "daily")
"""Parts that a simulated user's liking is made of."""


def _size_rules(config: SimulatedConfig) -> list[Rule]:
    """What the sizes of a simulated shop must be."""
    objects, queries = config.n_topics * config.n_shown, config.n_topics
    return [
        *((name, value, value >= 1, ">= 1") for name, value in _values(config, COUNTS)),
        *((name, value, value >= 2, ">= 2") for name, value in _values(config, PAIRS)),
        (
            "n_objects",
            config.n_objects,
            config.n_objects >= objects,
            f">= n_topics * n_shown ({objects})",
        ),
        ("n_queries", config.n_queries, config.n_queries >= queries, f">= n_topics ({queries})"),
    ]


def _behaviour_rules(config: SimulatedConfig) -> list[Rule]:
    """What the behaviour of simulated users must be."""
    weights = tuple(f"{part}_weight" for part in WEIGHTS)
    tens = ("examination_decay", "user_tail")
    sequential = config.shown_order == "past_clicks" and config.followed == "refinding"
    return [
        *((name, value, 0 <= value <= 1, "in [0, 1]") for name, value in _values(config, SHARES)),
        *((name, value, 0 <= value <= 10, "in [0, 10]") for name, value in _values(config, tens)),
        *(
            (name, value, 0 <= value <= 10, "in [0, 10]")
            for name, value in _values(config, weights)
        ),
        one_of("shown_order", config.shown_order, SHOWN_ORDERS),
        one_of("clicks_follow", config.clicks_follow, FOLLOWED),
        (
            "clicks_follow",
            config.clicks_follow,
            not config.null or config.clicks_follow != "refinding",
            "relevance or position with null=true",
        ),
        (
            "shown_order",
            config.shown_order,
            not sequential,
            "similarity or fixed with clicks_follow=refinding",
        ),
        ("open_hours", config.open_hours, 0 < config.open_hours <= 24, "in (0, 24]"),
        ("bot_share", config.bot_share, 0 <= config.bot_share < 1, "in [0, 1)"),
        ("bot_ids", config.bot_ids, config.bot_ids >= 0, ">= 0 (0 is without an id)"),
    ]


def _values(config: SimulatedConfig, names: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    return ((name, getattr(config, name)) for name in names)


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
