"""`dataset=simulated`, written in partitions as it is drawn: for logs larger than memory."""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from experiments.common.ahead import ahead
from experiments.common.errors import InputError
from experiments.config.data import SimulatedConfig
from experiments.data.format.folder import TEXT_COLUMNS, check_free, table_writer
from experiments.data.format.schema import METADATA_FILE
from experiments.data.format.vector_table import VectorTable, build_vector_table
from experiments.data.format.whole_folder import new_folder
from experiments.data.made.browsing import Searches, draw_searches, examination
from experiments.data.made.shop import Shop, build_shop
from experiments.data.made.simulated import (
    item_table,
    metadata_of,
    names,
    numbered,
    query_table,
    segments_of,
)
from experiments.data.made.stretches import (
    Stretch,
    check_independent,
    iter_stretches,
    stretch_sessions,
)
from experiments.data.made.visitors import NOBODY, signed
from experiments.data.partitions.files import EVENT_COLUMNS, SESSION_COLUMNS, SHOWN_COLUMNS
from experiments.data.partitions.log_writer import Cut, Partitioned, write_log
from experiments.data.partitions.sorting import SessionTable
from experiments.data.partitions.writer import Shard


def prepare_in_partitions(
    folder: str | Path,
    n_parts: int,
    config: SimulatedConfig,
    seed: int = 0,
    *,
    by: str | None = None,
    overwrite: bool = False,
    progress: Callable[[int], object] = lambda _: None,
) -> Partitioned:
    """Simulate a shop and write its log in partitions, with one stretch of it in memory.

    The same seed gives the same log, whatever it is cut into; the log that `prepare_simulated`
    writes is another one of the same shop, whose chance is drawn for all sessions at once. In
    memory are the columns of the sessions, some 100 bytes each.

    Args:
        folder: Where to write.
        n_parts: How many pair parts; there are as many shards, or fewer of a short log.
        config: The sizes.
        seed: Of everything that is drawn, >= 0.
        by: ``user`` or ``object``; None is by user where any is known.
        overwrite: Replace a data set that is there.
        progress: Told how many sessions were drawn, each time.

    Raises:
        InputError: If something is there that may not be replaced, or sessions depend on others.
    """
    check_independent(config)
    check_free(folder, overwrite=overwrite)
    metadata = metadata_of(config, seed)
    rng = np.random.default_rng(seed)
    shop = build_shop(config, rng)
    drawn = _Drawn(shop, draw_searches(shop, config, rng), config, rng)
    chosen = by or ("user" if metadata.personalize_by == "user_id" else "object")
    if chosen == "user" and not len(drawn.users):
        raise InputError("by=user needs users, but simulated.unknown_users_share leaves none.")
    with new_folder(folder) as target:
        vectors = _write_vectors(target, shop, config)
        ids = drawn.users if chosen == "user" else vectors[0].ids
        stretches = ahead(iter_stretches(shop, drawn.searches, config, seed))
        shards = drawn.iter_shards(stretches, n_parts, progress)
        cut = Cut(chosen, ids, n_parts)
        made = write_log(target, cut, shards, drawn.sessions, metadata.index, vectors)
        (target / METADATA_FILE).write_text(metadata.to_yaml(), encoding="utf-8")
    return made


def _write_vectors(
    target: Path, shop: Shop, config: SimulatedConfig
) -> tuple[VectorTable, VectorTable]:
    items = item_table(shop, names("o", config.n_objects))
    queries = query_table(shop, names("q", config.n_queries))
    for name, table in (("items", items), ("queries", queries)):
        with table_writer(target, name, table.schema) as writer:
            writer.write_table(table)
    return (
        build_vector_table(items, shop.object_vectors, TEXT_COLUMNS["items"]),
        build_vector_table(queries, shop.query_vectors, TEXT_COLUMNS["queries"]),
    )


