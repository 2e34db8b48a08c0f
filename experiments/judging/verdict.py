"""The verdict: whether the sealed test says to turn the adjuster on, to leave it off, or nothing.

What the data leave open is never counted for either side: a wrong order, too few people or an
interval that holds both a gain worth having and none are *cannot tell*, with what would settle it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from adjuster.metrics.interval import Interval
from experiments.common.wording import label, plain, signed
from experiments.config.study import GuardrailsConfig
from experiments.judging.comparison import Comparison, cluster_text
from experiments.judging.crowding import Crowd
from experiments.judging.evidence import LARGEST_UNKNOWN_SHARE, Evidence, Rival
from experiments.judging.noninferiority import noninferiority
from experiments.replay.guardrails import broken

ADOPT = "adopt"
KEEP_OFF = "keep off"
CANNOT_TELL = "cannot tell"
DECISIONS = (ADOPT, KEEP_OFF, CANNOT_TELL)

FEWEST_USERS = 20
"""Fewer known users than this, and their spread says nothing of anybody else."""


@dataclass(frozen=True)
class Verdict:
    """What to do, and why.

    Args:
        decision: One of `DECISIONS`.
        sentence: The decision in one plain sentence with its figures and what beats it.
        reasons: What decides against adopting, a sentence each; empty for ``adopt``.
        notes: What else a reader must know before deploying.
    """

    decision: str
    sentence: str
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def adopts(self) -> bool:
        """Whether the decision is ``adopt``."""
        return self.decision == ADOPT


def decide(evidence: Evidence, tune: Comparison, guardrails: GuardrailsConfig) -> Verdict:
    """Adopt what clearly gains, keep off what clearly does not, and say where nothing is clear.

    In this order, the first that applies: nothing could change or a guardrail is broken (keep
    off); what would make the figures mean something else (cannot tell); no gain worth having, a
    gain that has turned into a loss, or bystanders who pay for it (keep off); a gain whose
    interval lies above 0, on the test and on tune (adopt); anything else (cannot tell).

    Args:
        evidence: What the sealed test showed.
        tune: The same setting's gain on the sessions that chose it.
        guardrails: The bounds.
    """
    steps: tuple[tuple[str, Callable[[], list[str]]], ...] = (
        (KEEP_OFF, lambda: _unchanged(evidence) or _broken(evidence, guardrails)),
        (CANNOT_TELL, lambda: _unclear(evidence)),
        (KEEP_OFF, lambda: _no_gain(evidence, guardrails) or _not_now(evidence)),
        (KEEP_OFF, lambda: _bystanders(evidence, guardrails, "fails")),
        (CANNOT_TELL, lambda: _no_evidence(evidence) or _unconfirmed(tune)),
        (CANNOT_TELL, lambda: _gone(evidence)),
        (CANNOT_TELL, lambda: _bystanders(evidence, guardrails, "cannot tell")),
    )
    notes = tuple(_notes(evidence, guardrails))
    for decision, find in steps:
        reasons = find()
        if reasons:
            return Verdict(decision, _sentence(decision, evidence, reasons), tuple(reasons), notes)
    return Verdict(ADOPT, _sentence(ADOPT, evidence, []), (), notes)


def _unchanged(evidence: Evidence) -> list[str]:
    if evidence.metrics["reach"] == 0:
        return ["No scored session showed an adjusted object (reach 0), so nothing could change."]
    return []


def _broken(evidence: Evidence, guardrails: GuardrailsConfig) -> list[str]:
    metrics = evidence.metrics
    return [
        f"{item.words[0].upper()}{item.words[1:]} is {plain(metrics[item.metric])}, above "
        f"guardrails.{item.name} of {plain(bound)}."
        for item in broken(metrics, guardrails)
        if (bound := item.bound(guardrails)) is not None
    ]


def _unclear(evidence: Evidence) -> list[str]:
    """What would let the same figures come about without any gain."""
    reasons = [evidence.unidentified] if evidence.unidentified else []
    gain, share = evidence.gain, evidence.unknown_share
    if share > LARGEST_UNKNOWN_SHARE:
        reasons.append(
            f"{share:.0%} of the sessions have no user, and sessions are not people: a few could "
            "have made all of them. Give users, or dataset.person=session if each is one person's."
        )
    elif gain.n_users < FEWEST_USERS:
        reasons.append(
            f"The test holds {cluster_text(gain)}: too few people to speak for others "
            f"(at least {FEWEST_USERS})."
        )
    reasons += [_crowded(item) for item in evidence.crowding if item.explains]
    if evidence.split is not None and evidence.split.is_refinding:
        reasons.append(
            "The gain is re-finding: it lies on objects that the same user had clicked before "
            f"({signed(evidence.split.refound.estimate)}), and on new ones there is none "
            f"({signed(evidence.split.new.estimate)}), and little of it lasts a week. "
            "objective.repeat_clicks=ignore leaves such clicks out of the score."
        )
    return reasons


def _crowded(item: Crowd) -> str:
    if item.without is None:
        return f"{item.words}."
    gain = item.without
    return (
        f"{item.words}, and without {item.whom} the gain is {signed(gain.gain)} "
        f"({_interval(gain)})."
    )


def _no_gain(evidence: Evidence, guardrails: GuardrailsConfig) -> list[str]:
    gain = evidence.gain
    if gain.high < 0:
        return [f"The interval of the gain lies below 0: {label(gain.metric)} clearly falls."]
    if gain.high < guardrails.min_gain:
        return [
            f"Any gain is below guardrails.min_gain of {plain(guardrails.min_gain)}: not worth "
            "having."
        ]
    return []


def _not_now(evidence: Evidence) -> list[str]:
    if evidence.trend is None or not evidence.trend.clearly_negative:
        return []
    late = evidence.trend.late
    return [
        f"Not now: in the last quarter of the test the gain has turned into a loss "
        f"({signed(late.estimate)}, {_ends(late.interval)})."
    ]


def _gone(evidence: Evidence) -> list[str]:
    trend = evidence.trend
    if trend is None or not trend.clearly_falling or trend.late.interval.low > 0:
        return []
    return [
        "Not now: the gain is clearly falling, and whether any is left in the last quarter of the "
        f"test cannot be told ({signed(trend.late.estimate)}, {_ends(trend.late.interval)})."
    ]


def _bystanders(evidence: Evidence, guardrails: GuardrailsConfig, finding: str) -> list[str]:
    if guardrails.bystanders == "report" or _bystander_finding(evidence, guardrails) != finding:
        return []
    item = evidence.bystanders
    if item is None:
        return [
            f"Nothing is known of queries without feedback, {evidence.silent_share:.0%} of the "
            "traffic: none of them was scored."
        ]
    change = f"{signed(item.gain)} ({_interval(item)}) on {item.n_sessions:,} sessions"
    if finding == "fails":
        return [f"Queries that gave no feedback lose: {label(item.metric)} {change}."]
    return [
        f"Whether queries that gave no feedback lose more than they may cannot be told: {change}, "
        f"{evidence.silent_share:.0%} of the traffic, guardrails.max_bystander_loss "
        f"{plain(guardrails.max_bystander_loss)} over all of it."
    ]


def _bystander_finding(evidence: Evidence, guardrails: GuardrailsConfig) -> str:
    if evidence.silent_share == 0:
        return "passes"
    if evidence.bystanders is None:
        return "cannot tell"
    ends = evidence.bystanders
    return noninferiority(
        Interval(ends.low, ends.high, ends.confidence),
        margin=guardrails.max_bystander_loss,
        share=evidence.silent_share,
    )


def _no_evidence(evidence: Evidence) -> list[str]:
    gain, power = evidence.gain, evidence.power
    settle = _what_would_settle(evidence)
    if not gain.is_determined:
        return [f"The interval of the gain is undetermined: too few users differ. {settle}"]
    if gain.low <= 0:
        return [
            f"The interval of the gain includes 0: it may be chance. This test finds gains from "
            f"{signed(power.detectable)} on. {settle}"
        ]
    if gain.n_clusters < evidence.n_needed:
        needed = f"{evidence.n_needed:,.0f}" if math.isfinite(evidence.n_needed) else "more"
        return [
            f"A gain of {signed(gain.gain)} with this skew needs {needed} users, the test holds "
            f"{cluster_text(gain)}: users who lose much may not have been seen. {settle}"
        ]
    return []


def _unconfirmed(tune: Comparison) -> list[str]:
    """Tune is flattering to what it chose: a true gain shows there too, a chance one need not."""
    if tune.low > 0:
        return []
    return [
        f"Only the test shows it: on tune, which chose this setting, the gain is "
        f"{signed(tune.gain)} ({_interval(tune)}). It may be chance; a longer log would tell."
    ]


def _what_would_settle(evidence: Evidence) -> str:
    power = evidence.power
    if not math.isfinite(power.n_needed):
        return "No amount of such traffic would settle it."
    needed = max(power.n_needed, evidence.n_needed if math.isfinite(evidence.n_needed) else 0)
    days = replace(power, n_needed=needed).days_needed
    return f"About {needed:,.0f} users, or {days:,.0f} days of such traffic, would settle it."


def _notes(evidence: Evidence, guardrails: GuardrailsConfig) -> list[str]:
    notes = []
    if evidence.naive is not None:
        gain = evidence.naive
        notes.append(f"With clicks taken as they are: {signed(gain.gain)} ({_interval(gain)}).")
    if evidence.weighting is not None and evidence.weighting.clipped_share:
        notes.append(
            f"{evidence.weighting.clipped_share:.0%} of the clicks weigh more than "
            "objective.propensity_clip; a click model makes up for what was cut off."
        )
    notes += [
        f"{item.words}; without {item.whom} the gain is {signed(item.without.gain)} "
        f"({_interval(item.without)})."
        for item in evidence.crowding
        if item.without is not None and not item.explains
    ]
    item, split = evidence.bystanders, evidence.split
    if guardrails.bystanders == "report" and _bystander_finding(evidence, guardrails) == "fails":
        assert item is not None
        notes.append(
            f"Queries that gave no feedback lose {signed(item.gain)} ({_interval(item)}); "
            "guardrails.bystanders=report lets this pass."
        )
    if split is not None:
        notes.append(
            f"Of the gain, {signed(split.refound.estimate)} is on objects that the user clicked "
            f"before and {signed(split.new.estimate)} on new ones."
        )
    if evidence.trend is not None and evidence.trend.clearly_falling:
        late = evidence.trend.late
        notes.append(f"The gain is falling: {signed(late.estimate)} in the last quarter.")
    return notes


def _sentence(decision: str, evidence: Evidence, reasons: list[str]) -> str:
    gain = evidence.gain
    change = "rises" if gain.gain > 0 else "falls" if gain.gain < 0 else "changes"
    figures = (
        f"{label(gain.metric)} on the sealed test {change} by {signed(gain.gain)} "
        f"({_interval(gain)}, {cluster_text(gain)}), from {plain(gain.reference_mean)} to "
        f"{plain(gain.mean)}, at a mean drift of {plain(evidence.metrics['drift_mean'])}"
    )
    beaten = beaten_by(evidence.rivals)
    figures += f"; {beaten}." if beaten else "."
    headline = f"{decision[0].upper()}{decision[1:]}: "
    if not reasons:
        return headline + figures
    first = reasons[0].partition(": ")[0] if len(reasons[0]) > 120 else reasons[0].rstrip(".")
    return f"{headline}{first[0].lower()}{first[1:]}; {figures}"


def beaten_by(rivals: tuple[Rival, ...]) -> str:
    """What is better than the finalist, and what it is not clearly ahead of, in words; else ""."""
    better = [_named(rival) for rival in rivals if rival.is_better]
    equal = [_named(rival) for rival in rivals if rival.is_as_good and not rival.is_better]
    parts = []
    if better:
        parts.append(f"{_listed(better)} {'is' if len(better) == 1 else 'are'} better")
    if equal:
        parts.append(f"it is not clearly ahead of {_listed(equal)}")
    return ", and ".join(parts)


def _named(rival: Rival) -> str:
    return f"{rival.name} ({plain(rival.value)})"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _interval(item: Comparison) -> str:
    return _ends(Interval(item.low, item.high, item.confidence))


def _ends(interval: Interval) -> str:
    percent = f"{round(interval.confidence * 100, 1):g} %"
    low, high = signed(interval.low), signed(interval.high)
    if low == high == "undetermined":
        return f"{percent} interval undetermined"
    return f"{percent} interval {low} to {high}"
