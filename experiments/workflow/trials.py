"""The trials of a study, run one after the other in this process or in several."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.context import SpawnProcess

from experiments.common.errors import Outage
from experiments.common.interrupts import unheard_by_children
from experiments.config.commands import SweepConfig
from experiments.study.records import RUNNING, TrialRecord
from experiments.study.search_space import SearchSpace
from experiments.study.study import Claim, Study
from experiments.study.trial import BlockReplay, run_trial
from experiments.workflow.engines import reopen_log, replay_over
from experiments.workflow.studies import base_settings, make_study

POLL_SECONDS = 0.3

OnTrial = Callable[[TrialRecord], None]


def run_trials(study: Study, replay: BlockReplay, metric: str, on_trial: OnTrial) -> None:
    """Claim, run and keep trials until the study has all of them.

    Args:
        study: The study, opened or joined.
        replay: Of the log that all trials share.
        metric: The objective.
        on_trial: Told every trial that finishes.
    """
    parent = os.getppid()
    while (claim := study.claim()) is not None:
        on_trial(_run_claim(study, replay, metric, claim))
        if os.getppid() != parent:
            return


def _run_claim(study: Study, replay: BlockReplay, metric: str, claim: Claim) -> TrialRecord:
    try:
        with study.heartbeat(claim):
            outcome = run_trial(
                replay,
                claim.settings,
                metric=metric,
                guardrails=study.rules.guardrails,
                should_prune=partial(study.should_prune, claim),
            )
            return study.finish(claim, outcome)
    except (KeyboardInterrupt, Outage):
        study.abandon(claim)
        raise


def run_workers(study: Study, config: SweepConfig, on_trial: OnTrial) -> list[int]:
    """Run trials in several processes on one study, and follow them.

    Args:
        study: The study, opened.
        config: The sweep's configuration; each process has its share of the cores.
        on_trial: Told every trial that finishes.

    Returns:
        Exit codes of the processes that did not end well.
    """
    seen = {record.number for record in study.records() if record.state != RUNNING}
    with _workers(config) as workers:
        while True:
            alive = any(worker.is_alive() for worker in workers)
            for record in study.records():
                if record.state != RUNNING and record.number not in seen:
                    seen.add(record.number)
                    on_trial(record)
            if not alive:
                return [worker.exitcode for worker in workers if worker.exitcode]
            time.sleep(POLL_SECONDS)


@contextmanager
def _workers(config: SweepConfig) -> Iterator[list[SpawnProcess]]:
    """Processes that end with this one, however it ends."""
    threads = max(1, (os.cpu_count() or 1) // config.study.workers)
    share = replace(config.replay, n_threads=config.replay.n_threads or threads)
    work = replace(config, replay=share)
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_work, args=(work,), daemon=True)
        for _ in range(config.study.workers)
    ]
    try:
        # Ctrl-C goes to all processes of a terminal; the sweep takes it and ends its workers.
        with unheard_by_children():
            for worker in workers:
                worker.start()
        yield workers
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        for worker in workers:
            if worker.pid is not None:
                worker.join()


def _work(config: SweepConfig) -> None:
    """What a worker does: everything for itself, so that nothing is shared but the study."""
    space = SearchSpace.from_config(config.search_space, base_settings(config))
    with reopen_log(config) as opened:
        replay = replay_over(opened, config)
        study = make_study(config, space)
        study.join()
        try:
            run_trials(study, replay, replay.objective_key, lambda record: None)
        finally:
            study.close()