class _Drawn:
    """The searches of a log, on their way to what they show."""

    def __init__(
        self, shop: Shop, searches: Searches, config: SimulatedConfig, rng: np.random.Generator
    ) -> None:
        self.searches, self._config = searches, config
        (options,) = rng.spawn(1)
        nobody = np.zeros(config.n_sessions, np.bool_)
        user = signed(searches.user, nobody, config, options)
        self.users, self._user = _coded(user, names("u", config.n_users))
        segments = names("segment-", int(shop.user_segment.max()) + 1)
        self._segments, self._segment = _coded(segments_of(shop, searches, user), segments)
        self._top_click = np.full(config.n_sessions, -1, np.int32)

    def iter_shards(
        self, stretches: Iterator[Stretch], n_shards: int, progress: Callable[[int], object]
    ) -> Iterator[Shard]:
        """Whole stretches together, about equally many each."""
        size = stretch_sessions(self._config.n_sessions)
        n_stretches = -(-self._config.n_sessions // size)
        n_shards = min(n_shards, n_stretches)

        def shard_of(stretch: Stretch) -> int:
            return stretch.first // size * n_shards // n_stretches

        for _, some in groupby(stretches, shard_of):
            shard = self._shard(list(some))
            progress(len(shard.n_shown))
            yield shard

    def _shard(self, stretches: list[Stretch]) -> Shard:
        first, n_shown = stretches[0].first, self._config.n_shown
        shown = np.concatenate([stretch.shown for stretch in stretches])
        session = np.concatenate([s.session + s.first - first for s in stretches])
        position = np.concatenate([stretch.position for stretch in stretches])
        # Clicks stand by session and position: the first of each session is its highest.
        clicked, at = np.unique(session, return_index=True)
        self._top_click[first + clicked] = position[at]
        impression = session * n_shown + position
        clicked_at = np.concatenate([stretch.clicked_at for stretch in stretches])
        mine = slice(first, first + len(shown))
        return Shard(
            first=first,
            user=self._user[mine],
            n_shown=np.full(len(shown), n_shown, np.int64),
            shown=self._shown(shown, np.concatenate([s.relevance for s in stretches])),
            events=self._events(impression, clicked_at, first * n_shown),
        )

    def _shown(self, shown: NDArray[np.int32], relevance: NDArray[np.int8]) -> pa.Table:
        config = self._config
        truth = relevance.astype(np.float32).ravel()
        look = np.tile(examination(config).astype(np.float32), len(shown))
        if not config.log_truth:
            truth = look = np.full(shown.size, np.nan, np.float32)
        columns = {
            "object": shown.ravel(),
            "position": np.tile(np.arange(config.n_shown, dtype=np.int32), len(shown)),
            "relevance": truth,
            "propensity": look,
        }
        return pa.table(columns, SHOWN_COLUMNS)

    def _events(
        self, impression: NDArray[np.int64], at: NDArray[np.int64], before: int
    ) -> pa.Table:
        n = self._config.n_sessions * self._config.n_shown
        columns = {
            "impression": impression,
            "at": at,
            "id": numbered("e", before + impression, n),
            "type": pa.repeat("click", len(at)),
        }
        return pa.table(columns).cast(EVENT_COLUMNS)

    def sessions(self) -> SessionTable:
        """All sessions, once their clicks are drawn."""
        n = self._config.n_sessions
        columns = {
            "session_id": names("s", n).cast(pa.large_string()),
            "user": self._user,
            "segment": self._segment,
            "query": self.searches.query.astype(np.int32),
            "created_at": self.searches.created_at,
            "is_irrelevant": self.searches.is_irrelevant,
            "n_shown": np.full(n, self._config.n_shown, np.int32),
            "top_click": self._top_click,
        }
        rows = pa.table(columns, SESSION_COLUMNS)
        return SessionTable(rows, self.users, self._segments, np.arange(n))


def _coded(index: NDArray[np.int64], ids: pa.Array) -> tuple[pa.Array, NDArray[np.int32]]:
    """The ids that occur, in order, and the index of each session's; -1 where it has none."""
    found = np.zeros(len(ids), np.bool_)
    found[index[index != NOBODY]] = True
    place = np.append(np.cumsum(found, dtype=np.int32) - 1, np.int32(NOBODY))
    return ids.filter(pa.array(found)).cast(pa.large_string()), place[index]
