"""The working folder of a replay in partitions, and those that killed replays left behind."""

from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from experiments.common.held_folder import held, remove_orphans

PREFIX = ".replay-"


class Scratch:
    """A folder of its own beside the partitions.

    Those of replays that were killed are removed first, told by their locks: one whose process
    lives stays, however many replay the same log.

    Args:
        parent: The log in partitions.
    """

    def __init__(self, parent: Path) -> None:
        remove_orphans(parent, f"{PREFIX}*")
        self.folder = Path(mkdtemp(prefix=PREFIX, dir=parent))
        self._open = ExitStack()
        self._open.enter_context(held(self.folder))
        self._open.callback(rmtree, self.folder, ignore_errors=True)

    def remove(self) -> None:
        """Remove it with all that is in it; nothing happens the second time."""
        self._open.close()
