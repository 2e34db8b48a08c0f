"""The trials of a study, run one after the other in this process or in several."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path

from experiments.common.errors import InputError
from experiments.config.commands import SweepConfig
from experiments.data.open_dataset import open_dataset
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.study.records import RUNNING, TrialRecord
from experiments.study.search_space import SearchSpace
from experiments.study.storage import journal_path, open_storage
from experiments.study.study import Claim, Study
from experiments.study.trial import BlockReplay, run_trial
from experiments.study_folder.best_yaml import read_config
from experiments.study_folder.layout import Outputs

POLL_SECONDS = 0.3

OnTrial = Callable[[TrialRecord], None]


def base_settings(config: SweepConfig) -> Settings:
    """The settings that a sweep varies; the replay's interval is the adjuster's."""
    adjuster = replace(config.adjuster, interval_seconds=config.replay.interval_seconds)
    return Settings(adjuster, config.selection)


def make_study(config: SweepConfig, space: SearchSpace) -> Study:
    """The study of a configuration, for this process."""
    storage = open_storage(config.study.storage, config.output_dir, config.study.name)
    session = f"{os.uname().nodename}:{os.getpid()}:{time.time():.3f}"
    return Study(config, base_settings(config), space, storage, session)


def load_study(output_dir: str, name: str) -> tuple[SweepConfig, Study, Outputs]:
    """A study that a sweep left behind, to read it and to keep more with it.

    Args:
        output_dir: Where the sweep wrote.
        name: The study.

    Returns:
        Its configuration, the study (to be closed), and where its files lie.

    Raises:
        InputError: If there is no such study.
    """
    outputs = Outputs(Path(output_dir), name)
    if not outputs.config.is_file() or not outputs.summary.is_file():
        there = sorted(path.parent.name for path in outputs.root.glob("*/summary.json"))
        raise InputError(
            f"study {name} has not been swept in {output_dir}; "
            f"there are {', '.join(there) or 'no studies'}."
        )
    config = replace(read_config(outputs.config), output_dir=output_dir)
    if config.study.storage is None and not journal_path(output_dir, name).is_file():
        raise InputError(f"The journal of study {name} is missing in {output_dir}/studies.")
    study = make_study(config, SearchSpace.from_config(config.search_space, base_settings(config)))
    study.join()
    return config, study, outputs


def run_trials(study: Study, replay: BlockReplay, config: SweepConfig, on_trial: OnTrial) -> None:
    """Claim, run and keep trials until the study is as long as it shall be."""
    parent = os.getppid()
    while (claim := study.claim()) is not None:
        on_trial(_run_claim(study, replay, config, claim))
        if os.getppid() != parent:
            return


def _run_claim(study: Study, replay: BlockReplay, config: SweepConfig, claim: Claim) -> TrialRecord:
    try:
        with study.alive(claim):
            outcome = run_trial(
                replay,
                claim.settings,
                metric=config.objective.metric,
                guardrails=config.guardrails,
                should_prune=partial(study.should_prune, claim),
            )
            return study.finish(claim, outcome)
    except KeyboardInterrupt:
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
    """What a worker does: everything for itself, so that nothing is shared but the study.

    Ctrl-C goes to all processes of a terminal; the sweep takes it and ends its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    space = SearchSpace.from_config(config.search_space, base_settings(config))
    replay = Replay(open_dataset(config.dataset), config.replay, config.objective)
    study = make_study(config, space)
    study.join()
    try:
        run_trials(study, replay, config, lambda record: None)
    finally:
        study.close()
