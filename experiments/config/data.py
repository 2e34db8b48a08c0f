"""The schema of data sets, and of the commands that make one or look at one."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from adjuster.ranges import Rule, at_least, between, check_settings, one_of, or_null, setting
from experiments.config.partitions import CUTS, MOST_PARTS
from experiments.config.ranges import a_path
from experiments.config.replay import SCOPES

MADE = ("movielens", "simulated", "planted")
"""Data sets that are prepared when no folder is named."""

SOURCES = ("embedding_studio", "live", "table", "ubi", "coveo", "mind", "movielens", "metarank")
ENCODERS = ("wordllama", "sentence_transformers")
METRIC_TYPES = ("cosine", "dot", "euclid")
AGGREGATIONS = ("min", "avg")
ON_ERROR = ("fail", "quarantine")
UNKNOWN_OBJECTS = ("refuse", "drop_impression", "drop_session")
DELIMITERS = (",", ";", "\t", "|")
DECIMALS = (".", ",")
SHOWN_ORDERS = ("similarity", "fixed", "past_clicks")
PEOPLE = ("user", "session", "segment")
FOLLOWED = ("relevance", "position", "refinding")
PERSON = (
    "Who counts as a person when figures are averaged and intervals made: the `user`; every "
    "`session` whose user is unknown, too; or the `segment`, in place of the user."
)
MAPPING_MUST = "a YAML file with source=table, and nothing with other sources"


@dataclass
class DatasetConfig:
    """Which click log to read."""

    name: str = setting(
        "folder",
        text="The data set; `movielens`, `simulated` and `planted` are prepared when `path` is "
        "null.",
    )
    path: str | None = setting(
        None,
        text="A folder in the data set format; null means the prepared folder `data/<name>`.",
    )
    person: str = setting("user", one_of(*PEOPLE), PERSON)

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


def _weight(default: float, text: str) -> Any:
    return setting(default, between(0, 10), text)


def _share(default: float, text: str) -> Any:
    return setting(default, between(0, 1), text)


@dataclass
class SimulatedConfig:
    """The sizes of a simulated shop and the behaviour of its users.

    What a user likes is a weighted sum of standard normal parts, the `…_weight` settings; squares
    that add up to about 1 keep the usual share of relevant results. A part of weight 0 does not
    exist.
    """

    n_sessions: int = _count(30_000, "Searches.")
    n_users: int = _count(300, "Users.")
    n_objects: int = setting(1_500, text="Objects, at least `n_topics * n_shown`.")
    n_topics: int = _count(30, "Topics, each with at least `n_shown` objects.")
    n_queries: int = setting(1_500, text="Distinct queries, at least 1 per topic.")
    n_shown: int = setting(20, between(2, 10_000), "Results of a search.")
    max_parts: int = setting(4, between(1, 1_000), "An object has 1 to this many parts.")
    dimensions: int = setting(64, between(2, 65_536), "Length of the vectors.")
    n_days: int = setting(60, between(1, 100_000), "Days that the log spans.")
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
        False,
        text="Clicks carry no signal: what is looked at is clicked by chance; the same as "
        "`clicks_follow=position`.",
    )
    shown_order: str = setting(
        "similarity",
        one_of(*SHOWN_ORDERS),
        "How results stand: by `similarity` with some noise; in one `fixed` order a query, "
        "unrelated to vectors and likings; or by the `past_clicks` of the query's earlier "
        "searches, the noisy similarity deciding between equals.",
    )
    shuffled_share: float = _share(
        0.0, "Share of the sessions that are shown theirs in random order."
    )
    clicks_follow: str = setting(
        "relevance",
        one_of(*FOLLOWED),
        "What decides the click on a result that is looked at: its `relevance`; nothing, so that "
        "clicks follow the `position` alone; or `refinding`: nothing, but users click again what "
        "they clicked one to three days before.",
    )
    similarity_weight: float = _weight(
        0.35, "Liking of what is near the query: all that the vectors know."
    )
    crowd_weight: float = _weight(0.35, "Liking of an object by everyone, whatever the query.")
    query_weight: float = _weight(0.0, "Liking of an object by everyone who asks a certain query.")
    taste_weight: float = _weight(0.87, "Liking of an object by one user, whatever the query.")
    daily_weight: float = _weight(
        0.0,
        "Liking of an object by everyone who asks a certain query on a certain day; the next day "
        "knows nothing of it.",
    )
    flip_at: float = _share(
        1.0,
        "From this share of the sessions on, in order of time, all likings are reversed; 1 is "
        "never.",
    )
    open_hours: float = setting(
        24.0,
        between(0, 24, "(]"),
        "Searches come within so many hours from the start of each day. At 0.5 no session ends, "
        "after half an hour of quiet, before its day is over.",
    )
    user_tail: float = _weight(
        0.0, "Users make sessions in proportion to rank^-tail; 0 is nearly even."
    )
    unknown_users_share: float = _share(
        0.0, "Share of the sessions that say nothing of their user."
    )
    bot_share: float = setting(
        0.0,
        between(0, 1, "[)"),
        "Share of the clicks that are a bot's. A bot clicks its own objects, one in eight, "
        "wherever they stand, within a second; nobody judges what it is shown.",
    )
    bot_ids: int = setting(
        1,
        between(0, 1_000_000),
        "User ids that the bot goes by; with 0 it says nothing of its user.",
    )
    log_truth: bool = setting(
        True, text="Write the true relevance and propensity into the log, as no real log does."
    )

    def __post_init__(self) -> None:
        check_settings(self, "simulated", [*self._size_rules(), *self._behaviour_rules()])

    @property
    def followed(self) -> str:
        """What decides clicks: `clicks_follow`, or the position with `null`."""
        return "position" if self.null else self.clicks_follow

    def _size_rules(self) -> list[Rule]:
        objects, queries = self.n_topics * self.n_shown, self.n_topics
        enough = self.n_queries >= queries
        return [
            Rule(
                "n_objects",
                self.n_objects,
                self.n_objects >= objects,
                f">= n_topics * n_shown ({objects})",
            ),
            Rule("n_queries", self.n_queries, enough, f">= n_topics ({queries})"),
        ]

    def _behaviour_rules(self) -> list[Rule]:
        refinds = self.clicks_follow == "refinding"
        sequential = self.shown_order == "past_clicks" and self.followed == "refinding"
        return [
            Rule(
                "clicks_follow",
                self.clicks_follow,
                not (self.null and refinds),
                "relevance or position with null=true",
            ),
            Rule(
                "shown_order",
                self.shown_order,
                not sequential,
                "similarity or fixed with clicks_follow=refinding",
            ),
        ]


@dataclass
class SimulateConfig:
    """What to simulate, and where to write it."""

    output: str = setting("data/simulated", a_path(), "The folder to write.")
    seed: int = setting(0, at_least(0), "Seed of everything that is drawn.")
    overwrite: bool = setting(False, text="Replace a data set that is there.")
    parts: int | None = setting(
        None,
        or_null(between(1, MOST_PARTS)),
        "Write the log in so many partitions as it is drawn, for `engine=local`, with one stretch "
        "of it in memory; null writes a data set. The log is another one of the same shop.",
    )
    by: str = setting(
        "auto",
        one_of(*CUTS),
        "What decides in which partition a result goes, as for `partition`; `auto`: the user "
        "where the log names any.",
    )
    simulated: SimulatedConfig = setting(factory=SimulatedConfig, text="The sizes.")

    def __post_init__(self) -> None:
        cut = self.by == CUTS[0] or self.parts is not None
        must = f"{CUTS[0]} where parts is null"
        check_settings(self, "", [Rule("by", self.by, cut, must)])


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
class CsvConfig:
    """How delimited files are written."""

    delimiter: str | None = setting(
        None,
        or_null(one_of(*DELIMITERS)),
        "What stands between values; null is found out from a file's first lines.",
    )
    decimal: str | None = setting(
        None,
        or_null(one_of(*DECIMALS)),
        "What stands before decimals; null is a point, or a comma where the delimiter is `;`.",
    )

    def __post_init__(self) -> None:
        same = self.delimiter is not None and self.delimiter == self.decimal
        must = "another character than csv.delimiter"
        check_settings(self, "csv", [Rule("decimal", self.decimal, not same, must)])


@dataclass
class LiveSourceConfig:
    """Where a live system's store is, for `source=live`."""

    store: str | None = setting(
        None,
        text="Null is `live.db` beside the index; else another file, or "
        "`postgresql://user:password@host/db`.",
    )
    store_env: str | None = setting(
        None, text="The environment variable that holds `store`, so that no command line does."
    )
    schema: str = setting("live", text="Schema of the tables, in a PostgreSQL database.")

    def __post_init__(self) -> None:
        good = self.store is None or self.store_env is None
        rule = Rule("store_env", self.store_env, good, "null where live.store is given")
        check_settings(self, "live", [rule])


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
    csv: CsvConfig = setting(factory=CsvConfig, text="How delimited files are written.")
    live: LiveSourceConfig = setting(
        factory=LiveSourceConfig, text="For `source=live`: where the store is."
    )
    unknown_objects: str = setting(
        "refuse",
        one_of(*UNKNOWN_OBJECTS),
        "What to do where a result was shown of which there is no vector: `refuse` the log and "
        "say what the others would cost; `drop_impression`: leave it out of its list, the "
        "positions of the others stay; `drop_session`: leave out the whole search.",
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
    person: str = setting("user", one_of(*PEOPLE), PERSON)

    def __post_init__(self) -> None:
        check_settings(self, "dataset")
