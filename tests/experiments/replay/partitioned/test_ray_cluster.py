"""Where a Ray is looked for, and what is said where there is none."""

import socket
import sys
import time
from types import SimpleNamespace

import pytest

from experiments.common.errors import InputError
from experiments.replay.partitioned import ray_cluster
from experiments.replay.partitioned.ray_cluster import (
    Connection,
    Lifeline,
    check_answers,
    connected,
    found_running,
)


@pytest.fixture
def listening():
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def current(tmp_path, monkeypatch):
    """The file in which `ray start` leaves its address, on a machine where Ray is not set up."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray_cluster, "gettempdir", lambda: str(tmp_path))
    path = tmp_path / ray_cluster.CURRENT
    path.parent.mkdir()
    return path


def test_auto_is_the_ray_that_runs_here(current, listening, monkeypatch):
    assert found_running() == "local"
    current.write_text(f"127.0.0.1:{listening}\n")
    assert found_running() == f"127.0.0.1:{listening}"
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert found_running() == "ray://head:10001"


@pytest.mark.parametrize("content", ["127.0.0.1:1", "", "nonsense", "[::1"])
def test_a_ray_that_has_ended_is_not_found(current, content):
    current.write_text(content)
    assert found_running() == "local"


def test_an_address_where_nobody_answers_is_a_sentence():
    with pytest.raises(InputError, match=r"ray://127.0.0.1:1 does not answer: .* Start a Ray"):
        check_answers("ray://127.0.0.1:1")


def test_the_package_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ray_cluster.QUIET:
        monkeypatch.setenv(name, ray_cluster.QUIET[name])
    with pytest.raises(InputError, match=r"pip install '\.\[ray\]'"), connected("local"):
        pass


def test_a_ray_is_lost_once_what_it_depends_on_has_not_answered_for_too_long(listening):
    there, silent = f"127.0.0.1:{listening}", "127.0.0.1:1"
    for is_gone, line in (
        (False, Lifeline(there)),
        (False, Lifeline(there, patience=60.0, answered=time.monotonic() - 90.0)),
        (False, Lifeline(silent, patience=60.0, answered=time.monotonic() - 30.0)),
        (True, Lifeline(silent, patience=60.0, answered=time.monotonic() - 90.0)),
        (True, Lifeline(silent)),
    ):
        assert line.is_gone() == is_gone
        assert line.is_gone() == is_gone
    Connection(sys, (Lifeline(there),)).check()
    with pytest.raises(ConnectionError, match=r"its process at 127\.0\.0\.1:1 has ended"):
        Connection(sys, (Lifeline(there), Lifeline(silent))).check()


@pytest.mark.parametrize("n_refused", [0, 2, 3])
def test_a_cluster_that_could_not_serve_us_is_asked_again(listening, monkeypatch, n_refused):
    asked = []

    def init(**how):
        asked.append(how["address"])
        if len(asked) <= n_refused:
            raise ConnectionAbortedError("no server could be started")

    monkeypatch.setattr(
        ray_cluster, "load_ray", lambda: SimpleNamespace(init=init, shutdown=lambda: None)
    )
    address = f"ray://127.0.0.1:{listening}"
    if n_refused < ray_cluster.JOINS:
        with connected(address) as reached:
            assert reached.lifelines == ()
    else:
        with pytest.raises(InputError, match="no server could be started"), connected(address):
            pass
    assert asked == [address] * min(n_refused + 1, ray_cluster.JOINS)
