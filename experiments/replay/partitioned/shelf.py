"""What is the same for many settings, kept on disk by name."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from experiments.replay.partitioned.arrays_file import read_arrays, write_arrays

T = TypeVar("T")


class Shelf:
    """Trees of arrays in a folder; any process may read what another has left.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """What lies under a name; made and left there by whoever asks first.

        Args:
            name: Says all that it depends on.
            kind: Its class; see `read_arrays`.
            make: Makes it.
        """
        path = self._path(name)
        try:
            return read_arrays(path, kind)
        except FileNotFoundError:
            made = make()
            write_arrays(path, made)
            return made

    def keep_newest(self, pattern: str, n: int) -> None:
        """Remove all but the `n` that were written last of those whose names match."""
        found = []
        for path in self._folder.glob(f"{pattern}.arrow"):
            with suppress(FileNotFoundError):  # Another process tidies up, too.
                found.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(found)[:-n]:
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.arrow"
