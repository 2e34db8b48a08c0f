"""The verdict: whether the sealed test says to turn the adjuster on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from experiments.common.wording import label, plain, signed
from experiments.config.study import GuardrailsConfig
from experiments.judging.comparison import Comparison, cluster_text
from experiments.replay.guardrails import broken

ADOPT = "adopt"
KEEP_OFF = "keep off"

MIN_CLUSTERS = 20
"""Fewer users than this and no interval of a skewed difference is honest."""

MIN_CHANGED = 10
"""Fewer users whose results changed than this, and the interval rests on a handful of them."""


@dataclass(frozen=True)
class Verdict:
    """What to do, and why.

    Args:
        decision: ``adopt`` or ``keep off``.
        sentence: The decision in one plain sentence with its figures.
        reasons: What speaks against adopting, a sentence each; empty for ``adopt``.
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


def decide(
    gain: Comparison,
    metrics: Mapping[str, float],
    guardrails: GuardrailsConfig,
    bystanders: Comparison | None = None,
) -> Verdict:
    """Adopt only where the test shows a gain, and nothing that must hold was broken.

    The rule: the lower end of the interval of the test gain over no adjustment is above 0; at
    least `MIN_CLUSTERS` users, `MIN_CHANGED` of them with changed results; mean drift and harmed
    share within the guardrails; and no clear loss on bystanders (their interval entirely below
    0), unless ``guardrails.bystanders`` is ``report``.

    Args:
        gain: The finalist against no adjustment on the test.
        metrics: ``drift_mean``, ``harmed_share`` and ``reach`` of that replay.
        guardrails: The bounds.
        bystanders: Queries whose feedback was withheld, after against before; None if there are
            none.

    Example:
        >>> gain = Comparison("ndcg_at_10", "no adjustment", 900, 300, 300, 200, 0.70, 0.72,
        ...                   0.02, 0.01, 0.03, 0.95, 0.001, 0.001, 0.4)
        >>> metrics = {"drift_mean": 0.05, "harmed_share": 0.2, "reach": 0.9}
        >>> print(decide(gain, metrics, GuardrailsConfig()).sentence)
        Adopt: NDCG@10 on the sealed test rises by +.020 (95 % interval +.010 to +.030, 300 \
users), from .700 to .720, at a mean drift of .050.
    """
    reasons = [
        *_evidence_faults(gain, metrics),
        *_guardrail_faults(metrics, guardrails),
    ]
    notes = []
    loss = _bystander_loss(bystanders)
    if loss and guardrails.bystanders == "keep_off":
        reasons.append(loss)
    elif loss:
        notes.append(f"{loss} guardrails.bystanders=report lets this pass.")
    if gain.n_users < gain.n_clusters:
        notes.append(
            "Sessions of unknown users are taken for independent; if a few people made many of "
            "them, the interval is too short."
        )
    if bystanders is None:
        notes.append("No bystanders were measured: nothing is known of queries without feedback.")
    decision = KEEP_OFF if reasons else ADOPT
    return Verdict(decision, _sentence(gain, metrics, reasons), tuple(reasons), tuple(notes))


def _evidence_faults(gain: Comparison, metrics: Mapping[str, float]) -> list[str]:
    """Why the test does not show a gain: the first of the reasons, as the others follow from it."""
    if metrics["reach"] == 0:
        return ["No scored session showed an adjusted object (reach 0), so nothing could change."]
    if gain.n_clusters < MIN_CLUSTERS:
        return [
            f"The test holds {cluster_text(gain)}; below {MIN_CLUSTERS} no interval can be trusted."
        ]
    if gain.n_changed < MIN_CHANGED:
        return [
            f"Results changed for {gain.n_changed} of {cluster_text(gain)}; below {MIN_CHANGED} "
            "the interval rests on too few of them."
        ]
    if gain.high < 0:
        return [f"The interval of the gain lies below 0: {label(gain.metric)} clearly falls."]
    if math.isnan(gain.low):
        return [
            f"The interval of the gain has no lower end: results changed for too few of "
            f"{cluster_text(gain)}."
        ]
    if not gain.low > 0:
        return ["The interval of the gain includes 0: it may be chance."]
    return []


def _guardrail_faults(metrics: Mapping[str, float], guardrails: GuardrailsConfig) -> list[str]:
    return [
        f"{item.words[0].upper()}{item.words[1:]} is {plain(metrics[item.metric])}, above "
        f"guardrails.{item.name} of {plain(bound)}."
        for item in broken(metrics, guardrails)
        if (bound := item.bound(guardrails)) is not None
    ]


def _bystander_loss(bystanders: Comparison | None) -> str | None:
    if bystanders is None or not bystanders.high < 0:
        return None
    return (
        f"Queries that gave no feedback lose: {label(bystanders.metric)} {signed(bystanders.gain)} "
        f"({_interval(bystanders)}) on {bystanders.n_sessions} sessions."
    )


def _sentence(gain: Comparison, metrics: Mapping[str, float], reasons: list[str]) -> str:
    change = "rises" if gain.gain > 0 else "falls" if gain.gain < 0 else "changes"
    figures = (
        f"{label(gain.metric)} on the sealed test {change} by {signed(gain.gain)} "
        f"({_interval(gain)}, {cluster_text(gain)}), from {plain(gain.reference_mean)} to "
        f"{plain(gain.mean)}, at a mean drift of {plain(metrics['drift_mean'])}."
    )
    if not reasons:
        return f"Adopt: {figures}"
    return f"Keep off: {reasons[0][0].lower()}{reasons[0][1:-1]}; {figures}"


def _interval(item: Comparison) -> str:
    percent = f"{round(item.confidence * 100, 1):g} %"
    return f"{percent} interval {signed(item.low)} to {signed(item.high)}"
