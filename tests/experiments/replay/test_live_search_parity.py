"""What a live search ranks a session's results by is what the replay ranks them by, to the bit."""

import itertools

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.live.retrieval.exact_index import ExactIndex, write_index
from adjuster.live.retrieval.owner_copies import gather_copies
from adjuster.live.retrieval.personal_ranking import near_enough, with_copies
from adjuster.live.retrieval.similarity import distances_of
from adjuster.live.storage.sqlite_store import SqliteStore
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.layout import lay_out
from experiments.replay.pair_streams import PairStreams
from experiments.replay.plan import make_plan, resolve
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log
from tests.experiments.replay.live_driver import drive, make_worker


class Searched:
    """A store whose clients search before they register: the distances of what is shown."""

    def __init__(self, store, index):
        self.store, self.index, self.distances = store, index, {}

    def __getattr__(self, name):
        return getattr(self.store, name)

    def register(self, sessions):
        for session in sessions:
            mine = self.store.owner_copies(0, session.owner) if session.owner else {}
            copies = gather_copies(mine, self.index)
            query = session.query.vectors
            near = near_enough(self.index, query, len(self.index), copies)
            ranked = with_copies(near, query, len(self.index), copies, self.index.info)
            assert sorted(ranked.object_ids) == list(self.index.object_ids)
            found = dict(zip(ranked.object_ids, ranked.distances.tolist(), strict=True))
            shown = [mine.object_id for mine in session.shown]
            self.distances[session.session_id] = [found[name] for name in shown]
        return self.store.register(sessions)


@pytest.mark.parametrize("scope", ["user_id", "none"])
@pytest.mark.parametrize("memory", ["carry", "refit"])
@pytest.mark.parametrize(("metric", "pooling"), [("cosine", "min"), ("euclid", "avg")])
def test_a_search_ranks_as_the_replay_does_at_its_time(tmp_path, metric, pooling, memory, scope):
    log = make_log(5, n_sessions=90, metric=metric, pooling=pooling, query_parts=2)
    config = ReplayConfig(personalize_by=scope, batch_size=5, n_blocks=2)
    adjuster = AdjusterConfig(
        adjustment_rate=0.05, num_iterations=3, memory=memory, interval_seconds=900
    )
    layout = lay_out(log, config, ObjectiveConfig(estimator="naive"), "all")
    settings = resolve(layout, Settings(adjuster, SelectionConfig()))
    plan = make_plan(layout, settings.selection, 900, settings.adjuster.term_weight)
    streams = PairStreams(layout, plan.lessons, make_knobs(log.index, settings.adjuster), keep=True)
    scores, adjusted = layout.before.copy(), np.zeros(len(layout.before), np.bool_)
    for block in layout.blocks:
        streams.advance(block.span, scores, adjusted)
    assert adjusted.mean() > 0.2
    ids = [str(name) for name in log.object_ids]
    write_index(tmp_path / "index", ids, log.object_vectors, log.object_offsets, log.index)
    store = SqliteStore(tmp_path / "live.db")
    store.connection.execute("PRAGMA synchronous = OFF")
    searched = Searched(store, ExactIndex(tmp_path / "index"))
    worker = make_worker(store, log, settings, memory, batch_size=5)
    drive(searched, worker, log, config, scope, 900)
    wanted = distances_of(scores, log.index)
    for number, (first, last) in enumerate(itertools.pairwise(log.impression_offsets)):
        found = searched.distances[str(log.session_ids[number])]
        assert found == wanted[first:last].tolist()
    store.close()
