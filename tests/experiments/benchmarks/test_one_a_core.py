"""Jobs are all done, each by a process that stays on one core."""

import os

from adjuster.fused_engine.threads import usable_cores
from experiments.benchmarks.one_a_core import one_a_core


def cores_of(number):
    return number, usable_cores(), os.getpid()


def test_every_job_is_done_once_by_processes_of_one_core():
    found = list(one_a_core(cores_of, [(number,) for number in range(6)]))
    assert sorted(number for number, _, _ in found) == list(range(6))
    assert {cores for _, cores, _ in found} == {1}
    assert os.getpid() not in {pid for _, _, pid in found}
