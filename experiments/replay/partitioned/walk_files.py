"""Where a walk through shards stands between two of them, on disk."""

from dataclasses import replace
from pathlib import Path

from experiments.replay.partitioned.arrays_file import read_arrays, write_arrays
from experiments.replay.partitioned.shelf import Shelf
from experiments.replay.published_walk import WalkState

STATES_KEPT = 2
"""That of a shard that may have to be replayed anew, and what it has left the first time."""


class WalkFiles:
    """The states of one walk, a file a shard; older walks' are removed.

    Args:
        folder: Where they lie.
        run: Number of the walk, larger than those of earlier ones.
    """

    def __init__(self, folder: Path, run: int) -> None:
        self._folder, self._run = folder, run

    def write(self, shard: int, state: WalkState) -> None:
        """Leave where a shard ends, whole or not at all."""
        copies = replace(state.copies, vectors=state.copies.vectors.ravel())
        write_arrays(self._path(shard), replace(state, copies=copies))
        Shelf(self._folder).keep_newest("walk-*", STATES_KEPT)

    def read(self, shard: int, dimensions: int) -> WalkState:
        """Where a shard ends, with vectors of so many dimensions."""
        state = read_arrays(self._path(shard), WalkState)
        vectors = state.copies.vectors.reshape(-1, dimensions)
        return replace(state, copies=replace(state.copies, vectors=vectors))

    def _path(self, shard: int) -> Path:
        # Names in the order of writing, by which files of one instant are told apart.
        return self._folder / f"walk-{self._run:09}-{shard:06}.arrow"
