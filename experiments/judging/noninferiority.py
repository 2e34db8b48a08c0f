"""Whether those who are not meant to gain lose no more than agreed: bystanders."""

from typing import Literal

from adjuster.metrics.interval import Interval

Finding = Literal["passes", "fails", "cannot tell"]


def tolerated_loss(margin: float, share: float) -> float:
    """What traffic without feedback may lose, if all traffic may lose `margin` on its account.

    Args:
        margin: Tolerated mean loss over all traffic, in metric units, >= 0.
        share: Share of traffic that has no feedback, in [0, 1].

    Returns:
        margin / share; infinite where there is no such traffic.

    Example:
        >>> tolerated_loss(0.005, 0.5), tolerated_loss(0.005, 0.0)
        (0.01, inf)
    """
    return margin / share if share > 0 else float("inf")


def noninferiority(interval: Interval, *, margin: float, share: float = 1.0) -> Finding:
    """Judge a change against a margin by its interval.

    It passes where even the lower end is above -margin, fails where even the upper end is below
    it, and nothing is told in between (Piaggio and others, *Reporting of Noninferiority and
    Equivalence Randomized Trials*, JAMA 308, 2012). No evidence is not a pass.

    Args:
        interval: Of the change on traffic without feedback; NaN where undetermined.
        margin: Tolerated mean loss over all traffic, >= 0.
        share: Share of traffic that has no feedback; 0 passes, for nobody is there to lose.

    Example:
        >>> noninferiority(Interval(-0.004, 0.002), margin=0.005)
        'passes'
        >>> noninferiority(Interval(-0.030, 0.010), margin=0.005)
        'cannot tell'
    """
    tolerated = tolerated_loss(margin, share)
    if share == 0 or interval.low > -tolerated:
        return "passes"
    return "fails" if interval.high < -tolerated else "cannot tell"
