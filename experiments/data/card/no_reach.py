"""Why feedback reaches no session: the setting that keeps it away, and the reach without it."""

from dataclasses import dataclass

from experiments.config.replay import SCOPES
from experiments.data.card.card import LITTLE_REACH, expected_reach
from experiments.data.card.counts import CardData, card_data_of
from experiments.data.format.click_log import ClickLog

QUIET, INTERVAL = "replay.quiet_seconds", "adjuster.interval_seconds"
SCOPE = "replay.personalize_by"


@dataclass(frozen=True)
class Change:
    """Settings of another value, and the share of the sessions that would be reached then.

    Args:
        settings: As they are written on the command line.
        reach: In [0, 1].
    """

    settings: str
    reach: float


def why_nothing_is_reached(
    log: ClickLog, scope: str, quiet_seconds: int, interval_seconds: int
) -> str:
    """What keeps feedback from every session, with the reach that each change would give.

    Args:
        log: The data set.
        scope: Whose vectors a session reads: ``user_id``, ``segment`` or ``none``.
        quiet_seconds: The setting in force.
        interval_seconds: The setting in force.
    """
    changes = reach_changes(log, scope, quiet_seconds, interval_seconds)
    best = max(changes, key=lambda change: change.reach, default=Change("", 0.0))
    told = "; ".join(f"{change.settings} {change.reach:.1%}" for change in changes)
    in_force = f"{SCOPE}={scope}, {QUIET}={quiet_seconds} and {INTERVAL}={interval_seconds}"
    if best.reach < LITTLE_REACH:
        cause = "no change of them helps: what feedback is about is not shown again"
    else:
        names = " and ".join(part.partition("=")[0] for part in best.settings.split(" "))
        cause = f"{names} {'keep' if ' ' in best.settings else 'keeps'} it away"
    return (
        f"Reach is 0: under {in_force} no session shows what feedback has changed before it, and "
        f"{cause}. Expected reach with another value: {told}."
    )


def reach_changes(
    log: ClickLog, scope: str, quiet_seconds: int, interval_seconds: int
) -> list[Change]:
    """The reach with one setting at its other end, with both times at 0, and of other owners."""
    data = card_data_of(log, quiet_seconds)
    at_once = card_data_of(log, 0)
    changes = []
    if quiet_seconds:
        reach = expected_reach(at_once, scope, interval_seconds)
        changes.append(Change(f"{QUIET}=0", reach))
    if interval_seconds:
        changes.append(Change(f"{INTERVAL}=0", expected_reach(data, scope, 0)))
    if quiet_seconds and interval_seconds:
        changes.append(Change(f"{QUIET}=0 {INTERVAL}=0", expected_reach(at_once, scope, 0)))
    return changes + [
        Change(f"{SCOPE}={other}", expected_reach(data, other, interval_seconds))
        for other in SCOPES
        if other != scope and _is_known(data, other)
    ]


def _is_known(data: CardData, scope: str) -> bool:
    """Whether sessions say who their owner of this kind is."""
    owner = {"user_id": data.user, "segment": data.segment, "none": data.query}[scope]
    return bool((owner >= 0).any())
