"""Rows of vectors in one array that grows, without copying all of them each time."""

from collections.abc import Sequence

import numpy as np

from adjuster.live.storage.records import Rows


class GrowingRows:
    """Rows in one array, of the widest type of those that came.

    Example:
        >>> grown = GrowingRows()
        >>> grown.extend([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])])
        >>> len(grown), grown.rows[1:].tolist()
        (3, [[3.0, 4.0], [5.0, 6.0]])
    """

    def __init__(self) -> None:
        self._room: Rows = np.empty((0, 0), np.float32)
        self._n = 0

    def __len__(self) -> int:
        return self._n

    @property
    def rows(self) -> Rows:
        """Shape ``(n, D)``: the array itself, until more rows are added."""
        return self._room[: self._n]

    def add(self, n: int, dimensions: int, *dtypes: np.dtype[np.floating]) -> None:
        """Add rows that are still to be written.

        Args:
            n: How many, >= 0.
            dimensions: Of all rows.
            dtypes: All rows have a type that holds these from now on.
        """
        held = [self._room.dtype] if self._n else []
        dtype = np.result_type(*held, *dtypes)
        needed, has = self._n + n, len(self._room)
        if needed > has or dtype != self._room.dtype:
            larger = np.empty((max(needed, 2 * has), dimensions), dtype)
            if self._n:
                larger[: self._n] = self.rows
            self._room = larger
        self._n = needed

    def extend(self, many: Sequence[Rows]) -> None:
        """Add the rows of some arrays, one after the other.

        Args:
            many: Each of shape ``(n, D)``.
        """
        if many:
            first, dtypes = self._n, {rows.dtype for rows in many}
            self.add(sum(map(len, many)), many[0].shape[1], *dtypes)
            np.concatenate(many, out=self._room[first : self._n])
