"""How many requests came, how they ended, and how long they took."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from threading import Lock

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds: upper bounds of the classes that durations are counted in."""


class RequestCounts:
    """Counts of one process, by path; may be added to and read by any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._statuses: Counter[tuple[str, int]] = Counter()
        self._classes: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)

    def add(self, path: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            path: One of few: the route, never what a client made up.
            status: What was answered.
            seconds: How long it took.
        """
        with self._lock:
            self._statuses[path, status] += 1
            self._classes[path][bisect_left(BOUNDS, seconds)] += 1
            self._seconds[path] += seconds

    def statuses(self) -> dict[tuple[str, int], int]:
        """(path, status) → requests."""
        with self._lock:
            return dict(sorted(self._statuses.items()))

    def durations(self) -> Iterator[tuple[str, list[int], float]]:
        """Of each path: requests that took at most each of `BOUNDS`, all of them last; seconds.

        Example:
            >>> counts = RequestCounts()
            >>> counts.add("/x", 200, 0.002)
            >>> counts.add("/x", 200, 20.0)
            >>> [(path, c[0], c[1], c[-2], c[-1]) for path, c, _ in counts.durations()]
            [('/x', 0, 1, 1, 2)]
        """
        with self._lock:
            found = [(path, list(n), self._seconds[path]) for path, n in self._classes.items()]
        for path, counts, seconds in sorted(found):
            for i in range(1, len(counts)):
                counts[i] += counts[i - 1]
            yield path, counts, seconds
