"""Locks that a killed process cannot leave behind: the system drops them with the process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class FileLock:
    """An advisory lock on a file, held by an open file: by whoever has it, process or thread.

    Args:
        path: The file; made if absent, and left.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._held = self._take(fcntl.LOCK_EX)
        return True

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it, also not shared."""
        try:
            self._held = self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Hold the lock together with others that share it; gives up sole possession."""
        if self._held is None:
            self._held = self._take(fcntl.LOCK_SH)
        else:
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            self._held.close()
            self._held = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """The lock, for a while; other threads of this process wait for it too."""
        with self._take(fcntl.LOCK_EX):
            yield

    def _take(self, kind: int) -> IO[bytes]:
        """The open file that holds the lock: one that an interrupt leaves to nobody is closed."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        file = os.fdopen(handle, "rb+", 0)
        try:
            fcntl.flock(file, kind)
        except BaseException:
            file.close()
            raise
        return file
