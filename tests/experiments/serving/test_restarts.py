"""PostgreSQL is restarted while clients write and search and two workers learn."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import requests

from adjuster.config import AdjusterConfig
from adjuster.live.http.http_guard import Access
from experiments.config.data import DatasetConfig
from experiments.config.serve import LiveConfig, ServeConfig
from experiments.serving.originals import searched_originals
from experiments.serving.processes import run_worker, served
from experiments.serving.system import open_system
from tests.experiments.random_log import make_log
from tests.experiments.replay.live_driver import copies_in
from tests.experiments.replay.test_live_parity import assert_equal_to_the_bit
from tests.postgres_server import started

STREAM = "/api/v1/clickstream"
OWNERS = ("ann", "bob", "eve")
# From the original with all feedback so far: what is learnt does not depend on the batches.
ADJUSTER = AdjusterConfig(
    num_iterations=2, memory="refit", term_weight="impression", interval_seconds=1
)


def system_in(folder, log, **live):
    config = ServeConfig(
        dataset=DatasetConfig(path="made"),
        adjuster=ADJUSTER,
        output_dir=str(folder),
        personalize_by="user_id",
        serve=LiveConfig(**live, batch_size=16),
    )
    return open_system(config, log)


def bodies(log, client, number):
    """A search of a client, its click and its mark, as path and body."""
    rng = np.random.default_rng([client, number])
    shown = [str(name) for name in rng.permutation(log.object_ids)[:4]]
    session = {"session_id": f"{client} {number}"}
    search = {
        "search_query": str(rng.choice(log.query_ids)),
        "search_results": [{"object_id": name} for name in shown],
        "user_id": OWNERS[number % len(OWNERS)],
        "created_at": 1_000 + number,
    }
    click = {"event_id": "e", "object_id": str(rng.choice(shown)), "created_at": 2_000 + number}
    yield "/session", session | search
    yield "/session/events", session | {"events": [click]}
    yield "/internal/session/use-for-improvement", session


class Client:
    """Sends and searches until told to end; what is not acknowledged is sent again."""

    def __init__(self, address, log, number):
        self.address, self.log, self.number = address, log, number
        self.statuses, self.n_sent, self.ended = Counter(), 0, threading.Event()

    def run(self):
        with requests.Session() as connection:
            while not self.ended.is_set():
                for path, body in bodies(self.log, self.number, self.n_sent):
                    self._insist(connection, STREAM + path, body)
                search = {"search_query": str(self.log.query_ids[0]), "user_id": "ann"}
                self._insist(connection, "/api/v1/embeddings/similarity-search", search)
                self.n_sent += 1

    def _insist(self, connection, path, body):
        until = time.monotonic() + 120
        while True:
            answer = connection.post(self.address + path, json=body, timeout=120)
            self.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                return
            assert answer.status_code == 503, answer.text
            assert time.monotonic() < until, "the store never came back"
            time.sleep(0.02)


@contextmanager
def learning(system):
    """Two workers, at work while it lasts."""
    workers = [system.worker(system.opener()) for _ in range(2)]
    threads = [
        threading.Thread(target=run_worker, args=(worker, lambda tick, report: None))
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker, thread in zip(workers, threads, strict=True):
            worker.stop()
            thread.join()
            worker.store.close()


def all_done(address, n_sessions):
    until = time.monotonic() + 120
    while True:
        found = requests.get(f"{address}/live/status", timeout=120).json()
        if found["sessions"]["done"] == n_sessions:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.1)


@pytest.mark.slow
def test_what_clients_are_told_is_kept_and_learnt_once(tmp_path):
    log = make_log(60)
    with started() as server:
        live = {"store": server.url.replace("+psycopg", ""), "index": "pgvector"}
        system = system_in(tmp_path / "restarted", log, **live)
        system.warm_up()
        system.opener().close()
        with (
            searched_originals(LiveConfig(**live), system.index) as originals,
            served(system.app(Access(), None, originals), "127.0.0.1", 0) as address,
            learning(system),
            ThreadPoolExecutor(4) as pool,
        ):
            clients = [Client(address, log, number) for number in range(4)]
            done = [pool.submit(client.run) for client in clients]
            try:
                for how in ("immediate", "fast", "immediate"):
                    time.sleep(1.0)
                    server.stop(how)
                    time.sleep(0.2)
                    server.start()
                time.sleep(0.5)
            finally:
                for client in clients:
                    client.ended.set()
            for end in done:
                end.result()
            told = all_done(address, sum(client.n_sent for client in clients))
        assert sum(client.statuses[503] for client in clients) > 0
        assert sum(told["sessions"].values()) == told["sessions"]["done"]
        store = system.opener()
        reported = Counter()
        for counts in store.ticks(10**9).values():
            reported.update(counts)
        assert reported == {"selected": told["sessions"]["done"]}
        assert_equal_to_the_bit(copies_in(store, OWNERS), undisturbed(tmp_path, log, clients))
        store.close()


def undisturbed(tmp_path, log, clients):
    """The copies of one tick over all that the clients told."""
    system = system_in(tmp_path / "undisturbed", log)
    store = system.opener()
    with served(system.app(Access(), None), "127.0.0.1", 0) as address:
        for client in clients:
            for number in range(client.n_sent):
                for path, body in bodies(log, client.number, number):
                    assert requests.post(address + STREAM + path, json=body, timeout=60).ok
    system.worker(store).tick(int(time.time()) + 1)
    copies = copies_in(store, OWNERS)
    store.close()
    return copies
