"""A Ray to work on: one that is there, or one of our own for as long as it is needed.

Ray is told to say nothing on the terminal and nothing to anybody else.
"""

import atexit
import logging
import os
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import gettempdir, mkdtemp
from types import ModuleType
from typing import NamedTuple
from urllib.parse import urlsplit

from experiments.common.errors import InputError

ANSWER_SECONDS = 5.0
"""How long an address may take to accept a connection."""

HEAD_SECONDS = 30.0
"""How long a head may not answer: as long as Ray's own client tries. After 60 s Ray ends us."""

JOINS = 3
"""How often a cluster is asked: a busy one may take longer to serve us than it waits itself."""

CURRENT = "ray/ray_current_cluster"
"""File below the temporary folder in which `ray start` leaves its address."""

CLIENT = "ray://"
"""Begins an address at which Ray's client is served, beside a cluster and not as part of it."""

LOOPBACK = "127.0.0.1"

MODE, TOKEN = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"
"""A Ray runs whatever it is sent, by whoever has its token. It reads them once, on its import."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
}


@dataclass
class Lifeline:
    """A process of Ray without which Ray ends this one, with no sentence and nothing tidied up.

    Args:
        address: Where it answers.
        patience: How long it may not answer, in seconds; it is asked in every sixth of that.
        answered: When it has answered.
    """

    address: str
    patience: float = 0.0
    answered: float = field(default_factory=time.monotonic)

    def is_gone(self) -> bool:
        """Whether it has not answered for too long."""
        silent = time.monotonic() - self.answered
        if silent < self.patience / 6:
            return False
        try:
            check_answers(self.address)
        except InputError:
            return silent >= self.patience
        self.answered = time.monotonic()
        return False


class Connection(NamedTuple):
    """A Ray that is connected to.

    Args:
        ray: The library.
        lifelines: What must not be gone when it is called; none where a client is between.
    """

    ray: ModuleType
    lifelines: tuple[Lifeline, ...] = ()

    def check(self) -> None:
        """Look whether Ray can be called.

        Raises:
            ConnectionError: If that would end this process.
        """
        for line in self.lifelines:
            if line.is_gone():
                raise ConnectionError(f"its process at {line.address} has ended")

    def close(self) -> None:
        """Take leave of it, where it is still there to be told."""
        try:
            self.check()
            self.ray.shutdown()
        except ConnectionError:
            if self.lifelines:
                _abandon(self.ray)


def _abandon(ray: ModuleType) -> None:
    """Do without taking leave of a Ray that this process was part of."""
    atexit.unregister(ray.shutdown)
    atexit.register(_end)
    if (node := ray._private.worker._global_node) is not None:
        node.kill_all_processes(check_alive=False)


def _end() -> None:
    """End a process that has lost its Ray and has said so: its threads would crash at the exit."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(1)


def _member(ray: ModuleType) -> Connection:
    """A connection of a process that is part of a Ray, by what it depends on."""
    here = ray.get_runtime_context()
    (node,) = (node for node in ray.nodes() if node["NodeID"] == here.get_node_id())
    raylet = Lifeline(f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}")
    return Connection(ray, (raylet, Lifeline(here.gcs_address, HEAD_SECONDS)))


def load_ray() -> ModuleType:
    """The library, told to be quiet before it is imported.

    Raises:
        InputError: If the extra `ray` is not installed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise InputError(
            "engine=ray needs the package ray. Install it with pip install '.[ray]'."
        ) from None
    # The one thing that no setting silences: a paragraph on stdout for every process that dies.
    ray._private.worker.print_to_stdstream = lambda *what, **how: None
    # Nor this: what it says when a connection to a cluster is lost, and what runs there.
    logging.getLogger("ray.util.client.logsclient").disabled = True
    return ray


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """Ray, connected to while it lasts; what was started for it has ended afterwards.

    Args:
        address: ``auto``: the Ray that runs on this machine, else as ``local``; ``local``: one
            of our own, on this machine; ``ray://host:port``: a cluster.

    Raises:
        InputError: If Ray is not installed, or the address does not answer as a Ray does.
    """
    running = found_running() if address == "auto" else address
    if running == "local":
        if MODE not in os.environ and "ray" not in sys.modules:
            os.environ.update({MODE: "token", TOKEN: token_hex(32)})
        ray = load_ray()
        with _own(ray) as own:
            yield own
        return
    ray = load_ray()
    check_answers(running)
    try:
        _join(ray, running)
    except Exception as error:
        raise InputError(
            f"engine.address={running} does not answer as a Ray that this one can work with: "
            f"{first_line(error)}. Where it asks for a token, set RAY_AUTH_MODE=token and have the "
            "token in RAY_AUTH_TOKEN, or where Ray looks for it."
        ) from None
    reached = Connection(ray) if running.startswith(CLIENT) else _member(ray)
    try:
        yield reached
    finally:
        reached.close()


def _join(ray: ModuleType, address: str) -> None:
    """Connect to a Ray; again where it could not start a server for us, which may be for once."""
    for attempt in range(1, JOINS + 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
            return
        except ConnectionAbortedError:
            if attempt == JOINS:
                raise


@contextmanager
def _own(ray: ModuleType) -> Iterator[Connection]:
    """A Ray that nobody else reaches, and whose files go with it."""
    # A socket's path must be short, which a TMPDIR of one's own may not be.
    folder = mkdtemp(prefix="ray-", dir="/tmp" if Path("/tmp").is_dir() else None)
    own = Connection(ray)
    try:
        ray.init(
            address="local",
            num_gpus=0,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            _node_ip_address=LOOPBACK,
            _temp_dir=folder,
        )
        own = _member(ray)
        yield own
    finally:
        own.close()
        rmtree(folder, ignore_errors=True)


def found_running() -> str:
    """Address of the Ray that runs on this machine, as Ray's own commands find it; else "local"."""
    given = os.environ.get("RAY_ADDRESS", "")
    if given not in ("", "auto"):
        return given
    with suppress(OSError, ValueError, InputError):
        current = (Path(gettempdir()) / CURRENT).read_text(encoding="utf-8").strip()
        check_answers(current)
        return current
    return "local"


def check_answers(address: str) -> None:
    """Connect to an address and hang up, for Ray waits long and says much where nobody answers.

    Args:
        address: ``ray://host:port`` or ``host:port``.

    Raises:
        InputError: If nobody answers.
    """
    where = urlsplit(address if "//" in address else f"//{address}")
    try:
        if not where.hostname or not where.port:
            raise InputError(f"engine.address must be ray://host:port, got {address!r}.")
        socket.create_connection((where.hostname, where.port), ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"engine.address={address} does not answer: {first_line(error)}. Start a Ray there "
            "with `ray start --head`, or use engine.address=local."
        ) from None


def first_line(error: Exception) -> str:
    """An error's first line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".")
