"""`dataset=simulated`: a shop whose truth is known, written as a data set."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from experiments.config.data import SimulatedConfig
from experiments.data.format.folder import check_free, vector_column, write_click_log
from experiments.data.format.metadata import Metadata
from experiments.data.made.browsing import (
    Results,
    Searches,
    click_times,
    draw_results,
    draw_searches,
    examination,
)
from experiments.data.made.shop import Shop, build_shop
from experiments.data.made.visitors import NOBODY, signed

HOW_MADE = (
    "Simulated. Objects and queries lie around topics; users like what is near their query, what "
    "the crowd likes and, most of all, what suits their own taste, of which the vectors know "
    "nothing. A position-based model with noise decides the clicks; relevance is the true one, "
    "propensity the true chance of a look."
)
NOTES = {
    "relevance": "",
    "position": " With null=true clicks depend on the position alone and carry no signal.",
    "refinding": " Clicks are by chance, or find again what was clicked some days before.",
}


def prepare_simulated(
    folder: str | Path,
    config: SimulatedConfig | None = None,
    seed: int = 0,
    *,
    overwrite: bool = False,
) -> None:
    """Simulate a shop and write its log as a data set; the same seed gives the same log.

    Args:
        folder: Where to write.
        config: The sizes; the defaults make 30,000 sessions.
        seed: Of everything that is drawn, >= 0.
        overwrite: Replace a data set that is there.

    Raises:
        InputError: If something is there that may not be replaced.
    """
    config = config or SimulatedConfig()
    check_free(folder, overwrite=overwrite)
    write_click_log(folder, metadata_of(config, seed), simulate(config, seed))


def metadata_of(config: SimulatedConfig, seed: int) -> Metadata:
    """What the data set says of itself."""
    return Metadata(
        name="simulated",
        index=SearchIndexInfo(config.dimensions, MetricType.COSINE, MetricAggregationType.MIN),
        source="simulated",
        licence="none needed",
        how_made=HOW_MADE + NOTES[config.followed],
        personalize_by="user_id" if config.unknown_users_share < 1 else "none",
        notes={"simulated": {**asdict(config), "seed": seed}},
    )


def simulate(config: SimulatedConfig, seed: int = 0) -> dict[str, pa.Table]:
    """The tables of a simulated shop's log.

    Args:
        config: The sizes.
        seed: >= 0.

    Example:
        >>> config = SimulatedConfig(n_sessions=5, n_objects=40, n_topics=2, n_queries=4)
        >>> simulate(config)["impressions"].num_rows
        100
    """
    rng = np.random.default_rng(seed)
    shop = build_shop(config, rng)
    searches = draw_searches(shop, config, rng)
    results = draw_results(shop, searches, config, rng)
    (options,) = rng.spawn(1)
    user = signed(searches.user, results.by_bot, config, options)
    ids = {
        "user": names("u", config.n_users + config.bot_ids * (config.bot_share > 0)),
        "query": names("q", config.n_queries),
        "session": names("s", config.n_sessions),
        "object": names("o", config.n_objects),
    }
    return {
        "items": item_table(shop, ids["object"]),
        "queries": query_table(shop, ids["query"]),
        "sessions": _session_table(shop, searches, user, ids),
        "impressions": _impression_table(results, config, ids),
        "events": _event_table(searches, results, config, ids, rng),
    }


def item_table(shop: Shop, ids: pa.Array) -> pa.Table:
    """The objects, by id."""
    n_parts = np.diff(shop.object_offsets)
    number = np.repeat(np.arange(len(n_parts)), n_parts)
    titles = pc.binary_join_element_wise("object", ids, " ")
    return pa.table(
        {
            "object_id": _coded(number, ids),
            "vector": vector_column(shop.object_vectors),
            "is_average": np.zeros(len(number), bool),
            "title": titles.take(pa.array(number)),
        }
    )


def query_table(shop: Shop, ids: pa.Array) -> pa.Table:
    """The queries, by id."""
    topics = pc.cast(pa.array(shop.query_topic), pa.string())
    return pa.table(
        {
            "query_id": ids,
            "vector": vector_column(shop.query_vectors),
            "text": pc.binary_join_element_wise("topic", topics, ids, " "),
        }
    )


def _session_table(
    shop: Shop, searches: Searches, user: NDArray[np.int64], ids: dict[str, pa.Array]
) -> pa.Table:
    """The sessions; who searched is left out where the log knows it of none."""
    segments = names("segment-", int(shop.user_segment.max()) + 1)
    columns = {
        "session_id": ids["session"],
        "user_id": _coded(user, ids["user"]),
        "query_id": _coded(searches.query, ids["query"]),
        "created_at": searches.created_at,
        "is_irrelevant": searches.is_irrelevant,
        "segment": _coded(segments_of(shop, searches, user), segments),
    }
    if (user == NOBODY).all():
        del columns["user_id"], columns["segment"]
    return pa.table(columns)


def segments_of(shop: Shop, searches: Searches, user: NDArray[np.int64]) -> NDArray[np.int64]:
    """The segment of each session whose user the log names; else `NOBODY`."""
    known_person = (user != NOBODY) & (user < len(shop.user_segment))
    segment: NDArray[np.int64] = np.where(known_person, shop.user_segment[searches.user], NOBODY)
    return segment


def _impression_table(
    results: Results, config: SimulatedConfig, ids: dict[str, pa.Array]
) -> pa.Table:
    n_sessions = config.n_sessions
    session = np.repeat(np.arange(n_sessions, dtype=np.int32), config.n_shown)
    columns = {
        "session_id": _coded(session, ids["session"]),
        "position": np.tile(np.arange(config.n_shown, dtype=np.int32), n_sessions),
        "object_id": _coded(results.shown.ravel(), ids["object"]),
    }
    if config.log_truth:
        look = np.where(results.sought, np.float32(1), examination(config).astype(np.float32))
        columns["relevance"] = results.relevance.ravel().astype(np.float32)
        columns["propensity"] = look.ravel()
    return pa.table(columns)


def _event_table(
    searches: Searches,
    results: Results,
    config: SimulatedConfig,
    ids: dict[str, pa.Array],
    rng: np.random.Generator,
) -> pa.Table:
    session, position = np.nonzero(results.clicked)
    created_at = searches.created_at[session]
    times = click_times(created_at, position, config, rng)
    return pa.table(
        {
            "event_id": names("e", len(session)),
            "session_id": _coded(session, ids["session"]),
            "object_id": _coded(results.shown[session, position], ids["object"]),
            "event_type": pa.repeat("click", len(session)),
            "created_at": np.where(results.by_bot[session], created_at + 1, times),
        }
    )


def names(prefix: str, n: int) -> pa.Array:
    """`n` ids, numbered from 0 with leading zeros, so that they sort as their numbers."""
    return numbered(prefix, np.arange(n), n)


def numbered(prefix: str, numbers: NDArray[np.integer], n: int) -> pa.Array:
    """The ids of some numbers below `n`."""
    width = len(str(max(n - 1, 0)))
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _coded(index: NDArray[np.integer], ids: pa.Array) -> pa.DictionaryArray:
    """Ids by their numbers; `NOBODY` is null."""
    codes = pa.array(index.astype(np.int32), mask=index == NOBODY)
    return pa.DictionaryArray.from_arrays(codes, ids)
