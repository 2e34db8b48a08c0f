"""How many interleaved sessions a gain asks for, before the first is shown."""

import math
from statistics import NormalDist
from typing import NamedTuple

from adjuster.metrics.confidence_sequence import RunningSums, confidence_sequence

LEAD_PER_GAIN = 1.5
"""Lead of the better ranking, as a share of the sessions with a click on a page that differs, for
each unit of NDCG@10 that it is better by. Simulated (`experiments.benchmarks.live_traffic`), where
every page differs, it is 2.5 on average without position bias and 2.2 at a decay of 1.5, and 1.6 in
the least favourable of 32 draws; where few pages differ, each by more, it is higher."""

DESIGN_EFFECT = 1.5
"""By how much the variance is larger because users come back; simulated 1.2 to 1.4 with four
sessions a user."""

SHARE = 0.5
"""Share of the users whose rankings are interleaved."""


class InterleavingPlan(NamedTuple):
    """What it takes to see a gain.

    Args:
        gain: The gain in NDCG@10 that is to be seen.
        share: Share of the users whose rankings are interleaved.
        sessions: Interleaved sessions within which it is seen with the power asked for.
        days: Days that they take; infinite without traffic.
    """

    gain: float
    share: float
    sessions: int
    days: float


def sessions_to_see(lead: float, spread: float, *, confidence: float, power: float) -> float:
    """Sessions at whose end a confidence sequence lies above 0 with some probability.

    The sequence is (c + z) * spread / sqrt(n) away from the truth or less with that probability, z
    its normal quantile, c the sequence's own half width in standard errors where it is narrowest,
    at the planned number. Looks before the end only add to it.

    Args:
        lead: True mean outcome of a session, > 0.
        spread: Standard deviation of an outcome, design effect included.
        confidence: Of the sequence.
        power: In (0, 1).

    Returns:
        A whole number >= 1.

    Example:
        >>> sessions_to_see(0.1, 1.0, confidence=0.95, power=0.8)
        1503.0
    """
    # Half the width of the sequence of n observations at n = planned, in units of 1 / sqrt(n).
    n = 10**6
    ends = confidence_sequence(RunningSums(n), planned=n, confidence=confidence, spread=1.0)
    width = ends.high * math.sqrt(n)
    return float(math.ceil(((width + NormalDist().inv_cdf(power)) * spread / lead) ** 2))


def plan_interleaving(
    gain: float,
    clicked_share: float,
    sessions_per_day: float,
    *,
    share: float = SHARE,
    confidence: float = 0.95,
    power: float = 0.8,
) -> InterleavingPlan:
    """Plan a comparison from what a click log tells of its traffic.

    Args:
        gain: The gain in NDCG@10 that is to be seen, > 0.
        clicked_share: Share of the sessions that have a click and whose page the adjusted ranking
            changes, in (0, 1].
        sessions_per_day: All sessions, interleaved or not.
        share: Share of the users whose rankings are interleaved, in (0, 1].
        confidence: Of the decision.
        power: Probability of seeing a gain of this size within the planned sessions.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> plan = plan_interleaving(0.03, 0.6, 1000)
        >>> plan.sessions, round(plan.days, 1)
        (18556, 37.1)
    """
    if not gain > 0:
        raise ValueError(f"gain must be > 0, got {gain}.")
    for name, value in (("clicked_share", clicked_share), ("share", share)):
        if not 0 < value <= 1:
            raise ValueError(f"{name} must be in (0, 1], got {value}.")
    # An outcome is -1, 0 or 1, and 0 without a click: its variance is at most the share of clicks.
    spread = math.sqrt(DESIGN_EFFECT * clicked_share)
    lead = min(LEAD_PER_GAIN * gain, 1.0) * clicked_share
    sessions = sessions_to_see(lead, spread, confidence=confidence, power=power)
    per_day = sessions_per_day * share
    return InterleavingPlan(gain, share, int(sessions), sessions / per_day if per_day else math.inf)
