"""What a log can tell, in at most five lines: the same words before a sweep and on a data card."""

import math

import numpy as np

from adjuster.live.monitoring.plan import InterleavingPlan
from experiments.common.wording import label, plain, signed
from experiments.judging.outlook import Obstacle, Outlook
from experiments.judging.verdict import FEWEST_USERS

HOPELESS = "Hopeless as it stands"


def outlook_lines(outlook: Outlook) -> tuple[str, ...]:
    """The outlook in four lines, and a fifth where no setting can be adopted.

    Args:
        outlook: What is foreseen.
    """
    lines = (
        f"Scored by {label(outlook.objective)}: {outlook.reason}",
        _order(outlook),
        _who(outlook),
        _how_much(outlook),
    )
    reasons = "; ".join(_why(obstacle, outlook) for obstacle in outlook.obstacles)
    return (*lines, f"{HOPELESS}: {reasons}.") if reasons else lines


def interleaving_line(plan: InterleavingPlan | None) -> str:
    """What showing both rankings would take to know, in two sentences.

    Args:
        plan: For the traffic of a log; None where there is none.
    """
    if plan is None:
        return "No number of interleaved sessions would tell: nothing that is clicked would change."
    days = f"about {plan.days:,.0f} days" if plan.days >= 1.5 else "about a day or less"
    return (
        f"To know, show both rankings, interleaved, to {plan.share:.0%} of the users: a true gain "
        f"of {signed(plan.gain)} is seen four times in five within {plan.sessions:,} of their "
        f"sessions, {days} of this log's traffic. A live system does so in mode "
        "interleave, and decides by itself: python -m experiments.serve."
    )


def _order(outlook: Outlook) -> str:
    moved = outlook.movement
    return (
        f"Order shown: {moved.n_moved:,} of {moved.n_pairs:,} (query, object) pairs at two or more "
        f"positions; rank correlation {_correlation(moved.score_agreement)} with the vectors' "
        f"order, {_correlation(moved.click_agreement)} with past clicks; "
        f"{_share(moved.random_share)} of the sessions in random order."
    )


def _correlation(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:+.2f}"


def _share(value: float) -> str:
    return "an unknown share" if math.isnan(value) else f"about {value:.0%}"


def _who(outlook: Outlook) -> str:
    test = outlook.test
    if not test.n_sessions:
        return "Sealed test: none; replay.split leaves no session for it."
    rest = test.n_sessions - test.n_scorable - test.n_withheld
    parts = [f"{rest:,} show no {test.lacking}"] if rest else []
    if test.n_withheld:
        parts.append(f"{test.n_withheld:,} are withheld as bystanders")
    if test.n_unknown:
        parts.append(f"{test.n_unknown:,} of those scored have no known user")
    return (
        f"Sealed test: {test.n_scorable:,} of {test.n_sessions:,} sessions and "
        f"{test.n_scorable_users:,} of {test.n_users:,} users can be scored"
        f"{': ' if parts else ''}{', '.join(parts)}."
    )


def _how_much(outlook: Outlook) -> str:
    found = outlook.detectable.gain
    finds = (
        "what gain the test finds is not known"
        if math.isnan(found)
        else f"the test finds gains from about {signed(found)} on (four times in five)"
    )
    known = f" and the {outlook.reference}" if outlook.reference else ""
    return (
        f"At stake: {finds}; headroom on tune {signed(outlook.headroom)} (the best of rankings by "
        f"all other clicks{known})."
    )


def _why(obstacle: Obstacle, outlook: Outlook) -> str:
    return {
        "no reach": _no_reach,
        "unidentified": _unidentified,
        "unknown users": _unknown_users,
        "few users": _few_users,
        "no headroom": _no_headroom,
        "undetectable": _undetectable,
    }[obstacle](outlook)


def _no_reach(outlook: Outlook) -> str:
    return (
        f"feedback reaches no scored session (the {outlook.reference} on tune), so nothing can "
        "change; see replay.personalize_by and adjuster.interval_seconds"
    )


def _unidentified(outlook: Outlook) -> str:
    if outlook.unidentified == outlook.reason:
        return "position and relevance cannot be told apart, so the verdict can only be cannot tell"
    text = outlook.unidentified.rstrip(".")
    return f"the verdict can only be cannot tell ({text[0].lower()}{text[1:]})"


def _unknown_users(outlook: Outlook) -> str:
    return (
        f"{outlook.unknown_share:.0%} of the test's scored sessions have no user, and sessions "
        "are not people (give users, or dataset.person=session if each is one person's)"
    )


def _few_users(outlook: Outlook) -> str:
    n_users = outlook.test.n_scorable_users
    return (
        f"{n_users} user{'' if n_users == 1 else 's'} on the test, at least {FEWEST_USERS} needed"
    )


def _no_headroom(outlook: Outlook) -> str:
    return (
        f"the headroom is below a gain worth having (guardrails.min_gain {plain(outlook.min_gain)})"
    )


def _undetectable(outlook: Outlook) -> str:
    needed = np.maximum(outlook.detectable.n_needed, FEWEST_USERS)
    text = "the test cannot find a gain as large as the headroom"
    return text if math.isnan(needed) else f"{text}; about {needed:,.0f} users would find it"
