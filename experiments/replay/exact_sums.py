"""Sums that do not depend on the order or the grouping in which their terms come.

Floating-point addition rounds at every step, so that a replay that is cut into partitions would
add to another last digit than a whole one. These sums are kept as integers, one a power of two,
and rounded once, when they are read.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

MANTISSA = 53
HALF = 26
AT_ONCE = 1 << 24
"""Terms added in one go: so many halves of a mantissa have a sum that a float64 holds exactly."""


class ExactSums:
    """Sums of finite numbers, a sum a group; there are as many as the largest group asks for.

    Example:
        >>> sums = ExactSums()
        >>> sums.add(np.array([0.1, 1e300, 0.2, -1e300]), np.array([0, 1, 1, 1]))
        >>> sums.values().tolist()
        [0.1, 0.2]
    """

    def __init__(self) -> None:
        self.counts = np.zeros(1, np.int64)
        # Exponent → what stands before it, one a group; Python's integers never overflow.
        self._parts: dict[int, NDArray[np.object_]] = {}

    def add(self, values: NDArray[np.floating], group: NDArray[np.integer] | None = None) -> None:
        """Add terms.

        Args:
            values: Shape ``(n,)``, finite.
            group: Shape ``(n,)``: the sum that each belongs to; the first where not given.
        """
        for start in range(0, len(values), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            mine = np.zeros(len(values[some]), np.int64) if group is None else group[some]
            self._add(np.asarray(values[some], np.float64), mine)

    def _add(self, values: NDArray[np.float64], group: NDArray[np.integer]) -> None:
        self.counts = added(self.counts, np.bincount(group))
        n_groups = len(self.counts)
        fraction, exponent = np.frexp(values)
        whole = (fraction * 2.0**MANTISSA).astype(np.int64)
        high = whole >> HALF
        lowest = int(exponent.min())
        cell = (exponent - lowest).astype(np.int64) * n_groups + group
        sums = [
            np.bincount(cell, half).astype(np.int64).astype(object)
            for half in (high, whole - (high << HALF))
        ]
        totals = sums[0] * (1 << HALF) + sums[1]
        totals = np.append(totals, np.zeros(-len(totals) % n_groups, object))
        for step, row in enumerate(totals.reshape(-1, n_groups)):
            if row.any():
                self._put(lowest + step, row)

    def merge(self, other: "ExactSums") -> None:
        """Add the terms of other sums."""
        self.counts = added(self.counts, other.counts)
        for exponent, row in other._parts.items():
            self._put(exponent, row)

    def _put(self, exponent: int, row: NDArray[np.object_]) -> None:
        known = self._parts.get(exponent)
        self._parts[exponent] = row if known is None else added(known, row)

    def values(self) -> NDArray[np.float64]:
        """The sums, each the float64 next to the exact one. Shape ``(n_groups,)``."""
        return np.array([float(total) for total in self._totals()])

    def means(self) -> NDArray[np.float64]:
        """The sums divided by the number of their terms, NaN of none. Shape ``(n_groups,)``."""
        pairs = zip(self._totals(), self.counts.tolist(), strict=True)
        return np.array([float(total / n) if n else np.nan for total, n in pairs])

    def _totals(self) -> list[Fraction]:
        totals = [Fraction(0)] * len(self.counts)
        for exponent, row in self._parts.items():
            unit = Fraction(2) ** (exponent - MANTISSA)
            for group, n in enumerate(row.tolist()):
                totals[group] += n * unit
        return totals


def added(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """The sum of two rows of numbers, the shorter one taken to go on with zeros.

    Example:
        >>> added(np.array([1]), np.array([1, 5])).tolist()
        [2, 5]
    """
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    total = longer.copy()
    total[: len(shorter)] += shorter
    return total
