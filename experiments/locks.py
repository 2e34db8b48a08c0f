"""Locks that a killed process cannot leave behind: the system drops them with the process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """An advisory lock on a file, held by one open file each time it is taken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: int | None = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._take(fcntl.LOCK_EX)
        return True

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it, also not shared."""
        try:
            self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Hold the lock together with others that share it; gives up sole possession."""
        if self._held is None:
            self._take(fcntl.LOCK_SH)
        else:
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """The lock, for a while."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def _take(self, kind: int) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, kind)
        except BaseException:
            os.close(handle)
            raise
        self._held = handle
