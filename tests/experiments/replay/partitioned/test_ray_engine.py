"""A real Ray of two processes on loopback: equal to the last bit, whoever dies on the way."""

import os
import signal
import subprocess
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from experiments.common.errors import InputError, Outage
from experiments.config.replay import ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.replay.judged_replay import JudgedReplay
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.clicks import read_clicks
from experiments.replay.partitioned.judged_replay import JudgedPartitions
from experiments.replay.partitioned.ray_engine import RayEngine
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import Workbench
from experiments.replay.replay import Replay
from tests.experiments.planted_replay import make_settings
from tests.experiments.ray_machines import NEEDS_RAY
from tests.experiments.replay.partitioned.test_copies import assert_copies_are
from tests.experiments.replay.partitioned.test_published import PUBLISHED
from tests.experiments.replay.partitioned.test_replay import (
    NAIVE,
    SETTINGS,
    assert_equal,
    log_in,
    steps,
)

pytestmark = NEEDS_RAY

SCOPES = {"user_id": "user", "none": "object"}

EITHER = [*SETTINGS, *({"semantics": "published", **values} for values in PUBLISHED)]


@pytest.fixture(scope="module")
def ray():
    """Two actors on a Ray of their own."""
    with closing(RayEngine("local", most=2)) as engine:
        assert engine.n_actors == 2
        yield engine
    listed = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True)
    ours = [line for line in listed.stdout.splitlines() if line.split()[0] == str(os.getpid())]
    assert not [line for line in ours if "raylet" in line or "gcs_server" in line]


class Dying:
    """An engine whose actor is killed at work on one of the partitions.

    Args:
        engine: The engine.
        folder: Where is written down how often.
        names: The steps in which it dies.
        times: How often it dies.
    """

    def __init__(self, engine, folder, names, times):
        self.engine, self.folder, self.names, self.times = engine, folder, names, times

    def map(self, bench, step, numbers):
        """See `Engine.map`."""
        told = step.func.__name__ if isinstance(step, partial) else step.__name__
        if told not in self.names:
            return self.engine.map(bench, step, numbers)
        dying = partial(die_at_times, step=step, marks=self.folder / told, times=self.times)
        return self.engine.map(bench, dying, numbers)


def die_at_times(bench, number, step, marks, times):
    """A step, in an actor that is killed at work on the second partition."""
    found = step(bench, number)
    marks.mkdir(exist_ok=True)
    died = len(list(marks.iterdir()))
    if number == 1 and died < times:
        (marks / str(died)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return found


def kernels_in(bench, number):
    """What the actor has compiled of the replays' loops."""
    from adjuster.fused_engine.published_kernel import adjust_range
    from adjuster.fused_engine.stream_loop import run_range

    return [len(loop.signatures) for loop in (run_range, adjust_range)]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log's folder."""
    return log_in(tmp_path_factory.mktemp("data"))


def both(folder, scope, engine, n_parts=4):
    """The whole replay of a log, and that of its partitions."""
    config = ReplayConfig(
        quiet_seconds=60, batch_size=7, n_blocks=4, personalize_by=scope, bystander_share=0.3
    )
    parts = folder.parent / scope
    if not parts.exists():
        partition_log(folder, parts, n_parts, by=SCOPES[scope])
    whole = Replay(lay_out(load_click_log(folder), config, NAIVE))
    return whole, PartitionedReplay(
        PartitionedLog(parts, names=False), config, NAIVE, engine=engine
    )


def test_actors_change_no_bit(ray, log):
    for scope in SCOPES:
        whole, cut = both(log, scope, ray)
        with closing(cut):
            for values in EITHER:
                expected = steps(whole, make_settings(**values))
                assert_equal(steps(cut, make_settings(**values)), expected)
            # What Ray hands out cannot be written to; a kernel for that would be another one.
            for compiled in ray.map(cut._bench, kernels_in, [0, 1]):
                assert compiled == [1, 1]


def test_actors_change_nothing_that_a_verdict_asks(ray, log):
    whole, cut = both(log, "user_id", ray)
    asked, expected = JudgedPartitions(cut), JudgedReplay(whole)
    settings = make_settings(interval_seconds=7200)
    with closing(cut):
        rivals = expected.baselines(settings)
        for name, found in asked.baselines(settings).items():
            np.testing.assert_equal(found.metrics, rivals[name].metrics)
            np.testing.assert_equal(vars(found.sessions), vars(rivals[name].sessions))
        np.testing.assert_equal(vars(asked.traffic()), vars(expected.traffic()))
        assert asked.silent_share() == expected.silent_share()
        clicks = whole.layout.objective.clicks
        assert read_clicks(cut).identifiability == clicks.identifiability
        for streams, _ in ray.map(cut.bench, kernels_in, [0, 1]):
            assert streams == 1


def test_actors_leave_the_same_copies(ray, log):
    for scope in SCOPES:
        whole, cut = both(log, scope, ray)
        with closing(cut):
            for semantics in ("documented", "published"):
                settings = make_settings(semantics=semantics, interval_seconds=7200)
                assert len(assert_copies_are(cut, settings, whole.layout)) > 10
            for compiled in ray.map(cut.bench, kernels_in, [0, 1]):
                assert compiled == [1, 1]


def test_an_actor_that_is_killed_costs_its_partition(ray, log, tmp_path, capfd, monkeypatch):
    whole, cut = both(log, "user_id", Dying(ray, tmp_path, ["stream", "score"], 1))
    with closing(cut):
        expected = steps(whole, make_settings(memory="refit"))
        assert_equal(steps(cut, make_settings(memory="refit")), expected)
    assert {path.parent.name for path in tmp_path.glob("*/0")} == {"stream", "score"}
    published = make_settings(semantics="published")
    for scope, step in (("user_id", "walk_part"), ("none", "walk_shard")):
        whole, cut = both(log, scope, Dying(ray, tmp_path, [step], 1))
        with closing(cut):
            assert_equal(steps(cut, published), steps(whole, published))
        assert (tmp_path / step / "0").exists()
    monkeypatch.setattr("experiments.replay.partitioned.ray_engine.ATTEMPTS", 2)
    with pytest.raises(Outage, match="lost 2 actors at work on partition 1"):
        both(log, "none", Dying(ray, tmp_path, ["look_at_pairs"], 9))
    # What an actor raises is raised here, and they go on.
    with pytest.raises(InputError, match="has no partitions"):
        list(ray.map(moved(cut._bench, tmp_path), Workbench.look_at_pairs, [0, 1]))
    whole, cut = both(log, "none", ray)
    with closing(cut):
        assert_equal(steps(cut, make_settings()), steps(whole, make_settings()))
    assert capfd.readouterr() == ("", "")


def moved(bench, folder):
    """A workbench whose partitions lie where there are none."""
    return replace(bench, place=replace(bench.place, folder=folder, scratch=folder))
