"""The schema of the live system's command."""

from dataclasses import dataclass

from omegaconf import MISSING

from adjuster.config import AdjusterConfig
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.retrieval.search_config import SearchConfig
from adjuster.ranges import (
    Rule,
    at_least,
    between,
    check_settings,
    one_of,
    or_null,
    positive,
    setting,
)
from adjuster.selection import SelectionConfig
from experiments.config.data import DatasetConfig, EncoderConfig
from experiments.config.replay import SCOPES

ROLES = ("worker", "api", "all", "demo", "rollback")
"""What a process does: learn, answer, or both; show itself; or go back to the copies before."""

EXACT, PGVECTOR = INDICES = ("exact", "pgvector")


@dataclass
class LiveConfig:
    """Where the live system keeps what it knows, and where it answers."""

    store: str | None = setting(
        None,
        text="Null is a SQLite file under `output_dir`; else `postgresql://user:password@host/db`, "
        "for workers and clients on several machines, or another file.",
    )
    store_env: str | None = setting(
        None, text="The environment variable that holds `store`, so that no command line does."
    )
    schema: str = setting("live", text="Schema of the tables, in a PostgreSQL database.")
    index: str = setting(
        EXACT,
        one_of(*INDICES),
        "What finds the originals: `exact` compares with all of them, in memory; `pgvector` walks "
        "a graph of them in the PostgreSQL database that `store` is in, which is faster with "
        "very many and may miss a few. It is loaded when the API first starts.",
    )
    host: str = setting("127.0.0.1", text="The address that the API listens on.")
    port: int = setting(8000, between(0, 65535), "Its port; 0 takes a free one.")
    token_env: str = setting(
        "LIVE_TOKEN",
        text="The environment variable that holds the token that clients send. Needed where the "
        "address can be reached from other machines.",
    )
    batch_size: int = setting(
        1024, at_least(1, "session"), "Sessions that the worker adjusts in one call."
    )
    lease_seconds: float = setting(
        300.0,
        at_least(1, "second"),
        "After so long without a sign of life from a worker others take its batch over.",
    )
    champion: str | None = setting(
        None,
        text="A model of MLflow's registry whose `champion` the worker follows: a new one learns "
        "all stored sessions anew, and is shown once it has caught up. Null: the settings here.",
    )
    registry: str | None = setting(
        None, text="Where that registry is; null is the store under `output_dir`."
    )
    registry_env: str | None = setting(None, text="The environment variable that holds `registry`.")

    def __post_init__(self) -> None:
        must = "null where serve.{} is given"
        pairs = (("store", self.store_env), ("registry", self.registry_env))
        rules = [
            Rule(f"{name}_env", variable, getattr(self, name) is None or variable is None, must)
            for name, variable in pairs
        ]
        told = [rule._replace(must=must.format(rule.name.removesuffix("_env"))) for rule in rules]
        check_settings(self, "serve", told)


@dataclass
class ServeConfig:
    """A live system: what it searches, how it learns, where it keeps what it knows."""

    role: str = setting(
        "all",
        one_of(*ROLES),
        "`worker`, `api`, or `all` for both in one process; `demo`: both over a store of their "
        "own, with simulated visitors for `demo_seconds`; `rollback` goes back to the copies "
        "before the last change of the champion. May be said as a word: `serve worker`.",
    )
    demo_seconds: float = setting(60.0, positive(), "How long a demo's visitors come.")
    once: bool = setting(False, text="One tick of the worker, now; `--once` is short for it.")
    dataset: DatasetConfig = setting(MISSING)
    adjuster: AdjusterConfig = setting(factory=AdjusterConfig)
    selection: SelectionConfig = setting(factory=SelectionConfig)
    personalize_by: str | None = setting(
        None,
        or_null(one_of(*SCOPES)),
        "Whose vectors a session reads and adjusts; null is the data set's default.",
    )
    encoder: EncoderConfig = setting(
        factory=EncoderConfig, text="For searches that the data set does not know."
    )
    search: SearchConfig = setting(
        factory=SearchConfig, text="What searches leave to chance, and what is compared."
    )
    monitor: MonitorConfig = setting(
        factory=MonitorConfig, text="What turns the adjusted ranking on and off."
    )
    serve: LiveConfig = setting(factory=LiveConfig)
    output_dir: str = setting("outputs", text="The live store and index lie in `live` under it.")

    def __post_init__(self) -> None:
        learns = self.role in ("worker", "all")
        rule = Rule(
            "once", self.once, learns or not self.once, "false unless a worker is asked for"
        )
        check_settings(self, "", [rule])
