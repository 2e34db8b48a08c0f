"""A folder that is written whole or not at all, also when its writer is killed."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NEW, OLD = "new", "old"
LOCK_FILE = ".writing"
"""Locked in a new folder while it is written; a lock that is free says that its writer is gone."""

GRACE_SECONDS = 60
"""A folder without a lock may be this young and have a writer all the same."""


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A folder beside `path` that replaces it when the block ends well, else vanishes.

    What a writer that was killed left there is removed first.

    Args:
        path: The folder to write; missing parents are made.
    """
    target = Path(path).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    mend(target)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(target, NEW), dir=target.parent))
    try:
        with _locked(folder / LOCK_FILE):
            yield folder
            (folder / LOCK_FILE).unlink()
            folder.chmod(0o777 & ~_umask())
            _replace(folder, target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def mend(path: str | Path) -> None:
    """Remove what killed writers of a folder left beside it.

    A writer that was killed just after it had set the earlier folder aside, and before its own
    stood in its place, left none there: the earlier one is put back.

    Args:
        path: The folder; what is beside it is told by its name.
    """
    target = Path(path).absolute()
    with suppress(OSError):
        for aside in sorted(target.parent.glob(f"{_escaped(target, OLD)}*")):
            if not target.exists():
                os.replace(aside, target)
            shutil.rmtree(aside, ignore_errors=True)
        for left in target.parent.glob(f"{_escaped(target, NEW)}*"):
            if not _is_being_written(left):
                shutil.rmtree(left, ignore_errors=True)


def _prefix(target: Path, kind: str) -> str:
    return f".{target.name}.{kind}-"


def _escaped(target: Path, kind: str) -> str:
    """The prefix as a pattern that matches nothing but itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in _prefix(target, kind))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_being_written(folder: Path) -> bool:
    try:
        with (folder / LOCK_FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        # Its writer may be about to lock it, or to put it into its place.
        return time.time() - folder.stat().st_mtime < GRACE_SECONDS
    return False


def _replace(folder: Path, target: Path) -> None:
    if not target.exists():
        os.replace(folder, target)
        return
    old = Path(tempfile.mkdtemp(prefix=_prefix(target, OLD), dir=target.parent))
    os.replace(target, old)
    os.replace(folder, target)
    shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
