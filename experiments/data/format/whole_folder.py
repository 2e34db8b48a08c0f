"""A folder that is written whole or not at all, also when its writer is killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments.common.held_folder import LOCK_FILE, held, remove_orphans

NEW, OLD = "new", "old"


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
        with held(folder):
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
        remove_orphans(target.parent, f"{_escaped(target, NEW)}*")


def _prefix(target: Path, kind: str) -> str:
    return f".{target.name}.{kind}-"


def _escaped(target: Path, kind: str) -> str:
    """The prefix as a pattern that matches nothing but itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in _prefix(target, kind))


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
