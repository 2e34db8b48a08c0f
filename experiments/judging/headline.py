"""What a sweep may say before its sealed test is opened, in one sentence."""

from collections.abc import Mapping

from experiments.common.wording import label, plain, signed
from experiments.judging.tune_gain import TuneGain


def headline(
    metric: str, before: float, best: Mapping[str, float] | None, found: TuneGain | None
) -> str:
    """The answer that the tune sessions allow: never more than whether the test is worth opening.

    Args:
        metric: The objective.
        before: Its value without adjustment.
        best: Metric → value of the best trial within the guardrails; None without one.
        found: What tune can say of that trial's gain; None where it says nothing.

    Example:
        >>> headline("mrr", 0.7, None, None)
        'Keep adjustment off: no trial ended within the guardrails.'
    """
    if best is None:
        return "Keep adjustment off: no trial ended within the guardrails."
    if best["reach"] == 0:
        return (
            "Keep adjustment off as it is: reach is 0, so no scored session ever saw an adjusted "
            "object and nothing could change. Try replay.personalize_by=none or a longer log."
        )
    if not promises(metric, before, best):
        return (
            f"Keep adjustment off: the best trial's {label(metric)} of {plain(best[metric])} "
            f"does not beat {plain(before)} without adjustment."
        )
    if found is None:
        return f"Open the sealed test: tune alone cannot say what the gain in {label(metric)} is."
    return _promise(found, label(metric), before)


def promises(metric: str, before: float, best: Mapping[str, float] | None) -> bool:
    """Whether the best trial is above no adjustment at all.

    Args:
        metric: The objective.
        before: Its value without adjustment.
        best: Metric → value of the best trial; None without one.
    """
    return best is not None and best["reach"] > 0 and best[metric] > before


def _promise(found: TuneGain, metric: str, before: float) -> str:
    """What tune can say of the best trial's gain, and never more."""
    interval = (
        f"{signed(found.gain)} over {plain(before)} ({found.confidence:.0%} interval "
        f"{signed(found.low)} to {signed(found.high)}, corrected for being the best of "
        f"{found.n_trials} trials)"
    )
    if found.low > 0:
        return f"Worth opening the sealed test: {metric} on tune gains {interval}."
    return f"Tune cannot tell whether adjustment helps: {metric} gains {interval}."
