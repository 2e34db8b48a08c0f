"""Machines of a Ray on loopback that can be lost: each is a session of processes of its own."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

import pytest

from experiments.replay.partitioned.ray_cluster import CURRENT, QUIET
from tests.experiments.mlflow_server import free_port

NEEDS_RAY = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
]
"""What marks tests on processes of a Ray."""

SECONDS_TO_START = 120

HOLDER = "ray::PartitionHolder"
"""How a process is called that holds partitions."""


class Listed(NamedTuple):
    """A process, as the system lists it."""

    pid: int
    title: str


def processes_in(session: int) -> list[Listed]:
    """The processes of a session that have not ended; its number is that of its first one."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            status, words = (place / "stat").read_text(), (place / "cmdline").read_bytes()
            state, _, _, its_session = status.rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                title = words.replace(b"\0", b" ").decode(errors="replace").strip()
                found.append(Listed(int(place.name), title))
    return found


def holders_in(session: int) -> list[int]:
    """The processes of a session that hold partitions."""
    return [found.pid for found in processes_in(session) if found.title.startswith(HOLDER)]


def kill(pid: int) -> None:
    """End a process at once, if it has not ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_session(session: int) -> None:
    """End all processes of a session at once, and those that they start meanwhile."""
    deadline = time.monotonic() + SECONDS_TO_START
    while found := processes_in(session):
        assert time.monotonic() < deadline, found
        for process in found:
            kill(process.pid)
        time.sleep(0.05)


class Machines:
    """A Ray of machines, each with a core for an actor unless told otherwise.

    Args:
        folder: Where it keeps its files; a short path, for sockets lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
            **QUIET,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": token_hex(32),
            "RAY_TMPDIR": str(folder),
            "RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": str(SECONDS_TO_START),
        }
        self._port = free_port()
        self._sessions: list[int] = []

    @property
    def address(self) -> str:
        """Where a driver reaches it."""
        return f"ray://{self._head.rpartition(':')[0]}:{self._port}"

    def start(self, *, cores: int = 1) -> int:
        """Start a machine, the first one as head; the session of its processes."""
        where = [f"--address={self._head}"] if self._sessions else self._as_head()
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *where]
        command += [f"--num-cpus={cores}", "--num-gpus=0", "--object-store-memory=100000000"]
        command += ["--min-worker-port=0", "--max-worker-port=0"]
        log = self.folder / f"{len(self._sessions)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, env=self.environment, stdout=file, stderr=file, start_new_session=True
            )
        self._sessions.append(process.pid)
        deadline = time.monotonic() + SECONDS_TO_START
        while "Ray runtime started" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        return process.pid

    def lose_all(self) -> None:
        """Lose every machine."""
        for session in self._sessions:
            kill_session(session)

    @property
    def _head(self) -> str:
        return (self.folder / CURRENT).read_text(encoding="utf-8").strip()

    def _as_head(self) -> list[str]:
        ports = ["--port=0", f"--ray-client-server-port={self._port}"]
        return ["--head", *ports, "--include-dashboard=false"]


@contextmanager
def machines() -> Iterator[Machines]:
    """A Ray without machines; those that were started are gone afterwards, and so are its files.

    One at a time, whoever else runs tests here: Ray's servers of clients look for ports in a range
    of their own, and find the same ones where two look at once.
    """
    with (Path(tempfile.gettempdir()) / "ray-machines.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = Path(tempfile.mkdtemp(prefix="rm-", dir="/tmp"))
        made = Machines(folder)
        try:
            yield made
        finally:
            made.lose_all()
            shutil.rmtree(folder, ignore_errors=True)
