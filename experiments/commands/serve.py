"""``python -m experiments.serve worker|api|all``: the live system, its worker and its interface."""

import os
import sys
import threading
import time
from collections.abc import Callable

from adjuster.live.http.http_guard import LOOPBACK_NAMES, Access, is_loopback
from adjuster.live.learning.generations import roll_back
from adjuster.live.learning.scheduler import run_once
from adjuster.live.learning.worker import TickReport
from adjuster.live.storage.store import StoreUnavailable
from experiments.common.errors import InputError, Outage
from experiments.common.live_store import open_store
from experiments.common.steps import step
from experiments.config.command import FAILED, OK
from experiments.config.serve import LiveConfig, ServeConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.open_dataset import open_dataset
from experiments.data.texts.encoders import TextEncoder, make_encoder
from experiments.serving.champion import champion_source
from experiments.serving.demo import demo_config, visit
from experiments.serving.originals import searched_originals
from experiments.serving.processes import run_worker, served, told_to_end
from experiments.serving.query_encoder import QueryEncoder
from experiments.serving.system import LiveSystem, open_system
from experiments.serving.tick_text import once_text, tick_line

SHORTEST_TOKEN = 16


def serve(config: ServeConfig) -> int:
    """Run what was asked for until it is told to stop; the exit status."""
    access = access_of(config.serve) if config.role in ("api", "all", "demo") else Access()
    log, is_demo = open_dataset(config.dataset), config.role == "demo"
    config = demo_config(config) if is_demo else config
    system = open_system(config, log)
    open_store(system.opener).close()
    try:
        if config.role == "rollback":
            return _roll_back(system)
        if config.once:
            return _once(system, config)
        _run(system, config, access, log if is_demo else None)
    except StoreUnavailable as error:
        raise Outage(str(error)) from None
    return OK


def access_of(live: LiveConfig) -> Access:
    """Who may ask.

    Raises:
        InputError: If others can reach the address and there is no token, or a short one.
    """
    token = os.environ.get(live.token_env, "").strip() or None
    near = is_loopback(live.host)
    if token is None and not near:
        raise InputError(
            f"serve.host {live.host} can be reached from other machines: set the environment "
            f"variable {live.token_env} to a secret of {SHORTEST_TOKEN} characters or more, which "
            "clients send as a bearer token. Or listen on 127.0.0.1."
        )
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise InputError(
            f"The token in {live.token_env} must have at least {SHORTEST_TOKEN} characters, got "
            f"{len(token)}."
        )
    return Access(token, LOOPBACK_NAMES if near else None)


def _roll_back(system: LiveSystem) -> int:
    store = open_store(system.opener)
    try:
        row = roll_back(store, int(time.time()))
    except ValueError as error:
        raise InputError(str(error)) from None
    finally:
        store.close()
    print(
        f"Generation {row.active} is shown again; what was learnt since is learnt anew for it. "
        f"{row.refused} is not followed any more."
    )
    return OK


def _once(system: LiveSystem, config: ServeConfig) -> int:
    """One tick, now, and all that is left to build."""
    store = open_store(system.opener)
    try:
        worker = system.worker(store, champion_source(config, system))
        with told_to_end(worker.stop):
            report = run_once(worker)
            while worker.build(int(time.time())) and not worker.is_stopping:
                pass
        print(once_text(report))
    finally:
        store.close()
    return FAILED if report.fault else OK


def _run(system: LiveSystem, config: ServeConfig, access: Access, visited: ClickLog | None) -> None:
    """Answer, learn, or both; with a log to draw visitors from, only as long as they come."""
    if config.role == "worker":
        _get_ready(system)
        _work(system, config)
        return
    live, ended = config.serve, threading.Event()
    with searched_originals(live, system.index) as originals:
        _get_ready(system)
        encoder = query_encoder(make_encoder(config.encoder.name, config.encoder.model), system)
        app = system.app(access, encoder, originals)
        with served(app, live.host, live.port) as address:
            print(f"answers at {address}, from the store {system.place}", flush=True)
            if visited is not None:
                _show(system, config, lambda: visit(address, access, visited, config.demo_seconds))
            elif config.role == "all":
                _work(system, config)
            else:
                with told_to_end(ended.set):
                    ended.wait()


def _get_ready(system: LiveSystem) -> None:
    with step("Getting ready", quiet=True):
        system.warm_up()


def query_encoder(encoder: TextEncoder, system: LiveSystem) -> QueryEncoder | None:
    """The encoder for searches, or None, with a word, where its vectors are not the index's."""
    wanted = system.index.info.dimensions
    if encoder.dimensions == wanted:
        return QueryEncoder(encoder)
    print(
        f"The encoder gives {encoder.dimensions} numbers and the index has {wanted}: searches that "
        "the data set does not know need a query_vector.",
        file=sys.stderr,
    )
    return None


def _work(system: LiveSystem, config: ServeConfig) -> None:
    store = open_store(system.opener)
    try:
        worker = system.worker(store, champion_source(config, system))
        every = worker.interval_seconds
        print(f"learns every {every} s, from the store {system.place}", flush=True)
        with told_to_end(worker.stop):
            run_worker(worker, _tell)
    finally:
        store.close()


def _show(system: LiveSystem, config: ServeConfig, visits: Callable[[], str]) -> None:
    """Learn in a thread of its own while visitors come; print what happened."""
    store = open_store(system.opener)
    worker = system.worker(store, champion_source(config, system))
    learning = threading.Thread(target=run_worker, args=(worker, _tell), name="worker")
    learning.start()
    try:
        with told_to_end(worker.stop):
            text = visits()
    finally:
        worker.stop()
        learning.join()
        store.close()
    print(f"\n{text}")


def _tell(tick: int, report: TickReport) -> None:
    line = tick_line(tick, report)
    if line:
        print(line, file=sys.stderr if report.fault else sys.stdout, flush=True)
