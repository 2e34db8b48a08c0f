"""What was found of showings, a file a partition, brought together by session.

A part's rows stand in the log's order, so that those of one shard are a slice of them: each
array is written once as it is, and each shard reads one slice of every part.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common.files import replacing
from experiments.data.partitioned_log import PartitionedLog


class Shuffle:
    """Arrays with a row a showing, on disk.

    Args:
        folder: Where they lie; a folder of its own.
        data: The log in partitions.
    """

    def __init__(self, folder: Path, data: PartitionedLog) -> None:
        self._folder, self._data = folder, data

    def put(self, name: str, number: int, values: NDArray[Any]) -> None:
        """Keep a partition's array; who reads it finds it whole, whoever wrote it and how often.

        Args:
            name: What it is.
            number: The pair part or the shard.
            values: Shape ``(n,)``: of its showings, or of the first so many.
        """
        with replacing(self._path(name, number)) as unfinished, unfinished.open("wb") as file:
            np.save(file, values)

    def read(self, name: str, number: int) -> NDArray[Any]:
        """A partition's array as it was kept, on disk."""
        values: NDArray[Any] = np.load(self._path(name, number), mmap_mode="r")
        return values

    def remove(self, name: str, number: int) -> None:
        """Remove a partition's array, once it is done with."""
        self._path(name, number).unlink(missing_ok=True)

    def put_positions(self, part: int, impression: NDArray[np.int64]) -> None:
        """Keep where a part's showings stand in their shards, before any of them is gathered.

        Args:
            part: The part.
            impression: Shape ``(n,)``: number of each among all impressions of the log.
        """
        firsts = self._data.shard_impressions
        shard = np.searchsorted(firsts, impression, side="right") - 1
        self.put("position", part, (impression - firsts[shard]).astype(np.int32))

    def gather(self, name: str, shard: int, n_impressions: int) -> NDArray[Any]:
        """An array of a shard's impressions; 0 where no part says anything.

        Args:
            name: What it is.
            shard: The shard.
            n_impressions: How many of its impressions are replayed.
        """
        gathered: NDArray[Any] | None = None
        for part in range(self._data.manifest.n_parts):
            lo, hi = self._data.manifest.part_offsets(part)[shard : shard + 2]
            values = self.read(name, part)[lo:hi]
            rows = self.read("position", part)[lo:hi]
            if gathered is None:
                gathered = np.zeros(n_impressions, values.dtype)
            gathered[rows] = values
        assert gathered is not None
        return gathered

    def _path(self, name: str, number: int) -> Path:
        return self._folder / f"{name}-{number}.npy"
