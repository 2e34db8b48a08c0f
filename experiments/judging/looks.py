"""Confidence of each look at the same sealed test, so that all looks together keep the level."""

from scipy.special import zeta

DECAY = 3
"""The k-th look's error falls with this power of k.

The first look, which most studies never repeat, then keeps 83 % of the error and is 4 % wider than
an interval that is never looked at again (k^-2 would make it 10 % wider, 2^-k 14 %); the second is
43 % wider, the third 62 %. Dividing by k, as one would for looks counted beforehand, sums to no
bound at all."""


def look_confidence(look: int, *, confidence: float = 0.95) -> float:
    """Confidence of the interval at the k-th look.

    Look k may err with probability (1 - confidence) / (zeta(3) k^3); these sum to
    1 - confidence over any number of looks, so that by the union bound the chance that any look
    ever misleads stays at the level, however the looks and what is tested were chosen from the
    ones before (alpha spending with a rule fixed in advance: Lan and DeMets, *Discrete Sequential
    Boundaries for Clinical Trials*, Biometrika 70, 1983; for endless looks at an unknown number
    of tests: Foster and Stine, Journal of the Royal Statistical Society B 70, 2008).

    Args:
        look: 1 for the first.
        confidence: Of all looks together, in (0, 1).

    Raises:
        ValueError: If `look` is below 1.

    Example:
        >>> [round(look_confidence(look), 4) for look in (1, 2, 3)]
        [0.9584, 0.9948, 0.9985]
    """
    if look < 1:
        raise ValueError(f"look must be >= 1, got {look}. The first look is number 1.")
    return 1 - (1 - confidence) / float(zeta(DECAY) * look**DECAY)
