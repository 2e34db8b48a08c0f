"""Running sums of interleaved searches, whose users are independent and whose searches are not.

The figure is the mean outcome of a search, of which 0 says that neither ranking is better. Its
error is that of a ratio of sums over clusters (Cochran, *Sampling Techniques*, 1977, section
6.3): searches of one user share taste and history, so they may all fall to one side together.

It may be looked at after every tick, by the confidence sequence of a mean with the searches as its
time. That sequence is made for independent observations. Searches of one user depend in the same
direction, which widens the error that is estimated here; and what a later look can add to an
earlier one it only lessens: standardised by such an error, sums at two times lie closer together
than those of independent observations, so that they leave a bound no more often (Slepian, *Bell
System Technical Journal* 41, 1962, for their normal limit).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from adjuster.live.storage.outcome_store import ClusterTotal
from adjuster.metrics.confidence_sequence import FIRST, RunningSums, confidence_sequence
from adjuster.metrics.interval import Interval


@dataclass(frozen=True)
class Tally:
    """All that the interval needs of the past.

    Args:
        n_sessions: Searches.
        n_clusters: Users, a search of an unknown user counting as one.
        total: Sum of outcomes.
        squares: Sum over clusters of the squared sum of outcomes.
        products: Sum over clusters of the sum of outcomes times the number of searches.
        sizes: Sum over clusters of the squared number of searches.
    """

    n_sessions: int = 0
    n_clusters: int = 0
    total: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    sizes: float = 0.0

    def moved(self, before: Sequence[ClusterTotal], after: Sequence[ClusterTotal]) -> Self:
        """The sums once some clusters' totals have grown.

        Args:
            before: Totals of these clusters, ``(0, 0)`` for a new one.
            after: Their totals now.

        Example:
            >>> once = Tally().moved([ClusterTotal()], [ClusterTotal(2, 1.0)])
            >>> once.moved([ClusterTotal(2, 1.0)], [ClusterTotal(3, 2.0)]).squares
            4.0
        """
        old, new = (np.array(totals, np.float64).reshape(-1, 2).T for totals in (before, after))
        (n_old, sum_old), (n_new, sum_new) = old, new
        return type(self)(
            n_sessions=self.n_sessions + int((n_new - n_old).sum()),
            n_clusters=self.n_clusters + int((n_old == 0).sum()),
            total=self.total + float((sum_new - sum_old).sum()),
            squares=self.squares + float((sum_new**2 - sum_old**2).sum()),
            products=self.products + float((sum_new * n_new - sum_old * n_old).sum()),
            sizes=self.sizes + float((n_new**2 - n_old**2).sum()),
        )

    @property
    def mean(self) -> float:
        """Mean outcome of a search, in [-1, 1]; NaN before the first."""
        return self.total / self.n_sessions if self.n_sessions else math.nan

    @property
    def n_effective(self) -> float:
        """As many clusters of equal size would weigh as much (Kish, *Survey Sampling*, 1965)."""
        return self.n_sessions**2 / self.sizes if self.n_sessions else 0.0

    @property
    def spread(self) -> float:
        """Standard deviation of an outcome as though searches were independent.

        Divided by the root of the number of searches it is the mean's standard error. NaN with
        fewer than two clusters.
        """
        if self.n_clusters < 2:
            return math.nan
        mean = self.mean
        variance = self.squares - 2 * mean * self.products + mean**2 * self.sizes
        correction = self.n_clusters / (self.n_clusters - 1)
        return math.sqrt(max(variance, 0.0) * correction / self.n_sessions)

    def interval(self, *, planned: int, confidence: float = 0.95) -> Interval:
        """The mean's interval, valid at all looks together.

        Args:
            planned: Searches at which it is narrowest; fixed before the first.
            confidence: Of all looks and both ends together.

        Returns:
            Ends in [-1, 1]; undetermined before as much as `FIRST` users of equal weight, and
            where no search has had a winner.
        """
        if self.n_effective < FIRST or not self.squares:
            return Interval(math.nan, math.nan, confidence)
        sums = RunningSums(self.n_sessions, self.total, 0.0)
        ends = confidence_sequence(sums, planned=planned, confidence=confidence, spread=self.spread)
        return ends.within((-1.0, 1.0))
