"""What a workbench leaves on disk: any other one, in any process, goes on from there."""

from functools import partial

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.exact_sums import ExactSums
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.workbench import Place, Workbench
from experiments.replay.plan import make_plan
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from tests.experiments.log_in_parts import N_PARTS, log_in_parts

CONFIG = ReplayConfig(quiet_seconds=60, n_threads=1)
NAIVE = ObjectiveConfig(estimator="naive")
SETTINGS = Settings(AdjusterConfig(), SelectionConfig())


@pytest.fixture(scope="module")
def layout_and_bench(tmp_path_factory):
    """The whole log's layout, and a maker of workbenches that share one scratch folder."""
    path = tmp_path_factory.mktemp("data")
    folder, parts = log_in_parts(path)
    place = Place(parts, "user", path / "scratch", CONFIG, NAIVE, "tune")

    def bench():
        return Workbench(place, PartitionedLog(parts))

    return lay_out(load_click_log(folder), CONFIG, NAIVE), bench


def test_one_goes_on_where_another_stopped(layout_and_bench):
    layout, bench = layout_and_bench
    plan = make_plan(layout, SETTINGS.selection, SETTINGS.adjuster.interval_seconds, "session")
    knobs = make_knobs(layout.log.index, SETTINGS.adjuster)
    stream = partial(
        Workbench.stream, plan="p", schedule=plan.schedule, knobs=knobs, term_weight="session"
    )
    for part in range(N_PARTS):
        bench().look_at_pairs(part)
    never, drift = ExactSums(), ExactSums()
    for shard in range(2):
        found = bench().look_at_shard(shard)
        never.merge(found.never)
        first = bench().data.shard_impressions[shard]
        before = bench().originals(shard)
        np.testing.assert_array_equal(before, layout.before[first : first + len(before)])
    for _ in range(2):
        drift = ExactSums()
        for part in range(N_PARTS):
            drift.merge(stream(bench(), part).drift)
    expected = Replay(layout).run(SETTINGS)
    assert float(drift.means()[0]) == expected.metrics["drift_mean"]

    columns = [bench().score(shard, never) for shard in (1, 1)]
    first = max(bench().data.manifest.shard_bounds[1], layout.timeline.scored_from)
    row = expected.sessions.session - first
    mine = (row >= 0) & (row < len(columns[0].reached))
    for name, values in expected.sessions.after.items():
        np.testing.assert_array_equal(columns[1].after[name][row[mine]], values[mine])
    np.testing.assert_equal(vars(columns[0]), vars(columns[1]))
    assert mine.any()
