"""A folder that says, by a lock in it, whether whoever works in it still lives."""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_FILE = ".writing"
"""Locked in a folder while it is worked in; a lock that is free says that its owner is gone."""

GRACE_SECONDS = 60
"""A folder without a lock may be this young and have an owner all the same."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; the system lets go of it when the process ends, however it ends."""
    with (folder / LOCK_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_held(folder: Path) -> bool:
    """Whether whoever works in a folder lives, as far as can be told."""
    try:
        with (folder / LOCK_FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        # Its owner may be about to lock it, or to put it into its place.
        return time.time() - folder.stat().st_mtime < GRACE_SECONDS
    return False


def remove_orphans(parent: Path, pattern: str) -> None:
    """Remove the folders in `parent` that match and whose owners are gone."""
    for left in parent.glob(pattern):
        with suppress(OSError):
            if not is_held(left):
                shutil.rmtree(left, ignore_errors=True)
