"""After *cannot tell*: what showing both rankings would take to know."""

import math

import numpy as np

from adjuster.live.monitoring.plan import InterleavingPlan, plan_interleaving
from experiments.data.format.click_log import ClickLog

SECONDS_PER_DAY = 86_400


def interleaving_plan(
    log: ClickLog, *, gain: float, reach: float, min_gain: float
) -> InterleavingPlan | None:
    """The comparison of a live system with the traffic of a log.

    Args:
        log: The click log, whose searches and clicks go on as they are.
        gain: The gain that the sealed test found; below `min_gain`, or where it is NaN, that one
            is planned for.
        reach: Share of the searches whose page the adjusted ranking changes, at most.
        min_gain: The smallest gain worth having.

    Returns:
        The plan; None where nothing is clicked, nothing is reached, or no gain is worth having.
    """
    wanted = max(min_gain, 0.0 if math.isnan(gain) else gain)
    if not log.n_sessions:
        return None
    clicked_share = float((log.session_top_click >= 0).mean()) * reach
    if not (wanted > 0 and clicked_share > 0):
        return None
    days = max(float(np.ptp(log.session_created_at)) / SECONDS_PER_DAY, 1.0)
    return plan_interleaving(wanted, min(clicked_share, 1.0), log.n_sessions / days)
