"""A confidence interval, whose ends may be undetermined."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval; each end errs with probability (1 - confidence) / 2.

    An end that the data cannot place is NaN: undetermined, so that every comparison with it is
    false and neither "better" nor "worse" can follow from it.
    """

    low: float
    high: float
    confidence: float = 0.95

    @property
    def determined(self) -> bool:
        """Whether both ends could be placed."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    def within(self, bounds: tuple[float, float]) -> "Interval":
        """The same with ends no further out than the estimate itself can be."""
        low, high = max(self.low, bounds[0]), min(self.high, bounds[1])
        return Interval(low, high, self.confidence)
