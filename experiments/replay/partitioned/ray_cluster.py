"""A Ray to work on: one that is there, or one of our own for as long as it is needed.

Ray is told to say nothing on the terminal and nothing to anybody else.
"""

import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import gettempdir, mkdtemp
from types import ModuleType
from urllib.parse import urlsplit

from experiments.common.errors import InputError

ANSWER_SECONDS = 5.0
"""How long an address may take to accept a connection."""

CURRENT = "ray/ray_current_cluster"
"""File below the temporary folder in which `ray start` leaves its address."""

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
    return ray


@contextmanager
def connected(address: str) -> Iterator[ModuleType]:
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
        with _own(ray):
            yield ray
        return
    ray = load_ray()
    check_answers(running)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(address=running, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:
        raise InputError(
            f"engine.address={running} does not answer as a Ray that this one can work with: "
            f"{first_line(error)}. Where it asks for a token, set RAY_AUTH_MODE=token and have the "
            "token in RAY_AUTH_TOKEN, or where Ray looks for it."
        ) from None
    try:
        yield ray
    finally:
        with suppress(ConnectionError):
            ray.shutdown()


@contextmanager
def _own(ray: ModuleType) -> Iterator[None]:
    """A Ray that nobody else reaches, and whose files go with it."""
    # A socket's path must be short, which a TMPDIR of one's own may not be.
    folder = mkdtemp(prefix="ray-", dir="/tmp" if Path("/tmp").is_dir() else None)
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
        yield
    finally:
        ray.shutdown()
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
