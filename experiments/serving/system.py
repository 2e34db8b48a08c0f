"""A live system put together: data set, index, settings, store, and what runs on them."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from adjuster import ImprovementElement, ImprovementInput
from adjuster.adjusters.by_config import adjuster_for
from adjuster.live.http.api import make_app
from adjuster.live.http.api_clickstream import ClickstreamPaths
from adjuster.live.http.api_live import LivePaths
from adjuster.live.http.api_search import SearchPaths
from adjuster.live.http.clickstream import Clickstream
from adjuster.live.http.http_guard import Access, HttpGuard
from adjuster.live.http.query_book import Encoder, QueryBook
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.learning.following import FollowingWorker
from adjuster.live.learning.generations import Champion, ChampionSource
from adjuster.live.learning.worker import WorkerSettings
from adjuster.live.monitoring.health import HealthLog
from adjuster.live.monitoring.health_keeper import HealthKeeper
from adjuster.live.monitoring.monitor import look
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.retrieval.exact_index import ExactIndex, write_index
from adjuster.live.retrieval.nearest import NearestOriginals
from adjuster.live.retrieval.search import LiveSearch
from adjuster.live.retrieval.search_config import SearchConfig
from adjuster.live.storage.group_commit import GroupCommit
from adjuster.live.storage.records import Query
from adjuster.live.storage.sql_store import SqlStore
from adjuster.live.storage.store import Store
from adjuster.live.storage.store_pool import StorePool
from experiments.common.errors import InputError
from experiments.common.live_store import store_opener
from experiments.common.secrets import LIVE
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.config.serve import ServeConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.layout import lay_out
from experiments.replay.plan import resolve
from experiments.replay.settings import Settings
from experiments.replay.timeline import resolve_scope

CONFIGURED = "configured"
"""Begins the name of a champion that is the command's own settings."""


@dataclass(frozen=True)
class LiveSystem:
    """What worker and interface are made of.

    Args:
        index: The originals.
        queries: Those that the data set knows.
        champion: The settings that the worker was started with.
        personalize_by: Whose vectors a session reads and adjusts.
        options: Batch size and lease of the worker.
        search: What searches leave to chance.
        monitor: What turns the adjusted ranking on and off.
        opener: Opens the store.
        place: Where the store is, in words.
    """

    index: ExactIndex
    queries: list[Query]
    champion: Champion
    personalize_by: str
    options: WorkerSettings
    search: SearchConfig
    monitor: MonitorConfig
    opener: Callable[[], SqlStore]
    place: str

    def warm_up(self) -> None:
        """Learn and search once for nobody: the first of each compiles the kernel, half a minute.

        What is learnt is not kept.
        """
        name = self.index.object_ids[0]
        vectors = self.index.vectors(name)
        query = ImprovementElement("nobody's query", vectors)
        shown = [ImprovementElement(str(number), vectors) for number in range(2)]
        adjuster = adjuster_for(self.index.info, self.champion.adjuster)
        adjuster.adjust_vectors([ImprovementInput("nobody's", query, shown[:1], shown[1:])])
        self.index.nearest(vectors, 1)

    def worker(self, store: Store, source: ChampionSource | None = None) -> FollowingWorker:
        """A worker over a connection of its own."""

        def watch(store: Store, now: int) -> None:
            look(store, now, self.monitor)

        index, champion = self.index, self.champion
        return FollowingWorker(store, index, champion, self.options, source, after_tick=watch)

    def app(
        self,
        access: Access,
        encoder: Encoder | None,
        originals: NearestOriginals | None = None,
    ) -> HttpGuard:
        """The HTTP interface, for any ASGI server.

        Args:
            access: Who may ask.
            encoder: For searches that the data set does not know.
            originals: What finds the nearest; None is `index`.
        """
        stores: StorePool[Store] = StorePool(self.opener)
        stream, counts = Clickstream(self.personalize_by), RequestCounts()
        queries = QueryBook(self.index.info, self.queries, encoder)
        health = HealthLog(self.monitor.max_latency_seconds)
        keep = HealthKeeper(health, stream.clock)
        searching = LiveSearch(originals or self.index, self.search, health)
        n_objects = len(self.index)
        paths = (
            ClickstreamPaths(stores, GroupCommit(self.opener), stream, queries).router(),
            SearchPaths(stores, stream, queries, searching, n_objects, keep.now_and_then).router(),
            LivePaths(stores, counts, stream.clock, self.monitor, keep.now).router(),
        )
        return make_app(paths, access, counts)


def open_system(config: ServeConfig, log: ClickLog) -> LiveSystem:
    """Put a system together.

    Args:
        config: What was asked for.
        log: The data set, whose objects are searched and whose queries are known.

    Raises:
        InputError: If something in it cannot be used.
    """
    folder = Path(config.output_dir).expanduser() / "live"
    folder.mkdir(parents=True, exist_ok=True)
    where = LIVE.read(config.serve.store, config.serve.store_env)
    opener, place = store_opener(where, config.serve.schema, folder / "live.db")
    scope = resolve_scope(log, config.personalize_by)
    return LiveSystem(
        index=_index(log, folder / f"index-{log.fingerprint[:16]}"),
        queries=_queries(log),
        champion=_configured(config, log),
        personalize_by=scope,
        options=WorkerSettings(
            batch_size=config.serve.batch_size, lease_seconds=config.serve.lease_seconds
        ),
        search=config.search,
        monitor=config.monitor,
        opener=opener,
        place=place,
    )


def _index(log: ClickLog, folder: Path) -> ExactIndex:
    """The originals, written once a data set."""
    try:
        if not folder.exists():
            names = [str(name) for name in log.object_ids]
            write_index(folder, names, log.object_vectors, log.object_offsets, log.index)
        return ExactIndex(folder)
    except FileExistsError:
        return ExactIndex(folder)  # another process has just written it
    except ValueError as error:
        raise InputError(str(error)) from None


def _queries(log: ClickLog) -> list[Query]:
    return [
        Query(str(name), log.vectors_of_query(row), str(log.query_texts[row]))
        for row, name in enumerate(log.query_ids)
    ]


def _configured(config: ServeConfig, log: ClickLog) -> Champion:
    """The command's own settings, none of them ``auto``."""
    settings = Settings(config.adjuster, config.selection)
    if settings.adjuster.loss == "logistic" and settings.adjuster.logit_bias == "auto":
        replay = ReplayConfig(personalize_by=config.personalize_by)
        settings = resolve(lay_out(log, replay, ObjectiveConfig()), settings)
    digest = sha256(repr(settings.key).encode()).hexdigest()[:12]
    return Champion(f"{CONFIGURED}-{digest}", settings.adjuster, settings.selection)
