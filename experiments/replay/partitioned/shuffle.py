"""What pair parts found of their showings, brought together by session.

A part's rows stand in the log's order, so that those of one shard are a slice of them: each
array is written once as it is, and each shard reads one slice of every part.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.data.partitioned_log import PartitionedLog


class Shuffle:
    """Arrays with a row a showing, on disk.

    Args:
        folder: Where they lie; a folder of its own.
        data: The log in partitions.
    """

    def __init__(self, folder: Path, data: PartitionedLog) -> None:
        self._folder, self._data = folder, data

    def put(self, name: str, part: int, values: NDArray[Any]) -> None:
        """Keep a pair part's array.

        Args:
            name: What it is.
            part: The part.
            values: Shape ``(n,)``: of its showings, or of the first so many.
        """
        np.save(self._path(name, part), values)

    def put_positions(self, part: int, impression: NDArray[np.int64]) -> None:
        """Keep where a part's showings stand in the log, before anything of them is gathered."""
        self.put("impression", part, impression)

    def gather(self, name: str, shard: int, n_impressions: int) -> NDArray[Any]:
        """An array of a shard's impressions; 0 where no part says anything.

        Args:
            name: What it is.
            shard: The shard.
            n_impressions: How many of its impressions are replayed.
        """
        first = int(self._data.shard_impressions[shard])
        gathered: NDArray[Any] | None = None
        for part in range(self._data.manifest.n_parts):
            lo, hi = self._data.manifest.part_offsets(part)[shard : shard + 2]
            values = np.load(self._path(name, part), mmap_mode="r")[lo:hi]
            rows = np.load(self._path("impression", part), mmap_mode="r")[lo:hi] - first
            if gathered is None:
                gathered = np.zeros(n_impressions, values.dtype)
            gathered[rows] = values
        assert gathered is not None
        return gathered

    def _path(self, name: str, part: int) -> Path:
        return self._folder / f"{name}-{part}.npy"
