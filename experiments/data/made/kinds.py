"""The catalogue of logs whose right verdict is known: traps, and planted effects."""

from dataclasses import dataclass, replace
from typing import Any

from experiments.config.data import SimulatedConfig

ADOPT, KEEP_OFF, CANNOT_TELL = "adopt", "keep off", "cannot tell"


@dataclass(frozen=True)
class Kind:
    """One kind of log.

    Args:
        name: Short and plain.
        config: How it is made, without the truth in the log.
        personalize_by: Whose vectors are adjusted: ``user_id`` or ``none``.
        right: The verdicts that are right.
        is_null: Whether ``adopt`` is wrong.
        says: Words that the verdict should mention, or None.
    """

    name: str
    config: SimulatedConfig
    personalize_by: str
    right: tuple[str, ...]
    is_null: bool
    says: str | None = None


SHOP = SimulatedConfig(
    n_sessions=2400,
    n_users=120,
    n_objects=240,
    n_topics=12,
    n_queries=48,
    dimensions=24,
    max_parts=2,
    log_truth=False,
)
"""Topics of exactly `n_shown` objects, so that every search of a topic shows all of them."""

DECAYS = (0.0, 0.5, 1.0, 1.5)


def _trap(name: str, scope: str = "none", says: str | None = None, **options: Any) -> Kind:
    config = replace(SHOP, **options)
    return Kind(name, config, scope, (KEEP_OFF, CANNOT_TELL), True, says)


def _effect(scope: str, decay: float) -> Kind:
    """Likings that only clicks tell: each user's own, or everyone's for a query.

    The steeper the decay, the fewer clicks: the log is larger, so that what is there can be found.
    """
    who = "per-user" if scope == "user_id" else "shared"
    own, shared = (0.94, 0.0) if scope == "user_id" else (0.0, 0.94)
    n_sessions, n_users = (2400, 120) if decay < 1 else (6000, 120) if own else (4800, 240)
    config = replace(
        SHOP,
        n_sessions=n_sessions,
        n_users=n_users,
        examination_decay=decay,
        crowd_weight=0.0,
        taste_weight=own,
        query_weight=shared,
    )
    return Kind(f"{who} effect, decay {decay:g}", config, scope, (ADOPT, CANNOT_TELL), False)


DAILY: dict[str, Any] = {
    "n_days": 40,
    "open_hours": 0.5,
    "examination_decay": 0,
    "late_share": 0,
    "similarity_weight": 0.0,
    "crowd_weight": 0.0,
    "taste_weight": 0.0,
    "daily_weight": 1.0,
}
"""What everyone wants of a query, another thing each day: all users err together."""

TRAPS: tuple[Kind, ...] = (
    _trap(
        "fixed order",
        says="order",
        shown_order="fixed",
        examination_decay=1,
        clicks_follow="position",
    ),
    _trap(
        "fixed order, a fifth shuffled",
        shown_order="fixed",
        examination_decay=1,
        clicks_follow="position",
        shuffled_share=0.2,
    ),
    _trap(
        "sorted by past clicks",
        shown_order="past_clicks",
        examination_decay=1,
        clicks_follow="position",
        late_share=0,
    ),
    _trap("position alone, shared", clicks_follow="position"),
    _trap("position alone, per user", "user_id", clicks_follow="position"),
    _trap("position alone, steep", examination_decay=1.5, clicks_follow="position"),
    _trap("position alone, few busy users", clicks_follow="position", n_users=40, user_tail=1.5),
    _trap("five people", "user_id", says="users", n_users=5, user_tail=1.0),
    _trap("five people, no user ids", says="user", n_users=5, unknown_users_share=1),
    _trap("daily wants", n_topics=1, n_queries=1, n_objects=20, **DAILY),
    _trap("daily wants, eight queries", n_topics=8, n_queries=8, n_objects=160, **DAILY),
    # Were what is near the query liked too, its flip would make no adjustment the wrong way round.
    _trap(
        "flip",
        "user_id",
        flip_at=11 / 12,
        similarity_weight=0.0,
        crowd_weight=0.0,
        taste_weight=1.0,
    ),
    _trap("bot, one id", says="clicks", clicks_follow="position", bot_share=0.5),
    _trap("bot, no id", says="clicks", clicks_follow="position", bot_share=0.5, bot_ids=0),
    _trap("bot, 300 ids", says="clicks", clicks_follow="position", bot_share=0.5, bot_ids=300),
    _trap(
        "re-finding",
        "user_id",
        says="clicked before",
        clicks_follow="refinding",
        n_days=20,
        repeat_share=0.8,
    ),
    _trap("vectors know all", similarity_weight=1.0, crowd_weight=0.0, taste_weight=0.0),
)

POPULARITY = Kind(
    "popularity only",
    replace(SHOP, similarity_weight=0.0, crowd_weight=1.0, taste_weight=0.0),
    "none",
    (ADOPT, KEEP_OFF, CANNOT_TELL),
    False,
    "popularity",
)
"""The gain is real, and popularity has it without a vector: any verdict is right that says so."""

PLANTED = _effect("user_id", 0.0)
"""What `experiment=smoke` sweeps: each user's own likings, and a look at every position."""

EFFECTS = tuple(_effect(scope, decay) for scope in ("user_id", "none") for decay in DECAYS)
KINDS = (*TRAPS, POPULARITY, *EFFECTS)
