"""How sure an answer is: questions that a doubtful reader asks, each with what the test says."""

import math

from experiments.common.wording import interval_text, signed
from experiments.judging.comparison import Comparison, cluster_text
from experiments.judging.evidence import Evidence, Power
from experiments.review.rows import Rows, optimism_text, part_text, percent
from experiments.study_folder.judged_records import TestRecord
from experiments.study_folder.summary import Summary

NOT_CROWDED = (
    "No user, query or hour stands behind more than a fifth of the clicks, and nobody searches "
    "faster than people can."
)


def certainty_rows(summary: Summary) -> Rows:
    """Questions and answers, header first; on tune alone while the test is sealed."""
    head: Rows = [("question", "answer")]
    test = summary.test
    if test is None:
        return head + _on_tune(summary)
    seen = test.evidence
    return [
        *head,
        ("Could it be chance?", _chance(test)),
        ("What could this test find?", _power(seen.power, seen.gain)),
        ("Is it relevance, or position?", _position(seen)),
        ("Was it luck to be chosen on tune?", f"Optimism {optimism_text(test.optimism)}."),
        ("Are these many people?", _people(seen)),
        ("Does it last?", _lasts(seen)),
        ("Who pays for it?", _payers(seen)),
    ]


def _on_tune(summary: Summary) -> Rows:
    found = summary.tune_gain
    if found is None:
        return [("Could it be chance?", "Nothing is known yet: no trial was compared on tune.")]
    percent_sure = f"{100 * found.confidence:.0f} %"
    ends = f"{percent_sure} interval {signed(found.low)} to {signed(found.high)}"
    return [
        (
            "Could it be chance?",
            f"The gain on tune is {signed(found.gain)} ({ends}), "
            f"corrected for being the best of {found.n_trials} trials.",
        ),
        (
            "What is not known yet?",
            "Everything that the sealed test says: it was not opened.",
        ),
    ]


def _chance(test: TestRecord) -> str:
    gain = test.test
    verb = "lies above 0" if gain.low > 0 else "lies below 0" if gain.high < 0 else "includes 0"
    if not gain.is_determined:
        verb = "has an end that these data leave open"
    look = f"It is look {test.look} at these data, and the interval is as wide as that asks for."
    return (
        f"The gain is {interval_text(gain)} over {cluster_text(gain)}: the interval, of "
        f"{100 * gain.confidence:.1f} % confidence, {verb}. {look}"
    )


def _power(power: Power, gain: Comparison) -> str:
    if not math.isfinite(power.detectable):
        return "Nothing: too few users differ to say."
    found = (
        f"True gains from about {signed(power.detectable)} on, four times in five: it holds "
        f"{power.n_users:,} users over {power.n_days:,.0f} days."
    )
    if gain.low > 0 or gain.high < 0 or not math.isfinite(power.n_needed):
        return found
    return f"{found} About {power.n_needed:,.0f} users would settle this gain."


def _position(seen: Evidence) -> str:
    if seen.unidentified:
        return seen.unidentified
    parts = ["Position and relevance can be told apart in these data."]
    if seen.weighting is not None:
        parts.append(
            f"Clicks are weighted by the chance of a look, and are worth "
            f"{seen.weighting.effective_clicks:,.0f} clicks of equal weight."
        )
    if seen.naive is not None:
        parts.append(f"With clicks taken as they are the gain is {interval_text(seen.naive)}.")
    return " ".join(parts)


def _people(seen: Evidence) -> str:
    crowds = [
        f"{item.words}."
        if item.without is None
        else f"{item.words}; without {item.whom} the gain is {interval_text(item.without)}."
        for item in seen.crowding
    ]
    unknown = f"{percent(seen.unknown_share)} of the scored sessions have no known user."
    if not seen.unknown_share:
        unknown = "Every scored session has a known user."
    return " ".join([unknown, *(crowds or [NOT_CROWDED])])


def _lasts(seen: Evidence) -> str:
    parts = []
    if seen.trend is not None:
        parts.append(f"In the last quarter of the test the gain is {part_text(seen.trend.late)}.")
    if seen.split is not None and seen.split.lasting is not None:
        parts.append(
            "On objects last clicked more than a week before it is "
            f"{part_text(seen.split.lasting)}."
        )
    return " ".join(parts) or "Not known: the test is of one moment."


def _payers(seen: Evidence) -> str:
    harmed = seen.metrics.get("harmed_share", math.nan)
    parts = [] if math.isnan(harmed) else [f"{percent(harmed)} of the sessions rank worse."]
    item = seen.bystanders
    known = "none was scored" if item is None else f"they change by {interval_text(item)}"
    parts.append(
        f"Queries without feedback of their own are {percent(seen.silent_share)} of the traffic: "
        f"{known}."
    )
    return " ".join(parts)
